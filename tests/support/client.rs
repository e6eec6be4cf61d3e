//! A client of the proxy: CONNECT as the language server writes it, then TLS inside the tunnel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ca::provider;
use super::script::both_ways;
use super::{Ending, within};

/// An HTTP/1.1 answer of the proxy itself.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head as received, with its empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of the first field of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The value of `Proxy-Authorization` for a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The CONNECT head of the language server, field by field as it was seen.
pub(crate) fn connect_head(authority: &str, authorization: Option<&str>) -> String {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let authorization = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    format!(
        "CONNECT {authority} HTTP/1.1\r\nhost: {host}\r\nProxy-Connection: keep-alive\r\n\
         User-Agent: GithubCopilot/1.539.0\r\n{authorization}Connection: close\r\n\r\n"
    )
}

/// Opens a connection to the proxy.
pub(crate) async fn dial(proxy: SocketAddr) -> TcpStream {
    let tcp = within("a connection to the proxy", TcpStream::connect(proxy)).await.expect("the proxy listens");
    tcp.set_nodelay(true).expect("a socket option");
    tcp
}

/// Sends a request head and reads the answer: its body by Content-Length, none for 200 to CONNECT.
pub(crate) async fn ask(tcp: &mut TcpStream, head: &str) -> std::io::Result<Answer> {
    tcp.write_all(head.as_bytes()).await?;
    within("the proxy's answer", answer(tcp, head.starts_with("CONNECT "))).await
}

async fn answer(tcp: &mut TcpStream, to_connect: bool) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        // To CONNECT no byte more than the head is taken: behind a 200 they are the tunnel's, and an upstream may have
        // spoken already.
        let most = if to_connect { 1 } else { u64::MAX };
        if (&mut *tcp).take(most).read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("an answer's head is text");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let mut answer = Answer { status, head, body: bytes[end..].to_vec() };
    if to_connect && status == 200 {
        return Ok(answer);
    }
    match answer.header("content-length").map(|value| value.parse::<usize>().expect("a length")) {
        Some(length) => {
            while answer.body.len() < length && tcp.read_buf(&mut answer.body).await? > 0 {}
            assert_eq!(answer.body.len(), length, "the body of {}", answer.head);
        }
        None => while tcp.read_buf(&mut answer.body).await? > 0 {},
    }
    Ok(answer)
}

/// One request to the proxy on a connection of its own.
pub(crate) async fn request(proxy: SocketAddr, head: &str) -> Answer {
    ask(&mut dial(proxy).await, head).await.expect("an answer")
}

/// `GET path` to the proxy itself.
pub(crate) async fn page(proxy: SocketAddr, path: &str) -> Answer {
    request(proxy, &format!("GET {path} HTTP/1.1\r\nHost: {proxy}\r\nConnection: close\r\n\r\n")).await
}

/// A way through a proxy: whom to trust, what to offer.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) proxy: SocketAddr,
    pub(crate) authorization: Option<String>,
    tls: Arc<ClientConfig>,
}

impl Client {
    pub(crate) fn new(proxy: SocketAddr, roots: Arc<RootCertStore>, alpn: &[&str]) -> Self {
        Self::with_versions(proxy, roots, alpn, rustls::ALL_VERSIONS)
    }

    pub(crate) fn with_versions(
        proxy: SocketAddr,
        roots: Arc<RootCertStore>,
        alpn: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut tls = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .expect("versions of this provider")
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { proxy, authorization: None, tls: Arc::new(tls) }
    }

    pub(crate) fn authorized(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(basic(user, password));
        self
    }

    /// CONNECT to `host:443`; the bare tunnel after a 200, else the answer.
    pub(crate) async fn tunnel(&self, host: &str) -> Result<TcpStream, Answer> {
        let mut tcp = dial(self.proxy).await;
        let head = connect_head(&format!("{host}:443"), self.authorization.as_deref());
        let answer = ask(&mut tcp, &head).await.expect("an answer to CONNECT");
        if answer.status == 200 { Ok(tcp) } else { Err(answer) }
    }

