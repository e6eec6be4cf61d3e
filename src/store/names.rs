//! Names of files and folders, made of what clients send and therefore built from an allow-list of characters.
//!
//! `{timestamp}_{first 10 of machine id}_{client address}_{user}_{editor-version}.json`, as the tool before us named
//! them, so that what reads the old names reads ours.

use std::path::PathBuf;
use std::time::SystemTime;

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::config::Layout;
use crate::digest::{hex, sha256};
use crate::exchange::Exchange;
use crate::rules::Kind;

/// The name before `.json` and before what tells namesakes apart.
pub(super) fn stem(exchange: &Exchange) -> String {
    let mut stem = timestamp(exchange.began).replace(':', "-");
    let fields = &exchange.request.head.fields;
    // A machine id is 64 hexadecimal digits; ten tell machines apart in a listing.
    push_part(&mut stem, fields.first("vscode-machineid"), 10);
    push_part(&mut stem, Some(exchange.connection.client.ip().to_canonical().to_string().as_bytes()), LONGEST_ADDRESS);
    push_part(&mut stem, exchange.connection.user.as_deref().map(str::as_bytes), LONGEST_PART);
    push_part(&mut stem, fields.first("editor-version"), LONGEST_PART);
    stem
}

/// The file's name: namesakes after the first get `_2`, `_3`, …
pub(super) fn file_name(stem: &str, namesake: u32) -> String {
    if namesake <= 1 { format!("{stem}.json") } else { format!("{stem}_{namesake}.json") }
}

/// The folder below the logs.
pub(super) fn folder(layout: Layout, kind: Kind, began: SystemTime, user: Option<&str>) -> PathBuf {
    match layout {
        Layout::Kind => PathBuf::from(kind_name(kind)),
        Layout::KindDate => PathBuf::from(kind_name(kind)).join(&timestamp(began)[..10]),
        Layout::UserKind => PathBuf::from(user_folder(user)).join(kind_name(kind)),
    }
}

/// UTC in microseconds, without zone: `2024-12-08T13:18:23.331449`. A time before 1970 or after 9999, which only a
/// damaged spool file can hold, counts as 1970.
pub(super) fn timestamp(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at = i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, since.subsec_nanos()))
        .filter(|at| at.year() <= 9999)
        .unwrap_or_default();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.nanosecond() / 1000
    )
}

/// The kind's word, which is also its folder's name.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Completions => "completions",
        Kind::Telemetry => "telemetry",
        Kind::Chat => "chat",
        Kind::Nes => "nes",
        Kind::Models => "models",
        Kind::Embeddings => "embeddings",
        Kind::Index => "index",
        Kind::Mcp => "mcp",
        Kind::Extension => "extension",
        Kind::Snippy => "snippy",
        Kind::Auth => "auth",
        Kind::Experiment => "experiment",
        Kind::Other => "other",
    }
}

/// Every kind, to look in each folder.
pub(super) const KINDS: [Kind; 13] = [
    Kind::Completions,
    Kind::Telemetry,
    Kind::Chat,
    Kind::Nes,
    Kind::Models,
    Kind::Embeddings,
    Kind::Index,
    Kind::Mcp,
    Kind::Extension,
    Kind::Snippy,
    Kind::Auth,
    Kind::Experiment,
    Kind::Other,
];

/// Two users never share a folder: a name that had to be changed, or that could be mistaken for something else in
/// the logs, carries a digest of what it was.
fn user_folder(user: Option<&str>) -> String {
    let Some(user) = user else { return "-".to_owned() };
    let safe = safe(user.as_bytes(), LONGEST_PART);
    let reserved = KINDS.iter().any(|&kind| safe.eq_ignore_ascii_case(kind_name(kind)))
        || matches!(safe.as_str(), "" | "-")
        // Folders of that name are not looked into for records.
        || matches!(safe.to_ascii_lowercase().as_str(), "metrics" | "audit")
        || safe.starts_with('.')
        || safe.to_ascii_lowercase().starts_with("index.");
    if safe == user && !reserved {
        return safe;
    }
    // `~` is outside the allow-list: no name that was kept as it is equals one with a digest.
    let digest = hex(&sha256(user.as_bytes()));
    format!("{}~{}", safe.trim_start_matches('.'), &digest[..16])
}

fn push_part(stem: &mut String, value: Option<&[u8]>, longest: usize) {
    stem.push('_');
    match value {
        Some(value) if !value.is_empty() => stem.push_str(&safe(value, longest)),
        _ => stem.push('-'),
    }
}

/// At most `longest` characters of `value`, those outside the allow-list replaced by `-`.
fn safe(value: &[u8], longest: usize) -> String {
    let text = String::from_utf8_lossy(value);
    text.chars()
        .take(longest)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '+' | '-') { c } else { '-' })
        .collect()
}

/// With the others this stays far below the 255 bytes that file systems allow for a name.
const LONGEST_PART: usize = 64;
/// An IPv6 address in text has at most 39 characters, 45 with an embedded IPv4 address.
const LONGEST_ADDRESS: usize = 45;

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
