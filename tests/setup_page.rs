//! The pages Set-up, Coverage and Health beside a proxy that runs.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::net::SocketAddr;

use support::HOST;
use support::client::{Answer, Client, connect_head, page, request};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};

async fn start(setup: Setup) -> (Recorder, SocketAddr) {
    let recorder = setup.with(&["--web", "127.0.0.1:0"]).start().await;
    let line = recorder.line("the page's address", |line| line.contains("page     http://")).await;
    let address = line.trim().trim_start_matches("page").trim().trim_start_matches("http://").trim_end_matches('/');
    let address = address.parse().unwrap();
    (recorder, address)
}

async fn upstream() -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), |connection: Connection| connection.close()).await
}

/// A page, when the index is ready.
async fn shown(web: SocketAddr, path: &str) -> Answer {
    support::within(&format!("an index for {path}"), async {
        loop {
            let answer = page(web, path).await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}

/// What the page's script asks for.
async fn seen(web: SocketAddr) -> String {
    let answer = shown(web, "/setup/seen").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.head);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{}", answer.head);
    answer.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_the_ca_and_the_check_are_the_proxys_own() {
    let (recorder, web) = start(Setup::without_upstream()).await;
    let text = shown(web, "/setup").await.text();
    let proxy = recorder.address;
    assert!(text.contains(&format!("&quot;http.proxy&quot;: &quot;http://{proxy}&quot;")), "{text}");
    assert!(text.contains(&format!("curl -fsS http://{proxy}/check.sh | sh")), "{text}");
    let own = |path: &'static str| async move { page(proxy, path).await.body };
    for (there, here) in [("/setup/ca.pem", "/ca.pem"), ("/setup/ca.cer", "/ca.cer"), ("/setup/check.sh", "/check.sh")]
    {
        let answer = shown(web, there).await;
        assert_eq!((answer.status, &answer.body), (200, &own(here).await), "{there}");
    }
    let pem = std::fs::read(recorder.setup.path("certs/ca.pem")).unwrap();
    assert_eq!(shown(web, "/setup/ca.pem").await.body, pem);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_sees_of_the_reader_is_told_as_it_changes() {
    let upstream = upstream().await;
    let (recorder, web) = start(Setup::new(&upstream)).await;
    let nothing = seen(web).await;
    assert!(nothing.starts_with("<p class=\"note warn\">Nothing came from your address"), "{nothing}");
    let whole = shown(web, "/setup").await.text();
    assert!(whole.contains(&nothing) && whole.contains("<span class=\"mono\">127.0.0.1</span>"), "{whole}");

    let stranger = Client::new(recorder.address, upstream.ca.roots(), &["http/1.1"]);
    let tcp = stranger.tunnel(HOST).await.expect("200 to CONNECT");
    stranger.handshake(tcp, HOST).await.expect_err("a CA that it does not know");
    recorder.line("the alert", |line| line.contains("refused our certificate")).await;
    support::within("the refusal in the book", async {
        while !seen(web).await.contains("does not work</span> CA not trusted</h3>") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;

    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(b"GET /no/such HTTP/1.1\r\nhost: x\r\n\r\n").await;
    session.close().await;
    let works = seen(web).await;
    assert!(works.starts_with("<p class=\"note good\">") && works.contains("<dt>Opened</dt><dd>1</dd>"), "{works}");
}

#[tokio::test(flavor = "multi_thread")]
async fn coverage_and_health_tell_what_made_no_record() {
    let (recorder, web) = start(Setup::without_upstream()).await;
    assert_eq!(request(recorder.address, &connect_head("mail.example.com:25", None)).await.status, 403);
    let coverage = shown(web, "/coverage").await;
    let text = coverage.text();
    assert_eq!(coverage.status, 200, "{text}");
    assert!(text.contains("mail.example.com: port 25 may not be dialled"), "{text}");
    assert!(text.contains("known since"), "{text}");
    let health = shown(web, "/health").await.text();
    for said in ["issuing CA", "Days left", "records written", "in the writer's queue", "GB of"] {
        assert!(health.contains(said), "{said} is not in {health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_shows_what_has_changed() {
    let Some(browser) = browser::browser().await else { return };
    let (recorder, web) = start(Setup::without_upstream()).await;
    browser.open(&format!("http://{web}/setup")).await;
    assert_eq!(request(recorder.address, &connect_head("mail.example.com:25", None)).await.status, 403);
    browser.eval("document.querySelector('a[data-check]').click()").await;
    let told = "const box = document.querySelector('#seen-now');
        return box.querySelector('details th[scope=row]')?.textContent.startsWith('mail.example.com: port 25') === true
            && box.querySelectorAll('dl.facts').length === 1;";
    browser.until("the refusal on the page", told).await;
    // What changed before its first look is shown too.
    let older = "document.querySelector('main').innerHTML =
            '<div id=seen-now data-src=/setup/seen>older</div><a data-check></a>';
        const script = document.createElement('script');
        script.src = '/assets/setup.js';
        document.body.append(script)";
    browser.open(&format!("http://{web}/health")).await;
    browser.eval(older).await;
    browser.until("what is new, where the page is older", told).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Where a login is asked, what a machine needs before anybody can log in from it is still there; the rest is not.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_login_there_is_what_holds_no_secret() {
    let setup = Setup::without_upstream().with(&["--web-login"]).user("alice", "wonderland-42").await;
    let (_recorder, web) = start(setup).await;
    for path in ["/setup/ca.pem", "/setup/ca.cer", "/setup/check.sh"] {
        assert_eq!(shown(web, path).await.status, 200, "{path}");
    }
    for path in ["/setup", "/setup/seen", "/coverage", "/health"] {
        let answer = shown(web, path).await;
        assert!([303, 302, 401, 403].contains(&answer.status), "{path}: {}", answer.head);
        assert!(!answer.text().contains("alice"));
    }
}
