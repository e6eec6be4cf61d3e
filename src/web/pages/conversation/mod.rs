//! One chat or agent run, put together over many requests.

mod outline;
mod parts;
mod turns;

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::ops::Range;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use chrono::FixedOffset;
use maud::{Markup, html};

use super::exchange::find;
use super::frame::{Frame, page};
use super::{exchanges, one};
use crate::index::Row;
use crate::review::amounts::{millis, number};
use crate::review::conversation::{Candidates, Contents, Conversation, EXCHANGES_MAX, Totals, Unread};
use crate::review::query::pairs;
use crate::review::text::printable;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// Requests on one page: more than anybody reads at once.
const PAGE: usize = 40;

/// The page.
pub(super) async fn conversation(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let wanted = Wanted::of_query(query.as_deref().unwrap_or_default())?;
    let row = find::one(&site, &viewer, &id).await?;
    let _turn = one::turn().await?;
    let asked = row.clone();
    let candidates = site.ask(move |index| Candidates::ask(index, &asked)).await?;
    let logs = site.logs().to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let found = candidates.read(&logs);
        let shown = wanted.shown(&found)?;
        let contents = found.turns.get(shown.clone()).unwrap_or_default().iter().map(|turn| turn.contents(&logs));
        let contents: Vec<_> = contents.collect();
        Ok::<_, Problem>(View { found, shown, contents, wanted })
    });
    let view = read.await.map_err(|_| one::stopped())??;
    if view.found.turns.get(view.found.asked).and_then(|turn| turn.unread.as_ref()).is_some_and(|unread| unread.gone) {
        return Err(one::gone(&row));
    }
    site.look(&viewer, "conversation", &view.seen(), None).await?;
    let title = view.title();
    let frame = Frame { area: Some(Area::Exchanges), ..Frame::new(&title) };
    Ok(page(&site, Some(&viewer), &frame, &view.body()))
}

/// What the address asks for beside the exchange.
#[derive(Clone, Debug)]
struct Wanted {
    /// From 1; none is the page with the exchange.
    page: Option<usize>,
    /// The list that the reader comes from, which goes along.
    list: exchanges::Wanted,
    /// Its clock.
    zone: FixedOffset,
}

impl Wanted {
    fn of_query(text: &str) -> Result<Self, Problem> {
        let number = |text: &str| text.parse().ok().filter(|page| *page > 0);
        let page = pairs(text)
            .into_iter()
            .rfind(|(name, _)| name == "page")
            .map(|(_, value)| number(&value).ok_or_else(|| Problem::Bad("Pages are numbers from 1 on.".to_owned())));
        let page = page.transpose()?;
        // Nothing is filtered here: what the list was filtered by is only carried on.
        let list = exchanges::Wanted::of_query(text);
        let zone = list.clock().map_err(one::wrong)?;
        Ok(Self { page, list, zone })
    }

    fn shown(&self, found: &Conversation) -> Result<Range<usize>, Problem> {
        let page = self.page.map_or(found.asked / PAGE, |page| page - 1);
        let first = page.saturating_mul(PAGE);
        if first >= found.turns.len() && page > 0 {
            return Err(Problem::NotFound("The conversation has no such page.".to_owned()));
        }
        Ok(first..found.turns.len().min(first + PAGE))
    }
}

/// All that is shown.
struct View {
    found: Conversation,
    shown: Range<usize>,
    /// Of those that are shown.
    contents: Vec<Result<Contents, Unread>>,
    wanted: Wanted,
}

impl View {
    /// Records of which something is shown: the outline has the beginning of what persons said.
    fn seen(&self) -> Vec<Row> {
        let turns = self.found.turns.iter().enumerate();
        let seen = turns.filter(|(at, turn)| self.shown.contains(at) || !turn.title.is_empty());
        seen.map(|(_, turn)| turn.row.clone()).collect()
    }

    fn title(&self) -> String {
        match self.found.turns.first().and_then(|turn| turn.row.user.as_deref()) {
            Some(user) => format!("Conversation of {}", printable(user)),
            None => "Conversation".to_owned(),
        }
    }

    fn body(&self) -> Markup {
        html! {
            @if let Some(turn) = self.found.turns.get(self.found.asked) { (one::way_back(&turn.row, &self.wanted.list)) }
            h1 { (self.title()) }
            (self.about())
            (totals(&self.found.totals()))
            @if self.found.capped {
                p.note.warn {
                    "There is more than this, or may be: at most " (EXCHANGES_MAX) " requests around the one that was "
                    "opened are put together."
                }
            }
            div.conversation {
                (outline::outline(self))
                div.turns {
                    (self.pages("Pages, above"))
                    (turns::turns(self))
                    (self.pages("Pages, below"))
                }
            }
        }
    }

    fn about(&self) -> Markup {
        let rows = || self.found.turns.iter().map(|turn| &turn.row);
        let mut models: Vec<_> =
            rows().filter_map(|row| row.model_answered.as_deref().or(row.model.as_deref())).map(printable).collect();
        models.sort();
        models.dedup();
        let editor = rows().find_map(|row| row.editor_version.as_deref().or(row.editor.as_deref()));
        html! {
            p.muted {
                @if let (Some(first), Some(last)) = (rows().next(), rows().next_back()) {
                    (one::time(first.began, self.wanted.zone)) " to " (one::time(last.began, self.wanted.zone)) " " (one::clock(self.wanted.zone))
                }
                @if let Some(editor) = editor { " · " (printable(editor)) }
                @for model in &models { " · " (model) }
            }
        }
    }

    /// The address of another page of this conversation.
    fn address(&self, page: usize) -> String {
        let id = self.found.turns.get(self.found.asked).map_or("", |turn| turn.row.id.as_str());
        self.wanted.list.conversation_page(id, page)
    }

    fn pages(&self, label: &str) -> Markup {
        let last = self.found.turns.len().div_ceil(PAGE);
        let now = self.shown.start / PAGE + 1;
        html! {
            @if last > 1 {
                nav.bar aria-label=(label) {
                    span.muted { "Requests " (self.shown.start + 1) " to " (self.shown.end) " of " (self.found.turns.len()) }
                    @if now > 1 { a rel="prev" href=(self.address(now - 1)) { "Earlier" } }
                    @if now < last { a rel="next" href=(self.address(now + 1)) { "Later" } }
                }
            }
        }
    }
}

fn totals(totals: &Totals) -> Markup {
    let sum = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), number);
    let requests = totals.by_person + totals.by_client;
    // What some requests do not tell is missing in the sum.
    let tokens = |what: &str, known: u64| match known {
        known if known < requests => format!("{what}, as {} of {} requests tell", number(known), number(requests)),
        _ => what.to_owned(),
    };
    let several = |count: u64, one: &str, more: &str| if count == 1 { one.to_owned() } else { more.to_owned() };
    let cards = [
        (number(totals.by_person), several(totals.by_person, "turn of a person", "turns of a person")),
        (number(totals.by_client), several(totals.by_client, "follow-up of the client", "follow-ups of the client")),
        (sum(totals.tokens_in), tokens("tokens of prompts", totals.tokens_known)),
        (sum(totals.tokens_out), tokens("tokens of answers", totals.tokens_known)),
        (busy(totals), "of requests, added up".to_owned()),
        (millis(totals.span_ms), "from beginning to end".to_owned()),
    ];
    html! {
        div.cards {
            @for (value, label) in &cards { div.card { p.value { (value) } p.label { (label) } } }
        }
    }
}

/// Milliseconds of requests; `?` where none is known.
fn busy(totals: &Totals) -> String {
    totals.busy_ms.map_or_else(|| "?".to_owned(), millis)
}
