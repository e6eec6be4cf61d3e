//! The index: made from the files alone, the same whatever happened on the way, and never fatal.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use copilot_recorder::index::{Cursor, Field, Filter, Index, Indexer, Located, Page, Report, Row};
use copilot_recorder::rules::Kind;
use serde_json::{Value, json};
use support::HOST;
use support::recorder::Setup;
use support::rng::Rng;
use support::upstream::{Connection, Options, Upstream};

const ALL: Page = Page { limit: None, after: None, offset: 0, oldest_first: true };

/// A folder of logs that grows.
struct Logs {
    folder: tempfile::TempDir,
}

impl Logs {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// As the recorder does: a whole file appears under its name.
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let draft = self.path().join(".draft");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, &path).unwrap();
        path
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    fn open(&self) -> (Index, Report) {
        Index::open(self.path(), &mut |_| ()).unwrap()
    }

    fn database(&self) -> PathBuf {
        self.path().join("index.sqlite")
    }

    /// What an index made anew elsewhere would hold.
    fn truth(&self) -> Vec<String> {
        let (index, report) = Index::rebuild(self.path(), &mut |_| ()).unwrap();
        assert_eq!(report.rebuilt, None);
        index.dump().unwrap()
    }
}

fn id(number: usize) -> String {
    format!("0193a6d1-4f2b-7000-8000-{number:012x}")
}

fn chat(number: usize, question: &str, answer: &str) -> Value {
    let body = json!({"model": "gpt-x", "messages": [{"role": "user", "content": question}]});
    let reply = json!({"id": format!("a-{number}"), "model": "gpt-x-1", "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}});
    json!({
        "proxy-authorization": if number.is_multiple_of(3) { "-" } else { "ann" },
        "timestamp": format!("2024-12-08T13:{:02}:{:02}.331449", number / 60 % 60, number % 60),
        "proxy-time-consumed": "10.0ms",
        "request": {"url": "https://api.githubcopilot.com/chat/completions", "method": "POST",
            "headers": {"Authorization": "Bearer tid=5e1e;exp=1:<redacted>", "X-Request-Id": format!("r-{number}"),
                "Editor-Version": "vscode/1.95.3", "X-Initiator": "user"},
            "content": body.to_string()},
        "response": {"status_code": 200, "headers": {}, "content": reply.to_string()},
        "recorder": {"schema": 1, "id": id(number), "kind": "chat", "rule": "chat", "complete": true, "aborted_by": null,
            "client": "127.0.0.1:5", "timings": {"first_byte": 5, "last_byte": 10.5}, "chunks": []},
    })
}

/// A batch of events with these ids.
fn telemetry(number: usize, events: &[&str]) -> Value {
    let event = |unique: &&str| {
        json!({
            "time": "2024-12-08T13:00:00.000Z", "iKey": "7d7048df-6dd0-4048-bb23-b716c1461f8f", "name": "x",
            "tags": {"ai.user.id": "5e1e"},
            "data": {"baseType": "EventData", "baseData": {"name": "copilot/ghostText.shown",
                "properties": {"unique_id": unique, "headerRequestId": format!("h-{unique}"), "clientCompletionId": format!("c-{unique}")}}},
        })
    };
    let mut record = chat(number, "", "");
    record["request"]["url"] = json!("https://telemetry.githubcopilot.com/telemetry");
    record["request"]["content"] = json!(Value::from(events.iter().map(event).collect::<Vec<_>>()).to_string());
    record["response"]["content"] = json!("{}");
    record["recorder"]["kind"] = json!("telemetry");
    record
}

/// The names and texts of a folder with some of everything.
fn some_of_everything() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = (0..40)
        .map(|n| {
            (format!("chat/{n}.json"), chat(n, &format!("question {n} about word{}", n % 7), "an answer").to_string())
        })
        .collect();
    for n in 40..60 {
        let events = [format!("u-{}", n / 2), format!("u-{n}-x"), format!("u-{}", n % 4)];
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        files.push((format!("telemetry/{n}.json"), telemetry(n, &events).to_string()));
    }
    let same = chat(7, "a copy of seven", "elsewhere").to_string();
    files.push(("copies/a.json".into(), same.clone()));
    files.push(("zcopies/b.json".into(), same));
    files.push(("usage/bob/chat/old.json".into(), old("bob").to_string()));
    files.push(("chat/cut.json".into(), files[3].1[..200].to_owned()));
    files.push(("chat/not.json".into(), "hello".into()));
    files.push(("foreign.json".into(), "{}".into()));
    files
}

/// A record of the older tool.
fn old(user: &str) -> Value {
    let mut record = chat(99, "old question", "old answer");
    record["proxy-authorization"] = json!(user);
    record.as_object_mut().unwrap().remove("recorder");
    record
}

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

fn search(index: &Index, text: &str) -> Vec<String> {
    let filter = Filter { text: Some(text.to_owned()), ..Filter::default() };
    let rows = index.list(&filter, &ALL).unwrap();
    assert_eq!(index.count(&filter).unwrap(), rows.len() as u64);
    rows.into_iter().map(|row| row.file).collect()
}

#[test]
fn whatever_came_in_which_order_the_index_is_that_of_the_files() {
    let files = some_of_everything();
    let mut truths = Vec::new();
    for seed in 0..4 {
        let logs = Logs::new();
        let mut rng = Rng::new(seed);
        let mut shuffled = files.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, rng.range(0, at));
        }
        for piece in shuffled.chunks(rng.range(5, 30)) {
            for (name, text) in piece {
                logs.put(name, text);
            }
            logs.open();
        }
        let (index, report) = logs.open();
        assert_eq!((report.records, report.skipped_total), (61, 3));
        let dump = index.dump().unwrap();
        drop(index);
        assert_eq!(dump, logs.truth());
        // Times of files differ from run to run, all else does not.
        truths.push(dump.into_iter().filter(|line| !line.starts_with("file ")).collect::<Vec<_>>());
    }
    assert!(truths.iter().all(|truth| *truth == truths[0]));
    assert!(truths[0].iter().any(|line| line.starts_with("word ") && line.ends_with(" question")), "words are there");
}

