//! What is asked of the records: for the command line, the pages and the API alike.
//!
//! Given an index and a question (an id, filters, words), hands back what is to be shown, as data. It knows nothing of
//! terminals, HTML or HTTP, nor of who may see what.

pub mod amounts;
pub mod cells;
pub mod conversation;
pub mod coverage;
pub mod difference;
pub mod figures;
pub mod fuzz;
pub mod kept;
pub mod params;
pub mod pool;
pub mod query;
pub mod row;
pub mod search;
pub mod subject;
pub mod tally;
pub mod text;
pub mod timing;
pub mod told;
pub mod values;
pub mod words;
