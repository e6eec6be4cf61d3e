//! Records as a user finds them, and whether they say what was sent.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::coded::on_the_wire;
use super::script::{Expected, Fields, Message};

/// One record file.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) path: PathBuf,
    pub(crate) json: Value,
}

impl Record {
    /// The paths of all record files below `logs`, sorted by name; the spool and temporary files are not among them.
    pub(crate) fn files(logs: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![logs.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && !hidden => folders.push(path),
                    Ok(_) if !hidden && path.extension().is_some_and(|end| end == "json") => files.push(path),
                    _ => {}
                }
            }
        }
        files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        files
    }

    /// All records below `logs`; every file must be whole.
    pub(crate) fn all(logs: &Path) -> Vec<Self> {
        Self::files(logs).into_iter().map(|path| Self::read(&path)).collect()
    }

    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a readable record");
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: path.to_owned(), json }
    }

    /// By the value of the request's `x-case` field.
    pub(crate) fn by_case(records: Vec<Self>) -> HashMap<String, Self> {
        let count = records.len();
        let named: HashMap<_, _> =
            records.into_iter().filter_map(|record| Some((record.request_header("x-case")?, record))).collect();
        assert_eq!(named.len(), count, "every record has a case of its own");
        named
    }

    pub(crate) fn name(&self) -> String {
        self.path.file_name().expect("a file has a name").to_string_lossy().into_owned()
    }

    /// The folder it lies in, which is its kind in the default layout.
    pub(crate) fn folder(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name).expect("a record lies in a folder");
        folder.to_string_lossy().into_owned()
    }

    pub(crate) fn request_header(&self, name: &str) -> Option<String> {
        let headers = self.json["request"]["headers"].as_object()?;
        let (_, value) = headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    }

    pub(crate) fn status(&self) -> Option<u64> {
        self.json["response"]["status_code"].as_u64()
    }

    pub(crate) fn complete(&self) -> bool {
        self.json["recorder"]["complete"].as_bool().expect("recorder.complete is a truth value")
    }

    pub(crate) fn aborted_by(&self) -> Option<&str> {
        self.json["recorder"]["aborted_by"].as_str()
    }

    /// A body's bytes, whichever way the record writes them.
    pub(crate) fn body(&self, side: &str) -> Vec<u8> {
        let content = self.json[side]["content"].as_str().unwrap_or_else(|| panic!("{side}.content is a string"));
        let details = &self.json["recorder"][side];
        let decode = |text: &str| STANDARD.decode(text).expect("base64");
        if details["encoding"] == "base64" {
            return decode(content);
        }
        // A text that was cut within a character keeps the rest of its bytes apart.
        let tail = details["content_tail"].as_str().map(decode).unwrap_or_default();
        [content.as_bytes(), &tail].concat()
    }

    /// Fails unless the record says exactly what was sent.
    pub(crate) fn assert_says(&self, expected: &Expected) {
        let case = format!("{} ({})", expected.case, self.path.display());
        let json = &self.json;
        assert_eq!(json["request"]["url"], expected.url.as_str(), "url of {case}");
        assert_eq!(json["request"]["method"], expected.method.as_str(), "method of {case}");
        assert_eq!(json["recorder"]["http_version"], expected.version, "version of {case}");
        assert_eq!(self.status(), Some(u64::from(expected.status)), "status of {case}");
        assert_eq!(self.aborted_by(), expected.aborted_by, "end of {case}");
        assert_eq!(self.complete(), expected.aborted_by.is_none(), "completeness of {case}");
        self.assert_message("request", &expected.request, &case);
        self.assert_message("response", &expected.response, &case);
    }

    fn assert_message(&self, side: &str, message: &Message, case: &str) {
        let found: Fields = fields_of(&self.json[side]["headers"]);
        assert_eq!(found, joined(&message.fields), "{side} headers of {case}");
        super::script::assert_same_bytes(&format!("{side} body of {case}"), &self.body(side), &message.body);
        let trailers = &self.json["recorder"][side]["trailers"];
        let found = if trailers.is_null() { Fields::new() } else { fields_of(trailers) };
        assert_eq!(found, message.trailers, "{side} trailers of {case}");
        let raw = &self.json["recorder"][side]["raw_headers"];
        let repeats = joined(&message.fields).len() < message.fields.len();
        let odd = message.fields.iter().any(|(_, value)| std::str::from_utf8(&on_the_wire(value)).is_err());
        assert_eq!(raw.is_array(), repeats || odd, "raw {side} headers of {case}");
        if repeats || odd {
            assert_eq!(fields_of(raw), message.fields, "raw {side} headers of {case}");
        }
    }
}

/// Fields of an object or of a list of pairs.
fn fields_of(value: &Value) -> Fields {
    let text = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let bytes = STANDARD.decode(value["base64"].as_str().expect("text or base64")).expect("base64");
            assert!(std::str::from_utf8(&bytes).is_err(), "UTF-8 is written as text");
            bytes.into_iter().map(char::from).collect()
        }
    };
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Value::Array(list) => list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        _ => panic!("neither an object nor a list: {value}"),
    }
}

/// As the object of the record has them: a repeated name once, where it came first, its values joined.
fn joined(fields: &Fields) -> Fields {
    let mut joined = Fields::new();
    for (name, value) in fields {
        match joined.iter_mut().find(|(found, _)| found.eq_ignore_ascii_case(name)) {
            Some((_, all)) => {
                all.push_str(", ");
                all.push_str(value);
            }
            None => joined.push((name.clone(), value.clone())),
        }
    }
    joined
}
