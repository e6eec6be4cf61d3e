use std::collections::BTreeSet;

use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::Value;

use super::parameters::{ListParams, Side};
use super::*;
use crate::review::params::{FiguresParams, FilterParams};

fn described() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// What the description says of the parameters of an endpoint.
fn parameters(described: &Value, path: &str) -> BTreeSet<String> {
    let Some(list) = described["paths"][path]["get"]["parameters"].as_array() else { return BTreeSet::new() };
    let names = list.iter().map(|reference| {
        let pointer = reference["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
        described.pointer(pointer).unwrap()["name"].as_str().unwrap().to_owned()
    });
    names.collect()
}

#[test]
fn every_endpoint_is_described_and_nothing_else_is() {
    let described = described();
    let served: BTreeSet<_> = endpoints().into_iter().map(|(path, _)| path.to_owned()).collect();
    let told: BTreeSet<_> = described["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(served, told);
    assert_eq!(described["servers"][0]["url"], PREFIX);
    for (path, methods) in described["paths"].as_object().unwrap() {
        assert_eq!(methods.as_object().unwrap().keys().collect::<Vec<_>>(), ["get"], "{path}");
    }
}

#[test]
fn every_parameter_is_described_and_nothing_else_is() {
    let described = described();
    let set = |names: &[&[&str]]| names.concat().into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    for (path, _) in endpoints() {
        let expected = match path {
            "/exchanges" => set(&[&FilterParams::NAMES, &ListParams::OWN]),
            "/figures" => set(&[&FiguresParams::NAMES]),
            path if path.contains("{other}") => set(&[&["id", "other"]]),
            path if path.contains("{id}") => set(&[&["id"]]),
            _ => set(&[]),
        };
        assert_eq!(parameters(&described, path), expected, "{path}");
    }
}

fn read(query: &str) -> Result<ListParams, String> {
    let now = Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 0).unwrap();
    ListParams::read(query, &now).map_err(|refusal| format!("{refusal:?}"))
}

const PLACE: &str = "1763700000000000-0193a6d14f2b70008000000000000007";

#[test]
fn links_repeat_what_was_asked() {
    let asked = read(&format!("kind=chat&since=7d&text=a+b&limit=7&context=1&count=1&after={PLACE}")).unwrap();
    assert_eq!((asked.limit, asked.count, asked.context), (7, true, true));
    let link = asked.link(Side::Before(PLACE.parse().unwrap()));
    assert_eq!(link, format!("/api/v1/exchanges?kind=chat&since=7d&text=a%20b&limit=7&context=1&before={PLACE}"));
    let again = read(link.split_once('?').unwrap().1).unwrap();
    assert_eq!((again.filter, again.side), (asked.filter, Side::Before(PLACE.parse().unwrap())));
    assert!(!again.count, "counting again would say the same");
}

#[test]
fn all_that_makes_no_sense_is_named() {
    let query = format!(
        "kind=nonsense&status=99&since=never&limit=501&after=x&count=maybe&context=1&page=2&before={PLACE}&limit=501"
    );
    let why = read(&query).unwrap_err();
    for field in ["kind", "status", "since", "limit", "after", "count", "context", "page"] {
        assert!(why.contains(&format!("field: {field:?}")), "{field}: {why}");
    }
    for (query, says) in [
        ("limit=0", "from 1 to 500"),
        ("limit=1&limit=2", "twice"),
        ("limit=101&text=a&context=1", "from 1 to 100"),
        (&*format!("after={PLACE}&before={PLACE}"), "after"),
    ] {
        assert!(read(query).unwrap_err().contains(says), "{query}");
    }
    assert!(read("limit=&count=&after=&text=").is_ok(), "a form without script sends empty ones");
}

proptest! {
    #[test]
    fn whatever_the_query_it_is_read_or_refused(query in ".{0,200}") {
        let _ = read(&query);
    }

    #[test]
    fn whatever_the_values_they_are_read_or_refused(value in any::<String>()) {
        let value = crate::review::query::encoded(&value);
        for name in ListParams::OWN.iter().chain(&FilterParams::NAMES) {
            let _ = read(&format!("{name}={value}"));
        }
    }
}
