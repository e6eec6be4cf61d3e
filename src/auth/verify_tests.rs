use std::fs;
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// A hash that costs nothing, so that tests may check thousands.
fn cheap(password: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash: PasswordHash = argon2.hash_password(password.as_bytes()).unwrap();
    hash.to_string()
}

struct Fixture {
    dir: tempfile::TempDir,
    auth: Authenticator,
}

impl Fixture {
    fn new(users: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("users.toml"), users);
        let mut auth = Authenticator::open(&dir.path().join("users.toml")).unwrap();
        Arc::get_mut(&mut auth.0).unwrap().dummy = cheap("dummy").into();
        Self { dir, auth }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("users.toml")
    }

    async fn check(&self, user: &str, password: &str) -> Verdict {
        self.auth.check(Some(&header(user, password)), PEER).await
    }

    /// The verdict, and how long it took on the paused clock.
    async fn timed(&self, user: &str, password: &str) -> (Verdict, Duration) {
        let start = Instant::now();
        (self.check(user, password).await, start.elapsed())
    }
}

fn write(path: &Path, users: &[(&str, &str)]) {
    let rows = users.iter().map(|(name, pw)| format!("[[user]]\nname = '{name}'\nhash = '{}'\n", cheap(pw)));
    let new = path.with_extension("new");
    fs::write(&new, rows.collect::<String>()).unwrap();
    fs::rename(new, path).unwrap();
}

fn header(user: &str, password: &str) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))).into_bytes()
}

fn allowed(user: &str) -> Verdict {
    Verdict::Allowed(user.into())
}

#[tokio::test]
async fn right_is_allowed_wrong_is_refused_and_nothing_is_challenged() {
    let fixture = Fixture::new(&[("ann", "p@ss:w/%rd"), ("josé", "é")]);
    assert_eq!(fixture.check("ann", "p@ss:w/%rd").await, allowed("ann"));
    assert_eq!(fixture.check("josé", "é").await, allowed("josé"));
    assert_eq!(fixture.check("ann", "p@ss").await, Verdict::Refused);
    assert_eq!(fixture.check("Ann", "p@ss:w/%rd").await, Verdict::Refused);
    assert_eq!(fixture.check("", "").await, Verdict::Refused);
    for header in [None, Some(b"Bearer x".as_slice()), Some(b"Basic !"), Some(b"")] {
        assert_eq!(fixture.auth.check(header, PEER).await, Verdict::Challenge);
    }
}

#[tokio::test]
async fn a_removed_user_and_a_changed_password_count_at_once() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    assert_eq!(fixture.check("bob", "two").await, allowed("bob"));
    assert_eq!(fixture.check("bob", "new").await, Verdict::Refused);
    write(&fixture.path(), &[("bob", "new")]);
    assert_eq!(fixture.check("bob", "new").await, allowed("bob"), "wrong before, right now");
    assert_eq!(fixture.check("bob", "two").await, Verdict::Refused, "remembered, but of the old hash");
    assert_eq!(fixture.check("ann", "one").await, Verdict::Refused, "remembered, but gone");
    write(&fixture.path(), &[("ann", "one"), ("bob", "new")]);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_within_a_second_by_remembered_users() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    write(&fixture.path(), &[("bob", "two")]);
    tokio::time::advance(Duration::from_millis(LOOK_MILLIS)).await;
    assert_eq!(fixture.check("ann", "one").await, Verdict::Refused);
}

#[tokio::test]
async fn a_broken_or_missing_file_leaves_the_users_as_they_were() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    fs::write(fixture.path(), "[[user]]\nname = ann\n").unwrap();
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    let complaint = lock(&fixture.auth.0.file).complaint.clone().unwrap();
    assert!(complaint.contains("line 2"), "{complaint}");
    fs::remove_file(fixture.path()).unwrap();
    assert_eq!(fixture.check("bob", "two").await, allowed("bob"));
    write(&fixture.path(), &[("carl", "three")]);
    assert_eq!(fixture.check("carl", "three").await, allowed("carl"));
    assert_eq!(fixture.check("bob", "two").await, Verdict::Refused);
    assert_eq!(lock(&fixture.auth.0.file).complaint, None);
}

