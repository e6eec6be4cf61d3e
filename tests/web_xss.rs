//! Show 3: texts that would run or load something if they were not shown as text, in every place of a record, of a file
//! name, of an address and of a form that a page shows. A browser looks at all of them: nothing runs, nobody else is
//! asked for anything, and the content policy has nothing to report.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;
#[path = "support/xss.rs"]
#[allow(unreachable_pub)]
mod xss;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

use browser::{Browser, browser};
use serde_json::{Value, json};
use support::page::{Page, escaped};
use support::program::Folder;

/// What does harm without being markup: terminal codes, directions of writing, letters that are none.
const MORE: &[&str] = &[
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m<script>window.xss=1</script>",
    "\u{202e}gnp.\u{202d}\u{2066}\u{2069}\u{200f}\u{61c}<b onclick=window.xss=1>x</b>",
    "\u{2028}\u{2029}\u{85}\u{c}\u{b}</title><script>window.xss=1</script>",
    "\u{ffff}\u{fdd0}\u{e000}\u{feff}<img src=x onerror=window.xss=1>",
    "%3Cscript%3Ewindow.xss=1%3C/script%3E",
    "\\\"><script>window.xss=1</script>\\u003cscript>",
    "&quot;&gt;&lt;img src=x onerror=window.xss=1&gt;",
    "x' y=\"z\" autofocus tabindex=1 onfocus='window.xss=1' style='position:fixed;inset:0' srcset='//xss.invalid/a 2x",
    "__proto__",
    "constructor",
];

fn corpus() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| xss::CORPUS.iter().chain(MORE).copied().collect())
}

/// Many at once, where a place holds much.
fn groups() -> impl Iterator<Item = String> {
    corpus().chunks(12).map(|some| some.join("\n\n"))
}

fn id(number: usize) -> String {
    format!("0193a6d1-4f2b-7000-8000-{number:012}")
}

/// A record with this text in each of its fields, bodies aside.
fn record(number: usize, kind: &str, evil: &str, request: &str, response: &str) -> Value {
    let headers = json!({
        "Editor-Version": evil, "Editor-Plugin-Version": evil, "VScode-SessionId": evil, "X-Request-Id": evil,
        "X-Interaction-Id": evil, "X-Initiator": evil, "User-Agent": evil, "Copilot-Integration-Id": evil,
        "Openai-Intent": evil, "Content-Type": evil, "vscode-machineid": evil, evil: evil,
    });
    json!({
        "proxy-authorization": evil,
        "timestamp": format!("2024-12-08T13:{:02}:{:02}.331449", number / 60, number % 60),
        "proxy-time-consumed": "382.4ms",
        "request": {"url": format!("https://{evil}/{evil}?{evil}"), "method": evil, "content": request, "headers": headers},
        "response": {"status_code": 200, "headers": {"content-type": evil, "x-github-request-id": evil, evil: evil},
            "content": response},
        "recorder": {"schema": 1, "id": id(number), "kind": kind, "rule": evil, "complete": false, "aborted_by": evil,
            "malformed": evil, "client": evil, "upstream": evil, "tunnel": evil, "connection": evil, "sni": evil,
            "alpn": evil, "http_version": evil, "bodies_lost_reason": evil, "chunks": [[250, 120]],
            "response": {"reason": evil, "codings": [evil], "trailers": [[evil, evil]]}, "redacted": [evil],
            "timings": {"connect": 40, "tls": 60, "request_end": 1, "first_byte": 200, "last_byte": 382.4}},
    })
}

fn stream(pieces: &[Value]) -> String {
    pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect::<String>() + "data: [DONE]\n\n"
}

fn ghost(number: usize, evil: &str) -> Value {
    let request = json!({"prompt": format!("// Path: {evil}\n{evil}"), "suffix": evil, "model": evil, "nwo": evil,
        "extra": {"language": evil}});
    let answer = json!({"id": evil, "model": evil, "choices": [{"index": 0, "text": evil, "finish_reason": evil}]});
    record(number, "completions", evil, &request.to_string(), &stream(&[answer]))
}