    /// TLS over a tunnel.
    pub(crate) async fn handshake(&self, tcp: TcpStream, host: &str) -> std::io::Result<Session> {
        let name = ServerName::try_from(host.to_owned()).expect("a host name");
        let stream = within("the handshake", TlsConnector::from(self.tls.clone()).connect(name, tcp)).await?;
        Ok(Session { stream, unread: Vec::new() })
    }

    /// Tunnel and TLS, both of which must succeed.
    pub(crate) async fn open(&self, host: &str) -> Session {
        let tcp = self.tunnel(host).await.expect("200 to CONNECT");
        self.handshake(tcp, host).await.expect("a handshake")
    }
}

/// TLS inside a tunnel.
#[derive(Debug)]
pub(crate) struct Session {
    stream: TlsStream<TcpStream>,
    /// Came together with what was waited for.
    unread: Vec<u8>,
}

impl Session {
    pub(crate) fn alpn(&self) -> Option<String> {
        self.stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The certificates that the other side sent, DER, its own first.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        let chain = self.stream.get_ref().1.peer_certificates().unwrap_or_default();
        chain.iter().map(|certificate| certificate.as_ref().to_vec()).collect()
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("the client's write", async {
            self.stream.write_all(bytes.as_ref()).await?;
            self.stream.flush().await
        })
        .await
        .expect("the tunnel takes bytes");
    }

    /// Sends in pieces of the given lengths, each a TLS record of its own.
    pub(crate) async fn send_in(&mut self, mut bytes: &[u8], cuts: &[usize]) {
        for &cut in cuts {
            let (piece, rest) = bytes.split_at(cut.min(bytes.len()));
            self.send(piece).await;
            bytes = rest;
        }
        self.send(bytes).await;
    }

    /// Sends `bytes` while it receives `n`.
    pub(crate) async fn both_ways(&mut self, bytes: &[u8], n: usize) -> Vec<u8> {
        assert!(self.unread.is_empty(), "what was read ahead is read first");
        both_ways(&mut self.stream, bytes, n).await.expect("both directions are open")
    }

    /// Reads exactly `n` bytes.
    pub(crate) async fn read_exact(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.unread);
        if bytes.len() >= n {
            self.unread = bytes.split_off(n);
            return bytes;
        }
        let have = bytes.len();
        bytes.resize(n, 0);
        let read = within("the client's read", self.stream.read_exact(&mut bytes[have..])).await;
        read.expect("as many bytes as were sent");
        bytes
    }

    /// Reads to the end of `pattern`, not beyond.
    pub(crate) async fn read_until(&mut self, pattern: &[u8]) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.unread);
        loop {
            if let Some(at) = bytes.windows(pattern.len()).position(|window| window == pattern) {
                self.unread = bytes.split_off(at + pattern.len());
                return bytes;
            }
            let n = within("the client's read", self.stream.read_buf(&mut bytes)).await.expect("a readable tunnel");
            assert_ne!(n, 0, "ended before {:?}", String::from_utf8_lossy(pattern));
        }
    }

    /// Reads to the end, and says how it ended.
    pub(crate) async fn read_to_end(&mut self) -> (Vec<u8>, Ending) {
        let mut bytes = std::mem::take(&mut self.unread);
        let ending = loop {
            match within("the client's read", self.stream.read_buf(&mut bytes)).await {
                Ok(0) => break Ending::Clean,
                Ok(_) => {}
                Err(error) => break Ending::of(&error),
            }
        };
        (bytes, ending)
    }

    /// Ends our direction cleanly: `close_notify`, then FIN.
    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.ok();
    }

    /// Ends our direction cleanly and reads to the end.
    pub(crate) async fn close(mut self) -> (Vec<u8>, Ending) {
        self.half_close().await;
        self.read_to_end().await
    }

    /// A TCP reset.
    pub(crate) fn reset(self) {
        let (tcp, _) = self.stream.into_inner();
        SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).expect("a socket option");
    }
}
