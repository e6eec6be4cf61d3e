use std::fs;
use std::sync::Barrier;
use std::sync::mpsc::channel;

use super::*;
use crate::index::Filter;

fn put(logs: &Path, number: u32) {
    let record = serde_json::json!({
        "proxy-authorization": "ann", "timestamp": format!("2024-12-08T13:00:{number:02}.331449"),
        "proxy-time-consumed": "10.0ms",
        "request": {"url": "https://api.githubcopilot.com/x", "method": "POST", "headers": {}, "content": "{}"},
        "response": {"status_code": 200, "headers": {}, "content": "{}"},
    });
    fs::create_dir_all(logs.join("chat")).unwrap();
    let draft = logs.join(".draft");
    fs::write(&draft, record.to_string()).unwrap();
    fs::rename(draft, logs.join(format!("chat/{number}.json"))).unwrap();
}

async fn count(pool: &Pool) -> Result<u64, AskError> {
    pool.ask(|index| index.count(&Filter::default())).await
}

/// Asks until it is built, as a page does that loads itself again.
async fn settled(pool: &Pool) -> Result<u64, AskError> {
    loop {
        match count(pool).await {
            Err(AskError::Building(_)) => {}
            answer => return answer,
        }
    }
}

async fn built(pool: &Pool) -> u64 {
    settled(pool).await.unwrap()
}

fn is_due(pool: &Pool) {
    *pool.inner.refreshed.lock().unwrap() = None;
}

#[tokio::test]
async fn nothing_is_opened_until_somebody_asks() {
    let logs = tempfile::tempdir().unwrap();
    put(logs.path(), 1);
    let pool = Pool::new(logs.path().to_owned(), false);
    assert!(matches!(*pool.inner.state.borrow(), State::Closed));
    let index = logs.path().join("index.sqlite");
    assert!(!index.exists());
    assert_eq!(built(&pool).await, 1);
    assert!(index.exists());
    pool.open();
    assert!(matches!(*pool.inner.state.borrow(), State::Ready), "it is open already");
}

#[tokio::test]
async fn four_are_answered_at_once_and_handles_stay_open() {
    let logs = tempfile::tempdir().unwrap();
    put(logs.path(), 1);
    let pool = Pool::new(logs.path().to_owned(), false);
    assert_eq!(built(&pool).await, 1);
    let together = Arc::new(Barrier::new(HANDLES));
    for _ in 0..3 {
        let asked: Vec<_> = (0..HANDLES)
            .map(|_| {
                let (pool, together) = (pool.clone(), Arc::clone(&together));
                // Each waits for all the others: with fewer handles it would never end.
                tokio::spawn(async move {
                    pool.ask(move |index| {
                        together.wait();
                        index.count(&Filter::default())
                    })
                    .await
                })
            })
            .collect();
        for answer in asked {
            assert_eq!(answer.await.unwrap().unwrap(), 1);
        }
        assert_eq!(pool.inner.idle().len(), HANDLES);
    }
}

#[tokio::test]
async fn who_does_not_wait_and_who_panics_leave_the_others_their_handles() {
    let logs = tempfile::tempdir().unwrap();
    let pool = Pool::new(logs.path().to_owned(), false);
    built(&pool).await;
    for _ in 0..2 * HANDLES {
        let (began, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = channel::<()>();
        let asked = pool.ask(move |_| {
            began.send(()).unwrap();
            ended.recv().unwrap();
            Ok(())
        });
        tokio::select! {
            _ = asked => panic!("it cannot have ended"),
            begun = begun => begun.unwrap(),
        }
        end.send(()).unwrap();
        let panicked = pool.ask(|_| -> Result<(), IndexError> { panic!("a mistake that this test makes") }).await;
        assert!(matches!(panicked, Err(AskError::Panicked)));
    }
    let together = Arc::new(Barrier::new(HANDLES));
    let asked = (0..HANDLES).map(|_| {
        let (pool, together) = (pool.clone(), Arc::clone(&together));
        tokio::spawn(async move { pool.ask(move |_| Ok(together.wait().is_leader())).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(pool.inner.idle().len(), HANDLES);
}

#[tokio::test]
async fn what_is_new_is_taken_in_when_a_look_is_due() {
    let logs = tempfile::tempdir().unwrap();
    put(logs.path(), 1);
    let pool = Pool::new(logs.path().to_owned(), false);
    assert_eq!(built(&pool).await, 1);
    put(logs.path(), 2);
    *pool.inner.refreshed.lock().unwrap() = Some(Instant::now() + Duration::from_secs(60));
    assert_eq!(count(&pool).await.unwrap(), 1, "a look was just taken");
    is_due(&pool);
    // It may take longer than the question waits.
    while count(&pool).await.unwrap() != 2 {}
}

#[tokio::test]
async fn an_index_that_is_replaced_or_gone_is_followed() {
    let logs = tempfile::tempdir().unwrap();
    put(logs.path(), 1);
    let pool = Pool::new(logs.path().to_owned(), false);
    assert_eq!(built(&pool).await, 1);
    put(logs.path(), 2);
    drop(Index::rebuild(logs.path(), &mut |_| ()).unwrap());
    assert_eq!(built(&pool).await, 2);
    put(logs.path(), 3);
    fs::remove_file(logs.path().join("index.sqlite")).unwrap();
    assert_eq!(built(&pool).await, 3);
}

#[tokio::test]
async fn logs_that_are_missing_are_said_and_found_when_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let pool = Pool::new(logs.clone(), false);
    let missing = settled(&pool).await.unwrap_err();
    assert!(missing.to_string().starts_with("cannot read the folder "), "{missing}");
    put(&logs, 1);
    let AskError::Failed(error) = missing else { panic!("{missing:?}") };
    pool.inner.state.send_replace(State::Failed(error, Instant::now().checked_sub(AGAIN).unwrap()));
    assert!(settled(&pool).await.is_err(), "it is opened for the next who asks");
    assert_eq!(built(&pool).await, 1);
}

#[tokio::test(start_paused = true)]
async fn how_far_it_has_come_is_said() {
    let logs = tempfile::tempdir().unwrap();
    let pool = Pool::new(logs.path().to_owned(), false);
    while matches!(*pool.inner.state.borrow(), State::Opening(_)) {
        std::thread::yield_now();
    }
    let progress = Progress { done: 3, total: 7 };
    pool.inner.state.send_replace(State::Opening(Some(progress)));
    let building = count(&pool).await.unwrap_err();
    assert!(matches!(building, AskError::Building(Some(said)) if said == progress), "{building:?}");
}
