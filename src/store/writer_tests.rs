use std::io::ErrorKind;
use std::sync::Mutex;

use super::*;
use crate::config::{Layout, OnStoreFailure};
use crate::exchange::{AbortedBy, Closed, SocketMessage, WebSocket, to_snapshot};
use crate::observer::MessageKind;
use crate::rules::{Kind, KindTable};
use crate::store::Totals;
use crate::store::spool;
use crate::store::testing::{LIMITS, TestClock, TestDisk, exchange, moment};

pub(in crate::store) const COMPLETION: &str = "/v1/engines/copilot-codex/completions";
const NAME: &str = "2024-12-08T13-05-57.639893_4ce93ec3b2_127.0.0.1_satomic_vscode-1.95.3";

pub(in crate::store) fn settings() -> Settings {
    Settings {
        logs: "/logs".into(),
        layout: Layout::Kind,
        record: vec![Kind::Completions, Kind::Auth, Kind::Other],
        kinds: KindTable::builtin(),
        redact: Redact::Secrets,
        decode: LIMITS,
        queue: 1 << 20,
        on_failure: OnStoreFailure::Continue,
        sync: false,
    }
}

struct Bench {
    disk: Arc<TestDisk>,
    clock: Arc<TestClock>,
    losses: Arc<Losses>,
    counts: Arc<Counts>,
    metrics: Metrics,
    reported: Arc<Mutex<Vec<String>>>,
    writer: Writer,
}

impl Bench {
    fn new() -> Self {
        Self::on(Arc::default(), settings())
    }

    fn on(disk: Arc<TestDisk>, settings: Settings) -> Self {
        let (clock, metrics) = (Arc::new(TestClock::default()), Metrics::default());
        disk.make_folder(Path::new("/logs/.tmp")).unwrap();
        disk.make_folder(Path::new("/logs/.spool")).unwrap();
        let losses = Arc::new(Losses::new("/logs".into(), clock.clone(), metrics.clone(), OnStoreFailure::Continue));
        let queue = Queue::new(settings.queue, clock.clone(), losses.clone(), metrics.clone());
        let counts = Arc::new(Counts::default());
        let reported = Arc::new(Mutex::new(Vec::new()));
        let seen = reported.clone();
        let on_record: OnRecord = Box::new(move |_, path| seen.lock().unwrap().push(path.display().to_string()));
        let writer = Writer::new(
            settings,
            disk.clone(),
            Arc::new(queue),
            losses.clone(),
            metrics.clone(),
            on_record,
            counts.clone(),
        );
        Self { disk, clock, losses, counts, metrics, reported, writer }
    }

    fn finish(&mut self, exchange: &Exchange) {
        self.writer.handle(Action::Finish(Box::new(exchange.clone())), false);
    }

    fn spool(&mut self, exchange: &Exchange, pieces: &[(bool, &[u8])]) {
        let mut head = exchange.clone();
        head.request.body.kept.clear();
        head.response.iter_mut().for_each(|response| response.body.kept.clear());
        self.writer.handle(Action::SpoolHead(Box::new(head)), false);
        for (index, &(response, bytes)) in pieces.iter().enumerate() {
            let at = Duration::from_millis(100 * index as u64);
            let action = Action::SpoolBody { id: exchange.id, response, at, bytes: bytes.to_vec() };
            self.writer.handle(action, false);
        }
    }

    fn spool_path(exchange: &Exchange) -> String {
        format!("/logs/.spool/{}.part", exchange.id.0)
    }

    fn record(&self, path: &str) -> serde_json::Value {
        let text = self.disk.file(path).unwrap_or_else(|| panic!("{path} is not in {:?}", self.disk.paths()));
        serde_json::from_str(&text).unwrap()
    }

    fn only_record(&self) -> serde_json::Value {
        let paths = self.disk.paths();
        assert_eq!(paths.len(), 1, "{paths:?}");
        self.record(&paths[0])
    }

