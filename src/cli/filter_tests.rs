use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    filter: FilterArgs,
}

fn filter(words: &[&str]) -> Filter {
    Cli::try_parse_from(["x"].iter().chain(words)).unwrap().filter.filter()
}

fn refusal(words: &[&str]) -> String {
    let error = Cli::try_parse_from(["x"].iter().chain(words)).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn nothing_given_asks_for_all() {
    assert_eq!(filter(&[]), Filter::default());
    assert_eq!(filter(&["--text", "  "]), Filter::default());
}

#[test]
fn lists_are_repeated_or_separated_by_commas() {
    let asked = filter(&[
        "--kind",
        "chat,nes",
        "--kind",
        "completions",
        "--user",
        "ann,-",
        "--host",
        "*.Example.com",
        "--status",
        "200,4xx,none",
        "--model",
        "m-1",
        "--language",
        "rust, c",
        "--editor",
        "vscode/1.95.3",
        "--slower-than",
        "2s",
        "--cancelled",
        "--failed",
        "--text",
        "a, b",
    ]);
    let wanted = Filter {
        kinds: vec![Kind::Chat, Kind::Nes, Kind::Completions],
        users: vec!["ann".into(), "-".into()],
        hosts: vec!["*.example.com".into()],
        statuses: vec![200, 4, 0],
        models: vec!["m-1".into()],
        languages: vec!["rust".into(), "c".into()],
        editors: vec!["vscode/1.95.3".into()],
        since: None,
        until: None,
        slower_than: Some(2000.0),
        cancelled: true,
        failed: true,
        text: Some("a, b".into()),
    };
    assert_eq!(asked, wanted);
}

#[test]
fn a_wrong_value_is_named_with_what_is_allowed() {
    for (words, allowed) in [
        (["--kind", "chats"], "there are completions, telemetry"),
        (["--status", "99"], "a class such as 4xx"),
        (["--status", "xxx"], "a class such as 4xx"),
        (["--status", "0xx"], "a class such as 4xx"),
        (["--status", "0"], "or none"),
        (["--host", "a*b"], "*.example.com"),
        (["--slower-than", "long"], "1.5s"),
        (["--slower-than", "NaN"], "1.5s"),
        (["--since", "tomorrow"], "yesterday or now"),
        (["--until", "2026-13-01"], "yesterday or now"),
        (["--user", ""], "it is empty"),
    ] {
        let said = refusal(&words);
        assert!(said.contains(allowed) && said.contains(&format!("'{}'", words[1])), "{said}");
    }
}
