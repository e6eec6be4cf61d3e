//! The columns of the table.

use maud::{Markup, html};

use crate::index::{Initiator, Row};
use crate::review::amounts::{millis, size};
use crate::review::row::{Outcome, about, amounts, flags, outcome};
use crate::review::text::printable;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Column {
    Kind,
    Status,
    User,
    Editor,
    About,
    Language,
    Model,
    Total,
    FirstToken,
    Amounts,
    Sizes,
    Host,
    Path,
    Client,
    Initiator,
    Session,
    Notes,
}

/// Each column with its name in the URL and its heading, in the order of the table.
const ALL: [(Column, &str, &str); 17] = [
    (Column::Kind, "kind", "Kind"),
    (Column::Status, "status", "Status"),
    (Column::User, "user", "User"),
    (Column::Editor, "editor", "Editor"),
    (Column::About, "about", "Language or model"),
    (Column::Language, "language", "Language"),
    (Column::Model, "model", "Model"),
    (Column::Total, "total", "Total"),
    (Column::FirstToken, "first-token", "First token"),
    (Column::Amounts, "amounts", "Tokens or size"),
    (Column::Sizes, "sizes", "Sizes"),
    (Column::Host, "host", "Host"),
    (Column::Path, "path", "Path"),
    (Column::Client, "client", "Client"),
    (Column::Initiator, "initiator", "Asked by"),
    (Column::Session, "session", "Session"),
    (Column::Notes, "notes", "Notes"),
];

impl Column {
    /// As the command line has them.
    pub(in crate::web) const USUAL: [Self; 8] =
        [Self::Kind, Self::Status, Self::User, Self::Editor, Self::About, Self::Total, Self::Amounts, Self::Notes];

    /// All there are.
    pub(in crate::web) fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(column, ..)| *column)
    }

    /// The column of this name.
    ///
    /// # Errors
    /// When there is none: the sentence names those there are.
    pub(in crate::web) fn of(key: &str) -> Result<Self, String> {
        let found = ALL.iter().find(|(_, known, _)| *known == key).map(|(column, ..)| *column);
        found.ok_or_else(|| {
            let all: Vec<_> = ALL.iter().map(|(_, key, _)| *key).collect();
            format!("there are {}", all.join(", "))
        })
    }

    fn entry(self) -> (&'static str, &'static str) {
        let found = ALL.iter().find(|(column, ..)| *column == self);
        found.map_or(("", ""), |(_, key, heading)| (key, heading))
    }

    /// Its name in the URL.
    pub(in crate::web) fn key(self) -> &'static str {
        self.entry().0
    }

    /// Its heading.
    pub(in crate::web) fn heading(self) -> &'static str {
        self.entry().1
    }

    /// Whether it has numbers, which stand on the right.
    pub(in crate::web) fn is_number(self) -> bool {
        matches!(self, Self::Total | Self::FirstToken | Self::Amounts | Self::Sizes)
    }

    /// What a row has in it.
    pub(in crate::web) fn cell(self, row: &Row) -> Markup {
        match self {
            Self::Kind => html! { (row.kind.as_str()) },
            Self::Status => status(row),
            Self::User => text(row.user.as_deref()),
            Self::Editor => text(row.editor_version.as_deref().or(row.editor.as_deref())),
            Self::About => text(about(row)),
            Self::Language => text(row.language.as_deref()),
            Self::Model => text(row.model_answered.as_deref().or(row.model.as_deref())),
            Self::Total => time(row.total_ms),
            Self::FirstToken => time(row.first_token_ms),
            Self::Amounts => html! { (amounts(row)) },
            Self::Sizes => html! { (size(row.request_size)) " ↑ " (size(row.response_size)) " ↓" },
            Self::Host => text(Some(&row.host)),
            Self::Path => text(Some(&row.path)),
            Self::Client => text(row.client.as_deref()),
            Self::Initiator => text(row.initiator.map(|by| match by {
                Initiator::User => "user",
                Initiator::Agent => "agent",
            })),
            Self::Session => text(row.session.as_deref()),
            Self::Notes => html! { @for flag in flags(row) { span.tag { (flag) } " " } },
        }
    }
}

fn status(row: &Row) -> Markup {
    let tint = match outcome(row) {
        Outcome::Fine => None,
        Outcome::Cancelled => Some("tag warn"),
        Outcome::Failed => Some("tag bad"),
    };
    html! { span class=[tint] { @match row.status { Some(status) => (status), None => "none" } } }
}

fn time(value: Option<f64>) -> Markup {
    html! { @match value { Some(value) => (millis(value)), None => "-" } }
}

fn text(value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => (printable(value)), None => "-" } }
}
