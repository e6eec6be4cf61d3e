//! Through the router, as a browser asks.

use std::fs;

use axum::http::{Method, StatusCode};
use base64::Engine;
use serde_json::{Value, json};

use crate::web::render::xss;
use crate::web::testing::{Pages, id};

fn record(number: usize, kind: &str, request: &str, response: &str) -> Value {
    json!({
        "proxy-authorization": "ann",
        "timestamp": format!("2024-12-08T13:{:02}:{:02}.331449", number / 60, number % 60),
        "proxy-time-consumed": "382.4ms",
        "request": {"url": "https://api.example.com/v1/x?a='1'", "method": "POST",
            "headers": {"Editor-Version": "vscode/1.95.3", "VScode-SessionId": "s-1", "X-Request-Id": format!("r-{number}"),
                "Authorization": "Bearer tid=5e1e;exp=1:<redacted>"},
            "content": request},
        "response": {"status_code": 200, "headers": {"content-type": "text/event-stream"}, "content": response},
        "recorder": {"schema": 1, "id": id(number), "kind": kind, "rule": kind, "complete": true, "aborted_by": null,
            "client": "127.0.0.1:5", "timings": {"connect": 40, "tls": 60, "request_end": 1, "first_byte": 200, "last_byte": 382.4},
            "chunks": [[250, 120], [300, 5000]]},
    })
}

fn events(pieces: &[Value]) -> String {
    let lines = pieces.iter().map(|piece| format!("data: {piece}\n\n"));
    lines.collect::<String>() + "data: [DONE]\n\n"
}

fn ghost(number: usize) -> Value {
    let request = json!({"prompt": "// Path: src/a.rs\n// Compare this snippet from src/b.rs:\n// fn b() {}\nfn add(a: u8, b: u8) -> u8 {\n    ",
        "suffix": "\n}\n", "stream": true, "extra": {"language": "rust"}});
    let piece = |text: &str, end: Option<&str>| json!({"id": "c-1", "choices": [{"index": 0, "text": text, "finish_reason": end}]});
    record(
        number,
        "completions",
        &request.to_string(),
        &events(&[piece("return a", None), piece(" + b;", Some("stop"))]),
    )
}

