//! The writer: decodes, classifies and writes what comes out of the queue, on one thread.
//!
//! A record is written whole, or without its bodies when the disk says no, or waits in memory for better times.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::content::Content;
use super::disk::Disk;
use super::losses::Losses;
use super::names;
use super::queue::{METADATA_LIMIT, Next, Queue, STUCK};
use super::record::{self, Circumstances};
use super::redact;
use super::spooler::{Spooled, Spooler};
use super::{OnRecord, Settings};
use crate::classifier::{Summary, summarize};
use crate::config::Redact;
use crate::exchange::{Action, Exchange};
use crate::metrics::Metrics;

/// See the module.
pub(super) struct Writer {
    settings: Settings,
    disk: Arc<dyn Disk>,
    queue: Arc<Queue>,
    losses: Arc<Losses>,
    metrics: Metrics,
    on_record: OnRecord,
    counts: Arc<Counts>,
    spooler: Spooler,
    held: VecDeque<Held>,
    held_bytes: usize,
    /// The largest record that could not be written in this time of trouble: what a probe must be able to write.
    refused: usize,
    /// The last name given and how often, so that many exchanges of one microsecond do not try all names again.
    last: (PathBuf, u32),
    serial: u64,
    buffer: Vec<u8>,
}

/// Records written and found again.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) written: AtomicU64,
    pub(super) recovered: AtomicU64,
}

/// A record without bodies that could not be written.
struct Held {
    bytes: Vec<u8>,
    stem: String,
    folder: PathBuf,
    summary: Summary,
    /// Removed when the record is written.
    spool_file: Option<PathBuf>,
}

