//! Precedence, then checks: from what was typed to a [`Config`] that is valid.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Place};
use super::file::{File, Value};
use super::settings::{Form, SETTINGS, Setting};
use super::{Access, Config, Layout, Limits, OnStoreFailure, Policy, Redact, Upstream, Web, WebTls, values};
use crate::rules::{HostPattern, HostTable, Kind, KindTable};

/// The configuration file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "copilot-recorder.toml";

/// The users file that is used when none is named and it exists.
pub const DEFAULT_USERS: &str = "users.toml";

/// The flags that were given, by key; a list has any number of values.
pub type Flags = BTreeMap<&'static str, Vec<String>>;

/// All that a configuration is made from.
pub struct Inputs<'a> {
    /// What was given on the command line.
    pub flags: &'a Flags,
    /// `--config`.
    pub config: Option<&'a Path>,
    /// Reads a variable of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The working directory; the empty path in the program, so that messages show paths as they were typed.
    pub folder: &'a Path,
}

/// A configuration, and what the operator should hear about it.
#[derive(Debug)]
pub struct Resolved {
    /// What `run` needs.
    pub config: Config,
    /// How much is logged.
    pub verbosity: Verbosity,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// Sentences on what may surprise.
    pub notes: Vec<String>,
}

/// How much is logged where `RUST_LOG` does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What an operator did or must know.
    #[default]
    Normal,
    /// Each tunnel, and why it ended.
    Verbose,
}

/// Makes the configuration.
///
/// # Errors
/// Where a file cannot be read or understood, a value makes no sense, or values contradict each other. The message
/// names the flag, the variable, or the file with its line.
pub fn resolve(inputs: &Inputs<'_>) -> Result<Resolved, ConfigError> {
    let layers = Layers::load(inputs)?;
    let mut notes = Vec::new();
    let (listen, advertise) = layers.addresses()?;
    if advertise.is_none() && listen.ip().is_unspecified() {
        notes.push(format!("clients cannot be told to use {listen}: name this machine with --advertise"));
    }
    let config = Config {
        listen,
        advertise: advertise.unwrap_or_else(|| listen.to_string()),
        logs: layers.logs(inputs.folder),
        certs: layers.path("certs").unwrap_or_else(|| inputs.folder.join("certs")),
        access: layers.access(inputs.folder, &mut notes)?.checked(listen)?,
        hosts: layers.hosts()?,
        kinds: KindTable::builtin().prepend(layers.file.kinds.clone()),
        record: layers.record()?,
        layout: layers.one("layout", values::layout)?.unwrap_or(Layout::Kind),
        redact: layers.one("redact", values::redact)?.unwrap_or(Redact::Secrets),
        policy: layers.policy()?,
        upstream: layers.upstream()?,
        limits: layers.limits()?,
        on_store_failure: layers.one("on_store_failure", values::on_store_failure)?.unwrap_or(OnStoreFailure::Continue),
        fsync: layers.switch("fsync")?.unwrap_or(false),
        index: layers.switch("index")?.unwrap_or(true),
        web: layers.web(inputs.folder)?,
    };
    if let Some(web) = &config.web {
        notes.extend(page_is_open(web, &config.policy));
        notes.extend(web.note_on_plain_http());
    }
    let verbosity = layers.verbosity()?;
    Ok(Resolved { config, verbosity, file: layers.file_read, notes })
}

/// What goes through the proxy comes from this machine, whose own address the page does not ask for a login.
fn page_is_open(web: &Web, policy: &Policy) -> Option<String> {
    let port = web.listen.port();
    let reachable = policy.allow_local && (policy.ports.contains(&port) || port == 80);
    let says = "clients reach the web page through the proxy, without a login: ask for one with --web-login";
    (reachable && !web.asks()).then(|| says.to_owned())
}

/// The users file that the `users` commands work on: as for `run`, with the default whether it exists or not.
///
/// # Errors
/// Where the configuration file cannot be read or understood.
pub fn users_file(inputs: &Inputs<'_>) -> Result<PathBuf, ConfigError> {
    let layers = Layers::load(inputs)?;
    Ok(layers.path("users").unwrap_or_else(|| inputs.folder.join(DEFAULT_USERS)))
}

