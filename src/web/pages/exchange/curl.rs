//! The request as a command of curl, for a shell (bash, zsh), without what gives access.

use std::fmt::Write;

use maud::{Markup, html};

use crate::archive::Record;
use crate::redaction;
use crate::review::query::encoded;
use crate::review::subject::Subject;
use crate::review::text::misleads;

/// Bytes of a body that stand in the command. A shell takes 128 KiB in one argument.
const BODY: usize = 100_000;
/// Fields that curl makes itself, or that would lie about what it sends.
const OWN: [&str; 8] = [
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "proxy-connection",
    "expect",
];

/// A command, and what is to be said of it.
#[derive(Debug, PartialEq)]
struct Command {
    text: String,
    /// Names of fields that were left out because they give access.
    without: Vec<String>,
    /// The body is to be fetched beside it.
    body_apart: bool,
}

/// Whether curl can repeat it.
pub(super) fn can(subject: &Subject) -> bool {
    subject.record.messages.is_none()
}

pub(super) fn section(subject: &Subject) -> Markup {
    let record = &subject.record;
    if !can(subject) {
        return html! { details { summary { "As curl" } p { "It went over a WebSocket, which curl cannot repeat." } } };
    }
    let command = command(record);
    html! {
        details {
            summary { "As curl" }
            p {
                "Without what gives access: set " code { "TOKEN" } " to a token of your own first."
                @if !command.without.is_empty() { " Left out: " (command.without.join(", ")) "." }
            }
            @if command.body_apart {
                p {
                    "The body is too large for a command, or no text: save "
                    a href={ "/exchanges/" (encoded(&subject.row.id)) "/request-body" } download="request-body" { "the request body" }
                    " as " code { "request-body" } " beside it."
                }
            }
            p { button type="button" data-copy="#curl" { "Copy" } }
            pre.text #curl tabindex="0" role="group" aria-label="The request as a command of curl" { (command.text) }
        }
    }
}

fn command(record: &Record) -> Command {
    let mut command =
        Command { text: "curl --globoff --compressed".to_owned(), without: Vec::new(), body_apart: false };
    if record.method == "HEAD" {
        command.text.push_str(" --head");
    } else {
        command.option("--request", &quoted(&record.method));
    }
    command.option("--url", &quoted(&record.url));
    for (name, value) in &record.request_headers {
        command.field(name, value);
    }
    let body = &record.request_body;
    if body.bytes.is_some() || body.text.len() > BODY {
        command.body_apart = true;
        command.option("--data-binary", "@request-body");
    } else if !body.text.is_empty() {
        command.option("--data-raw", &quoted(&body.text));
    }
    command
}

impl Command {
    fn option(&mut self, name: &str, value: &str) {
        // A String takes all that is written.
        let _ = write!(self.text, " \\\n  {name} {value}");
    }

    fn field(&mut self, name: &str, value: &str) {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        // What is no name of a field is not HTTP; `@` before it would make curl read a file.
        if name.is_empty() || !name.bytes().all(is_token) || OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return;
        }
        if name.eq_ignore_ascii_case("authorization") {
            self.option("--header", "\"Authorization: Bearer $TOKEN\"");
            return;
        }
        let clean = redaction::field(name.as_bytes(), value.as_bytes());
        if value.contains(redaction::MARK) || *clean != *value.as_bytes() {
            self.without.push(name.to_owned());
            return;
        }
        if value.contains(['\r', '\n', '\0']) {
            return;
        }
        // Curl takes `Name:` for a field that is to be left out.
        let field = if value.trim().is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        self.option("--header", &quoted(&field));
    }
}

/// One word of a shell's command that means the text. What would move the cursor of the terminal that it is pasted into,
/// or hide a part of it, is written by its number (`$'…'`: bash, zsh, ksh).
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter == '\n' || letter == '\t' || !misleads(letter);
    if text.chars().all(plain) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = "$'".to_owned();
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => {
                word.push('\\');
                word.push(letter);
            }
            letter if plain(letter) => word.push(letter),
            letter => {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    // Three digits, so that a digit behind it is not taken for one of them.
                    let _ = write!(word, "\\{byte:03o}");
                }
            }
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use std::process::Command as Process;

    use proptest::prelude::*;

    use super::*;
    use crate::export::testing::record;

    fn arguments(command: &str) -> Vec<u8> {
        let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\nTOKEN=t\n{command}");
        let out = Process::new("bash").args(["--norc", "-c", &script]).env("LC_ALL", "C.UTF-8").output().unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{script}: {out:?}");
        out.stdout
    }

    fn words(command: &str) -> Vec<String> {
        let text = String::from_utf8(arguments(command)).unwrap();
        text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
    }

    #[test]
    fn the_request_is_said_again_without_what_gives_access() {
        let mut record = record();
        record.url = "https://api.example.com/a?b='$(id)'&c=[1]".to_owned();
        record.request_headers = [
            ("Host", "api.example.com"),
            ("Authorization", "Bearer tid=1:<redacted>"),
            ("Cookie", "<redacted>"),
            ("X-Api-Key", "secret"),
            ("Content-Encoding", "gzip"),
            ("X-Empty", ""),
            ("@/etc/passwd", "x"),
            ("X-Quote", "it's \"$HOME\" `id`"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        record.request_body.text = "{\"a\":\"it's\\n\"}\n!$(id)".to_owned();
        let command = command(&record);
        assert_eq!(command.without, ["Cookie", "X-Api-Key"]);
        assert_eq!(
            words(&command.text),
            [
                "--globoff",
                "--compressed",
                "--request",
                "POST",
                "--url",
                "https://api.example.com/a?b='$(id)'&c=[1]",
                "--header",
                "Authorization: Bearer t",
                "--header",
                "X-Empty;",
                "--header",
                "X-Quote: it's \"$HOME\" `id`",
                "--data-raw",
                "{\"a\":\"it's\\n\"}\n!$(id)",
            ]
        );
        assert!(!command.text.contains("secret"));
    }

    #[test]
    fn large_and_binary_bodies_are_apart() {
        let mut record = record();
        record.request_body.text = "x".repeat(BODY + 1);
        let large = command(&record);
        assert!(large.body_apart && large.text.ends_with("--data-binary @request-body"), "{large:?}");
        record.request_body.text = "\u{fffd}".into();
        record.request_body.bytes = Some(vec![0xff]);
        assert!(command(&record).body_apart);
        record.request_body = crate::archive::Body::default();
        assert!(!command(&record).text.contains("--data"));
    }

    #[test]
    fn nothing_in_the_command_moves_a_cursor() {
        let word = quoted("\x1b[201~rm 1\u{202e}'\\é\u{7}1");
        assert_eq!(word, r"$'\033[201~rm 1\342\200\256\'\\é\0071'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_shell_reads_what_was_meant(text in "[^\0]{0,40}", hostile in "['\"$`\\\\!\n\r\t\u{1b}\u{202e}()&;|<>*? 0-9]{0,40}") {
            for text in [text, hostile] {
                prop_assert_eq!(arguments(&format!("curl {}", quoted(&text))), format!("{text}\0").into_bytes());
            }
        }
    }
}