#[test]
fn files_that_go_or_change_are_taken_out() {
    let logs = Logs::new();
    for (name, text) in some_of_everything() {
        logs.put(&name, &text);
    }
    logs.open();
    let mut rng = Rng::new(5);
    for round in 0..6 {
        for (name, text) in some_of_everything() {
            let there = logs.path().join(&name).exists();
            match rng.range(0, 5) {
                0 if there => logs.remove(&name),
                1 => drop(logs.put(&name, &text)),
                2 => drop(logs.put(&name, &chat(rng.range(0, 70), "changed to word3", "x").to_string())),
                3 => drop(logs.put(&name, &telemetry(rng.range(0, 70), &["u-1", "u-25", "u-1"]).to_string())),
                _ => {}
            }
        }
        if round == 3 {
            fs::remove_dir_all(logs.path().join("telemetry")).unwrap();
        }
        let dump = logs.open().0.dump().unwrap();
        assert_eq!(dump, logs.truth(), "round {round}");
    }
}

#[test]
fn a_folder_that_did_not_change_is_not_read_again() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    fs::File::open(logs.path().join("chat")).unwrap().set_modified(old).unwrap();
    assert_eq!(logs.open().1.read, 1);
    assert_eq!(logs.open().1.read, 0);
    logs.put("chat/2.json", &chat(2, "q", "a").to_string());
    let (_, report) = logs.open();
    assert_eq!((report.read, report.records), (1, 2));
    // Half a file that is whole now, in its place: the folder's time does not tell.
    let whole = chat(3, "q", "a").to_string();
    let path = logs.put("chat/3.json", &whole[..100]);
    assert_eq!(logs.open().1.skipped_total, 1);
    fs::File::open(logs.path().join("chat")).unwrap().set_modified(old).unwrap();
    logs.open();
    fs::write(path, whole).unwrap();
    let (_, report) = logs.open();
    assert_eq!((report.records, report.skipped_total), (3, 0));
}

#[test]
fn of_copies_the_first_by_path_is_the_exchange() {
    let logs = Logs::new();
    logs.put("b/1.json", &chat(1, "from b", "x").to_string());
    logs.put("c/1.json", &chat(1, "from c", "x").to_string());
    let find = |index: &Index| match index.find(&id(1)).unwrap() {
        Located::One(row) => row.file,
        other => panic!("{other:?}"),
    };
    let (index, _) = logs.open();
    assert_eq!(find(&index), "b/1.json");
    logs.put("a/1.json", &chat(1, "from a", "x").to_string());
    let (index, report) = logs.open();
    assert_eq!((find(&index).as_str(), report.records), ("a/1.json", 1));
    assert_eq!(search(&index, "from b"), [""; 0]);
    logs.remove("a/1.json");
    logs.remove("b/1.json");
    let (index, _) = logs.open();
    assert_eq!(find(&index), "c/1.json");
    assert_eq!(search(&index, "\"from c\""), ["c/1.json"]);
}

#[test]
fn an_index_that_cannot_be_used_is_made_anew() {
    let logs = Logs::new();
    for (name, text) in some_of_everything() {
        logs.put(&name, &text);
    }
    let whole = logs.truth();
    let good = fs::read(logs.database()).unwrap();
    let mut rng = Rng::new(1);
    let mut spoilt: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("random".into(), rng.bytes(50_000)),
        ("not SQLite".into(), b"hello".to_vec()),
        ("half".into(), good[..good.len() / 2].to_vec()),
        ("another version".into(), {
            let mut text = good.clone();
            text[60..64].copy_from_slice(&99_u32.to_be_bytes());
            text
        }),
        ("another program's".into(), {
            let mut text = good.clone();
            text[68..72].copy_from_slice(b"othr");
            text
        }),
    ];
    for at in 0..12 {
        let mut text = good.clone();
        let page = rng.range(0, good.len() / 4096 - 1) * 4096;
        let noise = rng.bytes(4096);
        text[page..page + 4096].copy_from_slice(&noise);
        spoilt.push((format!("noise {at} in page {}", page / 4096), text));
    }
    for (what, text) in spoilt {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(logs.path().join(format!("index.sqlite{end}")));
        }
        fs::write(logs.database(), text).unwrap();
        let (index, report) = logs.open();
        assert_eq!(report.records, 61, "{what}");
        let mut rows = Vec::new();
        index.each_row(&Filter::default(), &mut |row| rows.push(row)).unwrap();
        assert_eq!(rows, index.list(&Filter::default(), &ALL).unwrap(), "{what}");
        let mut facts = 0;
        index.each_request(&Filter::default(), &mut |_| facts += 1).unwrap();
        assert_eq!((rows.len(), facts), (61, 61), "{what}");
        index.each_event(None, None, &mut |_| facts += 1).unwrap();
        assert_eq!(facts, 61 + 34, "{what}: each event once");
        assert_eq!(index.dump().unwrap(), whole, "{what}");
        drop(index);
        assert!(what.starts_with("noise") || report.rebuilt.is_some(), "{what}");
    }
    fs::remove_file(logs.database()).unwrap();
    assert_eq!(logs.open().1.rebuilt.as_deref(), Some("there was none"));
    assert_eq!(logs.open().1.rebuilt, None);
}

