//! Whether records are kept whole, and what stands in the way of it.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{Refusal, json, rfc3339};
use super::parameters::NoParams;
use super::session::allowed;
use crate::door::UpstreamError;
use crate::web::access::{Area, Viewer};
use crate::web::pages::health::{Disk, Facts, IndexFacts, Spool};
use crate::web::{Recording, Site};

#[derive(Serialize)]
struct Health<'a> {
    /// What somebody must do something about, in sentences.
    troubles: Vec<String>,
    /// None where a folder is reviewed.
    recording: Option<Counts>,
    disk: Option<Disk>,
    spool: Option<Spool>,
    /// None while it is being built, or fails.
    index: Option<Index>,
    /// None: nobody wrote them down.
    upstream_errors: Option<Vec<&'a UpstreamError>>,
    certificates: Vec<Certificate<'a>>,
    version: &'static str,
}

/// What the proxy counted since it started.
#[derive(Serialize)]
struct Counts {
    since: Option<String>,
    records_written: u64,
    records_lost: u64,
    bodies_lost: u64,
    records_held: u64,
    records_recovered: u64,
    tunnels_open: u64,
    exchanges_in_flight: u64,
    queue_bytes: u64,
    queue_room: u64,
    tunnels_accepted: u64,
    tunnels_intercepted: u64,
    tunnels_refused: u64,
    logins_failed: u64,
    upstream_failures: u64,
    malformed: u64,
}

#[derive(Serialize)]
struct Index {
    exchanges: u64,
    newest: Option<String>,
    unreadable: usize,
}

#[derive(Serialize)]
struct Certificate<'a> {
    name: &'static str,
    subject: &'a str,
    names: &'a [String],
    sha256: &'a str,
    not_after: Option<String>,
    days_left: i64,
}

/// `GET /health`
pub(super) async fn health(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    _: NoParams,
) -> Result<Response, Refusal> {
    allowed(&viewer, Area::Health)?;
    let facts = Facts::gather(&site).await?;
    let certificates = facts.certificates.iter().map(|one| Certificate {
        name: one.name,
        subject: &one.subject,
        names: &one.names,
        sha256: &one.sha256,
        not_after: rfc3339(one.not_after.timestamp_micros()),
        days_left: one.days_left,
    });
    json(&Health {
        troubles: facts.troubles(&site),
        recording: site.recording().map(counts),
        disk: facts.machine.disk,
        spool: facts.machine.spool,
        index: facts.index.as_ref().ok().map(index),
        upstream_errors: facts.door.contents().map(|contents| contents.errors.iter().collect()),
        certificates: certificates.collect(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn index(facts: &IndexFacts) -> Index {
    let newest = facts.newest.as_ref().and_then(|row| rfc3339(row.began));
    Index { exchanges: facts.rows, newest, unreadable: facts.skipped_total }
}

fn counts(recording: &Recording) -> Counts {
    let metrics = &recording.metrics;
    let gauge = |value: i64| u64::try_from(value).unwrap_or_default();
    let began = recording.began.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Counts {
        since: i64::try_from(began.as_micros()).ok().and_then(rfc3339),
        records_written: metrics.records_written.get(),
        records_lost: metrics.records_lost.get(),
        bodies_lost: metrics.bodies_lost.get(),
        records_held: gauge(metrics.records_held.get()),
        records_recovered: metrics.records_recovered.get(),
        tunnels_open: gauge(metrics.tunnels_open.get()),
        exchanges_in_flight: gauge(metrics.exchanges_in_flight.get()),
        queue_bytes: gauge(metrics.queue_bytes.get()),
        queue_room: recording.config.limits.queue as u64,
        tunnels_accepted: metrics.tunnels_accepted.get(),
        tunnels_intercepted: metrics.tunnels_intercepted.get(),
        tunnels_refused: metrics.tunnels_refused.get(),
        logins_failed: metrics.logins_failed.get(),
        upstream_failures: metrics.upstream_failures.get(),
        malformed: metrics.malformed.get(),
    }
}
