//! Flags made from the table of settings, so that each is described once.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::ConfigArg;
use crate::config::{Flags, Form, SETTINGS, Setting};

/// All settings that have a flag, as given on the command line.
#[derive(Debug, Default)]
pub(super) struct RunSettings(pub(super) Flags);

/// The settings that the `ca` commands need. Their ids differ from those of `run`, because the parser hands global
/// flags up to the command above.
#[derive(Debug, clap::Args)]
pub(super) struct CaSettings {
    /// Folder of the CA's certificate (ca.pem) and key (ca-key.pem) [default: certs] [env: COPILOT_RECORDER_CERTS]
    #[arg(id = "ca_certs", long = "certs", value_name = "DIR", global = true)]
    certs: Option<String>,
    /// A host that `run` opens too; give the same as to `run` [default: as in the configuration file]
    #[arg(id = "ca_intercept", long = "intercept", value_name = "PATTERN", global = true)]
    intercept: Vec<String>,
    #[command(flatten)]
    config: ConfigArg,
}

impl CaSettings {
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.path()
    }

    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        if let Some(certs) = &self.certs {
            flags.insert("certs", vec![certs.clone()]);
        }
        if !self.intercept.is_empty() {
            flags.insert("intercept", self.intercept.clone());
        }
        flags
    }
}

impl Args for RunSettings {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().filter(|setting| setting.flag).fold(command, |command, setting| command.arg(arg(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RunSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS.iter().filter(|setting| setting.flag) {
            if let Some(texts) = matches.get_many::<String>(setting.key) {
                self.0.insert(setting.key, texts.cloned().collect());
            }
        }
        Ok(())
    }
}

fn arg(setting: &Setting) -> Arg {
    let facts = format!("[default: {}] [env: {}]", setting.default, setting.variable());
    let stop = if setting.help.ends_with(')') || setting.more.is_empty() { "" } else { ". " };
    let arg = Arg::new(setting.key)
        // The parser wants names that live as long as the program; it is made once.
        .long(&*setting.flag_name().leak())
        .value_name(setting.value)
        .help(format!("{} [default: {}]", setting.help, setting.default))
        .long_help(format!("{}{stop}{}\n{facts}", setting.help, setting.more));
    let arg = if let Some(letter) = setting.short { arg.short(letter) } else { arg };
    match setting.form {
        Form::List => arg.action(ArgAction::Append),
        // `--no-auth` and `--no-auth=false`; the next word is never taken for the value.
        Form::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => arg,
    }
}
