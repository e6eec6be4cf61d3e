//! The page over TLS, as curl and a browser meet it.
#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use browser::browser_with;
use serde_json::Value;
use support::ca::TestCa;
use support::command::{self, Output};
use support::page::{Page, escaped};
use support::program::Folder;
use support::recorder::Setup;
use support::{PATIENCE, eventually};

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The flags that name what [`put`] writes.
const FLAGS: [&str; 4] = ["--web-cert", "page.pem", "--web-key", "page-key.pem"];

/// Writes `page.pem` and `page-key.pem`, each in one step, as certbot does.
fn put(folder: &Path, (certificate, key): &(String, String)) {
    for (name, text) in [("page.pem", certificate), ("page-key.pem", key)] {
        let new = folder.join("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, folder.join(name)).unwrap();
    }
}

/// A folder with an admin, a certificate, and the root that it is trusted by.
fn folder(ca: &TestCa) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs")).unwrap();
    folder.run_with(&["users", "add", "ann", "--role", "admin,self", "--password-stdin"], "hunter2x").succeeds();
    put(&folder.path(""), &ca.pair(&NAMES, -1..90));
    folder.write("root.pem", ca.pem());
    folder
}

/// curl, which trusts `root.pem` and nothing else; the answer's head goes first.
async fn curl(directory: &Path, words: &[&str]) -> Output {
    let words = [&["-q", "-sS", "-i", "--max-time", "60", "--noproxy", "*", "--cacert", "root.pem"], words].concat();
    command::run("curl", &words, directory, "").await
}

