//! Percentiles by nearest rank.

/// Three percentiles by nearest rank, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Percentiles {
    /// How many values.
    pub n: u64,
    /// None without values.
    pub p50: Option<f64>,
    /// None without values.
    pub p90: Option<f64>,
    /// None without values.
    pub p99: Option<f64>,
}

impl Percentiles {
    /// Of these values, which end up in another order.
    pub(super) fn of(values: &mut [f64]) -> Self {
        let n = values.len();
        let rank = |percent: usize| (n * percent).div_ceil(100);
        // From the highest rank down: what lies up to one rank is all that the next has to look at.
        let p99 = last_of(values, rank(99));
        let p90 = last_of(&mut values[..rank(99)], rank(90));
        let p50 = last_of(&mut values[..rank(90)], rank(50));
        Self { n: n as u64, p50, p90, p99 }
    }
}

/// The value at this place of the sorted values, counted from 1.
fn last_of(values: &mut [f64], rank: usize) -> Option<f64> {
    let place = rank.checked_sub(1)?;
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> (u64, [Option<f64>; 3]) {
        let Percentiles { n, p50, p90, p99 } = Percentiles::of(&mut values.to_vec());
        (n, [p50, p90, p99])
    }

    #[test]
    fn nearest_rank_by_hand() {
        assert_eq!(of(&[]), (0, [None; 3]));
        assert_eq!(of(&[7.5]), (1, [Some(7.5); 3]));
        assert_eq!(of(&[9.0, -1.0]), (2, [Some(-1.0), Some(9.0), Some(9.0)]));
        assert_eq!(of(&[3.0, 1.0, 2.0]), (3, [Some(2.0), Some(3.0), Some(3.0)]));
        let hundred: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(of(&hundred), (100, [Some(50.0), Some(90.0), Some(99.0)]));
        let more: Vec<_> = (1..=101).map(f64::from).collect();
        assert_eq!(of(&more), (101, [Some(51.0), Some(91.0), Some(100.0)]));
    }

    proptest! {
        #[test]
        fn as_if_sorted(values in prop::collection::vec(-1e6..1e6_f64, 1..300)) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let at = |p: usize| Some(sorted[(sorted.len() * p).div_ceil(100) - 1]);
            prop_assert_eq!(of(&values), (values.len() as u64, [at(50), at(90), at(99)]));
        }
    }
}
