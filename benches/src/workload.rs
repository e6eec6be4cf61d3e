//! What is sent and what must come back: Copilot's two busiest requests, with the header fields of the real clients.

use bytes::Bytes;
use http::HeaderMap;

/// Both HTTP versions are offered under this plan's names, as Copilot's own hosts do.
pub const PLAN_H2: &str = "individual";
/// Under this plan's names the upstream speaks HTTP/1.1 only, so that nobody can turn one version into the other.
pub const PLAN_H1: &str = "business";

/// Events in one completion, the closing `[DONE]` among them.
const EVENTS: usize = 10;
const COMPLETION_BODY: usize = 2 * 1024;
const TELEMETRY_BODY: usize = 10 * 1024;
const COMPLETION_PATH: &str = "/v1/engines/gpt-41-copilot/completions";
/// The path whose stream sends an event now and then and never ends.
pub const SLOW_PATH: &str = "/v1/engines/gpt-41-slow/completions";
pub const TELEMETRY_PATH: &str = "/telemetry";
pub const TELEMETRY_ANSWER: &[u8] = br#"{"itemsReceived":4,"itemsAccepted":4,"appId":null,"errors":[]}"#;
/// A number of this many digits ends each `x-request-id`: every request differs and all have one length.
const ID_DIGITS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Completion,
    Telemetry,
    /// A completion whose answer stays open.
    Slow,
}

/// One request, ready to be sent in either HTTP version, and the length of the body that answers it.
pub struct Workload {
    pub host: String,
    pub path: &'static str,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub answer_len: usize,
    h1: Vec<u8>,
    id_at: Option<usize>,
}

impl Workload {
    pub fn new(kind: Kind, plan: &str) -> Self {
        let (service, path, body, answer_len) = match kind {
            Kind::Completion => ("proxy", COMPLETION_PATH, completion_body(), events().iter().map(Bytes::len).sum()),
            Kind::Slow => ("proxy", SLOW_PATH, completion_body(), 0),
            Kind::Telemetry => ("telemetry", TELEMETRY_PATH, telemetry_body(), TELEMETRY_ANSWER.len()),
        };
        let host = format!("{service}.{plan}.githubcopilot.com");
        let fields = fields(kind, body.len());
        let mut h1 = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
        let mut id_at = None;
        for (name, value) in &fields {
            h1.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            if *name == "X-Request-Id" {
                id_at = Some(h1.len() - 2 - ID_DIGITS);
            }
        }
        h1.extend_from_slice(b"\r\n");
        h1.extend_from_slice(body.as_bytes());
        let headers = fields
            .iter()
            .map(|(name, value)| {
                let name = http::HeaderName::from_bytes(name.as_bytes()).expect("names are written above");
                (name, value.parse().expect("values are written above"))
            })
            .collect();
        Self { host, path, headers, body: Bytes::from(body), answer_len, h1, id_at }
    }

