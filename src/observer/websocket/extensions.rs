//! What the two ends agreed upon in `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use crate::observer::event::Fields;
use crate::wire::Direction;

/// permessage-deflate as the server accepted it (RFC 7692 section 7.1).
///
/// The sizes of windows (`*_max_window_bits`) bind who compresses; whoever inflates with the largest can read them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deflate {
    /// By direction: each message is compressed without regard to those before it.
    no_takeover: [bool; 2],
}

impl Deflate {
    /// Of the response's fields; none when messages are not compressed.
    pub(super) fn agreed(response: &Fields) -> Option<Self> {
        let values = response.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"sec-websocket-extensions"));
        values.flat_map(|(_, value)| value.split(|&byte| byte == b',')).find_map(Self::parse)
    }

    /// Whether the messages in this direction are compressed with regard to those before them.
    pub(super) fn takeover(self, direction: Direction) -> bool {
        !self.no_takeover[direction.index()]
    }

    fn parse(extension: &[u8]) -> Option<Self> {
        let mut parts = extension.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        parts.next().filter(|name| name.eq_ignore_ascii_case(b"permessage-deflate"))?;
        let mut deflate = Self::default();
        for parameter in parts {
            let name = parameter.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii_end();
            if name.eq_ignore_ascii_case(b"client_no_context_takeover") {
                deflate.no_takeover[Direction::ClientToServer.index()] = true;
            } else if name.eq_ignore_ascii_case(b"server_no_context_takeover") {
                deflate.no_takeover[Direction::ServerToClient.index()] = true;
            }
        }
        Some(deflate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(values: &[&str]) -> Option<[bool; 2]> {
        let mut fields = Fields::default();
        for value in values {
            fields.push(b"sec-WebSocket-extensions", value.as_bytes());
        }
        Deflate::agreed(&fields).map(|deflate| Direction::BOTH.map(|direction| deflate.takeover(direction)))
    }

    #[test]
    fn says_who_keeps_the_context() {
        assert_eq!(agreed(&[]), None);
        assert_eq!(agreed(&["permessage-deflate"]), Some([true, true]));
        assert_eq!(agreed(&["permessage-deflate; server_no_context_takeover"]), Some([true, false]));
        assert_eq!(agreed(&["Permessage-Deflate;client_no_context_takeover"]), Some([false, true]));
        assert_eq!(
            agreed(&[
                "x-other; a=b, permessage-deflate ; client_max_window_bits = \"10\" ; server_no_context_takeover"
            ]),
            Some([true, false])
        );
        assert_eq!(agreed(&["x-other", "permessage-deflate; server_max_window_bits=9"]), Some([true, true]));
        assert_eq!(agreed(&["x-webkit-deflate-frame", "permessage-bzip2", "", " ;,"]), None);
    }
}
