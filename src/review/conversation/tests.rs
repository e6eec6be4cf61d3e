use proptest::prelude::*;

use super::contents::contents;
use super::thread::{Trace, put_together};
use super::*;
use crate::copilot::answer::{Answer, Choice, Ending, Faults, Format, ToolCall};
use crate::copilot::prompt::{self, Part, Prompt};
use crate::index::{Initiator, testing};
use crate::rules::Kind;

fn row(id: &str, seconds: i64) -> Row {
    Row {
        id: id.into(),
        kind: Kind::Chat,
        began: testing::BEGAN + seconds * 1_000_000,
        response_id: None,
        total_ms: Some(1_000.0),
        tokens_in: Some(10),
        tokens_out: None,
        ..testing::row()
    }
}

fn text(role: &str, text: &str) -> prompt::Turn {
    prompt::Turn { role: role.into(), parts: vec![Part::Text { text: text.into() }] }
}

fn call(name: &str) -> prompt::Turn {
    let call = Part::ToolCall { id: "c1".into(), name: name.into(), arguments: "{}".into() };
    prompt::Turn { role: "assistant".into(), parts: vec![call] }
}

fn result(said: &str) -> prompt::Turn {
    prompt::Turn { role: "tool".into(), parts: vec![Part::ToolResult { id: "c1".into(), text: said.into() }] }
}

fn prompt(turns: &[prompt::Turn]) -> Prompt {
    Prompt { turns: turns.to_vec(), ..Prompt::default() }
}

fn answer(text: &str, calls: &[&str]) -> Answer {
    let tool_calls =
        calls.iter().map(|name| ToolCall { id: "c1".into(), name: (*name).into(), arguments: "{}".into() });
    Answer {
        format: Format::Chat,
        streamed: true,
        id: None,
        model: None,
        choices: vec![Choice { text: text.into(), tool_calls: tool_calls.collect(), ..Choice::default() }],
        usage: None,
        ending: Ending::Complete,
        error: None,
        faults: Faults::default(),
        first_token_end: None,
    }
}

/// An exchange as the tests write it.
#[derive(Clone)]
struct Said {
    row: Row,
    prompt: Prompt,
    answer: Option<Answer>,
}

fn said(id: &str, seconds: i64, turns: &[prompt::Turn], answered: Answer) -> Said {
    Said { row: row(id, seconds), prompt: prompt(turns), answer: Some(answered) }
}

fn together(all: &[Said], asked: &str) -> Conversation {
    let traces = all.iter().map(|said| Trace::of(said.row.clone(), Some(&said.prompt), said.answer.as_ref()));
    put_together(traces.collect(), asked, EXCHANGES_MAX)
}

fn ids(conversation: &Conversation) -> Vec<&str> {
    conversation.turns.iter().map(|turn| turn.row.id.as_str()).collect()
}

fn new(conversation: &Conversation, all: &[Said], at: usize) -> Vec<String> {
    let turn = &conversation.turns[at];
    let said = all.iter().find(|said| said.row.id == turn.row.id).unwrap();
    let contents = contents(turn, Some(said.prompt.clone()), said.answer.clone());
    let words = contents.said.unwrap().into_iter().flat_map(|turn| {
        turn.parts.into_iter().map(move |part| match part {
            Part::Text { text } => format!("{}: {text}", turn.role),
            Part::ToolResult { text, .. } => format!("result: {text}"),
            Part::ToolCall { name, .. } => format!("call: {name}"),
            other => format!("{other:?}"),
        })
    });
    words.collect()
}

/// A person asks, the client follows up with a tool's result, and the person asks again; the whole history each time.
fn chat() -> Vec<Said> {
    let system = text("system", "Be kind.");
    let mut turns = vec![system, text("user", "What is in a.rs?")];
    let first = said("a", 0, &turns, answer("", &["read"]));
    turns.extend([call("read"), result("fn main")]);
    let second = said("b", 2, &turns, answer("A main.", &[]));
    turns.extend([text("assistant", "A main."), text("user", "Rename it.")]);
    let third = said("c", 60, &turns, answer("Done.", &[]));
    vec![first, second, third]
}

