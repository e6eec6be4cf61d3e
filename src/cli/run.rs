//! `run`: the proxy from its start to its last record.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::greeting::{self, Greeting};
use super::line::Printer;
use crate::auth::{Authenticator, UsersError};
use crate::config::{Access, Config, Web};
use crate::door::Book;
use crate::index::Indexer;
use crate::listener::{self, FrontDoor, LocalPages};
use crate::live::Streams;
use crate::metrics::Metrics;
use crate::recorder::Recorder;
use crate::shutdown::Shutdown;
use crate::store::{OnRecord, OpenError, Store};
use crate::tls::{Authority, AuthorityError, ClientConfigs, PageTls, PairError, ServerConfigs, TrustError};
use crate::tunnel::{Dialler, Tunnels};
use crate::web::access::Access as PageAccess;
use crate::web::{self, Recording, Site};

/// Why the proxy could not start. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}; is another program using it? choose another address with --listen")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The trust anchors for upstreams.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The TLS library refused its configuration.
    #[error("cannot set TLS up")]
    Tls(#[from] rustls::Error),
    /// The page's certificate or key.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The users file.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The logs folder.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Threads, timers or signals are not to be had.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The web page's address is taken, or not ours.
    #[error(transparent)]
    Page(anyhow::Error),
    /// The listener.
    #[error("the listener failed")]
    Listener(#[source] hudsucker::Error),
    /// The listener ended without a word: a defect of ours.
    #[error("the listener stopped by itself; start the program again, and report what it said before")]
    Stopped,
}

/// Runs the proxy until it is told to stop. `quiet` leaves out the line per record.
pub fn run(mut config: Config, quiet: bool) -> Result<(), StartError> {
    let shares = Shares::of(raise_file_limit(), config.web.is_some());
    if shares.tunnels < config.limits.max_connections {
        tracing::debug!("the limit of open files allows {} tunnels at once", shares.tunnels);
        config.limits.max_connections = shares.tunnels;
    }
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(StartError::Runtime)?;
    let pages = config.web.is_some().then(page_runtime).transpose().map_err(StartError::Runtime)?;
    let room = pages.as_ref().map(|pages| PageRoom { runtime: pages.handle().clone(), browsers: shares.browsers });
    let ended = runtime.block_on(serve(config, quiet, room));
    // A name server that does not answer, or a disk that is stuck, must not hold the exit up: all is said and written.
    if let Some(pages) = pages {
        pages.shutdown_background();
    }
    runtime.shutdown_background();
    ended
}

/// Where pages are made, and for how many browsers.
struct PageRoom {
    runtime: Handle,
    browsers: usize,
}

/// Pages are made on threads of their own: a large one must not stand between two bytes of a tunnel, nor many of them
/// before a name that is looked up or a password that is checked for the proxy.
fn page_runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        // Each may have a record of some megabytes in hand.
        .max_blocking_threads(32)
        .thread_name("page")
        .on_thread_start(yield_to_relays)
        .enable_all()
        .build()
}

/// Puts this thread behind the relays where the processor is short, but not so far that pages stop.
fn yield_to_relays() {
    // On Linux niceness belongs to the thread; elsewhere it would slow the relays too.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(5);
}

