//! The figures as `docs/figures.md` defines them, from what was decided.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::calendar::{DAY, date, hour};
use super::exchange::Fact;
use super::shows::LOOKS;
use super::truth::{Asked, Edit, QUARTER, Seen, Suggestion, Truth};

/// What is asked: as `copilot_recorder::figures::Query`, in plain words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// `user`, `language`, `editor`, `model`, `kind`, `day`, `hour`.
    pub(crate) by: Option<&'static str>,
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) users: Vec<String>,
    pub(crate) languages: Vec<String>,
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) offset_minutes: i64,
}

/// The keys of a row.
pub(crate) const FIELDS: [&str; 32] = [
    "group",
    "requests",
    "speculative",
    "cancelled",
    "errors",
    "noise",
    "active_users",
    "suggestion_users",
    "telemetry_users",
    "shown",
    "accepted",
    "lines_shown",
    "lines_accepted",
    "chars_shown",
    "chars_accepted",
    "persistence",
    "nes_shown",
    "nes_accepted",
    "first_byte",
    "first_token",
    "total",
    "server",
    "network",
    "client_side",
    "spread",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_known",
    "turns",
    "follow_ups",
    "turns_unknown",
];

/// A suggestion or a next edit, settled.
struct Item {
    person: Option<String>,
    language: Option<String>,
    editor: Option<String>,
    model: Option<String>,
    kind: &'static str,
    time: i64,
    accepted: bool,
    /// Ghost text is always shown; otherwise nobody speaks of it.
    shown: bool,
    lines: [u64; 2],
    chars: [u64; 2],
    /// By the times of [`LOOKS`].
    still: [Option<bool>; 5],
}

/// What is counted together.
#[derive(Default)]
struct Group<'a> {
    requests: Vec<&'a Fact>,
    items: Vec<&'a Item>,
}

impl Truth {
    /// The rows by group, and the total.
    pub(crate) fn rows(&self, ask: &Ask) -> (BTreeMap<String, Map<String, Value>>, Map<String, Value>) {
        let items: Vec<Item> =
            self.suggestions.iter().filter_map(suggestion).chain(self.edits.iter().filter_map(edit)).collect();
        let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
        let mut total = Group::default();
        for fact in &self.exchanges {
            let key = Key { person: &fact.person, language: &fact.language, kind: fact.kind, time: fact.began };
            if !ask.wants(&key) {
                continue;
            }
            if let Some(by) = ask.by {
                let group = ask.group(by, &key, &fact.model, fact.editor);
                if ask.counts(fact.kind) || by == "kind" && ask.kinds.is_empty() {
                    groups.entry(group).or_default().requests.push(fact);
                }
            }
            if ask.counts(fact.kind) {
                total.requests.push(fact);
            }
        }
        for item in &items {
            let key = Key { person: &item.person, language: &item.language, kind: item.kind, time: item.time };
            if !ask.wants(&key) || !ask.counts(item.kind) {
                continue;
            }
            if let Some(by) = ask.by {
                groups.entry(ask.group(by, &key, &item.model, item.editor.as_deref())).or_default().items.push(item);
            }
            total.items.push(item);
        }
        let rows = groups.iter().map(|(name, group)| (name.clone(), self.row(name, group, (ask, &items))));
        (rows.collect(), self.row("total", &total, (ask, &items)))
    }

    fn row(&self, name: &str, group: &Group<'_>, asked: (&Ask, &[Item])) -> Map<String, Value> {
        let count = |test: &dyn Fn(&&&Fact) -> bool| group.requests.iter().filter(test).count();
        let requests = &group.requests;
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
        put("group", json!(name));
        put("requests", json!(requests.len()));
        put("speculative", json!(count(&|fact| fact.speculative)));
        let cancelled = count(&|fact| fact.cut_by() == Some("client"));
        // All records of the week say who ended them.
        put("cancelled", json!(cancelled));
        put("errors", json!(count(&|fact| failed(fact))));
        put("noise", json!(count(&|fact| fact.noise.is_some())));
        let persons: BTreeSet<_> = requests.iter().filter_map(|fact| fact.person.as_ref()).collect();
        put("active_users", json!((requests.is_empty() || !persons.is_empty()).then_some(persons.len())));
        for (key, value) in self.suggestions(group, asked) {
            put(key, value);
        }
        for (key, value) in self.latency(group) {
            put(key, value);
        }
        let sum = |of: &dyn Fn(&Fact) -> Option<u64>| -> Option<u64> {
            let told: Vec<u64> = requests.iter().filter_map(|fact| of(fact)).collect();
            (!told.is_empty()).then(|| told.iter().sum())
        };
        put("tokens_in", json!(sum(&|fact| fact.tokens_in)));
        put("tokens_cached", json!(sum(&|fact| fact.tokens_cached)));
        put("tokens_out", json!(sum(&|fact| fact.tokens_out)));
        put("tokens_known", json!(count(&|fact| fact.tokens_in.is_some() || fact.tokens_out.is_some())));
        let chats = |initiator| count(&|fact| fact.kind == "chat" && fact.initiator == initiator);
        let [turns, follow_ups, silent] = [Some("user"), Some("agent"), None].map(chats);
        // Where there are chats, all of them silent, nothing is known.
        let known = silent == 0 || turns + follow_ups > 0;
        put("turns", json!(known.then_some(turns)));
        put("follow_ups", json!(known.then_some(follow_ups)));
        put("turns_unknown", json!(silent));
        row
    }

