//! The table: a row for each client, those of a user together.

use maud::{Markup, html};

use crate::door::What;
use crate::review::coverage::{Client, Subject, Weight, Who};
use crate::review::params::is_one_value;
use crate::review::query::encoded;
use crate::review::text::printable;
use crate::rules::Kind;
use crate::web::pages::parts::{count, moment};

pub(super) fn table(subjects: &[Subject], kinds: &[Kind], links: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Users and clients" {
            table.groups {
                caption { "Exchanges seen, by user and client. A dash: none." }
                thead { tr {
                    th scope="col" { "User" }
                    th scope="col" { "Client" }
                    @for kind in kinds { th.num scope="col" { (kind.as_str()) } }
                    th.num scope="col" { "tunnels opened" }
                    th.num scope="col" { "not opened" }
                    th scope="col" { "last seen" }
                    th scope="col" { "Gaps" }
                } }
                @for (at, subject) in subjects.iter().enumerate() { (group(at, subject, kinds, links)) }
            }
        }
    }
}

/// The rows of one subject.
fn group(at: usize, subject: &Subject, kinds: &[Kind], links: bool) -> Markup {
    let rows = subject.clients.len().max(1);
    html! {
        tbody {
            @for row in 0..rows {
                @let client = subject.clients.get(row);
                tr {
                    @if row == 0 { th scope="rowgroup" rowspan=(rows) { (who(&subject.who, links)) } }
                    td { @match client { Some(client) => (name(client)), None => span.muted { "no record" } } }
                    @for kind in kinds {
                        @let seen = client.and_then(|client| client.kinds.iter().find(|seen| seen.kind == *kind));
                        td.num { (count(seen.map_or(0, |seen| seen.count))) }
                    }
                    @if row == 0 {
                        td.num rowspan=(rows) { (count(subject.door_count(What::Opened))) }
                        td.num rowspan=(rows) { (count(subject.door_count(What::Opaque))) }
                    }
                    td { @match client.map(|client| client.last).or_else(|| subject.last()) {
                        Some(last) => (moment(last)),
                        None => "?",
                    } }
                    @if row == 0 {
                        td rowspan=(rows) { (gaps(at, subject)) }
                    }
                }
            }
        }
    }
}

fn gaps(at: usize, subject: &Subject) -> Markup {
    html! {
        @if subject.findings.is_empty() { span.muted { "none known" } }
        @for finding in &subject.findings {
            a.tag.(tint(finding.weight)) href=(format!("#s{at}")) { (finding.title) } " "
        }
    }
}

pub(super) fn tint(weight: Weight) -> &'static str {
    match weight {
        Weight::Bad => "bad",
        Weight::Warn => "warn",
        Weight::Note => "accent",
    }
}

/// The subject's name; a user's leads to the exchanges.
pub(super) fn who(who: &Who, links: bool) -> Markup {
    let label = who.label();
    let text = printable(&label);
    html! {
        @match who {
            Who::User(name) if links && is_one_value(name) => a href=(format!("/exchanges?user={}", encoded(name))) { (text) },
            Who::Nobody => span.muted { "nobody known" },
            Who::Address(_) => { span.muted { "address " } (text) },
            Who::User(_) | Who::Tid(_) => (text),
        }
    }
}

fn name(client: &Client) -> Markup {
    html! {
        @match client.editor.as_deref() {
            Some(editor) => (printable(editor)),
            None => span.muted { "unknown client" },
        }
        @if let Some(plugin) = &client.plugin { br; span.muted.small { (printable(plugin)) } }
        @if let Some(hint) = client.hint {
            details.small { summary { "Through a proxy" } p.muted { (hint) } }
        }
    }
}
