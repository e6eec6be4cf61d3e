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

use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use authority::{Authority, Origin, Rotation};
pub use client::{ClientConfigs, TrustError};
pub use files::AuthorityError;
pub use leaf::LeafError;
pub use root::Root;
pub use server::ServerConfigs;

/// The one crypto provider (aws-lc-rs) of both sides, with X25519 first.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

/// The same provider with the post-quantum hybrid X25519MLKEM768 first.
///
/// A handshake with it costs each end some 35 µs and 1.2 kB more. Where the client asks for it we do it too, on both
/// hops: traffic that is stored today and broken in twenty years must not be easier to read because of us.
fn post_quantum_provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        let mut provider = aws_lc_rs::default_provider();
        let hybrid = NamedGroup::X25519MLKEM768;
        provider.kx_groups.sort_by_key(|group| group.name() != hybrid);
        Arc::new(provider)
    });
    Arc::clone(&PROVIDER)
}
