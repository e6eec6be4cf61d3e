//! Rules as data (design D4, D12): which hosts are opened, and what kind an exchange is.

mod hosts;
mod kinds;
mod pattern;

pub use hosts::HostTable;
pub use kinds::{Kind, KindTable, Match};
pub use pattern::{HostPattern, PatternError};
