//! The difference of two texts, line by line, with the words that changed.
//!
//! Signs say what changed, so that it can be read without colour and copied.

use std::ops::Range;
use std::time::{Duration, Instant};

use maud::{Markup, html};
use similar::{Algorithm, ChangeTag, DiffOp, InlineChange, TextDiff};

use super::text;

/// Most letters of each text that are compared (200,000); what is behind them is said and not compared.
pub const MOST: usize = text::MOST;
/// Equal lines shown around a change.
const AROUND: usize = 3;
/// Lines of a table; the rest is counted.
const LINES: usize = 4_000;
/// After so long what is left counts as changed: texts that have nothing in common take the square of their length.
const TIME: Duration = Duration::from_millis(300);

/// The difference of two texts: a table with the number of each line in the old and the new text, a sign (`-`, `+` or
/// nothing) and the line, in which `<del>` and `<ins>` mark the words that changed. Equal lines far from a change are
/// folded. Equal texts give one sentence.
#[must_use]
pub fn diff(old: &str, new: &str) -> Markup {
    if old == new {
        return html! { p.same { "Both are the same." } };
    }
    let (old, new) = (text::cut(old, MOST), text::cut(new, MOST));
    let until = Instant::now() + TIME;
    let compared = TextDiff::configure().algorithm(Algorithm::Myers).deadline(until).diff_lines(old.shown, new.shown);
    let table = Table::of(&compared, until);
    html! {
        p.diff-sum { (counted(table.removed, "removed")) ", " (counted(table.added, "added")) "." }
        @if !table.rows.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Lines" {
                table.diff {
                    thead { tr {
                        th scope="col" { "old" } th scope="col" { "new" }
                        th scope="col" { "change" } th scope="col" { "line" }
                    } }
                    tbody { @for row in &table.rows { (row) } }
                }
            }
        }
        @if table.left_out > 0 {
            p.left-out { "… " (counted(table.left_out, "not shown")) }
        }
        @for (which, cut) in [("old", old), ("new", new)] {
            @if cut.left_out > 0 {
                p { "Of the " (which) " text " (text::left_out(cut.left_out)) " and not compared." }
            }
        }
    }
}

fn counted(lines: usize, what: &str) -> String {
    format!("{lines} line{} {what}", if lines == 1 { "" } else { "s" })
}

#[derive(Default)]
struct Table {
    rows: Vec<Markup>,
    removed: usize,
    added: usize,
    left_out: usize,
}

impl Table {
    fn of(compared: &TextDiff<'_, '_, str>, until: Instant) -> Self {
        let mut table = Self::default();
        let mut end = 0;
        for group in compared.grouped_ops(AROUND) {
            let first = group.first().map_or(end, |op| op.old_range().start);
            table.fold(end..first);
            end = group.last().map_or(end, |op| op.old_range().end);
            for op in &group {
                table.changes(compared, op, until);
            }
        }
        table.fold(end..compared.old_len());
        table
    }

    /// Equal lines that are not shown.
    fn fold(&mut self, lines: Range<usize>) {
        if !lines.is_empty() && self.rows.len() < LINES {
            self.rows.push(html! { tr.fold { td colspan="4" { "… " (counted(lines.len(), "the same")) " …" } } });
        }
    }

    fn changes(&mut self, compared: &TextDiff<'_, '_, str>, op: &DiffOp, until: Instant) {
        let (old, new) = (op.old_range().len(), op.new_range().len());
        if op.tag() != similar::DiffTag::Equal {
            self.removed += old;
            self.added += new;
        }
        let lines = if op.tag() == similar::DiffTag::Equal { old } else { old + new };
        // Words are compared only where the lines are shown.
        if self.rows.len() + lines > LINES {
            self.left_out += lines;
            return;
        }
        for change in compared.iter_inline_changes_deadline(op, Some(until)) {
            self.rows.push(row(&change));
        }
    }
}

fn row(change: &InlineChange<'_, str>) -> Markup {
    let (class, sign, says) = match change.tag() {
        ChangeTag::Equal => ("same", " ", ""),
        ChangeTag::Delete => ("removed", "-", "removed"),
        ChangeTag::Insert => ("added", "+", "added"),
    };
    let number = |index: Option<usize>| index.map(|index| (index + 1).to_string()).unwrap_or_default();
    html! {
        tr class=(class) {
            td.number { (number(change.old_index())) }
            td.number { (number(change.new_index())) }
            td.sign { @if says.is_empty() { (sign) } @else { span role="img" aria-label=(says) { (sign) } } }
            td.line { (line(change)) }
        }
    }
}

