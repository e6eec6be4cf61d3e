//! The way in: who is let through to a page, as whom, and what the others are told.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::area::area_of;
use super::cookies::{self, Cookies};
use super::csrf::{self, Tied, Tokens};
use super::host::{HostError, HostNames};
use super::session::{Session, Sessions};
use super::{Area, Audit, NoRandom, Pseudonyms, Viewer, leash, login};
use crate::auth::{Authenticator, Verdict, basic};
use crate::config::Web;
use crate::web::{Problem, Site, problem};

/// Who is let in. One for the process.
pub struct Access {
    hosts: HostNames,
    pub(super) login: Option<Login>,
    audit: Audit,
    pseudonyms: Pseudonyms,
    /// The page speaks TLS itself: nothing that comes from a page without it is ours.
    tls: bool,
}

/// What there is where a login is asked.
pub(super) struct Login {
    pub(super) authenticator: Authenticator,
    pub(super) sessions: Sessions,
    pub(super) tokens: Tokens,
    pub(super) cookies: Cookies,
}

impl Access {
    /// To the page on a folder of records. `advertise` is what clients call the proxy, `port` the page's own. A login
    /// is asked where there is an authenticator; [`Web::asks`] says when there must be one.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn new(
        web: &Web,
        logs: &Path,
        advertise: Option<&str>,
        port: u16,
        authenticator: Option<Authenticator>,
    ) -> Result<Self, NoRandom> {
        let login = match authenticator {
            Some(authenticator) => Some(Login {
                authenticator,
                sessions: Sessions::new()?,
                tokens: Tokens::new()?,
                cookies: Cookies::of_port(port, web.tls.is_some()),
            }),
            None => None,
        };
        Ok(Self {
            hosts: HostNames::new(web.hosts.iter().map(String::as_str).chain(advertise)),
            audit: Audit::below(logs, login.is_some()),
            pseudonyms: Pseudonyms::kept_in(logs),
            login,
            tls: web.tls.is_some(),
        })
    }

    /// Whether people log in.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.login.is_some()
    }

    /// Where looks at contents are written down.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// What stands for names where they are not shown.
    #[must_use]
    pub fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }
}

impl Login {
    /// The session of a request, if it has one that is good now.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        cookies::values(headers, &self.cookies.session).find_map(|value| self.check(value))
    }

    fn check(&self, cookie: &str) -> Option<Session> {
        self.sessions.check(cookie, SystemTime::now(), |name| self.authenticator.account(name))
    }

    /// Whether a session goes on, with the roles that it had.
    pub(super) fn goes_on(&self, session: &Session) -> bool {
        let account = self.authenticator.account(&session.account.name);
        account.as_ref() == Some(&session.account) && self.sessions.goes_on(session, SystemTime::now())
    }

    pub(super) fn viewer(&self, session: &Session, from: IpAddr) -> Viewer {
        let token = Some(self.tokens.of(Tied::Session(&session.nonce)).into());
        Viewer { token, ..Viewer::of(&session.account, from) }
    }
}

/// The request's way in. A handler finds a [`Viewer`] among the extensions, and a [`Session`] if there is one.
pub(in crate::web) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (mut request, body) = request.into_parts();
    let from = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let from = from.unwrap_or_else(|| [127, 0, 0, 1].into());
    let is_api = request.uri.path().starts_with("/api/");
    let session = match site.access().admit(&request, from).await {
        Ok((viewer, session)) => {
            if let Some(viewer) = viewer {
                request.extensions.insert(viewer);
            }
            session
        }
        Err(refusal) => return refusal.answer(&site, is_api, &request),
    };
    if let Some(session) = &session {
        request.extensions.insert(session.clone());
    }
    let response = next.run(Request::from_parts(request, body)).await;
    match session {
        // What goes on for hours must end with the session.
        Some(session) => leash::until_ended(response, site, session),
        None => response,
    }
}

/// What servers say that pass a request on: RFC 7239, RFC 9110 section 7.6.3, and what was there before.
const PASSED_ON: [&str; 7] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server", "x-real-ip"];

