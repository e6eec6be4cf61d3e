use chrono::FixedOffset;
use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    filter: FilterArgs,
}

fn filter(words: &[&str]) -> Filter {
    Cli::try_parse_from(["x"].iter().chain(words)).unwrap().filter.filter()
}

fn refusal(words: &[&str]) -> String {
    let error = Cli::try_parse_from(["x"].iter().chain(words)).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

/// 2026-11-21 09:30 in a place an hour east of UTC.
fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-21T09:30:00+01:00").unwrap()
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

#[test]
fn nothing_given_asks_for_all() {
    assert_eq!(filter(&[]), Filter::default());
    assert_eq!(filter(&["--text", "  "]), Filter::default());
}

#[test]
fn lists_are_repeated_or_separated_by_commas() {
    let asked = filter(&[
        "--kind",
        "chat,nes",
        "--kind",
        "completions",
        "--user",
        "ann,-",
        "--host",
        "*.Example.com",
        "--status",
        "200,4xx,none",
        "--model",
        "m-1",
        "--language",
        "rust, c",
        "--editor",
        "vscode/1.95.3",
        "--slower-than",
        "2s",
        "--cancelled",
        "--failed",
        "--text",
        "a, b",
    ]);
    let wanted = Filter {
        kinds: vec![Kind::Chat, Kind::Nes, Kind::Completions],
        users: vec!["ann".into(), "-".into()],
        hosts: vec!["*.example.com".into()],
        statuses: vec![200, 4, 0],
        models: vec!["m-1".into()],
        languages: vec!["rust".into(), "c".into()],
        editors: vec!["vscode/1.95.3".into()],
        since: None,
        until: None,
        slower_than: Some(2000.0),
        cancelled: true,
        failed: true,
        text: Some("a, b".into()),
    };
    assert_eq!(asked, wanted);
}

#[test]
fn a_wrong_value_is_named_with_what_is_allowed() {
    for (words, allowed) in [
        (["--kind", "chats"], "there are completions, telemetry"),
        (["--status", "99"], "a class such as 4xx"),
        (["--status", "xxx"], "a class such as 4xx"),
        (["--status", "0xx"], "a class such as 4xx"),
        (["--status", "0"], "or none"),
        (["--host", "a*b"], "*.example.com"),
        (["--slower-than", "long"], "1.5s"),
        (["--slower-than", "NaN"], "1.5s"),
        (["--since", "tomorrow"], "yesterday or now"),
        (["--until", "2026-13-01"], "yesterday or now"),
        (["--user", ""], "it is empty"),
    ] {
        let said = refusal(&words);
        assert!(said.contains(allowed) && said.contains(&format!("'{}'", words[1])), "{said}");
    }
}

#[test]
fn spans_of_time() {
    for (text, wanted) in [("300", 300.0), ("300ms", 300.0), ("2s", 2e3), ("1.5 s", 1500.0), ("1m", 6e4), ("0", 0.0)] {
        assert_eq!(millis(text), Ok(wanted), "{text}");
    }
    for text in ["", "s", "-1", "1h2", "1e400", "inf", "3 parsecs"] {
        assert!(millis(text).is_err(), "{text}");
    }
}

#[test]
fn points_in_time() {
    for (text, wanted) in [
        ("now", "2026-11-21T08:30:00Z"),
        ("today", "2026-11-20T23:00:00Z"),
        ("yesterday", "2026-11-19T23:00:00Z"),
        ("90m", "2026-11-21T07:00:00Z"),
        ("12h", "2026-11-20T20:30:00Z"),
        ("7d", "2026-11-14T08:30:00Z"),
        ("2w", "2026-11-07T08:30:00Z"),
        ("30s", "2026-11-21T08:29:30Z"),
        ("2026-11-20", "2026-11-19T23:00:00Z"),
        ("2026-11-20T10:00", "2026-11-20T09:00:00Z"),
        ("2026-11-20 10:00", "2026-11-20T09:00:00Z"),
        ("2026-11-20t10:00", "2026-11-20T09:00:00Z"),
        ("2026-11-20T10:00:05", "2026-11-20T09:00:05Z"),
        ("2026-11-20T10:00:05.25", "2026-11-20T09:00:05.25Z"),
        ("2026-11-20T10:00Z", "2026-11-20T10:00:00Z"),
        ("2026-11-20T10:00:05Z", "2026-11-20T10:00:05Z"),
        ("2026-11-20T10:00-05:00", "2026-11-20T15:00:00Z"),
        ("2026-11-20T10:00:05+0530", "2026-11-20T04:30:05Z"),
    ] {
        assert_eq!(when(text, &now()), Ok(utc(wanted)), "{text}");
    }
}

#[test]
fn what_is_no_time() {
    for text in [
        "",
        "d",
        "-1d",
        "1",
        "1y",
        "99999999999999d",
        "2026-11-31",
        "10:00",
        "2026-11-20T25:00",
        "2026-11-20T10:00+99:00",
        "é",
    ] {
        assert!(when(text, &now()).is_err(), "{text}");
    }
}
