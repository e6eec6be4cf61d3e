//! Who may use the proxy: the users file, Basic credentials, and slowed failures.
//!
//! Given the value of a `Proxy-Authorization` header and the peer's address, hands on a [`Verdict`]. Knows nothing of
//! CONNECT, of tunnels, or of HTTP beyond that one value.

pub mod basic;
pub mod users;
pub mod verify;

mod file;
mod memory;
mod password;
mod throttle;

pub use password::{PasswordError, generate_password, hash_password};
pub use users::{User, Users, UsersError};
pub use verify::{Authenticator, Verdict};
