//! The older tool's daily counts: one file a day, `copilot-usage_2024-12-28.json`, in its schema.
//!
//! What its noise rules would have dropped is left out of its counts, and counted beside them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use tempfile::NamedTempFile;

use crate::index::Row;
use crate::rules::Kind;

/// Days, and what was counted on each. Grows with days, persons, editors and languages, not with exchanges.
#[derive(Clone, Debug, Default)]
pub struct SeedMetrics {
    days: BTreeMap<String, Day>,
}

/// Why the files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SeedMetricsError {
    /// A file is there already, and nobody said to replace it.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// The system does not let us.
    #[error("cannot write {path}")]
    Io {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A file; its keys in the older tool's order.
#[derive(Clone, Debug, Default, Serialize)]
struct Day {
    day: String,
    total_chat_turns: u64,
    total_completions_count: u64,
    usage: BTreeMap<String, Person>,
    noise: Noise,
}

/// A person's counts of a day.
#[derive(Clone, Debug, Default, Serialize)]
struct Person {
    chat_turns: u64,
    completions_count: u64,
    /// By editor.
    chat: BTreeMap<String, u64>,
    /// By editor and language.
    completions: BTreeMap<String, BTreeMap<String, u64>>,
    noise: Noise,
}

/// By the rule's name.
type Noise = BTreeMap<&'static str, u64>;

/// The older tool's word for a person without a name.
const NOBODY: &str = "anonymous";
/// Its word for an editor without a name.
const NO_EDITOR: &str = "-";
/// Its word for ghost text that does not tell its language.
const NO_LANGUAGE: &str = "unknown";

impl SeedMetrics {
    /// Whether an exchange is of a kind that is counted: ghost text and chat.
    #[must_use]
    pub const fn counts(row: &Row) -> bool {
        matches!(row.kind, Kind::Completions | Kind::Chat)
    }

    /// Counts an exchange, if it is ghost text or chat.
    pub fn add(&mut self, row: &Row) {
        if !Self::counts(row) {
            return;
        }
        let date = super::time(row.began).format("%Y-%m-%d").to_string();
        let day = self.days.entry(date).or_insert_with_key(|date| Day { day: date.clone(), ..Day::default() });
        let person = day.usage.entry(row.user.clone().unwrap_or_else(|| NOBODY.to_owned())).or_default();
        if let Some(rule) = row.noise {
            *day.noise.entry(rule.as_str()).or_default() += 1;
            *person.noise.entry(rule.as_str()).or_default() += 1;
            return;
        }
        let editor = row.editor_version.as_deref().unwrap_or(NO_EDITOR).replace('/', "-");
        if row.kind == Kind::Chat {
            day.total_chat_turns += 1;
            person.chat_turns += 1;
            *person.chat.entry(editor).or_default() += 1;
        } else {
            day.total_completions_count += 1;
            person.completions_count += 1;
            let language = row.language.clone().unwrap_or_else(|| NO_LANGUAGE.to_owned());
            *person.completions.entry(editor).or_default().entry(language).or_default() += 1;
        }
    }

    /// Writes the files into `folder`, which is made if it is not there; each appears whole. Says which they are.
    ///
    /// # Errors
    /// When a file exists and `replace` is not set (then nothing is written), or the system says no.
    pub fn write(&self, folder: &Path, replace: bool) -> Result<Vec<PathBuf>, SeedMetricsError> {
        let files: Vec<_> = self.days.iter().map(|(date, day)| (folder.join(file_name(date)), day)).collect();
        if let Some((path, _)) = files.iter().find(|(path, _)| !replace && path.symlink_metadata().is_ok()) {
            return Err(SeedMetricsError::Exists(path.clone()));
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| SeedMetricsError::Io { path, source }
        };
        if !files.is_empty() {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        for (path, day) in &files {
            write_day(folder, path, day, replace).map_err(failed(path))?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }
}

fn file_name(date: &str) -> String {
    format!("copilot-usage_{date}.json")
}

fn write_day(folder: &Path, path: &Path, day: &Day, replace: bool) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(file.as_file_mut());
    day.serialize(&mut serde_json::Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"    ")))?;
    out.flush()?;
    drop(out);
    if replace { file.persist(path) } else { file.persist_noclobber(path) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::copilot::noise::Noise as Rule;

    const HOUR: i64 = 3_600_000_000;

    fn ghost(user: &str, editor: &str, language: Option<&str>) -> Row {
        Row {
            user: Some(user.into()),
            editor_version: Some(editor.into()),
            language: language.map(Into::into),
            ..testing::row()
        }
    }

    fn chat(user: Option<&str>, editor: Option<&str>) -> Row {
        Row {
            kind: Kind::Chat,
            user: user.map(Into::into),
            editor_version: editor.map(Into::into),
            language: None,
            ..testing::row()
        }
    }

    fn counted(rows: impl IntoIterator<Item = Row>) -> SeedMetrics {
        let mut metrics = SeedMetrics::default();
        for row in rows {
            metrics.add(&row);
        }
        metrics
    }

    fn a_day() -> Vec<Row> {
        let noisy = |row: Row, rule| Row { noise: Some(rule), ..row };
        vec![
            ghost("bob", "vscode/1.96.2", Some("python")),
            ghost("bob", "vscode/1.96.2", Some("python")),
            ghost("bob", "vscode/1.96.2", Some("go")),
            ghost("alice", "JetBrains-PC/243.1", None),
            noisy(ghost("bob", "vscode/1.96.2", Some("python")), Rule::NoText),
            chat(Some("bob"), Some("vscode/1.96.2")),
            chat(None, None),
            noisy(chat(Some("carol"), Some("JetBrains-PC/243.1")), Rule::Tools),
            noisy(chat(Some("bob"), Some("vscode/1.96.2")), Rule::Stop),
            Row { kind: Kind::Nes, ..testing::row() },
            Row { kind: Kind::Telemetry, ..testing::row() },
        ]
    }

    #[test]
    fn a_day_is_a_file_in_the_older_schema() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("logs/metrics");
        let files = counted(a_day()).write(&to, false).unwrap();
        assert_eq!(files, [to.join("copilot-usage_2024-12-08.json")]);
        assert_eq!(fs::read_to_string(&files[0]).unwrap(), include_str!("seed_metrics_golden.json").trim_end());
    }

    #[test]
    fn days_are_those_of_utc() {
        let at = |began| Row { began, ..testing::row() };
        // 13:05 on the 8th.
        let rows = [at(testing::BEGAN + 11 * HOUR), at(testing::BEGAN), at(testing::BEGAN + 10 * HOUR)];
        let metrics = counted(rows);
        assert_eq!(metrics.days.keys().collect::<Vec<_>>(), ["2024-12-08", "2024-12-09"]);
        assert_eq!(metrics.days["2024-12-08"].total_completions_count, 2);
        assert_eq!(metrics.days["2024-12-09"].day, "2024-12-09");
    }

    #[test]
    fn files_are_replaced_only_when_asked_for_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let later = |rows: Vec<Row>| rows.into_iter().map(|row| Row { began: row.began + 24 * HOUR, ..row });
        let both = counted(a_day().into_iter().chain(later(a_day())));
        let second = folder.path().join("copilot-usage_2024-12-09.json");
        fs::write(&second, "mine").unwrap();
        let error = both.write(folder.path(), false).unwrap_err();
        assert_eq!(error.to_string(), format!("{} exists already", second.display()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
        assert_eq!(both.write(folder.path(), true).unwrap().len(), 2);
        assert!(fs::read_to_string(&second).unwrap().starts_with("{\n    \"day\": \"2024-12-09\",\n"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn nothing_gives_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let none = counted([Row { kind: Kind::Models, ..testing::row() }]);
        assert_eq!(none.write(folder.path(), false).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = counted(a_day()).write(&file, true).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}", file.display()));
    }
}