#[tokio::test]
async fn the_same_credentials_at_the_same_time_cost_one_hash() {
    let fixture = Fixture::new(&[("ann", "one")]);
    // All hashers are taken, so every check is still waiting when the last has come.
    let hashers = Arc::clone(&fixture.auth.0.hashers).acquire_many_owned(HASHERS as u32).await.unwrap();
    let checks: Vec<_> = (0..50)
        .map(|_| {
            let auth = fixture.auth.clone();
            tokio::spawn(async move { auth.check(Some(&header("ann", "one")), PEER).await })
        })
        .collect();
    while fixture.auth.0.waiting.available_permits() > MAX_WAITING - 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(lock(&fixture.auth.0.flights).len(), 1);
    drop(hashers);
    for check in checks {
        assert_eq!(check.await.unwrap(), allowed("ann"));
    }
    assert!(lock(&fixture.auth.0.flights).is_empty());
    assert_eq!(fixture.auth.0.waiting.available_permits(), MAX_WAITING);
}

#[tokio::test]
async fn who_waits_goes_on_when_the_one_who_checks_hangs_up() {
    let fixture = Fixture::new(&[("ann", "one")]);
    let hashers = Arc::clone(&fixture.auth.0.hashers).acquire_many_owned(HASHERS as u32).await.unwrap();
    let check = |auth: Authenticator| tokio::spawn(async move { auth.check(Some(&header("ann", "one")), PEER).await });
    let first = check(fixture.auth.clone());
    while lock(&fixture.auth.0.flights).is_empty() {
        tokio::task::yield_now().await;
    }
    let second = check(fixture.auth.clone());
    while fixture.auth.0.waiting.available_permits() > MAX_WAITING - 2 {
        tokio::task::yield_now().await;
    }
    first.abort();
    drop(hashers);
    assert_eq!(second.await.unwrap(), allowed("ann"));
}

#[tokio::test(start_paused = true)]
async fn guesses_from_one_address_get_slower_and_those_remembered_do_not() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    let mut millis = Vec::new();
    for n in 0..10 {
        let (verdict, time) = fixture.timed("ann", &format!("guess {n}")).await;
        assert_eq!(verdict, Verdict::Refused);
        millis.push(time.as_millis());
    }
    assert_eq!(
        millis.iter().map(|ms| ms / 50 * 50).collect::<Vec<_>>(),
        [0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 5000]
    );
    let (verdict, time) = fixture.timed("ann", "one").await;
    assert_eq!((verdict, time), (allowed("ann"), Duration::ZERO), "remembered: never slowed");
    let (verdict, time) = fixture.timed("bob", "two").await;
    assert_eq!(verdict, allowed("bob"));
    assert!(time >= Duration::from_secs(4), "not remembered: as slow as a guess, else the time would tell");
    let start = Instant::now();
    let other = fixture.auth.check(Some(&header("ann", "x")), "198.51.100.1".parse().unwrap()).await;
    assert_eq!(other, Verdict::Refused);
    assert!(start.elapsed() < Duration::from_millis(100), "another address");
}

