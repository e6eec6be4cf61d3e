//! The statements that are asked most often, made so that they read little.

use rusqlite::types::Value;

use super::columns;
use super::digest::{ID_MAX, shortened};
use super::filter::{Condition, condition};
use super::queries::FOLLOWERS_MAX;
use super::{Filter, Page};

/// Rows are sorted by a narrow index; the wide ones are fetched for those that are shown.
pub(super) fn list(filter: &Filter, page: &Page) -> Condition {
    let Condition { sql, mut values } = condition(filter);
    let order = if page.oldest_first { "began, id" } else { "began DESC, id DESC" };
    let sql = format!(
        "SELECT {} FROM exchanges WHERE seq IN (SELECT seq FROM exchanges {sql} ORDER BY {order} LIMIT ? OFFSET ?)
            ORDER BY {order}",
        columns::ROW
    );
    values.push(Value::Integer(page.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1))));
    values.push(Value::Integer(i64::try_from(page.offset).unwrap_or(i64::MAX)));
    Condition { sql, values }
}

/// The columns of [`super::RequestFact`] in its order.
pub(super) fn requests(filter: &Filter) -> Condition {
    let Condition { sql, values } = condition(filter);
    let sql = format!(
        "SELECT began, kind, user, tid, editor, coalesce(model, model_answered), language, status, complete,
            aborted_by, error IS NOT NULL, initiator, speculative, request_id, first_byte_ms, first_token_ms,
            total_ms, server_ms, tokens_in, tokens_cached, tokens_out, noise
        FROM exchanges INDEXED BY exchanges_facts {sql} ORDER BY began, id"
    );
    Condition { sql, values }
}

/// The latest exchange whose answer has this id.
pub(super) fn answered(response_id: &str) -> Condition {
    let row = columns::ROW;
    let sql = format!("SELECT {row} FROM exchanges WHERE response_id = ? ORDER BY began DESC, id DESC LIMIT 1");
    Condition { sql, values: vec![Value::Text(shortened(response_id, ID_MAX))] }
}

/// The exchanges that go on from that answer.
pub(super) fn following(response_id: &str) -> Condition {
    let row = columns::ROW;
    let sql =
        format!("SELECT {row} FROM exchanges WHERE previous_response_id = ? ORDER BY began, id LIMIT {FOLLOWERS_MAX}");
    Condition { sql, values: vec![Value::Text(shortened(response_id, ID_MAX))] }
}

/// The columns of [`super::EventFact`] in its order.
pub(super) fn events(since: Option<i64>, until: Option<i64>) -> Condition {
    let mut sql = "SELECT time, name, user, tid, request_id, choice, completion, opportunity, language, editor, model,
        chars, lines, timeout, still, total_ms, shown, acceptance FROM events WHERE is_first"
        .to_owned();
    let mut values = Vec::new();
    for (test, bound) in [(" AND time >= ?", since), (" AND time < ?", until)] {
        if let Some(bound) = bound {
            sql.push_str(test);
            values.push(Value::Integer(bound));
        }
    }
    Condition { sql, values }
}

#[cfg(test)]
mod tests {
    use rusqlite::params_from_iter;

    use super::*;
    use crate::index::Index;

    /// How SQLite goes about a query.
    fn plan(index: &Index, query: &Condition) -> String {
        let sql = format!("EXPLAIN QUERY PLAN {}", query.sql);
        let steps = index.ask(|index| {
            let mut statement = index.prepare(&sql)?;
            let steps = statement.query_map(params_from_iter(&query.values), |row| row.get::<_, String>(3))?;
            steps.collect::<rusqlite::Result<Vec<_>>>()
        });
        steps.unwrap().join("; ")
    }

    #[test]
    fn what_is_asked_often_reads_the_narrow_index_in_its_order() {
        let logs = tempfile::tempdir().unwrap();
        let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
        let newest = Page { limit: Some(50), offset: 0, oldest_first: false };
        let filter = Filter { users: vec!["ann".into()], since: Some(1), cancelled: true, ..Filter::default() };
        for filter in [Filter::default(), filter] {
            let requests = plan(&index, &requests(&filter));
            assert!(requests.contains("COVERING INDEX exchanges_facts") && !requests.contains("TEMP"), "{requests}");
            for oldest_first in [true, false] {
                let list = plan(&index, &list(&filter, &Page { oldest_first, ..newest }));
                assert!(list.contains("COVERING INDEX exchanges_facts"), "{list}");
                assert!(list.contains("INTEGER PRIMARY KEY (rowid=?)"), "{list}");
            }
        }
        let chain = [plan(&index, &answered("resp_1")), plan(&index, &following("resp_1"))];
        assert!(chain[0].contains("exchanges_answers (response_id=?)"), "{}", chain[0]);
        assert!(chain[1].contains("exchanges_chains (previous_response_id=?)"), "{}", chain[1]);
        assert_eq!(plan(&index, &events(None, None)), "SCAN events");
        let spanned = plan(&index, &events(Some(1), None));
        assert!(spanned.contains("events_times (time>?)"), "{spanned}");
        let text = Filter { text: Some("word".into()), ..Filter::default() };
        let search = plan(&index, &list(&text, &newest));
        assert!(search.contains("texts VIRTUAL TABLE"), "{search}");
    }
}
