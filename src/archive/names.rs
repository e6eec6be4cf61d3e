//! File names: what they tell of an older record, and the password that must not be told.
//!
//! Version 1.0 of the older tool named a file
//! `{timestamp}_{machine}_{address}_{user:password}_{editor}.json`, with `:` and `/` replaced by `-`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::{Form, Record};

/// The parts of such a name.
pub(super) struct Parts<'a> {
    pub(super) timestamp: &'a str,
    pub(super) address: &'a str,
    /// The login, and where it stands in the name.
    login: &'a str,
    login_at: usize,
}

/// The parts of a name that has all five. The first three have no `_`; a login may.
pub(super) fn parts(name: &str) -> Option<Parts<'_>> {
    let stem = name.strip_suffix(".json")?;
    let (timestamp, rest) = stem.split_once('_')?;
    let (_machine, rest) = rest.split_once('_')?;
    let (address, rest) = rest.split_once('_')?;
    let is_time = timestamp.len() >= 19 && timestamp.as_bytes().get(10) == Some(&b'T');
    let login_at = stem.len() - rest.len();
    let login = rest.rsplit_once('_').map_or("", |(login, _editor)| login);
    is_time.then_some(Parts { timestamp, address, login, login_at })
}

impl Parts<'_> {
    /// The client's address; in the name, `-` stands for `:`.
    pub(super) fn client(&self) -> Option<IpAddr> {
        self.address.parse().ok().or_else(|| self.address.replace('-', ":").parse().ok())
    }
}

/// The path with what may be a password replaced by `*`, if there is something that may be one.
pub(super) fn masked(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let Parts { login, login_at, .. } = parts(name)?;
    let (user, password) = login.split_once('-')?;
    if user.is_empty() && password.is_empty() || password == "*" {
        return None;
    }
    let end = login_at + login.len();
    Some(path.with_file_name(format!("{}{user}-*{}", name.get(..login_at)?, name.get(end..)?)))
}

pub(super) fn key(path: &Path, record: Option<&Record>) -> PathBuf {
    let known = record.is_some_and(|record| {
        // Ours never have a password; `mary-ann` alone is a name when the record says so.
        record.form == Form::Recorder || record.user.as_deref().is_some_and(|user| login_of(path) == Some(user))
    });
    match masked(path) {
        Some(masked) if !known => masked,
        _ => path.to_owned(),
    }
}

fn login_of(path: &Path) -> Option<&str> {
    Some(parts(path.file_name()?.to_str()?)?.login)
}

/// The file that a masked name stands for: of several, the first by name.
pub(super) fn unmasked(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let (before, after) = name.split_once('*')?;
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let fits =
        |name: &str| name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after);
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| fits(name)).min().map(|name| path.with_file_name(name))
}
