use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::exchange::testing::{self, connection, fields, request_head, response_head};
use crate::exchange::{Chunk, Exchange};
use crate::observer::{ResponseHead, Version};
use Direction::{ClientToServer, ServerToClient};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Records everything but what goes to `/skip…`.
struct NotSkip;

impl Selector for NotSkip {
    fn wanted(&self, _host: &str, head: &RequestHead) -> bool {
        !head.target.starts_with(b"/skip")
    }
}

/// Plays events; each at the millisecond that was set last.
struct Script {
    assembler: Assembler,
    at: Duration,
    out: Vec<Action>,
    version: Version,
}

impl Script {
    fn new(version: Version) -> Self {
        Self::limited(version, 1 << 20)
    }

    fn limited(version: Version, body_limit: usize) -> Self {
        let connection = Arc::new(connection("api.githubcopilot.com"));
        let clock = |at: Instant| UNIX_EPOCH + at.saturating_duration_since(*START);
        let assembler = Assembler::with_clock(connection, Arc::new(NotSkip), body_limit, clock);
        LazyLock::force(&START);
        Self { assembler, at: Duration::ZERO, out: Vec::new(), version }
    }

    fn now(&self) -> Instant {
        *START + self.at
    }

    fn at(&mut self, millis: u64) -> &mut Self {
        self.at = Duration::from_millis(millis);
        self
    }

    fn event(&mut self, event: Event<'_>) -> &mut Self {
        self.assembler.event(self.now(), event, &mut self.out);
        self
    }

    fn request(&mut self, stream: u64, target: &str) -> &mut Self {
        let head = RequestHead { version: self.version, ..request_head("POST", target, &[("Host", "x.example:443")]) };
        self.event(Event::Request { stream: StreamId(stream), head })
    }

    fn response(&mut self, stream: u64, status: u16) -> &mut Self {
        let head = ResponseHead { version: self.version, ..response_head(status, &[("Content-Length", "9")]) };
        self.event(Event::Response { stream: StreamId(stream), head })
    }

    fn up(&mut self, stream: u64, bytes: &[u8]) -> &mut Self {
        self.event(Event::Data { stream: StreamId(stream), direction: ClientToServer, bytes })
    }

    fn down(&mut self, stream: u64, bytes: &[u8]) -> &mut Self {
        self.event(Event::Data { stream: StreamId(stream), direction: ServerToClient, bytes })
    }

    fn end(&mut self, stream: u64, direction: Direction) -> &mut Self {
        self.event(Event::End { stream: StreamId(stream), direction })
    }

    fn reset(&mut self, stream: u64, direction: Direction, code: u32) -> &mut Self {
        self.event(Event::Reset { stream: StreamId(stream), direction, code })
    }

    fn close(&mut self, direction: Direction, ending: Ending) -> &mut Self {
        self.assembler.end(direction, self.now(), ending, &mut self.out);
        self
    }

    fn tick(&mut self) -> &mut Self {
        self.assembler.tick(self.now(), &mut self.out);
        self
    }

    fn asked(&mut self, stream: u64) -> &mut Self {
        self.request(stream, &format!("/{stream}")).up(stream, b"question").end(stream, ClientToServer)
    }

    fn answered(&mut self, stream: u64) -> &mut Self {
        self.response(stream, 200).down(stream, b"answer").end(stream, ServerToClient)
    }

    fn due(&self) -> Option<u64> {
        self.assembler.deadline().map(|due| (due - *START).as_millis() as u64)
    }

    fn finished(&mut self) -> Vec<Exchange> {
        testing::finished(&mut self.out)
    }

    #[track_caller]
    fn one(&mut self) -> Exchange {
        testing::one(&mut self.out)
    }

    /// What was asked for since the last call, in short.
    fn actions(&mut self) -> Vec<String> {
        let said = self.out.drain(..).map(|action| match action {
            Action::SpoolHead(exchange) => {
                assert!(exchange.request.body.kept.is_empty());
                assert!(exchange.response.iter().all(|response| response.body.kept.is_empty()));
                format!("head {} {:?}", exchange.stream, exchange.response.map(|response| response.head.status))
            }
            Action::SpoolBody { response, at, bytes, .. } => {
                format!("body {} {} at {}", if response { "<" } else { ">" }, bytes.len(), at.as_millis())
            }
            Action::Finish(exchange) => {
                let kept = exchange.response.as_ref().map_or(0, |response| response.body.kept.len());
                format!("finish {} {:?} {} {kept}", exchange.stream, exchange.spooled, exchange.request.body.kept.len())
            }
            Action::Skip(_) => "skip".into(),
            Action::SpoolMessages { .. } | Action::Forget(_) => panic!("nothing here is a WebSocket"),
        });
        said.collect()
    }
}