#[test]
fn a_history_sent_whole_each_time_is_told_once() {
    let all = chat();
    for asked in ["a", "b", "c"] {
        let found = together(&all, asked);
        assert_eq!(ids(&found), ["a", "b", "c"]);
        assert_eq!(found.turns[found.asked].row.id, asked);
        assert_eq!(new(&found, &all, 0), ["system: Be kind.", "user: What is in a.rs?"]);
        assert_eq!(new(&found, &all, 1), ["result: fn main"]);
        assert_eq!(new(&found, &all, 2), ["user: Rename it."]);
        let begun: Vec<_> = found.turns.iter().map(|turn| turn.begun).collect();
        assert_eq!(begun, [Begun::Person, Begun::Client, Begun::Person]);
        let links: Vec<_> = found.turns.iter().map(|turn| turn.link.clone()).collect();
        assert_eq!(links, [Link::Begins, Link::From(0), Link::From(1)]);
        assert_eq!(found.groups(), [0..2, 2..3]);
        assert_eq!(
            found.turns.iter().map(|turn| turn.title.as_str()).collect::<Vec<_>>(),
            ["What is in a.rs?", "", "Rename it."]
        );
    }
}

#[test]
fn what_it_took_is_added_up_and_unknown_stays_unknown() {
    let found = together(&chat(), "a");
    let totals = found.totals();
    assert_eq!((totals.by_person, totals.by_client), (2, 1));
    assert_eq!((totals.tokens_in, totals.tokens_out, totals.tokens_known), (Some(30), None, 3));
    assert_eq!((totals.busy_ms, totals.span_ms), (Some(3_000.0), 61_000.0));
    assert_eq!(super::totals(&[]), Totals::default());
    let mut all = chat();
    all.iter_mut().for_each(|said| said.row.total_ms = None);
    assert_eq!(together(&all, "a").totals().busy_ms, None);
    all[0].row.total_ms = Some(f64::NAN);
    all[1].row.total_ms = Some(5.0);
    assert_eq!(together(&all, "a").totals().busy_ms, Some(5.0));
}

#[test]
fn what_the_client_says_of_who_began_counts_more_than_the_form() {
    let mut all = chat();
    all[0].row.initiator = Some(Initiator::Agent);
    all[1].row.initiator = Some(Initiator::User);
    let found = together(&all, "a");
    assert_eq!((found.turns[0].begun, found.turns[1].begun), (Begun::Client, Begun::Person));
}

#[test]
fn another_chat_that_begins_with_the_same_word_is_another_chat() {
    let mut all = chat();
    let turns = [text("user", "What is in a.rs?")];
    all.push(said("x", 30, &turns, answer("Nothing at all.", &[])));
    let more = [text("user", "What is in a.rs?"), text("assistant", "Nothing at all."), text("user", "Look.")];
    all.push(said("y", 40, &more, answer("I did.", &[])));
    assert_eq!(ids(&together(&all, "a")), ["a", "b", "c"]);
    assert_eq!(ids(&together(&all, "y")), ["x", "y"]);
}

#[test]
fn ids_tie_what_does_not_repeat_its_history() {
    let chain = |id: &str, seconds, previous: Option<&str>, words: &str| {
        let mut said = said(id, seconds, &[text("user", words)], answer(words, &[]));
        said.row.previous_response_id = previous.map(str::to_owned);
        said.row.response_id = Some(format!("resp_{id}"));
        said
    };
    let all = [
        chain("b", 10, Some("resp_a"), "two"),
        chain("a", 0, None, "one"),
        chain("c", 20, Some("resp_b"), "three"),
        chain("c2", 25, Some("resp_b"), "three"),
        chain("d", 30, Some("resp_b"), "another way"),
        chain("z", 40, Some("resp_gone"), "zzz"),
    ];
    let found = together(&all, "c");
    assert_eq!(ids(&found), ["a", "b", "c", "c2", "d"]);
    assert_eq!(new(&found, &all, 1), ["user: two"]);
    assert_eq!(found.turns[3].again, Some(2));
    assert_eq!(found.turns.iter().map(|turn| turn.turned_back).collect::<Vec<_>>(), [false, false, false, false, true]);
    assert_eq!(found.turns[4].link, Link::From(1));
    let alone = together(&all, "z");
    assert_eq!((ids(&alone), &alone.turns[0].link), (vec!["z"], &Link::Lost("resp_gone".into())));
}

