//! What is asked of the records: one layer for the command line, the pages and the API.
//!
//! Makes of the index, the files and the figures what somebody wants to know. Knows nothing of terminals or HTTP.

pub mod coverage;
pub mod pool;
