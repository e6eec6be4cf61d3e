//! One client connection to one contender: TCP, CONNECT where it is a proxy, TLS, and then requests.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{HandshakeKind, pki_types::ServerName},
};

use crate::{load_h1::H1, load_h2::H2, workload::Workload};

pub type Tls = TlsStream<TcpStream>;

/// Beyond this an exchange counts as failed; a sound one takes milliseconds.
const LIMIT: Duration = Duration::from_secs(10);
const MAX_CONNECT_REPLY: usize = 4 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Http1,
    Http2,
}

/// From the first byte of the request to the answer's first byte (HTTP/2: its head) and to its last.
pub struct Timing {
    pub first: Duration,
    pub total: Duration,
}

/// How to reach the upstream.
pub struct Route {
    pub address: SocketAddr,
    pub proxied: bool,
}

pub enum Session {
    H1(Box<H1>),
    H2(H2),
}

/// A connection that is set up, the time that took, and whether TLS resumed a session.
pub struct Opened {
    pub session: Session,
    pub setup: Duration,
    pub resumed: bool,
}

impl Session {
    pub async fn open(route: &Route, tls: &TlsConnector, protocol: Protocol, host: &str) -> Result<Opened> {
        timeout(LIMIT, Self::open_unbounded(route, tls, protocol, host)).await.context("no connection in time")?
    }

    async fn open_unbounded(route: &Route, tls: &TlsConnector, protocol: Protocol, host: &str) -> Result<Opened> {
        let name = ServerName::try_from(host.to_owned())?;
        let started = Instant::now();
        let mut tcp = TcpStream::connect(route.address).await?;
        tcp.set_nodelay(true)?;
        if route.proxied {
            connect(&mut tcp, host).await?;
        }
        let stream = tls.connect(name, tcp).await.context("TLS handshake")?;
        let setup = started.elapsed();
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        let session = match protocol {
            Protocol::Http1 => Self::H1(Box::new(H1::new(stream))),
            Protocol::Http2 => {
                ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "HTTP/2 was not agreed on");
                Self::H2(H2::new(stream).await?)
            }
        };
        Ok(Opened { session, setup, resumed })
    }

    /// Sends one request and checks status and length of the answer.
    pub async fn exchange(&mut self, work: &Workload, seq: u64) -> Result<Timing> {
        let exchange = async {
            match self {
                Self::H1(session) => session.exchange(work, seq).await,
                Self::H2(session) => session.exchange(work, seq).await,
            }
        };
        timeout(LIMIT, exchange).await.context("no answer in time")?
    }

    /// Sends one request whose answer then stays open.
    pub async fn open_stream(&mut self, work: &Workload, seq: u64) -> Result<()> {
        let open = async {
            match self {
                Self::H1(session) => session.open_stream(work, seq).await,
                Self::H2(session) => session.open_stream(work, seq).await,
            }
        };
        timeout(LIMIT, open).await.context("no stream in time")?
    }

    pub async fn close(self) {
        if let Self::H1(session) = self {
            session.close().await;
        }
    }
}

async fn connect(tcp: &mut TcpStream, host: &str) -> Result<()> {
    tcp.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").as_bytes()).await?;
    let mut reply = Vec::with_capacity(256);
    while !reply.ends_with(b"\r\n\r\n") {
        ensure!(reply.len() < MAX_CONNECT_REPLY, "endless reply to CONNECT");
        ensure!(tcp.read_buf(&mut reply).await? > 0, "connection ended before the reply to CONNECT");
    }
    let status = String::from_utf8_lossy(&reply);
    if status.split(' ').nth(1) != Some("200") {
        bail!("CONNECT was refused: {}", status.lines().next().unwrap_or_default());
    }
    Ok(())
}
