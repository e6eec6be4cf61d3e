use std::fs;

use super::*;
use crate::index::testing::row;

const RECORD: &str = r#"{"proxy-authorization": "alice", "timestamp": "2026-03-02T08:00:00.000000", "proxy-time-consumed": "1ms",
    "request": {"url": "https://a.example/chat/completions", "method": "POST", "headers": {},
        "content": "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"},
    "response": {"status_code": 200, "headers": {}, "content": "data: [DONE]\n\n"},
    "recorder": {"schema": 1, "id": "0193a6d1-0000-7000-8000-000000000001", "kind": "chat", "rule": "chat"}}"#;

fn folder(text: &[u8]) -> (tempfile::TempDir, Row) {
    let logs = tempfile::tempdir().unwrap();
    fs::create_dir(logs.path().join("chat")).unwrap();
    fs::write(logs.path().join("chat/a.json"), text).unwrap();
    (logs, Row { file: "chat/a.json".into(), ..row() })
}

#[test]
fn a_file_is_read_once_and_understood() {
    let (logs, row) = folder(RECORD.as_bytes());
    let file = RecordFile::read(logs.path(), &row).unwrap();
    assert_eq!((file.text.as_slice(), file.record.user.as_deref()), (RECORD.as_bytes(), Some("alice")));
    assert_eq!(file.path, logs.path().join("chat/a.json"));
    let (prompt, answer) = understood(&file.record);
    assert_eq!(prompt.unwrap().turns[0].role, "user");
    assert!(answer.is_none_or(|answer| answer.choices.is_empty()));
    assert_eq!(file_json(&file.record, &file.text)["recorder"]["kind"], "chat");
}

#[test]
fn gone_and_damaged_are_told_apart() {
    let (logs, row) = folder(&RECORD.as_bytes()[..100]);
    let error = RecordFile::read(logs.path(), &row).unwrap_err();
    assert!(matches!(&error, SubjectError::Unreadable { why: Unreadable::Cut, .. }), "{error:?}");
    assert!(error.to_string().ends_with("chat/a.json is cut off: it ends in the middle of its JSON"), "{error}");
    fs::remove_file(logs.path().join("chat/a.json")).unwrap();
    let error = RecordFile::read(logs.path(), &row).unwrap_err();
    assert!(matches!(&error, SubjectError::Gone { .. }), "{error:?}");
    fs::create_dir(logs.path().join("chat/a.json")).unwrap();
    let error = RecordFile::read(logs.path(), &row).unwrap_err();
    assert!(matches!(&error, SubjectError::Unreadable { .. }), "a folder is there: {error:?}");
    fs::remove_dir_all(logs.path().join("chat")).unwrap();
    assert!(matches!(RecordFile::read(logs.path(), &row), Err(SubjectError::Gone { .. })));
}

#[test]
fn an_exchange_is_gathered_with_what_stands_around_it() {
    let (logs, _) = folder(RECORD.as_bytes());
    let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
    let crate::index::Located::One(row) = index.find("0193a6d1-0000").unwrap() else { panic!("it is not there") };
    let subject = Subject::gather(&index, *row).unwrap();
    assert_eq!(subject.prompt.as_ref().map(|prompt| prompt.turns.len()), Some(1));
    assert!(
        subject.events.is_empty() && subject.previous.is_none() && subject.next.is_empty() && subject.batch.is_none()
    );
    let json: serde_json::Value = serde_json::from_str(&subject.json(RECORD.as_bytes()).unwrap()).unwrap();
    assert_eq!((&json["row"]["user"], &json["record"]["proxy-authorization"]), (&"alice".into(), &"alice".into()));
}
