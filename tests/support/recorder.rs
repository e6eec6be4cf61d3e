//! The running program, as a user runs it: its own directory, real sockets, real signals.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::watch;

use super::ca::roots_from;
use super::client::Client;
use super::command::{self, Output};
use super::records::Record;
use super::upstream::Upstream;
use super::{PATIENCE, eventually, within};

/// The binary under test: cargo's, or another build named in the environment (for what only a release build can do).
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("COPILOT_RECORDER_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_copilot-recorder")), PathBuf::from)
}

/// What a recorder is started with; it can be started again on the same files.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) directory: TempDir,
    pub(crate) arguments: Vec<String>,
    /// Default `logs` in the directory.
    pub(crate) logs: PathBuf,
}

impl Setup {
    /// With every CONNECT led to `upstream`, whose root is trusted; nobody is asked for a password.
    pub(crate) fn new(upstream: &Upstream) -> Self {
        let setup = Self::without_upstream();
        std::fs::write(setup.path("upstream-ca.pem"), upstream.ca.pem()).expect("a writable directory");
        setup
            .with(&["--upstream-ca", "upstream-ca.pem"])
            .with(&["--connect-to", &format!("::127.0.0.1:{}", upstream.address.port())])
    }

    pub(crate) fn without_upstream() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let logs = directory.path().join("logs");
        Self { directory, arguments: Vec::new(), logs }
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn logs_at(mut self, logs: &Path) -> Self {
        self.logs = logs.to_owned();
        self
    }

    /// Writes a configuration file and names it.
    pub(crate) fn config(self, toml: &str) -> Self {
        std::fs::write(self.path("config.toml"), toml).expect("a writable directory");
        self.with(&["--config", "config.toml"])
    }

    /// Adds a user to `users.toml`, which `run` then finds by itself.
    pub(crate) async fn user(self, name: &str, password: &str) -> Self {
        let output = self.run(&["users", "add", name, "--password-stdin"], &format!("{password}\n")).await;
        assert_eq!(output.code, Some(0), "users add: {}", output.stderr);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the program with these arguments to its end.
    pub(crate) async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let binary = binary();
        command::run(binary.to_str().expect("a path in UTF-8"), arguments, self.directory.path(), input).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("run");
        if !self.arguments.iter().any(|argument| argument == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !self.arguments.iter().any(|argument| argument == "--web") {
            command.args(["--web", "off"]);
        }
        command.args(["--certs", "certs", "--logs"]).arg(&self.logs).args(&self.arguments);
        command.current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs `run` with the set-up's arguments where it must not start.
    pub(crate) async fn refused(&self) -> Output {
        let mut child = self.command().spawn().expect("the program can be started");
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut stderr, &mut text).map(|_| text)
        });
        let ended = async {
            loop {
                if let Some(status) = child.try_wait().expect("a child can be waited for") {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let Ok(code) = tokio::time::timeout(PATIENCE, ended).await else {
            child.kill().ok();
            child.wait().ok();
            panic!("the program started, which it must not");
        };
        let stderr = reading.await.expect("no panic").expect("stderr is text");
        Output { code, stdout: String::new(), stderr }
    }

    /// Starts the program and waits until it listens.
    pub(crate) async fn start(self) -> Recorder {
        let mut child = self.command().spawn().expect("the program can be started");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let (count, mut counted) = watch::channel(0);
        std::thread::spawn({
            let lines = lines.clone();
            move || {
                for line in BufReader::new(stderr).lines() {
                    let line = line.unwrap_or_else(|error| format!("(not text: {error})"));
                    let mut lines = lines.lock().expect("unpoisoned");
                    lines.push(line);
                    count.send_replace(lines.len());
                }
            }
        });
        let address = within("the start", async {
            loop {
                let found = lines.lock().expect("unpoisoned").iter().find_map(|line| listening_on(line));
                if let Some(address) = found {
                    return address;
                }
                if counted.changed().await.is_err() {
                    panic!("the program did not start:\n{}", lines.lock().expect("unpoisoned").join("\n"));
                }
            }
        })
        .await;
        Recorder { setup: self, child, address, lines, counted }
    }
}

/// The address in `listening on 127.0.0.1:PORT`, whatever stands around it.
fn listening_on(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let rest = rest.trim_start_matches("http://");
    let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || "[].:".contains(c))).unwrap_or(rest.len());
    rest[..end].trim_end_matches('.').parse().ok()
}

