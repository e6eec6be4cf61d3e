use clap::Parser;

use super::super::output::width;
use super::*;
use crate::figures::{Percentiles, Persistence, Spread};
use crate::rules::Kind;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    stats: StatsArgs,
}

fn query(words: &[&str]) -> Result<Query, CliError> {
    let now = DateTime::parse_from_rfc3339("2026-11-20T23:30:00Z").unwrap().to_utc();
    Cli::try_parse_from(["stats"].iter().chain(words)).unwrap().stats.query(&now)
}

fn utc(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}

#[test]
fn days_are_those_of_the_clock_that_was_asked_for() {
    let asked = query(&["--by", "day", "--since", "today", "--until", "2026-11-22", "--utc-offset", "+01:00"]).unwrap();
    assert_eq!((asked.by, asked.offset_minutes), (Some(By::Day), 60));
    assert_eq!((asked.since, asked.until), (utc("2026-11-20T23:00:00Z"), utc("2026-11-21T23:00:00Z")));
    let asked = query(&["--since", "today", "--utc-offset", "-05:30"]).unwrap();
    assert_eq!((asked.by, asked.offset_minutes, asked.since), (None, -330, utc("2026-11-20T05:30:00Z")));
    let asked = query(&["--since", "today", "--kind", "chat,telemetry", "--editor", "vscode"]).unwrap();
    assert_eq!((asked.offset_minutes, asked.since), (0, utc("2026-11-20T00:00:00Z")));
    assert_eq!((asked.kinds, asked.editors), (vec![Kind::Chat, Kind::Telemetry], vec!["vscode".to_owned()]));
}

