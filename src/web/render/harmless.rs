//! What tests and the fuzzer ask of markup: that it is harmless, and which text it shows.

/// Elements that contents may be made of.
const ELEMENTS: [&str; 38] = [
    "a",
    "blockquote",
    "br",
    "caption",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "samp",
    "section",
    "span",
    "strong",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
];
/// Their elements without an end.
const EMPTY: [&str; 3] = ["br", "hr", "col"];
/// Attributes that they may have; `href` and `target` at links alone.
const ATTRIBUTES: [&str; 13] = [
    "class",
    "colspan",
    "title",
    "role",
    "aria-label",
    "scope",
    "start",
    "tabindex",
    "open",
    "lang",
    "href",
    "target",
    "rel",
];

/// Panics when markup has an element, an attribute or an address that contents never have, or is not balanced.
pub(super) fn assert_harmless(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(markup) {
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{markup:?}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name) || name == "ul", "{name:?} in {markup:?}");
        for (attribute, value) in self::attributes(attributes) {
            assert!(ATTRIBUTES.contains(&attribute), "{attribute:?} in {markup:?}");
            if matches!(attribute, "href" | "target" | "rel") {
                assert_eq!(name, "a", "{markup:?}");
            }
            if attribute == "href" {
                let value = value.to_ascii_lowercase();
                let known = ["http://", "https://", "mailto:"].iter().any(|scheme| value.starts_with(scheme));
                assert!(known && !value.contains(char::is_control), "{value:?} in {markup:?}");
            }
        }
        if !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "not closed in {markup:?}");
}

/// The text that markup shows, with marks as the letters that they stand for. Bytes that are no text are left out.
pub(super) fn shown_text(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        text.push_str(&unescaped(&rest[..at]));
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(title) = tag.strip_prefix(r#"span class="ctl" title=""#) {
            if let Some(number) = title.strip_prefix("U+") {
                let number = u32::from_str_radix(number.trim_end_matches('"'), 16).expect("a number");
                text.push(char::from_u32(number).expect("a letter"));
            }
            let behind = rest.find("</span>").expect("a mark ends") + "</span>".len();
            rest = &rest[behind..];
        }
    }
    text.push_str(&unescaped(rest));
    text
}

/// Each tag without its brackets.
fn tags(markup: &str) -> impl Iterator<Item = &str> {
    let tags = markup.split('<').skip(1);
    tags.map(|piece| piece.split_once('>').unwrap_or_else(|| panic!("a tag does not end: {piece:?}")).0)
}

fn attributes(mut text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches(' ');
        if text.is_empty() {
            return found;
        }
        let end = text.find(['=', ' ']).unwrap_or(text.len());
        let name = &text[..end];
        text = &text[end..];
        let Some(value) = text.strip_prefix("=\"") else {
            assert!(!text.starts_with('='), "a value without quotes: {text:?}");
            found.push((name, ""));
            continue;
        };
        let end = value.find('"').unwrap_or_else(|| panic!("a value does not end: {value:?}"));
        found.push((name, &value[..end]));
        text = &value[end + 1..];
    }
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains('>'), "{text:?}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
