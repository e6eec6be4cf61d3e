//! The index and the door book put together, by person.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::findings::{self, Circumstances};
use super::{Client, Coverage, Door, KindSeen, Subject, Who};
use crate::door::{Contents, Entry, Pair, What};
use crate::index::{Endpoint, Sighting, Sightings, Spoken};
use crate::rules::Kind;

/// Joins what was seen since then (microseconds since 1970) with what is known of the door.
#[must_use]
pub fn coverage(seen: &Sightings, since: Option<i64>, newest: Option<i64>, door: &Door) -> Coverage {
    let mut people = People::of(seen);
    for sighting in &seen.clients {
        people.add(sighting);
    }
    for spoken in &seen.events {
        let who = people.owners.of_event(spoken.user.as_deref(), spoken.tid.as_deref(), None);
        people.draft(who).events.push(spoken);
    }
    for endpoint in &seen.endpoints {
        let who = people.owners.of_exchange(endpoint.user.as_deref(), endpoint.tid.as_deref(), None);
        people.draft(who).endpoints.push(endpoint);
    }
    if let Some(contents) = door.contents() {
        people.add_door(contents, since.unwrap_or(i64::MIN));
    }
    let door_since = door.contents().map(|contents| contents.begun);
    // Of what was before the book nothing can be concluded from its silence.
    let oldest = seen.clients.iter().map(|sighting| sighting.first).min();
    let door_covers = door_since.is_some_and(|begun| since.max(oldest).is_some_and(|first| begun <= first));
    let circumstances = Circumstances { door_since, door_covers };
    let mut subjects: Vec<_> =
        people.drafts.into_iter().map(|(who, draft)| draft.finish(who, &circumstances)).collect();
    subjects.sort_by_cached_key(|subject| {
        let gravest = subject.findings.iter().map(|finding| finding.weight).min();
        (gravest.is_none(), gravest, subject.who.clone())
    });
    let dropped = door.contents().map_or(0, |contents| contents.dropped);
    Coverage {
        since,
        newest,
        door_since,
        door_problem: match door {
            Door::Damaged(why) => Some(why.clone()),
            Door::Known(_) | Door::Missing => None,
        },
        subjects,
        left_out: seen.left_out.saturating_add(dropped),
    }
}

/// Subjects in the making.
struct People<'s> {
    owners: Owners<'s>,
    drafts: BTreeMap<Who, Draft<'s>>,
    /// Who was seen at an address, through a tunnel of their own.
    at: HashMap<IpAddr, BTreeSet<Who>>,
}

/// Which `tid` belongs to which users, in the alphabet's order: persons as figures have them (docs/figures.md).
struct Owners<'s>(HashMap<&'s str, Vec<&'s str>>);

#[derive(Default)]
pub(super) struct Draft<'s> {
    pub(super) clients: BTreeMap<(Option<&'s str>, Option<&'s str>), Client>,
    addresses: BTreeSet<IpAddr>,
    pub(super) events: Vec<&'s Spoken>,
    pub(super) endpoints: Vec<&'s Endpoint>,
    door: BTreeMap<(What, Box<str>, Box<str>), Entry>,
}

impl<'s> People<'s> {
    fn of(seen: &'s Sightings) -> Self {
        let mut owners: HashMap<&str, Vec<&str>> = HashMap::new();
        for (tid, user) in &seen.owners {
            owners.entry(tid).or_default().push(user);
        }
        Self { owners: Owners(owners), drafts: BTreeMap::new(), at: HashMap::new() }
    }

    fn draft(&mut self, who: Who) -> &mut Draft<'s> {
        self.drafts.entry(who).or_default()
    }

    fn add(&mut self, sighting: &'s Sighting) {
        let (user, tid, client) = (sighting.user.as_deref(), sighting.tid.as_deref(), sighting.client.as_deref());
        let is_telemetry = sighting.kind == Kind::Telemetry;
        let who = match is_telemetry {
            true => self.owners.of_event(user, tid, client),
            false => self.owners.of_exchange(user, tid, client),
        };
        // A batch of telemetry may come through the tunnel of another.
        if let Some(address) = client.and_then(|text| text.parse::<IpAddr>().ok()).filter(|_| !is_telemetry) {
            if !matches!(who, Who::Address(_) | Who::Nobody) {
                self.at.entry(address).or_default().insert(who.clone());
            }
            self.draft(who.clone()).addresses.insert(address);
        }
        let version = sighting.editor_version.as_deref().or(sighting.editor.as_deref());
        let client = self.draft(who).clients.entry((version, sighting.plugin.as_deref())).or_insert_with(|| Client {
            editor: version.map(str::to_owned),
            plugin: sighting.plugin.clone(),
            first: sighting.first,
            last: sighting.last,
            hint: version.and_then(findings::hint),
            ..Client::default()
        });
        client.take(sighting);
    }

    /// A pair without a user is whoever was seen at its address, if that is one person.
    fn add_door(&mut self, contents: &Contents, since: i64) {
        for pair in &contents.pairs {
            let Pair { user, client, entries, .. } = &**pair;
            let only = self.at.get(client).filter(|there| there.len() == 1).and_then(|there| there.first());
            let there = match (user, only) {
                (Some(user), _) => Who::User(user.to_string()),
                (None, Some(only)) => only.clone(),
                (None, None) => Who::Address(client.to_string()),
            };
            for entry in entries.iter().filter(|entry| entry.last >= since) {
                let who = match entry.what {
                    What::LoginFailed if !entry.detail.is_empty() => Who::User(entry.detail.to_string()),
                    _ => there.clone(),
                };
                let draft = self.draft(who);
                draft.addresses.insert(*client);
                let key = (entry.what, entry.host.clone(), entry.detail.clone());
                let sum = draft.door.entry(key).or_insert_with(|| Entry { count: 0, ..entry.clone() });
                sum.count = sum.count.saturating_add(entry.count);
                (sum.first, sum.last) = (sum.first.min(entry.first), sum.last.max(entry.last));
            }
        }
    }
}