/// The folder of the records, which is all that the reading commands need: where it lies is as for `run`.
///
/// # Errors
/// Where the configuration file cannot be read or understood.
pub fn logs_folder(inputs: &Inputs<'_>) -> Result<PathBuf, ConfigError> {
    Ok(Layers::load(inputs)?.logs(inputs.folder))
}

/// What the command `web` needs: the folder of the records, and where the page is served.
///
/// # Errors
/// Where the configuration file cannot be read or understood, or a value makes no sense.
pub fn web(inputs: &Inputs<'_>) -> Result<(PathBuf, Option<Web>), ConfigError> {
    let layers = Layers::load(inputs)?;
    Ok((layers.logs(inputs.folder), layers.web(inputs.folder)?))
}

/// What the `ca` commands need.
///
/// # Errors
/// Where the configuration file cannot be read or understood, or a host pattern makes no sense.
pub fn authority(inputs: &Inputs<'_>) -> Result<AuthorityInputs, ConfigError> {
    let layers = Layers::load(inputs)?;
    let (listen, advertise) = layers.addresses()?;
    Ok(AuthorityInputs {
        certs: layers.path("certs").unwrap_or_else(|| inputs.folder.join("certs")),
        hosts: layers.hosts()?,
        advertise: advertise.unwrap_or_else(|| listen.to_string()),
    })
}

/// What the `ca` commands need.
#[derive(Debug)]
pub struct AuthorityInputs {
    /// The folder of the CA.
    pub certs: PathBuf,
    /// The hosts that are opened.
    pub hosts: HostTable,
    /// `host:port` that clients reach the proxy by: where its revocation lists are fetched from.
    pub advertise: String,
}

/// What was given, by where it was given.
struct Layers {
    flags: BTreeMap<&'static str, Vec<Value>>,
    environment: BTreeMap<&'static str, Vec<Value>>,
    file: File,
    file_read: Option<PathBuf>,
}

