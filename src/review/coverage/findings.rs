//! What is missing of one subject: each gap a question to what was seen.

use std::collections::BTreeMap;

use super::{Detail, Finding, Gap, Subject, Weight, Who, sum};
use crate::door::{Entry, What};
use crate::index::{Endpoint, Spoken};
use crate::rules::{HostTable, Kind};

/// What may be concluded.
pub(super) struct Circumstances {
    /// Since when the door book tells.
    pub(super) door_since: Option<i64>,
    /// The book tells of all the time that is looked at: what it does not have did not happen.
    pub(super) door_covers: bool,
}

/// Details told of one finding; the rest is counted.
const DETAILS_MAX: usize = 12;

/// All findings of a subject, gravest first.
pub(super) fn of(
    subject: &Subject,
    events: &[&Spoken],
    endpoints: &[&Endpoint],
    circumstances: &Circumstances,
) -> Vec<Finding> {
    let mut found: Vec<_> = [
        untrusted(subject),
        leaves_at_certificate(subject),
        no_credentials(subject),
        login_failed(subject),
        refused(subject),
        unreachable(subject),
        opaque_copilot(subject),
        telemetry(subject, events),
        no_telemetry(subject),
        no_api(subject, circumstances),
        no_sign_in(subject, circumstances),
        unknown_endpoints(endpoints),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.sort_by_key(|finding| (finding.weight, finding.gap));
    found
}

fn untrusted(subject: &Subject) -> Option<Finding> {
    // A host that was opened afterwards: the CA was installed meanwhile.
    let open = entries(subject, What::Untrusted).filter(|entry| used_after(subject, entry) == 0);
    let details = details(open.map(|entry| (format!("{}: {}", entry.host, entry.detail), entry.count, entry.last)));
    finding(Gap::Untrusted, Weight::Bad, details, |count| {
        format!(
            "The client refused our certificate {count}: this component does not trust the CA, so that nothing of it can be recorded."
        )
    })
}

fn leaves_at_certificate(subject: &Subject) -> Option<Finding> {
    let mut left: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for entry in entries(subject, What::BrokenOff).chain(entries(subject, What::Unused)) {
        let sum = left.entry(&entry.host).or_default();
        *sum = (sum.0.saturating_add(entry.count), sum.1.max(entry.last));
    }
    // Clients drop tunnels that they do not need, too: it says something where none was ever used, or none since.
    let not_used = left.into_iter().filter(|(host, _)| {
        let opened = host_count(subject, What::Opened, host);
        let never = opened <= host_count(subject, What::Unused, host);
        (never || left_since_it_worked(subject, host)) && host_count(subject, What::Untrusted, host) == 0
    });
    let details = details(not_used.map(|(host, (count, last))| (host.to_owned(), count, last)));
    finding(Gap::LeavesAtCertificate, Weight::Warn, details, |count| {
        format!(
            "The client left {count} when it had seen our certificate, and has sent no request there since: it probably does not trust the CA (programs on Node leave without a word)."
        )
    })
}

/// Whether all handshakes were broken off that came after the last that was not, as after a new CA. Once is chance.
fn left_since_it_worked(subject: &Subject, host: &str) -> bool {
    let worked = entries(subject, What::Opened).filter(|entry| &*entry.host == host).map(|entry| entry.last).max();
    let mut left = entries(subject, What::BrokenOff).filter(|entry| &*entry.host == host).peekable();
    left.peek().is_some()
        && host_count(subject, What::BrokenOff, host) > 1
        && left.all(|entry| worked.is_none_or(|worked| entry.first > worked))
}

fn no_credentials(subject: &Subject) -> Option<Finding> {
    let came_in = [What::Opened, What::Opaque, What::Refused, What::LoginFailed].map(|what| subject.door_count(what));
    if came_in.iter().any(|count| *count > 0) || !subject.clients.is_empty() {
        return None;
    }
    let asked =
        entries(subject, What::Asked).map(|entry| ("CONNECT without credentials".to_owned(), entry.count, entry.last));
    finding(Gap::NoCredentials, Weight::Bad, details(asked), |count| {
        format!("The client was asked for credentials {count}, and never sent any.")
    })
}

fn login_failed(subject: &Subject) -> Option<Finding> {
    let last = entries(subject, What::LoginFailed).map(|entry| entry.last).max()?;
    // All else happens behind the login.
    let came_in = subject.door.iter().filter(|entry| !matches!(entry.what, What::LoginFailed | What::Asked));
    let came_in = came_in.map(|entry| entry.last).max();
    let mended = came_in.is_some_and(|came_in| came_in > last);
    let failed = entries(subject, What::LoginFailed).map(|entry| {
        let whose =
            if entry.detail.is_empty() { "a name that is not in the users file" } else { "this user, wrong password" };
        (whose.to_owned(), entry.count, entry.last)
    });
    let weight = if mended { Weight::Note } else { Weight::Bad };
    finding(Gap::LoginFailed, weight, details(failed), |count| match mended {
        true => format!("A login failed {count}; since the last failure one has worked."),
        false => format!("A login failed {count}, and none has worked since: nothing of this client is carried."),
    })
}

fn refused(subject: &Subject) -> Option<Finding> {
    let details = details(entries(subject, What::Refused).map(|entry| {
        let host = if entry.host.is_empty() { "(no host)" } else { &entry.host };
        (format!("{host}: {}", entry.detail), entry.count, entry.last)
    }));
    finding(Gap::Refused, Weight::Warn, details, |count| {
        format!("The proxy refused tunnels {count}; the reasons are its own settings.")
    })
}

fn unreachable(subject: &Subject) -> Option<Finding> {
    let open = entries(subject, What::Unreachable);
    let open = open.map(|entry| {
        (format!("{}: {}", entry.host, entry.detail), entry.count, entry.last, used_after(subject, entry))
    });
    let (mended, lasting): (Vec<_>, Vec<_>) = open.partition(|(.., used_after)| *used_after > 0);
    let weight = if lasting.is_empty() { Weight::Note } else { Weight::Warn };
    let is_mended = lasting.is_empty();
    let all = lasting.into_iter().chain(mended).map(|(text, count, last, _)| (text, count, last));
    finding(Gap::Unreachable, weight, details(all), |count| match is_mended {
        true => format!("Upstreams could not be used {count}; each has been since."),
        false => format!("Upstreams could not be used {count}: the client got an error in place of Copilot's answer."),
    })
}

fn opaque_copilot(subject: &Subject) -> Option<Finding> {
    let details = details(
        entries(subject, What::Opaque)
            .filter(|entry| is_copilots(&entry.host))
            .map(|entry| (entry.host.to_string(), entry.count, entry.last)),
    );
    finding(Gap::OpaqueCopilot, Weight::Warn, details, |count| {
        format!(
            "Tunnels to hosts that look like Copilot's were carried {count} without being opened: what went through is not recorded."
        )
    })
}

/// Hosts of a company's own Copilot, and ones that the table does not know yet.
fn is_copilots(host: &str) -> bool {
    let is_tenant = host.ends_with(".ghe.com");
    host.contains("copilot") && (is_tenant || HostTable::why_not_opened(host).is_none())
}

fn telemetry(subject: &Subject, events: &[&Spoken]) -> Option<Finding> {
    if !is_person(subject) {
        return None;
    }
    let (count, last) = subject.events?;
    let others = subject.clients.iter().flat_map(|client| &client.kinds).any(|seen| seen.kind != Kind::Telemetry);
    if !others {
        let details = details([("telemetry events".to_owned(), count, last)].into_iter());
        return finding(Gap::OnlyTelemetry, Weight::Bad, details, |_| {
            "Telemetry came and no request that it could speak of: what is asked of Copilot goes around the proxy, or is \
             not recorded."
                .to_owned()
        });
    }
    let requests = sum(events.iter().map(|spoken| spoken.requests));
    // Where one part is not known, the sum is not.
    let unknown = events.iter().map(|spoken| spoken.unknown).sum::<Option<u64>>()?;
    // Some answers are older than the records, or were lost with a cut connection: a few say nothing.
    if unknown < 3 || unknown.saturating_mul(20) < requests {
        return None;
    }
    let details = details([("requests that only telemetry tells of".to_owned(), unknown, last)].into_iter());
    finding(Gap::UnknownRequests, Weight::Warn, details, |_| {
        format!(
            "Telemetry speaks of {requests} requests for suggestions, and {unknown} of them were not recorded: they went \
             around the proxy, or were made before recording began."
        )
    })
}

/// Events have an account and no address: whose they are is known of users and accounts alone.
fn is_person(subject: &Subject) -> bool {
    matches!(subject.who, Who::User(_) | Who::Tid(_))
}

fn no_telemetry(subject: &Subject) -> Option<Finding> {
    if subject.events.is_some() || !is_person(subject) {
        return None;
    }
    let suggestions = [Kind::Completions, Kind::Nes].map(|kind| (kind, subject.count(kind)));
    let last = subject.last().unwrap_or_default();
    let asked = suggestions.into_iter().filter(|(_, count)| *count > 0);
    let details = details(asked.map(|(kind, count)| (kind.as_str().to_owned(), count, last)));
    finding(Gap::NoTelemetry, Weight::Warn, details, |_| {
        "Suggestions were asked for and no telemetry came: what was shown and accepted is unknown, and figures say ?."
            .to_owned()
    })
}

fn no_api(subject: &Subject, circumstances: &Circumstances) -> Option<Finding> {
    let last = entries(subject, What::Opened).map(|entry| entry.last).max()?;
    let to_api = |entry: &Entry| entry.host.starts_with("api.") || entry.host.starts_with("copilot-api.");
    let any = [What::Opened, What::Opaque, What::Unreachable, What::Refused, What::Untrusted];
    let went = any.into_iter().flat_map(|what| entries(subject, what)).any(to_api);
    let count = subject.count(Kind::Completions);
    if went || count == 0 || subject.count(Kind::Chat) > 0 || !circumstances.door_covers {
        return None;
    }
    let details = details([("completions".to_owned(), count, last)].into_iter());
    finding(Gap::NoApi, Weight::Note, details, |_| {
        "Completions came, and not one tunnel to the host of chat and models (api.…): those go around the proxy, since \
         clients ask for the models at each start."
            .to_owned()
    })
}

fn no_sign_in(subject: &Subject, circumstances: &Circumstances) -> Option<Finding> {
    let last = entries(subject, What::Opened).map(|entry| entry.last).max()?;
    let opened = subject.door_count(What::Opened);
    let at_github =
        |entry: &Entry| ["github.com", "api.github.com"].contains(&&*entry.host) || entry.host.ends_with(".ghe.com");
    let any = [What::Opaque, What::Opened, What::Unreachable, What::Refused, What::Untrusted];
    let went = any.into_iter().flat_map(|what| entries(subject, what)).any(at_github);
    // A token lasts half an hour: over less time than that its absence says nothing.
    let first = entries(subject, What::Opened).map(|entry| entry.first).min().unwrap_or(last);
    if went || !circumstances.door_covers && circumstances.door_since.is_none_or(|begun| begun > first) {
        return None;
    }
    if last.saturating_sub(first) < TOKEN_LASTS {
        return None;
    }
    let details = details([("tunnels to Copilot's other hosts".to_owned(), opened, last)].into_iter());
    finding(Gap::NoSignIn, Weight::Note, details, |_| {
        "No tunnel to github.com or api.github.com: the component that signs in and fetches tokens goes around the proxy. \
         Nothing of it would be recorded anyway."
            .to_owned()
    })
}

/// An hour in microseconds: twice a token's life.
const TOKEN_LASTS: i64 = 3_600_000_000;

fn unknown_endpoints(endpoints: &[&Endpoint]) -> Option<Finding> {
    // Clients ask at each host whether it can be reached.
    let unknown = endpoints.iter().filter(|endpoint| !endpoint.path.ends_with("/_ping"));
    let details =
        details(unknown.map(|endpoint| (format!("{}{}", endpoint.host, endpoint.path), endpoint.count, endpoint.last)));
    finding(Gap::UnknownEndpoints, Weight::Note, details, |count| {
        format!("Requests went {count} to endpoints that the rules have no kind for: they are recorded as `other`.")
    })
}

fn entries(subject: &Subject, what: What) -> impl Iterator<Item = &Entry> {
    subject.door.iter().filter(move |entry| entry.what == what)
}

fn host_count(subject: &Subject, what: What, host: &str) -> u64 {
    sum(entries(subject, what).filter(|entry| &*entry.host == host).map(|entry| entry.count))
}

/// Tunnels to the same host that worked after this failed.
fn used_after(subject: &Subject, failed: &Entry) -> u64 {
    let worked = entries(subject, What::Opened).chain(entries(subject, What::Opaque));
    let worked = worked.filter(|entry| entry.host == failed.host && entry.last > failed.last);
    let unused = host_count(subject, What::Unused, &failed.host);
    sum(worked.map(|entry| entry.count)).saturating_sub(unused)
}

/// The same text once, the most frequent first.
fn details(all: impl Iterator<Item = (String, u64, i64)>) -> Vec<Detail> {
    let mut sums: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for (text, count, last) in all {
        let sum = sums.entry(text).or_insert((0, i64::MIN));
        *sum = (sum.0.saturating_add(count), sum.1.max(last));
    }
    let mut details: Vec<_> = sums.into_iter().map(|(text, (count, last))| Detail { text, count, last }).collect();
    details.sort_by_key(|detail| std::cmp::Reverse(detail.count));
    details
}

/// None without details.
fn finding(gap: Gap, weight: Weight, mut details: Vec<Detail>, means: impl FnOnce(&str) -> String) -> Option<Finding> {
    let count = sum(details.iter().map(|detail| detail.count));
    let more = details.len().saturating_sub(DETAILS_MAX);
    details.truncate(DETAILS_MAX);
    let (title, todo) = gap.words();
    let means = means(&if count == 1 { "once".to_owned() } else { format!("{count} times") });
    (!details.is_empty()).then_some(Finding { gap, weight, title, means, todo, details, more })
}

impl Gap {
    /// The title, and what to do.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Untrusted => (
                "CA not trusted",
                "Install the CA where this component looks for it (see Set-up): the system's store, and NODE_EXTRA_CA_CERTS for language servers. Then start the editor again.",
            ),
            Self::LeavesAtCertificate => (
                "Leaves at our certificate",
                "Check on that machine with the script of the Set-up page; set NODE_EXTRA_CA_CERTS before the editor starts.",
            ),
            Self::NoCredentials => (
                "No credentials",
                "Put name and password into the proxy's address (see Set-up): some components send none when they are only asked.",
            ),
            Self::LoginFailed => (
                "Login failed",
                "Check the password with `copilot-recorder users check NAME`. In an address, @ : / % are written %40 %3A %2F %25.",
            ),
            Self::Refused => (
                "Refused",
                "If they are wanted: --allow-port for a port, --intercept for a host, --allow-local for local addresses; else leave the host out with the client's no-proxy list.",
            ),
            Self::Unreachable => (
                "Upstream failed",
                "Look at Health. A certificate that is not valid: a company's proxy on the way needs --upstream-ca.",
            ),
            Self::OpaqueCopilot => (
                "Copilot host not opened",
                "Open it with --intercept and its name, or *.YOUR-COMPANY.ghe.com for a tenant of your own.",
            ),
            Self::OnlyTelemetry => (
                "Only telemetry",
                "Set the proxy where the component runs that asks for suggestions and chat (see Set-up: remote, JetBrains' plugin, no-proxy lists).",
            ),
            Self::UnknownRequests => (
                "Requests not recorded",
                "Look for a second machine, a remote or a component without the proxy; see Set-up.",
            ),
            Self::NoTelemetry => (
                "No telemetry",
                "The person has switched telemetry off in the editor, or it goes around the proxy. In VS Code it is the setting telemetry.telemetryLevel.",
            ),
            Self::NoApi => (
                "No chat host",
                "Check the proxy's address in each place the editor has for it: JetBrains' IDE and plugin, VS Code's local and remote settings.",
            ),
            Self::NoSignIn => {
                ("Sign-in elsewhere", "Nothing needs to be done, unless this component should use the proxy too.")
            }
            Self::UnknownEndpoints => (
                "Unknown endpoints",
                "Look at them among the exchanges of the kind other. New endpoints of Copilot's can be given a kind of their own: please report them.",
            ),
        }
    }
}

/// What is known of how such a client goes through a proxy (docs/clients.md).
pub(super) fn hint(editor: &str) -> Option<&'static str> {
    let name = editor.split('/').next().unwrap_or(editor).to_ascii_lowercase();
    let starts = |prefix: &str| name.starts_with(prefix);
    if starts("jetbrains") {
        Some(
            "The plugin's language server has proxy settings of its own: the IDE may use the proxy while Copilot goes around it.",
        )
    } else if starts("vscode") {
        Some("With SSH, WSL or containers the extension may run on the other side, with that side's settings.")
    } else if starts("visualstudio") || starts("vs") {
        Some("Uses Windows' proxy settings, but not the credentials in them.")
    } else if starts("neovim") || starts("vim") || starts("xcode") || starts("eclipse") {
        Some("Requests to MCP servers go around the proxy where only the environment names it.")
    } else if name.contains("cli") {
        Some("Its web fetch is reported to ignore the proxy.")
    } else {
        None
    }
}
