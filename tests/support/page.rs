//! The web page as a browser or a script talks to it: bytes on a socket, cookies kept by hand.
#![allow(clippy::unwrap_used, reason = "a test whose page does not answer has failed")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Instant;

use super::PATIENCE;
use super::program::Folder;

/// `web` on the folder `logs` of a directory.
pub(crate) struct Page {
    pub(crate) folder: Folder,
    /// `127.0.0.1:port`.
    pub(crate) host: String,
    /// `http` or `https`.
    scheme: String,
    child: Child,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Somebody who asks for pages, with the cookies that came so far.
pub(crate) struct Visitor<'a> {
    page: &'a Page,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Page {
    pub(crate) fn start(folder: Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command();
        command.args(["web", "--logs", "logs", "--web", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let (scheme, host) = line.trim().strip_prefix("page")?.trim().split_once("://")?;
            Some((scheme.to_owned(), host.trim_end_matches('/').to_owned()))
        });
        // Its stderr must be read on, or it would stop when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let (scheme, host) = address.expect("the program says where its page is");
        Self { folder, host, scheme, child }
    }

    /// A request as it is written here, without any header but `Connection`.
    pub(crate) fn raw(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            let kind = "application/x-www-form-urlencoded";
            request.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()));
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    /// As a browser asks for a page.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.raw("GET", target, &[("Host", &self.host), ("Accept", "text/html")], "")
    }

    /// As [`Page::get`], asked again, as a browser does, while the index is being made.
    #[track_caller]
    pub(crate) fn shown(&self, target: &str) -> Answer {
        let began = Instant::now();
        loop {
            // The page itself waits for the index a while before it says that it is not there.
            let answer = self.get(target);
            if answer.status != 503 {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{target}: {}", answer.text());
        }
    }

    /// What a browser shows in its address line.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.host)
    }

    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { page: self, cookies: BTreeMap::new() }
    }

    /// Somebody who has logged in.
    #[track_caller]
    pub(crate) fn logged_in(&self, name: &str, password: &str) -> Visitor<'_> {
        let mut visitor = self.visitor();
        let answer = visitor.log_in(name, password, "/");
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{name}: {}", answer.text());
        visitor
    }
}

impl Visitor<'_> {
    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        for set in answer.all("set-cookie") {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        let headers = [("Host", self.page.host.as_str()), ("Accept", "text/html"), ("Cookie", &self.cookie())];
        let answer = self.page.raw("GET", target, &headers, "");
        self.keep(answer)
    }

    /// The connection on which the answer comes: for one that goes on without end.
    pub(crate) fn open(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.page.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (host, cookie) = (&self.page.host, self.cookie());
        let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// A form, sent from a page of this origin.
    pub(crate) fn post_from(&mut self, origin: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [("Host", self.page.host.as_str()), ("Origin", origin), ("Cookie", &self.cookie())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let answer = self.page.raw("POST", target, &headers, &fields.join("&"));
        self.keep(answer)
    }

    pub(crate) fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(&format!("http://{}", self.page.host), target, fields)
    }

    pub(crate) fn log_in(&mut self, name: &str, password: &str, next: &str) -> Answer {
        let form = self.get(&format!("/login?next={}", escaped(next)));
        assert_eq!(form.status, 200, "{}", form.text());
        let (token, next) = (form.field("token"), form.field("next"));
        self.post("/login", &[("name", name), ("password", password), ("token", &token), ("next", &next)])
    }

    pub(crate) fn log_out(&mut self) -> Answer {
        let token = self.get("/setup").field("token");
        self.post("/logout", &[("token", &token)])
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all: Vec<_> = self.headers.iter().filter(|(known, _)| known == name).collect();
        assert!(all.len() <= 1, "{name} is there {} times", all.len());
        all.first().map(|(_, value)| value.as_str())
    }

    /// The value of a hidden field of a form.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let text = self.text();
        let from = format!("name=\"{name}\" value=\"");
        let at = text.find(&from).unwrap_or_else(|| panic!("no field {name} in {text}")) + from.len();
        text[at..].split('"').next().unwrap().to_owned()
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk's head");
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend(&bytes[end + 2..][..length]);
        bytes = &bytes[end + 2 + length + 2..];
    }
}

/// As a value in a query or a form.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
