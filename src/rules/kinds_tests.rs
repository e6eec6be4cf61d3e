use super::*;
use crate::exchange::testing::{fields, request_head};

fn kind(method: &str, url: &str) -> (Kind, String) {
    let (host, path) = url.split_once('/').unwrap();
    let path = format!("/{path}");
    let table = KindTable::builtin();
    let found = table.classify(host, method, &path, &Fields::default(), b"");
    assert_eq!(table.possible(host, method, &path, &Fields::default()), [found.kind], "{url}");
    (found.kind, found.rule.to_string())
}

#[test]
fn real_addresses_have_their_kinds() {
    for (wanted, method, url) in [
        (Kind::Auth, "POST", "github.com/login/device/code"),
        (Kind::Auth, "POST", "github.com/login/oauth/access_token"),
        (Kind::Auth, "GET", "api.github.com/copilot_internal/v2/token"),
        (Kind::Auth, "GET", "api.acme.ghe.com/copilot_internal/v2/token"),
        (Kind::Auth, "GET", "api.github.com/copilot_internal/user"),
        (Kind::Auth, "GET", "acme.ghe.com/login/device/code"),
        (Kind::Telemetry, "POST", "copilot-telemetry.githubusercontent.com/telemetry"),
        (Kind::Telemetry, "POST", "telemetry.individual.githubcopilot.com/telemetry"),
        (Kind::Telemetry, "POST", "copilot-telemetry-service.acme.ghe.com/telemetry"),
        (Kind::Telemetry, "POST", "collector.github.com/github/collect"),
        (Kind::Telemetry, "POST", "mobile.events.data.microsoft.com/OneCollector/1.0"),
        (Kind::Telemetry, "POST", "dc.services.visualstudio.com/v2/track"),
        (Kind::Experiment, "GET", "copilot-telemetry.githubusercontent.com/telemetry"),
        (Kind::Experiment, "GET", "telemetry.individual.githubcopilot.com/telemetry?tasKey=x"),
        (Kind::Experiment, "GET", "default.exp-tas.com/vscode/ab"),
        (Kind::Completions, "POST", "copilot-proxy.githubusercontent.com/v1/engines/copilot-codex/completions"),
        (Kind::Completions, "POST", "proxy.individual.githubcopilot.com/v1/engines/gpt-4o-copilot/completions"),
        (Kind::Completions, "POST", "proxy.business.githubcopilot.com/v1/engines/a-model-of-tomorrow/completions"),
        (Kind::Completions, "POST", "copilot-proxy.acme.ghe.com/v1/engines/gpt-41-copilot/completions"),
        (Kind::Nes, "POST", "proxy.individual.githubcopilot.com/chat/completions"),
        (Kind::Nes, "POST", "copilot-proxy.githubusercontent.com/chat/completions"),
        (Kind::Nes, "POST", "copilot-proxy.acme.ghe.com/v1/chat/completions"),
        (Kind::Chat, "POST", "api.individual.githubcopilot.com/chat/completions"),
        (Kind::Chat, "POST", "api.githubcopilot.com/v1/chat/completions"),
        (Kind::Chat, "POST", "copilot-api.acme.ghe.com/models/x/chat/completions"),
        (Kind::Chat, "POST", "api.enterprise.githubcopilot.com/responses"),
        (Kind::Chat, "GET", "api.enterprise.githubcopilot.com/responses"),
        (Kind::Chat, "POST", "api.githubcopilot.com/v1/messages"),
        (Kind::Extension, "POST", "api.githubcopilot.com/agents/some-agent?chat"),
        (Kind::Extension, "GET", "api.githubcopilot.com/agents"),
        (Kind::Mcp, "POST", "api.githubcopilot.com/mcp/readonly"),
        (Kind::Mcp, "GET", "copilot-api.acme.ghe.com/mcp/"),
        (Kind::Models, "GET", "api.githubcopilot.com/models"),
        (Kind::Models, "GET", "proxy.individual.githubcopilot.com/models"),
        (Kind::Models, "GET", "api.individual.githubcopilot.com/models/session"),
        (Kind::Embeddings, "POST", "api.githubcopilot.com/embeddings"),
        (Kind::Index, "POST", "api.github.com/external/code/ingest/coded_symbols"),
        (Kind::Index, "POST", "api.github.com/external/embeddings/code/search"),
        (Kind::Snippy, "POST", "origin-tracker.githubusercontent.com/anything/at/all"),
        (Kind::Snippy, "POST", "origin-tracker.individual.githubcopilot.com/x"),
        (Kind::Other, "GET", "api.githubcopilot.com/_ping"),
        (Kind::Other, "GET", "copilot-proxy.githubusercontent.com/_ping"),
        (Kind::Other, "GET", "copilot-telemetry.githubusercontent.com/_ping"),
        (Kind::Other, "POST", "api.githubcopilot.com/auto"),
        (Kind::Other, "GET", "api.githubcopilot.com/"),
        (Kind::Other, "POST", "api.githubcopilot.com/telemetry"),
    ] {
        assert_eq!(kind(method, url).0, wanted, "{method} {url}");
    }
}

