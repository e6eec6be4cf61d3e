//! `recorder.websocket`: which messages the bodies are made of.

use super::Writer;
use super::fields::text_of;
use crate::exchange::{Closed, Exchange, SocketMessage};

impl Writer {
    pub(super) fn websocket(&mut self, exchange: &Exchange) {
        let Some(socket) = &exchange.websocket else { return };
        self.json.key("websocket");
        self.json.open(b'{');
        self.json.key("unit");
        self.json.plain(if socket.turn.is_some() { "response.create" } else { "socket" });
        if let Some(turn) = socket.turn {
            self.json.key("turn");
            self.json.number(turn);
        }
        self.json.key("extensions");
        self.json.optional_text(extensions(exchange).as_deref());
        self.messages(&socket.messages);
        if socket.messages_omitted > 0 {
            self.json.key("messages_omitted");
            self.json.number(socket.messages_omitted);
        }
        if let Some(close) = &socket.close {
            self.close(close);
        }
        self.json.close(b'}');
    }

    fn messages(&mut self, messages: &[SocketMessage]) {
        let json = &mut self.json;
        json.key("messages");
        json.raw("[");
        for (index, message) in messages.iter().enumerate() {
            json.raw(if index == 0 { "[" } else { ", [" });
            json.plain(side(message.from_client));
            json.raw(", ");
            json.millis(message.at, 3);
            json.raw(", ");
            json.number(message.bytes);
            json.raw(", ");
            json.plain(message.kind.as_str());
            json.raw("]");
        }
        json.raw("]");
    }

    fn close(&mut self, close: &Closed) {
        let json = &mut self.json;
        json.key("close");
        json.raw("{\"by\": ");
        json.plain(side(close.by_client));
        json.raw(", \"code\": ");
        match close.code {
            Some(code) => json.number(code.into()),
            None => json.raw("null"),
        }
        json.raw(", \"reason\": ");
        json.text(&close.reason);
        json.raw("}");
    }
}

fn side(client: bool) -> &'static str {
    if client { "client" } else { "server" }
}

/// What the response agreed on.
fn extensions(exchange: &Exchange) -> Option<String> {
    let fields = &exchange.response.as_ref()?.head.fields;
    let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"sec-websocket-extensions"));
    let values: Vec<_> = named.map(|(_, value)| text_of(value)).collect();
    (!values.is_empty()).then(|| values.join(", "))
}
