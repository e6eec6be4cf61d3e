//! What one watcher is sent, as server-sent events (HTML, section 9.2).

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use maud::html;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::hub::{Seat, WATCHERS_MAX, WINDOWS_MAX};
use super::look::{Flying, Look, Now};
use super::markup::{self, State as Shown};
use super::wanted::{MARK, Wanted};
use crate::exchange::ExchangeId;
use crate::index::{Known, Row, of_one_index};
use crate::live::InFlight;
use crate::review::query::pairs;
use crate::rules::Kind;
use crate::web::access::{Seen, Viewer};
use crate::web::{Problem, Site};

/// Rows sent at once, and kept on the page: more cannot be followed.
pub(super) const ROWS_MAX: usize = 500;

/// After so long a place is free again, and a browser that still reads comes back by itself: one whose machine is asleep
/// would keep it for ever.
const LIFETIME: Duration = Duration::from_secs(600);

/// Between signs of life, which tell the browser and whatever lies between that the connection is there.
const ALIVE: Duration = Duration::from_secs(15);

/// The stream of events. It goes on from the mark in `Last-Event-ID`, else from `mark` in the address.
pub(super) async fn events(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let wanted = Wanted::read(&query).map_err(Problem::Bad)?;
    let mark = mark(&headers, &query);
    let Some(seat) = site.live().sit(viewer.name.as_ref()) else {
        let sentence = format!(
            "{WATCHERS_MAX} browsers watch already, or {WINDOWS_MAX} of yours, or the program is being stopped."
        );
        return Err(Problem::Unavailable(sentence));
    };
    // One waits while one is being sent: a slow watcher is behind, and nothing piles up.
    let (out, events) = mpsc::channel(1);
    let watcher =
        Watcher { site, viewer, wanted, out, looked_at: HashSet::new(), known: Known::default(), shown: String::new() };
    tokio::spawn(async move {
        let ended = watcher.site.live().clone();
        tokio::select! {
            _ = watcher.watch(seat, mark) => {}
            () = ended.ended() => {}
            () = tokio::time::sleep(LIFETIME) => {}
        }
    });
    let events = ReceiverStream::new(events).map(Ok::<_, Infallible>);
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE));
    // Whatever lies between (nginx) must hand each event on at once.
    Ok(([(CACHE_CONTROL, "no-store"), (NO_BUFFER, "no")], stream).into_response())
}

/// Where to go on from: what the browser says, else the address. What is no mark of ours is none.
fn mark(headers: &HeaderMap, query: &str) -> Option<i64> {
    let given = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let given = given.or_else(|| pairs(query).into_iter().find_map(|(name, value)| (name == MARK).then_some(value)));
    given?.parse().ok()
}

const NO_BUFFER: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Nobody reads any more.
struct Gone;

struct Watcher {
    site: Site,
    viewer: Viewer,
    wanted: Wanted,
    out: mpsc::Sender<Event>,
    /// Streams whose text this watcher was shown: noted once each.
    looked_at: HashSet<ExchangeId>,
    /// Rows that were sent: an index that is made anew names them again.
    known: Known,
    /// The state that was sent last.
    shown: String,
}

impl Watcher {
    async fn watch(mut self, mut seat: Seat, mark: Option<i64>) -> Result<(), Gone> {
        let now = seat.now.borrow_and_update().clone();
        self.now(&now).await?;
        let mut mark = self.begin(mark).await?;
        loop {
            tokio::select! {
                () = self.out.closed() => return Err(Gone),
                changed = seat.now.changed() => {
                    changed.map_err(|_| Gone)?;
                    let now = seat.now.borrow_and_update().clone();
                    self.now(&now).await?;
                }
                look = seat.looks.recv() => mark = match look {
                    Ok(look) => self.look(&look, mark).await?,
                    Err(RecvError::Lagged(_)) => self.catch_up(mark).await?,
                    Err(RecvError::Closed) => return Err(Gone),
                },
            }
        }
    }

    /// What came since the mark that the browser knows, and the mark to go on from.
    async fn begin(&mut self, mark: Option<i64>) -> Result<i64, Gone> {
        if let Some(mark) = mark {
            return self.catch_up(mark).await;
        }
        match self.site.ask(|index| index.arrived(None)).await {
            Ok((_, mark)) => {
                self.send(Event::default().event("mark").id(mark.to_string()).data("now")).await?;
                Ok(mark)
            }
            // The poller says why; its first look shows how far behind this is.
            Err(_) => Ok(i64::MIN),
        }
    }