/// The words of a line. Its line feed is the row's end; another line end is a mark.
fn line(change: &InlineChange<'_, str>) -> Markup {
    let words = change.values().iter().map(|(changed, word)| (*changed, word.trim_end_matches('\n')));
    html! {
        @for (changed, word) in words {
            @match (changed, change.tag()) {
                (true, ChangeTag::Delete) => del { (text::visible(word)) },
                (true, ChangeTag::Insert) => ins { (text::visible(word)) },
                _ => (text::visible(word)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::harmless::{assert_harmless, shown_text};
    use super::*;

    fn rendered(old: &str, new: &str) -> String {
        let markup = diff(old, new).into_string();
        assert_harmless(&markup);
        markup
    }

    /// `old|new|sign|line` of each row.
    fn rows(markup: &str) -> Vec<String> {
        let body = markup.split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap_or("");
        body.split("</tr>")
            .filter(|row| !row.is_empty())
            .map(|row| shown_text(&row.replace("</td>", "</td>|")))
            .collect()
    }

    #[test]
    fn lines_and_words_are_told_apart() {
        let markup = rendered("a\nlet b = 1;\nc\n", "a\nlet b = 2;\nc\nd\n");
        assert_eq!(rows(&markup), ["1|1| |a|", "2||-|let b = 1;|", "|2|+|let b = 2;|", "3|3| |c|", "|4|+|d|"]);
        assert!(markup.contains("let b = <del>1;</del></td>"), "{markup}");
        assert!(markup.contains("let b = <ins>2;</ins></td>"), "{markup}");
        assert!(markup.starts_with(r#"<p class="diff-sum">1 line removed, 2 lines added.</p>"#), "{markup}");
    }

    #[test]
    fn equal_lines_are_folded() {
        let old: String = (0..50).map(|line| format!("{line}\n")).collect();
        let new = old.replace("25\n", "x\n");
        let markup = rendered(&old, &new);
        let rows = rows(&markup);
        assert_eq!(rows.first().unwrap(), "… 22 lines the same …|");
        assert_eq!(rows.last().unwrap(), "… 21 lines the same …|");
        assert_eq!(rows.len(), 10);
    }

    #[test]
    fn equal_texts_are_one_sentence() {
        assert_eq!(rendered("a", "a"), r#"<p class="same">Both are the same.</p>"#);
    }

    #[test]
    fn long_texts_are_bounded() {
        let old: String = (0..30_000).map(|line| format!("{line} old\n")).collect();
        let new: String = (0..30_000).map(|line| format!("{line} new\n")).collect();
        let markup = rendered(&old, &new);
        assert!(rows(&markup).len() <= LINES + 1);
        assert!(markup.contains("not shown"), "what is left out is said");
        assert!(rendered(&"x".repeat(MOST + 10), "y").contains("10 more characters not shown</span> and not compared"));
    }

    #[test]
    fn hostile_texts_are_text() {
        let markup = rendered("<script>\u{202e}</script>\r\n", "</td><img onerror=x>\n");
        assert!(markup.contains("U+202E") && !markup.contains("<img"), "{markup}");
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_off(
            old in prop::collection::vec("[ab <&]{0,4}", 0..12),
            new in prop::collection::vec("[ab <&]{0,4}", 0..12),
        ) {
            prop_assume!(old != new);
            let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let rows = rows(&rendered(&text(&old), &text(&new)));
            let side = |at: usize, sign: &str| -> Vec<(String, String)> {
                let cells = rows.iter().map(|row| row.splitn(4, '|').map(str::to_owned).collect::<Vec<_>>());
                let mine = cells.filter(|cells| cells.len() == 4 && (cells[2] == sign || cells[2] == " "));
                mine.map(|cells| (cells[at].clone(), cells[3].trim_end_matches('|').to_owned())).collect()
            };
            for (at, sign, lines) in [(0, "-", &old), (1, "+", &new)] {
                for (number, line) in side(at, sign) {
                    let number: usize = number.parse().unwrap();
                    prop_assert_eq!(&line, &lines[number - 1]);
                }
            }
        }
    }
}
