//! Reaching the upstream: resolve, check the address (design D11), connect.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::proxy::{self, ProxyError};
use crate::config::{ConnectTo, Policy, Upstream};

/// RFC 9110 section 4.2.1.
pub(crate) const HTTP: u16 = 80;

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

    /// Connects to `host:port` for a tunnel, if the policy allows it.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Dialled, DialError> {
        self.dial_one_of(&self.policy.ports, host, port).await
    }

    /// The same for a request in plain HTTP, which may go to HTTP's own port too: no client can make of it anything
    /// but a request.
    pub async fn dial_http(&self, host: &str, port: u16) -> Result<Dialled, DialError> {
        let ports = if port == HTTP { &[HTTP] } else { &self.policy.ports[..] };
        self.dial_one_of(ports, host, port).await
    }

    async fn dial_one_of(&self, ports: &[u16], host: &str, port: u16) -> Result<Dialled, DialError> {
        let named = self.upstream.connect_to.iter().find(|row| row.matches(host, port));
        if !named.is_some_and(ConnectTo::names_a_port) && !ports.contains(&port) {
            return Err(DialError::Port(port));
        }
        let (to_host, to_port) = named.map_or((host, port), |row| row.target(host, port));
        let trusted = named.is_some_and(ConnectTo::names_a_host);
        match tokio::time::timeout(self.limit, self.reach(to_host, to_port, trusted)).await {
            Ok(dialled) => dialled,
            Err(_) => Err(DialError::TimedOut { host: host.to_owned(), port, limit: self.limit }),
        }
    }

    async fn reach(&self, host: &str, port: u16, trusted: bool) -> Result<Dialled, DialError> {
        if let Some(company) = &self.upstream.proxy {
            if !trusted {
                self.check_unresolved(host).await?;
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

    /// The company proxy resolves names, and may run on this machine. What can be checked here is what no name server
    /// is asked for: addresses, also in the forms that only the system's resolver reads (127.1, 0x7f000001), and
    /// `localhost` with all below it (RFC 6761 section 6.3).
    async fn check_unresolved(&self, host: &str) -> Result<(), DialError> {
        let name = host.strip_suffix('.').unwrap_or(host);
        let last = name.rsplit('.').next().unwrap_or(name);
        if last.eq_ignore_ascii_case("localhost") {
            return self.check(host, Ipv4Addr::LOCALHOST.into());
        }
        let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        let is_number = hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || last.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || name.contains(':') {
            for address in resolve(name, 0).await? {
                self.check(host, address.ip())?;
            }
        }
        Ok(())
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

    /// The operator said which host may be dialled; else the client chooses it, and the policy holds.
    fn names_a_host(&self) -> bool {
        self.host.is_some() || self.to_host.is_some()
    }

    /// The same for the port.
    fn names_a_port(&self) -> bool {
        self.port.is_some() || self.to_port.is_some()
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
    let address = match address.to_canonical() {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    let by_range = match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast(),
    };
    by_range || is_own(address)
}

/// The IPv4 address that a network may deliver to: NAT64 (RFC 6052 section 2.1), or the obsolete IPv4-compatible form.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    let v4 = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    // Below 1.0.0.0 there are only the unspecified address and loopback of IPv6 itself.
    ((a, b) == (0x64, 0xff9b) || (a, b) == (0, 0) && v4.octets()[0] != 0).then_some(v4)
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
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "::127.0.0.1",
        ] {
            assert!(is_local(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "140.82.112.21", "2001:db8::1", "64:ff9b::140.82.112.21"] {
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
    async fn plain_http_may_go_to_its_own_port_where_a_tunnel_may_not() {
        let dialler = dialler(vec![], vec![443], false);
        assert!(matches!(dialler.dial("127.0.0.1", 80).await, Err(DialError::Port(80))));
        assert!(matches!(dialler.dial_http("127.0.0.1", 80).await, Err(DialError::Local { .. })), "past the port");
        assert!(matches!(dialler.dial_http("127.0.0.1", 25).await, Err(DialError::Port(25))));
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
    async fn connect_to_allows_no_more_than_it_names() {
        let row =
            |host: Option<&str>, port, to_port| ConnectTo { host: host.map(Into::into), port, to_host: None, to_port };
        // Any host at port 8443 instead of 443: which host is the client's choice.
        let any_host = dialler(vec![row(None, Some(443), Some(8443))], vec![443], false);
        assert!(matches!(any_host.dial("127.0.0.1", 443).await, Err(DialError::Local { .. })));
        // A host on all ports: which port is the client's choice.
        let any_port = dialler(vec![row(Some("127.0.0.1"), None, None)], vec![443], false);
        assert!(matches!(any_port.dial("127.0.0.1", 25).await, Err(DialError::Port(25))));
        assert!(matches!(any_port.dial("127.0.0.1", 443).await, Err(DialError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn names_of_this_machine_are_not_handed_to_a_company_proxy() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let proxy = crate::config::UpstreamProxy { host: "127.0.0.1".into(), port: closed.port(), authorization: None };
        let upstream = Upstream { proxy: Some(proxy), ..Upstream::default() };
        let policy = Policy { ports: vec![443], allow_local: false, tunnel_others: true };
        let dialler = Dialler::new(upstream, policy, Duration::from_secs(5));
        for host in
            ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "a.LOCALHOST", "localhost."]
        {
            let error = dialler.dial(host, 443).await.unwrap_err();
            assert!(matches!(error, DialError::Local { .. }), "{host}: {error}");
        }
        let error = dialler.dial("api.example.com", 443).await.unwrap_err();
        assert!(matches!(error, DialError::Unreachable { .. }), "the proxy is asked: {error}");
    }

    #[tokio::test]
    async fn a_later_address_is_used_when_the_first_refuses() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = race(vec![closed, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open.local_addr().unwrap());
    }
}
