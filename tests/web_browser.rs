//! Shows 1 and 2: every page in a real browser, on a simulated week. Rows that come by themselves and answers that grow:
//! `web_live.rs`; all figures against `stats`: `web_figures.rs`; the login: `web_login.rs`.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::{Browser, NARROW, WIDE, browser};
use serde_json::Value;
use support::page::Page;
use support::program::Folder;
use support::week::{self, Layout, Options, Writer};

/// `web` on a folder with a simulated week.
fn review() -> Page {
    let folder = Folder::new();
    let mut writer = Writer::new(&folder.path("logs"), Layout::Kind);
    week::make(Options::default(), &mut |exchange| {
        writer.write(exchange);
    });
    Page::start(folder, &[])
}

/// What `list` or `stats` says, a line each.
fn said(review: &Page, words: &[&str]) -> Vec<Value> {
    let words = [words, &["--json", "--logs", "logs"]].concat();
    let outcome = review.folder.run(&words);
    outcome.succeeds();
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The newest exchange of a kind, and one more of its session.
fn newest(review: &Page, kind: &str) -> (String, Option<String>) {
    let rows = said(review, &["list", "--kind", kind]);
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let first = rows.first().unwrap_or_else(|| panic!("no exchange of kind {kind}"));
    let same = rows[1..].iter().find(|row| !row["session"].is_null() && row["session"] == first["session"]);
    (id(first), same.map(id))
}

/// Every page, by the name of its picture.
fn pages(review: &Page) -> Vec<(String, String)> {
    let mut pages = vec![
        ("exchanges-search".to_owned(), "/exchanges?text=total".to_owned()),
        ("exchanges-nothing".to_owned(), "/exchanges?text=nothingofthekind".to_owned()),
    ];
    for name in ["live", "exchanges", "figures", "coverage", "setup", "health"] {
        pages.push((name.to_owned(), format!("/{name}")));
    }
    for kind in ["completions", "chat", "nes", "telemetry", "other"] {
        let (id, same) = newest(review, kind);
        pages.push((format!("exchange-{kind}"), format!("/exchanges/{id}")));
        if kind == "chat" {
            pages.push(("conversation".to_owned(), format!("/conversations/{id}")));
        }
        if let Some(same) = same.filter(|_| kind == "completions") {
            pages.push(("diff".to_owned(), format!("/exchanges/{id}/diff/{same}")));
            pages.push(("diff-choice".to_owned(), format!("/exchanges/{id}/diff")));
        }
    }
    assert_eq!(pages.len(), 16);
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_narrow_and_wide_light_and_dark() {
    let Some(browser) = browser().await else { return };
    let review = review();
    for (name, path) in pages(&review) {
        let mut grounds = Vec::new();
        for (width, dark) in [(NARROW, true), (WIDE, false)] {
            browser.look(width, dark).await;
            browser.open(&review.url(&path)).await;
            assert_eq!(browser.sticking_out().await, Vec::<String>::new(), "{path} at {width}");
            assert_eq!(browser.hindrances().await, Vec::<String>::new(), "{path} at {width}, dark: {dark}");
            browser.picture(&format!("{name}-{width}-{}", if dark { "dark" } else { "light" })).await;
            grounds.push(browser.eval("return getComputedStyle(document.body).backgroundColor").await);
        }
        assert_ne!(grounds[0], grounds[1], "{path}: dark is what the system says");
        assert_eq!(browser.texts("h1").await.len(), 1, "{path} has one heading of the first level");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{path}");
    }
    assert_eq!(browser.hosts().await.into_iter().collect::<Vec<_>>(), [review.host.as_str()], "nobody else was asked");
}

/// The tables under the charts that are wider than their cards.
async fn cut_off(browser: &Browser) -> Vec<String> {
    browser.until("the charts", "return document.querySelectorAll('.chart-card').length > 20").await;
    let wide = "return [...document.querySelectorAll('.chart-card .numbers')]
        .filter(one => one.scrollWidth > one.clientWidth).map(one => `${one.getAttribute('aria-label')}: ${one.scrollWidth - one.clientWidth} px`)";
    serde_json::from_value(browser.eval(wide).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_the_charts_are_seen_without_scrolling_aside() {
    let Some(browser) = browser().await else { return };
    let review = review();
    for width in [WIDE, 1000, NARROW] {
        browser.look(width, false).await;
        browser.open(&review.url("/figures")).await;
        assert_eq!(cut_off(&browser).await, Vec::<String>::new(), "at {width}");
        // Each card has its four parts in the rows of the grid, and the last stands inside it.
        let inside = "return [...document.querySelectorAll('.chart-card')].every(card => card.children.length === 4
            && card.lastElementChild.getBoundingClientRect().bottom < card.getBoundingClientRect().bottom)";
        assert_eq!(browser.eval(inside).await, true, "at {width}");
    }
}

/// The rows of the list as it is shown: kinds, and where they lead.
async fn rows(browser: &Browser) -> (Vec<String>, Vec<String>) {
    let links = "return [...document.querySelectorAll('tbody[data-rows] tr a')].map(one => one.getAttribute('href'))";
    let links: Vec<String> = serde_json::from_value(browser.eval(links).await).unwrap();
    let column = "return [...document.querySelectorAll('thead th')].findIndex(one => one.textContent === 'Kind') + 1";
    let column = browser.eval(column).await;
    (browser.texts(&format!("tbody[data-rows] tr > :nth-child({column})")).await, links)
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_reads_filters_searches_and_goes_on_by_keyboard() {
    let Some(browser) = browser().await else { return };
    let review = review();
    browser.look(WIDE, false).await;
    browser.open(&review.url("/")).await;
    assert_eq!(browser.path().await, "/live", "the first page");

    browser.press("ge").await;
    browser.until("the list", "return location.pathname === '/exchanges'").await;
    browser
        .eval("document.querySelector('#f-kind').value = 'chat'; document.querySelector('form.filters button').click()")
        .await;
    browser.until("the filter in the address", "return location.search === '?kind=chat'").await;
    let (kinds, links) = rows(&browser).await;
    let listed = said(&review, &["list", "--kind", "chat"]);
    assert!(kinds.len() == 50 && kinds.iter().all(|kind| kind == "chat"), "{kinds:?}");
    let shown = ids(&listed).into_iter().map(|id| format!("/exchanges/{id}?kind=chat"));
    assert_eq!(links, shown.take(50).collect::<Vec<_>>(), "the rows that `list` has");

    // The list by keyboard, then from one exchange to the next within the filter.
    browser.press("jj").await;
    browser.press("\u{e007}").await;
    browser.until("the second exchange", &format!("return location.href.endsWith({:?})", links[1])).await;
    browser.press("j").await;
    browser.until("the third", &format!("return location.href.endsWith({:?})", links[2])).await;
    browser.press("\u{e012}").await;
    browser.until("the second again", &format!("return location.href.endsWith({:?})", links[1])).await;

    // The search by keyboard: the words are marked where they stand.
    browser.press("ge").await;
    browser.until("the list again", "return location.pathname === '/exchanges'").await;
    browser.press("/").await;
    browser.press("title\u{e007}").await;
    browser.until("the words in the address", "return location.search === '?text=title'").await;
    let (_, links) = rows(&browser).await;
    let found = said(&review, &["search", "title", "--limit", "50"]);
    assert_eq!(links.len(), found.len().min(50));
    let marks = browser.texts("mark").await;
    assert!(marks.len() >= links.len() && marks.iter().all(|mark| mark.eq_ignore_ascii_case("title")), "{marks:?}");

    browser.press("\u{e00c}").await;
    browser.press("gf").await;
    browser.until("the figures", "return document.querySelectorAll('.card .value').length > 0").await;
    let total = said(&review, &["stats"]).pop().unwrap();
    let cards = browser.texts(".card").await;
    let requests = cards.iter().find(|card| card.starts_with("Requests ")).expect("the card of requests");
    let shown: String = requests.split(' ').nth(1).unwrap().replace(',', "");
    assert_eq!(shown, total["requests"].to_string());
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_see_what_is_wrong() {
    let Some(browser) = browser().await else { return };
    let folder = Folder::new();
    std::fs::create_dir(folder.path("logs")).unwrap();
    let review = Page::start(folder, &[]);
    browser.open(&review.url("/health")).await;
    browser
        .eval(
            "const button = document.createElement('button');
            button.className = 'far';
            document.querySelector('main').append(button);
            console.error('seen');
            const sheet = new CSSStyleSheet();
            sheet.replaceSync('.far { display: block; min-width: 3000px; height: 1em }');
            document.adoptedStyleSheets = [sheet];",
        )
        .await;
    assert!(browser.sticking_out().await[0].contains("far"));
    assert!(browser.complaints().await[0].contains("seen"));
    if std::env::var_os("AXE_CORE").is_some() {
        let found = browser.hindrances().await;
        assert!(found.len() == 1 && found[0].starts_with("button-name"), "{found:?}");
    }
}