impl Layers {
    /// Where the proxy listens, and what clients call it if that was said.
    fn addresses(&self) -> Result<(SocketAddr, Option<String>), ConfigError> {
        let listen = self.one("listen", values::listen)?.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into());
        let advertise = self.one("advertise", |text| values::advertise(text, listen.port()))?;
        Ok((listen, advertise))
    }

    fn load(inputs: &Inputs<'_>) -> Result<Self, ConfigError> {
        let flags = inputs.flags.iter().filter_map(|(key, texts)| {
            let setting = Setting::find(key)?;
            let place = Place::Flag(format!("--{}", setting.flag_name()));
            let value = |text: &String| Value { text: text.clone(), place: place.clone() };
            Some((setting.key, texts.iter().map(value).collect()))
        });
        let mut environment = BTreeMap::new();
        for setting in SETTINGS {
            if let Some(text) = variable(inputs, &setting.variable())? {
                environment.insert(setting.key, split(setting, &text));
            }
        }
        let named = match inputs.config {
            Some(path) => Some(path.to_owned()),
            None => variable(inputs, "COPILOT_RECORDER_CONFIG")?.map(PathBuf::from),
        };
        let default = inputs.folder.join(DEFAULT_FILE);
        let path = named.or_else(|| default.exists().then_some(default));
        let file = path.as_deref().map(File::load).transpose()?.unwrap_or_default();
        Ok(Self { flags: flags.collect(), environment, file, file_read: path })
    }

    /// The precedence: flag, environment, file; the default is what the caller takes when there is none.
    fn given(&self, key: &str) -> Option<&[Value]> {
        self.in_order().into_iter().find_map(|layer| layer.get(key)).map(Vec::as_slice)
    }

    /// What the highest layer says that mentions any of the keys: those of lower layers do not count then.
    fn given_together<'a>(&'a self, keys: [&str; 2]) -> [Option<&'a Value>; 2] {
        let layer = self.in_order().into_iter().find(|layer| keys.iter().any(|key| layer.contains_key(key)));
        keys.map(|key| layer.and_then(|layer| layer.get(key)?.last()))
    }

    fn in_order(&self) -> [&BTreeMap<&'static str, Vec<Value>>; 3] {
        [&self.flags, &self.environment, &self.file.given]
    }

    fn one<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, ConfigError> {
        self.given(key).and_then(<[Value]>::last).map(|value| reading(value, &read)).transpose()
    }

    fn many<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, ConfigError> {
        self.given(key).unwrap_or_default().iter().map(|value| reading(value, &read)).collect()
    }

    fn switch(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.one(key, values::switch)
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.given(key).and_then(<[Value]>::last).map(|value| self.path_of(value))
    }

    fn logs(&self, folder: &Path) -> PathBuf {
        self.path("logs").unwrap_or_else(|| folder.join("logs"))
    }

    /// A path in a file is relative to that file, any other to the working directory.
    fn path_of(&self, value: &Value) -> PathBuf {
        match value.place {
            Place::File { .. } => self.file.folder.join(&value.text),
            Place::Flag(_) | Place::Variable(_) => PathBuf::from(&value.text),
        }
    }

    fn access(&self, folder: &Path, notes: &mut Vec<String>) -> Result<Asked, ConfigError> {
        let [no_auth, users] = self.given_together(["no_auth", "users"]);
        let default = folder.join(DEFAULT_USERS);
        let users = users.map(|value| self.path_of(value));
        let file = users.or_else(|| default.exists().then_some(default));
        if let Some(value) = no_auth
            && reading(value, &values::switch)?
        {
            if let Some(file) = file {
                notes.push(format!("{}: nobody is asked for credentials; {} is not used", value.place, file.display()));
            }
            return Ok(Asked::Nobody);
        }
        Ok(file.map_or(Asked::NobodySaid, Asked::Users))
    }

    fn web(&self, folder: &Path) -> Result<Option<Web>, ConfigError> {
        let read = |text: &str| if text == "off" { Ok(None) } else { values::listen(text).map(Some) };
        let given = self.one("web", read)?;
        let is_default = given.is_none();
        let Some(listen) = given.unwrap_or_else(|| Some(([127, 0, 0, 1], 8081).into())) else { return Ok(None) };
        let default = folder.join(DEFAULT_USERS);
        let web = Web {
            listen,
            is_default,
            hosts: self.many("web_host", values::web_host)?,
            login: self.switch("web_login")?.unwrap_or(false),
            users: self.path("users").or_else(|| default.exists().then_some(default)),
            tls: self.web_tls()?,
        };
        if web.asks() && web.users.is_none() {
            return Err(ConfigError::NobodyToLogIn { listen });
        }
        Ok(Some(web))
    }

    fn web_tls(&self) -> Result<Option<WebTls>, ConfigError> {
        let half = |given, missing| match self.given(given).and_then(<[Value]>::last) {
            Some(value) => Err(ConfigError::HalfAPair { place: value.place.clone(), given, missing }),
            None => Ok(None),
        };
        match (self.path("web_cert"), self.path("web_key")) {
            (Some(certificate), Some(key)) => Ok(Some(WebTls { certificate, key })),
            (Some(_), None) => half("web_cert", "web_key"),
            (None, _) => half("web_key", "web_cert"),
        }
    }

    fn hosts(&self) -> Result<HostTable, ConfigError> {
        let more = self.many("intercept", |text| HostPattern::parse(text).map_err(|error| error.to_string()))?;
        let builtin = self.switch("builtin_hosts")?.unwrap_or(true);
        let table = if builtin { HostTable::builtin() } else { HostTable::default() };
        let table = table.with(more);
        if table.open.is_empty() { Err(ConfigError::NothingOpened) } else { Ok(table) }
    }

    fn record(&self) -> Result<Vec<Kind>, ConfigError> {
        let read = |text: &str| match text {
            "all" => Ok(Kind::ALL.to_vec()),
            _ => text.parse().map(|kind| vec![kind]).map_err(|_| {
                let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
                format!("{text:?} is not a kind; there are {} and all", all.join(", "))
            }),
        };
        let mut kinds = self.many("record", read)?.concat();
        if self.given("record").is_none() {
            kinds = Kind::DEFAULT.to_vec();
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(kinds)
    }

    fn policy(&self) -> Result<Policy, ConfigError> {
        let mut ports = vec![443];
        ports.extend(self.many("allow_port", values::port)?);
        ports.sort_unstable();
        ports.dedup();
        Ok(Policy {
            ports,
            allow_local: self.switch("allow_local")?.unwrap_or(false),
            tunnel_others: self.switch("tunnel_others")?.unwrap_or(true),
        })
    }

    fn upstream(&self) -> Result<Upstream, ConfigError> {
        let files = self.given("upstream_ca").unwrap_or_default();
        Ok(Upstream {
            connect_to: self.many("connect_to", values::connect_to)?,
            extra_ca: files.iter().map(|value| self.path_of(value)).collect(),
            proxy: self.one("upstream_proxy", values::upstream_proxy)?,
        })
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        let size = |key: &str, least: usize, default| {
            let read = |text: &str| match values::size(text)? {
                size if size < least => Err(format!("{text:?} is too small; at least {least} bytes")),
                size => Ok(size),
            };
            self.one(key, read).map(|size| size.unwrap_or(default))
        };
        let time = |key: &str, default| self.one(key, values::time).map(|time| time.unwrap_or(default));
        Ok(Limits {
            max_connections: self.one("max_connections", values::number)?.unwrap_or(default.max_connections),
            body: size("limits.body", 0, default.body)?,
            // Copilot's own heads have up to 8 KiB; less would lose every record.
            head: size("limits.head", 8 << 10, default.head)?,
            decoded: size("limits.decoded", 0, default.decoded)?,
            // The relay waits while the queue is full: it must hold a few chunks of several streams.
            queue: size("limits.queue", 1 << 20, default.queue)?,
            header_read: time("limits.header_read", default.header_read)?,
            hello: time("limits.hello", default.hello)?,
            connect: time("limits.connect", default.connect)?,
            shutdown: time("limits.shutdown", default.shutdown)?,
        })
    }

    fn verbosity(&self) -> Result<Verbosity, ConfigError> {
        let [quiet, verbose] = self.given_together(["quiet", "verbose"]);
        let on = |value: Option<&Value>| value.map_or(Ok(false), |value| reading(value, &values::switch));
        Ok(match (on(quiet)?, on(verbose)?) {
            (_, true) => Verbosity::Verbose,
            (true, false) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
        })
    }
}

