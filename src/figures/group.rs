//! What a row stands for.

use std::cmp::Ordering;

use chrono::DateTime;

use super::names::{Name, Names};
use super::persons::Person;
use super::query::{By, Query};
use crate::rules::Kind;

/// The facts by which exchanges and suggestions are filtered and grouped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    pub(super) time: i64,
    pub(super) kind: Kind,
    pub(super) person: Person,
    pub(super) language: Option<Name>,
    pub(super) editor: Option<Name>,
    pub(super) model: Option<Name>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// Nothing is split.
    All,
    Person(Person),
    /// A language, an editor or a model.
    Name(Option<Name>),
    Kind(Kind),
    /// Counted from 1970.
    Day(i64),
    Hour(i64),
}

impl Traits {
    /// Its row where rows are split so.
    pub(super) fn group(&self, by: Option<By>, query: &Query) -> Group {
        match by {
            None => Group::All,
            Some(By::User) => Group::Person(self.person),
            Some(By::Language) => Group::Name(self.language),
            Some(By::Editor) => Group::Name(self.editor),
            Some(By::Model) => Group::Name(self.model),
            Some(By::Kind) => Group::Kind(self.kind),
            Some(By::Day) => Group::Day(query.day(self.time)),
            Some(By::Hour) => Group::Hour(query.hour(self.time)),
        }
    }

    /// Whether the query asks for it, its kind apart.
    pub(super) fn asked(&self, query: &Query, names: &Names) -> bool {
        let any = |list: &[String], name: Option<Name>| {
            let text = name.map_or("-", |name| names.text(name));
            list.is_empty() || list.iter().any(|wanted| wanted == text)
        };
        query.in_time(self.time)
            && any(&query.languages, self.language)
            && any(&query.editors, self.editor)
            && any(&query.models, self.model)
            && (query.users.is_empty() || query.users.contains(&self.person.label(names)))
    }
}

impl Group {
    pub(super) fn label(self, names: &Names) -> String {
        match self {
            Self::All => "total".to_owned(),
            Self::Person(person) => person.label(names),
            Self::Name(name) => name.map_or("-", |name| names.text(name)).to_owned(),
            Self::Kind(kind) => kind.as_str().to_owned(),
            Self::Day(day) => DateTime::from_timestamp(day.saturating_mul(86_400), 0)
                .map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d").to_string()),
            Self::Hour(hour) => format!("{hour:02}"),
        }
    }

    /// Days by time, the others by the letters of their labels, what nobody said at the end.
    pub(super) fn order(self, other: Self, names: &Names) -> Ordering {
        let key = |group: Self| match group {
            Self::Day(day) => (false, day, String::new(), None),
            Self::Person(Person::Tid(tid)) => (false, 0, group.label(names), Some(names.text(tid))),
            _ => {
                let label = group.label(names);
                (label == "-", 0, label, None)
            }
        };
        key(self).cmp(&key(other))
    }
}
