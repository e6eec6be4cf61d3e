//! A certificate and its key as an operator gives them: read and checked.

use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustls::InconsistentKeys;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::root;
use crate::config::WebTls;

/// A certificate or key of the page that cannot be used; the sentence says what to do, and holds nothing of the files.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its fields are")]
pub enum PairError {
    #[error("cannot read the page's {what} {path}; check the name given to `{}` and who may read the file", what.setting())]
    Unreadable { what: What, path: PathBuf, source: io::Error },
    #[error("the page's {what} {path} is not a whole PEM file; it should hold {}", what.lines())]
    NotPem { what: What, path: PathBuf },
    #[error("the page's {what} {path} is a file without any {what}; it should hold {}", what.lines())]
    Empty { what: What, path: PathBuf },
    #[error(
        "the page's key {path} is encrypted, and a program that starts by itself has no password for it; \
         name a file that is not to `web_key`: `openssl pkey -in {path} -out KEY` makes one"
    )]
    Encrypted { path: PathBuf },
    #[error(
        "the page's key {path} is none that can be used; RSA of 2048 bits and more, ECDSA (P-256, P-384, P-521) and \
         Ed25519 can"
    )]
    Unusable { path: PathBuf },
    #[error("the page's certificate {path} holds something that is not a certificate ({reason})")]
    NotACertificate { path: PathBuf, reason: String },
    #[error(
        "the page's key {key} does not belong to the certificate {certificate}; name the two that were made together \
         with `web_cert` and `web_key`, and put the page's own certificate first in its file"
    )]
    Mismatch { key: PathBuf, certificate: PathBuf },
    #[error("the page's certificate {path} expired on {when}; renew it where it came from, and put the new one there")]
    Expired { path: PathBuf, when: String },
    #[error("the page's certificate {path} is not valid before {when}; check this machine's clock")]
    NotYetValid { path: PathBuf, when: String },
    #[error("the TLS library cannot be set up for the page")]
    Provider(#[from] rustls::Error),
}

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `web_cert`.
    Certificate,
    /// `web_key`.
    Key,
}

impl What {
    fn setting(self) -> &'static str {
        match self {
            Self::Certificate => "web_cert",
            Self::Key => "web_key",
        }
    }

    fn lines(self) -> &'static str {
        match self {
            Self::Certificate => "lines between BEGIN and END CERTIFICATE",
            Self::Key => "lines between BEGIN and END PRIVATE KEY (or RSA PRIVATE KEY, or EC PRIVATE KEY)",
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

/// What people want to know of the page's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCertificate {
    /// The distinguished name; it may be empty.
    pub subject: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// SHA-256 of the certificate: `AB:CD:…`.
    pub fingerprint: String,
}

impl PageCertificate {
    /// For how many days before its end somebody should be told: 30, and a third of its life where that is less, since
    /// certificates that live for days only are renewed by then.
    #[must_use]
    pub fn soon(&self) -> i64 {
        ((self.not_after - self.not_before).num_days() / 3).min(30)
    }

    fn parse(path: &Path, der: &CertificateDer<'_>) -> Result<Self, PairError> {
        let wrong = |reason: String| PairError::NotACertificate { path: path.to_owned(), reason };
        let (_, x509) = X509Certificate::from_der(der).map_err(|error| wrong(error.to_string()))?;
        let moment = |time: ASN1Time| {
            DateTime::from_timestamp(time.timestamp(), 0).ok_or_else(|| wrong("its dates are none".to_owned()))
        };
        let others = x509.subject_alternative_name().map_err(|error| wrong(error.to_string()))?;
        let names = others.iter().flat_map(|others| &others.value.general_names).filter_map(name);
        Ok(Self {
            subject: x509.subject().to_string(),
            names: names.collect(),
            not_before: moment(x509.validity().not_before)?,
            not_after: moment(x509.validity().not_after)?,
            fingerprint: root::fingerprint(der),
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match *name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// The two, which belong together and are valid now.
pub(super) struct Pair {
    pub(super) certified: CertifiedKey,
    pub(super) certificate: PageCertificate,
}

impl Pair {
    pub(super) fn load(files: &WebTls, now: i64) -> Result<Self, PairError> {
        let chain = chain(&files.certificate)?;
        let der = key(&files.key)?;
        // What the library says of a key is not passed on: it is the one thing that must not be in a message.
        let unusable = |_| PairError::Unusable { path: files.key.clone() };
        let key = super::provider().key_provider.load_private_key(der).map_err(unusable)?;
        let [first, ..] = &chain[..] else {
            return Err(PairError::Empty { what: What::Certificate, path: files.certificate.clone() });
        };
        let certificate = PageCertificate::parse(&files.certificate, first)?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            // A kind of key that does not tell its public half: the handshake will.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                let (key, certificate) = (files.key.clone(), files.certificate.clone());
                return Err(PairError::Mismatch { key, certificate });
            }
            Err(error) => {
                let (path, reason) = (files.certificate.clone(), error.to_string());
                return Err(PairError::NotACertificate { path, reason });
            }
        }
        let path = files.certificate.clone();
        let (from, until) = (certificate.not_before.timestamp(), certificate.not_after.timestamp());
        if now >= until {
            return Err(PairError::Expired { path, when: root::day(until) });
        }
        if now < from {
            return Err(PairError::NotYetValid { path, when: root::day(from) });
        }
        Ok(Self { certified, certificate })
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let what = What::Certificate;
    let (_, bytes) = read(what, path)?;
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| PairError::NotPem { what, path: path.to_owned() })
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, PairError> {
    let what = What::Key;
    let (file, bytes) = read(what, path)?;
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    // PKCS#8's form, and that of OpenSSL before it.
    if has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(PairError::Encrypted { path: path.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        PemError::NoItemsFound => PairError::Empty { what, path: path.to_owned() },
        // Its words may be a line of the file.
        _ => PairError::NotPem { what, path: path.to_owned() },
    })?;
    // Not before: a file that was named by mistake may be one that others need.
    tighten(&file, path);
    Ok(key)
}

fn read(what: What, path: &Path) -> Result<(File, Vec<u8>), PairError> {
    // A certificate has about 1 kB and a chain a few; the limit is for a path that leads to something else.
    const LIMIT: u64 = 1 << 20;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| (&file).take(LIMIT).read_to_end(&mut bytes).map(|_| file));
    let file = read.map_err(|source| PairError::Unreadable { what, path: path.to_owned(), source })?;
    Ok((file, bytes))
}

/// Takes the key file away from those who have no business with it, as the CA's. A group may read it: the same key is
/// often another server's too, which is in that group.
fn tighten(file: &File, path: &Path) {
    const OF_OTHERS: u32 = 0o027;
    let Ok(metadata) = file.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OF_OTHERS == 0 {
        return;
    }
    let (path, mode, less) = (path.display(), format!("{mode:04o}"), mode & !OF_OTHERS);
    match file.set_permissions(Permissions::from_mode(less)) {
        Ok(()) => tracing::warn!(
            file = %path, mode,
            "other users could read or change the page's key; set to {less:04o} now. If one may have: get a new one"
        ),
        Err(error) => tracing::warn!(
            file = %path, mode, %error,
            "other users can read or change the page's key, and its mode could not be changed"
        ),
    }
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
