//! Configuration as the operator meets it: help, precedence, errors that say what to do, exit codes.

mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use copilot_recorder::config::{SETTINGS, Setting};
use support::program::Folder;

#[test]
fn help_and_version_are_results() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]);
    help.succeeds();
    for setting in SETTINGS.iter().filter(|setting| setting.flag) {
        for word in [format!("--{}", setting.flag_name()), setting.variable(), setting.default.to_owned()] {
            assert!(help.stdout.contains(&word), "{word} is not in the help");
        }
    }
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "wrapped");
    assert!(help.stdout.contains("Exit codes:"));
    assert!(!help.stdout.contains("doctor"), "it does not exist yet");
    for command in ["list", "show", "search", "stats", "tail", "reindex", "verify"] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is not in the help");
        let own = folder.run(&[command, "--help"]);
        own.succeeds();
        assert!(own.stdout.contains("--logs <DIR>"), "{}", own.stdout);
        assert!(own.stdout.lines().all(|line| line.chars().count() <= 100), "{}", own.stdout);
    }
    assert_eq!(folder.run(&["run", "--help"]).code, Some(0));
    assert_eq!(folder.run(&["--version"]).stdout, format!("copilot-recorder {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(folder.names(), [""; 0], "asking for help makes nothing");
}

#[test]
fn wrong_usage_is_told_on_stderr() {
    let folder = Folder::new();
    for words in [&["--nonsense"][..], &["nonsense"], &["--listen"], &["users"], &["users", "add"], &["ca", "burn"]] {
        let outcome = folder.run(words);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: ") || outcome.stderr.contains("Usage:"), "{outcome:?}");
    }
    assert!(folder.run(&["--lissten", "x"]).stderr.contains("'--listen'"), "what was meant");
}

#[test]
fn values_that_make_no_sense_name_the_flag_and_what_is_allowed() {
    let folder = Folder::new();
    for (words, says) in [
        (["--listen", "8080"], "--listen: \"8080\" is not an address and a port; write 127.0.0.1:8080"),
        (["--listen", "0.0.0.0:0"], "would let everybody on the network use the proxy: make a users file with"),
        (["--listen", "[::]:0"], "or say --no-auth"),
        (["--connect-to", "a:1:b"], "--connect-to: \"a:1:b\" is not HOST:PORT:ADDR:PORT"),
        (["--connect-to", "a:1:::1:2"], "IPv6 is in brackets"),
        (["--intercept", "*"], "--intercept: not a host pattern"),
        (["--record", "everything"], "there are completions, telemetry, chat,"),
        (["--layout", "{date}"], "there are {kind}, {kind}/{date} and {user}/{kind}"),
        (["--redact", "some"], "there are secrets and none"),
        (["--max-connections", "0"], "not a whole number above 0"),
        (["--allow-port", "99999"], "--allow-port: \"99999\" is not a port"),
        (["--config", "none.toml"], "configuration file none.toml: cannot be read: "),
        (["--users", "none.toml"], "users file none.toml: there is none; `copilot-recorder users add NAME` makes it"),
    ] {
        folder.run(&words).fails(2, says);
        folder.run(&["run", words[0], words[1]]).fails(2, says);
    }
}

#[test]
fn a_configuration_file_that_is_wrong_names_line_and_key() {
    for (text, says) in [
        (
            "\nlissten = \"x\"\n",
            "copilot-recorder.toml, line 2: there is no key \"lissten\"; allowed: limits, kinds, listen,",
        ),
        ("listen = 8080\n", "copilot-recorder.toml, line 1: listen must be a string, not an integer"),
        ("[limits]\nbody = \"much\"\n", "copilot-recorder.toml, line 2 (limits.body): \"much\" is not a size"),
        ("listen = \"127.0.0.1:80\n", "copilot-recorder.toml, line 1: "),
    ] {
        let folder = Folder::new();
        folder.write("copilot-recorder.toml", text);
        folder.run(&[]).fails(2, says);
        folder.run(&["ca", "show"]).code.filter(|&code| code != 0).expect("the file counts for all commands");
    }
}

#[test]
fn an_error_in_the_environment_names_the_variable_and_no_secret() {
    let folder = Folder::new();
    let run = |name: &str, value: &str| folder.run_in(&[], &[(name, value)]);
    run("COPILOT_RECORDER_NO_AUTH", "perhaps").fails(2, "COPILOT_RECORDER_NO_AUTH: \"perhaps\" is neither");
    let outcome = run("COPILOT_RECORDER_UPSTREAM_PROXY", "https://zoe:hunter2@proxy.example:3128");
    outcome.fails(2, "COPILOT_RECORDER_UPSTREAM_PROXY: the proxy itself is spoken to in plain HTTP only");
    assert!(!outcome.stderr.contains("hunter2") && !outcome.stderr.contains("zoe"), "{}", outcome.stderr);
}

#[test]
fn what_the_machine_refuses_is_exit_code_3() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    folder.run(&["--listen", &address]).fails(3, &address);
    folder.write("logs", "a file where the folder should be");
    folder.run(&["--listen", "127.0.0.1:0"]).fails(3, "logs");
}

