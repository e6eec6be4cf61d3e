//! The page of an exchange in a real browser: each kind narrow and wide, the keys, what is copied, and texts that would
//! run if they were not shown as text.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;
#[path = "support/xss.rs"]
#[allow(unreachable_pub)]
mod xss;

use std::fs;

use browser::{Browser, NARROW, WIDE, browser};
use serde_json::{Value, json};
use support::page::Page;
use support::program::Folder;

/// `web` on a folder of records.
struct Review(Page);

impl Review {
    fn of(records: &[Value]) -> Self {
        let folder = Folder::new();
        fs::create_dir_all(folder.path("logs/chat")).unwrap();
        for (number, record) in records.iter().enumerate() {
            folder.write(&format!("logs/chat/{number}.json"), &record.to_string());
        }
        Self(Page::start(folder, &[]))
    }

    /// Opens the page of an exchange, also while the index is being made.
    async fn open(&self, browser: &Browser, number: usize, query: &str) {
        browser.open(&self.0.url(&format!("/exchanges/{}{query}", id(number)))).await;
        browser.until("the exchange", "return document.querySelector('article.exchange') !== null").await;
    }
}

fn id(number: usize) -> String {
    format!("0193a6d1-4f2b-7000-8000-{number:012}")
}

fn record(number: usize, kind: &str, request: &str, response: &str) -> Value {
    json!({
        "proxy-authorization": "ann", "timestamp": format!("2024-12-08T13:{:02}:{:02}.331449", number / 60, number % 60),
        "proxy-time-consumed": "382.4ms",
        "request": {"url": "https://api.example.com/v1/x", "method": "POST", "content": request,
            "headers": {"Editor-Version": "vscode/1.95.3", "VScode-SessionId": "s-1", "X-Request-Id": format!("r-{number}"),
                "Authorization": "Bearer tid=5e1e;exp=1:<redacted>"}},
        "response": {"status_code": 200, "headers": {"content-type": "text/event-stream"}, "content": response},
        "recorder": {"schema": 1, "id": id(number), "kind": kind, "rule": kind, "complete": true, "aborted_by": null,
            "client": "127.0.0.1:5", "chunks": [[250, 120], [300, 90], [350, 5000]],
            "timings": {"connect": 40, "tls": 60, "request_end": 1, "first_byte": 200, "last_byte": 382.4}},
    })
}

fn events(pieces: &[Value]) -> String {
    pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect::<String>() + "data: [DONE]\n\n"
}

fn ghost(number: usize, prefix: &str, text: &str) -> Value {
    let request = json!({"prompt": prefix, "suffix": "\n}\n", "extra": {"language": "typescript"}});
    let answer = json!({"id": "c-1", "choices": [{"index": 0, "text": text, "finish_reason": "stop"}]});
    record(number, "completions", &request.to_string(), &events(&[answer]))
}

