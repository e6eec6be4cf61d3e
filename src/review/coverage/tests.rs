use std::sync::Arc;

use super::*;
use crate::door::Pair;
use crate::index::{Endpoint, Index, Sighting, Sightings, Spoken};

const HOUR: i64 = 3_600_000_000;
const PROXY: &str = "proxy.individual.githubcopilot.com";

fn sighting(user: Option<&str>, editor: &str, kind: Kind, count: u64) -> Sighting {
    Sighting {
        user: user.map(str::to_owned),
        tid: None,
        client: Some("10.0.0.7".into()),
        editor: editor.split('/').next().map(str::to_owned),
        editor_version: editor.contains('/').then(|| editor.to_owned()),
        plugin: editor.contains('/').then(|| "copilot/1.2".to_owned()),
        kind,
        count,
        first: 10 * HOUR,
        last: 20 * HOUR,
    }
}

fn spoken(tid: &str, requests: u64, unknown: Option<u64>) -> Spoken {
    Spoken { user: None, tid: Some(tid.into()), count: 50, last: 21 * HOUR, requests, unknown }
}

fn entry(what: What, host: &str, count: u64, last: i64) -> Entry {
    Entry { what, host: host.into(), detail: "".into(), count, first: 10 * HOUR, last }
}

fn door(pairs: Vec<(Option<&str>, &str, Vec<Entry>)>) -> Door {
    let pair = |(user, client, entries): (Option<&str>, &str, Vec<Entry>)| {
        Arc::new(Pair { user: user.map(Into::into), client: client.parse().unwrap(), entries, dropped: 0 })
    };
    let pairs = pairs.into_iter().map(pair).collect();
    Door::Known(Contents { begun: HOUR, as_of: 30 * HOUR, pairs, dropped: 0, errors: Default::default() })
}

fn joined(seen: &Sightings, door: &Door) -> Coverage {
    coverage(seen, Some(5 * HOUR), Some(20 * HOUR), door)
}

/// The gaps of the one subject that a door book with these entries gives, of a user who has completions and telemetry.
fn gaps(entries: Vec<Entry>) -> Vec<(Gap, Weight)> {
    let seen = Sightings {
        clients: vec![sighting(Some("ann"), "vscode/1.9", Kind::Chat, 1)],
        events: vec![Spoken { user: Some("ann".into()), tid: None, ..spoken("", 0, Some(0)) }],
        ..Sightings::default()
    };
    let found = joined(&seen, &door(vec![(Some("ann"), "10.0.0.7", entries)]));
    assert_eq!(found.subjects.len(), 1);
    let found = found.subjects[0].findings.iter().map(|finding| (finding.gap, finding.weight));
    // Nobody signs in here: a test of its own.
    found.filter(|(gap, _)| *gap != Gap::NoSignIn).collect()
}

#[test]
fn somebody_with_everything_has_no_findings() {
    let seen = Sightings {
        clients: [Kind::Completions, Kind::Chat, Kind::Telemetry]
            .map(|kind| sighting(Some("ann"), "vscode/1.95.3", kind, 9))
            .to_vec(),
        events: vec![Spoken { user: Some("ann".into()), ..spoken("t", 40, Some(1)) }],
        owners: vec![("t".into(), "ann".into())],
        ..Sightings::default()
    };
    let entries = vec![
        entry(What::Opened, PROXY, 30, 20 * HOUR),
        entry(What::Unused, PROXY, 20, 20 * HOUR),
        entry(What::Opened, "api.individual.githubcopilot.com", 3, 20 * HOUR),
        entry(What::Opaque, "api.github.com", 3, 20 * HOUR),
        entry(What::Asked, "", 9, 20 * HOUR),
    ];
    let found = joined(&seen, &door(vec![(Some("ann"), "10.0.0.7", entries)]));
    let [ann] = &found.subjects[..] else { panic!("{found:?}") };
    assert_eq!(ann.findings, []);
    assert_eq!((&ann.who, ann.events), (&Who::User("ann".into()), Some((50, 21 * HOUR))));
    let [client] = &ann.clients[..] else { panic!("{ann:?}") };
    assert_eq!(client.editor.as_deref(), Some("vscode/1.95.3"));
    assert_eq!(client.kinds.len(), 3);
    assert_eq!(found.kinds(), [Kind::Completions, Kind::Telemetry, Kind::Chat]);
    assert_eq!(found.only("bob").subjects, []);
}

