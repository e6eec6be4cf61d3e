//! TLS of the web page: the operator's certificate, taken up again when its files change.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use tracing::{info, warn};

use super::authority::now;
use super::pair::{PageCertificate, Pair, PairError};
use super::root::{self, DAY};
use super::server;
use crate::config::WebTls;
use crate::stamp::Stamp;

/// The certificate and key that the page is served with. Cheap to clone.
#[derive(Clone)]
pub struct PageTls(Arc<Inner>);

struct Inner {
    files: WebTls,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    certificate: Arc<PageCertificate>,
    /// Of the two files when they were read; `None`: to be read again in any case.
    stamps: Option<[Stamp; 2]>,
    /// What is wrong with the files that lie there now.
    complaint: Option<String>,
}

impl PageTls {
    /// Reads the two files.
    ///
    /// # Errors
    /// When one cannot be read or used, they do not belong together, or the certificate is not valid now. Each sentence
    /// says what to do.
    pub fn open(files: &WebTls) -> Result<Self, PairError> {
        let stamps = stamps(files);
        let pair = Pair::load(files, now())?;
        let certificate = &pair.certificate;
        if certificate.not_after.timestamp() - now() < certificate.soon() * DAY {
            let expires = root::day(certificate.not_after.timestamp());
            warn!(%expires, "the page's certificate expires soon: renew it; the new files are taken up while we run");
        }
        let (config, certificate) = taken_up(pair)?;
        let state = State { config, certificate, stamps, complaint: None };
        Ok(Self(Arc::new(Inner { files: files.clone(), state: Mutex::new(state) })))
    }

    /// What the next handshake needs. Looks at the files each time (two `stat`, beside which a handshake is dear).
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.look().config)
    }

    /// The certificate that is served now, and why files that were changed since are not.
    #[must_use]
    pub fn certificate(&self) -> (Arc<PageCertificate>, Option<String>) {
        let state = self.look();
        (Arc::clone(&state.certificate), state.complaint.clone())
    }

    /// Reads the files again where they have changed.
    fn look(&self) -> MutexGuard<'_, State> {
        let files = &self.0.files;
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(files);
        if stamps.is_some() && stamps == state.stamps {
            return state;
        }
        match Pair::load(files, now()).and_then(taken_up) {
            Ok((config, certificate)) => {
                // Files that are gone for a moment come back as they were.
                if certificate != state.certificate {
                    info!(expires = %root::day(certificate.not_after.timestamp()), "The page's certificate read again");
                }
                *state = State { config, certificate, stamps, complaint: None };
            }
            Err(error) => {
                // What is wrong stays so until it changes; but who may read it, and the time, change without that.
                let may_pass = matches!(error, PairError::Unreadable { .. } | PairError::NotYetValid { .. });
                state.stamps = if may_pass { None } else { stamps };
                let complaint = format!("{:#}", anyhow::Error::from(error));
                if state.complaint.as_ref() != Some(&complaint) {
                    warn!("{complaint}; the page's certificate of before stays");
                    state.complaint = Some(complaint);
                }
            }
        }
        state
    }
}

impl fmt::Debug for PageTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageTls({})", self.0.files.certificate.display())
    }
}

fn stamps(files: &WebTls) -> Option<[Stamp; 2]> {
    Some([Stamp::now(&files.certificate)?, Stamp::now(&files.key)?])
}

/// With keys for tickets of its own: what was agreed on under the certificate of before is not resumed.
fn taken_up(pair: Pair) -> Result<(Arc<ServerConfig>, Arc<PageCertificate>), PairError> {
    let mut config = server::template()?;
    config.cert_resolver = Arc::new(SingleCertAndKey::from(pair.certified));
    // All that the page's server speaks.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), Arc::new(pair.certificate)))
}
