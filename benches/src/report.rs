//! The Markdown that a run prints: a table for each protocol, the aims, what was checked.

use crate::{
    contender::{Counts, Who},
    results::{Results, Row},
    session::Protocol,
    workload::Kind,
};

/// What the recorder wrote, beside what went through it.
pub struct Records {
    pub requests: u64,
    pub files: u64,
}

pub fn print(results: &Results, protocols: &[Protocol], who: &[Who]) {
    for &protocol in protocols {
        table(results, protocol, who);
    }
    if who.contains(&Who::Ours) {
        aims(results, protocols);
    }
}

/// Prints what was checked; true if nothing failed and nothing is missing.
pub fn print_checks(results: &Results, counts: &[(Who, Counts)], records: Option<&Records>) -> bool {
    println!("### Checked\n");
    let mut sound = true;
    for (who, counts) in counts {
        let failure = counts.first_failure.as_deref().map(|text| format!("; the first: {text}")).unwrap_or_default();
        let (sent, failed) = (counts.sent, counts.failed);
        println!(
            "- {}: {sent} requests, status and length of each answer checked, {failed} failed{failure}",
            who.name()
        );
        sound &= failed == 0;
    }
    if let Some(Records { requests, files }) = records {
        let verdict = if requests == files { "all recorded" } else { "**not the same**" };
        println!("- records: {files} files for {requests} requests, {verdict}");
        sound &= requests == files;
    }
    for problem in results.problems() {
        println!("- **{problem}**");
        sound = false;
    }
    if let (Some(ours), Some(tunnel)) = (results.backlog(Who::Ours), results.backlog(Who::Tunnel)) {
        println!(
            "- busy after the last answer of a throughput window, at most: ours {} ms, blind tunnel {} ms (that time is \
             in the CPU figures)",
            ours.as_millis(),
            tunnel.as_millis()
        );
    }
    println!();
    sound
}

fn table(results: &Results, protocol: Protocol, who: &[Who]) {
    println!("### {}\n", name(protocol));
    let pairs = pairs(who);
    let names: Vec<&str> = who.iter().map(|who| who.name()).collect();
    let ratios: Vec<String> = pairs.iter().map(|(own, base)| format!("{} / {}", short(*own), base.name())).collect();
    println!("| | {} | {} |", names.join(" | "), ratios.join(" | "));
    println!("|---|{}", "---:|".repeat(names.len() + ratios.len()));
    for row in results.rows(protocol) {
        let cells: Vec<String> = who.iter().map(|who| cell(results.figure(protocol, row, *who))).collect();
        let ratios: Vec<String> = pairs
            .iter()
            .map(|(own, base)| {
                let ratio = results.ratio(protocol, row, *own, *base);
                with_noise(ratio, results.noise(protocol, row, *own, *base))
            })
            .collect();
        println!("| {} | {} | {} |", row.label(), cells.join(" | "), ratios.join(" | "));
        if let Row::LatencyP50(_) = row {
            added(results, protocol, row, who, &pairs);
        }
    }
    println!();
}

/// The line below a median latency: what each contender adds to the straight way.
fn added(results: &Results, protocol: Protocol, row: Row, who: &[Who], pairs: &[(Who, Who)]) {
    let added = |who| if who == Who::Direct { None } else { results.added(protocol, row, who) };
    let cells: Vec<String> = who.iter().map(|who| cell(added(*who))).collect();
    let ratios: Vec<String> =
        pairs.iter().map(|(own, base)| with_noise(divide(added(*own), added(*base)), None)).collect();
    println!("| {} | {} | {} |", row.label().replace("p50", "added p50"), cells.join(" | "), ratios.join(" | "));
}

/// Whose figures are divided by whose.
fn pairs(who: &[Who]) -> Vec<(Who, Who)> {
    let pairs = if who.contains(&Who::Ours) {
        vec![(Who::Ours, Who::Tunnel), (Who::Ours, Who::Hudsucker)]
    } else {
        vec![(Who::Hudsucker, Who::Tunnel)]
    };
    pairs.into_iter().filter(|(own, base)| who.contains(own) && who.contains(base)).collect()
}

