//! Reaching the upstream: resolve, check the address (design D11), connect.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::proxy::{self, ProxyError};
use crate::config::{ConnectTo, Policy, Upstream};

/// Another address is tried when the one before has not answered in this time (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Why an upstream could not be reached. The text goes to the client, in one line.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The policy forbids it.
    #[error("port {0} may not be dialled; the operator can allow it with --allow-port")]
    Port(u16),
    /// The policy forbids it.
    #[error("{host} is at {address}, a local address; the operator can allow that with --allow-local")]
    Local {
        /// The name asked for.
        host: String,
        /// What it stands for.
        address: IpAddr,
    },
    /// No address is known for that name.
    #[error("the name {0} could not be resolved")]
    Unresolved(String, #[source] io::Error),
    /// None of its addresses took the connection.
    #[error("{host}:{port} refused the connection or cannot be reached")]
    Unreachable {
        /// The name asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// The last attempt's error.
        #[source]
        source: io::Error,
    },
    /// Nothing answered in time.
    #[error("{host}:{port} did not answer within {limit:?}")]
    TimedOut {
        /// The name asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// How long was waited.
        limit: Duration,
    },
    /// The company proxy would not connect us.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// A connection to an upstream.
#[derive(Debug)]
pub struct Dialled {
    /// TCP, or what the company proxy made of it.
    pub stream: TcpStream,
    /// The address at the other end.
    pub address: SocketAddr,
}

/// Knows how upstreams are reached.
#[derive(Debug)]
pub struct Dialler {
    upstream: Upstream,
    policy: Policy,
    limit: Duration,
}

impl Dialler {
    /// `limit` bounds resolution and connecting together.
    #[must_use]
    pub fn new(upstream: Upstream, policy: Policy, limit: Duration) -> Arc<Self> {
        Arc::new(Self { upstream, policy, limit })
    }

    /// Connects to `host:port` if the policy allows it.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Dialled, DialError> {
        let named = self.upstream.connect_to.iter().find(|row| row.matches(host, port));
        if named.is_none() && !self.policy.ports.contains(&port) {
            return Err(DialError::Port(port));
        }
        let (to_host, to_port) = named.map_or((host, port), |row| row.target(host, port));
        match tokio::time::timeout(self.limit, self.reach(to_host, to_port, named.is_some())).await {
            Ok(dialled) => dialled,
            Err(_) => Err(DialError::TimedOut { host: host.to_owned(), port, limit: self.limit }),
        }
    }

    async fn reach(&self, host: &str, port: u16, trusted: bool) -> Result<Dialled, DialError> {
        if let Some(company) = &self.upstream.proxy {
            // The company proxy resolves the name; what can be checked here is a literal address.
            if let (Ok(address), false) = (host.parse(), trusted) {
                self.check(host, address)?;
            }
            let mut dialled = self.connect(&company.host, company.port, true).await?;
            proxy::open(&mut dialled.stream, company, host, port).await?;
            return Ok(dialled);
        }
        self.connect(host, port, trusted).await
    }

    async fn connect(&self, host: &str, port: u16, trusted: bool) -> Result<Dialled, DialError> {
        let addresses = resolve(host, port).await?;
        let allowed: Vec<SocketAddr> = match trusted {
            true => addresses,
            false => {
                let checked = |address: &SocketAddr| self.check(host, address.ip());
                let allowed: Vec<_> = addresses.iter().filter(|address| checked(address).is_ok()).copied().collect();
                match (allowed.is_empty(), addresses.first()) {
                    (true, Some(first)) => return Err(self.check(host, first.ip()).expect_err("none was allowed")),
                    _ => allowed,
                }
            }
        };
        let stream =
            race(allowed).await.map_err(|source| DialError::Unreachable { host: host.to_owned(), port, source })?;
        let address =
            stream.peer_addr().map_err(|source| DialError::Unreachable { host: host.to_owned(), port, source })?;
        tune(&stream);
        Ok(Dialled { stream, address })
    }

    fn check(&self, host: &str, address: IpAddr) -> Result<(), DialError> {
        match !self.policy.allow_local && is_local(address) {
            true => Err(DialError::Local { host: host.to_owned(), address }),
            false => Ok(()),
        }
    }
}

