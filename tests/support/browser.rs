//! Debian's Chromium, driven from a test: what people see, and what the browser complained of.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test whose browser does not answer has failed")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::common::command::{Command as DriverCommand, ExtensionCommand};
use thirtyfour::{CapabilitiesHelper, DesiredCapabilities, WebDriver};

use crate::support::within;

/// Widths that every page must be readable at, in CSS pixels.
pub(crate) const NARROW: u32 = 380;
pub(crate) const WIDE: u32 = 1600;

/// A browser of its own, with an empty profile.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    _server: Server,
    _profile: tempfile::TempDir,
}

/// chromedriver, ended with the test: one that is left over keeps the test's output open.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// None where there is no browser; CI insists on one.
pub(crate) async fn browser() -> Option<Browser> {
    browser_with(&[]).await
}

/// One that is started with these arguments too.
pub(crate) async fn browser_with(arguments: &[&str]) -> Option<Browser> {
    if Command::new("chromedriver").arg("--version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("CI").is_none(), "chromedriver is missing: apt-get install chromium chromium-driver");
        eprintln!(
            "NOTE: chromedriver is missing, so THE PAGES ARE NOT LOOKED AT (on Debian: chromium chromium-driver)"
        );
        return None;
    }
    Some(Browser::start(arguments).await)
}

