//! An exchange's kind, and the few facts that people look for first.
//!
//! Runs where the body has been decoded: on the writer, not on the connection's task.

mod client;
mod facts;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use client::{editor_version, machine_id, plugin_version};

use crate::exchange::{AbortedBy, Exchange, ExchangeId};
use crate::rules::{Kind, KindTable, model_in_path};
use facts::Facts;

/// Longest editor, language or model that is told: they are names, and whoever sends a novel must not fill a screen.
const NAME_MAX: usize = 100;

/// What the line on stderr (and later the live view) says about a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The record's id.
    pub id: ExchangeId,
    /// What the exchange is about.
    pub kind: Kind,
    /// Name of the rule that said so.
    pub rule: Arc<str>,
    /// When the request began.
    pub began: SystemTime,
    /// The user of the tunnel, if anybody was asked.
    pub user: Option<Arc<str>>,
    /// The host that the request is for, in lower case.
    pub host: String,
    /// The path, without its query, which may hold keys.
    pub path: String,
    /// The method.
    pub method: String,
    /// None when no response came.
    pub status: Option<u16>,
    /// `vscode/1.95.3`, from `Editor-Version`; for telemetry, from the first event.
    pub editor: Option<String>,
    /// Programming language of a completion (`extra.language`).
    pub language: Option<String>,
    /// `model` of the request body, or the engine in the path.
    pub model: Option<String>,
    /// First request byte to last response byte.
    pub duration: Option<Duration>,
    /// Size of the decoded request body, in bytes.
    pub request_size: u64,
    /// Size of the decoded response body, in bytes.
    pub response_size: u64,
    /// Both messages were seen to their end.
    pub complete: bool,
    /// Who ended it early, if somebody did.
    pub aborted_by: Option<AbortedBy>,
}

/// Says what an exchange is about. The bodies are the decoded ones, whole or as far as they are known.
#[must_use]
pub fn summarize(exchange: &Exchange, request_body: &[u8], response_body: &[u8], table: &KindTable) -> Summary {
    let head = &exchange.request.head;
    let host = exchange.host().to_ascii_lowercase();
    let method = String::from_utf8_lossy(&head.method);
    let target = String::from_utf8_lossy(&head.target);
    let path = target.split('?').next().unwrap_or_default();
    let found = table.classify(&host, &method, &target, &head.fields, request_body);

    let facts = if says_model(found.kind) { Facts::read(request_body) } else { Facts::default() };
    let editor = editor_version(head).map(std::borrow::Cow::into_owned);
    let from_events = || (found.kind == Kind::Telemetry).then(|| facts::telemetry_editor(request_body)).flatten();
    Summary {
        id: exchange.id,
        kind: found.kind,
        rule: found.rule,
        began: exchange.began,
        user: exchange.connection.user.clone(),
        path: path.to_owned(),
        status: exchange.response.as_ref().map(|response| response.head.status),
        editor: editor.or_else(from_events).map(shortened),
        language: facts.language.map(shortened),
        model: facts.model.or_else(|| model_in_path(path).map(str::to_owned)).map(shortened),
        duration: exchange.timings.last_byte,
        request_size: request_body.len() as u64,
        response_size: response_body.len() as u64,
        complete: exchange.complete,
        aborted_by: exchange.aborted_by,
        host,
        method: method.into_owned(),
    }
}

/// Whether requests of this kind name a model: others, some of them large, are not read for it.
fn says_model(kind: Kind) -> bool {
    matches!(kind, Kind::Completions | Kind::Chat | Kind::Nes | Kind::Embeddings | Kind::Extension | Kind::Other)
}

fn shortened(mut name: String) -> String {
    if let Some((end, _)) = name.char_indices().nth(NAME_MAX) {
        name.truncate(end);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::{exchange, response_head};
    use crate::exchange::{Body, Message};

    fn summary(host: &str, target: &str, pairs: &[(&str, &str)], body: &str) -> Summary {
        summarize(&exchange(host, "POST", target, pairs), body.as_bytes(), b"12345", &KindTable::builtin())
    }

    #[test]
    fn a_completion_tells_editor_language_and_engine() {
        let body = r#"{"prompt":"p","extra":{"language":"python"}}"#;
        let mut exchange = exchange(
            "Proxy.Enterprise.githubcopilot.com",
            "POST",
            "/v1/engines/copilot-codex/completions?key=secret",
            &[
                ("Editor-Version", "vscode/1.95.3"),
                ("VScode-MachineId", "4ce93ec3b2500"),
                ("Editor-Plugin-Version", "copilot/1"),
            ],
        );
        exchange.response =
            Some(Message { head: response_head(200, &[]), body: Body::default(), trailers: None, ended: true });
        exchange.timings.last_byte = Some(Duration::from_millis(382));
        exchange.complete = true;
        let summary = summarize(&exchange, body.as_bytes(), b"12345", &KindTable::builtin());
        assert_eq!(
            summary,
            Summary {
                id: exchange.id,
                kind: Kind::Completions,
                rule: "completions".into(),
                began: exchange.began,
                user: None,
                host: "proxy.enterprise.githubcopilot.com".into(),
                path: "/v1/engines/copilot-codex/completions".into(),
                method: "POST".into(),
                status: Some(200),
                editor: Some("vscode/1.95.3".into()),
                language: Some("python".into()),
                model: Some("copilot-codex".into()),
                duration: Some(Duration::from_millis(382)),
                request_size: body.len() as u64,
                response_size: 5,
                complete: true,
                aborted_by: None,
            }
        );
        let head = &exchange.request.head;
        assert_eq!(machine_id(head).as_deref(), Some("4ce93ec3b2500"));
        assert_eq!(plugin_version(head).as_deref(), Some("copilot/1"));
    }

    #[test]
    fn the_model_of_the_body_goes_before_the_path() {
        let model = |host, target, body| summary(host, target, &[], body).model;
        let (proxy, api) = ("proxy.individual.githubcopilot.com", "api.githubcopilot.com");
        assert_eq!(model(proxy, "/chat/completions", r#"{"model":"nes-1"}"#).as_deref(), Some("nes-1"));
        assert_eq!(model(api, "/v1/engines/a/completions", r#"{"model":"b"}"#).as_deref(), Some("b"));
        assert_eq!(model(api, "/models/a/chat/completions", "{}").as_deref(), Some("a"));
        assert_eq!(model(api, "/models", ""), None);
        assert_eq!(model(api, "/models/session", ""), None);
        assert_eq!(model(api, "/chat/completions", "not JSON"), None);
        let long = format!(r#"{{"model":"{}"}}"#, "é".repeat(5_000));
        assert_eq!(model(api, "/responses", &long).unwrap().chars().count(), 100);
    }

    #[test]
    fn telemetry_has_its_editor_in_the_body() {
        let body = r#"[{"data":{"baseData":{"properties":{"editor_version":"vscode/1.95.3"}}}}]"#;
        let summary = summary("copilot-telemetry.githubusercontent.com", "/telemetry", &[], body);
        assert_eq!((summary.kind, summary.editor.as_deref()), (Kind::Telemetry, Some("vscode/1.95.3")));
        assert_eq!((summary.model, summary.status, summary.complete), (None, None, false));
    }

    #[test]
    fn the_hosts_own_name_decides_before_the_tunnels() {
        let pairs = [("Host", "proxy.individual.githubcopilot.com:443")];
        assert_eq!(summary("api.githubcopilot.com", "/chat/completions", &pairs, "").kind, Kind::Nes);
        assert_eq!(summary("api.githubcopilot.com", "/chat/completions", &[], "").kind, Kind::Chat);
    }
}
