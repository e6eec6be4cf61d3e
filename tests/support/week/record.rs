//! Record files in the form of `docs/record.md`, written without the program's own code.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::calendar::{date, timestamp};
use super::exchange::{Exchange, Socket};

/// The folders below the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Kind,
    KindDate,
    UserKind,
}

/// Writes records into a folder.
#[derive(Debug)]
pub(crate) struct Writer {
    logs: PathBuf,
    layout: Layout,
    /// How often a path was taken.
    taken: HashMap<PathBuf, u32>,
}

impl Writer {
    pub(crate) fn new(logs: &Path, layout: Layout) -> Self {
        Self { logs: logs.to_owned(), layout, taken: HashMap::new() }
    }

    /// Writes one, and says where.
    pub(crate) fn write(&mut self, exchange: &Exchange) -> PathBuf {
        let folder = self.logs.join(folder(self.layout, exchange));
        let stem = stem(exchange);
        let times = self.taken.entry(folder.join(&stem)).or_default();
        *times += 1;
        if *times == 1 {
            std::fs::create_dir_all(&folder).expect("a folder for records");
        }
        let name = if *times == 1 { format!("{stem}.json") } else { format!("{stem}_{times}.json") };
        let path = folder.join(name);
        std::fs::write(&path, text(exchange)).expect("a record is written");
        path
    }
}

fn folder(layout: Layout, exchange: &Exchange) -> PathBuf {
    let kind = Path::new(exchange.fact.kind);
    match layout {
        Layout::Kind => kind.to_owned(),
        Layout::KindDate => kind.join(date(exchange.fact.began, 0)),
        Layout::UserKind => {
            let name = exchange.fact.login.as_deref().unwrap_or("-");
            let safe = safe(name, 64);
            // Changed, or also the name of a kind.
            let same = safe == name && name != "chat";
            let user = if same { safe } else { format!("{safe}~{}", &hex(name.as_bytes())[..16]) };
            Path::new(&user).join(kind)
        }
    }
}

fn stem(exchange: &Exchange) -> String {
    let header = |wanted: &str| {
        let found = exchange.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or("-", |(_, value)| value.as_str())
    };
    let address = exchange.address.rsplit_once(':').expect("address and port").0;
    format!(
        "{}_{}_{}_{}_{}",
        timestamp(exchange.fact.began).replace(':', "-"),
        safe(header("vscode-machineid"), 10),
        safe(address, 45),
        safe(exchange.fact.login.as_deref().unwrap_or("-"), 64),
        safe(header("editor-version"), 64),
    )
}

fn safe(text: &str, most: usize) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
    text.chars().take(most).map(|c| if allowed(c) { c } else { '-' }).collect()
}

/// The file's text.
pub(crate) fn text(exchange: &Exchange) -> String {
    let fact = &exchange.fact;
    let mut out = String::with_capacity(3000 + 2 * (exchange.request_body.len() + exchange.response_body.len()));
    let mut line = |depth: usize, text: &str| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
        out.push_str(text);
    };
    let total = fact.total.expect("every exchange ends");
    line(1, &format!("\"proxy-authorization\": {},", json(fact.login.as_deref().unwrap_or("-"))));
    line(1, &format!("\"timestamp\": \"{}\",", timestamp(fact.began)));
    line(1, &format!("\"proxy-time-consumed\": \"{}ms\",", number((total * 100.0).round() / 100.0)));
    line(1, "\"request\": {");
    line(2, &format!("\"url\": {},", json(&format!("https://{}{}", exchange.host, exchange.path))));
    line(2, &format!("\"method\": \"{}\",", exchange.method));
    headers(&mut line, &exchange.request_headers);
    line(2, &format!("\"content\": {}", json(&exchange.request_body)));
    line(1, "},");
    line(1, "\"response\": {");
    line(2, &format!("\"status_code\": {},", fact.status.unwrap_or(0)));
    headers(&mut line, &exchange.response_headers);
    line(2, &format!("\"content\": {}", json(&exchange.response_body)));
    line(1, "},");
    line(1, "\"recorder\": {");
    for (key, value) in recorder(exchange) {
        line(2, &format!("\"{key}\": {value},"));
    }
    let redacted: Vec<_> = exchange.request_headers.iter().filter(|(_, value)| value.contains("<redacted>")).collect();
    let redacted: Vec<_> = redacted.iter().map(|(name, _)| format!("\"/request/headers/{name}\"")).collect();
    line(2, &format!("\"redacted\": [{}]", redacted.join(", ")));
    line(1, "}");
    out.push_str("\n}");
    out.insert(0, '{');
    out
}

fn headers(line: &mut impl FnMut(usize, &str), fields: &[(&str, String)]) {
    if fields.is_empty() {
        return line(2, "\"headers\": {},");
    }
    line(2, "\"headers\": {");
    for (at, (name, value)) in fields.iter().enumerate() {
        let comma = if at + 1 < fields.len() { "," } else { "" };
        line(3, &format!("\"{name}\": {}{comma}", json(value)));
    }
    line(2, "},");
}