#[test]
fn one_interaction_is_one_conversation_also_where_nothing_else_ties() {
    let mut all = vec![
        said("a", 0, &[text("user", "Do it.")], answer("", &["search"])),
        said("b", 1, &[text("user", "Sub-task: find x")], answer("x", &[])),
        said("c", 2, &[text("user", "Do it.")], answer("Done.", &[])),
    ];
    assert_eq!(ids(&together(&all, "a")), ["a"]);
    all.iter_mut().for_each(|said| said.row.interaction = Some("i".into()));
    let found = together(&all, "b");
    assert_eq!(ids(&found), ["a", "b", "c"]);
    assert_eq!(found.turns[2].again, Some(0), "the very same was said");
}

#[test]
fn a_history_that_was_not_recorded_and_one_that_was_changed_are_said() {
    let all = [said(
        "b",
        0,
        &[text("user", "Hi"), text("assistant", "Hello."), text("user", "Go on.")],
        answer("Well.", &[]),
    )];
    let found = together(&all, "b");
    assert_eq!(found.turns[0].link, Link::Untold);
    assert_eq!(new(&found, &all, 0), ["user: Hi", "assistant: Hello.", "user: Go on."]);

    let mut all = chat();
    all[2].prompt.turns[4] = text("assistant", "A MAIN.");
    let found = together(&all, "a");
    assert_eq!(ids(&found), ["a", "b", "c"]);
    let third = contents(&found.turns[2], Some(all[2].prompt.clone()), None);
    assert!(third.retold);
    assert_eq!(new(&found, &all, 2), ["assistant: A MAIN.", "user: Rename it."]);
    let second = contents(&found.turns[1], Some(all[1].prompt.clone()), None);
    assert!(!second.retold);
}

#[test]
fn an_answer_whose_calls_are_left_out_of_the_history_is_not_told_again() {
    let first = [text("user", "What is in a.rs?")];
    let second = [first[0].clone(), text("assistant", "I look."), result("fn main")];
    let all = [said("a", 0, &first, answer("I look.", &["read"])), said("b", 2, &second, answer("A main.", &[]))];
    let found = together(&all, "a");
    assert_eq!(ids(&found), ["a", "b"]);
    assert_eq!(new(&found, &all, 1), ["result: fn main"]);
    assert!(!contents(&found.turns[1], Some(all[1].prompt.clone()), None).retold);
}

#[test]
fn a_system_text_is_told_again_when_it_changes() {
    let mut all = chat();
    all[2].prompt.turns[0] = text("system", "Be quick.");
    let found = together(&all, "a");
    assert_eq!(new(&found, &all, 1), ["result: fn main"]);
    assert_eq!(new(&found, &all, 2), ["system: Be quick.", "user: Rename it."]);
}

#[test]
fn reasoning_that_is_sent_back_belongs_to_the_answer_before() {
    let mut all = chat();
    let thought = prompt::Turn { role: "assistant".into(), parts: vec![Part::Reasoning { text: "Hm.".into() }] };
    all[1].prompt.turns.insert(2, thought);
    let found = together(&all, "a");
    assert_eq!(new(&found, &all, 1), ["result: fn main"]);
}

#[test]
fn no_more_than_a_page_is_kept_around_the_one_that_was_asked_for() {
    let all: Vec<_> = (0..30)
        .map(|at| {
            let mut said = said(&format!("{at:02}"), at, &[text("user", &at.to_string())], answer("", &[]));
            said.row.interaction = Some("i".into());
            said
        })
        .collect();
    let traces = || all.iter().map(|said| Trace::of(said.row.clone(), Some(&said.prompt), None)).collect();
    for (asked, first, place) in [("00", "00", 0), ("15", "10", 5), ("29", "20", 9)] {
        let found = put_together(traces(), asked, 10);
        assert_eq!((found.turns.len(), found.turns[0].row.id.as_str(), found.asked), (10, first, place));
        assert!(found.capped);
    }
    assert!(!put_together(traces(), "00", 30).capped);
    assert_eq!(put_together(traces(), "none", 30).turns.len(), 0);
}

#[test]
fn an_unread_record_keeps_its_place() {
    let mut all: Vec<_> =
        chat().into_iter().map(|said| Trace::of(said.row, Some(&said.prompt), said.answer.as_ref())).collect();
    let mut lost = row("b2", 3);
    lost.interaction = Some("i".into());
    all[1].row.interaction = Some("i".into());
    all.push(Trace::unread(lost, Unread { gone: true, why: "was deleted".into() }));
    let found = put_together(all, "a", 100);
    assert_eq!(ids(&found), ["a", "b", "b2", "c"]);
    assert!(found.turns[2].unread.as_ref().is_some_and(|unread| unread.gone));
}

