//! What the handshake with the upstream needs: trust anchors, the client's protocols, resumption.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls_platform_verifier::Verifier;

/// Trust anchors that cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its fields are")]
pub enum TrustError {
    #[error("cannot read the upstream CA {path}; check the name given to `--upstream-ca` and who may read the file")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "the upstream CA {path} is not a PEM file ({reason}); it should hold lines between BEGIN and END CERTIFICATE"
    )]
    NotPem { path: PathBuf, reason: String },
    #[error("the upstream CA {path} holds no certificate; it should hold lines between BEGIN and END CERTIFICATE")]
    Empty { path: PathBuf },
    #[error("the upstream CA {path} holds something that is not a CA's certificate")]
    NotATrustAnchor { path: PathBuf, source: rustls::Error },
    #[error(
        "no trust anchors: the system has none and none were given; \
         install the system's CA certificates (package ca-certificates), or name a file with `--upstream-ca`"
    )]
    NoAnchors { source: rustls::Error },
}

/// Configurations towards upstreams: one for each list of protocols that clients offer.
pub struct ClientConfigs {
    template: ClientConfig,
    cache: Mutex<Cache>,
}

/// Protocols in the client's order, and whether the name is sent.
type Key = (Vec<Vec<u8>>, bool);

#[derive(Default)]
struct Cache {
    configs: HashMap<Key, Arc<ClientConfig>>,
    oldest: VecDeque<Key>,
}

/// Real clients offer half a dozen lists between them. Invented ones push the oldest out, whose next user then only
/// pays a full handshake.
const CAPACITY: usize = 32;

/// A longer list is no editor's, and is not worth keeping.
const LONGEST_LIST: usize = 256;

/// TLS 1.3 tickets kept for each list (8 for each host: 32 hosts, about as many as Copilot has).
const TICKETS: usize = 256;

impl ClientConfigs {
    /// Configurations that trust the operating system's roots and the certificates in these PEM files.
    ///
    /// The roots are read now, once, which takes some milliseconds.
    ///
    /// # Errors
    /// When a file cannot be read, holds no certificates, or there is no trust anchor at all.
    pub fn new(extra_ca: &[PathBuf]) -> Result<Self, TrustError> {
        let mut anchors = Vec::new();
        for path in extra_ca {
            anchors.extend(read_anchors(path)?);
        }
        let verifier = Verifier::new_with_extra_roots(anchors, super::provider())
            .map_err(|source| TrustError::NoAnchors { source })?;
        let template = ClientConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| TrustError::NoAnchors { source })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { template, cache: Mutex::default() })
    }

    /// The configuration that offers exactly these protocols, in this order (none: no ALPN), and sends the name or not.
    ///
    /// Sessions are resumed among connections with the same list only: TLS allows more, but a session then never meets
    /// a server under other terms than it was made under. All lists share one verifier, so what may be resumed was
    /// verified against these trust anchors, for the same host name.
    #[must_use]
    pub fn config(&self, alpn: &[Vec<u8>], sni: bool) -> Arc<ClientConfig> {
        if alpn.iter().map(Vec::len).sum::<usize>() > LONGEST_LIST {
            return Arc::new(self.build(alpn, sni, Resumption::disabled()));
        }
        let key = (alpn.to_vec(), sni);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = cache.configs.get(&key) {
            return Arc::clone(config);
        }
        let config = Arc::new(self.build(alpn, sni, Resumption::in_memory_sessions(TICKETS)));
        cache.configs.insert(key.clone(), Arc::clone(&config));
        cache.oldest.push_back(key);
        if cache.oldest.len() > CAPACITY
            && let Some(oldest) = cache.oldest.pop_front()
        {
            cache.configs.remove(&oldest);
        }
        config
    }

    fn build(&self, alpn: &[Vec<u8>], sni: bool, resumption: Resumption) -> ClientConfig {
        let mut config = self.template.clone();
        config.alpn_protocols = alpn.to_vec();
        config.enable_sni = sni;
        config.resumption = resumption;
        config
    }
}

impl fmt::Debug for ClientConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfigs").finish_non_exhaustive()
    }
}

fn read_anchors(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let path = || path.clone();
    let bytes = std::fs::read(path()).map_err(|source| TrustError::Unreadable { path: path(), source })?;
    let anchors = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| TrustError::NotPem { path: path(), reason: error.to_string() })?;
    if anchors.is_empty() {
        return Err(TrustError::Empty { path: path() });
    }
    // Tried one by one, so that the message can name the file.
    let mut store = rustls::RootCertStore::empty();
    for anchor in &anchors {
        store.add(anchor.clone()).map_err(|source| TrustError::NotATrustAnchor { path: path(), source })?;
    }
    Ok(anchors)
}
