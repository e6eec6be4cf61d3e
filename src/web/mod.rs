//! The web page.

pub mod charts;
