//! Certificates and TLS configurations for both sides of an opened tunnel, and for the web page.
//!
//! [`Authority`] holds the root that clients trust and mints a leaf for each opened host; [`ServerConfigs`] turns a
//! leaf into what the client's handshake needs; [`ClientConfigs`] holds what the handshake with the upstream needs;
//! [`PageTls`] what a browser's needs, with the certificate that the operator gave. Nothing here knows sockets, tunnels
//! or HTTP.

mod authority;
mod client;
mod files;
mod leaf;
mod page;
mod pair;
mod root;
mod server;

use std::sync::{Arc, LazyLock};

use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use authority::{Authority, Origin, Rotation};
pub use client::{ClientConfigs, TrustError};
pub use files::AuthorityError;
pub use leaf::LeafError;
pub use page::PageTls;
pub use pair::{PageCertificate, PairError, What};
pub use root::Root;
pub use server::ServerConfigs;

/// The one crypto provider (aws-lc-rs) of both sides, with X25519 first.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(lean(aws_lc_rs::default_provider())));
    Arc::clone(&PROVIDER)
}

/// The same provider with the post-quantum hybrid X25519MLKEM768 first.
///
/// Used where the client itself prefers it, on both hops: traffic that is stored today and broken in twenty years must
/// not be easier to read because of us. `docs/security.md` has the price.
fn post_quantum_provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        let mut provider = lean(aws_lc_rs::default_provider());
        let hybrid = NamedGroup::X25519MLKEM768;
        provider.kx_groups.sort_by_key(|group| group.name() != hybrid);
        Arc::new(provider)
    });
    Arc::clone(&PROVIDER)
}

/// Puts the suites with SHA-256 first, as browsers do: SHA-384 in the key schedule was a tenth of what a tunnel cost,
/// because processors have instructions for SHA-256 only, and AES-128 is no weaker in any way that matters here.
fn lean(mut provider: CryptoProvider) -> CryptoProvider {
    provider
        .cipher_suites
        .sort_by_key(|suite| !suite.suite().as_str().is_some_and(|name| name.contains("AES_128_GCM")));
    provider
}
