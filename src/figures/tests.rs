//! Each definition of `docs/figures.md`, by hand.

use proptest::prelude::*;

use super::*;
use crate::archive::AbortedBy;
use crate::copilot::noise::Noise;
use crate::index::{EventFact, Initiator, RequestFact};
use crate::rules::Kind;

/// 2026-03-02 00:00 UTC, a Monday.
const MONDAY: i64 = 1_772_409_600_000_000;
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// An ordinary request of ghost text.
const REQUEST: RequestFact<'static> = RequestFact {
    began: MONDAY + 9 * HOUR,
    kind: Kind::Completions,
    user: Some("ann"),
    tid: Some("tid-ann-0001"),
    editor: Some("vscode"),
    model: Some("m1"),
    language: Some("rust"),
    status: Some(200),
    complete: Some(true),
    aborted_by: None,
    error: false,
    initiator: None,
    speculative: false,
    request_id: Some("r1"),
    first_byte_ms: Some(120.0),
    first_token_ms: Some(130.0),
    total_ms: Some(300.0),
    server_ms: Some(100.0),
    tokens_in: Some(50),
    tokens_cached: None,
    tokens_out: Some(7),
    noise: None,
};

/// A show of an ordinary suggestion.
const SHOWN: EventFact<'static> = EventFact {
    time: MONDAY + 9 * HOUR + SECOND,
    name: "ghostText.shown",
    user: None,
    tid: Some("tid-ann-0001"),
    request_id: Some("r1"),
    choice: Some(0),
    completion: Some("c1"),
    opportunity: Some("o1"),
    language: Some("rust"),
    editor: Some("vscode"),
    model: Some("m1"),
    chars: Some(40),
    lines: Some(2),
    timeout: None,
    still: None,
    total_ms: None,
    shown: None,
    acceptance: None,
};

const ACCEPTED: EventFact<'static> =
    EventFact { name: "ghostText.accepted", time: MONDAY + 9 * HOUR + 3 * SECOND, ..SHOWN };

const LOOK: EventFact<'static> = EventFact {
    name: "ghostText.stillInCode",
    time: MONDAY + 9 * HOUR + 18 * SECOND,
    timeout: Some(15),
    still: Some(true),
    ..SHOWN
};

const EDIT: EventFact<'static> = EventFact {
    name: "provideInlineEdit",
    completion: None,
    choice: None,
    shown: Some(true),
    acceptance: Some("notAccepted"),
    model: Some("nes1"),
    ..SHOWN
};

const BYS: [By; 7] = [By::User, By::Language, By::Editor, By::Model, By::Kind, By::Day, By::Hour];

fn tally(query: Query, requests: &[RequestFact<'_>], events: &[EventFact<'_>]) -> (Vec<Figures>, Figures) {
    add(Tally::new(query), requests, events).finish()
}

fn add(mut tally: Tally, requests: &[RequestFact<'_>], events: &[EventFact<'_>]) -> Tally {
    for (tid, user) in [("tid-ann-0001", "ann"), ("tid-bob-0001", "bob"), ("shared", "zoe"), ("shared", "bob")] {
        tally.person(tid, user);
    }
    requests.iter().for_each(|request| tally.request(request));
    events.iter().for_each(|event| tally.event(event));
    tally
}

fn total(requests: &[RequestFact<'_>], events: &[EventFact<'_>]) -> Figures {
    tally(Query::default(), requests, events).1
}

fn rows(by: By, requests: &[RequestFact<'_>], events: &[EventFact<'_>]) -> Vec<Figures> {
    tally(Query { by: Some(by), ..Query::default() }, requests, events).0
}

/// Shown and accepted: how many, lines, characters.
fn accepted(figures: &Figures) -> [Option<u64>; 6] {
    let Figures { shown, accepted, lines_shown, lines_accepted, chars_shown, chars_accepted, .. } = figures;
    [*shown, *accepted, *lines_shown, *lines_accepted, *chars_shown, *chars_accepted]
}

fn groups(rows: &[Figures]) -> Vec<(&str, u64)> {
    rows.iter().map(|row| (row.group.as_str(), row.requests)).collect()
}

#[test]
fn nothing_is_zero_and_nothing_to_know() {
    let figures = total(&[], &[]);
    assert_eq!((figures.requests, figures.cancelled, figures.active_users), (0, Some(0), Some(0)));
    assert_eq!(accepted(&figures), [None; 6]);
    assert_eq!((figures.telemetry(), figures.tokens_in), (Telemetry::NothingToKnow, None));
    let after: Vec<_> = figures.persistence.iter().map(|one| (one.after, one.known, one.still)).collect();
    assert_eq!(after, [15, 30, 120, 300, 600].map(|after| (after, 0, None)));
    assert_eq!(figures.group, "total");
}

