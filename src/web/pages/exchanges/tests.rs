//! Through the router, as a browser asks.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::columns::Column;
use super::found::ROWS;
use super::*;
use crate::web::testing::{Pages, id};

/// The numbers of the exchanges that a page shows.
async fn shown(pages: &Pages, address: &str) -> Vec<usize> {
    numbers(&pages.page(address).await)
}

/// A chat of a user at so many seconds.
fn chat(number: usize, user: &str, question: &str) -> Value {
    let body = json!({"model": "gpt-x", "messages": [{"role": "user", "content": question}]});
    let reply = json!({"id": format!("a-{number}"), "model": "gpt-x-1", "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 5, "total_tokens": 1205}});
    json!({
        "proxy-authorization": user,
        "timestamp": format!("2024-12-08T13:{:02}:{:02}.331449", number / 60, number % 60),
        "proxy-time-consumed": "10.0ms",
        "request": {"url": "https://api.githubcopilot.com/chat/completions", "method": "POST",
            "headers": {"Editor-Version": "vscode/1.95.3"}, "content": body.to_string()},
        "response": {"status_code": 200, "headers": {}, "content": reply.to_string()},
        "recorder": {"schema": 1, "id": id(number), "kind": "chat", "rule": "chat", "complete": true, "aborted_by": null,
            "client": "127.0.0.1:5", "timings": {"first_byte": 5, "last_byte": 382.4}, "chunks": []},
    })
}

fn numbers(body: &str) -> Vec<usize> {
    let places = body.match_indices("href=\"/exchanges/").map(|(at, found)| &body[at + found.len()..][..36]);
    places.map(|id| id[24..].parse().unwrap()).collect()
}

/// The address that a link with this `rel` has.
fn link(body: &str, rel: &str) -> Option<String> {
    let at = body.find(&format!("rel=\"{rel}\" href=\""))?;
    let address = body[at..].split('"').nth(3)?;
    Some(address.replace("&amp;", "&"))
}

#[tokio::test]
async fn filters_in_the_address_choose_the_rows_and_go_with_their_links() {
    let records: Vec<_> = (0..6).map(|n| chat(n, if n % 2 == 0 { "ann" } else { "bob" }, "a question")).collect();
    let pages = Pages::of(&records);
    assert_eq!(shown(&pages, "/exchanges").await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(shown(&pages, "/exchanges?order=oldest&user=ann").await, [0, 2, 4]);
    assert_eq!(shown(&pages, "/exchanges?user=bob&kind=chat&status=2xx&slower-than=300ms").await, [5, 3, 1]);
    let until = "/exchanges?until=2024-12-08T13:00:02Z&since=2024-12-08T13:00:01Z";
    assert_eq!(shown(&pages, until).await, [1]);
    // Without zone it is the clock of the page.
    assert_eq!(shown(&pages, "/exchanges?since=2024-12-08T14:00:05&utc-offset=%2B01:00").await, [5]);
    let body = pages.page("/exchanges?user=bob,ann&kind=chat").await;
    assert!(body.contains(&format!("href=\"/exchanges/{}?kind=chat&amp;user=bob,ann\"", id(5))), "{body}");
    assert!(body.contains("6 exchanges") && body.contains("382 ms") && body.contains("1,200 in 5 out"), "{body}");
    assert!(body.contains("<option value=\"ann\"></option><option value=\"bob\"></option>"), "there is to choose");
}

#[tokio::test]
async fn what_makes_no_sense_is_said_at_its_field_and_finds_nothing() {
    let pages = Pages::of(&[chat(0, "ann", "a question")]);
    let query = "kind=chat,zzz&status=9999&since=%3Cb%3E&user=ann&text=%21&columns=nose&after=x&failed=maybe&wat=1";
    let answer = pages.get(&format!("/exchanges?{query}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let body = answer.text();
    for (field, sentence) in [
        ("kind", "zzz: there are completions,"),
        ("status", "9999: write a code such as 200"),
        ("since", "&lt;b&gt;: write a date"),
        ("text", "!: it has no word to look for"),
    ] {
        let said = format!("<span class=\"wrong\" id=\"w-{field}\">{sentence}");
        assert!(body.contains(&said), "{field}: {body}");
        assert_eq!(body.matches(&format!("aria-describedby=\"w-{field}\"")).count(), 1, "{field}");
    }
    assert!(!body.contains("w-user") && body.contains("value=\"ann\""), "what is right stays as it was typed");
    for elsewhere in [
        "<code>columns=nose</code>: there are kind,",
        "<code>after=x</code>: not a place",
        "<code>failed=maybe",
        "<code>wat=1</code>: there is no such parameter",
    ] {
        assert!(body.contains(elsewhere), "{elsewhere}: {body}");
    }
    assert!(numbers(body).is_empty() && !body.contains("<table"));
}

#[tokio::test]
async fn where_nothing_fits_it_is_said_what_can_be_done() {
    let pages = Pages::of(&[chat(0, "ann", "a question")]);
    let body = pages.page("/exchanges?user=%3Cscript%3E&kind=chat&columns=kind").await;
    assert!(body.contains("No exchange fits these filters."), "{body}");
    assert!(body.contains("<a href=\"/exchanges?kind=chat&amp;columns=kind\">user: &lt;script&gt;</a>"), "{body}");
    assert!(body.contains("<a href=\"/exchanges?user=%3Cscript%3E&amp;columns=kind\">kind: chat</a>"), "{body}");
    let beyond = "/exchanges?after=1-0193a6d14f2b70008000000000000000";
    assert!(pages.page(beyond).await.contains("There is nothing behind this place any more."));
    let empty = Pages::of(&[]).page("/exchanges?user=ann").await;
    assert!(empty.contains("Nothing has been recorded here yet.") && empty.contains("href=\"/setup\""), "{empty}");
}

#[tokio::test]
async fn a_form_leads_to_an_address_that_can_be_passed_on() {
    let pages = Pages::of(&[chat(0, "ann", "a question")]);
    let usual: String = Column::USUAL.iter().map(|column| format!("&columns={}", column.key())).collect();
    for (sent, leads) in [
        (format!("text=&kind=chat&user=ann&since=&until=&status={usual}"), "/exchanges?kind=chat&user=ann"),
        (
            "text=a+question&user=ann&user=b%2Cc&columns=kind&columns=host".into(),
            "/exchanges?user=ann,b,c&text=a%20question&columns=kind,host",
        ),
        ("text=&order=oldest&failed=1".into(), "/exchanges?failed=1&order=oldest"),
        ("text=".into(), "/exchanges"),
    ] {
        let answer = pages.get(&format!("/exchanges?{sent}")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, leads), "{sent}");
        assert_eq!(pages.get(leads).await.status, StatusCode::OK, "{leads}");
    }
}

#[tokio::test]
async fn pages_lead_through_all_rows_and_back() {
    let total = 2 * ROWS + 20;
    let records: Vec<_> = (0..total).map(|n| chat(n, "ann", "a question")).collect();
    let pages = Pages::of(&records);
    for (order, text) in [("", ""), ("&order=oldest", ""), ("", "&text=question")] {
        let first = format!("/exchanges?user=ann{text}{order}");
        let mut expected: Vec<_> = (0..total).collect();
        if order.is_empty() {
            expected.reverse();
        }
        let (mut address, mut found, mut places) = (first.clone(), Vec::new(), Vec::new());
        loop {
            let body = pages.page(&address).await;
            assert!(body.contains(&format!(" of {total} exchanges")), "{body}");
            found.extend(numbers(&body));
            places.push(numbers(&body));
            let Some(next) = link(&body, "next") else { break };
            address = next;
        }
        assert_eq!((found, places.len()), (expected, 3));
        for place in places.iter().rev().skip(1) {
            address = link(&pages.page(&address).await, "prev").unwrap();
            assert_eq!(shown(&pages, &address).await, *place);
        }
        assert_eq!(link(&pages.page(&address).await, "prev"), None, "the first page is that of {first}");
    }
}

#[tokio::test]
async fn words_are_marked_where_they_stand() {
    let large = chat(3, "ann", &format!("needle {}", "hay ".repeat(3 << 20)));
    let hostile = "</td><script>alert(1)</script> \u{202e}needle\x1b[31m";
    let pages =
        Pages::of(&[chat(0, "ann", "find the Needle in hay"), chat(1, "ann", hostile), chat(2, "ann", "hay"), large]);
    let body = pages.page("/exchanges?text=needle&columns=user").await;
    assert!(body.contains("find the <mark>Needle</mark> in hay"), "{body}");
    assert!(body.contains("&lt;script&gt;alert(1)&lt;/script&gt; \\u{202e}<mark>needle</mark>\\u{1b}[31m"), "{body}");
    assert!(!body.contains("<script>") && !body.contains('\u{202e}') && !body.contains('\x1b'));
    assert_eq!(body.matches("not shown here: open it").count(), 1, "the large one is not looked into: {body}");
    fs::write(pages.logs.join("chat/0.json"), "{").unwrap();
    let body = pages.page("/exchanges?text=needle+in&columns=user").await;
    assert!(body.contains("not shown here: open it") && numbers(&body) == [0], "{body}");
}

#[tokio::test]
async fn hostile_values_are_text() {
    let evil = "\"><script>alert(1)</script>'\u{202e}\u{9b}";
    let mut record = chat(0, evil, "a question");
    record["request"]["headers"]["Editor-Version"] = json!(evil);
    record["request"]["url"] = json!(format!("https://api.githubcopilot.com/{evil}"));
    record["recorder"]["client"] = json!(evil);
    record["response"]["content"] = json!(json!({"error": {"message": evil}, "model": evil}).to_string());
    let pages = Pages::of(&[record]);
    let all = Column::all().map(Column::key).collect::<Vec<_>>().join(",");
    let encoded = crate::review::query::encoded(evil);
    for address in [
        format!("/exchanges?columns={all}"),
        format!("/exchanges?user={encoded}&model={encoded}"),
        format!("/exchanges?text={encoded}"),
        format!("/exchanges?{encoded}={encoded}&since={encoded}&kind={encoded}&utc-offset={encoded}"),
    ] {
        let answer = pages.get(&address).await;
        let body = answer.text();
        assert!(!body.contains("<script>") && body.contains("&lt;script&gt;"), "{address}: {body}");
        // In the fields of the form what was typed stays what it was.
        let shown = body.replace(
            &format!("value=\"{}\"", evil.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")),
            "",
        );
        assert!(!shown.contains('\u{202e}') && !shown.contains('\u{9b}'), "{address}: {shown}");
    }
}

#[tokio::test]
async fn columns_are_chosen_and_times_told_by_the_clock() {
    let pages = Pages::of(&[chat(0, "ann", "a question")]);
    let body = pages.page("/exchanges?columns=host,first-token&utc-offset=-05:30").await;
    let headings: Vec<_> =
        body.split("<th scope=\"col\"").skip(1).map(|rest| rest.split("</th>").next().unwrap()).collect();
    assert_eq!(headings.len(), 3, "{headings:?}");
    assert!(headings[0].contains("Time (UTC-05:30)") && headings[0].starts_with(" aria-sort=\"descending\""));
    assert_eq!(headings[1..], [">Host", " class=\"num\">First token"]);
    assert!(body.contains("<time datetime=\"2024-12-08T13:00:00.331Z\">2024-12-08 07:30:00</time>"), "{body}");
    assert!(body.contains("name=\"columns\" value=\"host\" checked>") && !body.contains("value=\"kind\" checked>"));
    assert!(
        body.contains("href=\"/exchanges?columns=host,first-token&amp;order=oldest&amp;utc-offset=-05:30\""),
        "{body}"
    );
}

proptest! {
    #[test]
    fn an_address_is_its_own(text in "[a-z0-9=&%+,\u{e4} <-]{0,80}", order in "(|&order=oldest)", place in "(|&after=1-0193a6d14f2b70008000000000000007)") {
        let wanted = Wanted::of_query(&format!("kind=chat&user={text}&columns=kind,host{order}{place}"));
        let address = wanted.address();
        let (_, query) = address.split_once('?').unwrap();
        prop_assert_eq!(Wanted::of_query(query).address(), address.clone());
        prop_assert!(!is_of_form(query), "{}", query);
        prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
