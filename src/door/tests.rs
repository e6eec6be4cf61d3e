use super::contents::What;
use super::ledger::{ENTRIES_MAX, ERRORS_MAX, HOSTS_MAX, PAIRS_MAX};
use super::*;

const ALICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn address(number: usize) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number as u32))
}

fn count(contents: &Contents, what: What) -> u64 {
    contents.pairs.iter().flat_map(|pair| pair.of(what)).map(|entry| entry.count).sum()
}

#[test]
fn the_same_again_is_counted_with_its_first_and_last_time() {
    let mut ledger = Ledger::new(1);
    for at in [10, 30, 20] {
        ledger.note(Some("alice"), ALICE, &Event::Opened { host: "api.example.com" }, at);
    }
    ledger.note(Some("alice"), ALICE, &Event::Opaque { host: "api.example.com" }, 40);
    ledger.note(None, ALICE, &Event::LoginFailed { user: Some("alice") }, 50);
    let contents = ledger.contents();
    assert_eq!((contents.begun, contents.as_of, contents.pairs.len()), (1, 50, 2));
    let alice = contents.pairs.iter().find(|pair| pair.user.as_deref() == Some("alice")).unwrap();
    let opened: Vec<_> = alice.of(What::Opened).collect();
    assert_eq!((opened[0].count, opened[0].first, opened[0].last), (3, 10, 30));
    assert_eq!((alice.last(), alice.entries.len()), (40, 2));
    let stranger = contents.pairs.iter().find(|pair| pair.user.is_none()).unwrap();
    assert_eq!(&*stranger.entries[0].detail, "alice");
}

#[test]
fn a_pair_keeps_its_newest_hosts() {
    let mut ledger = Ledger::new(0);
    let last = HOSTS_MAX as i64 + 5;
    for at in 0..last {
        ledger.note(None, ALICE, &Event::Opaque { host: &format!("host{at}") }, at);
    }
    let contents = ledger.contents();
    let pair = &contents.pairs[0];
    assert_eq!((pair.entries.len(), pair.dropped), (HOSTS_MAX, 5));
    assert_eq!(pair.entries.iter().map(|entry| entry.first).min(), Some(5));
}

#[test]
fn strangers_do_not_drive_out_those_who_got_in() {
    let mut ledger = Ledger::new(0);
    ledger.note(Some("alice"), ALICE, &Event::Opened { host: "api.example.com" }, 1);
    for number in 0..PAIRS_MAX * 2 {
        ledger.note(None, address(number), &Event::Asked, 2 + number as i64);
    }
    let contents = ledger.contents();
    assert!(contents.pairs.len() <= PAIRS_MAX);
    assert_eq!(contents.pairs.len() as u64 + contents.dropped, PAIRS_MAX as u64 * 2 + 1);
    assert_eq!(count(&contents, What::Opened), 1);
    let newest = contents.pairs.iter().map(|pair| pair.last()).max();
    assert_eq!(newest, Some(1 + PAIRS_MAX as i64 * 2));
}

#[test]
fn entries_are_bounded_in_all() {
    let mut ledger = Ledger::new(0);
    for number in 0..ENTRIES_MAX / HOSTS_MAX + 100 {
        for host in 0..HOSTS_MAX {
            ledger.note(None, address(number), &Event::Opaque { host: &format!("host{host}") }, number as i64);
        }
    }
    let contents = ledger.contents();
    let entries: usize = contents.pairs.iter().map(|pair| pair.entries.len()).sum();
    assert!(entries <= ENTRIES_MAX, "{entries}");
    assert!(entries > ENTRIES_MAX * 8 / 10, "{entries}");
    assert!(contents.dropped > 0);
}

#[test]
fn the_last_upstream_errors_are_kept() {
    let mut ledger = Ledger::new(0);
    for at in 0..ERRORS_MAX as i64 + 3 {
        ledger.note(None, ALICE, &Event::Unreachable { host: "api.example.com", why: "no answer" }, at);
    }
    let errors = ledger.contents().errors;
    assert_eq!((errors.len(), errors[0].at), (ERRORS_MAX, 3));
}

#[test]
fn what_clients_send_is_cut_and_has_no_commands() {
    let mut ledger = Ledger::new(0);
    ledger.note(None, ALICE, &Event::Refused { host: &"ä".repeat(1000), why: "\u{1b}[2J\n" }, 1);
    let contents = ledger.contents();
    let entry = &contents.pairs[0].entries[0];
    assert_eq!((entry.host.len(), &*entry.detail), (256, "\u{fffd}[2J\u{fffd}"));
}

