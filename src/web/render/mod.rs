//! Contents of others as markup: text, code, Markdown, JSON and differences.
//!
//! Given texts, it hands on markup that shows them and does nothing else: no element, attribute or address comes from a
//! text, except the addresses of links in Markdown, which are held to three schemes. Knows no records, pages or HTTP.
//! The classes are styled by `assets/contents.css`.

pub mod code;
pub mod diff;
pub mod fuzz;
mod harmless;
pub mod json;
pub mod markdown;
pub mod text;

/// Texts that would run if they were not shown as text; the tests in a browser have them too.
#[cfg(test)]
#[allow(unreachable_pub)]
#[path = "../../../tests/support/xss.rs"]
pub(in crate::web) mod xss;