fn chat(number: usize, evil: &str, said: &str) -> Value {
    let call = json!([{"index": 0, "id": evil, "type": "function",
        "function": {"name": evil, "arguments": json!({"path": evil, evil: said}).to_string()}}]);
    let request = json!({"model": evil, "stream": true, "tools": [{"type": "function", "function": {"name": evil}}],
        "messages": [
            {"role": "system", "content": said}, {"role": evil, "content": said},
            {"role": "assistant", "content": said, "tool_calls": call},
            {"role": "tool", "tool_call_id": evil, "content": said},
            {"role": "user", "content": [{"type": "text", "text": format!("needle {said}")}, {"type": evil, evil: evil},
                {"type": "image_url", "image_url": {"url": "https://xss.invalid/a.png"}}]}]});
    let answer = [
        json!({"id": evil, "model": evil, "choices": [{"index": 0, "delta": {"reasoning_text": said}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": said}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": call}}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": evil}], "error": {"code": evil, "message": said}}),
    ];
    record(number, "chat", evil, &request.to_string(), &stream(&answer))
}

fn telemetry(number: usize, evil: &str) -> Value {
    let event = json!({"time": "2024-12-08T13:01:01.000Z", "iKey": evil, "name": evil, "tags": {"ai.user.id": evil},
        "data": {"baseType": evil, "baseData": {"name": format!("{evil}/{evil}"), "measurements": {evil: 1},
            "properties": {"headerRequestId": evil, "choiceIndex": "0", "reason": evil, "languageId": evil,
                "editor_version": evil, "engineName": evil, "acceptance": evil, "copilot_trackingId": evil, evil: evil}}}});
    record(number, "telemetry", evil, &json!([event]).to_string(), evil)
}

/// What went wrong, and bodies that are no text or are nothing known.
fn failed(number: usize, evil: &str) -> Value {
    let mut record = chat(number, evil, evil);
    record["response"]["status_code"] = json!(500);
    record["response"]["content"] = json!(json!({"error": {"code": evil, "message": evil}, evil: [evil]}).to_string());
    record
}

fn other(number: usize, evil: &str) -> Value {
    use base64::Engine;
    let mut record = record(number, "other", evil, &json!({evil: [evil, {evil: evil}]}).to_string(), "");
    let bytes = [b"\xff\xfe\x80", evil.as_bytes(), b"\xc3"].concat();
    record["response"]["content"] = json!(base64::engine::general_purpose::STANDARD.encode(bytes));
    record["recorder"]["response"]["encoding"] = json!("base64");
    record
}

/// Of a body of 16 MB the page shows a part, whatever is in it.
const LARGE: usize = 16 << 20;

/// The records by number: one for each text, then one for each group of them, then the large one.
fn records() -> Vec<Value> {
    let makers = [ghost, |number: usize, evil: &str| chat(number, evil, evil), telemetry, failed, other];
    let mut all: Vec<_> = corpus().iter().enumerate().map(|(at, evil)| makers[at % makers.len()](at, evil)).collect();
    for group in groups() {
        let mut record = chat(all.len(), "eve", &group);
        record["request"]["headers"]["X-Interaction-Id"] = json!("one");
        all.push(record);
    }
    let evil = corpus().join("\n");
    all.push(chat(all.len(), "large", &evil.repeat(LARGE / 5 / evil.len())));
    all
}

/// A name of a file that holds the text, as far as a file system lets it.
fn file_name(number: usize, evil: &str) -> OsString {
    let mut bytes: Vec<u8> = evil.bytes().map(|byte| if byte == b'/' { b'|' } else { byte }).collect();
    bytes.retain(|byte| *byte != 0);
    bytes.truncate(200);
    // No UTF-8: such a file is no record, and is told of all the same.
    bytes.extend((number >= UNREADABLE).then_some(b'\xff'));
    bytes.extend(format!("{number}.json").bytes());
    OsString::from_vec(bytes)
}

/// Files from this number on are no records.
const UNREADABLE: usize = 1000;

fn door_book() -> Value {
    let entries = |evil: &str| {
        let whats = ["opened", "unused", "opaque", "refused", "unreachable", "login_failed", "untrusted", "broken_off"];
        let entry = |what: &str| {
            json!({"what": what, "host": evil, "detail": evil, "count": 3,
                "first": 1_733_662_800_000_000_i64, "last": 1_733_662_900_000_000_i64})
        };
        whats.map(entry)
    };
    let pairs = corpus().iter().enumerate().map(|(at, evil)| {
        json!({"user": (at % 2 == 0).then_some(evil), "client": format!("192.0.2.{at}"), "entries": entries(evil)})
    });
    let errors = corpus().iter().map(|evil| json!({"at": 1_733_662_900_000_000_i64, "host": evil, "why": evil}));
    json!({"form": 1, "begun": 1_733_662_800_000_000_i64, "as_of": 1_733_662_900_000_000_i64, "dropped": 1,
        "pairs": pairs.collect::<Vec<_>>(), "errors": errors.collect::<Vec<_>>()})
}

/// A folder with all of that; and files that are no records, whose names the page Health tells.
fn folder() -> Folder {
    let folder = Folder::new();
    let logs = folder.path("logs/chat");
    fs::create_dir_all(&logs).unwrap();
    for (number, record) in records().iter().enumerate() {
        let name = file_name(number, corpus().get(number).unwrap_or(&"x"));
        fs::write(logs.join(name), record.to_string()).unwrap();
    }
    for (number, evil) in corpus().iter().enumerate().take(40) {
        fs::write(logs.join(file_name(number + UNREADABLE, evil)), evil).unwrap();
    }
    folder.write("logs/.door.json", &door_book().to_string());
    folder
}

/// Looks at pages, and keeps what was wrong with them.
struct Eye {
    browser: Browser,
    wrong: Vec<String>,
}

/// What the page has that no page of ours has: handlers, scripts and frames of others, links that run.
const STRANGE: &str = "
    document.querySelectorAll('details').forEach(one => one.open = true);
    for (const one of document.querySelectorAll('main *')) {
        for (const name of ['mouseover', 'mouseenter', 'focus', 'toggle', 'error', 'load', 'pointerover']) {
            one.dispatchEvent(new Event(name));
        }
    }
    const strange = [];
    const tell = (why, one) => strange.push(why + ': ' + one.outerHTML.slice(0, 200));
    for (const one of document.querySelectorAll('*')) {
        const name = one.localName;
        if (['iframe', 'object', 'embed', 'base', 'style', 'video', 'audio', 'source', 'template', 'math', 'marquee',
            'noscript', 'foreignobject', 'animate', 'set'].includes(name)) tell('element', one);
        if (name === 'script' && (!one.src.startsWith(location.origin + '/assets/') || one.textContent)) tell('script', one);
        if (name === 'meta' && one.httpEquiv) tell('meta', one);
        for (const { name: attribute, value } of one.attributes) {
            if (attribute.startsWith('on') || ['style', 'srcdoc', 'srcset', 'ping', 'formaction'].includes(attribute)) tell('attribute', one);
            if (['src', 'action', 'data', 'background', 'poster'].includes(attribute)
                && !new URL(value, location).href.startsWith(location.origin + '/')) tell('loads', one);
            if (attribute.endsWith('href')) {
                const to = new URL(value, location);
                const outside = ['http:', 'https:', 'mailto:'].includes(to.protocol) && to.origin !== location.origin;
                if (outside ? !(one.rel || '').includes('noreferrer') && !(one.rel || '').includes('noopener') : to.origin !== location.origin) {
                    tell('link', one);
                }
            }
        }
    }
    if (window.xss !== undefined) strange.push('it ran: window.xss is ' + window.xss);
    if (/[\\u202a-\\u202e\\u2066-\\u2069\\u0000-\\u0008\\u000b\\u000e-\\u001f\\u007f-\\u009f]/.test(document.documentElement.textContent)) {
        strange.push('an unseen character in the text');
    }
    if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.title)) strange.push('an unseen character in the title');
    return strange;";

