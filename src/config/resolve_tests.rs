use std::fs;

use super::super::ConnectTo;
use super::*;

/// A working directory with files, flags and variables.
struct Case {
    folder: tempfile::TempDir,
    flags: Flags,
    variables: BTreeMap<String, String>,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), flags: Flags::new(), variables: BTreeMap::new() }
    }

    fn flag(mut self, key: &str, text: &str) -> Self {
        self.flags.entry(Setting::find(key).unwrap().key).or_default().push(text.into());
        self
    }

    fn variable(mut self, key: &str, text: &str) -> Self {
        self.variables.insert(format!("COPILOT_RECORDER_{}", key.to_uppercase()), text.into());
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn resolve(&self) -> Result<Resolved, String> {
        let environment = |name: &str| self.variables.get(name).map(OsString::from);
        let folder = self.folder.path();
        let inputs = Inputs { flags: &self.flags, config: None, environment: &environment, folder };
        resolve(&inputs).map_err(|error| error.to_string().replace(&format!("{}/", folder.display()), ""))
    }

    fn config(&self) -> Config {
        self.resolve().unwrap().config
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn a_page_that_others_may_reach_needs_users() {
    for (key, text, asks) in [
        ("web", "0.0.0.0:8081", true),
        ("web", "192.0.2.7:1", true),
        ("web", "[::]:1", true),
        ("web_host", "Recorder.example.", true),
        ("web_login", "true", true),
        ("web_login", "false", false),
        ("web", "[::1]:1", false),
        ("web", "[::ffff:127.0.0.1]:1", false),
        ("web", "localhost:1", false),
    ] {
        let case = Case::new().flag(key, text);
        let refused = case.resolve().err();
        assert_eq!(refused.is_some(), asks, "{key} {text}: {refused:?}");
        assert!(refused.is_none_or(|error| error.contains("asks for a login, and there is no users file: make one")));
        let web = case.file("users.toml", "").config().web.unwrap();
        assert_eq!((web.asks(), web.users.is_some()), (asks, true), "{key} {text}");
    }
    let off = Case::new().flag("web", "off").flag("web_login", "true");
    assert_eq!(off.config().web, None);
    let named = Case::new().flag("web_host", "Recorder.example.").flag("users", "people.toml").config().web.unwrap();
    assert_eq!((named.hosts, named.users), (vec!["recorder.example".to_owned()], Some("people.toml".into())));
    for bad in ["", "http://recorder.example", "recorder.example:8081", "a b", "é"] {
        let error = Case::new().flag("web_host", bad).resolve().unwrap_err();
        assert!(error.starts_with("--web-host: ") && error.contains("write recorder.example.com"), "{error}");
    }
}

#[test]
fn a_page_with_tls_needs_certificate_and_key() {
    let tls = |case: Case| case.config().web.unwrap().tls;
    assert_eq!(tls(Case::new()), None);
    let both = Case::new().file(DEFAULT_FILE, "web_cert = 'page.pem'\nweb_key = '/etc/page-key.pem'\n");
    let certificate = both.path("page.pem");
    assert_eq!(tls(both), Some(WebTls { certificate, key: "/etc/page-key.pem".into() }), "relative to the file");
    for (case, says) in [
        (Case::new().flag("web_cert", "c"), "--web-cert: web_cert needs web_key beside it: name both files"),
        (Case::new().variable("web_key", "k"), "COPILOT_RECORDER_WEB_KEY: web_key needs web_cert beside it"),
        (
            Case::new().file(DEFAULT_FILE, "\nweb_cert = 'c'"),
            "copilot-recorder.toml, line 2 (web_cert): web_cert needs",
        ),
    ] {
        let error = case.resolve().unwrap_err();
        assert!(error.starts_with(says), "{error}");
        assert!(case.flag("web", "off").resolve().is_ok(), "no page, no TLS");
    }
}

#[test]
fn a_page_that_can_be_read_on_the_way_is_said() {
    let said = |case: Case| case.resolve().unwrap().notes.iter().any(|note| note.contains("--web-cert"));
    let people = || Case::new().file("users.toml", "");
    assert!(said(people().flag("web", "0.0.0.0:8081")));
    assert!(said(people().flag("web", "192.0.2.7:8081")));
    assert!(!said(people().flag("web", "0.0.0.0:8081").flag("web_cert", "c").flag("web_key", "k")));
    assert!(!said(people().flag("web_host", "recorder.example")), "behind a server on this machine");
    assert!(!said(people().flag("listen", "0.0.0.0:8080").flag("web", "off")));
}

#[test]
fn precedence_is_flag_environment_file_default() {
    // Each row: flag, variable, file, and who wins.
    for (flag, variable, file, wins) in [
        (Some("127.0.0.1:1"), Some("127.0.0.1:2"), Some("127.0.0.1:3"), "127.0.0.1:1"),
        (Some("127.0.0.1:1"), None, Some("127.0.0.1:3"), "127.0.0.1:1"),
        (None, Some("127.0.0.1:2"), Some("127.0.0.1:3"), "127.0.0.1:2"),
        (None, Some(""), Some("127.0.0.1:3"), "127.0.0.1:3"),
        (None, None, Some("127.0.0.1:3"), "127.0.0.1:3"),
        (None, None, None, "127.0.0.1:8080"),
    ] {
        let mut case = Case::new();
        if let Some(text) = file {
            case = case.file(DEFAULT_FILE, &format!("listen = '{text}'\n"));
        }
        if let Some(text) = variable {
            case = case.variable("listen", text);
        }
        if let Some(text) = flag {
            case = case.flag("listen", text);
        }
        assert_eq!(case.config().listen.to_string(), wins, "{flag:?} {variable:?} {file:?}");
        assert_eq!(case.config().advertise, wins);
    }
}

#[test]
fn every_setting_can_be_given_in_the_environment_and_in_the_file() {
    let sample = |setting: &Setting| match setting.key {
        "listen" | "web" => "127.0.0.1:1".to_owned(),
        "advertise" => "name.example:1".to_owned(),
        "intercept" => "*.example.com".to_owned(),
        "record" => "chat".to_owned(),
        "connect_to" => "a:1:b:2".to_owned(),
        "upstream_proxy" => "http://p:1".to_owned(),
        "layout" => "{user}/{kind}".to_owned(),
        "redact" => "none".to_owned(),
        "on_store_failure" => "refuse".to_owned(),
        "allow_port" => "8443".to_owned(),
        "builtin_hosts" | "tunnel_others" | "index" => "false".to_owned(),
        _ => match setting.form {
            Form::Switch => "true".to_owned(),
            Form::Number => "7".to_owned(),
            Form::Size => "32 MiB".to_owned(),
            Form::Time => "7 s".to_owned(),
            Form::Text | Form::Path | Form::List => "x".to_owned(),
        },
    };
    let default = format!("{:?}", Case::new().file("users.toml", "").resolve().unwrap());
    for setting in SETTINGS {
        let text = sample(setting);
        // Without built-in hosts, something else must be opened; a page that asks for a login needs users.
        let people = if setting.key.starts_with("web_") { Some("") } else { None };
        // A certificate needs its key, and a key its certificate.
        let other = match setting.key {
            "web_cert" => "web_key = 'other'\n",
            "web_key" => "web_cert = 'other'\n",
            _ => "",
        };
        let base = || {
            let case = Case::new().flag("intercept", "always.example").file(DEFAULT_FILE, other);
            people.into_iter().fold(case, |case, text| case.file("users.toml", text))
        };
        let by_variable = base().variable(&setting.key.replace('.', "_"), &text);
        let value = match setting.form {
            Form::Switch | Form::Number => text.clone(),
            Form::List => format!("['{text}']"),
            _ => format!("'{text}'"),
        };
        let by_file = base().file(DEFAULT_FILE, &format!("{other}{} = {value}\n", setting.key));
        let strip = |case: &Case| {
            let resolved = case.resolve().unwrap_or_else(|error| panic!("{}: {error}", setting.key));
            let text = format!("{:?} {:?}", resolved.config, resolved.verbosity);
            text.replace(&format!("{}/", case.folder.path().display()), "")
        };
        assert_eq!(strip(&by_variable), strip(&by_file), "{}", setting.key);
        let by_flag = base().flag(setting.key, &text);
        if setting.key != "intercept" {
            assert_eq!(strip(&by_variable), strip(&by_flag), "{}", setting.key);
            let unset = strip(&base().file(DEFAULT_FILE, ""));
            assert!(setting.key == "no_auth" || strip(&by_variable) != unset, "{} changes nothing", setting.key);
        }
    }
    assert!(default.contains("Users("));
}

#[test]
fn who_is_asked() {
    let users = |name: &str, case: &Case| Access::Users(case.path(name));
    let case = Case::new();
    assert_eq!(case.config().access, Access::Open);
    let case = Case::new().file("users.toml", "");
    assert_eq!(case.config().access, users("users.toml", &case));
    let case = Case::new().file("users.toml", "").flag("no_auth", "true");
    let resolved = case.resolve().unwrap();
    assert_eq!(resolved.config.access, Access::Open);
    assert!(resolved.notes[0].starts_with("--no-auth: nobody is asked"), "{:?}", resolved.notes);
    let case = Case::new().flag("users", "people.toml");
    assert_eq!(case.config().access, Access::Users("people.toml".into()), "named: used whether it exists or not");
    let case = Case::new().flag("users", "people.toml").flag("no_auth", "true");
    assert_eq!(case.config().access, Access::Open);
    let case = Case::new().file(DEFAULT_FILE, "no_auth = true\n").flag("users", "people.toml");
    assert_eq!(case.config().access, Access::Users("people.toml".into()), "the flag is above the file");
    let case = Case::new().file(DEFAULT_FILE, "users = 'people.toml'\n").variable("no_auth", "1");
    assert_eq!(case.config().access, Access::Open);
    let case = Case::new().file("users.toml", "").flag("no_auth", "false");
    assert_eq!(case.config().access, users("users.toml", &case));
}

#[test]
fn an_address_on_the_network_needs_users_or_a_word() {
    for address in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
        let error = Case::new().flag("listen", address).resolve().unwrap_err();
        assert!(error.contains(&format!("listening on {address} would let everybody")), "{error}");
        assert!(error.contains("users add") && error.contains("--no-auth"), "{error}");
        let config = Case::new().flag("listen", address).flag("no_auth", "true").config();
        assert_eq!(config.access, Access::Open);
        assert!(Case::new().flag("listen", address).file("users.toml", "").resolve().is_ok());
    }
    for address in ["127.0.0.1:80", "127.8.9.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:80"] {
        assert!(Case::new().flag("listen", address).resolve().is_ok(), "{address}");
    }
    let case = Case::new().flag("listen", "0.0.0.0:80").flag("no_auth", "true");
    assert!(case.resolve().unwrap().notes.iter().any(|note| note.contains("--advertise")));
    let case = case.flag("advertise", "proxy.corp");
    assert_eq!(case.resolve().unwrap().notes, [""; 0]);
    assert_eq!(case.config().advertise, "proxy.corp:80");
}

#[test]
fn a_page_that_clients_reach_through_the_proxy_is_said() {
    let said = |case: Case| case.resolve().unwrap().notes.iter().any(|note| note.contains("--web-login"));
    let local = || Case::new().flag("allow_local", "true");
    assert!(said(local().flag("allow_port", "8081")));
    assert!(said(local().flag("web", "127.0.0.1:80")));
    assert!(!said(local()));
    assert!(!said(Case::new().flag("allow_port", "8081")));
    assert!(!said(local().flag("allow_port", "8081").flag("web", "off")));
    assert!(!said(local().flag("allow_port", "8081").flag("web_login", "true").file("users.toml", "")));
}

#[test]
fn hosts_are_added_or_replace_the_built_in_ones() {
    let builtin = HostTable::builtin().open.len();
    assert_eq!(Case::new().config().hosts.open.len(), builtin);
    let config = Case::new().flag("intercept", "a.example").flag("intercept", "*.b.example").config();
    assert_eq!(config.hosts.open.len(), builtin + 2);
    assert!(config.hosts.opens("x.b.example"));
    let config = Case::new().flag("intercept", "a.example").flag("builtin_hosts", "false").config();
    assert_eq!(config.hosts.open.len(), 1);
    assert!(Case::new().flag("builtin_hosts", "false").resolve().unwrap_err().contains("no host would be opened"));
    let error = Case::new().variable("intercept", "a.example, *").resolve().unwrap_err();
    assert!(error.starts_with("COPILOT_RECORDER_INTERCEPT: not a host pattern"), "{error}");
}

#[test]
fn kinds_lists_and_ports() {
    assert_eq!(Case::new().config().record, Kind::DEFAULT);
    let config = Case::new().variable("record", "chat, nes,chat").config();
    assert_eq!(config.record, [Kind::Chat, Kind::Nes]);
    assert_eq!(Case::new().flag("record", "all").config().record.len(), Kind::ALL.len());
    let error = Case::new().flag("record", "chats").resolve().unwrap_err();
    assert!(error.starts_with("--record: \"chats\" is not a kind; there are completions, telemetry,"), "{error}");
    let config = Case::new().file(DEFAULT_FILE, "allow_port = [8443, 443]\nrecord = []\n").config();
    assert_eq!(config.policy.ports, [443, 8443]);
    assert_eq!(config.record, []);
    let config = Case::new().flag("connect_to", "a:1:b:2").flag("connect_to", ":::3").config();
    let last = ConnectTo { host: None, port: None, to_host: None, to_port: Some(3) };
    assert_eq!((config.upstream.connect_to.len(), &config.upstream.connect_to[1]), (2, &last));
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let case = Case::new().file(DEFAULT_FILE, "logs = 'a'\nupstream_ca = ['b.pem', '/c.pem']\n").flag("certs", "d");
    let config = case.config();
    assert_eq!((config.logs, config.certs), (case.path("a"), "d".into()));
    assert_eq!(config.upstream.extra_ca, [case.path("b.pem"), "/c.pem".into()]);
}

#[test]
fn errors_name_where_the_value_was_given() {
    for (case, says) in [
        (Case::new().flag("listen", "x"), "--listen: \"x\" is not an address"),
        (Case::new().variable("max_connections", "0"), "COPILOT_RECORDER_MAX_CONNECTIONS: \"0\" is not"),
        (Case::new().file(DEFAULT_FILE, "\nlayout = '{date}'"), "copilot-recorder.toml, line 2 (layout): "),
        (Case::new().file(DEFAULT_FILE, "[limits]\nhead = 5"), "line 2 (limits.head): \"5\" is too small"),
        (Case::new().file(DEFAULT_FILE, "nonsense = 5"), "copilot-recorder.toml, line 1: there is no key"),
        (Case::new().variable("config", "/nonexistent.toml"), "configuration file /nonexistent.toml: cannot be read"),
        (Case::new().variable("upstream_proxy", "x:hunter2"), "COPILOT_RECORDER_UPSTREAM_PROXY: not a proxy's URL"),
    ] {
        let error = case.resolve().unwrap_err();
        assert!(error.contains(says) && !error.contains("hunter2"), "{error}\n{says}");
    }
}

#[test]
fn no_secret_is_shown_by_debug() {
    let case = Case::new().flag("upstream_proxy", "http://ann:hunter2@p:1");
    let shown = format!("{:?}", case.resolve().unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("Basic"), "{shown}");
}

#[test]
fn verbosity_follows_the_highest_layer() {
    let verbosity = |case: Case| case.resolve().unwrap().verbosity;
    assert_eq!(verbosity(Case::new()), Verbosity::Normal);
    assert_eq!(verbosity(Case::new().file(DEFAULT_FILE, "quiet = true")), Verbosity::Quiet);
    assert_eq!(verbosity(Case::new().file(DEFAULT_FILE, "quiet = true").flag("verbose", "true")), Verbosity::Verbose);
}

#[test]
fn the_logs_folder_alone_follows_the_same_precedence() {
    let logs = |case: &Case| {
        let environment = |name: &str| case.variables.get(name).map(OsString::from);
        let folder = case.folder.path();
        logs_folder(&Inputs { flags: &case.flags, config: None, environment: &environment, folder }).unwrap()
    };
    let case = Case::new();
    assert_eq!(logs(&case), case.path("logs"));
    // What only `run` needs is not asked for: nothing is opened here, and the address is exposed.
    let case = case.file(DEFAULT_FILE, "logs = \"x/logs\"\nlisten = \"0.0.0.0:1\"\nbuiltin_hosts = false\n");
    assert_eq!(logs(&case), case.path("x/logs"));
    let case = case.variable("logs", "/from/variable");
    assert_eq!(logs(&case), PathBuf::from("/from/variable"));
    assert_eq!(logs(&case.flag("logs", "/from/flag")), PathBuf::from("/from/flag"));
}

#[test]
fn the_index_is_kept_unless_switched_off() {
    assert!(Case::new().config().index);
    assert!(!Case::new().flag("index", "false").config().index);
    assert!(!Case::new().variable("index", "false").config().index);
    assert!(!Case::new().file(DEFAULT_FILE, "index = false\n").config().index);
}
