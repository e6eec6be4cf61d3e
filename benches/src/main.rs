//! Measures the recorder beside the straight way, a blind CONNECT tunnel and hudsucker's own forwarder, in one go on
//! one machine, and prints Markdown. `docs/performance.md` says how to read it.

mod contender;
mod forwarder;
mod load_h1;
mod load_h2;
mod measure;
mod net;
mod pages;
mod pki;
mod process;
mod report;
mod results;
mod review;
mod session;
mod simulated;
mod tunnel;
mod upstream;
mod workload;

use std::{
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::{
    contender::{Contender, Setting, Who},
    measure::Plan,
    pki::BenchCa,
    process::Process,
    report::Records,
    results::Results,
    session::Protocol,
};

const ROUNDS: usize = 8;
const QUICK_ROUNDS: usize = 3;
const SECONDS: f64 = 4.0;
const QUICK_SECONDS: f64 = 0.3;
const STREAMS: usize = 500;
const QUICK_STREAMS: usize = 100;

/// Measures copilot-recorder beside a blind tunnel and hudsucker's forwarder.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    party: Option<Party>,
    /// A run of half a minute, for a look: its figures are rough.
    #[arg(long)]
    quick: bool,
    /// Seconds that each contender has for each measurement, over all rounds.
    #[arg(long)]
    seconds: Option<f64>,
    /// Rounds in which the contenders take turns.
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these measurements or protocols; may be repeated.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// The recorder to measure, instead of building this repository's.
    #[arg(long, conflicts_with = "without_recorder")]
    recorder: Option<PathBuf>,
    /// One more argument for the recorder's `run`; may be repeated.
    #[arg(long, allow_hyphen_values = true)]
    recorder_arg: Vec<String>,
    /// Measure the other contenders only.
    #[arg(long)]
    without_recorder: bool,
    /// Leave out a contender; may be repeated.
    #[arg(long, value_enum)]
    without: Vec<Optional>,
    /// Where the temporary folder with logs and certificates is made; a full run writes two or three gigabytes.
    #[arg(long)]
    scratch: Option<PathBuf>,
}

