//! Looking on while an exchange is in flight.

use super::Exchange;
use crate::observer::ResponseHead;
use crate::wire::Direction;

/// Somebody who looks on. Asked and told on the connection's own task: whatever is done there must be quick.
pub trait Onlooker: Send + Sync {
    /// An exchange has begun that is to be recorded, or a turn on a WebSocket. What is returned is told how it goes on,
    /// and is dropped when the exchange is over, however it ends, or turns out to be nothing that is told of.
    fn began(&self, exchange: &Exchange) -> Box<dyn Sight>;
}

/// One exchange as an [`Onlooker`] sees it.
pub trait Sight: Send {
    /// The final response's head. A turn on a WebSocket begins with one and is told of none.
    fn responded(&mut self, head: &ResponseHead);

    /// Body bytes, whether or not the record has room for them.
    fn moved(&mut self, direction: Direction, bytes: &[u8]);
}
