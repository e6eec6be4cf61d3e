//! What the page shows, gathered.

use chrono::Utc;
use maud::Markup;

use crate::index::{Index, Row};
use crate::review::params::FieldError;
use crate::review::subject::Subject;
use crate::web::access::Viewer;
use crate::web::pages::exchanges::Wanted;
use crate::web::pages::one;
use crate::web::{Problem, Site};

/// An exchange with what stands around it.
pub(super) struct View {
    pub(super) subject: Subject,
    /// The next newer one of the list that the reader comes from.
    pub(super) newer: Option<Row>,
    /// The next older one.
    pub(super) older: Option<Row>,
    /// Those of the same session, oldest first, this one among them.
    pub(super) session: Vec<Row>,
    /// The list that the reader comes from, with the clock by which times are shown.
    pub(super) list: Wanted,
}

/// Exchanges of the session that are listed.
pub(super) const SESSION: u64 = 21;

impl View {
    /// Reads the record of a row that the viewer may see, and asks for what stands around it.
    pub(super) async fn gather(site: &Site, viewer: &Viewer, row: Row, text: &str) -> Result<Self, Problem> {
        let list = Wanted::of_query(text);
        let question = list.question(Utc::now()).map_err(|errors| refused(&errors))?;
        let filter = viewer.restrict(question.filter);
        let record = one::read(site, &row).await?.record;
        let asked = move |index: &Index| {
            let (newer, older) = index.neighbours(&filter, &row)?;
            let session = index.session_of(&row, SESSION)?;
            Ok(Subject::of(index, row, record).map(|subject| (subject, newer, older, session)))
        };
        let gathered = site.ask(asked).await?;
        let failed = |error| Problem::Failed(format!("The index does not answer: {error}."));
        let (mut subject, newer, older, mut session) = gathered.map_err(failed)?;
        session.retain(|row| viewer.may_see(row));
        subject.restrict(|user| viewer.rights.contents_of(user));
        Ok(Self { subject, newer, older, session, list })
    }

    /// The address of another exchange, seen from the same list.
    pub(super) fn address(&self, row: &Row) -> String {
        self.list.exchange(&row.id)
    }

    /// A time of a record, with its date.
    pub(super) fn time(&self, micros: i64) -> Markup {
        self.clock(micros, "%Y-%m-%d %H:%M:%S%.3f")
    }

    /// A time of a record in a given form.
    pub(super) fn clock(&self, micros: i64, form: &str) -> Markup {
        one::time_as(micros, self.list.zone(), form)
    }

    /// `UTC`, `UTC+01:00`.
    pub(super) fn zone_name(&self) -> String {
        one::clock(self.list.zone())
    }
}

fn refused(errors: &[FieldError]) -> Problem {
    errors.first().map_or_else(|| Problem::Bad("The filter in the address makes no sense.".to_owned()), one::wrong)
}
