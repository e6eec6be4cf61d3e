//! The live page: records appear as they arrive, an answer that is being written is seen growing, and whoever lost the
//! connection misses nothing and sees nothing twice.

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use browser::{NARROW, WIDE, browser};
use support::HOST;
use support::client::{Answer, dial, page, request};
use support::recorder::{Recorder, Setup, binary};
use support::upstream::{Connection, Options, Upstream};
use support::{eventually, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Event {
    /// The ids of the records in it.
    fn rows(&self) -> Vec<String> {
        let rows = self.data.split("<tr data-key=\"").skip(1);
        rows.map(|row| row.split('"').next().expect("a quote").to_owned()).collect()
    }
}

/// A browser that watches, without the browser.
struct Events {
    tcp: TcpStream,
    bytes: Vec<u8>,
    last: Option<String>,
    /// Rows that came and were not asked for yet.
    told: Vec<String>,
    /// The state that came last.
    shown: String,
}

impl Events {
    /// HTTP/1.0, so that no chunks have to be taken apart.
    async fn open(server: SocketAddr, query: &str, last: Option<&str>) -> Self {
        Self::with(server, query, &last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default()).await
    }

    /// Somebody who has logged in.
    async fn of(server: SocketAddr, cookie: &str) -> Self {
        Self::with(server, "", &format!("Cookie: {cookie}\r\n")).await
    }

    async fn with(server: SocketAddr, query: &str, fields: &str) -> Self {
        let mut tcp = dial(server).await;
        let head = format!("GET /live/events?{query} HTTP/1.0\r\nHost: {server}\r\n{fields}\r\n");
        tcp.write_all(head.as_bytes()).await.expect("a request");
        let mut events = Self { tcp, bytes: Vec::new(), last: None, told: Vec::new(), shown: String::new() };
        let head = events.until(b"\r\n\r\n").await.expect("a head").to_ascii_lowercase();
        assert!(head.starts_with("http/1.0 200") || head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream") && head.contains("cache-control: no-store"), "{head}");
        events
    }

    /// The text before the next such bytes; none at the end.
    async fn until(&mut self, end: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.bytes.windows(end.len()).position(|window| window == end) {
                let text = String::from_utf8(self.bytes[..at].to_vec()).expect("UTF-8");
                self.bytes.drain(..at + end.len());
                return Some(text);
            }
            let read = within("an event", self.tcp.read_buf(&mut self.bytes)).await;
            if read.expect("a connection") == 0 {
                return None;
            }
        }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.until(b"\n\n").await?;
            let field = |name: &str| {
                let values: Vec<_> = block.lines().filter_map(|line| line.strip_prefix(name)).collect();
                (!values.is_empty()).then(|| values.join("\n"))
            };
            let id = field("id: ");
            self.last = id.clone().or_else(|| self.last.take());
            if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                let event = Event { name, id, data };
                self.told.extend(event.rows());
                if event.name == "now" {
                    self.shown = event.data.clone();
                }
                return Some(event);
            }
        }
    }

    /// The next event of which this says something.
    async fn find<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        within(what, async {
            loop {
                let event = self.next().await.expect("the stream goes on");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        })
        .await
    }

    /// The state once it satisfies this.
    async fn state(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        if !wanted(&self.shown) {
            self.find(what, |event| (event.name == "now" && wanted(&event.data)).then_some(())).await;
        }
        self.shown.clone()
    }

    /// So many rows, each new, that were not given before.
    async fn rows(&mut self, many: usize) -> Vec<String> {
        within(&format!("{many} rows"), async {
            while self.told.len() < many {
                self.next().await.expect("the stream goes on");
            }
        })
        .await;
        let ids = std::mem::take(&mut self.told);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each once: {ids:?}");
        assert_eq!(ids.len(), many, "{ids:?}");
        ids
    }

    /// Some rows, at least one.
    async fn some(&mut self) -> Vec<String> {
        within("rows", async {
            while self.told.is_empty() {
                self.next().await.expect("the stream goes on");
            }
        })
        .await;
        std::mem::take(&mut self.told)
    }
}

/// Of all accounts.
const PASSWORD: &str = "correct-horse-battery";

/// An upstream that answers every request, and each piece of a stream when it is given leave.
async fn upstream(leave: Arc<Semaphore>) -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), move |mut connection: Connection| {
        let leave = leave.clone();
        async move {
            let mut answered = 0;
            while connection.received_pattern(b"\r\n\r\n", answered + 1).await {
                answered += 1;
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                connection.send(head).await;
                for word in ["One ", "<b>two</b> ", "three"] {
                    leave.acquire().await.expect("never closed").forget();
                    let event =
                        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n");
                    connection.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
                }
                connection.send("0\r\n\r\n").await;
            }
            connection.half_close().await;
        }
    })
    .await
}

