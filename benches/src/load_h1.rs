//! A keep-alive HTTP/1.1 client: requests are prepared bytes, answers are read just far enough to be checked.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    session::{Timing, Tls},
    workload::Workload,
};

pub struct H1 {
    stream: Tls,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl H1 {
    pub fn new(stream: Tls) -> Self {
        Self { stream, request: Vec::with_capacity(16 * 1024), answer: Vec::with_capacity(8 * 1024) }
    }

    pub async fn exchange(&mut self, work: &Workload, seq: u64) -> Result<Timing> {
        let started = self.send(work, seq).await?;
        let mut first = None;
        loop {
            self.receive().await?;
            let first = *first.get_or_insert_with(|| started.elapsed());
            if let Some(body) = complete_body(&self.answer)? {
                ensure!(body == work.answer_len, "{body} bytes of body, not {}", work.answer_len);
                return Ok(Timing { first, total: started.elapsed() });
            }
        }
    }

    /// Sends the request and returns when the head and something of the body have come; the stream then stays open.
    pub async fn open_stream(&mut self, work: &Workload, seq: u64) -> Result<()> {
        self.send(work, seq).await?;
        loop {
            self.receive().await?;
            ensure!(complete_body(&self.answer)?.is_none(), "a stream that should stay open has ended");
            if head_len(&self.answer).is_some_and(|head| self.answer.len() > head) {
                return Ok(());
            }
        }
    }

    pub async fn close(mut self) {
        self.stream.shutdown().await.ok();
    }

    async fn send(&mut self, work: &Workload, seq: u64) -> Result<Instant> {
        work.write_h1(seq, &mut self.request);
        self.answer.clear();
        let started = Instant::now();
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        Ok(started)
    }

    async fn receive(&mut self) -> Result<()> {
        ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the connection ended inside an answer");
        Ok(())
    }
}

fn head_len(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The length of the answer's body once all of it has come.
fn complete_body(answer: &[u8]) -> Result<Option<usize>> {
    let Some(head_len) = head_len(answer) else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..head_len]).context("a head that is not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    ensure!(status == Some("200"), "status {}", status.unwrap_or("missing"));
    let body = &answer[head_len..];
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.trim().parse()?;
            ensure!(body.len() <= length, "bytes after the answer");
            return Ok((body.len() == length).then_some(length));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return complete_chunks(body);
        }
    }
    bail!("neither a length nor chunks in {head:?}")
}

fn complete_chunks(mut body: &[u8]) -> Result<Option<usize>> {
    let mut total = 0;
    loop {
        let Some(line) = body.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line])?.trim(), 16).context("bad chunk size")?;
        let end = line + 2 + size + 2;
        if body.len() < end {
            return Ok(None);
        }
        ensure!(&body[end - 2..end] == b"\r\n", "a chunk without its end");
        body = &body[end..];
        if size == 0 {
            ensure!(body.is_empty(), "bytes after the answer");
            return Ok(Some(total));
        }
        total += size;
    }
}
