//! The configuration: valid by construction, every ceiling with its reason.

mod error;
mod file;
mod resolve;
mod settings;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::rules::{HostTable, Kind, KindTable};

pub use error::{ConfigError, Place};
pub use resolve::{
    AuthorityInputs, DEFAULT_FILE, DEFAULT_USERS, Flags, Inputs, Resolved, Verbosity, authority, logs_folder, resolve,
    users_file, web,
};
pub use settings::{Form, SETTINGS, Setting};

/// Everything `run` needs to know. One that exists is valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// The name or address that clients reach us by, for the settings to paste and the CRL's address.
    /// Defaults to the listening address.
    pub advertise: String,
    /// Folder of the records.
    pub logs: PathBuf,
    /// Folder of the CA's certificate and key.
    pub certs: PathBuf,
    /// Who may use the proxy.
    pub access: Access,
    /// The hosts that are opened.
    pub hosts: HostTable,
    /// What makes an exchange a completion, a chat, and so on.
    pub kinds: KindTable,
    /// The kinds that are recorded, sorted.
    pub record: Vec<Kind>,
    /// Where a record's file goes below `logs`.
    pub layout: Layout,
    /// What is taken out of records.
    pub redact: Redact,
    /// Which targets a CONNECT may name.
    pub policy: Policy,
    /// How upstreams are reached.
    pub upstream: Upstream,
    /// Ceilings and time limits.
    pub limits: Limits,
    /// What happens to new tunnels while records cannot be kept whole.
    pub on_store_failure: OnStoreFailure,
    /// Wait until the disk has each record before it counts as written (`fsync`).
    pub fsync: bool,
    /// Keep the index beside the records up to date while recording.
    pub index: bool,
    /// Where the web page is served; none: nowhere.
    pub web: Option<Web>,
}

/// The web page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where it is served.
    pub listen: SocketAddr,
    /// Nobody chose the address: if it is taken, recording goes on without the page.
    pub is_default: bool,
    /// Names that browsers may reach it by, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Ask for a login on loopback too.
    pub login: bool,
    /// The users file, if there is one.
    pub users: Option<PathBuf>,
    /// What it speaks TLS with; none: it speaks plain HTTP.
    pub tls: Option<WebTls>,
}

/// The files that the web page speaks TLS with, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebTls {
    /// The page's certificate, and those above it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Web {
    /// Whether people log in: everywhere but on this machine's own address under no other name.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.login || !self.hosts.is_empty() || !self.is_local()
    }

    /// What to say where all that the page shows, and the passwords typed into it, can be read on the way to it.
    #[must_use]
    pub fn note_on_plain_http(&self) -> Option<String> {
        let says = format!(
            "the web page on {} speaks plain HTTP: passwords and contents can be read on the way; \
             name a certificate with --web-cert and --web-key, or let it listen on loopback behind a server with TLS",
            self.listen
        );
        (self.tls.is_none() && !self.is_local()).then_some(says)
    }

    fn is_local(&self) -> bool {
        self.listen.ip().to_canonical().is_loopback()
    }
}

/// Who may use the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody is asked.
    Open,
    /// Basic credentials from this users file.
    Users(PathBuf),
}

/// Where a record's file goes below `logs/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `{kind}`
    Kind,
    /// `{kind}/{date}`
    KindDate,
    /// `{user}/{kind}`
    UserKind,
}

/// What is taken out of records (design D9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redact {
    /// Tokens, cookies, keys in URLs, and the like.
    Secrets,
    /// Nothing.
    None,
}

/// What happens to new tunnels while records cannot be kept whole (design D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStoreFailure {
    /// Traffic goes on; bodies are lost and counted.
    Continue,
    /// New CONNECTs are answered 503.
    Refuse,
}

/// Which targets a CONNECT may name (design D11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Ports that may be dialled; 443 by default.
    pub ports: Vec<u16>,
    /// Loopback, link-local, and the box's own addresses may be dialled too.
    pub allow_local: bool,
    /// Hosts that are not opened are tunnelled untouched; `false`: refused with 403.
    pub tunnel_others: bool,
}

/// How upstreams are reached.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// `--connect-to`, in order; the first match is used.
    pub connect_to: Vec<ConnectTo>,
    /// Further trust anchors (PEM files).
    pub extra_ca: Vec<PathBuf>,
    /// A company proxy to go through.
    pub proxy: Option<UpstreamProxy>,
}

/// `HOST:PORT:ADDR:PORT`, with curl's meaning: empty HOST or PORT matches any, empty ADDR or target PORT keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host that was asked for, in lower case; `None` is any.
    pub host: Option<String>,
    /// The port that was asked for; `None` is any.
    pub port: Option<u16>,
    /// The host or address to dial; `None` is the one asked for.
    pub to_host: Option<String>,
    /// The port to dial; `None` is the one asked for.
    pub to_port: Option<u16>,
}

/// `http://user:password@host:port`.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamProxy {
    /// A name or an address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value of `Proxy-Authorization`, ready to send.
    pub authorization: Option<String>,
}

impl std::fmt::Debug for UpstreamProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UpstreamProxy({}:{})", self.host, self.port)
    }
}

/// Ceilings and time limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tunnels at once; a further CONNECT is answered 503.
    pub max_connections: usize,
    /// Bytes kept of one body (as on the wire).
    pub body: usize,
    /// Bytes kept of one head.
    pub head: usize,
    /// Bytes that one body may decode to.
    pub decoded: usize,
    /// Bytes that may wait for the writer.
    pub queue: usize,
    /// To read the head of a request to the proxy itself.
    pub header_read: Duration,
    /// For the client to send its ClientHello and finish the handshake.
    pub hello: Duration,
    /// To resolve and connect to the upstream, and for the TLS handshake with it.
    pub connect: Duration,
    /// After the program was told to stop: for open streams to end.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            // Copilot's largest requests (agent mode with many files) are a few MiB.
            body: 16 << 20,
            head: 256 << 10,
            decoded: 64 << 20,
            queue: 256 << 20,
            header_read: Duration::from_secs(30),
            hello: Duration::from_secs(60),
            connect: Duration::from_secs(15),
            shutdown: Duration::from_secs(10),
        }
    }
}
