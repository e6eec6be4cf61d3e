//! What the handshake with the upstream needs: trust anchors, the client's protocols, resumption.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
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
    #[error("the TLS library cannot be set up")]
    Provider(#[source] rustls::Error),
}

/// Configurations towards upstreams: one for each way in which clients say hello.
pub struct ClientConfigs {
    classical: ClientConfig,
    post_quantum: ClientConfig,
    cache: Mutex<Cache>,
}

/// Protocols in the client's order, whether the name is sent, whether the hybrid key exchange comes first.
type Key = (Vec<Vec<u8>>, bool, bool);

#[derive(Default)]
struct Cache {
    configs: HashMap<Key, Arc<ClientConfig>>,
    oldest: VecDeque<Key>,
}

/// Real clients have about a dozen ways between them. Invented ones push the oldest out, whose next user then only
/// pays a full handshake.
const CAPACITY: usize = 32;

/// A longer list is no editor's, and is not worth keeping.
const LONGEST_LIST: usize = 256;

/// TLS 1.3 tickets kept for each way (8 for each host: 32 hosts, about as many as Copilot has).
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
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(
            Verifier::new_with_extra_roots(anchors, super::provider())
                .map_err(|source| TrustError::NoAnchors { source })?,
        );
        let template = |provider| -> Result<ClientConfig, TrustError> {
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(TrustError::Provider)?
                .dangerous()
                .with_custom_certificate_verifier(Arc::clone(&verifier))
                .with_no_client_auth();
            Ok(config)
        };
        Ok(Self {
            classical: template(super::provider())?,
            post_quantum: template(super::post_quantum_provider())?,
            cache: Mutex::default(),
        })
    }

    /// The configuration that offers exactly these protocols, in this order (none: no ALPN), and sends the name or not.
    ///
    /// As [`config_with`](Self::config_with) for a client that does not offer a post-quantum key exchange.
    #[must_use]
    pub fn config(&self, alpn: &[Vec<u8>], sni: bool) -> Arc<ClientConfig> {
        self.config_with(alpn, sni, false)
    }

    /// The same; `post_quantum` says that the client offered X25519MLKEM768 (0x11ec in `supported_groups`), so that
    /// the upstream gets a key share for it.
    ///
    /// Sessions are resumed among connections with the same arguments only: TLS allows more, but a session then never
    /// meets a server under other terms than it was made under. All share one verifier, so what may be resumed was
    /// verified against these trust anchors, for the same host name.
    #[must_use]
    pub fn config_with(&self, alpn: &[Vec<u8>], sni: bool, post_quantum: bool) -> Arc<ClientConfig> {
        let key = (alpn.to_vec(), sni, post_quantum);
        if alpn.iter().map(Vec::len).sum::<usize>() > LONGEST_LIST {
            return Arc::new(self.build(key, Resumption::disabled()));
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = cache.configs.get(&key) {
            return Arc::clone(config);
        }
        let config = Arc::new(self.build(key.clone(), Resumption::in_memory_sessions(TICKETS)));
        cache.configs.insert(key.clone(), Arc::clone(&config));
        cache.oldest.push_back(key);
        if cache.oldest.len() > CAPACITY
            && let Some(oldest) = cache.oldest.pop_front()
        {
            cache.configs.remove(&oldest);
        }
        config
    }

    fn build(&self, (alpn, sni, post_quantum): Key, resumption: Resumption) -> ClientConfig {
        let mut config = if post_quantum { self.post_quantum.clone() } else { self.classical.clone() };
        config.alpn_protocols = alpn;
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

fn read_anchors(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let path = || path.to_owned();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(content: &[u8]) -> TrustError {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        ClientConfigs::new(&[file.path().to_owned()]).unwrap_err()
    }

    fn with_a_root() -> ClientConfigs {
        let folder = tempfile::tempdir().unwrap();
        crate::tls::Authority::load_or_create(folder.path(), &[], "http://127.0.0.1:1").unwrap();
        ClientConfigs::new(&[folder.path().join("ca.pem")]).unwrap()
    }

    #[test]
    fn says_what_is_wrong_with_an_upstream_ca() {
        let missing = ClientConfigs::new(&["/nonexistent/company.pem".into()]).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the upstream CA /nonexistent/company.pem;"), "{missing}");
        assert!(matches!(with_file(b""), TrustError::Empty { .. }));
        assert!(matches!(with_file(b"\x30\x82\x01\x00"), TrustError::Empty { .. }), "DER is not PEM");
        let cut = b"-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert!(matches!(with_file(cut), TrustError::NotPem { .. }), "{}", with_file(cut));
        let hollow = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(matches!(with_file(hollow), TrustError::NotATrustAnchor { .. }), "{}", with_file(hollow));
    }

    #[test]
    fn keeps_one_configuration_for_each_way_to_say_hello() {
        let configs = with_a_root();
        let both = [b"h2".to_vec(), b"http/1.1".to_vec()];
        let config = configs.config(&both, true);
        assert_eq!(config.alpn_protocols, both);
        assert!(Arc::ptr_eq(&config, &configs.config(&both, true)));
        let reversed: Vec<_> = both.iter().rev().cloned().collect();
        assert_eq!(configs.config(&reversed, true).alpn_protocols, reversed, "the client's order is kept");
        assert!(!configs.config(&both, false).enable_sni);
        assert!(configs.config(&[], true).alpn_protocols.is_empty());

        let first = |config: &ClientConfig| config.crypto_provider().kx_groups[0].name();
        assert_eq!(first(&config), rustls::NamedGroup::X25519);
        assert_eq!(first(&configs.config_with(&both, true, true)), rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn a_hostile_client_cannot_make_it_grow() {
        let configs = with_a_root();
        for number in 0..1000_u32 {
            let _ = configs.config(&[number.to_string().into_bytes()], true);
        }
        let _ = configs.config(&vec![b"x".to_vec(); 1000], true);
        let cache = configs.cache.lock().unwrap();
        assert_eq!((cache.configs.len(), cache.oldest.len()), (CAPACITY, CAPACITY));
    }
}
