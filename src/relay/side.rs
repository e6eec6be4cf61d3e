//! One side of a tunnel: a byte stream that can end in the three ways that TCP and TLS know.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A stream whose ends can be told apart and passed on.
///
/// `poll_shutdown` is the clean end (`close_notify` and FIN, or FIN alone without TLS).
pub trait Side: AsyncRead + AsyncWrite + Unpin {
    /// Sends FIN without TLS's `close_notify`: the other end must not take what came before for the whole.
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The stream will be dropped: let the other end see a reset instead of an orderly end.
    fn reset_on_drop(&self);
}

impl Side for TcpStream {
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }

    fn reset_on_drop(&self) {
        // Fails only on a socket that is already gone, and then there is nothing to reset.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl Side for client::TlsStream<TcpStream> {
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_fin(cx)
    }

    fn reset_on_drop(&self) {
        self.get_ref().0.reset_on_drop();
    }
}

impl Side for server::TlsStream<TcpStream> {
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_fin(cx)
    }

    fn reset_on_drop(&self) {
        self.get_ref().0.reset_on_drop();
    }
}
