use std::fs;
use std::path::Path;

use super::*;
use crate::index::Cursor;

/// Two and a half dozen exchanges, many of one time, some of which have a word; they came in the order of their names,
/// which is not that of their times.
fn write(logs: &Path) {
    fs::create_dir(logs.join("chat")).unwrap();
    for n in 0..30_u32 {
        let second = [3, 3, 3, 9, 7, 1][n as usize % 6] + n / 10;
        let words = format!("{} {}", if n % 3 == 0 { "needle" } else { "hay" }, if n < 6 { "early" } else { "late" });
        let body = serde_json::json!({"model": "gpt-x", "messages": [{"role": "user", "content": words}]});
        let record = serde_json::json!({
            "proxy-authorization": if n % 2 == 0 { "ann" } else { "bob" },
            "timestamp": format!("2024-12-08T13:00:{second:02}.000000"), "proxy-time-consumed": "10.0ms",
            "request": {"url": "https://api.githubcopilot.com/chat/completions", "method": "POST", "headers": {},
                "content": body.to_string()},
            "response": {"status_code": 200, "headers": {}, "content": "{}"},
            "recorder": {"schema": 1, "id": format!("0193a6d1-4f2b-7000-8000-{n:012}"), "kind": "chat", "rule": "chat",
                "complete": true, "aborted_by": null, "timings": {}, "chunks": []},
        });
        fs::write(logs.join(format!("chat/{n:02}.json")), record.to_string()).unwrap();
    }
}

#[test]
fn stretches_find_what_a_walk_finds() {
    let logs = tempfile::tempdir().unwrap();
    write(logs.path());
    let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
    let every = index.list(&Filter::default(), &Page::default()).unwrap();
    assert_eq!(every.len(), 30);
    let mut compared = 0;
    for (text, users, since) in [
        ("needle", vec![], None),
        ("needle ", vec!["bob".to_owned()], None),
        ("early", vec![], None),
        ("late hay", vec![], Some(every[20].began)),
        ("nowhere", vec![], None),
        ("?!", vec![], None),
    ] {
        let filter = Filter { text: Some(text.into()), users, since, ..Filter::default() };
        let afters = every.iter().map(|row| Some(Cursor::of(row))).chain([None]);
        for (after, lengths) in afters.flat_map(|after| [[1, 2, 3], [2, 5, 9], [4, 4, 100]].map(|all| (after, all))) {
            for (oldest_first, limit) in [(false, 3), (true, 3), (false, 100), (true, 1)] {
                let page = Page { limit: Some(limit), after, offset: 0, oldest_first };
                let Condition { sql, values } = statements::list(&filter, &page, Way::Walk);
                let walked = index.rows(&sql, &values).unwrap();
                let found = index.list_by(&filter, &page, limit, &lengths).unwrap();
                assert_eq!(found, walked, "{filter:?} {page:?} {lengths:?}");
                compared += found.len();
            }
            let all = index.count(&filter).unwrap();
            for max in [1, 4, 100] {
                assert_eq!(index.count_stretches(&filter, max, &lengths).unwrap(), all.min(max), "{filter:?} {max}");
                assert_eq!(index.count_by_stretches(&filter, max).unwrap(), all.min(max), "{filter:?} {max}");
            }
        }
    }
    assert!(compared > 1_000, "{compared} rows");
}
