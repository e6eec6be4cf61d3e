//! The store on real file systems: a folder, and a small one that fills up.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

use copilot_recorder::config::{Access, Config, Layout, Limits, OnStoreFailure, Policy, Redact, Upstream};
use copilot_recorder::exchange::{Action, Body, Connection, ConnectionId, Exchange, ExchangeId, Message, Timings};
use copilot_recorder::metrics::Metrics;
use copilot_recorder::observer::{Fields, RequestHead, ResponseHead, Version};
use copilot_recorder::rules::{HostTable, Kind, KindTable};
use copilot_recorder::store::{Store, Totals};

const COMPLETION: &str = "/v1/engines/copilot-codex/completions";

fn config(logs: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        advertise: "127.0.0.1".to_owned(),
        logs: logs.to_owned(),
        certs: logs.to_owned(),
        access: Access::Open,
        hosts: HostTable::builtin(),
        kinds: KindTable::builtin(),
        record: vec![Kind::Completions],
        layout: Layout::Kind,
        redact: Redact::Secrets,
        policy: Policy { ports: vec![443], allow_local: false, tunnel_others: true },
        upstream: Upstream::default(),
        limits: Limits::default(),
        on_store_failure: OnStoreFailure::Refuse,
        fsync: false,
        index: false,
        web: None,
    }
}

fn exchange(request: &[u8], response: &[u8]) -> Exchange {
    let began = SystemTime::now();
    let host = "proxy.individual.githubcopilot.com";
    let body = |bytes: &[u8]| Body { kept: bytes.to_vec(), seen: bytes.len() as u64, truncated: false };
    let request_head = RequestHead {
        method: b"POST".to_vec(),
        target: COMPLETION.into(),
        authority: None,
        version: Version::Http11,
        pseudo: Fields::default(),
        fields: Fields::default(),
        wire_size: 0,
        truncated: false,
    };
    let response_head = ResponseHead {
        status: 200,
        reason: b"OK".to_vec(),
        version: Version::Http11,
        fields: Fields::default(),
        wire_size: 0,
        truncated: false,
    };
    Exchange {
        id: ExchangeId::at(began),
        connection: Arc::new(Connection {
            id: ConnectionId::at(began),
            user: Some("someone".into()),
            client: ([127, 0, 0, 1], 50_000).into(),
            upstream: ([192, 0, 2, 1], 443).into(),
            host: host.into(),
            port: 443,
            sni: Some(host.into()),
            alpn: None,
            tls_client: None,
            tls_upstream: None,
            connect: Duration::from_millis(1),
            tls: Duration::from_millis(1),
        }),
        began,
        stream: 0,
        request: Message { head: request_head, body: body(request), trailers: None, ended: true },
        interim: Vec::new(),
        response: Some(Message { head: response_head, body: body(response), trailers: None, ended: true }),
        timings: Timings::default(),
        chunks: Vec::new(),
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

/// A store that tells of each record's path.
fn open(logs: &Path) -> (Store, mpsc::Receiver<PathBuf>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let on_record = Box::new(move |_: &_, path: &Path| {
        // A test that has seen enough no longer listens.
        let _ = sender.lock().unwrap().send(path.to_owned());
    });
    (Store::open(&config(logs), Metrics::default(), on_record).unwrap(), receiver)
}

fn finish(exchange: &Exchange) -> Action {
    Action::Finish(Box::new(exchange.clone()))
}

fn record(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn next(records: &mpsc::Receiver<PathBuf>) -> PathBuf {
    records.recv_timeout(Duration::from_secs(60)).expect("a record within a minute")
}

#[test]
fn many_threads_hand_in_and_every_record_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, records) = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = store.clone();
            scope.spawn(move || {
                for number in 0..100 {
                    store.submit(finish(&exchange(format!("{thread}-{number}").as_bytes(), b"answer")));
                }
            });
        }
    });
    assert_eq!(store.close(), Totals { written: 400, ..Totals::default() });
    let mut paths: Vec<PathBuf> = records.try_iter().collect();
    let mut bodies: Vec<String> =
        paths.iter().map(|path| record(path)["request"]["content"].as_str().unwrap().to_owned()).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 400);
    paths.sort();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.path().join("completions")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files, paths);
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
}

#[test]
fn a_run_that_was_killed_leaves_its_exchanges_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (store, records) = open(folder.path());
    let mut flying = exchange(b"", b"");
    flying.complete = false;
    store.submit(Action::SpoolHead(Box::new(flying.clone())));
    let body = |response, bytes: &[u8]| Action::SpoolBody {
        id: flying.id,
        response,
        at: Duration::from_millis(7),
        bytes: bytes.to_vec(),
    };
    store.submit(body(false, b"question"));
    store.submit(body(true, b"half an ans"));
    // The writer works in order: when this one is written, the spool is.
    store.submit(finish(&exchange(b"", b"")));
    next(&records);
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    drop(store);

    let (store, records) = open(killed.path());
    let found = record(&next(&records));
    assert_eq!(found["request"]["content"], "question");
    assert_eq!(found["response"]["content"], "half an ans");
    assert_eq!(found["recorder"]["complete"], false);
    assert_eq!(found["recorder"]["aborted_by"], "shutdown");
    assert_eq!(found["recorder"]["recovered"], true);
    assert_eq!(store.close(), Totals { written: 1, recovered: 1, ..Totals::default() });
    assert_eq!(std::fs::read_dir(killed.path().join(".spool")).unwrap().count(), 0);
}

#[test]
fn a_disk_that_fills_up_costs_bodies_and_recording_goes_on_without_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Tmpfs::mount(folder.path(), "512k") else {
        println!("skipped: mounting a tmpfs needs root");
        return;
    };
    let (store, records) = open(folder.path());
    let large = exchange(&[b'q'; 100_000], b"answer");
    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; 450_000]).unwrap();
    store.submit(finish(&large));
    let lost = record(&next(&records));
    assert_eq!(lost["request"]["content"], "");
    assert_eq!(lost["recorder"]["bodies_lost"], true);
    assert!(lost["recorder"]["bodies_lost_reason"].as_str().unwrap().contains("No space left"));
    assert!(store.refuses());

    std::fs::remove_file(&filler).unwrap();
    // Only the next look at the disk, within a second, ends the trouble.
    let began = std::time::Instant::now();
    while store.refuses() {
        assert!(began.elapsed() < Duration::from_secs(60), "the disk has room, and the store still refuses");
        std::thread::yield_now();
    }
    store.submit(finish(&large));
    assert_eq!(record(&next(&records))["request"]["content"].as_str().map(str::len), Some(100_000));
    assert_eq!(store.close(), Totals { written: 2, bodies_lost: 1, ..Totals::default() });
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0, "nothing half-written is left");
}

/// A small file system that goes when the test ends.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size},nr_inodes=1000");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        mount.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