impl Writer {
    pub(super) fn new(
        settings: Settings,
        disk: Arc<dyn Disk>,
        queue: Arc<Queue>,
        losses: Arc<Losses>,
        metrics: Metrics,
        on_record: OnRecord,
        counts: Arc<Counts>,
    ) -> Self {
        let spooler = Spooler::new(settings.logs.join(super::SPOOL), settings.redact, disk.clone(), losses.clone());
        Self {
            settings,
            disk,
            queue,
            losses,
            metrics,
            on_record,
            counts,
            spooler,
            held: VecDeque::new(),
            held_bytes: 0,
            refused: 0,
            last: (PathBuf::new(), 0),
            serial: 0,
            buffer: Vec::new(),
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, now: &dyn Fn() -> Duration) {
        let mut looked = Duration::ZERO;
        loop {
            let troubled = self.losses.in_trouble() || !self.held.is_empty();
            match self.queue.next(troubled.then_some(RETRY_EVERY)) {
                Next::Job(job) => {
                    let (cost, is_record) = (job.cost(), matches!(job.action, Action::Finish(_)));
                    self.guarded(is_record, |writer| writer.handle(job.action, job.stripped));
                    self.queue.done(cost, is_record);
                    // A relay that waits for a processor does not wait for the whole queue.
                    std::thread::yield_now();
                    if troubled && now().saturating_sub(looked) >= RETRY_EVERY {
                        looked = now();
                        self.retry();
                    }
                }
                Next::Idle => self.retry(),
                Next::Closed => break,
            }
        }
        self.retry();
        if !self.held.is_empty() {
            self.losses.records_lost(self.held.len() as u64, "the recorder is shutting down");
        }
        self.queue.finish();
    }

    /// One action. `stripped`: the queue had to drop bodies.
    pub(super) fn handle(&mut self, action: Action, stripped: bool) {
        match action {
            Action::SpoolHead(exchange) => self.spooler.head(*exchange),
            Action::SpoolBody { id, response, at, bytes } => self.spooler.body(id, response, at, bytes),
            Action::SpoolMessages { id, messages } => self.spooler.messages(id, &messages),
            Action::Finish(exchange) => self.finish(*exchange, stripped),
            Action::Skip(id) | Action::Forget(id) => self.spooler.forget(id),
        }
    }

    /// Turns what a run that was killed left in the spool into records; the files of which nothing can be made are
    /// put aside.
    pub(super) fn recover(&mut self) -> io::Result<()> {
        for path in self.spooler.left_behind()? {
            let mut done = false;
            self.guarded(false, |writer| done = writer.recover_file(&path));
            if !done {
                self.spooler.put_aside(&path);
            }
        }
        Ok(())
    }

    /// Tries again what could not be written, and whether records can be written whole.
    pub(super) fn retry(&mut self) {
        while let Some(mut held) = self.held.pop_front() {
            match self.publish(&held.bytes, &held.folder, &held.stem) {
                Ok(path) => {
                    self.held_bytes -= held.bytes.len();
                    self.metrics.records_held.dec();
                    self.written(&held.summary, &path, held.spool_file.take());
                }
                Err(error) => {
                    self.held.push_front(held);
                    return self.losses.trouble(&error.to_string());
                }
            }
        }
        if !self.losses.in_trouble() {
            return;
        }
        match self.probe() {
            Ok(()) => {
                self.refused = 0;
                self.losses.over();
            }
            Err(error) => self.losses.trouble(&error.to_string()),
        }
    }

    fn recover_file(&mut self, path: &Path) -> bool {
        let Ok(file) = self.disk.read(path) else { return false };
        let Some(exchange) = super::spool::recover(&file) else { return false };
        drop(file);
        if self.is_written(&exchange) {
            self.spooler.remove(path);
        } else {
            self.record(exchange, None, true, Some(path.to_owned()));
        }
        true
    }

    /// The run was killed between writing the record and removing the spool file.
    fn is_written(&self, exchange: &Exchange) -> bool {
        let id = format!("\"id\": \"{}\"", exchange.id.0);
        let stem = names::stem(exchange);
        names::KINDS.iter().any(|&kind| {
            let folder = self.folder(kind, exchange);
            (1..)
                .map_while(|namesake| self.disk.read(&folder.join(names::file_name(&stem, namesake))).ok())
                .any(|text| text.windows(id.len()).any(|window| window == id.as_bytes()))
        })
    }

    fn finish(&mut self, mut exchange: Exchange, stripped: bool) {
        let spooled = self.spooler.take(exchange.id);
        let spool_file = spooled.as_ref().and_then(Spooled::file);
        let lost = if stripped {
            Some(STUCK.to_owned())
        } else {
            let lost = join(&mut exchange, spooled, self.disk.as_ref()).err();
            if let Some(reason) = &lost {
                self.losses.bodies_lost(reason);
            }
            lost
        };
        self.record(exchange, lost, false, spool_file);
    }

    /// Writes a record. `lost`: why it has no bodies.
    fn record(&mut self, mut exchange: Exchange, lost: Option<String>, recovered: bool, spool_file: Option<PathBuf>) {
        let redacts = self.settings.redact == Redact::Secrets;
        if redacts {
            redact::heads(&mut exchange);
        }
        let (mut request, mut response) = self.contents(&mut exchange, lost.is_some());
        let summary = summarize(&exchange, &request.decoded.bytes, &response.decoded.bytes, &self.settings.kinds);
        if !self.settings.record.contains(&summary.kind) {
            self.metrics.exchanges_skipped.inc();
            return spool_file.iter().for_each(|path| self.spooler.remove(path));
        }
        if redacts && redact::body_is_secret(&exchange.request.head.target) {
            request.redacted = redact::body(&mut request.decoded.bytes);
            response.redacted = redact::body(&mut response.decoded.bytes);
        }
        let (stem, folder) = (names::stem(&exchange), self.folder(summary.kind, &exchange));
        let mut circumstances = Circumstances { redact: self.settings.redact, bodies_lost: lost.as_deref(), recovered };
        let buffer = std::mem::take(&mut self.buffer);
        let text = record::write(buffer, &exchange, &summary, [&request, &response], &circumstances);
        match self.publish(&text, &folder, &stem) {
            Ok(path) => {
                if recovered {
                    self.counts.recovered.fetch_add(1, Ordering::Relaxed);
                    self.metrics.records_recovered.inc();
                }
                self.written(&summary, &path, spool_file);
                self.keep_buffer(text);
            }
            // The spool file still has all of it; the next start tries again.
            Err(error) if recovered => self.losses.trouble(&error.to_string()),
            Err(error) => {
                let reason = error.to_string();
                self.refused = self.refused.max(text.len());
                request.lose();
                response.lose();
                let text = if request.lost || response.lost {
                    if lost.is_none() {
                        self.losses.bodies_lost(&reason);
                    }
                    circumstances.bodies_lost = lost.as_deref().or(Some(&reason));
                    record::write(text, &exchange, &summary, [&request, &response], &circumstances)
                } else {
                    self.losses.trouble(&reason);
                    text
                };
                self.write_or_hold(Held { bytes: text, stem, folder, summary, spool_file }, &reason);
            }
        }
    }

    fn contents(&self, exchange: &mut Exchange, lost: bool) -> (Content, Content) {
        if lost {
            let seen = exchange.response.as_ref().map_or(0, |response| response.body.seen);
            return (Content::missing(exchange.request.body.seen > 0), Content::missing(seen > 0));
        }
        Content::both(exchange, self.settings.decode)
    }

    fn write_or_hold(&mut self, held: Held, reason: &str) {
        match self.publish(&held.bytes, &held.folder, &held.stem) {
            Ok(path) => self.written(&held.summary, &path, held.spool_file),
            Err(_) if self.held_bytes + held.bytes.len() > METADATA_LIMIT => self.losses.records_lost(1, reason),
            Err(_) => {
                self.held_bytes += held.bytes.len();
                self.metrics.records_held.inc();
                self.held.push_back(held);
            }
        }
    }

    fn written(&self, summary: &Summary, path: &Path, spool_file: Option<PathBuf>) {
        spool_file.iter().for_each(|path| self.spooler.remove(path));
        self.counts.written.fetch_add(1, Ordering::Relaxed);
        self.metrics.records_written.inc();
        (self.on_record)(summary, path);
    }

    /// Writes a file that is whole when it appears, under a name that nothing had.
    fn publish(&mut self, text: &[u8], folder: &Path, stem: &str) -> io::Result<PathBuf> {
        self.serial += 1;
        let draft = self.settings.logs.join(super::DRAFTS).join(format!("{}.json", self.serial));
        let result = self.draft(&draft, text).and_then(|()| self.name(&draft, folder, stem));
        if result.is_err() {
            // What is left of it takes space that another record may need.
            let _ = self.disk.remove(&draft);
        }
        result
    }

    fn draft(&self, draft: &Path, text: &[u8]) -> io::Result<()> {
        let beat = || self.queue.beat();
        match self.disk.write(draft, text, self.settings.sync, &beat) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.disk.make_folder(&self.settings.logs.join(super::DRAFTS))?;
                self.disk.write(draft, text, self.settings.sync, &beat)
            }
            result => result,
        }
    }

    fn name(&mut self, draft: &Path, folder: &Path, stem: &str) -> io::Result<PathBuf> {
        let base = folder.join(stem);
        let mut namesake = if self.last.0 == base { self.last.1 + 1 } else { 1 };
        let mut made = false;
        loop {
            let path = folder.join(names::file_name(stem, namesake));
            match self.disk.publish(draft, &path, self.settings.sync) {
                Ok(()) => {
                    self.last = (base, namesake);
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => namesake += 1,
                // The first record of its kind, or someone removed the folder.
                Err(error) if error.kind() == ErrorKind::NotFound && !made => {
                    self.disk.make_folder(folder)?;
                    made = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a record as large as those that failed could be written now.
    fn probe(&self) -> io::Result<()> {
        /// Large enough to tell a full disk from one with room for a record.
        const LARGEST: usize = 1 << 20;
        let path = self.settings.logs.join(super::DRAFTS).join("probe");
        let result = self.draft(&path, &vec![0; self.refused.clamp(1, LARGEST)]);
        let _ = self.disk.remove(&path);
        result
    }

    fn folder(&self, kind: crate::rules::Kind, exchange: &Exchange) -> PathBuf {
        let user = exchange.connection.user.as_deref();
        self.settings.logs.join(names::folder(self.settings.layout, kind, exchange.began, user))
    }

    fn keep_buffer(&mut self, buffer: Vec<u8>) {
        /// Holds all but the rarest records; one of 64 MiB shall not stay in memory for ever.
        const KEPT: usize = 1 << 20;
        if buffer.capacity() <= KEPT {
            self.buffer = buffer;
        }
    }

    /// A decoder that panics on hostile input costs that record, not the writer and with it all later ones.
    fn guarded(&mut self, is_record: bool, work: impl FnOnce(&mut Self)) {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        if result.is_err() && is_record {
            self.losses.records_lost(1, "an exchange could not be processed (a fault of this program)");
        }
    }
}

/// Puts the spooled bodies before those in memory.
fn join(exchange: &mut Exchange, spooled: Option<Spooled>, disk: &dyn Disk) -> Result<(), String> {
    let expected = exchange.spooled.take().unwrap_or_default();
    if expected == [0, 0] {
        return Ok(());
    }
    let Some(spooled) = spooled else { return Err("the spool has nothing of it".to_owned()) };
    let [request, response] = spooled.bodies(disk)?;
    if [request.len() as u64, response.len() as u64] != expected {
        return Err("the spool has not all of it".to_owned());
    }
    let put_before = |kept: &mut Vec<u8>, mut before: Vec<u8>| {
        before.append(kept);
        *kept = before;
    };
    put_before(&mut exchange.request.body.kept, request);
    if let Some(message) = &mut exchange.response {
        put_before(&mut message.body.kept, response);
    }
    Ok(())
}

/// How often what failed is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "writer_tests.rs"]
pub(in crate::store) mod tests;