impl Eye {
    async fn look(&mut self, url: &str) {
        self.browser.open(url).await;
        self.look_here(url).await;
    }

    async fn look_here(&mut self, url: &str) {
        let strange: Vec<String> = serde_json::from_value(self.browser.eval(STRANGE).await).unwrap();
        let mut complaints = self.browser.complaints().await;
        // That there is no such record is an answer, and the browser remarks on it.
        complaints.retain(|said| !said.contains("the server responded with a status of 4"));
        let url: String = url.chars().take(150).collect();
        self.wrong.extend(strange.into_iter().chain(complaints).take(5).map(|what| format!("{url}: {what}")));
    }

    async fn done(self, host: &str) {
        assert_eq!(self.wrong, Vec::<String>::new());
        assert_eq!(self.browser.hosts().await.into_iter().collect::<Vec<_>>(), [host], "nobody else was asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_record_runs_on_any_page() {
    let Some(browser) = browser().await else { return };
    let page = Page::start(folder(), &[]);
    let origin = format!("http://{}", page.host);
    let mut eye = Eye { browser, wrong: Vec::new() };
    let all = corpus().len();

    for number in 0..all {
        eye.look(&format!("{origin}/exchanges/{}?user=x", id(number))).await;
        let is_shown = eye.browser.eval("return document.querySelector('article.exchange') !== null").await;
        assert_eq!(is_shown, true, "the page of {:?}", corpus()[number]);
    }
    let groups = groups().count();
    for number in all..=all + groups {
        eye.look(&format!("{origin}/exchanges/{}", id(number))).await;
    }
    let columns = "columns=kind,status,user,model,language,editor,host,path,client,session,size,tokens";
    for order in ["newest", "oldest"] {
        eye.look(&format!("{origin}/exchanges?order={order}")).await;
        eye.look(&format!("{origin}/exchanges?order={order}&{columns}")).await;
    }
    eye.look(&format!("{origin}/exchanges?text=needle")).await;
    assert!(!eye.browser.texts("mark").await.is_empty(), "there are snippets");
    eye.look(&format!("{origin}/exchanges?text=window&user=eve")).await;
    eye.look(&format!("{origin}/conversations/{}", id(all))).await;
    eye.look(&format!("{origin}/conversations/{}", id(1))).await;
    for number in all..all + groups - 1 {
        eye.look(&format!("{origin}/exchanges/{}/diff/{}", id(number), id(number + 1))).await;
    }
    eye.look(&format!("{origin}/exchanges/{}/diff/{}", id(1), id(6))).await;
    eye.look(&format!("{origin}/exchanges/{}/diff", id(all))).await;
    for by in ["", "?by=user", "?by=model", "?by=language", "?by=editor"] {
        eye.look(&format!("{origin}/figures{by}")).await;
    }
    for address in ["/coverage?span=all", "/coverage?span=all&from=100", "/health", "/setup", "/live"] {
        eye.look(&format!("{origin}{address}")).await;
    }
    // A body by itself, whatever the browser takes it for.
    for part in ["request-body", "response-body"] {
        for number in [0, 1, 3] {
            eye.browser.driver.goto(&format!("{origin}/exchanges/{}/{part}", id(number))).await.unwrap();
            assert_eq!(eye.browser.eval("return window.xss === undefined").await, true);
        }
    }
    eye.done(&page.host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_of_a_file_runs_and_no_row_that_arrives() {
    let Some(browser) = browser().await else { return };
    let page = Page::start(folder(), &[]);
    let origin = format!("http://{}", page.host);
    let mut eye = Eye { browser, wrong: Vec::new() };
    eye.look(&format!("{origin}/live")).await;
    eye.browser.until("the stream", "return document.querySelectorAll('[data-rows] tr').length > 0").await;
    let before = eye.browser.eval("return document.querySelectorAll('[data-rows] tr').length").await.as_u64().unwrap();
    for (number, evil) in corpus().iter().enumerate() {
        let mut record = ghost(2000 + number, evil);
        record["timestamp"] = json!(format!("2024-12-09T13:{:02}:{:02}.331449", number / 60, number % 60));
        let path = page.folder.path("logs/chat");
        fs::write(path.join(format!(".{number}")), record.to_string()).unwrap();
        fs::rename(path.join(format!(".{number}")), path.join(format!("later-{number}.json"))).unwrap();
    }
    let came = before + corpus().len() as u64;
    eye.browser
        .until("the rows", &format!("return document.querySelectorAll('[data-rows] tr').length >= {came}"))
        .await;
    eye.look_here("the rows that arrived").await;

    // The index knows them, and they are gone: the page names the file.
    let mut named = 0;
    for (number, evil) in corpus().iter().enumerate() {
        fs::remove_file(page.folder.path("logs/chat").join(file_name(number, evil))).unwrap();
        if number % 3 == 0 {
            eye.look(&format!("{origin}/exchanges/{}", id(number))).await;
            let said = eye.browser.texts(".problem").await;
            named += said.iter().filter(|said| said.ends_with(" was deleted or moved.")).count();
        }
    }
    assert!(named > 10, "of {named} files the name was told: the others were missed by the index already");
    eye.done(&page.host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_an_address_or_a_form_runs() {
    let Some(browser) = browser().await else { return };
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs")).unwrap();
    let name = "<img src=x onerror=window.xss=1> \"'><script>window.xss=1</script>";
    folder.run_with(&["users", "add", name, "--role", "admin", "--password-stdin"], "secret").succeeds();
    let page = Page::start(folder, &["--web-login"]);
    let origin = format!("http://{}", page.host);
    let mut eye = Eye { browser, wrong: Vec::new() };
    for some in corpus().chunks(25) {
        let evil = escaped(&some.join(" "));
        eye.look(&format!("{origin}/login?next={evil}")).await;
        eye.look(&format!("{origin}/login?next=/{evil}")).await;
    }
    // Wrong first: what was typed stands in no answer; then right.
    for password in ["wrong", "secret"] {
        eye.look(&format!("{origin}/login?next=/setup")).await;
        let script = format!(
            "document.querySelector('#name').value = {}; document.querySelector('#password').value = '{password}';
             document.querySelector('form.login').requestSubmit()",
            json!(name)
        );
        eye.browser.eval(&script).await;
        let there =
            if password == "secret" { "location.pathname === '/setup'" } else { "document.querySelector('.problem')" };
        eye.browser.until("the answer", &format!("return Boolean({there})")).await;
        eye.look_here("the login").await;
    }
    assert!(eye.browser.texts("body").await[0].contains("<img src=x onerror"), "the name is shown");
    for some in corpus().chunks(25) {
        let evil = escaped(&some.join(" "));
        for address in [
            format!("/exchanges?user={evil}&model={evil}&language={evil}&text={evil}"),
            format!("/exchanges?{evil}={evil}&since={evil}&kind={evil}&columns={evil}&after={evil}&utc-offset={evil}"),
            format!("/exchanges/{evil}?{evil}={evil}"),
            format!("/exchanges/{}/diff/{evil}", id(1)),
            format!("/conversations/{evil}"),
            format!("/figures?user={evil}&model={evil}&language={evil}"),
            format!("/figures?by={evil}&since={evil}&{evil}={evil}"),
            format!("/coverage?span={evil}"),
            format!("/live?user={evil}"),
            format!("/live?kind={evil}"),
            format!("/setup?{evil}={evil}"),
            format!("/assets/{evil}"),
            format!("/{evil}"),
            format!("/api/v1/exchanges?text={evil}&{evil}={evil}"),
        ] {
            eye.browser.driver.goto(&format!("{origin}{address}")).await.unwrap();
            eye.look_here(&address).await;
        }
    }
    eye.done(&page.host).await;
}
