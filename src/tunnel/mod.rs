//! One tunnel from the 200 to its close: opened, or passed through untouched.
//!
//! Given a client's stream after CONNECT and a connection to its upstream. Hands what flows to a [`Watcher`]'s tap.
//! Knows nothing of HTTP, credentials or files.

mod dial;
mod handshake;
pub mod hello;
mod proxy;

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::{client, server};
use tracing::{debug, info, warn};

pub use self::dial::{DialError, Dialled, Dialler};
pub(crate) use self::dial::{HTTP, keepalive, tune};
use self::handshake::{ClientHello, HandshakeError};
use self::hello::Hello;
use crate::config::Limits;
use crate::door::{Book, Event};
use crate::exchange::{Connection, ConnectionId};
use crate::metrics::Metrics;
use crate::relay::{Relay, Side, Tap, Totals};
use crate::rules::HostTable;
use crate::shutdown::Shutdown;
use crate::tls::{ClientConfigs, ServerConfigs};
use crate::wire::{Direction, Ending};

/// Makes the tap of a tunnel that was opened.
pub trait Watcher: Send + Sync {
    /// Both handshakes are done; bytes follow.
    fn watch(&self, connection: Connection) -> Box<dyn Tap>;
}

/// What all tunnels share.
pub struct Tunnels {
    /// TLS towards clients.
    pub servers: ServerConfigs,
    /// TLS towards upstreams.
    pub clients: ClientConfigs,
    /// Which hosts are opened.
    pub hosts: HostTable,
    /// Bytes that are not opened may pass.
    pub pass_others: bool,
    /// Time limits.
    pub limits: Limits,
    /// Makes the taps.
    pub watcher: Arc<dyn Watcher>,
    /// Counters.
    pub metrics: Metrics,
    /// Where it is written down what became of each.
    pub door: Book,
    /// When to end.
    pub shutdown: Shutdown,
}

/// A CONNECT that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The user name verified, if one was asked for.
    pub user: Option<Arc<str>>,
    /// The client's address.
    pub client: SocketAddr,
    /// Host and port of the request target.
    pub host: Arc<str>,
    /// Port of the request target.
    pub port: u16,
    /// How long the upstream took to reach.
    pub connect: Duration,
}

impl Accepted {
    fn note(&self, door: &Book, event: &Event<'_>) {
        door.note(self.user.as_deref(), self.client.ip(), event);
    }
}

impl Tunnels {
    /// Runs one tunnel to its end. `first` is what the client sent right behind its CONNECT.
    pub async fn run(&self, accepted: Accepted, client: TcpStream, first: Vec<u8>, upstream: Dialled) {
        tune(&client);
        self.metrics.tunnels_open.inc();
        let open = self.hosts.opens(&accepted.host);
        // A client that names an address may still name the host in its ClientHello (copilot-traffic.md, 7.8).
        if open || accepted.host.parse::<IpAddr>().is_ok() {
            self.peek(accepted, client, first, upstream).await;
        } else {
            self.pass(&accepted, client, first, upstream.stream).await;
        }
        self.metrics.tunnels_open.dec();
    }

    /// Looks at the first bytes, and opens the tunnel if they are a ClientHello for a host that is opened.
    async fn peek(&self, accepted: Accepted, mut client: TcpStream, first: Vec<u8>, upstream: Dialled) {
        let (mut bytes, mut glance) = (first, [0]);
        let read = tokio::time::timeout(self.limits.hello, read_hello(&mut client, &mut bytes));
        let hello = tokio::select! {
            biased;
            read = read => match read {
                Ok(Ok(hello)) => hello,
                Ok(Err(_)) | Err(_) => return debug!(client = %accepted.client, host = %accepted.host, "no ClientHello came"),
            },
            // A TLS server never speaks first: this is another protocol, whose client may wait for the greeting, or
            // the upstream has gone.
            // Peeked at, because readiness may be left over from the answer of a company proxy.
            _ = upstream.stream.peek(&mut glance) => Hello::NotTls,
            () = self.shutdown.draining() => return,
        };
        if hello != Hello::Complete {
            return self.pass_unopened(&accepted, client, bytes, upstream.stream, "not TLS").await;
        }
        let hello = match ClientHello::parse(&bytes) {
            Ok(hello) => hello,
            Err(error) => {
                debug!(client = %accepted.client, host = %accepted.host, %error, "tunnel refused");
                return handshake::refuse(client, &error).await;
            }
        };
        let name = hello.sni.clone().unwrap_or_else(|| Arc::clone(&accepted.host));
        if !self.hosts.opens(&name) {
            return self.pass_unopened(&accepted, client, bytes, upstream.stream, "another server name").await;
        }
        self.open(accepted, hello, name, client, upstream).await;
    }

