//! Figures that were added up lately: a million records take some seconds, and a page, its tables as CSV and the next
//! reader ask for the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::pool::{AskError, Pool};
use super::tally::{Overview, overview};
use crate::figures::Query;
use crate::index::Index;

/// Adds up figures, each question once at a time, and keeps the latest answers. Where records arrive all the time they
/// are not added up for each reader: an answer serves a while. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Inner>);

/// Figures that were added up.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The figures; shared by all who asked.
    pub overview: Arc<Overview>,
    /// How long ago they were added up, where records came or went since. None: nothing has changed.
    pub age: Option<Duration>,
}

/// What adding up came to; shared by all who asked.
type Answer = Result<Arc<Overview>, Arc<AskError>>;
/// Where it comes.
type Coming = watch::Receiver<Option<Answer>>;

#[derive(Debug)]
struct Inner {
    pool: Pool,
    entries: Mutex<VecDeque<Entry>>,
    /// One at a time: adding up a million records takes a hundred megabytes and more meanwhile.
    turn: Semaphore,
}

#[derive(Debug)]
struct Entry {
    query: Query,
    /// What was added up last.
    done: Option<Done>,
    /// Somebody adds up.
    coming: Option<Coming>,
}

#[derive(Clone, Debug)]
struct Done {
    overview: Arc<Overview>,
    /// The state of the index before.
    mark: i64,
    at: Instant,
    took: Duration,
}

/// So many answers are kept, the latest: a page and some that were looked at before it.
const ENTRIES: usize = 12;
/// An answer with more rows is not kept. A row has about a kilobyte: ten thousand persons' year.
const ROWS: usize = 20_000;
/// Where records arrive all the time, adding up takes at most this part of the time,
const SHARE: u32 = 20;
/// but figures are never kept longer than this without beginning anew.
const FRESH: Duration = Duration::from_secs(30);
/// What is older is not shown while it is added up anew: its reader waits.
const OLD: Duration = Duration::from_secs(600);
/// What a reader waits for new figures, where there are old ones to be shown.
const PATIENCE: Duration = Duration::from_millis(500);

