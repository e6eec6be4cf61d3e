//! The commands that read records: the real binary on a folder that the test made.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::program::{Folder, Outcome};
use support::samples::{Sample, write};
use support::terminal::on_a_terminal;

/// Records, and a program whose clock is UTC.
struct Review(Folder);

impl Review {
    /// A completion at 1 s, one cancelled at 2 s, a chat at 3 s, telemetry of the first at 9 s.
    fn new() -> Self {
        let review = Self::empty();
        for sample in [Sample::completion(1), Sample::cancelled(2), Sample::chat(3), Sample::telemetry(9, 1)] {
            review.add(&sample);
        }
        review
    }

    fn empty() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path("logs")).unwrap();
        Self(folder)
    }

    fn logs(&self) -> PathBuf {
        self.0.path("logs")
    }

    fn add(&self, sample: &Sample) -> PathBuf {
        sample.write(&self.logs())
    }

    fn put(&self, file: &str, text: &str) {
        write(&self.logs(), Path::new(file), text);
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.0.run_in(words, &[("TZ", "UTC")])
    }

    /// Results, and nothing else said.
    #[track_caller]
    fn says(&self, words: &[&str]) -> String {
        let outcome = self.run(words);
        outcome.succeeds();
        assert_eq!(outcome.stderr, "", "{words:?}");
        outcome.stdout
    }

    /// The ids that `list` gives, by their numbers.
    #[track_caller]
    fn listed(&self, filters: &[&str]) -> Vec<u32> {
        let text = self.says(&[&["list"], filters].concat());
        text.lines().map(|line| number(line.split('\t').nth(1).unwrap())).collect()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.0.command();
        command.args(words).env("TZ", "UTC").env_remove("NO_COLOR").env("TERM", "xterm");
        command
    }
}

/// Of a sample's id.
fn number(id: &str) -> u32 {
    u32::from_str_radix(&id[9..13], 16).unwrap()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

#[test]
fn piped_a_list_is_values_separated_by_tabs_the_newest_first() {
    let review = Review::new();
    let text = review.says(&["list"]);
    let lines: Vec<Vec<_>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[3],
        [
            "2026-11-20T09:00:01.000000Z",
            "019e5a10-0001-7000-8000-000000000000",
            "completions",
            "200",
            "ann",
            "vscode/1.95.3",
            "python",
            "m-1",
            "382.4",
            "-",
            "-",
            &Sample::completion(1).request.len().to_string(),
            &Sample::completion(1).response.len().to_string(),
            "-",
            &Sample::completion(1).file().to_string_lossy(),
        ]
    );
    assert_eq!(lines[2][13], "cancelled");
    assert_eq!((lines[1][2], lines[1][9], lines[1][10]), ("chat", "812", "41"));
    assert_eq!(review.listed(&["--reverse"]), [1, 2, 3, 9]);
    assert_eq!(review.listed(&["--reverse", "--all"]), [1, 2, 3, 9]);
    assert_eq!(review.listed(&["--all"]), [9, 3, 2, 1]);
}

#[test]
fn filters_choose() {
    let review = Review::new();
    review.add(&Sample { status: 0, ..Sample::completion(5) });
    review.add(&Sample { status: 503, editor: "JetBrains-PC/2".into(), ..Sample::chat(6) });
    for (filters, wanted) in [
        (&["--kind", "chat,telemetry"][..], &[9, 6, 3][..]),
        (&["--user", "bob"], &[6, 3]),
        (&["--user", "-"], &[]),
        (&["--host", "*.example.com", "--kind", "chat"], &[6, 3]),
        (&["--host", "example.com"], &[]),
        (&["--status", "5xx,none"], &[6, 5]),
        (&["--model", "m-chat"], &[6, 3]),
        (&["--language", "python", "--cancelled"], &[2]),
        (&["--editor", "JetBrains-PC"], &[6]),
        (&["--editor", "vscode/1.95.3", "--kind", "chat"], &[3]),
        (&["--failed"], &[6, 5]),
        (&["--since", "2026-11-20T09:00:03", "--until", "2026-11-20T09:00:06Z"], &[5, 3]),
        (&["--since", "2026-11-20T10:00:06+01:00", "--kind", "chat"], &[6]),
        (&["--slower-than", "400ms"], &[]),
        (&["--slower-than", "382", "--kind", "chat"], &[6, 3]),
        (&["--text", "null poin", "--status", "200"], &[3]),
    ] {
        if wanted.is_empty() {
            review.run(&[&["list"], filters].concat()).fails(1, "no record fits the filters");
        } else {
            assert_eq!(review.listed(filters), wanted, "{filters:?}");
        }
    }
}

