//! Measures the pages on many records: the first byte and the whole page, beside a page without records in the same run,
//! and the memory that the server takes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::review::{Simulated, peak};
use crate::simulated::week::{self, Layout, Options, Writer};

/// Requests for each page; the median counts.
const RUNS: usize = 7;
/// An index of a million records is made in about a minute; a slow disk takes longer.
const PATIENCE: Duration = Duration::from_secs(1800);
/// A page without records: the frame alone.
const PLAIN: &str = "/no-such-page";
/// Measured again while records arrive: what is kept of the index cannot be kept for ever.
const WHILE_RECORDS_ARRIVE: &[&str] =
    &["/exchanges", "/exchanges?text=total", "/figures", "/figures?user=quinn", "/coverage", "/health"];
/// One after the other, so long apart: some hundred people at work.
const ARRIVE_EVERY: Duration = Duration::from_millis(50);
/// A seed that none of the records has that are there.
const OTHER_SEED: u64 = 1 << 40;

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
    println!(
        "| page | first byte (ms) | first time (ms) | whole (ms) | first time (ms) | kB | peak memory so far (MB) |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    measure(&mut server, "the frame alone", PLAIN)?;
    for (name, path) in pages(&mut server)? {
        measure(&mut server, &name, &path)?;
    }
    let arriving = Arriving::start(logs)?;
    for path in WHILE_RECORDS_ARRIVE {
        measure(&mut server, &format!("{path}, while records arrive"), path)?;
    }
    drop(arriving);
    Ok(true)
}

/// Asks for a page several times, and prints its row.
fn measure(server: &mut Server, name: &str, path: &str) -> Result<()> {
    let (first, cost) = server.median(path)?;
    let expected = if path == PLAIN { 404 } else { 200 };
    if cost.status != expected {
        bail!("{path} answers {}", cost.status);
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} |",
        ms(cost.first_byte),
        ms(first.first_byte),
        ms(cost.whole),
        ms(first.whole),
        cost.bytes as f64 / 1e3,
        server.peak_mb()
    );
    Ok(())
}

/// Records that arrive one after the other, in a folder of their own; it is deleted when this is dropped.
struct Arriving {
    folder: PathBuf,
    is_over: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
}

impl Arriving {
    fn start(logs: &Path) -> Result<Self> {
        let folder = logs.join("arriving");
        fs::create_dir(&folder).context("cannot make a folder for records that arrive")?;
        let (is_over, writer) = (Arc::new(AtomicBool::new(false)), Writer::new(&folder, Layout::Kind));
        let (over, mut writer) = (Arc::clone(&is_over), writer);
        let write = move || {
            week::make(Options { seed: OTHER_SEED, percent: 100 }, &mut |exchange| {
                if !over.load(Ordering::Relaxed) {
                    writer.write(exchange);
                    std::thread::sleep(ARRIVE_EVERY);
                }
            });
        };
        Ok(Self { folder, is_over, writing: Some(std::thread::spawn(write)) })
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // If it panicked, what it wrote is to be deleted all the same.
        let _ = self.writing.take().map(JoinHandle::join);
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot delete {}: {error}", self.folder.display());
        }
    }
}

/// Every page, and the queries that cost most: filters that fit nothing or all, words that most records have, few, or
/// none, figures whole and filtered, and places deep in a list.
const FIXED: &[&str] = &[
    "/live",
    "/setup",
    "/health",
    "/coverage",
    "/coverage?span=1d",
    "/coverage?span=all",
    "/exchanges",
    "/exchanges?order=oldest",
    "/exchanges?kind=chat&user=quinn",
    "/exchanges?status=5xx",
    "/exchanges?failed=1&slower-than=10s",
    "/exchanges?user=nobody-of-that-name",
    "/exchanges?host=*.nowhere.example",
    "/exchanges?status=418&user=quinn&language=rust",
    "/exchanges?text=total",
    "/exchanges?text=total&order=oldest",
    "/exchanges?text=total&user=quinn&status=5xx",
    "/exchanges?text=total&user=nobody-of-that-name",
    "/exchanges?text=title",
    "/exchanges?text=title&kind=chat&user=quinn",
    "/exchanges?text=zyzzyva",
    "/exchanges?text=the+total+of",
    "/exchanges?text=%22return+total%22",
    "/exchanges?text=t",
    "/figures",
    "/figures?user=quinn",
    "/figures?since=7d&language=rust",
    "/figures?kind=chat",
    "/figures.csv?by=hour",
    "/figures.csv?by=user&user=quinn",
    "/api/v1/exchanges?limit=500",
    "/api/v1/exchanges?count=1",
    "/api/v1/exchanges?count=1&text=total",
    "/api/v1/exchanges?text=total&context=1&limit=100",
    "/api/v1/figures?by=day",
    "/api/v1/coverage",
    "/api/v1/health",
];

