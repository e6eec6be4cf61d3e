//! The program run to its end, as a shell runs it.
#![allow(clippy::unwrap_used, reason = "a test that cannot run its program has failed")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A working directory that goes away with the test.
pub(crate) struct Folder(tempfile::TempDir);

/// What a run left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all that is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        self.start(words, "", &[])
    }

    pub(crate) fn run_with(&self, words: &[&str], stdin: &str) -> Outcome {
        self.start(words, stdin, &[])
    }

    pub(crate) fn run_in(&self, words: &[&str], environment: &[(&str, &str)]) -> Outcome {
        self.start(words, "", environment)
    }

    /// The program in this folder, with nothing of the tester's settings in its environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_copilot-recorder"));
        command.current_dir(self.0.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COPILOT_RECORDER_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command
    }

    fn start(&self, words: &[&str], stdin: &str, environment: &[(&str, &str)]) -> Outcome {
        let mut command = self.command();
        command.args(words).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that does not read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The exit code, and one sentence on stderr that says this.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let sentences: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("copilot-recorder: ")).collect();
        assert_eq!(sentences.len(), 1, "{self:?}");
        assert!(sentences[0].contains(says), "{says:?} is not in {:?}", sentences[0]);
        assert_eq!(self.stdout, "", "results only");
    }

    #[track_caller]
    pub(crate) fn says_nothing(&self) {
        assert_eq!(self.stdout, "");
    }
}
