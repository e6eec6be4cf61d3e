//! copilot-recorder: a flight recorder for GitHub Copilot.
//!
//! ```text
//! client ──CONNECT──▶ listener ─▶ tunnel ─▶ relay ◀──TLS──▶ upstream
//!                     (auth,      (dial,     │ copy
//!                      policy)     TLS both  ▼
//!                                  sides)  observer ─▶ exchange ─▶ classifier ─▶ store
//! ```
//!
//! Data goes one way. The relay knows nothing of HTTP, the observer nothing of sockets, the store nothing of TLS.

#![forbid(unsafe_code)]

pub mod archive;
pub mod auth;
pub mod check;
pub mod classifier;
pub mod cli;
pub mod config;
pub mod copilot;
mod digest;
pub mod door;
pub mod exchange;
pub mod export;
pub mod figures;
pub mod index;
pub mod listener;
pub mod live;
pub mod metrics;
pub mod observer;
pub mod recorder;
mod redaction;
pub mod relay;
pub mod review;
pub mod rules;
pub mod shutdown;
mod stamp;
pub mod store;
pub mod tls;
pub mod tunnel;
pub mod web;
pub mod wire;
