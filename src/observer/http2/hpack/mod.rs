//! HPACK, the compression of HTTP/2 header fields (RFC 7541): the decoding half.
//!
//! Given complete header blocks, hands on fields one by one. Keeps the dynamic table and nothing else between blocks.

mod decoder;
mod huffman;
mod integer;
mod static_table;
mod table;

pub(in crate::observer) use decoder::{Decoder, Error};
