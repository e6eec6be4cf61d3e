//! Decoded header blocks to heads (RFC 9113 section 8.3).

use crate::observer::event::{Fields, RequestHead, ResponseHead, Version};
use crate::observer::http2::hpack;
use crate::observer::keep::Keeper;

/// A header block with its pseudo-header fields set apart.
#[derive(Debug)]
pub(super) struct Block {
    pseudo: Fields,
    keeper: Keeper,
    /// Bytes of the block, compressed.
    wire_size: u64,
    /// Seen even where there is no room to keep it, because the framing hangs on it.
    status: Option<Result<u16, ()>>,
    protocol: bool,
}

impl Block {
    /// Decodes a complete block, keeping up to `cap` bytes of it. All of it is decoded in any case, as the table of
    /// `decoder` has to follow the sender's.
    pub(super) fn decode(decoder: &mut hpack::Decoder, bytes: &[u8], cap: usize) -> Result<Self, &'static str> {
        let mut block = Self {
            pseudo: Fields::default(),
            keeper: Keeper::new(cap),
            wire_size: bytes.len() as u64,
            status: None,
            protocol: false,
        };
        decoder.decode(bytes, &mut |name, value| block.field(name, value)).map_err(hpack::Error::reason)?;
        Ok(block)
    }

    /// What `:status` says, if there is one.
    pub(super) fn status(&self) -> Option<Result<u16, ()>> {
        self.status
    }

    /// Whether this is an extended CONNECT (RFC 8441 section 4) or a plain one.
    pub(super) fn is_connect(&self) -> bool {
        self.protocol || self.pseudo.first(":method") == Some(b"CONNECT")
    }

    /// The block as a request's head; none when it has no method.
    pub(super) fn into_request(self) -> Option<RequestHead> {
        let own = |name| self.pseudo.first(name).map(<[u8]>::to_vec);
        let method = own(":method");
        if method.is_none() && !self.keeper.truncated {
            return None;
        }
        Some(RequestHead {
            method: method.unwrap_or_default(),
            target: own(":path").unwrap_or_default(),
            authority: own(":authority"),
            version: Version::Http2,
            pseudo: self.pseudo,
            fields: self.keeper.fields,
            wire_size: self.wire_size,
            truncated: self.keeper.truncated,
        })
    }

    /// The block as a response's head.
    pub(super) fn into_response(self, status: u16) -> ResponseHead {
        ResponseHead {
            status,
            reason: Vec::new(),
            version: Version::Http2,
            fields: self.keeper.fields,
            wire_size: self.wire_size,
            truncated: self.keeper.truncated,
        }
    }

    /// The block as trailers.
    pub(super) fn into_trailers(self) -> Fields {
        self.keeper.fields
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        if name.first() != Some(&b':') {
            self.keeper.push(name, value);
            return;
        }
        match name {
            b":status" => self.status = Some(parse_status(value)),
            b":protocol" => self.protocol = true,
            _ => {}
        }
        // Twice, because `RequestHead` has the method, the path and the authority a second time.
        if self.keeper.take(name.len() + 2 * value.len() + Fields::OVERHEAD) {
            self.pseudo.push(name, value);
        }
    }
}

fn parse_status(value: &[u8]) -> Result<u16, ()> {
    match value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Ok([a, b, c].iter().fold(0, |status, &&digit| status * 10 + u16::from(digit - b'0')))
        }
        _ => Err(()),
    }
}
