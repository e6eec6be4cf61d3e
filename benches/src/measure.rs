//! The measurements. In each the contenders take turns, so that whatever else the machine does hits all alike.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::{
    contender::{Contender, Counts, Setting, Who},
    results::{Results, Row},
    session::{Protocol, Session},
    workload::{Kind, PLAN_H1, PLAN_H2, Workload},
};

/// Connections of the throughput measurement, each with one request in flight.
const CONNECTIONS: usize = 16;
/// One contender's turn in the one-at-a-time measurement, short against the machine's moods.
const SLICE: Duration = Duration::from_millis(50);
/// How long open streams are left to flow before memory is read: a few events each.
const STREAMS_REST: Duration = Duration::from_millis(1_500);
/// Streams opened at the same time while all are being opened.
const OPENING: usize = 32;

/// How much is measured.
pub struct Plan {
    pub protocols: Vec<Protocol>,
    pub load: bool,
    pub latency: bool,
    pub setup: bool,
    pub memory: bool,
    pub rounds: usize,
    /// Time that one contender has in one measurement of one round.
    pub window: Duration,
    pub streams: usize,
}

/// All measurements but memory, in rounds.
pub async fn rounds(plan: &Plan, contenders: &[Arc<Contender>], results: &mut Results) -> Result<()> {
    let mut order: Vec<Arc<Contender>> = contenders.to_vec();
    for round in 1..=plan.rounds {
        for &protocol in &plan.protocols {
            for kind in [Kind::Completion, Kind::Telemetry] {
                let work = workload(kind, protocol);
                if plan.load {
                    for contender in &order {
                        load(contender, protocol, &work, kind, plan.window, results).await?;
                    }
                }
                if plan.latency {
                    latency(&order, protocol, &work, kind, plan.window, results).await?;
                }
            }
            if plan.setup {
                for resume in [false, true] {
                    setup(&order, protocol, resume, plan.window, results).await?;
                }
            }
        }
        // Everybody comes first, comes last and follows everybody in turn.
        order.reverse();
        if round % 2 == 0 {
            order.rotate_left(1);
        }
        eprintln!("round {round} of {} done", plan.rounds);
    }
    Ok(())
}

/// Sixteen connections that do one request after the other.
async fn load(
    contender: &Arc<Contender>,
    protocol: Protocol,
    work: &Arc<Workload>,
    kind: Kind,
    window: Duration,
    results: &mut Results,
) -> Result<()> {
    let mut sessions = Vec::new();
    for _ in 0..CONNECTIONS {
        sessions.push(contender.open_warm(protocol, work).await?);
    }
    contender.settle().await?;
    let cpu = contender.cpu()?;
    let started = Instant::now();
    let deadline = started + window;
    let mut tasks = JoinSet::new();
    for session in sessions {
        tasks.spawn(load_one(Arc::clone(contender), protocol, Arc::clone(work), session, deadline));
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done?);
    }
    let elapsed = started.elapsed();
    results.note_backlog(contender.who, contender.settle().await?);
    let cpu = contender.cpu()? - cpu;
    anyhow::ensure!(!times.is_empty(), "not one request went through {}", contender.who.name());
    let count = times.len() as f64;
    let mut put = |row, value| results.put(protocol, row, contender.who, value);
    put(Row::Rate(kind), count / elapsed.as_secs_f64());
    put(Row::LoadP50(kind), micros(percentile(&mut times, 50)));
    put(Row::LoadP99(kind), micros(percentile(&mut times, 99)));
    if contender.process.is_some() {
        put(Row::Cpu(kind), micros(cpu) / count);
    }
    Ok(())
}

async fn load_one(
    contender: Arc<Contender>,
    protocol: Protocol,
    work: Arc<Workload>,
    mut session: Session,
    deadline: Instant,
) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < deadline {
        match contender.exchange(&mut session, &work).await {
            Ok(timing) => times.push(timing.total),
            Err(_) => match contender.open(protocol, &work.host, false).await {
                Ok(opened) => session = opened.session,
                Err(_) => break,
            },
        }
    }
    session.close().await;
    times
}

/// One request at a time on one connection, the contenders taking turns every 50 ms. Each turn's median is a value of
/// its own: what a contender adds is seen against the straight way a moment before or after.
async fn latency(
    contenders: &[Arc<Contender>],
    protocol: Protocol,
    work: &Workload,
    kind: Kind,
    window: Duration,
    results: &mut Results,
) -> Result<()> {
    let mut lanes = Vec::new();
    for contender in contenders {
        let session = contender.open_warm(protocol, work).await?;
        contender.settle().await?;
        lanes.push((contender, session, contender.cpu()?, Vec::new()));
    }
    let started = Instant::now();
    while started.elapsed() < window * contenders.len() as u32 {
        for (contender, session, _, all) in &mut lanes {
            let (mut firsts, mut totals) = (Vec::new(), Vec::new());
            let turn = Instant::now();
            while turn.elapsed() < SLICE.min(window) {
                match contender.exchange(session, work).await {
                    Ok(timing) => {
                        firsts.push(timing.first);
                        totals.push(timing.total);
                    }
                    Err(_) => *session = contender.open_warm(protocol, work).await?,
                }
            }
            anyhow::ensure!(!totals.is_empty(), "not one request went through {}", contender.who.name());
            results.put(protocol, Row::LatencyP50(kind), contender.who, micros(percentile(&mut totals, 50)));
            results.put(protocol, Row::FirstByte(kind), contender.who, micros(percentile(&mut firsts, 50)));
            all.append(&mut totals);
        }
        // Forth and back, so that nobody always works in the wake of the same other.
        lanes.reverse();
    }
    for (contender, session, cpu, mut totals) in lanes {
        session.close().await;
        contender.settle().await?;
        let cpu = contender.cpu()? - cpu;
        let mut put = |row, value| results.put(protocol, row, contender.who, value);
        put(Row::LatencyP99(kind), micros(percentile(&mut totals, 99)));
        if contender.process.is_some() {
            put(Row::CpuAlone(kind), micros(cpu) / totals.len() as f64);
        }
    }
    Ok(())
}

