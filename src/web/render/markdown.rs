//! Markdown as models write it, rendered with a small set of elements and nothing of the text's own.
//!
//! Raw HTML is shown as text. Images are not loaded: their text and address are shown. Links go to three schemes, say
//! where they go, and tell the target nothing. Headings begin at the fourth level, so that the page keeps its own.

mod writer;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Options, Parser};

use self::writer::Writer;
use super::{code, text};

/// Most bytes of a text that is read as Markdown (200 kB); a longer one is shown as it is.
pub const MOST: usize = 200_000;

/// A text in Markdown.
#[must_use]
pub fn markdown(text: &str) -> Markup {
    markdown_within(&mut code::Budget::new(), text)
}

/// As [`markdown`], with its code highlighted within a page's budget. The caller has cut the text.
pub fn markdown_within(budget: &mut code::Budget, text: &str) -> Markup {
    if text.len() > MOST {
        return maud::html! { pre { (text::visible(text)) } };
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writer = Writer::new(budget);
    Parser::new_ext(text, options).for_each(|event| writer.event(event));
    let inner = PreEscaped(writer.finish());
    maud::html! { div.md { (inner) } }
}

#[cfg(test)]
mod tests;