impl Kept {
    /// Nothing is kept yet.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self(Arc::new(Inner { pool, entries: Mutex::default(), turn: Semaphore::new(1) }))
    }

    /// The state of the index, by which answers are kept.
    ///
    /// # Errors
    /// As [`Pool::ask`].
    pub async fn mark(&self) -> Result<i64, AskError> {
        self.0.pool.ask(Index::mark).await
    }

    /// The figures of all splits, of this state or a later one, or of a while ago: then they say so. Who asks while the
    /// same is being added up gets that.
    ///
    /// # Errors
    /// As [`Pool::ask`].
    pub async fn overview(&self, query: Query, mark: i64) -> Result<Counted, Arc<AskError>> {
        let query = Query { by: None, ..query };
        let (done, coming) = self.find(query, mark);
        let done = done.map(|done| done.counted(mark));
        let Some(mut coming) = coming else { return done.ok_or_else(|| Arc::new(AskError::Stopped)) };
        let coming = async move {
            let answer = coming.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
            // The sender is gone without an answer only if the program ends.
            let answer = answer.unwrap_or_else(|| Err(Arc::new(AskError::Stopped)));
            answer.map(|overview| Counted { overview, age: None })
        };
        match done {
            Some(old) => tokio::time::timeout(PATIENCE, coming).await.unwrap_or(Ok(old)),
            None => coming.await,
        }
    }

    /// What is kept and may be shown, and where newer figures come if they are due. One of both there is.
    fn find(&self, query: Query, mark: i64) -> (Option<Done>, Option<Coming>) {
        let mut entries = self.entries();
        let place = entries.iter().position(|entry| entry.query == query);
        let found = place.and_then(|place| entries.remove(place));
        let mut entry = found.unwrap_or(Entry { query, done: None, coming: None });
        let done = entry.done.clone().filter(|done| done.mark == mark || done.at.elapsed() < OLD);
        if done.as_ref().is_some_and(|done| done.mark == mark || done.is_fresh()) {
            entries.push_back(entry);
            return (done, None);
        }
        // What is not finished was begun a moment ago: a few records more or less are not worth a second pass.
        let coming = entry.coming.take().filter(|coming| coming.borrow().is_some() || coming.has_changed().is_ok());
        let coming = coming.unwrap_or_else(|| {
            let (sender, coming) = watch::channel(None);
            // Not in the task of who asked: others may have asked too when that one goes.
            tokio::spawn(self.clone().add_up(entry.query.clone(), mark, sender));
            coming
        });
        entry.coming = Some(coming.clone());
        while entries.len() >= ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
        (done, Some(coming))
    }

    async fn add_up(self, query: Query, mark: i64, sender: watch::Sender<Option<Answer>>) {
        let Ok(_turn) = self.0.turn.acquire().await else { return };
        // Displaced by others, and who asked has gone.
        if sender.is_closed() {
            return;
        }
        let (asked, began) = (query.clone(), Instant::now());
        let answer = self.0.pool.ask(move |index| overview(index, asked)).await;
        let answer = answer.map(Arc::new).map_err(Arc::new);
        self.finished(&query, mark, began.elapsed(), &answer);
        sender.send_replace(Some(answer));
    }

    fn finished(&self, query: &Query, mark: i64, took: Duration, answer: &Answer) {
        let mut entries = self.entries();
        let kept = answer.as_ref().ok().filter(|overview| overview.rows() <= ROWS);
        match (kept, entries.iter_mut().find(|entry| entry.query == *query)) {
            (Some(overview), Some(entry)) => {
                let overview = Arc::clone(overview);
                entry.done = Some(Done { overview, mark, at: Instant::now(), took });
                entry.coming = None;
            }
            _ => entries.retain(|entry| entry.query != *query),
        }
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    /// Whether it serves, though something has changed.
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH.min(self.took * SHARE)
    }

    fn counted(self, mark: i64) -> Counted {
        Counted { overview: self.overview, age: (self.mark != mark).then(|| self.at.elapsed()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept() -> (tempfile::TempDir, Kept) {
        let logs = tempfile::tempdir().unwrap();
        let kept = Kept::new(Pool::new(logs.path().to_owned(), false));
        opened(&kept).await;
        (logs, kept)
    }

    /// Waits until the index is made: each question waits for it a while.
    async fn opened(kept: &Kept) {
        while matches!(kept.mark().await, Err(AskError::Building(_))) {}
    }

    fn of_user(user: &str) -> Query {
        Query { users: vec![user.to_owned()], ..Query::default() }
    }

    fn queries(kept: &Kept) -> Vec<String> {
        kept.entries().iter().map(|entry| entry.query.users.concat()).collect()
    }

    /// As if adding up had taken so long, so long ago.
    fn turn_back(kept: &Kept, took: Duration, ago: Duration) {
        for done in kept.entries().iter_mut().filter_map(|entry| entry.done.as_mut()) {
            (done.took, done.at) = (took, Instant::now().checked_sub(ago).unwrap());
        }
    }

    #[tokio::test]
    async fn the_same_question_has_the_same_answer_until_the_index_changes() {
        let (_logs, kept) = kept().await;
        let first = kept.overview(of_user("ann"), 1).await.unwrap();
        let split = Query { by: Some(crate::figures::By::Day), ..of_user("ann") };
        let again = kept.overview(split, 1).await.unwrap();
        assert!(Arc::ptr_eq(&first.overview, &again.overview), "splits are in one answer");
        assert_eq!([first.age, again.age], [None; 2]);
        turn_back(&kept, Duration::from_millis(1), FRESH);
        let changed = kept.overview(of_user("ann"), 2).await.unwrap();
        assert!(!Arc::ptr_eq(&first.overview, &changed.overview));
        assert_eq!(changed.age, None);
        let other = kept.overview(of_user("bob"), 1).await.unwrap();
        assert!(!Arc::ptr_eq(&first.overview, &other.overview));
        assert_eq!(queries(&kept), ["ann", "bob"], "what is out of date is not kept beside it");
    }

    #[tokio::test]
    async fn what_took_long_serves_a_while_and_says_how_old_it_is() {
        let (_logs, kept) = kept().await;
        let first = kept.overview(of_user("ann"), 1).await.unwrap();
        turn_back(&kept, Duration::from_secs(2), Duration::from_secs(20));
        for mark in 2..9 {
            let again = kept.overview(of_user("ann"), mark).await.unwrap();
            assert!(Arc::ptr_eq(&first.overview, &again.overview), "records arrive, and nothing is added up");
            assert!(again.age.is_some_and(|age| age >= Duration::from_secs(20)));
        }
        turn_back(&kept, Duration::from_secs(2), FRESH);
        let due = kept.overview(of_user("ann"), 9).await.unwrap();
        assert!(!Arc::ptr_eq(&first.overview, &due.overview));
        assert_eq!(due.age, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_is_shown_while_the_new_is_added_up() {
        let (_logs, kept) = kept().await;
        let first = kept.overview(of_user("ann"), 1).await.unwrap();
        turn_back(&kept, Duration::from_secs(2), FRESH);
        let turn = kept.0.turn.acquire().await.unwrap();
        let meanwhile = kept.overview(of_user("ann"), 2).await.unwrap();
        assert!(Arc::ptr_eq(&first.overview, &meanwhile.overview));
        assert!(meanwhile.age.is_some_and(|age| age >= FRESH));
        turn_back(&kept, Duration::from_secs(2), OLD);
        let (done, coming) = kept.find(of_user("ann"), 2);
        assert!(done.is_none() && coming.is_some(), "too old to be shown");
        drop(turn);
        let new = kept.overview(of_user("ann"), 2).await.unwrap();
        assert_eq!((new.age, Arc::ptr_eq(&first.overview, &new.overview)), (None, false));
    }

    #[tokio::test]
    async fn who_asks_meanwhile_gets_what_is_being_added_up() {
        let (_logs, kept) = kept().await;
        let turn = kept.0.turn.acquire().await.unwrap();
        let one = kept.find(of_user("ann"), 1).1.unwrap();
        let other = kept.find(of_user("ann"), 2).1.unwrap();
        assert!(one.same_channel(&other));
        drop(turn);
        let answer =
            |mut from: Coming| async move { from.wait_for(Option::is_some).await.unwrap().clone().unwrap().unwrap() };
        assert!(Arc::ptr_eq(&answer(one).await, &answer(other).await));
        turn_back(&kept, Duration::ZERO, Duration::ZERO);
        assert!(kept.find(of_user("ann"), 2).1.is_some(), "what is finished is of its mark");
    }

    #[tokio::test]
    async fn the_oldest_goes() {
        let (_logs, kept) = kept().await;
        let turn = kept.0.turn.acquire().await.unwrap();
        for n in 0..ENTRIES + 2 {
            drop(kept.find(of_user(&n.to_string()), 1));
        }
        let expected: Vec<_> = (2..ENTRIES + 2).map(|n| n.to_string()).collect();
        assert_eq!(queries(&kept), expected);
        drop(turn);
    }

    #[tokio::test]
    async fn what_fails_is_said_and_not_kept() {
        let kept = Kept::new(Pool::new("there is no such folder".into(), false));
        opened(&kept).await;
        let query = of_user("ann");
        assert!(matches!(kept.overview(query.clone(), 0).await.unwrap_err().as_ref(), AskError::Failed(_)));
        let mut coming = kept.find(query, 1).1.unwrap();
        let answer = coming.wait_for(Option::is_some).await.unwrap().clone();
        assert!(answer.is_some_and(|answer| answer.is_err()));
        assert_eq!(queries(&kept), [""; 0]);
    }
}