#[test]
fn the_index_is_for_its_owner_alone_and_leaves_no_drafts() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    fs::write(logs.path().join(".index-1-0.new"), "left by one that was killed").unwrap();
    logs.open();
    // Of an index that can be used, too: nobody else would look for it.
    fs::write(logs.path().join(".index-1-1.new"), "left by one that was killed").unwrap();
    let (index, report) = logs.open();
    assert_eq!(report.rebuilt, None);
    index.count(&Filter::default()).unwrap();
    for entry in fs::read_dir(logs.path()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.ends_with(".new"), "{name}");
        if name.starts_with("index.sqlite") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[test]
fn what_came_into_an_index_that_was_made_anew_has_arrived() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    let (index, _) = logs.open();
    let (_, mark) = index.arrived(None).unwrap();
    logs.put("chat/2.json", &chat(2, "q", "a").to_string());
    drop(Index::rebuild(logs.path(), &mut |_| ()).unwrap());
    let (rows, mark) = index.arrived(Some(mark)).unwrap();
    assert_eq!(ids(&rows), [id(1), id(2)], "those that were known may be named again, the new one must be");
    logs.put("chat/3.json", &chat(3, "q", "a").to_string());
    assert_eq!(ids(&index.arrived(Some(mark)).unwrap().0), [id(3)]);
}

#[test]
fn of_two_that_make_the_index_at_once_that_of_the_first_stays() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    let mut first = None;
    let mut meanwhile = |_| {
        first.get_or_insert_with(|| logs.open().0);
    };
    let (second, report) = Index::open(logs.path(), &mut meanwhile).unwrap();
    let first = first.expect("it is said how far it is");
    assert_eq!((report.records, first.was_replaced(), second.was_replaced()), (1, false, false));
    // Who watches the first hears nothing twice, and all that comes into either.
    let (_, mark) = first.arrived(None).unwrap();
    assert_eq!(second.arrived(Some(mark)).unwrap().0, []);
    logs.put("chat/2.json", &chat(2, "q", "a").to_string());
    assert_eq!(ids(&second.arrived(Some(mark)).unwrap().0), [id(2)]);
    assert_eq!(ids(&first.arrived(Some(mark)).unwrap().0), [id(2)]);
    let drafts =
        fs::read_dir(logs.path()).unwrap().flatten().filter(|it| it.file_name().to_string_lossy().ends_with(".new"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn where_nothing_can_be_written_the_index_is_for_this_process() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "findme", "a").to_string());
    // A folder in the index's place stops even one who may write everywhere.
    fs::create_dir_all(logs.database().join("x")).unwrap();
    let (index, report) = logs.open();
    assert!(report.rebuilt.unwrap().contains("for this command only"));
    assert_eq!(search(&index, "findme"), ["chat/1.json"]);
    let (_, mark) = index.arrived(None).unwrap();
    logs.put("chat/2.json", &chat(2, "later", "a").to_string());
    let (rows, _) = index.arrived(Some(mark)).unwrap();
    assert_eq!(ids(&rows), [id(2)]);
    assert!(Index::open(&logs.path().join("none"), &mut |_| ()).is_err());
}

#[test]
fn a_folder_without_rights_is_said_and_the_rest_read() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    logs.put("shut/2.json", &chat(2, "q", "a").to_string());
    let shut = logs.path().join("shut");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever may read everything sees no shut folder.
    let is_shut = fs::read_dir(&shut).is_err();
    let (index, report) = logs.open();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!((report.records, report.skipped_total), if is_shut { (1, 1) } else { (2, 0) });
    assert_eq!(index.skipped().unwrap().len(), usize::from(is_shut));
    assert_eq!(logs.open().1.records, 2);
}

#[test]
fn names_that_are_no_text_are_said() {
    use std::os::unix::ffi::OsStrExt;
    let logs = Logs::new();
    let name = std::ffi::OsStr::from_bytes(b"b\xffd");
    fs::create_dir(logs.path().join(name)).unwrap();
    fs::write(logs.path().join(name).join("x.json"), chat(1, "q", "a").to_string()).unwrap();
    fs::write(logs.path().join("x\u{fffd}.json"), chat(2, "q", "a").to_string()).unwrap();
    fs::write(logs.path().join(std::ffi::OsStr::from_bytes(b"y\xff.json")), chat(3, "q", "a").to_string()).unwrap();
    for _ in 0..2 {
        let (index, report) = logs.open();
        let problem = |path: &str| (PathBuf::from(path), "has a name that is not UTF-8".to_owned());
        assert_eq!(index.skipped().unwrap(), [problem("b\u{fffd}d"), problem("y\u{fffd}.json")]);
        assert_eq!((report.records, report.skipped), (1, index.skipped().unwrap()));
    }
}

