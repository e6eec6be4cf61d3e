//! The check of a client's machine, run by a real shell with a real curl: it says what is missing, and no password.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use support::ca::TestCa;
use support::client::page;
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};

struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    #[track_caller]
    fn missing(&self, what: &[&str]) -> &Self {
        let found: Vec<_> = self.text.lines().filter_map(|line| line.strip_prefix("MISSING  ")).collect();
        assert_eq!(found.len(), what.len(), "{}", self.text);
        for (found, what) in found.iter().zip(what) {
            assert!(found.contains(what), "{found:?} does not say {what:?}\n{}", self.text);
        }
        assert_eq!(self.code, Some(i32::from(!what.is_empty())), "{}", self.text);
        self
    }

    #[track_caller]
    fn says(&self, what: &str) -> &Self {
        assert!(self.text.contains(what), "{what:?} is not in\n{}", self.text);
        self
    }
}

/// Pipes a script into a shell, as the page says to. Nothing of the tester's environment is in it.
async fn sh(script: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Said {
    let mut command = Command::new("sh");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(environment.iter().copied());
    command.arg("-s").arg("--").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let script = script.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = support::within("the check", tokio::task::spawn_blocking(run)).await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "", "nothing goes wrong in the script itself");
    Said { code: output.status.code(), text: String::from_utf8(output.stdout).unwrap() }
}

async fn script(recorder: &Recorder) -> String {
    let answer = page(recorder.address, "/check.sh").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/x-shellscript; charset=utf-8")));
    answer.text()
}

