//! CONNECT through a company proxy (RFC 9110 section 9.3.6).

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config::UpstreamProxy;

/// An answer to CONNECT has a few hundred bytes; one that is larger is not one.
const MAX_HEAD: usize = 16 << 10;

/// Why the company proxy did not connect us.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It said no.
    #[error("the upstream proxy answered {0} to CONNECT")]
    Refused(String),
    /// What it said is not HTTP.
    #[error("the upstream proxy gave no HTTP answer to CONNECT")]
    NotHttp,
    /// The connection to it failed.
    #[error("the connection to the upstream proxy failed")]
    Io(#[from] io::Error),
}

/// Asks the proxy at the other end of `stream` for a tunnel to `host:port`.
pub(super) async fn open(
    stream: &mut TcpStream,
    proxy: &UpstreamProxy,
    host: &str,
    port: u16,
) -> Result<(), ProxyError> {
    let authority = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let credentials = match &proxy.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n");
    stream.write_all(request.as_bytes()).await?;
    check_answer(&read_head(stream).await?)
}

/// Reads byte by byte: what follows the head belongs to the tunnel and must stay in the socket.
async fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(ProxyError::NotHttp);
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn check_answer(head: &[u8]) -> Result<(), ProxyError> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    let mut words = text.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().unwrap_or_default();
    if !version.starts_with("HTTP/1.") || status.len() != 3 || !status.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ProxyError::NotHttp);
    }
    match status.starts_with('2') {
        true => Ok(()),
        false => Err(ProxyError::Refused(status.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn ask(answer: &'static [u8], proxy: UpstreamProxy) -> (Result<(), ProxyError>, String, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(answer).await.unwrap();
        peer.shutdown().await.unwrap();
        let result = open(&mut stream, &proxy, "api.example.com", 443).await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        drop(stream);
        let mut asked = String::new();
        peer.read_to_string(&mut asked).await.unwrap();
        (result, asked, rest)
    }

    fn proxy(authorization: Option<&str>) -> UpstreamProxy {
        UpstreamProxy { host: "proxy.example.com".into(), port: 3128, authorization: authorization.map(str::to_owned) }
    }

    #[tokio::test]
    async fn credentials_are_sent_at_once_and_bytes_after_the_head_stay_in_the_tunnel() {
        let (result, asked, rest) = ask(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nhello", proxy(Some("Basic eDp5"))).await;
        result.unwrap();
        assert_eq!(
            asked,
            "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\
             Proxy-Authorization: Basic eDp5\r\n\r\n"
        );
        assert_eq!(rest, b"hello");
    }

    #[tokio::test]
    async fn a_refusal_names_the_status() {
        let (result, ..) = ask(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", proxy(None)).await;
        assert_eq!(result.unwrap_err().to_string(), "the upstream proxy answered 407 to CONNECT");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_http_or_is_cut_is_an_error() {
        let (result, ..) = ask(b"SSH-2.0-OpenSSH\r\n\r\n", proxy(None)).await;
        assert!(matches!(result, Err(ProxyError::NotHttp)));
        let (result, ..) = ask(b"HTTP/1.1 200 OK\r\n", proxy(None)).await;
        assert!(matches!(result, Err(ProxyError::Io(_))));
    }
}
