use axum::http::StatusCode;
use serde_json::{Value, json};

use super::testing::{Folder, id};

fn said(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

fn messages(all: &[Value]) -> Value {
    json!({"model": "m-1", "messages": all})
}

/// A person asks, the client follows up twice, the person asks again.
fn agent_run() -> Folder {
    let folder = Folder::new();
    let of = |who: &str, turn: &str| json!({"x-initiator": who, "x-interaction-id": turn});
    let mut all = vec![said("system", "Be kind."), said("user", "Where is the **lock**?")];
    folder.chat(1, &of("user", "i-1"), &messages(&all), "I look.");
    let call = json!({"role": "assistant", "content": "I look.", "tool_calls": [{"id": "c1", "type": "function",
        "function": {"name": "grep", "arguments": "{\"pattern\":\"lock\"}"}}]});
    all.extend([call, json!({"role": "tool", "tool_call_id": "c1", "content": "src/lib.rs:4"})]);
    folder.chat(3, &of("agent", "i-1"), &messages(&all), "And once more.");
    all.extend([
        said("assistant", "And once more."),
        json!({"role": "tool", "tool_call_id": "c2", "content": "src/b.rs"}),
    ]);
    folder.chat(6, &of("agent", "i-1"), &messages(&all), "It is in lib.rs.");
    all.extend([said("assistant", "It is in lib.rs."), said("user", "Drop it.")]);
    folder.chat(60, &of("user", "i-2"), &messages(&all), "Dropped.");
    // Somebody else's, and another chat of the same session.
    folder.record(61, "bob", &of("user", "i-2"), &messages(&[said("user", "Where is the **lock**?")]), "Here.");
    folder.chat(62, &of("user", "i-9"), &messages(&[said("user", "Something else")]), "Well.");
    folder
}

#[tokio::test]
async fn a_conversation_is_told_once_from_any_of_its_requests() {
    let folder = agent_run();
    let pages = folder.pages();
    for number in [1, 3, 6, 60] {
        let text = pages.text(&format!("/conversations/{}", id(number))).await;
        for (words, times) in [
            ("2 turns of a person", 1),
            ("2 follow-ups of the client", 1),
            ("4,000 tokens of prompts", 1),
            ("client: 2 follow-ups, 3000 ms, 2,000 tokens in, 14 out", 1),
            // In the outline, as the heading, and as it was said: the marks are Markdown's.
            ("Where is the **lock**?", 2),
            ("Where is the lock ?", 1),
            ("Drop it.", 3),
            ("Be kind.", 1),
            ("src/lib.rs:4", 1),
            ("It is in lib.rs.", 1),
            ("Dropped.", 1),
            ("you came from here", 1),
            ("Something else", 0),
            ("Here.", 0),
        ] {
            assert_eq!(text.matches(words).count(), times, "{words}, from {number}: {text}");
        }
        assert!(text.contains("Conversation of alice"), "{text}");
    }
}

#[tokio::test]
async fn the_folded_rounds_are_open_where_the_reader_came_from() {
    let folder = agent_run();
    let pages = folder.pages();
    let (_, inside) = pages.get(&format!("/conversations/{}", id(3))).await;
    let (_, outside) = pages.get(&format!("/conversations/{}", id(60))).await;
    assert!(inside.contains("<details class=\"rounds\" open>"), "{inside}");
    assert!(outside.contains("<details class=\"rounds\">"), "{outside}");
    assert!(inside.contains(&format!("href=\"/exchanges/{}\"", id(6))), "each request leads to its exchange");
}

#[tokio::test]
async fn long_runs_have_pages() {
    let folder = Folder::new();
    for number in 0..95 {
        let who = if number == 0 { "user" } else { "agent" };
        let headers = json!({"x-initiator": who, "x-interaction-id": "i"});
        folder.chat(number, &headers, &messages(&[said("user", &format!("word-{number}-"))]), "ok");
    }
    let pages = folder.pages();
    let middle = pages.text(&format!("/conversations/{}", id(50))).await;
    assert!(
        middle.contains("Requests 41 to 80 of 95") && middle.contains("word-50-") && !middle.contains("word-39-"),
        "{middle}"
    );
    assert!(middle.contains("(goes on)"), "{middle}");
    let (_, page) = pages.get(&format!("/conversations/{}", id(50))).await;
    assert!(page.contains(&format!("rel=\"prev\" href=\"/conversations/{}?page=1\"", id(50))), "{page}");
    assert!(page.contains(&format!("rel=\"next\" href=\"/conversations/{}?page=3\"", id(50))), "{page}");
    let last = pages.text(&format!("/conversations/{}?page=3", id(50))).await;
    assert!(last.contains("Requests 81 to 95 of 95") && last.contains("word-94-"), "{last}");
    assert_eq!(pages.get(&format!("/conversations/{}?page=4", id(50))).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_the_right_status() {
    let folder = agent_run();
    let pages = folder.pages();
    let whole = format!("/conversations/{}", id(1));
    assert_eq!(pages.get(&whole).await.0, StatusCode::OK);
    assert_eq!(pages.get("/conversations/ffff").await.0, StatusCode::NOT_FOUND);
    let (status, page) = pages.get("/conversations/0193a6d1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("More than one exchange"), "{page}");
    assert_eq!(pages.get("/conversations/%3Cscript%3E").await.0, StatusCode::NOT_FOUND);
    for query in ["page=0", "page=x", "utc-offset=CET"] {
        assert_eq!(pages.get(&format!("{whole}?{query}")).await.0, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(pages.get(&format!("{whole}?page=18446744073709551615")).await.0, StatusCode::NOT_FOUND);
    let east = pages.text(&format!("{whole}?utc-offset=%2B01:00")).await;
    assert!(east.contains("09:00:01 to 2026-03-02 09:01:00 UTC+01:00"), "{east}");
    folder.delete(3);
    let text = pages.text(&whole).await;
    assert!(text.contains("Its file was deleted or moved"), "{text}");
    let (status, page) = pages.get(&format!("/conversations/{}", id(3))).await;
    assert_eq!((status, page.contains("was deleted or moved")), (StatusCode::GONE, true));
}

#[tokio::test]
async fn hostile_contents_are_text() {
    let folder = Folder::new();
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\x1b[2J";
    let asked = json!({"model": evil, "messages": [said("system", evil), said("user", evil), said(evil, evil),
        {"role": "assistant", "content": evil, "tool_calls": [{"id": evil, "type": "function", "function": {"name": evil, "arguments": evil}}]},
        {"role": "tool", "tool_call_id": evil, "content": evil}]});
    folder.record(1, evil, &json!({"x-interaction-id": evil}), &asked, evil);
    let (status, page) = folder.pages().get(&format!("/conversations/{}", id(1))).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        !page.contains("<script>alert")
            && !page.contains("<img")
            && !page.contains('\u{202e}')
            && !page.contains('\x1b'),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}
