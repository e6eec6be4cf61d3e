//! Header blocks to fields (RFC 7541 sections 3 and 6).

use super::table::Table;
use super::{huffman, integer};

/// The size of a dynamic table that nobody has spoken about (RFC 9113 section 6.5.2).
const DEFAULT_TABLE_SIZE: u32 = 4096;

/// Text of literals is decoded into buffers that are kept; one that grew beyond this is given back.
const SCRATCH: usize = 4096;

/// The reading end of one direction's compression.
#[derive(Debug)]
pub(in crate::observer) struct Decoder {
    table: Table,
    /// The largest table that the sender may ask for.
    limit: usize,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// Why a header block cannot be read. The table is lost with it, and so is everything that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::observer) enum Error {
    /// The block ends within a field.
    Short,
    /// An integer of more than 32 bits.
    Integer,
    /// A string that is not Huffman code, or its padding is wrong.
    Huffman,
    /// Neither table has that entry.
    Index,
    /// More table asked for than the other side allowed.
    TableSize,
}

impl Error {
    /// What is said of it in [`Event::Malformed`](crate::observer::Event::Malformed).
    pub(in crate::observer) fn reason(self) -> &'static str {
        match self {
            Self::Short => "HPACK: header block cut short",
            Self::Integer => "HPACK: integer too large",
            Self::Huffman => "HPACK: not a Huffman code",
            Self::Index => "HPACK: no such table entry",
            Self::TableSize => "HPACK: table larger than allowed",
        }
    }
}

impl Decoder {
    /// A decoder with the table that every connection begins with.
    pub(in crate::observer) fn new() -> Self {
        let size = DEFAULT_TABLE_SIZE as usize;
        Self { table: Table::new(size), limit: size, name: Vec::new(), value: Vec::new() }
    }

    /// Decodes one block, which must be complete, and hands on each field with its name and value.
    pub(in crate::observer) fn decode(
        &mut self,
        mut block: &[u8],
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Error> {
        let result = loop {
            if block.is_empty() {
                break Ok(());
            }
            if let Err(error) = self.representation(&mut block, field) {
                break Err(error);
            }
        };
        for scratch in [&mut self.name, &mut self.value] {
            scratch.clear();
            scratch.shrink_to(SCRATCH);
        }
        result
    }

    /// The other side announced a SETTINGS_HEADER_TABLE_SIZE.
    ///
    /// The largest one stays: a smaller one counts from its acknowledgement, and until then, which we would have to
    /// follow across both directions, the sender may use the larger. A sender that keeps to the smaller announces it
    /// in its blocks.
    pub(in crate::observer) fn allow(&mut self, size: u32) {
        self.limit = self.limit.max(size as usize);
    }

    /// Bytes of the dynamic table as the RFC counts them.
    pub(in crate::observer) fn table_size(&self) -> usize {
        self.table.size()
    }

    /// One of the five ways to write a field (section 6); the bits are those of the first byte.
    fn representation(&mut self, block: &mut &[u8], field: &mut impl FnMut(&[u8], &[u8])) -> Result<(), Error> {
        match block[0] {
            // 1xxxxxxx: indexed field (6.1)
            0x80.. => {
                let (name, value) = self.table.get(integer::decode(block, 7)?)?;
                field(name, value);
                Ok(())
            }
            // 01xxxxxx: literal, added to the table (6.2.1)
            0x40.. => self.literal(block, 6, true, field),
            // 001xxxxx: new size of the table (6.3)
            0x20.. => {
                let size = integer::decode(block, 5)?;
                if size > self.limit {
                    return Err(Error::TableSize);
                }
                self.table.resize(size);
                Ok(())
            }
            // 0000xxxx: literal not added (6.2.2); 0001xxxx: never to be added by anyone (6.2.3)
            _ => self.literal(block, 4, false, field),
        }
    }

    fn literal(
        &mut self,
        block: &mut &[u8],
        prefix: u32,
        add: bool,
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Error> {
        let index = integer::decode(block, prefix)?;
        let own_name = if index == 0 { Some(string(block, &mut self.name)?) } else { None };
        let value = string(block, &mut self.value)?;
        match own_name {
            Some(name) => {
                field(name, value);
                if add {
                    self.table.insert(name, value);
                }
            }
            None => {
                field(self.table.get(index)?.0, value);
                if add {
                    self.table.insert_named(index, value)?;
                }
            }
        }
        Ok(())
    }
}

/// A string literal (section 5.2), from the block itself or decoded into `scratch`.
fn string<'a, 'b: 'a>(block: &mut &'b [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
    let coded = block.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = integer::decode(block, 7)?;
    let (text, rest) = block.split_at_checked(length).ok_or(Error::Short)?;
    *block = rest;
    if !coded {
        return Ok(text);
    }
    scratch.clear();
    huffman::decode(text, scratch)?;
    Ok(scratch)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
