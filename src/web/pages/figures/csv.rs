//! The rows of a split as CSV: what `stats --json` gives, its lists and objects spread over columns.

use crate::export::csv::harmless;
use crate::figures::{By, Figures};
use crate::review::cells;
use crate::review::tally::Overview;
use crate::review::values::by_name;

/// The rows, and the total at the end. Unknown is `?`; where there is nothing to know, the cell is empty.
///
/// # Errors
/// When the library fails, which it has no reason to.
pub(super) fn of_split(overview: &Overview, by: Option<By>) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let keys = cells::all(overview.total()).into_iter().map(|(key, _)| key);
    out.write_record(["by", "is_total", "group"].map(str::to_owned).into_iter().chain(keys))?;
    let name = by.map_or("", by_name);
    let rows = by.map_or(&[][..], |by| overview.by(by));
    for (row, is_total) in rows.iter().map(|row| (row, false)).chain([(overview.total(), true)]) {
        out.write_record(line(name, is_total, row))?;
    }
    out.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn line(by: &str, is_total: bool, row: &Figures) -> Vec<String> {
    let mut line = vec![by.to_owned(), is_total.to_string(), harmless(&row.group)];
    line.extend(cells::all(row).into_iter().map(|(_, cell)| cell.plain()));
    line
}