#[test]
fn wrong_values_are_errors_of_usage() {
    let error = query(&["--since", "soon"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.message().unwrap().starts_with("--since \"soon\": write a date"), "{error:?}");
    let error = query(&["--editor", "vscode/1.95.3"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let wrong = Cli::try_parse_from(["stats", "--utc-offset", "CET"]).unwrap_err();
    assert_eq!(wrong.exit_code(), 2);
    assert!(Cli::try_parse_from(["stats", "--by", "week"]).unwrap_err().to_string().contains("language"));
}

fn known(group: &str) -> Figures {
    let latency = |p50| Percentiles { n: 1_000, p50: Some(p50), p90: Some(p50 * 2.0), p99: Some(p50 * 5.0) };
    Figures {
        group: group.into(),
        requests: 1_234,
        speculative: 10,
        cancelled: Some(200),
        errors: 3,
        noise: 40,
        active_users: Some(2),
        suggestion_users: 2,
        telemetry_users: 1,
        shown: Some(400),
        accepted: Some(100),
        lines_shown: Some(800),
        lines_accepted: Some(150),
        chars_shown: Some(20_000),
        chars_accepted: Some(5_000),
        persistence: vec![
            Persistence { after: 15, known: 90, still: Some(81) },
            Persistence { after: 600, known: 0, still: None },
        ],
        nes_shown: Some(0),
        nes_accepted: Some(0),
        first_byte: latency(120.0),
        first_token: Percentiles::default(),
        total: latency(300.4),
        server: latency(100.0),
        network: latency(-1.6),
        client_side: latency(5.0),
        spread: Spread::default(),
        tokens_in: Some(1_000_000),
        tokens_cached: Some(0),
        tokens_out: None,
        tokens_known: 900,
        turns: Some(12),
        follow_ups: Some(30),
        turns_unknown: 1,
    }
}

fn drawn(rows: &[(&Figures, bool)]) -> String {
    tables::tables(rows, &Look::default())
}

#[test]
fn the_figures_for_a_person() {
    let off = Figures {
        group: "bob\x1b[2J".into(),
        requests: 5,
        suggestion_users: 1,
        turns_unknown: 4,
        ..Figures::default()
    };
    let idle = Figures { group: "eve".into(), turns: Some(0), follow_ups: Some(0), ..Figures::default() };
    let text = drawn(&[(&known("ann"), false), (&off, false), (&idle, false), (&known("total"), true)]);
    assert_eq!(
        text,
        "\
Requests
GROUP         REQUESTS  SPECULATIVE  CANCELLED  ERRORS  NOISE  ACTIVE USERS
ann              1,234           10        200       3     40             2
bob\\u{1b}[2J         5            0          ?       0      0             ?
eve                  0            0          -       0      0             -
total            1,234           10        200       3     40             2

Suggestions, as telemetry tells (TELEMETRY: users of whom it is known)
GROUP         TELEMETRY  SHOWN  ACCEPTED    RATE  NEXT EDITS SHOWN  ACCEPTED  RATE
ann              1 of 2    400       100  25.0 %                 0         0     -
bob\\u{1b}[2J     0 of 1      ?         ?       ?                 ?         ?     ?
eve                   -      -         -       -                 -         -     -
total            1 of 2    400       100  25.0 %                 0         0     -

Suggestions by size
GROUP         LINES SHOWN  ACCEPTED    RATE  CHARACTERS SHOWN  ACCEPTED    RATE
ann                   800       150  18.8 %            20,000     5,000  25.0 %
bob\\u{1b}[2J            ?         ?       ?                 ?         ?       ?
eve                     -         -       -                 -         -       -
total                 800       150  18.8 %            20,000     5,000  25.0 %

Still in the code after, of the accepted that were looked at then
GROUP                 15 S  30 S  2 MIN  5 MIN  10 MIN
ann           90.0 % of 90     ?      ?      ?       ?
bob\\u{1b}[2J             ?     ?      ?      ?       ?
eve                      -     -      -      -       -
total         90.0 % of 90     ?      ?      ?       ?

Latency at the proxy in ms: p50/p90/p99, of N
GROUP          FIRST BYTE      N  FIRST TOKEN  N         TOTAL      N
ann           120/240/600  1,000            ?  0  300/601/1502  1,000
bob\\u{1b}[2J            -      0            -  0             -      0
eve                     -      0            -  0             -      0
total         120/240/600  1,000            ?  0  300/601/1502  1,000

Where the first byte's time went in ms: p50/p90/p99, of N
GROUP              SERVER      N   NETWORK      N  CLIENT SIDE      N
ann           100/200/500  1,000  -2/-3/-8  1,000      5/10/25  1,000
bob\\u{1b}[2J            -      0         -      0            -      0
eve                     -      0         -      0            -      0
total         100/200/500  1,000  -2/-3/-8  1,000      5/10/25  1,000

Tokens, and turns of chats
GROUP                IN  CACHED  OUT  OF REQUESTS  TURNS  FOLLOW-UPS  UNKNOWN
ann           1,000,000       0    ?          900     12          30        1
bob\\u{1b}[2J          ?       ?    ?            0      ?           ?        4
eve                   -       -    -            0      0           0        0
total         1,000,000       0    ?          900     12          30        1

? unknown (not zero), - nothing to know; see docs/figures.md
"
    );
}

#[test]
fn a_hundred_columns_are_enough_for_large_numbers_and_long_names() {
    let large = |value: &mut Option<u64>| *value = Some(123_456_789);
    let mut figures = known("somebody-with-a-rather-long-name@corp.example.com");
    figures.requests = 12_345_678;
    for value in [
        &mut figures.shown,
        &mut figures.accepted,
        &mut figures.lines_shown,
        &mut figures.lines_accepted,
        &mut figures.chars_shown,
        &mut figures.chars_accepted,
        &mut figures.tokens_in,
        &mut figures.tokens_cached,
        &mut figures.tokens_out,
    ] {
        large(value);
    }
    for times in [&mut figures.first_byte, &mut figures.first_token, &mut figures.total] {
        *times = Percentiles { n: 1_234_567, p50: Some(1_234.0), p90: Some(12_345.0), p99: Some(99_999.0) };
    }
    let text = drawn(&[(&figures, false), (&figures, true)]);
    for line in text.lines() {
        assert!(width(line) <= 100, "{}: {line}", width(line));
    }
}

#[test]
fn the_total_alone_has_no_group_and_no_needless_legend() {
    let text = drawn(&[(&known("total"), true)]);
    assert!(text.starts_with("Requests\n       REQUESTS  SPECULATIVE"), "{text}");
    assert!(text.contains("\ntotal     1,234           10"), "{text}");
}

#[test]
fn nothing_to_know_is_told_from_unknown() {
    let figures = |first_byte: Percentiles, accepted, known_shares| Figures {
        accepted,
        first_byte,
        total: Percentiles::default(),
        persistence: known_shares,
        ..known("ann")
    };
    let one = Percentiles { n: 1, p50: Some(1.0), p90: Some(1.0), p99: Some(1.0) };
    let row = |figures: &Figures, section: &str| {
        let text = drawn(&[(figures, true)]);
        let at = text.find(section).unwrap_or_else(|| panic!("{section} in {text}"));
        let line = text[at..].lines().nth(2).unwrap_or_default();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    // An answer came, so that its other times are unknown; where none came there is nothing to know.
    assert_eq!(row(&figures(one, Some(0), Vec::new()), "Latency at"), ["1/1/1", "1", "?", "0", "?", "0"]);
    let none = figures(Percentiles::default(), Some(0), Vec::new());
    assert_eq!(row(&none, "Latency at"), ["-", "0", "-", "0", "-", "0"]);
    assert_eq!(row(&none, "Still in the code"), ["-"; 5], "nothing was accepted");
    assert_eq!(row(&figures(one, Some(1), Vec::new()), "Still in the code"), ["?"; 5]);
}