/// The parties that this program starts as processes of their own.
#[derive(Subcommand)]
#[command(hide = true)]
enum Party {
    /// The server that all contenders reach.
    #[command(hide = true)]
    Upstream {
        #[arg(long)]
        folder: PathBuf,
    },
    /// Measures the reading commands instead: reindex, list, search, stats, verify.
    Review {
        /// Records to make, about.
        #[arg(long, default_value_t = 100_000)]
        records: usize,
        /// Make the records here, in a folder that is empty or new, and leave them.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Measures the pages instead: first byte and whole page, on many records.
    Pages {
        /// Records to make, about.
        #[arg(long, default_value_t = 1_000_000)]
        records: usize,
        /// Make the records here and leave them; if there are some, take those.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// The blind CONNECT tunnel.
    #[command(hide = true)]
    Tunnel {
        #[arg(long)]
        upstream: SocketAddr,
        #[arg(long)]
        folder: PathBuf,
    },
    /// hudsucker's own forwarder.
    #[command(hide = true)]
    Hudsucker {
        #[arg(long)]
        upstream: SocketAddr,
        #[arg(long)]
        folder: PathBuf,
    },
    /// Becomes another program that dies with the parent process.
    #[command(hide = true)]
    Exec {
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Http1,
    Http2,
    Load,
    Latency,
    Setup,
    Memory,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Optional {
    Tunnel,
    Hudsucker,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(mut args: Args) -> Result<bool> {
    let party = args.party.take();
    if let Some(Party::Review { records, keep }) = party {
        return bench_review(&args, records, keep.as_deref());
    }
    if let Some(Party::Pages { records, keep }) = party {
        return bench_pages(&args, records, keep.as_deref());
    }
    if party.is_some() {
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    if let Some(Party::Exec { program, args }) = &party {
        return Err(Command::new(program).args(args).exec())
            .with_context(|| format!("cannot run {}", program.display()));
    }
    process::raise_file_limit()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The main future runs on this thread and starts the parties from it: their lives are tied to it.
    runtime.block_on(async {
        match party {
            None => tokio::select! { result = bench(&args) => result, () = interrupted() => bail!("interrupted") },
            Some(Party::Upstream { folder }) => upstream::run(&folder).await.map(|()| true),
            Some(Party::Tunnel { upstream, .. }) => tunnel::run(upstream).await.map(|()| true),
            Some(Party::Hudsucker { upstream, folder }) => forwarder::run(upstream, &folder).await.map(|()| true),
            Some(Party::Exec { .. } | Party::Review { .. } | Party::Pages { .. }) => {
                bail!("unreachable: handled above")
            }
        }
    })
}

fn bench_review(args: &Args, records: usize, keep: Option<&Path>) -> Result<bool> {
    let recorder =
        recorder(args)?.context("the reading commands are the recorder's: --without-recorder leaves none")?;
    if let Some(logs) = keep {
        return review::run(&recorder, logs, records);
    }
    let scratch = scratch(args)?;
    review::run(&recorder, &scratch.path().join("logs"), records)
}

fn bench_pages(args: &Args, records: usize, keep: Option<&Path>) -> Result<bool> {
    let recorder = recorder(args)?.context("the pages are the recorder's: --without-recorder leaves none")?;
    if let Some(logs) = keep {
        return pages::run(&recorder, logs, records);
    }
    let scratch = scratch(args)?;
    pages::run(&recorder, &scratch.path().join("logs"), records)
}

fn recorder(args: &Args) -> Result<Option<PathBuf>> {
    Ok(match (&args.recorder, args.without_recorder) {
        (_, true) => None,
        (Some(program), _) => {
            Some(program.canonicalize().with_context(|| format!("no recorder at {}", program.display()))?)
        }
        (None, false) => Some(build_recorder()?),
    })
}

fn scratch(args: &Args) -> Result<tempfile::TempDir> {
    let folder = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    Ok(tempfile::Builder::new().prefix("copilot-recorder-bench-").tempdir_in(folder)?)
}

async fn bench(args: &Args) -> Result<bool> {
    let recorder = recorder(args)?;
    let started = Instant::now();
    let plan = plan(args);
    let scratch = scratch(args)?;
    let folder = scratch.path().canonicalize()?;
    BenchCa::create(&folder)?;
    let upstream = Process::party(&["upstream"], &folder)?;
    let setting = Setting { folder, upstream: upstream.address, recorder, recorder_args: args.recorder_arg.clone() };
    let who: Vec<Who> = Who::ALL
        .into_iter()
        .filter(|who| match who {
            Who::Direct => true,
            Who::Tunnel => !args.without.contains(&Optional::Tunnel),
            Who::Hudsucker => !args.without.contains(&Optional::Hudsucker),
            Who::Ours => setting.recorder.is_some(),
        })
        .collect();

    let mut results = Results::default();
    let mut contenders = Vec::new();
    for &who in &who {
        contenders.push(Contender::start(who, &setting, "logs")?);
    }
    measure::rounds(&plan, &contenders, &mut results).await?;
    let mut counts = Vec::new();
    for contender in contenders {
        counts.push((contender.who, contender.counts()));
        if contender.who == Who::Ours {
            results.note_problem(measure::stop(contender).await);
        }
    }
    if plan.memory {
        let streams = measure::memory(&plan, &who, &setting, &mut results).await?;
        if let Some((_, ours)) = counts.iter_mut().find(|(who, _)| *who == Who::Ours) {
            ours.add(streams);
        }
    }

    print_head(&plan, started.elapsed());
    report::print(&results, &plan.protocols, &who);
    let records = counts
        .iter()
        .find(|(who, _)| *who == Who::Ours)
        .map(|(_, counts)| anyhow::Ok(Records { requests: counts.sent, files: count_records(&setting.folder)? }))
        .transpose()?;
    Ok(report::print_checks(&results, &counts, records.as_ref()))
}

fn plan(args: &Args) -> Plan {
    let wanted = |part, all: &[Part]| args.only.contains(&part) || !args.only.iter().any(|only| all.contains(only));
    let protocol = |part| wanted(part, &[Part::Http1, Part::Http2]);
    let measurement = |part| wanted(part, &[Part::Load, Part::Latency, Part::Setup, Part::Memory]);
    let mut protocols = Vec::new();
    if protocol(Part::Http1) {
        protocols.push(Protocol::Http1);
    }
    if protocol(Part::Http2) {
        protocols.push(Protocol::Http2);
    }
    let rounds = args.rounds.unwrap_or(if args.quick { QUICK_ROUNDS } else { ROUNDS }).max(1);
    let seconds = args.seconds.unwrap_or(if args.quick { QUICK_SECONDS } else { SECONDS });
    Plan {
        protocols,
        load: measurement(Part::Load),
        latency: measurement(Part::Latency),
        setup: measurement(Part::Setup),
        memory: measurement(Part::Memory),
        rounds,
        window: Duration::from_secs_f64(seconds / rounds as f64),
        streams: if args.quick { QUICK_STREAMS } else { STREAMS },
    }
}

/// Builds this repository's release binary and returns its path as cargo tells it.
fn build_recorder() -> Result<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("benches/ lies in the repository")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--bin",
            "copilot-recorder",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(repository)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the recorder does not build; --without-recorder measures the others");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let path = text.rsplit_once("\"executable\":\"").and_then(|(_, rest)| rest.split('"').next());
    path.map(PathBuf::from).context("cargo told no path of the recorder")
}

fn print_head(plan: &Plan, took: Duration) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    println!(
        "{} ({} cores); {} rounds, {:.1} s for each measurement and contender; {:.0} s in all\n",
        model.trim_start_matches([':', ' ', '\t']),
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        plan.rounds,
        plan.window.as_secs_f64() * plan.rounds as f64,
        took.as_secs_f64()
    );
}

/// Counts the record files below the folder, leaving out what starts with a dot.
fn count_records(folder: &Path) -> Result<u64> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            count += count_records(&entry.path())?;
        } else if name.ends_with(".json") {
            count += 1;
        }
    }
    Ok(count)
}

/// Ends when a person or a supervisor wants the bench to end; the parties then die with it.
async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! { _ = tokio::signal::ctrl_c() => (), () = terminated => () }
}
