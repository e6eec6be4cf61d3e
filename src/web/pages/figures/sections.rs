//! The charts of the page, each with its numbers below it.

use maud::{Markup, html};

use super::drawings::{self as draw, acceptance, acceptance_by_chars, acceptance_rate};
use super::tables::{self, Column, LATENCY, REQUESTS, SUGGESTIONS, TOKENS, TURNS, name_of, of_split};
use super::view::View;
use crate::figures::By;
use crate::review::cells::{Cell, millis, part_of_requests};
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
            (chart)
            details open {
                summary { "Numbers" }
                (table)
            }
            p.small { a href=(view.csv(by)) download { "CSV" span.visually-hidden { " of " (title.title) } } }
        }
    }
}

fn title(id: &'static str, title: impl Into<String>, desc: &str) -> Title {
    Title { id, title: title.into(), desc: desc.to_owned() }
}

/// A chart whose table is a split's.
fn split(view: &View<'_>, title: &Title, by: By, chart: &Markup, columns: &[Column]) -> Markup {
    card(view, title, Some(by), chart, &of_split(view, by, columns, &title.title))
}

fn over_time(view: &View<'_>) -> Markup {
    let rows = view.overview.by(By::Day);
    let rates = title(
        "acceptance-by-day",
        "Acceptance by day",
        "Suggestions accepted of those shown that day, and the same by characters. No line goes across a day of which \
         nothing is known, or on which nothing was shown.",
    );
    let rate_lines: [(&'static str, fn(&_) -> Cell); 2] =
        [("suggestions", acceptance_rate), ("characters", acceptance_by_chars)];
    let requests = title("requests-by-day", "Requests by day", "All requests but telemetry.");
    let waiting = title("latency-by-day", "Waiting by day", "Median time to the first token, and to the answer's end.");
    let waiting_lines: [(&'static str, fn(&_) -> Cell); 2] =
        [("first token", |row| millis(row, row.first_token.p50)), ("whole", |row| millis(row, row.total.p50))];
    let ends = title(
        "ends-by-day",
        "Cancelled and failed by day",
        "Of the requests of that day, those that the client ended, and those that failed.",
    );
    let end_lines: [(&'static str, fn(&_) -> Cell); 2] = [
        ("cancelled", |row| part_of_requests(row, row.cancelled)),
        ("failed", |row| part_of_requests(row, Some(row.errors))),
    ];
    html! {
        (split(view, &rates, By::Day, &draw::lines(rates.clone(), Unit::Share, rows, &rate_lines), &SUGGESTIONS))
        (split(view, &requests, By::Day,
            &draw::by_day(requests.clone(), Unit::Count, rows, |row| Cell::Count(row.requests)), &REQUESTS))
        (split(view, &waiting, By::Day, &draw::lines(waiting.clone(), Unit::Millis, rows, &waiting_lines), &LATENCY))
        (split(view, &ends, By::Day, &draw::lines(ends.clone(), Unit::Share, rows, &end_lines), &REQUESTS[..6]))
    }
}

/// The splits by what somebody is, and ids for their charts.
fn splits(view: &View<'_>, ids: [&'static str; 4]) -> Vec<(By, &'static str)> {
    let splits = [By::User, By::Language, By::Editor, By::Model].into_iter().zip(ids);
    splits.filter(|(by, _)| !(view.is_own && *by == By::User)).collect()
}

fn suggestions(view: &View<'_>) -> Markup {
    let ids = ["acceptance-by-user", "acceptance-by-language", "acceptance-by-editor", "acceptance-by-model"];
    let total = view.overview.total();
    let stays = title(
        "persistence",
        "Still in the code",
        "Of the accepted suggestions that were looked at after this time, those that were still there.",
    );
    html! {
        @for (by, id) in splits(view, ids) {
            @let named = title(
                id,
                format!("Acceptance by {}", name_of(by).to_lowercase()),
                "Suggestions accepted of those shown; those with most suggestions first.",
            );
            (split(view, &named, by, &draw::bars(named.clone(), Unit::Share, view.overview.by(by), acceptance), &SUGGESTIONS))
        }
        (card(view, &stays, None, &draw::persistence(stays.clone(), total), &tables::of_persistence(total)))
    }
}

fn requests(view: &View<'_>) -> Markup {
    let ids = ["requests-by-user", "requests-by-language", "requests-by-editor", "requests-by-model"];
    let kinds = view.overview.by(By::Kind);
    let by_kind = title(
        "requests-by-kind",
        "Requests by kind",
        "Telemetry has its row here, and is in no total unless it is asked for.",
    );
    let cancelled =
        title("cancelled-by-kind", "Cancelled by kind", "Of the requests, those that the client ended early.");
    let failed =
        title("errors-by-kind", "Failed by kind", "Of the requests, those with an error or without an answer.");
    html! {
        (split(view, &by_kind, By::Kind, &draw::bars(by_kind.clone(), Unit::Count, kinds, draw::requests), &REQUESTS))
        (split(view, &cancelled, By::Kind,
            &draw::bars(cancelled.clone(), Unit::Share, kinds, draw::cancelled), &REQUESTS[..6]))
        (split(view, &failed, By::Kind, &draw::bars(failed.clone(), Unit::Share, kinds, draw::errors), &REQUESTS[..6]))
        @for (by, id) in splits(view, ids) {
            @let named = title(id, format!("Requests by {}", name_of(by).to_lowercase()), "All kinds but telemetry.");
            (split(view, &named, by,
                &draw::bars(named.clone(), Unit::Count, view.overview.by(by), draw::requests), &REQUESTS))
        }
    }
}

fn latency(view: &View<'_>) -> Markup {
    let total = view.overview.total();
    let all = title(
        "latency-spans",
        "Where the time goes",
        "The median, and what nine and ninety-nine in a hundred stay below; of answers that were waited for to their end.",
    );
    let whole = [(By::Kind, "total-by-kind"), (By::Model, "total-by-model"), (By::Editor, "total-by-editor")];
    html! {
        (card(view, &all, None, &draw::all_spans(all.clone(), total), &tables::of_spans(total)))
        @for (by, id) in whole {
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
            (split(view, &named, by, &noted, &LATENCY))
        }
    }
}

fn tokens(view: &View<'_>) -> Markup {
    let rows = view.overview.by(By::Model);
    let sent = title("tokens-in", "Tokens sent, by model", "Those of prompts, cached ones included.");
    let got = title("tokens-out", "Tokens answered, by model", "Those of answers, reasoning included.");
    let cached = title(
        "tokens-cached",
        "Cached part of prompts, by model",
        "Tokens of prompts that the server had kept, and the others.",
    );
    html! {
        (split(view, &sent, By::Model,
            &draw::bars(sent.clone(), Unit::Count, rows, |row| draw::tokens(row, row.tokens_in)), &TOKENS))
        (split(view, &got, By::Model,
            &draw::bars(got.clone(), Unit::Count, rows, |row| draw::tokens(row, row.tokens_out)), &TOKENS))
        (split(view, &cached, By::Model,
            &draw::shares(cached.clone(), &["cached", "not cached"], rows, draw::cached), &TOKENS))
    }
}

fn hours(view: &View<'_>) -> Markup {
    let rows = view.overview.by(By::Hour);
    let many = title("requests-by-hour", "Requests by hour", "Of all days together, by the clock that is asked for.");
    let rates = title("acceptance-by-hour", "Acceptance by hour", "Suggestions accepted of those shown in that hour.");
    html! {
        (split(view, &many, By::Hour,
            &draw::by_hour(many.clone(), Unit::Count, rows, |row| Cell::Count(row.requests)), &REQUESTS))
        (split(view, &rates, By::Hour, &draw::by_hour(rates.clone(), Unit::Share, rows, acceptance_rate), &SUGGESTIONS))
    }
}

fn chats(view: &View<'_>) -> Markup {
    let parts = ["turns of people", "follow-ups of the client itself", "not told"];
    let desc = "A turn is what a person sent; a follow-up is what the client sent by itself: tool rounds and the like.";
    let splits = [(By::Editor, "turns-by-editor"), (By::User, "turns-by-user"), (By::Model, "turns-by-model")];
    html! {
        @for (by, id) in splits.into_iter().filter(|(by, _)| !(view.is_own && *by == By::User)) {
            @let named = title(id, format!("Turns and follow-ups by {}", name_of(by).to_lowercase()), desc);
            (split(view, &named, by, &draw::shares(named.clone(), &parts, view.overview.by(by), draw::turns), &TURNS))
        }
    }
}
