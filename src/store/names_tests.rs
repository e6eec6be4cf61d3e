use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::exchange::testing::fields;
use crate::store::testing::{exchange, moment};

fn with(user: Option<&str>, address: &str, pairs: &[(&str, &str)]) -> Exchange {
    let mut exchange = exchange("/", b"", b"");
    let connection = Arc::make_mut(&mut exchange.connection);
    connection.user = user.map(Arc::from);
    connection.client = address.parse().unwrap();
    exchange.request.head.fields = fields(pairs);
    exchange
}

#[test]
fn names_are_those_of_the_tool_before_us() {
    let completion = exchange("/", b"", b"");
    let expected = "2024-12-08T13-05-57.639893_4ce93ec3b2_127.0.0.1_satomic_vscode-1.95.3.json";
    assert_eq!(file_name(&stem(&completion), 1), expected);
    let mut telemetry = with(Some("satomic"), "127.0.0.1:9", &[("accept", "*/*")]);
    telemetry.began = moment(2_037_907);
    assert_eq!(file_name(&stem(&telemetry), 1), "2024-12-08T13-05-59.677800_-_127.0.0.1_satomic_-.json");
}

#[test]
fn parts_that_are_missing_or_empty_are_a_dash() {
    let nothing = with(None, "127.0.0.1:9", &[("Editor-Version", ""), ("VScode-MachineId", "")]);
    assert!(stem(&nothing).ends_with("_-_127.0.0.1_-_-"), "{}", stem(&nothing));
}

#[test]
fn addresses_of_version_6_have_no_colons() {
    assert!(stem(&with(None, "[2001:db8::1]:9", &[])).ends_with("_-_2001-db8--1_-_-"));
    assert!(stem(&with(None, "[::ffff:192.0.2.7]:9", &[])).ends_with("_-_192.0.2.7_-_-"));
}

#[test]
fn namesakes_are_numbered_before_the_extension() {
    assert_eq!(
        (file_name("a", 1), file_name("a", 2), file_name("a", 31)),
        ("a.json".into(), "a_2.json".into(), "a_31.json".into())
    );
}

#[test]
fn times_have_six_digits_and_odd_times_do_not_panic() {
    assert_eq!(timestamp(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000000");
    let far = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 60);
    assert_eq!(timestamp(far), "1970-01-01T00:00:00.000000");
    assert_eq!(timestamp(moment(107)), "2024-12-08T13:05:57.640000");
}

#[test]
fn layouts() {
    let of = |layout, user| folder(layout, Kind::Chat, moment(0), user).display().to_string();
    assert_eq!(of(Layout::Kind, Some("x")), "chat");
    assert_eq!(of(Layout::KindDate, Some("x")), "chat/2024-12-08");
    assert_eq!(of(Layout::UserKind, Some("x@y.z")), "x@y.z/chat");
    assert_eq!(of(Layout::UserKind, None), "-/chat");
}

#[test]
fn users_who_could_be_mistaken_for_something_else_carry_a_digest() {
    let long = "x".repeat(5_000);
    let hostile = [
        "",
        "-",
        ".",
        "..",
        "../../x",
        ".spool",
        "chat",
        "Chat",
        "completions",
        "index.db",
        "metrics",
        "Audit",
        "a/b",
        "a\0b",
        "Zoë",
        &long,
    ];
    let folders: HashSet<String> = hostile.iter().map(|user| user_folder(Some(user))).collect();
    assert_eq!(folders.len(), hostile.len());
    for folder in &folders {
        let digest = folder.split_once('~').map(|(_, digest)| digest.len());
        assert_eq!(digest, Some(16), "{folder}");
        assert!(!folder.starts_with('.') && !folder.contains('/') && folder.len() <= 81, "{folder}");
    }
}

proptest! {
    #[test]
    fn any_user_gives_a_name_that_every_file_system_takes(user in any::<String>(), editor in any::<Vec<u8>>(), id in any::<Vec<u8>>()) {
        let mut exchange = with(Some(&user), "[fe80:1111:2222:3333:4444:5555:6666:7777]:9", &[]);
        exchange.request.head.fields.push(b"editor-version", &editor);
        exchange.request.head.fields.push(b"vscode-machineid", &id);
        let name = file_name(&stem(&exchange), u32::MAX);
        prop_assert!(name.len() <= 255 && name.starts_with("2024-"), "{}", name);
        prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@+-".contains(&b)), "{}", name);
        let folder = user_folder(Some(&user));
        prop_assert!(!folder.starts_with('.') && !folder.is_empty() && folder.len() <= 255);
        prop_assert!(folder.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@+-~".contains(&b)), "{}", folder);
        prop_assert!(folder == user || folder.contains('~'), "{}", folder);
    }
}
