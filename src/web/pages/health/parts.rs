//! The sections of the page. What cannot be known is said.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::certificates::Certificate;
use super::machine::Machine;
use super::{Facts, IndexState};
use crate::door::UpstreamError;
use crate::review::amounts::{number, size};
use crate::review::coverage::Door;
use crate::review::text::printable;
use crate::web::pages::parts::moment;
use crate::web::{Problem, Site};

/// What somebody must do something about, in sentences.
pub(super) fn troubles(site: &Site, facts: &Facts) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Some(recording) = site.recording() {
        let (records, bodies) = (recording.metrics.records_lost.get(), recording.metrics.bodies_lost.get());
        if records > 0 || bodies > 0 {
            troubles.push(format!(
                "{} records were lost, and the bodies of {} more, because the disk was full or slow. The log says when.",
                number(records),
                number(bodies)
            ));
        }
        let waiting = u64::try_from(recording.metrics.queue_bytes.get()).unwrap_or_default();
        if waiting.saturating_mul(2) > recording.config.limits.queue as u64 {
            troubles.push(
                "The writer's queue is more than half full: the disk is too slow for what is recorded.".to_owned(),
            );
        }
    }
    troubles.extend(facts.certificates.iter().filter_map(Certificate::trouble));
    if let Some(trouble) = &facts.not_taken_up {
        troubles.push(format!("The new certificate of this page is not taken up: {trouble}."));
    }
    match facts.machine.disk {
        Some(disk) if disk.is_short() => {
            troubles.push(format!("Only {} are free on the disk of the records.", gigabytes(disk.free)));
        }
        Some(_) => {}
        None => troubles.push("The disk of the records cannot be looked at.".to_owned()),
    }
    match &facts.index {
        Ok(index) if index.skipped_total > 0 => {
            troubles.push(format!(
                "{} files or folders of the records cannot be read.",
                number(index.skipped_total as u64)
            ));
        }
        // What is being made needs nobody.
        Ok(_) | Err(Problem::Building(_)) => {}
        Err(problem) => troubles.push(problem.sentence()),
    }
    if let Some(trouble) = site.access().audit().trouble() {
        troubles.push(format!("The audit log cannot be written: {trouble}."));
    }
    troubles
}

pub(super) fn verdict(troubles: &[String]) -> Markup {
    html! {
        @if troubles.is_empty() {
            p.note.good { "Nothing needs to be done." }
        } @else {
            div.note.bad role="status" {
                p { strong { "To be looked at" } }
                ul { @for trouble in troubles { li { (printable(trouble)) } } }
            }
        }
    }
}

pub(super) fn recording(site: &Site) -> Markup {
    let Some(recording) = site.recording() else {
        return html! {
            h2 { "Recording" }
            p { "No proxy runs in this program: a folder is reviewed. What its recorder does now, its queue, losses and \
                 certificates are not known here." }
        };
    };
    let metrics = &recording.metrics;
    let card = |value: String, label: &str| html! { div.card { p.value { (value) } p.label { (label) } } };
    let gauge = |value: i64| u64::try_from(value).unwrap_or_default();
    let began = recording.began.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    html! {
        h2 { "Recording" }
        p.muted { "Since " (moment(i64::try_from(began.as_micros()).unwrap_or(i64::MAX))) " UTC; counts begin there." }
        div.cards {
            (card(number(metrics.records_written.get()), "records written"))
            (card(number(metrics.records_lost.get()), "records lost"))
            (card(number(metrics.bodies_lost.get()), "records without their bodies"))
            (card(number(gauge(metrics.records_held.get())), "records waiting for the disk"))
            (card(number(metrics.records_recovered.get()), "recovered from the spool"))
            (card(number(gauge(metrics.tunnels_open.get())), "tunnels open"))
            (card(number(gauge(metrics.exchanges_in_flight.get())), "exchanges in flight"))
            (card(size(gauge(metrics.queue_bytes.get())), "in the writer's queue"))
            (card(size(recording.config.limits.queue as u64), "room in that queue"))
        }
        dl.facts {
            dt { "Tunnels accepted" } dd { (number(metrics.tunnels_accepted.get())) ", " (number(metrics.tunnels_intercepted.get())) " of them opened" }
            dt { "Refused" } dd { (number(metrics.tunnels_refused.get())) }
            dt { "Logins failed" } dd { (number(metrics.logins_failed.get())) }
            dt { "Upstream failures" } dd { (number(metrics.upstream_failures.get())) }
            dt { "Not understood" } dd { (number(metrics.malformed.get())) " streams" }
        }
    }
}

