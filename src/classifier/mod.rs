//! An exchange's kind, and the few facts that people look for first.
//!
//! Runs where the body has been decoded: on the writer, not on the connection's task.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::exchange::{AbortedBy, ExchangeId};
use crate::rules::Kind;

/// What the line on stderr (and later the live view) says about a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub id: ExchangeId,
    pub kind: Kind,
    pub rule: Arc<str>,
    pub began: SystemTime,
    pub user: Option<Arc<str>>,
    pub host: String,
    pub path: String,
    pub method: String,
    /// None when no response came.
    pub status: Option<u16>,
    /// `vscode/1.95.3`, from `Editor-Version`.
    pub editor: Option<String>,
    /// Programming language of a completion (`extra.language`).
    pub language: Option<String>,
    /// `model` of the request body, or the engine in the path.
    pub model: Option<String>,
    /// First request byte to last response byte.
    pub duration: Option<Duration>,
    /// Decoded body sizes.
    pub request_size: u64,
    pub response_size: u64,
    pub complete: bool,
    pub aborted_by: Option<AbortedBy>,
}