#[test]
fn long_texts_are_cut_and_it_is_said() {
    let turns = [text("user", &"é".repeat(100_000)), text("user", &"y".repeat(400_000)), text("user", "z")];
    let all = [said("a", 0, &turns, answer(&"x".repeat(200_000), &[]))];
    let found = together(&all, "a");
    let got = contents(&found.turns[0], Some(all[0].prompt.clone()), all[0].answer.clone());
    assert!(got.cut);
    assert_eq!(got.answer.unwrap().choices[0].text.len(), 32 << 10);
    let lengths: Vec<_> = got
        .said
        .unwrap()
        .iter()
        .map(|turn| match &turn.parts[0] {
            Part::Text { text } => text.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(lengths, [32 << 10, 32 << 10, 1]);
    let many: Vec<_> = (0..600).map(|at| text("user", &at.to_string())).collect();
    let got = contents(&found.turns[0], Some(prompt(&many)), None);
    assert_eq!((got.said.unwrap().len(), got.cut), (500, true));
    assert_eq!(contents(&found.turns[0], None, None).said, None);
}

#[test]
fn a_title_is_what_the_person_wrote() {
    let title =
        |words: &str| together(&[said("a", 0, &[text("user", words)], answer("", &[]))], "a").turns[0].title.clone();
    assert_eq!(title("<context>\nx\n</context>\n<userRequest>\nFix \x1b[2J it\n</userRequest>\n"), "Fix \\u{1b}[2J it");
    assert_eq!(title(&"word ".repeat(100)).chars().count(), 121);
    assert_eq!(title(&"x".repeat(1_000_000)).chars().count(), 121);
    assert_eq!(title("  \n"), "");
}

fn any_turn() -> impl Strategy<Value = prompt::Turn> {
    // Few words, so that histories often have beginnings in common.
    let word = prop_oneof!["a", "b", "", "c"];
    (prop_oneof!["user", "assistant", "system", "tool"], word, 0..5_u8).prop_map(|(role, word, form)| match form {
        0 => call(&word),
        1 => result(&word),
        2 => prompt::Turn { role, parts: Vec::new() },
        _ => text(&role, &word),
    })
}

proptest! {
    #[test]
    fn whatever_is_said_each_request_comes_once_in_order(
        all in proptest::collection::vec(
            (proptest::collection::vec(any_turn(), 0..6), 0..20_i64, proptest::option::of("[ab]"), proptest::option::of("[ab]"), any::<bool>()),
            1..12,
        ),
        most in 1..14_usize,
    ) {
        let traces: Vec<_> = all.into_iter().enumerate().map(|(at, (turns, seconds, previous, interaction, answers))| {
            let mut row = row(&format!("{at:02}"), seconds);
            row.previous_response_id = previous;
            row.interaction = interaction.clone();
            row.response_id = interaction;
            let prompt = prompt(&turns);
            let answer = answers.then(|| answer("a", &[]));
            (Trace::of(row, Some(&prompt), answer.as_ref()), prompt)
        }).collect();
        let found = put_together(traces.iter().map(|(trace, _)| trace.clone()).collect(), "00", most);
        prop_assert_eq!(found.turns[found.asked].row.id.as_str(), "00");
        prop_assert!(found.turns.len() <= most);
        let order: Vec<_> = found.turns.iter().map(|turn| (turn.row.began, turn.row.id.clone())).collect();
        let mut sorted = order.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(order, sorted);
        for (at, turn) in found.turns.iter().enumerate() {
            if let Link::From(other) = turn.link {
                prop_assert!(other < found.turns.len() && other != at);
            }
            prop_assert!(turn.again.is_none_or(|other| other < at));
            let prompt = traces.iter().find(|(trace, _)| trace.row.id == turn.row.id).map(|(_, prompt)| prompt.clone());
            let whole = prompt.clone().unwrap_or_default();
            let told = contents(turn, prompt, None).said.unwrap_or_default();
            prop_assert!(told.iter().all(|turn| whole.turns.iter().any(|known| known.role == turn.role)));
        }
        prop_assert_eq!(found.groups().iter().map(ExactSizeIterator::len).sum::<usize>(), found.turns.len());
    }
}
