use crate::classifier::Summary;
use crate::exchange::Exchange;
use crate::rules::{Kind, KindTable};
pub(super) fn summarize(e: &Exchange, q: &[u8], r: &[u8], _t: &KindTable) -> Summary {
    let path = String::from_utf8_lossy(&e.request.head.target).into_owned();
    let kind = if path.contains("/completions") {
        Kind::Completions
    } else if path.contains("/telemetry") {
        Kind::Telemetry
    } else {
        Kind::Other
    };
    Summary {
        id: e.id,
        kind,
        rule: "stub".into(),
        began: e.began,
        user: e.connection.user.clone(),
        host: e.connection.host.to_string(),
        path,
        method: String::new(),
        status: None,
        editor: None,
        language: None,
        model: None,
        duration: None,
        request_size: q.len() as u64,
        response_size: r.len() as u64,
        complete: e.complete,
        aborted_by: e.aborted_by,
    }
}
