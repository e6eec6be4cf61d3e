//! The certificate authority that clients trust: made at the first start, loaded later, able to sign for the opened
//! hosts only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, SerialNumber};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files::{AuthorityError, Contents, Folder};
use super::leaf::Leaves;
use super::root::{self, DAY, Root};
use crate::rules::HostPattern;

/// The root that clients trust, the issuing CA below it with its key, and the leaves minted so far.
pub struct Authority {
    root: Root,
    /// The same as the root where an operator put a CA of their own into the folder.
    issuing: Root,
    root_crl: Option<Arc<[u8]>>,
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) crl_address: String,
    pub(super) leaves: Leaves,
    crl: Mutex<Option<Crl>>,
}

/// Where a CA came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There was none: it was made now, and the clients do not know it yet.
    Created,
    /// It was read from its files.
    Loaded,
}

/// What `rotate` did.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The new CA's certificate.
    pub root: Root,
    /// Where the old certificate lies now; its key is gone.
    pub old: Option<PathBuf>,
}

struct Crl {
    der: Arc<[u8]>,
    signed: i64,
}

/// A client keeps a CRL until then; no client may find it expired while the proxy runs.
const CRL_LIFE: i64 = 7 * DAY;
const CRL_RENEWED_AFTER: i64 = DAY;

impl Authority {
    /// Loads the CA of the folder, or makes one there that permits exactly the names of these patterns.
    ///
    /// `crl_base` is the address that clients reach this program by, for example `http://127.0.0.1:8080`; each leaf
    /// says that its CRL is at `{crl_base}/ca.crl` ([`crl_der`](Self::crl_der)), and the issuing CA, once and for all,
    /// that its CRL is at `{crl_base}/ca-root.crl` ([`root_crl_der`](Self::root_crl_der)).
    ///
    /// # Errors
    /// When a file is missing, cannot be read or written, does not fit the other, is not a CA's, is not valid now, or
    /// does not permit one of the patterns. Each sentence says what to do.
    pub fn load_or_create(
        folder: &Path,
        permitted: &[HostPattern],
        crl_base: &str,
    ) -> Result<(Self, Origin), AuthorityError> {
        Self::load_or_create_at(folder, permitted, crl_base, now())
    }

    pub(super) fn load_or_create_at(
        folder: &Path,
        permitted: &[HostPattern],
        crl_base: &str,
        now: i64,
    ) -> Result<(Self, Origin), AuthorityError> {
        let folder = Folder::new(folder);
        folder.create()?;
        let _lock = folder.lock();
        let (certificate, key, origin) = match folder.read()? {
            Contents::Both { certificate, key } => (certificate, key, Origin::Loaded),
            Contents::Nothing => {
                let (certificate, key) = root::mint(permitted, crl_base, now)?;
                folder.write(&certificate, &key)?;
                (certificate, key, Origin::Created)
            }
        };
        Ok((Self::assemble(&folder, &certificate, &key, permitted, crl_base, now)?, origin))
    }

    /// Makes a new CA in the folder, whatever state the old one is in. The old certificate is kept as
    /// `ca-OLD-{date}.pem`, its key is replaced. A running program keeps the old one until it is started again.
    ///
    /// # Errors
    /// When the folder cannot be written, or a pattern is an address.
    pub fn rotate(folder: &Path, permitted: &[HostPattern], crl_base: &str) -> Result<Rotation, AuthorityError> {
        let folder = Folder::new(folder);
        folder.create()?;
        let _lock = folder.lock();
        let now = now();
        let (certificate, key) = root::mint(permitted, crl_base, now)?;
        let old = folder.set_certificate_aside(&root::day(now))?;
        folder.write(&certificate, &key)?;
        Ok(Rotation { root: Root::parse(&folder.certificate, &certificate)?, old })
    }

    /// Checks the CA of the folder as [`load_or_create`](Self::load_or_create) does, and makes none.
    ///
    /// # Errors
    /// As there, and when there is no CA.
    pub fn check(folder: &Path, permitted: &[HostPattern]) -> Result<(), AuthorityError> {
        let folder = Folder::new(folder);
        match folder.read()? {
            Contents::Both { certificate, key } => {
                Self::assemble(&folder, &certificate, &key, permitted, "http://localhost", now()).map(|_| ())
            }
            Contents::Nothing => Err(AuthorityError::Missing { folder: folder.path }),
        }
    }