#[test]
fn a_suggestion_counts_once_however_often_it_is_shown_or_accepted() {
    let again = EventFact { name: "ghostText.shownFromCache", time: SHOWN.time + 60 * SECOND, ..SHOWN };
    let part = EventFact { chars: Some(10), lines: Some(1), ..ACCEPTED };
    let other = EventFact { completion: Some("c2"), chars: Some(5), lines: Some(1), ..SHOWN };
    let figures = total(&[REQUEST], &[SHOWN, again, SHOWN, part, ACCEPTED, part, other]);
    assert_eq!(accepted(&figures), [Some(2), Some(1), Some(3), Some(2), Some(45), Some(40)]);
    assert_eq!(figures.acceptance(), Some(0.5));
    assert_eq!(figures.acceptance_by_lines(), Some(2.0 / 3.0));
    assert_eq!(figures.acceptance_by_chars(), Some(40.0 / 45.0));
}

#[test]
fn without_the_client_id_the_request_and_choice_tell_suggestions_apart() {
    let of = |choice, event: EventFact<'static>| EventFact { completion: None, choice, ..event };
    let events = [
        of(Some(0), SHOWN),
        of(Some(0), SHOWN),
        of(Some(1), SHOWN),
        of(Some(10_000), SHOWN),
        of(Some(1), ACCEPTED),
        of(None, SHOWN),
        EventFact { request_id: None, ..of(Some(0), SHOWN) },
        EventFact { completion: Some(""), request_id: Some(""), ..SHOWN },
    ];
    let figures = total(&[REQUEST], &events);
    assert_eq!((figures.shown, figures.accepted), (Some(3), Some(1)));
}

#[test]
fn what_was_accepted_was_shown() {
    let figures = total(&[REQUEST], &[ACCEPTED]);
    assert_eq!(accepted(&figures), [Some(1), Some(1), Some(2), Some(2), Some(40), Some(40)]);
    // A show that says nothing of its size.
    let bare = EventFact { lines: None, chars: None, ..SHOWN };
    let figures = total(&[REQUEST], &[bare, ACCEPTED]);
    assert_eq!(accepted(&figures), [Some(1), Some(1), Some(2), Some(2), Some(40), Some(40)]);
    let figures = total(&[REQUEST], &[bare]);
    assert_eq!(accepted(&figures), [Some(1), Some(0), Some(0), Some(0), Some(0), Some(0)]);
    assert_eq!((figures.acceptance(), figures.acceptance_by_lines()), (Some(0.0), None));
}

#[test]
fn persistence_is_of_the_accepted_and_of_those_looked_at() {
    let later = EventFact { time: LOOK.time + SECOND, still: Some(false), ..LOOK };
    let second = |event: EventFact<'static>| EventFact { completion: Some("c2"), ..event };
    let events = [
        SHOWN,
        ACCEPTED,
        second(SHOWN),
        second(ACCEPTED),
        LOOK,
        later,
        second(LOOK),
        EventFact { timeout: Some(600), ..second(LOOK) },
        EventFact { timeout: Some(30), still: None, ..LOOK },
        EventFact { timeout: Some(17), ..LOOK },
        // Never accepted, as far as is known.
        EventFact { completion: Some("c3"), ..SHOWN },
        EventFact { completion: Some("c3"), ..LOOK },
    ];
    let figures = total(&[REQUEST], &events);
    let after: Vec<_> = figures.persistence.iter().map(|one| (one.after, one.known, one.still)).collect();
    assert_eq!(after, [(15, 2, Some(1)), (30, 0, None), (120, 0, None), (300, 0, None), (600, 1, Some(1))]);
    assert_eq!(figures.persistence[0].share(), Some(0.5));
    assert_eq!(figures.persistence[1].share(), None);
}

#[test]
fn late_events_belong_to_the_day_of_the_first_show() {
    let late = EventFact { time: ACCEPTED.time + 3 * DAY, ..ACCEPTED };
    let cached = EventFact { time: SHOWN.time + DAY, ..SHOWN };
    let rows = rows(By::Day, &[REQUEST], &[late, cached, SHOWN]);
    assert_eq!(groups(&rows), [("2026-03-02", 1)]);
    assert_eq!((rows[0].shown, rows[0].accepted), (Some(1), Some(1)));

    let query = Query { since: Some(MONDAY + DAY), ..Query::default() };
    let after = tally(query.clone(), &[REQUEST], &[late, cached, SHOWN]).1;
    assert_eq!((after.requests, after.telemetry()), (0, Telemetry::NothingToKnow));
    let query = Query { since: Some(SHOWN.time), until: Some(SHOWN.time + 1), ..query };
    assert_eq!(tally(query.clone(), &[REQUEST], &[late, SHOWN]).1.accepted, Some(1));
    let query = Query { until: Some(SHOWN.time), since: None, ..query };
    let before = tally(query, &[REQUEST], &[late, SHOWN]).1;
    // The request is a pair of a day with telemetry, and nothing was shown before that time.
    assert_eq!((before.requests, before.shown, before.accepted), (1, Some(0), Some(0)));
}

