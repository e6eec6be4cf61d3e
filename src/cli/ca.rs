//! `copilot-recorder ca`: look at the CA, hand it to clients, replace it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use crate::rules::HostPattern;
use crate::tls::{Authority, AuthorityError, Root};

/// Show, export or replace the CA that clients trust.
#[derive(Args, Debug)]
pub struct CaArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CaCommand,
}

/// The subcommands of `ca`.
#[derive(Subcommand, Debug)]
pub enum CaCommand {
    /// Show whose CA it is, its fingerprint, how long it is valid, and for which hosts it can sign.
    Show,
    /// Write the CA's certificate (never its key) for clients to install.
    Export {
        /// Form of the certificate: pem for most clients, der for Windows' double click.
        #[arg(long, value_enum, default_value_t = Form::Pem)]
        format: Form,
        /// File to write; standard output without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a new CA for the hosts that are opened now; every client must then install it.
    Rotate {
        /// Replace the present CA although it is in order.
        #[arg(long)]
        force: bool,
    },
}

/// Forms of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Text between BEGIN and END CERTIFICATE.
    Pem,
    /// The bytes themselves.
    Der,
}

/// Done.
const DONE: u8 = 0;
/// There is no CA, or it is not in order.
const CHECK_FAILED: u8 = 1;

/// Runs the command; results go to `out`, and the number is the exit code.
///
/// `certs` is the folder of the CA, `open` are the patterns of the hosts that the configuration opens; `crl_base` is the
/// address that clients reach the proxy by, for example `http://127.0.0.1:8080`.
///
/// # Errors
/// When a file cannot be read or written. "Nothing there" and "not in order" are results, not errors.
pub fn run(
    args: &CaArgs,
    certs: &Path,
    open: &[HostPattern],
    crl_base: &str,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    match &args.command {
        CaCommand::Show => show(certs, open, out),
        CaCommand::Export { format, out: file } => export(certs, *format, file.as_deref(), out),
        CaCommand::Rotate { force } => rotate(certs, open, crl_base, *force, out),
    }
}

fn show(certs: &Path, open: &[HostPattern], out: &mut dyn Write) -> anyhow::Result<u8> {
    let root = match Root::read(certs) {
        Ok(root) => root,
        Err(missing @ AuthorityError::Missing { .. }) => {
            writeln!(out, "{missing}")?;
            return Ok(CHECK_FAILED);
        }
        Err(error) => return Err(error.into()),
    };
    writeln!(out, "certificate  {}", certs.join("ca.pem").display())?;
    writeln!(out, "subject      {}", root.subject())?;
    writeln!(out, "SHA-256      {}", root.fingerprint())?;
    writeln!(out, "valid        {} to {}", root.not_before().format("%Y-%m-%d"), root.not_after().format("%Y-%m-%d"))?;
    match root.permitted() {
        Some(names) => {
            writeln!(out, "can sign for these names and those below them, and nothing else:")?;
            for name in names {
                writeln!(out, "             {name}")?;
            }
        }
        None => writeln!(out, "can sign for any name: whoever has its key can impersonate any site")?,
    }
    match Authority::check(certs, open) {
        Ok(()) => Ok(DONE),
        // Whoever only wants to look need not be allowed to read the key.
        Err(AuthorityError::Unreadable { path, source }) if source.kind() == io::ErrorKind::PermissionDenied => {
            writeln!(out, "not checked  {} is not readable by this user", path.display())?;
            Ok(DONE)
        }
        Err(problem) => {
            writeln!(out, "problem      {problem}")?;
            Ok(CHECK_FAILED)
        }
    }
}

fn export(certs: &Path, form: Form, file: Option<&Path>, out: &mut dyn Write) -> anyhow::Result<u8> {
    let root = Root::read(certs)?;
    let bytes = match form {
        Form::Pem => root.pem().into_bytes(),
        Form::Der => root.der().to_vec(),
    };
    match file {
        Some(file) => fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?,
        None => out.write_all(&bytes)?,
    }
    Ok(DONE)
}

