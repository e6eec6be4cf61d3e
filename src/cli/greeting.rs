//! What `run` says at its start and at its end, on stderr.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::{Access, Config};
use crate::metrics::Metrics;
use crate::store::Totals;
use crate::tls::{Authority, Origin};

/// What there is to say at the start.
pub(super) struct Greeting<'a> {
    pub(super) address: SocketAddr,
    pub(super) advertise: &'a str,
    pub(super) config: &'a Config,
    pub(super) authority: &'a Authority,
    pub(super) origin: Origin,
    /// Where the web page is served.
    pub(super) page: Option<SocketAddr>,
}

pub(super) fn hello(greeting: &Greeting<'_>) {
    let Greeting { address, advertise, config, authority, origin, page } = greeting;
    let page = page.map_or_else(|| "not served".to_owned(), |page| self::page(page, Some(advertise)));
    let made = match origin {
        Origin::Created => "new: clients must be told to trust it",
        Origin::Loaded => "loaded",
    };
    let (who, credentials) = match &config.access {
        Access::Open => ("nobody is asked for a password".to_owned(), ""),
        Access::Users(path) => (format!("users in {}", path.display()), "NAME:PASSWORD@"),
    };
    let ca = config.certs.join("ca.pem");
    let ca = std::path::absolute(&ca).unwrap_or(ca);
    eprintln!(
        "copilot-recorder {version}, listening on {address} ({who})
  CA       {ca} ({made})
           SHA-256 {fingerprint}
  logs     {logs}
  page     {page}
  help     http://{advertise}/

For VS Code, paste into settings.json:
    \"http.proxy\": \"http://{credentials}{advertise}\",
    \"http.proxySupport\": \"override\",
and start it with the CA trusted, for example:
    NODE_EXTRA_CA_CERTS={ca} code
",
        version = env!("CARGO_PKG_VERSION"),
        ca = ca.display(),
        fingerprint = authority.fingerprint(),
        logs = config.logs.display(),
    );
}

/// The page's address as a browser wants it: where it is served on all addresses, by the name that clients use.
pub(super) fn page(address: SocketAddr, advertise: Option<&str>) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}/");
    }
    let name = advertise.and_then(|advertise| advertise.rsplit_once(':')).map(|(name, _)| name);
    let is_name = |name: &&str| name.trim_matches(['[', ']']).parse::<IpAddr>().map_or(true, |it| !it.is_unspecified());
    format!("http://{}:{}/", name.filter(is_name).unwrap_or("localhost"), address.port())
}

pub(super) fn draining(tunnels: usize, patience: Duration) {
    if tunnels > 0 {
        eprintln!(
            "stopping: {tunnels} tunnel{} may finish what is in flight, for {} s at most; signal again to end now",
            if tunnels == 1 { "" } else { "s" },
            patience.as_secs()
        );
    }
}

pub(super) fn farewell(totals: Totals, metrics: &Metrics) {
    let Totals { written, recovered, bodies_lost, records_lost } = totals;
    let found = if recovered > 0 { format!(" ({recovered} of them found again at the start)") } else { String::new() };
    let lost = match (bodies_lost, records_lost) {
        (0, 0) => "nothing was lost".to_owned(),
        _ => format!("LOST: {records_lost} records, and the bodies of {bodies_lost} more"),
    };
    eprintln!(
        "recorded {written} exchanges{found}, {lost}; {} tunnels, {} of them opened",
        metrics.tunnels_accepted.get(),
        metrics.tunnels_intercepted.get()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_address_is_one_that_a_browser_can_open() {
        let told = |address: &str, advertise| page(address.parse().unwrap(), advertise);
        assert_eq!(told("127.0.0.1:8081", Some("proxy.corp:8080")), "http://127.0.0.1:8081/");
        assert_eq!(told("[::1]:8081", None), "http://[::1]:8081/");
        assert_eq!(told("0.0.0.0:8081", Some("proxy.corp:8080")), "http://proxy.corp:8081/");
        assert_eq!(told("[::]:8081", Some("[2001:db8::1]:8080")), "http://[2001:db8::1]:8081/");
        assert_eq!(told("0.0.0.0:8081", Some("0.0.0.0:8080")), "http://localhost:8081/");
        assert_eq!(told("[::]:8081", Some("[::]:8080")), "http://localhost:8081/");
        assert_eq!(told("0.0.0.0:8081", None), "http://localhost:8081/");
    }
}
