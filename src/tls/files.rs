//! The two files of the certificate authority: read, checked for who may read them, written atomically.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A CA that cannot be used, or could not be made; the sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its fields are")]
pub enum AuthorityError {
    #[error("there is no CA in {folder}; the first start of `copilot-recorder` makes one")]
    Missing { folder: PathBuf },
    #[error(
        "the CA's key {key} has no certificate {certificate} beside it; \
         put the certificate back, or make a new CA: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    CertificateMissing { key: PathBuf, certificate: PathBuf },
    #[error(
        "the CA's certificate {certificate} has no key {key} beside it; \
         put the key back, or make a new CA: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    KeyMissing { certificate: PathBuf, key: PathBuf },
    #[error("cannot read {path}; let the user who runs this program read it, or choose another folder with `--certs`")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}; let the user who runs this program write there, or choose another folder with `--certs`"
    )]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(
        "{path} does not hold a {what} in PEM form ({reason}); put the right file back, \
         or make a new CA: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    NotPem { path: PathBuf, what: &'static str, reason: String },
    #[error(
        "the key {key} does not belong to the certificate {certificate}; put the right file back, \
         or make a new CA: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    KeyMismatch { key: PathBuf, certificate: PathBuf },
    #[error(
        "the CA {path} expired on {when}; make a new one: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    Expired { path: PathBuf, when: String },
    #[error("the CA {path} is not valid before {when}; check this machine's clock")]
    NotYetValid { path: PathBuf, when: String },
    #[error(
        "{path} is not a CA's certificate ({reason}); put the right file back, \
         or make a new CA: `copilot-recorder ca rotate`, then install it at the clients"
    )]
    NotACa { path: PathBuf, reason: &'static str },
    #[error(
        "the CA {path} does not permit {host}, which is to be opened; make one that does, with the same settings: \
         `copilot-recorder ca rotate`, then install it at the clients (or do not open {host})"
    )]
    NotPermitted { path: PathBuf, host: String },
    #[error("{pattern} is an address; the CA is limited to names, so only names can be opened")]
    Address { pattern: String },
    #[error("{address} cannot stand in a certificate as the CRL's address; use ASCII characters without spaces")]
    CrlAddress { address: String },
    #[error("cannot make the CA's key or certificate")]
    Crypto(#[from] rcgen::Error),
    #[error("cannot make the TLS key of the leaf certificates")]
    Tls(#[from] rustls::Error),
}

/// The folder of the CA.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What lies in the folder.
pub(super) enum Contents {
    Nothing,
    Both { certificate: String, key: String },
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), certificate: path.join("ca.pem"), key: path.join("ca-key.pem") }
    }

    /// Makes the folder if there is none, for its owner alone.
    pub(super) fn create(&self) -> Result<(), AuthorityError> {
        if self.path.is_dir() {
            return Ok(());
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|source| AuthorityError::Unwritable { path: self.path.clone(), source })
    }

    /// Keeps other processes that start in the same folder from making a CA at the same time.
    ///
    /// `None` where the file system knows no locks: two first starts in one instant are then the operator's risk.
    pub(super) fn lock(&self) -> Option<File> {
        let folder = File::open(&self.path).ok()?;
        folder.lock().ok()?;
        Some(folder)
    }

    pub(super) fn read(&self) -> Result<Contents, AuthorityError> {
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        match (read_text(&self.certificate)?, read_text(&self.key)?) {
            (None, None) => Ok(Contents::Nothing),
            (Some(_), None) => Err(AuthorityError::KeyMissing { certificate, key }),
            (None, Some(_)) => Err(AuthorityError::CertificateMissing { key, certificate }),
            (Some(certificate), Some(key)) => {
                self.tighten();
                Ok(Contents::Both { certificate, key })
            }
        }
    }

    /// Takes the key file away from group and others. A mounted secret cannot be changed; then a warning is all.
    fn tighten(&self) {
        let Ok(metadata) = fs::metadata(&self.key) else { return };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 == 0 {
            return;
        }
        let (file, mode) = (self.key.display(), format!("{mode:04o}"));
        match fs::set_permissions(&self.key, Permissions::from_mode(0o600)) {
            Ok(()) => tracing::warn!(
                %file, mode, "other users could read the CA's key; set to 0600 now. If one may have: `ca rotate`"
            ),
            Err(error) => tracing::warn!(
                %file, mode, %error, "other users can read the CA's key, and its mode could not be changed to 0600"
            ),
        }
    }

    /// Writes both files. The key goes first: a crash between leaves a key without a certificate, which no client
    /// trusts, and the next start says so.
    pub(super) fn write(&self, certificate: &str, key: &str) -> Result<(), AuthorityError> {
        write_atomically(&self.path, &self.key, key.as_bytes(), 0o600)?;
        write_atomically(&self.path, &self.certificate, certificate.as_bytes(), 0o644)?;
        // Without this a power cut could leave the names of the files behind. Some file systems refuse; no harm.
        let _ = File::open(&self.path).and_then(|folder| folder.sync_all());
        Ok(())
    }

    /// Renames the certificate to `ca-OLD-{date}.pem`, with a number where that name is taken.
    pub(super) fn set_certificate_aside(&self, date: &str) -> Result<Option<PathBuf>, AuthorityError> {
        if !self.certificate.exists() {
            return Ok(None);
        }
        let mut aside = self.path.join(format!("ca-OLD-{date}.pem"));
        let mut number = 1;
        while aside.exists() {
            number += 1;
            aside = self.path.join(format!("ca-OLD-{date}-{number}.pem"));
        }
        fs::rename(&self.certificate, &aside)
            .map_err(|source| AuthorityError::Unwritable { path: aside.clone(), source })?;
        Ok(Some(aside))
    }
}

/// The text of a file, `None` if there is none.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, AuthorityError> {
    // A certificate has about 1 kB and a chain a few; the limit is for a path that leads to something else.
    const LIMIT: u64 = 1 << 20;
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(LIMIT).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(AuthorityError::NotPem { path: path.to_owned(), what: "certificate or key", reason: error.to_string() })
        }
        Err(source) => Err(AuthorityError::Unreadable { path: path.to_owned(), source }),
    }
}

fn write_atomically(folder: &Path, path: &Path, bytes: &[u8], mode: u32) -> Result<(), AuthorityError> {
    let written = || -> io::Result<()> {
        // The temporary file is made with 0600, so a key is never open to others, not even for a moment.
        let mut file = NamedTempFile::with_prefix_in(".ca-", folder)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|source| AuthorityError::Unwritable { path: path.to_owned(), source })
}