    fn written(&self) -> u64 {
        self.counts.written.load(Ordering::Relaxed)
    }
}

fn completion() -> Exchange {
    exchange(COMPLETION, b"question", b"answer")
}

#[test]
fn a_record_lies_in_its_kinds_folder_and_is_reported() {
    let mut bench = Bench::new();
    bench.finish(&completion());
    let path = format!("/logs/completions/{NAME}.json");
    assert_eq!(bench.disk.paths(), [path.as_str()]);
    assert_eq!(*bench.reported.lock().unwrap(), [path.as_str()]);
    assert_eq!(bench.record(&path)["response"]["content"], "answer");
    assert_eq!((bench.written(), bench.metrics.records_written.get()), (1, 1));
}

#[test]
fn exchanges_of_one_microsecond_get_names_of_their_own_and_nothing_is_overwritten() {
    let mut bench = Bench::new();
    bench.disk.put(&format!("/logs/completions/{NAME}_3.json"), b"someone's");
    for _ in 0..3 {
        bench.finish(&completion());
    }
    let mut other = completion();
    other.began = moment(1);
    bench.finish(&other);
    bench.finish(&completion());
    let names: Vec<_> = ["", "_2", "_4", "_5"].map(|end| format!("/logs/completions/{NAME}{end}.json")).to_vec();
    names.iter().for_each(|name| drop(bench.record(name)));
    assert_eq!(bench.disk.file(&format!("/logs/completions/{NAME}_3.json")).unwrap(), "someone's");
    assert_eq!(bench.disk.paths().len(), 6);
}

#[test]
fn kinds_that_are_not_wanted_leave_nothing() {
    let mut bench = Bench::on(Arc::default(), Settings { record: vec![Kind::Chat], ..settings() });
    let unwanted = completion();
    bench.spool(&unwanted, &[]);
    bench.finish(&unwanted);
    assert!(bench.disk.paths().is_empty(), "{:?}", bench.disk.paths());
    assert_eq!(bench.metrics.exchanges_skipped.get(), 1);
}

#[test]
fn spooled_bodies_come_before_those_in_memory() {
    let mut bench = Bench::new();
    let mut finished = completion();
    bench.spool(&finished, &[(false, b"first "), (true, b"one "), (true, b"two ")]);
    assert_eq!(bench.disk.paths(), [Bench::spool_path(&finished)]);
    finished.spooled = Some([6, 8]);
    bench.finish(&finished);
    let record = bench.only_record();
    assert_eq!(record["request"]["content"], "first question");
    assert_eq!(record["response"]["content"], "one two answer");
    assert!(record["recorder"].get("bodies_lost").is_none());
}

#[test]
fn a_gap_in_the_spool_costs_the_bodies() {
    let mut bench = Bench::new();
    let mut finished = completion();
    bench.spool(&finished, &[(true, b"one ")]);
    bench.disk.fail_with(Some(ErrorKind::StorageFull));
    bench.spool(&finished, &[(true, b"two ")]);
    bench.disk.fail_with(None);
    bench.spool(&finished, &[(true, b"three ")]);
    finished.spooled = Some([0, 14]);
    bench.finish(&finished);
    let record = bench.only_record();
    assert_eq!(record["response"]["content"], "");
    assert_eq!(record["recorder"]["bodies_lost"], true);
    assert_eq!(bench.losses.counts(), Totals { bodies_lost: 1, ..Totals::default() });
}

