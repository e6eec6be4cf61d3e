//! What the page shows, gathered.

use chrono::{DateTime, FixedOffset, Offset, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::index::{Index, Row};
use crate::review::params::{FieldError, FilterParams};
use crate::review::query::{encoded, pairs, query};
use crate::review::subject::Subject;
use crate::review::text::printable;
use crate::review::values;
use crate::web::access::Viewer;
use crate::web::pages::one::read;
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
    /// The list that the reader comes from, as a query.
    pub(super) list: String,
    /// What that list was searched for.
    pub(super) words: Option<String>,
    /// The clock by which times are shown.
    pub(super) zone: FixedOffset,
}

/// Exchanges of the session that are listed.
const SESSION: u64 = 21;
/// Parameters of the list that are no filters; of them the clock counts here too.
const OTHERS: [&str; 5] = ["columns", "order", "after", "before", CLOCK];
const CLOCK: &str = "utc-offset";

impl View {
    /// Reads the record of a row that the viewer may see, and asks for what stands around it.
    pub(super) async fn gather(site: &Site, viewer: &Viewer, row: Row, text: &str) -> Result<Self, Problem> {
        let params = FilterParams::of_query(text, &OTHERS);
        let clock = pairs(text).into_iter().find(|(name, value)| name == CLOCK && !value.trim().is_empty());
        let clock = clock.map(|(_, value)| value.trim().to_owned());
        let zone = match &clock {
            Some(text) => values::utc_offset(text).map_err(|why| wrong(CLOCK, text, &why))?,
            None => Utc.fix(),
        };
        let filter = params.filter(&Utc::now().with_timezone(&zone)).map_err(|errors| refused(&errors))?;
        let filter = viewer.restrict(filter);
        let mut list = params.to_query();
        if let Some(clock) = &clock {
            list = [list, query([(CLOCK, clock.as_str())])].join("&").trim_start_matches('&').to_owned();
        }
        let record = read(site, &row).await?.record;
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
        Ok(Self { subject, newer, older, session, list, words: params.text, zone })
    }

    /// The address of another exchange, seen from the same list.
    pub(super) fn address(&self, row: &Row) -> String {
        let id = encoded(&row.id);
        if self.list.is_empty() { format!("/exchanges/{id}") } else { format!("/exchanges/{id}?{}", self.list) }
    }

    /// A time of a record, with its date.
    pub(super) fn time(&self, micros: i64) -> Markup {
        self.clock(micros, "%Y-%m-%d %H:%M:%S%.3f")
    }

    /// A time of a record in a given form.
    pub(super) fn clock(&self, micros: i64, form: &str) -> Markup {
        let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        let shown = time.with_timezone(&self.zone).format(form);
        html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Millis, true)) { (shown) } }
    }

    /// `UTC`, `UTC+01:00`.
    pub(super) fn zone_name(&self) -> String {
        if self.zone.local_minus_utc() == 0 { "UTC".to_owned() } else { format!("UTC{}", self.zone) }
    }
}

fn refused(errors: &[FieldError]) -> Problem {
    errors.first().map_or_else(
        || Problem::Bad("The filter in the address makes no sense.".to_owned()),
        |error| wrong(&error.field, &error.value, &error.sentence),
    )
}

fn wrong(field: &str, value: &str, sentence: &str) -> Problem {
    let short = |text: &str| crate::review::text::shortened(&printable(text), 60).into_owned();
    Problem::Bad(format!("The filter in the address makes no sense: {}={}: {sentence}.", short(field), short(value)))
}
