//! Events of a parser to elements.

use std::fmt::Write;

use maud::{Markup, Render, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag};

use super::super::code::{self, Language};
use super::super::text;

/// Elements within each other; what lies deeper is shown without its own.
const DEEPEST: usize = 40;
/// Elements of a table within each other.
const TABLE: usize = 3;
/// The longest address that a link goes to. Longer ones carry data, not places.
pub(super) const ADDRESS: usize = 2_000;
/// Letters of an address that are shown.
const SHOWN: usize = 200;

/// Writes elements that are always balanced: what is opened is kept with its end.
pub(super) struct Writer<'a> {
    out: String,
    /// For each tag of the parser that is open, what it ends with.
    open: Vec<End>,
    /// The code block that is open: its language, and its text so far.
    code: Option<(Option<Language>, String)>,
    /// How many tags were open when one was too deep: those within it have no element either.
    deep: Option<usize>,
    /// In the head of a table.
    head: bool,
    budget: &'a mut code::Budget,
}

/// What the end of a tag writes.
enum End {
    Fixed(&'static str),
    /// Where a link goes, or an image is, shown behind it.
    Address(String),
}

impl<'a> Writer<'a> {
    pub(super) fn new(budget: &'a mut code::Budget) -> Self {
        Self { out: String::new(), open: Vec::new(), code: None, deep: None, head: false, budget }
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.put(&html! { code { (text::visible(&code)) } }),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
            Event::InlineMath(math) | Event::DisplayMath(math) => self.text(&math),
            Event::FootnoteReference(label) => self.text(&label),
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            Event::TaskListMarker(done) => {
                let (says, sign) = if done { ("done", "☑") } else { ("to do", "☐") };
                self.put(&html! { span.task role="img" aria-label=(says) { (sign) } " " });
            }
        }
    }

    fn put(&mut self, markup: &Markup) {
        markup.render_to(&mut self.out);
    }

    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some((_, code)) => code.push_str(text),
            None => text::write_visible(&mut self.out, text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        // A table is whole or not there.
        let needs = if matches!(tag, Tag::Table(_)) { TABLE } else { 1 };
        if self.deep.is_some() || self.open.len() + needs > DEEPEST {
            self.deep.get_or_insert(self.open.len());
            return self.open.push(End::Fixed(""));
        }
        let (begin, end) = match tag {
            Tag::Paragraph => ("<p>", "</p>"),
            Tag::Heading { level, .. } => heading(level),
            Tag::BlockQuote(_) => ("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(kind) => return self.begin_code(&kind),
            Tag::HtmlBlock => (r#"<p class="raw">"#, "</p>"),
            Tag::List(Some(1)) => ("<ol>", "</ol>"),
            Tag::List(Some(first)) => {
                // A String takes all that is written.
                let _ = write!(self.out, r#"<ol start="{first}">"#);
                return self.open.push(End::Fixed("</ol>"));
            }
            Tag::List(None) => ("<ul>", "</ul>"),
            Tag::Item => ("<li>", "</li>"),
            Tag::Table(_) => (r#"<div class="scroll" tabindex="0"><table>"#, "</tbody></table></div>"),
            Tag::TableHead => {
                self.head = true;
                ("<thead><tr>", "</tr></thead><tbody>")
            }
            Tag::TableRow => ("<tr>", "</tr>"),
            Tag::TableCell if self.head => (r#"<th scope="col">"#, "</th>"),
            Tag::TableCell => ("<td>", "</td>"),
            Tag::Emphasis => ("<em>", "</em>"),
            Tag::Strong => ("<strong>", "</strong>"),
            Tag::Strikethrough => ("<s>", "</s>"),
            Tag::Link { link_type, dest_url, .. } => return self.link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => {
                self.out.push_str(r#"<span class="image">[image: "#);
                return self.open.push(End::Address(format!("] {}</span>", address(&dest_url))));
            }
            // Of extensions that are not asked for.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => ("<div>", "</div>"),
        };
        self.out.push_str(begin);
        self.open.push(End::Fixed(end));
    }

    fn end(&mut self) {
        if let Some((language, code)) = self.code.take() {
            let code = code::highlight_within(self.budget, &code, language);
            self.put(&html! { pre.code tabindex="0" { code { (code) } } });
        }
        match self.open.pop() {
            Some(End::Fixed(end)) => {
                if end.starts_with("</tr></thead>") {
                    self.head = false;
                }
                self.out.push_str(end);
            }
            Some(End::Address(address)) => self.out.push_str(&address),
            None => {}
        }
        self.deep = self.deep.filter(|deep| *deep < self.open.len());
    }

    fn begin_code(&mut self, kind: &CodeBlockKind<'_>) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => Language::of_fence(info),
            CodeBlockKind::Indented => None,
        };
        self.code = Some((language, String::new()));
        self.open.push(End::Fixed(""));
    }

    fn link(&mut self, kind: LinkType, target: &CowStr<'_>) {
        // Autolinks of mail addresses say no scheme.
        let target = if kind == LinkType::Email { format!("mailto:{target}") } else { target.clone().into_string() };
        // The text of an autolink is its address.
        let said = matches!(kind, LinkType::Autolink | LinkType::Email);
        let shown = if said { String::new() } else { format!(" {}", address(&target)) };
        if !is_harmless(&target) {
            self.out.push_str(r#"<span class="no-link">"#);
            return self.open.push(End::Address(format!("</span>{shown}")));
        }
        self.out.push_str(r#"<a rel="noopener noreferrer nofollow" target="_blank" href=""#);
        target.render_to(&mut self.out);
        self.out.push_str(r#"">"#);
        self.open.push(End::Address(format!("</a>{shown}")));
    }
}

/// Where a link goes, for people.
fn address(target: &str) -> String {
    let cut = text::cut(target, SHOWN);
    let more = if cut.left_out > 0 { "…" } else { "" };
    html! { span.address { "(" (text::visible(cut.shown)) (more) ")" } }.into_string()
}

/// Schemes that run nothing; and nothing in it that browsers take out before they read the scheme, or that is not shown.
fn is_harmless(target: &str) -> bool {
    let begins =
        |scheme: &str| target.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme));
    target.len() <= ADDRESS
        && ["http://", "https://", "mailto:"].into_iter().any(begins)
        && !target.contains(char::is_whitespace)
        && !text::misleads(target)
}

/// The page's own levels are 1 to 3.
const fn heading(level: HeadingLevel) -> (&'static str, &'static str) {
    match level {
        HeadingLevel::H1 => ("<h4>", "</h4>"),
        HeadingLevel::H2 => ("<h5>", "</h5>"),
        _ => ("<h6>", "</h6>"),
    }
}
