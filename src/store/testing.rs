//! A disk that fails, blocks and fills on demand, a clock that stands still, and exchanges, for this module's tests.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::clock::Clock;
use super::disk::Disk;

use crate::exchange::testing::{connection, request_head, response_head};
use crate::exchange::{Body, Chunk, DecodeLimits, Exchange, ExchangeId, Message, Timings};

#[derive(Default)]
pub(super) struct TestClock(AtomicU64);

impl TestClock {
    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A disk in memory.
#[derive(Default)]
pub(super) struct TestDisk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, Vec<u8>>,
    folders: Vec<PathBuf>,
    /// Bytes that all files together may take.
    capacity: Option<usize>,
    error: Option<ErrorKind>,
    blocked: bool,
    /// Operations that wait for the disk to come free.
    waiting: usize,
}

impl TestDisk {
    pub(super) fn set_capacity(&self, capacity: Option<usize>) {
        self.state.lock().unwrap().capacity = capacity;
    }

    pub(super) fn fail_with(&self, error: Option<ErrorKind>) {
        self.state.lock().unwrap().error = error;
    }

    pub(super) fn block(&self, blocked: bool) {
        self.state.lock().unwrap().blocked = blocked;
        self.changed.notify_all();
    }

    /// Returns when an operation hangs in the blocked disk.
    pub(super) fn wait_until_someone_hangs(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| state.waiting == 0).unwrap());
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.state.lock().unwrap().files.keys().map(|path| path.display().to_string()).collect()
    }

    pub(super) fn file(&self, path: &str) -> Option<String> {
        let bytes = self.state.lock().unwrap().files.get(Path::new(path)).cloned()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    pub(super) fn raw(&self, path: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().files.get(Path::new(path)).cloned()
    }

    pub(super) fn put(&self, path: &str, bytes: &[u8]) {
        self.state.lock().unwrap().files.insert(path.into(), bytes.to_vec());
    }

    fn ready(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.state.lock().unwrap();
        if state.blocked {
            state.waiting += 1;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |state| state.blocked).unwrap();
            state.waiting -= 1;
        }
        match state.error {
            Some(error) => Err(error.into()),
            None => Ok(state),
        }
    }
}

impl State {
    /// Writes what fits; the file stays cut when not all does, as on a real disk.
    fn store(&mut self, path: &Path, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let used: usize = self.files.iter().filter(|(other, _)| *other != path).map(|(_, bytes)| bytes.len()).sum();
        let room = self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used + offset));
        let file = self.files.entry(path.to_owned()).or_default();
        let fits = bytes.len().min(room);
        if file.len() < offset + fits {
            file.resize(offset + fits, 0);
        }
        file[offset..offset + fits].copy_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn need_folder(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().expect("tests use files in folders").to_owned();
        if self.folders.contains(&folder) { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }
}

impl Disk for TestDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.ready()?;
        state.folders.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8], _: bool, beat: &dyn Fn()) -> io::Result<()> {
        let mut state = self.ready()?;
        state.need_folder(path)?;
        state.files.remove(path);
        beat();
        state.store(path, 0, bytes)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.ready()?;
        state.need_folder(path)?;
        state.store(path, offset as usize, bytes)
    }

    fn publish(&self, from: &Path, to: &Path, _: bool) -> io::Result<()> {
        let mut state = self.ready()?;
        state.need_folder(to)?;
        if state.files.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let bytes = state.files.remove(from).ok_or(ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.ready()?.files.get(path).ok_or(ErrorKind::NotFound)?.clone())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ready()?.files.remove(path).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.ready()?.files.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

/// A moment in time, `micros` after a fixed one.
pub(super) fn moment(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_733_663_157) + Duration::from_micros(639_893 + micros)
}

/// A complete exchange with both bodies.
pub(super) fn exchange(target: &str, request: &[u8], response: &[u8]) -> Exchange {
    let mut connection = connection("proxy.example.com");
    connection.user = Some("satomic".into());
    let began = moment(0);
    let fields = [
        ("vscode-machineid", "4ce93ec3b250003c9580aba5d1a71685fe7df281ac090fa58018e5b6a3017bf9"),
        ("editor-version", "vscode/1.95.3"),
    ];
    Exchange {
        id: ExchangeId::at(began),
        connection: Arc::new(connection),
        began,
        stream: 0,
        request: message(request_head("POST", target, &fields), request),
        interim: Vec::new(),
        response: Some(message(response_head(200, &[("Content-Type", "text/event-stream")]), response)),
        timings: Timings {
            request_end: Some(Duration::from_micros(250)),
            first_byte: Some(Duration::from_millis(180)),
            last_byte: Some(Duration::from_micros(382_400)),
        },
        chunks: vec![Chunk { at: Duration::from_millis(180), bytes: response.len() as u64 }],
        chunks_omitted: 0,
        complete: true,
        aborted_by: None,
        reset_code: None,
        opaque: None,
        websocket: None,
        malformed: None,
        spooled: None,
    }
}

pub(super) fn message<H>(head: H, body: &[u8]) -> Message<H> {
    let body = Body { kept: body.to_vec(), seen: body.len() as u64, truncated: false };
    Message { head, body, trailers: None, ended: true }
}

pub(super) const LIMITS: DecodeLimits = DecodeLimits { output: 1 << 20 };
