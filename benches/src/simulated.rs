//! The simulated week of the tests, of any size: records whose figures are known.

#[path = "../../tests/support/rng.rs"]
#[allow(dead_code, reason = "the week needs a part of it")]
pub(crate) mod rng;
#[path = "../../tests/support/week/mod.rs"]
pub(crate) mod week;
