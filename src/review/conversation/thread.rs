//! Which request goes on from which, told from what they say, without keeping what they say.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Begun, Conversation, Link, Turn, Unread};
use crate::copilot::answer::{Answer, Ending};
use crate::copilot::prompt::{self, Part, Prompt};
use crate::index::{Initiator, Row};
use crate::review::text::printable;

/// What is kept of a request and its answer to tell what it goes on from.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) row: Row,
    /// For each piece of the prompt, a hash of all up to it: one prompt begins with another if that one's last hash stands
    /// at its place.
    chain: Vec<u64>,
    /// The chain as it goes on where a client sends the answer back: the hash behind each piece of it.
    answer: Vec<u64>,
    /// The answer is whole, so that a client cannot have another one.
    is_answered: bool,
    /// Of the system's text.
    system: Option<u64>,
    /// The history has answers.
    has_answers: bool,
    begun: Begun,
    title: String,
    unread: Option<Unread>,
}

impl Trace {
    /// Of an exchange that was read.
    pub(super) fn of(row: Row, prompt: Option<&Prompt>, answer: Option<&Answer>) -> Self {
        let mut chain = Vec::new();
        let mut last = 0;
        let mut has_answers = false;
        let mut system = None;
        for turn in prompt.iter().flat_map(|prompt| &prompt.turns) {
            for part in &turn.parts {
                if is_system(&turn.role) {
                    let hash = hash_part(&turn.role, part).unwrap_or_default();
                    system = Some(mixed(system.unwrap_or_default(), hash));
                } else if let Some(hash) = hash_part(&turn.role, part) {
                    last = mixed(last, hash);
                    chain.push(last);
                    has_answers |= is_answer(&turn.role, part);
                }
            }
        }
        let is_answered = answer.is_some_and(|answer| answer.ending == Ending::Complete);
        let answer = answer.map(|answer| answered(answer, last)).unwrap_or_default();
        let begun = begun(&row, prompt);
        let title = if begun == Begun::Person { prompt.map(title).unwrap_or_default() } else { String::new() };
        Self {
            row,
            chain,
            is_answered: is_answered && !answer.is_empty(),
            answer,
            system,
            has_answers,
            begun,
            title,
            unread: None,
        }
    }

    /// Of an exchange whose file cannot be read, or was not.
    pub(super) fn unread(row: Row, why: Unread) -> Self {
        Self { unread: Some(why), ..Self::of(row, None, None) }
    }

    /// It says all that the other said, and then more.
    fn begins_with(&self, other: &Self) -> bool {
        let length = other.chain.len();
        length > 0 && length < self.chain.len() && self.chain.get(length - 1) == other.chain.last()
    }

    /// It begins with what the other said and was answered, or with the beginning of that (some clients leave calls of
    /// tools out): so many pieces.
    fn tells_answer_of(&self, other: &Self) -> Option<usize> {
        let from = other.chain.len();
        let told = other.answer.iter().zip(self.chain.get(from..)?).take_while(|(one, other)| one == other).count();
        (told > 0).then_some(from + told)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        !self.chain.is_empty()
            && self.chain.len() == other.chain.len()
            && self.chain.last() == other.chain.last()
            && self.row.previous_response_id == other.row.previous_response_id
    }

    fn same_interaction(&self, other: &Self) -> bool {
        self.row.interaction.is_some() && self.row.interaction == other.row.interaction
    }
}

/// Pieces that make it sure that two histories that begin with them are one: people begin many chats with the same word.
const SURE: usize = 3;

/// What a request goes on from, and how much of it was said before.
#[derive(Clone, Copy)]
struct Parent {
    at: usize,
    seen: usize,
}

