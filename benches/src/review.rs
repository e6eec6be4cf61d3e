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

/// Stands in some of the simulated prompts.
const WORD: &str = "total";

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
    let word = WORD;
    let made = make(logs, records);
    let files = files(logs)?;
    if files.len() != made {
        bail!("{made} records were made and {} files are there", files.len());
    }
    let bytes: u64 = files.iter().map(|file| file.metadata().map_or(0, |data| data.len())).sum();
    println!("{} records, {:.0} MB, all in the page cache\n", files.len(), bytes as f64 / 1e6);
    println!("| | time (ms) | records/s | CPU (ms) | peak memory (MB) | the plain way | time (ms) | ratio |");
    println!("|---|---:|---:|---:|---:|---|---:|---:|");

    let parse = median(RUNS.min(3), || plain_parse(&files))?;
    let grep = median(RUNS.min(3), || plain_grep(logs, word))?;
    let ours = |args: &[&str], runs| median_cost(runs, || command(recorder, logs, args));
    let parsed = ("each file parsed as JSON, one thread", parse);
    let found = ("grep -rlF", grep);

    let reindex = ours(&["reindex"], 3)?;
    row("reindex", reindex, Some(files.len()), parsed);
    row("list (50 newest)", ours(&["list"], RUNS)?, None, parsed);
    row("list, one user and status", ours(&["list", "--user", "quinn", "--status", "200"], RUNS)?, None, parsed);
    row("search, a word", ours(&["search", word], RUNS)?, None, found);
    row("stats", ours(&["stats"], RUNS)?, None, parsed);
    row("stats --by user", ours(&["stats", "--by", "user"], RUNS)?, None, parsed);
    row("stats --by day", ours(&["stats", "--by", "day"], RUNS)?, None, parsed);
    row("verify", ours(&["verify"], 1)?, Some(files.len()), parsed);
    println!();
    Ok(true)
}

/// Writes simulated weeks, each with a seed of its own, until there are enough records.
fn make(logs: &Path, records: usize) -> usize {
    let mut writer = Writer::new(logs, Layout::KindDate);
    let mut made = 0;
    for seed in 1.. {
        if made >= records {
            break;
        }
        week::make(Options { seed, ..Options::default() }, &mut |exchange| {
            writer.write(exchange);
            made += 1;
        });
    }
    made
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

fn peak(folder: &Path) -> u64 {
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