/// Leave for as much as anybody asks.
fn freely() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(Semaphore::MAX_PERMITS / 2))
}

/// A request to `/chat/completions`; so many are answered on one connection.
async fn traffic(recorder: &Recorder, times: usize) {
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    for _ in 0..times {
        session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"\r\n0\r\n\r\n").await;
    }
    session.close().await;
}

/// Where the page is, as the program says.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("page     http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}

async fn start(upstream: &Upstream) -> (Recorder, SocketAddr) {
    let recorder = Setup::new(upstream).with(&["--web", "127.0.0.1:0"]).start().await;
    let line = recorder.line("the page's address", |line| address(line).is_some()).await;
    (recorder, address(&line).expect("an address"))
}

/// A page, asked for again while the index is still being opened, as a browser does.
async fn opened(server: SocketAddr, path: &str, cookie: &str) -> Answer {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    within(path, async {
        loop {
            let answer = request(server, &head).await;
            if answer.status != 503 {
                return answer;
            }
        }
    })
    .await
}

/// Where the script goes on from.
async fn mark(server: SocketAddr) -> String {
    let page = opened(server, "/live", "").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let (_, mark) = text.split_once("data-mark=\"").expect("a mark on the page");
    mark.split('"').next().expect("a quote").to_owned()
}

fn ids(recorder: &Recorder) -> BTreeSet<String> {
    let records = support::records::Record::all(&recorder.setup.logs);
    records.iter().map(|record| record.json["recorder"]["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_appear_as_they_arrive_and_a_lost_connection_loses_none() {
    let upstream = upstream(freely()).await;
    let (recorder, server) = start(&upstream).await;
    traffic(&recorder, 1).await;
    eventually("the record on the page", || (!ids(&recorder).is_empty()).then_some(())).await;
    let mark = mark(server).await;
    let mut watching = Events::open(server, &format!("mark={mark}"), None).await;
    let mut seen = BTreeSet::new();
    // What was there when the page was made may be in the mark or not; all that comes later is told.
    while seen.len() < 3 {
        traffic(&recorder, 1).await;
        seen.extend(watching.some().await);
    }
    let last = watching.last.clone().expect("an id to go on from");
    drop(watching);

    let before = ids(&recorder);
    traffic(&recorder, 4).await;
    // The header counts, not the mark in the address, which is older.
    let mut watching = Events::open(server, &format!("mark={mark}"), Some(&last)).await;
    let told = watching.rows(4).await;
    assert!(told.iter().all(|id| !seen.contains(id)), "{told:?} after {seen:?}");
    seen.extend(told);
    traffic(&recorder, 2).await;
    seen.extend(watching.rows(2).await);
    let all = ids(&recorder);
    assert_eq!((before.len() + 6, all.len()), (all.len(), all.len()));
    assert!(seen.is_subset(&all) && seen.len() + 1 >= all.len(), "{seen:?} of {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_seen_growing_and_gone_afterwards() {
    let leave = Arc::new(Semaphore::new(0));
    let upstream = upstream(leave.clone()).await;
    let (recorder, server) = start(&upstream).await;
    let mark = mark(server).await;
    let mut watching = Events::open(server, &format!("mark={mark}"), None).await;
    watching.state("nothing in flight", |html| html.contains("Nothing is in flight")).await;
    let flow = traffic(&recorder, 1);
    let look = async {
        let state = watching.state("a stream without text", |html| html.contains("<article")).await;
        assert!(!state.contains("<pre"), "{state}");
        leave.add_permits(1);
        watching.state("its first word", |html| html.contains(">One </pre>")).await;
        leave.add_permits(1);
        // What it says is text, whatever it looks like.
        watching.state("its second word", |html| html.contains(">One &lt;b&gt;two&lt;/b&gt; </pre>")).await;
        // The page without script names it, and says nothing of its contents.
        let plain = page(server, "/live").await.text();
        assert!(plain.contains("<article") && !plain.contains("two"), "{plain}");
        leave.add_permits(1);
        watching.state("its end", |html| html.contains("Nothing is in flight")).await;
    };
    tokio::join!(flow, look);
    let told = watching.rows(1).await;
    assert_eq!(told, ids(&recorder).into_iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_client_goes_away_is_not_shown_for_ever() {
    let leave = Arc::new(Semaphore::new(1));
    let upstream = upstream(leave.clone()).await;
    let (recorder, server) = start(&upstream).await;
    // With a mark, as the page's script has one: what arrives before the index is open would be in it else.
    let mark = mark(server).await;
    let mut watching = Events::open(server, &format!("mark={mark}"), None).await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    watching.state("its first word", |html| html.contains(">One </pre>")).await;
    drop(session);
    watching.state("its end", |html| html.contains("Nothing is in flight")).await;
    assert_eq!(watching.rows(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_applied_before_anything_is_sent() {
    let upstream = upstream(freely()).await;
    let (recorder, server) = start(&upstream).await;
    let mark = mark(server).await;
    let mut all = Events::open(server, &format!("mark={mark}"), None).await;
    let mut chat = Events::open(server, &format!("mark={mark}&kind=chat,nes&user=-"), None).await;
    let mut none = Events::open(server, &format!("mark={mark}&kind=completions"), None).await;
    traffic(&recorder, 2).await;
    let told = all.rows(2).await;
    assert_eq!(chat.rows(2).await, told);
    let to = all.last.clone();
    none.find("the mark", |event| (event.id == to).then_some(())).await;
    assert!(none.told.is_empty(), "{:?}", none.told);

    let shown = |text: String| text.matches("<tr data-key").count();
    assert_eq!(shown(page(server, "/live").await.text()), 2);
    assert_eq!(shown(page(server, "/live?kind=nes").await.text()), 2);
    assert_eq!(shown(page(server, "/live?kind=completions").await.text()), 0);
    assert_eq!(shown(page(server, "/live?user=ann").await.text()), 0);
    for bad in ["/live?kind=x%3Cb%3E", "/live/events?kind=x%3Cb%3E", "/live?sort=up"] {
        let answer = page(server, bad).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(!answer.text().contains("<b>"), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_places_and_no_more() {
    let upstream = upstream(freely()).await;
    let (_recorder, server) = start(&upstream).await;
    let mut watching = Vec::new();
    for _ in 0..64 {
        watching.push(Events::open(server, "", None).await);
    }
    let head = format!("GET /live/events HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let answer = request(server, &head).await;
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.head);
    assert!(answer.text().contains("64 browsers watch already"), "{}", answer.text());
    // The page itself is there for everybody.
    assert_eq!(opened(server, "/live", "").await.status, 200);
    watching.pop();
    within("a free place", async {
        while !request_is_taken(server).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Whether there is a place.
async fn request_is_taken(server: SocketAddr) -> bool {
    let mut tcp = dial(server).await;
    tcp.write_all(format!("GET /live/events HTTP/1.0\r\nHost: {server}\r\n\r\n").as_bytes()).await.expect("a request");
    let mut head = [0; 12];
    tcp.read_exact(&mut head).await.expect("an answer");
    head.ends_with(b"200")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_does_not_hold_the_exit_up() {
    let upstream = upstream(freely()).await;
    let (recorder, server) = start(&upstream).await;
    let mut watching = Events::open(server, "", None).await;
    watching.state("the state", |_| true).await;
    // The limit for streams in flight is ten seconds: the stream of events is not one of them.
    let (code, lines, _) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    while watching.next().await.is_some() {}
}

/// `web` on a folder.
struct Reviewer(Child, SocketAddr);

impl Reviewer {
    fn start(setup: &Setup) -> Self {
        let mut command = Command::new(binary());
        command.args(["web", "--web", "127.0.0.1:0", "--logs"]).arg(&setup.logs).current_dir(setup.directory.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("web");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let address = BufReader::new(stderr).lines().map_while(Result::ok).find_map(|line| address(&line));
        Self(child, address.expect("the page's address"))
    }
}

impl Drop for Reviewer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_another_program_writes_is_watched_too() {
    let upstream = upstream(freely()).await;
    let recorder = Setup::new(&upstream).start().await;
    traffic(&recorder, 1).await;
    recorder.records(1).await;
    let reviewer = Reviewer::start(&recorder.setup);
    let mark = mark(reviewer.1).await;
    let plain = page(reviewer.1, "/live").await.text();
    assert!(plain.contains("No proxy runs in this program") && !plain.contains("Open tunnels"), "{plain}");
    let mut watching = Events::open(reviewer.1, &format!("mark={mark}"), None).await;
    traffic(&recorder, 3).await;
    let mut told = BTreeSet::new();
    while told.len() < 3 {
        told.extend(watching.some().await);
    }
    assert!(told.is_subset(&ids(&recorder)));
}

/// A request whose answer comes piece by piece, as leave is given; drop it to go away.
async fn slow(recorder: &Recorder) -> support::client::Session {
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_rows_come_by_themselves_and_wait_while_paused() {
    let Some(browser) = browser().await else { return };
    let leave = freely();
    let upstream = upstream(leave.clone()).await;
    let (recorder, server) = start(&upstream).await;
    let rows = |many: usize| format!("return document.querySelectorAll('tbody[data-rows] tr').length === {many}");
    let says = |text: &str| format!("return document.querySelector('.status').textContent.includes('{text}')");
    browser.look(WIDE, false).await;
    browser.open(&format!("http://{server}/live")).await;
    browser.until("the stream of events", &says("Live:")).await;
    assert!(browser.texts("[data-empty]").await.concat().contains("No records yet"));
    traffic(&recorder, 3).await;
    browser.until("rows by themselves", &rows(3)).await;

    // The space key, then the button.
    browser.press(" ").await;
    browser.until("a pause", &says("Paused: 0 new records wait")).await;
    traffic(&recorder, 2).await;
    browser.until("rows that wait", &says("Paused: 2 new records wait")).await;
    assert_eq!(browser.eval(&rows(3)).await, true);
    browser.eval("document.querySelector('[data-pause]').click()").await;
    browser.until("the rows that waited", &rows(5)).await;

    // Words that are typed leave rows out, those that come later too.
    browser.eval("document.querySelector('#typed').focus()").await;
    browser.press("nes 200").await;
    let visible = |many: usize| {
        format!("return document.querySelectorAll('tbody[data-rows] tr:not([hidden])').length === {many}")
    };
    browser.until("rows with these words", &visible(5)).await;
    browser.press(" completions").await;
    browser.until("no row with these words", &visible(0)).await;
    traffic(&recorder, 1).await;
    browser.until("a row that is kept and not shown", &rows(6)).await;
    assert_eq!(browser.eval(&visible(0)).await, true);
    browser
        .eval(
            "const typed = document.querySelector('#typed'); typed.value = ''; typed.dispatchEvent(new Event('input'))",
        )
        .await;
    browser.until("all rows", &visible(6)).await;

    // A tab that nobody sees, or a lost connection: nothing twice, nothing lost.
    browser.eval("Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))").await;
    traffic(&recorder, 2).await;
    recorder.records(8).await;
    browser.eval("Object.defineProperty(document, 'hidden', { value: false, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))").await;
    browser.until("what came meanwhile", &rows(8)).await;
    let keys = browser
        .eval("return new Set([...document.querySelectorAll('tbody[data-rows] tr')].map(row => row.dataset.key)).size")
        .await;
    assert_eq!(keys, 8);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_an_answer_grows_where_it_stands() {
    let Some(browser) = browser().await else { return };
    let leave = Arc::new(Semaphore::new(1));
    let upstream = upstream(leave.clone()).await;
    let (recorder, server) = start(&upstream).await;
    browser.look(WIDE, false).await;
    browser.open(&format!("http://{server}/live")).await;
    let session = slow(&recorder).await;
    let says = |text: &str| {
        format!("return [...document.querySelectorAll('pre.growing')].some(one => one.textContent === '{text}')")
    };
    browser.until("its first word", &says("One ")).await;
    browser.eval("document.querySelector('pre.growing').dataset.same = 'yes'").await;
    leave.add_permits(1);
    // Text, and no element.
    browser.until("its second word", &says("One <b>two</b> ")).await;
    assert_eq!(browser.eval("return document.querySelectorAll('pre b').length").await, 0);
    assert_eq!(
        browser.eval("return document.querySelector('pre.growing').dataset.same").await,
        "yes",
        "the same element"
    );
    for width in [NARROW, WIDE] {
        for dark in [false, true] {
            browser.look(width, dark).await;
            assert_eq!(browser.hindrances().await, Vec::<String>::new(), "at {width}, dark: {dark}");
            assert_eq!(browser.sticking_out().await, Vec::<String>::new(), "at {width}");
            browser.picture(&format!("live-streams-{width}-{}", if dark { "dark" } else { "light" })).await;
        }
    }
    drop(session);
    browser.until("its end", "return document.querySelectorAll('.streams article').length === 0").await;
    browser.until("its record", "return document.querySelectorAll('tbody[data-rows] tr').length === 1").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    recorder.terminate().await;
    browser
        .until("a word about the end", "return /lost|Nothing new/.test(document.querySelector('.status').textContent)")
        .await;
}

/// The cookies that an answer sets, as a browser sends them back.
fn cookies(answer: &Answer) -> String {
    let lines = answer.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
    let pairs = lines.filter_map(|line| line.split_once(':')?.1.split(';').next());
    pairs.map(str::trim).collect::<Vec<_>>().join("; ")
}

/// The session of somebody who logs in.
async fn log_in(server: SocketAddr, name: &str) -> String {
    let form = page(server, "/login").await;
    let text = form.text();
    let field = |name: &str| {
        let (_, rest) =
            text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {text}"));
        rest.split('"').next().expect("a quote").to_owned()
    };
    let body =
        format!("name={name}&password={PASSWORD}&token={}&next={}", field("token"), field("next").replace('/', "%2F"));
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        cookies(&form),
        body.len()
    );
    let answer = request(server, &head).await;
    assert_eq!(answer.status, 303, "{name}: {}", answer.text());
    cookies(&answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_what_is_theirs_and_looks_at_others_are_noted_once() {
    let leave = Arc::new(Semaphore::new(1));
    let upstream = upstream(leave.clone()).await;
    let setup = Setup::new(&upstream).with(&["--web", "127.0.0.1:0", "--web-login"]);
    for (name, role) in [("ann", "self"), ("bob", "self"), ("rev", "reviewer"), ("sam", "statistics")] {
        let added =
            setup.run(&["users", "add", name, "--role", role, "--password-stdin"], &format!("{PASSWORD}\n")).await;
        assert_eq!(added.code, Some(0), "{}", added.stderr);
    }
    let recorder = setup.start().await;
    let line = recorder.line("the page's address", |line| address(line).is_some()).await;
    let server = address(&line).expect("an address");
    let (ann, rev, sam) = (log_in(server, "ann").await, log_in(server, "rev").await, log_in(server, "sam").await);
    for (path, cookie, status) in [
        ("/live", "", 401),
        ("/live/events", "", 401),
        ("/live", sam.as_str(), 403),
        ("/live/events", &sam, 403),
        ("/live", &ann, 200),
    ] {
        assert_eq!(opened(server, path, cookie).await.status, status, "{path}");
    }

    let (mut ann, mut rev) = (Events::of(server, &ann).await, Events::of(server, &rev).await);
    let mut sessions = Vec::new();
    for (name, more) in [("ann", 0), ("bob", 2)] {
        let mut session = recorder.client(&["http/1.1"]).authorized(name, PASSWORD).open(HOST).await;
        session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        sessions.push(session);
        rev.state("an answer in flight", |html| html.contains(&format!(">{name}<"))).await;
        // Leave is given in turn: a second word for ann, who has waited longer, and a first one for bob.
        leave.add_permits(more);
        let texts = |html: &str| html.matches("<pre").count() == sessions.len();
        rev.state("its text", texts).await;
    }
    let all = rev.shown.clone();
    assert!(all.contains(">ann<") && all.contains(">bob<") && all.contains("Open tunnels"), "{all}");
    let own = ann.state("the own answer", |html| html.contains("</pre>")).await;
    assert!(own.contains("Your exchanges in flight") && !own.contains("bob") && !own.contains("Open tunnels"), "{own}");
    leave.add_permits(3);
    for mut session in sessions {
        session.read_until(b"\r\n0\r\n\r\n").await;
        session.close().await;
    }
    let told = rev.rows(2).await;
    let own = ann.rows(1).await;
    assert!(told.contains(&own[0]));
    assert!(ann.last.is_some() && ann.told.is_empty(), "{:?}", ann.told);

    // One's own is not noted; of the others each stream once, however often it grew.
    let folder = recorder.setup.logs.join("audit");
    let files = std::fs::read_dir(folder).expect("an audit log").map(|entry| entry.expect("an entry").path());
    let text: String = files.map(|path| std::fs::read_to_string(path).expect("text")).collect();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|line| line["who"] == "rev" && line["what"] == "stream"), "{text}");
    let mut noted: Vec<_> = lines.iter().flat_map(|line| line["ids"].as_array().expect("ids").clone()).collect();
    noted.sort_by_key(ToString::to_string);
    let mut told: Vec<_> = told.into_iter().map(serde_json::Value::from).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(noted, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_made_anew_tells_nothing_twice_to_who_watches() {
    let upstream = upstream(freely()).await;
    let (recorder, server) = start(&upstream).await;
    let mut watching = Events::open(server, "", None).await;
    watching.find("the mark", |event| (event.name == "mark").then_some(())).await;
    traffic(&recorder, 3).await;
    let mut seen: BTreeSet<_> = watching.rows(3).await.into_iter().collect();
    let logs = recorder.setup.logs.to_str().expect("UTF-8").to_owned();
    let made = recorder.setup.run(&["reindex", "--logs", &logs], "").await;
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    traffic(&recorder, 2).await;
    seen.extend(watching.rows(2).await);
    assert_eq!(seen, ids(&recorder));
}
