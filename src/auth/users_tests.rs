use std::fs;

use super::*;

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn malformed(text: &str) -> (usize, String) {
    let error = Users::parse(text).unwrap_err();
    (error.line, error.reason)
}

#[test]
fn a_user_is_added_found_and_removed() {
    let dir = folder();
    let path = dir.path().join("users.toml");
    add(&path, "ann", "secret one", None, false).unwrap();
    add(&path, "bob@corp \"é\"", "secret two", None, false).unwrap();
    let users = Users::load(&path).unwrap();
    assert_eq!(users.sorted().iter().map(|user| &*user.name).collect::<Vec<_>>(), ["ann", "bob@corp \"é\""]);
    assert!(users.verify("ann", "secret one"));
    assert!(!users.verify("ann", "secret two"));
    assert!(!users.verify("nobody", "secret one"));
    assert!(!fs::read_to_string(&path).unwrap().contains("secret"));

    remove(&path, "ann").unwrap();
    let users = Users::load(&path).unwrap();
    assert_eq!(users.len(), 1);
    assert!(users.verify("bob@corp \"é\"", "secret two"));
    remove(&path, "bob@corp \"é\"").unwrap();
    assert!(Users::load(&path).unwrap().is_empty());
}

#[test]
fn an_existing_user_is_replaced_only_on_request_and_keeps_roles_and_comments() {
    let dir = folder();
    let path = dir.path().join("users.toml");
    let text = format!(
        "# our people\n\n[[user]]\nname = 'ann' # the boss\nhash = '{HASH}'\nroles = [\"reviewer\", \"self\"]\n\n# next\n[[user]]\nname = \"bob\"\nhash = \"{HASH}\""
    );
    fs::write(&path, &text).unwrap();
    assert!(matches!(add(&path, "ann", "new", None, false), Err(UsersError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "untouched");

    add(&path, "ann", "new", None, true).unwrap();
    let users = Users::load(&path).unwrap();
    assert!(users.verify("ann", "new"));
    assert_eq!(users.find("ann").unwrap().roles.to_string(), "reviewer,self");
    add(&path, "carl", "pw", None, false).unwrap();
    remove(&path, "ann").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with(&format!(
            "# our people\n\n# next\n[[user]]\nname = \"bob\"\nhash = \"{HASH}\"\n\n[[user]]\nname = \"carl\"\n"
        )),
        "{text}"
    );
}

#[test]
fn roles_are_read_given_and_changed_in_place() {
    let dir = folder();
    let path = dir.path().join("users.toml");
    let roles = |names: &[Role]| names.iter().copied().collect::<Roles>();
    let of = |name: &str| Users::load(&path).unwrap().find(name).unwrap().roles;
    let text = format!(
        "# all\n[[user]]\nname = \"ann\"\nhash = \"{HASH}\" # old\n\n[[user]]\nname = \"bob\"\nroles = [ # none\n] # yet\nhash = \"{HASH}\""
    );
    fs::write(&path, &text).unwrap();
    assert_eq!((of("ann"), of("bob")), (Roles::OWN, Roles::NONE));

    set_roles(&path, "ann", Roles::OWN).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "they are what they were");
    set_roles(&path, "ann", roles(&[Role::Own, Role::Admin])).unwrap();
    set_roles(&path, "bob", roles(&[Role::Statistics])).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text.replace("# old\n", "# old\nroles = [\"admin\", \"self\"]\n").replace("[ # none\n]", "[\"statistics\"]")
    );
    set_roles(&path, "ann", Roles::NONE).unwrap();
    assert_eq!((of("ann"), of("bob")), (Roles::NONE, roles(&[Role::Statistics])));
    assert!(matches!(set_roles(&path, "carl", Roles::OWN), Err(UsersError::Unknown { .. })));

    add(&path, "carl", "pw", Some(roles(&[Role::Reviewer])), false).unwrap();
    assert_eq!(of("carl"), roles(&[Role::Reviewer]));
    add(&path, "bob", "pw", Some(Roles::OWN), true).unwrap();
    assert_eq!((of("ann"), of("bob"), of("carl")), (Roles::NONE, Roles::OWN, roles(&[Role::Reviewer])));
    assert!(Users::load(&path).unwrap().verify("bob", "pw"));
    // The last row may end without a newline.
    fs::write(&path, format!("[[user]]\nname = \"ann\"\nhash = \"{HASH}\"")).unwrap();
    set_roles(&path, "ann", Roles::NONE).unwrap();
    assert_eq!(of("ann"), Roles::NONE);
}

