//! Rules as data (design D4, D12): which hosts are opened, and what kind an exchange is.

mod hosts;
mod kinds;
mod path;
mod pattern;
mod row;

pub use hosts::HostTable;
pub use kinds::{Kind, KindError, KindTable, KindTableError, Match};
pub use path::model_in_path;
pub use pattern::{HostPattern, PatternError};
pub use row::KindRow;
