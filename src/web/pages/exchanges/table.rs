//! The rows, and what there is instead of rows.

use maud::{Markup, html};

use super::found::{COUNTED, Found};
use super::wanted::{PATH, Place, Wanted};
use crate::review::amounts::number;
use crate::review::text::printable;
use crate::review::words::Snippet;
use crate::web::pages::one::{clock, time};

/// The table with what stands above and below it. `snippets` is as long as the rows where texts were searched.
pub(super) fn table(wanted: &Wanted, found: &Found, snippets: Option<&[Option<Snippet>]>) -> Markup {
    if found.rows.is_empty() {
        return nothing(wanted, found);
    }
    let columns = wanted.shown();
    let zone = wanted.zone();
    let (sorted, other) = if wanted.oldest_first { ("ascending", "newest") } else { ("descending", "oldest") };
    html! {
        div.bar {
            p.count role="status" { (count(found)) }
            (pages(wanted, found, "Pages, above the table"))
        }
        div.scroll tabindex="0" role="region" aria-label="Exchanges" {
            table.exchanges {
                caption.visually-hidden { "Exchanges, the " (if wanted.oldest_first { "oldest" } else { "newest" }) " first" }
                thead { tr {
                    th scope="col" aria-sort=(sorted) {
                        a href=(wanted.turned()) title={ "Show the " (other) " first" } {
                            "Time (" (clock(zone)) ") " span aria-hidden="true" { (if wanted.oldest_first { "↑" } else { "↓" }) }
                        }
                    }
                    @if snippets.is_some() { th scope="col" { "Where the words stand" } }
                    @for column in &columns {
                        th scope="col" class=[column.is_number().then_some("num")] { (column.heading()) }
                    }
                } }
                tbody data-rows="" {
                    @for (at, row) in found.rows.iter().enumerate() {
                        tr {
                            th.nowrap scope="row" { a href=(wanted.exchange(&row.id)) { (time(row.began, zone)) } }
                            @if let Some(snippets) = snippets {
                                td.found { (snippet(snippets.get(at).and_then(Option::as_ref))) }
                            }
                            @for column in &columns {
                                td class=[column.is_number().then_some("num")] { (column.cell(row)) }
                            }
                        }
                    }
                }
            }
        }
        div.bar { (pages(wanted, found, "Pages, below the table")) }
    }
}

fn snippet(snippet: Option<&Snippet>) -> Markup {
    let Some(snippet) = snippet else {
        return html! { span.muted { "not shown here: open it" } };
    };
    let mut at = 0;
    html! {
        @for hit in &snippet.hits {
            (snippet.text.get(at..hit.start).unwrap_or_default())
            mark { (snippet.text.get(hit.clone()).unwrap_or_default()) }
            ({ at = hit.end; "" })
        }
        (snippet.text.get(at..).unwrap_or_default())
    }
}

fn count(found: &Found) -> String {
    let shown = found.rows.len() as u64;
    match found.count {
        1 => "1 exchange".to_owned(),
        count if count >= COUNTED => format!("{} of {}+ exchanges", number(shown), number(COUNTED)),
        count if count <= shown => format!("{} exchanges", number(shown)),
        count => format!("{} of {} exchanges", number(shown), number(count)),
    }
}

/// The pages beside this one, by time as it is understood: those above it and those below it.
fn pages(wanted: &Wanted, found: &Found, label: &str) -> Markup {
    let (up, down) = if wanted.oldest_first { ("Older", "Newer") } else { ("Newer", "Older") };
    html! {
        @if found.before.is_some() || found.after.is_some() {
            nav.end.pages aria-label=(label) {
                @if let Some(place) = found.before {
                    a.button href=(wanted.at(Place::First)) { (if wanted.oldest_first { "Oldest" } else { "Newest" }) }
                    " " a.button rel="prev" href=(wanted.at(place)) { "← " (up) }
                }
                @if let Some(place) = found.after { " " a.button rel="next" href=(wanted.at(place)) { (down) " →" } }
            }
        }
    }
}

/// What is said and can be done where there are no rows.
fn nothing(wanted: &Wanted, found: &Found) -> Markup {
    html! {
        div.empty {
            @if found.is_empty_index {
                p { "Nothing has been recorded here yet." }
                p { a href="/setup" { "Set an editor up" } " to use the proxy; its requests appear on " a href="/live" { "Live" } " as they are made." }
            } @else if found.before.is_some() {
                p { "There is nothing behind this place any more." }
                p { a href=(wanted.at(Place::First)) { "Go to the beginning of the list" } }
            } @else if wanted.params.is_empty() {
                p { "There is nothing here that you may see." }
            } @else {
                p { "No exchange fits these filters. Leave one out:" }
                ul.plain { @for (name, value) in wanted.params.pairs() {
                    li { a href=(wanted.without(name)) { (name) ": " (printable(&value)) } }
                } }
                p { "or " a href=(PATH) { "show all exchanges" } "." }
            }
        }
    }
}