/// The conversation that the trace at `asked` belongs to. `traces` may hold others too; at most `most` are kept, the
/// nearest to the one that was asked for.
pub(super) fn put_together(mut traces: Vec<Trace>, asked: &str, most: usize) -> Conversation {
    traces.sort_by(|one, other| (one.row.began, &one.row.id).cmp(&(other.row.began, &other.row.id)));
    let parents: Vec<_> = (0..traces.len()).map(|at| parent(&traces, at)).collect();
    let Some(asked) = traces.iter().position(|trace| trace.row.id == asked) else { return Conversation::default() };
    let together = component(&traces, &parents, asked);
    let place = together.iter().position(|at| *at == asked).unwrap_or_default();
    let from = place.saturating_sub(most / 2).min(together.len().saturating_sub(most));
    let kept: Vec<_> = together.iter().copied().skip(from).take(most).collect();
    let places: HashMap<_, _> = kept.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let turns = kept.iter().map(|at| turn(&traces, &parents, &places, *at)).collect();
    Conversation { turns, asked: place - from, capped: kept.len() < together.len() }
}

fn parent(traces: &[Trace], at: usize) -> Option<Parent> {
    let trace = traces.get(at)?;
    if let Some(id) = &trace.row.previous_response_id {
        // Of several answers with one id, the latest; what was said before is not said again.
        let known = traces.iter().rposition(|other| other.row.response_id.as_ref() == Some(id));
        return known.filter(|known| *known != at).map(|at| Parent { at, seen: 0 });
    }
    let earlier = traces.iter().take(at).enumerate();
    let fits = earlier.filter(|(_, other)| trace.begins_with(other)).filter_map(|(at, other)| {
        let told = trace.tells_answer_of(other);
        let sure = told.is_some() || !other.is_answered || other.chain.len() >= SURE || trace.same_interaction(other);
        sure.then_some((other.chain.len(), told.is_some(), at, told))
    });
    // The longest history, then the one whose answer is told, then the latest.
    let (length, _, at, told) = fits.max_by_key(|(length, tells, at, _)| (*length, *tells, *at))?;
    Some(Parent { at, seen: told.unwrap_or(length) })
}

/// All that belong together with one, in order of time.
fn component(traces: &[Trace], parents: &[Option<Parent>], asked: usize) -> Vec<usize> {
    let mut ties: Vec<Vec<usize>> = vec![Vec::new(); traces.len()];
    let mut tie = |one: usize, other: usize| {
        for (one, other) in [(one, other), (other, one)] {
            if let Some(ties) = ties.get_mut(one) {
                ties.push(other);
            }
        }
    };
    let mut interactions: HashMap<&str, usize> = HashMap::new();
    for (at, trace) in traces.iter().enumerate() {
        if let Some(Parent { at: parent, .. }) = parents.get(at).copied().flatten() {
            tie(at, parent);
        }
        if let Some(interaction) = &trace.row.interaction {
            tie(at, *interactions.entry(interaction).or_insert(at));
        }
    }
    let mut found = vec![false; traces.len()];
    let mut next = vec![asked];
    while let Some(at) = next.pop() {
        let Some(is_found) = found.get_mut(at).filter(|found| !**found) else { continue };
        *is_found = true;
        next.extend(ties.get(at).into_iter().flatten());
    }
    (0..traces.len()).filter(|at| found.get(*at) == Some(&true)).collect()
}

fn turn(traces: &[Trace], parents: &[Option<Parent>], places: &HashMap<usize, usize>, at: usize) -> Turn {
    let trace = &traces[at];
    let parent = parents.get(at).copied().flatten();
    let is_sibling = |other: usize| match (parent, parents.get(other).copied().flatten()) {
        (Some(one), Some(another)) => one.at == another.at,
        (None, None) => trace.same_interaction(&traces[other]) || trace.row.previous_response_id.is_some(),
        _ => false,
    };
    let again = (0..at).filter(|other| is_sibling(*other)).find(|other| trace.says_the_same(&traces[*other]));
    let goes_another_way = |other: usize| {
        parent.is_some() && is_sibling(other) && !trace.says_the_same(&traces[other]) && !traces[other].chain.is_empty()
    };
    let link = match (parent.map(|parent| places.get(&parent.at)), &trace.row.previous_response_id) {
        (Some(Some(place)), _) => Link::From(*place),
        (_, Some(id)) => Link::Lost(id.clone()),
        (Some(None), None) => Link::Untold,
        (None, None) if trace.has_answers => Link::Untold,
        (None, None) => Link::Begins,
    };
    let before = parent.map(|parent| traces[parent.at].system);
    Turn {
        row: trace.row.clone(),
        begun: trace.begun,
        again: again.and_then(|other| places.get(&other).copied()),
        turned_back: again.is_none() && (0..at).any(goes_another_way),
        title: trace.title.clone(),
        unread: trace.unread.clone(),
        seen: parent.map_or(0, |parent| parent.seen),
        new_system: trace.system.is_some() && before != Some(trace.system),
        link,
    }
}

