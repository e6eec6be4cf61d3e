//! Filters, to SQL with parameters. No text of a user ever becomes a part of the statement.

use rusqlite::types::Value;

use super::Filter;

/// A condition, and its parameters in order.
#[derive(Debug, Default)]
pub(super) struct Condition {
    /// `WHERE …`, or nothing.
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn and(&mut self, test: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.sql.is_empty() { "WHERE " } else { " AND " });
        self.sql.push_str(test);
        self.values.extend(values);
    }

    /// Any of the tests; none at all tests nothing.
    fn any(&mut self, tests: Vec<(String, Vec<Value>)>) {
        if tests.is_empty() {
            return;
        }
        let (tests, values): (Vec<_>, Vec<_>) = tests.into_iter().unzip();
        self.and(&format!("({})", tests.join(" OR ")), values.concat());
    }
}

/// What a filter says of the table `filters`. Words are looked for in records of these places alone, where they are named.
pub(super) fn condition(filter: &Filter, places: Option<[i64; 2]>) -> Condition {
    let mut all = Condition::default();
    if let Some(since) = filter.since {
        all.and("at >= ?", [Value::Integer(since)]);
    }
    if let Some(until) = filter.until {
        all.and("at < ?", [Value::Integer(until)]);
    }
    all.any(each(&filter.kinds, |kind| (is_name("kind_no"), vec![text(kind.as_str())])));
    all.any(each(&filter.users, |user| match user.as_str() {
        "-" => ("user_no IS NULL".into(), Vec::new()),
        user => (is_name("user_no"), vec![text(user)]),
    }));
    all.any(each(&filter.hosts, |host| host_test(host)));
    all.any(each(&filter.statuses, |&status| status_test(status)));
    all.any(each(&filter.models, |model| {
        (format!("{} OR {}", is_name("model_no"), is_name("answered_no")), vec![text(model), text(model)])
    }));
    all.any(each(&filter.languages, |language| (is_name("language_no"), vec![text(language)])));
    all.any(each(&filter.editors, |editor| {
        (is_name(if editor.contains('/') { "version_no" } else { "editor_no" }), vec![text(editor)])
    }));
    if let Some(millis) = filter.slower_than {
        all.and("took > ?", [Value::Real(millis)]);
    }
    if filter.cancelled {
        all.and("cancelled", []);
    }
    if filter.failed {
        all.and("failed", []);
    }
    if let Some(words) = &filter.text {
        match (search_query(words), places) {
            (Some(query), None) => {
                all.and("place IN (SELECT rowid FROM texts WHERE texts MATCH ?)", [Value::Text(query)]);
            }
            (Some(query), Some(places)) => {
                let test = "place IN (SELECT rowid FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?)";
                let [first, last] = places.map(Value::Integer);
                all.and(test, [Value::Text(query), first, last]);
            }
            // Nothing but punctuation, which is in no index.
            (None, _) => all.and("0", []),
        }
    }
    all
}

/// The statement looks a name's number up once. A name that no record has fits nothing.
fn is_name(column: &str) -> String {
    format!("{column} = (SELECT number FROM names WHERE text = ?)")
}

fn each<T>(list: &[T], test: impl FnMut(&T) -> (String, Vec<Value>)) -> Vec<(String, Vec<Value>)> {
    list.iter().map(test).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A name, or `*.name` for every name below it.
fn host_test(host: &str) -> (String, Vec<Value>) {
    let host = host.to_ascii_lowercase();
    match host.strip_prefix('*') {
        Some(end) if end.starts_with('.') => {
            let names = "SELECT number FROM names WHERE substr(text, -length(?)) = ? AND length(text) > length(?)";
            (format!("host_no IN ({names})"), vec![text(end); 3])
        }
        _ => (is_name("host_no"), vec![text(&host)]),
    }
}

/// A code, a class by its first digit, or 0 for no response.
fn status_test(status: u16) -> (String, Vec<Value>) {
    match status {
        0 => ("code IS NULL".into(), Vec::new()),
        1..=9 => {
            let first = i64::from(status) * 100;
            ("code BETWEEN ? AND ?".into(), vec![Value::Integer(first), Value::Integer(first + 99)])
        }
        _ => ("code = ?".into(), vec![Value::Integer(status.into())]),
    }
}

/// A query in FTS5's language: words in quotes, so that none is an operator, all of which must be there; the last may
/// go on. What stands in double quotes is a phrase. None when there is no word.
pub(super) fn search_query(text: &str) -> Option<String> {
    let mut terms = Vec::new();
    let last_is_open = !text.ends_with('"') && text.chars().next_back().is_some_and(is_word);
    for (index, part) in text.split('"').enumerate() {
        let words = part.split(|letter| !is_word(letter)).filter(|word| !word.is_empty());
        if index % 2 == 0 {
            terms.extend(words.map(str::to_owned));
        } else {
            let phrase = words.collect::<Vec<_>>().join(" ");
            terms.extend((!phrase.is_empty()).then_some(phrase));
        }
    }
    // More would be a page of text, and reaches a limit of FTS5's.
    terms.truncate(WORDS_MAX);
    let open = if last_is_open { "*" } else { "" };
    (!terms.is_empty()).then(|| format!("\"{}\"{open}", terms.join("\" \"")))
}

const WORDS_MAX: usize = 64;

/// As the tokenizer `unicode61` sees it, roughly: where they differ, a word becomes a phrase of its parts. It cannot
/// become an operator, because it stands in quotes and has none.
fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || (!letter.is_ascii() && !letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_the_last_goes_on() {
        for (text, query) in [
            ("read file", Some(r#""read" "file"*"#)),
            ("read file ", Some(r#""read" "file""#)),
            ("std::fs", Some(r#""std" "fs"*"#)),
            ("\"read the file\" path_of", Some(r#""read the file" "path_of"*"#)),
            ("x \"a.b\"", Some(r#""x" "a b""#)),
            ("a \"open", Some(r#""a" "open"*"#)),
            ("NEAR(a b) OR prompt:c*", Some(r#""NEAR" "a" "b" "OR" "prompt" "c""#)),
            ("größe", Some(r#""größe"*"#)),
            ("a\0b", Some(r#""a" "b"*"#)),
            ("", None),
            ("\"\" ?!", None),
        ] {
            assert_eq!(search_query(text).as_deref(), query, "{text:?}");
        }
    }

    #[test]
    fn no_text_of_a_user_is_in_the_statement() {
        let evil = "'; DROP TABLE files; --".to_owned();
        let filter = Filter {
            users: vec![evil.clone(), "-".into()],
            hosts: vec![evil.clone(), format!("*.{evil}")],
            models: vec![evil.clone()],
            languages: vec![evil.clone()],
            editors: vec![evil.clone()],
            text: Some(evil),
            ..Filter::default()
        };
        let found = condition(&filter, Some([1, 2]));
        assert!(!found.sql.contains("DROP"), "{}", found.sql);
        assert_eq!(found.sql.matches('?').count(), found.values.len());
    }
}