#[test]
fn a_book_goes_on_after_a_restart() {
    let logs = tempfile::tempdir().unwrap();
    assert_eq!(Contents::load(logs.path()).unwrap(), None);
    let book = Book::open(logs.path());
    // Written also where nothing has happened: then it is known that nothing has.
    book.save().unwrap();
    assert!(Contents::load(logs.path()).unwrap().is_some_and(|contents| contents.pairs.is_empty()));
    book.note(Some("alice"), ALICE, &Event::Opened { host: "api.example.com" });
    book.note(None, "::ffff:192.0.2.7".parse().unwrap(), &Event::Asked);
    book.note(None, ALICE, &Event::Unreachable { host: "api.example.com", why: "no answer" });
    book.save().unwrap();
    let before = Contents::load(logs.path()).unwrap().unwrap();
    assert_eq!((before.pairs.len(), before.errors.len()), (2, 1), "the same address, however it is written");
    let again = Book::open(logs.path());
    assert_eq!(again.contents().begun, before.begun);
    again.note(Some("alice"), ALICE, &Event::Opened { host: "api.example.com" });
    again.save().unwrap();
    assert_eq!(count(&Contents::load(logs.path()).unwrap().unwrap(), What::Opened), 2);
}

#[test]
fn nothing_is_written_when_nothing_came() {
    let logs = tempfile::tempdir().unwrap();
    let book = Book::open(logs.path());
    book.save().unwrap();
    std::fs::remove_file(logs.path().join(".door.json")).unwrap();
    book.save().unwrap();
    assert_eq!(std::fs::read_dir(logs.path()).unwrap().count(), 0);
    book.note(None, ALICE, &Event::Asked);
    book.save().unwrap();
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(logs.path().join(".door.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_tried_again() {
    let logs = tempfile::tempdir().unwrap();
    let folder = logs.path().join("gone");
    let book = Book::open(&folder);
    book.note(None, ALICE, &Event::Asked);
    assert!(book.save().unwrap_err().to_string().contains("cannot be written"));
    std::fs::create_dir(&folder).unwrap();
    book.save().unwrap();
    assert_eq!(count(&Contents::load(&folder).unwrap().unwrap(), What::Asked), 1);
}

#[test]
fn a_damaged_book_is_put_aside_wherever_it_is_cut() {
    let logs = tempfile::tempdir().unwrap();
    let path = logs.path().join(".door.json");
    let book = Book::open(logs.path());
    book.note(Some("alice"), ALICE, &Event::Opened { host: "api.example.com" });
    book.save().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(matches!(Contents::load(logs.path()), Err(BookError::Damaged { .. })), "{cut}");
    }
    for wrong in ["null", "[]", r#"{"form":2,"begun":1,"as_of":1,"pairs":[]}"#, "{\"form\":1", "\u{0}"] {
        std::fs::write(&path, wrong).unwrap();
        assert!(Book::open(logs.path()).contents().pairs.is_empty());
        assert_eq!(std::fs::read_to_string(logs.path().join(".door.json.damaged")).unwrap(), wrong);
        assert!(!path.exists());
    }
}

#[test]
fn a_book_that_somebody_wrote_is_bounded_like_ours() {
    let logs = tempfile::tempdir().unwrap();
    let entry = |host: &str| {
        format!(r#"{{"what":"opaque","host":"{host}","count":{},"first":{},"last":{}}}"#, u64::MAX, i64::MIN, i64::MAX)
    };
    let entries: Vec<_> = (0..200).map(|host| entry(&format!("h{host}\\u001b"))).collect();
    let pair = format!(r#"{{"client":"192.0.2.7","entries":[{}]}}"#, entries.join(","));
    let text = format!(r#"{{"form":1,"begun":-5,"as_of":0,"pairs":[{pair},{pair}]}}"#);
    std::fs::write(logs.path().join(".door.json"), text).unwrap();
    let contents = Contents::load(logs.path()).unwrap().unwrap();
    assert_eq!((contents.pairs.len(), contents.pairs[0].entries.len()), (1, HOSTS_MAX));
    assert!(contents.pairs[0].entries.iter().all(|entry| entry.host.ends_with('\u{fffd}')));
}