    /// What telemetry alone tells.
    fn suggestions(&self, group: &Group<'_>, (ask, items): (&Ask, &[Item])) -> Vec<(&'static str, Value)> {
        let day = |time: i64| (time + ask.offset_minutes * 60_000_000).div_euclid(DAY);
        // What is nobody's counts as one person's.
        let name = |person: &Option<String>| person.clone().unwrap_or_else(|| "-".to_owned());
        let asked = group.requests.iter().filter(|fact| matches!(fact.kind, "completions" | "nes"));
        let mut pairs: BTreeSet<(String, i64)> = asked.map(|fact| (name(&fact.person), day(fact.began))).collect();
        pairs.extend(group.items.iter().map(|item| (name(&item.person), day(item.time))));
        // Of whatever is asked for, a suggestion tells that telemetry is on.
        let suggested: BTreeSet<_> = items.iter().map(|item| (name(&item.person), day(item.time))).collect();
        let heard = |pair: &&(String, i64)| {
            let (person, day) = pair;
            let from = (day * DAY - ask.offset_minutes * 60_000_000).div_euclid(QUARTER);
            let events = self.heard.range((person.clone(), from)..(person.clone(), from + DAY / QUARTER));
            suggested.contains(*pair) || events.count() > 0
        };
        let known: BTreeSet<_> = pairs.iter().filter(heard).cloned().collect();
        let people =
            |pairs: &BTreeSet<(String, i64)>| pairs.iter().map(|(person, _)| person).collect::<BTreeSet<_>>().len();
        let told = |n: u64| json!((!known.is_empty()).then_some(n));
        let ghosts: Vec<_> = group.items.iter().filter(|item| item.kind == "completions").collect();
        let accepted: Vec<_> = ghosts.iter().filter(|item| item.accepted).collect();
        let edits = group.items.iter().filter(|item| item.kind == "nes");
        let persistence: Vec<Value> = LOOKS
            .iter()
            .enumerate()
            .map(|(at, after)| {
                let looks: Vec<bool> = accepted.iter().filter_map(|item| item.still[at]).collect();
                let still = looks.iter().filter(|still| **still).count();
                json!({"after": after, "known": looks.len(), "still": (!looks.is_empty()).then_some(still)})
            })
            .collect();
        vec![
            ("suggestion_users", json!(people(&pairs))),
            ("telemetry_users", json!(people(&known))),
            ("shown", told(ghosts.len() as u64)),
            ("accepted", told(accepted.len() as u64)),
            ("lines_shown", told(ghosts.iter().map(|item| item.lines[0]).sum())),
            ("lines_accepted", told(accepted.iter().map(|item| item.lines[1]).sum())),
            ("chars_shown", told(ghosts.iter().map(|item| item.chars[0]).sum())),
            ("chars_accepted", told(accepted.iter().map(|item| item.chars[1]).sum())),
            ("persistence", Value::Array(persistence)),
            ("nes_shown", told(edits.clone().filter(|item| item.shown).count() as u64)),
            ("nes_accepted", told(edits.filter(|item| item.accepted).count() as u64)),
        ]
    }

    fn latency(&self, group: &Group<'_>) -> Vec<(&'static str, Value)> {
        let measured: Vec<&Fact> = group
            .requests
            .iter()
            .copied()
            .filter(|fact| matches!(fact.kind, "completions" | "nes" | "chat"))
            .filter(|fact| fact.cut_by() != Some("client"))
            .filter(|fact| fact.status.is_some_and(|status| status == 101 || (200..300).contains(&status)))
            .collect();
        let spread =
            |of: &dyn Fn(&Fact) -> Option<f64>| percentiles(measured.iter().filter_map(|fact| of(fact)).collect());
        let counts = |of: &dyn Fn(&Fact) -> Option<f64>| {
            between(&measured.iter().filter_map(|fact| of(fact)).collect::<Vec<_>>())
        };
        let waited = |fact: &Fact| self.waits.get(fact.request_id.as_ref()?).copied();
        vec![
            ("first_byte", spread(&|fact| fact.first_byte)),
            ("first_token", spread(&|fact| fact.first_token)),
            ("total", spread(&|fact| fact.total)),
            ("server", spread(&|fact| fact.server)),
            ("network", spread(&|fact| Some(fact.first_byte? - fact.server?))),
            ("client_side", spread(&|fact| Some(waited(fact)? - fact.first_byte?))),
            (
                "spread",
                json!({
                    "bounds": BOUNDS,
                    "first_byte": counts(&|fact| fact.first_byte),
                    "first_token": counts(&|fact| fact.first_token),
                    "total": counts(&|fact| fact.total),
                }),
            ),
        ]
    }
}

