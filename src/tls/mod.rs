//! Certificates and TLS configurations for both sides of an opened tunnel.
//!
//! [`Authority`] holds the root that clients trust and mints a leaf for each opened host; [`ServerConfigs`] turns a
//! leaf into what the client's handshake needs; [`ClientConfigs`] holds what the handshake with the upstream needs.
//! Nothing here knows sockets, tunnels or HTTP.

mod authority;
mod client;
mod files;
mod leaf;
mod root;
mod server;

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

pub use authority::{Authority, Origin, Rotation};
pub use client::{ClientConfigs, TrustError};
pub use files::AuthorityError;
pub use leaf::LeafError;
pub use root::Root;
pub use server::ServerConfigs;

/// The one crypto provider (aws-lc-rs) of both sides.
///
/// The post-quantum hybrid X25519MLKEM768 comes first: the hop to the upstream must not protect code worse than the
/// client itself would, and the client's own choice is accepted whatever it is. Price and reason in
/// `docs/security.md`.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}
