//! What the tests of several pages need.

use std::path::Path;

use super::access::Access;
use super::{Problem, Site};
use crate::config::Web;

/// The pages on a folder of records, without login.
pub(in crate::web) fn site(logs: &Path) -> Site {
    let listen = ([127, 0, 0, 1], 0).into();
    let web = Web { listen, is_default: true, hosts: Vec::new(), login: false, users: None };
    let access = Access::new(&web, logs, None, 0, None).expect("random bytes are for a login only");
    Site::new(logs, web, access, None)
}

/// Waits until the index is there: where many tests run at once that may take longer than a page waits for it.
pub(in crate::web) async fn ready(site: &Site) {
    while let Err(Problem::Building(_)) = site.ask(|_| Ok(())).await {}
}