#[test]
fn without_telemetry_nothing_is_known_and_nothing_is_zero() {
    let bob = RequestFact { user: Some("bob"), tid: Some("tid-bob-0001"), request_id: Some("r2"), ..REQUEST };
    let chat = RequestFact { kind: Kind::Chat, user: Some("cas"), tid: None, request_id: None, ..REQUEST };
    let rows = rows(By::User, &[bob, REQUEST, chat, chat], &[SHOWN]);
    assert_eq!(groups(&rows), [("ann", 1), ("bob", 1), ("cas", 2)]);
    let cells = |row: &Figures| (row.telemetry(), row.suggestion_users, row.telemetry_users, row.shown, row.nes_shown);
    assert_eq!(cells(&rows[0]), (Telemetry::Known, 1, 1, Some(1), Some(0)));
    assert_eq!(cells(&rows[1]), (Telemetry::Unknown, 1, 0, None, None));
    assert_eq!(cells(&rows[2]), (Telemetry::NothingToKnow, 0, 0, None, None));
    assert_eq!(cells(&total(&[bob, REQUEST, chat], &[SHOWN])), (Telemetry::Known, 2, 1, Some(1), Some(0)));
}

#[test]
fn telemetry_is_known_by_the_day_from_any_event() {
    let tuesday = RequestFact { began: REQUEST.began + DAY, ..REQUEST };
    let any = EventFact { name: "extension.activate", completion: None, time: MONDAY, ..SHOWN };
    let rows = rows(By::Day, &[REQUEST, tuesday], &[any]);
    assert_eq!([rows[0].shown, rows[1].shown], [Some(0), None]);
    let both = total(&[REQUEST, tuesday], &[any]);
    assert_eq!((both.suggestion_users, both.telemetry_users, both.shown), (1, 1, Some(0)));
}

#[test]
fn an_offset_moves_requests_and_telemetry_to_another_day() {
    let night = RequestFact { began: MONDAY + 23 * HOUR, ..REQUEST };
    let any = EventFact { name: "x", time: MONDAY + DAY + HOUR, ..SHOWN };
    let by = |by, offset_minutes| {
        tally(Query { by: Some(by), offset_minutes, ..Query::default() }, &[night], &[any]).0.swap_remove(0)
    };
    let [utc, east] = [by(By::Day, 0), by(By::Day, 60)];
    assert_eq!((utc.group.as_str(), utc.shown), ("2026-03-02", None));
    assert_eq!((east.group.as_str(), east.shown), ("2026-03-03", Some(0)));
    assert_eq!([by(By::Hour, 0).group, by(By::Hour, 60).group, by(By::Hour, -330).group], ["23", "00", "17"]);
}

#[test]
fn persons_are_told_by_user_and_by_token() {
    let of = |user, tid, request_id| RequestFact { user, tid, request_id, ..REQUEST };
    let requests = [
        of(Some("ann"), Some("tid-bob-0001"), None),
        of(None, Some("tid-bob-0001"), None),
        of(None, Some("shared"), None),
        of(None, Some("unknown-tid"), None),
        of(None, None, None),
        of(Some("-"), Some(""), None),
    ];
    let by_user = rows(By::User, &requests, &[]);
    assert_eq!(groups(&by_user), [("ann", 1), ("bob", 2), ("tid:unknown-", 1), ("-", 2)]);
    assert_eq!(total(&requests, &[]).active_users, Some(3));
    assert_eq!(by_user[3].active_users, None);
    assert_eq!(by_user[3].telemetry(), Telemetry::Unknown);

    let event = |user, tid, completion| EventFact { user, tid, completion, request_id: None, ..SHOWN };
    let events = [
        event(Some("ann"), Some("tid-bob-0001"), Some("1")),
        event(Some("ann"), Some("unknown-tid"), Some("2")),
        event(None, Some("unknown-tid"), Some("3")),
        event(Some("ann"), None, Some("4")),
        event(None, None, Some("5")),
        event(None, Some("shared"), Some("6")),
    ];
    let rows = rows(By::User, &[], &events);
    let shown: Vec<_> = rows.iter().map(|row| (row.group.as_str(), row.shown)).collect();
    assert_eq!(shown, [("ann", Some(2)), ("bob", Some(2)), ("tid:unknown-", Some(1)), ("-", Some(1))]);
}

#[test]
fn of_a_shared_account_an_event_is_of_the_user_who_brought_it() {
    let event = |user, tid, completion| EventFact { user, tid, completion, request_id: None, ..SHOWN };
    let shared = [
        event(Some("zoe"), Some("shared"), Some("1")),
        event(Some("bob"), Some("shared"), Some("2")),
        // Neither of the two: the first in the alphabet.
        event(Some("ann"), Some("shared"), Some("3")),
        event(None, Some("shared"), Some("4")),
    ];
    let shown = |rows: &[Figures]| rows.iter().map(|row| (row.group.clone(), row.shown)).collect::<Vec<_>>();
    assert_eq!(shown(&rows(By::User, &[], &shared)), [("bob".to_owned(), Some(3)), ("zoe".to_owned(), Some(1))]);
    // Each one's telemetry is known by his own events.
    let of = |user| RequestFact { user, tid: Some("shared"), request_id: None, ..REQUEST };
    let requests = [of(Some("bob")), of(Some("zoe")), of(None)];
    let any = EventFact { name: "x", ..shared[0] };
    let found = rows(By::User, &requests, &[any]);
    assert_eq!(groups(&found), [("bob", 2), ("zoe", 1)]);
    assert_eq!(shown(&found), [("bob".to_owned(), None), ("zoe".to_owned(), Some(0))]);
}