#[test]
fn what_is_limited_says_so_on_stderr() {
    let review = Review::new();
    let outcome = review.run(&["list", "-n", "2"]);
    outcome.succeeds();
    assert_eq!(outcome.stdout.lines().count(), 2);
    assert!(outcome.stderr.contains("2 of 4, the newest; --all shows all"), "{}", outcome.stderr);
    let oldest_first = review.run(&["list", "--limit=2", "--reverse"]);
    let ids: Vec<_> = oldest_first.stdout.lines().map(|line| number(line.split('\t').nth(1).unwrap())).collect();
    assert_eq!(ids, [3, 9], "the newest two, the newest last");
}

#[test]
fn json_is_one_object_a_line() {
    let review = Review::new();
    let text = review.says(&["list", "--json", "--kind", "completions"]);
    let rows: Vec<_> = text.lines().map(json).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["id"], Sample::completion(1).id());
    assert_eq!(
        (&rows[1]["kind"], &rows[1]["status"], &rows[1]["user"]),
        (&"completions".into(), &200.into(), &"ann".into())
    );
    assert_eq!(rows[0]["aborted_by"], "client");
    assert_eq!(rows[1]["began"], 1_795_165_201_000_000_i64);
}

#[test]
fn wrong_values_and_missing_folders() {
    let folder = Folder::new();
    for command in ["list", "tail", "stats", "reindex", "verify"] {
        folder.run(&[command]).fails(3, "cannot read the folder logs of the records");
        folder.run(&[command, "--logs", "nowhere"]).fails(3, "nowhere");
    }
    folder.run(&["show", "x"]).fails(3, "--logs");
    folder.run(&["search", "x"]).fails(3, "--logs");
    fs::create_dir(folder.path("logs")).unwrap();
    for (words, says) in [
        (&["list", "--kind", "chats"][..], "there are completions"),
        (&["list", "--since", "soon"], "yesterday or now"),
        (&["list", "-n", "some"], "some"),
        (&["list", "--follow", "--all"], "cannot be used with"),
        (&["search"], "TEXT"),
        (&["show", "x", "--raw", "--json"], "cannot be used with"),
        (&["stats", "--by", "week"], "week"),
    ] {
        let outcome = folder.run(words);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{words:?}");
        assert!(outcome.stderr.contains(says), "{words:?}: {}", outcome.stderr);
    }
    folder.run(&["search", "?!"]).fails(2, "no word to look for");
    folder.run(&["stats", "--since", "soon"]).fails(2, "--since \"soon\"");
    folder.run(&["list"]).fails(1, "there are no records in logs");
    folder.run(&["stats"]).fails(1, "nothing to count");
    folder.run(&["show", "0193"]).fails(1, "there is no record whose id begins with \"0193\"");
}

#[test]
fn the_folder_comes_from_flag_environment_and_file() {
    let review = Review::new();
    fs::rename(review.logs(), review.0.path("elsewhere")).unwrap();
    assert_eq!(review.says(&["list", "--logs", "elsewhere"]).lines().count(), 4);
    let outcome = review.0.run_in(&["list"], &[("COPILOT_RECORDER_LOGS", "elsewhere")]);
    assert_eq!(outcome.stdout.lines().count(), 4);
    review.0.write("copilot-recorder.toml", "logs = \"elsewhere\"\n");
    assert_eq!(review.says(&["list"]).lines().count(), 4);
}

