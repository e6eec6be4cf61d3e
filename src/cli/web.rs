//! `web`: the pages on a folder of records, without a proxy.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::net::TcpListener;
use tracing::warn;

use super::run::Signals;
use super::{CliError, ConfigArg, logging};
use super::{greeting, logs};
use crate::auth::{Authenticator, UsersError};
use crate::config::{self, Flags, Verbosity, Web};
use crate::listener;
use crate::shutdown::Shutdown;
use crate::tls::PageTls;
use crate::web::access::Access;
use crate::web::{self, Site};

/// Serve the web page on a folder of records, without a proxy.
///
/// For a folder copied from elsewhere, or one that another program records into. `run` serves the same page beside the
/// proxy. Nothing in the folder is changed but its index and the audit log.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder web --logs /mnt/copy/logs
  copilot-recorder web --web 127.0.0.1:0")]
pub struct WebArgs {
    /// Folder of the records, also one copied from elsewhere [default: logs] [env: COPILOT_RECORDER_LOGS]
    #[arg(id = "web_logs", long = "logs", value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Address of the web page [default: 127.0.0.1:8081] [env: COPILOT_RECORDER_WEB]
    #[arg(id = "web_web", long = "web", value_name = "ADDRESS:PORT")]
    web: Option<String>,
    /// Name that browsers reach the page by; asks for a login [env: COPILOT_RECORDER_WEB_HOST]
    #[arg(id = "web_web_host", long = "web-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Ask for a login on loopback too [env: COPILOT_RECORDER_WEB_LOGIN]
    #[arg(id = "web_web_login", long = "web-login")]
    login: bool,
    /// Serve the page over TLS, with this certificate (PEM) [env: COPILOT_RECORDER_WEB_CERT]
    #[arg(id = "web_web_cert", long = "web-cert", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Key of the page's certificate (PEM, not encrypted) [env: COPILOT_RECORDER_WEB_KEY]
    #[arg(id = "web_web_key", long = "web-key", value_name = "FILE")]
    key: Option<PathBuf>,
    /// The users file [default: users.toml, if it exists] [env: COPILOT_RECORDER_USERS]
    #[arg(id = "web_users", long = "users", value_name = "FILE")]
    users: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

impl WebArgs {
    fn flags(&self) -> Flags {
        let path = |path: &PathBuf| vec![path.to_string_lossy().into_owned()];
        let given = [
            ("logs", self.logs.as_ref().map(path)),
            ("web", self.web.clone().map(|text| vec![text])),
            ("web_host", Some(self.hosts.clone()).filter(|hosts| !hosts.is_empty())),
            ("web_login", self.login.then(|| vec!["true".to_owned()])),
            ("web_cert", self.certificate.as_ref().map(path)),
            ("web_key", self.key.as_ref().map(path)),
            ("users", self.users.as_ref().map(path)),
        ];
        given.into_iter().filter_map(|(key, values)| Some((key, values?))).collect()
    }
}

/// Runs the command until it is told to stop.
///
/// # Errors
/// When the configuration makes no sense, the folder cannot be read, or the address is taken.
pub fn run(args: &WebArgs) -> Result<u8, CliError> {
    let (folder, web) = super::with_inputs(&args.flags(), args.config.path(), config::web)?;
    let folder = args.logs.clone().unwrap_or(folder);
    logs::readable(&folder)?;
    let Some(web) = web else {
        return Err(CliError::Usage(anyhow!("web = \"off\" leaves nothing to do: name an address with --web")));
    };
    logging::start(Verbosity::Normal);
    if let Some(note) = web.note_on_plain_http() {
        warn!("{note}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime");
    let runtime = runtime.map_err(CliError::Start)?;
    let authenticator = authenticator(&web)?;
    let tls = web.tls.as_ref().map(PageTls::open).transpose().map_err(|error| CliError::Start(error.into()))?;
    let ended = runtime.block_on(serve(folder, web, tls, authenticator));
    // An index that is being built must not hold the exit up: it is built anew or gone on with next time.
    runtime.shutdown_background();
    ended.map_err(CliError::Start)?;
    Ok(0)
}

/// Who checks the logins of the page, where it asks for one.
///
/// # Errors
/// When the users file cannot be used.
pub(super) fn authenticator(web: &Web) -> Result<Option<Authenticator>, UsersError> {
    match &web.users {
        Some(path) if web.asks() => Authenticator::open(path).map(Some),
        _ => Ok(None),
    }
}

async fn serve(
    folder: PathBuf,
    web: Web,
    tls: Option<PageTls>,
    authenticator: Option<Authenticator>,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let (listener, address) = bind(web.listen)?;
    eprintln!(
        "copilot-recorder {}, reviewing {}\n  page     {}",
        env!("CARGO_PKG_VERSION"),
        folder.display(),
        greeting::page(address, &web, None)
    );
    let shutdown = Shutdown::default();
    let access = Access::new(&web, &folder, None, address.port(), authenticator)?;
    let site = Site::new(&folder, web, tls, access, None);
    let serving = web::serve(listener, site, shutdown.clone(), web::CONNECTIONS);
    let told = async {
        signals.next().await;
        shutdown.start_draining();
    };
    tokio::join!(serving, told);
    Ok(())
}

/// The socket of the page, and the address that the system gave it.
pub(super) fn bind(listen: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let busy =
        || format!("cannot serve the page on {listen}; is another program using it? choose another address with --web");
    let listener = listener::bind(listen).with_context(busy)?;
    let address = listener.local_addr().with_context(busy)?;
    Ok((listener, address))
}