    /// Copies the HTTP/1.1 form of request number `seq` to `out`.
    pub fn write_h1(&self, seq: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.h1);
        if let Some(at) = self.id_at {
            let mut rest = seq;
            for digit in out[at..at + ID_DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
}

/// The events of one completion, each of which the upstream writes on its own.
pub fn events() -> Vec<Bytes> {
    const HEAD: &str = r#""id":"cmpl-AcBSxNRroE6mLsEEz9UOfcJPcyGMK","created":1763633903,"model":"gpt-41-copilot""#;
    let words = ["for", " (const", " line", " of", " lines", ") {\\n", "    total", " += line.length;"];
    let mut events: Vec<Bytes> = words
        .iter()
        .map(|text| {
            Bytes::from(format!(
                "data: {{{HEAD},\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"finish_reason\":null,\"logprobs\":null,\
                 \"p\":\"aaaaaaaaaa\"}}]}}\n\n"
            ))
        })
        .collect();
    events.push(Bytes::from(format!(
        "data: {{{HEAD},\"choices\":[{{\"text\":\"\\n}}\",\"index\":0,\"finish_reason\":\"stop\",\"logprobs\":null,\
         \"p\":\"aaaa\"}}]}}\n\n"
    )));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    assert_eq!(events.len(), EVENTS);
    events
}

fn fields(kind: Kind, body_len: usize) -> Vec<(&'static str, String)> {
    let common = vec![
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "GithubCopilot/1.248.0".to_owned()),
        ("Content-Length", body_len.to_string()),
        ("Accept", "*/*".to_owned()),
        ("Accept-Encoding", "gzip,deflate,br".to_owned()),
    ];
    if kind == Kind::Telemetry {
        return common;
    }
    let token = format!(
        "Bearer tid={};ol={};exp=1793670000;sku=bench_seat;proxy-ep=proxy.individual.githubcopilot.com;st=dotcom;ssc=1;\
         chat=1;cit=1;malfil=1;ccr=1;8kp=1;ip=192.0.2.7;asn=AS64496:{}",
        "0123456789abcdef".repeat(2),
        "fedcba9876543210".repeat(2),
        "00112233445566778899aabbccddeeff".repeat(2)
    );
    let mut fields = vec![
        ("Authorization", token),
        ("X-Request-Id", format!("d4392923-fe05-4c6a-babc-{}", "0".repeat(ID_DIGITS))),
        ("OpenAI-Organization", "github-copilot".to_owned()),
        ("VScode-SessionId", "ea6d81ed-3ef8-4d7f-9094-0225bd5022071763632427208".to_owned()),
        ("VScode-MachineId", "4ce93ec3b250003c".repeat(4)),
        ("Editor-Version", "vscode/1.105.1".to_owned()),
        ("Editor-Plugin-Version", "copilot/1.388.0".to_owned()),
        ("Copilot-Language-Server-Version", "1.388.0".to_owned()),
        ("Annotations-Enabled", "true".to_owned()),
        ("Code-Quote-Enabled", "true".to_owned()),
        ("OpenAI-Intent", "copilot-ghost".to_owned()),
    ];
    fields.extend(common);
    fields
}

fn completion_body() -> String {
    let head = r#"{"prompt":"// Path: src/report.ts\n"#;
    let tail = concat!(
        r#"","suffix":"\n","max_tokens":500,"temperature":0,"top_p":1,"n":1,"stop":["\n\n\n"],"stream":true,"#,
        r#""nwo":"octo/bench","extra":{"language":"typescript","next_indent":4,"trim_by_indentation":true,"#,
        r#""prompt_tokens":420,"suffix_tokens":1}}"#
    );
    let line = r#"export function total(lines: string[]): number {\n    let total = 0;\n    return total;\n}\n"#;
    padded(head, line, tail, COMPLETION_BODY)
}

fn telemetry_body() -> String {
    let event = concat!(
        r#"{"time":"2026-11-20T13:28:07.023Z","iKey":"00000000-0000-4000-8000-000000000000","name":"Event","tags":"#,
        r#"{"ai.user.id":"0123456789abcdef0123456789abcdef","ai.device.osPlatform":"linux"},"data":{"baseType":"#,
        r#""EventData","baseData":{"ver":2,"name":"copilot/request.sent","properties":{"endpoint":"completions"}}}},"#
    );
    let last = r#"{"time":"2026-11-20T13:28:07.023Z","name":"last"}]"#;
    padded("[", event, last, TELEMETRY_BODY)
}

/// `head`, `unit` as often as it fits, `tail`, brought to exactly `len` bytes with spaces that JSON ignores.
fn padded(head: &str, unit: &str, tail: &str, len: usize) -> String {
    let units = (len - head.len() - tail.len()) / unit.len();
    let text = format!("{head}{}{tail}", unit.repeat(units));
    format!("{text}{}", " ".repeat(len - text.len()))
}
