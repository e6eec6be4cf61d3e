//! The statements that are asked most often, made so that they read little.

use rusqlite::types::Value;

use super::digest::{ID_MAX, shortened};
use super::filter::{Condition, condition, search_query};
use super::queries::FOLLOWERS_MAX;
use super::{Cursor, Filter, Page, Row, columns};

/// How the exchanges of a filter are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By a walk over the narrow table, in the order of lists: what is shown first is found first.
    Walk,
    /// The same, where words are looked for in these places alone: for a stretch of the walk.
    Among([i64; 2]),
    /// By the words, where few exchanges have them: the others are not looked at.
    Words,
}

/// Where it pays to sort those that have the words, instead of looking for the newest of them: a hundredth of a large
/// index, and 20 ms.
pub(super) const FEW: i64 = 4_000;

/// Counts those that have the words, whatever else the filter says, up to `max`. None where no words are asked for.
pub(super) fn with_words(filter: &Filter, max: i64) -> Option<Condition> {
    let query = search_query(filter.text.as_deref()?)?;
    let sql = "SELECT count(*) FROM (SELECT 1 FROM texts WHERE texts MATCH ? LIMIT ?)".to_owned();
    Some(Condition { sql, values: vec![Value::Text(query), Value::Integer(max)] })
}

/// What stands between `FROM` and `ORDER BY`, with `wide` rows or only the narrow ones.
fn found(filter: &Filter, way: Way, after: Option<(Cursor, bool)>, wide: bool) -> Condition {
    let words = filter.text.as_deref().and_then(search_query).filter(|_| way == Way::Words);
    let places = if let Way::Among(places) = way { Some(places) } else { None };
    let (from, mut test) = match (words, wide) {
        (Some(query), _) => {
            let mut test = condition(&Filter { text: None, ..filter.clone() }, None);
            test.and("seq IN (SELECT rowid FROM texts WHERE texts MATCH ?)", [Value::Text(query)]);
            ("exchanges CROSS JOIN filters ON at = began AND record = id", test)
        }
        (None, true) => ("filters CROSS JOIN exchanges ON seq = place", condition(filter, places)),
        (None, false) => ("filters", condition(filter, places)),
    };
    if let Some((cursor, oldest_first)) = after {
        let beyond = if oldest_first { "(at, record) > (?, ?)" } else { "(at, record) < (?, ?)" };
        test.and(beyond, [Value::Integer(cursor.began), Value::Blob(cursor.id.as_bytes().to_vec())]);
    }
    Condition { sql: format!("{from} {}", test.sql), values: test.values }
}

/// A part of a list.
pub(super) fn list(filter: &Filter, page: &Page, way: Way) -> Condition {
    let Condition { sql, mut values } = found(filter, way, page.after.map(|cursor| (cursor, page.oldest_first)), true);
    let order = if page.oldest_first { "at, record" } else { "at DESC, record DESC" };
    values.push(Value::Integer(page.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1))));
    values.push(Value::Integer(i64::try_from(page.offset).unwrap_or(i64::MAX)));
    Condition { sql: format!("SELECT {} FROM {sql} ORDER BY {order} LIMIT ? OFFSET ?", columns::ROW), values }
}

/// How many there are, but not more than `max`; a negative one is no limit.
pub(super) fn count(filter: &Filter, max: i64, way: Way) -> Condition {
    let Condition { sql, mut values } = found(filter, way, None, false);
    values.push(Value::Integer(max));
    Condition { sql: format!("SELECT count(*) FROM (SELECT 1 FROM {sql} LIMIT ?)"), values }
}

/// Of a stretch of the walk: the time of its last exchange, how many it has, its first and its last place. The times of
/// the filter alone count.
pub(super) fn stretch(filter: &Filter, oldest_first: bool, length: i64) -> Condition {
    let span = Filter { since: filter.since, until: filter.until, ..Filter::default() };
    let Condition { sql, mut values } = found(&span, Way::Walk, None, false);
    values.push(Value::Integer(length));
    let (edge, order) = if oldest_first { ("max(at)", "at, record") } else { ("min(at)", "at DESC, record DESC") };
    let sql = format!(
        "SELECT {edge}, count(*), min(place), max(place) FROM (SELECT at, place FROM {sql} ORDER BY {order} LIMIT ?)"
    );
    Condition { sql, values }
}

/// Whether any record of these places has the words.
pub(super) fn has_words(query: String, places: [i64; 2]) -> Condition {
    let sql = "SELECT EXISTS (SELECT 1 FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?)".to_owned();
    let [first, last] = places.map(Value::Integer);
    Condition { sql, values: vec![Value::Text(query), first, last] }
}

/// The packed facts of exchanges.
pub(super) fn requests(filter: &Filter, way: Way) -> Condition {
    if *filter == Filter::default() {
        return Condition { sql: "SELECT fact FROM request_facts ORDER BY record".to_owned(), values: Vec::new() };
    }
    let Condition { sql, values } = found(filter, way, None, false);
    let sql = format!(
        "SELECT fact FROM request_facts WHERE request_facts.record IN (SELECT filters.record FROM {sql})
            ORDER BY request_facts.record"
    );
    Condition { sql, values }
}

/// The exchanges of the session of a row, besides it: on the one side of it, nearest first.
pub(super) fn session_of(row: &Row, session: &str, earlier: bool, limit: i64) -> Condition {
    let (test, order) = if earlier { ("began <= ?", "began DESC") } else { ("began > ?", "began") };
    let sql = format!(
        "SELECT {} FROM exchanges WHERE session = ? AND {test} AND id <> ? ORDER BY {order} LIMIT ?",
        columns::ROW
    );
    let values = vec![Value::Text(session.to_owned()), Value::Integer(row.began), id(row), Value::Integer(limit)];
    Condition { sql, values }
}

