//! Credentials checked: success remembered, failure slowed.
//!
//! ```text
//! header ─▶ parse ─▶ remembered? ──yes──▶ Allowed                            (about 1 µs)
//!                         │no
//!                         ▼
//!            known to be wrong? ──yes──▶ slower with each repeat ─▶ Refused  (no hash)
//!                         │no
//!                         ▼
//!       somebody checks the same? ──yes──▶ wait for that outcome
//!                         │no
//!                         ▼
//!       the address failed lately? ─▶ wait ─▶ argon2 (two at a time) ─▶ Allowed or Refused
//! ```

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::basic::Credentials;
use super::file;
use super::memory::{Memory, Tag};
use super::password::{self, PasswordError};
use super::roles::Roles;
use super::throttle::{Throttle, Turn, delay};
use super::users::{Users, UsersError};
use crate::stamp::Stamp;

/// Hashes computed at once: each takes a core and 19 MiB, and the relay needs the cores too.
const HASHERS: usize = 2;

/// Logins that may wait for a hash or sit out a delay. Beyond, one is refused at once.
const MAX_WAITING: usize = 4096;

/// How often the users file is looked at while all logins are remembered ones.
const LOOK_MILLIS: u64 = 1000;

/// What a set of credentials is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are this user's.
    Allowed(Arc<str>),
    /// There are none, or none that the Basic scheme can read: ask for them.
    Challenge,
    /// They are wrong, or there are too many attempts: ask again.
    Refused,
}

/// What the users file says of somebody now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name as the file has it.
    pub name: Arc<str>,
    /// What the user may see of the records.
    pub roles: Roles,
    /// Differs for each user, password and process, and says nothing about the password: what was granted with
    /// another value was granted to somebody else, or for a password of before.
    pub tie: [u8; 32],
}

/// Checks credentials against a users file that may change at any time. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    path: PathBuf,
    users: RwLock<Arc<Users>>,
    file: Mutex<FileState>,
    start: Instant,
    /// When the file was last looked at, in milliseconds since `start`.
    looked: AtomicU64,
    memory: Memory,
    throttle: Mutex<Throttle>,
    /// Checks that run now; whoever brings the same credentials waits for the sender to go.
    flights: Mutex<HashMap<Tag, watch::Receiver<()>>>,
    hashers: Arc<Semaphore>,
    waiting: Semaphore,
    /// Checked for names that do not exist, so that they cannot be told from wrong passwords by time.
    dummy: Arc<str>,
}

struct FileState {
    stamp: Option<Stamp>,
    complaint: Option<String>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authenticator({})", self.0.path.display())
    }
}

impl Authenticator {
    /// Reads the users file. Blocks for some 25 ms.
    ///
    /// # Errors
    /// Where the file is missing, unreadable or malformed.
    pub fn open(path: &Path) -> Result<Self, UsersError> {
        let (users, stamp) = Users::load_stamped(path)?;
        warn_if_exposed(path);
        if users.is_empty() {
            warn!("users file {}: nobody is in it, so nobody can log in", path.display());
        }
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            users: RwLock::new(Arc::new(users)),
            file: Mutex::new(FileState { stamp: Some(stamp), complaint: None }),
            start: Instant::now(),
            looked: AtomicU64::new(0),
            memory: Memory::new().ok_or(PasswordError::Random)?,
            throttle: Mutex::default(),
            flights: Mutex::default(),
            hashers: Arc::new(Semaphore::new(HASHERS)),
            waiting: Semaphore::new(MAX_WAITING),
            dummy: password::hash_password(&password::generate_password()?)?.into(),
        })))
    }

    /// Whose credentials a header claims to hold: the user of that name, if there is one. `None`: it holds none that
    /// can be read. Says nothing of whether they are right.
    #[must_use]
    pub fn claimed(&self, header: Option<&[u8]>) -> Option<Option<Arc<str>>> {
        let credentials = header.and_then(Credentials::parse)?;
        Some(lock_read(&self.0.users).find(&credentials.user).map(|user| Arc::clone(&user.name)))
    }

    /// Checks the value of `Proxy-Authorization`.
    ///
    /// Remembered credentials are answered at once. Others cost a hash, and wait where their address failed lately.
    /// Dropping the future gives the attempt up; a hash that has begun still counts.
    pub async fn check(&self, header: Option<&[u8]>, peer: IpAddr) -> Verdict {
        let Some(credentials) = header.and_then(Credentials::parse) else { return Verdict::Challenge };
        self.check_credentials(credentials, peer).await
    }

    /// Checks what was typed into a form, with the memory and the delays that [`Self::check`] has.
    pub async fn check_password(&self, name: &str, password: &str, peer: IpAddr) -> Verdict {
        // No user's name holds a colon, and the memory tells names from passwords by the first one.
        if name.contains(':') {
            return Verdict::Refused;
        }
        self.check_credentials(Credentials { user: name.to_owned(), password: password.to_owned() }, peer).await
    }

    /// What the users file says of this name now; `None` where it is not there. Looks at the file each time (one
    /// `stat`), so that what a removed user was granted ends with the removal.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<Account> {
        self.0.look();
        let users = Arc::clone(&lock_read(&self.0.users));
        let user = users.find(name)?;
        Some(Account { name: Arc::clone(&user.name), roles: user.roles, tie: self.0.memory.tie(user) })
    }

    /// The roles of the user of this name in the file as it is now; `None` where there is no such user.
    #[must_use]
    pub fn roles_of(&self, name: &str) -> Option<Roles> {
        self.account(name).map(|account| account.roles)
    }

    async fn check_credentials(&self, credentials: Credentials, peer: IpAddr) -> Verdict {
        let inner = &self.0;
        let tag = inner.memory.tag(&credentials);
        inner.look_now_and_then();
        if let Some(user) = inner.memory.good(&tag, &lock_read(&inner.users)) {
            return Verdict::Allowed(user);
        }
        inner.look();
        match inner.waiting.try_acquire() {
            Ok(_place) => inner.check_unknown(credentials, tag, peer).await,
            Err(_) => Verdict::Refused,
        }
    }
}

