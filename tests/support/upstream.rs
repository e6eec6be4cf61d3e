//! A real TLS server that does what a test tells it and remembers every byte it received.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, SupportedProtocolVersion};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::ca::{TestCa, provider};
use super::script::both_ways;
use super::{Ending, within};

/// What an upstream speaks.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Protocols it chooses from; empty: it does not take part in ALPN.
    pub(crate) alpn: Vec<&'static str>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Default for Options {
    fn default() -> Self {
        Self { alpn: vec!["h2", "http/1.1"], versions: rustls::ALL_VERSIONS.to_vec() }
    }
}

impl Options {
    pub(crate) fn alpn(alpn: &[&'static str]) -> Self {
        Self { alpn: alpn.to_vec(), ..Self::default() }
    }
}

/// What one connection brought, filled in as it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sni: Option<String>,
    pub(crate) alpn: Option<String>,
    pub(crate) version: Option<rustls::ProtocolVersion>,
    /// Every plaintext byte read.
    pub(crate) received: Vec<u8>,
    /// How the client ended its direction, once the test's code has read so far.
    pub(crate) ending: Option<Ending>,
}

/// The listening server; ends with the value.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) ca: Arc<TestCa>,
    seen: Arc<Mutex<Vec<Arc<Mutex<Seen>>>>>,
    failures: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Upstream {
    /// Starts to listen; `serve` plays each connection after its handshake.
    pub(crate) async fn start<F, S>(options: Options, serve: S) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        S: Fn(Connection) -> F + Send + Sync + 'static,
    {
        Self::with_ca(TestCa::new(), options, serve).await
    }

    pub(crate) async fn with_ca<F, S>(ca: TestCa, options: Options, serve: S) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        S: Fn(Connection) -> F + Send + Sync + 'static,
    {
        let ca = Arc::new(ca);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&options.versions)
            .expect("versions of this provider")
            .with_no_client_auth()
            .with_cert_resolver(ca.clone());
        config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let failures: Arc<Mutex<Vec<_>>> = Arc::default();
        let accepting = tokio::spawn({
            let (seen, failures) = (seen.clone(), failures.clone());
            let serve = Arc::new(serve);
            async move {
                loop {
                    let Ok((tcp, _)) = listener.accept().await else { return };
                    tcp.set_nodelay(true).ok();
                    let (acceptor, seen, failures, serve) =
                        (acceptor.clone(), seen.clone(), failures.clone(), serve.clone());
                    tokio::spawn(async move {
                        match acceptor.accept(tcp).await {
                            Ok(stream) => serve(Connection::new(stream, &seen)).await,
                            Err(error) => failures.lock().expect("unpoisoned").push(error.to_string()),
                        }
                    });
                }
            }
        });
        Self { address, ca, seen, failures, accepting }
    }

    /// What each connection brought so far, in the order of their handshakes.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().expect("unpoisoned");
        seen.iter().map(|one| one.lock().expect("unpoisoned").clone()).collect()
    }

    /// Waits until the client's end of connection number `n` was read.
    pub(crate) async fn ended(&self, n: usize) -> Seen {
        super::eventually("the end of a connection at the upstream", || {
            self.seen().get(n).filter(|seen| seen.ending.is_some()).cloned()
        })
        .await
    }

    /// Handshakes that failed.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().expect("unpoisoned").clone()
    }
}

/// One accepted connection, driven by the test.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    seen: Arc<Mutex<Seen>>,
}

impl Connection {
    fn new(stream: TlsStream<TcpStream>, all: &Mutex<Vec<Arc<Mutex<Seen>>>>) -> Self {
        let (_, session) = stream.get_ref();
        let seen = Arc::new(Mutex::new(Seen {
            sni: session.server_name().map(str::to_owned),
            alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            version: session.protocol_version(),
            ..Seen::default()
        }));
        all.lock().expect("unpoisoned").push(seen.clone());
        Self { stream, seen }
    }

    pub(crate) fn sni(&self) -> String {
        self.seen.lock().expect("unpoisoned").sni.clone().unwrap_or_default()
    }

    pub(crate) fn alpn(&self) -> Option<String> {
        self.seen.lock().expect("unpoisoned").alpn.clone()
    }

    /// Reads what is there; empty at the end.
    pub(crate) async fn read(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 16 << 10];
        let result = within("the upstream's read", self.stream.read(&mut buffer)).await;
        let mut seen = self.seen.lock().expect("unpoisoned");
        match result {
            Ok(0) => seen.ending = Some(Ending::Clean),
            Ok(n) => {
                seen.received.extend_from_slice(&buffer[..n]);
                buffer.truncate(n);
                return buffer;
            }
            Err(error) => seen.ending = Some(Ending::of(&error)),
        }
        Vec::new()
    }

    /// Reads until `total` bytes have come since the handshake; false when the client ended before.
    pub(crate) async fn received(&mut self, total: usize) -> bool {
        while self.seen.lock().expect("unpoisoned").received.len() < total {
            if self.read().await.is_empty() {
                return false;
            }
        }
        true
    }

    /// Reads until `pattern` was seen `times` times since the handshake; false when the client ended before.
    pub(crate) async fn received_pattern(&mut self, pattern: &[u8], times: usize) -> bool {
        let (mut scanned, mut found) = (0, 0);
        loop {
            {
                let seen = self.seen.lock().expect("unpoisoned");
                found += seen.received[scanned..].windows(pattern.len()).filter(|window| *window == pattern).count();
                // The last bytes may be the beginning of another one.
                scanned = (seen.received.len() + 1).saturating_sub(pattern.len()).max(scanned);
            }
            if found >= times {
                return true;
            }
            if self.read().await.is_empty() {
                return false;
            }
        }
    }

    /// Sends `bytes` while it receives `n`; false when the client ended before.
    pub(crate) async fn both_ways(&mut self, bytes: &[u8], n: usize) -> bool {
        let received = both_ways(&mut self.stream, bytes, n).await;
        self.seen.lock().expect("unpoisoned").received.extend(received.iter().flatten());
        received.is_ok()
    }

    /// Reads to the client's end.
    pub(crate) async fn read_to_end(&mut self) {
        while !self.read().await.is_empty() {}
    }

    /// Sends; false when the client is gone.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Sends in pieces of the given lengths, each a TLS record of its own.
    pub(crate) async fn send_in(&mut self, mut bytes: &[u8], cuts: &[usize]) -> bool {
        for &cut in cuts {
            let (piece, rest) = bytes.split_at(cut.min(bytes.len()));
            if !self.send(piece).await {
                return false;
            }
            bytes = rest;
        }
        self.send(bytes).await
    }

    /// Ends our direction cleanly: `close_notify`, then FIN. Reading goes on.
    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.ok();
    }

    /// Ends our direction cleanly and waits for the client's end.
    pub(crate) async fn close(mut self) {
        self.half_close().await;
        self.read_to_end().await;
    }

    /// FIN without `close_notify`, as a crashed server or a broken path gives.
    pub(crate) async fn cut(self) {
        let (mut tcp, _) = self.stream.into_inner();
        tcp.shutdown().await.ok();
        // Unread bytes would turn the FIN into a reset.
        let mut sink = [0; 4096];
        while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_secs(10), tcp.read(&mut sink)).await {}
    }

    /// A TCP reset.
    pub(crate) fn reset(self) {
        let (tcp, _) = self.stream.into_inner();
        SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).expect("a socket option");
    }
}
