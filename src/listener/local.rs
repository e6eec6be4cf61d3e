//! What the proxy says when it is asked itself: a small page, the CA, the revocation list, health and counters.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use hudsucker::Body;

use super::text;
use crate::check::{self, Facts};
use crate::metrics::Metrics;
use crate::tls::Authority;

/// Answers requests to the proxy itself.
pub struct LocalPages {
    /// Where we listen.
    pub listen: SocketAddr,
    /// `host:port` that clients reach us by.
    pub advertise: String,
    /// Whether credentials are asked for.
    pub asks: bool,
    /// The CA to hand out.
    pub authority: Arc<Authority>,
    /// Counters.
    pub metrics: Metrics,
}

impl LocalPages {
    /// A request target in origin form, or in absolute form that names us.
    pub(super) fn is_for_us(&self, uri: &Uri) -> bool {
        match uri.authority() {
            None => true,
            Some(authority) => {
                let named = match authority.port() {
                    Some(_) => authority.as_str().to_owned(),
                    None => format!("{authority}:80"),
                };
                named.eq_ignore_ascii_case(&self.advertise) || named == self.listen.to_string()
            }
        }
    }

    /// `trusted`: the counters may be shown.
    pub(super) fn answer(&self, request: &Request<Body>, trusted: bool) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "this address answers GET only");
        }
        match request.uri().path() {
            "/" => page(self.page()),
            "/ca.pem" | "/ca.crt" => {
                download("application/x-pem-file", "copilot-recorder-ca.pem", self.authority.certificate_pem().into())
            }
            "/ca.der" | "/ca.cer" => download(
                "application/pkix-cert",
                "copilot-recorder-ca.cer",
                self.authority.certificate_der().to_vec().into(),
            ),
            "/ca.crl" => match self.authority.crl_der() {
                Ok(crl) => typed("application/pkix-crl", crl.to_vec().into()),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            },
            "/ca-root.crl" => match self.authority.root_crl_der() {
                Some(crl) => typed("application/pkix-crl", crl.to_vec().into()),
                None => text(StatusCode::NOT_FOUND, "this CA came without a revocation list"),
            },
            "/check.sh" => typed(check::MEDIA_TYPE, self.check().into()),
            "/healthz" => text(StatusCode::OK, "ok"),
            "/metrics" if trusted => {
                typed("application/openmetrics-text; version=1.0.0; charset=utf-8", self.metrics.render().into())
            }
            "/metrics" => text(StatusCode::FORBIDDEN, "the counters are shown on this machine, or with credentials"),
            _ => text(StatusCode::NOT_FOUND, "no such page; see /"),
        }
    }

    fn check(&self) -> String {
        let fingerprint = self.authority.fingerprint();
        check::script(&Facts { address: &self.advertise, fingerprint: &fingerprint, asks: self.asks })
    }

    fn page(&self) -> String {
        let credentials = if self.asks { "NAME:PASSWORD@" } else { "" };
        PAGE.replace("{fingerprint}", &self.authority.fingerprint())
            .replace("{address}", &escape(&self.advertise))
            .replace("{proxy}", &format!("http://{credentials}{}", escape(&self.advertise)))
    }
}

/// Served as it is, with two places filled in. No script, nothing fetched from elsewhere.
const PAGE: &str = include_str!("local.html");

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn typed(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn page(html: String) -> Response<Body> {
    let mut response = typed("text/html; charset=utf-8", html.into());
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    response.headers_mut().insert("content-security-policy", HeaderValue::from_static(policy));
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

fn download(content_type: &'static str, name: &str, body: Body) -> Response<Body> {
    let mut response = typed(content_type, body);
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}
