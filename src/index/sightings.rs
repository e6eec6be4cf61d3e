//! Who was seen with what, in sums: one pass over the table, whatever its length.

use std::collections::hash_map::Entry;
use std::hash::BuildHasher;

use foldhash::{HashMap, HashSet};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::columns::Reader;
use super::{Index, IndexError};
use crate::rules::Kind;

/// What was seen in a span of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sightings {
    /// Exchanges, by who and what.
    pub clients: Vec<Sighting>,
    /// Exchanges of the kind `other`, by where they went.
    pub endpoints: Vec<Endpoint>,
    /// Telemetry events, by whom they are of.
    pub events: Vec<Spoken>,
    /// Which `tid` was seen with which user, at any time; sorted.
    pub owners: Vec<(String, String)>,
    /// Exchanges that are in no sum, because there are too many different ones.
    pub left_out: u64,
}

/// Exchanges that have all this in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// As in [`super::Row`].
    pub user: Option<String>,
    /// As in [`super::Row`].
    pub tid: Option<String>,
    /// As in [`super::Row`].
    pub client: Option<String>,
    /// As in [`super::Row`].
    pub editor: Option<String>,
    /// As in [`super::Row`].
    pub editor_version: Option<String>,
    /// As in [`super::Row`].
    pub plugin: Option<String>,
    /// As in [`super::Row`].
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// The first began, microseconds since 1970.
    pub first: i64,
    /// The last began, microseconds since 1970.
    pub last: i64,
}

/// Exchanges of the kind `other` to one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// As in [`super::Row`].
    pub user: Option<String>,
    /// As in [`super::Row`].
    pub tid: Option<String>,
    /// As in [`super::Row`].
    pub host: String,
    /// The path, with `{id}` for what looks like an id.
    pub path: String,
    /// How many.
    pub count: u64,
    /// The last began, microseconds since 1970.
    pub last: i64,
}

/// Telemetry events of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// As in [`super::EventRow`].
    pub user: Option<String>,
    /// As in [`super::EventRow`].
    pub tid: Option<String>,
    /// How many.
    pub count: u64,
    /// The last, microseconds since 1970.
    pub last: i64,
    /// Requests for ghost text that they name.
    pub requests: u64,
    /// Of those, requests of which there is no exchange; none: there are too many to tell.
    pub unknown: Option<u64>,
}

impl Index {
    /// What was seen since then (microseconds since 1970), or ever. Reads all of it: not for every page.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn sightings(&self, since: Option<i64>) -> std::result::Result<Sightings, IndexError> {
        let since = since.unwrap_or(i64::MIN);
        self.ask(|index| {
            let mut pass = Pass { most_ids: IDS_MAX, ..Pass::default() };
            pass.exchanges(index, since)?;
            pass.events(index, since)?;
            Ok(Sightings { owners: owners(index)?, ..pass.sums() })
        })
    }
}

/// Sums that grow while rows are read. Keys are the texts, one behind the other.
#[derive(Default)]
struct Pass {
    clients: HashMap<String, Sighting>,
    endpoints: HashMap<String, Endpoint>,
    events: HashMap<String, Spoken>,
    left_out: u64,
    /// Digests of the ids of requests that were recorded.
    ids: HashSet<u64>,
    most_ids: usize,
    hash: foldhash::fast::RandomState,
}

/// Different clients, and different places: more than a page could show, but for who makes names up.
const GROUPS_MAX: usize = 20_000;
/// 100 MB at the most.
const IDS_MAX: usize = 5_000_000;
/// An answer is shown from the client's cache some time after its request: so much longer requests are known.
const CACHED: i64 = 86_400_000_000;

const EXCHANGES: &str = "SELECT began, kind, user, tid, client, editor, editor_version, plugin, request_id, host, path
    FROM exchanges WHERE began >= ?";
const EVENTS: &str = "SELECT time, user, tid, name GLOB 'ghostText.*', request_id FROM events
    WHERE is_first AND time >= ?";