#[test]
fn filters_say_what_they_mean() {
    let logs = Logs::new();
    for n in 0..10 {
        let mut record = chat(n, &format!("number{n}"), "a");
        match n {
            1 => record["response"]["status_code"] = json!(429),
            2 => {
                record["recorder"]["aborted_by"] = json!("client");
                let whole = record["response"]["content"].as_str().unwrap();
                record["response"]["content"] = json!(whole[..whole.len() - 1]);
            }
            3 => record["response"] = json!({"status_code": 0, "headers": {}, "content": ""}),
            4 => record["request"]["url"] = json!("https://proxy.business.githubcopilot.com/chat/completions"),
            5 => record["recorder"]["timings"]["last_byte"] = json!(5000),
            6 => record["recorder"]["aborted_by"] = json!("upstream"),
            7 => record["recorder"]["kind"] = json!("nes"),
            // It had the whole answer.
            8 => record["recorder"]["aborted_by"] = json!("client"),
            _ => {}
        }
        logs.put(&format!("chat/{n}.json"), &record.to_string());
    }
    let (index, _) = logs.open();
    let list = |filter: Filter| {
        let rows = index.list(&filter, &ALL).unwrap();
        let mut each = Vec::new();
        index.each_row(&filter, &mut |row| each.push(row)).unwrap();
        assert_eq!(rows, each);
        let mut facts = 0;
        index.each_request(&filter, &mut |_| facts += 1).unwrap();
        assert_eq!(facts, rows.len());
        rows.iter().map(|row| row.id[24..].trim_start_matches('0').to_owned()).collect::<Vec<_>>().join(" ")
    };
    let none = Filter::default;
    assert_eq!(list(Filter { kinds: vec![Kind::Nes], ..none() }), "7");
    assert_eq!(list(Filter { users: vec!["-".into()], ..none() }), " 3 6 9");
    assert_eq!(list(Filter { users: vec!["-".into(), "ann".into()], ..none() }).split(' ').count(), 10);
    assert_eq!(list(Filter { hosts: vec!["*.githubcopilot.com".into(), "x".into()], ..none() }).split(' ').count(), 10);
    assert_eq!(list(Filter { hosts: vec!["*.business.githubcopilot.com".into()], ..none() }), "4");
    assert_eq!(list(Filter { hosts: vec!["*.api.githubcopilot.com".into()], ..none() }), "", "only below it");
    assert_eq!(list(Filter { hosts: vec!["API.githubcopilot.com".into()], ..none() }).split(' ').count(), 9);
    assert_eq!(list(Filter { statuses: vec![4], ..none() }), "1");
    assert_eq!(list(Filter { statuses: vec![429, 0], ..none() }), "1 3");
    assert_eq!(list(Filter { models: vec!["gpt-x-1".into()], ..none() }).split(' ').count(), 9);
    assert_eq!(list(Filter { editors: vec!["vscode".into()], languages: vec!["rust".into()], ..none() }), "");
    assert_eq!(list(Filter { editors: vec!["vscode/1.95.3".into()], ..none() }).split(' ').count(), 10);
    assert_eq!(list(Filter { slower_than: Some(100.0), ..none() }), "5");
    assert_eq!(list(Filter { cancelled: true, ..none() }), "2");
    assert_eq!(list(Filter { failed: true, ..none() }), "1 3 6");
    let began = index.list(&none(), &ALL).unwrap()[4].began;
    assert_eq!(list(Filter { since: Some(began), until: Some(began + 1), ..none() }), "4");
    assert_eq!(list(Filter { text: Some("number8".into()), since: Some(began), ..none() }), "8");
    let page = Page { limit: Some(2), offset: 1, ..Page::default() };
    assert_eq!(ids(&index.list(&none(), &page).unwrap()), [id(8), id(7)]);
}

#[test]
fn texts_of_users_are_words_and_nothing_more() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "Read the_file with std::fs, größer \u{1f600}", "an OR answer NEAR").to_string());
    logs.put("chat/2.json", &chat(2, "read a file", "nothing").to_string());
    let (index, _) = logs.open();
    for (text, found) in [
        ("read", 2),
        ("READ fil", 1),
        ("read the_fi", 1),
        ("std fs", 1),
        ("\"std fs\"", 1),
        ("\"fs std\"", 0),
        ("\"std f\"", 0),
        ("grosser", 0),
        ("grö", 1),
        ("OR", 1),
        ("an AND nothing", 0),
        ("answer NEAR(", 1),
        ("prompt:read", 0),
        ("", 0),
        ("* - ^ ()", 0),
        ("\"", 0),
        ("'; DROP TABLE files; --", 0),
        ("read\0", 2),
    ] {
        assert_eq!(search(&index, text).len(), found, "{text:?}");
    }
    let many = "read ".repeat(10_000);
    assert_eq!(search(&index, &many).len(), 2);
    assert_eq!(index.count(&Filter::default()).unwrap(), 2);
}

#[test]
fn an_exchange_is_found_by_its_id_or_file() {
    let logs = Logs::new();
    for n in [0x1a, 0x1b, 0x2c] {
        logs.put(&format!("chat/{n}.json"), &chat(n, "q", "a").to_string());
    }
    let (index, _) = logs.open();
    let one = |text: &str| match index.find(text).unwrap() {
        Located::One(row) => row.id,
        Located::None => "none".to_owned(),
        Located::Several(rows) => rows.len().to_string(),
    };
    assert_eq!(one(&id(0x1a)), id(0x1a));
    assert_eq!(one(&id(0x2c).to_uppercase()), id(0x2c));
    assert_eq!(one(&id(0x2c).replace('-', "")[..31]), id(0x2c));
    assert_eq!(one(&id(0x1a)[..35]), "2");
    assert_eq!(one("0193"), "3");
    for none in ["", "ffff", "x", "chat", "../chat/26.json", "-", &format!("{}0", id(1))] {
        assert_eq!(one(none), "none", "{none}");
    }
    for path in
        [PathBuf::from("chat/26.json"), logs.path().join("chat/26.json"), logs.path().join("chat/../chat/26.json")]
    {
        assert_eq!(one(path.to_str().unwrap()), id(0x1a));
    }
    assert_eq!(index.answered("a-27").unwrap().map(|row| row.id), Some(id(27)));
    assert_eq!(index.answered("a-1").unwrap(), None);
}

