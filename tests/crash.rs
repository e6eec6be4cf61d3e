//! Shows 5: kill -9 in the middle of 50 streams loses none of them.

mod support;

use std::collections::HashMap;
use std::path::Path;

use support::recorder::Setup;
use support::records::Record;
use support::upstream::{Connection, Options, Upstream};
use support::{HOST, eventually};

const STREAMS: usize = 50;
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const FIRST: &str = "14\r\ndata: the first half\r\n";
const SECOND: &str = "15\r\ndata: the second half\r\n0\r\n\r\n";

/// Files anywhere below a folder.
fn files(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => found.extend(files(&entry.path())),
            Ok(meta) => found.push((entry.path(), meta.len())),
            Err(_) => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_streams() {
    let upstream = Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n{}", 1).await;
        connection.send([HEAD, FIRST].concat()).await;
        // Even ones go on to the end, odd ones hang.
        if connection.sni().starts_with("even") {
            connection.send(SECOND).await;
        }
        connection.read_to_end().await;
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let client = recorder.client(&["http/1.1"]);
    let mut sessions = Vec::new();
    for n in 0..STREAMS {
        let host = format!("{}.individual.githubcopilot.com", if n % 2 == 0 { "even" } else { "odd" });
        let mut session = client.open(&host).await;
        session
            .send(format!(
                "POST /v1/engines/m/completions HTTP/1.1\r\nHost: {host}\r\nX-Case: {n}\r\nContent-Length: 2\r\n\r\n{{}}"
            ))
            .await;
        session.read_until(if n % 2 == 0 { b"0\r\n\r\n" } else { b"first half\r\n" }).await;
        sessions.push(session);
    }
    recorder.records(STREAMS / 2).await;
    // Safe on disk, one second after they began: this is what the next start will find.
    let spool = recorder.setup.logs.join(".spool");
    eventually("the running streams in the spool", || {
        let streams = files(&spool).into_iter().filter(|(_, length)| *length > 0).count();
        let bodies: u64 = files(&spool).iter().map(|(_, length)| length).sum();
        (streams >= STREAMS / 2 && bodies > (STREAMS / 2 * FIRST.len()) as u64).then_some(())
    })
    .await;
    eventually("their bodies in the spool", || {
        let all: Vec<u8> = files(&spool).iter().flat_map(|(path, _)| std::fs::read(path).unwrap_or_default()).collect();
        let halves = all.windows(10).filter(|window| *window == b"first half").count();
        (halves >= STREAMS / 2).then_some(())
    })
    .await;

    let setup = recorder.kill();
    drop(sessions);
    assert_eq!(Record::files(&setup.logs).len(), STREAMS / 2, "only the finished ones are files");
    let recorder = setup.start().await;
    recorder.records(STREAMS).await;
    let left = files(&recorder.setup.logs.join(".spool"));
    assert!(left.is_empty(), "left in the spool: {left:?}");
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));

    let records: HashMap<String, Record> = Record::by_case(Record::all(&setup.logs));
    assert_eq!(records.len(), STREAMS);
    for n in 0..STREAMS {
        let record = &records[&n.to_string()];
        let finished = n % 2 == 0;
        assert_eq!(record.complete(), finished, "{n}");
        assert_eq!(record.aborted_by(), (!finished).then_some("shutdown"), "{n}");
        assert_eq!(record.folder(), "completions");
        assert_eq!(record.status(), Some(200));
        assert_eq!(record.body("request"), b"{}");
        let wanted: &[u8] =
            if finished { b"data: the first halfdata: the second half" } else { b"data: the first half" };
        assert_eq!(String::from_utf8_lossy(&record.body("response")), String::from_utf8_lossy(wanted), "{n}");
    }
    // Whatever else lies there (a lock, an index), nothing is left of a record that was being written.
    for (path, _) in files(&setup.logs) {
        let inside = path.strip_prefix(&setup.logs).expect("inside the logs");
        let record = inside.extension().is_some_and(|end| end == "json");
        let single = inside.components().count() == 1;
        assert!(record || single, "left behind: {}", inside.display());
    }
}

/// Killed again and again just after a request began: the next start always comes up, and what it finds is whole.
#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again() {
    let upstream = Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send(HEAD).await;
        connection.read_to_end().await;
    })
    .await;
    let mut setup = Setup::new(&upstream);
    for round in 1..=3 {
        let recorder = setup.start().await;
        let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
        let head = format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\nX-Case: {round}\r\n\r\n");
        session.send(head).await;
        session.read_until(b"\r\n\r\n").await;
        setup = recorder.kill();
    }
    let recorder = setup.start().await;
    for record in Record::all(&recorder.setup.logs) {
        assert!(!record.complete());
    }
    let (code, lines, _) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
}