const OWNERS: &str = "SELECT DISTINCT tid, user FROM exchanges
    WHERE tid IS NOT NULL AND user IS NOT NULL AND kind <> 'telemetry' ORDER BY tid, user LIMIT 20000";

impl Pass {
    fn exchanges(&mut self, index: &Connection, since: i64) -> Result<()> {
        let mut statement = index.prepare_cached(EXCHANGES)?;
        let mut rows = statement.query([since.saturating_sub(CACHED)])?;
        let mut key = String::new();
        while let Some(row) = rows.next()? {
            let mut next = Reader::new(row);
            let began = next.integer()?.unwrap_or_default();
            let kind = next.kind()?;
            let texts = [next.text()?, next.text()?, next.text()?, next.text()?, next.text()?, next.text()?];
            if let Some(id) = self.id_of(row.get_ref(8)?)
                && self.ids.len() <= self.most_ids
            {
                self.ids.insert(id);
            }
            if began < since {
                continue;
            }
            key_of(&mut key, texts.into_iter().chain([Some(kind.as_str())]));
            self.client(&key, kind, began, texts);
            if kind == Kind::Other {
                let mut next = Reader::new(row);
                let place = next.skip(9).name()?;
                let path = plain_path(next.name()?);
                self.endpoint(&mut key, began, [texts[0], texts[1]], place, &path);
            }
        }
        Ok(())
    }

    fn client(&mut self, key: &str, kind: Kind, began: i64, texts: [Option<&str>; 6]) {
        if let Some(known) = self.clients.get_mut(key) {
            known.count += 1;
            (known.first, known.last) = (known.first.min(began), known.last.max(began));
        } else if self.clients.len() < GROUPS_MAX {
            let [user, tid, client, editor, editor_version, plugin] = texts.map(|text| text.map(str::to_owned));
            let new = Sighting {
                user,
                tid,
                client,
                editor,
                editor_version,
                plugin,
                kind,
                count: 1,
                first: began,
                last: began,
            };
            self.clients.insert(key.to_owned(), new);
        } else {
            self.left_out += 1;
        }
    }

    fn endpoint(&mut self, key: &mut String, began: i64, [user, tid]: [Option<&str>; 2], host: &str, path: &str) {
        key_of(key, [user, tid, Some(host), Some(path)].into_iter());
        if let Some(known) = self.endpoints.get_mut(&**key) {
            known.count += 1;
            known.last = known.last.max(began);
        } else if self.endpoints.len() < GROUPS_MAX {
            let [user, tid] = [user, tid].map(|text| text.map(str::to_owned));
            let new = Endpoint { user, tid, host: host.to_owned(), path: path.to_owned(), count: 1, last: began };
            self.endpoints.insert(key.clone(), new);
        }
    }

    fn events(&mut self, index: &Connection, since: i64) -> Result<()> {
        let mut statement = index.prepare_cached(EVENTS)?;
        let mut rows = statement.query([since])?;
        let mut key = String::new();
        let mut seen = HashSet::default();
        while let Some(row) = rows.next()? {
            let mut next = Reader::new(row);
            let time = next.integer()?.unwrap_or_default();
            let [user, tid] = [next.text()?, next.text()?];
            let is_ghost_text = next.truth()?.unwrap_or_default();
            let id = if is_ghost_text { self.id_of(row.get_ref(4)?) } else { None };
            key_of(&mut key, [user, tid].into_iter());
            let full = self.events.len() >= GROUPS_MAX;
            let can_tell = self.ids.len() <= self.most_ids && seen.len() <= self.most_ids;
            let spoken = match self.events.entry(key.clone()) {
                Entry::Vacant(_) if full => continue,
                Entry::Vacant(place) => place.insert(Spoken {
                    user: user.map(str::to_owned),
                    tid: tid.map(str::to_owned),
                    count: 0,
                    last: time,
                    requests: 0,
                    unknown: Some(0),
                }),
                Entry::Occupied(known) => known.into_mut(),
            };
            spoken.count += 1;
            spoken.last = spoken.last.max(time);
            match id {
                Some(id) if can_tell && seen.insert(id) => {
                    spoken.requests += 1;
                    if let Some(unknown) = &mut spoken.unknown
                        && !self.ids.contains(&id)
                    {
                        *unknown += 1;
                    }
                }
                Some(_) if !can_tell => spoken.unknown = None,
                _ => {}
            }
        }
        Ok(())
    }