pub(super) fn is_system(role: &str) -> bool {
    matches!(role, "system" | "developer")
}

/// Something that the model said.
pub(super) fn is_answer(role: &str, part: &Part) -> bool {
    role == "assistant" && matches!(part, Part::Text { .. } | Part::ToolCall { .. })
}

/// A piece of a history. Reasoning is none, nor what else comes with it: some clients send it back, and some do not.
pub(super) fn hash_part(role: &str, part: &Part) -> Option<u64> {
    match part {
        Part::Text { text } if text.trim().is_empty() => None,
        Part::Text { text } => Some(hash(&("text", role, text.trim()))),
        Part::ToolCall { name, arguments, .. } => Some(hash(&("call", name, arguments.trim()))),
        Part::ToolResult { id, text } => Some(hash(&("result", id, text.trim()))),
        Part::Other { kind } if role != "assistant" => Some(hash(&("other", role, kind))),
        Part::Reasoning { .. } | Part::Other { .. } => None,
    }
}

/// The chain as it goes on from its last hash if a client sends this answer back.
fn answered(answer: &Answer, mut last: u64) -> Vec<u64> {
    let Some(choice) = answer.choices.first() else { return Vec::new() };
    let text = Part::Text { text: choice.text.clone() };
    let calls = choice.tool_calls.iter().map(|call| Part::ToolCall {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
    });
    let hashes = std::iter::once(text).chain(calls).filter_map(|part| hash_part("assistant", &part));
    hashes
        .map(|hash| {
            last = mixed(last, hash);
            last
        })
        .collect()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn mixed(last: u64, next: u64) -> u64 {
    hash(&(last, next))
}

/// As the client says, else by the form of what it said last: results of tools are sent by clients.
fn begun(row: &Row, prompt: Option<&Prompt>) -> Begun {
    let is_result = |turn: &prompt::Turn| turn.parts.iter().any(|part| matches!(part, Part::ToolResult { .. }));
    match row.initiator {
        Some(Initiator::User) => Begun::Person,
        Some(Initiator::Agent) => Begun::Client,
        None if prompt.and_then(|prompt| prompt.turns.last()).is_some_and(is_result) => Begun::Client,
        None => Begun::Person,
    }
}

/// Letters of a title.
const TITLE: usize = 120;

/// VS Code puts what surrounds a person's words into the same message, and the words between these (VCC
/// `agentPrompt.tsx`).
const REQUEST: (&str, &str) = ("<userRequest>", "</userRequest>");

fn title(prompt: &Prompt) -> String {
    let turns = prompt.turns.iter().rev().filter(|turn| turn.role == "user");
    let texts = turns.flat_map(|turn| turn.parts.iter().rev()).filter_map(|part| match part {
        Part::Text { text } if !text.trim().is_empty() => Some(text.as_str()),
        _ => None,
    });
    let Some(text) = texts.into_iter().next() else { return String::new() };
    let words = text.rsplit_once(REQUEST.0).map_or(text, |(_, words)| words.split(REQUEST.1).next().unwrap_or(words));
    // White space may be all there is of a large text.
    let mut title = String::new();
    for word in words.split_whitespace().take(TITLE) {
        if !title.is_empty() {
            title.push(' ');
        }
        title.extend(word.chars().take(TITLE + 1));
        if title.chars().count() > TITLE {
            break;
        }
    }
    let cut = title.char_indices().nth(TITLE).map(|(at, _)| at);
    match cut {
        Some(at) => format!("{}…", printable(&title[..at])),
        None => printable(&title).into_owned(),
    }
}
