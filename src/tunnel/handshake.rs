//! Both TLS handshakes of an opened tunnel (design D2): the upstream first, with what the client offered; then the
//! client, with what the upstream chose.

use std::io;
use std::sync::Arc;

use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::server::{Accepted, Acceptor};
use rustls::{AlertDescription, CertificateError, Error as TlsError, NamedGroup};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::StartHandshake;
use tokio_rustls::{TlsConnector, client, server};

use crate::tls::{ClientConfigs, LeafError, ServerConfigs};

/// What the client said in its ClientHello.
pub(super) struct ClientHello {
    accepted: Accepted,
    pub(super) sni: Option<Arc<str>>,
    alpn: Vec<Vec<u8>>,
    /// The client prefers the hybrid key exchange, so the hop behind us must not be weaker.
    post_quantum: bool,
}

/// Why a tunnel ended before it carried anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("the client left during the handshake")]
    ClientGone,
    #[error("the client's ClientHello cannot be understood")]
    Hello(#[source] TlsError),
    #[error("not a name that a certificate can be made for")]
    Name(#[from] InvalidDnsNameError),
    #[error("the upstream's TLS handshake failed")]
    Upstream(#[source] io::Error),
    #[error(transparent)]
    Leaf(#[from] LeafError),
    #[error("the client broke the TLS handshake off")]
    Client(#[source] io::Error),
}

impl ClientHello {
    /// `bytes` hold a whole ClientHello ([`super::hello::scan`]).
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, HandshakeError> {
        let mut acceptor = Acceptor::default();
        while !bytes.is_empty() {
            if acceptor.read_tls(&mut bytes).is_err() {
                break;
            }
        }
        let accepted = match acceptor.accept() {
            Ok(Some(accepted)) => accepted,
            Ok(None) => return Err(HandshakeError::Hello(TlsError::General("incomplete".into()))),
            Err((error, _)) => return Err(HandshakeError::Hello(error)),
        };
        let hello = accepted.client_hello();
        let sni = hello.server_name().map(Arc::from);
        let alpn = hello.alpn().map(|names| names.map(<[u8]>::to_vec).collect()).unwrap_or_default();
        let post_quantum = hello.named_groups().is_some_and(prefers_hybrid);
        Ok(Self { accepted, sni, alpn, post_quantum })
    }
}

/// Whether the first group is the hybrid, where browsers put a reserved value before it (RFC 8701).
fn prefers_hybrid(groups: &[NamedGroup]) -> bool {
    let reserved = |group: &&NamedGroup| u16::from(**group) & 0x0f0f == 0x0a0a;
    groups.iter().find(|group| !reserved(group)) == Some(&NamedGroup::X25519MLKEM768)
}

/// The handshake with the upstream, given up when the client leaves meanwhile.
pub(super) async fn with_upstream(
    configs: &ClientConfigs,
    hello: &ClientHello,
    name: &str,
    upstream: TcpStream,
    client: &TcpStream,
) -> Result<client::TlsStream<TcpStream>, HandshakeError> {
    let config = configs.config_with(&hello.alpn, hello.sni.is_some(), hello.post_quantum);
    let name = ServerName::try_from(name.to_owned())?;
    tokio::select! {
        stream = TlsConnector::from(config).connect(name, upstream) => stream.map_err(HandshakeError::Upstream),
        () = gone(client) => Err(HandshakeError::ClientGone),
    }
}

/// The handshake with the client, offering the one protocol that the upstream chose, or none.
pub(super) async fn with_client(
    configs: &ServerConfigs,
    hello: ClientHello,
    name: &str,
    alpn: Option<&[u8]>,
    client: TcpStream,
) -> Result<server::TlsStream<TcpStream>, HandshakeError> {
    let config = configs.config(name, alpn)?;
    StartHandshake::from_parts(hello.accepted, client).into_stream(config).await.map_err(HandshakeError::Client)
}

/// Waits until the client has closed its side; for ever while it has not, or has more to say.
async fn gone(client: &TcpStream) {
    let closed = match client.ready(Interest::READABLE).await {
        Ok(_) => matches!(client.peek(&mut [0]).await, Ok(0) | Err(_)),
        Err(_) => true,
    };
    if !closed {
        std::future::pending::<()>().await;
    }
}

/// Tells the client why there is no handshake: a fatal alert in place of a ServerHello, sent in clear as alerts at
/// that point are (RFC 8446 section 6.2).
pub(super) async fn refuse(mut client: TcpStream, error: &HandshakeError) {
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    if let Some(alert) = alert_for(error) {
        // A client that has left does not need to be told.
        let _ = client.write_all(&[ALERT, 3, 3, 0, 2, FATAL, u8::from(alert)]).await;
        let _ = client.shutdown().await;
    }
}

fn alert_for(error: &HandshakeError) -> Option<AlertDescription> {
    match error {
        HandshakeError::ClientGone | HandshakeError::Client(_) => None,
        HandshakeError::Hello(_) => Some(AlertDescription::DecodeError),
        HandshakeError::Name(_) => Some(AlertDescription::UnrecognisedName),
        HandshakeError::Leaf(_) => Some(AlertDescription::InternalError),
        HandshakeError::Upstream(error) => tls_error(error).map(|error| match error {
            TlsError::AlertReceived(alert) => *alert,
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => AlertDescription::UnknownCA,
            TlsError::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => AlertDescription::CertificateExpired,
            TlsError::InvalidCertificate(_) => AlertDescription::BadCertificate,
            TlsError::NoApplicationProtocol => AlertDescription::NoApplicationProtocol,
            TlsError::PeerIncompatible(_) => AlertDescription::HandshakeFailure,
            _ => AlertDescription::InternalError,
        }),
    }
}

/// Alerts by which a client says that it does not take our certificate (RFC 8446 section 6.2).
pub(super) fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::AccessDenied
    )
}

/// What rustls found wrong, if it was rustls that failed and not the connection.
pub(super) fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hybrid_counts_where_the_client_prefers_it() {
        let (hybrid, x25519) = (NamedGroup::X25519MLKEM768, NamedGroup::X25519);
        let reserved = NamedGroup::from(0x6a6a);
        assert!(prefers_hybrid(&[hybrid, x25519]));
        assert!(prefers_hybrid(&[reserved, hybrid, x25519]));
        assert!(!prefers_hybrid(&[x25519, NamedGroup::secp256r1, hybrid]));
        assert!(!prefers_hybrid(&[reserved]));
    }
}