#[test]
fn a_full_disk_costs_bodies_and_recording_goes_on_when_there_is_room() {
    let mut bench = Bench::new();
    let large = exchange(COMPLETION, &[b'q'; 20_000], b"answer");
    bench.disk.set_capacity(Some(10_000));
    bench.finish(&large);
    let record = bench.only_record();
    assert_eq!(record["request"]["content"], "");
    assert_eq!(record["recorder"]["bodies_lost_reason"], ErrorKind::StorageFull.to_string());
    assert_eq!(record["recorder"]["request"]["wire_size"], 20_000);
    assert_eq!(bench.metrics.bodies_lost.get(), 1);

    // With a little room left small records go on, and the trouble is not over.
    bench.finish(&completion());
    bench.writer.retry();
    assert!(bench.losses.in_trouble());

    bench.disk.set_capacity(None);
    bench.writer.retry();
    assert!(!bench.losses.in_trouble());
    bench.finish(&large);
    let whole = bench.record(&format!("/logs/completions/{NAME}_3.json"));
    assert_eq!(whole["request"]["content"].as_str().map(str::len), Some(20_000));
    assert_eq!(bench.losses.counts(), Totals { bodies_lost: 1, ..Totals::default() });
}

#[test]
fn records_that_cannot_be_written_at_all_wait_and_are_written_later() {
    for error in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem, ErrorKind::Other]
    {
        let mut bench = Bench::new();
        bench.disk.fail_with(Some(error));
        for micros in 0..5 {
            let mut exchange = completion();
            exchange.began = moment(micros);
            bench.finish(&exchange);
        }
        bench.writer.retry();
        assert_eq!((bench.written(), bench.metrics.records_held.get()), (0, 5));
        assert!(bench.disk.paths().is_empty());
        bench.disk.fail_with(None);
        bench.writer.retry();
        assert_eq!((bench.written(), bench.metrics.records_held.get()), (5, 0));
        assert_eq!((bench.disk.paths().len(), bench.writer.held_bytes), (5, 0));
        assert!(!bench.losses.in_trouble());
        let record = bench.record(&format!("/logs/completions/{NAME}.json"));
        assert_eq!(record["recorder"]["bodies_lost_reason"], error.to_string());
        assert_eq!(bench.losses.counts(), Totals { bodies_lost: 5, ..Totals::default() });
    }
}

#[test]
fn what_waits_is_bounded() {
    let mut bench = Bench::new();
    bench.disk.fail_with(Some(ErrorKind::StorageFull));
    let mut exchange = completion();
    exchange.request.head.fields.push(b"x-large", &vec![b'x'; METADATA_LIMIT / 3]);
    for _ in 0..4 {
        bench.finish(&exchange);
    }
    assert_eq!(bench.metrics.records_held.get(), 2);
    assert_eq!(bench.losses.counts(), Totals { bodies_lost: 4, records_lost: 2, ..Totals::default() });
}

#[test]
fn the_spool_file_stays_until_the_record_is_written() {
    let mut bench = Bench::new();
    let mut finished = completion();
    bench.spool(&finished, &[(true, b"one ")]);
    finished.spooled = Some([0, 4]);
    bench.disk.set_capacity(Some(0));
    bench.finish(&finished);
    assert_eq!(bench.disk.paths(), [Bench::spool_path(&finished)]);
    bench.disk.set_capacity(None);
    bench.writer.retry();
    assert_eq!(bench.disk.paths(), [format!("/logs/completions/{NAME}.json")]);
}

#[test]
fn no_secret_reaches_the_spool() {
    let mut bench = Bench::new();
    let mut login = exchange("/login/oauth/access_token?code=SECRET", b"", b"");
    login.request.head.fields.push(b"Authorization", b"token SECRET");
    bench.spool(&login, &[(false, b"client_secret=SECRET"), (true, b"{\"access_token\":\"SECRET\"}")]);
    let mut chat = completion();
    chat.request.head.fields.push(b"Authorization", b"Bearer tid=1;exp=2:SECRET");
    bench.spool(&chat, &[(false, b"text")]);
    for path in bench.disk.paths() {
        let bytes = bench.disk.raw(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"SECRET"), "{path}");
    }
    login.spooled = Some([20, 25]);
    bench.finish(&login);
    let record = bench.record(bench.reported.lock().unwrap().last().unwrap());
    assert_eq!(record["request"]["content"], "client_secret=<redacted>");
    assert_eq!(record["response"]["content"], r#"{"access_token":"<redacted>"}"#);
}

