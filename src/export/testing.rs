//! Rows and records for the tests of the writers.

use proptest::prelude::*;

use crate::archive::{AbortedBy, Body, Form, Record, Timings};
use crate::copilot::noise::Noise;
pub(super) use crate::index::testing::{BEGAN, row};
use crate::index::{Initiator, Row};
use crate::rules::Kind;

pub(super) const PROMPT: &str = r#"{"prompt":"def add(a, b):","stream":true,"extra":{"language":"python"}}"#;
pub(super) const EVENTS: &str = "data: {\"choices\":[{\"text\":\" return a + b\",\"index\":0}]}\n\ndata: [DONE]\n\n";

/// The record behind [`row`].
pub(crate) fn record() -> Record {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    Record {
        form: Form::Recorder,
        id: uuid::Uuid::parse_str("01890000-0000-7000-8000-000000000001").unwrap(),
        kind: Kind::Completions,
        rule: "ghost text".into(),
        user: Some("alice".into()),
        began: BEGAN,
        url: "https://proxy.example.com/v1/engines/gpt-41-copilot/completions?a=1&b".into(),
        method: "POST".into(),
        request_headers: pairs(&[("Content-Type", "application/json"), ("Editor-Version", "vscode/1.95.3")]),
        request_body: body(PROMPT),
        status: Some(200),
        response_headers: pairs(&[("content-type", "text/event-stream")]),
        response_body: body(EVENTS),
        complete: Some(true),
        aborted_by: None,
        problem: None,
        client: Some("127.0.0.1:50000".into()),
        connection: Some("01890000-0000-7000-8000-0000000000c1".into()),
        http_version: Some("HTTP/2".into()),
        timings: Timings {
            connect: Some(12.1),
            tls: Some(24.9),
            request_end: Some(1.3),
            first_byte: Some(210.3),
            last_byte: Some(382.4),
        },
        chunks: vec![(250.0, 67)],
        messages: None,
    }
}

/// A body that is text.
pub(super) fn body(text: &str) -> Body {
    Body { text: text.to_owned(), size: text.len() as u64, ..Body::default() }
}

/// Rows with all that may stand in them.
pub(super) fn any_row() -> impl Strategy<Value = Row> {
    // Texts that tables trip over come often enough.
    let text = || prop_oneof![any::<String>(), "[=+@'\t\r\n\",;-]{1,4}[a-z\u{9b}]{0,3}"];
    let some = move || prop::option::of(text());
    let number = || prop::option::of(any::<u32>().prop_map(f64::from).prop_map(|n| n / 10.0));
    let count = || prop::option::of(any::<u64>());
    let aborted = [AbortedBy::Client, AbortedBy::Upstream, AbortedBy::Shutdown];
    let noises = [Noise::NoText, Noise::Stop, Noise::NotUser, Noise::Tools];
    (
        (text(), some(), some(), some(), some(), some(), text(), text()),
        (prop::option::of(any::<u16>()), prop::option::of(any::<bool>()), any::<bool>()),
        (number(), number(), count(), count(), any::<u64>()),
        (prop::sample::select(&Kind::ALL), prop::option::of(prop::sample::select(aborted.to_vec()))),
        (prop::option::of(prop::sample::select(noises.to_vec())), 0..BEGAN * 2, any::<bool>()),
    )
        .prop_map(|(texts, status, numbers, (kind, aborted_by), (noise, began, older))| Row {
            id: texts.0,
            user: texts.1,
            editor_version: texts.2,
            error: texts.3,
            model: texts.4,
            language: texts.5,
            path: texts.6,
            file: texts.7,
            status: status.0,
            complete: status.1,
            speculative: status.2,
            first_byte_ms: numbers.0,
            total_ms: numbers.1,
            tokens_in: numbers.2,
            tokens_out: numbers.3,
            request_size: numbers.4,
            kind,
            aborted_by,
            noise,
            began,
            initiator: older.then_some(Initiator::Agent),
            form: if older { Form::Older } else { Form::Recorder },
            ..row()
        })
}