pub(super) fn disk(site: &Site, machine: &Machine) -> Markup {
    html! {
        h2 { "Disk" }
        dl.facts {
            dt { "Records" } dd.mono { (printable(&site.logs().display().to_string())) }
            dt { "Free" }
            dd { @match machine.disk { Some(disk) => { (gigabytes(disk.free)) " of " (gigabytes(disk.size)) }, None => "?" } }
            dt { "Spool" }
            dd {
                @match machine.spool {
                    Some(spool) if spool.files == 0 => "empty",
                    Some(spool) => {
                        (number(spool.files)) " files, " (size(spool.bytes))
                        @if site.recording().is_none() {
                            ": exchanges in flight, or left by a run that was killed; the next start makes records of them"
                        }
                    },
                    None => "?",
                }
            }
        }
    }
}

/// Disks are larger than what a size of a body is told in.
fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

pub(super) fn index(index: &IndexState) -> Markup {
    html! {
        h2 { "Index" }
        @match index {
            Err(problem) => p.note.warn { (problem.sentence()) },
            Ok(facts) => {
                dl.facts {
                    dt { "Exchanges" } dd { (number(facts.rows)) }
                    dt { "Newest" }
                    dd { @match &facts.newest { Some(row) => { (moment(row.began)) " UTC" }, None => "-" } }
                    dt { "Not readable" }
                    dd { @if facts.skipped_total == 0 { "none" } @else { (number(facts.skipped_total as u64)) " files or folders" } }
                }
                @if !facts.skipped.is_empty() {
                    details {
                        summary { "Which, and why" }
                        div.scroll tabindex="0" role="region" aria-label="Files that cannot be read" {
                            table {
                                thead { tr { th scope="col" { "File" } th scope="col" { "Why" } } }
                                tbody { @for (path, why) in &facts.skipped {
                                    tr { th.mono scope="row" { (printable(&path.display().to_string())) } td { (printable(why)) } }
                                } }
                            }
                        }
                        @if facts.skipped_total > facts.skipped.len() { p.muted { "and " (facts.skipped_total - facts.skipped.len()) " more" } }
                    }
                }
            },
        }
    }
}

pub(super) fn upstreams(door: &Door) -> Markup {
    let Some(contents) = door.contents() else {
        return html! {
            h2 { "Upstream errors" }
            p { "?" }
            p.muted { "There is no door book (" code { ".door.json" } ") that can be read in this folder." }
        };
    };
    let mut hosts: BTreeMap<&str, Vec<&UpstreamError>> = BTreeMap::new();
    for error in &contents.errors {
        hosts.entry(&error.host).or_default().push(error);
    }
    html! {
        h2 { "Upstream errors" }
        @if hosts.is_empty() {
            p.muted { "None since " (moment(contents.begun)) " UTC." }
        } @else {
            p.muted { "The last " (contents.errors.len()) ", by host." }
            div.scroll tabindex="0" role="region" aria-label="Upstream errors by host" {
                table {
                    thead { tr { th scope="col" { "Host" } th.num scope="col" { "Errors" } th scope="col" { "Last" } th scope="col" { "The last one says" } } }
                    tbody { @for (host, errors) in &hosts {
                        @let last = errors.last();
                        tr {
                            th scope="row" { (printable(host)) }
                            td.num { (number(errors.len() as u64)) }
                            td { @if let Some(last) = last { (moment(last.at)) } }
                            td { @if let Some(last) = last { (printable(&last.why)) } }
                        }
                    } }
                }
            }
        }
    }
}

pub(super) fn versions(site: &Site) -> Markup {
    html! {
        h2 { "Versions" }
        dl.facts {
            dt { "copilot-recorder" } dd { (env!("CARGO_PKG_VERSION")) }
            dt { "SQLite" } dd { (crate::index::sqlite_version()) }
            dt { "System" } dd { (std::env::consts::OS) ", " (std::env::consts::ARCH) }
            @if let Some(recording) = site.recording() {
                dt { "Proxy" } dd { (recording.config.listen.to_string()) ", clients use " (recording.advertise) }
            }
        }
        p { "Editors and plugins, with their versions: " a href="/coverage?span=30d" { "Coverage" } "." }
    }
}