#[tokio::test(start_paused = true)]
async fn one_stale_password_repeated_slows_itself_and_nobody_else() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    let mut times = Vec::new();
    for _ in 0..12 {
        let (verdict, time) = fixture.timed("ann", "stale").await;
        assert_eq!(verdict, Verdict::Refused);
        times.push(time);
    }
    assert!(times[1] < Duration::from_millis(50) && times[11] >= Duration::from_secs(5), "{times:?}");
    let (verdict, time) = fixture.timed("bob", "two").await;
    assert_eq!(verdict, allowed("bob"));
    assert!(time < Duration::from_millis(50), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_guesses_is_refused_unheard() {
    let fixture = Fixture::new(&[("ann", "one")]);
    let checks: Vec<_> = (0..200)
        .map(|n| {
            let auth = fixture.auth.clone();
            tokio::spawn(async move { auth.check(Some(&header("ann", &format!("guess {n}"))), PEER).await })
        })
        .collect();
    for check in checks {
        assert_eq!(check.await.unwrap(), Verdict::Refused);
    }
    let heard = fixture.auth.0.memory.bad_count();
    // Sixty places of 0.25 s in a queue of 15 s, and the few before the first delay.
    assert!(heard < 80, "{heard} of 200 guesses were tried");
    assert!(lock(&fixture.auth.0.flights).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unused_login_is_forgotten_and_a_used_one_is_not() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let fixture = Fixture::new(&[("ann", "one")]);
    let remembered = |fixture: &Fixture| {
        let credentials = Credentials::parse(&header("ann", "one")).unwrap();
        let tag = fixture.auth.0.memory.tag(&credentials);
        fixture.auth.0.memory.good(&tag, &lock_read(&fixture.auth.0.users)).is_some()
    };
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    for _ in 0..3 {
        tokio::time::advance(5 * DAY).await;
        assert!(remembered(&fixture));
    }
    tokio::time::advance(8 * DAY).await;
    assert!(!remembered(&fixture));
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
}

#[tokio::test]
async fn too_many_waiting_logins_are_refused_and_remembered_ones_are_not() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "two")]);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
    let _all = fixture.auth.0.waiting.acquire_many(MAX_WAITING as u32).await.unwrap();
    assert_eq!(fixture.check("bob", "two").await, Verdict::Refused);
    assert_eq!(fixture.check("ann", "one").await, allowed("ann"));
}

#[tokio::test(start_paused = true)]
async fn a_form_and_a_header_share_what_is_remembered_and_what_is_slowed() {
    let fixture = Fixture::new(&[("ann", "p:w"), ("bob", "two")]);
    let form = |name: &'static str, password: String| {
        let auth = fixture.auth.clone();
        async move { auth.check_password(name, &password, PEER).await }
    };
    assert_eq!(form("ann", "p:w".into()).await, allowed("ann"));
    assert_eq!(form("ann:p", "w".into()).await, Verdict::Refused, "cut in another place, the same bytes");
    for n in 0..5 {
        assert_eq!(form("ann", format!("guess {n}")).await, Verdict::Refused);
    }
    let (verdict, time) = fixture.timed("ann", "p:w").await;
    assert_eq!((verdict, time), (allowed("ann"), Duration::ZERO), "the proxy remembers what the form was told");
    let (verdict, time) = fixture.timed("bob", "wrong").await;
    assert_eq!(verdict, Verdict::Refused);
    assert!(time >= Duration::from_millis(500), "the proxy counts what the form was told: {time:?}");
}

#[tokio::test]
async fn an_account_is_what_the_file_says_now_and_its_tie_ends_with_the_password() {
    let fixture = Fixture::new(&[("ann", "one"), ("bob", "one")]);
    let before = fixture.auth.account("ann").unwrap();
    assert_eq!((&*before.name, before.roles), ("ann", Roles::OWN));
    assert_eq!(fixture.auth.account("ann").unwrap(), before);
    assert_ne!(fixture.auth.account("bob").unwrap().tie, before.tie);
    assert_eq!(fixture.auth.account("Ann"), None);

    let text = fs::read_to_string(fixture.path()).unwrap();
    fs::write(fixture.path(), text.replacen("\n[[user]]", "\nroles = ['statistics']\n[[user]]", 1)).unwrap();
    let role = fixture.auth.account("ann").unwrap();
    assert_eq!(role.roles.to_string(), "statistics");
    assert_eq!(role.tie, before.tie, "another role, the same password");

    write(&fixture.path(), &[("ann", "one")]);
    assert_ne!(fixture.auth.account("ann").unwrap().tie, before.tie, "the same password hashed again");
    assert_eq!(fixture.auth.roles_of("bob"), None);
}

#[test]
fn debug_shows_the_path_alone() {
    let fixture = Fixture::new(&[("ann", "one")]);
    assert_eq!(format!("{:?}", fixture.auth), format!("Authenticator({})", fixture.path().display()));
}
