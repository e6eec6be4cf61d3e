//! Every setting once: its name, form, default and help.
//!
//! The flag `--upstream-ca`, the variable `COPILOT_RECORDER_UPSTREAM_CA` and the key `upstream_ca` are one setting,
//! made from one row here.

/// What a setting's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One text.
    Text,
    /// A file or folder.
    Path,
    /// A whole number.
    Number,
    /// A number of bytes: `65536`, `"64 KiB"`, `"16 MiB"`.
    Size,
    /// A span of time: `10` (seconds), `"500 ms"`, `"10 s"`, `"2 min"`.
    Time,
    /// True or false; the flag alone means true.
    Switch,
    /// Any number of texts; the flag is repeated, the variable separates them with commas.
    List,
}

/// A row of [`SETTINGS`].
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in the file; a dot separates the table from the key.
    pub key: &'static str,
    /// The form of its value.
    pub form: Form,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// The letter of the short flag.
    pub short: Option<char>,
    /// Whether there is a flag; the rest is for the file and the environment only.
    pub flag: bool,
    /// The default, as people read it.
    pub default: &'static str,
    /// One line on what it does.
    pub help: &'static str,
    /// What else there is to know, for the long help.
    pub more: &'static str,
}

impl Setting {
    const fn new(
        key: &'static str,
        form: Form,
        value: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self { key, form, value, short: None, flag: true, default, help, more: "" }
    }

    const fn limit(key: &'static str, form: Form, default: &'static str, help: &'static str) -> Self {
        Self { flag: false, ..Self::new(key, form, "", default, help) }
    }

