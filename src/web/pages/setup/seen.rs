//! What came to the proxy's door from the viewer's own address in the last hour, and what that says.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use crate::door::{Contents, Entry, Pair, What};
use crate::index::Sightings;
use crate::review::amounts::number;
use crate::review::coverage::{Door, Finding, Gap, Subject, coverage};
use crate::web::access::Viewer;
use crate::web::pages::coverage::gap;
use crate::web::pages::parts::moment;

/// What the page tells.
#[derive(Debug)]
pub(super) struct Seen {
    /// The viewer's address.
    from: IpAddr,
    /// Tunnels that were opened: what goes through them is recorded. Since the book was begun, if one came in the hour.
    opened: u64,
    /// Tunnels that were carried without being opened.
    not_opened: u64,
    /// The last of anything, microseconds since 1970.
    last: Option<i64>,
    /// In one sentence.
    verdict: &'static str,
    /// Nothing is missing, as far as can be seen.
    good: bool,
    findings: Vec<Finding>,
}

/// How long somebody tries.
const HOUR: i64 = 3_600_000_000;

impl Seen {
    pub(super) fn of(contents: &Contents, viewer: &Viewer) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::since(contents, viewer, i64::try_from(since.as_micros()).unwrap_or(i64::MAX).saturating_sub(HOUR))
    }

    fn since(contents: &Contents, viewer: &Viewer, since: i64) -> Self {
        // Behind one address may be many, of whom a viewer sees no more than is the viewer's own.
        let is_ours = |pair: &&Arc<Pair>| {
            pair.client == viewer.from
                && (viewer.name.is_none() || pair.user.is_none() || pair.user.as_deref() == viewer.name.as_deref())
        };
        let ours = contents.pairs.iter().filter(is_ours).map(|pair| Arc::new(without_names(pair)));
        let ours = Contents { pairs: ours.collect(), errors: Default::default(), ..contents.clone() };
        let found = coverage(&Sightings::default(), Some(since), None, &Door::Known(ours));
        let subject = found.subjects.into_iter().next();
        let count = |what| subject.as_ref().map_or(0, |subject| subject.door_count(what));
        let (opened, not_opened) = (count(What::Opened), count(What::Opaque));
        let used = opened.saturating_sub(count(What::Unused));
        let last = subject.as_ref().and_then(Subject::last);
        let mut findings = subject.map(|subject| subject.findings).unwrap_or_default();
        for finding in findings.iter_mut().filter(|finding| finding.gap == Gap::LoginFailed) {
            finding.details.iter_mut().for_each(|detail| detail.text = "wrong name or password".to_owned());
        }
        let verdict = match (used > 0, findings.is_empty(), last) {
            (true, true, _) => "Copilot's tunnels from your address are opened and used: it is set up.",
            (true, false, _) => "Some of Copilot's tunnels from your address work, and something is missing.",
            (false, false, _) => "Something came from your address, and something is missing.",
            (false, true, Some(_)) => {
                "Tunnels came from your address, and none of them to Copilot was used yet: ask Copilot for something."
            }
            (false, true, None) => {
                "Nothing came from your address in the last hour: the editor does not use this proxy yet, or it runs at another \
                 address (a remote, WSL, a container)."
            }
        };
        let good = used > 0 && findings.is_empty();
        Self { from: viewer.from, opened, not_opened, last, verdict, good, findings }
    }
}

/// Everything of one address is one subject then.
fn without_names(pair: &Pair) -> Pair {
    let entry = |entry: &Entry| match entry.what {
        What::LoginFailed => Entry { detail: "".into(), ..entry.clone() },
        _ => entry.clone(),
    };
    Pair { user: None, entries: pair.entries.iter().map(entry).collect(), ..*pair }
}

pub(super) fn section(seen: &Seen) -> Markup {
    html! {
        p { "What came to the proxy from " span.mono { (seen.from.to_string()) } ", from where this page was asked for, in the last hour. "
            a href="/setup#seen" data-check { "Look again" } }
        div #seen-now aria-live="polite" data-src="/setup/seen" { (now(seen)) }
    }
}

/// What changes while somebody tries: the script asks for it and puts it there.
pub(super) fn now(seen: &Seen) -> Markup {
    html! {
        p.note.(if seen.good { "good" } else { "warn" }) { (seen.verdict) }
        dl.facts {
            dt { "Opened" } dd { (number(seen.opened)) }
            dt { "Not opened" } dd { (number(seen.not_opened)) }
            dt { "Last" } dd { @match seen.last { Some(last) => { (moment(last)) " UTC" }, None => "-" } }
        }
        @for finding in &seen.findings { (gap(finding)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{Book, Event};

    const HOST: &str = "proxy.individual.githubcopilot.com";

    fn seen(viewer: &Viewer, book: &Book) -> Seen {
        Seen::since(&book.contents(), viewer, 0)
    }

    #[test]
    fn only_what_is_the_viewers_own_is_told() {
        let here: IpAddr = [192, 0, 2, 7].into();
        let mut viewer = Viewer::anybody(here);
        let book = Book::in_memory();
        let before = seen(&viewer, &book);
        assert!(!before.good && before.verdict.contains("Nothing came") && before.findings.is_empty());
        book.note(Some("bob"), here, &Event::Refused { host: "bobs.example.com", why: "no" });
        book.note(Some("ann"), [192, 0, 2, 8].into(), &Event::Opened { host: HOST });
        book.note(None, here, &Event::LoginFailed { user: Some("bob") });
        viewer.name = Some("ann".into());
        let told = now(&seen(&viewer, &book)).into_string();
        assert!(!told.contains("bob") && told.contains("Login failed"), "{told}");
        book.note(Some("ann"), here, &Event::Opened { host: HOST });
        let after = seen(&viewer, &book);
        assert_eq!((after.opened, after.findings.len()), (1, 1));
        assert!(!after.good || after.findings.is_empty());
    }

    #[test]
    fn a_client_that_works_and_one_that_does_not_trust_the_ca() {
        let viewer = Viewer::anybody([127, 0, 0, 1].into());
        let book = Book::in_memory();
        book.note(None, viewer.from, &Event::Untrusted { host: HOST, alert: "UnknownCA" });
        let distrusted = seen(&viewer, &book);
        assert!(!distrusted.good && distrusted.findings[0].title == "CA not trusted", "{distrusted:?}");
        let book = Book::in_memory();
        book.note(None, viewer.from, &Event::Opened { host: HOST });
        assert!(seen(&viewer, &book).good);
        book.note(None, viewer.from, &Event::Unused { host: HOST });
        assert!(!seen(&viewer, &book).good);
    }
}