fn chat(number: usize, asked: &str, said: &str) -> Value {
    let request = json!({"model": "m-1", "stream": true, "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
            "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "[1, 2]"},
        {"role": "user", "content": asked}]});
    let response = events(&[
        json!({"id": "c-2", "choices": [{"index": 0, "delta": {"reasoning_text": "Hm."}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": said}}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}}),
    ]);
    record(number, "chat", &request.to_string(), &response)
}

fn telemetry(number: usize, about: usize) -> Value {
    let event = |name: &str, seconds: u32, properties: Value, measurements: Value| {
        let mut all =
            json!({"headerRequestId": format!("r-{about}"), "choiceIndex": "0", "clientCompletionId": "cc-1"});
        all.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        json!({"time": format!("2024-12-08T13:00:{seconds:02}.000Z"), "iKey": "7d7048df-6dd0-4048-bb23-b716c1461f8f",
            "data": {"baseType": "EventData", "baseData": {"name": format!("copilot/{name}"), "properties": all,
                "measurements": measurements}}})
    };
    let batch = json!([
        event("ghostText.shown", 2, json!({"reason": "<b>network</b>"}), json!({"compCharLen": 13, "numLines": 1})),
        event("ghostText.accepted", 3, json!({}), json!({"compCharLen": 13, "numLines": 1})),
        event("ghostText.stillInCode", 33, json!({}), json!({"timeout": 30, "stillInCodeHeuristic": 1})),
        event("ghostText.stillInCode", 45, json!({}), json!({"timeout": 120, "stillInCodeHeuristic": 0})),
    ]);
    record(number, "telemetry", &batch.to_string(), "{}")
}

/// The text between two pieces of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("{from} in {page}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("{to} in {rest}")).0
}

/// A text without its tags.
fn plain(markup: &str) -> String {
    let pieces = markup.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    pieces.collect::<String>()
}

#[tokio::test]
async fn ghost_text_is_shown_at_the_cursor_with_its_parts_told_apart() {
    let pages = Pages::of(&[ghost(0), telemetry(1, 0)]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    assert_eq!(page.matches("<h1>").count(), 1);
    let prompt = between(&page, "aria-label=\"Prompt\"", "</section>");
    assert!(between(prompt, "<h3>File</h3>", "</pre>").contains("// Path: src/a.rs"));
    assert!(between(prompt, "Neighbour</span>", "</summary>").contains("src/b.rs"));
    let before = between(prompt, "<h3>Before the cursor</h3>", "</pre>");
    assert!(before.contains(r#"<span class="hl-k">fn "#), "{before}");
    assert_eq!(plain(before), "fn add(a: u8, b: u8) -&gt; u8 {\n    ");
    let answer = between(&page, "aria-label=\"Suggestion at the cursor\">", "</pre>");
    assert_eq!(plain(answer), "fn add(a: u8, b: u8) -&gt; u8 {\n    return a + b;\n}\n");
    assert_eq!(plain(between(answer, "<ins class=\"suggestion\">", "</ins>")), "return a + b;");

    let became = plain(
        &between(&page, "<table class=\"became folds\">", "</table>").replace("</td>", "|").replace("</th>", "|"),
    );
    assert!(
        became.ends_with(
            "0|shown +1.7 s|accepted, 13 characters|unknown|still in the code|no longer there|unknown|unknown|"
        ),
        "{became}"
    );
    assert!(page.contains("reason: &lt;b&gt;network&lt;/b&gt;"));
}

#[tokio::test]
async fn a_chat_is_shown_as_it_was_led() {
    let pages = Pages::of(&[chat(0, "Why *now*?", "## Because\n\n```rust\nfn x() {}\n```")]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    let prompt = between(&page, "aria-label=\"Prompt\"", "</section>");
    assert_eq!(prompt.matches("<details class=\"turn\"").count(), 4);
    assert_eq!(prompt.matches("<details class=\"turn\" open>").count(), 1, "what was asked now");
    assert!(prompt.contains("<p>Why <em>now</em>?</p>"), "{prompt}");
    assert!(between(prompt, "Call</span>", "</details>").contains("&quot;path&quot;"));
    assert!(between(prompt, "Result</span>", "</details>").contains("[<span class=\"hl-n\">1"));
    let answer = between(&page, "aria-label=\"Answer\"", "</section>");
    assert!(between(answer, "<details class=\"reasoning\">", "</details>").contains("Hm."));
    assert!(answer.contains("<h5>Because</h5>") && answer.contains("hl-k"), "{answer}");
    assert!(answer.contains("The content filter ended the answer here."));
    assert!(page.contains("unknown") || page.contains("Unknown: no telemetry speaks of it."), "no telemetry is not no");
    let result = plain(between(prompt, "Result</span>", "</summary>"));
    assert_eq!(result, " of read call_1 6 characters", "a result tells its call alone, which tells the tool");
    assert!(
        plain(between(prompt, "Call</span>", "</summary>")).contains("{&quot;path&quot;:&quot;a&quot;}"),
        "{prompt}"
    );
    assert!(page.contains(&format!("/conversations/{}#here", id(0))));
    let conversation = pages.page(&format!("/conversations/{}", id(0))).await;
    assert_eq!(conversation.matches("id=\"here\"").count(), 1);
}

#[tokio::test]
async fn the_timing_has_bars_and_numbers() {
    let pages = Pages::of(&[chat(0, "a", "b")]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    let timing = between(&page, "<table class=\"timing\">", "</table>");
    let rows: Vec<_> = timing.split("<tr>").skip(2).map(|row| plain(&row.replace("</td>", "|"))).collect();
    assert_eq!(
        rows[..4],
        [
            "Tunnel: connect|-100 ms|-60 ms|40 ms|",
            "Tunnel: TLS|-60 ms|0 ms|60 ms|",
            "Sending the request|0 ms|1 ms|1 ms|",
            "Waiting for the first byte|1 ms|200 ms|199 ms|",
        ]
    );
    assert!(timing.contains("<path class=\"ticks\""), "{timing}");
    assert!(!timing.contains("style="), "{timing}");
    // 20 tokens in the 132.4 ms behind the first arrival of 250 ms.
    assert!(page.contains("Tokens per second") && page.contains("151.1"), "{page}");
}

#[tokio::test]
async fn telemetry_is_shown_as_events() {
    let pages = Pages::of(&[telemetry(0, 5)]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    assert!(page.contains("Events (4)") && page.contains("copilot/ghostText.accepted"));
    assert!(page.contains("headerRequestId = r-5"), "{page}");
}

#[tokio::test]
async fn the_list_goes_on_before_and_behind() {
    let pages = Pages::of(&[ghost(0), chat(1, "a", "b"), ghost(2), ghost(3)]);
    let page = pages.page(&format!("/exchanges/{}?kind=completions&utc-offset=%2B01:00", id(2))).await;
    let link = |number: usize| format!("href=\"/exchanges/{}?kind=completions&amp;utc-offset=%2B01:00\"", id(number));
    assert!(page.contains(&format!("rel=\"prev\" {}", link(3))), "{page}");
    assert!(page.contains(&format!("rel=\"next\" {}", link(0))), "the chat is not in the list");
    assert!(page.contains("2024-12-08 14:00:02.331") && page.contains("UTC+01:00"));
    assert!(page.contains(&format!("/exchanges/{}/diff/{}", id(2), id(1))), "the same session");
    for (query, status) in [("kind=nothing", 400), ("utc-offset=1", 400), ("order=newest&columns=user", 200)] {
        assert_eq!(pages.get(&format!("/exchanges/{}?{query}", id(2))).await.status, status, "{query}");
    }
}

/// The addresses that links of a page's contents lead to.
fn links(page: &str) -> Vec<String> {
    let main = between(page, "<main", "</main>");
    let links =
        main.split("<a ").skip(1).filter_map(|rest| rest.split_once('>')?.0.split_once("href=\"")?.1.split_once('"'));
    links.map(|(address, _)| address.replace("&amp;", "&")).collect()
}

#[tokio::test]
async fn a_view_goes_along_wherever_the_reader_goes() {
    let model = |mut ghost: Value| {
        let request = ghost["request"]["content"].as_str().unwrap().replacen('{', "{\"model\":\"m-1\",", 1);
        ghost["request"]["content"] = json!(request);
        ghost
    };
    let pages = Pages::of(&[model(ghost(0)), chat(1, "Why?", "So."), model(ghost(2)), chat(3, "And?", "Well.")]);
    let view = "kind=completions,chat&user=ann&host=*.example.com&status=2xx&model=m-1&language=rust&editor=vscode&\
        since=2024-12-08T14:00:00&until=2024-12-08T15:00:00&slower-than=1ms&cancelled=0&failed=0&text=return&\
        columns=kind,host&order=oldest&utc-offset=%2B01:00";
    let names: Vec<_> = view.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    let all = crate::review::params::FilterParams::NAMES.into_iter().chain(["columns", "order", "utc-offset"]);
    assert_eq!(names, all.collect::<Vec<_>>(), "all parameters of a view are set");
    let list = format!("/exchanges?{view}");
    let mut seen = std::collections::BTreeSet::new();
    let mut ahead = vec![list.clone()];
    while let Some(address) = ahead.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let page = pages.page(&address).await;
        assert!(page.contains("UTC+01:00"), "{address}");
        for link in links(&page) {
            let path = link.split(['?', '#']).next().unwrap();
            let is_file = ["-body", ".json", ".har"].iter().any(|end| path.ends_with(end));
            let is_of_one = path.starts_with("/exchanges/") || path.starts_with("/conversations/");
            if is_of_one && !is_file {
                assert_eq!(link.trim_end_matches("#here"), format!("{path}?{view}"), "on {address}");
                ahead.push(format!("{path}?{view}"));
            }
        }
        let back = page.contains(&format!("href=\"{}\">Exchanges</a>", list.replace('&', "&amp;")));
        assert!(back || address == list, "{address} leads back");
    }
    let (one, other) = (id(0), id(2));
    for path in [
        format!("/exchanges/{one}"),
        format!("/exchanges/{other}"),
        format!("/exchanges/{}", id(3)),
        format!("/conversations/{}", id(1)),
        format!("/exchanges/{one}/diff/{other}"),
        format!("/exchanges/{other}/diff"),
    ] {
        assert!(seen.contains(&format!("{path}?{view}")), "{path} is on the way: {seen:?}");
    }
    // The oldest is the first of this list: the next one is newer.
    let page = pages.page(&format!("/exchanges/{one}?{view}")).await;
    let next = format!("rel=\"next\" href=\"/exchanges/{other}?{}\"", view.replace('&', "&amp;"));
    assert!(page.contains(&next) && page.contains("Newer →") && page.contains("the oldest"), "{page}");
}

#[tokio::test]
async fn the_place_in_the_list_is_kept_for_the_way_back() {
    let pages = Pages::of(&[ghost(0), chat(1, "a", "b"), ghost(2)]);
    let place = "after=1999999999999999-0193a6d14f2b70008000000000000007";
    let list = pages.page(&format!("/exchanges?{place}")).await;
    assert!(list.contains(&format!("href=\"/exchanges/{}?{place}\"", id(1))), "{list}");
    let page = pages.page(&format!("/exchanges/{}?{place}", id(1))).await;
    assert!(page.contains(&format!("rel=\"up\" href=\"/exchanges?{place}\"")), "{page}");
}

#[tokio::test]
async fn the_session_tells_how_far_the_others_are() {
    let records: Vec<_> = (0..30).map(ghost).collect();
    let page = Pages::of(&records).page(&format!("/exchanges/{}?columns=host", id(15))).await;
    let session = between(&page, "<table class=\"session folds\">", "</table>");
    let numbers: Vec<_> = (5..=25).filter(|number| session.contains(&id(*number))).collect();
    assert_eq!(numbers, (5..=25).collect::<Vec<_>>(), "the nearest on both sides: {session}");
    assert_eq!(session.matches("<tr").count(), 22, "and nothing else");
    assert!(
        session.contains(">-10.0 s<") && session.contains(">this one<") && session.contains(">+10.0 s<"),
        "{session}"
    );
    let around = "/exchanges?user=ann&amp;since=2024-12-08T12:00:15Z&amp;until=2024-12-08T14:00:15Z&amp;columns=host";
    assert!(page.contains("the 20 nearest in time") && page.contains(&format!("href=\"{around}\"")), "{page}");
}

/// What was looked at, as the audit log has it.
fn looks(pages: &Pages) -> Vec<String> {
    let Ok(folder) = fs::read_dir(pages.logs.join("audit")) else { return Vec::new() };
    let text: String = folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| format!("{} {}", line["what"].as_str().unwrap(), line["ids"][0].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_head_that_tells_how_long_contents_are_is_a_look() {
    let pages = Pages::of(&[chat(0, "needle", "b")]);
    let one = format!("/exchanges/{}", id(0));
    for (address, what) in [
        (one.clone(), "exchange"),
        (format!("{one}/request-body"), "body"),
        (format!("{one}/record.json"), "record"),
        (format!("{one}/exchange.har"), "har"),
        (format!("/conversations/{}", id(0)), "conversation"),
        ("/api/v1/exchanges?text=needle".to_owned(), "search"),
    ] {
        let before = looks(&pages).len();
        let head = pages.ask(&Method::HEAD, &address).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{address}");
        assert!(head.header("content-length").parse::<usize>().unwrap() > 0, "{address}");
        assert_eq!(looks(&pages)[before..], [format!("{what} {}", id(0))], "{address}");
    }
    // The list is sent in pieces: nothing of it is made for a HEAD, which tells nothing.
    let before = looks(&pages).len();
    let head = pages.ask(&Method::HEAD, "/exchanges?text=needle").await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, ""));
    assert_eq!(looks(&pages).len(), before);
}

#[tokio::test]
async fn the_parts_of_the_page_are_reached_from_its_top() {
    let pages = Pages::of(&[ghost(0), chat(1, "a", "b"), telemetry(2, 0), {
        let mut alone = record(3, "other", "", "{}");
        alone["request"]["headers"]["VScode-SessionId"] = json!("s-2");
        alone
    }]);
    for (number, expected) in [
        (0, "prompt answer became timing session raw"),
        (1, "prompt answer became timing session raw"),
        (2, "events timing session raw"),
        (3, "prompt answer timing raw"),
    ] {
        let page = pages.page(&format!("/exchanges/{}", id(number))).await;
        let links = between(&page, "aria-label=\"Parts of this page\">", "</nav>");
        let parts = expected.split(' ').enumerate();
        let expected: Vec<_> = parts.map(|(at, id)| format!("<a href=\"#{id}\" data-part=\"{}\">", at + 1)).collect();
        for (link, id) in expected.iter().zip(links.split("href=\"#").skip(1)) {
            assert!(links.contains(link), "{link} of {number}: {links}");
            let id = id.split('"').next().unwrap();
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id} of {number} is there once");
        }
        assert_eq!(links.matches("<a ").count(), expected.len(), "{links}");
        let top = page.find("Parts of this page").unwrap()..page.find("<h2").unwrap();
        for taken in ["/record.json\"", "/exchange.har\"", "href=\"#curl\" data-copy=\"#curl\""] {
            assert!(page[top.clone()].contains(taken), "{taken} is found at once");
        }
    }
}

#[tokio::test]
async fn of_a_long_run_the_newest_is_open_and_the_rest_is_folded() {
    let call = |at: usize| {
        json!({"id": format!("call_{at}"), "type": "function",
        "function": {"name": "read", "arguments": format!("{{\"path\":\"f-{at}\"}}")}})
    };
    let mut messages = vec![json!({"role": "system", "content": "Be brief."})];
    for at in 0..100 {
        messages.push(json!({"role": "user", "content": format!("question {at}")}));
        messages.push(json!({"role": "assistant", "content": format!("answer {at}"), "tool_calls": [call(at)]}));
    }
    let image = format!("data:image/png;base64,{}", "A".repeat(200_000));
    messages.push(json!({"role": "user", "content": [
        {"type": "text", "text": "What is on it?"}, {"type": "image_url", "image_url": {"url": image}}]}));
    let lines: String = (0..5_000).map(|line| format!("let line_{line} = {line};\n")).collect();
    let calls: Vec<_> = (0..40)
        .map(|at| {
            let mut call = call(at);
            call["index"] = json!(at);
            call
        })
        .collect();
    let response = events(&[
        json!({"id": "c-3", "model": "m".repeat(200), "choices": [{"index": 0, "delta": {"content": format!("```rust\n{lines}```\n")}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}),
    ]);
    let request = json!({"model": "m-1", "stream": true, "messages": messages});
    let mut long = record(0, "chat", &request.to_string(), &response);
    long["proxy-authorization"] = json!("n".repeat(200));
    let pages = Pages::of(&[long]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    let prompt = between(&page, "aria-label=\"Prompt\"", "</section>");
    assert_eq!(prompt.matches("<details class=\"turn\"").count(), 202);
    assert_eq!(prompt.matches("<details class=\"turn\" open>").count(), 1);
    let (seen, folded) = prompt.split_once("<details class=\"earlier\"><summary>197 earlier turns</summary>").unwrap();
    assert!(!seen.contains("class=\"turn\""), "{seen}");
    let mut depth = 1;
    let end = folded.match_indices("details").find(|(at, _)| {
        let before = &folded[..*at];
        depth += i32::from(before.ends_with('<')) - i32::from(before.ends_with("</"));
        depth == 0
    });
    let (at, _) = end.unwrap();
    assert_eq!(folded[..at].matches("<details class=\"turn\"").count(), 197);
    let open = between(prompt, "<details class=\"turn\" open>", "</details>");
    assert!(open.contains("What is on it?") && open.contains("image"), "{open}");
    assert!(!page.contains(&"A".repeat(100_000)), "pictures are no text to read");
    let answer = between(&page, "aria-label=\"Answer\"", "</section>");
    assert_eq!(answer.matches("<details class=\"tool\"").count(), 40);
    assert!(plain(answer).contains("let line_4999 = 4999;"), "all of it is there");
}

#[tokio::test]
async fn what_cannot_be_shown_is_said() {
    let pages = Pages::of(&[ghost(1), ghost(2)]);
    let several = pages.get("/exchanges/0193a6d1").await;
    assert_eq!(several.status, 200);
    assert!(several.text().contains(&id(1)) && several.text().contains(&id(2)) && several.text().contains("Several"));
    assert_eq!(pages.get("/exchanges/0193a6d1/record.json").await.status, 400, "a file of several makes no sense");
    for unknown in ["/exchanges/0193ffff", "/exchanges/%3Cscript%3E%E2%80%AE", "/exchanges/x%00y/request-body"] {
        let answer = pages.get(unknown).await;
        assert_eq!(answer.status, 404, "{unknown}");
        assert!(!answer.text().contains("<script>\u{202e}"), "{}", answer.text());
    }
    fs::write(pages.logs.join("chat/0.json"), "{\"proxy-author").unwrap();
    let damaged = pages.get(&format!("/exchanges/{}", id(1))).await;
    assert!(damaged.status == 500 || damaged.status == 404, "{}", damaged.status);
    fs::remove_file(pages.logs.join("chat/1.json")).unwrap();
    let gone = pages.get(&format!("/exchanges/{}", id(2))).await;
    assert!(gone.status == 410 || gone.status == 404, "{}: the index may have looked meanwhile", gone.status);
}

#[tokio::test]
async fn bodies_and_records_are_files() {
    let mut binary = ghost(2);
    binary["response"]["content"] = json!(base64::engine::general_purpose::STANDARD.encode([0xff, 0x00, 0x3c]));
    binary["recorder"]["response"] = json!({"encoding": "base64"});
    let pages = Pages::of(&[chat(0, "<script>alert(1)</script>", "b"), binary]);
    let get = async |number: usize, what: &str| pages.get(&format!("/exchanges/{}/{what}", id(number))).await;
    let body = get(0, "request-body").await;
    assert_eq!(body.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(body.header("x-content-type-options"), "nosniff");
    assert!(body.header("content-security-policy").contains("sandbox"));
    assert!(body.text().starts_with("{") && body.text().contains("<script>alert(1)</script>"));
    let bytes = get(2, "response-body").await;
    assert_eq!((bytes.header("content-type"), &*bytes.body), ("application/octet-stream", &[0xff, 0x00, 0x3c][..]));
    assert_eq!(bytes.header("content-disposition"), format!("attachment; filename=\"completions-{}-response\"", id(2)));
    let record: Value = serde_json::from_slice(&get(0, "record.json").await.body).unwrap();
    assert_eq!(record["recorder"]["id"], id(0));
    let har = get(0, "exchange.har").await;
    assert!(har.header("content-disposition").ends_with(&format!("chat-{}.har\"", id(0))));
    let har: Value = serde_json::from_slice(&har.body).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 1);
    let page = pages.page(&format!("/exchanges/{}", id(2))).await;
    assert!(page.contains(r#"<span class="ctl" title="byte 0xFF">\xFF</span>"#), "bytes are marks");
}

#[tokio::test]
async fn credentials_of_older_records_do_not_come_out() {
    let mut older = ghost(0);
    older["proxy-authorization"] = json!("ann:hunter2");
    older["request"]["headers"]["Authorization"] = json!("Bearer tid=1;exp=2:secretsignature");
    older.as_object_mut().unwrap().remove("recorder");
    let pages = Pages::of(&[older]);
    // The id of an older record is derived from it: the list tells it.
    let list = pages.page("/exchanges").await;
    let id = between(&list, "href=\"/exchanges/0", "\"").to_owned();
    for what in ["", "/record.json", "/exchange.har", "/request-body"] {
        let answer = pages.get(&format!("/exchanges/0{id}{what}")).await;
        assert_eq!(answer.status, 200, "{what}");
        assert!(!answer.text().contains("hunter2") && !answer.text().contains("secretsignature"), "{what}");
    }
}

#[tokio::test]
async fn the_request_can_be_made_again_without_its_credential() {
    let pages = Pages::of(&[ghost(0)]);
    let page = pages.page(&format!("/exchanges/{}", id(0))).await;
    let command = plain(between(&page, "aria-label=\"The request as a command of curl\"", "</pre>"));
    assert!(command.contains(r"--url 'https://api.example.com/v1/x?a='\''1'\'''"), "{command}");
    assert!(command.contains("&quot;Authorization: Bearer $TOKEN&quot;") && !command.contains("5e1e"), "{command}");
    assert!(page.contains("<button type=\"button\" data-copy=\"#curl\">"));
}

#[tokio::test]
async fn nothing_of_the_corpus_becomes_an_element() {
    let all = xss::CORPUS.join("\n\n");
    let mut hostile = chat(0, &all, &all);
    for (name, value) in
        [("user-agent", &*all), ("<script>x</script>", "y"), ("OpenAI-Intent", "<img src=x onerror=y>")]
    {
        hostile["request"]["headers"][name] = json!(value);
        hostile["response"]["headers"][name] = json!(value);
    }
    hostile["proxy-authorization"] = json!("<script>window.xss=1</script>");
    hostile["request"]["url"] = json!("https://api.example.com/\"><script>window.xss=1</script>");
    let mut suggested = ghost(1);
    suggested["request"]["content"] =
        json!(json!({"prompt": all, "suffix": all, "extra": {"language": all}}).to_string());
    suggested["response"]["content"] =
        json!(events(&[json!({"model": all, "choices": [{"index": 0, "text": all, "finish_reason": all}]})]));
    let pages = Pages::of(&[hostile, suggested, telemetry(2, 0)]);
    for number in 0..3 {
        let page = pages.page(&format!("/exchanges/{}", id(number))).await;
        assert_eq!(page.matches("<script").count(), 1, "ours alone");
        for tag in [
            "<img",
            "<iframe",
            "<object",
            "<embed",
            "<form action",
            "<style",
            "<base",
            "<math",
            "<video",
            "<body onload",
        ] {
            assert!(!page.contains(tag), "{tag}");
        }
        for piece in page.split('<').skip(1) {
            let tag = piece.split_once('>').expect("a tag ends").0;
            let lower = tag.to_ascii_lowercase();
            for attribute in [" style=", " srcdoc", " src=\"/", " src=\"h", "javascript:"] {
                let ours = tag.starts_with("script src=\"/assets/");
                assert!(ours || !lower.contains(attribute), "{tag}");
            }
            // No value of ours has quotes in it, so what is behind a space and before `="` is a name.
            let names = lower.split(' ').filter_map(|word| word.split_once("=\"")).map(|(name, _)| name);
            assert!(names.into_iter().all(|name| !name.starts_with("on")), "{tag}");
        }
    }
}

#[tokio::test]
async fn large_bodies_make_no_large_pages() {
    let asked = "let x = \"<&>\"; // \u{202e}\n".repeat(60_000);
    let mut broken = chat(1, "a", "b");
    broken["request"]["content"] =
        json!(format!("{{\"messages\":[{}", "{\"role\":\"user\",\"content\":\"a\"},".repeat(40_000)));
    let pages = Pages::of(&[chat(0, &asked, &format!("```rust\n{asked}")), broken]);
    for number in 0..2 {
        let page = pages.page(&format!("/exchanges/{}", id(number))).await;
        assert!(page.len() < 8 << 20, "{}", page.len());
        assert!(page.contains("not shown"), "what is left out is said");
    }
}