impl Browser {
    async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let server = Server(child);
        let port = lines.map(|line| line.unwrap()).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let profile = tempfile::tempdir().unwrap();
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        let mut capabilities = capabilities(profile.path());
        for argument in arguments {
            capabilities.add_arg(argument).unwrap();
        }
        let driver = within("the browser", WebDriver::new(&address, capabilities)).await.unwrap();
        Self { driver, _server: server, _profile: profile }
    }

    /// Goes there and waits until it is loaded, and until what it waits for itself is there: an index that is being made.
    pub(crate) async fn open(&self, url: &str) {
        within(url, async {
            loop {
                self.driver.goto(url).await.unwrap();
                let heading = "const heading = document.querySelector('h1'); return heading && heading.textContent";
                match self.driver.execute(heading, Vec::new()).await {
                    Ok(found) if found.json() != "One moment" => break,
                    _ => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
                }
                // That it had to wait is nothing to complain of.
                self.log("browser").await;
            }
        })
        .await;
    }

    /// The value of a script's `return`.
    pub(crate) async fn eval(&self, script: &str) -> Value {
        let result = within(script, self.driver.execute(script, Vec::new())).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits until a script's `return` is true.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        within(what, async {
            while self.driver.execute(script, Vec::new()).await.unwrap().json() != &Value::Bool(true) {
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            }
        })
        .await;
    }

    /// Types into whatever has the focus. Links are followed a moment later than they would be: a driver whose page is
    /// gone before it has heard that the key was taken presses the key on the next page once more.
    pub(crate) async fn press(&self, keys: &str) {
        let later = "if (window.later) return;
            window.later = true;
            addEventListener('click', (event) => {
                const link = event.target.closest('a[href]');
                if (!link) return;
                event.preventDefault();
                setTimeout(() => location.assign(link.href), 300);
            }, true)";
        self.eval(later).await;
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// The texts of all elements that a selector finds.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll({})].map(one => one.innerText.replace(/\\s+/g, ' ').trim())",
            json!(selector)
        );
        serde_json::from_value(self.eval(&script).await).unwrap()
    }

    /// The page's address behind the host.
    pub(crate) async fn path(&self) -> String {
        self.eval("return location.pathname + location.search").await.as_str().unwrap().to_owned()
    }

    /// The width of the window, and whether it is dark.
    pub(crate) async fn look(&self, width: u32, dark: bool) {
        let size = json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.driver.cmd(extension("/goog/cdp/execute", body)).await.unwrap().value_json().unwrap()
    }

    /// What the browser wrote to its console since it was last asked: errors, refused scripts, failed requests.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let text =
            |entry: &Value| format!("{} {}", entry["level"].as_str().unwrap(), entry["message"].as_str().unwrap());
        entries.iter().map(text).collect()
    }

    /// The hosts that were asked for anything since it was last asked.
    pub(crate) async fn hosts(&self) -> BTreeSet<String> {
        let entries = self.log("performance").await;
        let messages = entries.iter().map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()));
        let urls = messages.filter_map(|message| {
            let message = message.unwrap()["message"].clone();
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        // Other schemes (`data:`, the browser's own pages) reach nobody.
        let host = |url: String| {
            let (scheme, rest) = url.split_once("://")?;
            ["http", "https", "ws", "wss"].contains(&scheme).then(|| rest.split('/').next().unwrap().to_owned())
        };
        urls.filter_map(host).collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let command = extension("/se/log", json!({ "type": kind }));
        self.driver.cmd(command).await.unwrap().value_json().unwrap().as_array().unwrap().clone()
    }

    /// What axe-core finds on the page that hinders people seriously: rule, sentence, elements. Nothing where the script
    /// is not there.
    pub(crate) async fn hindrances(&self) -> Vec<String> {
        let Some(axe) = axe() else { return Vec::new() };
        self.eval(&format!("{axe}; return true")).await;
        let script = "
            const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(
                found => done(found.violations
                    .filter(one => ['serious', 'critical'].includes(one.impact))
                    .map(one => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' | ')}`)),
                error => done([String(error)]));";
        let found = within("axe-core", self.driver.execute_async(script, Vec::new())).await.unwrap();
        serde_json::from_value(found.json().clone()).unwrap()
    }

    /// Keeps a picture of the whole page in `target/screenshots/`.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = pictures();
        std::fs::create_dir_all(&folder).unwrap();
        let height = self.eval("return Math.min(document.documentElement.scrollHeight, 6000)").await;
        let width = self.eval("return window.innerWidth").await;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        self.driver.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
        let size = json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Elements that stick out of the window to the side, which makes a page hard to read.
    pub(crate) async fn sticking_out(&self) -> Vec<String> {
        let script = "
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const out = [...document.body.querySelectorAll('*')].filter(one => {
                const box = one.getBoundingClientRect();
                return box.width > 0 && box.right > width + 1 && !one.closest('.scroll, pre, .visually-hidden, .skip');
            });
            // What widens the page without being seen itself is as bad.
            return out.slice(0, 5).map(one => one.outerHTML.slice(0, 160)).concat('the page is wider than the window');";
        serde_json::from_value(self.eval(script).await).unwrap()
    }
}

/// The text of axe-core, which `tests/all` installs outside the repository.
fn axe() -> Option<String> {
    match std::env::var_os("AXE_CORE") {
        Some(folder) => {
            let path = Path::new(&folder).join("node_modules/axe-core/axe.min.js");
            Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        }
        None => {
            assert!(std::env::var_os("CI").is_none(), "AXE_CORE is not set: run tests/all");
            eprintln!("NOTE: AXE_CORE is not set, so accessibility is not checked (tests/all sets it)");
            None
        }
    }
}

/// Where pictures are kept: beside what is built, outside git.
pub(crate) fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots")
}

fn capabilities(profile: &Path) -> thirtyfour::ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", profile.display());
    for argument in [
        "--headless",
        // Root, as in a container, has no sandbox.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        // Nothing but our page may be asked for anything.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,1000",
        &profile,
    ] {
        capabilities.add_arg(argument).unwrap();
    }
    capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL", "performance": "ALL" })).unwrap();
    capabilities
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

fn extension(path: &'static str, body: Value) -> DriverCommand {
    DriverCommand::ExtensionCommand(Box::new(Extension { path, body }))
}

impl ExtensionCommand for Extension {
    fn parameters_json(&self) -> Option<Value> {
        Some(self.body.clone())
    }

    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        self.path.into()
    }
}
