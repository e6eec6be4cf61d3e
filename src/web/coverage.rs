//! Coverage as a viewer may see it: for the page and the API alike.

use std::time::Duration;

use super::access::Viewer;
use super::{Problem, Site};
use crate::door::Entry;
use crate::review::coverage::{Coverage, Detail, Door, Finding, Gap, Seen, Span, Subject, Who, coverage};

/// What a viewer waits for sums before being told that they are being made, or shown those of before.
const PATIENCE: Duration = Duration::from_millis(700);

/// What was seen and what was not, of whom the viewer may see figures, under the names that the viewer may see.
pub(in crate::web) async fn shown(site: &Site, viewer: &Viewer, span: Span) -> Result<Coverage, Problem> {
    let seen = seen(site, span).await?;
    let site = site.clone();
    let viewer = viewer.clone();
    let join = move || {
        let door = Door::of(site.recording().map(|recording| &recording.door), site.logs());
        let all = coverage(&seen.sightings, seen.since, seen.newest, &door);
        restricted(all, &viewer, &site)
    };
    tokio::task::spawn_blocking(join).await.map_err(|_| Problem::Failed("The sums could not be made.".to_owned()))
}

/// The sums, new ones if they can be had soon.
async fn seen(site: &Site, span: Span) -> Result<std::sync::Arc<Seen>, Problem> {
    let (kept, turn) = site.coverage().kept(span);
    let Some(turn) = turn else { return kept.ok_or(Problem::Counting) };
    let asking = site.clone();
    // Goes on when nobody waits for it any more, so that the next to ask finds it.
    let counting = tokio::spawn(async move { asking.ask(move |index| turn.count(index)).await });
    match (tokio::time::timeout(PATIENCE, counting).await, kept) {
        (Ok(Ok(Ok(seen))), _) => Ok(seen),
        (_, Some(kept)) => Ok(kept),
        (Ok(Ok(Err(problem))), None) => Err(problem),
        (Ok(Err(_)), None) => Err(Problem::Failed("The records could not be counted.".to_owned())),
        (Err(_), None) => Err(Problem::Counting),
    }
}

fn restricted(mut all: Coverage, viewer: &Viewer, site: &Site) -> Coverage {
    if let Some(own) = viewer.rights.figures_only_of() {
        all = all.only(own);
        // How many others there are is theirs.
        all.left_out = 0;
    }
    if !viewer.rights.sees_all_contents() {
        // It says where the folder is.
        all.door_problem = all.door_problem.map(|_| "The door book cannot be read".to_owned());
    }
    if viewer.rights.has_pseudonyms() {
        let pseudonyms = site.access().pseudonyms();
        for subject in &mut all.subjects {
            // Addresses tell people as names do, and so may the hosts that somebody goes to.
            subject.addresses.clear();
            let own = viewer.rights.own_name().is_some_and(|own| subject.who == Who::User(own.to_owned()));
            if !own {
                hide_places(subject);
            }
            subject.who = match &subject.who {
                Who::User(name) => Who::User(viewer.rights.shown_name(name, pseudonyms).into_owned()),
                Who::Tid(_) => Who::Tid(pseudonyms.of(&subject.who.label())),
                Who::Address(address) => Who::Address(pseudonyms.of(address)),
                Who::Nobody => Who::Nobody,
            };
        }
        // Their order was that of their names.
        all.subjects.sort_by_cached_key(|subject| {
            let gravest = subject.findings.first().map(|finding| finding.weight);
            (gravest.is_none(), gravest, subject.who.clone())
        });
    }
    all
}

/// Leaves how often something happened, and not where: the hosts of all that a person does beside Copilot are in it, and
/// paths with names.
fn hide_places(subject: &mut Subject) {
    let mut sums: Vec<Entry> = Vec::new();
    for entry in subject.door.drain(..) {
        match sums.iter_mut().find(|sum| sum.what == entry.what) {
            Some(sum) => {
                sum.count = sum.count.saturating_add(entry.count);
                sum.first = sum.first.min(entry.first);
                sum.last = sum.last.max(entry.last);
            }
            None => sums.push(Entry { host: Box::default(), detail: Box::default(), ..entry }),
        }
    }
    subject.door = sums;
    let with_places =
        |finding: &&mut Finding| matches!(finding.gap, Gap::Refused | Gap::Unreachable | Gap::UnknownEndpoints);
    for finding in subject.findings.iter_mut().filter(with_places) {
        let details = &finding.details;
        let count = details.iter().fold(0_u64, |sum, detail| sum.saturating_add(detail.count));
        let last = details.iter().map(|detail| detail.last).max().unwrap_or_default();
        let places = details.len() + std::mem::take(&mut finding.more);
        let text = format!("{places} different, shown to reviewers");
        finding.details = vec![Detail { text, count, last }];
    }
}