struct Key<'a> {
    person: &'a Option<String>,
    language: &'a Option<String>,
    kind: &'static str,
    time: i64,
}

impl Ask {
    fn wants(&self, key: &Key<'_>) -> bool {
        let among = |list: &[String], value: &Option<String>| {
            list.is_empty() || list.iter().any(|wanted| wanted == value.as_deref().unwrap_or("-"))
        };
        among(&self.users, key.person)
            && among(&self.languages, key.language)
            && self.since.is_none_or(|since| key.time >= since)
            && self.until.is_none_or(|until| key.time < until)
    }

    /// Telemetry is not counted unless it is asked for.
    fn counts(&self, kind: &str) -> bool {
        if self.kinds.is_empty() { kind != "telemetry" } else { self.kinds.contains(&kind) }
    }

    fn group(&self, by: &str, key: &Key<'_>, model: &Option<String>, editor: Option<&str>) -> String {
        let name = match by {
            "user" => key.person.clone(),
            "language" => key.language.clone(),
            "editor" => editor.map(str::to_owned),
            "model" => model.clone(),
            "kind" => Some(key.kind.to_owned()),
            "day" => Some(date(key.time, self.offset_minutes)),
            "hour" => Some(hour(key.time, self.offset_minutes)),
            _ => panic!("no such split: {by}"),
        };
        name.unwrap_or_else(|| "-".to_owned())
    }
}

fn failed(fact: &Fact) -> bool {
    fact.status.is_some_and(|status| status >= 400)
        || fact.error
        || fact.cut_by() == Some("upstream")
        || fact.status.is_none() && fact.cut_by() != Some("client")
}

/// Milliseconds between which values are counted.
const BOUNDS: [u32; 21] = [
    10, 16, 25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300, 10000, 16000, 25000, 40000, 63000,
    100000,
];

/// How many lie below the first bound, from each to the next, and from the last on.
fn between(values: &[f64]) -> Value {
    let mut ends = vec![f64::NEG_INFINITY];
    ends.extend(BOUNDS.map(f64::from));
    ends.push(f64::INFINITY);
    let count = |pair: &[f64]| values.iter().filter(|value| **value >= pair[0] && **value < pair[1]).count();
    json!(ends.windows(2).map(count).collect::<Vec<_>>())
}

/// By nearest rank.
fn percentiles(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).max(1) - 1);
    json!({"n": values.len(), "p50": at(50), "p90": at(90), "p99": at(99)})
}

/// None where no event about it arrived that counts.
fn suggestion(of: &Suggestion) -> Option<Item> {
    let mut said: Vec<&Seen> = of.shows.iter().collect();
    said.sort_by_key(|seen| seen.time);
    let mut accepts: Vec<&Seen> = of.accepts.iter().collect();
    accepts.sort_by_key(|seen| seen.time);
    // All shows by time, then all acceptances: where a property is said first, there it is taken from.
    said.extend(accepts);
    let time = said.first()?.time;
    let first = |of: fn(&Seen) -> &Option<String>| said.iter().find_map(|seen| of(seen).clone());
    let most = |list: &[Seen], of: fn(&Seen) -> u64| list.iter().map(of).max();
    let size = |of_seen: fn(&Seen) -> u64| {
        let accepted = most(&of.accepts, of_seen);
        [most(&of.shows, of_seen).or(accepted).unwrap_or(0), accepted.unwrap_or(0)]
    };
    let still = LOOKS.map(|after| {
        let looks = of.looks.iter().filter(|(_, at, _)| *at == after);
        looks.max_by_key(|(time, ..)| *time).map(|(.., still)| *still)
    });
    let said = Asked {
        person: first(|seen| &seen.person),
        language: first(|seen| &seen.language),
        editor: first(|seen| &seen.editor),
        model: first(|seen| &seen.model),
    };
    let [person, language, editor, model] = filled(said, &of.asked);
    Some(Item {
        person,
        language,
        editor,
        model,
        kind: "completions",
        time,
        accepted: !of.accepts.is_empty(),
        shown: true,
        lines: size(|seen| seen.lines),
        chars: size(|seen| seen.chars),
        still,
    })
}

fn edit(of: &Edit) -> Option<Item> {
    // Several events of one next edit are copies of each other.
    let first = of.looks.iter().min_by_key(|look| look.time)?.clone();
    let said = Asked { person: first.person, language: first.language, editor: None, model: first.model };
    let [person, language, editor, model] = filled(said, &of.asked);
    let accepted = of.looks.iter().any(|look| look.accepted);
    Some(Item {
        person,
        language,
        editor,
        model,
        kind: "nes",
        time: first.time,
        accepted,
        shown: accepted || of.looks.iter().any(|look| look.shown),
        lines: [0; 2],
        chars: [0; 2],
        still: [None; 5],
    })
}

/// What the event says, and where it says nothing, what the request says.
fn filled(said: Asked, asked: &Asked) -> [Option<String>; 4] {
    [
        said.person.or_else(|| asked.person.clone()),
        said.language.or_else(|| asked.language.clone()),
        said.editor.or_else(|| asked.editor.clone()),
        said.model.or_else(|| asked.model.clone()),
    ]
}