#[test]
fn nobody_is_many_people_and_an_event_of_one_says_nothing_of_the_others() {
    let nobody = RequestFact { user: None, tid: None, request_id: None, ..REQUEST };
    let any =
        EventFact { name: "extension.activate", user: None, tid: None, completion: None, request_id: None, ..SHOWN };
    let found = total(&[nobody], &[any]);
    assert_eq!((found.telemetry(), found.suggestion_users, found.shown), (Telemetry::Unknown, 1, None));
    // A suggestion of nobody's own is something to know, on its day.
    let own = EventFact { completion: Some("c1"), name: SHOWN.name, ..any };
    let tuesday = RequestFact { began: nobody.began + DAY, ..nobody };
    let found = rows(By::Day, &[nobody, tuesday], &[own]);
    assert_eq!([found[0].shown, found[1].shown], [Some(1), None]);
    // So is a next edit, shown or not.
    let edit = EventFact { user: None, tid: None, request_id: None, shown: Some(false), ..EDIT };
    assert_eq!(total(&[nobody], &[edit]).nes_shown, Some(0));
}

#[test]
fn what_events_do_not_say_comes_from_the_exchange() {
    let bare = EventFact { tid: None, language: None, editor: None, model: None, ..SHOWN };
    let elsewhere = RequestFact { began: REQUEST.began + HOUR, language: Some("go"), user: Some("bob"), ..REQUEST };
    for requests in [[REQUEST, elsewhere], [elsewhere, REQUEST]] {
        for (by, group) in [(By::User, "ann"), (By::Language, "rust"), (By::Editor, "vscode"), (By::Model, "m1")] {
            let rows = rows(by, &requests, &[bare]);
            let row = rows.iter().find(|row| row.group == group).unwrap();
            assert_eq!((row.shown, row.telemetry_users), (Some(1), 1), "{group}");
        }
    }
    // The event's own come first; each that the earliest lacks from the next, then from the acceptance.
    let next = EventFact { time: SHOWN.time + SECOND, language: Some("c"), editor: Some("vim"), ..bare };
    let taken = EventFact { model: Some("m9"), language: Some("java"), ..ACCEPTED };
    let first = EventFact { editor: Some("emacs"), ..bare };
    for events in [[first, next, taken], [taken, next, first]] {
        for (by, group) in [(By::Language, "c"), (By::Editor, "emacs"), (By::Model, "m9"), (By::User, "ann")] {
            let row = rows(by, &[], &events).swap_remove(0);
            assert_eq!((row.group.as_str(), row.shown), (group, Some(1)));
        }
    }
}

#[test]
fn filters_apply_to_requests_and_suggestions_by_their_own_values() {
    let go = RequestFact { language: Some("go"), request_id: None, ..REQUEST };
    let cached = EventFact { completion: Some("c2"), language: Some("go"), editor: Some("vim"), ..SHOWN };
    let with = |query| {
        let Figures { requests, shown, .. } = tally(query, &[REQUEST, go], &[SHOWN, cached]).1;
        (requests, shown)
    };
    let list = |text: &str| vec![text.to_owned()];
    assert_eq!(with(Query::default()), (2, Some(2)));
    assert_eq!(with(Query { languages: list("go"), ..Query::default() }), (1, Some(1)));
    assert_eq!(with(Query { editors: list("vim"), ..Query::default() }), (0, Some(1)));
    assert_eq!(with(Query { models: list("m2"), ..Query::default() }), (0, None));
    assert_eq!(with(Query { users: list("ann"), ..Query::default() }), (2, Some(2)));
    assert_eq!(with(Query { users: list("-"), ..Query::default() }), (0, None));
    let nobody = tally(
        Query { users: list("tid:unknown-"), ..Query::default() },
        &[RequestFact { user: None, tid: Some("unknown-tid"), ..REQUEST }, REQUEST],
        &[EventFact { tid: Some("unknown-tid"), ..SHOWN }],
    );
    assert_eq!((nobody.1.requests, nobody.1.shown), (1, Some(1)));
    let both = vec!["rust".to_owned(), "go".to_owned()];
    assert_eq!(with(Query { languages: both, ..Query::default() }), (2, Some(2)));
}

