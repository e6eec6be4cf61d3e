//! All that an index holds, as text: two indexes of the same files are equal when these are.

use super::{Filter, Index, IndexError, columns};

impl Index {
    /// Every row in a fixed order, without what counts arrivals. For tests.
    ///
    /// # Errors
    /// When SQLite fails.
    #[doc(hidden)]
    pub fn dump(&self) -> Result<Vec<String>, IndexError> {
        let mut all = self.ask(|index| {
            let mut all = Vec::new();
            let json = |value: serde_json::Result<String>| value.unwrap_or_else(|error| error.to_string());
            let mut files =
                index.prepare("SELECT folder, name, size, mtime, hex(id), problem FROM files ORDER BY 1, 2")?;
            let mut files = files.query([])?;
            while let Some(row) = files.next()? {
                let values: Vec<_> = (0..6).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect();
                let values: Result<Vec<_>, _> = values.into_iter().collect();
                all.push(format!("file {}", values?.join(" ")));
            }
            let mut folders = index.prepare("SELECT path, problem FROM folders ORDER BY 1")?;
            let folders =
                folders.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
            for folder in folders {
                all.push(format!("folder {:?}", folder?));
            }
            let mut rows = index.prepare(&format!("SELECT {} FROM exchanges ORDER BY id", columns::ROW))?;
            for row in rows.query_map([], columns::row)? {
                all.push(format!("exchange {}", json(serde_json::to_string(&row?))));
            }
            let sql = format!("SELECT {}, is_first FROM events ORDER BY record, ordinal", columns::EVENT);
            let mut events = index.prepare(&sql)?;
            let events = events.query_map([], |row| Ok((columns::event(row)?, row.get::<_, i64>("is_first")?)))?;
            for event in events {
                let (event, is_first) = event?;
                all.push(format!("event {is_first} {}", json(serde_json::to_string(&event))));
            }
            let mut narrow = index.prepare(NARROW)?;
            for row in narrow.query_map([], |row| row.get::<_, String>(0))? {
                all.push(format!("filters {}", row?));
            }
            index.execute_batch(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab(main, texts, instance)",
            )?;
            let sql =
                "SELECT hex(id), col, offset, term FROM temp.words JOIN exchanges ON seq = doc ORDER BY 1, 2, 3, 4";
            let mut words = index.prepare(sql)?;
            let mut words = words.query([])?;
            while let Some(row) = words.next()? {
                let (id, column): (String, String) = (row.get(0)?, row.get(1)?);
                let (offset, term): (i64, String) = (row.get(2)?, row.get(3)?);
                all.push(format!("word {id} {column} {offset} {term}"));
            }
            Ok(all)
        })?;
        self.each_request(&Filter::default(), &mut |fact| all.push(format!("fact {fact:?}")))?;
        self.each_event(None, None, &mut |fact| all.push(format!("fact {fact:?}")))?;
        Ok(all)
    }
}

/// The narrow table with its names, which have other numbers in another order of arrival.
const NARROW: &str = "
    SELECT json_array(at, hex(filters.record), kinds.text, users.text, hosts.text, editors.text, versions.text,
        models.text, answering.text, languages.text, code, cancelled, failed, took)
    FROM filters JOIN exchanges ON seq = place AND filters.record = exchanges.id AND at = began
    LEFT JOIN names AS kinds ON kinds.number = kind_no LEFT JOIN names AS users ON users.number = user_no
    LEFT JOIN names AS hosts ON hosts.number = host_no LEFT JOIN names AS editors ON editors.number = editor_no
    LEFT JOIN names AS versions ON versions.number = version_no LEFT JOIN names AS models ON models.number = model_no
    LEFT JOIN names AS answering ON answering.number = answered_no
    LEFT JOIN names AS languages ON languages.number = language_no
    ORDER BY at, filters.record";
