//! The tables.

use rusqlite::{Connection, Result};

/// Raised with every change of a table, and of what is put into one: an index of another version is made anew.
pub(super) const VERSION: i64 = 3;

/// "copl": tells our file from another program's SQLite file.
pub(super) const APPLICATION: i64 = 0x636f_706c;

/// Makes the tables, without what is made at the end because it is faster then.
pub(super) fn create(connection: &Connection, generation: i64) -> Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute("INSERT INTO generation VALUES (?, 0)", [generation])?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Makes the indexes, and marks the events that were sent again.
pub(super) fn finish(connection: &Connection) -> Result<()> {
    connection.execute_batch(INDEXES)?;
    connection.execute_batch(
        "UPDATE events SET is_first = 0 FROM (
             SELECT unique_id AS twice FROM events WHERE unique_id IS NOT NULL GROUP BY unique_id HAVING count(*) > 1
         ) WHERE unique_id = twice AND EXISTS (
             SELECT 1 FROM events AS earlier WHERE earlier.unique_id = events.unique_id
             AND (earlier.record, earlier.ordinal) < (events.record, events.ordinal)
         )",
    )
}

/// `seq` counts arrivals and is used only once; `gone` counts exchanges that were taken out. `filters` has `began` and `id`
/// of an exchange as `at` and `record`, its `seq` as `place`, and the numbers of its names; its columns have names of their
/// own, so that it may stand beside `exchanges` in a statement. `choices`: which names each field has or had. `is_first`: of an event's copies, that of the earliest record; ids sort
/// by time. What figures need of a record's exchange, and of those of its events that are the first, is packed in
/// `request_facts` and `event_facts` (with row ids: a table without would put a kilobyte on a page of its own). Columns of the type ANY have ids, see `columns::Code`. Texts are in the records: `texts` knows only which words stand where.
const TABLES: &str = "
CREATE TABLE generation(number INTEGER NOT NULL, gone INTEGER NOT NULL) STRICT;
CREATE TABLE folders(
    path TEXT PRIMARY KEY, mtime INTEGER NOT NULL, problem TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE files(
    folder TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, id BLOB, problem TEXT,
    PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE exchanges(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE, file TEXT NOT NULL, form TEXT NOT NULL, began INTEGER NOT NULL, kind TEXT NOT NULL,
    rule TEXT NOT NULL, user TEXT, tid TEXT, client TEXT, machine TEXT, session TEXT, editor TEXT, editor_version TEXT,
    plugin TEXT, host TEXT NOT NULL, path TEXT NOT NULL, method TEXT NOT NULL, status INTEGER, complete INTEGER,
    aborted_by TEXT, problem TEXT, error TEXT, initiator TEXT, intent TEXT, interaction ANY, request_id ANY,
    response_id TEXT, previous_response_id TEXT, speculative INTEGER NOT NULL, model TEXT, model_answered TEXT,
    language TEXT, request_size INTEGER NOT NULL, response_size INTEGER NOT NULL, connect_ms REAL, tls_ms REAL,
    first_byte_ms REAL, first_token_ms REAL, total_ms REAL, server_ms REAL, tokens_in INTEGER, tokens_cached INTEGER,
    tokens_out INTEGER, tokens_reasoning INTEGER, finish_reason TEXT, choices INTEGER, tool_calls INTEGER,
    answer_chars INTEGER, noise TEXT
) STRICT;
CREATE TABLE filters(
    at INTEGER NOT NULL, record BLOB NOT NULL, place INTEGER NOT NULL, kind_no INTEGER NOT NULL, user_no INTEGER,
    host_no INTEGER NOT NULL, editor_no INTEGER, version_no INTEGER, model_no INTEGER, answered_no INTEGER,
    language_no INTEGER, code INTEGER, cancelled INTEGER NOT NULL, failed INTEGER NOT NULL, took REAL,
    PRIMARY KEY (at, record)
) STRICT, WITHOUT ROWID;
CREATE TABLE events(
    record BLOB NOT NULL, ordinal INTEGER NOT NULL, is_first INTEGER NOT NULL, time INTEGER NOT NULL,
    name TEXT NOT NULL, user TEXT, tid TEXT, request_id ANY, choice INTEGER, completion ANY, opportunity ANY,
    language TEXT, editor TEXT, model TEXT, chars INTEGER, lines INTEGER, timeout INTEGER, still INTEGER, total_ms REAL,
    shown INTEGER, acceptance TEXT, unique_id ANY, enhanced INTEGER NOT NULL, reason TEXT, produce_ms REAL,
    PRIMARY KEY (record, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE names(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE choices(
    field INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (field, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_facts(record BLOB PRIMARY KEY, fact BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE event_facts(record BLOB NOT NULL UNIQUE, facts BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE texts USING fts5(
    prompt, answer, content='', contentless_delete=1, tokenize=\"unicode61 tokenchars '_'\"
);
";

/// What lists filter by is in `filters`, which needs none.
const INDEXES: &str = "
CREATE INDEX exchanges_sessions ON exchanges(session, began) WHERE session IS NOT NULL;
CREATE INDEX exchanges_interactions ON exchanges(interaction, began) WHERE interaction IS NOT NULL;
CREATE INDEX exchanges_answers ON exchanges(response_id) WHERE response_id IS NOT NULL;
CREATE INDEX exchanges_chains ON exchanges(previous_response_id) WHERE previous_response_id IS NOT NULL;
CREATE INDEX exchanges_persons ON exchanges(tid, user)
    WHERE tid IS NOT NULL AND user IS NOT NULL AND kind <> 'telemetry';
CREATE INDEX files_ids ON files(id) WHERE id IS NOT NULL;
CREATE INDEX files_problems ON files(folder) WHERE problem IS NOT NULL;
CREATE INDEX events_unique ON events(unique_id) WHERE unique_id IS NOT NULL;
CREATE INDEX events_requests ON events(request_id) WHERE request_id IS NOT NULL;
CREATE INDEX events_completions ON events(completion) WHERE completion IS NOT NULL;
";