/// Why a request gets no page.
enum Refusal {
    /// For this reason; the viewer, where it is known, is for the page's frame.
    Told(Problem, Option<Viewer>),
    /// Nobody has logged in.
    Login,
}

impl Access {
    async fn admit(&self, request: &Parts, from: IpAddr) -> Result<(Option<Viewer>, Option<Session>), Refusal> {
        self.is_proper(request, from).map_err(|problem| Refusal::Told(problem, None))?;
        let area = area_of(request.uri.path());
        let (viewer, session) = match &self.login {
            None => (Some(Viewer::anybody(from)), None),
            Some(login) => login.viewer_of(request, area, from).await?,
        };
        match viewer {
            Some(viewer) if !viewer.rights.may(area) => {
                let problem = Problem::Forbidden(forbidden(&viewer).to_owned());
                Err(Refusal::Told(problem, Some(viewer)))
            }
            viewer => Ok((viewer, session)),
        }
    }

    /// What is asked of a request before it is asked who makes it.
    fn is_proper(&self, request: &Parts, from: IpAddr) -> Result<(), Problem> {
        let headers = &request.headers;
        self.hosts.check(headers, &request.uri).map_err(|error| match error {
            HostError::Bad => Problem::Bad("The request does not say which host it is for.".to_owned()),
            HostError::Foreign(name) => Problem::Misdirected(format!(
                "This page is not known as {name}. Open it by its address, or name {name} with the setting web_host."
            )),
        })?;
        match request.method {
            Method::GET | Method::HEAD if csrf::is_from_elsewhere(headers) => {
                Err(Problem::Forbidden("Another site's page asked for this.".to_owned()))
            }
            Method::POST if !csrf::is_same_origin(headers, self.tls) => {
                let sentence =
                    "The form was not sent from this page. A server that stands between must pass Host on unchanged.";
                Err(Problem::Forbidden(sentence.to_owned()))
            }
            Method::GET | Method::HEAD | Method::POST => Ok(()),
            _ => Err(Problem::Method("This page answers GET, and POST for its forms.".to_owned())),
        }?;
        // Without a login, who is on this machine may see all. Who comes through something on it is not.
        let passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
        if self.login.is_none() && (passed_on || !from.is_loopback()) {
            let sentence = "The request was passed on by another server, and this page asks for no login. \
                            Set web_login = true, and make a users file.";
            return Err(Problem::Forbidden(sentence.to_owned()));
        }
        Ok(())
    }
}

impl Login {
    async fn viewer_of(
        &self,
        request: &Parts,
        area: Area,
        from: IpAddr,
    ) -> Result<(Option<Viewer>, Option<Session>), Refusal> {
        let headers = &request.headers;
        if let Some(session) = self.session(headers) {
            return Ok((Some(self.viewer(&session, from)), Some(session)));
        }
        if area == Area::Open {
            return Ok((None, None));
        }
        // For scripts. Pages do not take it: a browser that has been given a password so sends it until it is closed.
        let header = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if request.uri.path().starts_with("/api/")
            && let Verdict::Allowed(name) = self.authenticator.check(header, from).await
            && let Some(account) = self.authenticator.account(&name)
        {
            return Ok((Some(Viewer::of(&account, from)), None));
        }
        Err(Refusal::Login)
    }
}

impl Refusal {
    fn answer(self, site: &Site, is_api: bool, request: &Parts) -> Response {
        let (problem, viewer) = match self {
            Self::Login if !is_api && login::is_for_person(&request.headers) => return login::ask(&request.uri),
            Self::Login => (Problem::Login("This is for those who have logged in.".to_owned()), None),
            Self::Told(problem, viewer) => (problem, viewer),
        };
        let mut answer = problem::answer(site, viewer.as_ref(), is_api, &problem);
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED && is_api && !csrf::is_script(&request.headers) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(basic::CHALLENGE));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        answer
    }
}

/// What somebody is told who has logged in and may not see a page.
pub(super) fn forbidden(viewer: &Viewer) -> &'static str {
    if viewer.rights.figures() {
        "Your role does not let you see this."
    } else {
        "Your account may use the proxy. To see something here it needs a role, which whoever runs the proxy can give it."
    }
}
