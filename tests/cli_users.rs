//! `users`: the real binary in a folder of its own.

mod support;

use std::fs;

use support::program::{Folder, Outcome};

fn password_of(outcome: &Outcome) -> String {
    outcome.stdout.strip_suffix('\n').expect("a whole line").to_owned()
}

#[test]
fn a_user_is_added_with_a_password_that_is_shown_once() {
    let folder = Folder::new();
    let added = folder.run(&["users", "add", "ann"]);
    added.succeeds();
    let password = password_of(&added);
    assert_eq!(password.len(), 24, "{password}");
    assert!(!added.stderr.contains(&password), "{}", added.stderr);
    let file = folder.read("users.toml");
    assert!(file.contains("name = \"ann\"") && file.contains("$argon2id$") && !file.contains(&password), "{file}");

    folder.run_with(&["users", "check", "ann", "--password-stdin"], &password).succeeds();
    folder.run_with(&["users", "check", "ann", "--password-stdin"], &format!("{password}\n")).succeeds();
    folder.run_with(&["users", "check", "ann", "--password-stdin"], "guess").fails(1, "the password is not \"ann\"'s");
    folder.run(&["users", "check", "ann"]).succeeds();
    folder.run(&["users", "check", "bob"]).fails(1, "there is no user \"bob\"");
}

#[test]
fn the_password_may_come_on_stdin_and_holds_anything() {
    let folder = Folder::new();
    folder.run_with(&["users", "add", "josé@corp", "--password-stdin"], "p@ss:w/%rd é\n").succeeds().says_nothing();
    folder.run_with(&["users", "check", "josé@corp", "--password-stdin"], "p@ss:w/%rd é").succeeds();
    folder.run_with(&["users", "add", "x", "--password-stdin"], "\n").fails(2, "the password is empty");
    folder.run_with(&["users", "add", "x", "--password-stdin"], "a\nb\n").fails(2, "more than one line");
    folder.run(&["users", "check", "x"]).fails(1, "there is no user");
}

#[test]
fn users_are_listed_removed_and_replaced() {
    let folder = Folder::new();
    for name in ["bob", "ann"] {
        folder.run_with(&["users", "add", name, "--password-stdin"], "one").succeeds();
    }
    assert_eq!(folder.run(&["users", "list"]).stdout, "ann\nbob\n");
    folder.run_with(&["users", "add", "ann", "--password-stdin"], "two").fails(2, "exists already");
    folder.run_with(&["users", "add", "ann", "--password-stdin", "--replace"], "two").succeeds();
    folder.run_with(&["users", "check", "ann", "--password-stdin"], "two").succeeds();
    folder.run(&["users", "remove", "ann"]).succeeds();
    folder.run(&["users", "remove", "ann"]).fails(1, "there is no user \"ann\"");
    assert_eq!(folder.run(&["users", "list"]).stdout, "bob\n");
    folder.run(&["users", "remove", "bob"]).succeeds();
    folder.run(&["users", "list"]).fails(1, "nobody is in users.toml");
}