/// What the first run left of an exchange, as bytes of its spool file.
fn left_behind(exchange: &Exchange) -> Vec<u8> {
    let mut bench = Bench::new();
    bench.spool(exchange, &[(false, b"question"), (true, "data: ä\n\n".as_bytes()), (true, b"data: 2")]);
    bench.disk.raw(&Bench::spool_path(exchange)).unwrap()
}

#[test]
fn an_exchange_in_flight_is_found_again_wherever_its_file_was_cut() {
    let mut flying = completion();
    flying.complete = false;
    flying.chunks.clear();
    let file = left_behind(&flying);
    let mut snapshot = Vec::new();
    spool::push_head(&mut snapshot, &to_snapshot(&flying));
    let head_end = spool::MAGIC.len() + snapshot.len();
    assert!(head_end < file.len());
    for cut in 0..=file.len() {
        let mut bench = Bench::new();
        bench.disk.put(&Bench::spool_path(&flying), &file[..cut]);
        bench.writer.recover().unwrap();
        if cut < head_end {
            let name = format!("/logs/.spool/damaged/{}.part", flying.id.0);
            assert_eq!(bench.disk.paths(), [name], "{cut}");
            continue;
        }
        let record = bench.only_record();
        let recorder = &record["recorder"];
        assert_eq!(recorder["complete"], false);
        assert_eq!(recorder["aborted_by"], "shutdown");
        assert_eq!(recorder["recovered"], true);
        let content = record["response"]["content"].as_str().unwrap();
        assert!("data: ä\n\ndata: 2".starts_with(content), "{cut} {content}");
        if cut == file.len() {
            assert_eq!(content, "data: ä\n\ndata: 2");
            assert_eq!(record["request"]["content"], "question");
            assert_eq!(recorder["chunks"].to_string(), "[[100.0,10],[200.0,7]]");
            assert_eq!(recorder["timings"]["last_byte"], 382.4);
        }
        assert_eq!(bench.metrics.records_recovered.get(), 1);
    }
}

#[test]
fn damaged_bytes_in_the_spool_never_end_up_in_a_record() {
    let flying = completion();
    let file = left_behind(&flying);
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x20;
        let Some(exchange) = spool::recover(&damaged) else { continue };
        assert_eq!(exchange.request.head, flying.request.head, "{at}");
        assert!(b"question".starts_with(&exchange.request.body.kept), "{at}");
        let response = exchange.response.unwrap().body.kept;
        assert!("data: ä\n\ndata: 2".as_bytes().starts_with(&response), "{at}");
    }
}

#[test]
fn what_was_written_before_the_kill_is_not_written_twice() {
    let mut bench = Bench::new();
    let mut finished = completion();
    finished.request.body.kept.clear();
    finished.response.as_mut().unwrap().body.kept.clear();
    let twin = completion();
    bench.finish(&twin);
    bench.finish(&finished);
    bench.disk.put(&Bench::spool_path(&finished), &left_behind(&finished));
    let before = bench.disk.paths().len();
    bench.writer.recover().unwrap();
    assert_eq!(bench.disk.paths().len(), before - 1, "{:?}", bench.disk.paths());
    assert_eq!(bench.counts.recovered.load(Ordering::Relaxed), 0);
}

#[test]
fn a_full_disk_at_the_start_leaves_the_spool_for_the_next() {
    let mut bench = Bench::new();
    let flying = completion();
    bench.disk.put(&Bench::spool_path(&flying), &left_behind(&flying));
    bench.disk.set_capacity(Some(0));
    bench.writer.recover().unwrap();
    assert_eq!(bench.disk.paths(), [Bench::spool_path(&flying)]);
    assert!(bench.losses.in_trouble());
    bench.disk.set_capacity(None);
    bench.writer.recover().unwrap();
    let record = bench.only_record();
    assert_eq!(record["recorder"]["aborted_by"], serde_json::to_value(AbortedBy::Shutdown).unwrap());
}