/// The keys of `recorder` but the last one, in their order.
fn recorder(exchange: &Exchange) -> Vec<(&'static str, String)> {
    let fact = &exchange.fact;
    let complete = fact.aborted_by.is_none();
    let mut keys = vec![
        ("schema", "1".to_owned()),
        ("id", json(&fact.id)),
        ("kind", json(fact.kind)),
        ("rule", json(exchange.rule)),
        ("complete", complete.to_string()),
        ("aborted_by", fact.aborted_by.map_or_else(|| "null".to_owned(), json)),
    ];
    if exchange.http2 && fact.aborted_by == Some("client") {
        keys.push(("reset_code", "8".to_owned()));
    }
    let websocket = exchange.websocket.as_ref();
    let (version, alpn) =
        if exchange.http2 && websocket.is_none() { ("HTTP/2", "h2") } else { ("HTTP/1.1", "http/1.1") };
    keys.extend([
        ("client", json(&exchange.address)),
        ("upstream", "\"192.0.2.10:443\"".to_owned()),
        ("tunnel", json(&format!("{}:443", exchange.host))),
        ("connection", json(&exchange.connection)),
        ("stream", exchange.stream.to_string()),
        ("http_version", json(version)),
        ("alpn", json(alpn)),
        ("tls_version", "{\"client\": \"TLSv1.3\", \"upstream\": \"TLSv1.3\"}".to_owned()),
        ("sni", json(&exchange.host)),
    ]);
    if let Some(Socket { turn, messages }) = websocket {
        let mut list = String::new();
        for (client, at, bytes) in messages {
            let who = if *client { "client" } else { "server" };
            let comma = if list.is_empty() { "" } else { ", " };
            write!(list, "{comma}[\"{who}\", {}, {bytes}, \"text\"]", number(*at)).expect("a string takes all");
        }
        keys.push((
            "websocket",
            format!(
                "{{\"unit\": \"response.create\", \"turn\": {turn}, \"extensions\": null, \"messages\": [{list}]}}"
            ),
        ));
    }
    keys.extend([("timings", timings(exchange)), ("chunks", chunks(exchange))]);
    let pseudo = (version == "HTTP/2").then(|| {
        let pairs = [
            (":method", exchange.method),
            (":scheme", "https"),
            (":authority", &exchange.host),
            (":path", &exchange.path),
        ];
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("[\"{name}\", {}]", json(value))).collect();
        format!("\"pseudo\": [{}], ", pairs.join(", "))
    });
    let squeezed = exchange.request_coded.then_some(exchange.request_body.len() / 3 + 20);
    let request = message(&exchange.request_body, squeezed, true);
    keys.push(("request", format!("{{{}{request}}}", pseudo.unwrap_or_default())));
    let squeezed = exchange.coded.then(|| exchange.chunks.iter().map(|(_, bytes)| bytes).sum());
    let response = message(&exchange.response_body, squeezed, complete);
    keys.push(("response", fact.status.map_or_else(|| "null".to_owned(), |_| format!("{{{response}}}"))));
    keys
}

fn timings(exchange: &Exchange) -> String {
    let optional = |time: Option<f64>| time.map_or_else(|| "null".to_owned(), number);
    format!(
        "{{\"connect\": {}, \"tls\": {}, \"request_end\": {}, \"first_byte\": {}, \"last_byte\": {}}}",
        number(exchange.connect),
        number(exchange.tls),
        number(exchange.request_end),
        optional(exchange.fact.first_byte),
        optional(exchange.fact.total),
    )
}

fn chunks(exchange: &Exchange) -> String {
    // The messages of a WebSocket have their own list.
    let chunks = if exchange.websocket.is_some() { &[][..] } else { &exchange.chunks };
    let list: Vec<_> = chunks.iter().map(|(at, bytes)| format!("[{}, {bytes}]", number(*at))).collect();
    format!("[{}]", list.join(", "))
}

/// The keys of a message's details. `squeezed`: it was compressed to so many bytes on the wire.
fn message(content: &str, squeezed: Option<usize>, ended: bool) -> String {
    let size = content.len();
    let sha256 = hex(content.as_bytes());
    let (wire_size, codings, wire) = match squeezed {
        None => (size, "", sha256.clone()),
        // What was on the wire is gone; its digest is of something else.
        Some(bytes) => (bytes, "\"gzip\"", hex(sha256.as_bytes())),
    };
    format!(
        "\"ended\": {ended}, \"head_size\": 700, \"wire_size\": {wire_size}, \"content_size\": {size}, \
         \"truncated\": false, \"codings\": [{codings}], \"encoding\": \"utf-8\", \"sha256\": \"{wire}\", \
         \"content_sha256\": \"{sha256}\""
    )
}

/// Milliseconds as the records have them: always with a decimal.
fn number(value: f64) -> String {
    format!("{value:?}")
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// SHA-256 in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a string takes all");
        out
    })
}
