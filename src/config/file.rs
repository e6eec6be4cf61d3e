//! The TOML file as typed: which keys there are, of which form, on which line. What they mean is for `resolve`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{ConfigError, Place};
use super::settings::{Form, SETTINGS, Setting};
use crate::rules::KindRow;

/// The table of rows that are tried before the compiled-in kinds.
const KINDS: &str = "kinds";

/// A value with where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A configuration file that has been read; all its keys exist and have the right form.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// By key; a list has any number of values, everything else one.
    pub(super) given: BTreeMap<&'static str, Vec<Value>>,
    /// The rows of `[[kinds]]`.
    pub(super) kinds: Vec<KindRow>,
    /// What relative paths in it are relative to.
    pub(super) folder: PathBuf,
}

impl File {
    pub(super) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            what: "configuration",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let reader = Reader { text, path };
        let document = DeTable::parse(text).map_err(|error| reader.toml(&error))?;
        let mut file = Self { folder: path.parent().map(Path::to_owned).unwrap_or_default(), ..Self::default() };
        for (key, value) in document.into_inner() {
            let name = key.get_ref().as_ref();
            match value.get_ref() {
                _ if name == KINDS => file.kinds = reader.kinds(value)?,
                DeValue::Table(table) if tables().any(|table| table == name) => {
                    for (inner, value) in table {
                        file.take(&reader, &format!("{name}.{}", inner.get_ref()), inner.span(), value)?;
                    }
                }
                _ => file.take(&reader, name, key.span(), &value)?,
            }
        }
        Ok(file)
    }

    fn take(
        &mut self,
        reader: &Reader<'_>,
        key: &str,
        at: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let Some(setting) = Setting::find(key) else { return Err(reader.unknown(key, &at)) };
        self.given.insert(setting.key, reader.values(setting, value)?);
        Ok(())
    }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn values(&self, setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Vec<Value>, ConfigError> {
        let one = |value: &Spanned<DeValue<'_>>| {
            let text = scalar(setting.form, value.get_ref()).ok_or_else(|| {
                let found = value.get_ref().type_str();
                let reason =
                    format!("{} must be {}, not {} {found}", setting.key, wanted(setting.form), article(found));
                self.malformed(&value.span(), reason)
            })?;
            Ok(Value { text, place: self.place(setting.key, &value.span()) })
        };
        match value.get_ref() {
            DeValue::Array(array) if setting.form == Form::List => array.iter().map(one).collect(),
            _ if setting.form == Form::List => {
                let found = value.get_ref().type_str();
                let reason = format!("{} must be a list such as [\"…\"], not {} {found}", setting.key, article(found));
                Err(self.malformed(&value.span(), reason))
            }
            _ => Ok(vec![one(value)?]),
        }
    }

    fn kinds(&self, value: Spanned<DeValue<'_>>) -> Result<Vec<KindRow>, ConfigError> {
        let span = value.span();
        let DeValue::Array(rows) = value.into_inner() else {
            return Err(self.malformed(&span, "kinds must be written as [[kinds]] tables".into()));
        };
        let row = |row: Spanned<DeValue<'_>>| {
            let span = row.span();
            KindRow::deserialize(ValueDeserializer::from(row)).map_err(|error| {
                let at = error.span().filter(|at| !at.is_empty()).unwrap_or(span);
                self.malformed(&at, format!("in [[kinds]]: {}", error.message().replace('\n', "; ")))
            })
        };
        rows.into_iter().map(row).collect()
    }

    fn unknown(&self, key: &str, at: &Range<usize>) -> ConfigError {
        let (table, allowed) = match key.split_once('.') {
            Some((table, _)) => (table, keys_of(&format!("{table}."))),
            None => ("", tables().chain([KINDS]).chain(keys_of("")).collect()),
        };
        let within = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
        self.malformed(at, format!("there is no key {key:?}; allowed{within}: {}", allowed.join(", ")))
    }

    fn toml(&self, error: &toml::de::Error) -> ConfigError {
        self.malformed(&error.span().unwrap_or(0..0), error.message().replace('\n', "; "))
    }

    fn malformed(&self, at: &Range<usize>, reason: String) -> ConfigError {
        ConfigError::Malformed { path: self.path.to_owned(), line: self.line(at), reason }
    }

    fn place(&self, key: &'static str, at: &Range<usize>) -> Place {
        Place::File { path: self.path.to_owned(), line: self.line(at), key }
    }

    fn line(&self, at: &Range<usize>) -> usize {
        1 + self.text.bytes().take(at.start).filter(|&byte| byte == b'\n').count()
    }
}

