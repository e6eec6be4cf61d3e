//! The command line: what can be asked for, who does it, and what its outcome means to a shell.

pub mod ca;
pub mod export;
pub mod line;
pub mod logs;
pub mod output;
pub mod print;
pub mod reindex;
pub mod rows;
pub mod run;
pub mod search;
pub mod show;
pub mod stats;
pub mod table;
pub mod tail;
pub mod users;
pub mod verify;
pub mod web;

pub mod filter;
pub mod list;

mod destination;
mod error;
mod greeting;
mod logging;
mod settings;
mod terminal;
#[cfg(test)]
mod testing;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing::warn;

pub use error::CliError;
use settings::{CaSettings, RunSettings};

use crate::config::{self, Flags, Inputs, Verbosity};

/// A flight recorder for GitHub Copilot: a proxy that relays every byte unchanged and records each exchange as a
/// JSON file.
///
/// Point your editor's proxy setting at it, trust its CA, and work as before. Only Copilot's hosts are opened; all
/// others pass through untouched. Without a command it runs the proxy.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_long_help = "\
Every option is also a variable of the environment (as shown) and a key in the configuration file, where - is _ . The \
command line counts more than the environment, the environment more than the file. Lists in variables are separated by \
commas; an empty variable counts as not set. The sections [limits] and [[kinds]] of the file, and all the rest: \
docs/configuration.md.

Examples:
  copilot-recorder                                     on 127.0.0.1:8080, records in logs/
  copilot-recorder users add ann                       make a user, and from then on ask for credentials
  copilot-recorder --listen 0.0.0.0:8080 --advertise proxy.example.com:8080
  copilot-recorder ca export --out copilot-recorder.pem
  copilot-recorder list --since today                  what was recorded; then show, search, stats, tail

Exit codes: 0 done; 1 nothing found, or a check failed; 2 wrong usage or configuration; 3 could not start."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run the proxy; the default.
    Run(RunArgs),
    /// Show, export or replace the CA that clients trust.
    Ca {
        #[command(flatten)]
        settings: CaSettings,
        #[command(flatten)]
        ca: ca::CaArgs,
    },
    /// Say who may use the proxy.
    Users(users::UsersArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Search(search::SearchArgs),
    Stats(stats::StatsArgs),
    Export(export::ExportArgs),
    Tail(tail::TailArgs),
    Web(web::WebArgs),
    Reindex(reindex::ReindexArgs),
    Verify(verify::VerifyArgs),
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    settings: RunSettings,
}

/// Where the rest of the settings is.
#[derive(Args, Debug)]
pub struct ConfigArg {
    /// Read this configuration file [default: copilot-recorder.toml, if it exists] [env: COPILOT_RECORDER_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// The whole program: what `main` returns.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, which may be a closed pipe; there is nobody left to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if let Some(text) = error.message() {
                // As above.
                let _ = writeln!(io::stderr(), "copilot-recorder: {}", output::printable(&text));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, CliError> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run(&args),
        Command::Ca { settings, ca } => {
            let inputs = with_inputs(&settings.flags(), settings.config(), config::authority)?;
            logging::start(Verbosity::Normal);
            let mut out = io::stdout().lock();
            let code =
                ca::run(&ca, &inputs.certs, &inputs.hosts.open, &format!("http://{}", inputs.advertise), &mut out)
                    .map_err(CliError::start)?;
            out.flush()?;
            Ok(code)
        }
        Command::Users(args) => {
            let file = with_inputs(&args.flags(), args.config(), config::users_file)?;
            users::run(&args, &file, &mut io::stdin().lock(), &mut io::stdout().lock())
        }
        Command::List(args) => list::run(&args, &mut io::stdout().lock()),
        Command::Show(args) => show::run(&args, &mut io::stdout().lock()),
        Command::Search(args) => search::run(&args, &mut io::stdout().lock()),
        Command::Stats(args) => stats::run(&args, &mut io::stdout().lock()),
        Command::Export(args) => export::run(&args, &mut io::stdout().lock()),
        Command::Tail(args) => tail::run(&args, &mut io::stdout().lock()),
        Command::Web(args) => web::run(&args),
        Command::Reindex(args) => reindex::run(&args, &mut io::stdout().lock()),
        Command::Verify(args) => verify::run(&args, &mut io::stdout().lock()),
    }
}

fn run(args: &RunArgs) -> Result<u8, CliError> {
    let resolved = with_inputs(&args.settings.0, args.config.path(), config::resolve)?;
    logging::start(resolved.verbosity);
    for note in &resolved.notes {
        warn!("{}", output::printable(note));
    }
    run::run(resolved.config, resolved.verbosity == Verbosity::Quiet)?;
    Ok(0)
}

fn with_inputs<T>(
    flags: &Flags,
    config: Option<&Path>,
    make: impl Fn(&Inputs<'_>) -> Result<T, config::ConfigError>,
) -> Result<T, CliError> {
    let environment = |name: &str| -> Option<OsString> { std::env::var_os(name) };
    Ok(make(&Inputs { flags, config, environment: &environment, folder: Path::new("") })?)
}

impl ConfigArg {
    fn path(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn flags(words: &[&str]) -> Flags {
        let cli = Cli::try_parse_from(["copilot-recorder"].iter().chain(words)).unwrap();
        match cli.command {
            None => cli.run.settings.0,
            Some(Command::Run(args)) => args.settings.0,
            Some(_) => panic!("another command"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_and_takes_the_same_flags() {
        let words =
            ["--listen", "127.0.0.1:0", "--intercept", "a.example", "--intercept", "b.example", "--no-auth", "-q"];
        let given = flags(&words);
        assert_eq!(given["listen"], ["127.0.0.1:0"]);
        assert_eq!(given["intercept"], ["a.example", "b.example"]);
        assert_eq!((&given["no_auth"], &given["quiet"]), (&vec!["true".to_owned()], &vec!["true".to_owned()]));
        assert_eq!(given.len(), 4, "what was not given is not there");
        assert_eq!(flags(&[&["run"], words.as_slice()].concat()), given);
        assert_eq!(flags(&["--no-auth=false", "-v"])["no_auth"], ["false"]);
    }

    #[test]
    fn usage_errors() {
        for words in
            [["--nonsense"].as_slice(), &["lists"], &["users"], &["ca"], &["--quiet", "users", "list"], &["--listen"]]
        {
            let error = Cli::try_parse_from(["copilot-recorder"].iter().chain(words)).err().unwrap();
            assert_eq!(error.exit_code(), 2, "{words:?}");
        }
    }
}