/// Who is asked, and whether somebody decided so.
enum Asked {
    Users(PathBuf),
    Nobody,
    NobodySaid,
}

impl Asked {
    /// Design D11: an open proxy on the network only on request.
    fn checked(self, listen: SocketAddr) -> Result<Access, ConfigError> {
        match self {
            Self::Users(path) => Ok(Access::Users(path)),
            Self::NobodySaid if !listen.ip().to_canonical().is_loopback() => Err(ConfigError::Exposed { listen }),
            Self::Nobody | Self::NobodySaid => Ok(Access::Open),
        }
    }
}

fn reading<T>(value: &Value, read: &impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
    read(&value.text).map_err(|reason| ConfigError::Value { place: value.place.clone(), reason })
}

/// A variable that is empty counts as not set: container files can hardly leave one out.
fn variable(inputs: &Inputs<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    let Some(text) = (inputs.environment)(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    text.into_string().map(Some).map_err(|_| ConfigError::Value {
        place: Place::Variable(name.to_owned()),
        reason: "the value is not UTF-8".to_owned(),
    })
}

fn split(setting: &Setting, text: &str) -> Vec<Value> {
    let value = |text: &str| Value { text: text.to_owned(), place: Place::Variable(setting.variable()) };
    match setting.form {
        Form::List => text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(value).collect(),
        _ => vec![value(text)],
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
