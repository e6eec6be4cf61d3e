//! The command line.

pub mod ca;