impl Inner {
    async fn check_unknown(self: &Arc<Self>, credentials: Credentials, tag: Tag, peer: IpAddr) -> Verdict {
        loop {
            let users = Arc::clone(&lock_read(&self.users));
            if let Some(user) = self.memory.good(&tag, &users) {
                return Verdict::Allowed(user);
            }
            let user = users.find(&credentials.user);
            if let Some(repeats) = self.memory.bad_again(&tag, user.map(|user| &user.hash)) {
                // Not a new guess, so it does not count against the address: an editor with a stale password must not
                // slow the people behind the same NAT.
                sleep(delay(repeats)).await;
                return Verdict::Refused;
            }
            match self.board(tag) {
                Seat::Passenger(mut landed) => {
                    // The error says that the sender is gone, which is what is waited for.
                    let _ = landed.changed().await;
                }
                Seat::Pilot(_flight) => {
                    let Some(permit) = self.turn(peer).await else { return Verdict::Refused };
                    return self.hash(&users, credentials, tag, peer, permit).await;
                }
            }
        }
    }

    /// Waits for a hasher, and before that for as long as the address's failures ask; `None` is a refusal.
    async fn turn(&self, peer: IpAddr) -> Option<OwnedSemaphorePermit> {
        let mut waited = false;
        loop {
            let permit = Arc::clone(&self.hashers).acquire_owned().await.ok()?;
            if waited {
                return Some(permit);
            }
            // Asked with the permit in hand: of many guesses that come at once, all but the first few then see that
            // those have failed.
            let turn = lock(&self.throttle).turn(peer, Instant::now());
            match turn {
                Turn::Wait(time) if time.is_zero() => return Some(permit),
                Turn::Wait(time) => {
                    drop(permit);
                    sleep(time).await;
                    waited = true;
                }
                Turn::Refused => return None,
            }
        }
    }

    async fn hash(
        self: &Arc<Self>,
        users: &Users,
        credentials: Credentials,
        tag: Tag,
        peer: IpAddr,
        permit: OwnedSemaphorePermit,
    ) -> Verdict {
        let user = users.find(&credentials.user).cloned();
        let inner = Arc::clone(self);
        let outcome = spawn_blocking(move || {
            let _permit = permit;
            let against = user.as_ref().map_or(&inner.dummy, |user| &user.hash);
            let right = password::verify(&credentials.password, against);
            // Recorded here and not by the caller, who may be gone: hanging up early must not make a guess free.
            match user {
                Some(user) if right => {
                    inner.memory.remember_good(tag, Arc::clone(&user.name), user.hash);
                    Verdict::Allowed(user.name)
                }
                user => {
                    // A name that does not exist may be a password typed into the wrong field.
                    let known = user.as_ref().map_or("(unknown)", |user| &user.name);
                    info!(client = %peer, user = ?known, "Login failed");
                    lock(&inner.throttle).failed(peer, Instant::now());
                    inner.memory.remember_bad(tag, user.map(|user| user.hash));
                    Verdict::Refused
                }
            }
        });
        outcome.await.unwrap_or_else(|failure| {
            error!(%failure, "A password check ended early");
            Verdict::Refused
        })
    }

    fn board(self: &Arc<Self>, tag: Tag) -> Seat {
        let mut flights = lock(&self.flights);
        if let Some(landed) = flights.get(&tag) {
            return Seat::Passenger(landed.clone());
        }
        let (sender, landed) = watch::channel(());
        flights.insert(tag, landed);
        Seat::Pilot(Flight { inner: Arc::clone(self), tag, _sender: sender })
    }

    fn look_now_and_then(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.looked.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= LOOK_MILLIS;
        if due && self.looked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.look();
        }
    }

    /// Reads the users file again where it has changed. Done in place: it is one `stat`, and then a small file.
    fn look(&self) {
        let mut file = lock(&self.file);
        let stamp = Stamp::now(&self.path);
        if stamp.is_some() && stamp == file.stamp {
            return;
        }
        match Users::load_stamped(&self.path) {
            Ok((users, stamp)) => {
                *file = FileState { stamp: Some(stamp), complaint: None };
                warn_if_exposed(&self.path);
                info!(users = users.len(), "Users file read again");
                *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
            }
            Err(failure) => {
                // What is malformed stays so until it changes; what could not be read may be readable next time.
                file.stamp = if matches!(failure, UsersError::Malformed { .. }) { stamp } else { None };
                let complaint = failure.to_string();
                if file.complaint.as_ref() != Some(&complaint) {
                    warn!("{complaint}; the users of before stay as they were");
                    file.complaint = Some(complaint);
                }
            }
        }
    }
}

/// Who checks, and who waits for the same check.
enum Seat {
    Pilot(Flight),
    Passenger(watch::Receiver<()>),
}

/// A check that runs. Those who wait go on when it is dropped, however it ended.
struct Flight {
    inner: Arc<Inner>,
    tag: Tag,
    _sender: watch::Sender<()>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.inner.flights).remove(&self.tag);
    }
}

fn warn_if_exposed(path: &Path) {
    if file::open_to_others(path) {
        warn!("users file {}: other people on this machine can read or change it; chmod 600 it", path.display());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock_read<T>(value: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    value.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