fn chat(number: usize, asked: &str, said: &str) -> Value {
    let request = json!({"model": "m-1", "stream": true, "tools": [{"type": "function", "function": {"name": "read"}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "write", "arguments": json!({"path": "a.ts", "text": asked}).to_string()}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": asked},
            {"role": "user", "content": asked}]});
    let response = events(&[
        json!({"id": "c-2", "choices": [{"index": 0, "delta": {"reasoning_text": asked}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": said}}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    ]);
    record(number, "chat", &request.to_string(), &response)
}

fn telemetry(number: usize, about: usize, reason: &str) -> Value {
    let event = |name: &str, seconds: u32| {
        json!({"time": format!("2024-12-08T13:01:{seconds:02}.000Z"), "iKey": "x", "data": {"baseType": "EventData",
            "baseData": {"name": format!("copilot/{name}"), "measurements": {"compCharLen": 13, "timeout": 30, "stillInCodeHeuristic": 1},
                "properties": {"headerRequestId": format!("r-{about}"), "choiceIndex": "0", "reason": reason}}}})
    };
    let batch =
        json!([event("ghostText.shown", 1), event("ghostText.accepted", 2), event("ghostText.stillInCode", 32)]);
    record(number, "telemetry", &batch.to_string(), "{}")
}

const CODE: &str = "// Path: src/a.ts\n// Compare this snippet from src/b.ts:\n// export const b = 1;\nexport async function add(a: number, b: number): Promise<number> {\n  // sums\n  return await ";
const MARKDOWN: &str = "## Why\n\nBecause `a` is **not** `b`, see [the manual](https://docs.example.com/a):\n\n```ts\nconst a = \"x\"; // said\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n";

fn kinds() -> Vec<Value> {
    let mut failed = chat(4, "hello", "x");
    failed["response"] = json!({"status_code": 429, "headers": {}, "content": "{\"error\":{\"code\":\"rate_limited\",\"message\":\"Slow down.\"}}"});
    let mut silent = chat(5, "hello", "x");
    silent["response"] = json!({"status_code": 0, "headers": {}, "content": ""});
    silent["recorder"]["response"] = Value::Null;
    vec![
        ghost(0, CODE, "a + b;"),
        chat(1, MARKDOWN, MARKDOWN),
        telemetry(2, 0, "network"),
        record(
            3,
            "models",
            "",
            &json!({"data": [{"id": "m-1", "capabilities": {"limits": {"max": 128_000}}}]}).to_string(),
        ),
        failed,
        silent,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_can_be_read_narrow_and_wide_light_and_dark() {
    let Some(browser) = browser().await else { return };
    let review = Review::of(&kinds());
    for number in 0..kinds().len() {
        review.open(&browser, number, "").await;
        browser.eval("document.querySelectorAll('details').forEach(one => one.open = true)").await;
        for (width, dark) in [(NARROW, false), (NARROW, true), (WIDE, false), (WIDE, true)] {
            browser.look(width, dark).await;
            assert_eq!(browser.hindrances().await, Vec::<String>::new(), "{number} at {width}, dark: {dark}");
            assert_eq!(browser.sticking_out().await, Vec::<String>::new(), "{number} at {width}");
            browser.picture(&format!("exchange-{number}-{width}-{}", if dark { "dark" } else { "light" })).await;
        }
        assert_eq!(browser.texts("h1").await.len(), 1);
    }
    // A page that is still being made answers with 503, which the browser mentions.
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|line| line.contains("503")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_along_the_list() {
    let Some(browser) = browser().await else { return };
    let review = Review::of(&[ghost(0, CODE, "a"), chat(1, "x", "y"), ghost(2, CODE, "b"), ghost(3, CODE, "c")]);
    review.open(&browser, 2, "?kind=completions").await;
    let at = |number: usize| {
        format!("return location.pathname.endsWith('{}') && document.readyState === 'complete'", id(number))
    };
    browser.press("j").await;
    browser.until("the older one of the filter", &at(0)).await;
    browser.press("k").await;
    browser.until("the newer one", &at(2)).await;
    browser.press("k").await;
    browser.until("the newest", &at(3)).await;
    assert_eq!(browser.path().await, format!("/exchanges/{}?kind=completions", id(3)));
    browser.press("u").await;
    browser.until("the list", "return location.pathname === '/exchanges' && document.readyState === 'complete'").await;
    assert_eq!(browser.path().await, "/exchanges?kind=completions");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_page_are_one_key_away() {
    let Some(browser) = browser().await else { return };
    let long: String = (0..400).map(|line| format!("// line {line}\n")).collect();
    let review = Review::of(&[ghost(0, &long, "a"), chat(1, "x", "y")]);
    review.open(&browser, 0, "").await;
    let in_sight = "const box = document.getElementById('timing').getBoundingClientRect();
        return location.hash === '#timing' && box.top >= 0 && box.bottom <= innerHeight";
    browser.press("4").await;
    browser.until("the timing is in sight", in_sight).await;
    // The same by the links, as they are reached without a mouse.
    let names = browser.texts("nav[aria-label='Parts of this page'] a").await;
    assert_eq!(names, ["Prompt", "Answer", "What became of it", "Timing", "The same session", "Headers and bodies"],);
    // Where nothing may be put on the clipboard, the command is unfolded and chosen.
    let refused =
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: () => Promise.reject(new Error('no'))}});
        document.querySelector('.contents [data-copy]').click()";
    browser.eval(refused).await;
    browser.until("the command is chosen", "return getSelection().toString().startsWith('curl')").await;
    assert_eq!(browser.eval("return document.getElementById('curl').closest('details').open").await, json!(true));
    // Where it may, it is there.
    let allowed = "window.copied = null;
        navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() };
        document.querySelector('.contents [data-copy]').click()";
    browser.eval(allowed).await;
    browser.until("the command is copied", "return window.copied !== null").await;
    let text = browser.eval("return [window.copied, document.getElementById('curl').textContent]").await;
    assert_eq!(text[0], text[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matters_is_in_sight_where_it_is_narrow() {
    let Some(browser) = browser().await else { return };
    let long = |mut record: Value| {
        record["proxy-authorization"] = json!("n".repeat(120));
        record
    };
    let review = Review::of(&[long(ghost(0, CODE, "a + b;")), telemetry(1, 0, "network"), long(chat(2, "x", "y"))]);
    review.open(&browser, 0, "").await;
    browser.look(NARROW, false).await;
    // Cells of these tables that begin or end behind the edge of the page.
    let behind = "return [...document.querySelectorAll('table:is(.became, .timing, .session) tbody :is(th, td)')]
        .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth)
        .map(one => one.closest('table').className + ': ' + one.textContent)";
    assert_eq!(browser.eval(behind).await, json!([]));
    let side_by_side = "const [dt, dd] = document.querySelector('dl.facts').children;
        return Math.abs(dt.getBoundingClientRect().top - dd.getBoundingClientRect().top) < 4";
    assert_eq!(browser.eval(side_by_side).await, json!(true));
    let gap = "const about = document.querySelector('details.about').getBoundingClientRect();
        return document.querySelector('.contents').getBoundingClientRect().top - about.bottom >= 8";
    assert_eq!(browser.eval(gap).await, json!(true));
    browser.open(&review.0.url("/exchanges")).await;
    browser.look(WIDE, false).await;
    let wide = "return document.querySelector('.scroll').scrollWidth - document.querySelector('.scroll').clientWidth";
    assert_eq!(browser.eval(wide).await, json!(0), "a long name pushes nothing behind the edge");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_corpus_runs() {
    let Some(browser) = browser().await else { return };
    let all = xss::CORPUS.join("\n\n");
    let mut hostile = chat(1, &all, &all);
    for name in ["user-agent", "<script>window.xss=1</script>", "OpenAI-Intent"] {
        hostile["request"]["headers"][name] = json!(all);
        hostile["response"]["headers"][name] = json!(all);
    }
    hostile["proxy-authorization"] = json!("<script>window.xss=1</script>");
    hostile["request"]["url"] = json!("https://api.example.com/\"><script>window.xss=1</script>");
    let mut records = vec![ghost(0, &all, &all), hostile, telemetry(2, 0, &all)];
    // Each one by itself too: one that ends an element may hide what the next one does.
    records.extend(xss::CORPUS.iter().enumerate().map(|(at, text)| chat(at + 3, text, text)));
    let review = Review::of(&records);
    for (number, record) in records.iter().enumerate() {
        review.open(&browser, number, "").await;
        let found = browser
            .eval(
                "document.querySelectorAll('details').forEach(one => one.open = true);
                const strange = document.querySelectorAll('main :is(img, iframe, object, embed, style, script, link, form, input, video, math, base)');
                const links = [...document.querySelectorAll('a[href]')].filter(one => !/^(https?|mailto):/.test(one.href));
                return [window.xss === undefined, strange.length, links.length]",
            )
            .await;
        assert_eq!(found, json!([true, 0, 0]), "{number}: {}", record["request"]["content"]);
    }
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|line| line.contains("503")), "{complaints:?}");
    assert_eq!(
        browser.hosts().await.into_iter().collect::<Vec<_>>(),
        [review.0.host.as_str()],
        "nobody else was asked"
    );
}