/// The same where a client names no session: what the same user, client and editor sent within an hour.
pub(super) fn hour_of(row: &Row, earlier: bool, limit: i64) -> Condition {
    let (test, order) = if earlier { ("at BETWEEN ? AND ?", "at DESC") } else { ("at > ? AND at <= ?", "at") };
    let sql = format!(
        "SELECT {} FROM filters CROSS JOIN exchanges ON seq = place WHERE {test}
            AND user_no IS (SELECT number FROM names WHERE text = ?)
            AND editor_no IS (SELECT number FROM names WHERE text = ?)
            AND client IS ? AND session IS NULL AND id <> ? ORDER BY {order} LIMIT ?",
        columns::ROW
    );
    let span =
        if earlier { [row.began.saturating_sub(HOUR), row.began] } else { [row.began, row.began.saturating_add(HOUR)] };
    let name = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let mut values: Vec<_> = span.into_iter().map(Value::Integer).collect();
    values.extend([name(&row.user), name(&row.editor), name(&row.client), id(row), Value::Integer(limit)]);
    Condition { sql, values }
}

/// In microseconds. Whoever pauses longer began something else.
const HOUR: i64 = 3_600_000_000;

fn id(row: &Row) -> Value {
    Value::Blob(columns::id(&row.id).0.as_bytes().to_vec())
}

/// The requests of one interaction.
pub(super) fn of_interaction(interaction: &str) -> Condition {
    let row = columns::ROW;
    let sql = format!("SELECT {row} FROM exchanges WHERE interaction = ? ORDER BY began, id LIMIT {INTERACTION_MAX}");
    Condition { sql, values: vec![columns::code_value(interaction)] }
}

/// Rounds of an agent that worked for hours on one instruction; what a loop does is listed no further.
pub(super) const INTERACTION_MAX: usize = 1_000;

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
        let newest = Page { limit: Some(50), ..Page::default() };
        let cursor = Cursor { began: 7, id: uuid::Uuid::nil() };
        let filter = Filter { users: vec!["ann".into()], since: Some(1), cancelled: true, ..Filter::default() };
        for filter in [Filter::default(), filter] {
            let requests = plan(&index, &requests(&filter, Way::Walk));
            assert!(requests.contains("request_facts") && !requests.contains("B-TREE FOR ORDER"), "{requests}");
            for (oldest_first, after) in [(true, None), (false, None), (true, Some(cursor)), (false, Some(cursor))] {
                let list = plan(&index, &list(&filter, &Page { oldest_first, after, ..newest }, Way::Walk));
                assert!(!list.contains("SCAN exchanges") && !list.contains("B-TREE"), "{list}");
                assert!(list.contains("exchanges USING INTEGER PRIMARY KEY (rowid=?)"), "{list}");
                let is_range = list.starts_with("SEARCH filters USING PRIMARY KEY (");
                assert_eq!(is_range, after.is_some() || filter.since.is_some(), "{list}");
            }
            let count = plan(&index, &count(&filter, 10_000, Way::Walk));
            assert!(count.contains("filters") && !count.contains("exchanges"), "{count}");
        }
        let chain = [plan(&index, &answered("resp_1")), plan(&index, &following("resp_1"))];
        assert!(chain[0].contains("exchanges_answers (response_id=?)"), "{}", chain[0]);
        assert!(chain[1].contains("exchanges_chains (previous_response_id=?)"), "{}", chain[1]);
        assert_eq!(plan(&index, &requests(&Filter::default(), Way::Walk)), "SCAN request_facts");
        let events = Condition { sql: EVENTS.to_owned(), values: Vec::new() };
        assert_eq!(plan(&index, &events), "SCAN event_facts USING INDEX sqlite_autoindex_event_facts_1");
        let text = Filter { text: Some("word".into()), ..Filter::default() };
        let common = plan(&index, &list(&text, &newest, Way::Walk));
        assert!(common.starts_with("SCAN filters; "), "{common}");
        let among = plan(&index, &list(&text, &newest, Way::Among([1, 2])));
        assert!(among.starts_with("SCAN filters; ") && among.contains("VIRTUAL TABLE INDEX 0:M"), "{among}");
        let stretch = plan(&index, &stretch(&text, false, 9));
        assert!(stretch.contains("SCAN filters") && !stretch.contains("B-TREE"), "{stretch}");
        let rare = plan(&index, &list(&text, &newest, Way::Words));
        assert!(rare.starts_with("SEARCH exchanges USING INTEGER PRIMARY KEY (rowid=?); "), "{rare}");
        assert!(rare.contains("SEARCH filters USING PRIMARY KEY (at=? AND record=?)"), "{rare}");
    }

    #[test]
    fn neighbours_are_found_by_an_index() {
        let logs = tempfile::tempdir().unwrap();
        let (index, _) = Index::open(logs.path(), &mut |_| ()).unwrap();
        let row = crate::index::testing::row();
        for earlier in [true, false] {
            let session = plan(&index, &session_of(&row, "s", earlier, 9));
            assert!(session.contains("exchanges_sessions (session=? AND began"), "{session}");
            let hour = plan(&index, &hour_of(&row, earlier, 9));
            assert!(hour.starts_with("SEARCH filters USING PRIMARY KEY (at>"), "{hour}");
            assert!(!session.contains("B-TREE") && !hour.contains("B-TREE"), "{session} {hour}");
        }
        let interaction = plan(&index, &of_interaction("i"));
        assert!(interaction.contains("exchanges_interactions (interaction=?)"), "{interaction}");
    }
}
