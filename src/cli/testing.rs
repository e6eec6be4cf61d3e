//! Rows for the tests of what is shown.

use crate::index::{Row, testing};

/// A completion of 2026-11-20 09:00:05.25 UTC by alice, whose client says little of itself.
pub(super) fn row(id: &str) -> Row {
    Row {
        id: id.to_owned(),
        file: format!("completions/{id}.json"),
        began: 1_795_165_205_250_000,
        tid: None,
        machine: None,
        session: None,
        plugin: Some("copilot/1.2".into()),
        intent: None,
        model: Some("m-1".into()),
        model_answered: None,
        request_size: 548,
        response_size: 2_100,
        server_ms: Some(150.0),
        tokens_in: Some(1_200),
        tokens_cached: Some(1_000),
        tokens_out: Some(20),
        ..testing::row()
    }
}
