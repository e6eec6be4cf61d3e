//! The folders of the logs, one after the other.

use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Found};

pub(super) fn walk(logs: &Path, each: &mut dyn FnMut(Found)) -> io::Result<()> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let listed = list(logs, &folder, &mut |entry| match entry {
            Entry::File(path) => each(Found::File(path)),
            Entry::Folder(path) => folders.push(path),
        });
        match listed {
            Err(error) if folder.as_os_str().is_empty() => return Err(error),
            // It was there a moment ago; somebody tidies up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => each(Found::Closed(folder, error.to_string())),
            Ok(()) => {}
        }
    }
    Ok(())
}

pub(super) fn list(logs: &Path, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
    let is_top = folder.as_os_str().is_empty();
    let beside = is_top || folder.parent().is_some_and(|parent| parent.as_os_str().is_empty());
    // `logs/metrics` of the older tool has daily figures, `logs/audit` will have our own log; neither has records.
    if beside && NO_RECORDS.iter().any(|name| folder.as_os_str() == *name) {
        return Ok(());
    }
    for entry in std::fs::read_dir(logs.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b".") || (is_top && bytes.starts_with(b"index.sqlite")) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !(is_top && NO_RECORDS.iter().any(|other| name == *other)) {
                each(Entry::Folder(folder.join(name)));
            }
        } else if bytes.ends_with(b".json") && !NO_RECORD_FILES.iter().any(|other| name == *other) {
            // A link may lead to a folder; reading it then says so.
            each(Entry::File(folder.join(name)));
        }
    }
    Ok(())
}

/// Folders directly below the logs that hold something else.
const NO_RECORDS: [&str; 2] = ["metrics", "audit"];

/// What the older tool kept beside its records.
const NO_RECORD_FILES: [&str; 2] = ["user_auth.json", "proxy_auth_cache.json"];
