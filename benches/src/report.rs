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
    let ours = who.contains(&Who::Ours);
    let subject = if ours { Who::Ours } else { Who::Hudsucker };
    let names: Vec<&str> = who.iter().map(|who| who.name()).collect();
    let mut head = format!("| | {} | {} / blind tunnel |", names.join(" | "), short(subject));
    let mut line = format!("|---|{}---:|", "---:|".repeat(who.len()));
    if ours {
        head += " ours / hudsucker |";
        line += "---:|";
    }
    println!("{head} noise |\n{line}---:|");
    for row in results.rows(protocol) {
        let figure = |who| results.figure(protocol, row, who);
        let cells: Vec<String> = who.iter().map(|who| cell(figure(*who))).collect();
        let mut text =
            format!("| {} | {} | {} |", row.label(), cells.join(" | "), ratio(figure(subject), figure(Who::Tunnel)));
        if ours {
            text += &format!(" {} |", ratio(figure(Who::Ours), figure(Who::Hudsucker)));
        }
        println!("{text} ±{:.0} % |", 100.0 * results.noise(protocol, row));
        if let Row::LatencyP50(_) = row {
            let added = |who| results.added(protocol, row, who);
            let cells: Vec<String> =
                who.iter().map(|who| if *who == Who::Direct { "–".to_owned() } else { cell(added(*who)) }).collect();
            let label = row.label().replace("p50", "added p50");
            let mut text =
                format!("| {label} | {} | {} |", cells.join(" | "), ratio(added(subject), added(Who::Tunnel)));
            if ours {
                text += &format!(" {} |", ratio(added(Who::Ours), added(Who::Hudsucker)));
            }
            println!("{text} – |");
        }
    }
    println!();
}

fn aims(results: &Results, protocols: &[Protocol]) {
    println!("### Aims, with recording on\n\n| aim | protocol | measured | |\n|---|---|---:|---|");
    for &protocol in protocols {
        let figure = |row, who| results.figure(protocol, row, who);
        let over_tunnel = |row| Some(figure(row, Who::Ours)? / figure(row, Who::Tunnel)?);
        let latency = Row::LatencyP50(Kind::Completion);
        let added = |who| results.added(protocol, latency, who);
        let added_ratio = added(Who::Ours).zip(added(Who::Tunnel)).map(|(ours, tunnel)| ours / tunnel);
        aim(protocol, "added median latency ≤ 2 × blind tunnel's", added_ratio, 2.0, "×");
        aim(protocol, "CPU a completion ≤ 2 × blind tunnel's", over_tunnel(Row::Cpu(Kind::Completion)), 2.0, "×");
        aim(protocol, "set-up, full handshake ≤ 1.3 ×", over_tunnel(Row::Setup { resume: false }), 1.3, "×");
        aim(protocol, "set-up, resumed session ≤ 1.3 ×", over_tunnel(Row::Setup { resume: true }), 1.3, "×");
        aim(protocol, "an open stream ≤ 64 kB", figure(Row::Memory, Who::Ours), 64.0, " kB");
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
        let (Some(ours), Some(hudsucker)) =
            (results.figure(protocol, row, Who::Ours), results.figure(protocol, row, Who::Hudsucker))
        else {
            continue;
        };
        compared += 1;
        let worse = if row.more_is_better() { hudsucker / ours } else { ours / hudsucker } - 1.0;
        if worse > results.noise(protocol, row) {
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

fn ratio(value: Option<f64>, base: Option<f64>) -> String {
    match (value, base) {
        (Some(value), Some(base)) if base > 0.0 => format!("{:.2}", value / base),
        _ => "–".to_owned(),
    }
}
