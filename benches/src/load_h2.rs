//! An HTTP/2 client on the h2 crate, one connection each.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{HeaderValue, Request, Response, StatusCode};

use crate::{
    session::{Timing, Tls},
    workload::Workload,
};

pub struct H2 {
    requests: SendRequest<Bytes>,
    /// A stream that is kept open; dropping it would reset it.
    open: Option<RecvStream>,
}

impl H2 {
    pub async fn new(stream: Tls) -> Result<Self> {
        let (requests, connection) = h2::client::handshake(stream).await?;
        // Its error reaches the exchange that it breaks.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { requests, open: None })
    }

    pub async fn exchange(&mut self, work: &Workload, seq: u64) -> Result<Timing> {
        let started = Instant::now();
        let response = self.send(work, seq).await?;
        let first = started.elapsed();
        let mut body = response.into_body();
        let mut total = 0;
        while let Some(data) = body.data().await {
            let length = data?.len();
            total += length;
            body.flow_control().release_capacity(length)?;
        }
        ensure!(total == work.answer_len, "{total} bytes of body, not {}", work.answer_len);
        Ok(Timing { first, total: started.elapsed() })
    }

    /// Sends the request and returns when the head and something of the body have come; the stream then stays open.
    pub async fn open_stream(&mut self, work: &Workload, seq: u64) -> Result<()> {
        let mut body = self.send(work, seq).await?.into_body();
        let data = body.data().await;
        ensure!(matches!(data, Some(Ok(_))), "a stream that should stay open has ended");
        self.open = Some(body);
        Ok(())
    }

    async fn send(&mut self, work: &Workload, seq: u64) -> Result<Response<RecvStream>> {
        let mut request = Request::post(format!("https://{}{}", work.host, work.path)).body(())?;
        *request.headers_mut() = work.headers.clone();
        if let Some(id) = request.headers_mut().get_mut("x-request-id") {
            *id = HeaderValue::try_from(format!("d4392923-fe05-4c6a-babc-{seq:012}"))?;
        }
        let mut ready = self.requests.clone().ready().await?;
        let (response, mut body) = ready.send_request(request, false)?;
        body.send_data(work.body.clone(), true)?;
        let response = response.await?;
        ensure!(response.status() == StatusCode::OK, "status {}", response.status());
        Ok(response)
    }
}
