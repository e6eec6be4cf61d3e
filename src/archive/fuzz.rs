//! The fuzz body of record files.

use std::path::Path;

/// Whatever the bytes are, they are a record or not, and no record is that of another place.
pub fn fuzz_record(bytes: &[u8]) {
    let below = super::parse(Path::new("alice/chat/x.json"), bytes);
    let beside = super::parse(Path::new("chat/x.json"), bytes);
    match (below, beside) {
        (Ok(one), Ok(other)) => {
            assert_eq!((one.id, one.began, &one.url), (other.id, other.began, &other.url));
            assert!(one.user.is_none_or(|user| !user.contains(':')), "a password may follow a colon");
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        (one, other) => panic!("{one:?} {other:?}"),
    }
}