    /// A look of the poller: taken as it is if it goes on where this watcher is.
    async fn look(&mut self, look: &Look, mark: i64) -> Result<i64, Gone> {
        if look.from == mark && look.to == mark {
            return Ok(mark);
        }
        if look.from == mark {
            self.rows(&look.rows, look.left_out, look.to).await?;
            return Ok(look.to);
        }
        // Marks of one index grow: such a look holds nothing new.
        if look.to <= mark && of_one_index(look.to, mark) { Ok(mark) } else { self.catch_up(mark).await }
    }

    /// Asks the index what came since.
    async fn catch_up(&mut self, mark: i64) -> Result<i64, Gone> {
        let asked = self.site.ask(move |index| match mark {
            i64::MIN => index.arrived(None).map(|(rows, mark)| (rows, 0, mark)),
            _ => index.arrived_last(mark, ROWS_MAX as u64).map(|it| (it.rows, it.left_out, it.mark)),
        });
        // Where the index does not answer the poller says so; the next look leads here again.
        let Ok((rows, left_out, next)) = asked.await else { return Ok(mark) };
        self.rows(&rows, left_out, next).await?;
        Ok(next)
    }

    async fn rows(&mut self, rows: &[Row], mut left_out: u64, mark: i64) -> Result<(), Gone> {
        let mut seen: Vec<_> = rows.iter().filter(|row| self.sees(row.kind, row.user.as_deref())).collect();
        seen.retain(|row| self.known.is_new(&row.id));
        let over = seen.len().saturating_sub(ROWS_MAX);
        left_out += over as u64;
        if left_out > 0 {
            // How much others do is not for somebody who may see what is their own.
            let is_exact = self.wanted.is_all() && self.viewer.rights.own_only().is_none();
            self.send(Event::default().event("left").data(markup::left_out(is_exact.then_some(left_out)))).await?;
        }
        let event = Event::default().id(mark.to_string());
        let seen = &seen[over..];
        self.send(if seen.is_empty() {
            // So that a browser that comes back does not ask for all that again.
            event.event("mark").data("now")
        } else {
            event.event("rows").data(html! { @for row in seen { (markup::row(row)) } }.into_string())
        })
        .await
    }

    /// How it is now, as far as this watcher may see it, if that is news to them.
    async fn now(&mut self, now: &Now) -> Result<(), Gone> {
        let flying: Vec<_> =
            now.flying.iter().filter(|it| self.sees(it.flight.kind, it.flight.user.as_deref())).collect();
        let (total, more) = (flying.len(), markup::more(&flying));
        let flying = &flying[more..];
        let refused = self.note(flying).await;
        self.looked_at.retain(|id| now.flying.iter().any(|it| it.flight.id == *id));
        let state = Shown {
            counters: now.counters.filter(|_| self.viewer.rights.own_only().is_none()),
            total: now.counters.map(|_| total),
            more,
            problem: now.problem.as_deref().or(refused.as_deref()),
        };
        let texts = |it: &Flying| self.looked_at.contains(&it.flight.id);
        let html = markup::state(&state, flying, texts).into_string();
        if html == self.shown {
            return Ok(());
        }
        self.send(Event::default().event("now").data(&html)).await?;
        self.shown = html;
        Ok(())
    }

    /// Notes in the audit log that this watcher is shown what these streams say. A sentence where it cannot be noted:
    /// then their text stays hidden.
    async fn note(&mut self, flying: &[&Flying]) -> Option<String> {
        let fresh = flying.iter().filter(|it| it.text.is_some() && !self.looked_at.contains(&it.flight.id));
        let of = |flight: &InFlight| Seen { id: flight.id.to_string(), of: flight.user.as_deref().map(str::to_owned) };
        let (ids, seen): (Vec<_>, Vec<_>) = fresh.map(|it| (it.flight.id, of(&it.flight))).unzip();
        if seen.is_empty() {
            return None;
        }
        match self.site.look_at(&self.viewer, "stream", seen, None).await {
            Ok(()) => {
                self.looked_at.extend(ids);
                None
            }
            Err(problem) => Some(problem.sentence()),
        }
    }

    fn sees(&self, kind: Kind, user: Option<&str>) -> bool {
        super::sees(&self.viewer, &self.wanted, kind, user)
    }

    async fn send(&self, event: Event) -> Result<(), Gone> {
        self.out.send(event).await.map_err(|_| Gone)
    }
}
