//! Measures the pages on many records: the first byte and the whole page, each beside a page without records in the same
//! run, and the memory that the server takes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::review::{Simulated, peak};

/// Requests for each page; the median counts.
const RUNS: usize = 7;
/// An index of a million records is made in about a minute; a slow disk takes longer.
const PATIENCE: Duration = Duration::from_secs(1800);
/// A page without records: the frame alone.
const PLAIN: &str = "/no-such-page";

/// What a request took.
#[derive(Clone, Copy)]
struct Cost {
    first_byte: Duration,
    whole: Duration,
    bytes: usize,
    status: u16,
}

/// Makes the records in `logs`, unless there are some, serves them, asks for every page, and prints a table.
pub fn run(recorder: &Path, logs: &Path, records: usize) -> Result<bool> {
    let is_there = fs::read_dir(logs).is_ok_and(|mut entries| entries.next().is_some());
    if !is_there {
        let made = Simulated::new(logs).make(records);
        println!("{made} records were made");
    }
    let mut server = Server::start(recorder, logs)?;
    let started = Instant::now();
    let mut longest_answer = Duration::ZERO;
    loop {
        let cost = server.get("/exchanges")?;
        longest_answer = longest_answer.max(cost.whole);
        match cost.status {
            200 => break,
            503 if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(200)),
            status => bail!("/exchanges answers {status}"),
        }
    }
    println!(
        "index there after {:.1} s; until then each request was answered within {:.1} ms; peak memory {:.0} MB\n",
        started.elapsed().as_secs_f64(),
        longest_answer.as_secs_f64() * 1e3,
        server.peak_mb()
    );
    println!("| page | first byte (ms) | first time (ms) | whole (ms) | kB | ratio to the frame alone |");
    println!("|---|---:|---:|---:|---:|---:|");
    let plain = server.median(PLAIN)?.1;
    for (name, path) in pages(&mut server)? {
        let (first, cost) = server.median(&path)?;
        if cost.status != 200 {
            bail!("{path} answers {}", cost.status);
        }
        println!(
            "| {name} | {:.1} | {:.1} | {:.1} | {:.0} | {:.1} |",
            cost.first_byte.as_secs_f64() * 1e3,
            first.first_byte.as_secs_f64() * 1e3,
            cost.whole.as_secs_f64() * 1e3,
            cost.bytes as f64 / 1e3,
            cost.first_byte.as_secs_f64() / plain.first_byte.as_secs_f64()
        );
    }
    println!("\nmemory of the server at its peak: {:.0} MB", server.peak_mb());
    Ok(true)
}

/// Every page, and the queries that cost most.
fn pages(server: &mut Server) -> Result<Vec<(String, String)>> {
    let fixed = [
        "/live",
        "/exchanges",
        "/exchanges?kind=chat&user=quinn",
        "/exchanges?status=5xx",
        "/exchanges?user=nobody-of-that-name",
        "/exchanges?order=oldest",
        "/exchanges?text=total",
        "/exchanges?text=title",
        "/figures",
        "/figures?user=quinn",
        "/coverage",
        "/setup",
        "/health",
        "/api/v1/exchanges?limit=100",
        "/api/v1/figures?by=day",
    ];
    let mut all: Vec<_> = fixed.iter().map(|path| ((*path).to_owned(), (*path).to_owned())).collect();
    for kind in ["completions", "chat", "telemetry"] {
        let list = server.text(&format!("/exchanges?kind={kind}"))?;
        let id = list.split("href=\"/exchanges/").nth(1).and_then(|rest| rest.split(['"', '?']).next());
        let id = id.with_context(|| format!("no link to an exchange of kind {kind}"))?;
        all.push((format!("an exchange ({kind})"), format!("/exchanges/{id}")));
        if kind == "chat" {
            all.push(("a conversation".to_owned(), format!("/conversations/{id}")));
        }
    }
    let deep = server.text("/exchanges?order=oldest")?;
    let next = deep.split("href=\"").filter_map(|rest| rest.split('"').next()).find(|link| link.contains("after="));
    all.extend(next.map(|link| ("the next page of the list".to_owned(), link.replace("&amp;", "&"))));
    Ok(all)
}

/// `web` at work; killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(recorder: &Path, logs: &Path) -> Result<Self> {
        let mut command = Command::new(recorder);
        command.args(["web", "--web", "127.0.0.1:0", "--logs"]).arg(logs);
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot start the pages")?;
        let mut lines = BufReader::new(child.stderr.take().context("no pipe")?).lines();
        let address = lines.find_map(|line| {
            let line = line.ok()?;
            line.split_once("http://").map(|(_, rest)| rest.trim().trim_end_matches('/').to_owned())
        });
        // Its stderr must be read on, or it would stop when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let mut server = Self { child, address: String::new() };
        server.address = address.context("the pages did not say their address")?;
        Ok(server)
    }

    /// A request on a connection of its own, timed from when the connection is there.
    fn ask(&self, path: &str) -> Result<(Cost, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        let started = Instant::now();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut bytes = vec![0; 1];
        stream.read_exact(&mut bytes)?;
        let first_byte = started.elapsed();
        stream.read_to_end(&mut bytes)?;
        let whole = started.elapsed();
        let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let status = status.context("not an HTTP answer")?;
        Ok((Cost { first_byte, whole, bytes: bytes.len(), status }, bytes))
    }

    fn get(&mut self, path: &str) -> Result<Cost> {
        Ok(self.ask(path)?.0)
    }

    fn text(&mut self, path: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.ask(path)?.1).into_owned())
    }

    /// The first request, and the median of those behind it, by their first byte.
    fn median(&mut self, path: &str) -> Result<(Cost, Cost)> {
        let first = self.get(path)?;
        let mut costs = (0..RUNS).map(|_| self.get(path)).collect::<Result<Vec<_>>>()?;
        costs.sort_by_key(|cost| cost.first_byte);
        Ok((first, *costs.get(RUNS / 2).context("no runs")?))
    }

    fn peak_mb(&self) -> f64 {
        peak(Path::new(&format!("/proc/{}", self.child.id()))) as f64 / 1e3
    }
}
