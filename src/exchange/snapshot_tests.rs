use proptest::prelude::*;

use super::*;
use crate::exchange::Closed;
use crate::exchange::testing::{connection, request_head, response_head};
use crate::observer::MessageKind;

fn message(from_client: bool, nanos: u64, bytes: u64, kind: MessageKind) -> SocketMessage {
    SocketMessage { from_client, at: Duration::from_nanos(nanos), bytes, kind }
}

fn exchange() -> Exchange {
    let mut connection = connection("api.githubcopilot.com");
    connection.user = Some("Zoë".into());
    connection.tls_client = Some("TLSv1.3");
    let began = UNIX_EPOCH + Duration::new(1_733_663_157, 639_893_001);
    let mut trailers = Fields::default();
    trailers.push(b"X-Sum", b"\xff\x00\"");
    Exchange {
        id: ExchangeId::at(began),
        connection: Arc::new(connection),
        began,
        stream: 7,
        request: Message {
            head: request_head("POST", "/telemetry?\u{e9}", &[("X-Odd", "a"), ("x-odd", "b")]),
            body: Body { kept: b"gone".to_vec(), seen: 4, truncated: true },
            trailers: None,
            ended: true,
        },
        interim: vec![response_head(103, &[("Link", "</a>")])],
        response: Some(Message {
            head: response_head(200, &[("Content-Type", "text/event-stream")]),
            body: Body::default(),
            trailers: Some(trailers),
            ended: false,
        }),
        timings: Timings {
            request_end: Some(Duration::from_nanos(5)),
            first_byte: None,
            last_byte: Some(Duration::from_secs(9)),
        },
        chunks: vec![Chunk { at: Duration::from_millis(3), bytes: 11 }],
        chunks_omitted: 2,
        complete: false,
        aborted_by: Some(AbortedBy::Upstream),
        reset_code: Some(8),
        opaque: Some([1, 2]),
        websocket: Some(WebSocket {
            turn: Some(3),
            messages: vec![
                message(true, 5, 40, MessageKind::Text),
                message(false, 7_000_000_001, 0, MessageKind::Pong),
            ],
            messages_omitted: 4,
            close: Some(Closed { by_client: false, code: Some(1001), reason: "é".into() }),
        }),
        malformed: Some("a reason"),
        spooled: Some([3, 4]),
    }
}

#[test]
fn comes_back_as_it_was_but_for_the_body_bytes() {
    let mut before = exchange();
    let text = to_snapshot(&before);
    assert!(!text.contains(&b'\n'));
    let after = from_snapshot(&text).unwrap();
    assert_eq!(after.request.body, Body { kept: Vec::new(), seen: 4, truncated: true });
    before.request.body.kept.clear();
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
}

#[test]
fn a_snapshot_cut_anywhere_is_an_error() {
    let text = to_snapshot(&exchange());
    for end in 0..text.len() {
        assert!(from_snapshot(&text[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_character_that_is_no_byte_is_an_error() {
    let text = String::from_utf8(to_snapshot(&exchange())).unwrap().replace("\"POST\"", "\"PÖŠT\"");
    assert!(matches!(from_snapshot(text.as_bytes()), Err(SnapshotError::Bytes)));
}

#[test]
fn texts_kept_for_ever_are_bounded() {
    assert_eq!(interned(&"x".repeat(10_000)), "unknown");
    assert_eq!(interned("TLSv1.2"), "TLSv1.2");
}

proptest! {
    #[test]
    fn any_bytes_survive(name in prop::collection::vec(any::<u8>(), 0..40), value in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut before = exchange();
        before.request.head.fields.push(&name, &value);
        before.request.head.target = value.clone();
        let after = from_snapshot(&to_snapshot(&before)).unwrap();
        prop_assert_eq!(after.request.head, before.request.head);
    }
}