    fn id_of(&self, value: ValueRef<'_>) -> Option<u64> {
        match value {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(self.hash.hash_one(bytes)),
            _ => None,
        }
    }

    fn sums(self) -> Sightings {
        Sightings {
            clients: sorted(self.clients),
            endpoints: sorted(self.endpoints),
            events: sorted(self.events),
            owners: Vec::new(),
            left_out: self.left_out,
        }
    }
}

fn owners(index: &Connection) -> Result<Vec<(String, String)>> {
    index.prepare_cached(OWNERS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// In an order that does not depend on that of the rows.
fn sorted<T>(groups: HashMap<String, T>) -> Vec<T> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    groups.into_iter().map(|(_, group)| group).collect()
}

fn key_of<'t>(key: &mut String, texts: impl Iterator<Item = Option<&'t str>>) {
    key.clear();
    for text in texts {
        // Neither is in what a header can hold.
        key.push_str(text.unwrap_or("\u{1}"));
        key.push('\0');
    }
}

/// Paths that differ by an id alone are one endpoint. Cut: one is enough to be recognised by.
fn plain_path(path: &str) -> String {
    const SEGMENTS: usize = 12;
    const SEGMENT: usize = 80;
    let is_id = |segment: &str| {
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        let is_hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        digits > 0 && (digits == segment.len() || segment.len() >= 8 && is_hex || digits >= 8)
    };
    let plain = |segment: &str| match is_id(segment) {
        true => "{id}".to_owned(),
        false => segment.chars().take(SEGMENT).collect(),
    };
    path.split('/').take(SEGMENTS).map(plain).collect::<Vec<String>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_do_not_make_endpoints() {
        for (path, plain) in [
            ("/v1/engines/gpt-41-copilot/completions", "/v1/engines/gpt-41-copilot/completions"),
            ("/threads/0193a6d1-7a6e-7cc0-8000-000000000001/turns", "/threads/{id}/turns"),
            ("/repos/1234567/content_exclusion", "/repos/{id}/content_exclusion"),
            ("/v2/x/deadbeef00", "/v2/x/{id}"),
            ("/agents/feedback", "/agents/feedback"),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(plain_path(path), plain);
        }
        assert_eq!(plain_path(&format!("/{}", "a/".repeat(100))).matches('/').count(), 11);
        assert_eq!(plain_path(&format!("/{}", "ä".repeat(1000))).chars().count(), 81);
    }

    #[test]
    fn too_many_ids_are_said_to_be_unknown() {
        let logs = tempfile::tempdir().unwrap();
        let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
        let sums = index.ask(|index| {
            index.execute_batch(
                "INSERT INTO events(record, ordinal, is_first, time, name, tid, request_id, enhanced)
                 VALUES (x'00', 0, 1, 5, 'ghostText.shown', 't', 'a', 0),
                        (x'00', 1, 1, 6, 'ghostText.shown', 't', 'a', 0),
                        (x'00', 2, 1, 7, 'ghostText.shown', 't', 'b', 0),
                        (x'00', 3, 0, 8, 'ghostText.shown', 't', 'c', 0),
                        (x'00', 4, 1, 9, 'request.sent', 't', 'd', 0)",
            )?;
            let mut few = Pass { most_ids: 0, ..Pass::default() };
            few.events(index, 0)?;
            let mut enough = Pass { most_ids: 10, ..Pass::default() };
            enough.events(index, 0)?;
            Ok([few.sums(), enough.sums()])
        });
        let [few, enough] = sums.unwrap().map(|sums| sums.events);
        assert_eq!(few[0].unknown, None);
        let expected = Spoken { user: None, tid: Some("t".into()), count: 4, last: 9, requests: 2, unknown: Some(2) };
        assert_eq!(enough, [expected]);
    }
}
