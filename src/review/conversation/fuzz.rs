//! Body of the fuzz target, callable from a plain test.

use super::contents::contents;
use super::thread::{Trace, put_together};
use super::{Begun, Contents, Link};
use crate::archive::parse;
use crate::copilot::prompt::Part;
use crate::copilot::{answer, prompt};
use crate::index::{Row, row_of};
use crate::review::text::misleads;

/// A record without bodies, whose row the requests have.
const PLAIN: &[u8] = br#"{"timestamp": "2024-12-08T13:18:23.331449", "request": {"url": "https://api.example.com/chat/completions", "method": "POST", "headers": {}, "content": ""}, "response": {"status_code": 200, "headers": {}, "content": ""}}"#;

/// Puts requests together as one conversation. Each is two bytes (when it began; which ids it has), the request's body
/// and behind `0xFE` that of the response; `0xFF` ends it, and neither byte is in any UTF-8.
///
/// # Panics
/// When a request is lost or told twice, when one goes on from what is not there, or when more is told than was said.
pub fn fuzz_conversation(data: &[u8]) {
    let Ok(record) = parse("x.json".as_ref(), PLAIN) else { unreachable!("the record is one") };
    let plain = row_of(&record, "x.json".to_owned());
    let all = data.split(|byte| *byte == 0xff).take(MOST_TRACES);
    let all: Vec<_> = all.enumerate().filter_map(|(at, one)| said(&plain, at, one)).collect();
    let traces: Vec<_> = all.iter().map(|(trace, ..)| trace.clone()).collect();
    let Some(asked) = traces.first().map(|trace| trace.row.id.clone()) else { return };
    let most = 1 + data.len() % MOST_TRACES;

    let found = put_together(traces.clone(), &asked, most);
    assert!(found.turns.len() <= most);
    assert!(found.turns.get(found.asked).is_some_and(|turn| turn.row.id == asked), "the one that was asked for");
    let order: Vec<_> = found.turns.iter().map(|turn| (turn.row.began, turn.row.id.clone())).collect();
    assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "each once, in order of time");
    let groups = found.groups();
    assert_eq!(groups.iter().map(ExactSizeIterator::len).sum::<usize>(), found.turns.len());
    let totals = found.totals();
    assert_eq!(totals.by_person + totals.by_client, found.turns.len() as u64);
    assert!(totals.span_ms >= 0.0);

    for (at, turn) in found.turns.iter().enumerate() {
        if let Link::From(other) = turn.link {
            assert!(other < found.turns.len() && other != at);
        }
        assert!(turn.again.is_none_or(|other| other < at));
        assert!(!turn.title.contains(misleads) && (turn.begun == Begun::Person || turn.title.is_empty()));
        let Some((_, prompt, answer)) = all.iter().find(|(trace, ..)| trace.row.id == turn.row.id) else { continue };
        let told = contents(turn, prompt.clone(), answer.clone());
        let whole = prompt.as_ref().map_or(0, |prompt| prompt.turns.iter().map(|turn| turn.parts.len()).sum());
        assert!(parts(&told).count() <= whole, "nothing is told that was not said");
        assert_eq!(told.said.is_some(), prompt.is_some());
        // Who begins a conversation says all of it.
        if turn.link == Link::Begins && !told.cut {
            assert_eq!(parts(&told).count(), whole);
        }
    }
}

/// More say no more, and each is compared with each.
const MOST_TRACES: usize = 12;

fn said(plain: &Row, at: usize, one: &[u8]) -> Option<(Trace, Option<prompt::Prompt>, Option<answer::Answer>)> {
    let ([began, ids], bodies) = one.split_first_chunk::<2>()?;
    let split = bodies.iter().position(|byte| *byte == 0xfe).unwrap_or(bodies.len());
    let (asked, answered) = bodies.split_at(split);
    let prompt = prompt::read(&String::from_utf8_lossy(asked));
    let answer = answer::read(&String::from_utf8_lossy(answered.strip_prefix(b"\xfe").unwrap_or_default()));
    // Two bits choose among three ids and none.
    let id = |shift: u8| Some(ids >> shift & 3).filter(|id| *id > 0).map(|id| id.to_string());
    let row = Row {
        id: format!("{at:02}"),
        began: plain.began + i64::from(*began),
        interaction: id(0),
        response_id: id(2),
        previous_response_id: id(4),
        ..plain.clone()
    };
    Some((Trace::of(row, prompt.as_ref(), answer.as_ref()), prompt, answer))
}

fn parts(told: &Contents) -> impl Iterator<Item = &Part> {
    told.said.iter().flatten().flat_map(|turn| &turn.parts)
}