/// The lines of a header.
fn all(answer: &Output, name: &str) -> Vec<String> {
    let fields = answer.stdout.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_over_tls() {
    let page = Page::start(folder(&TestCa::new()), &[&FLAGS[..], &["--web-login"]].concat());
    let at = page.folder.path("");
    let (url, secret) = (|path: &str| page.url(path), "hunter2x");
    assert!(url("/").starts_with("https://127.0.0.1:"), "{}", url("/"));
    let jar = ["-b", "jar", "-c", "jar"];

    let form = curl(&at, &[&jar[..], &[&url("/login")]].concat()).await;
    assert!(form.stdout.starts_with("HTTP/1.1 200 "), "{form:?}");
    let set = all(&form, "set-cookie");
    assert!(set.len() == 1 && set[0].ends_with("; Path=/login; HttpOnly; SameSite=Strict; Secure"), "{set:?}");
    assert_eq!(all(&form, "strict-transport-security"), [""; 0], "other ports of this host speak HTTP");
    let token = form.stdout.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let filled = format!("name=ann&password={secret}&next=%2Fhealth&token={}", escaped(token));
    let log_in = |origin: String| {
        let words = ["-H", &format!("Origin: {origin}"), "-d", &filled, &url("/login")].map(str::to_owned);
        [jar.map(str::to_owned).to_vec(), words.to_vec()].concat()
    };
    let words = log_in(format!("http://{}", page.host));
    let made_up = curl(&at, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(made_up.stdout.starts_with("HTTP/1.1 403 "), "a page without TLS is not ours: {made_up:?}");
    let words = log_in(format!("https://{}", page.host));
    let answer = curl(&at, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(answer.stdout.starts_with("HTTP/1.1 303 "), "{answer:?}");
    assert_eq!(all(&answer, "location"), ["/health"], "what leads on has no scheme");
    let set = all(&answer, "set-cookie");
    assert!(set.len() == 1 && set[0].ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{set:?}");
    assert!(set[0].starts_with("__Host-"), "{set:?}");

    let health = curl(&at, &[&jar[..], &[&url("/health")]].concat()).await;
    assert!(health.stdout.contains("for localhost, 127.0.0.1"), "{health:?}");
    let health = curl(&at, &["-u", "ann:hunter2x", &url("/api/v1/health")]).await;
    let health: Value = serde_json::from_str(health.stdout.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let certificate = &health["certificates"][0];
    assert_eq!((&certificate["name"], &certificate["names"]), (&"page".into(), &NAMES.to_vec().into()), "{health}");
    assert_eq!(certificate["days_left"], 90, "{health}");
    assert!(!health["troubles"].to_string().contains("certificate"), "{health}");
    let described: Value = serde_json::from_str(include_str!("../src/web/api/openapi.json")).unwrap();
    let described = &described["components"]["schemas"]["Health"]["properties"]["certificates"]["items"];
    let keys: Vec<_> = certificate.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(described["required"], serde_json::json!(keys), "as it is described");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_tls_and_one_of_http_are_spoken() {
    let page = Page::start(folder(&TestCa::new()), &FLAGS);
    let at = page.folder.path("");
    let wanted = "\n%{http_version} %{ssl_verify_result}";
    for words in [&["--tlsv1.3"][..], &["--tls-max", "1.2"], &["--http2"], &["--no-alpn"]] {
        let url = page.url("/assets/style.css");
        let answer = curl(&at, &[words, &["-o", "style.css", "-w", wanted, &url]].concat()).await;
        assert_eq!((answer.code, answer.stdout.trim()), (Some(0), "1.1 0"), "{words:?}: {answer:?}");
    }
    let old = curl(&at, &["--tls-max", "1.1", &page.url("/")]).await;
    assert_eq!(old.code, Some(35), "{old:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_http_is_told_and_who_says_nothing_blocks_nobody() {
    let page = Page::start(folder(&TestCa::new()), &FLAGS);
    // Two handshakes that never go on, and a connection that says nothing.
    let mut waiting: Vec<_> = (0..3).map(|_| TcpStream::connect(&page.host).unwrap()).collect();
    waiting[0].write_all(&[22, 3, 1]).unwrap();
    waiting[1].write_all(&[22, 3, 1, 0x20, 0, 1, 0]).unwrap();
    let answer = curl(&page.folder.path(""), &[&page.url("/assets/style.css")]).await;
    assert!(answer.stdout.starts_with("HTTP/1.1 200 "), "{answer:?}");

    for (method, target, body) in
        [("GET", "/live", ""), ("GET", "/login", ""), ("POST", "/login", "name=ann&password=x")]
    {
        let answer = page.raw(method, target, &[("Host", &page.host)], body);
        assert_eq!(answer.status, 400, "{method} {target}");
        assert_eq!(answer.text(), "This page speaks https. Write https:// before its address.\n");
        assert_eq!((answer.header("connection"), answer.header("cache-control")), (Some("close"), Some("no-store")));
        assert!(answer.header("content-security-policy").is_some() && answer.header("set-cookie").is_none());
    }
    let mut stream = TcpStream::connect(&page.host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"\x05\x01\x00no HTTP and no TLS\r\n\r\n").unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    assert!(!String::from_utf8_lossy(&said).contains(" 200 "), "{said:?}");
    drop(waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let ca = TestCa::new();
    let setup = Setup::without_upstream().with(&["--web", "127.0.0.1:0"]).with(&FLAGS);
    put(&setup.path(""), &ca.pair(&NAMES, -80..2));
    fs::write(setup.path("root.pem"), ca.pem()).unwrap();
    let recorder = setup.start().await;
    let at = recorder.setup.path("");
    let line = recorder.line("the page's address", |line| line.trim().starts_with("page ")).await;
    let url = line.trim().strip_prefix("page").unwrap().trim().to_owned();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    recorder.line("the end that is near", |line| line.contains("the page's certificate expires soon")).await;
    let health = || async {
        let answer = curl(&at, &[&format!("{url}api/v1/health")]).await;
        assert_eq!(answer.code, Some(0), "{answer:?}");
        serde_json::from_str::<Value>(answer.stdout.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    };
    let page = |health: &Value| {
        let all = health["certificates"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["name"] == "page").unwrap()
    };
    // A disk with little room, on which the test may run, is a trouble too.
    let troubled = |health: &Value| health["troubles"].to_string().contains("certificate");
    let told = health().await;
    assert_eq!(told["certificates"].as_array().unwrap().len(), 3, "beside the two of the CA: {told}");
    assert_eq!(page(&told)["days_left"], 2);
    assert!(
        told["troubles"].to_string().contains("The certificate of this page expires in 2 days: renew it"),
        "{told}"
    );

    put(&at, &ca.pair(&NAMES, -1..60));
    let told = health().await;
    assert_eq!((&page(&told)["days_left"], troubled(&told)), (&60.into(), false), "{told}");
    recorder.line("the news", |line| line.contains("The page's certificate read again")).await;

    // A certificate that has expired, then half a key: the one of before stays, and each is told once.
    put(&at, &ca.pair(&NAMES, -9..-1));
    for _ in 0..3 {
        let told = health().await;
        assert_eq!(page(&told)["days_left"], 60);
        assert!(told["troubles"].to_string().contains("The new certificate of this page is not taken up"), "{told}");
    }
    let key = fs::read_to_string(at.join("page-key.pem")).unwrap();
    fs::write(at.join("page-key.pem"), &key[..90]).unwrap();
    for _ in 0..3 {
        assert_eq!(page(&health().await)["days_left"], 60);
    }
    let warned = |what: &str| recorder.stderr().iter().filter(|line| line.contains(what)).count();
    let counted = || (warned("expired on"), warned("is not a whole PEM file; it should hold"));
    eventually("the warnings", || (counted() == (1, 1)).then_some(())).await;
    let bytes = key.lines().nth(1).unwrap();
    assert!(!recorder.stderr().concat().contains(&bytes[..20]), "nothing of a key is told");

    put(&at, &ca.pair(&NAMES, -1..70));
    let told = health().await;
    assert_eq!((&page(&told)["days_left"], troubled(&told)), (&70.into(), false), "{told}");
}

#[test]
fn what_cannot_be_used_ends_the_start_with_a_sentence() {
    let ca = TestCa::new();
    let folder = folder(&ca);
    let run = |folder: &Folder, code, says: &str| {
        let page = ["--web", "127.0.0.1:0"];
        let recorder = ["run", "--listen", "127.0.0.1:0", "--logs", "logs"];
        folder.run(&[&recorder[..], &page, &FLAGS].concat()).fails(code, says);
        folder.run(&[&["web", "--logs", "logs"][..], &page, &FLAGS].concat()).fails(code, says);
    };
    let (certificate, key) = ca.pair(&NAMES, -1..90);
    folder.write("page-key.pem", &ca.pair(&NAMES, -1..90).1);
    run(&folder, 3, "the page's key page-key.pem does not belong to the certificate page.pem; name the two");
    folder.write("page-key.pem", &certificate);
    run(&folder, 3, "the page's key page-key.pem is a file without any key");
    folder.write("page-key.pem", &key.replace('\n', ""));
    run(&folder, 3, "the page's key page-key.pem is not a whole PEM file");
    folder.write("page-key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    run(&folder, 3, "the page's key page-key.pem is encrypted");
    put(&folder.path(""), &ca.pair(&NAMES, -9..-1));
    run(&folder, 3, "the page's certificate page.pem expired on 20");
    folder.write("page.pem", "");
    run(&folder, 3, "the page's certificate page.pem is a file without any certificate");
    fs::remove_file(folder.path("page.pem")).unwrap();
    run(&folder, 3, "cannot read the page's certificate page.pem; check the name given to `web_cert`");
    for command in ["run", "web"] {
        folder.run(&[command, "--web-cert", "page.pem"]).fails(2, "--web-cert: web_cert needs web_key beside it");
        folder.run(&[command, "--web-key", "page-key.pem"]).fails(2, "--web-key: web_key needs web_cert beside it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_the_cookie_and_goes_on_watching() {
    let folder = folder(&TestCa::new());
    // Trust in this one key, for this one browser.
    let pem = folder.read("page-key.pem");
    let public = rcgen::PublicKeyData::subject_public_key_info(&rcgen::KeyPair::from_pem(&pem).unwrap());
    let digest = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &public));
    let trust = format!("--ignore-certificate-errors-spki-list={digest}");
    let Some(browser) = browser_with(&[&trust]).await else { return };
    let page = Page::start(folder, &[&FLAGS[..], &["--web-login"]].concat());
    browser.open(&page.url("/health")).await;
    assert_eq!(browser.path().await, "/login?next=/health");
    let fill = "document.querySelector('#name').value = 'ann';
        document.querySelector('#password').value = 'hunter2x';
        document.querySelector('form.login button').click();";
    browser.eval(fill).await;
    browser.until("the page that was asked for", "return location.pathname === '/health'").await;
    let told = "return document.body.innerText.includes('for localhost, 127.0.0.1')";
    browser.until("the certificate", told).await;
    assert_eq!(browser.eval("return location.protocol + isSecureContext").await, "https:true");
    browser.picture("health-https").await;

    // The live page's events come over the same TLS.
    browser.open(&page.url("/live")).await;
    let live = "return document.querySelector('.status').textContent.startsWith('Live:')";
    browser.until("the stream of events", live).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
