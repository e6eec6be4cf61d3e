//! A row for the tests of what is made of rows.

use super::Row;
use crate::archive::Form;
use crate::rules::Kind;

/// 2024-12-08T13:05:57.639893Z.
pub(crate) const BEGAN: i64 = 1_733_663_157_639_893;

/// Ghost text, as the index sees it.
pub(crate) fn row() -> Row {
    Row {
        id: "01890000-0000-7000-8000-000000000001".into(),
        file: "completions/a.json".into(),
        form: Form::Recorder,
        began: BEGAN,
        kind: Kind::Completions,
        rule: "ghost text".into(),
        user: Some("alice".into()),
        tid: Some("5e1e".into()),
        client: Some("127.0.0.1".into()),
        machine: Some("4ce93ec3b2".into()),
        session: Some("s-1".into()),
        editor: Some("vscode".into()),
        editor_version: Some("vscode/1.95.3".into()),
        plugin: Some("copilot/1.248.0".into()),
        host: "proxy.example.com".into(),
        path: "/v1/engines/gpt-41-copilot/completions".into(),
        method: "POST".into(),
        status: Some(200),
        complete: Some(true),
        aborted_by: None,
        problem: None,
        error: None,
        initiator: None,
        intent: Some("copilot-ghost".into()),
        interaction: None,
        request_id: Some("r-1".into()),
        response_id: Some("cmpl-1".into()),
        previous_response_id: None,
        speculative: false,
        model: Some("gpt-41-copilot".into()),
        model_answered: Some("gpt-41-copilot".into()),
        language: Some("python".into()),
        request_size: 76,
        response_size: 67,
        connect_ms: Some(12.1),
        tls_ms: Some(24.9),
        first_byte_ms: Some(210.3),
        first_token_ms: Some(250.0),
        total_ms: Some(382.4),
        server_ms: Some(190.0),
        tokens_in: Some(67),
        tokens_cached: None,
        tokens_out: None,
        tokens_reasoning: None,
        finish_reason: Some("stop".into()),
        choices: Some(1),
        tool_calls: Some(0),
        answer_chars: Some(13),
        noise: None,
    }
}