    fn assemble(
        folder: &Folder,
        certificate: &str,
        key: &str,
        permitted: &[HostPattern],
        crl_base: &str,
        now: i64,
    ) -> Result<Self, AuthorityError> {
        let root = Root::parse(&folder.certificate, certificate)?;
        let pair = KeyPair::from_pem(key).map_err(|error| AuthorityError::NotPem {
            path: folder.key.clone(),
            what: "private key",
            reason: error.to_string(),
        })?;
        // An operator's own CA has no issuing CA beside its key: it issues itself.
        let issuing = match root.has_key(&pair) {
            true => root.clone(),
            false => Root::parse(&folder.key, key)?,
        };
        if !issuing.has_key(&pair) || !(root.has_key(&pair) || issuing.is_below(&root)) {
            let (key, certificate) = (folder.key.clone(), folder.certificate.clone());
            return Err(AuthorityError::KeyMismatch { key, certificate });
        }
        root.check(permitted, now)?;
        issuing.check(permitted, now)?;
        warn_about(&root, now);

        let crl_address = root::crl_address(crl_base, root::CRL)?;
        let root_crl = CertificateRevocationListDer::from_pem_slice(key.as_bytes()).ok();
        let root_crl = root_crl.map(|crl| Arc::from(crl.as_ref()));
        let issuer = Issuer::from_ca_cert_der(issuing.der(), pair)?;
        Ok(Self { root, issuing, root_crl, issuer, crl_address, leaves: Leaves::new()?, crl: Mutex::new(None) })
    }

    /// The root's certificate: subject, validity, fingerprint.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The certificate of the CA below it, which signs: the root's own where an operator's CA signs itself.
    #[must_use]
    pub fn issuing(&self) -> &Root {
        &self.issuing
    }

    /// SHA-256 of the root's certificate: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.root.fingerprint()
    }

    /// The root's certificate as PEM, for clients to install.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.root.pem()
    }

    /// The root's certificate as DER, for clients to install.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        self.root.der()
    }

    /// When the root expires.
    #[must_use]
    pub fn not_after(&self) -> DateTime<Utc> {
        self.root.not_after()
    }

    /// Whether a leaf for this host would be accepted by clients that trust the root.
    #[must_use]
    pub fn permits(&self, host: &str) -> bool {
        self.issuing.permits(host) && self.root.permits(host)
    }

    /// The names that it may sign for, each with every name below it; `None` if nothing limits it.
    #[must_use]
    pub fn permitted(&self) -> Option<&[String]> {
        self.issuing.permitted()
    }

    /// When the leaves may begin and must end.
    pub(super) fn validity(&self) -> (i64, i64) {
        self.issuing.validity()
    }

    /// What a leaf's chain holds above the leaf, up to and with the root.
    pub(super) fn chain(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        let above = if self.issuing.der() == self.root.der() { &[] } else { self.issuing.chain() };
        above.iter().chain(self.root.chain())
    }

    /// The root's own revocation list as DER, signed when the CA was made and valid as long; `None` for an operator's
    /// own CA.
    #[must_use]
    pub fn root_crl_der(&self) -> Option<Arc<[u8]>> {
        self.root_crl.clone()
    }

    /// The revocation list as DER: it names nothing, and Windows' own TLS wants to see it. Signed again once a day.
    ///
    /// # Errors
    /// When signing fails.
    pub fn crl_der(&self) -> Result<Arc<[u8]>, AuthorityError> {
        self.crl_der_at(now())
    }

    fn crl_der_at(&self, now: i64) -> Result<Arc<[u8]>, AuthorityError> {
        let mut crl = self.crl.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(crl) = crl.as_ref().filter(|crl| (0..CRL_RENEWED_AFTER).contains(&(now - crl.signed))) {
            return Ok(Arc::clone(&crl.der));
        }
        let params = CertificateRevocationListParams {
            this_update: root::moment(now - root::BACKDATED),
            next_update: root::moment(now + CRL_LIFE),
            // Seconds only grow, so the number does too, also over restarts (RFC 5280 section 5.2.3).
            crl_number: SerialNumber::from(now.unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: self.key_identifier(),
        };
        let der: Arc<[u8]> = Arc::from(params.signed_by(&self.issuer)?.der().as_ref());
        *crl = Some(Crl { der: Arc::clone(&der), signed: now });
        Ok(der)
    }

    /// The issuing CA's own key identifier: rcgen would derive one for the CRL, which need not be the same.
    fn key_identifier(&self) -> KeyIdMethod {
        let id = X509Certificate::from_der(self.issuing.der()).ok().and_then(|(_, x509)| {
            x509.iter_extensions().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            })
        });
        id.map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("subject", &self.root.subject()).finish_non_exhaustive()
    }
}

fn warn_about(root: &Root, now: i64) {
    const SOON: i64 = 30 * DAY;
    let (_, not_after) = root.validity();
    if not_after - now < SOON {
        tracing::warn!(expires = %root::day(not_after), "the CA expires soon: `copilot-recorder ca rotate`");
    }
    if root.permitted().is_none() {
        tracing::warn!(
            subject = root.subject(),
            "the CA is not limited to some hosts: whoever steals its key can impersonate any site to its clients"
        );
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
