//! The figures of a run: for each protocol, row and contender one value a turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{contender::Who, session::Protocol, workload::Kind};

/// One line of the table; within its group the order here is the order there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Rate(Kind),
    LoadP50(Kind),
    LoadP99(Kind),
    Cpu(Kind),
    LatencyP50(Kind),
    LatencyP99(Kind),
    FirstByte(Kind),
    CpuAlone(Kind),
    Setup { resume: bool },
    FirstAnswer { resume: bool },
    SetupCpu { resume: bool },
    Resumed,
    Memory,
}

impl Row {
    pub fn label(self) -> String {
        let kind = |kind| if kind == Kind::Telemetry { "telemetry" } else { "completions" };
        let tls = |resume| if resume { "resumed session" } else { "full handshake" };
        match self {
            Self::Rate(of) => format!("{}, 16 connections: requests/s", kind(of)),
            Self::LoadP50(of) => format!("{}, 16 connections: p50 (µs)", kind(of)),
            Self::LoadP99(of) => format!("{}, 16 connections: p99 (µs)", kind(of)),
            Self::Cpu(of) => format!("{}, 16 connections: proxy CPU a request (µs)", kind(of)),
            Self::LatencyP50(of) => format!("{}, one at a time: p50 (µs)", kind(of)),
            Self::LatencyP99(of) => format!("{}, one at a time: p99 (µs)", kind(of)),
            Self::FirstByte(of) => format!("{}, one at a time: first byte, p50 (µs)", kind(of)),
            Self::CpuAlone(of) => format!("{}, one at a time: proxy CPU a request (µs)", kind(of)),
            Self::Setup { resume } => format!("connection set-up, {}: p50 (µs)", tls(resume)),
            Self::FirstAnswer { resume } => format!("first answer on a new connection, {}: p50 (µs)", tls(resume)),
            Self::SetupCpu { resume } => format!("proxy CPU a connection with one completion, {} (µs)", tls(resume)),
            Self::Resumed => "sessions resumed (% of new connections)".to_owned(),
            Self::Memory => "memory an open stream (kB)".to_owned(),
        }
    }

    /// Completions, telemetry, connections, memory: the order of the table.
    fn group(self) -> usize {
        match self {
            Self::Rate(of)
            | Self::LoadP50(of)
            | Self::LoadP99(of)
            | Self::Cpu(of)
            | Self::LatencyP50(of)
            | Self::LatencyP99(of)
            | Self::FirstByte(of)
            | Self::CpuAlone(of) => usize::from(of == Kind::Telemetry),
            Self::Setup { .. } | Self::FirstAnswer { .. } | Self::SetupCpu { .. } | Self::Resumed => 2,
            Self::Memory => 3,
        }
    }

    pub fn more_is_better(self) -> bool {
        matches!(self, Self::Rate(_) | Self::Resumed)
    }

    /// Processor time comes in ticks of 10 ms: the mean of the rounds loses less than their median.
    fn averaged(self) -> bool {
        matches!(self, Self::Cpu(_) | Self::CpuAlone(_) | Self::SetupCpu { .. })
    }
}

/// Every value measured.
#[derive(Default)]
pub struct Results {
    values: BTreeMap<(Protocol, Row, Who), Vec<f64>>,
    backlogs: BTreeMap<Who, Duration>,
    problems: Vec<String>,
}

impl Results {
    pub fn put(&mut self, protocol: Protocol, row: Row, who: Who, value: f64) {
        self.values.entry((protocol, row, who)).or_default().push(value);
    }

    /// Remembers the longest time a contender was busy after its last answer.
    pub fn note_backlog(&mut self, who: Who, busy: Duration) {
        let longest = self.backlogs.entry(who).or_default();
        *longest = busy.max(*longest);
    }

    /// Remembers a failure that leaves the figures standing, so that the table is still printed.
    pub fn note_problem(&mut self, outcome: anyhow::Result<()>) {
        self.problems.extend(outcome.err().map(|error| format!("{error:#}")));
    }

    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    pub fn backlog(&self, who: Who) -> Option<Duration> {
        self.backlogs.get(&who).copied()
    }

    pub fn rows(&self, protocol: Protocol) -> Vec<Row> {
        let rows: BTreeSet<(usize, Row)> =
            self.values.keys().filter(|(of, ..)| *of == protocol).map(|(_, row, _)| (row.group(), *row)).collect();
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The figure of the table: the median of the rounds.
    pub fn figure(&self, protocol: Protocol, row: Row, who: Who) -> Option<f64> {
        let rounds = self.values.get(&(protocol, row, who))?;
        if row.averaged() {
            return Some(rounds.iter().sum::<f64>() / rounds.len() as f64);
        }
        Some(median(rounds.clone()))
    }

    /// The median over the rounds of what `who` adds to the straight way in the same round.
    pub fn added(&self, protocol: Protocol, row: Row, who: Who) -> Option<f64> {
        let direct = self.values.get(&(protocol, row, Who::Direct))?;
        let own = self.values.get(&(protocol, row, who))?;
        Some(median(own.iter().zip(direct).map(|(own, direct)| own - direct).collect()))
    }

    /// How many times `base`'s figure `who`'s is: the median of the ratios within one round, so that a round in which
    /// the machine was slow counts like any other.
    pub fn ratio(&self, protocol: Protocol, row: Row, who: Who, base: Who) -> Option<f64> {
        if row.averaged() {
            return Some(self.figure(protocol, row, who)? / self.figure(protocol, row, base)?)
                .filter(|ratio| ratio.is_finite());
        }
        self.ratios(protocol, row, who, base).map(median)
    }

    /// The median distance of the rounds' ratios from their median, as a share of it.
    pub fn noise(&self, protocol: Protocol, row: Row, who: Who, base: Who) -> Option<f64> {
        let ratios = self.ratios(protocol, row, who, base)?;
        let middle = median(ratios.clone());
        Some(median(ratios.iter().map(|ratio| (ratio - middle).abs()).collect()) / middle).filter(|of| of.is_finite())
    }

    fn ratios(&self, protocol: Protocol, row: Row, who: Who, base: Who) -> Option<Vec<f64>> {
        let own = self.values.get(&(protocol, row, who))?;
        let base = self.values.get(&(protocol, row, base))?;
        let ratios: Vec<f64> =
            own.iter().zip(base).map(|(own, base)| own / base).filter(|ratio| ratio.is_finite()).collect();
        (!ratios.is_empty()).then_some(ratios)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}