/// The value as the text that a flag would have.
fn scalar(form: Form, value: &DeValue<'_>) -> Option<String> {
    let number = || value.as_integer().filter(|n| n.radix() == 10).map(|n| n.as_str().to_owned());
    let text = || value.as_str().map(str::to_owned);
    match form {
        Form::Text | Form::Path => text(),
        Form::Number => number(),
        Form::Size | Form::Time | Form::List => text().or_else(number),
        Form::Switch => value.as_bool().map(|on| on.to_string()),
    }
}

fn wanted(form: Form) -> &'static str {
    match form {
        Form::Text | Form::Path => "a string",
        Form::Number => "a whole number",
        Form::Size => "a number of bytes or a string such as \"16 MiB\"",
        Form::Time => "a number of seconds or a string such as \"10 s\"",
        Form::Switch => "true or false",
        Form::List => "a list of strings",
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The names of the tables that hold settings.
fn tables() -> impl Iterator<Item = &'static str> {
    let mut tables: Vec<_> = SETTINGS.iter().filter_map(|s| s.key.split_once('.')).map(|(table, _)| table).collect();
    tables.dedup();
    tables.into_iter()
}

fn keys_of(prefix: &str) -> Vec<&'static str> {
    SETTINGS.iter().filter_map(|s| s.key.strip_prefix(prefix)).filter(|key| !key.contains('.')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(text, Path::new("dir/c.toml")).map_err(|error| error.to_string())
    }

    fn texts(file: &File, key: &str) -> Vec<String> {
        file.given.get(key).into_iter().flatten().map(|value| value.text.clone()).collect()
    }

    #[test]
    fn each_form_is_read() {
        let file = parse(
            "listen = '[::1]:80'\nno_auth = true\nmax_connections = 1_000\nallow_port = [8443, '22']\n\
             connect_to = []\n[limits]\nbody = '1 MiB'\nconnect = 5\n",
        )
        .unwrap();
        assert_eq!(texts(&file, "listen"), ["[::1]:80"]);
        assert_eq!(texts(&file, "no_auth"), ["true"]);
        assert_eq!(texts(&file, "max_connections"), ["1000"]);
        assert_eq!(texts(&file, "allow_port"), ["8443", "22"]);
        assert_eq!(texts(&file, "limits.body"), ["1 MiB"]);
        assert_eq!(texts(&file, "limits.connect"), ["5"]);
        assert_eq!(file.given["connect_to"], []);
        assert_eq!(file.folder, Path::new("dir"));
        assert_eq!(file.given["limits.connect"][0].place.to_string(), "dir/c.toml, line 8 (limits.connect)");
    }

    #[test]
    fn errors_name_file_line_key_and_what_is_allowed() {
        for (text, says) in [
            (
                "\nlissten = 'x'",
                "dir/c.toml, line 2: there is no key \"lissten\"; allowed: limits, kinds, listen, advertise,",
            ),
            (
                "[limits]\nbodies = 1",
                "line 2: there is no key \"limits.bodies\"; allowed in [limits]: body, head, decoded,",
            ),
            ("[limit]\nbody = 1", "line 1: there is no key \"limit\""),
            ("limits = 5", "line 1: there is no key \"limits\""),
            ("listen = 8080", "line 1: listen must be a string, not an integer"),
            ("no_auth = 'yes'", "line 1: no_auth must be true or false, not a string"),
            ("max_connections = '5'", "max_connections must be a whole number, not a string"),
            ("record = 'chat'", "record must be a list such as [\"…\"], not a string"),
            ("record = [\n'chat',\ntrue]", "line 3: record must be a list of strings, not a boolean"),
            (
                "[limits]\nbody = 1.5",
                "limits.body must be a number of bytes or a string such as \"16 MiB\", not a float",
            ),
            ("listen = ", "line 1: "),
            ("listen = 'a'\nlisten = 'b'", "line 2: duplicate key"),
            ("kinds = 3", "line 1: kinds must be written as [[kinds]] tables"),
            ("\n[[kinds]]\nname = 'x'\nkind = 'nonsense'\n", "line 4: in [[kinds]]: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says) && !error.contains('\n'), "{text}\n{error}\n{says}");
        }
    }

    #[test]
    fn rows_of_kinds_are_read_in_order() {
        let file =
            parse("[[kinds]]\nname = 'ours'\nkind = 'chat'\npaths = ['/ours']\n[[kinds]]\nname='b'\nkind='nes'\n");
        assert_eq!(file.unwrap().kinds.len(), 2);
    }
}