#[test]
fn every_row_is_the_first_for_something() {
    let examples = [
        ("auth-internal", "GET", "api.github.com/copilot_internal/user"),
        ("auth-login", "POST", "github.com/login/device/code"),
        ("experiment-flags", "GET", "telemetry.individual.githubcopilot.com/telemetry"),
        ("experiment-tas", "GET", "default.exp-tas.com/x"),
        ("telemetry", "POST", "telemetry.individual.githubcopilot.com/telemetry"),
        ("telemetry-shared", "POST", "collector.github.com/x"),
        ("completions", "POST", "proxy.individual.githubcopilot.com/v1/engines/x/completions"),
        ("nes", "POST", "proxy.individual.githubcopilot.com/chat/completions"),
        ("chat", "POST", "api.githubcopilot.com/chat/completions"),
        ("extension", "GET", "api.githubcopilot.com/agents/x"),
        ("mcp", "POST", "api.githubcopilot.com/mcp/"),
        ("models", "GET", "api.githubcopilot.com/models"),
        ("index", "GET", "api.github.com/external/code/ingest"),
        ("embeddings", "POST", "api.githubcopilot.com/v1/embeddings"),
        ("snippy", "POST", "origin-tracker.githubusercontent.com/x"),
        ("other", "GET", "api.githubcopilot.com/"),
    ];
    let names: Vec<_> = KindTable::builtin().rows.iter().map(|row| row.name.to_string()).collect();
    assert_eq!(names, examples.map(|(rule, ..)| rule));
    for (rule, method, url) in examples {
        assert_eq!(kind(method, url).1, rule);
    }
}

#[test]
fn kinds_are_read_as_they_are_written() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    let error = "completion".parse::<Kind>().unwrap_err().to_string();
    assert!(error.contains("\"completion\"") && error.contains("completions, telemetry, chat"), "{error}");
    assert!(Kind::DEFAULT.iter().all(|kind| Kind::ALL.contains(kind)));
}

const BODY_ROWS: &str = r#"
    [[kind]]
    name = "search"
    kind = "index"
    methods = ["POST"]
    first_label = ["proxy"]
    header = { name = "OpenAI-Intent", prefix = "search" }

    [[kind]]
    name = "review"
    kind = "chat"
    paths = ["**/chat/completions"]
    body = { pointer = "/messages/0/role", equals = "system" }
"#;

fn rows(text: &str) -> Vec<KindRow> {
    toml::from_str::<File>(text).unwrap().kind
}

#[test]
fn rows_in_front_may_test_headers_and_bodies() {
    let table = KindTable::builtin().prepend(rows(BODY_ROWS));
    let (host, path) = ("proxy.individual.githubcopilot.com", "/chat/completions");
    let none = Fields::default();
    let rule =
        |fields: &Fields, body: &str| table.classify(host, "POST", path, fields, body.as_bytes()).rule.to_string();
    assert_eq!(rule(&fields(&[("openai-intent", "search-code")]), ""), "search");
    assert_eq!(rule(&fields(&[("openai-intent", "conversation")]), ""), "nes");
    assert_eq!(rule(&none, r#"{"messages":[{"role":"system"}]}"#), "review");
    assert_eq!(rule(&none, r#"{"messages":[{"role":"user"}]}"#), "nes");
    assert_eq!(rule(&none, "not JSON"), "nes");
    assert_eq!(table.possible(host, "POST", path, &none), [Kind::Chat, Kind::Nes]);
    assert_eq!(table.possible("api.githubcopilot.com", "POST", path, &none), [Kind::Chat]);
}

#[test]
fn wanted_asks_what_it_could_be() {
    let table = KindTable::builtin().prepend(rows(BODY_ROWS));
    let head = request_head("POST", "/chat/completions?x=y", &[]);
    let wanted = |host: &str, kinds: &[Kind]| table.wanted(host, &head, kinds);
    assert!(wanted("proxy.individual.githubcopilot.com", &[Kind::Nes]));
    assert!(wanted("proxy.individual.githubcopilot.com", &[Kind::Telemetry, Kind::Chat]));
    assert!(!wanted("proxy.individual.githubcopilot.com", &[Kind::Telemetry]));
    assert!(!wanted("api.githubcopilot.com", &[Kind::Nes]));
    assert!(!wanted("api.githubcopilot.com", &[]));
}

#[test]
fn a_table_says_what_is_wrong_with_it() {
    let last = "[[kind]]\nname = \"other\"\nkind = \"other\"\n";
    assert!(KindTable::from_toml(last).is_ok());
    for (text, said) in [
        ("", "no end"),
        ("[[kind]]\nname = \"x\"\nkind = \"chat\"\npaths = [\"/x\"]\n", "no end"),
        ("[[kind]]\nname = \"x\"\nkind = \"chats\"\n", "chats"),
        ("[[kind]]\nname = \"x\"\nkind = \"chat\"\nmodel = \"y\"\n", "model"),
        ("[[kind]]\nname = \"x\"\nkind = \"chat\"\npaths = [\"x\"]\n", "begins with a slash"),
        ("[[kind]]\nname = \"x\"\nkind = \"chat\"\nhosts = [\"*\"]\n", "not a host pattern"),
        ("[[kind]]\nname = \"x\"\nkind = \"chat\"\nfirst_label = [\"a.b\"]\n", "first label"),
        ("[[kind]\n", "TOML"),
    ] {
        let error = anyhow::Error::from(KindTable::from_toml(text).unwrap_err());
        let error = format!("{error:#}");
        assert!(error.contains(said), "{text}: {error}");
    }
}
