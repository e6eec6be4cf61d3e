//! The figures of a folder split in every way, in one pass over the index.

use super::figures::add_up;
use crate::figures::{By, Figures, Query, Tally};
use crate::index::{Index, IndexError};

/// All ways in which figures can be split.
pub const SPLITS: [By; 7] = [By::User, By::Language, By::Editor, By::Model, By::Kind, By::Day, By::Hour];

/// The total, and the rows of every split: what `stats` gives for each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    total: Figures,
    splits: Vec<(By, Vec<Figures>)>,
}

impl Overview {
    /// The total.
    #[must_use]
    pub fn total(&self) -> &Figures {
        &self.total
    }

    /// The rows of one split, in the order of their names.
    #[must_use]
    pub fn by(&self, by: By) -> &[Figures] {
        self.splits.iter().find(|(split, _)| *split == by).map_or(&[], |(_, rows)| rows)
    }

    /// Rows of all splits together: what it takes to keep it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.splits.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Whether nothing at all was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total.requests == 0 && self.total.suggestion_users == 0 && self.rows() == 0
    }

    /// Gives persons other names. The rows of persons are put into the order of those: the old order would tell which
    /// is which.
    pub fn rename_persons(&mut self, name: impl Fn(&str) -> String) {
        for (by, rows) in &mut self.splits {
            if *by == By::User {
                for row in rows.iter_mut().filter(|row| row.group != "-") {
                    row.group = name(&row.group);
                }
                rows.sort_by(|a, b| (a.group == "-", &a.group).cmp(&(b.group == "-", &b.group)));
            }
        }
    }
}

/// Adds up all that the index has, once for all splits. `query.by` is not looked at.
///
/// # Errors
/// When SQLite fails.
pub fn overview(index: &Index, query: Query) -> Result<Overview, IndexError> {
    let mut tally = Tally::several(query, &SPLITS);
    add_up(index, &mut tally)?;
    let (rows, total) = tally.finish_each();
    Ok(Overview { total, splits: SPLITS.into_iter().zip(rows).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: &str) -> Figures {
        Figures { group: group.to_owned(), ..Figures::default() }
    }

    #[test]
    fn persons_get_other_names_and_other_places() {
        let persons = ["ann", "bob", "tid:00ff", "-"].map(row).to_vec();
        let mut overview = Overview {
            total: row("total"),
            splits: vec![(By::User, persons), (By::Model, ["ann", "-"].map(row).to_vec())],
        };
        overview.rename_persons(|name| format!("person {}", 9 - name.len()));
        let groups = |by| overview.by(by).iter().map(|row| row.group.as_str()).collect::<Vec<_>>();
        assert_eq!(groups(By::User), ["person 1", "person 6", "person 6", "-"]);
        assert_eq!(groups(By::Model), ["ann", "-"]);
        assert_eq!((groups(By::Day), overview.rows(), overview.is_empty()), (vec![], 6, false));
    }
}