fn aims(results: &Results, protocols: &[Protocol]) {
    println!("### Aims, with recording on\n\n| aim | protocol | measured | |\n|---|---|---:|---|");
    for &protocol in protocols {
        let over_tunnel = |row| results.ratio(protocol, row, Who::Ours, Who::Tunnel);
        let latency = Row::LatencyP50(Kind::Completion);
        let added = |who| results.added(protocol, latency, who);
        let added_ratio = divide(added(Who::Ours), added(Who::Tunnel));
        aim(protocol, "added median latency ≤ 2 × blind tunnel's", added_ratio, 2.0, "×");
        aim(protocol, "CPU a completion ≤ 2 × blind tunnel's", over_tunnel(Row::Cpu(Kind::Completion)), 2.0, "×");
        aim(protocol, "set-up, full handshake ≤ 1.3 ×", over_tunnel(Row::Setup { resume: false }), 1.3, "×");
        aim(protocol, "set-up, resumed session ≤ 1.3 ×", over_tunnel(Row::Setup { resume: true }), 1.3, "×");
        aim(protocol, "an open stream ≤ 64 kB", results.figure(protocol, Row::Memory, Who::Ours), 64.0, " kB");
        behind(results, protocol);
    }
    println!();
}

fn aim(protocol: Protocol, text: &str, measured: Option<f64>, limit: f64, unit: &str) {
    let Some(measured) = measured else { return };
    let mark = if measured <= limit { "met" } else { "**missed**" };
    println!("| {text} | {} | {measured:.2}{unit} | {mark} |", name(protocol));
}

/// On no row behind hudsucker; a difference smaller than the row's noise is said to be that.
fn behind(results: &Results, protocol: Protocol) {
    let mut compared = 0;
    let mut behind = Vec::new();
    let mut in_noise = Vec::new();
    for row in results.rows(protocol).into_iter().filter(|row| *row != Row::Resumed) {
        let Some(ratio) = results.ratio(protocol, row, Who::Ours, Who::Hudsucker) else { continue };
        compared += 1;
        let worse = if row.more_is_better() { 1.0 / ratio } else { ratio } - 1.0;
        if worse > results.noise(protocol, row, Who::Ours, Who::Hudsucker).unwrap_or(0.0) {
            behind.push(format!("{} (by {:.0} %)", row.label(), 100.0 * worse));
        } else if worse > 0.0 {
            in_noise.push(row.label());
        }
    }
    if compared == 0 {
        return;
    }
    let (count, mark) = (behind.len(), if behind.is_empty() { "met" } else { "**missed**" });
    let mut details = String::new();
    if !behind.is_empty() {
        details += &format!(": {}", behind.join("; "));
    }
    if !in_noise.is_empty() {
        details += &format!("; behind by less than the noise: {}", in_noise.join("; "));
    }
    println!("| on no row behind hudsucker | {} | {count} of {compared} behind | {mark}{details} |", name(protocol));
}

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http1 => "HTTP/1.1 keep-alive",
        Protocol::Http2 => "HTTP/2",
    }
}

fn short(who: Who) -> &'static str {
    if who == Who::Ours { "ours" } else { who.name() }
}

fn cell(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let (head, tail) = digits.split_at(digits.len() - 3);
            format!("{head},{tail}")
        }
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    }
}

fn with_noise(ratio: Option<f64>, noise: Option<f64>) -> String {
    match (ratio, noise) {
        (Some(ratio), Some(noise)) => format!("{ratio:.2} ±{:.0} %", 100.0 * noise),
        (Some(ratio), None) => format!("{ratio:.2}"),
        (None, _) => "–".to_owned(),
    }
}

/// The ratio of two differences, where the lower one is one.
fn divide(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    value.zip(base.filter(|base| *base > 0.0)).map(|(value, base)| value / base)
}
