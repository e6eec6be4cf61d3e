//! Through the router, as a browser asks.

use std::path::Path;

use crate::door::{Book, Event};
use crate::web::testing::{Pages, record};

const HOST: &str = "proxy.individual.githubcopilot.com";

fn book(logs: &Path) -> Book {
    std::fs::create_dir_all(logs).unwrap();
    Book::open(logs)
}

#[tokio::test]
async fn a_folder_without_a_door_book_says_what_is_not_known() {
    let pages = Pages::of(&[record("ann", "vscode/1.95.3", "completions", "/v1/engines/x/completions")]);
    let page = pages.page("/coverage").await;
    for said in [
        "ann",
        "vscode/1.95.3",
        "completions",
        "No telemetry",
        "This folder has no door book",
        "href=\"/exchanges?user=ann\"",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    assert!(page.contains("<dt>At the door</dt><dd>?</dd>"), "{page}");
}

#[tokio::test]
async fn a_name_that_no_filter_can_have_leads_nowhere() {
    let pages = Pages::of(&[record("ann, bob", "vscode/1.95.3", "completions", "/v1/engines/x/completions")]);
    let page = pages.page("/coverage").await;
    assert!(page.contains("ann, bob") && !page.contains("/exchanges?user="), "{page}");
}

#[tokio::test]
async fn what_the_door_book_has_is_joined() {
    let pages = Pages::with(&[record("ann", "vscode/1.95.3", "chat", "/chat/completions")], |logs| {
        let book = book(logs);
        book.note(Some("ann"), [192, 0, 2, 7].into(), &Event::Untrusted { host: HOST, alert: "UnknownCA" });
        book.note(None, [192, 0, 2, 8].into(), &Event::LoginFailed { user: Some("bob") });
        book.note(Some("<script>x"), [192, 0, 2, 9].into(), &Event::Refused { host: "a<b", why: "no \u{202e}way" });
        book.save().unwrap();
    });
    let page = pages.page("/coverage?span=all").await;
    for said in ["CA not trusted", "UnknownCA", "bob", "Login failed", "known since", "&lt;script&gt;x", "a&lt;b"] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    assert!(!page.contains("<script>x") && !page.contains('\u{202e}') && !page.contains("no door book"));
    assert!(page.find("CA not trusted").unwrap() < page.find("Refused").unwrap(), "the gravest first");
}

#[tokio::test]
async fn a_damaged_book_and_an_empty_folder_are_said() {
    let pages = Pages::with(&[], |logs| std::fs::write(logs.join(".door.json"), "{").unwrap());
    let page = pages.page("/coverage").await;
    assert!(page.contains("is damaged") && page.contains("Nobody was seen"), "{page}");
}

#[tokio::test]
async fn spans_are_chosen_in_the_address_and_bad_ones_are_said() {
    let pages = Pages::of(&[record("ann", "vscode/1.95.3", "chat", "/chat/completions")]);
    for span in ["1d", "7d", "30d", "all", ""] {
        let page = pages.page(&format!("/coverage?span={span}")).await;
        assert_eq!(page.matches("aria-current=\"true\"").count(), 1, "{span}");
    }
    for query in ["span=8d", "span=%ff", "from=-1", "from=x", "span=1d&span=7d"] {
        let answer = pages.get(&format!("/coverage?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.text().contains("That cannot be shown"), "{query}");
    }
    assert!(pages.page("/coverage?from=99999").await.contains("<h1>Coverage</h1>"));
}

#[tokio::test]
async fn many_are_shown_a_hundred_at_a_time() {
    let pages = Pages::with(&[], |logs| {
        let book = book(logs);
        for number in 0..150_u8 {
            book.note(
                Some(&format!("user{number:03}")),
                [10, 0, 0, number].into(),
                &Event::Opaque { host: "example.com" },
            );
        }
        book.save().unwrap();
    });
    let first = pages.page("/coverage").await;
    assert!(first.contains("user099") && !first.contains("user100") && first.contains("1 to 100 of 150"));
    assert!(first.contains("rel=\"next\" href=\"/coverage?span=7d&amp;from=100\""), "{first}");
    let second = pages.page("/coverage?span=7d&from=100").await;
    assert!(second.contains("user149") && second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""));
}
