//! What is recorded, and where it lies: `--record` and `--layout` through the running program.

mod support;

use support::HOST;
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};

const COMPLETIONS: &str = "/v1/engines/m/completions";

/// Answers every request.
async fn hello() -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        let mut requests = 0;
        while connection.received_pattern(b"\r\n\r\n", requests + 1).await {
            requests += 1;
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
        }
        connection.half_close().await;
    })
    .await
}

async fn get(recorder: &Recorder, path: &str) {
    let mut session = recorder.client(&["http/1.1"]).authorized("ann", "p").open(HOST).await;
    session.send(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    session.read_until(b"\r\n\r\nhello").await;
    session.close().await;
}

#[tokio::test]
async fn a_kind_that_is_not_recorded_is_relayed_and_leaves_no_file() {
    let upstream = hello().await;
    let recorder = Setup::new(&upstream).start().await;
    get(&recorder, "/models").await;
    recorder.metric_reaches("exchanges_skipped", 1.0).await;
    get(&recorder, COMPLETIONS).await;
    recorder.records(1).await;
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    let records = support::records::Record::all(&setup.logs);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].folder(), "completions");
    assert!(upstream.seen()[0].received.starts_with(b"GET /models "), "it was relayed");
    let spool = std::fs::read_dir(setup.logs.join(".spool")).expect("a folder").count();
    assert_eq!(spool, 0, "nothing of it is left in the spool");
}

#[tokio::test]
async fn only_the_kinds_that_are_named_are_recorded() {
    let upstream = hello().await;
    let recorder = Setup::new(&upstream).with(&["--record", "models"]).start().await;
    get(&recorder, COMPLETIONS).await;
    recorder.metric_reaches("exchanges_skipped", 1.0).await;
    get(&recorder, "/models").await;
    recorder.records(1).await;
    let (_, _, setup) = recorder.terminate().await;
    let records = support::records::Record::all(&setup.logs);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].folder(), "models");
    assert_eq!(records[0].json["recorder"]["kind"], "models");
    assert_eq!(records[0].body("response"), b"hello");
}

#[tokio::test]
async fn the_layouts() {
    let upstream = hello().await;
    for (layout, wanted) in [
        ("{kind}", &["completions"][..]),
        ("{kind}/{date}", &["completions", "DATE"]),
        ("{user}/{kind}", &["ann", "completions"]),
    ] {
        let setup = Setup::new(&upstream).with(&["--layout", layout]).user("ann", "p").await;
        let recorder = setup.start().await;
        get(&recorder, COMPLETIONS).await;
        let record = &recorder.records(1).await[0];
        // The date is the record's own: midnight may pass while the test runs.
        let timestamp = record.json["timestamp"].as_str().expect("a text");
        let (date, _) = timestamp.split_once('T').expect("a date and a time");
        let folder = record.path.parent().and_then(|folder| folder.strip_prefix(&recorder.setup.logs).ok());
        let wanted: std::path::PathBuf = wanted.iter().map(|&part| if part == "DATE" { date } else { part }).collect();
        assert_eq!(folder, Some(wanted.as_path()), "{layout}");
        assert!(record.name().starts_with(date), "{}", record.name());
    }
}
