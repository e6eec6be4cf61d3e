//! Measures the reading commands on many records, each beside the plain way to the same answer in the same run.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::simulated::week::{self, Layout, Options, Writer};

/// Stands in more than half of the simulated exchanges.
const COMMON: &str = "total";
/// Stands in one of a hundred.
const RARE: &str = "title";
/// Records that come after the index was made, about.
const NEW: usize = 1_000;
/// About.
const RECORDS_A_WEEK: usize = 4_000;

/// Runs of each command; the median counts.
const RUNS: usize = 5;
/// How often a running command is looked at for its memory.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// USER_HZ, as in `process.rs`.
const TICK_MS: f64 = 10.0;

/// What a command took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu_ms: f64,
    /// Highest resident set, in kB (sampled).
    peak_kb: u64,
}

/// Makes the records in `logs`, measures, and prints a table; true if every command succeeded.
pub fn run(recorder: &Path, logs: &Path, records: usize) -> Result<bool> {
    let mut simulated = Simulated::new(logs);
    let made = simulated.make(records);
    let files = files(logs)?;
    if files.len() != made {
        bail!("{made} records were made and {} files are there", files.len());
    }
    let bytes: u64 = files.iter().map(|file| file.metadata().map_or(0, |data| data.len())).sum();
    println!("{} records, {:.0} MB, all in the page cache", files.len(), bytes as f64 / 1e6);
    // Before the table, because its size belongs above it.
    let reindex = median_cost(3, || command(recorder, logs, &["reindex"]))?;
    let index = fs::metadata(logs.join("index.sqlite")).context("no index")?.len();
    println!("index: {:.0} MB, {:.0} % of the records\n", index as f64 / 1e6, index as f64 / bytes as f64 * 100.0);
    println!("| | time (ms) | records/s | CPU (ms) | peak memory (MB) | the plain way | time (ms) | ratio |");
    println!("|---|---:|---:|---:|---:|---|---:|---:|");

    let parse = median(RUNS.min(3), || plain_parse(&files))?;
    let grep = |word: &str| Ok::<_, anyhow::Error>(("grep -rlF", median(RUNS.min(3), || plain_grep(logs, word))?));
    let ours = |args: &[&str], runs| median_cost(runs, || command(recorder, logs, args));
    let parsed = ("each file parsed as JSON, one thread", parse);

    row("reindex", reindex, Some(files.len()), parsed);
    row("open, nothing changed", ours(&["list", "--limit", "1"], RUNS)?, None, parsed);
    row("list (50 newest)", ours(&["list"], RUNS)?, None, parsed);
    row("list, one user and status", ours(&["list", "--user", "quinn", "--status", "200"], RUNS)?, None, parsed);
    row("search, a common word", ours(&["search", COMMON], RUNS)?, None, grep(COMMON)?);
    row("search, a rare word", ours(&["search", RARE], RUNS)?, None, grep(RARE)?);
    row("stats", ours(&["stats"], RUNS)?, None, parsed);
    row("stats --by user", ours(&["stats", "--by", "user"], RUNS)?, None, parsed);
    row("stats --by day", ours(&["stats", "--by", "day"], RUNS)?, None, parsed);
    row("verify", ours(&["verify"], 1)?, Some(files.len()), parsed);
    row("export --format jsonl", ours(&["export", "--format", "jsonl"], 1)?, Some(files.len()), parsed);
    let mut caught_up = Vec::new();
    for _ in 0..3 {
        let new = simulated.make(NEW);
        caught_up.push((new, command(recorder, logs, &["list"])?));
    }
    caught_up.sort_by_key(|(_, cost)| cost.wall);
    let (new, cost) = *caught_up.get(1).context("no runs")?;
    row(&format!("list, {new} records are new"), cost, Some(new), parsed);
    println!();
    Ok(true)
}

/// Simulated weeks, each with a seed of its own.
pub struct Simulated {
    writer: Writer,
    seed: u64,
}

impl Simulated {
    pub fn new(logs: &Path) -> Self {
        Self { writer: Writer::new(logs, Layout::KindDate), seed: 0 }
    }

    /// Writes weeks until there are so many records: how many there are. Few come of a week with few sessions.
    pub fn make(&mut self, records: usize) -> usize {
        let percent = if records < RECORDS_A_WEEK { 20 } else { 100 };
        let mut made = 0;
        while made < records {
            self.seed += 1;
            week::make(Options { seed: self.seed, percent }, &mut |exchange| {
                self.writer.write(exchange);
                made += 1;
            });
        }
        made
    }
}

fn row(name: &str, cost: Cost, records: Option<usize>, (way, plain): (&str, Duration)) {
    let wall = cost.wall.as_secs_f64();
    let rate = records.map_or_else(|| "–".to_owned(), |records| format!("{:.0}", records as f64 / wall));
    println!(
        "| {name} | {:.0} | {rate} | {:.0} | {:.0} | {way} | {:.0} | {:.3} |",
        wall * 1e3,
        cost.cpu_ms,
        cost.peak_kb as f64 / 1e3,
        plain.as_secs_f64() * 1e3,
        wall / plain.as_secs_f64()
    );
}

fn command(recorder: &Path, logs: &Path, args: &[&str]) -> Result<Cost> {
    let started = Instant::now();
    let mut child = Command::new(recorder)
        .args(args)
        .arg("--logs")
        .arg(logs)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start the recorder")?;
    let folder = PathBuf::from(format!("/proc/{}", child.id()));
    let mut stderr = child.stderr.take().context("no pipe")?;
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let mut peak_kb = 0;
    // A process that has ended stays there, with its times, until it is waited for.
    let (wall, cpu_ms) = loop {
        peak_kb = peak_kb.max(peak(&folder));
        let stat = fs::read_to_string(folder.join("stat")).context("the command vanished")?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
            break (started.elapsed(), (ticks(11) + ticks(12)) * TICK_MS);
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let status = child.wait()?;
    if !status.success() {
        let text = errors.join().ok().and_then(Result::ok).unwrap_or_default();
        bail!("{args:?} ended with {status}: {text}");
    }
    Ok(Cost { wall, cpu_ms, peak_kb })
}

/// Highest resident set of a process, in kB; `folder` is the one below `/proc`.
pub fn peak(folder: &Path) -> u64 {
    let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn plain_parse(files: &[PathBuf]) -> Result<()> {
    for file in files {
        let value: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
        std::hint::black_box(&value);
    }
    Ok(())
}

fn plain_grep(logs: &Path, word: &str) -> Result<()> {
    let status = Command::new("grep")
        .args(["-rlF", "--include=*.json", word])
        .arg(logs)
        .stdout(Stdio::null())
        .status()
        .context("cannot run grep")?;
    // 1: nothing found.
    if status.code().is_none_or(|code| code > 1) {
        bail!("grep failed");
    }
    Ok(())
}

fn median(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed());
    }
    times.sort();
    times.get(runs / 2).copied().context("no runs")
}

fn median_cost(runs: usize, mut work: impl FnMut() -> Result<Cost>) -> Result<Cost> {
    let mut costs = (0..runs).map(|_| work()).collect::<Result<Vec<_>>>()?;
    costs.sort_by_key(|cost| cost.wall);
    costs.get(runs / 2).copied().context("no runs")
}

fn files(logs: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![logs.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
