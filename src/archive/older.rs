//! Records of the tool before us: the first five keys alone.
//!
//! What they do not say is told by their folders: `completions/`, `<user>/<type>/`, `usage/<user>/<type>/`.

use std::path::{Component, Path};
use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};

use super::file::{File, common, time, time_of};
use super::{Record, Unreadable, body, names, raw};
use crate::observer::Fields;
use crate::redaction;
use crate::rules::{Kind, KindTable};

pub(super) fn parse(path: &Path, file: &File<'_>) -> Result<Record, Unreadable> {
    let mut record = common(file, |content, _| body::older(content))?;
    let name = path.file_name().and_then(|name| name.to_str()).and_then(names::parts);
    let by_name = || name.as_ref().and_then(|name| time(&colons(name.timestamp)));
    record.began = time_of(file).or_else(by_name).ok_or(Unreadable::Foreign)?;
    record.timings.last_byte = raw::text(file.consumed).and_then(|text| millis(&text));
    record.client = name.and_then(|name| name.client()).map(|client| client.to_string());
    // Before the folder's user is taken: the id must not depend on where the file lies.
    record.id = derived_id(&record);
    record.began = began(&record);
    (record.kind, record.rule) = kind(path, &record);
    if record.user.is_none() {
        record.user = folders(path).0.map(str::to_owned);
    }
    record.user = record.user.filter(|user| user != NOBODY);
    let target = target(&record.url);
    if redaction::body_is_secret(target.as_bytes()) {
        for body in [&mut record.request_body, &mut record.response_body] {
            let mut bytes = std::mem::take(&mut body.text).into_bytes();
            redaction::body(&mut bytes);
            body.text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    Ok(record)
}

/// What the older tool called whoever had no name, from 1.1 on, in its first key and as a folder.
const NOBODY: &str = "anonymous";

/// The older tool took the time when it wrote, after the response: the request began as much earlier as all took.
fn began(record: &Record) -> i64 {
    // No exchange takes longer than a day; a text that says so must not move the record into another year.
    const DAY: f64 = 86_400_000.0;
    let took = record.timings.last_byte.filter(|took| *took <= DAY).unwrap_or_default();
    record.began.saturating_sub((took * 1000.0).round() as i64)
}

/// `382.4ms`
fn millis(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix("ms")?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// The time in a file's name has `-` for `:`.
fn colons(text: &str) -> String {
    let (date, clock) = text.split_at_checked(11).unwrap_or((text, ""));
    format!("{date}{}", clock.replacen('-', ":", 2))
}

/// By the rules; where they say no more than chat, or nothing, the folder may know more: the older tool looked at the
/// model and the headers.
fn kind(path: &Path, record: &Record) -> (Kind, String) {
    static RULES: LazyLock<KindTable> = LazyLock::new(KindTable::builtin);
    let host = host(&record.url).to_ascii_lowercase();
    let mut fields = Fields::default();
    for (name, value) in &record.request_headers {
        fields.push(name.as_bytes(), value.as_bytes());
    }
    let body = record.request_body.text.as_bytes();
    let found = RULES.classify(&host, &record.method, target(&record.url), &fields, body);
    let by_folder = folders(path).1.and_then(kind_of_folder);
    match (found.kind, by_folder) {
        (Kind::Chat, Some(Kind::Nes)) => (Kind::Nes, FOLDER.to_owned()),
        (Kind::Other, Some(kind)) => (kind, FOLDER.to_owned()),
        (kind, _) => (kind, found.rule.as_ref().to_owned()),
    }
}

/// What stands for the rule's name where the folder decided.
const FOLDER: &str = "folder";

/// The types by which versions 1.0 to 1.8 named their folders.
fn kind_of_folder(name: &str) -> Option<Kind> {
    Some(match name {
        "agent" | "edits" | "chat-inline" | "chat-panel" | "explain" | "fix" | "docs" | "tests" | "code-review"
        | "commit-message" => Kind::Chat,
        name => name.parse().ok()?,
    })
}

/// The user and the type that the folders name. Of a whole path only what is below a folder with one of the names that
/// the older tool gave counts: others are the way there.
fn folders(path: &Path) -> (Option<&str>, Option<&str>) {
    let mut names: Vec<&str> = Vec::new();
    for component in path.parent().into_iter().flat_map(Path::components) {
        match component {
            Component::Normal(name) => names.push(name.to_str().unwrap_or_default()),
            Component::CurDir | Component::ParentDir => names.clear(),
            Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let start = names.iter().rposition(|name| TOPS.contains(name)).map(|top| top + 1);
    let below = match start {
        Some(start) => names.get(start..).unwrap_or_default(),
        None if path.is_absolute() => &[],
        None => &names,
    };
    let kind = names.last().copied();
    match below {
        [.., user, _] if !matches!(*user, "" | "-") => (user.split(':').next(), kind),
        _ => (None, kind),
    }
}

/// Folders of the older tool above those of its users.
const TOPS: [&str; 3] = ["logs", "auditlogs", "usage"];

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// A UUID of version 7 in form: the record's time, and for the random part the digest of what it says.
fn derived_id(record: &Record) -> uuid::Uuid {
    let mut digest = Context::new(&SHA256);
    // Each part with its length, so that no two records have the same parts in one row.
    let mut add = |part: &str| {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    };
    add(record.user.as_deref().unwrap_or_default());
    add(&record.began.to_string());
    add(&record.url);
    add(&record.method);
    add(&record.status.unwrap_or_default().to_string());
    for (name, value) in record.request_headers.iter().chain(&record.response_headers) {
        add(name);
        add(value);
    }
    add(&record.request_body.text);
    add(&record.response_body.text);
    let millis = u64::try_from(record.began.div_euclid(1000)).unwrap_or_default();
    let mut rest = [0; 10];
    for (to, from) in rest.iter_mut().zip(digest.finish().as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}
