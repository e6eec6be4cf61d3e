//! The login in a real browser: which cookies and origins it sends is not for us to say.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::fs;

use browser::{NARROW, WIDE, browser};
use support::page::Page;
use support::program::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_looks_and_logs_out() {
    let Some(browser) = browser().await else { return };
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs")).unwrap();
    folder.run_with(&["users", "add", "josé", "--role", "self", "--password-stdin"], "p@ss wörd&x=y").succeeds();
    let page = Page::start(folder, &["--web-login"]);
    let origin = format!("http://{}", page.host);

    browser.open(&format!("{origin}/setup?x=%20y")).await;
    assert_eq!(browser.path().await, "/login?next=/setup%3Fx%3D%2520y");
    for (width, dark) in [(NARROW, true), (WIDE, false)] {
        browser.look(width, dark).await;
        assert_eq!(browser.hindrances().await, Vec::<String>::new(), "at {width}, dark: {dark}");
        assert_eq!(browser.sticking_out().await, Vec::<String>::new(), "at {width}");
        browser.picture(&format!("login-{width}-{}", if dark { "dark" } else { "light" })).await;
    }
    let fill = |password: &str| {
        format!(
            "document.querySelector('#name').value = 'josé';
            document.querySelector('#password').value = {password:?};
            document.querySelector('form.login button').click();"
        )
    };
    browser.eval(&fill("guess")).await;
    browser.until("the answer to a wrong password", "return document.querySelector('[role=alert]') !== null").await;
    assert_eq!(browser.texts("[role=alert]").await, ["The name or the password is wrong."]);
    // The browser says to its console that an answer had the status 403, and nothing else.
    let complaints = browser.complaints().await;
    assert!(complaints.len() == 1 && complaints[0].contains("403 (Forbidden)"), "{complaints:?}");

    browser.eval(&fill("p@ss wörd&x=y")).await;
    browser.until("the page that was asked for", "return location.pathname === '/setup'").await;
    assert_eq!(browser.path().await, "/setup?x=%20y", "and as it was asked for");
    assert_eq!(browser.texts(".who .name").await, ["josé"]);
    assert_eq!(browser.eval("return document.cookie").await, "", "no script sees the session");

    browser.look(NARROW, false).await;
    assert_eq!(browser.sticking_out().await, Vec::<String>::new());
    browser.eval("document.querySelector('form.out button').click()").await;
    browser.until("the login", "return location.pathname === '/login'").await;
    browser.open(&format!("{origin}/setup")).await;
    assert_eq!(browser.path().await, "/login?next=/setup");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