#[test]
fn kinds_choose_requests_and_what_telemetry_tells() {
    let telemetry = RequestFact { kind: Kind::Telemetry, request_id: None, ..REQUEST };
    let chat = RequestFact { kind: Kind::Chat, request_id: None, ..REQUEST };
    let requests = [REQUEST, telemetry, chat];
    let with =
        |kinds: &[Kind], by| tally(Query { kinds: kinds.to_vec(), by, ..Query::default() }, &requests, &[SHOWN, EDIT]);
    let cells = |kinds: &[Kind]| {
        let Figures { requests, shown, nes_shown, .. } = with(kinds, None).1;
        (requests, shown, nes_shown)
    };
    assert_eq!(cells(&[]), (2, Some(1), Some(1)));
    assert_eq!(cells(&[Kind::Telemetry]), (1, None, None));
    assert_eq!(cells(&[Kind::Completions]), (1, Some(1), Some(0)));
    assert_eq!(cells(&[Kind::Nes, Kind::Chat]), (1, Some(0), Some(1)));
    let (rows, total) = with(&[], Some(By::Kind));
    assert_eq!(groups(&rows), [("chat", 1), ("completions", 1), ("nes", 0), ("telemetry", 1)]);
    assert_eq!((total.requests, rows[1].shown, rows[2].nes_shown), (2, Some(1), Some(1)));
    assert_eq!(rows[3].telemetry(), Telemetry::NothingToKnow);
    assert_eq!(groups(&with(&[Kind::Chat], Some(By::Kind)).0), [("chat", 1)]);
}

#[test]
fn next_edits_are_counted_apart() {
    let of = |opportunity, shown, acceptance| EventFact { opportunity, shown, acceptance, ..EDIT };
    let events = [
        of(Some("1"), Some(true), Some("notAccepted")),
        of(Some("2"), Some(true), Some("accepted")),
        of(Some("2"), Some(true), Some("accepted")),
        of(Some("3"), Some(false), Some("notAccepted")),
        of(Some("4"), None, Some("accepted")),
        of(None, Some(true), Some("rejected")),
        EventFact { request_id: None, ..of(None, Some(true), None) },
    ];
    let figures = total(&[], &events);
    assert_eq!((figures.nes_shown, figures.nes_accepted, figures.shown), (Some(4), Some(2), Some(0)));
    assert_eq!(figures.nes_acceptance(), Some(0.5));
    let rows = rows(By::Model, &[], &events[3..4]);
    assert_eq!((rows[0].group.as_str(), rows[0].nes_shown, rows[0].suggestion_users), ("nes1", Some(0), 1));
}

#[test]
fn ends_are_told_apart() {
    let of = |status, aborted_by, error| RequestFact { status, aborted_by, error, ..REQUEST };
    let requests = [
        of(Some(200), None, false),
        of(Some(200), Some(AbortedBy::Client), false),
        of(None, Some(AbortedBy::Client), false),
        of(None, None, false),
        of(None, Some(AbortedBy::Shutdown), false),
        of(Some(429), None, false),
        of(Some(200), None, true),
        of(Some(200), Some(AbortedBy::Upstream), false),
    ];
    let figures = total(&requests, &[]);
    assert_eq!((figures.requests, figures.cancelled, figures.errors), (8, Some(2), 5));
    let older = RequestFact { complete: None, ..REQUEST };
    assert_eq!(total(&[older], &[]).cancelled, None);
    assert_eq!(total(&[older, REQUEST], &[]).cancelled, Some(0));
}

#[test]
fn marks_turns_and_tokens_are_added_up() {
    let chat = |initiator| RequestFact { kind: Kind::Chat, initiator, tokens_in: None, tokens_out: None, ..REQUEST };
    let requests = [
        RequestFact { speculative: true, noise: Some(Noise::NoText), ..REQUEST },
        RequestFact { initiator: Some(Initiator::User), tokens_cached: Some(20), tokens_out: None, ..REQUEST },
        chat(Some(Initiator::User)),
        chat(Some(Initiator::Agent)),
        chat(Some(Initiator::Agent)),
        chat(None),
    ];
    let figures = total(&requests, &[]);
    assert_eq!((figures.speculative, figures.noise), (1, 1));
    assert_eq!((figures.turns, figures.follow_ups, figures.turns_unknown), (Some(1), Some(2), 1));
    let turns = |figures: Figures| (figures.turns, figures.follow_ups, figures.turns_unknown);
    assert_eq!(turns(total(&requests[5..], &[])), (None, None, 1), "no request says whose it is");
    assert_eq!(turns(total(&requests[..2], &[])), (Some(0), Some(0), 0), "no chat");
    assert_eq!(turns(total(&requests[3..], &[])), (Some(0), Some(2), 1));
    assert_eq!((figures.tokens_in, figures.tokens_cached, figures.tokens_out), (Some(100), Some(20), Some(7)));
    assert_eq!(figures.tokens_known, 2);
    let hostile = RequestFact { tokens_in: Some(u64::MAX), ..REQUEST };
    assert_eq!(total(&[hostile, hostile], &[]).tokens_in, Some(u64::MAX));
    assert_eq!(total(&requests[3..], &[]).tokens_in, None);
}

