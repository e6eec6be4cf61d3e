//! One exchange: what its record holds, and what is true of it.

use super::super::rng::Rng;
use super::cast::Seat;
use super::reply::Cut;
use super::{digits, eighths};

/// What is true of an exchange, as it was decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fact {
    pub(crate) id: String,
    pub(crate) began: i64,
    pub(crate) kind: &'static str,
    /// Whose it is, as figures call the person.
    pub(crate) person: Option<String>,
    /// The proxy's user.
    pub(crate) login: Option<String>,
    pub(crate) tid: Option<String>,
    pub(crate) editor: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) model_answered: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) status: Option<u16>,
    /// Who ended the streams.
    pub(crate) aborted_by: Option<&'static str>,
    /// The answer came to its own end, whoever ended the stream then.
    pub(crate) whole: bool,
    /// The answer carries an error.
    pub(crate) error: bool,
    /// `user` or `agent`.
    pub(crate) initiator: Option<&'static str>,
    pub(crate) speculative: bool,
    pub(crate) request_id: Option<String>,
    pub(crate) first_byte: Option<f64>,
    pub(crate) first_token: Option<f64>,
    pub(crate) total: Option<f64>,
    pub(crate) server: Option<f64>,
    pub(crate) tokens_in: Option<u64>,
    pub(crate) tokens_cached: Option<u64>,
    pub(crate) tokens_out: Option<u64>,
    /// The older tool's name for not counting it.
    pub(crate) noise: Option<&'static str>,
    /// Text of the answer, by choice.
    pub(crate) texts: Vec<String>,
}

/// What goes into the record.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) fact: Fact,
    pub(crate) rule: &'static str,
    pub(crate) method: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) request_headers: Vec<(&'static str, String)>,
    pub(crate) request_body: String,
    /// As it came over the wire the request's body was compressed.
    pub(crate) request_coded: bool,
    pub(crate) response_headers: Vec<(&'static str, String)>,
    pub(crate) response_body: String,
    pub(crate) coded: bool,
    pub(crate) chunks: Vec<(f64, usize)>,
    pub(crate) address: String,
    pub(crate) connection: String,
    pub(crate) stream: u64,
    pub(crate) http2: bool,
    pub(crate) connect: f64,
    pub(crate) tls: f64,
    pub(crate) request_end: f64,
    pub(crate) websocket: Option<Socket>,
}

/// A turn on a WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    /// Its number on the socket.
    pub(crate) turn: u64,
    /// From the client, when, how many bytes.
    pub(crate) messages: Vec<(bool, f64, usize)>,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) status: u16,
    pub(super) aborted_by: Option<&'static str>,
    pub(super) coded: bool,
    /// The server tells its own time.
    pub(super) timed: bool,
}

impl How {
    pub(super) const WELL: Self = Self { status: 200, aborted_by: None, coded: false, timed: true };
}

impl Fact {
    /// Who ended it early.
    pub(crate) fn cut_by(&self) -> Option<&'static str> {
        self.aborted_by.filter(|&by| by != "client" || !self.whole)
    }
}

impl Exchange {
    /// A request of that seat, not answered yet.
    pub(super) fn ask(rng: &mut Rng, seat: &Seat, began: i64, kind: &'static str, url: (&str, String)) -> Self {
        let http2 = seat.editor.name == "vscode";
        let fact = Fact {
            id: version_7(rng, began),
            began,
            kind,
            person: seat.person.clone(),
            login: seat.login.clone(),
            tid: seat.token.clone(),
            editor: Some(seat.editor.name),
            ..Fact::default()
        };
        Self {
            fact,
            rule: kind,
            method: "POST",
            host: url.0.to_owned(),
            path: url.1,
            request_headers: Vec::new(),
            request_body: String::new(),
            request_coded: false,
            response_headers: Vec::new(),
            response_body: String::new(),
            coded: false,
            chunks: Vec::new(),
            address: format!("{}:{}", seat.address, rng.range(30_000, 60_000)),
            connection: seat.connection.clone(),
            stream: 0,
            http2,
            connect: eighths(rng, 2, 30),
            tls: eighths(rng, 10, 60),
            request_end: eighths(rng, 0, 3),
            websocket: None,
        }
    }

