//! The floor: a CONNECT tunnel that knows no TLS and no HTTP beyond the request that opens it.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

use crate::net;

const MAX_HEAD: usize = 8 * 1024;

pub async fn run(upstream: SocketAddr) -> Result<()> {
    let listener = net::listen()?;
    net::announce(&listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move { tunnel(client, upstream).await.ok() });
    }
}

async fn tunnel(mut client: TcpStream, upstream: SocketAddr) -> Result<()> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < MAX_HEAD, "the CONNECT request is too long");
        ensure!(client.read_buf(&mut head).await? > 0, "the client left");
    }
    ensure!(head.starts_with(b"CONNECT "), "not a CONNECT request");
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
