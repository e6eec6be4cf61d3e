//! Bodies of the fuzz targets, callable from a plain test.

use std::io;
use std::path::Path;

use super::difference::Difference;
use super::text::{json_line, misleads, printable, printable_lines, shortened, width};
use super::words::Words;
use super::{timing, told};
use crate::archive::{self, Record};
use crate::export::{csv, har, jsonl};
use crate::index::{Row, row_of};

/// Looks for the words on the first line in the lines behind it; the first two bytes say how much is shown.
///
/// # Panics
/// When a hit is no place in the text, when what is shown of it misleads or is longer than asked for, or when one way
/// to look for it finds what another does not.
pub fn fuzz_search(data: &[u8]) {
    let Some(([columns, letters], rest)) = data.split_first_chunk::<2>().map(|(sizes, rest)| (*sizes, rest)) else {
        return;
    };
    let all = String::from_utf8_lossy(rest);
    let (typed, text) = all.split_once('\n').unwrap_or((&all, ""));
    let words = Words::of(typed);
    let hits = words.hits(text, 50);
    assert!(hits.len() <= 50 && hits.iter().all(|hit| !hit.is_empty() && text.get(hit.clone()).is_some()));
    assert!(hits.windows(2).all(|pair| pair[0].end <= pair[1].start), "apart and in order");

    let columns = usize::from(columns).max(1);
    let place = words.place(text, columns);
    if let Some(place) = &place {
        let line = format!("{}{}{}", place.before, place.hit, place.after);
        assert!(!line.contains(misleads), "{line:?}");
        assert!(width(&place.before) + width(&place.hit) + width(&place.after) <= columns.max(3), "{place:?}");
    }
    let snippet = words.snippet(text, letters.into());
    if let Some(snippet) = &snippet {
        assert!(!snippet.text.contains(misleads), "{snippet:?}");
        assert!(!snippet.hits.is_empty() && snippet.hits.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(snippet.hits.iter().all(|hit| snippet.text.get(hit.clone()).is_some()), "{snippet:?}");
    }
    assert_eq!((place.is_some(), snippet.is_some()), (!hits.is_empty(), !hits.is_empty()), "{typed:?} in {text:?}");

    assert!(width(&shortened(&printable(text), columns)) <= columns);
    assert!(printable_lines(text).lines().all(|line| !line.replace('\t', "").contains(misleads)));
    let line = json_line(&text).expect("a text is JSON");
    assert!(!line.contains(misleads) && serde_json::from_str::<String>(&line).is_ok_and(|again| again == text));
}

/// Reads any bytes as a record file, and hands it to all that shows or exports records.
///
/// # Panics
/// When an export is not of its form, or when a record differs from itself.
pub fn fuzz_reading(data: &[u8]) {
    let Ok(record) = archive::parse(Path::new("alice/chat/x.json"), data) else { return };
    let row = row_of(&record, "alice/chat/x.json".to_owned());
    exports(&row, &record).expect("a Vec takes all");

    let Difference { fields, request_headers, response_headers, prompts, answers } =
        Difference::of((&row, &record), (&row, &record));
    assert_eq!((fields, request_headers, response_headers), (Vec::new(), Vec::new(), Vec::new()));
    assert!(prompts[0] == prompts[1] && answers[0] == answers[1]);

    let steps = timing::steps(&row, &record);
    assert!(steps.iter().all(|step| step.from.is_finite() && step.to.is_finite()), "{steps:?}");
    assert!(timing::span(&steps).is_none_or(|(first, last)| first <= last), "{steps:?}");
    let _ = (told::model(&row), told::body_size(&record.request_body), told::later(row.began));
}

fn exports(row: &Row, record: &Record) -> io::Result<()> {
    let mut table = csv::Writer::new(Vec::new())?;
    table.add(row)?;
    let table = table.finish()?;
    let mut lines = ::csv::Reader::from_reader(&*table);
    let line = lines.records().next().expect("a line").expect("as many cells as columns");
    assert!(line.iter().all(|cell| !cell.starts_with(['=', '@', '\t', '\r', '\n'])), "a formula in {line:?}");
    assert!(lines.records().next().is_none(), "one exchange, one line");

    let mut lines = jsonl::Writer::new(Vec::new());
    lines.add(row, record)?;
    let lines = lines.finish()?;
    let value: serde_json::Value = serde_json::from_slice(&lines).expect("JSON");
    assert_eq!(value["id"], row.id.as_str());
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 1, "one exchange, one line");

    let mut document = har::Writer::new(Vec::new())?;
    document.add(record)?;
    document.add(record)?;
    let document: serde_json::Value = serde_json::from_slice(&document.finish()?).expect("JSON");
    let entry = &document["log"]["entries"][1];
    let url = entry["request"]["url"].as_str().expect("each has a URL");
    assert!(url.is_ascii() && !url.contains(|letter: char| letter.is_ascii_control() || letter == ' '), "{url:?}");
    let times =
        ["blocked", "dns", "connect", "ssl", "send", "wait", "receive"].map(|name| entry["timings"][name].as_f64());
    assert!(times.iter().all(|time| time.is_some_and(|time| time >= 0.0 || time == -1.0)), "{times:?}");
    Ok(())
}
