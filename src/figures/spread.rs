//! How values of time are spread: how many lie between fixed bounds.

/// The bounds in milliseconds, from a hundredth of a second to a hundred seconds: Renard's series R5, five to a decade,
/// so that each is about 1.6 times the last, and what lies between two can be compared with what lies between others.
pub const BOUNDS: [u32; 21] = [
    10, 16, 25, 40, 63, 100, 160, 250, 400, 630, 1_000, 1_600, 2_500, 4_000, 6_300, 10_000, 16_000, 25_000, 40_000,
    63_000, 100_000,
];

/// How many values lie below the first bound, from each bound up to the next, and from the last on. A value that is a
/// bound lies above it. More than `u32::MAX` stay that many.
pub type Counts = [u32; BOUNDS.len() + 1];

/// The spread of the spans that a person waits for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Spread {
    /// [`BOUNDS`], so that the counts can be read without them.
    pub bounds: [u32; BOUNDS.len()],
    /// Of the times to the first byte.
    pub first_byte: Counts,
    /// Of the times to the first token.
    pub first_token: Counts,
    /// Of the times to the last byte.
    pub total: Counts,
}

impl Default for Spread {
    fn default() -> Self {
        let none = Counts::default();
        Self { bounds: BOUNDS, first_byte: none, first_token: none, total: none }
    }
}

impl Spread {
    /// The counted spans, by the names of their keys.
    #[must_use]
    pub fn spans(&self) -> [(&'static str, &Counts); 3] {
        [("first_byte", &self.first_byte), ("first_token", &self.first_token), ("total", &self.total)]
    }

    /// Counts one exchange's spans.
    pub(super) fn add(&mut self, places: Places) {
        for (counts, place) in [&mut self.first_byte, &mut self.first_token, &mut self.total].into_iter().zip(places) {
            if let Some(count) = counts.get_mut(usize::from(place)) {
                *count = count.saturating_add(1);
            }
        }
    }
}

/// Where the three spans of an exchange are counted; [`NOWHERE`] where they are not known.
pub(super) type Places = [u8; 3];

/// Behind all places.
const NOWHERE: u8 = u8::MAX;

/// Where a value is counted. What is not finite is none.
pub(super) fn place(millis: f64) -> u8 {
    if millis.is_finite() { BOUNDS.partition_point(|bound| f64::from(*bound) <= millis) as u8 } else { NOWHERE }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Percentiles;
    use super::*;

    /// From this on, and below that.
    fn ends(place: usize) -> (f64, f64) {
        let bound = |at: usize| BOUNDS.get(at).copied().map(f64::from);
        let low = place.checked_sub(1).and_then(bound).unwrap_or(f64::NEG_INFINITY);
        (low, bound(place).unwrap_or(f64::INFINITY))
    }

    #[test]
    fn a_bound_lies_above_itself() {
        assert_eq!([f64::MIN, -1.0, 0.0, 9.999, 10.0, 15.9, 16.0].map(place), [0, 0, 0, 0, 1, 1, 2]);
        assert_eq!([63_000.0, 99_999.9, 100_000.0, f64::MAX].map(place), [20, 20, 21, 21]);
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(place), [NOWHERE; 3]);
    }

    #[test]
    fn bounds_are_as_far_apart_as_each_other() {
        for pair in BOUNDS.windows(2) {
            let ratio = f64::from(pair[1]) / f64::from(pair[0]);
            assert!((1.55..1.61).contains(&ratio), "{pair:?}");
        }
    }

    fn any_millis() -> impl Strategy<Value = f64> {
        let at_bound = prop::sample::select(BOUNDS.to_vec()).prop_map(f64::from);
        let any_decade = (0.0..13.0_f64).prop_map(f64::exp);
        prop_oneof![2 => -50.0..200_000.0_f64, 2 => any_decade, 2 => at_bound, 1 => any::<f64>()]
    }

    proptest! {
        #[test]
        fn each_value_is_counted_where_it_lies(values in prop::collection::vec(any_millis(), 0..200)) {
            let mut spread = Spread::default();
            for value in &values {
                spread.add([place(*value), NOWHERE, place(*value)]);
            }
            let mut known: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            for (at, count) in spread.total.iter().enumerate() {
                let (low, high) = ends(at);
                let within = known.iter().filter(|value| (low..high).contains(*value)).count();
                prop_assert_eq!(*count as usize, within);
            }
            prop_assert_eq!(&spread.first_byte, &spread.total);
            prop_assert_eq!(spread.first_token, Counts::default());
            let percentiles = Percentiles::of(&mut known);
            prop_assert_eq!(spread.total.iter().map(|count| u64::from(*count)).sum::<u64>(), percentiles.n);
            // By the counts alone it is known between which bounds a percentile lies.
            for (percent, value) in [(50, percentiles.p50), (90, percentiles.p90), (99, percentiles.p99)] {
                let Some(value) = value else { continue };
                let rank = (percentiles.n * percent).div_ceil(100);
                let mut up_to = 0;
                let at = spread.total.iter().position(|count| {
                    up_to += u64::from(*count);
                    up_to >= rank
                });
                let (low, high) = ends(at.unwrap());
                prop_assert!(low <= value && value < high, "{percent}: {value} in {low}..{high}");
            }
        }
    }
}