#[test]
fn latency_is_of_answers_that_were_waited_for() {
    let of = |first: f64, server: Option<f64>, request_id| RequestFact {
        first_byte_ms: Some(first),
        server_ms: server,
        request_id,
        ..REQUEST
    };
    let requests = [
        of(100.0, Some(80.0), Some("a")),
        of(200.0, Some(201.5), Some("b")),
        RequestFact { status: Some(101), first_token_ms: None, ..of(300.0, None, None) },
        RequestFact { aborted_by: Some(AbortedBy::Client), ..of(9e9, None, Some("c")) },
        RequestFact { status: Some(500), ..of(9e9, None, None) },
        RequestFact { status: None, ..of(9e9, None, None) },
        RequestFact { kind: Kind::Models, ..of(9e9, None, None) },
        RequestFact { total_ms: None, first_token_ms: None, ..of(f64::NAN, Some(f64::INFINITY), None) },
    ];
    let waited = |request_id, total_ms, time| EventFact {
        name: "request.response",
        request_id,
        total_ms,
        time,
        completion: None,
        ..SHOWN
    };
    let events = [
        waited(Some("a"), Some(500.0), SHOWN.time + SECOND),
        waited(Some("a"), Some(104.0), SHOWN.time),
        waited(Some("b"), Some(199.0), SHOWN.time),
        waited(Some("c"), Some(1.0), SHOWN.time),
        waited(Some("d"), Some(1.0), SHOWN.time),
        waited(Some("b"), Some(f64::NAN), SHOWN.time - SECOND),
        waited(None, Some(1.0), SHOWN.time),
    ];
    let figures = total(&requests, &events);
    let cells = |one: Percentiles| (one.n, one.p50, one.p90, one.p99);
    assert_eq!(cells(figures.first_byte), (3, Some(200.0), Some(300.0), Some(300.0)));
    assert_eq!(cells(figures.first_token), (2, Some(130.0), Some(130.0), Some(130.0)));
    assert_eq!(cells(figures.total), (3, Some(300.0), Some(300.0), Some(300.0)));
    assert_eq!(cells(figures.server), (2, Some(80.0), Some(201.5), Some(201.5)));
    assert_eq!(cells(figures.network), (2, Some(-1.5), Some(20.0), Some(20.0)));
    assert_eq!(cells(figures.client_side), (2, Some(-1.0), Some(4.0), Some(4.0)));
    assert_eq!(cells(total(&[], &events).client_side), (0, None, None, None));
    let counted = |counts: &Counts| -> Vec<_> {
        let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(place, count)| (BOUNDS.get(place).copied(), *count)).collect()
    };
    let spread = figures.spread;
    assert_eq!(counted(&spread.first_byte), [(Some(160), 1), (Some(250), 1), (Some(400), 1)]);
    assert_eq!(counted(&spread.first_token), [(Some(160), 2)]);
    assert_eq!(counted(&spread.total), [(Some(400), 3)]);
}

#[test]
fn what_is_said_at_one_time_counts_in_every_order() {
    let both = |by, one: EventFact<'static>, other: EventFact<'static>, requests: &[RequestFact<'_>]| {
        let [a, b] = [[one, other], [other, one]].map(|events| rows(by, requests, &events));
        assert_eq!(a, b);
        a
    };
    // Two shows: the language that is first in the alphabet.
    let go = EventFact { language: Some("go"), ..SHOWN };
    assert_eq!(groups(&both(By::Language, SHOWN, go, &[])), [("go", 0)]);
    // Two looks: not there; an earlier look that comes late changes nothing.
    let gone = EventFact { still: Some(false), ..LOOK };
    let later = EventFact { time: LOOK.time + SECOND, ..gone };
    for gone in [gone, later] {
        for events in [[SHOWN, ACCEPTED, LOOK, gone], [SHOWN, ACCEPTED, gone, LOOK]] {
            assert_eq!(total(&[], &events).persistence[0].still, Some(0));
        }
    }
    // What the client waited, told twice: the smaller.
    let waited = |total_ms| EventFact { name: "request.response", total_ms: Some(total_ms), ..SHOWN };
    let figures = both(By::User, waited(150.0), waited(140.0), &[REQUEST]);
    assert_eq!((figures[0].client_side.n, figures[0].client_side.p50), (1, Some(20.0)));
    // Two exchanges that began together with one id.
    let bare = EventFact { language: None, ..SHOWN };
    let other = RequestFact { language: Some("go"), ..REQUEST };
    for requests in [[REQUEST, other], [other, REQUEST]] {
        let rows = rows(By::Language, &requests, &[bare]);
        assert_eq!((rows[0].group.as_str(), rows[0].shown), ("go", Some(1)));
    }
}