#[test]
fn what_happened_at_the_door_is_told_and_mended_by_what_came_later() {
    let refuses = |last| Entry { detail: "UnknownCA".into(), ..entry(What::Untrusted, PROXY, 4, last) };
    let opened = |last| entry(What::Opened, PROXY, 1, last);
    assert_eq!(gaps(vec![refuses(20 * HOUR)]), [(Gap::Untrusted, Weight::Bad)]);
    assert_eq!(gaps(vec![refuses(20 * HOUR), opened(19 * HOUR)])[0], (Gap::Untrusted, Weight::Bad));
    assert!(!gaps(vec![refuses(20 * HOUR), opened(21 * HOUR)]).iter().any(|(gap, _)| *gap == Gap::Untrusted));

    let left = || vec![entry(What::BrokenOff, PROXY, 2, 20 * HOUR)];
    assert_eq!(gaps(left()), [(Gap::LeavesAtCertificate, Weight::Warn)]);
    let node = vec![opened(20 * HOUR), entry(What::Unused, PROXY, 1, 20 * HOUR)];
    assert_eq!(gaps(node), [(Gap::LeavesAtCertificate, Weight::Warn)]);
    assert!(!gaps([left(), vec![opened(20 * HOUR)]].concat()).iter().any(|(gap, _)| *gap == Gap::LeavesAtCertificate));
    // As after a new CA: it worked, and has not since.
    let later = |first| vec![opened(19 * HOUR), Entry { first, ..entry(What::BrokenOff, PROXY, 2, 20 * HOUR) }];
    let leaves = |entries| gaps(entries).iter().any(|(gap, _)| *gap == Gap::LeavesAtCertificate);
    assert!(leaves(later(19 * HOUR + 1)));
    assert!(!leaves(later(18 * HOUR)), "some were broken off while it worked: chance");
    let once = Entry { first: 20 * HOUR, ..entry(What::BrokenOff, PROXY, 1, 20 * HOUR) };
    assert!(!leaves(vec![opened(19 * HOUR), once]));

    let why = |last| Entry { detail: "no answer".into(), ..entry(What::Unreachable, PROXY, 2, last) };
    assert_eq!(gaps(vec![why(20 * HOUR)]), [(Gap::Unreachable, Weight::Warn)]);
    assert_eq!(gaps(vec![why(20 * HOUR), opened(21 * HOUR)])[0], (Gap::Unreachable, Weight::Note));

    assert_eq!(gaps(vec![entry(What::Refused, "x.example.com", 1, 9 * HOUR)]), [(Gap::Refused, Weight::Warn)]);
    // Before the span that is looked at.
    assert_eq!(gaps(vec![entry(What::Refused, "x.example.com", 1, 4 * HOUR)]), []);
}

#[test]
fn hosts_of_copilot_that_are_not_opened() {
    let opaque = |host: &str| gaps(vec![entry(What::Opaque, host, 1, 20 * HOUR)]);
    for host in ["copilot-api.acme.ghe.com", "copilot.new-region.example.com"] {
        assert_eq!(opaque(host), [(Gap::OpaqueCopilot, Weight::Warn)], "{host}");
    }
    for host in ["github.com", "copilot-reports.github.com", "acme.ghe.com", "marketplace.visualstudio.com"] {
        assert_eq!(opaque(host), [], "{host}");
    }
}

#[test]
fn logins_that_fail_are_the_users_whose_name_was_given() {
    let failed = |name: &str, last| Entry { detail: name.into(), ..entry(What::LoginFailed, "", 3, last) };
    let at = "192.0.2.9";
    let strange = door(vec![(None, at, vec![failed("ann", 20 * HOUR), failed("", 20 * HOUR)])]);
    let found = joined(&Sightings::default(), &strange);
    let whose: Vec<_> = found.subjects.iter().map(|s| (s.who.clone(), s.findings[0].gap)).collect();
    assert_eq!(whose, [(Who::User("ann".into()), Gap::LoginFailed), (Who::Address(at.into()), Gap::LoginFailed)]);
    assert_eq!(found.subjects[0].findings[0].weight, Weight::Bad);
    assert_eq!(found.gravest(Weight::Bad), 2);

    let later = door(vec![
        (None, at, vec![failed("ann", 20 * HOUR)]),
        (Some("ann"), at, vec![entry(What::Opaque, "example.com", 1, 21 * HOUR)]),
    ]);
    assert_eq!(joined(&Sightings::default(), &later).subjects[0].findings[0].weight, Weight::Note);
}

