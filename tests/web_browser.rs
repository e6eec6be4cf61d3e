//! Show 1 and 2: every page in a real browser, on a simulated week and while traffic flows.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::{NARROW, WIDE, browser};
use support::page::Page;
use support::program::Folder;
use support::week::{self, Layout, Options, Writer};

/// `web` on a folder with a simulated week.
struct Review(Page);

impl Review {
    fn start() -> Self {
        let folder = Folder::new();
        let mut writer = Writer::new(&folder.path("logs"), Layout::Kind);
        week::make(Options::default(), &mut |exchange| {
            writer.write(exchange);
        });
        Self(Page::start(folder, &[]))
    }

    fn url(&self, path: &str) -> String {
        self.0.url(path)
    }
}

/// The pages that need no record.
const PAGES: [&str; 6] = ["/live", "/exchanges", "/figures", "/coverage", "/setup", "/health"];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_narrow_and_wide_light_and_dark() {
    let Some(browser) = browser().await else { return };
    let review = Review::start();
    for path in PAGES {
        browser.open(&review.url(path)).await;
        for width in [NARROW, WIDE] {
            for dark in [false, true] {
                browser.look(width, dark).await;
                assert_eq!(browser.hindrances().await, Vec::<String>::new(), "{path} at {width}, dark: {dark}");
                assert_eq!(browser.sticking_out().await, Vec::<String>::new(), "{path} at {width}");
                let name = path.trim_start_matches('/').replace('/', "-");
                browser.picture(&format!("{name}-{width}-{}", if dark { "dark" } else { "light" })).await;
            }
        }
        assert_eq!(browser.texts("h1").await.len(), 1, "{path} has one heading of the first level");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{path}");
    }
    assert_eq!(
        browser.hosts().await.into_iter().collect::<Vec<_>>(),
        [review.0.host.as_str()],
        "nobody else was asked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_see_what_is_wrong() {
    let Some(browser) = browser().await else { return };
    let review = Review::start();
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