#[test]
fn a_disk_that_hangs_holds_neither_relays_nor_the_end() {
    let bench = Bench::new();
    let (disk, clock, losses, counts) = (bench.disk, bench.clock, bench.losses, bench.counts);
    let queue = bench.writer.queue.clone();
    disk.block(true);
    let thread = std::thread::spawn({
        let (writer, clock) = (bench.writer, clock.clone());
        move || writer.run(&|| super::super::clock::Clock::now(&*clock))
    });
    queue.submit(Action::Finish(Box::new(exchange(COMPLETION, &[b'q'; 2 << 20], b""))));
    disk.wait_until_someone_hangs();
    let waker = std::task::Waker::noop();
    assert!(queue.poll_ready(&std::task::Context::from_waker(waker)).is_pending());
    clock.advance(Duration::from_secs(5));
    queue.watch();
    assert!(queue.poll_ready(&std::task::Context::from_waker(waker)).is_ready());
    queue.submit(Action::Finish(Box::new(completion())));
    queue.close();
    clock.advance(Duration::from_secs(5));
    assert_eq!(queue.wait_finished(), Err(2));
    assert_eq!(losses.counts().bodies_lost, 1);

    disk.block(false);
    thread.join().unwrap();
    assert_eq!(counts.written.load(Ordering::Relaxed), 2, "had it been given more time, all would be there");
}

fn chats() -> Bench {
    Bench::on(Arc::default(), Settings { record: vec![Kind::Chat], ..settings() })
}

/// The second turn on a socket: two messages each way, a ping between.
fn turn() -> Exchange {
    let text = |from_client, at, bytes| SocketMessage {
        from_client,
        at: Duration::from_micros(at),
        bytes,
        kind: if bytes == 0 { MessageKind::Ping } else { MessageKind::Text },
    };
    let mut turn = exchange("/responses", CREATE.as_bytes(), b"{\"type\":\"a\"}\n{\"type\":\"b\"}");
    let fields = &mut turn.response.as_mut().unwrap().head.fields;
    fields.push(b"Sec-WebSocket-Extensions", b"permessage-deflate");
    fields.push(b"sec-websocket-extensions", b"x");
    turn.request.head.method = b"GET".to_vec();
    turn.request.head.fields.push(b"Sec-WebSocket-Protocol", b"chat, bearer.SECRET");
    turn.websocket = Some(WebSocket {
        turn: Some(1),
        messages: vec![
            text(true, 250, CREATE.len() as u64),
            text(false, 180_000, 12),
            text(true, 181_000, 0),
            text(false, 382_400, 12),
        ],
        messages_omitted: 0,
        close: None,
    });
    turn
}

const CREATE: &str = r#"{"model":"m-1","type":"response.create"}"#;

#[test]
fn a_turn_on_a_websocket_is_a_chat_with_its_messages() {
    let mut bench = chats();
    let mut turn = turn();
    let socket = turn.websocket.as_mut().unwrap();
    socket.messages_omitted = 2;
    socket.close = Some(Closed { by_client: false, code: Some(1001), reason: "a \"reason\"".into() });
    bench.finish(&turn);
    let path = bench.disk.paths().remove(0);
    assert!(path.starts_with("/logs/chat/"), "{path}");
    let text = bench.disk.file(&path).unwrap();
    let expected = r#"        "websocket": {
            "unit": "response.create",
            "turn": 1,
            "extensions": "permessage-deflate, x",
            "messages": [["client", 0.25, 40, "text"], ["server", 180.0, 12, "text"], ["client", 181.0, 0, "ping"], ["server", 382.4, 12, "text"]],
            "messages_omitted": 2,
            "close": {"by": "server", "code": 1001, "reason": "a \"reason\""}
        },
