//! What `run` says at its start and at its end, on stderr.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::{Access, Config, Web};
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
    let page = match (page, &config.web) {
        (Some(page), Some(web)) => self::page(*page, web, Some(advertise)),
        _ => "not served".to_owned(),
    };
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

/// The page's address as a browser wants it: where it is served on all addresses, by the name that clients use. With
/// TLS the certificate is for a name, so one that browsers were said to use is better than an address.
pub(super) fn page(address: SocketAddr, web: &Web, advertise: Option<&str>) -> String {
    let scheme = if web.tls.is_some() { "https" } else { "http" };
    let port = address.port();
    if let (Some(_), Some(name), false) = (&web.tls, web.hosts.first(), address.ip().to_canonical().is_loopback()) {
        return format!("{scheme}://{name}:{port}/");
    }
    if !address.ip().is_unspecified() {
        return format!("{scheme}://{address}/");
    }
    let name = advertise.and_then(|advertise| advertise.rsplit_once(':')).map(|(name, _)| name);
    let is_name = |name: &&str| name.trim_matches(['[', ']']).parse::<IpAddr>().map_or(true, |it| !it.is_unspecified());
    format!("{scheme}://{}:{port}/", name.filter(is_name).unwrap_or("localhost"))
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
    use crate::config::WebTls;

    fn web(listen: &str, hosts: &[&str], tls: bool) -> Web {
        let tls = tls.then(|| WebTls { certificate: "page.pem".into(), key: "page-key.pem".into() });
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        Web { listen: listen.parse().unwrap(), is_default: false, hosts, login: false, users: None, tls }
    }

    #[test]
    fn the_pages_address_is_one_that_a_browser_can_open() {
        let told = |listen: &str, advertise| {
            let web = web(listen, &["recorder.corp"], false);
            page(web.listen, &web, advertise)
        };
        assert_eq!(told("127.0.0.1:8081", Some("proxy.corp:8080")), "http://127.0.0.1:8081/");
        assert_eq!(told("[::1]:8081", None), "http://[::1]:8081/");
        assert_eq!(told("0.0.0.0:8081", Some("proxy.corp:8080")), "http://proxy.corp:8081/");
        assert_eq!(told("[::]:8081", Some("[2001:db8::1]:8080")), "http://[2001:db8::1]:8081/");
        assert_eq!(told("0.0.0.0:8081", Some("0.0.0.0:8080")), "http://localhost:8081/");
        assert_eq!(told("[::]:8081", Some("[::]:8080")), "http://localhost:8081/");
        assert_eq!(told("0.0.0.0:8081", None), "http://localhost:8081/");
    }

    #[test]
    fn with_tls_the_pages_address_says_so_and_has_the_name_that_browsers_use() {
        let told = |listen: &str, hosts: &[&str]| {
            let web = web(listen, hosts, true);
            page(web.listen, &web, Some("proxy.corp:8080"))
        };
        assert_eq!(told("127.0.0.1:8081", &["recorder.corp"]), "https://127.0.0.1:8081/");
        assert_eq!(told("0.0.0.0:8081", &["recorder.corp", "other.corp"]), "https://recorder.corp:8081/");
        assert_eq!(told("192.0.2.7:8081", &["recorder.corp"]), "https://recorder.corp:8081/");
        assert_eq!(told("0.0.0.0:8081", &[]), "https://proxy.corp:8081/");
        assert_eq!(told("192.0.2.7:8081", &[]), "https://192.0.2.7:8081/");
    }
}
