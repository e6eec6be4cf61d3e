//! Where a number stands between two ends, and the round numbers at the axis.

use super::Unit;

/// A scale with zero on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    low: f64,
    high: f64,
    step: f64,
}

impl Linear {
    /// From zero (from the lowest, if that is below) to a round number not below the highest, in at most so many steps.
    pub(super) fn around(numbers: impl Iterator<Item = f64>, unit: Unit, steps: u32) -> Self {
        let (low, high) = numbers.fold((0.0_f64, 0.0_f64), |(low, high), number| (low.min(number), high.max(number)));
        // Where all is zero, the axis still has a length.
        let span = if high > low { high - low } else { 1.0 };
        let mut step = round_up(span / f64::from(steps.max(1)));
        if unit.is_whole() {
            step = step.max(1.0);
        }
        Self { low: (low / step).floor() * step, high: ((low + span) / step).ceil() * step, step }
    }

    /// 0 at the lower end, 1 at the higher.
    pub(super) fn place(&self, number: f64) -> f64 {
        ((number - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    pub(super) fn ticks(&self) -> Vec<f64> {
        let many = ((self.high - self.low) / self.step).round();
        // So many only if the steps were lost to rounding.
        let many = if many < 100.0 { many as u32 } else { 0 };
        (0..=many).map(|n| self.low + f64::from(n) * self.step).map(|tick| tick + 0.0).collect()
    }
}

/// The next of 1, 2, 5, 10, 20, 50, …
fn round_up(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= number * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

/// A scale on which each step is ten times the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decades {
    low: i32,
    high: i32,
}

/// Below a millisecond nobody looks; nor does the clock of a record.
const LEAST: f64 = 1.0;

impl Decades {
    /// For numbers that would crowd at one end of a linear scale: the highest is 20 times the lowest or more.
    pub(super) fn around(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let ends = numbers.fold(None, |ends: Option<(f64, f64)>, number| {
            let (low, high) = ends.unwrap_or((number, number));
            Some((low.min(number), high.max(number)))
        });
        let (low, high) = ends.map(|(low, high)| (low.max(LEAST), high))?;
        (high >= low * 20.0).then(|| Self { low: low.log10().floor() as i32, high: high.log10().ceil() as i32 })
    }

    /// 0 at the lower end, where all that is lower stands too; 1 at the higher.
    pub(super) fn place(&self, number: f64) -> f64 {
        let exponent = number.max(LEAST).log10();
        ((exponent - f64::from(self.low)) / f64::from(self.high - self.low)).clamp(0.0, 1.0)
    }

    pub(super) fn ticks(&self) -> Vec<f64> {
        let every = (self.high - self.low) / 6 + 1;
        (self.low..=self.high).step_by(every.unsigned_abs() as usize).map(|exponent| 10_f64.powi(exponent)).collect()
    }
}

/// Of so many labels along an axis, every how-manieth is written so that at most `most` are.
pub(super) fn every(many: usize, most: usize) -> usize {
    many.div_ceil(most.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_and_begin_at_zero() {
        let ticks = |numbers: &[f64], unit| Linear::around(numbers.iter().copied(), unit, 4).ticks();
        assert_eq!(ticks(&[], Unit::Share), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(&[0.0], Unit::Count), [0.0, 1.0]);
        assert_eq!(ticks(&[7.0, 3.0], Unit::Count), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(&[2.0], Unit::Count), [0.0, 1.0, 2.0]);
        assert_eq!(ticks(&[1_234.0], Unit::Millis), [0.0, 500.0, 1_000.0, 1_500.0]);
        assert_eq!(ticks(&[-30.0, 90.0], Unit::Millis), [-50.0, 0.0, 50.0, 100.0]);
    }

    #[test]
    fn wide_spreads_stand_by_decades() {
        assert!(Decades::around([10.0, 100.0].into_iter()).is_none());
        assert!(Decades::around([].into_iter()).is_none());
        let wide = Decades::around([3.0, 4_000.0].into_iter()).unwrap();
        assert_eq!(wide.ticks(), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        assert_eq!([-5.0, 1.0, 100.0, 1e9].map(|number| wide.place(number)), [0.0, 0.0, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn whatever_the_numbers_are_the_axis_is_sound(numbers in prop::collection::vec(-1e21..1e21_f64, 0..9)) {
            let linear = Linear::around(numbers.iter().copied(), Unit::Millis, 5);
            let ticks = linear.ticks();
            prop_assert!((2..=7).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks.is_sorted() && ticks.iter().all(|tick| tick.is_finite()));
            for number in &numbers {
                let place = linear.place(*number);
                prop_assert!((0.0..=1.0).contains(&place));
            }
            if let Some(decades) = Decades::around(numbers.iter().copied()) {
                prop_assert!(decades.ticks().len() <= 8);
                prop_assert!(numbers.iter().all(|number| (0.0..=1.0).contains(&decades.place(*number))));
            }
        }

        #[test]
        fn small_numbers_too(number in 1e-12..1.0_f64) {
            let ticks = Linear::around([number].into_iter(), Unit::Share, 4).ticks();
            prop_assert!((2..=6).contains(&ticks.len()), "{ticks:?}");
        }
    }
}
