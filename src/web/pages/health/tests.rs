//! Through the router, as a browser asks.

use crate::door::{Book, Event};
use crate::web::testing::{Pages, record};

#[tokio::test]
async fn a_folder_is_looked_at_and_what_is_not_known_is_said() {
    let pages = Pages::with(&[record("ann", "vscode/1.95.3", "chat", "/chat/completions")], |logs| {
        std::fs::write(logs.join("chat/broken.json"), "{").unwrap();
    });
    let page = pages.page("/health").await;
    for said in ["No proxy runs in this program", "broken.json", "1 files or folders", "Days left"] {
        assert_eq!(page.contains(said), said != "Days left", "{said}: {page}");
    }
    assert!(page.contains("There is no door book"), "{page}");
    assert!(page.contains(env!("CARGO_PKG_VERSION")) && page.contains("GB of"), "{page}");
}

#[tokio::test]
async fn upstream_errors_are_grouped_by_host() {
    let pages = Pages::with(&[], |logs| {
        let book = Book::open(logs);
        for (host, why) in
            [("a.example.com", "first"), ("b.example.com", "no <b>answer</b>"), ("a.example.com", "second")]
        {
            book.note(None, [192, 0, 2, 7].into(), &Event::Unreachable { host, why });
        }
        book.save().unwrap();
    });
    let page = pages.page("/health").await;
    assert!(page.contains("The last 3, by host") && page.contains("no &lt;b&gt;answer"), "{page}");
    assert!(page.contains("second") && !page.contains(">first<"), "{page}");
}
