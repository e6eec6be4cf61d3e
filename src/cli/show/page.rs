//! The page that a person reads.

use super::super::output::{Look, printable, printable_lines};
use super::super::{line, rows};
use super::{Detail, Subject, events, headline, talk, timing};
use crate::archive::Form;
use crate::review::told;

/// The text of a page as it grows. Texts of others go through [`Page::block`] or [`Page::field`] alone.
pub(super) struct Page<'a> {
    pub(super) text: String,
    pub(super) look: &'a Look,
    pub(super) full: bool,
    folded: bool,
}

/// How many lines of a text are shown from its beginning and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Letters of one line that are shown: a minified file is one line.
const LINE: usize = 400;

impl<'a> Page<'a> {
    pub(super) fn new(look: &'a Look, full: bool) -> Self {
        Self { text: String::new(), look, full, folded: false }
    }

    /// Ours, without anything of others in it.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        self.line("");
        let text = self.look.tinted("1", &printable(text));
        self.line(&text);
    }

    /// `name  value`, if there is a value.
    pub(super) fn field(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.line(&format!("{name:<10} {}", printable(value)));
        }
    }

    /// Something was left out that --full shows.
    pub(super) fn fold(&mut self) {
        self.folded = true;
    }

    /// A text of others, each line behind a margin, so that none can be taken for one of ours.
    pub(super) fn block(&mut self, margin: &str, text: &str, keep: Keep) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if self.full {
            text.split('\n').for_each(|line| self.margined(margin, line, usize::MAX));
            return;
        }
        let lines = text.split('\n').count();
        let left_out = lines.saturating_sub(keep.first + keep.last);
        // To say that one line was left out takes a line.
        if left_out <= 1 {
            text.split('\n').for_each(|line| self.margined(margin, line, LINE));
            return;
        }
        text.split('\n').take(keep.first).for_each(|line| self.margined(margin, line, LINE));
        self.fold();
        let note = self.look.tinted("90", &format!("… {} lines …", rows::number(left_out as u64)));
        self.line(&format!("{margin}{note}"));
        text.split('\n').skip(lines - keep.last).for_each(|line| self.margined(margin, line, LINE));
    }

    fn margined(&mut self, margin: &str, line: &str, most: usize) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let cut = line.char_indices().nth(most).map(|(at, _)| at);
        let shown = printable_lines(&line[..cut.unwrap_or(line.len())]).into_owned();
        match cut {
            Some(at) => {
                self.fold();
                let more = self.look.tinted("90", &format!("… {}", line::size((line.len() - at) as u64)));
                self.line(&format!("{margin}{shown}{more}"));
            }
            None => self.line(&format!("{margin}{shown}")),
        }
    }
}

/// The whole page.
pub(super) fn page(subject: &Subject, path: &str, detail: Detail, look: &Look) -> String {
    let mut page = Page::new(look, detail.full);
    head(&mut page, subject, path);
    timing::timing(&mut page, subject);
    match &subject.batch {
        Some(batch) => events::batch(&mut page, batch),
        None => {
            talk::prompt(&mut page, subject);
            talk::answer(&mut page, subject);
            events::became(&mut page, subject);
        }
    }
    if let Some(messages) = &subject.record.messages {
        talk::messages(&mut page, messages);
    }
    headers(&mut page, subject, detail.headers);
    if page.folded {
        page.line("");
        page.line("Shortened; --full shows all.");
    }
    page.text
}

fn head(page: &mut Page<'_>, subject: &Subject, path: &str) {
    let Subject { row, record, previous, .. } = subject;
    let title = page.look.tinted("1", &headline(row));
    page.line(&title);
    page.field("id", Some(&row.id));
    page.field("file", Some(path));
    if row.form == Form::Older {
        page.field("form", Some("of the older tool"));
    }
    page.field("time", Some(&page.look.time(row.began).format("%Y-%m-%d %H:%M:%S%.3f %:z").to_string()));
    page.field("user", Some(row.user.as_deref().unwrap_or("-")));
    page.field("tid", row.tid.as_deref());
    let from = [&row.client, &row.editor_version, &row.plugin].map(|value| value.as_deref().unwrap_or(""));
    page.field("client", Some(&from.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ")));
    page.field("machine", row.machine.as_deref());
    page.field("session", row.session.as_deref());
    page.field("request", Some(&format!("{} {}", record.method, record.url)));
    page.field("protocol", record.http_version.as_deref());
    page.field("model", told::model(row).as_deref());
    page.field("language", row.language.as_deref());
    page.field("purpose", told::purpose(subject).as_deref());
    page.field("turn", row.interaction.as_deref());
    match (previous, &row.previous_response_id) {
        (Some(previous), _) => page.field("goes on", Some(&format!("from {}", previous.id))),
        (None, Some(id)) => page.field("goes on", Some(&format!("from answer {id}, which is not among the records"))),
        (None, None) => {}
    }
    for next in &subject.next {
        page.field("goes on", Some(&format!("in {}", next.id)));
    }
    page.field(
        "sizes",
        Some(&format!(
            "request {}, response {}",
            told::body_size(&record.request_body),
            told::body_size(&record.response_body)
        )),
    );
    page.field("tokens", told::tokens(subject).as_deref());
    page.field(
        "noise",
        row.noise.and_then(|noise| serde_json::to_value(noise).ok()?.as_str().map(str::to_owned)).as_deref(),
    );
    page.field("error", row.error.as_deref());
    page.field("observed", row.problem.as_deref());
}

fn headers(page: &mut Page<'_>, subject: &Subject, shown: bool) {
    let record = &subject.record;
    if !shown {
        page.line("");
        let (asked, answered) = (record.request_headers.len(), record.response_headers.len());
        page.line(&format!("Headers: {asked} of the request, {answered} of the response; --headers shows them."));
        return;
    }
    for (title, fields) in
        [("Request headers", &record.request_headers), ("Response headers", &record.response_headers)]
    {
        page.heading(title);
        for (name, value) in fields {
            page.line(&format!("  {}: {}", printable(name), printable(value)));
        }
    }
}
