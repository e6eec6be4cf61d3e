//! hudsucker's own forwarder, recording nothing: its authority, its HTTP engine, TCP_NODELAY on both sides.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use anyhow::{Result, anyhow};
use http::Uri;
use hudsucker::{Proxy, certificate_authority::RcgenAuthority};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{
    net,
    pki::{self, BenchCa},
};

const LEAF_CACHE: u64 = 1_000;

pub async fn run(upstream: SocketAddr, folder: &Path) -> Result<()> {
    let ca = BenchCa::in_folder(folder);
    let authority = RcgenAuthority::new(ca.issuer()?, LEAF_CACHE, (*pki::provider()).clone());
    // As hudsucker's `with_rustls_connector` builds it, but for the trust anchor and the dialler.
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(pki::client_config(&[ca.cert], &[], true)?)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(Dialler(upstream));
    let listener = net::listen()?;
    net::announce(&listener)?;
    let proxy = Proxy::builder().with_listener(listener).with_ca(authority).with_http_connector(connector).build()?;
    proxy.start().await.map_err(|error| anyhow!("hudsucker ended: {error}"))
}

/// Connects to the bench's upstream whatever the name is.
#[derive(Clone)]
struct Dialler(SocketAddr);

impl Service<Uri> for Dialler {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let upstream = self.0;
        Box::pin(async move {
            let stream = TcpStream::connect(upstream).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}