#[test]
fn roles_are_given_changed_and_shown() {
    let folder = Folder::new();
    folder.run(&["users", "add", "ann", "--role", "admin,statistics"]).succeeds();
    folder.run(&["users", "add", "bob"]).succeeds();
    folder.run(&["users", "add", "carl", "--role", "none"]).succeeds();
    let shown = |roles: &str| assert_eq!(folder.run(&["users", "list", "--roles"]).succeeds().stdout, roles);
    shown("ann\tadmin,statistics\nbob\tself\ncarl\tnone\n");
    assert_eq!(folder.run(&["users", "list"]).stdout, "ann\nbob\ncarl\n");
    folder.run(&["users", "role", "bob", "self", "reviewer"]).succeeds().says_nothing();
    folder.run(&["users", "role", "carl", "statistics"]).succeeds();
    folder.run(&["users", "add", "ann", "--replace"]).succeeds();
    shown("ann\tadmin,statistics\nbob\treviewer,self\ncarl\tstatistics\n");

    let before = folder.read("users.toml");
    folder.run(&["users", "role", "dora", "self"]).fails(1, "there is no user \"dora\"");
    folder.run(&["users", "role", "bob", "none", "self"]).fails(2, "`none` cannot stand beside other roles");
    for (words, says) in [
        (&["users", "role", "bob", "root"][..], "there is no role \"root\"; the roles are admin, reviewer"),
        (&["users", "role", "bob"], "<ROLE>"),
        (&["users", "add", "eve", "--role", "Admin"], "there is no role \"Admin\""),
    ] {
        let outcome = folder.run(words);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
    assert_eq!(folder.read("users.toml"), before);
}

#[cfg(unix)]
#[test]
fn the_file_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.run(&["users", "add", "ann"]).succeeds();
    assert_eq!(fs::metadata(folder.path("users.toml")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.names(), ["users.toml"], "nothing else is left behind");
}

#[test]
fn the_file_is_named_by_flag_environment_or_configuration() {
    let folder = Folder::new();
    folder.run(&["users", "--users", "a.toml", "add", "ann"]).succeeds();
    folder.run(&["users", "add", "ann", "--users", "b.toml"]).succeeds();
    folder.run_in(&["users", "add", "ann"], &[("COPILOT_RECORDER_USERS", "c.toml")]).succeeds();
    folder.write("copilot-recorder.toml", "users = \"d.toml\"\n");
    folder.run(&["users", "add", "ann"]).succeeds();
    assert_eq!(folder.names(), ["a.toml", "b.toml", "c.toml", "copilot-recorder.toml", "d.toml"]);
}

#[test]
fn a_malformed_file_names_its_line_and_stays_as_it_is() {
    let folder = Folder::new();
    let text = "[[user]]\nname = \"ann\"\nhash = \"secret-in-clear\"\n";
    folder.write("users.toml", text);
    for words in
        [&["users", "list"][..], &["users", "add", "bob"], &["users", "remove", "ann"], &["users", "check", "ann"]]
    {
        let outcome = folder.run(words);
        outcome.fails(2, "users file users.toml, line 3: not a password hash");
        assert!(!outcome.stderr.contains("secret-in-clear"), "{}", outcome.stderr);
    }
    assert_eq!(folder.read("users.toml"), text);
    folder.run(&["--listen", "127.0.0.1:0"]).fails(2, "users.toml, line 3");
}

#[test]
fn names_that_are_none() {
    let folder = Folder::new();
    let long = "x".repeat(5000);
    for (name, says) in [("", "empty"), ("a:b", "colon"), ("a\nb", "control"), ("\x1b[2J", "control"), (&long, "128")] {
        let outcome = folder.run(&["users", "add", name]);
        outcome.fails(2, says);
        assert!(!outcome.stderr.contains('\x1b'), "{:?}", outcome.stderr);
    }
    folder.run(&["users", "remove", "ann"]).fails(2, "there is none; `copilot-recorder users add NAME` makes it");
    let outcome = folder.run(&["users", "check", "\x1b[2Jx", "--users", "/nonexistent/\x1b[2J"]);
    outcome.fails(2, "there is none");
    assert!(!outcome.stderr.contains('\x1b'), "{:?}", outcome.stderr);
}

#[test]
fn names_that_are_none_in_a_file_written_by_hand() {
    let folder = Folder::new();
    folder.run(&["users", "add", "ann"]).succeeds();
    let good = folder.read("users.toml");
    let long = "x".repeat(5000);
    for (name, says) in [(&*long, "128"), (r"a\u0000b", "control"), ("a\0b", "line"), ("a:b", "colon"), ("", "empty")] {
        let text = good.replace("name = \"ann\"", &format!("name = \"{name}\""));
        assert_ne!(text, good);
        folder.write("users.toml", &text);
        for words in [&["users", "list"][..], &["users", "add", "bob"], &["--listen", "127.0.0.1:0"]] {
            let outcome = folder.run(words);
            outcome.fails(2, "users.toml, line ");
            assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
            assert!(outcome.stderr.len() < 1000 && !outcome.stderr.contains('\0'), "{:?}", outcome.stderr);
        }
        assert_eq!(folder.read("users.toml"), text, "a file that is wrong stays as it is");
    }
    // A path is a name as good as any: what it becomes in a file's name is the store's affair.
    folder.write("users.toml", &good.replace("name = \"ann\"", "name = \"../../x\""));
    assert_eq!(folder.run(&["users", "list"]).succeeds().stdout, "../../x\n");
}

#[test]
fn a_folder_that_cannot_be_written_is_no_usage_error() {
    let folder = Folder::new();
    folder.run(&["users", "add", "ann", "--users", "missing/users.toml"]).fails(3, "cannot be written");
}
