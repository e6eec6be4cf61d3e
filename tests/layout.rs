//! Data flows one way: which module may import which of ours.
//!
//! `config`, `digest`, `metrics`, `redaction`, `shutdown`, `stamp` and `wire` may be imported by all.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FOR_ALL: [&str; 7] = ["config", "digest", "metrics", "redaction", "shutdown", "stamp", "wire"];

/// A module and what it may import beside those for all.
const MAY_IMPORT: [(&str, &[&str]); 30] = [
    ("wire", &[]),
    ("digest", &[]),
    ("metrics", &[]),
    ("redaction", &[]),
    ("shutdown", &[]),
    ("stamp", &[]),
    ("rules", &["observer"]),
    ("config", &["rules"]),
    ("auth", &[]),
    ("check", &[]),
    ("door", &[]),
    ("relay", &[]),
    ("observer", &[]),
    ("exchange", &["observer"]),
    ("classifier", &["exchange", "observer", "rules"]),
    ("store", &["classifier", "exchange", "observer", "rules"]),
    ("tls", &["rules"]),
    // A tunnel's facts are the connection that its exchanges refer to.
    ("tunnel", &["door", "exchange", "relay", "rules", "tls"]),
    // The store only says whether new tunnels must be refused.
    ("listener", &["auth", "check", "door", "rules", "store", "tls", "tunnel"]),
    // What is in flight, and what its bytes say.
    ("live", &["copilot", "exchange", "observer", "rules"]),
    ("recorder", &["classifier", "exchange", "live", "observer", "relay", "rules", "store", "tunnel"]),
    (
        "cli",
        &[
            "archive",
            "auth",
            "classifier",
            "copilot",
            "door",
            "exchange",
            "export",
            "figures",
            "index",
            "listener",
            "live",
            "recorder",
            "review",
            "rules",
            "store",
            "tls",
            "tunnel",
            "web",
        ],
    ),
    ("review", &["archive", "copilot", "door", "export", "figures", "index", "rules"]),
    (
        "web",
        &[
            "archive", "auth", "check", "copilot", "door", "exchange", "export", "figures", "index", "live", "review",
            "rules", "shutdown", "tls",
        ],
    ),
    // The reading side: files to records, records to meaning, meaning to rows, rows to figures.
    // The rules that give older records their kind ask for the fields of a head.
    ("archive", &["exchange", "observer", "rules"]),
    ("copilot", &["rules"]),
    ("index", &["archive", "copilot", "rules"]),
    ("figures", &["archive", "copilot", "index", "rules"]),
    ("export", &["archive", "copilot", "index", "rules"]),
    ("lib", &[]),
];

/// Files have one idea; a table or a test file may be longer.
const MOST_LINES: usize = 450;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn is_test(path: &Path) -> bool {
    path.file_stem().unwrap().to_str().unwrap().contains("test")
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules of ours that a text names, tests left out.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = BTreeSet::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let name: String =
                line[at + 7..].chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn modules_import_only_what_lies_behind_them() {
    let mut wrong = Vec::new();
    for path in all_sources() {
        let module = module_of(&path);
        if module == "main" || is_test(&path) {
            continue;
        }
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{module} is not in the list of modules"));
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            if import != module && !FOR_ALL.contains(&&*import) && !allowed.contains(&&*import) {
                wrong.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small() {
    let long: Vec<_> = all_sources()
        .into_iter()
        .filter(|path| !is_test(path))
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