async fn serve(config: Config, quiet: bool, room: Option<PageRoom>) -> Result<(), StartError> {
    let signals = Signals::listen().map_err(StartError::Runtime)?;
    let busy = |source| StartError::Listen { address: config.listen, source };
    let listener = listener::bind(config.listen).map_err(busy)?;
    let address = listener.local_addr().map_err(busy)?;
    // The configuration may have asked for any free port, and then clients are to be told which one it is.
    let advertise = match config.advertise.strip_suffix(":0") {
        Some(host) => format!("{host}:{}", address.port()),
        None => config.advertise.clone(),
    };
    let crl_base = format!("http://{advertise}");
    let (authority, origin) = Authority::load_or_create(&config.certs, &config.hosts.open, &crl_base)?;
    let authority = Arc::new(authority);
    let authenticator = match &config.access {
        Access::Open => None,
        Access::Users(path) => Some(Authenticator::open(path)?),
    };
    let clients = ClientConfigs::new(&config.upstream.extra_ca)?;
    let servers = ServerConfigs::new(Arc::clone(&authority))?;
    let metrics = Metrics::default();
    let printer = Printer::start(quiet).map_err(StartError::Runtime)?;
    // It begins when the store is open and the folder ours; what comes before then it finds there.
    let indexer = Arc::new(OnceLock::new());
    let store = Store::open(&config, metrics.clone(), on_record(printer.on_record(), Arc::clone(&indexer)))?;
    let indexer = config.index.then(|| indexer.get_or_init(|| Indexer::start(&config.logs)).clone());
    let page_authenticator = match &config.web {
        // One memory and one slowness for both doors, where both have the same users.
        Some(web) if web.asks() && is_proxys(web, &config.access) => authenticator.clone(),
        Some(web) => super::web::authenticator(web)?,
        None => None,
    };
    let page_tls = config.web.as_ref().and_then(|web| web.tls.as_ref()).map(PageTls::open).transpose()?;
    let page = page(config.web.as_ref())?;
    let page_address = page.as_ref().map(|(_, address)| *address);
    greeting::hello(&Greeting {
        address,
        advertise: &advertise,
        config: &config,
        authority: &authority,
        origin,
        page: page_address,
    });

    let shutdown = Shutdown::default();
    let door = Book::open(&config.logs);
    let keeping = tokio::spawn(door.clone().keep(shutdown.clone()));
    // Without a page nobody can look.
    let streams = match &page {
        Some(_) => Streams::new(config.kinds.clone(), config.record.clone()),
        None => Streams::off(),
    };
    let mut serving = None;
    if let (Some((listener, page)), Some(web), Some(room)) = (page, config.web.clone(), room) {
        let access = PageAccess::new(&web, &config.logs, Some(&advertise), page.port(), page_authenticator);
        let access = access.map_err(|error| StartError::Page(error.into()))?;
        let recording = Recording {
            config: config.clone(),
            advertise: advertise.clone(),
            authority: Arc::clone(&authority),
            metrics: metrics.clone(),
            door: door.clone(),
            streams: streams.clone(),
            began: SystemTime::now(),
        };
        let site = Site::new(&config.logs, web, page_tls, access, Some(recording));
        serving = Some(room.runtime.spawn(web::serve(listener, site, shutdown.clone(), room.browsers)));
    }
    let local =
        LocalPages { listen: address, advertise, asks: authenticator.is_some(), authority, metrics: metrics.clone() };
    let tunnels = Tunnels {
        servers,
        clients,
        hosts: config.hosts.clone(),
        pass_others: config.policy.tunnel_others,
        limits: config.limits.clone(),
        watcher: Arc::new(Recorder::new(&config, store.clone(), metrics.clone(), &streams)),
        metrics: metrics.clone(),
        door: door.clone(),
        shutdown: shutdown.clone(),
    };
    let front_door = FrontDoor {
        authenticator,
        dialler: Dialler::new(config.upstream.clone(), config.policy.clone(), config.limits.connect),
        tunnels: Arc::new(tunnels),
        local,
        store: store.clone(),
        limits: config.limits.clone(),
        metrics: metrics.clone(),
        shutdown: shutdown.clone(),
    };
    let ended = until_told(listener, Arc::new(front_door), &shutdown, config.limits.shutdown, signals).await;
    keeping.abort();
    if let Some(serving) = serving {
        // A mistake of ours in there has been said, and changes nothing of what is left to do.
        let _ = serving.await;
    }
    let close = move || {
        if let Err(error) = door.save() {
            tracing::warn!("{error}");
        }
        let totals = store.close();
        if let Some(indexer) = indexer {
            indexer.close(INDEX_PATIENCE);
        }
        totals
    };
    let totals = tokio::task::spawn_blocking(close).await.unwrap_or_default();
    printer.finish();
    greeting::farewell(totals, &metrics);
    ended
}

/// Whether the page's users are those of the proxy.
fn is_proxys(web: &Web, access: &Access) -> bool {
    matches!((access, &web.users), (Access::Users(proxys), Some(pages)) if proxys == pages)
}

/// The page's socket. One that nobody asked for must not keep the proxy from recording.
fn page(web: Option<&Web>) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    let Some(web) = web else { return Ok(None) };
    match super::web::bind(web.listen) {
        Ok(bound) => Ok(Some(bound)),
        Err(error) if web.is_default => {
            tracing::warn!("{error:#}; recording goes on without the page");
            Ok(None)
        }
        Err(error) => Err(StartError::Page(error)),
    }
}