/// New connections with one completion each, the contenders taking turns after each connection.
async fn setup(
    contenders: &[Arc<Contender>],
    protocol: Protocol,
    resume: bool,
    window: Duration,
    results: &mut Results,
) -> Result<()> {
    let work = workload(Kind::Completion, protocol);
    let mut lanes = Vec::new();
    for contender in contenders {
        // The first connection fills the caches; with resumption it also brings the tickets.
        one_setup(contender, protocol, &work, resume).await?;
        contender.settle().await?;
        lanes.push((contender, contender.cpu()?, Vec::new(), Vec::new(), 0_u32));
    }
    let started = Instant::now();
    while started.elapsed() < window * contenders.len() as u32 {
        for (contender, _, setups, firsts, resumptions) in &mut lanes {
            // A failure is counted where it happens.
            if let Ok(times) = one_setup(contender, protocol, &work, resume).await {
                setups.push(times.setup);
                firsts.push(times.first_answer);
                *resumptions += u32::from(times.resumed);
            }
        }
        lanes.reverse();
    }
    for (contender, cpu, mut setups, mut firsts, resumptions) in lanes {
        contender.settle().await?;
        let cpu = contender.cpu()? - cpu;
        anyhow::ensure!(!setups.is_empty(), "not one connection came about through {}", contender.who.name());
        let count = setups.len() as f64;
        let mut put = |row, value| results.put(protocol, row, contender.who, value);
        put(Row::Setup { resume }, micros(percentile(&mut setups, 50)));
        put(Row::FirstAnswer { resume }, micros(percentile(&mut firsts, 50)));
        if contender.process.is_some() {
            put(Row::SetupCpu { resume }, micros(cpu) / count);
        }
        if resume {
            put(Row::Resumed, 100.0 * f64::from(resumptions) / count);
        }
    }
    Ok(())
}

struct SetupTimes {
    setup: Duration,
    /// From the start of the connection to the first byte of the first answer.
    first_answer: Duration,
    resumed: bool,
}

async fn one_setup(contender: &Contender, protocol: Protocol, work: &Workload, resume: bool) -> Result<SetupTimes> {
    let opened = contender.open(protocol, &work.host, resume).await?;
    let mut session = opened.session;
    let timing = contender.exchange(&mut session, work).await?;
    session.close().await;
    Ok(SetupTimes { setup: opened.setup, first_answer: opened.setup + timing.first, resumed: opened.resumed })
}

/// Resident memory per open stream, one stream a connection, in a process started for this alone: in one that has
/// worked, the allocator's free memory would hide what a stream takes.
pub async fn memory(plan: &Plan, who: &[Who], setting: &Setting, results: &mut Results) -> Result<Counts> {
    let mut counts = Counts::default();
    for &protocol in &plan.protocols {
        for &who in who.iter().filter(|who| **who != Who::Direct) {
            let contender = Contender::start(who, setting, &format!("logs-memory-{protocol:?}"))?;
            results.put(protocol, Row::Memory, who, memory_of(&contender, protocol, plan.streams).await?);
            if who == Who::Ours {
                counts.add(contender.counts());
                results.note_problem(stop(contender).await);
            } else if let Some(failure) = contender.counts().first_failure {
                anyhow::bail!("{} failed with open streams: {failure}", who.name());
            }
        }
    }
    Ok(counts)
}

async fn memory_of(contender: &Arc<Contender>, protocol: Protocol, streams: usize) -> Result<f64> {
    let process = contender.process.as_ref().context("memory of a process that is not there")?;
    let warm = workload(Kind::Completion, protocol);
    for _ in 0..CONNECTIONS {
        let mut session = contender.open_warm(protocol, &warm).await?;
        for _ in 0..CONNECTIONS {
            contender.exchange(&mut session, &warm).await?;
        }
        session.close().await;
    }
    contender.settle().await?;
    let before = process.resident()?;
    let work = workload(Kind::Slow, protocol);
    let mut opened = Vec::with_capacity(streams);
    let mut tasks = JoinSet::new();
    for number in 0..streams {
        if number >= OPENING {
            opened.extend(tasks.join_next().await.transpose()?.transpose()?);
        }
        let (contender, work) = (Arc::clone(contender), Arc::clone(&work));
        tasks.spawn(async move {
            let mut session = contender.open(protocol, &work.host, false).await?.session;
            contender.open_stream(&mut session, &work).await?;
            anyhow::Ok(session)
        });
    }
    while let Some(session) = tasks.join_next().await {
        opened.push(session??);
    }
    tokio::time::sleep(STREAMS_REST).await;
    let after = process.resident()?;
    Ok((after as f64 - before as f64) / opened.len() as f64)
}

/// Ends the recorder as an operator does, so that it writes what it still holds.
pub async fn stop(contender: Arc<Contender>) -> Result<()> {
    let contender = Arc::into_inner(contender).context("a measurement still runs")?;
    match contender.process {
        Some(process) => process.stop().await.context("the recorder did not end well"),
        None => Ok(()),
    }
}

fn workload(kind: Kind, protocol: Protocol) -> Arc<Workload> {
    let plan = match protocol {
        Protocol::Http1 => PLAN_H1,
        Protocol::Http2 => PLAN_H2,
    };
    Arc::new(Workload::new(kind, plan))
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[((times.len() * percent) / 100).min(times.len() - 1)]
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000.0
}
