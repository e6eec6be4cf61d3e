//! The charts of the page, each with its numbers below it.
//!
//! A section has three, six or nine charts where there is everything to be seen: rows of three are full on a wide
//! screen.

use maud::{Markup, html};

use super::drawings::{self as draw, Curve, acceptance, acceptance_by_chars, acceptance_rate};
use super::tables::{self, Column, Measuring, name_of, of_split};
use super::view::View;
use crate::figures::{By, Figures};
use crate::review::cells::{Cell, millis, of_requests, part_of_requests};
use crate::rules::Kind;
use crate::web::charts::{Title, Unit};

/// The sections, by the anchors that lead to them.
pub(super) const SECTIONS: [(&str, &str); 7] = [
    ("time", "Over time"),
    ("acceptance", "Acceptance"),
    ("requests", "Requests"),
    ("latency", "Latency"),
    ("tokens", "Tokens"),
    ("hours", "Hours of the day"),
    ("chats", "Chats"),
];

/// All sections.
pub(super) fn sections(view: &View<'_>) -> Markup {
    let sections: [fn(&View<'_>) -> Markup; 7] = [over_time, suggestions, requests, latency, tokens, hours, chats];
    html! {
        @for ((id, heading), section) in SECTIONS.into_iter().zip(sections) {
            section aria-labelledby=(id) {
                h2 id=(id) { (heading) }
                @if id == "time" && let Some(note) = view.partial_days() { p.muted.small { (note) } }
                div.charts { (section(view)) }
            }
        }
    }
}

/// A chart, what it says in a sentence, its numbers, and their CSV.
fn card(view: &View<'_>, title: &Title, by: Option<By>, chart: &Markup, table: &Markup) -> Markup {
    html! {
        figure.card.chart-card {
            figcaption {
                h3 { (title.title) }
                p.muted.small { (title.desc) }
            }
            div { (chart) }
            details open {
                summary { "Numbers" }
                (table)
            }
            p.small { a href=(view.csv(by)) download { "CSV (all columns)" span.visually-hidden { " of " (title.title) } } }
        }
    }
}

fn title(id: &'static str, title: impl Into<String>, desc: impl Into<String>) -> Title {
    let desc: String = desc.into();
    Title { id, title: title.into(), desc: desc.trim_end().to_owned() }
}

/// A chart whose table is a split's, in the order of time.
fn timed(view: &View<'_>, title: &Title, by: By, chart: &Markup, columns: &[Column]) -> Markup {
    card(view, title, Some(by), chart, &of_split(view, by, (columns, None), &title.title))
}

/// A chart whose table is a split's: those with most first.
fn sized(view: &View<'_>, title: &Title, by: By, chart: &Markup, (columns, measure): (&[Column], Measuring)) -> Markup {
    card(view, title, Some(by), chart, &of_split(view, by, (columns, Some(measure)), &title.title))
}

/// Bars of a split, and their numbers.
fn bars(view: &View<'_>, title: &Title, unit: Unit, by: By, (columns, measure): (&[Column], Measuring)) -> Markup {
    let chart = draw::bars(title.clone(), unit, view.overview.by(by), measure);
    sized(view, title, by, &chart, (columns, measure))
}

fn over_time(view: &View<'_>) -> Markup {
    let rows = view.overview.by(By::Day);
    let rates = title(
        "acceptance-by-day",
        "Acceptance by day",
        "Suggestions accepted of those shown that day, and the same by characters. No line goes across a day of which \
         nothing is known, or on which nothing was shown.",
    );
    let rate_lines: [Curve; 2] = [("suggestions", acceptance_rate), ("characters", acceptance_by_chars)];
    let requests = title("requests-by-day", "Requests by day", "All requests but telemetry.");
    let users = title("users-by-day", "Active users by day", "Persons with a request that day.");
    let waiting = title(
        "latency-by-day",
        "Waiting by day",
        "Median time to the first token, and to the answer's end: half of the answers came sooner.",
    );
    let waiting_lines: [Curve; 2] =
        [("first token", |row| millis(row, row.first_token.p50)), ("whole", |row| millis(row, row.total.p50))];
    let ends = title(
        "ends-by-day",
        "Cancelled and failed by day",
        "Of the requests of that day, those that the client ended, and those that failed.",
    );
    let end_lines: [Curve; 2] = [
        ("cancelled", |row| part_of_requests(row, row.cancelled)),
        ("failed", |row| part_of_requests(row, Some(row.errors))),
    ];
    let tokens = title("tokens-by-day", "Tokens by day", "Of the requests that tell theirs: sent, and answered.");
    let token_lines: [Curve; 2] =
        [("sent", |row| of_requests(row, row.tokens_in)), ("answered", |row| of_requests(row, row.tokens_out))];
    let lines = |title: &Title, unit, lines: &[Curve]| draw::lines(title.clone(), unit, rows, lines);
    let columns = |title: &Title, cell| draw::by_day(title.clone(), Unit::Count, rows, cell);
    html! {
        (timed(view, &rates, By::Day, &lines(&rates, Unit::Share, &rate_lines), &tables::SUGGESTIONS_AND_CHARS))
        (timed(view, &requests, By::Day, &columns(&requests, |row| Cell::Count(row.requests)), &tables::MANY))
        (timed(view, &users, By::Day, &columns(&users, |row| of_requests(row, row.active_users)), &tables::WHO))
        (timed(view, &waiting, By::Day, &lines(&waiting, Unit::Millis, &waiting_lines), &tables::WAITING))
        (timed(view, &ends, By::Day, &lines(&ends, Unit::Share, &end_lines), &tables::ENDS))
        (timed(view, &tokens, By::Day, &lines(&tokens, Unit::Count, &token_lines), &tables::TOKENS))
    }
}

/// Whether there are several users to be seen.
fn is_seen(view: &View<'_>, by: By) -> bool {
    !(view.is_own && by == By::User)
}

fn suggestions(view: &View<'_>) -> Markup {
    let total = view.overview.total();
    let stays = title(
        "persistence",
        "Still in the code",
        "Of the accepted suggestions that were looked at after this time, those that were still there.",
    );
    let edits = title(
        "nes-by-language",
        "Next edits accepted, by language",
        "Next edits accepted of those shown; those with most next edits first.",
    );
    let split = |by, id| {
        let named = title(
            id,
            format!("Acceptance by {}", name_of(by).to_lowercase()),
            format!("Suggestions accepted of those shown; those with most suggestions first. {}", view.nameless(by)),
        );
        bars(view, &named, Unit::Share, by, (&tables::SUGGESTIONS, acceptance))
    };
    // Charts of many bars stand beside each other.
    html! {
        @if is_seen(view, By::User) { (split(By::User, "acceptance-by-user")) }
        (split(By::Language, "acceptance-by-language"))
        (bars(view, &edits, Unit::Share, By::Language, (&tables::NEXT_EDITS, draw::nes_acceptance)))
        (split(By::Editor, "acceptance-by-editor"))
        (split(By::Model, "acceptance-by-model"))
        (card(view, &stays, None, &draw::persistence(stays.clone(), total), &tables::of_persistence(total)))
    }
}

fn requests(view: &View<'_>) -> Markup {
    let by_kind = title(
        "requests-by-kind",
        "Requests by kind",
        "Telemetry has its row here, and is in no total unless it is asked for.",
    );
    let split = |by, id| {
        let named = title(
            id,
            format!("Requests by {}", name_of(by).to_lowercase()),
            format!("All kinds but telemetry. {}", view.nameless(by)),
        );
        let columns: &[Column] = if by == By::User { &tables::MANY_OF_USER } else { &tables::MANY };
        bars(view, &named, Unit::Count, by, (columns, draw::requests))
    };
    // Charts of many bars stand beside each other.
    html! {
        @if is_seen(view, By::User) { (split(By::User, "requests-by-user")) }
        (split(By::Language, "requests-by-language"))
        (split(By::Model, "requests-by-model"))
        (bars(view, &by_kind, Unit::Count, By::Kind, (&tables::MANY, draw::requests)))
        (ends(view, By::Kind, ["cancelled-by-kind", "errors-by-kind"]))
        (split(By::Editor, "requests-by-editor"))
        (ends(view, By::Model, ["cancelled-by-model", "errors-by-model"]))
    }
}

/// What was cancelled, and what failed.
fn ends(view: &View<'_>, by: By, [cancelled, failed]: [&'static str; 2]) -> Markup {
    let name = name_of(by).to_lowercase();
    let cancelled = title(
        cancelled,
        format!("Cancelled by {name}"),
        "Of the requests, those that the client ended early; those with most requests first.",
    );
    let failed = title(
        failed,
        format!("Failed by {name}"),
        "Of the requests, those with an error or without an answer; those with most requests first.",
    );
    html! {
        (bars(view, &cancelled, Unit::Share, by, (&tables::CANCELS, draw::cancelled)))
        (bars(view, &failed, Unit::Share, by, (&tables::FAILURES, draw::errors)))
    }
}

fn latency(view: &View<'_>) -> Markup {
    let all = title(
        "latency-spans",
        "Where the time goes",
        "The median, and what nine and ninety-nine in a hundred stay below; of answers that were waited for to their end.",
    );
    let total = view.overview.total();
    html! {
        (spreads(view))
        (card(view, &all, None, &draw::all_spans(all.clone(), total), &tables::of_spans(total)))
        @for (by, id) in [(By::Model, "total-by-model"), (By::Editor, "total-by-editor")] {
            @let named = title(
                id,
                format!("Whole answer by {}", name_of(by).to_lowercase()),
                "First byte of the request to the last of the answer: p50, p90 and p99; those with most answers first.",
            );
            @let (chart, left_out) = draw::ranges(named.clone(), view.overview.by(by), |row| &row.total);
            @let noted = html! {
                (chart)
                @if left_out > 0 { p.muted.small { "and " (left_out) " others, in the numbers" } }
            };
            (sized(view, &named, by, &noted, (&tables::WHOLE, draw::measured)))
        }
    }
}

/// How times are spread: of all that is measured, and of the whole answers of each kind of it.
fn spreads(view: &View<'_>) -> Markup {
    const AXIS: &str = "Each bound is about 1.6 times the last.";
    let total = view.overview.total();
    let Figures { spread, first_byte, first_token, total: whole, .. } = total;
    let spans = [
        ("spread-first-byte", "Time to the first byte", "of the answer's head", (&spread.first_byte, first_byte)),
        (
            "spread-first-token",
            "Time to the first token",
            "of streams that tell it",
            (&spread.first_token, first_token),
        ),
        ("spread-total", "Time to the whole answer", "of answers waited for to their end", (&spread.total, whole)),
    ];
    let kinds = [(Kind::Completions, "spread-completions"), (Kind::Nes, "spread-nes"), (Kind::Chat, "spread-chat")];
    let rows = view.overview.by(By::Kind);
    let of_kind = |kind: Kind| rows.iter().find(|row| row.group == kind.as_str() && row.total.n > 0);
    let kinds: Vec<_> = kinds.into_iter().filter_map(|(kind, id)| Some((id, of_kind(kind)?))).collect();
    html! {
        @for (id, name, of, drawn) in spans {
            @let named = title(
                id,
                name,
                format!("How many answers took how long, {of}: ghost text, next edits and chats together. {AXIS}"),
            );
            (card(view, &named, None, &draw::histogram(named.clone(), total, drawn),
                &tables::of_spread(total, drawn.0, &named.title)))
        }
        // Of one kind alone it would be the same picture again.
        @if kinds.len() > 1 { @for (id, row) in kinds {
            @let named = title(
                id,
                format!("Whole answer: {}", row.group),
                format!("How many answers of the kind {} took how long. {AXIS}", row.group),
            );
            (card(view, &named, Some(By::Kind), &draw::histogram(named.clone(), row, (&row.spread.total, &row.total)),
                &tables::of_spread(row, &row.spread.total, &named.title)))
        } }
    }
}

fn tokens(view: &View<'_>) -> Markup {
    let sent = title("tokens-in", "Tokens sent, by model", "Those of prompts, cached ones included.");
    let got = title("tokens-out", "Tokens answered, by model", "Those of answers, reasoning included.");
    let cached = title(
        "tokens-cached",
        "Cached part of prompts, by model",
        "Tokens of prompts that the server had kept, and the others; those with most tokens first.",
    );
    let parts = draw::shares(cached.clone(), &["cached", "not cached"], view.overview.by(By::Model), draw::cached);
    html! {
        (bars(view, &sent, Unit::Count, By::Model, (&tables::SENT, |row| draw::tokens(row, row.tokens_in))))
        (bars(view, &got, Unit::Count, By::Model, (&tables::ANSWERED, |row| draw::tokens(row, row.tokens_out))))
        (sized(view, &cached, By::Model, &parts, (&tables::CACHED, draw::cached)))
    }
}

fn hours(view: &View<'_>) -> Markup {
    let rows = view.overview.by(By::Hour);
    let clock = "Of all days together, by the clock that is asked for.";
    let many = title("requests-by-hour", "Requests by hour", clock);
    let rates = title("acceptance-by-hour", "Acceptance by hour", "Suggestions accepted of those shown in that hour.");
    let waiting =
        title("latency-by-hour", "Waiting by hour", "Median time to the first token of that hour's requests.");
    let columns = |title: &Title, unit, cell| draw::by_hour(title.clone(), unit, rows, cell);
    html! {
        (timed(view, &many, By::Hour, &columns(&many, Unit::Count, |row| Cell::Count(row.requests)), &tables::MANY))
        (timed(view, &rates, By::Hour, &columns(&rates, Unit::Share, acceptance_rate), &tables::SUGGESTIONS))
        (timed(view, &waiting, By::Hour,
            &columns(&waiting, Unit::Millis, |row| millis(row, row.first_token.p50)), &tables::WAITING))
    }
}

fn chats(view: &View<'_>) -> Markup {
    let parts = ["turns of people", "follow-ups of the client itself", "not told"];
    let desc = "A turn is what a person sent; a follow-up is what the client sent by itself: tool rounds and the like. \
                Those with most chats first.";
    let splits = [(By::Editor, "turns-by-editor"), (By::User, "turns-by-user"), (By::Model, "turns-by-model")];
    html! {
        @for (by, id) in splits.into_iter().filter(|(by, _)| is_seen(view, *by)) {
            @let named = title(id, format!("Turns and follow-ups by {}", name_of(by).to_lowercase()), desc);
            @let chart = draw::shares(named.clone(), &parts, view.overview.by(by), draw::turns);
            (sized(view, &named, by, &chart, (&tables::TURNS, draw::turns)))
        }
    }
}