impl ConnectTo {
    fn matches(&self, host: &str, port: u16) -> bool {
        self.host.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(host)) && self.port.is_none_or(|own| own == port)
    }

    fn target<'a>(&'a self, host: &'a str, port: u16) -> (&'a str, u16) {
        (self.to_host.as_deref().unwrap_or(host), self.to_port.unwrap_or(port))
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> = found.map_err(|error| DialError::Unresolved(host.to_owned(), error))?.collect();
    match addresses.is_empty() {
        true => Err(DialError::Unresolved(host.to_owned(), io::ErrorKind::NotFound.into())),
        false => Ok(addresses),
    }
}

/// Connects to the first address that answers, each attempt starting a little after the one before.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    if let [only] = addresses[..] {
        return TcpStream::connect(only).await;
    }
    let mut attempts = JoinSet::new();
    let mut rest = addresses.into_iter();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut next_at = Instant::now();
    loop {
        if attempts.is_empty() || Instant::now() >= next_at {
            match rest.next() {
                Some(address) => {
                    attempts.spawn(TcpStream::connect(address));
                    next_at = Instant::now() + ATTEMPT_DELAY;
                }
                None if attempts.is_empty() => return Err(last),
                None => {}
            }
        }
        let waiting = rest.len() > 0;
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    last = error;
                    next_at = Instant::now();
                }
                Err(_) => {}
            },
            () = tokio::time::sleep_until(next_at), if waiting => {}
        }
    }
}

/// Loopback, link-local, unspecified, multicast, or this machine's own.
fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let by_range = match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast(),
    };
    by_range || is_own(address)
}

/// The kernel reaches an own address from that same address. Connecting a UDP socket sends nothing.
fn is_own(address: IpAddr) -> bool {
    let unspecified: IpAddr = match address {
        IpAddr::V4(_) => [0; 4].into(),
        IpAddr::V6(_) => [0_u16; 8].into(),
    };
    let source = UdpSocket::bind((unspecified, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

/// Small writes leave at once; a peer that vanished is noticed within about two minutes.
pub(crate) fn tune(stream: &TcpStream) {
    // Both only fail on a socket that is already gone; the relay will notice that by itself.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive());
}

/// Keep-alive probes after a minute of silence, given up after four that were not answered.
pub(crate) fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15)).with_retries(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialler(connect_to: Vec<ConnectTo>, ports: Vec<u16>, allow_local: bool) -> Arc<Dialler> {
        let upstream = Upstream { connect_to, ..Upstream::default() };
        Dialler::new(upstream, Policy { ports, allow_local, tunnel_others: true }, Duration::from_secs(5))
    }

    #[test]
    fn local_ranges_are_told_in_every_notation() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(is_local(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "140.82.112.21", "2001:db8::1"] {
            assert!(!is_local(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_for_a_local_address_is_refused_after_resolution() {
        let error = dialler(vec![], vec![443], false).dial("localhost", 443).await.unwrap_err();
        assert!(matches!(error, DialError::Local { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_port_that_is_not_allowed_is_refused_before_resolution() {
        let error = dialler(vec![], vec![443], true).dial("no-such-name.invalid", 25).await.unwrap_err();
        assert!(matches!(error, DialError::Port(25)), "{error}");
    }

    #[tokio::test]
    async fn connect_to_names_a_target_that_the_policy_would_refuse() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let row = ConnectTo {
            host: Some("proxy.example.com".into()),
            port: Some(443),
            to_host: Some("127.0.0.1".into()),
            to_port: Some(port),
        };
        let dialler = dialler(vec![row], vec![443], false);
        let dialled = dialler.dial("PROXY.example.com", 443).await.unwrap();
        assert_eq!(dialled.address, listener.local_addr().unwrap());
        assert!(matches!(dialler.dial("127.0.0.1", 443).await, Err(DialError::Local { .. })));
    }

    #[tokio::test]
    async fn a_later_address_is_used_when_the_first_refuses() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = race(vec![closed, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open.local_addr().unwrap());
    }
}