/// The program at work; killed when dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) setup: Setup,
    pub(crate) address: SocketAddr,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    counted: watch::Receiver<usize>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            eprintln!("--- the program's stderr, last lines\n{}", self.tail(40));
        }
    }
}

impl Recorder {
    /// A client that trusts the program's root.
    pub(crate) fn client(&self, alpn: &[&str]) -> Client {
        Client::new(self.address, roots_from(&self.setup.path("certs/ca.pem")), alpn)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All lines on stderr so far.
    pub(crate) fn stderr(&self) -> Vec<String> {
        self.lines.lock().expect("unpoisoned").clone()
    }

    fn tail(&self, n: usize) -> String {
        let lines = self.stderr();
        lines[lines.len().saturating_sub(n)..].join("\n")
    }

    /// Waits for a line on stderr that `wanted` accepts.
    pub(crate) async fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut counted = self.counted.clone();
        within(what, async {
            loop {
                counted.borrow_and_update();
                if let Some(line) = self.stderr().into_iter().find(|line| wanted(line)) {
                    return line;
                }
                assert!(counted.changed().await.is_ok(), "{what}: the program ended\n{}", self.tail(20));
            }
        })
        .await
    }

    /// Waits until at least `n` records lie under the logs, and gives them sorted by file name. Patience begins anew
    /// with each that comes: many take a loaded machine long, and what hangs brings none.
    pub(crate) async fn records(&self, n: usize) -> Vec<Record> {
        let mut came = 0;
        while came < n {
            let more = || Some(Record::files(&self.setup.logs).len()).filter(|now| *now > came);
            came = eventually(&format!("another record after {came} of {n}"), more).await;
        }
        Record::all(&self.setup.logs)
    }

    /// The value of a counter on `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = super::client::page(self.address, "/metrics").await;
        assert_eq!(page.status, 200, "{}", page.head);
        let text = page.text();
        let wanted = [format!("copilot_recorder_{name}"), format!("copilot_recorder_{name}_total")];
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(found, _)| wanted.iter().any(|wanted| wanted == found))
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or_else(|| panic!("no counter {name} in\n{text}"))
    }

    /// Waits until a counter has reached `least`.
    pub(crate) async fn metric_reaches(&self, name: &str, least: f64) -> f64 {
        within(name, async {
            loop {
                let value = self.metric(name).await;
                if value >= least {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a child has a pid");
        kill_process(pid, signal).expect("the program still runs");
    }

    /// Whether the program has ended, and with which code.
    pub(crate) fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("a child can be waited for").map(|status| status.code())
    }

    /// Waits for the program's end; its code, and all that it said.
    pub(crate) async fn wait(mut self) -> (Option<i32>, Vec<String>, Setup) {
        let code = within("the program's end", async {
            loop {
                if let Some(code) = self.ended() {
                    return code;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        // Stderr is complete when its reader has dropped the sender.
        within("the end of stderr", async { while self.counted.changed().await.is_ok() {} }).await;
        let lines = self.stderr();
        (code, lines, self.into_setup())
    }

    /// SIGTERM, and the end.
    pub(crate) async fn terminate(self) -> (Option<i32>, Vec<String>, Setup) {
        self.signal(Signal::TERM);
        self.wait().await
    }

    /// SIGKILL; the files stay for the next start.
    pub(crate) fn kill(mut self) -> Setup {
        self.child.kill().expect("the program still runs");
        self.child.wait().expect("a child can be waited for");
        self.into_setup()
    }

    fn into_setup(mut self) -> Setup {
        std::mem::replace(&mut self.setup, Setup::without_upstream())
    }
}
