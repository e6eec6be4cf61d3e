//! The spans of one row's exchanges, in milliseconds.

use super::Percentiles;
use super::row::Figures;
use crate::archive::AbortedBy;
use crate::index::RequestFact;
use crate::rules::Kind;

/// Every value, because percentiles of parts do not make those of the whole.
#[derive(Debug, Default)]
pub(super) struct Times {
    first_byte: Vec<f64>,
    first_token: Vec<f64>,
    total: Vec<f64>,
    server: Vec<f64>,
    network: Vec<f64>,
    client_side: Vec<f64>,
}

/// Whether its times count: an answer that was waited for.
pub(super) fn counts(request: &RequestFact<'_>) -> bool {
    matches!(request.kind, Kind::Completions | Kind::Nes | Kind::Chat)
        && request.aborted_by != Some(AbortedBy::Client)
        && matches!(request.status, Some(101 | 200..=299))
}

impl Times {
    pub(super) fn request(&mut self, request: &RequestFact<'_>) {
        let network = request.first_byte_ms.zip(request.server_ms).map(|(first_byte, server)| first_byte - server);
        put(&mut self.first_byte, request.first_byte_ms);
        put(&mut self.first_token, request.first_token_ms);
        put(&mut self.total, request.total_ms);
        put(&mut self.server, request.server_ms);
        put(&mut self.network, network);
    }

    /// `waited`: what the client says that it waited for the answer's head.
    pub(super) fn client(&mut self, waited: f64, first_byte: f64) {
        put(&mut self.client_side, Some(waited - first_byte));
    }

    pub(super) fn absorb(&mut self, other: Self) {
        let mine = self.each();
        let others = [other.first_byte, other.first_token, other.total, other.server, other.network, other.client_side];
        for (mine, more) in mine.into_iter().zip(others) {
            if mine.is_empty() {
                *mine = more;
            } else {
                mine.extend(more);
            }
        }
    }

    pub(super) fn write(&mut self, figures: &mut Figures) {
        let [first_byte, first_token, total, server, network, client_side] =
            self.each().map(|values| Percentiles::of(values));
        *figures = Figures { first_byte, first_token, total, server, network, client_side, ..std::mem::take(figures) };
    }

    fn each(&mut self) -> [&mut Vec<f64>; 6] {
        [
            &mut self.first_byte,
            &mut self.first_token,
            &mut self.total,
            &mut self.server,
            &mut self.network,
            &mut self.client_side,
        ]
    }
}

/// Keeps what is a number.
fn put(values: &mut Vec<f64>, value: Option<f64>) {
    values.extend(value.filter(|value| value.is_finite()));
}
