//! The one exchange that an address names.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::index::{Located, Row};
use crate::review::query::encoded;
use crate::review::subject::{RecordFile, SubjectError};
use crate::review::text::printable;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// The row with this id, or its beginning, if the viewer may see what is in it.
///
/// # Errors
/// When there is none, or several, or it is not for the viewer.
pub(in crate::web) async fn one(site: &Site, viewer: &Viewer, id: &str) -> Result<Row, Problem> {
    if !viewer.rights.may(Area::Exchanges) || !viewer.rights.names_people() {
        return Err(Problem::Forbidden("Your account may see figures, not single records.".to_owned()));
    }
    let asked = id.to_owned();
    let row = match site.ask(move |index| index.find(&asked)).await? {
        Located::One(row) => *row,
        Located::None => return Err(none(id)),
        Located::Several(_) => {
            return Err(Problem::NotFound(format!("“{}” is the beginning of more than one id.", shortened(id))));
        }
    };
    // Somebody else's is as good as not there: an address tells nobody what there is.
    if !viewer.may_see(&row) {
        return Err(none(id));
    }
    Ok(row)
}

fn none(id: &str) -> Problem {
    Problem::NotFound(format!("There is no record whose id begins with “{}”.", shortened(id)))
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

/// A link to an exchange: its time, with what names it to others.
pub(in crate::web) fn link(row: &Row, zone: FixedOffset) -> Markup {
    html! { a href={ "/exchanges/" (encoded(&row.id)) } { (time(row.began, zone)) } }
}

/// A time by the clock that was asked for.
pub(in crate::web) fn time(micros: i64, zone: FixedOffset) -> Markup {
    let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
    let shown = time.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
    html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Millis, true)) { (shown) } }
}

/// What somebody typed into the address, as far as it is of use.
fn shortened(id: &str) -> String {
    let begin: String = id.chars().take(40).collect();
    printable(&begin).into_owned()
}
