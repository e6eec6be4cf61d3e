//! The form of the filters. Its fields have the names of the parameters, and show what was typed, also where it is wrong.

use maud::{Markup, html};

use super::columns::Column;
use super::found::Choices;
use super::wanted::{PATH, Wanted};
use crate::review::params::FieldError;
use crate::review::text::printable;
use crate::rules::Kind;

/// A field of text.
struct Field<'a> {
    name: &'static str,
    label: &'static str,
    value: &'a str,
    /// What may be written, by example.
    like: &'static str,
    choices: Vec<&'a str>,
}

/// The whole form.
pub(super) fn form(wanted: &Wanted, choices: &Choices, errors: &[FieldError]) -> Markup {
    let all = wanted.params.pairs();
    let value = |name: &str| all.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
    let offered = |name: &str| choices.of(name).iter().map(String::as_str).collect();
    let field = |name, label, like, choices| Field { name, label, value: value(name), like, choices };
    let listed = |name, label, like| input(&field(name, label, like, offered(name)), errors);
    let typed =
        |name, label, like, choices: &[&'static str]| input(&field(name, label, like, choices.to_vec()), errors);
    let hidden = ["host", "status", "model", "language", "editor", "until", "slower-than", "utc-offset"];
    let is_open = hidden.iter().any(|name| !value(name).is_empty() || errors.iter().any(|error| error.field == *name))
        || wanted.utc_offset.is_some();
    html! {
        form.filters.exchanges method="get" action=(PATH) role="search" {
            (words(value("text"), errors))
            (kinds(value("kind"), errors))
            (listed("user", "User", "ann, or - for nobody"))
            (typed("since", "Since", "7d, today, 2026-11-20", WHEN))
            div.bar {
                (check("cancelled", "1", "Cancelled", is_on(value("cancelled"))))
                (check("failed", "1", "Failed", is_on(value("failed"))))
                @if wanted.oldest_first { input type="hidden" name="order" value="oldest"; }
                button.primary type="submit" { "Show" }
                a href=(PATH) { "Clear" }
                details.more open[is_open] {
                    summary { "More filters" }
                    div.fields {
                        (typed("until", "Until", "1h, 2026-11-20T10:00", WHEN))
                        (typed("status", "Status", "200, 4xx, none", &["2xx", "4xx", "5xx", "429", "none"]))
                        (listed("model", "Model", "as asked for or answering"))
                        (listed("language", "Language", "rust"))
                        (listed("editor", "Editor", "vscode, vscode/1.95.3"))
                        (listed("host", "Host", "*.githubcopilot.com"))
                        (typed("slower-than", "Slower than", "2s, 300ms", &["500ms", "1s", "2s", "10s"]))
                        (input(&Field { value: wanted.utc_offset.as_deref().unwrap_or(""),
                            ..field("utc-offset", "Clock, from UTC", "+01:00", vec!["+01:00", "-05:00", "+05:30"]) }, errors))
                    }
                }
                details.more {
                    summary { "Columns" }
                    fieldset.checks {
                        legend.visually-hidden { "Columns that are shown beside the time" }
                        @for column in Column::all() {
                            (check("columns", column.key(), column.heading(), wanted.shown().contains(&column)))
                        }
                    }
                }
            }
        }
    }
}

const WHEN: &[&str] = &["today", "yesterday", "1h", "24h", "7d", "30d"];

fn words(value: &str, errors: &[FieldError]) -> Markup {
    let wrong = errors.iter().any(|error| error.field == "text");
    html! {
        div.field.double {
            label for="f-text" { "Words in prompt or answer" }
            input #f-text type="search" name="text" value=(value) placeholder="parse_config \"null pointer\""
                data-search="" autocomplete="off" spellcheck="false"
                aria-invalid=[wrong.then_some("true")] aria-describedby=[wrong.then_some("w-text")];
            (sentences("text", errors))
        }
    }
}

/// One kind is chosen; a list of several, which an address may have, stays one of the choices.
fn kinds(value: &str, errors: &[FieldError]) -> Markup {
    let is_one = value.is_empty() || Kind::ALL.iter().any(|kind| kind.as_str() == value);
    let wrong = errors.iter().any(|error| error.field == "kind");
    html! {
        div.field {
            label for="f-kind" { "Kind" }
            select #f-kind name="kind" aria-invalid=[wrong.then_some("true")] aria-describedby=[wrong.then_some("w-kind")] {
                option value="" { "all" }
                @if !is_one { option value=(value) selected { (printable(value)) } }
                @for kind in Kind::ALL {
                    option value=(kind.as_str()) selected[kind.as_str() == value] { (kind.as_str()) }
                }
            }
            (sentences("kind", errors))
        }
    }
}

fn input(field: &Field<'_>, errors: &[FieldError]) -> Markup {
    let Field { name, label, value, like, choices } = field;
    let wrong = errors.iter().any(|error| error.field == *name);
    html! {
        div.field {
            label for={ "f-" (name) } { (label) }
            input id={ "f-" (name) } type="text" name=(name) value=(value) placeholder=(like)
                list=[(!choices.is_empty()).then(|| format!("l-{name}"))] autocomplete="off" spellcheck="false"
                aria-invalid=[wrong.then_some("true")] aria-describedby=[wrong.then(|| format!("w-{name}"))];
            @if !choices.is_empty() {
                datalist id={ "l-" (name) } { @for choice in choices { option value=(choice) {} } }
            }
            (sentences(name, errors))
        }
    }
}

fn check(name: &str, value: &str, label: &str, is_on: bool) -> Markup {
    html! { label.check { input type="checkbox" name=(name) value=(value) checked[is_on]; (label) } }
}

/// An address may say no as well.
fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true" | "yes" | "on")
}

/// What is wrong with the values of a field.
fn sentences(name: &str, errors: &[FieldError]) -> Markup {
    let wrong: Vec<_> = errors.iter().filter(|error| error.field == name).collect();
    html! {
        @if !wrong.is_empty() {
            span.wrong id={ "w-" (name) } {
                @for error in wrong { (printable(&error.value)) ": " (printable(&error.sentence)) ". " }
            }
        }
    }
}

/// What is wrong and belongs to no field: parameters of an address that somebody wrote by hand.
pub(super) fn elsewhere(errors: &[FieldError]) -> Vec<&FieldError> {
    let fields = crate::review::params::FilterParams::NAMES;
    let has_field = |name: &str| (fields.contains(&name) && !SWITCHES.contains(&name)) || name == "utc-offset";
    errors.iter().filter(|error| !has_field(&error.field)).collect()
}

/// Boxes cannot be filled in wrongly, only an address can.
const SWITCHES: [&str; 2] = ["cancelled", "failed"];