#[test]
fn who_is_only_asked_for_credentials_sends_none() {
    let asked = door(vec![(None, "192.0.2.9", vec![entry(What::Asked, "", 34, 20 * HOUR)])]);
    let found = joined(&Sightings::default(), &asked);
    assert_eq!(found.subjects[0].findings[0].gap, Gap::NoCredentials);
    // Somebody is known there, who was only asked first.
    let seen = Sightings {
        clients: vec![Sighting { client: Some("192.0.2.9".into()), ..sighting(Some("ann"), "x/1", Kind::Chat, 1) }],
        ..Sightings::default()
    };
    let found = joined(&seen, &asked);
    assert_eq!((found.subjects.len(), found.subjects[0].findings.len()), (1, 0));
}

#[test]
fn an_address_that_several_share_is_nobodys() {
    let seen = Sightings {
        clients: [Some("ann"), Some("bob")].map(|user| sighting(user, "vscode/1.9", Kind::Chat, 1)).to_vec(),
        ..Sightings::default()
    };
    let refused = door(vec![(None, "10.0.0.7", vec![entry(What::Refused, "x", 1, 20 * HOUR)])]);
    let found = joined(&seen, &refused);
    let with: Vec<_> = found.subjects.iter().filter(|s| !s.findings.is_empty()).map(|s| s.who.label()).collect();
    assert_eq!(with, ["10.0.0.7"]);
}

#[test]
fn telemetry_that_is_missing_or_alone_or_of_others() {
    let ann = |kind| sighting(Some("ann"), "vscode/1.9", kind, 9);
    let only = |clients: Vec<Sighting>, events: Vec<Spoken>| {
        let owners = vec![("t".to_owned(), "ann".to_owned())];
        let found = joined(&Sightings { clients, events, owners, ..Sightings::default() }, &Door::Missing);
        assert_eq!(found.door_since, None);
        let [subject] = &found.subjects[..] else { panic!("{found:?}") };
        subject.findings.iter().map(|finding| finding.gap).collect::<Vec<_>>()
    };
    assert_eq!(only(vec![ann(Kind::Completions)], vec![]), [Gap::NoTelemetry]);
    assert_eq!(only(vec![ann(Kind::Nes)], vec![]), [Gap::NoTelemetry]);
    assert_eq!(only(vec![ann(Kind::Chat)], vec![]), []);
    assert_eq!(only(vec![ann(Kind::Completions)], vec![spoken("t", 40, Some(1))]), []);
    assert_eq!(only(vec![ann(Kind::Completions)], vec![spoken("t", 40, Some(10))]), [Gap::UnknownRequests]);
    assert_eq!(only(vec![ann(Kind::Completions)], vec![spoken("t", 40, None)]), [], "unknown stays unknown");
    assert_eq!(only(vec![ann(Kind::Telemetry)], vec![spoken("t", 40, Some(40))]), [Gap::OnlyTelemetry]);
    // Whose telemetry is at an address nobody knows.
    assert_eq!(only(vec![Sighting { user: None, ..ann(Kind::Completions) }], vec![]), []);
    assert_eq!(only(vec![], vec![Spoken { tid: None, ..spoken("", 40, Some(40)) }]), []);
}

#[test]
fn silence_of_the_door_says_something_only_where_the_book_tells_of_that_time() {
    let seen = Sightings {
        clients: vec![sighting(Some("ann"), "vscode/1.9", Kind::Completions, 9)],
        events: vec![Spoken { user: Some("ann".into()), ..spoken("t", 0, Some(0)) }],
        ..Sightings::default()
    };
    let entries = vec![entry(What::Opened, PROXY, 9, 20 * HOUR)];
    let book = door(vec![(Some("ann"), "10.0.0.7", entries)]);
    let gaps = |door: &Door| -> Vec<_> {
        joined(&seen, door).subjects[0].findings.iter().map(|finding| finding.gap).collect()
    };
    assert_eq!(gaps(&book), [Gap::NoApi, Gap::NoSignIn]);
    let Door::Known(contents) = book else { panic!() };
    assert_eq!(gaps(&Door::Known(Contents { begun: 15 * HOUR, ..contents })), []);
    let damaged = joined(&seen, &Door::Damaged("the door book is damaged".into()));
    assert_eq!(damaged.door_problem.as_deref(), Some("the door book is damaged"));
}