/// The pages of [`FIXED`], and of some exchanges.
fn pages(server: &mut Server) -> Result<Vec<(String, String)>> {
    let mut all: Vec<_> = FIXED.iter().map(|path| ((*path).to_owned(), (*path).to_owned())).collect();
    for kind in ["completions", "chat", "telemetry"] {
        let list = server.text(&format!("/exchanges?kind={kind}"))?;
        let mut ids = list.split("href=\"/exchanges/").skip(1).filter_map(|rest| rest.split(['"', '?']).next());
        let id = ids.next().with_context(|| format!("no link to an exchange of kind {kind}"))?;
        all.push((format!("an exchange ({kind})"), format!("/exchanges/{id}")));
        let filtered = format!("/exchanges/{id}?kind={kind}&user=nobody-of-that-name");
        all.push((format!("an exchange ({kind}), nothing beside it in the list"), filtered));
        if kind == "chat" {
            all.push(("a conversation".to_owned(), format!("/conversations/{id}")));
            all.push(("a conversation (API)".to_owned(), format!("/api/v1/conversations/{id}")));
            all.push(("an exchange (API)".to_owned(), format!("/api/v1/exchanges/{id}")));
            all.push(("what an exchange is compared with".to_owned(), format!("/exchanges/{id}/diff")));
            if let Some(other) = ids.find(|other| *other != id) {
                all.push(("a diff".to_owned(), format!("/exchanges/{id}/diff/{other}")));
            }
        }
    }
    for (name, path) in [
        ("the second page of the list", "/exchanges"),
        ("the second page from the other end", "/exchanges?order=oldest"),
        ("the second page of a common word", "/exchanges?text=total"),
    ] {
        let list = server.text(path)?;
        let mut links = list.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let next = links.find(|link| link.contains("after=")).with_context(|| format!("{path} has no second page"))?;
        all.push((name.to_owned(), next.replace("&amp;", "&")));
    }
    all.push(("the middle of the list".to_owned(), format!("/exchanges?after={}", server.middle()?)));
    all.push((
        "the middle of the list, filtered".to_owned(),
        format!("/exchanges?kind=chat&user=quinn&after={}", server.middle()?),
    ));
    all.push(("the middle of a common word".to_owned(), format!("/exchanges?text=total&after={}", server.middle()?)));
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
        // Sums are made behind an answer that says so: the first time is that of this answer.
        let started = Instant::now();
        while self.get(path)?.status == 503 && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
        }
        let mut costs = (0..RUNS).map(|_| self.get(path)).collect::<Result<Vec<_>>>()?;
        costs.sort_by_key(|cost| cost.first_byte);
        Ok((first, *costs.get(RUNS / 2).context("no runs")?))
    }

    /// A place in the list, half way between its ends.
    fn middle(&mut self) -> Result<String> {
        let began = |text: &str, name: &str| {
            let rest = text.split(name).nth(1)?;
            rest.split('-').next()?.parse::<i64>().ok()
        };
        let newest = self.text("/api/v1/exchanges?limit=1")?;
        let newest = began(&newest, "before=").context("the list has no newest record")?;
        let oldest = self.text("/exchanges?order=oldest")?;
        let oldest = began(&oldest, "after=").context("the list has no second page")?;
        Ok(format!("{}-{}", oldest + (newest - oldest) / 2, "0".repeat(32)))
    }

    fn peak_mb(&self) -> f64 {
        peak(Path::new(&format!("/proc/{}", self.child.id()))) as f64 / 1e3
    }
}