impl Owners<'_> {
    fn of_exchange(&self, user: Option<&str>, tid: Option<&str>, client: Option<&str>) -> Who {
        who(user.or_else(|| self.owner(user, tid)), tid, client)
    }

    /// Of an event its own `tid` comes first.
    fn of_event(&self, user: Option<&str>, tid: Option<&str>, client: Option<&str>) -> Who {
        who(self.owner(user, tid).or(user), tid, client)
    }

    fn owner(&self, user: Option<&str>, tid: Option<&str>) -> Option<&str> {
        let owners = self.0.get(tid?)?;
        owners.iter().find(|owner| Some(**owner) == user).or_else(|| owners.first()).copied()
    }
}

fn who(user: Option<&str>, tid: Option<&str>, client: Option<&str>) -> Who {
    match (user, tid, client) {
        (Some(user), ..) => Who::User(user.to_owned()),
        (None, Some(tid), _) => Who::Tid(tid.to_owned()),
        (None, None, Some(client)) => Who::Address(client.to_owned()),
        (None, None, None) => Who::Nobody,
    }
}

impl Client {
    fn take(&mut self, sighting: &Sighting) {
        (self.first, self.last) = (self.first.min(sighting.first), self.last.max(sighting.last));
        match self.kinds.iter_mut().find(|seen| seen.kind == sighting.kind) {
            Some(seen) => {
                seen.count = seen.count.saturating_add(sighting.count);
                seen.last = seen.last.max(sighting.last);
            }
            None => {
                self.kinds.push(KindSeen { kind: sighting.kind, count: sighting.count, last: sighting.last });
                self.kinds.sort_unstable_by_key(|seen| seen.kind);
            }
        }
    }

    fn name(&self) -> Option<&str> {
        self.editor.as_deref().map(|editor| editor.split('/').next().unwrap_or(editor))
    }
}

impl Draft<'_> {
    fn finish(self, who: Who, circumstances: &Circumstances) -> Subject {
        let events = self.events.iter().map(|spoken| (spoken.count, spoken.last));
        let events = events.reduce(|(count, last), (more, later)| (count.saturating_add(more), last.max(later)));
        let mut subject = Subject {
            who,
            clients: one_for_each_editor(self.clients.into_values().collect()),
            addresses: self.addresses,
            events,
            door: self.door.into_values().collect(),
            findings: Vec::new(),
        };
        subject.findings = findings::of(&subject, &self.events, &self.endpoints, circumstances);
        subject
    }
}

/// Telemetry says which editor, and not which version: it belongs to the latest that does.
fn one_for_each_editor(clients: Vec<Client>) -> Vec<Client> {
    let (mut whole, bare): (Vec<_>, Vec<_>) =
        clients.into_iter().partition(|client| client.editor.as_deref().is_some_and(|editor| editor.contains('/')));
    whole.sort_by_key(|client| std::cmp::Reverse(client.last));
    for client in bare {
        let Client { kinds, first, last, .. } = &client;
        match whole.iter_mut().find(|known| known.name().is_some() && known.name() == client.name()) {
            Some(known) if client.plugin.is_none() => {
                (known.first, known.last) = (known.first.min(*first), known.last.max(*last));
                for KindSeen { kind, count, last } in kinds {
                    known.take(&Sighting {
                        user: None,
                        tid: None,
                        client: None,
                        editor: None,
                        editor_version: None,
                        plugin: None,
                        kind: *kind,
                        count: *count,
                        first: *first,
                        last: *last,
                    });
                }
            }
            _ => whole.push(client),
        }
    }
    whole.sort_by_key(|client| std::cmp::Reverse(client.last));
    whole
}
