//! Texts that many records share, by number: users, editors, models, languages, names of events.
//!
//! A text keeps its number as long as the index lives, whether a record still has it or not.

use foldhash::{HashMap, HashSet};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};

use super::Field;

/// Numbers of texts, for who writes.
#[derive(Default)]
pub(super) struct Numbers {
    /// What was asked for lately.
    known: HashMap<String, u64>,
    /// Choices that were stored lately.
    chosen: HashSet<(Field, i64)>,
}

/// More than there are users, editors and models; who invents names cannot fill the memory.
const KNOWN_MAX: usize = 16_384;

impl Numbers {
    /// The number of a text, from 1: a new one where it has none.
    pub(super) fn number(&mut self, connection: &Connection, text: &str) -> Result<u64> {
        if let Some(&number) = self.known.get(text) {
            return Ok(number);
        }
        let mut find = connection.prepare_cached("SELECT number FROM names WHERE text = ?")?;
        let found = find.query_row([text], |row| row.get::<_, i64>(0)).optional()?;
        let number = match found {
            Some(number) => number,
            None => connection.prepare_cached("INSERT INTO names(text) VALUES (?)")?.insert([text])?,
        };
        let number = u64::try_from(number).unwrap_or_default();
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(text.to_owned(), number);
        Ok(number)
    }

    /// The same as SQLite has it.
    pub(super) fn signed(&mut self, connection: &Connection, text: &str) -> Result<i64> {
        self.number(connection, text).map(u64::cast_signed)
    }

    /// The number of a text that is one of the values of a field, which is remembered.
    pub(super) fn choice(&mut self, connection: &Connection, field: Field, text: &str) -> Result<i64> {
        let number = self.signed(connection, text)?;
        if self.chosen.len() >= KNOWN_MAX {
            self.chosen.clear();
        }
        if self.chosen.insert((field, number)) {
            let sql = "INSERT OR IGNORE INTO choices(field, number) VALUES (?, ?)";
            connection.prepare_cached(sql)?.execute(params![field.number(), number])?;
        }
        Ok(number)
    }
}

/// All texts, for who reads.
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// Reads them. To be called while a statement that reads their numbers is under way: both then see the same state.
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let mut statement = connection.prepare_cached("SELECT number, text FROM names ORDER BY number")?;
        let mut rows = statement.query([])?;
        let mut texts = Vec::new();
        while let Some(row) = rows.next()? {
            texts.push(row.get(1)?);
            // SQLite numbers without gaps as long as nothing is deleted.
            if row.get::<_, i64>(0)? != i64::try_from(texts.len()).unwrap_or_default() {
                return Err(Error::InvalidColumnType(0, "number".to_owned(), Type::Integer));
            }
        }
        Ok(Self(texts))
    }

    pub(super) fn get(&self, number: u64) -> Option<&str> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.0.get(place).map(String::as_str)
    }
}