    const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// The name of the flag, without its dashes.
    #[must_use]
    pub fn flag_name(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The name of the environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("COPILOT_RECORDER_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// The setting of this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}

/// All settings, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    Setting::new("listen", Form::Text, "ADDRESS:PORT", "127.0.0.1:8080", "Address that clients connect to").more(
        "Port 0 takes any free one. On an address that other machines can reach, a users file is needed, or --no-auth.",
    ),
    Setting::new("advertise", Form::Text, "HOST[:PORT]", "the listening address", "Name that clients reach us by")
        .more(
            "Used in the settings to paste and as the address of the CRL in the certificates. Needed when listening on \
         0.0.0.0 or [::].",
        ),
    Setting::new("logs", Form::Path, "DIR", "logs", "Folder of the records"),
    Setting::new("certs", Form::Path, "DIR", "certs", "Folder of the CA's certificate and key; made at first start"),
    Setting::new(
        "users",
        Form::Path,
        "FILE",
        "users.toml, if it exists",
        "Ask clients for a name and password of this file",
    )
    .more("`copilot-recorder users add NAME` makes it. Changes count at once, without restart."),
    Setting::new("no_auth", Form::Switch, "BOOL", "false", "Ask nobody for credentials, even if there is a users file"),
    Setting::new("intercept", Form::List, "PATTERN", "none", "Open this host too, in addition to Copilot's").more(
        "A name (api.example.com) or *.example.com for every name below it. Repeat for more. The CA may sign only for \
         the hosts that were opened when it was made: adding one later needs `copilot-recorder ca rotate`.",
    ),
    Setting::new(
        "builtin_hosts",
        Form::Switch,
        "BOOL",
        "true",
        "Open Copilot's hosts; false: only those of --intercept",
    ),
    Setting::new(
        "record",
        Form::List,
        "KIND",
        "completions, telemetry, chat, nes, other",
        "Record exchanges of this kind, and no others than those named",
    )
    .more(
        "Repeat for more. Kinds: completions, telemetry, chat, nes, models, embeddings, index, mcp, extension, snippy, \
         auth, experiment, other; all is all of them.",
    ),
    Setting::new("layout", Form::Text, "TEMPLATE", "{kind}", "Folders below the logs folder")
        .more("One of {kind}, {kind}/{date}, {user}/{kind}."),
    Setting::new("redact", Form::Text, "WHAT", "secrets", "What is taken out of the records: secrets or none")
        .more("none keeps tokens and cookies in the files. For one's own machine only."),
    Setting::new(
        "connect_to",
        Form::List,
        "HOST:PORT:ADDR:PORT",
        "none",
        "Connect to ADDR:PORT where HOST:PORT is asked for, as in curl",
    )
    .more(
        "Repeat for more; the first that matches is used. An empty HOST or PORT matches any, an empty ADDR or PORT is \
         the one asked for. IPv6 addresses in brackets. What is named here may be dialled whatever else is refused.",
    ),
    Setting::new("upstream_ca", Form::List, "FILE", "none", "Trust the CAs of this PEM file too, towards the internet")
        .more("In addition to the operating system's. Repeat for more."),
    Setting::new(
        "upstream_proxy",
        Form::Text,
        "URL",
        "none",
        "Go through this company proxy: http://[USER:PASSWORD@]HOST:PORT",
    )
    .more(
        "Characters such as @ : / % in the name or password are written as %40 %3A %2F %25. Prefer the variable \
               or the file: flags can be seen by everybody on the machine.",
    ),
    Setting::new("max_connections", Form::Number, "N", "10000", "Tunnels at once; a further one is answered 503"),
    Setting::new("allow_port", Form::List, "PORT", "none", "Let clients reach this port too, beside 443"),
    Setting::new(
        "allow_local",
        Form::Switch,
        "BOOL",
        "false",
        "Let clients reach loopback, link-local and this machine's own addresses",
    ),
    Setting::new(
        "tunnel_others",
        Form::Switch,
        "BOOL",
        "true",
        "Relay hosts that are not opened, untouched; false: 403",
    ),
    Setting::new("on_store_failure", Form::Text, "WHAT", "continue", "When records cannot be kept: continue or refuse")
        .more("continue lets traffic go on, and counts what is lost; refuse answers new CONNECTs with 503."),
    Setting::new("fsync", Form::Switch, "BOOL", "false", "Wait until each record is on the disk")
        .more("Survives a power cut; slower."),
    Setting::new("index", Form::Switch, "BOOL", "true", "Keep the index of the records up to date").more(
        "It holds words of prompts and answers, as the records do. Without it the first command that reads makes it.",
    ),
    Setting::new(
        "web",
        Form::Text,
        "ADDRESS:PORT",
        "127.0.0.1:8081",
        "Address of the web page on which the records are reviewed; off: no page",
    )
    .more("On an address that other machines can reach it asks for a login: make users with `users add NAME --role`."),
    Setting::new("web_host", Form::List, "NAME", "none", "Name that browsers reach the web page by; asks for a login")
        .more("Repeat for more. Addresses and localhost are always answered, other names not (DNS rebinding)."),
    Setting::new("web_login", Form::Switch, "BOOL", "false", "Ask for a login on the web page on loopback too"),
    Setting::new("web_cert", Form::Path, "FILE", "none", "Serve the web page over TLS, with this certificate (PEM)").more(
        "The page's own certificate first, then those above it. Needs --web-key. New files are taken up at once, without \
         restart.",
    ),
    Setting::new("web_key", Form::Path, "FILE", "none", "Key of the web page's certificate (PEM, not encrypted)"),
    Setting {
        short: Some('q'),
        ..Setting::new("quiet", Form::Switch, "BOOL", "false", "Warnings only; no line per record")
    },
    Setting {
        short: Some('v'),
        ..Setting::new("verbose", Form::Switch, "BOOL", "false", "Say more: each tunnel, and why it ended")
    }
    .more("RUST_LOG, where set, says exactly what is logged."),
    Setting::limit("limits.body", Form::Size, "16 MiB", "Kept of one body, as on the wire"),
    Setting::limit("limits.head", Form::Size, "256 KiB", "Kept of one request or response head"),
    Setting::limit("limits.decoded", Form::Size, "64 MiB", "What one body may decode to"),
    Setting::limit("limits.queue", Form::Size, "256 MiB", "What may wait for the writer"),
    Setting::limit("limits.header_read", Form::Time, "30 s", "For a client to send the head of a request to the proxy"),
    Setting::limit("limits.hello", Form::Time, "60 s", "For a client to send its ClientHello and finish the handshake"),
    Setting::limit("limits.connect", Form::Time, "15 s", "To resolve, connect to and shake hands with an upstream"),
    Setting::limit("limits.shutdown", Form::Time, "10 s", "For open streams to end when the program is stopped"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_derive_from_the_key() {
        let keys: HashSet<_> = SETTINGS.iter().map(|setting| setting.key).collect();
        let variables: HashSet<_> = SETTINGS.iter().map(Setting::variable).collect();
        assert_eq!((keys.len(), variables.len()), (SETTINGS.len(), SETTINGS.len()));
        let setting = Setting::find("upstream_ca").unwrap();
        assert_eq!(setting.flag_name(), "upstream-ca");
        assert_eq!(setting.variable(), "COPILOT_RECORDER_UPSTREAM_CA");
        assert_eq!(Setting::find("limits.body").unwrap().variable(), "COPILOT_RECORDER_LIMITS_BODY");
        assert!(Setting::find("nonsense").is_none());
    }
}
