//! The index while the program records: readers in other processes see records arrive, and whatever becomes of the
//! index, recording goes on and the index is that of the files in the end.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use copilot_recorder::index::Index;
use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;
use support::HOST;
use support::client::Session;
use support::recorder::{Recorder, Setup, binary};
use support::records::Record;
use support::upstream::{Connection, Options, Upstream};

/// An upstream that answers every request on a connection with a word of the request's own.
async fn upstream() -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        let mut answered = 0;
        while connection.received_pattern(b"\r\n\r\n", answered + 1).await {
            answered += 1;
            let body = format!(
                r#"{{"id":"c","object":"chat.completion","model":"m-1","choices":[{{"index":0,"message":{{"role":"assistant","content":"answer{answered}"}},"finish_reason":"stop"}}]}}"#
            );
            connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
        }
        connection.half_close().await;
    })
    .await
}

async fn ask(session: &mut Session, times: usize) {
    for _ in 0..times {
        session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"\"finish_reason\":\"stop\"}]}").await;
    }
}

/// So many exchanges on a connection of their own.
async fn traffic(recorder: &Recorder, times: usize) {
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    ask(&mut session, times).await;
    session.close().await;
}

/// A reading command on the recorder's logs; its lines.
async fn reads(setup: &Setup, words: &[&str]) -> Vec<String> {
    let mut arguments = words.to_vec();
    let logs = setup.logs.to_str().expect("a path in UTF-8").to_owned();
    arguments.extend(["--logs", &logs]);
    let output = setup.run(&arguments, "").await;
    assert!(output.code == Some(0) || output.stdout.is_empty(), "{words:?}: {}", output.stderr);
    output.stdout.lines().map(str::to_owned).collect()
}

/// Asks another process until it lists so many.
async fn listed(setup: &Setup, many: usize) {
    support::within(&format!("{many} records in a list"), async {
        loop {
            let lines = reads(setup, &["list", "--json", "--all"]).await;
            assert!(lines.len() <= many, "{} records where {many} were made", lines.len());
            if lines.len() == many {
                return;
            }
        }
    })
    .await;
}

/// `tail` in another process: its lines as they come.
struct Tail {
    child: Child,
    lines: Receiver<String>,
}