async fn answering() -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
        connection.close().await;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_where_nothing_is_missing() {
    let upstream = answering().await;
    let recorder = Setup::new(&upstream).start().await;
    let ca = recorder.setup.path("certs/ca.pem");
    let ca = ca.to_str().unwrap();
    let proxy = format!("http://{}", recorder.address);
    let environment = [("NODE_EXTRA_CA_CERTS", ca), ("CURL_CA_BUNDLE", ca), ("HTTPS_PROXY", &proxy)];
    let said = sh(&script(&recorder).await, &environment, &[]).await;
    said.missing(&[]).says("answers through the proxy (200)").says("HTTPS_PROXY leads to the proxy");
    said.says("Nothing is missing").says("CURL_CA_BUNDLE is set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_does_not_know_the_ca() {
    let upstream = answering().await;
    let recorder = Setup::new(&upstream).start().await;
    let script = script(&recorder).await;
    let said = sh(&script, &[], &[]).await;
    said.missing(&["not in the store that curl uses", "NODE_EXTRA_CA_CERTS is not set"]);
    said.says(&format!("curl -fsS -o copilot-recorder-ca.pem http://{}/ca.pem", recorder.address));

    let ours = recorder.setup.path("certs/ca.pem");
    let other = recorder.setup.path("other.pem");
    std::fs::write(&other, TestCa::new().pem()).unwrap();
    let bundle = ours.to_str().unwrap();
    for (node, missing) in [
        ("ca.pem", "not an absolute path"),
        ("/no/such/file.pem", "cannot be read"),
        (other.to_str().unwrap(), "without this CA"),
    ] {
        let environment = [("CURL_CA_BUNDLE", bundle), ("NODE_EXTRA_CA_CERTS", node)];
        sh(&script, &environment, &[]).await.missing(&[missing]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_passwords() {
    const PASSWORD: &str = r#"p@ss:"w\ord' $HOME"#;
    let upstream = answering().await;
    let recorder = Setup::new(&upstream).user("alice", PASSWORD).await.start().await;
    let script = script(&recorder).await;
    let ca = recorder.setup.path("certs/ca.pem");
    let trusted = [("NODE_EXTRA_CA_CERTS", ca.to_str().unwrap()), ("CURL_CA_BUNDLE", ca.to_str().unwrap())];
    let with = |more: &[(&'static str, &'static str)]| [&trusted[..], more].concat();

    sh(&script, &with(&[]), &[]).await.missing(&["asks for name and password, and this check has none"]);
    let right = sh(&script, &with(&[("PROXY_USER", "alice"), ("PROXY_PASSWORD", PASSWORD)]), &[]).await;
    right.missing(&[]).says("name and password are accepted");
    let wrong = with(&[("PROXY_USER", "alice"), ("PROXY_PASSWORD", "looking-glass-7")]);
    let wrong = sh(&script, &wrong, &[]).await;
    wrong.missing(&["wrong (407)"]);
    let url = format!("http://alice:p%40ss%3A%22w%5Cord%27%20%24HOME@{}", recorder.address);
    sh(&script, &with(&[]), &[&url]).await.missing(&[]);
    let variable = [&trusted[..], &[("https_proxy", url.as_str())]].concat();
    let variable = sh(&script, &variable, &[]).await;
    variable.missing(&[]).says("https_proxy leads to the proxy");
    for said in [right, wrong, variable] {
        assert!(!said.text.contains("p@ss") && !said.text.contains("looking") && !said.text.contains("p%40ss"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_refuses_or_cannot_reach() {
    let recorder = Setup::without_upstream().with(&["--connect-to", ":443:127.0.0.1:1"]).start().await;
    let check = script(&recorder).await;
    let refused = sh(&check, &[], &["", "https://example.com:22/"]).await;
    refused.missing(&["policy refuses example.com:22 (403)"]);
    sh(&check, &[], &[]).await.missing(&["cannot reach api.githubcopilot.com (502)"]);

    let upstream = answering().await;
    let recorder = Setup::new(&upstream).start().await;
    let not_opened = sh(&script(&recorder).await, &[], &["", "https://example.com/"]).await;
    not_opened.missing(&["has no certificate of our CA"]);

    // Its upstream's certificate is not trusted.
    let port = upstream.address.port();
    let blind = Setup::without_upstream().with(&["--connect-to", &format!(":443:127.0.0.1:{port}")]).start().await;
    sh(&script(&blind).await, &[], &[]).await.missing(&["does not answer through the tunnel"]);

    let address = recorder.address;
    let check = script(&recorder).await;
    recorder.terminate().await;
    sh(&check, &[], &[]).await.missing(&[&format!("does not answer at {address}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_does() {
    let upstream = answering().await;
    let recorder = Setup::new(&upstream).start().await;
    let script = script(&recorder).await;
    let ca = recorder.setup.path("certs/ca.pem");
    let trusted = [("NODE_EXTRA_CA_CERTS", ca.to_str().unwrap()), ("CURL_CA_BUNDLE", ca.to_str().unwrap())];
    let with = |more: &[(&'static str, &'static str)]| [&trusted[..], more].concat();
    let elsewhere = sh(&script, &with(&[("HTTPS_PROXY", "http://other:3128")]), &[]).await;
    elsewhere.missing(&[]).says("leads to another proxy");
    let tls = sh(&script, &with(&[("HTTP_PROXY", "https://other:3128")]), &[]).await;
    tls.missing(&["begins with https://"]);
    for hosts in ["*", "localhost,.githubcopilot.com", "api.individual.githubcopilot.com"] {
        let environment = [&trusted[..], &[("no_proxy", hosts)]].concat();
        sh(&script, &environment, &[]).await.missing(&["no_proxy leaves Copilot's hosts out"]);
    }
    let nameless = format!("http://alice@{}", recorder.address);
    let environment = [&trusted[..], &[("HTTPS_PROXY", nameless.as_str())]].concat();
    sh(&script, &environment, &[]).await.missing(&["a name without a password"]);
    let proxy = format!("https://{}", recorder.address);
    sh(&script, &with(&[]), &[&proxy]).await.missing(&["begins with https://"]);
}

/// Cut on its way, it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_script() {
    let recorder = Setup::without_upstream().start().await;
    let whole = script(&recorder).await;
    let without_its_last_line = whole.trim_end().trim_end_matches("main \"$@\"");
    let said = sh(without_its_last_line, &[], &[]).await;
    assert_eq!((said.code, said.text.as_str()), (Some(0), ""));
}
