//! The relay: copies plaintext between the two sides of a tunnel, unchanged.

mod tap;

pub use tap::Tap;
