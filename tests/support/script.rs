//! A conversation as data: who sends which bytes when, in which pieces, and what the records must say of it.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;

use super::client::Session;
use super::rng::Rng;
use super::upstream::Connection;
use super::{Ending, within};

/// Header or trailer fields as the test meant them: names as sent, values without the space around them.
pub(crate) type Fields = Vec<(String, String)>;

/// The client speaks, then the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    pub(crate) client: Vec<u8>,
    pub(crate) server: Vec<u8>,
    client_cuts: Vec<usize>,
    server_cuts: Vec<usize>,
}

impl Turn {
    pub(crate) fn new(rng: &mut Rng, client: Vec<u8>, server: Vec<u8>) -> Self {
        let (client_cuts, server_cuts) = (rng.cuts(client.len()), rng.cuts(server.len()));
        Self { client, server, client_cuts, server_cuts }
    }
}

/// One side's message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) fields: Fields,
    /// Transfer and content coding removed.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
}

/// What one record must say.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The value of the request's `x-case` field, by which the record is found.
    pub(crate) case: String,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) version: &'static str,
    pub(crate) request: Message,
    pub(crate) status: u16,
    pub(crate) response: Message,
    /// Who ended it early, if anybody did.
    pub(crate) aborted_by: Option<&'static str>,
}

/// One connection's conversation.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The server name; tells the upstream which script to play.
    pub(crate) host: String,
    pub(crate) turns: Vec<Turn>,
    /// The server ends the connection after its last turn (a body until close needs it).
    pub(crate) server_closes: bool,
    pub(crate) expected: Vec<Expected>,
}

impl Script {
    /// All that the client sends.
    pub(crate) fn client_bytes(&self) -> Vec<u8> {
        self.turns.iter().flat_map(|turn| turn.client.clone()).collect()
    }

    /// All that the server sends.
    pub(crate) fn server_bytes(&self) -> Vec<u8> {
        self.turns.iter().flat_map(|turn| turn.server.clone()).collect()
    }

    /// Plays the client; what it received, and how that ended.
    pub(crate) async fn play_client(&self, mut session: Session) -> (Vec<u8>, Ending) {
        let mut received = Vec::new();
        for turn in &self.turns {
            session.send_in(&turn.client, &turn.client_cuts).await;
            received.extend(session.read_exact(turn.server.len()).await);
        }
        let (rest, ending) = if self.server_closes { session.read_to_end().await } else { session.close().await };
        received.extend(rest);
        (received, ending)
    }

    /// Plays the server.
    pub(crate) async fn play_server(&self, mut connection: Connection) {
        let mut total = 0;
        for turn in &self.turns {
            total += turn.client.len();
            if !connection.received(total).await || !connection.send_in(&turn.server, &turn.server_cuts).await {
                return;
            }
        }
        if !self.server_closes {
            connection.read_to_end().await;
        }
        connection.close().await;
    }
}

/// Sends and receives at once. The second half of what is sent waits for the first half of what is received: who takes
/// one direction after the other never sees the end.
pub(crate) async fn both_ways<S>(stream: S, send: &[u8], receive: usize) -> std::io::Result<Vec<u8>>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let half_received = Semaphore::new(0);
    let (first, second) = send.split_at(send.len() / 2);
    let sending = async {
        writer.write_all(first).await?;
        writer.flush().await?;
        half_received.acquire().await.expect("never closed").forget();
        writer.write_all(second).await?;
        writer.flush().await
    };
    let receiving = async {
        let mut received = vec![0; receive];
        let (first, second) = received.split_at_mut(receive / 2);
        reader.read_exact(first).await?;
        half_received.add_permits(1);
        reader.read_exact(second).await?;
        Ok(received)
    };
    let ((), received) = within("both directions", async { tokio::try_join!(sending, receiving) }).await?;
    Ok(received)
}

/// Says where two byte strings part, instead of printing both.
pub(crate) fn assert_same_bytes(what: &str, found: &[u8], wanted: &[u8]) {
    if found == wanted {
        return;
    }
    let shorter = found.len().min(wanted.len());
    let at = found.iter().zip(wanted).position(|(a, b)| a != b).unwrap_or(shorter);
    let around =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[at.saturating_sub(40)..(at + 40).min(bytes.len())]).into_owned();
    panic!(
        "{what}: {} bytes, wanted {}; they part at {at}:\n  found  {:?}\n  wanted {:?}",
        found.len(),
        wanted.len(),
        around(found),
        around(wanted)
    );
}
