//! What the tests of several pages need.

use std::path::Path;

use super::Site;
use super::access::Access;
use crate::config::Web;

/// The pages on a folder of records, without login.
pub(in crate::web) fn site(logs: &Path) -> Site {
    let listen = ([127, 0, 0, 1], 0).into();
    let web = Web { listen, is_default: true, hosts: Vec::new(), login: false, users: None };
    let access = Access::new(&web, logs, None, 0, None).expect("random bytes are for a login only");
    Site::new(logs, web, access, None)
}