fn verdict(exchange: &Exchange) -> (bool, Option<AbortedBy>, Option<u32>) {
    (exchange.complete, exchange.aborted_by, exchange.reset_code)
}

#[test]
fn a_request_and_its_answer_are_an_exchange() {
    let mut script = Script::new(Version::Http11);
    script.at(10).request(0, "/x").at(11).up(0, b"ab").up(0, b"c").at(12).end(0, ClientToServer);
    let trailers = fields(&[("X-T", "1")]);
    script.event(Event::Interim { stream: StreamId(0), head: response_head(103, &[]) });
    script.at(20).response(0, 200).down(0, b"1").at(21).down(0, b"2").down(0, b"3");
    script.at(22).event(Event::Trailers { stream: StreamId(0), direction: ServerToClient, fields: trailers.clone() });
    assert_eq!(script.assembler.in_flight(), 1);
    script.end(0, ServerToClient);
    assert_eq!((script.assembler.in_flight(), script.due()), (0, None));

    let exchange = script.one();
    assert_eq!(verdict(&exchange), (true, None, None));
    assert_eq!(exchange.began, UNIX_EPOCH + Duration::from_millis(10));
    assert_eq!((exchange.stream, exchange.host().as_ref()), (0, "x.example"));
    assert_eq!(
        (exchange.request.body.kept.as_slice(), exchange.request.body.seen, exchange.request.ended),
        (&b"abc"[..], 3, true)
    );
    assert_eq!(exchange.interim.len(), 1);
    let response = exchange.response.unwrap();
    assert_eq!((response.body.kept.as_slice(), response.trailers, response.ended), (&b"123"[..], Some(trailers), true));
    let millis = |millis| Some(Duration::from_millis(millis));
    let timings = exchange.timings;
    assert_eq!((timings.request_end, timings.first_byte, timings.last_byte), (millis(2), millis(10), millis(12)));
    let chunk = |at, bytes| Chunk { at: Duration::from_millis(at), bytes };
    assert_eq!(exchange.chunks, [chunk(10, 1), chunk(11, 2)]);
    assert_eq!((exchange.spooled, exchange.opaque, exchange.malformed), (None, None, None));
}

#[test]
fn pipelined_requests_get_their_own_answers() {
    let mut script = Script::new(Version::Http11);
    script.asked(0).asked(1).asked(2).answered(0).answered(1);
    let finished = script.finished();
    assert_eq!(finished.iter().map(|exchange| exchange.stream).collect::<Vec<_>>(), [0, 1]);
    assert!(finished[0].id < finished[1].id || finished[0].began == finished[1].began);
    script.close(ServerToClient, Ending::Clean).close(ClientToServer, Ending::Clean);
    let last = script.one();
    assert_eq!((last.stream, verdict(&last)), (2, (false, Some(AbortedBy::Upstream), None)));
    assert!(last.response.is_none());
}

#[test]
fn interleaved_streams_do_not_mix() {
    let mut script = Script::new(Version::Http2);
    script.request(1, "/1").request(3, "/3").up(3, b"three").up(1, b"one").end(3, ClientToServer);
    script.response(3, 201).end(1, ClientToServer).response(1, 200);
    script.down(1, b"I").down(3, b"III").end(1, ServerToClient).down(3, b"!").end(3, ServerToClient);
    let bodies = script.finished().into_iter().map(|exchange| {
        let response = exchange.response.unwrap();
        (exchange.stream, exchange.request.body.kept, response.head.status, response.body.kept)
    });
    let expected = [(1, b"one".to_vec(), 200, b"I".to_vec()), (3, b"three".to_vec(), 201, b"III!".to_vec())];
    assert_eq!(bodies.collect::<Vec<_>>(), expected);
}

