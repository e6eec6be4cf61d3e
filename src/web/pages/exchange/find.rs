//! The exchange that an address names.

use maud::{Markup, html};

use super::head;
use crate::index::{Located, Row};
use crate::review::query::encoded;
use crate::review::text::{printable, shortened};
use crate::web::access::Viewer;
use crate::web::pages::one::one;
use crate::web::{Problem, Site};

/// What was found.
pub(super) enum Found {
    /// This one.
    One(Box<Row>),
    /// Several whose ids begin so, all of which the viewer may see.
    Several(Vec<Row>),
}

/// Looks for an id, or its beginning, as [`one`] does; several are handed on to be chosen from.
pub(super) async fn find(site: &Site, viewer: &Viewer, id: &str) -> Result<Found, Problem> {
    let asked = id.to_owned();
    if let Located::Several(mut rows) = site.ask(move |index| index.find(&asked)).await? {
        rows.retain(|row| viewer.may_see(row));
        if !rows.is_empty() {
            return Ok(Found::Several(rows));
        }
    }
    Ok(Found::One(Box::new(one(site, viewer, id).await?)))
}

/// The page where one of several is chosen.
pub(super) fn choice(id: &str, rows: &[Row]) -> Markup {
    html! {
        h1 { "Several exchanges" }
        p { "More than one exchange has an id that begins with " code { (shortened(&printable(id), 60)) } ":" }
        ul.choice {
            @for row in rows {
                li {
                    a href={ "/exchanges/" (encoded(&row.id)) } { code { (printable(&row.id)) } }
                    " " (head::kind(row.kind)) ", " (printable(row.user.as_deref().unwrap_or("-")))
                }
            }
        }
        // So many the index names at most.
        @if rows.len() >= 10 { p.muted { "There may be more." } }
    }
}