#[test]
fn an_exchange_tells_of_its_suggestion_by_its_own_rules() {
    // bob was asked, though the token is ann's; and an event that says nobody is then bob's telemetry.
    let bob = RequestFact { user: Some("bob"), ..REQUEST };
    let said = |event: EventFact<'static>| EventFact { tid: None, ..event };
    for event in [SHOWN, ACCEPTED, EDIT] {
        let row = rows(By::User, &[bob], &[said(event)]).swap_remove(0);
        assert_eq!((row.group.as_str(), row.telemetry_users), ("bob", 1), "{}", event.name);
    }
    let row = rows(By::User, &[bob], &[said(EDIT)]).swap_remove(0);
    assert_eq!((row.nes_shown, row.nes_accepted), (Some(1), Some(0)));
}

#[test]
fn an_answer_without_first_byte_has_no_client_side() {
    let headless = RequestFact { first_byte_ms: None, ..REQUEST };
    let waited = EventFact { name: "request.response", total_ms: Some(150.0), ..SHOWN };
    assert_eq!(total(&[headless], &[waited]).client_side.n, 0);
}

#[test]
fn an_end_that_is_told_is_known() {
    let ended = RequestFact { complete: None, aborted_by: Some(AbortedBy::Client), ..REQUEST };
    assert_eq!(total(&[ended], &[]).cancelled, Some(1));
}

#[test]
fn the_total_is_that_of_the_rows() {
    let bob = RequestFact { user: Some("bob"), tid: None, first_byte_ms: Some(10.0), request_id: None, ..REQUEST };
    let of = |by| tally(Query { by, ..Query::default() }, &[REQUEST, bob, bob], &[SHOWN, ACCEPTED, LOOK, EDIT]);
    let (_, alone) = of(None);
    assert_eq!((alone.requests, alone.active_users, alone.first_byte.p50), (3, Some(2), Some(10.0)));
    for by in [By::User, By::Language, By::Editor, By::Model, By::Kind, By::Day, By::Hour] {
        assert_eq!(of(Some(by)).1, alone, "{by:?}");
    }
    assert!(of(None).0.is_empty());
}

#[test]
fn the_document_names_every_key() {
    let text = include_str!("../../docs/figures.md");
    let row = serde_json::to_value(Figures::default()).unwrap();
    for key in row.as_object().unwrap().keys() {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
}

/// The panel of solutions is another thing, though it is asked for and told of like ghost text.
#[test]
fn solutions_of_the_panel_are_no_suggestions() {
    let of = |name, event: EventFact<'static>| EventFact { name, ..event };
    let events = [of("solution.shown", SHOWN), of("solution.accepted", ACCEPTED), of("solution.stillInCode", LOOK)];
    assert_eq!(accepted(&total(&[REQUEST], &events)), [Some(0); 6]);
}

#[test]
fn what_nobody_said_comes_last() {
    let of = |language| RequestFact { language, ..REQUEST };
    let requests = [of(None), of(Some("zig")), of(Some("")), of(Some("c"))];
    assert_eq!(groups(&rows(By::Language, &requests, &[])), [("c", 1), ("zig", 1), ("-", 2)]);
    let far = RequestFact { began: i64::MAX, ..REQUEST };
    let before = RequestFact { began: MONDAY - DAY, ..REQUEST };
    let days = rows(By::Day, &[far, REQUEST, before], &[]);
    assert_eq!(groups(&days)[..2], [("2026-03-01", 1), ("2026-03-02", 1)]);
}

const IDS: [Option<&str>; 5] = [None, Some(""), Some("1"), Some("2"), Some("3")];
const TEXTS: [Option<&str>; 4] = [None, Some("a"), Some("b"), Some("c")];
const TIDS: [Option<&str>; 4] = [None, Some("tid-ann-0001"), Some("shared"), Some("unknown-tid")];
const USERS: [Option<&str>; 3] = [None, Some("ann"), Some("bob")];

fn any_request() -> impl Strategy<Value = RequestFact<'static>> {
    let of = |list: &'static [Option<&'static str>]| prop::sample::select(list);
    let kinds = prop::sample::select(&[Kind::Completions, Kind::Nes, Kind::Chat, Kind::Telemetry][..]);
    let number = || prop::option::of((0..4_u8).prop_map(f64::from));
    let who = (of(&USERS), of(&TIDS), of(&IDS));
    let what = (of(&TEXTS), of(&TEXTS), of(&TEXTS), kinds, 0..50_i64);
    (who, what, number(), number()).prop_map(|(who, (language, editor, model, kind, hours), first, server)| {
        RequestFact {
            began: MONDAY + hours * HOUR,
            kind,
            user: who.0,
            tid: who.1,
            request_id: who.2,
            language,
            editor,
            model,
            first_byte_ms: first,
            server_ms: server,
            ..REQUEST
        }
    })
}

