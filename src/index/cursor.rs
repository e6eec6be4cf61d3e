//! Where a page of a list ended.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::Row;

/// A row's place in the order of lists. A page that begins behind it is found at once, however far from the end it is,
/// and does not shift when records arrive. Its text (`1763700000000000-0193a6d14f2b70008000000000000007`) may stand in a
/// URL as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When the exchange began, microseconds since 1970.
    pub began: i64,
    /// The record's id.
    pub id: Uuid,
}

/// Not a place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list: take it from the link to a page as it is")]
pub struct CursorError;

impl Cursor {
    /// The place of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self { began: row.began, id: Uuid::parse_str(&row.id).unwrap_or_default() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.began, self.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        // From the end: a time before 1970 has a sign.
        let (began, id) = text.rsplit_once('-').ok_or(CursorError)?;
        let began = began.parse().map_err(|_| CursorError)?;
        let id = Some(id).filter(|id| id.len() == 32).and_then(|id| Uuid::try_parse(id).ok());
        Ok(Self { began, id: id.ok_or(CursorError)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(began: i64, id: u128) {
            let cursor = Cursor { began, id: Uuid::from_u128(id) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn other_text_is_refused_and_breaks_nothing(text in ".{0,60}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.id.simple().to_string(), text.rsplit_once('-').unwrap().1.to_lowercase());
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "-", "1", "1-", "-0193a6d14f2b70008000000000000007", "1-0193a6d1-4f2b-7000-8000-000000000007"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
