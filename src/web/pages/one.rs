//! What the pages on one exchange and those around it share.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use maud::{Markup, html};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::exchanges::Wanted;
use crate::index::Row;
use crate::review::params::FieldError;
use crate::review::subject::{RecordFile, SubjectError};
use crate::review::text::{printable, shortened};
use crate::web::{Problem, Site};

/// Pages and files that are made of records at the same time. Each reads many, or one or two that may have bodies of
/// 16 MB, which take some ten times as much memory meanwhile. One less than there are handles of the index, which some of
/// them hold as long: lists and figures go on.
static HEAVY: Semaphore = Semaphore::const_new(3);

/// The right to read much: kept until the page is made.
///
/// # Errors
/// When the program ends.
pub(in crate::web) async fn turn() -> Result<SemaphorePermit<'static>, Problem> {
    HEAVY.acquire().await.map_err(|_| Problem::Unavailable("The program is being stopped.".to_owned()))
}

/// The file of a row, read on a thread that may block.
///
/// # Errors
/// When it is gone or cannot be read.
pub(in crate::web) async fn read(site: &Site, row: &Row) -> Result<RecordFile, Problem> {
    let (logs, asked) = (site.logs().to_owned(), row.clone());
    let read = tokio::task::spawn_blocking(move || RecordFile::read(&logs, &asked)).await;
    read.map_err(|_| stopped())?.map_err(|error| match error {
        SubjectError::Gone { .. } => gone(row),
        SubjectError::Unreadable { why, .. } => {
            Problem::Failed(format!("The file {} {}.", printable(&row.file), printable(&why.to_string())))
        }
        SubjectError::Index(error) => Problem::Failed(format!("The index does not answer: {error}.")),
    })
}

/// The index knew it, and its file is not there any more.
pub(in crate::web) fn gone(row: &Row) -> Problem {
    Problem::Gone(format!("The file {} was deleted or moved.", printable(&row.file)))
}

/// Work on another thread did not come to its end.
pub(in crate::web) fn stopped() -> Problem {
    Problem::Failed("The page could not be made.".to_owned())
}

/// A link to an exchange, seen from a view: its time.
pub(in crate::web) fn link(row: &Row, view: &Wanted) -> Markup {
    html! { a href=(view.exchange(&row.id)) { (time(row.began, view.zone())) } }
}

/// The way back from what belongs to an exchange: to the list as it was, and to the exchange.
pub(in crate::web) fn way_back(row: &Row, view: &Wanted) -> Markup {
    html! {
        nav.bar.steps aria-label="Way back" {
            a href=(view.address()) { "Exchanges" }
            span.muted aria-hidden="true" { "›" }
            a rel="up" href=(view.exchange(&row.id)) { "The exchange of " (time(row.began, view.zone())) }
        }
    }
}

/// What is wrong with an address, as a page that says so.
pub(in crate::web) fn wrong(error: &FieldError) -> Problem {
    let short = |text: &str| shortened(&printable(text), 60).into_owned();
    let FieldError { field, value, sentence } = error;
    Problem::Bad(format!("The filter in the address makes no sense: {}={}: {sentence}.", short(field), short(value)))
}

/// A time by the clock that was asked for.
pub(in crate::web) fn time(micros: i64, zone: FixedOffset) -> Markup {
    time_as(micros, zone, "%Y-%m-%d %H:%M:%S")
}

/// The same in another form, as chrono writes them.
pub(in crate::web) fn time_as(micros: i64, zone: FixedOffset, form: &str) -> Markup {
    let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
    let shown = time.with_timezone(&zone).format(form);
    html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Millis, true)) { (shown) } }
}

/// What a clock is called: `UTC`, `UTC+01:00`.
pub(in crate::web) fn clock(zone: FixedOffset) -> String {
    if zone.local_minus_utc() == 0 { "UTC".to_owned() } else { format!("UTC{zone}") }
}
