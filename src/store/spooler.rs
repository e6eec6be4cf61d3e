//! The spool's files: one for each exchange in flight that is long or large (design D8).
//!
//! Files are opened for each frame and closed again: with thousands of slow streams their descriptors are needed for
//! sockets, and a stream spools at most about once a second.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::disk::Disk;
use super::losses::Losses;
use super::redact;
use super::spool;
use crate::config::Redact;
use crate::exchange::{Exchange, ExchangeId, SocketMessage, messages_to_snapshot, to_snapshot};

/// See the module.
pub(super) struct Spooler {
    folder: PathBuf,
    redact: Redact,
    disk: Arc<dyn Disk>,
    losses: Arc<Losses>,
    exchanges: HashMap<ExchangeId, Spooled>,
    frame: Vec<u8>,
}

/// What is spooled of one exchange.
pub(super) struct Spooled {
    place: Place,
    /// Why something of it is missing, if it is.
    failed: Option<String>,
}

enum Place {
    /// In a file that is so long. What a failed write left after that is overwritten by the next.
    File { path: PathBuf, length: u64 },
    /// Bodies with credentials stay in memory: redacting needs them whole, and they are not to lie on the disk.
    Memory([Vec<u8>; 2]),
}

impl Spooler {
    pub(super) fn new(folder: PathBuf, redact: Redact, disk: Arc<dyn Disk>, losses: Arc<Losses>) -> Self {
        Self { folder, redact, disk, losses, exchanges: HashMap::new(), frame: Vec::new() }
    }

    /// Keeps the exchange as it stands, without secrets.
    pub(super) fn head(&mut self, mut exchange: Exchange) {
        let id = exchange.id;
        let mut is_secret = false;
        if self.redact == Redact::Secrets {
            is_secret = redact::body_is_secret(&exchange.request.head.target);
            redact::heads(&mut exchange);
        }
        let path = self.folder.join(format!("{}.{EXTENSION}", id.0));
        self.exchanges.entry(id).or_insert_with(|| Spooled {
            place: if is_secret { Place::Memory(Default::default()) } else { Place::File { path, length: 0 } },
            failed: None,
        });
        let snapshot = to_snapshot(&exchange);
        self.append(id, |frame| spool::push_head(frame, &snapshot));
    }

    /// Keeps body bytes.
    pub(super) fn body(&mut self, id: ExchangeId, response: bool, at: Duration, bytes: Vec<u8>) {
        match self.exchanges.get_mut(&id) {
            Some(Spooled { place: Place::Memory(bodies), failed }) => {
                let body = &mut bodies[usize::from(response)];
                if body.len() + bytes.len() > SECRET_LIMIT {
                    *failed = Some("a body with credentials is too large to be redacted".to_owned());
                } else {
                    body.extend_from_slice(&bytes);
                }
            }
            // Its head did not make it here; the record will say that bodies are missing.
            None => {}
            Some(_) => self.append(id, |frame| spool::push_body(frame, response, at, &bytes)),
        }
    }

    /// Keeps what was noted of messages on a WebSocket.
    pub(super) fn messages(&mut self, id: ExchangeId, messages: &[SocketMessage]) {
        let snapshot = messages_to_snapshot(messages);
        self.append(id, |frame| spool::push_messages(frame, &snapshot));
    }

    /// Hands over what is spooled of an exchange that is over.
    pub(super) fn take(&mut self, id: ExchangeId) -> Option<Spooled> {
        self.exchanges.remove(&id)
    }

    /// Drops what is spooled of an exchange that nobody wants.
    pub(super) fn forget(&mut self, id: ExchangeId) {
        if let Some(path) = self.take(id).as_ref().and_then(Spooled::file) {
            self.remove(&path);
        }
    }

    pub(super) fn remove(&self, path: &Path) {
        if let Err(error) = self.disk.remove(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove a spool file; the next start will find it");
        }
    }

    /// The files of exchanges that a run before this one did not finish.
    pub(super) fn left_behind(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = self.disk.files(&self.folder)?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        Ok(files)
    }

    /// Moves a file that cannot be read out of the way.
    pub(super) fn put_aside(&self, path: &Path) {
        let folder = self.folder.join(DAMAGED);
        let Some(name) = path.file_name() else { return };
        let moved = self.disk.make_folder(&folder).and_then(|()| self.disk.publish(path, &folder.join(name), false));
        match moved {
            Ok(()) => tracing::error!(
                "the spool file {} cannot be read: moved to {}, its exchange is lost",
                path.display(),
                folder.display()
            ),
            Err(error) => {
                tracing::error!("the spool file {} cannot be read, nor moved aside: {error}", path.display());
            }
        }
    }

    fn append(&mut self, id: ExchangeId, push: impl FnOnce(&mut Vec<u8>)) {
        let Some(Spooled { place: Place::File { path, length }, failed }) = self.exchanges.get_mut(&id) else { return };
        // After a gap nothing that follows is of use.
        if failed.is_some() {
            return;
        }
        self.frame.clear();
        if *length == 0 {
            self.frame.extend_from_slice(spool::MAGIC);
        }
        push(&mut self.frame);
        match self.disk.write_at(path, *length, &self.frame) {
            Ok(()) => *length += self.frame.len() as u64,
            Err(error) => {
                self.losses.trouble(&error.to_string());
                *failed = Some(error.to_string());
            }
        }
    }
}

impl Spooled {
    /// The file, to be removed when the record is written.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match &self.place {
            Place::File { path, .. } => Some(path.clone()),
            Place::Memory(_) => None,
        }
    }

    /// The bodies, request and response; or why they are not there.
    pub(super) fn bodies(self, disk: &dyn Disk) -> Result<[Vec<u8>; 2], String> {
        if let Some(reason) = self.failed {
            return Err(reason);
        }
        match self.place {
            Place::Memory(bodies) => Ok(bodies),
            Place::File { path, .. } => {
                let file = disk.read(&path).map_err(|error| error.to_string())?;
                let spooled = spool::read(&file).ok_or("the spool file was damaged")?;
                Ok([spooled.request, spooled.response])
            }
        }
    }
}

const EXTENSION: &str = "part";

/// Below the spool: what could not be read.
const DAMAGED: &str = "damaged";

/// A reply with a token is some kilobytes.
const SECRET_LIMIT: usize = 1 << 20;
