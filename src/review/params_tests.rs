use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;

use super::*;
use crate::rules::Kind;

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-21T09:30:00+01:00").unwrap()
}

fn filter(query: &str) -> Filter {
    FilterParams::of_query(query, &[]).filter(&now()).unwrap()
}

fn errors(query: &str) -> Vec<(String, String)> {
    let errors = FilterParams::of_query(query, &["columns"]).filter(&now()).unwrap_err();
    errors.into_iter().map(|error| (error.field, error.value)).collect()
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

#[test]
fn an_empty_form_asks_for_all() {
    let names = FilterParams::NAMES.map(|name| format!("{name}="));
    assert_eq!(filter(&names.join("&")), Filter::default());
    assert!(FilterParams::of_query(&names.join("&"), &[]).is_empty());
    assert_eq!(filter("kind=,&user=%20&text=+"), Filter::default());
}

#[test]
fn all_parameters_have_their_place_in_the_filter() {
    let asked = filter(
        "kind=chat,nes&kind=completions&user=ann,-&host=*.Example.com&status=200,4xx,none&model=m-1&language=rust,%20c\
         &editor=vscode/1.95.3&since=7d&until=today&slower-than=2s&cancelled=1&failed=on&text=a,+b",
    );
    let wanted = Filter {
        kinds: vec![Kind::Chat, Kind::Nes, Kind::Completions],
        users: vec!["ann".into(), "-".into()],
        hosts: vec!["*.example.com".into()],
        statuses: vec![200, 4, 0],
        models: vec!["m-1".into()],
        languages: vec!["rust".into(), "c".into()],
        editors: vec!["vscode/1.95.3".into()],
        since: Some(utc("2026-11-14T08:30:00Z")),
        until: Some(utc("2026-11-20T23:00:00Z")),
        slower_than: Some(2000.0),
        cancelled: true,
        failed: true,
        text: Some("a, b".into()),
    };
    assert_eq!(asked, wanted);
}

#[test]
fn all_that_is_wrong_is_said_and_what_was_typed_is_kept() {
    let query = "kind=chat,chats&status=99&since=soon&failed=maybe&colour=red&columns=id&until=1d&until=2d";
    let wrong = errors(query);
    let wrong: Vec<_> = wrong.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    let wanted = [
        ("colour", "red"),
        ("until", "2d"),
        ("kind", "chats"),
        ("status", "99"),
        ("since", "soon"),
        ("failed", "maybe"),
    ];
    assert_eq!(wrong, wanted);
    let params = FilterParams::of_query(query, &[]);
    assert_eq!(params.kind, ["chat", "chats"]);
    assert_eq!(params.since.as_deref(), Some("soon"));
    let said = params.filter(&now()).unwrap_err();
    let kind = said.iter().find(|error| error.field == "kind").unwrap();
    assert!(kind.sentence.contains("there are completions"), "{}", kind.sentence);
}

#[test]
fn the_same_value_twice_is_no_error_and_stands_there_once() {
    let params = FilterParams::of_query("since=1d&since=1d&user=ann&user=ann,bob", &[]);
    assert_eq!(params.to_query(), "user=ann,bob&since=1d");
    assert!(params.filter(&now()).is_ok());
}

#[test]
fn a_space_behind_the_last_word_of_a_text_stays() {
    assert_eq!(filter("text=read+").text.as_deref(), Some("read "));
}

#[test]
fn too_long_a_list_is_refused() {
    let users: Vec<_> = (0..5_000).map(|number| number.to_string()).collect();
    let query = format!("user={}", users.join(","));
    assert_eq!(errors(&query), [("user".to_owned(), "…".to_owned())]);
    assert_eq!(filter(&format!("user={}", users[..LIST_MAX].join(","))).users.len(), LIST_MAX);
}

#[test]
fn relative_times_stay_relative_in_the_query() {
    let params = FilterParams::of_query("failed=1&since=today&text=%22null+pointer%22&status=4xx", &[]);
    assert_eq!(params.to_query(), "status=4xx&since=today&failed=1&text=%22null%20pointer%22");
}

#[test]
fn figures_are_asked_for_alike() {
    let params = FiguresParams::of_query(
        "by=day&since=today&utc-offset=%2B01:00&kind=chat&editor=vscode&user=ann,-&x=y",
        &["x"],
    );
    let query = params.query(&now()).unwrap();
    let wanted = Query {
        by: Some(By::Day),
        kinds: vec![Kind::Chat],
        users: vec!["ann".into(), "-".into()],
        editors: vec!["vscode".into()],
        since: Some(utc("2026-11-20T23:00:00Z")),
        offset_minutes: 60,
        ..Query::default()
    };
    assert_eq!(query, wanted);
    assert_eq!(params.to_query(), "by=day&kind=chat&user=ann,-&editor=vscode&since=today&utc-offset=%2B01:00");
    assert_eq!(params.split(Some(By::User)).by.as_deref(), Some("user"));
    assert_eq!(params.split(None).by, None);
    let day = FiguresParams::of_query("since=today", &[]).query(&now()).unwrap();
    assert_eq!(day.since, Some(utc("2026-11-21T00:00:00Z")), "days are of UTC where no clock is named");
    let wrong = FiguresParams::of_query("by=week&utc-offset=CET&editor=vscode/1&status=200", &[]);
    let wrong: Vec<_> = wrong.query(&now()).unwrap_err().into_iter().map(|error| error.field).collect();
    assert_eq!(wrong, ["status", "utc-offset", "by", "editor"]);
}

fn word() -> impl Strategy<Value = String> {
    // Anything but what separates values.
    any::<String>().prop_map(|text| text.replace(',', "").trim().to_owned())
}

proptest! {
    #[test]
    fn a_query_gives_the_same_view_again(
        users in proptest::collection::vec(word(), 0..4),
        models in proptest::collection::vec(word(), 0..4),
        statuses in proptest::collection::vec("[1-5]xx|[2-5]0[0-9]|none", 0..4),
        since in proptest::option::of("[0-9]{1,3}[smhdw]|today|2026-11-2[0-9]"),
        text in proptest::option::of(any::<String>()),
        failed in any::<bool>(),
    ) {
        let mut query: Vec<(&str, String)> = Vec::new();
        query.extend(users.into_iter().map(|user| ("user", user)));
        query.extend(statuses.into_iter().map(|status| ("status", status)));
        query.extend(models.into_iter().map(|model| ("model", model)));
        query.extend(since.map(|since| ("since", since)));
        query.extend(text.map(|text| ("text", text)));
        query.extend(failed.then(|| ("failed", "1".to_owned())));
        let first = FilterParams::of_query(&to_query(&query), &[]);
        let again = FilterParams::of_query(&first.to_query(), &[]);
        prop_assert_eq!(&again, &first);
        prop_assert_eq!(again.to_query(), first.to_query());
        prop_assert_eq!(again.filter(&now()), first.filter(&now()));
        prop_assert!(first.filter(&now()).is_ok());
    }

    #[test]
    fn whatever_comes_is_read_or_refused(text in any::<String>()) {
        let params = FilterParams::of_query(&text, &[]);
        let _ = params.filter(&now());
        prop_assert_eq!(FilterParams::of_query(&params.to_query(), &[]).to_query(), params.to_query());
        let figures = FiguresParams::of_query(&text, &[]);
        let _ = figures.query(&now());
        prop_assert_eq!(FiguresParams::of_query(&figures.to_query(), &[]).to_query(), figures.to_query());
    }
}