"#;
    assert!(text.contains(expected), "{text}");
    let record = bench.only_record();
    assert_eq!(record["request"]["content"], CREATE);
    assert_eq!(record["response"]["content"], "{\"type\":\"a\"}\n{\"type\":\"b\"}");
    assert_eq!(record["recorder"]["kind"], "chat");
    assert_eq!(record["request"]["headers"]["Sec-WebSocket-Protocol"], "chat, bearer.<redacted>");
    assert_eq!(record["recorder"]["redacted"][0], "/request/headers/Sec-WebSocket-Protocol");
}

#[test]
fn messages_that_look_compressed_are_not_decoded() {
    let mut bench = chats();
    let mut socket = turn();
    socket.websocket = Some(WebSocket::default());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut gzip, b"text").unwrap();
    socket.request.body.kept = gzip.finish().unwrap();
    bench.finish(&socket);
    let record = bench.only_record();
    assert_eq!(record["recorder"]["request"]["codings"].to_string(), "[]");
    assert_eq!(record["recorder"]["request"]["encoding"], "base64");
    let websocket = &record["recorder"]["websocket"];
    assert_eq!((&websocket["unit"], websocket.get("turn")), (&"socket".into(), None));
}

#[test]
fn a_turn_in_flight_is_found_again_wherever_its_file_was_cut() {
    let flying = Exchange { complete: false, ..turn() };
    let messages = &flying.websocket.as_ref().unwrap().messages;
    let mut first = chats();
    let mut head = flying.clone();
    head.websocket.as_mut().unwrap().messages.truncate(1);
    first.spool(&head, &[(false, CREATE.as_bytes())]);
    let rest = [(&messages[1..2], &b"{\"type\":\"a\"}"[..]), (&messages[2..], b"\n{\"type\":\"b\"}")];
    for (messages, bytes) in rest {
        let id = flying.id;
        first.writer.handle(Action::SpoolMessages { id, messages: messages.to_vec() }, false);
        let at = Duration::from_millis(200);
        first.writer.handle(Action::SpoolBody { id, response: true, at, bytes: bytes.to_vec() }, false);
    }
    let file = first.disk.raw(&Bench::spool_path(&flying)).unwrap();
    let mut counts = std::collections::BTreeSet::new();
    for cut in 0..=file.len() {
        let Some(exchange) = spool::recover(&file[..cut]) else { continue };
        let found = &exchange.websocket.as_ref().unwrap().messages;
        assert!(messages.starts_with(found), "{cut}");
        // What is listed comes first: bytes that are not listed could not be told apart.
        let listed: u64 = found.iter().filter(|message| !message.from_client).map(|message| message.bytes).sum();
        let response = exchange.response.as_ref().unwrap().body.kept.len() as u64;
        assert!(response <= listed + u64::from(listed > 12), "{cut}: {response} of {listed}");
        counts.insert(found.len());
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [1, 2, 4]);
    let mut bench = chats();
    bench.disk.put(&Bench::spool_path(&flying), &file);
    bench.writer.recover().unwrap();
    let record = bench.only_record();
    assert_eq!(record["recorder"]["websocket"]["messages"].as_array().unwrap().len(), 4);
    assert_eq!(record["response"]["content"], "{\"type\":\"a\"}\n{\"type\":\"b\"}");
    assert_eq!((&record["recorder"]["complete"], &record["recorder"]["kind"]), (&false.into(), &"chat".into()));
    assert!(!String::from_utf8_lossy(&file).contains("SECRET"));
}

#[test]
fn what_is_forgotten_leaves_nothing() {
    let mut bench = chats();
    let socket = turn();
    bench.spool(&socket, &[]);
    assert_eq!(bench.disk.paths().len(), 1);
    bench.writer.handle(Action::Forget(socket.id), false);
    assert_eq!(bench.disk.paths(), [""; 0]);
}
