//! The exchange that an address names.

use maud::{Markup, html};

use super::head;
use crate::index::{Located, Row};
use crate::review::text::{printable, shortened};
use crate::web::access::Viewer;
use crate::web::pages::exchanges::Wanted;
use crate::web::{Problem, Site};

/// What was found.
pub(super) enum Found {
    /// This one.
    One(Box<Row>),
    /// Several whose ids begin so.
    Several(Vec<Row>),
}

/// No id and no path of a record is longer.
const LONGEST: usize = 1_000;

/// Looks for an id, or its beginning. What the viewer may not see is not there: an address tells nobody what there is.
pub(super) async fn find(site: &Site, viewer: &Viewer, id: &str) -> Result<Found, Problem> {
    let located = if id.is_empty() || id.len() > LONGEST {
        Located::None
    } else {
        let id = id.to_owned();
        site.ask(move |index| index.find(&id)).await?
    };
    let found = match located {
        Located::One(row) => Some(row).filter(|row| viewer.may_see(row)).map(Found::One),
        Located::Several(mut rows) => {
            rows.retain(|row| viewer.may_see(row));
            match rows.len() {
                0 => None,
                1 => rows.pop().map(|row| Found::One(Box::new(row))),
                _ => Some(Found::Several(rows)),
            }
        }
        Located::None => None,
    };
    found.ok_or_else(|| {
        let id = shortened(&printable(id), 60).into_owned();
        let whose = if viewer.rights.own_only().is_some() { " of yours" } else { "" };
        Problem::NotFound(format!("There is no exchange{whose} whose id is, or begins with, {id}."))
    })
}

/// As [`find`], where there must be one: a file of several makes no sense.
pub(in crate::web::pages) async fn one(site: &Site, viewer: &Viewer, id: &str) -> Result<Row, Problem> {
    match find(site, viewer, id).await? {
        Found::One(row) => Ok(*row),
        Found::Several(_) => {
            let id = shortened(&printable(id), 60).into_owned();
            Err(Problem::Bad(format!("More than one exchange has an id that begins with {id}: write all of it.")))
        }
    }
}

/// The page where one of several is chosen.
pub(super) fn choice(id: &str, rows: &[Row], view: &Wanted) -> Markup {
    html! {
        h1 { "Several exchanges" }
        p { "More than one exchange has an id that begins with " code { (shortened(&printable(id), 60)) } ":" }
        ul.choice {
            @for row in rows {
                li {
                    a href=(view.exchange(&row.id)) { code { (printable(&row.id)) } }
                    " " (head::kind(row.kind)) ", " (printable(row.user.as_deref().unwrap_or("-")))
                }
            }
        }
        // So many the index names at most.
        @if rows.len() >= 10 { p.muted { "There may be more." } }
    }
}
