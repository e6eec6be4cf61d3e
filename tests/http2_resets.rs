//! A client that gives up single streams of HTTP/2, as editors do with every key: the others go on.

mod support;

use support::http2::{DATA, END_STREAM, PREFACE, RST_STREAM, frame, headers, settings};
use support::recorder::Setup;
use support::records::Record;
use support::upstream::{Connection, Options, Upstream};
use support::{Ending, HOST};

const NO_ERROR: u32 = 0;
const CANCEL: u32 = 8;

fn request(stream: u32) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/v1/engines/m/completions"),
        ("x-case", &stream.to_string()),
    ];
    [headers(stream, false, &fields), frame(DATA, END_STREAM, stream, b"{}")].concat()
}

fn begun(stream: u32) -> Vec<u8> {
    let part = format!("part of {stream}");
    [headers(stream, false, &[(":status", "200")]), frame(DATA, 0, stream, part.as_bytes())].concat()
}

fn ended(stream: u32) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, b", and the rest")
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

#[tokio::test]
async fn streams_that_the_client_resets() {
    // Three streams run; the client ends two of them, one with each code, and opens a fourth.
    let asked = [PREFACE, &settings(&[]), &request(1), &request(3), &request(5)].concat();
    let answered = [settings(&[]), begun(1), begun(3), begun(5)].concat();
    let given_up = [reset(1, CANCEL), reset(3, NO_ERROR), request(7)].concat();
    let finished = [ended(5), begun(7), ended(7)].concat();
    let (first, second) = ((asked.len(), answered.clone()), (asked.len() + given_up.len(), finished.clone()));
    let upstream = Upstream::start(Options::alpn(&["h2"]), move |mut connection: Connection| {
        let turns = [first.clone(), second.clone()];
        async move {
            for (total, answer) in turns {
                connection.received(total).await;
                connection.send(answer).await;
            }
            connection.read_to_end().await;
            connection.half_close().await;
        }
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["h2"]).open(HOST).await;
    session.send(&asked).await;
    assert_eq!(session.read_exact(answered.len()).await, answered);
    session.send(&given_up).await;
    assert_eq!(session.read_exact(finished.len()).await, finished);
    // They need no end of the connection to be recorded.
    recorder.records(4).await;
    assert_eq!(session.close().await, (Vec::new(), Ending::Clean));
    assert_eq!(upstream.ended(0).await.received, [asked, given_up].concat());

    let records = Record::by_case(recorder.records(4).await);
    assert_eq!(records.len(), 4);
    for (case, code) in [("1", CANCEL), ("3", NO_ERROR)] {
        let record = &records[case];
        assert_eq!((record.complete(), record.aborted_by()), (false, Some("client")), "stream {case}");
        assert_eq!(record.json["recorder"]["reset_code"], code, "stream {case}");
        assert_eq!(record.status(), Some(200));
        assert_eq!(record.body("response"), format!("part of {case}").as_bytes());
    }
    for case in ["5", "7"] {
        let record = &records[case];
        assert_eq!((record.complete(), record.aborted_by()), (true, None), "stream {case}");
        assert_eq!(record.body("response"), format!("part of {case}, and the rest").as_bytes());
    }
}