#[test]
fn the_ca_commands_follow_the_configuration() {
    let folder = Folder::new();
    let show = |words: &[&str], environment: &[(&str, &str)], says: &str| {
        let outcome = folder.run_in(words, environment);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""), "{outcome:?}");
        assert!(outcome.stdout.contains(says), "{outcome:?}");
    };
    show(&["ca", "show"], &[], "there is no CA in certs");
    show(&["ca", "show"], &[("COPILOT_RECORDER_CERTS", "of-variable")], "there is no CA in of-variable");
    folder.write("copilot-recorder.toml", "certs = \"of-file\"\nlisten = \"0.0.0.0:8080\"\n");
    show(&["ca", "show"], &[], "there is no CA in of-file");
    show(&["ca", "--certs", "of-flag", "show"], &[], "there is no CA in of-flag");
    show(&["ca", "show", "--certs", "of-flag"], &[], "there is no CA in of-flag");
    folder.run(&["ca", "rotate", "--intercept", "copilot.example.org"]).succeeds();
    let shown = folder.run(&["ca", "show", "--intercept", "copilot.example.org"]);
    shown.succeeds();
    assert!(shown.stdout.contains("copilot.example.org"), "{}", shown.stdout);
    assert_eq!(folder.run(&["ca", "show", "--intercept", "other.example.org"]).code, Some(1));
}

#[test]
fn a_closed_pipe_is_a_clean_end() {
    let folder = Folder::new();
    folder.run(&["users", "add", "ann"]).succeeds();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = folder.command().args(["users", "list"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn the_documentation_has_every_setting_and_its_sample_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let text = fs::read_to_string(path).unwrap();
    for setting in SETTINGS {
        let key = setting.key.rsplit('.').next().unwrap();
        assert!(
            text.contains(&format!("`{}`", setting.key)) || text.contains(&format!("| `{key}`")),
            "{}",
            setting.key
        );
        assert!(text.contains(&setting.variable()), "{}", setting.variable());
        assert!(text.contains(setting.default), "{}: {}", setting.key, setting.default);
        assert!(!setting.flag || text.contains(&format!("`--{}", setting.flag_name())), "{}", setting.key);
    }
    let sample = text.split("```toml\n").find(|block| block.starts_with("# copilot-recorder.toml")).unwrap();
    let sample = sample.split("```").next().unwrap();
    let folder = Folder::new();
    folder.write("copilot-recorder.toml", sample);
    // The sample names a users file that is not there: all else has then been read.
    folder.run(&[]).fails(2, "people.toml: there is none");
    let keys = |setting: &&Setting| !sample.contains(setting.key.rsplit('.').next().unwrap());
    let missing: Vec<_> = SETTINGS.iter().filter(keys).map(|setting| setting.key).collect();
    assert_eq!(missing, [""; 0], "the sample shows every key");
}