/// The index can be brought up to date later by anybody: the exit does not wait for more than what is usually left.
const INDEX_PATIENCE: Duration = Duration::from_secs(2);

/// What the store calls after each record: the line on stderr, then the index.
fn on_record(print: OnRecord, indexer: Arc<OnceLock<Indexer>>) -> OnRecord {
    Box::new(move |summary, path| {
        print(summary, path);
        if let Some(indexer) = indexer.get() {
            indexer.wrote(path);
        }
    })
}

/// Serves until a signal comes, then lets streams end; a second signal, or the time limit, ends them at once.
async fn until_told(
    listener: TcpListener,
    front_door: Arc<FrontDoor>,
    shutdown: &Shutdown,
    patience: Duration,
    mut signals: Signals,
) -> Result<(), StartError> {
    let mut server = tokio::spawn(listener::serve(listener, front_door));
    let mut failed = None;
    tokio::select! {
        () = signals.next() => {}
        // It ends by itself only when it cannot go on, and a proxy that takes no clients must not look alive.
        ended = &mut server => failed = Some(ended),
    }
    shutdown.start_draining();
    greeting::draining(shutdown.running(), patience);
    tokio::select! {
        () = shutdown.finished() => {}
        () = tokio::time::sleep(patience) => {}
        () = signals.next() => {}
    }
    shutdown.start_cutting();
    shutdown.finished().await;
    // The listener has stopped accepting; a plain request that still runs does not hold the exit up.
    server.abort();
    match failed {
        Some(Ok(Err(error))) => Err(StartError::Listener(error)),
        Some(Ok(Ok(())) | Err(_)) => Err(StartError::Stopped),
        None => Ok(()),
    }
}

/// SIGINT and SIGTERM.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Raises the soft limit of open files to the hard one and returns it. The usual soft limit of 1,024 would be reached
/// by a middle-sized team.
fn raise_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!("the limit of open files stays at {:?}: {error}", limit.current);
            limit.current
        }
    }
}

/// How the descriptors that the system gives are shared out.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    /// Tunnels at once, each of two.
    tunnels: usize,
    /// Connections to the page at once, each of one.
    browsers: usize,
}

impl Shares {
    /// Of so many; none: the system sets no limit.
    fn of(files: Option<u64>, page: bool) -> Self {
        /// For the writer, and for clients that have not sent their CONNECT yet.
        const RESERVED: u64 = 200;
        /// For the handles of the index, and what is read for a page.
        const PAGES: u64 = 64;
        let most = web::CONNECTIONS;
        let Some(files) = files else { return Self { tunnels: usize::MAX, browsers: most } };
        let browsers = (files / 8).clamp(8, most as u64);
        let reserved = if page { RESERVED + PAGES + browsers } else { RESERVED };
        Self { tunnels: (files.saturating_sub(reserved) / 2).max(16) as usize, browsers: browsers as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_nobody_asked_for_does_not_keep_the_proxy_from_recording() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = taken.local_addr().unwrap();
        let web = |is_default| Web { listen, is_default, hosts: Vec::new(), login: false, users: None, tls: None };
        assert!(page(Some(&web(true))).unwrap().is_none());
        let error = page(Some(&web(false))).unwrap_err().to_string();
        assert!(error.contains(&format!("cannot serve the page on {listen}")) && error.contains("--web"), "{error}");
        drop(taken);
        assert!(page(Some(&web(true))).unwrap().is_some_and(|(_, address)| address == listen));
        assert!(page(None).unwrap().is_none());
    }

    #[test]
    fn tunnels_and_browsers_share_the_descriptors() {
        assert_eq!(Shares::of(None, true), Shares { tunnels: usize::MAX, browsers: 512 });
        assert_eq!(Shares::of(Some(1 << 20), true), Shares { tunnels: ((1 << 20) - 776) / 2, browsers: 512 });
        assert_eq!(Shares::of(Some(1024), true), Shares { tunnels: 316, browsers: 128 });
        assert_eq!(Shares::of(Some(1024), false).tunnels, 412);
        assert_eq!(Shares::of(Some(64), true), Shares { tunnels: 16, browsers: 8 });
    }
}
