//! The narrow table: what lists filter by, in the order of lists, with numbers for names. A scan of it reads a thirtieth
//! of what one of the exchanges reads, and no index besides is needed for whichever filters come together.

use rusqlite::{Connection, Result, params};

use super::columns::Id;
use super::names::Numbers;
use super::{Field, Row};
use crate::archive::AbortedBy;

/// Takes the row of an exchange in; `place` is its `seq`.
pub(super) fn put(connection: &Connection, numbers: &mut Numbers, place: i64, record: &Id, row: &Row) -> Result<()> {
    let mut choose = |field: Field, text: Option<&str>| match text {
        Some(text) => numbers.choice(connection, field, text).map(Some),
        None => Ok(None),
    };
    let user = choose(Field::User, row.user.as_deref())?;
    let host = choose(Field::Host, Some(&row.host))?;
    let editor = choose(Field::Editor, row.editor.as_deref())?;
    let model = choose(Field::Model, row.model.as_deref())?;
    let answered = choose(Field::Model, row.model_answered.as_deref())?;
    let language = choose(Field::Language, row.language.as_deref())?;
    let kind = numbers.signed(connection, row.kind.as_str())?;
    let version = row.editor_version.as_deref().map(|version| numbers.signed(connection, version)).transpose()?;
    let sql = "INSERT INTO filters(at, record, place, kind_no, user_no, host_no, editor_no, version_no, model_no,
        answered_no, language_no, code, cancelled, failed, took) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (cancelled, failed) = (row.aborted_by == Some(AbortedBy::Client), has_failed(row));
    connection.prepare_cached(sql)?.execute(params![
        row.began,
        record,
        place,
        kind,
        user,
        host,
        editor,
        version,
        model,
        answered,
        language,
        row.status,
        cancelled,
        failed,
        row.total_ms
    ])?;
    Ok(())
}

/// Takes the row of an exchange out, before the exchange itself.
pub(super) fn remove(connection: &Connection, place: i64, record: &Id) -> Result<()> {
    let sql = "DELETE FROM filters WHERE at = (SELECT began FROM exchanges WHERE seq = ?) AND record = ?";
    connection.prepare_cached(sql)?.execute(params![place, record]).map(drop)
}

/// As [`super::Filter::failed`] says. A request that the client took back before an answer came has not failed.
fn has_failed(row: &Row) -> bool {
    row.status.is_some_and(|status| status >= 400)
        || row.error.is_some()
        || row.aborted_by == Some(AbortedBy::Upstream)
        || (row.status.is_none() && row.aborted_by != Some(AbortedBy::Client))
}
