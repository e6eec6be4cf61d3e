//! Other programs that tests run: curl, openssl, python3, and the program's own subcommands.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a program printed, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program to its end, off the runtime's threads.
pub(crate) async fn run(program: &str, arguments: &[&str], directory: &Path, input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env_remove("http_proxy").env_remove("https_proxy");
    command.env_remove("HTTPS_PROXY").env_remove("NO_PROXY").env_remove("no_proxy").env_remove("SSL_CERT_FILE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (name, input) = (program.to_owned(), input.to_owned());
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
        // A program that does not read its input closes the pipe; that is its right.
        std::io::Write::write_all(&mut child.stdin.take().expect("stdin is a pipe"), input.as_bytes()).ok();
        child.wait_with_output().expect("a child can be waited for")
    });
    let output = super::within("a program's end", output).await.expect("no panic");
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
