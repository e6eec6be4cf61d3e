//! The web page.

pub mod render;