    /// What cannot be opened is still carried where the policy lets other hosts pass.
    async fn pass_unopened(
        &self,
        accepted: &Accepted,
        client: TcpStream,
        bytes: Vec<u8>,
        upstream: TcpStream,
        why: &str,
    ) {
        debug!(why, passed = self.pass_others, "tunnel not opened");
        if self.pass_others {
            self.pass(accepted, client, bytes, upstream).await;
        } else {
            accepted.note(&self.door, &Event::Refused { host: &accepted.host, why: &format!("not opened: {why}") });
        }
    }

    async fn pass(&self, accepted: &Accepted, client: TcpStream, first: Vec<u8>, upstream: TcpStream) {
        self.metrics.tunnels_opaque.inc();
        accepted.note(&self.door, &Event::Opaque { host: &accepted.host });
        self.relay(Relay::new(client, upstream, Blind { active: Instant::now() }, first)).await;
    }

    async fn open(&self, accepted: Accepted, hello: ClientHello, name: Arc<str>, client: TcpStream, upstream: Dialled) {
        let begun = Instant::now();
        let sni = hello.sni.clone();
        let address = upstream.address;
        let shaken = tokio::select! {
            shaken = self.shake(&accepted, hello, &name, client, upstream.stream) => shaken,
            () = self.shutdown.cutting() => None,
        };
        let Some((client, server)) = shaken else { return };
        self.metrics.tunnels_intercepted.inc();
        accepted.note(&self.door, &Event::Opened { host: &name });
        let (towards_client, towards_upstream) = (client.get_ref().1, server.get_ref().1);
        let connection = Connection {
            id: ConnectionId::at(SystemTime::now()),
            user: accepted.user.clone(),
            client: accepted.client,
            upstream: address,
            host: Arc::clone(&accepted.host),
            port: accepted.port,
            sni,
            alpn: towards_upstream.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into()),
            tls_client: version(towards_client.protocol_version()),
            tls_upstream: version(towards_upstream.protocol_version()),
            connect: accepted.connect,
            tls: begun.elapsed(),
        };
        let tap = self.watcher.watch(connection);
        let totals = self.relay(Relay::new(client, server, tap, Vec::new())).await;
        // One that waited when the program ended would have been used yet.
        if totals.client_to_server == 0 && !self.shutdown.is_draining() {
            accepted.note(&self.door, &Event::Unused { host: &name });
        }
    }

    /// Both handshakes; whoever fails, the other side learns of it.
    async fn shake(
        &self,
        accepted: &Accepted,
        hello: ClientHello,
        name: &str,
        client: TcpStream,
        upstream: TcpStream,
    ) -> Option<(server::TlsStream<TcpStream>, client::TlsStream<TcpStream>)> {
        let shaking = handshake::with_upstream(&self.clients, &hello, name, upstream, &client);
        let shaken = tokio::time::timeout(self.limits.connect, shaking).await;
        let server = match shaken.unwrap_or_else(|_| Err(HandshakeError::Upstream(io::ErrorKind::TimedOut.into()))) {
            Ok(server) => server,
            Err(error) => {
                report(accepted, name, &error);
                note(&self.door, accepted, name, &error);
                if matches!(&error, HandshakeError::Upstream(cause) if handshake::tls_error(cause).is_none()) {
                    client.reset_on_drop();
                }
                handshake::refuse(client, &error).await;
                return None;
            }
        };
        let alpn = server.get_ref().1.alpn_protocol();
        let shaking = handshake::with_client(&self.servers, hello, name, alpn, client);
        match tokio::time::timeout(self.limits.hello, shaking).await {
            Ok(Ok(client)) => Some((client, server)),
            Ok(Err(error)) => {
                report(accepted, name, &error);
                note(&self.door, accepted, name, &error);
                None
            }
            Err(_) => {
                debug!(client = %accepted.client, host = name, "the client's handshake took too long");
                accepted.note(&self.door, &Event::BrokenOff { host: name, why: "it took too long" });
                None
            }
        }
    }

    /// Relays until both sides are done, or the program ends.
    async fn relay<C: Side, S: Side, T: Tap + Unpin>(&self, mut relay: Relay<C, S, T>) -> Totals {
        let totals = tokio::select! {
            totals = &mut relay => totals,
            () = self.shutdown.draining() => {
                relay.drain();
                tokio::select! {
                    totals = &mut relay => totals,
                    () = self.shutdown.cutting() => relay.cut(),
                }
            }
        };
        self.metrics.bytes_client_to_server.inc_by(totals.client_to_server);
        self.metrics.bytes_server_to_client.inc_by(totals.server_to_client);
        totals
    }
}

