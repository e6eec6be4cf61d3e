//! The largest of many groups, and the rest of them together: a chart has room for a dozen.

use crate::figures::Figures;
use crate::web::charts::Value;

/// What one group contributes to a chart. The parts of several can be added up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Measure {
    /// So many.
    Amount(u64),
    /// A part of a whole.
    Part(u64, u64),
    /// The parts of a whole.
    Parts(Vec<u64>),
    /// There is something and nobody knows how much.
    Unknown,
    /// There is nothing.
    Nothing,
}

/// Groups in a chart, the rest of them included.
const MOST: usize = 12;

impl Measure {
    /// By what groups are told large from small.
    fn weight(&self) -> (u8, u64) {
        match self {
            Self::Amount(amount) => (2, *amount),
            Self::Part(_, whole) => (2, *whole),
            Self::Parts(parts) => (2, parts.iter().fold(0, |sum, part| sum.saturating_add(*part))),
            Self::Unknown => (1, 0),
            Self::Nothing => (0, 0),
        }
    }

    /// Of several groups together; what is unknown of some of them is left out, as in any total.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Amount(a), Self::Amount(b)) => Self::Amount(a.saturating_add(b)),
            (Self::Part(a, b), Self::Part(c, d)) => Self::Part(a.saturating_add(c), b.saturating_add(d)),
            (Self::Parts(a), Self::Parts(b)) => {
                Self::Parts(a.iter().zip(b).map(|(a, b)| a.saturating_add(b)).collect())
            }
            (Self::Nothing, other) | (Self::Unknown, other) if other != Self::Nothing => other,
            (known, _) => known,
        }
    }

    /// As one number: a part as its share.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Amount(amount) => Value::Known(*amount as f64),
            Self::Part(_, 0) | Self::Nothing => Value::Nothing,
            Self::Part(part, whole) => Value::Known(*part as f64 / *whole as f64),
            Self::Parts(parts) => Value::Known(parts.iter().map(|part| *part as f64).sum()),
            Self::Unknown => Value::Unknown,
        }
    }
}

/// All rows, in the order in which their chart has them: those with most first.
pub(super) fn sorted(rows: &[Figures], measure: impl Fn(&Figures) -> Measure) -> Vec<&Figures> {
    let mut rows: Vec<_> = rows.iter().map(|row| (measure(row).weight(), row)).collect();
    // Rows of one weight stay in the order of their names.
    rows.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// One group of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranked {
    pub(super) name: String,
    pub(super) measure: Measure,
    /// It is all the others together.
    pub(super) is_rest: bool,
}

/// The groups that are something in this measure: the largest first, the unknown ones behind them, at the end all others
/// together.
pub(super) fn ranked(rows: &[Figures], measure: impl Fn(&Figures) -> Measure) -> Vec<Ranked> {
    let groups = sorted(rows, &measure).into_iter().map(|row| (row.group.clone(), measure(row)));
    let mut groups: Vec<_> = groups.filter(|(_, measure)| *measure != Measure::Nothing).collect();
    let rest = if groups.len() > MOST { groups.split_off(MOST - 1) } else { Vec::new() };
    let mut ranked: Vec<_> =
        groups.into_iter().map(|(name, measure)| Ranked { name, measure, is_rest: false }).collect();
    if !rest.is_empty() {
        let name = format!("{} others together", rest.len());
        let measure = rest.into_iter().map(|(_, measure)| measure).fold(Measure::Nothing, Measure::and);
        ranked.push(Ranked { name, measure, is_rest: true });
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(requests: impl IntoIterator<Item = u64>) -> Vec<Figures> {
        let row = |(n, requests)| Figures { group: format!("g{n:02}"), requests, ..Figures::default() };
        requests.into_iter().enumerate().map(row).collect()
    }

    fn pair(ranked: Ranked) -> (String, Measure) {
        assert_eq!(ranked.is_rest, ranked.name.ends_with(" others together"));
        (ranked.name, ranked.measure)
    }

    #[test]
    fn the_largest_come_first_and_the_rest_together_last() {
        let amount = |row: &Figures| match row.requests {
            0 => Measure::Nothing,
            1 => Measure::Unknown,
            requests => Measure::Amount(requests),
        };
        let few: Vec<_> = ranked(&rows([0, 3, 1, 7, 3]), amount).into_iter().map(pair).collect();
        let expected = [("g03", Measure::Amount(7)), ("g01", Measure::Amount(3)), ("g04", Measure::Amount(3))];
        assert_eq!(few[..3], expected.map(|(name, measure)| (name.to_owned(), measure)));
        assert_eq!(few[3..], [("g02".to_owned(), Measure::Unknown)]);
        let all = rows([0, 3, 1, 7, 3]);
        let names: Vec<_> = sorted(&all, amount).into_iter().map(|row| row.group.as_str()).collect();
        assert_eq!(names, ["g03", "g01", "g04", "g02", "g00"], "what is in no chart is at the end of its table");
        let many: Vec<_> = ranked(&rows(1..=20), amount).into_iter().map(pair).collect();
        assert_eq!((many.len(), &many[0].0, &many[11].0), (12, &"g19".to_owned(), &"9 others together".to_owned()));
        assert_eq!(many[11].1, Measure::Amount((2..=9).sum()), "what is unknown is left out");
        assert_eq!(ranked(&rows((0..20).map(|_| 1)), amount)[11].measure, Measure::Unknown);
        assert_eq!(ranked(&[], amount), []);
    }

    #[test]
    fn parts_of_others_are_added_before_they_are_divided() {
        let part = |row: &Figures| Measure::Part(u64::from(row.requests == 12), row.requests);
        let last = ranked(&rows((1..=12).chain([100, 100])), part).pop().map(pair).unwrap();
        assert_eq!(last, ("3 others together".to_owned(), Measure::Part(0, 6)));
        let parts = Measure::Parts(vec![1, 2]).and(Measure::Parts(vec![3, u64::MAX]));
        assert_eq!(parts, Measure::Parts(vec![4, u64::MAX]));
        assert_eq!(Measure::Part(0, 0).value(), Value::Nothing);
        assert_eq!(Measure::Part(1, 4).value(), Value::Known(0.25));
    }
}
