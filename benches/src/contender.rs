//! Who is compared: the straight way, the blind tunnel, hudsucker's forwarder, and the recorder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio_rustls::TlsConnector;

use crate::{
    pki::{self, BenchCa},
    process::Process,
    session::{Opened, Protocol, Route, Session, Timing},
    workload::Workload,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Direct,
    Tunnel,
    Hudsucker,
    Ours,
}

impl Who {
    pub const ALL: [Self; 4] = [Self::Direct, Self::Tunnel, Self::Hudsucker, Self::Ours];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Tunnel => "blind tunnel",
            Self::Hudsucker => "hudsucker",
            Self::Ours => "ours, recording",
        }
    }
}

/// What all contenders of a run share.
pub struct Setting {
    pub folder: PathBuf,
    pub upstream: SocketAddr,
    pub recorder: Option<PathBuf>,
    pub recorder_args: Vec<String>,
}

/// One way to the upstream, running.
pub struct Contender {
    pub who: Who,
    pub process: Option<Process>,
    route: Route,
    tls: [TlsConnector; 4],
    sent: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

impl Contender {
    /// Starts the contender; the recorder writes into `folder/logs_name`.
    pub fn start(who: Who, setting: &Setting, logs_name: &str) -> Result<Arc<Self>> {
        let upstream = setting.upstream.to_string();
        let ca = BenchCa::in_folder(&setting.folder);
        let mut roots = vec![ca.cert.clone()];
        let process = match who {
            Who::Direct => None,
            Who::Tunnel => Some(Process::party(&["tunnel", "--upstream", &upstream], &setting.folder)?),
            Who::Hudsucker => Some(Process::party(&["hudsucker", "--upstream", &upstream], &setting.folder)?),
            Who::Ours => {
                let program = setting.recorder.as_deref().context("no recorder was built")?;
                let certs = setting.folder.join("certs");
                let args = recorder_args(setting, &ca.cert, &certs, &setting.folder.join(logs_name));
                let process = Process::recorder(program, &args, &setting.folder)?;
                roots.push(certs.join("ca.pem"));
                Some(process)
            }
        };
        let route = Route {
            address: process.as_ref().map_or(setting.upstream, |process| process.address),
            proxied: process.is_some(),
        };
        let config = |alpn: &[u8], resume| -> Result<TlsConnector> {
            Ok(TlsConnector::from(Arc::new(pki::client_config(&roots, &[alpn], resume)?)))
        };
        let tls =
            [config(b"http/1.1", false)?, config(b"http/1.1", true)?, config(b"h2", false)?, config(b"h2", true)?];
        let (sent, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(Self { who, process, route, tls, sent, failed, first_failure: Mutex::new(None) }))
    }

    pub async fn open(&self, protocol: Protocol, host: &str, resume: bool) -> Result<Opened> {
        let tls = match (protocol, resume) {
            (Protocol::Http1, false) => &self.tls[0],
            (Protocol::Http1, true) => &self.tls[1],
            (Protocol::Http2, false) => &self.tls[2],
            (Protocol::Http2, true) => &self.tls[3],
        };
        let opened = Session::open(&self.route, tls, protocol, host).await;
        opened.inspect_err(|error| self.note_failure(error)).with_context(|| format!("through {}", self.who.name()))
    }

    /// A connection with one exchange behind it: caches are warm and session tickets have come.
    pub async fn open_warm(&self, protocol: Protocol, work: &Workload) -> Result<Session> {
        let mut session = self.open(protocol, &work.host, false).await?.session;
        self.exchange(&mut session, work).await?;
        Ok(session)
    }

    pub async fn exchange(&self, session: &mut Session, work: &Workload) -> Result<Timing> {
        let seq = self.sent.fetch_add(1, Ordering::Relaxed);
        let timing = session.exchange(work, seq).await;
        timing.inspect_err(|error| self.note_failure(error)).with_context(|| format!("through {}", self.who.name()))
    }

    pub async fn open_stream(&self, session: &mut Session, work: &Workload) -> Result<()> {
        let seq = self.sent.fetch_add(1, Ordering::Relaxed);
        let opened = session.open_stream(work, seq).await;
        opened.inspect_err(|error| self.note_failure(error))
    }

    pub fn cpu(&self) -> Result<Duration> {
        self.process.as_ref().map_or(Ok(Duration::ZERO), Process::cpu)
    }

    /// Waits until the proxy is idle; zero for the straight way.
    pub async fn settle(&self) -> Result<Duration> {
        match &self.process {
            Some(process) => process.settle().await,
            None => Ok(Duration::ZERO),
        }
    }

    /// Requests sent and what failed of connections and requests, with the first failure's text.
    pub fn counts(&self) -> Counts {
        Counts {
            sent: self.sent.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            first_failure: self.first_failure.lock().ok().and_then(|text| text.clone()),
        }
    }

    fn note_failure(&self, error: &anyhow::Error) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = self.first_failure.lock() {
            first.get_or_insert_with(|| format!("{error:#}"));
        }
    }
}

#[derive(Default)]
pub struct Counts {
    pub sent: u64,
    pub failed: u64,
    pub first_failure: Option<String>,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }
}

fn recorder_args(setting: &Setting, ca: &Path, certs: &Path, logs: &Path) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    let port = setting.upstream.port();
    let mut args: Vec<String> = ["run", "--listen", "127.0.0.1:0", "--no-auth", "--logs"].map(str::to_owned).to_vec();
    args.extend([text(logs), "--certs".to_owned(), text(certs), "--upstream-ca".to_owned(), text(ca)]);
    args.extend(["--connect-to".to_owned(), format!("::127.0.0.1:{port}")]);
    args.extend(setting.recorder_args.iter().cloned());
    if !args.iter().any(|arg| arg.starts_with("--web")) {
        // As it is by default, but on any free port.
        args.push("--web=127.0.0.1:0".to_owned());
    }
    args
}
