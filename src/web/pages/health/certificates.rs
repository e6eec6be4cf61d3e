//! The certificates that clients and browsers trust, and how long they still can.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::review::text::printable;
use crate::tls::{Authority, PageCertificate, Root};
use crate::web::Site;

/// A certificate as it is told of.
#[derive(Clone, Debug)]
pub(in crate::web) struct Certificate {
    /// What people call it.
    pub(in crate::web) name: &'static str,
    /// The distinguished name; it may be empty where there are names.
    pub(in crate::web) subject: String,
    /// The names and addresses that it is for; none of a CA's.
    pub(in crate::web) names: Vec<String>,
    /// SHA-256, as browsers show it.
    pub(in crate::web) sha256: String,
    pub(in crate::web) not_after: DateTime<Utc>,
    /// Whole days until then; below 0 where it has expired.
    pub(in crate::web) days_left: i64,
    not_before: DateTime<Utc>,
    /// With fewer days left it is to be renewed.
    soon: i64,
    /// How.
    remedy: &'static str,
}

/// A CA is to be renewed in time: clients must be told.
const SOON: i64 = 30;

/// All of them, and what is wrong with files of the page's that are not taken up. Looks at files, so it may block.
pub(super) fn all(site: &Site, now: i64) -> (Vec<Certificate>, Option<String>) {
    let mut all = Vec::new();
    if let Some(recording) = site.recording() {
        all.extend(cas(&recording.authority).into_iter().map(|(name, root)| Certificate::of_ca(name, root, now)));
    }
    let Some((page, complaint)) = site.tls().map(crate::tls::PageTls::certificate) else { return (all, None) };
    all.push(Certificate::of_page(&page, now));
    (all, complaint)
}

/// The CAs by their names for people; an operator's own may be one.
fn cas(authority: &Authority) -> Vec<(&'static str, &Root)> {
    let mut cas = vec![("CA", authority.root())];
    if authority.issuing().der() != authority.root().der() {
        cas.push(("issuing CA", authority.issuing()));
    }
    cas
}

impl Certificate {
    fn of_ca(name: &'static str, root: &Root, now: i64) -> Self {
        Self {
            name,
            subject: root.subject().to_owned(),
            names: Vec::new(),
            sha256: root.fingerprint(),
            not_before: root.not_before(),
            not_after: root.not_after(),
            days_left: days_left(root.not_after(), now),
            soon: SOON,
            remedy: "renew it with `copilot-recorder ca rotate`",
        }
    }

    fn of_page(page: &PageCertificate, now: i64) -> Self {
        Self {
            name: "page",
            subject: page.subject.clone(),
            names: page.names.clone(),
            sha256: page.fingerprint.clone(),
            not_before: page.not_before,
            not_after: page.not_after,
            days_left: days_left(page.not_after, now),
            soon: page.soon(),
            remedy: "renew it where it came from; the new files are taken up at once",
        }
    }

    /// The sentence for those who must do something about it.
    pub(super) fn trouble(&self) -> Option<String> {
        let which = match self.name {
            "page" => "certificate of this page",
            name => name,
        };
        let when = match self.days_left {
            days if days >= self.soon => return None,
            ..0 => "has expired".to_owned(),
            0 => "expires today".to_owned(),
            1 => "expires in 1 day".to_owned(),
            days => format!("expires in {days} days"),
        };
        Some(format!("The {which} {when}: {}.", self.remedy))
    }
}

fn days_left(not_after: DateTime<Utc>, now: i64) -> i64 {
    const DAY: i64 = 86_400;
    not_after.timestamp().saturating_sub(now).div_euclid(DAY)
}

/// Names that are shown; a certificate may have a hundred.
const NAMES: usize = 12;

/// The section of the page. `recording`: the CAs are among them.
pub(super) fn section(all: &[Certificate], recording: bool) -> Markup {
    html! {
        h2 { "Certificates" }
        @if !all.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Certificates" {
                table {
                    thead { tr { th scope="col" { "Which" } th scope="col" { "Valid" } th.num scope="col" { "Days left" } th scope="col" { "" span.visually-hidden { "State" } } th scope="col" { "Subject, SHA-256" } } }
                    tbody { @for one in all {
                        tr {
                            th scope="row" { (one.name) }
                            td.nowrap { (one.not_before.format("%Y-%m-%d").to_string()) " to " (one.not_after.format("%Y-%m-%d").to_string()) }
                            td.num { (one.days_left) }
                            td {
                                @if one.days_left < 0 { span.tag.bad { "expired" } }
                                @else if one.days_left < one.soon { span.tag.warn { "expires soon" } }
                                @else { span.tag.good { "valid" } }
                            }
                            td { (about(one)) }
                        }
                    } }
                }
            }
        }
        @if recording {
            p.muted { "Leaf certificates are made in memory as hosts are asked for." }
        } @else {
            p.muted { "Those of the recorder are not known here." }
        }
    }
}

fn about(one: &Certificate) -> Markup {
    let more = one.names.len().saturating_sub(NAMES);
    html! {
        @if !one.subject.is_empty() { (printable(&one.subject)) br; }
        @if !one.names.is_empty() {
            "for " (printable(&one.names[..one.names.len() - more].join(", ")))
            @if more > 0 { " and " (more) " more" }
            br;
        }
        span.mono.small { (one.sha256) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, days_left: i64, soon: i64) -> Certificate {
        let (not_before, not_after) = (DateTime::<Utc>::UNIX_EPOCH, DateTime::<Utc>::UNIX_EPOCH);
        let (subject, names, sha256) = ("CN=<b>".to_owned(), vec!["a.example".to_owned()], "AB:CD".to_owned());
        Certificate { name, subject, names, sha256, not_after, days_left, not_before, soon, remedy: "renew it" }
    }

    #[test]
    fn one_that_ends_soon_is_a_trouble() {
        let says = |name, days, soon| with(name, days, soon).trouble();
        assert_eq!(says("CA", 30, 30), None);
        assert_eq!(says("CA", 29, 30).unwrap(), "The CA expires in 29 days: renew it.");
        assert_eq!(says("page", 1, 30).unwrap(), "The certificate of this page expires in 1 day: renew it.");
        assert_eq!(says("page", 0, 30).unwrap(), "The certificate of this page expires today: renew it.");
        assert_eq!(says("page", -1, 2).unwrap(), "The certificate of this page has expired: renew it.");
        assert_eq!(says("page", 2, 2), None, "one that lives for days");
    }

    #[test]
    fn names_and_ends_are_shown() {
        let many = Certificate { names: (0..15).map(|n| format!("n{n}.example")).collect(), ..with("page", 5, 30) };
        let shown = section(&[with("CA", -1, 30), many, with("x", 40, 30)], true).into_string();
        for says in
            [">expired<", ">expires soon<", ">valid<", "for a.example<br>", "n11.example and 3 more", "CN=&lt;b&gt;"]
        {
            assert!(shown.contains(says), "{says}: {shown}");
        }
        assert!(!shown.contains("n12.example") && shown.contains("Leaf certificates"), "{shown}");
        assert!(!section(&[], false).into_string().contains("<table"), "nothing to tell");
    }
}