    /// The headers that every client of Copilot's models sends; they name the machine, the editor and the request.
    pub(super) fn introduce(&mut self, seat: &Seat, request_id: &str) {
        let token = match &seat.token {
            Some(tid) => {
                format!("Bearer tid={tid};exp=1772500000;sku=copilot_business_seat;st=dotcom;ssc=1;8kp=1:<redacted>")
            }
            None if seat.login.is_some() => "Bearer <redacted>".to_owned(),
            None => "token <redacted>".to_owned(),
        };
        // HTTP/2 has lower case alone; the others write as they like.
        let name = |lower, mixed| if self.http2 { lower } else { mixed };
        self.request_headers = vec![
            (name("authorization", "Authorization"), token),
            (name("x-request-id", "X-Request-Id"), request_id.to_owned()),
            (name("vscode-sessionid", "VScode-SessionId"), seat.session.clone()),
            (name("vscode-machineid", "VScode-MachineId"), seat.machine.clone()),
            (name("editor-version", "Editor-Version"), seat.editor.version.to_owned()),
            (name("editor-plugin-version", "Editor-Plugin-Version"), seat.editor.plugin.to_owned()),
            (name("content-type", "Content-Type"), "application/json".to_owned()),
        ];
        self.fact.request_id = Some(request_id.to_owned());
    }

    /// Answers with that body. Times are in eighths of a millisecond.
    pub(super) fn answer(&mut self, rng: &mut Rng, how: How, content_type: &str, cut: Cut) {
        let first_byte = self.request_end + eighths(rng, 60, 600);
        self.fact.status = Some(how.status);
        self.fact.aborted_by = how.aborted_by;
        self.fact.first_byte = Some(first_byte);
        self.response_headers = vec![
            ("content-type", content_type.to_owned()),
            ("x-github-request-id", format!("{}:{}", digits(rng, 4).to_uppercase(), digits(rng, 8).to_uppercase())),
        ];
        if how.timed {
            let server = first_byte - eighths(rng, 5, 50);
            self.fact.server = Some(server);
            self.response_headers.push(("openai-processing-ms", server.to_string()));
        }
        if how.coded {
            self.response_headers.push(("content-encoding", "gzip".to_owned()));
        }
        let mut at = first_byte;
        self.chunks = cut
            .pieces
            .iter()
            .map(|&bytes| {
                at += eighths(rng, 0, 40);
                (at, if how.coded { bytes / 3 + 1 } else { bytes })
            })
            .collect();
        // Where the stream was compressed, chunks cannot be laid beside the text.
        self.fact.first_token =
            cut.first_token.filter(|_| !how.coded).and_then(|piece| self.chunks.get(piece)).map(|chunk| chunk.0);
        self.fact.total = Some(at + if how.aborted_by.is_none() { eighths(rng, 0, 1) } else { 0.0 });
        self.coded = how.coded;
        self.response_body = cut.text;
        self.fact.error = cut.error;
        self.fact.whole = cut.whole;
        self.fact.texts = cut.texts;
        self.fact.model_answered = cut.model;
        if let [Some(_), ..] | [.., Some(_)] = cut.tokens {
            [self.fact.tokens_in, self.fact.tokens_cached, self.fact.tokens_out] = cut.tokens;
        }
    }

    /// No answer comes.
    pub(super) fn abandon(&mut self, rng: &mut Rng, by: &'static str) {
        self.fact.aborted_by = Some(by);
        self.fact.total = Some(self.request_end + eighths(rng, 5, 900));
    }
}

/// A UUID of version 7 (RFC 9562): it sorts by time.
fn version_7(rng: &mut Rng, at: i64) -> String {
    let millis = at as u64 / 1000;
    let (a, b) = (rng.next(), rng.next());
    format!(
        "{:08x}-{:04x}-7{:03x}-9{:03x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        a & 0xfff,
        a >> 52,
        b & 0xffff_ffff_ffff
    )
}
