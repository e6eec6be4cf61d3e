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

/// The packed facts of exchanges.
pub(super) fn requests(filter: &Filter) -> Condition {
    let Condition { sql, values } = condition(filter);
    let test = if sql.is_empty() { sql } else { format!("WHERE record IN (SELECT id FROM exchanges {sql})") };
    Condition { sql: format!("SELECT fact FROM request_facts {test} ORDER BY record"), values }
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

/// The packed facts of events.
pub(super) const EVENTS: &str = "SELECT facts FROM event_facts ORDER BY record";

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
            assert!(requests.contains("request_facts") && !requests.contains("B-TREE FOR ORDER"), "{requests}");
            for oldest_first in [true, false] {
                let list = plan(&index, &list(&filter, &Page { oldest_first, ..newest }));
                assert!(list.contains("COVERING INDEX exchanges_filters"), "{list}");
                assert!(list.contains("INTEGER PRIMARY KEY (rowid=?)"), "{list}");
            }
        }
        let chain = [plan(&index, &answered("resp_1")), plan(&index, &following("resp_1"))];
        assert!(chain[0].contains("exchanges_answers (response_id=?)"), "{}", chain[0]);
        assert!(chain[1].contains("exchanges_chains (previous_response_id=?)"), "{}", chain[1]);
        assert_eq!(plan(&index, &requests(&Filter::default())), "SCAN request_facts");
        let events = Condition { sql: EVENTS.to_owned(), values: Vec::new() };
        assert_eq!(plan(&index, &events), "SCAN event_facts USING INDEX sqlite_autoindex_event_facts_1");
        let text = Filter { text: Some("word".into()), ..Filter::default() };
        let search = plan(&index, &list(&text, &newest));
        assert!(search.contains("texts VIRTUAL TABLE"), "{search}");
    }
}
