//! Set-up: the CA, settings to paste, and a check that says what is missing.

mod editors;
mod seen;
mod systems;
#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use maud::{Markup, html};

use super::frame::{Frame, page};
use super::parts::to_copy;
use crate::check::{self, Facts};
use crate::config::Access;
use crate::review::query::encoded;
use crate::web::access::{Area, Viewer};
use crate::web::site::Recording;
use crate::web::{Problem, Site};

/// The page, what it lets people download, and what its script asks.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/setup", get(setup))
        .route("/setup/ca.pem", get(ca_pem))
        .route("/setup/ca.cer", get(ca_der))
        .route("/setup/check.sh", get(check_sh))
        .route("/setup/seen", get(seen_now))
}

/// What stands in the settings.
#[derive(Clone, Debug)]
struct Proxy {
    /// `host:port` that clients reach it by.
    address: String,
    /// Its host and port apart.
    host: String,
    port: String,
    /// With the place for credentials, if they are asked for: `http://NAME:PASSWORD@host:port`.
    url: String,
    asks: bool,
    /// None where no proxy runs here: then the address is an example.
    fingerprint: Option<String>,
}

impl Proxy {
    fn of(recording: Option<&Recording>, viewer: &Viewer) -> Self {
        let address = recording.map_or("proxy.example.com:8080", |recording| &recording.advertise).to_owned();
        let asks = recording.is_none_or(|recording| matches!(recording.config.access, Access::Users(_)));
        let name = viewer.name.as_deref().map_or_else(|| "NAME".to_owned(), encoded);
        let url = if asks { format!("http://{name}:PASSWORD@{address}") } else { format!("http://{address}") };
        let (host, port) = address.rsplit_once(':').unwrap_or((&address, "8080"));
        let (host, port) = (host.to_owned(), port.to_owned());
        let fingerprint = recording.map(|recording| recording.authority.fingerprint());
        Self { address, host, port, url, asks, fingerprint }
    }
}

async fn setup(State(site): State<Site>, Extension(viewer): Extension<Viewer>) -> Response {
    let proxy = Proxy::of(site.recording(), &viewer);
    let body = html! {
        h1 { "Set-up" }
        @if proxy.fingerprint.is_none() {
            p.note {
                "No proxy runs in this program: a folder is reviewed. The address below is an example; the page of the "
                "recorder itself has the real one, its CA and a check."
            }
        }
        p { "Three things for every client: " a href="#trust" { "trust in the CA" } ", "
            a href="#editors" { "the proxy's address" } @if proxy.asks { ", and name and password in it" } ". Then "
            a href="#check" { "check" } "." }
        dl.facts {
            dt { "Proxy" } dd.mono { (proxy.address) }
            dt { "Credentials" } dd { (if proxy.asks { "name and password of the users file" } else { "none are asked for" }) }
        }
        (ca(&proxy))
        (systems::sections(&proxy))
        (editors::sections(&proxy))
        (check_section(&site, &viewer, &proxy))
    };
    let frame = Frame { area: Some(Area::Setup), scripts: &["setup.js"], ..Frame::new("Set-up") };
    page(&site, Some(&viewer), &frame, &body)
}

fn ca(proxy: &Proxy) -> Markup {
    html! {
        h2 #trust { "1. Trust the CA" }
        @if let Some(fingerprint) = &proxy.fingerprint {
            p {
                a.button href="/setup/ca.pem" download="copilot-recorder-ca.pem" { "CA certificate (PEM)" } " "
                a.button href="/setup/ca.cer" download="copilot-recorder-ca.cer" { "the same as DER, for Windows" }
            }
            p { "Compare before you install; its SHA-256 fingerprint is" }
            (to_copy("fingerprint", fingerprint))
            p.muted { "It can vouch for Copilot's hosts and for no others, unless its operator brought a CA of their own." }
        } @else {
            p { "The CA is downloaded from the recorder's own page, or from the proxy: " code { "http://" (proxy.address) "/" } "." }
        }
    }
}

fn check_section(site: &Site, viewer: &Viewer, proxy: &Proxy) -> Markup {
    let plain = format!("curl -fsS http://{}/check.sh | sh", proxy.address);
    let with = format!("curl -fsS http://{}/check.sh | PROXY_USER=NAME PROXY_PASSWORD=PASSWORD sh", proxy.address);
    html! {
        h2 #check { "3. Check" }
        h3 { "In a terminal" }
        p { "On the machine where the editor runs (Linux, macOS, WSL, a container). It goes through the proxy step by step, "
            "changes nothing, and says what is missing." }
        @if proxy.asks { (to_copy("check-with", &with)) } @else { (to_copy("check-plain", &plain)) }
        @if proxy.fingerprint.is_some() {
            p.muted { "The script to read first: " a href="/setup/check.sh" { "check.sh" } ". A shell keeps what is typed in its \
                history: begin the line with a space, or leave the password out and be told so." }
        }
        p { "On Windows without a Unix shell:" }
        (to_copy("check-windows", &format!(
            "curl.exe -v -x {} --cacert copilot-recorder-ca.pem https://api.githubcopilot.com/_ping", proxy.url
        )))
        h3 #seen { "What the proxy sees of you" }
        @match site.recording() {
            Some(recording) => (seen::section(&seen::Seen::of(&recording.door.contents(), viewer))),
            None => p.muted { "No proxy runs in this program." },
        }
    }
}

async fn ca_pem(State(site): State<Site>) -> Result<Response, Problem> {
    let pem = recording(&site)?.authority.certificate_pem();
    Ok(download("application/x-pem-file", "copilot-recorder-ca.pem", pem.into_bytes()))
}

async fn ca_der(State(site): State<Site>) -> Result<Response, Problem> {
    let der = recording(&site)?.authority.certificate_der().to_vec();
    Ok(download("application/pkix-cert", "copilot-recorder-ca.cer", der))
}

/// As the proxy itself serves it.
async fn check_sh(State(site): State<Site>) -> Result<Response, Problem> {
    let recording = recording(&site)?;
    let script = check::script(&Facts {
        address: &recording.advertise,
        fingerprint: &recording.authority.fingerprint(),
        asks: matches!(recording.config.access, Access::Users(_)),
    });
    Ok(([(CONTENT_TYPE, check::MEDIA_TYPE), (CACHE_CONTROL, "no-cache")], script).into_response())
}

/// The part of the page that changes, for its script.
async fn seen_now(State(site): State<Site>, Extension(viewer): Extension<Viewer>) -> Result<Response, Problem> {
    let seen = seen::Seen::of(&recording(&site)?.door.contents(), &viewer);
    Ok(([(CACHE_CONTROL, "no-store")], seen::now(&seen)).into_response())
}

fn recording(site: &Site) -> Result<&Recording, Problem> {
    site.recording().ok_or_else(|| Problem::NotFound("No proxy runs in this program: a folder is reviewed.".to_owned()))
}

fn download(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let as_file = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, as_file), (CACHE_CONTROL, "no-cache".to_owned())], bytes)
        .into_response()
}
