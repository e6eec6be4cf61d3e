//! Heads, connections and exchanges for this crate's tests.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::{Action, Connection, ConnectionId, Exchange, flight};
use crate::observer::{Fields, RequestHead, ResponseHead, Version};

pub(crate) fn connection(host: &str) -> Connection {
    Connection {
        id: ConnectionId::at(UNIX_EPOCH + Duration::from_secs(1_733_663_157)),
        user: None,
        client: ([127, 0, 0, 1], 50_000).into(),
        upstream: ([192, 0, 2, 1], 443).into(),
        host: host.into(),
        port: 443,
        sni: Some(host.into()),
        alpn: None,
        tls_client: None,
        tls_upstream: None,
        connect: Duration::from_millis(2),
        tls: Duration::from_millis(5),
    }
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.push(name.as_bytes(), value.as_bytes());
    }
    fields
}

pub(crate) fn request_head(method: &str, target: &str, pairs: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: method.into(),
        target: target.into(),
        authority: None,
        version: Version::Http11,
        pseudo: Fields::default(),
        fields: fields(pairs),
        wire_size: 0,
        truncated: false,
    }
}

pub(crate) fn response_head(status: u16, pairs: &[(&str, &str)]) -> ResponseHead {
    ResponseHead {
        status,
        reason: Vec::new(),
        version: Version::Http11,
        fields: fields(pairs),
        wire_size: 0,
        truncated: false,
    }
}

/// An exchange on a connection to `host` of which only the request's head was seen.
pub(crate) fn exchange(host: &str, method: &str, target: &str, pairs: &[(&str, &str)]) -> Exchange {
    let began = UNIX_EPOCH + Duration::new(1_733_663_157, 639_893_000);
    flight::begun(Arc::new(connection(host)), began, 0, request_head(method, target, pairs))
}

/// Takes all actions; the exchanges that they finish.
pub(crate) fn finished(actions: &mut Vec<Action>) -> Vec<Exchange> {
    let finished = actions.drain(..).filter_map(|action| match action {
        Action::Finish(exchange) => Some(*exchange),
        _ => None,
    });
    finished.collect()
}

/// Takes all actions; the only exchange that they finish.
#[track_caller]
pub(crate) fn one(actions: &mut Vec<Action>) -> Exchange {
    let mut finished = finished(actions);
    assert_eq!(finished.len(), 1, "{finished:#?}");
    finished.remove(0)
}