#[test]
fn what_nobody_wants_is_counted_and_not_kept() {
    let mut script = Script::new(Version::Http2);
    script.request(1, "/skip").up(1, &[0; 100_000]).end(1, ClientToServer);
    assert_eq!(script.due(), None);
    script.at(5_000).tick().answered(1).request(3, "/skip").reset(3, ClientToServer, 8);
    script.request(5, "/skip").close(ServerToClient, Ending::Aborted);
    assert_eq!(script.actions(), ["skip"; 3]);
}

#[test]
fn resets_tell_who_gave_up() {
    let reset = |direction, code| {
        let mut script = Script::new(Version::Http2);
        script.asked(1).response(1, 200).down(1, b"ans").reset(1, direction, code);
        let exchange = script.one();
        assert_eq!(exchange.response.as_ref().unwrap().body.kept, b"ans");
        assert!(!exchange.response.as_ref().unwrap().ended);
        verdict(&exchange)
    };
    assert_eq!(reset(ClientToServer, 8), (false, Some(AbortedBy::Client), Some(8)));
    assert_eq!(reset(ClientToServer, 0), (false, Some(AbortedBy::Client), Some(0)));
    assert_eq!(reset(ServerToClient, 2), (false, Some(AbortedBy::Upstream), Some(2)));
    assert_eq!(reset(ServerToClient, 0), (false, Some(AbortedBy::Upstream), Some(0)));
}

#[test]
fn a_reset_after_the_end_is_nothing() {
    let mut script = Script::new(Version::Http2);
    script.asked(1).answered(1).reset(1, ClientToServer, 8);
    assert_eq!(verdict(&script.one()), (true, None, None));
}

#[test]
fn an_early_answer_waits_for_its_request() {
    let early = || {
        let mut script = Script::new(Version::Http2);
        script.request(1, "/1").up(1, b"part").answered(1);
        assert!(script.out.is_empty());
        script
    };
    let mut script = early();
    assert_eq!(verdict(&script.up(1, b"rest").end(1, ClientToServer).one()), (true, None, None));
    let mut script = early();
    let exchange = script.reset(1, ServerToClient, 0).one();
    assert_eq!((verdict(&exchange), exchange.request.ended), ((true, None, Some(0)), false));
    assert_eq!(verdict(&early().reset(1, ServerToClient, 2).one()), (false, Some(AbortedBy::Upstream), Some(2)));
    assert_eq!(verdict(&early().reset(1, ClientToServer, 8).one()), (false, Some(AbortedBy::Client), Some(8)));
    let mut script = early();
    let exchange = script.close(ServerToClient, Ending::Truncated).one();
    assert_eq!(verdict(&exchange), (false, Some(AbortedBy::Upstream), None));
    assert!(exchange.response.unwrap().ended);
}

#[test]
fn the_side_that_ended_first_aborted_it() {
    use Ending::{Aborted, Clean, Shutdown, Truncated};
    for (endings, by) in [
        (vec![(ClientToServer, Clean), (ServerToClient, Clean)], AbortedBy::Client),
        (vec![(ClientToServer, Truncated), (ServerToClient, Clean)], AbortedBy::Client),
        (vec![(ClientToServer, Aborted)], AbortedBy::Client),
        (vec![(ServerToClient, Clean), (ClientToServer, Clean)], AbortedBy::Upstream),
        (vec![(ServerToClient, Truncated)], AbortedBy::Upstream),
        (vec![(ServerToClient, Aborted)], AbortedBy::Upstream),
        (vec![(ServerToClient, Shutdown)], AbortedBy::Shutdown),
        (vec![(ClientToServer, Clean), (ServerToClient, Shutdown)], AbortedBy::Shutdown),
    ] {
        let mut script = Script::new(Version::Http11);
        script.asked(0).response(0, 200).down(0, b"ans");
        for &(direction, ending) in &endings {
            assert!(script.out.is_empty(), "{endings:?}");
            script.close(direction, ending);
        }
        assert_eq!(verdict(&script.one()), (false, Some(by), None), "{endings:?}");
    }
}

#[test]
fn a_client_that_stops_sending_still_gets_its_answer() {
    for ending in [Ending::Clean, Ending::Truncated] {
        let mut script = Script::new(Version::Http11);
        script.asked(0).close(ClientToServer, ending).answered(0);
        assert!(script.one().complete);
    }
}