#[test]
fn endpoints_without_a_kind_are_listed_the_most_frequent_first() {
    let endpoint = |path: String, count| Endpoint {
        user: None,
        tid: Some("unknown".into()),
        host: "api.example.com".into(),
        path,
        count,
        last: HOUR,
    };
    let seen = Sightings {
        endpoints: (0..20)
            .map(|number| endpoint(format!("/{number}"), number))
            .chain([endpoint("/_ping".into(), 99)])
            .collect(),
        ..Sightings::default()
    };
    let found = joined(&seen, &Door::Missing);
    let finding = &found.subjects[0].findings[0];
    assert_eq!((finding.gap, finding.details.len(), finding.more), (Gap::UnknownEndpoints, 12, 8));
    assert_eq!(finding.details[0].text, "api.example.com/19");
    assert_eq!(found.subjects[0].who.label(), "tid:unknown");
}

#[test]
fn telemetry_belongs_to_the_latest_client_of_its_editor() {
    let version = |version: &str, last| Sighting { last, ..sighting(Some("ann"), version, Kind::Completions, 1) };
    let seen = Sightings {
        clients: vec![
            version("vscode/1.8", 11 * HOUR),
            version("vscode/1.9", 19 * HOUR),
            sighting(Some("ann"), "vscode", Kind::Telemetry, 4),
            sighting(Some("ann"), "Neovim", Kind::Telemetry, 5),
        ],
        ..Sightings::default()
    };
    let found = joined(&seen, &Door::Missing);
    let clients: Vec<_> =
        found.subjects[0].clients.iter().map(|c| (c.editor.as_deref().unwrap_or("-"), c.kinds.len())).collect();
    assert_eq!(clients, [("vscode/1.9", 2), ("Neovim", 1), ("vscode/1.8", 1)]);
}

#[test]
fn spans_have_names_and_begin_before_the_newest() {
    for (span, name, _) in Span::ALL {
        assert_eq!(Span::named(name), Some(span));
    }
    assert_eq!(Span::named("8d"), None);
    assert_eq!((Span::Week.begin(8 * 24 * HOUR), Span::All.begin(0)), (Some(24 * HOUR), None));
    assert_eq!(Span::Month.begin(i64::MIN), Some(i64::MIN));
}

#[test]
fn one_counts_and_the_others_get_what_was_counted_last() {
    let logs = tempfile::tempdir().unwrap();
    let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
    let cache = Cache::default();
    let (none, turn) = cache.kept(Span::Week);
    assert!(none.is_none());
    assert!(cache.kept(Span::Week).1.is_none(), "somebody counts");
    assert!(cache.kept(Span::Day).1.is_some());
    let seen = turn.unwrap().count(&index).unwrap();
    assert_eq!((seen.newest, seen.since), (None, None));
    let (kept, turn) = cache.kept(Span::Week);
    assert!(kept.is_some() && turn.is_none(), "it was counted a moment ago");
    // A turn that was given up is another's.
    drop(cache.kept(Span::Month).1);
    assert!(cache.kept(Span::Month).1.is_some());
}

#[test]
fn a_book_with_numbers_that_nobody_counts_to_is_joined() {
    let largest = |what, host| Entry { count: u64::MAX, first: i64::MIN, last: i64::MAX, ..entry(what, host, 0, 0) };
    let entries: Vec<_> = [What::Opened, What::Unused, What::Untrusted, What::LoginFailed, What::BrokenOff]
        .into_iter()
        .flat_map(|what| [largest(what, PROXY), largest(what, "api.individual.githubcopilot.com")])
        .collect();
    let contents = door(vec![(Some("ann"), "10.0.0.7", entries.clone()), (None, "10.0.0.8", entries)]);
    let found = joined(&Sightings::default(), &contents);
    assert_eq!(found.subjects.len(), 2);
    assert!(found.subjects.iter().all(|subject| subject.door_count(What::Opened) == u64::MAX));
}
