//! Listening sockets and the line by which a child process tells its address.

use std::io::Write;

use anyhow::Result;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted: all the streams of the memory measurement at once.
const BACKLOG: u32 = 1024;

/// Listens on a free loopback port. TCP_NODELAY is set before, so accepted sockets inherit it.
pub fn listen() -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    Ok(socket.listen(BACKLOG)?)
}

/// Prints the address for the parent process.
pub fn announce(listener: &TcpListener) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    Ok(out.flush()?)
}