/// Reads until the first bytes are known for what they are. What was read stays in `bytes` also when it is given up.
async fn read_hello(client: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Hello> {
    loop {
        match hello::scan(bytes) {
            Hello::Incomplete if bytes.len() <= hello::MAX_HELLO => {}
            decided => return Ok(decided),
        }
        if client.read_buf(bytes).await? == 0 {
            return match bytes.is_empty() {
                true => Err(io::ErrorKind::UnexpectedEof.into()),
                false => Ok(Hello::NotTls),
            };
        }
    }
}

/// A peer's failure is worth a line only where a person must do something.
fn report(accepted: &Accepted, name: &str, error: &HandshakeError) {
    let client = accepted.client;
    match error {
        HandshakeError::Upstream(cause) => match handshake::tls_error(cause) {
            Some(rustls::Error::InvalidCertificate(reason)) => warn!(
                "the certificate of {name} is not valid ({reason:?}); the client {client} got a TLS alert. \
                 If a company CA signs it, name that CA with --upstream-ca"
            ),
            Some(reason) => warn!("the TLS handshake with {name} failed: {reason}"),
            None => info!("{name} broke the TLS handshake off: {cause}"),
        },
        HandshakeError::Client(cause) => match handshake::tls_error(cause) {
            Some(rustls::Error::AlertReceived(alert)) => info!(
                "the client {client} refused our certificate for {name} ({alert:?}): \
                 it may not trust our CA yet, see docs/clients.md"
            ),
            _ => debug!(%client, host = name, %cause, "the client broke the handshake off"),
        },
        HandshakeError::Leaf(_) | HandshakeError::Name(_) => warn!("no certificate for {name}: {error}"),
        HandshakeError::ClientGone | HandshakeError::Hello(_) => {
            debug!(%client, host = name, %error, "tunnel not opened");
        }
    }
}

/// The same for the book, which counts also what is no line worth.
fn note(door: &Book, accepted: &Accepted, name: &str, error: &HandshakeError) {
    let sentence = || match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    match error {
        // Left before it saw a certificate: nothing is wrong.
        HandshakeError::ClientGone => {}
        HandshakeError::Client(cause) => match handshake::tls_error(cause) {
            Some(rustls::Error::AlertReceived(alert)) if handshake::is_distrust(*alert) => {
                accepted.note(door, &Event::Untrusted { host: name, alert: &format!("{alert:?}") });
            }
            Some(other) => accepted.note(door, &Event::BrokenOff { host: name, why: &other.to_string() }),
            None => accepted.note(door, &Event::BrokenOff { host: name, why: "" }),
        },
        HandshakeError::Hello(_) => accepted.note(door, &Event::BrokenOff { host: name, why: &sentence() }),
        HandshakeError::Upstream(_) | HandshakeError::Leaf(_) | HandshakeError::Name(_) => {
            accepted.note(door, &Event::Unreachable { host: name, why: &sentence() });
        }
    }
}

fn version(version: Option<rustls::ProtocolVersion>) -> Option<&'static str> {
    match version? {
        rustls::ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
        rustls::ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
        _ => None,
    }
}

/// The tap of a tunnel that nobody looks into: it only knows when something last went through.
struct Blind {
    active: Instant,
}

/// A draining tunnel that we cannot look into counts as idle after this much silence.
const QUIET: Duration = Duration::from_secs(1);

impl Tap for Blind {
    fn bytes(&mut self, _: Direction, at: Instant, _: &[u8]) {
        self.active = at;
    }

    fn end(&mut self, _: Direction, _: Instant, _: Ending) {}

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn tick(&mut self, _: Instant) {}

    fn is_idle(&self) -> bool {
        self.active.elapsed() >= QUIET
    }
}