#[test]
fn files_that_cannot_be_read_are_said_and_the_rest_is_shown() {
    let review = Review::new();
    let whole = Sample::chat(4).json().to_string();
    review.put("chat/half.json", &whole[..whole.len() / 2]);
    review.put("chat/other.json", "{\"a\": 1}");
    review.put("chat/\x1b[2Jnone.json", "nothing");
    review.put("chat/later.json", &whole.replace("\"schema\":1", "\"schema\":7"));
    let outcome = review.run(&["list"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 4);
    assert!(outcome.stderr.contains("4 files or folders could not be read and were left out"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`copilot-recorder verify` tells all"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\x1b'), "{:?}", outcome.stderr);
    assert_eq!(review.run(&["show", &Sample::completion(1).id()]).code, Some(0), "what was asked for could be read");
    review.run(&["show", "chat/half.json"]).fails(1, "there is no record whose id begins");
    review.run(&["show", "logs/chat/half.json"]).fails(1, "is cut off");
}

#[test]
fn an_exchange_is_shown_by_id_prefix_and_path() {
    let review = Review::new();
    let sample = Sample::completion(1);
    let page = review.says(&["show", &sample.id()]);
    for line in [
        "completions  200\n",
        "\nuser       ann\n",
        "\ntime       2026-11-20 09:00:01.000 +00:00\n",
        "\n  │ # Path: src/m1.py\n  │ def add_1(a, b):\n  │     return ▮\n  │ print(1)\n",
        "\nended: stop\n  │ a + b\n",
        "ghostText.shown",
        "ghostText.accepted",
    ] {
        assert!(page.contains(line), "{line:?} is not in {page}");
    }
    assert_eq!(review.says(&["show", "019e5a10-0001"]), page);
    assert_eq!(review.says(&["show", &format!("logs/{}", sample.file().display())]), page);
    assert!(review.says(&["show", "019e5a10-0001", "--headers"]).contains("\n  Editor-Version: vscode/1.95.3\n"));
    review.run(&["show", "019e5a10"]).fails(1, "is the beginning of more than one id: 019e5a10-000");

    let page = review.says(&["show", "019e5a10-0003"]);
    for line in [
        "[2] user\n  │ Why the null pointer?\n",
        "  │ Let me look.\n",
        "  ▸ call of read_file (call_1)\n",
        "in 812, out 41",
    ] {
        assert!(page.contains(line), "{line:?} is not in {page}");
    }
    assert!(review.says(&["show", "019e5a10-0009"]).contains("Events (2)\n"));
}

#[test]
fn raw_is_the_body_to_the_byte() {
    let review = Review::empty();
    let response = "data: \u{1b}[2J\r\n\u{9b}31m\u{202e}\n";
    let sample = Sample { response: response.into(), ..Sample::completion(1) };
    review.add(&sample);
    assert_eq!(review.says(&["show", &sample.id(), "--raw"]), response);
    assert_eq!(review.says(&["show", &sample.id(), "--raw", "--request"]), sample.request);

    let mut binary = Sample::chat(2).json();
    binary["response"]["content"] = "/wD+".into();
    binary["recorder"]["response"]["encoding"] = "base64".into();
    review.put("chat/binary.json", &binary.to_string());
    let output = review.command(&["show", "019e5a10-0002", "--raw"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"\xff\x00\xfe"[..]));
}

#[test]
fn json_of_one_exchange_has_all_of_it() {
    let review = Review::new();
    let text = review.says(&["show", "019e5a10-0001", "--json"]);
    assert_eq!(text.lines().count(), 1);
    let value = json(&text);
    assert_eq!(value["row"]["id"], Sample::completion(1).id());
    assert_eq!(value["prompt"]["suffix"], "\nprint(1)\n");
    assert_eq!(value["answer"]["choices"][0]["text"], "a + b");
    assert_eq!(value["events"].as_array().unwrap().len(), 2);
    assert_eq!(value["record"], Sample::completion(1).json());
    let telemetry = json(&review.says(&["show", "019e5a10-0009", "--json"]));
    assert_eq!(telemetry["telemetry"][1]["name"], "ghostText.accepted");
}

#[test]
fn words_are_searched_and_shown_where_they_stand() {
    let review = Review::new();
    let text = review.says(&["search", "add_1"]);
    assert_eq!(text.lines().count(), 1);
    assert!(text.ends_with("\t# Path: src/m1.py def [add_1](a, b): return\n"), "{text}");
    assert!(review.says(&["search", "\"null pointer\"", "brief"]).contains("Why the [null pointer]?"));
    let found = json(&review.says(&["search", "--json", "let me", "--kind", "chat"]));
    assert_eq!((&found["context"]["hit"], &found["context"]["after"]), (&"Let".into(), &" me look.".into()));
    review.run(&["search", "nowhere_to_be_found"]).fails(1, "no record fits the filters");
    review.run(&["search", "\"pointer null\""]).fails(1, "no record fits the filters");
}

#[test]
fn figures_are_counted() {
    let review = Review::new();
    let text = review.says(&["stats", "--by", "user", "--json"]);
    let rows: Vec<_> = text.lines().map(json).collect();
    assert_eq!(rows.iter().map(|row| row["group"].as_str().unwrap()).collect::<Vec<_>>(), ["ann", "bob", "total"]);
    assert_eq!((&rows[0]["requests"], &rows[0]["cancelled"]), (&2.into(), &1.into()));
    assert_eq!((&rows[0]["shown"], &rows[0]["accepted"]), (&1.into(), &1.into()));
    assert_eq!((&rows[1]["shown"], &rows[1]["tokens_out"]), (&Value::Null, &41.into()));
    assert_eq!((&rows[2]["requests"], &rows[2]["is_total"], &rows[2]["by"]), (&3.into(), &true.into(), &"user".into()));
    let table = review.says(&["stats", "--by", "user"]);
    assert!(table.starts_with("Requests\nGROUP  REQUESTS"), "{table}");
    assert!(table.contains("\n? unknown (not zero), - nothing to know"), "{table}");
    review.run(&["stats", "--until", "2026-11-19", "--by", "day"]).fails(1, "there is nothing to count");
}

#[test]
fn the_index_is_made_anew_on_request() {
    let review = Review::new();
    let said = review.says(&["reindex"]);
    assert!(said.starts_with("4 records in ") && said.ends_with(" a second)\n"), "{said}");
    review.put("chat/half.json", "{");
    let outcome = review.run(&["reindex"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.contains("4 records in ") && outcome.stdout.contains("1 left out"), "{outcome:?}");
    assert!(outcome.stderr.contains("chat/half.json is cut off"), "{outcome:?}");
}

#[test]
fn verify_finds_what_is_wrong_and_nothing_else() {
    let review = Review::new();
    assert_eq!(review.says(&["verify"]), "4 files checked: all in order\n");

    let first = Sample::completion(1);
    let path = review.logs().join(first.file());
    let changed = fs::read_to_string(&path).unwrap().replace("octo/demo", "octo/dome");
    review.put(&first.file().to_string_lossy(), &changed);
    let whole = Sample::chat(3).json().to_string();
    review.put("chat/copy.json", &whole);
    review.put("chat/half.json", &whole[..100]);
    review.put("nes/wrong.json", &Sample::chat(7).json().to_string());
    let outcome = review.run(&["verify"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.pop().unwrap(), "7 files checked: 1 changed, 1 duplicate, 1 misplaced, 1 truncated");
    lines.sort_unstable();
    assert!(lines[0].starts_with("chat/2026") || lines[0].starts_with("chat/copy"), "{lines:?}");
    assert!(lines[0].contains(" has the id 019e5a10-0003"), "{lines:?}");
    assert_eq!(lines[1], "chat/half.json: is cut off: it ends in the middle of its JSON");
    assert!(lines[2].contains(": the request's body was changed: its SHA-256 is "), "{lines:?}");
    assert_eq!(lines[3], "nes/wrong.json: is of the kind chat and lies in the folder of nes");

    let findings = review.run(&["verify", "--json"]).stdout;
    let mut classes: Vec<_> =
        findings.lines().map(json).filter_map(|line| Some(line["class"].as_str()?.to_owned())).collect();
    classes.sort_unstable();
    assert_eq!(classes, ["changed", "duplicate", "misplaced", "truncated"]);
}

/// A running `tail`, its lines read one by one.
struct Tail {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Tail {
    fn start(review: &Review, words: &[&str]) -> Self {
        let mut child = review.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The number of the next record. A test that waits in vain is ended by the runner.
    fn next(&mut self) -> u32 {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        number(json(&line)["id"].as_str().unwrap())
    }

    fn ended(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

#[test]
fn records_are_shown_as_they_arrive() {
    let review = Review::new();
    for words in [
        &["tail", "--json", "--kind", "chat,completions"][..],
        &["list", "--follow", "--json", "--kind", "chat,completions"],
    ] {
        let mut tail = Tail::start(&review, words);
        let first: Vec<_> = (0..3).map(|_| tail.next()).collect();
        assert_eq!(first, [1, 2, 3], "the last ones first, the newest last");
        review.add(&Sample::telemetry(20, 1));
        review.add(&Sample::chat(21));
        assert_eq!(tail.next(), 21, "not the telemetry, and none twice");
        kill_process(Pid::from_child(&tail.child), Signal::INT).unwrap();
        let (code, said) = tail.ended();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.matches("no recorder is running on logs").count(), 1, "{said}");
        fs::remove_file(review.logs().join(Sample::chat(21).file())).unwrap();
    }
}

#[test]
fn a_reader_that_goes_ends_tail_and_list() {
    let review = Review::new();
    let mut tail = Tail::start(&review, &["tail", "--json", "-n", "1"]);
    assert_eq!(tail.next(), 9);
    let Tail { child, lines } = tail;
    drop(lines);
    review.add(&Sample::chat(21));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    for words in [&["list"][..], &["show", "019e5a10-0001"], &["search", "add_1"], &["verify"], &["stats"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = review.command(words).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{words:?}");
    }
}

const EVIL: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}evil";

/// Nothing that a terminal would act upon but our own colours.
#[track_caller]
fn harmless(text: &str, colours: bool) {
    let mut rest = text.to_owned();
    if colours {
        for colour in ["0", "1", "31", "33", "36", "90", "1;31", "1;32"] {
            rest = rest.replace(&format!("\x1b[{colour}m"), "");
        }
    }
    let acts = |letter: &char| {
        (letter.is_control() && !"\n\t".contains(*letter)) || ('\u{202a}'..='\u{202e}').contains(letter)
    };
    let found: Vec<_> = rest.chars().filter(acts).collect();
    assert!(found.is_empty(), "{found:?} in {text:?}");
}

#[test]
fn hostile_records_do_not_reach_a_terminal() {
    let review = Review::empty();
    let sample = Sample {
        editor: format!("vscode/{EVIL}"),
        request: serde_json::json!({"prompt": EVIL, "suffix": EVIL, "extra": {"language": EVIL}}).to_string(),
        response: format!("{{\"choices\":[{{\"index\":0,\"text\":{}}}]}}", Value::from(EVIL)),
        ..Sample::completion(1)
    };
    let mut json = sample.json();
    json["proxy-authorization"] = EVIL.into();
    json["request"]["headers"][EVIL] = EVIL.into();
    review.put(&format!("completions/{EVIL}.json"), &json.to_string());
    review.put(&format!("chat/{EVIL}.json"), "{");
    let commands = [
        &["list"][..],
        &["list", "--json"],
        &["search", "evil"],
        &["show", "019e5a10-0001", "--headers", "--full"],
        &["show", "019e5a10-0001", "--json"],
        &["show", "019e5a10-0001", "--raw"],
        &["show", "019e5a10-0001", "--raw", "--request"],
        &["show", EVIL],
        &["verify"],
        &["verify", "--json"],
        &["reindex"],
        &["stats", "--by", "user"],
    ];
    for words in commands {
        let (_, text) = on_a_terminal(&mut review.command(words), 80);
        harmless(&text, true);
        assert!(text.contains("evil") || words[0] == "reindex", "{words:?}: {text}");
        let (_, text) = on_a_terminal(review.command(words).env("NO_COLOR", "1"), 80);
        harmless(&text, false);
        let output = review.run(words);
        harmless(&output.stderr, false);
        if !words.contains(&"--raw") {
            harmless(&output.stdout, false);
        }
    }
}

#[test]
fn on_a_terminal_a_list_is_a_table_that_fits() {
    let review = Review::new();
    let (code, text) = on_a_terminal(review.command(&["list", "--reverse"]).env("NO_COLOR", "1"), 80);
    assert_eq!(code, Some(0), "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("TIME") && lines[0].contains("ID") && lines[0].contains("HTTP"), "{text}");
    assert!(lines[1].contains(" 09:00:01  019e5a10-0001  completions   200  ann"), "{text}");
    assert!(lines[2].ends_with("cancelled"), "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    let (_, coloured) = on_a_terminal(&mut review.command(&["list"]), 80);
    assert!(coloured.contains("\x1b[90m"), "{coloured:?}");
    let (_, dumb) = on_a_terminal(review.command(&["list"]).env("TERM", "dumb"), 80);
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
}
