//! Body of the fuzz target, callable from a plain test.

use super::{Door, Span, coverage};
use crate::door;
use crate::index::{Endpoint, Sighting, Sightings, Spoken};
use crate::rules::Kind;

/// Reads any bytes as a door book and joins it with what was seen of a user and of somebody unknown.
///
/// # Panics
/// When the book is not bounded like one of ours, or when somebody of whom it tells is missing or told wrongly.
#[doc(hidden)]
pub fn fuzz_door(data: &[u8]) {
    let Some(contents) = door::fuzz::book(data) else { return };
    let seen = seen();
    let door = Door::Known(contents);
    for (span, ..) in Span::ALL {
        let since = span.begin(LAST);
        let found = coverage(&seen, since, Some(LAST), &door);
        for subject in &found.subjects {
            assert!(subject.findings.is_sorted_by_key(|finding| (finding.weight, finding.gap)), "gravest first");
            let told = subject.findings.iter().flat_map(|finding| &finding.details);
            told.for_each(|detail| assert!(!detail.text.contains(char::is_control), "{detail:?}"));
            assert!(subject.door.iter().all(|entry| entry.last >= since.unwrap_or(i64::MIN)), "before the span");
            let _ = (subject.last(), subject.who.label());
        }
        for pair in door.contents().into_iter().flat_map(|contents| &contents.pairs) {
            let shown = pair.entries.iter().any(|entry| entry.last >= since.unwrap_or(i64::MIN));
            let is_there = found.subjects.iter().any(|subject| subject.addresses.contains(&pair.client));
            assert!(is_there || !shown, "{pair:?}");
        }
    }
}

/// When the newest record began.
const LAST: i64 = 1_700_000_000_000_000;

fn seen() -> Sightings {
    let sighting = |user: Option<&str>, client: &str, kind| Sighting {
        user: user.map(str::to_owned),
        tid: None,
        client: Some(client.to_owned()),
        editor: Some("vscode".to_owned()),
        editor_version: Some("vscode/1.95.3".to_owned()),
        plugin: None,
        kind,
        count: 9,
        first: LAST - 1,
        last: LAST,
    };
    Sightings {
        clients: vec![
            sighting(Some("ann"), "192.0.2.7", Kind::Completions),
            sighting(Some("ann"), "192.0.2.7", Kind::Chat),
            sighting(None, "192.0.2.8", Kind::Telemetry),
        ],
        endpoints: vec![Endpoint {
            user: Some("ann".to_owned()),
            tid: None,
            host: "api.example.com".to_owned(),
            path: "/x".to_owned(),
            count: 9,
            last: LAST,
        }],
        events: vec![Spoken {
            user: Some("ann".to_owned()),
            tid: None,
            count: 9,
            last: i64::MAX,
            requests: 40,
            unknown: Some(3),
        }],
        ..Sightings::default()
    }
}
