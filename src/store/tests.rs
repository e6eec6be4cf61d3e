use std::os::unix::fs::PermissionsExt;

use super::testing::{TestClock, TestDisk, exchange};
use super::writer::tests::{COMPLETION, settings};
use super::*;

#[test]
fn any_bytes_in_a_spool_file() {
    let mut file = spool::MAGIC.to_vec();
    spool::push_head(&mut file, &crate::exchange::to_snapshot(&exchange(COMPLETION, b"", b"")));
    spool::push_body(&mut file, true, Duration::MAX, b"bytes");
    fuzz::fuzz_spool(&file);
    fuzz::fuzz_spool(b"");
    proptest::proptest!(|(at in 0..file.len(), noise in proptest::collection::vec(proptest::num::u8::ANY, 0..40))| {
        let mut damaged = file.clone();
        damaged.splice(at.., noise);
        fuzz::fuzz_spool(&damaged);
    });
}

fn quiet() -> OnRecord {
    Box::new(|_, _| ())
}

fn finish() -> Action {
    Action::Finish(Box::new(exchange(COMPLETION, b"question", b"answer")))
}

fn settings_in(folder: &Path) -> Settings {
    Settings { logs: folder.join("logs"), ..settings() }
}

fn open(settings: Settings) -> Result<Store, OpenError> {
    Store::start(settings, Metrics::default(), quiet(), Arc::new(RealDisk), Arc::new(RealClock::start()))
}

#[test]
fn files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path());
    let store = open(settings.clone()).unwrap();
    let in_flight = exchange(COMPLETION, b"", b"");
    store.submit(Action::SpoolHead(Box::new(in_flight.clone())));
    store.submit(finish());
    assert_eq!(store.close(), Totals { written: 1, ..Totals::default() });
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let record = RealDisk.files(&settings.logs.join("completions")).unwrap().remove(0);
    assert_eq!(mode(record), 0o600);
    assert_eq!(mode(settings.logs.join(SPOOL).join(format!("{}.part", in_flight.id.0))), 0o600);
    for path in ["", "completions", SPOOL, DRAFTS] {
        assert_eq!(mode(settings.logs.join(path)), 0o700, "{path}");
    }
}

#[test]
fn two_programs_do_not_write_to_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path());
    let first = open(settings.clone()).unwrap();
    let error = open(settings.clone()).map(drop).unwrap_err();
    let logs = settings.logs.display();
    let expected = format!("another copilot-recorder writes to {logs}: stop it or choose another folder with --logs");
    assert_eq!(error.to_string(), expected);
    let _ = first.close();
    let _ = open(settings).unwrap().close();
}

#[test]
fn a_command_that_asks_for_a_recorder_does_not_keep_one_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path());
    std::fs::create_dir(&settings.logs).unwrap();
    let asking = File::create(settings.logs.join(LOCK)).unwrap();
    flock(&asking, FlockOperation::NonBlockingLockShared).unwrap();
    let store = std::thread::scope(|scope| {
        // It has asked, and is put to sleep by the system before it lets go.
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            drop(asking);
        });
        open(settings)
    });
    let _ = store.unwrap().close();
}

#[test]
fn a_folder_that_cannot_be_is_said_clearly() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let logs = folder.path().join("file/logs");
    let error = open(Settings { logs: logs.clone(), ..settings() }).map(drop).unwrap_err();
    let expected = format!(
        "cannot make the folder {} for the logs: make it writable or choose another with --logs",
        logs.display()
    );
    assert_eq!(error.to_string(), expected);
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn drafts_of_a_killed_run_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path());
    std::fs::create_dir_all(settings.logs.join(DRAFTS)).unwrap();
    std::fs::write(settings.logs.join(DRAFTS).join("7.json"), "{").unwrap();
    let _ = open(settings.clone()).unwrap().close();
    assert!(RealDisk.files(&settings.logs.join(DRAFTS)).unwrap().is_empty());
}

#[test]
fn refusing_begins_and_ends_with_the_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, clock) = (Arc::new(TestDisk::default()), Arc::new(TestClock::default()));
    let settings = Settings { on_failure: OnStoreFailure::Refuse, ..settings_in(folder.path()) };
    std::fs::create_dir_all(&settings.logs).unwrap();
    let store = Store::start(settings, Metrics::default(), quiet(), disk.clone(), clock.clone()).unwrap();
    assert!(!store.refuses());
    disk.block(true);
    store.submit(finish());
    disk.wait_until_someone_hangs();
    assert!(!store.refuses());
    clock.advance(queue::PATIENCE);
    assert!(store.refuses());
    disk.block(false);
    let inner = store.inner.clone();
    assert_eq!(store.close(), Totals { written: 1, ..Totals::default() });
    assert!(!Store { inner }.refuses());
}

#[test]
fn the_real_disk_publishes_without_replacing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    RealDisk.write(&path("draft"), b"new", true, &|| ()).unwrap();
    std::fs::write(path("taken"), "old").unwrap();
    let taken = RealDisk.publish(&path("draft"), &path("taken"), true).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(path("taken")).unwrap(), b"old");
    let missing = RealDisk.publish(&path("draft"), &path("nowhere/x"), true).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    RealDisk.publish(&path("draft"), &path("free"), true).unwrap();
    assert_eq!(std::fs::read(path("free")).unwrap(), b"new");
    assert!(!path("draft").exists());
}