impl Tail {
    fn start(setup: &Setup) -> Self {
        let mut command = Command::new(binary());
        command.args(["tail", "--json", "-n", "1000", "--logs"]).arg(&setup.logs).current_dir(setup.directory.path());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a tail");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|it| tell.send(it))
        });
        Self { child, lines }
    }

    /// The ids of the next records, each of which is new.
    async fn shows(&self, many: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < many {
            let line = support::eventually("a record in tail", || self.lines.try_recv().ok()).await;
            let row: serde_json::Value = serde_json::from_str(&line).expect("one object a line");
            ids.push(row["id"].as_str().expect("an id").to_owned());
        }
        ids
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until the program says that it keeps the index: from then on it makes none anew by itself.
async fn kept(setup: &Setup) {
    support::eventually("an index that is kept", || {
        let asked = fs::File::open(setup.logs.join(".index.live")).ok()?;
        flock(&asked, FlockOperation::NonBlockingLockShared).is_err().then_some(())
    })
    .await;
}

fn database(logs: &Path) -> PathBuf {
    logs.join("index.sqlite")
}

/// Ends the program, which has lost nothing, and holds its index against one that is made anew.
async fn is_right_in_the_end(recorder: Recorder, many: usize) {
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    assert!(lines.last().is_some_and(|line| line.contains("nothing was lost")), "{}", lines.join("\n"));
    assert_eq!(Record::all(&setup.logs).len(), many);
    equals_the_files(&setup.logs, many);
}

#[track_caller]
fn equals_the_files(logs: &Path, many: usize) {
    let (index, report) = Index::open(logs, &mut |_| ()).expect("an index");
    assert_eq!(report.records, many as u64, "{report:?}");
    let dump = index.dump().expect("a dump");
    drop(index);
    let (anew, report) = Index::rebuild(logs, &mut |_| ()).expect("an index");
    assert_eq!((report.records, report.rebuilt), (many as u64, None));
    assert_eq!(dump, anew.dump().expect("a dump"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_processes_see_records_arrive() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    traffic(&recorder, 3).await;
    kept(&recorder.setup).await;
    listed(&recorder.setup, 3).await;
    let tail = Tail::start(&recorder.setup);
    let mut ids = tail.shows(3).await;
    for _ in 0..3 {
        traffic(&recorder, 4).await;
        ids.extend(tail.shows(4).await);
    }
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 15, "each once: {ids:?}");
    listed(&recorder.setup, 15).await;
    // The fourth answer came on three connections.
    assert_eq!(reads(&recorder.setup, &["search", "answer4", "--json"]).await.len(), 3);
    assert_eq!(reads(&recorder.setup, &["search", "answer9", "--json"]).await.len(), 0);
    drop(tail);
    is_right_in_the_end(recorder, 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_the_index_catches_up() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    traffic(&recorder, 20).await;
    recorder.records(20).await;
    // Wherever the writer of the index was.
    let setup = recorder.kill();
    let recorder = setup.start().await;
    listed(&recorder.setup, 20).await;
    kept(&recorder.setup).await;
    let tail = Tail::start(&recorder.setup);
    tail.shows(20).await;
    traffic(&recorder, 5).await;
    tail.shows(5).await;
    listed(&recorder.setup, 25).await;
    drop(tail);
    is_right_in_the_end(recorder, 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_index_recording_goes_on() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    let logs = recorder.setup.logs.clone();
    let mut many = 0;
    let removed = |logs: &Path| fs::remove_file(database(logs)).expect("an index to remove");
    let garbage = |logs: &Path| fs::write(logs.join("garbage"), b"no database at all, but some text".repeat(500));
    let harms: [&dyn Fn(&Path); 5] = [
        &removed,
        // In its place, and over it.
        &|logs| garbage(logs).and_then(|()| fs::rename(logs.join("garbage"), database(logs))).expect("garbage"),
        &|logs| fs::write(database(logs), "garbage").expect("garbage"),
        &|logs| {
            removed(logs);
            fs::create_dir(database(logs)).expect("a folder in its place");
        },
        &|logs| fs::remove_dir(database(logs)).expect("the folder is still there"),
    ];
    for harm in harms {
        traffic(&recorder, 2).await;
        many += 2;
        recorder.records(many).await;
        listed(&recorder.setup, many).await;
        harm(&logs);
        traffic(&recorder, 2).await;
        many += 2;
        listed(&recorder.setup, many).await;
    }
    is_right_in_the_end(recorder, many).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_over_the_running_index_does_not_end_the_program() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    let logs = recorder.setup.logs.clone();
    // From here on it is the program's own, and no reader comes between, who would mend it.
    kept(&recorder.setup).await;
    let holds = |many: i64| {
        let index = rusqlite::Connection::open(database(&logs)).expect("the index");
        index.query_row("SELECT count(*) FROM exchanges", [], |row| row.get(0)) == Ok(many)
    };
    traffic(&recorder, 2).await;
    support::eventually("records in the index", || holds(2).then_some(())).await;
    for (text, many) in [("", 3), ("garbage", 4)] {
        let mapped = logs.join("index.sqlite-shm");
        fs::write(&mapped, text).expect("a file of the index");
        traffic(&recorder, 1).await;
        let is_long = || fs::metadata(&mapped).is_ok_and(|about| about.len() >= 32 << 10);
        support::eventually("the next look", || is_long().then_some(())).await;
        support::eventually("what the look leads to", || holds(many).then_some(())).await;
    }
    recorder.metric("records_written").await;
    listed(&recorder.setup, 4).await;
    is_right_in_the_end(recorder, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_make_the_index_anew_while_the_program_records() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    let mut many = 0;
    for _ in 0..3 {
        let (first, second, ()) = tokio::join!(
            reads(&recorder.setup, &["reindex"]),
            reads(&recorder.setup, &["reindex"]),
            traffic(&recorder, 10)
        );
        assert!(first.is_empty() || second.is_empty() || first.len() == second.len());
        many += 10;
        listed(&recorder.setup, many).await;
    }
    is_right_in_the_end(recorder, many).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_indexed_behind_the_records() {
    const CONNECTIONS: usize = 50;
    const EACH: usize = 100;
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let client = recorder.client(&["http/1.1"]);
        connections.spawn(async move {
            let mut session = client.open(HOST).await;
            ask(&mut session, EACH).await;
            session.close().await;
        });
    }
    connections.join_all().await;
    recorder.records(CONNECTIONS * EACH).await;
    assert_eq!(recorder.metric("records_lost").await + recorder.metric("bodies_lost").await, 0.0);
    // Far behind, it does not hold the exit up; what is missing then is found by the next to look.
    is_right_in_the_end(recorder, CONNECTIONS * EACH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_index_nothing_is_kept_beside_the_records() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).with(&["--index=false"]).start().await;
    traffic(&recorder, 3).await;
    recorder.records(3).await;
    let (code, _, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0));
    let named = |name: &str| name.contains("index");
    let names: Vec<_> = fs::read_dir(&setup.logs)
        .expect("logs")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| named(name))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    equals_the_files(&setup.logs, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_reader_that_holds_the_index_does_not_hold_the_recorder() {
    let upstream = upstream().await;
    let recorder = Setup::new(&upstream).start().await;
    traffic(&recorder, 2).await;
    listed(&recorder.setup, 2).await;
    // Another process writes and does not come to an end.
    let other = rusqlite::Connection::open(database(&recorder.setup.logs)).expect("the index");
    other.execute_batch("BEGIN IMMEDIATE").expect("its lock");
    traffic(&recorder, 20).await;
    recorder.records(22).await;
    recorder.signal(Signal::TERM);
    let (code, lines, setup) = recorder.wait().await;
    assert_eq!(code, Some(0));
    assert!(lines.last().is_some_and(|line| line.contains("nothing was lost")), "{}", lines.join("\n"));
    drop(other);
    equals_the_files(&setup.logs, 22);
}
