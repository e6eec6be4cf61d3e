//! Boxes for texts.

use maud::{Markup, html};

use super::room::Room;
use crate::web::render::code::{self, Language};
use crate::web::render::text;

/// Code in its language.
pub(super) fn code(room: &mut Room, label: &str, source: &str, language: Option<Language>) -> Markup {
    let cut = room.cut(source, text::MOST);
    let shown = code::highlight_within(&mut room.code, cut.shown, language);
    boxed(label, "code", &html! { code { (shown) } (text::left_out(cut.left_out)) })
}

/// Any text, wrapped.
pub(super) fn plain(room: &mut Room, label: &str, source: &str) -> Markup {
    let cut = room.cut(source, text::MOST);
    boxed(label, "text", &html! { (text::visible(cut.shown)) (text::left_out(cut.left_out)) })
}

/// A box that scrolls, which the keyboard must reach and a screen reader name.
pub(super) fn boxed(label: &str, class: &str, contents: &Markup) -> Markup {
    html! { pre class=(class) tabindex="0" role="region" aria-label=(label) { (contents) } }
}