#[test]
fn a_file_of_inline_tables_is_left_as_it_is() {
    let dir = folder();
    let path = dir.path().join("users.toml");
    let text = format!("user = [{{ name = \"ann\", hash = \"{HASH}\" }}, {{ name = \"bob\", hash = \"{HASH}\" }}]\n");
    fs::write(&path, &text).unwrap();
    assert_eq!(Users::load(&path).unwrap().len(), 2);
    assert!(matches!(remove(&path, "ann"), Err(UsersError::Form { .. })));
    assert!(matches!(set_roles(&path, "ann", Roles::NONE), Err(UsersError::Form { .. })));
    assert!(matches!(add(&path, "carl", "x", None, false), Err(UsersError::Form { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_malformed_file_names_the_line_and_what_is_wrong() {
    let good = format!("[[user]]\nname = \"ann\"\nhash = \"{HASH}\"\n");
    for (text, line, says) in [
        ("[[user]]\nname = ann\n".to_owned(), 2, ""),
        ("[[user]]\nname = \"ann\"\n".to_owned(), 1, "hash"),
        ("\n[[user]]\nname = \"ann\"\nhash = \"secret\"\n".to_owned(), 4, "argon2id"),
        ("[[user]]\nname = \"ann\"\nhash = 5\n".to_owned(), 3, "integer"),
        (good.clone() + "admin = true\n", 4, "admin"),
        (good.clone() + "\n" + good.as_str(), 6, "twice"),
        (good.clone() + "[other]\n", 4, "other"),
        (good.clone() + "roles = [\n  'self', # own\n  'x',\n]\n", 6, "no role \"x\"; the roles are admin, reviewer"),
        (good.clone() + "roles = 'admin'\n", 4, "sequence"),
        (good.clone() + "roles = [1]\n", 4, "string"),
        (good.replace("ann", "a:b"), 2, "colon"),
        (good.replace("ann", ""), 2, "empty"),
        (good.replace("ann", "a\\u0000b"), 2, "control"),
        (good.replace("ann", &"ä".repeat(129)), 2, "128"),
    ] {
        let (at, reason) = malformed(&text);
        assert_eq!(at, line, "{text}: {reason}");
        assert!(reason.contains(says) && !reason.contains('\n'), "{text}: {reason}");
    }
    assert_eq!(Users::parse(&good.replace("ann", &"ä".repeat(128))).unwrap().len(), 1);
    assert!(Users::parse("# nobody yet\n").unwrap().is_empty());
}

#[test]
fn errors_name_the_file_and_the_secret_stays_out() {
    let dir = folder();
    let path = dir.path().join("people.toml");
    let error = Users::load(&path).unwrap_err();
    assert!(error.to_string().contains("people.toml: there is none; `copilot-recorder users add NAME`"), "{error}");
    assert!(matches!(remove(&path, "ann"), Err(UsersError::Missing { .. })));
    fs::write(&path, b"\xff").unwrap();
    assert!(matches!(Users::load(&path), Err(UsersError::Read { .. })));
    fs::write(&path, "[[user]]\nname = \"ann\"\nhash = \"hunter2\"\n").unwrap();
    let error = Users::load(&path).unwrap_err().to_string();
    assert!(error.contains("people.toml, line 3: ") && !error.contains("hunter2"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = folder();
    let path = dir.path().join("real.toml");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(file::open_to_others(&path));
    let link = dir.path().join("users.toml");
    symlink("real.toml", &link).unwrap();
    add(&link, "ann", "secret", None, false).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!file::open_to_others(&link));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn edits_at_the_same_time_are_all_kept() {
    let dir = folder();
    let path = dir.path().join("users.toml");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let path = &path;
            scope.spawn(move || add(path, &format!("user{n}"), "secret", None, false).unwrap());
        }
    });
    assert_eq!(Users::load(&path).unwrap().len(), 4);
}
