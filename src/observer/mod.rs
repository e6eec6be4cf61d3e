//! Passive readers of relayed bytes: sans-io, no clock, no logging.

mod event;
mod http1;
mod http2;

pub use event::{Event, Fields, RequestHead, ResponseHead, StreamId, Version};