#[test]
fn a_body_until_close_ends_with_its_last_byte() {
    let mut script = Script::new(Version::Http11);
    script.asked(0).at(5).event(Event::Response { stream: StreamId(0), head: response_head(200, &[]) });
    script.at(7).down(0, b"all").at(900).end(0, ServerToClient);
    let exchange = script.one();
    assert!(exchange.complete);
    assert_eq!(exchange.timings.last_byte, Some(Duration::from_millis(7)));
}

#[test]
fn goaway_takes_the_streams_beyond_it() {
    let mut script = Script::new(Version::Http2);
    script.asked(1).asked(3).asked(5);
    script.event(Event::GoAway { direction: ServerToClient, last_stream: 3, code: 0 }).answered(1);
    assert!(script.one().complete);
    script.close(ClientToServer, Ending::Clean).close(ServerToClient, Ending::Clean);
    let finished = script.finished();
    assert_eq!(
        finished.iter().map(|e| (e.stream, e.aborted_by)).collect::<Vec<_>>(),
        [(3, Some(AbortedBy::Client)), (5, Some(AbortedBy::Upstream))]
    );
}

#[test]
fn malformed_bytes_end_a_stream_or_all() {
    let malformed = |stream| Event::Malformed { stream, direction: ServerToClient, reason: "odd" };
    let mut script = Script::new(Version::Http2);
    script.asked(1).asked(3).asked(5).event(malformed(Some(StreamId(3))));
    let exchange = script.one();
    assert_eq!((exchange.stream, exchange.malformed, verdict(&exchange)), (3, Some("odd"), (false, None, None)));
    script.event(malformed(None));
    let finished = script.finished();
    assert_eq!(
        finished.iter().map(|e| (e.stream, e.malformed, e.complete)).collect::<Vec<_>>(),
        [(1, Some("odd"), false), (5, Some("odd"), false)]
    );
    script.asked(7).answered(7).close(ServerToClient, Ending::Clean).close(ClientToServer, Ending::Clean);
    assert!(script.out.is_empty());
}

#[test]
fn an_upgraded_connection_is_counted_to_its_end() {
    let upgraded = || {
        let mut script = Script::new(Version::Http11);
        script.request(0, "/responses").end(0, ClientToServer);
        script.event(Event::Response { stream: StreamId(0), head: response_head(101, &[]) });
        script.event(Event::Upgrade { stream: StreamId(0) });
        for (direction, bytes) in [(ClientToServer, &b"abc"[..]), (ServerToClient, b"defgh"), (ClientToServer, b"i")] {
            script.at(40).event(Event::Opaque { stream: StreamId(0), direction, bytes });
        }
        script.end(0, ServerToClient);
        assert!(script.out.is_empty());
        script
    };
    let mut script = upgraded();
    let exchange = script.close(ServerToClient, Ending::Clean).close(ClientToServer, Ending::Clean).one();
    assert_eq!((exchange.opaque, verdict(&exchange)), (Some([4, 5]), (true, None, None)));
    assert_eq!(exchange.timings.last_byte, Some(Duration::from_millis(40)));
    let exchange = upgraded().close(ServerToClient, Ending::Truncated).one();
    assert_eq!((exchange.opaque, verdict(&exchange)), (Some([4, 5]), (false, Some(AbortedBy::Upstream), None)));

    let mut script = Script::new(Version::Http2);
    script.request(1, "/responses").response(1, 200).event(Event::Upgrade { stream: StreamId(1) });
    script.event(Event::Opaque { stream: StreamId(1), direction: ClientToServer, bytes: b"x" });
    let exchange = script.end(1, ClientToServer).end(1, ServerToClient).one();
    assert_eq!((exchange.opaque, exchange.complete), (Some([1, 0]), true));
}

#[test]
fn bodies_have_a_ceiling_spooled_or_not() {
    let mut script = Script::limited(Version::Http11, 10);
    script.request(0, "/x").up(0, b"0123456").up(0, b"789ab").up(0, b"c").end(0, ClientToServer).response(0, 200);
    script.at(1_000).tick().down(0, b"0123").at(1_300).tick().down(0, b"456789").down(0, b"ab").end(0, ServerToClient);
    assert_eq!(script.out.iter().filter(|action| matches!(action, Action::SpoolBody { .. })).count(), 2);
    let exchange = script.one();
    let (request, response) = (exchange.request.body, exchange.response.unwrap().body);
    assert_eq!((request.kept.len(), request.seen, request.truncated), (0, 13, true));
    assert_eq!((response.kept.as_slice(), response.seen, response.truncated), (&b"456789"[..], 12, true));
    assert_eq!(exchange.spooled, Some([10, 4]));
}

