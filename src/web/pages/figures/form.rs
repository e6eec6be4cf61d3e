//! The filters.

use maud::{Markup, html};

use crate::review::params::{FieldError, FiguresParams};

/// A field: its parameter, its label, what it takes.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
}

const FIELDS: [Field; 8] = [
    Field { name: "since", label: "Since", hint: "7d, 2026-11-20" },
    Field { name: "until", label: "Until", hint: "2026-11-27, now" },
    Field { name: "kind", label: "Kind", hint: "chat, completions" },
    Field { name: "user", label: "User", hint: "ann, bob" },
    Field { name: "language", label: "Language", hint: "rust, python" },
    Field { name: "editor", label: "Editor", hint: "vscode" },
    Field { name: "model", label: "Model", hint: "gpt-4.1" },
    Field { name: "utc-offset", label: "UTC offset", hint: "Z, +01:00" },
];

/// Spans that are asked for most, and their `since`.
const SPANS: [(&str, Option<&str>); 4] =
    [("Today", Some("today")), ("7 days", Some("7d")), ("30 days", Some("30d")), ("All time", None)];

/// The form, as it was filled in, with what is wrong at its field. `is_own`: there is only one user to be seen.
pub(super) fn form(params: &FiguresParams, errors: &[FieldError], is_own: bool) -> Markup {
    let pairs = params.pairs();
    html! {
        form.filters.figures method="get" action="/figures" aria-label="Filters" {
            @for field in FIELDS.iter().filter(|field| !(is_own && field.name == "user")) {
                @let typed = pairs.iter().find(|(name, _)| *name == field.name).map_or("", |(_, value)| value);
                (one(field, typed, errors))
            }
            @if let Some(by) = &params.by { input type="hidden" name="by" value=(by); }
            div.field { button.primary { "Show" } }
        }
        p.bar.small {
            @for (label, since) in SPANS {
                @let wanted = since.map(str::to_owned);
                @let span = FiguresParams { since: wanted, until: None, ..params.clone() };
                @let query = span.to_query();
                @let current = (span == *params).then_some("true");
                a href=(if query.is_empty() { "/figures".to_owned() } else { format!("/figures?{query}") })
                    aria-current=[current] { (label) }
            }
            @if !params.to_query().is_empty() { a href="/figures" { "Without filters" } }
        }
        @let strange: Vec<_> =
            errors.iter().filter(|error| FIELDS.iter().all(|field| field.name != error.field)).collect();
        @if !strange.is_empty() {
            ul.problem role="alert" { @for error in strange {
                li { code { (crate::review::text::printable(&cut(&error.field))) } ": " (error.sentence) "." }
            } }
        }
    }
}

fn one(field: &Field, typed: &str, errors: &[FieldError]) -> Markup {
    let wrong: Vec<&FieldError> = errors.iter().filter(|error| error.field == field.name).collect();
    let (id, told) = (format!("filter-{}", field.name), format!("wrong-{}", field.name));
    html! {
        div.field {
            label for=(id) { (field.label) }
            input id=(id) name=(field.name) value=(typed) placeholder=(field.hint) autocomplete="off" spellcheck="false"
                aria-invalid=[(!wrong.is_empty()).then_some("true")]
                aria-describedby=[(!wrong.is_empty()).then_some(&told)];
            @if !wrong.is_empty() {
                span.wrong id=(told) { @for error in wrong {
                    (crate::review::text::printable(&cut(&error.value))) ": " (error.sentence) ". "
                } }
            }
        }
    }
}

/// What was typed may be long; enough of it tells which it is.
fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
