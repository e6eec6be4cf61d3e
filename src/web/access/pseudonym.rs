//! Pseudonyms: figures of people without their names.
//!
//! `person-k7f3a2q9xw` is ten letters, 50 bits, of HMAC-SHA256 of the name. The key is kept beside the records in
//! `.pseudonyms.key`, so that somebody has the same pseudonym next month and a table can be set beside an older one.
//! Who has that file can find a name again by trying all; who has only figures cannot.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aws_lc_rs::hmac;
use tempfile::NamedTempFile;
use tracing::warn;

/// In the folder of the records; the archive passes over names that begin with a dot.
const KEY_FILE: &str = ".pseudonyms.key";

/// What every pseudonym begins with.
const PREFIX: &str = "person-";

/// Letters of a pseudonym, of five bits each: of 10,000 users, two share one once in 20 million.
const LETTERS: usize = 10;

/// Without those that look like another: z-base-32's.
const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Makes pseudonyms. One for the process.
#[derive(Debug)]
pub struct Pseudonyms {
    path: PathBuf,
    /// Made or read when the first pseudonym is needed: who never needs one gets no file.
    key: OnceLock<hmac::Key>,
}

impl Pseudonyms {
    /// With the key that is, or will be, kept in the folder of the records.
    #[must_use]
    pub fn kept_in(logs: &Path) -> Self {
        Self { path: logs.join(KEY_FILE), key: OnceLock::new() }
    }

    /// The pseudonym of this user. The first call reads, or makes, a file of 32 bytes.
    #[must_use]
    pub fn of(&self, user: &str) -> String {
        let key = self.key.get_or_init(|| key(&self.path));
        let tag = hmac::sign(key, user.as_bytes());
        let bits = tag.as_ref().iter().take(8).fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let letters = (0..LETTERS).map(|at| usize::try_from(bits >> (at * 5) & 31).unwrap_or_default());
        PREFIX.chars().chain(letters.map(|letter| char::from(ALPHABET[letter]))).collect()
    }

    /// The user, of these, whose pseudonym it is. A name is not its own pseudonym: who sees pseudonyms cannot ask
    /// for somebody by name.
    #[must_use]
    pub fn user_of<'a>(&self, pseudonym: &str, users: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if pseudonym.len() != PREFIX.len() + LETTERS || !pseudonym.starts_with(PREFIX) {
            return None;
        }
        users.into_iter().find(|user| self.of(user) == pseudonym)
    }
}

/// The key in the file; a new one where there is none, which is kept where that is possible.
fn key(path: &Path) -> hmac::Key {
    let bytes = match kept(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => match super::random().map_err(Into::into).and_then(|fresh| keep(path, fresh)) {
            Ok(bytes) => bytes,
            Err(error) => for_this_process(path, &error),
        },
        Err(error) => for_this_process(path, &error),
    };
    hmac::Key::new(hmac::HMAC_SHA256, &bytes)
}

fn for_this_process(path: &Path, error: &std::io::Error) -> [u8; 32] {
    warn!("{}: {error}; pseudonyms will be others after a restart", path.display());
    // Without random bytes the program has not come this far: sessions need them at its start.
    super::random().unwrap_or_default()
}

/// `None` where there is no file.
fn kept(path: &Path) -> std::io::Result<Option<[u8; 32]>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(33).read_to_end(&mut bytes)?;
    let wrong = |_| std::io::Error::new(ErrorKind::InvalidData, "it does not hold 32 bytes");
    bytes.try_into().map(Some).map_err(wrong)
}

/// Keeps a new key, unless another process was faster: then that one's.
fn keep(path: &Path, fresh: [u8; 32]) -> std::io::Result<[u8; 32]> {
    // Made for the owner alone, and under its name only when it is whole.
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write_all(&fresh)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(fresh),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            kept(path)?.ok_or_else(|| ErrorKind::NotFound.into())
        }
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_pseudonym_stays_the_same_and_tells_nothing() {
        let logs = tempfile::tempdir().unwrap();
        let one = Pseudonyms::kept_in(logs.path());
        assert_eq!(fs::read_dir(logs.path()).unwrap().count(), 0, "no key before one is needed");
        let ann = one.of("ann");
        assert_eq!(ann.len(), 17, "{ann}");
        assert!(ann.starts_with("person-") && !ann.contains("ann"), "{ann}");
        assert_eq!(Pseudonyms::kept_in(logs.path()).of("ann"), ann, "after a restart");
        let file = logs.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&file).unwrap().len(), 32);
        assert_eq!(fs::read_dir(logs.path()).unwrap().count(), 1, "nothing is left behind");
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Pseudonyms::kept_in(other.path()).of("ann"), ann, "in another place");
    }

    #[test]
    fn people_are_told_apart_and_found_again() {
        let logs = tempfile::tempdir().unwrap();
        let pseudonyms = Pseudonyms::kept_in(logs.path());
        let users: Vec<_> = (0..2000).map(|n| format!("user{n}")).collect();
        let made: HashSet<_> = users.iter().map(|user| pseudonyms.of(user)).collect();
        assert_eq!(made.len(), 2000);
        let letters: HashSet<_> = made.iter().flat_map(|made| made[PREFIX.len()..].bytes()).collect();
        assert_eq!(letters.len(), 32);
        let found = |text: &str| pseudonyms.user_of(text, users.iter().map(String::as_str));
        assert_eq!(found(&pseudonyms.of("user77")), Some("user77"));
        for text in ["user77", "", "person-", "person-yyyyyyyyyy", &pseudonyms.of("somebody else")] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_damaged_or_unwritable_place_costs_the_sameness_and_nothing_else() {
        let logs = tempfile::tempdir().unwrap();
        let file = logs.path().join(KEY_FILE);
        for bytes in [&b"short"[..], &[7; 33]] {
            fs::write(&file, bytes).unwrap();
            let one = Pseudonyms::kept_in(logs.path());
            assert_eq!(one.of("ann"), one.of("ann"));
            assert_ne!(one.of("ann"), Pseudonyms::kept_in(logs.path()).of("ann"));
            assert_eq!(fs::read(&file).unwrap(), bytes, "what is there is not ours to replace");
        }
        let nowhere = Pseudonyms::kept_in(&logs.path().join("none"));
        assert_eq!(nowhere.of("ann"), nowhere.of("ann"));
        assert!(!logs.path().join("none").exists());
    }

    #[test]
    fn two_that_start_at_once_get_one_key() {
        let logs = tempfile::tempdir().unwrap();
        let made: HashSet<_> = std::thread::scope(|scope| {
            let one = || scope.spawn(|| Pseudonyms::kept_in(logs.path()).of("ann"));
            let threads: Vec<_> = (0..8).map(|_| one()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.len(), 1);
    }
}