#[test]
fn an_old_exchange_goes_to_the_spool_bit_by_bit() {
    let mut script = Script::new(Version::Http11);
    script.at(100).asked(0);
    assert_eq!(script.due(), Some(1_100));
    script.at(1_099).tick();
    assert!(script.out.is_empty());
    script.at(1_100).tick();
    assert_eq!(script.actions(), ["head 0 None", "body > 8 at 1000"]);
    assert_eq!(script.due(), None);

    script.at(1_200).response(0, 200);
    assert_eq!(script.actions(), ["head 0 Some(200)"]);
    script.down(0, &[0; 16 << 10]).at(1_300).down(0, &[0; 1]);
    assert_eq!(script.actions(), ["body < 16385 at 1200"]);
    script.at(1_350).down(0, b"abc").at(1_400).down(0, b"d");
    // The first of those bytes would have been due now, but they went by size.
    assert_eq!((script.out.len(), script.due()), (0, Some(1_450)));
    script.at(1_450).tick();
    assert_eq!((script.actions(), script.due()), (vec!["body < 4 at 1350".to_owned()], None));
    script.down(0, b"e");
    assert_eq!(script.due(), Some(1_700));
    script.at(1_700).down(0, b"tail").end(0, ServerToClient);
    assert_eq!(script.actions(), ["finish 0 Some([8, 16389]) 0 5"]);
    assert_eq!(script.due(), None);
}

#[test]
fn a_large_exchange_goes_to_the_spool_at_once() {
    let mut script = Script::new(Version::Http11);
    script.request(0, "/x").up(0, &[0; 60 << 10]).up(0, &[0; 4 << 10]);
    assert!(script.out.is_empty());
    script.up(0, b"x");
    assert_eq!(script.actions(), ["head 0 None", "body > 65537 at 0"]);
    script.event(Event::Interim { stream: StreamId(0), head: response_head(100, &[]) });
    assert_eq!(script.actions(), ["head 0 None"]);
    script.up(0, b"y").end(0, ClientToServer).answered(0);
    assert_eq!(script.actions(), ["head 0 Some(200)", "finish 0 Some([65537, 0]) 1 6"]);
}

#[test]
fn the_deadline_is_that_of_the_oldest_and_none_without_exchanges() {
    let mut script = Script::new(Version::Http2);
    assert_eq!(script.due(), None);
    script.asked(1).at(300).asked(3);
    assert_eq!(script.due(), Some(1_000));
    script.answered(1);
    // Too early for what is left: the tick finds nothing due and says when to come again.
    assert_eq!(script.due(), Some(1_000));
    script.out.clear();
    script.at(1_000).tick();
    assert_eq!((script.out.len(), script.due()), (0, Some(1_300)));
    script.answered(3);
    assert_eq!(script.due(), None);
}

#[test]
fn chunks_and_interim_answers_are_bounded() {
    let mut script = Script::new(Version::Http11);
    script.asked(0);
    for _ in 0..100 {
        script.event(Event::Interim { stream: StreamId(0), head: response_head(103, &[]) });
    }
    script.response(0, 200);
    for millis in 1..=4_100 {
        script.at(millis).down(0, b"ab").down(0, b"c").down(0, b"");
    }
    script.end(0, ServerToClient);
    let exchange = script.one();
    assert_eq!((exchange.interim.len(), exchange.chunks.len(), exchange.chunks_omitted), (16, 4096, 4));
    assert!(exchange.chunks.iter().all(|chunk| chunk.bytes == 3));
}

#[test]
fn the_host_is_the_requests_own() {
    let connection = connection("connect.example");
    let host_of = |authority: Option<&str>, pairs: &[(&str, &str)]| {
        let authority = authority.map(|text| text.as_bytes().to_vec());
        host(&connection, &RequestHead { authority, ..request_head("GET", "/", pairs) }).into_owned()
    };
    assert_eq!(host_of(Some("a.example:8443"), &[("host", "b.example")]), "a.example");
    assert_eq!(host_of(None, &[("HOST", " b.example ")]), "b.example");
    assert_eq!(host_of(None, &[("Host", "[::1]:443")]), "[::1]");
    assert_eq!(host_of(None, &[("Host", "[::1]")]), "[::1]");
    assert_eq!(host_of(None, &[("Host", "")]), "connect.example");
    assert_eq!(host_of(None, &[]), "connect.example");
}

