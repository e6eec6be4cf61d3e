//! One exchange on one line: for a person a table, for a program values separated by tabs.

use chrono::{DateTime, Datelike, Utc};

use super::output::{Look, printable};
use super::table::{Cell, Column};
use crate::index::Row;
pub use crate::review::amounts::{millis, number};
pub use crate::review::row::flags;
use crate::review::row::{Outcome, about, amounts, outcome};

/// The table of `list`, `search` and `tail`. As far as they can be shortened, all but the spare ones have 80 columns
/// with `completions` and `cancelled` in them.
pub const COLUMNS: [Column; 9] = [
    Column::new("TIME"),
    Column::new("ID"),
    Column::new("KIND"),
    Column::new("HTTP").right(),
    Column::new("USER").least(5),
    Column::new("EDITOR").least(8).spare(1),
    Column::new("ABOUT").least(5),
    Column::new("TOTAL").right(),
    Column::new("TOKENS OR SIZE").right().spare(2),
];

/// The same with what is odd about it behind the last column; `cancelled`, which is most often there, stays whole.
#[must_use]
pub fn columns() -> Vec<Column> {
    let mut columns = COLUMNS.to_vec();
    columns.push(Column::new("").least(9));
    columns
}

/// The cells for a person; `id` is as much of the id as names it alone, `year` the year that need not be said.
#[must_use]
pub fn cells(row: &Row, id: &str, year: i32, look: &Look) -> Vec<Cell> {
    let time = look.time(row.began);
    let time = time.format(if time.year() == year { "%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string();
    let tint = tint(row);
    vec![
        time.into(),
        Cell { text: printable(id).into_owned(), tint: "33" },
        Cell { text: row.kind.as_str().to_owned(), tint },
        Cell { text: row.status.map_or_else(|| "-".to_owned(), |status| status.to_string()), tint },
        text(row.user.as_deref()),
        text(row.editor_version.as_deref().or(row.editor.as_deref())),
        text(about(row)),
        // Without its space a usual table is as wide as a usual terminal.
        row.total_ms.map_or_else(|| "-".to_owned(), |total| millis(total).replace(' ', "")).into(),
        amounts(row).into(),
        Cell { text: flags(row).join(", "), tint },
    ]
}

/// One line of values separated by tabs: nothing is shortened, missing values are `-`, times are UTC.
#[must_use]
pub fn tabbed(row: &Row) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(row.began).unwrap_or_default();
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let values = [
        time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        row.id.clone(),
        row.kind.as_str().to_owned(),
        number(row.status.map(u64::from)),
        row.user.clone().unwrap_or_else(|| "-".to_owned()),
        row.editor_version.clone().unwrap_or_else(|| "-".to_owned()),
        row.language.clone().unwrap_or_else(|| "-".to_owned()),
        row.model.clone().unwrap_or_else(|| "-".to_owned()),
        row.total_ms.map_or_else(|| "-".to_owned(), |total| format!("{total}")),
        number(row.tokens_in),
        number(row.tokens_out),
        row.request_size.to_string(),
        row.response_size.to_string(),
        Some(flags(row).join(",")).filter(|flags| !flags.is_empty()).unwrap_or_else(|| "-".to_owned()),
        row.file.clone(),
    ];
    values.map(|value| printable(&value).into_owned()).join("\t")
}

/// Red where something failed, grey where the client changed its mind.
fn tint(row: &Row) -> &'static str {
    match outcome(row) {
        Outcome::Fine => "",
        Outcome::Cancelled => "90",
        Outcome::Failed => "31",
    }
}

fn text(value: Option<&str>) -> Cell {
    printable(value.unwrap_or("-")).into_owned().into()
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::super::table::Layout;
    use super::super::testing::row;
    use super::*;
    use crate::exchange::AbortedBy;

    fn look() -> Look {
        Look { zone: FixedOffset::east_opt(3600), ..Look::default() }
    }

    fn drawn(rows: &[Row], width: Option<usize>) -> String {
        let columns = columns();
        let cells: Vec<_> = rows.iter().map(|row| cells(row, &row.id[..4], 2026, &look())).collect();
        let layout = Layout::of(&columns, &cells, width);
        let mut lines = vec![layout.head(&columns, &look())];
        lines.extend(cells.iter().map(|cells| layout.line(&columns, cells, &look())));
        lines.join("\n")
    }

    fn cancelled() -> Row {
        Row {
            began: 1_733_663_157_639_893,
            status: None,
            user: None,
            aborted_by: Some(AbortedBy::Client),
            complete: Some(false),
            tokens_in: None,
            tokens_out: None,
            total_ms: None,
            ..row("0193a6f3")
        }
    }

    #[test]
    fn a_table_for_a_person() {
        assert_eq!(
            drawn(&[row("019e5a10"), cancelled()], None),
            "\
TIME                 ID    KIND         HTTP  USER   EDITOR         ABOUT   TOTAL    TOKENS OR SIZE
11-20 10:00:05       019e  completions   200  alice  vscode/1.95.3  python  382ms   1,200 in 20 out
2024-12-08 14:05:57  0193  completions     -  -      vscode/1.95.3  python      -  548 B ↑ 2.1 kB ↓  cancelled"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_what_matters() {
        assert_eq!(
            drawn(&[row("019e5a10")], Some(71)),
            "\
TIME            ID    KIND         HTTP  USER   EDITOR    ABOUT   TOTAL
11-20 10:00:05  019e  completions   200  alice  vscode/…  python  382ms"
        );
        assert_eq!(
            drawn(&[row("019e5a10")], Some(62)),
            "\
TIME            ID    KIND         HTTP  USER   ABOUT   TOTAL
11-20 10:00:05  019e  completions   200  alice  python  382ms"
        );
    }

    #[test]
    fn values_separated_by_tabs_for_a_program() {
        assert_eq!(
            tabbed(&row("019e5a10")),
            "2026-11-20T09:00:05.250000Z\t019e5a10\tcompletions\t200\talice\tvscode/1.95.3\tpython\tm-1\t382.4\t1200\t20\t\
             548\t2100\t-\tcompletions/019e5a10.json"
        );
        let values = tabbed(&cancelled());
        assert!(values.contains("\t-\t-\tvscode") && values.contains("\tcancelled\t"), "{values}");
    }

    #[test]
    fn hostile_values_move_no_cursor_and_add_no_column() {
        let hostile = Row {
            user: Some("a\tb\x1b[2J".into()),
            language: Some("\u{202e}x\n".into()),
            error: Some("\u{9b}31m".into()),
            file: "chat/\x1b]0;x\x07.json".into(),
            ..row("019e5a10")
        };
        let line = tabbed(&hostile);
        assert_eq!(line.matches('\t').count(), 14, "{line}");
        for text in [line.replace('\t', ""), drawn(&[hostile], None).replace('\n', "")] {
            assert_eq!(printable(&text), text);
        }
    }
}
