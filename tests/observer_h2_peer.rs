//! A real HTTP/2 client and server with the observer between them.

#![allow(clippy::unwrap_used, reason = "a failure of either peer fails the test")]

use std::sync::{Arc, Mutex};

use copilot_recorder::observer::transcript::Transcript;
use copilot_recorder::observer::{Limits, Observer, Protocol};
use copilot_recorder::wire::Direction;
use http::{HeaderMap, Request, Response};
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};

type Watched = Arc<Mutex<(Observer, Transcript)>>;

/// Passes on what comes, in small pieces, and shows it to the observer.
async fn relay(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>, direction: Direction, seen: Watched) {
    let mut buffer = [0; 57];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        {
            let (observer, transcript) = &mut *seen.lock().unwrap();
            observer.feed(direction, &buffer[..length], &mut |event| transcript.note(event));
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

async fn serve(stream: DuplexStream) {
    let mut connection = h2::server::Builder::new().handshake::<_, Bytes>(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let path = request.uri().path().to_owned();
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut size = 0;
            while let Some(Ok(data)) = body.data().await {
                size += data.len();
                _ = body.flow_control().release_capacity(data.len());
            }
            let response = Response::builder().header("x-path", path).header("x-fixed", "always").body(()).unwrap();
            let mut send = respond.send_response(response, false).unwrap();
            send.send_data(size.to_string().into(), false).unwrap();
            let trailers = HeaderMap::from_iter([("x-done".parse().unwrap(), "yes".parse().unwrap())]);
            send.send_trailers(trailers).unwrap();
        });
    }
}

#[tokio::test]
async fn what_h2_sends_is_seen() {
    let (client, client_side) = tokio::io::duplex(4096);
    let (server, server_side) = tokio::io::duplex(4096);
    let seen: Watched =
        Arc::new(Mutex::new((Observer::new(Protocol::Http2, Limits::default()), Transcript::default())));
    let (from_client, to_client) = tokio::io::split(client_side);
    let (from_server, to_server) = tokio::io::split(server_side);
    tokio::spawn(relay(from_client, to_server, Direction::ClientToServer, seen.clone()));
    tokio::spawn(relay(from_server, to_client, Direction::ServerToClient, seen.clone()));
    tokio::spawn(serve(server));

    let (mut client, connection) =
        h2::client::Builder::new().header_table_size(512).handshake::<_, Bytes>(client).await.unwrap();
    tokio::spawn(connection);
    for round in 0..40_usize {
        client = client.ready().await.unwrap();
        let request = Request::post(format!("https://a/{round}")).header("x-round", round.to_string());
        let request = request.header("authorization", "a fixed value, long enough for the table").body(()).unwrap();
        let (response, mut send) = client.send_request(request, false).unwrap();
        send.send_data(vec![b'x'; round * 7].into(), true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.headers()["x-path"], format!("/{round}"));
        let mut body = response.into_body();
        while body.data().await.is_some() {}
        assert!(body.trailers().await.unwrap().is_some());
    }

    let lines = seen.lock().unwrap().1.lines.clone();
    for round in 0..40_usize {
        let id = 2 * round + 1;
        let of_it: Vec<&String> = lines.iter().filter(|line| line.starts_with(&format!("{id} "))).collect();
        let authorization = "authorization: a fixed value, long enough for the table";
        let request = format!("{id} request POST /{round} HTTP/2 authority a | :method: POST | :scheme: https | ");
        let fields = format!(":authority: a | :path: /{round} | x-round: {round} | {authorization}");
        assert_eq!(*of_it[0], request + &fields);
        let mut rest = vec![
            format!("{id} > end"),
            format!("{id} response 200  HTTP/2 | x-path: /{round} | x-fixed: always"),
            format!("{id} < data {}", round * 7),
            format!("{id} < trailers | x-done: yes"),
            format!("{id} < end"),
        ];
        if round > 0 {
            rest.insert(0, format!("{id} > data {}", "x".repeat(round * 7)));
        }
        assert_eq!(of_it[1..], rest.iter().collect::<Vec<_>>());
    }
    assert!(!lines.iter().any(|line| line.contains("malformed")), "{lines:?}");
}