fn rotate(certs: &Path, open: &[HostPattern], crl_base: &str, force: bool, out: &mut dyn Write) -> anyhow::Result<u8> {
    if !force && Root::read(certs).is_ok() && Authority::check(certs, open).is_ok() {
        writeln!(
            out,
            "the CA in {} is in order and permits all hosts that are opened; nothing was changed.\n\
             If its key may be in wrong hands, or it is to be renewed early: `copilot-recorder ca rotate --force`",
            certs.display()
        )?;
        return Ok(CHECK_FAILED);
    }
    let rotation = Authority::rotate(certs, open, crl_base)?;
    writeln!(out, "new CA       {}", certs.join("ca.pem").display())?;
    writeln!(out, "subject      {}", rotation.root.subject())?;
    writeln!(out, "SHA-256      {}", rotation.root.fingerprint())?;
    if let Some(old) = &rotation.old {
        writeln!(out, "old CA       {} (its key is gone)", old.display())?;
    }
    writeln!(
        out,
        "\nNow:\n\
         1. Start copilot-recorder again: a running one keeps the old CA in memory.\n\
         2. Install the new ca.pem at every client (docs/clients.md) and replace the file that\n\
         \x20  NODE_EXTRA_CA_CERTS names; until then Copilot refuses to connect there.\n\
         3. Remove the old CA from the clients' trust stores."
    )?;
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        ca: CaArgs,
    }

    fn ca(certs: &Path, words: &[&str], open: &[&str]) -> (u8, String) {
        let cli = Cli::try_parse_from(["ca"].iter().chain(words)).unwrap();
        let open: Vec<_> = open.iter().map(|text| HostPattern::parse(text).unwrap()).collect();
        let mut out = Vec::new();
        let code = run(&cli.ca, certs, &open, "http://127.0.0.1:1", &mut out).unwrap();
        (code, String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn shows_that_there_is_no_ca() {
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = ca(folder.path(), &["show"], &[]);
        assert_eq!(code, 1);
        assert!(said.contains("there is no CA in"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "show makes nothing");
    }

    #[test]
    fn shows_and_exports_the_ca() {
        let folder = tempfile::tempdir().unwrap();
        let open = [HostPattern::parse("*.githubcopilot.com").unwrap()];
        let (authority, _) = Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:1").unwrap();

        let (code, said) = ca(folder.path(), &["show"], &["*.githubcopilot.com"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&authority.fingerprint()), "{said}");
        assert!(said.contains("  githubcopilot.com\n"), "{said}");

        let (code, pem) = ca(folder.path(), &["export"], &[]);
        assert_eq!(code, 0);
        assert_eq!(pem, fs::read_to_string(folder.path().join("ca.pem")).unwrap());

        let file = folder.path().join("out.crt");
        let (code, said) = ca(folder.path(), &["export", "--format", "der", "--out", file.to_str().unwrap()], &[]);
        assert_eq!((code, said.as_str()), (0, ""));
        assert_eq!(fs::read(file).unwrap(), authority.certificate_der().to_vec());
    }

    #[test]
    fn names_a_host_that_is_not_permitted() {
        let folder = tempfile::tempdir().unwrap();
        let open = [HostPattern::parse("*.githubcopilot.com").unwrap()];
        Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:1").unwrap();
        let (code, said) = ca(folder.path(), &["show"], &["*.githubcopilot.com", "copilot.example.org"]);
        assert_eq!(code, 1);
        assert!(said.contains("does not permit copilot.example.org"), "{said}");
    }

    #[test]
    fn rotates_only_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let open = [HostPattern::parse("*.githubcopilot.com").unwrap()];
        let (before, _) = Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:1").unwrap();

        let (code, said) = ca(folder.path(), &["rotate"], &["*.githubcopilot.com"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("nothing was changed"), "{said}");
        assert_eq!(Root::read(folder.path()).unwrap().fingerprint(), before.fingerprint());

        let (code, said) = ca(folder.path(), &["rotate", "--force"], &["*.githubcopilot.com"]);
        assert_eq!(code, 0, "{said}");
        let after = Root::read(folder.path()).unwrap();
        assert_ne!(after.fingerprint(), before.fingerprint());
        assert!(said.contains(&after.fingerprint()), "{said}");

        // A host was added: that is reason enough.
        let (code, said) = ca(folder.path(), &["rotate"], &["copilot.example.org"]);
        assert_eq!(code, 0, "{said}");
        assert!(Root::read(folder.path()).unwrap().permits("copilot.example.org"));
    }
}
