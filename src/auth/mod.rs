//! Who may use the proxy: the users file, Basic credentials, and slowed failures.
//!
//! Given the value of a `Proxy-Authorization` header, or a name and a password, and the peer's address, hands on a
//! [`Verdict`]. Says what [`Roles`] a user has and leaves it to others what those mean. Knows nothing of CONNECT, of
//! tunnels, or of HTTP beyond that one value.

pub mod basic;
pub mod roles;
pub mod users;
pub mod verify;

mod file;
mod memory;
mod password;
mod throttle;

pub use password::{PasswordError, generate_password, hash_password};
pub use roles::{Role, Roles, UnknownRole};
pub use users::{User, Users, UsersError};
pub use verify::{Account, Authenticator, Verdict};
