use axum::http::StatusCode;
use serde_json::json;

use crate::web::pages::conversation::testing::{Folder, id};

fn folder() -> Folder {
    let folder = Folder::new();
    let asked = |words: &str| json!({"model": "m-1", "messages": [{"role": "user", "content": words}]});
    folder.chat(1, &json!({"x-experiment": "a"}), &asked("one\ntwo\nthree"), "yes");
    folder.chat(2, &json!({"x-experiment": "b"}), &asked("one\n2\nthree"), "no");
    folder.chat(3, &json!({"vscode-sessionid": "s-2"}), &asked("else"), "so");
    folder.record(4, "bob", &json!({"vscode-sessionid": "s-2"}), &asked("else"), "<script>alert(1)</script>");
    folder
}

#[tokio::test]
async fn two_exchanges_are_compared_the_older_one_first() {
    let folder = folder();
    let pages = folder.pages();
    let (one, other) = (id(1), id(2));
    for address in [format!("/exchanges/{one}/diff/{other}"), format!("/exchanges/{other}/diff/{one}")] {
        let text = pages.text(&address).await;
        for words in [
            "Old 2026-03-02 08:00:01 UTC",
            "New 2026-03-02 08:00:02 UTC",
            "1 line removed, 1 line added.",
            "began 2026-03-02T08:00:01.000Z 2026-03-02T08:00:02.000Z",
            "request size (bytes) 72 70",
            "x-experiment a b",
            "x-number 1 2",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("content-type"), "what is the same is not named: {text}");
    }
}

#[tokio::test]
async fn the_other_one_is_chosen_from_the_session() {
    let folder = folder();
    let (status, page) = folder.pages().get(&format!("/exchanges/{}/diff", id(1))).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains(&format!("/exchanges/{}/diff/{}", id(1), id(2))), "{page}");
    assert!(!page.contains(&id(3)), "{page}");
    let alone = Folder::new();
    alone.chat(1, &json!({}), &json!({}), "x");
    assert!(alone.pages().text(&format!("/exchanges/{}/diff", id(1))).await.contains("no other exchange"));
}

#[tokio::test]
async fn what_cannot_be_compared_is_said_with_the_right_status() {
    let folder = folder();
    let pages = folder.pages();
    let one = id(1);
    for (address, wanted) in [
        (format!("/exchanges/{one}/diff/{one}"), StatusCode::BAD_REQUEST),
        (format!("/exchanges/{one}/diff/ffff"), StatusCode::NOT_FOUND),
        (format!("/exchanges/ffff/diff/{one}"), StatusCode::NOT_FOUND),
        ("/exchanges/ffff/diff".to_owned(), StatusCode::NOT_FOUND),
        (format!("/exchanges/{one}/diff/0193a6d1"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(pages.get(&address).await.0, wanted, "{address}");
    }
    folder.delete(2);
    assert_eq!(pages.get(&format!("/exchanges/{one}/diff/{}", id(2))).await.0, StatusCode::GONE);
}

#[tokio::test]
async fn hostile_contents_are_text() {
    let folder = folder();
    let (_, page) = folder.pages().get(&format!("/exchanges/{}/diff/{}", id(3), id(4))).await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"), "{page}");
}
