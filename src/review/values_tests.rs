use super::*;

/// 2026-11-21 09:30 in a place an hour east of UTC.
fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-21T09:30:00+01:00").unwrap()
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
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

#[test]
fn what_figures_are_split_by() {
    for (name, wanted) in BY {
        assert_eq!((by(name), by_name(wanted)), (Ok(wanted), name));
    }
    assert_eq!(by(" day "), Ok(By::Day));
    assert!(by("week").unwrap_err().contains("language"));
    assert!(editor("vscode/1.95.3").unwrap_err().contains("such as vscode"));
    assert_eq!(editor("vscode"), Ok("vscode".to_owned()));
}

#[test]
fn clocks() {
    for (text, minutes) in [("Z", 0), ("utc", 0), ("+01:00", 60), ("-05:30", -330)] {
        assert_eq!(utc_offset(text).map(|offset| offset.local_minus_utc() / 60), Ok(minutes), "{text}");
    }
    for text in ["+1", "01:00", "+25:00", "+0100", "CET", ""] {
        assert!(utc_offset(text).is_err(), "{text}");
    }
}
