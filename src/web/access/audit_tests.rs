use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::*;
use crate::auth::{Account, Roles};

const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn viewer(name: &str) -> Viewer {
    Viewer::of(&Account { name: name.into(), roles: Roles::OWN, tie: [0; 32] }, FROM)
}

fn seen(id: &str, of: Option<&str>) -> Seen {
    Seen { id: id.to_owned(), of: of.map(str::to_owned) }
}

/// All lines of the log, without their times, which must be of now.
fn written(logs: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    let Ok(files) = fs::read_dir(logs.join("audit")) else { return lines };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let mut line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let at = line.as_object_mut().unwrap().remove("at").unwrap();
            let at = DateTime::parse_from_rfc3339(at.as_str().unwrap()).unwrap();
            assert!((Utc::now() - at.to_utc()).num_seconds().abs() < 3600, "{at}");
            lines.push(line);
        }
    }
    lines
}

#[tokio::test]
async fn a_look_at_records_of_others_is_written_and_at_ones_own_is_not() {
    let logs = tempfile::tempdir().unwrap();
    let audit = Audit::below(logs.path(), true);
    audit.look(&viewer("ann"), "body", vec![seen("own", Some("ann"))], None).await.unwrap();
    assert!(!logs.path().join("audit").exists(), "no look, no folder");

    audit.look(&viewer("ann"), "exchange", vec![seen("1", Some("bob"))], None).await.unwrap();
    let hits = vec![seen("2", None), seen("3", Some("bob")), seen("own", Some("ann")), seen("4", Some("bob"))];
    audit.look(&viewer("ann"), "search", hits, Some("pass\nword")).await.unwrap();
    let nobody = Viewer::anybody("::ffff:127.0.0.1".parse().unwrap());
    audit.look(&nobody, "har", vec![seen("5", Some("ann")), seen("6", None)], None).await.unwrap();

    let from = "192.0.2.7";
    assert_eq!(
        written(logs.path()),
        [
            json!({"who": "ann", "from": from, "what": "exchange", "ids": ["1"], "of": "bob"}),
            json!({"who": "ann", "from": from, "what": "search", "ids": ["2"], "of": null, "query": "pass\nword"}),
            json!({"who": "ann", "from": from, "what": "search", "ids": ["3", "4"], "of": "bob", "query": "pass\nword"}),
            json!({"who": null, "from": "127.0.0.1", "what": "har", "ids": ["6"], "of": null}),
            json!({"who": null, "from": "127.0.0.1", "what": "har", "ids": ["5"], "of": "ann"}),
        ]
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = logs.path().join("audit");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    assert_eq!(file.file_name().unwrap().len(), "2026-11-21.jsonl".len());
}

#[tokio::test]
async fn hostile_names_stay_in_their_line_and_long_ones_are_cut() {
    let logs = tempfile::tempdir().unwrap();
    let audit = Audit::below(logs.path(), true);
    let name = "eve\n{\"who\":\"bob\"}\r\u{2028}\u{1b}[2J\0\"\\";
    let long = "ä".repeat(5000);
    let records = (0..2500).map(|n| seen(&n.to_string(), Some(name))).collect();
    audit.look(&viewer(name), "search", records, Some(&long)).await.unwrap();
    let records = vec![seen("1", Some("someone")), seen("2", Some(name))];
    audit.look(&viewer("ann"), "search", records, Some(&long)).await.unwrap();
    let lines = written(logs.path());
    assert_eq!(lines.len(), 2, "the first were eve's own");
    assert_eq!((&lines[0]["of"], &lines[1]["of"]), (&json!(name), &json!("someone")));
    assert_eq!(lines[0]["query"], "ä".repeat(1000));

    let records = (0..2500).map(|n| seen(&n.to_string(), None)).collect();
    audit.look(&viewer("ann"), "export", records, None).await.unwrap();
    let ids = written(logs.path())[2..].iter().map(|line| line["ids"].as_array().unwrap().len()).collect::<Vec<_>>();
    assert_eq!(ids, [1000, 1000, 500]);
}

#[tokio::test]
async fn without_a_line_there_is_no_look_where_a_login_is_asked() {
    let logs = tempfile::tempdir().unwrap();
    // A file where the folder should be stops also those who may write anywhere.
    fs::write(logs.path().join("audit"), "").unwrap();
    let bob = || vec![seen("1", Some("bob"))];
    let strict = Audit::below(logs.path(), true);
    let refused = strict.look(&viewer("ann"), "body", bob(), None).await.unwrap_err();
    assert!(refused.to_string().starts_with("The audit log cannot be written, so no contents are shown: "));
    assert!(strict.trouble().is_some());
    strict.look(&viewer("bob"), "body", bob(), None).await.expect("one's own needs no line");

    let lenient = Audit::below(logs.path(), false);
    assert_eq!(lenient.trouble(), None);
    lenient.look(&viewer("ann"), "body", bob(), None).await.unwrap();
    assert_eq!(lenient.trouble(), strict.trouble());

    fs::remove_file(logs.path().join("audit")).unwrap();
    strict.look(&viewer("ann"), "body", bob(), None).await.unwrap();
    assert_eq!(strict.trouble(), None);
    assert_eq!(written(logs.path()).len(), 1);

    let nowhere = Audit::below(&logs.path().join("none"), true);
    nowhere.look(&viewer("ann"), "body", bob(), None).await.unwrap_err();
    assert!(!logs.path().join("none").exists());
}

#[test]
fn a_line_that_was_cut_off_does_not_spoil_the_next() {
    let logs = tempfile::tempdir().unwrap();
    let folder = logs.path().join("audit");
    let now = Utc::now();
    append(&folder, &["{\"a\":1}\n".into()], now).unwrap();
    let file = folder.join(now.format("%Y-%m-%d.jsonl").to_string());
    let mut text = fs::read(&file).unwrap();
    text.extend(b"{\"cut");
    fs::write(&file, text).unwrap();
    append(&folder, &["{\"b\":2}\n".into(), "{\"c\":3}\n".into()], now).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"a\":1}\n{\"cut\n{\"b\":2}\n{\"c\":3}\n");
}

#[tokio::test]
async fn looks_at_the_same_time_are_all_written() {
    let logs = tempfile::tempdir().unwrap();
    let audits = [Audit::below(logs.path(), true), Audit::below(logs.path(), true)];
    let looks: Vec<_> = (0..100)
        .map(|n| {
            let audit = audits[n % 2].clone();
            tokio::spawn(
                async move { audit.look(&viewer("ann"), "body", vec![seen(&n.to_string(), None)], None).await },
            )
        })
        .collect();
    for look in looks {
        look.await.unwrap().unwrap();
    }
    let ids: std::collections::HashSet<_> =
        written(logs.path()).iter().map(|line| line["ids"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 100);
}

#[tokio::test]
async fn what_reads_records_does_not_see_the_log() {
    let logs = tempfile::tempdir().unwrap();
    let audit = Audit::below(logs.path(), true);
    audit.look(&viewer("ann"), "body", vec![seen("1", None)], None).await.unwrap();
    // Also not should somebody turn it into JSON.
    fs::write(logs.path().join("audit/2026-11-21.json"), "{}").unwrap();
    fs::write(logs.path().join(".pseudonyms.key"), [7; 32]).unwrap();
    let mut found = 0;
    crate::archive::walk(logs.path(), &mut |_| found += 1).unwrap();
    assert_eq!(found, 0);
}
