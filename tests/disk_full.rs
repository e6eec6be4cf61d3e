//! Shows 6: a full disk stops neither the traffic nor, once there is room again, the recording.
//!
//! Needs root, for a small file system of its own. Without it the test says so and is no proof; where `CI` is set it
//! fails.

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::HOST;
use support::client::{Answer, Client, Session};
use support::recorder::{Recorder, Setup};
use support::records::Record;
use support::upstream::{Connection, Options, Upstream};

const BODY: usize = 150_000;

/// A file system in memory; unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(directory.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(directory)),
            problem => {
                let said = format!("no small file system: mounting a tmpfs needs root ({problem:?})");
                assert!(std::env::var_os("CI").is_none(), "{said}");
                eprintln!("NOT TESTED: disk full; {said}");
                None
            }
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Takes what room is left.
    fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).expect("a file in memory");
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("a filler");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0.path()).status().ok();
    }
}

/// One exchange, which must go through whatever the disk says.
async fn exchange(recorder: &Recorder, case: &str) {
    exchange_in(recorder.client(&["http/1.1"]).open(HOST).await, case).await;
}

async fn exchange_in(mut session: Session, case: &str) {
    session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\nX-Case: {case}\r\n\r\n")).await;
    session.read_until(b"\r\n\r\n").await;
    let body = session.read_exact(BODY).await;
    assert!(body.iter().all(|&byte| byte == b'x'), "{case}");
    session.close().await;
}

/// Every exchange was written with or without its body, waits in memory, or is lost.
async fn accounted_for(recorder: &Recorder, exchanges: usize) {
    support::within("the account of all", async {
        loop {
            let mut known = 0.0;
            for metric in ["records_written", "records_held", "records_lost"] {
                known += recorder.metric(metric).await;
            }
            if known >= exchanges as f64 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn losses(recorder: &Recorder) -> f64 {
    recorder.metric("bodies_lost").await + recorder.metric("records_lost").await
}

fn with_body(logs: &Path, case: &str) -> Option<Record> {
    // Files may vanish or be half-deleted by the test itself, never half-written by the program.
    Record::all(logs).into_iter().find(|record| {
        record.request_header("x-case").as_deref() == Some(case) && record.body("response").len() == BODY
    })
}

async fn large_answers() -> Upstream {
    Upstream::start(Options::default(), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n{}", "x".repeat(BODY))).await;
        connection.read_to_end().await;
        connection.half_close().await;
    })
    .await
}

/// One exchange after another until a tunnel is refused; how it was, and how many exchanges there were.
async fn until_refused(client: &Client) -> (Answer, usize) {
    support::within("a refusal", async {
        for n in 0.. {
            match client.tunnel(HOST).await {
                Ok(tunnel) => {
                    let session = client.handshake(tunnel, HOST).await.expect("a handshake");
                    exchange_in(session, &format!("full-{n}")).await;
                }
                Err(refusal) => return (refusal, n),
            }
        }
        unreachable!("it counts for ever")
    })
    .await
}

/// `on_store_failure = "refuse"`: nothing unrecorded from the moment it is known, but what runs goes on.
#[tokio::test(flavor = "multi_thread")]
async fn refused_while_the_disk_is_full() {
    let Some(small) = Small::mount() else { return };
    let upstream = large_answers().await;
    let logs = small.0.path().join("logs");
    let recorder = Setup::new(&upstream).logs_at(&logs).config("on_store_failure = \"refuse\"\n").start().await;
    let client = recorder.client(&["http/1.1"]);
    let running = client.open(HOST).await;

    let (refusal, n) = until_refused(&client).await;
    assert_eq!(refusal.status, 503, "{}", refusal.head);
    assert!(refusal.text().contains("records cannot be written"), "{}", refusal.text());
    assert!(n > 5, "there was room for some: {n}");
    recorder.line("a line that says so", |line| line.contains("new tunnels are refused")).await;
    // The tunnel that was open before still works, and new ones stay refused: the little room that the index gives back
    // when it gives up is taken.
    small.fill();
    exchange_in(running, "running").await;
    assert_eq!(until_refused(&client).await.0.status, 503);
    // What the writer has not come to yet would take the space that is about to be freed.
    support::within("an empty queue", async {
        while recorder.metric("queue_bytes").await > 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;

    small.make_room();
    for path in Record::files(&logs) {
        std::fs::remove_file(path).expect("a removable record");
    }
    // Nobody can cause a record now: the program must look by itself.
    let tunnel = support::within("the end of the refusals", async {
        loop {
            match client.tunnel(HOST).await {
                Ok(tunnel) => return tunnel,
                Err(refusal) => assert_eq!(refusal.status, 503),
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let session = client.handshake(tunnel, HOST).await.expect("a handshake");
    exchange_in(session, "again").await;
    support::eventually("a record with its body", || with_body(&logs, "again")).await;
    let (code, _, _) = recorder.terminate().await;
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_full() {
    let Some(small) = Small::mount() else { return };
    let upstream = large_answers().await;
    let logs = small.0.path().join("logs");
    let recorder = Setup::new(&upstream).logs_at(&logs).start().await;

    for n in 0..30 {
        exchange(&recorder, &format!("full-{n}")).await;
    }
    support::within("a counted loss", async {
        while losses(&recorder).await == 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let line = recorder.line("a line about the loss", |line| line.to_lowercase().contains("lost")).await;
    assert!(line.to_lowercase().contains("space") || line.contains("full") || line.contains("disk"), "{line}");
    // Until the disk has no room even for a record without its body.
    let mut exchanges = 30;
    support::within("a record that waits", async {
        loop {
            small.fill();
            exchange(&recorder, "waits").await;
            exchanges += 1;
            accounted_for(&recorder, exchanges).await;
            if recorder.metric("records_held").await > 0.0 {
                return;
            }
        }
    })
    .await;
    let records = Record::all(&logs);
    assert!(!records.is_empty() && records.len() < exchanges, "{} records", records.len());

    for record in records {
        std::fs::remove_file(record.path).expect("a removable record");
    }
    small.make_room();
    support::within("the records that waited", async {
        while recorder.metric("records_held").await > 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let of_waiting = |record: &Record| record.request_header("x-case").as_deref() == Some("waits");
    assert!(Record::all(&logs).iter().any(of_waiting), "what waited is written once there is room");
    // The program notices by itself; how soon is its own affair.
    support::within("recording with bodies", async {
        for n in 0.. {
            let case = format!("room-{n}");
            let before = recorder.metric("records_written").await + recorder.metric("records_lost").await;
            exchange(&recorder, &case).await;
            support::within("the next record", async {
                while recorder.metric("records_written").await + recorder.metric("records_lost").await <= before {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            })
            .await;
            if with_body(&logs, &case).is_some() {
                return;
            }
            for path in Record::files(&logs) {
                std::fs::remove_file(path).ok();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    let lost = losses(&recorder).await;
    let (code, lines, _) = recorder.terminate().await;
    assert_eq!(code, Some(0));
    let last = lines.last().cloned().unwrap_or_default();
    assert!(lost > 0.0 && last.to_lowercase().contains("lost") && !last.contains("nothing was lost"), "{last}");
}
