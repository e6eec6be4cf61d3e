//! Body of the fuzz target, callable from a plain test.

use std::collections::HashMap;

use super::ledger::{DETAIL_MAX, ENTRIES_MAX, ERRORS_MAX, HOST_MAX, HOSTS_MAX, PAIRS_MAX};
use super::{Contents, file};

/// Reads any bytes as a door book, and hands on what is in it.
///
/// # Panics
/// When the book is larger than one of ours, when a text in it could move a cursor, or when it is another one after it
/// was written and read again.
#[doc(hidden)]
#[must_use]
pub fn book(bytes: &[u8]) -> Option<Contents> {
    let contents = file::parse(bytes)?;
    assert!(contents.pairs.len() <= PAIRS_MAX && contents.errors.len() <= ERRORS_MAX);
    assert!(contents.pairs.iter().map(|pair| pair.entries.len()).sum::<usize>() <= ENTRIES_MAX);
    let plain = |text: &str, most: usize| assert!(text.len() <= most && !text.contains(char::is_control), "{text:?}");
    for pair in &contents.pairs {
        plain(pair.user.as_deref().unwrap_or_default(), HOST_MAX);
        let mut hosts = HashMap::new();
        for entry in &pair.entries {
            plain(&entry.host, HOST_MAX);
            plain(&entry.detail, DETAIL_MAX);
            let hosts = hosts.entry(entry.what).or_insert(0);
            *hosts += 1;
            assert!(*hosts <= HOSTS_MAX);
        }
    }
    for error in &contents.errors {
        plain(&error.host, HOST_MAX);
        plain(&error.why, DETAIL_MAX);
    }

    let mut written = Vec::new();
    file::print(&contents, &mut written).expect("a Vec takes all");
    let again = file::parse(&written).expect("a book of ours");
    assert_eq!(sorted(again), sorted(contents.clone()));
    Some(contents)
}

fn sorted(mut contents: Contents) -> Contents {
    contents.pairs.sort_by_cached_key(|pair| (pair.user.clone(), pair.client));
    contents
}