#[test]
fn a_chain_of_answers_is_followed_both_ways() {
    let logs = Logs::new();
    let goes_on = |number: usize, previous: &str| {
        let mut record = chat(number, "q", "a");
        let body = json!({"model": "m", "input": "q", "stream": false, "previous_response_id": previous});
        record["request"]["content"] = json!(body.to_string());
        record.to_string()
    };
    let long = "s".repeat(600);
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    // Tried again, and the order of the files is not that of the time.
    logs.put("chat/a.json", &goes_on(3, "a-1"));
    logs.put("chat/b.json", &goes_on(2, "a-1"));
    logs.put("chat/4.json", &goes_on(4, "a-3"));
    logs.put("chat/5.json", &goes_on(5, &long));
    let (index, _) = logs.open();
    let next = |answer: &str| ids(&index.following(answer).unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(next("a-1"), [id(2), id(3)]);
    assert_eq!(next("a-3"), [id(4)]);
    assert_eq!((next("a-2"), next(&long)), (vec![], vec![id(5)]));
    assert_eq!(index.answered("a-3").unwrap().map(|row| row.id), Some(id(3)));
    for n in 10..50 {
        logs.put(&format!("chat/{n}.json"), &goes_on(n, "a-4"));
    }
    let (index, _) = logs.open();
    let loops = index.following("a-4").unwrap();
    assert_eq!((loops.len(), &loops[0].id), (20, &id(10)));
}

#[test]
fn events_count_once_whichever_copy_goes() {
    let logs = Logs::new();
    logs.put("telemetry/1.json", &telemetry(1, &["a", "b"]).to_string());
    logs.put("telemetry/2.json", &telemetry(2, &["b", "c", "b"]).to_string());
    let seen = |index: &Index| {
        let mut seen = Vec::new();
        index.each_event(None, None, &mut |event| seen.push(event.completion.unwrap().to_owned())).unwrap();
        seen.sort();
        seen.join(" ")
    };
    let (index, _) = logs.open();
    assert_eq!(seen(&index), "c-a c-b c-c");
    assert_eq!(index.events_of("h-b").unwrap()[0].record, id(1), "the earliest record's");
    logs.remove("telemetry/1.json");
    let (index, _) = logs.open();
    assert_eq!(seen(&index), "c-b c-c");
    assert_eq!(index.events_of("h-b").unwrap().iter().map(|event| event.ordinal).collect::<Vec<_>>(), [0]);
    let time = 1_733_662_800_000_000;
    let mut spans = Vec::new();
    for (since, until) in [(Some(time), None), (Some(time + 1), None), (None, Some(time)), (None, Some(time + 1))] {
        let mut count = 0;
        index.each_event(since, until, &mut |_| count += 1).unwrap();
        spans.push(count);
    }
    assert_eq!(spans, [2, 0, 0, 2]);
}

#[test]
fn persons_are_those_of_exchanges_with_a_token() {
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    logs.put("chat/2.json", &chat(2, "q", "a").to_string());
    let mut theirs = telemetry(4, &["a"]);
    theirs["proxy-authorization"] = json!("bob");
    logs.put("telemetry/4.json", &theirs.to_string());
    let mut found = Vec::new();
    logs.open().0.each_person(&mut |tid, user| found.push(format!("{tid} {user}"))).unwrap();
    assert_eq!(found, ["5e1e ann"], "who passes a batch on need not be who made it");
}

#[test]
fn no_password_or_token_is_in_the_index() {
    let logs = Logs::new();
    let name = "2024-12-08T13-05-57.639893_4ce93ec3b2_127.0.0.1_ann-pa55word_vscode-1.95.3.json";
    let mut first = old("ann:pa55word");
    first["request"]["headers"]["authorization"] = json!("Bearer tid=5e1e;exp=1:51gnature");
    first["request"]["headers"]["Proxy-Authorization"] = json!("Basic YW5uOnBhNTV3b3Jk");
    first["request"]["url"] = json!("https://api.githubcopilot.com/chat/completions?token=t0ken");
    logs.put(&format!("completions/{name}"), &first.to_string());
    logs.put(&format!("chat/{name}"), &old("bob").to_string()[..300]);
    let (index, report) = logs.open();
    assert_eq!((report.records, report.skipped_total), (1, 1));
    let row = &index.list(&Filter::default(), &ALL).unwrap()[0];
    assert_eq!(row.user.as_deref(), Some("ann"));
    assert!(index.find(logs.path().join(format!("completions/{name}")).to_str().unwrap()).unwrap() != Located::None);
    assert!(copilot_recorder::archive::read_below(logs.path(), Path::new(&row.file)).is_ok(), "{}", row.file);
    drop(index);
    assert_eq!(logs.open().1.read, 0, "a masked name is known again");
    for entry in fs::read_dir(logs.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        for secret in ["pa55word", "51gnature", "t0ken", "YW5uOnBh"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {:?}", entry.file_name());
        }
    }
    assert!(!format!("{report:?}").contains("pa55word"));
}

/// Waits for something that another thread or process does.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_indexer_takes_in_what_is_written_and_outlives_a_new_index() {
    let logs = Logs::new();
    logs.put("chat/0.json", &chat(0, "before", "a").to_string());
    let indexer = Indexer::start(logs.path());
    let live = logs.path().join(".index.live");
    eventually("the first look", || live.exists());
    let (index, _) = logs.open();
    let (_, mut mark) = index.arrived(None).unwrap();
    let mut arrived = Vec::new();
    for n in 1..=300 {
        indexer.wrote(&logs.put(&format!("chat/{n}.json"), &chat(n, "during", "a").to_string()));
        if n == 100 {
            let (rows, now) = index.arrived(Some(mark)).unwrap();
            arrived.extend(rows.into_iter().map(|row| row.id));
            mark = now;
        }
    }
    eventually("300 arrivals", || {
        let (rows, now) = index.arrived(Some(mark)).unwrap();
        arrived.extend(rows.into_iter().map(|row| row.id));
        mark = now;
        arrived.len() == 300
    });
    arrived.sort();
    arrived.dedup();
    assert_eq!(arrived.len(), 300, "each once");
    // Somebody makes the index anew while the recorder goes on.
    let (anew, _) = Index::rebuild(logs.path(), &mut |_| ()).unwrap();
    for n in 301..=310 {
        indexer.wrote(&logs.put(&format!("chat/{n}.json"), &chat(n, "after", "a").to_string()));
    }
    eventually("the new index", || anew.count(&Filter::default()).unwrap() == 311);
    indexer.close(Duration::from_secs(30));
    let dump = logs.open().0.dump().unwrap();
    assert_eq!(dump, logs.truth());
}

