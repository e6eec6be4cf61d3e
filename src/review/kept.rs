//! Figures that were added up lately: a million records take a second or two, and a page, its tables as CSV and the next
//! reader ask for the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::pool::{AskError, Pool};
use super::tally::{Overview, overview};
use crate::figures::Query;

/// Adds up figures, each question once at a time, and keeps the latest answers for as long as nothing changes in the
/// index. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Inner>);

/// Figures, or why there are none; shared by all who asked.
pub type Answer = Result<Arc<Overview>, Arc<AskError>>;

#[derive(Debug)]
struct Inner {
    pool: Pool,
    entries: Mutex<VecDeque<Entry>>,
    /// One at a time: adding up a million records takes some hundred megabytes meanwhile.
    turn: Semaphore,
}

#[derive(Clone, Debug)]
struct Entry {
    query: Query,
    /// The state of the index.
    mark: i64,
    answer: watch::Receiver<Option<Answer>>,
}

/// So many answers are kept, the latest: a page and some that were looked at before it.
const ENTRIES: usize = 12;
/// An answer with more rows is not kept. A row has about a kilobyte: ten thousand persons' year.
const ROWS: usize = 20_000;

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
        self.0.pool.ask(|index| index.mark()).await
    }

    /// The figures of all splits, of this state or a later one. Who asks while the same is being added up gets that.
    ///
    /// # Errors
    /// As [`Pool::ask`].
    pub async fn overview(&self, query: Query, mark: i64) -> Answer {
        let query = Query { by: None, ..query };
        let mut answer = self.find(query, mark);
        // The sender is gone without an answer only if the program ends.
        let answer = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        answer.unwrap_or_else(|| Err(Arc::new(AskError::Stopped)))
    }

    /// What is kept or is being added up; else it is begun.
    fn find(&self, query: Query, mark: i64) -> watch::Receiver<Option<Answer>> {
        let mut entries = self.0.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entries.iter().position(|entry| entry.query == query);
        if let Some(found) = place.and_then(|place| entries.remove(place)) {
            // What is not finished was begun a moment ago: a few records more or less are not worth a second pass.
            let is_coming = found.answer.borrow().is_none() && found.answer.has_changed().is_ok();
            if found.mark == mark || is_coming {
                let answer = found.answer.clone();
                entries.push_back(found);
                return answer;
            }
        }
        let (sender, answer) = watch::channel(None);
        while entries.len() >= ENTRIES {
            entries.pop_front();
        }
        entries.push_back(Entry { query: query.clone(), mark, answer: answer.clone() });
        drop(entries);
        // Not in the task of who asked: others may have asked too when that one goes.
        tokio::spawn(self.clone().add_up(query, sender));
        answer
    }

    async fn add_up(self, query: Query, sender: watch::Sender<Option<Answer>>) {
        let Ok(_turn) = self.0.turn.acquire().await else { return };
        // Displaced by others, and who asked has gone.
        if sender.is_closed() {
            return;
        }
        let asked = query.clone();
        let answer = self.0.pool.ask(move |index| overview(index, asked)).await;
        if !answer.as_ref().is_ok_and(|overview| overview.rows() <= ROWS) {
            let mut entries = self.0.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|entry| entry.query != query);
        }
        sender.send_replace(Some(answer.map(Arc::new).map_err(Arc::new)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept() -> (tempfile::TempDir, Kept) {
        let logs = tempfile::tempdir().unwrap();
        let kept = Kept::new(Pool::start(logs.path().to_owned()));
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
        kept.0.entries.lock().unwrap().iter().map(|entry| entry.query.users.concat()).collect()
    }

    #[tokio::test]
    async fn the_same_question_has_the_same_answer_until_the_index_changes() {
        let (_logs, kept) = kept().await;
        let first = kept.overview(of_user("ann"), 1).await.unwrap();
        let split = Query { by: Some(crate::figures::By::Day), ..of_user("ann") };
        assert!(Arc::ptr_eq(&first, &kept.overview(split, 1).await.unwrap()), "splits are in one answer");
        assert!(!Arc::ptr_eq(&first, &kept.overview(of_user("ann"), 2).await.unwrap()));
        assert!(!Arc::ptr_eq(&first, &kept.overview(of_user("bob"), 1).await.unwrap()));
        assert_eq!(queries(&kept), ["ann", "bob"], "what is out of date is not kept beside it");
    }

    #[tokio::test]
    async fn who_asks_meanwhile_gets_what_is_being_added_up() {
        let (_logs, kept) = kept().await;
        let turn = kept.0.turn.acquire().await.unwrap();
        let one = kept.find(of_user("ann"), 1);
        let other = kept.find(of_user("ann"), 2);
        assert!(one.same_channel(&other));
        drop(turn);
        let answer = |mut from: watch::Receiver<Option<Answer>>| async move {
            from.wait_for(Option::is_some).await.unwrap().clone().unwrap().unwrap()
        };
        assert!(Arc::ptr_eq(&answer(one.clone()).await, &answer(other).await));
        assert!(!one.same_channel(&kept.find(of_user("ann"), 2)), "what is finished is of its mark");
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
        let kept = Kept::new(Pool::start("there is no such folder".into()));
        opened(&kept).await;
        let query = of_user("ann");
        assert!(matches!(kept.overview(query.clone(), 0).await.unwrap_err().as_ref(), AskError::Failed(_)));
        let answer = kept.find(query, 1).wait_for(Option::is_some).await.unwrap().clone();
        assert!(answer.is_some_and(|answer| answer.is_err()));
        assert_eq!(queries(&kept), [""; 0]);
    }
}