fn any_event() -> impl Strategy<Value = EventFact<'static>> {
    let of = |list: &'static [Option<&'static str>]| prop::sample::select(list);
    let number = || prop::option::of(0..3_u64);
    let name = prop::sample::select(
        &[
            "ghostText.shown",
            "ghostText.shownFromCache",
            "ghostText.accepted",
            "ghostText.stillInCode",
            "provideInlineEdit",
            "request.response",
            "x",
        ][..],
    );
    let who = (of(&USERS), of(&TIDS), of(&IDS), of(&IDS), of(&IDS));
    let what = (of(&TEXTS), of(&TEXTS), of(&TEXTS), name, 0..50_i64);
    let how = (number(), number(), number(), any::<Option<bool>>(), any::<Option<bool>>());
    (who, what, how).prop_map(|(who, (language, editor, model, name, hours), how)| EventFact {
        time: MONDAY + hours * HOUR,
        name,
        user: who.0,
        tid: who.1,
        request_id: who.2,
        completion: who.3,
        opportunity: who.4,
        language,
        editor,
        model,
        chars: how.0,
        lines: how.1,
        choice: how.2.map(|choice| choice as i64),
        total_ms: how.2.map(|waited| waited as f64),
        timeout: Some(15),
        still: how.3,
        shown: how.4,
        acceptance: Some(if how.3 == Some(true) { "accepted" } else { "rejected" }),
    })
}

/// The same of another person, who shares nothing with the first: neither tid nor ids.
fn of_zed<'a>(request: &RequestFact<'a>) -> RequestFact<'a> {
    let id = request.request_id.filter(|id| !id.is_empty()).map(|_| "zed-r");
    RequestFact { user: Some("zed"), tid: Some("zed-tid"), request_id: id, ..*request }
}

fn event_of_zed<'a>(event: &EventFact<'a>) -> EventFact<'a> {
    let own = |id: Option<&str>, of: &'static str| id.filter(|id| !id.is_empty()).map(|_| of);
    EventFact {
        user: Some("zed"),
        tid: Some("zed-tid"),
        request_id: own(event.request_id, "zed-r"),
        completion: own(event.completion, "zed-c"),
        opportunity: own(event.opportunity, "zed-o"),
        ..*event
    }
}

proptest! {
    #[test]
    fn people_who_share_nothing_do_not_change_each_others_rows(
        requests in prop::collection::vec(any_request(), 0..25),
        events in prop::collection::vec(any_event(), 0..40),
        more_requests in prop::collection::vec(any_request(), 1..15),
        more_events in prop::collection::vec(any_event(), 0..25),
    ) {
        let more_requests: Vec<_> = more_requests.iter().map(of_zed).collect();
        let more_events: Vec<_> = more_events.iter().map(event_of_zed).collect();
        let mut apart = rows(By::User, &requests, &events);
        apart.extend(rows(By::User, &more_requests, &more_events));
        apart.sort_by_key(|row| (row.group == "-", row.group.clone()));
        let together = rows(By::User, &[requests, more_requests].concat(), &[events, more_events].concat());
        prop_assert_eq!(together, apart);
    }

    #[test]
    fn several_splits_in_one_pass_are_what_each_is_alone(
        requests in prop::collection::vec(any_request(), 0..25),
        events in prop::collection::vec(any_event(), 0..40),
        kinds in prop::sample::subsequence(vec![Kind::Telemetry, Kind::Chat, Kind::Completions], 0..=3),
    ) {
        let query = Query { kinds, offset_minutes: 90, ..Query::default() };
        let (splits, total) = add(Tally::several(query.clone(), &BYS), &requests, &events).finish_each();
        prop_assert_eq!(splits.len(), BYS.len());
        for (by, rows) in BYS.into_iter().zip(splits) {
            let alone = tally(Query { by: Some(by), ..query.clone() }, &requests, &events);
            prop_assert_eq!((&rows, &total), (&alone.0, &alone.1));
        }
    }

    #[test]
    fn no_order_matters_and_a_double_event_is_one(
        requests in prop::collection::vec(any_request(), 0..25),
        events in prop::collection::vec(any_event(), 0..40),
        order in any::<u64>(),
        by in prop::sample::select(&BYS[..]),
    ) {
        let query = Query { by: Some(by), offset_minutes: 90, ..Query::default() };
        let once = tally(query.clone(), &requests, &events);

        let mut mixed: Vec<(Option<&RequestFact<'_>>, Option<&EventFact<'_>>)> = Vec::new();
        mixed.extend(requests.iter().map(|request| (Some(request), None)));
        mixed.extend(events.iter().chain(&events).map(|event| (None, Some(event))));
        let mut state = order | 1;
        for place in (1..mixed.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            mixed.swap(place, (state >> 33) as usize % (place + 1));
        }
        let mut tally = Tally::new(query);
        for (tid, user) in [("shared", "bob"), ("tid-ann-0001", "ann"), ("shared", "zoe"), ("tid-bob-0001", "bob")] {
            tally.person(tid, user);
        }
        for (request, event) in mixed {
            request.into_iter().for_each(|request| tally.request(request));
            event.into_iter().for_each(|event| tally.event(event));
        }
        prop_assert_eq!(tally.finish(), once);
    }
}