#[test]
fn only_the_index_that_is_kept_up_to_date_is_trusted() {
    use rustix::fs::{FlockOperation, flock};
    let logs = Logs::new();
    logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    let generation = || {
        drop(logs.open());
        let index = rusqlite::Connection::open(logs.database()).unwrap();
        index.query_row("SELECT number FROM generation", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    // As the recorder says it: by a lock, and the index that it means.
    let path = logs.path().join(".index.live");
    fs::write(&path, generation().to_string()).unwrap();
    let live = fs::File::open(&path).unwrap();
    flock(&live, FlockOperation::LockExclusive).unwrap();
    logs.put("chat/2.json", &chat(2, "q", "a").to_string());
    assert_eq!(logs.open().1.records, 1, "the recorder will take it in");
    assert_eq!(Index::rebuild(logs.path(), &mut |_| ()).unwrap().1.records, 2);
    logs.put("chat/3.json", &chat(3, "q", "a").to_string());
    assert_eq!(logs.open().1.records, 3, "the recorder does not know this one yet");
    fs::write(&path, generation().to_string()).unwrap();
    logs.put("chat/4.json", &chat(4, "q", "a").to_string());
    assert_eq!(logs.open().1.records, 3);
    drop(live);
    assert_eq!(logs.open().1.records, 4, "it is gone");
}

#[test]
fn what_does_not_fit_the_queue_is_found_by_a_look() {
    let logs = Logs::new();
    let indexer = Indexer::start(logs.path());
    let path = logs.put("chat/1.json", &chat(1, "q", "a").to_string());
    for _ in 0..20_000 {
        indexer.wrote(&logs.path().join("chat/gone.json"));
    }
    indexer.wrote(&path);
    indexer.close(Duration::from_secs(60));
    assert_eq!(logs.open().0.count(&Filter::default()).unwrap(), 1);
}

#[test]
fn an_indexer_that_finds_damage_makes_the_index_anew() {
    let logs = Logs::new();
    for n in 0..50 {
        logs.put(&format!("chat/{n}.json"), &chat(n, "q", "a").to_string());
    }
    drop(logs.open());
    let mut text = fs::read(logs.database()).unwrap();
    let from = text.len() / 2 / 4096 * 4096;
    text[from..].fill(0x5a);
    fs::write(logs.database(), text).unwrap();
    let indexer = Indexer::start(logs.path());
    for n in 50..60 {
        indexer.wrote(&logs.put(&format!("chat/{n}.json"), &chat(n, "q", "a").to_string()));
    }
    indexer.close(Duration::from_secs(60));
    assert_eq!(logs.open().0.dump().unwrap(), logs.truth());
}

#[tokio::test]
async fn the_program_keeps_its_index_and_leaves_it_whole() {
    let upstream = Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
        connection.half_close().await;
    })
    .await;
    for (flags, is_kept) in [(&[][..], true), (&["--index=false"], false)] {
        let recorder = Setup::new(&upstream).with(flags).start().await;
        let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
        session.send(format!("GET /v1/engines/m/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"\r\n\r\nhello").await;
        session.close().await;
        recorder.records(1).await;
        let logs = recorder.setup.logs.clone();
        // The running program and a reader, at once.
        let (index, report) = Index::open(&logs, &mut |_| ()).unwrap();
        let count = || index.arrived(None).and_then(|_| index.count(&Filter::default())).unwrap();
        support::eventually("the record in the index", || (count() == 1).then_some(())).await;
        assert!(is_kept || report.rebuilt.is_some(), "the reader had to make it");
        drop(index);
        let (code, lines, setup) = recorder.terminate().await;
        assert_eq!(code, Some(0), "{}", lines.join("\n"));
        assert!(!lines.iter().any(|line| line.contains("the index is not")), "{}", lines.join("\n"));
        let (index, report) = Index::open(&setup.logs, &mut |_| ()).unwrap();
        assert_eq!((report.records, report.read, report.rebuilt), (1, 0, None));
        let dump = index.dump().unwrap();
        assert_eq!(dump, Index::rebuild(&setup.logs, &mut |_| ()).unwrap().0.dump().unwrap());
    }
}

/// This test binary again, as another process that runs one test.
fn another(test: &str, logs: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env("TEST_LOGS", logs);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

#[test]
#[ignore = "a part of the next one, in another process"]
fn a_process_that_records() {
    let Some(logs) = std::env::var_os("TEST_LOGS").map(PathBuf::from) else { return };
    let indexer = Indexer::start(&logs);
    for n in 0..400 {
        let draft = logs.join(".draft");
        let path = logs.join(format!("chat/{n}.json"));
        fs::write(&draft, chat(n, "q", "a").to_string()).unwrap();
        fs::rename(draft, &path).unwrap();
        indexer.wrote(&path);
    }
    indexer.close(Duration::from_secs(60));
}

#[test]
fn processes_share_the_index() {
    let logs = Logs::new();
    fs::create_dir(logs.path().join("chat")).unwrap();
    let mut recorder = another("a_process_that_records", logs.path());
    let mut rounds = 0;
    let began = Instant::now();
    while recorder.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(300) {
            recorder.kill().unwrap();
            panic!("the process that records did not end");
        }
        let (index, report) =
            if rounds % 5 == 4 { Index::rebuild(logs.path(), &mut |_| ()).unwrap() } else { logs.open() };
        let rows = index.list(&Filter::default(), &ALL).unwrap();
        assert!(rows.is_sorted_by_key(|row| (row.began, row.id.clone())));
        assert!(report.records <= rows.len() as u64);
        rounds += 1;
    }
    assert!(recorder.wait().unwrap().success());
    let dump = logs.open().0.dump().unwrap();
    assert_eq!(dump.iter().filter(|line| line.starts_with("exchange ")).count(), 400);
    assert_eq!(dump, logs.truth());
}

#[test]
fn of_many_the_first_ten_are_named_and_of_answers_the_newest() {
    let logs = Logs::new();
    for n in 1..=12 {
        let mut record = chat(n, "q", "a");
        let reply = record["response"]["content"].as_str().unwrap().replace(&format!("a-{n}\""), "same\"");
        record["response"]["content"] = json!(reply);
        logs.put(&format!("chat/{n}.json"), &record.to_string());
    }
    let (index, _) = logs.open();
    let Located::Several(rows) = index.find("0193").unwrap() else { panic!("several") };
    assert_eq!(ids(&rows), (1..=10).map(id).collect::<Vec<_>>());
    assert_eq!(index.answered("same").unwrap().map(|row| row.id), Some(id(12)));
    let slower = |slower_than| index.count(&Filter { slower_than: Some(slower_than), ..Filter::default() }).unwrap();
    assert_eq!((slower(10.4), slower(10.5)), (12, 0), "slower than, not as slow as");
}

#[test]
fn what_is_gone_is_found_by_no_word() {
    let logs = Logs::new();
    for (n, word) in [(1, "alpha"), (2, "beta")] {
        logs.put(&format!("chat/{n}.json"), &chat(n, word, "x").to_string());
    }
    let texts = || {
        let index = rusqlite::Connection::open(logs.database()).unwrap();
        index.query_row("SELECT count(*) FROM texts WHERE texts MATCH 'beta'", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((search(&logs.open().0, "beta"), texts()), (vec!["chat/2.json".to_owned()], 1));
    logs.remove("chat/2.json");
    assert_eq!((search(&logs.open().0, "beta"), texts()), (Vec::new(), 0), "what is deleted is not kept here");
}

#[test]
fn when_the_first_copy_goes_the_next_by_path_is_the_exchange() {
    let logs = Logs::new();
    let text = chat(1, "q", "a").to_string();
    for name in ["z.json", "b/1.json", "c/1.json"] {
        logs.put(name, &text);
    }
    let file = |index: &Index| index.list(&Filter::default(), &ALL).unwrap().remove(0).file;
    for (owner, next) in [("b/1.json", "c/1.json"), ("c/1.json", "z.json")] {
        assert_eq!(file(&logs.open().0), owner);
        logs.remove(owner);
        assert_eq!(file(&logs.open().0), next);
    }
    assert_eq!(logs.open().0.dump().unwrap(), logs.truth());
}

#[test]
fn a_copy_that_goes_is_no_arrival() {
    let logs = Logs::new();
    let text = chat(1, "q", "a").to_string();
    logs.put("a/1.json", &text);
    logs.put("b/1.json", &text);
    let (index, _) = logs.open();
    let (_, mark) = index.arrived(None).unwrap();
    logs.remove("b/1.json");
    assert_eq!(ids(&index.arrived(Some(mark)).unwrap().0), [""; 0]);
    assert_eq!(index.dump().unwrap(), logs.truth());
}

/// Twelve exchanges, three of which began at the same time.
fn twelve(logs: &Logs) {
    for n in 0..12 {
        let mut record = chat(n, &format!("a word and number{n}"), "fine");
        if (4..7).contains(&n) {
            record["timestamp"] = json!("2024-12-08T13:00:04.000000");
        }
        logs.put(&format!("chat/{n}.json"), &record.to_string());
    }
}

#[test]
fn pages_go_on_behind_a_row_both_ways_whatever_arrives_meanwhile() {
    let logs = Logs::new();
    twelve(&logs);
    let (index, _) = logs.open();
    let word = Filter { text: Some("word".into()), ..Filter::default() };
    let ann = Filter { users: vec!["ann".into()], ..Filter::default() };
    for filter in [Filter::default(), word, ann] {
        for oldest_first in [true, false] {
            let all = index.list(&filter, &Page { oldest_first, ..Page::default() }).unwrap();
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = Page { limit: Some(3), after, oldest_first, ..Page::default() };
                let rows = index.list(&filter, &page).unwrap();
                let Some(last) = rows.last() else { break };
                after = Some(Cursor::of(last).to_string().parse().unwrap());
                paged.extend(rows);
                assert!(paged.len() <= all.len(), "a page leads back");
            }
            assert_eq!(ids(&paged), ids(&all));
        }
        for max in 0..14 {
            let all = index.count(&filter).unwrap();
            assert_eq!(index.count_up_to(&filter, max).unwrap(), all.min(max));
        }
    }
    let all = index.list(&Filter::default(), &ALL).unwrap();
    for (at, row) in all.iter().enumerate() {
        let (newer, older) = index.neighbours(&Filter::default(), row).unwrap();
        assert_eq!((newer.as_ref(), older.as_ref()), (all.get(at + 1), at.checked_sub(1).map(|at| &all[at])));
    }
    let mine = Filter { users: vec!["-".into()], ..Filter::default() };
    let (newer, older) = index.neighbours(&mine, &all[4]).unwrap();
    assert_eq!((newer.unwrap().id, older.unwrap().id), (id(6), id(3)), "also beside a row that is none of them");
}

#[test]
fn a_session_is_what_lies_around_an_exchange() {
    let logs = Logs::new();
    for n in 0..10 {
        let mut record = chat(n, "question", "answer");
        if n < 6 {
            record["request"]["headers"]["VScode-SessionId"] = json!(if n == 3 { "other" } else { "one" });
        }
        let hours = if n == 9 { 15 } else { 13 };
        let seconds = [0, 1, 4, 9, 16, 25, 36, 49, 50, 59][n];
        record["timestamp"] = json!(format!("2024-12-08T{hours}:00:{seconds:02}.000000"));
        logs.put(&format!("chat/{n}.json"), &record.to_string());
    }
    let (index, _) = logs.open();
    let all = index.list(&Filter::default(), &ALL).unwrap();
    let session = |at: usize, limit| ids(&index.session_of(&all[at], limit).unwrap()).join(" ");
    let names = |numbers: &[usize]| numbers.iter().map(|n| id(*n)).collect::<Vec<_>>().join(" ");
    assert_eq!(session(2, 50), names(&[0, 1, 2, 4, 5]));
    assert_eq!(session(2, 3), names(&[0, 1, 2]), "the nearest in time");
    assert_eq!(session(3, 50), names(&[3]));
    assert_eq!(session(0, 0), names(&[0]));
    // 7 and 8 are Ann's without session; 6 is nobody's, and 9 is two hours later.
    assert_eq!((session(7, 50), session(6, 50), session(9, 9)), (names(&[7, 8]), names(&[6]), names(&[9])));
}

#[test]
fn an_interaction_is_all_its_requests() {
    let logs = Logs::new();
    let uuid = "1f0e8dad-99c4-4b60-9bf8-6a8e4a0e3b11";
    for n in 0..6 {
        let mut record = chat(n, "question", "answer");
        record["request"]["headers"]["X-Interaction-Id"] = json!(if n % 2 == 0 { uuid } else { "no uuid" });
        logs.put(&format!("chat/{n}.json"), &record.to_string());
    }
    let (index, _) = logs.open();
    let found = |interaction: &str| ids(&index.of_interaction(interaction).unwrap()).join(" ");
    assert_eq!(found(uuid), [id(0), id(2), id(4)].join(" "));
    assert_eq!(found("no uuid"), [id(1), id(3), id(5)].join(" "));
    assert_eq!(found("1F0E8DAD-99C4-4B60-9BF8-6A8E4A0E3B11"), "", "an id is compared as it was sent");
    assert_eq!(index.of_interaction(uuid).unwrap()[0].interaction.as_deref(), Some(uuid));
}

#[test]
fn there_is_to_choose_what_records_have() {
    let logs = Logs::new();
    twelve(&logs);
    let (index, _) = logs.open();
    assert_eq!(index.values(Field::User, 9).unwrap(), ["ann"]);
    assert_eq!(index.values(Field::Model, 9).unwrap(), ["gpt-x", "gpt-x-1"]);
    assert_eq!(index.values(Field::Model, 1).unwrap(), ["gpt-x"]);
    assert_eq!(index.values(Field::Editor, 9).unwrap(), ["vscode"]);
    assert_eq!(index.values(Field::Host, 9).unwrap(), ["api.githubcopilot.com"]);
    assert_eq!(index.values(Field::Language, 9).unwrap(), Vec::<String>::new());
    let mut late = chat(20, "late", "late");
    late["proxy-authorization"] = json!("bea");
    logs.put("chat/20.json", &late.to_string());
    index.refresh().unwrap();
    assert_eq!(index.values(Field::User, 9).unwrap(), ["ann", "bea"]);
}

#[test]
fn the_mark_moves_when_records_come_or_go_and_only_then() {
    let logs = Logs::new();
    twelve(&logs);
    let (index, _) = logs.open();
    let (other, _) = logs.open();
    let first = index.mark().unwrap();
    index.refresh().unwrap();
    assert_eq!((index.mark().unwrap(), other.mark().unwrap()), (first, first));
    logs.put("chat/x.json", &chat(50, "new", "new").to_string());
    index.refresh().unwrap();
    let second = index.mark().unwrap();
    assert!(second != first && other.mark().unwrap() == second);
    logs.remove("chat/x.json");
    index.refresh().unwrap();
    let third = index.mark().unwrap();
    assert!(third != first && third != second && other.mark().unwrap() == third);
    Index::rebuild(logs.path(), &mut |_| ()).unwrap();
    index.refresh().unwrap();
    assert!(![first, second, third].contains(&index.mark().unwrap()), "figures of another index are others");
}
