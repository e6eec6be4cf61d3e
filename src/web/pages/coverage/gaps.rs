//! What is missing of one subject, in sentences.

use maud::{Markup, html};

use super::table::{tint, who};
use crate::review::amounts::number;
use crate::review::coverage::{Finding, Subject, Weight};
use crate::review::text::printable;
use crate::web::pages::parts::moment;

pub(super) fn section(at: usize, subject: &Subject, links: bool) -> Markup {
    html! {
        section.card id=(format!("s{at}")) aria-labelledby=(format!("s{at}-who")) {
            h2 id=(format!("s{at}-who")) { (who(&subject.who, links)) }
            @if !subject.addresses.is_empty() {
                p.muted.small {
                    "from " @for (at, address) in subject.addresses.iter().take(ADDRESSES).enumerate() {
                        @if at > 0 { ", " } (address.to_string())
                    }
                    @if subject.addresses.len() > ADDRESSES { " and " (subject.addresses.len() - ADDRESSES) " more" }
                }
            }
            @for finding in &subject.findings { (gap(finding)) }
        }
    }
}

/// A laptop has a new one each day.
const ADDRESSES: usize = 6;

pub(in crate::web::pages) fn gap(finding: &Finding) -> Markup {
    html! {
        h3 { span.tag.(tint(finding.weight)) { (word(finding.weight)) } " " (finding.title) }
        p { (with_code(&finding.means)) }
        p { strong { "To do: " } (with_code(finding.todo)) }
        details {
            summary { (if finding.details.len() == 1 { "1 entry" } else { "Entries" }) }
            div.scroll tabindex="0" role="region" aria-label=(finding.title) {
                table {
                    thead { tr { th scope="col" { "What" } th.num scope="col" { "times" } th scope="col" { "last" } } }
                    tbody {
                        @for detail in &finding.details {
                            tr { th scope="row" { (printable(&detail.text)) } td.num { (number(detail.count)) } td { (moment(detail.last)) } }
                        }
                    }
                }
            }
            @if finding.more > 0 { p.muted { "and " (finding.more) " more" } }
        }
    }
}

/// What stands between backticks is to be typed.
fn with_code(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Said beside the colour.
fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Bad => "does not work",
        Weight::Warn => "gap",
        Weight::Note => "note",
    }
}