/// A conversation of three streams, cut after any number of events by any ending, loses nothing.
fn conversation() -> Vec<(u64, Event<'static>)> {
    let id = StreamId;
    let request =
        |n| Event::Request { stream: id(n), head: request_head("POST", if n == 5 { "/skip" } else { "/x" }, &[]) };
    let response = |n| Event::Response { stream: id(n), head: response_head(200, &[]) };
    let data = |n, direction| Event::Data { stream: id(n), direction, bytes: &[7; 9_000] };
    let end = |n, direction| Event::End { stream: id(n), direction };
    let mut events = Vec::new();
    for (millis, event) in [
        (0, request(1)),
        (1, request(3)),
        (2, data(3, ClientToServer)),
        (3, request(5)),
        (4, end(3, ClientToServer)),
        (5, data(1, ClientToServer)),
        (900, response(3)),
        (901, data(3, ServerToClient)),
        (902, end(1, ClientToServer)),
        (1_500, response(1)),
        (1_501, data(1, ServerToClient)),
        (1_502, data(1, ServerToClient)),
        (1_503, end(3, ServerToClient)),
        (1_700, data(1, ServerToClient)),
        (1_800, response(5)),
        (2_000, data(5, ServerToClient)),
        (2_001, end(5, ClientToServer)),
        (2_002, end(5, ServerToClient)),
        (2_500, data(1, ServerToClient)),
        (2_501, end(1, ServerToClient)),
    ] {
        events.push((millis, event));
    }
    events
}

proptest! {
    #[test]
    fn every_exchange_ends_once_and_every_byte_is_somewhere(
        cut in 0..=20_usize,
        ending in prop::sample::select(vec![Ending::Clean, Ending::Truncated, Ending::Aborted, Ending::Shutdown]),
        client_first: bool,
    ) {
        let mut script = Script::new(Version::Http2);
        let (mut begun, mut seen) = (0, 0);
        for (millis, event) in conversation().into_iter().take(cut) {
            script.at(millis);
            if script.assembler.deadline().is_some_and(|due| due <= script.now()) {
                script.tick();
                prop_assert!(script.assembler.deadline().is_none_or(|due| due > script.now()));
            }
            begun += usize::from(matches!(event, Event::Request { .. }));
            if let Event::Data { stream: StreamId(1 | 3), bytes, .. } = &event {
                seen += bytes.len() as u64;
            }
            script.event(event);
        }
        let order = if client_first { [ClientToServer, ServerToClient] } else { [ServerToClient, ClientToServer] };
        for direction in order {
            script.close(direction, ending);
        }
        prop_assert_eq!(script.assembler.in_flight(), 0);
        let (mut over, mut spooled, mut heads) = (0, 0, Vec::new());
        let (mut kept, mut counted, mut told) = (0, 0, 0);
        for action in script.out.drain(..) {
            match action {
                Action::SpoolHead(exchange) => heads.push(exchange.id),
                Action::SpoolBody { id, bytes, .. } => {
                    prop_assert!(heads.contains(&id) && !bytes.is_empty());
                    spooled += bytes.len() as u64;
                },
                Action::Finish(exchange) => {
                    over += 1;
                    prop_assert_eq!(exchange.complete, exchange.aborted_by.is_none());
                    prop_assert_eq!(exchange.spooled.is_some(), heads.contains(&exchange.id));
                    told += exchange.spooled.unwrap_or_default().iter().sum::<u64>();
                    let response = exchange.response.map(|response| response.body).unwrap_or_default();
                    kept += (exchange.request.body.kept.len() + response.kept.len()) as u64;
                    counted += exchange.request.body.seen + response.seen;
                },
                Action::Skip(_) => over += 1,
                Action::SpoolMessages { .. } | Action::Forget(_) => panic!("nothing here is a WebSocket"),
            }
        }
        prop_assert_eq!(over, begun);
        prop_assert_eq!((kept + spooled, counted, told), (seen, seen, spooled));
    }
}
