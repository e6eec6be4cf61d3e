//! HAR 1.2 (HTTP Archive), for the network panels of browsers and for other tools.
//!
//! One JSON document, written entry by entry: nothing but the ids of the tunnels seen is kept.

mod entry;
mod url;
mod websocket;

use std::collections::HashSet;
use std::io::{self, Write};

use serde::Serialize;

use crate::archive::Record;
use entry::Entry;

/// Writes one HAR document.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    entries: u64,
    /// Tunnels that had an entry: their connecting is told once. 16 bytes each, for as many tunnels as the export has.
    tunnels: HashSet<u128>,
}

#[derive(Serialize)]
struct Creator {
    name: &'static str,
    version: &'static str,
}

impl<W: Write> Writer<W> {
    /// Writes the document's beginning to `out`, which should be buffered.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(br#"{"log":{"version":"1.2","creator":"#)?;
        let creator = Creator { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
        serde_json::to_writer(&mut out, &creator)?;
        out.write_all(br#","entries":["#)?;
        Ok(Self { out, entries: 0, tunnels: HashSet::new() })
    }

    /// Writes one exchange.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn add(&mut self, record: &Record) -> io::Result<()> {
        self.out.write_all(if self.entries == 0 { b"\n" } else { b",\n" })?;
        let opened_tunnel = self.is_first_of_its_tunnel(record);
        serde_json::to_writer(&mut self.out, &Entry::of(record, opened_tunnel))?;
        self.entries += 1;
        Ok(())
    }

    fn is_first_of_its_tunnel(&mut self, record: &Record) -> bool {
        let id = record.connection.as_deref().and_then(|text| uuid::Uuid::parse_str(text).ok());
        id.is_some_and(|id| self.tunnels.insert(id.as_u128()))
    }

    /// Ends the document and gives back what it was written to.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests;
