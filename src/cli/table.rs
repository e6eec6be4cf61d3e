//! Tables for people: columns that line up and fit the terminal.
//!
//! Made by ourselves because rows go out as they are read, by the hundred thousand, and because the columns that matter
//! must stay whole while the others give way: a library for tables holds all rows and wraps cells.

use super::output::{Look, shortened, width};

/// How a column behaves.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Numbers stand at the right.
    pub right: bool,
    /// Columns of text below which it is not shortened; none: it is never shortened.
    pub least: Option<usize>,
    /// When the table is still too wide, columns with a number go, the highest first; 0 stays.
    pub spare: u8,
}

impl Column {
    /// A column of text that stays as it is.
    #[must_use]
    pub const fn new(title: &'static str) -> Self {
        Self { title, right: false, least: None, spare: 0 }
    }

    /// Aligned at the right.
    #[must_use]
    pub const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    /// May be shortened to so many columns of text.
    #[must_use]
    pub const fn least(self, least: usize) -> Self {
        Self { least: Some(least), ..self }
    }

    /// May be left out, those with the highest number first.
    #[must_use]
    pub const fn spare(self, order: u8) -> Self {
        Self { spare: order, ..self }
    }
}

/// One cell: what it says, and its colour (`31`; empty for none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// On one line, printable.
    pub text: String,
    /// As in an escape sequence.
    pub tint: &'static str,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, tint: "" }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// How wide each column is; none where it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(Vec<Option<usize>>);

/// Two letters and `…`.
const SHORTEST: usize = 3;
/// Between two columns.
const GAP: usize = 2;

impl Layout {
    /// For these rows: as wide as their cells and headings, within so many columns of the terminal. A column that has
    /// neither heading nor text is left out.
    #[must_use]
    pub fn of(columns: &[Column], rows: &[Vec<Cell>], most: Option<usize>) -> Self {
        let wanted = |at: usize, column: &Column| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(&cell.text)).max();
            cells.unwrap_or(0).max(width(column.title))
        };
        let widths = columns.iter().enumerate().map(|(at, column)| Some(wanted(at, column)).filter(|wide| *wide > 0));
        let mut layout = Self(widths.collect());
        if let Some(most) = most {
            layout.fit(columns, most);
        }
        layout
    }

    /// Columns that may are shortened; if that is not enough spare ones go, one after the other; if that is not either,
    /// the others are shortened further.
    fn fit(&mut self, columns: &[Column], most: usize) {
        let mut wanted = self.0.clone();
        loop {
            self.shorten(columns, most, |least| least);
            let spare = columns.iter().enumerate().filter(|(at, column)| column.spare > 0 && wanted[*at].is_some());
            match spare.max_by_key(|(_, column)| column.spare) {
                Some((at, _)) if self.total() > most => {
                    wanted[at] = None;
                    self.0.clone_from(&wanted);
                }
                _ => break,
            }
        }
        self.shorten(columns, most, |_| SHORTEST);
    }

    /// The widest column gives way, one step at a time.
    fn shorten(&mut self, columns: &[Column], most: usize, least: impl Fn(usize) -> usize) {
        while self.total() > most {
            let give = |(at, column): (usize, &Column)| {
                let wide = self.0.get(at).copied().flatten()?;
                column.least.filter(|own| wide > least(*own)).map(|_| (wide, at))
            };
            let Some((_, at)) = columns.iter().enumerate().filter_map(give).max() else { return };
            self.0[at] = self.0[at].map(|wide| wide - 1);
        }
    }

    fn total(&self) -> usize {
        let there = self.0.iter().flatten();
        there.clone().sum::<usize>() + GAP * there.count().saturating_sub(1)
    }

    /// One row, without its line's end.
    #[must_use]
    pub fn line(&self, columns: &[Column], cells: &[Cell], look: &Look) -> String {
        let mut line = String::new();
        // Spaces are held back so that none stands at the end of a line.
        let mut pending = 0;
        for ((wide, column), cell) in self.0.iter().zip(columns).zip(cells) {
            let Some(wide) = *wide else { continue };
            let text = if column.least.is_some() { shortened(&cell.text, wide) } else { cell.text.as_str().into() };
            let free = wide.saturating_sub(width(&text));
            let (before, after) = if column.right { (free, 0) } else { (0, free) };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', pending + before));
                line.push_str(&look.tinted(cell.tint, &text));
                pending = after;
            } else {
                pending += wide;
            }
            pending += GAP;
        }
        line
    }

    /// The headings.
    #[must_use]
    pub fn head(&self, columns: &[Column], look: &Look) -> String {
        let titles: Vec<_> = columns.iter().map(|column| Cell { text: column.title.to_owned(), tint: "1" }).collect();
        self.line(columns, &titles, look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] =
        [Column::new("ID"), Column::new("USER").least(4), Column::new("TOKENS").right().spare(1), Column::new("")];

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec!["1".into(), "alexander".into(), "1,200".into(), "".into()],
            vec!["22".into(), "山田".into(), "".into(), "cut".into()],
        ]
    }

    fn drawn(most: Option<usize>) -> String {
        let rows = rows();
        let layout = Layout::of(&COLUMNS, &rows, most);
        let look = Look::default();
        let mut lines = vec![layout.head(&COLUMNS, &look)];
        lines.extend(rows.iter().map(|row| layout.line(&COLUMNS, row, &look)));
        lines.join("\n")
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(
            drawn(None),
            "\
ID  USER       TOKENS
1   alexander   1,200
22  山田               cut"
        );
    }

    #[test]
    fn what_may_gives_way_then_what_is_spare_goes() {
        assert_eq!(
            drawn(Some(22)),
            "\
ID  USER   TOKENS
1   alex…   1,200
22  山田           cut"
        );
        assert_eq!(
            drawn(Some(18)),
            "\
ID  USER
1   alexander
22  山田       cut"
        );
        assert_eq!(
            drawn(Some(1)),
            "\
ID  US…
1   al…
22  山…  cut",
            "what matters stays"
        );
    }

    #[test]
    fn colours_do_not_count() {
        let rows = vec![vec![Cell { text: "1".into(), tint: "31" }, "a".into(), "5".into(), "".into()]];
        let layout = Layout::of(&COLUMNS, &rows, None);
        let colour = Look { colour: true, ..Look::default() };
        assert_eq!(layout.line(&COLUMNS, &rows[0], &colour), "\x1b[31m1\x1b[0m   a          5");
    }
}
