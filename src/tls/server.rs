//! What the handshake with the client needs: our leaf, one protocol, resumption.

use std::sync::Arc;

use hudsucker::certificate_authority::CertificateAuthority;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::authority::Authority;
use super::leaf::LeafError;

/// Configurations towards clients, one for each handshake; cheap to clone.
///
/// A configuration is put together when it is asked for and not kept: all that is dear in it (leaf, provider, ticket
/// keys) is shared, the rest is a copy of some pointers, so a cache of our own would only add a bound and a lock.
#[derive(Clone, Debug)]
pub struct ServerConfigs {
    authority: Arc<Authority>,
    template: Arc<ServerConfig>,
}

impl ServerConfigs {
    /// Configurations whose leaves come from this authority.
    ///
    /// # Errors
    /// When the keys for session tickets cannot be made.
    pub fn new(authority: Arc<Authority>) -> Result<Self, rustls::Error> {
        let template = Arc::new(template()?);
        Ok(Self { authority, template })
    }

    /// The configuration for a client that asked for this name, once the upstream chose this protocol (or none).
    ///
    /// A client that did not offer the protocol gets the alert `no_application_protocol` (RFC 7301 section 3.2). It
    /// does not come to that where the upstream was offered the client's own list.
    ///
    /// # Errors
    /// When no leaf can be had for the name.
    pub fn config(&self, name: &str, alpn: Option<&[u8]>) -> Result<Arc<ServerConfig>, LeafError> {
        let leaf = self.authority.leaf(name)?;
        let mut config = (*self.template).clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(leaf));
        config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
        Ok(Arc::new(config))
    }

    /// The authority that the leaves come from.
    #[must_use]
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }
}

/// What is the same towards all clients; it has no certificate yet.
///
/// # Errors
/// When the keys for session tickets cannot be made.
pub(super) fn template() -> Result<ServerConfig, rustls::Error> {
    // Of the key exchanges that the client has ready, the hybrid is taken first; one that has none costs nothing more.
    let mut template = ServerConfig::builder_with_provider(super::post_quantum_provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NoLeaf));
    // Ours puts the suites that are cheap for both ends first; a client's order is mostly its library's default.
    template.ignore_client_order = true;
    // Tickets hold the session's state under a key that all configurations share, so a client resumes whatever
    // its tunnels negotiate, and nothing is kept here for clients that never come back. The name (SNI) is part of
    // the ticket: one host's session cannot be resumed for another.
    template.ticketer = Ticketer::new()?;
    template.session_storage = Arc::new(NoServerSessionStorage {});
    // Editors open tunnels two and more at a time, and each wants an unused ticket (RFC 8446 appendix C.4).
    template.send_tls13_tickets = 2;
    // Early data could be replayed by somebody on the way, and the upstream would see it twice.
    template.max_early_data_size = 0;
    Ok(template)
}

/// Our listener takes every CONNECT over, so hudsucker never asks; if it did, this is the right answer.
impl CertificateAuthority for ServerConfigs {
    async fn gen_server_config(&self, authority: &http::uri::Authority) -> Arc<ServerConfig> {
        self.config(authority.host(), Some(b"http/1.1")).unwrap_or_else(|error| {
            tracing::debug!(%authority, %error, "no leaf: the handshake will be refused");
            Arc::clone(&self.template)
        })
    }
}

/// Answers no ClientHello: the handshake ends with an alert.
#[derive(Debug)]
struct NoLeaf;

impl ResolvesServerCert for NoLeaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
