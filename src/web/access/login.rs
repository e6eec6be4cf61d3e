//! The login and the way out.

use std::net::SocketAddr;
use std::time::SystemTime;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use http::header::{ACCEPT, SET_COOKIE};
use http::{HeaderMap, StatusCode, Uri};
use maud::html;
use serde::Deserialize;
use tracing::info;

use super::csrf::{Tied, Tokens};
use super::gate::Login;
use super::session::Session;
use super::{Area, Viewer, cookies};
use crate::auth::Verdict;
use crate::web::pages::frame::{Frame, page};
use crate::web::{Problem, Site};

/// A name, a password and an address are far shorter, the first two by their own limits.
const MAX_FORM: usize = 16 << 10;

/// The longest address that the login leads back to.
pub(super) const MAX_NEXT: usize = 2048;

/// The addresses of this part.
pub(in crate::web) fn router() -> Router<Site> {
    Router::new()
        .route("/login", get(form).post(login))
        .route("/logout", post(logout))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// `/`: the first page that the viewer may see.
pub(in crate::web) async fn home(Extension(viewer): Extension<Viewer>) -> Response {
    match viewer.rights.first_area() {
        Some(Area::Figures) => Redirect::to("/figures").into_response(),
        Some(_) => Redirect::to("/live").into_response(),
        None => Problem::Forbidden(super::gate::forbidden(&viewer).to_owned()).into_response(),
    }
}

/// Whether a person waits for a page, and not a script or a program for something else.
pub(super) fn is_for_person(headers: &HeaderMap) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    !super::csrf::is_script(headers) && accepts.is_some_and(|accept| accept.contains("text/html"))
}

/// To the login, and from there back to this address.
pub(super) fn ask(target: &Uri) -> Response {
    let next = local(target.path_and_query().map_or("/", |target| target.as_str()));
    if next == "/" {
        return Redirect::to("/login").into_response();
    }
    Redirect::to(&format!("/login?next={}", escaped(next))).into_response()
}

/// What the login form is asked for with.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

/// What the login form sends.
#[derive(Deserialize)]
struct Filled {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
    token: String,
}

/// What the way out sends.
#[derive(Deserialize)]
struct Leaving {
    token: String,
}

async fn form(
    State(site): State<Site>,
    session: Option<Extension<Session>>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let next = asked.map(|Query(asked)| asked.next).unwrap_or_default();
    let Some(login) = &site.access().login else { return Redirect::to("/").into_response() };
    if session.is_some() {
        return Redirect::to(local(&next)).into_response();
    }
    show(&site, login, &headers, &next, None)
}

async fn login(
    State(site): State<Site>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    filled: Result<Form<Filled>, FormRejection>,
) -> Response {
    let Some(login) = &site.access().login else { return Redirect::to("/").into_response() };
    let Ok(Form(filled)) = filled else {
        return Problem::Bad("The form is not complete.".to_owned()).into_response();
    };
    let tied = |cookie: &&str| login.tokens.check(Tied::Form(cookie), &filled.token);
    if cookies::values(&headers, &login.cookies.form).find(tied).is_none() {
        let sentence = "The form was out of date, or the browser keeps no cookies. Please try again.";
        return show(&site, login, &headers, &filled.next, Some(sentence));
    }
    let verdict = login.authenticator.check_password(&filled.name, &filled.password, peer.ip().to_canonical()).await;
    let account = match verdict {
        Verdict::Allowed(name) => login.authenticator.account(&name),
        Verdict::Challenge | Verdict::Refused => None,
    };
    // The same for a name that does not exist and for a wrong password, and no sooner.
    let Some(account) = account else {
        return show(&site, login, &headers, &filled.next, Some("The name or the password is wrong."));
    };
    let Ok(Some(cookie)) = login.sessions.issue(&account, SystemTime::now()).map(|value| login.cookies.begin(&value))
    else {
        return Problem::Failed("The operating system gives no random bytes.".to_owned()).into_response();
    };
    info!(client = %peer.ip().to_canonical(), user = ?account.name, "Logged in to the page");
    ([(SET_COOKIE, cookie)], Redirect::to(local(&filled.next))).into_response()
}

async fn logout(
    State(site): State<Site>,
    session: Option<Extension<Session>>,
    leaving: Result<Form<Leaving>, FormRejection>,
) -> Response {
    let (Some(login), Some(Extension(session))) = (&site.access().login, session) else {
        return Redirect::to("/").into_response();
    };
    let tied = Tied::Session(&session.nonce);
    if !leaving.is_ok_and(|Form(leaving)| login.tokens.check(tied, &leaving.token)) {
        return Problem::Forbidden("The form was not sent from this page.".to_owned()).into_response();
    }
    login.sessions.end(&session, SystemTime::now());
    info!(user = ?session.account.name, "Logged out of the page");
    let mut answer = Redirect::to("/login").into_response();
    if let Some(cookie) = login.cookies.end() {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// The form, with a cookie for it where there is none yet.
fn show(site: &Site, login: &Login, headers: &HeaderMap, next: &str, wrong: Option<&str>) -> Response {
    let known = cookies::values(headers, &login.cookies.form).find(|value| is_ours(value)).map(str::to_owned);
    let is_new = known.is_none();
    let cookie = match known.map_or_else(Tokens::form_cookie, Ok) {
        Ok(cookie) => cookie,
        Err(error) => return Problem::Failed(error.to_string()).into_response(),
    };
    let body = html! {
        h1 { "Log in" }
        form.login.card method="post" action="/login" {
            @if let Some(wrong) = wrong { p.problem role="alert" { (wrong) } }
            input type="hidden" name="token" value=(login.tokens.of(Tied::Form(&cookie)));
            input type="hidden" name="next" value=(local(next));
            p.field {
                label for="name" { "User of the proxy" }
                input #name name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus;
            }
            p.field {
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" required;
            }
            p { button.primary { "Log in" } }
        }
        p.muted { "The same name and password as for the proxy. Whoever runs it gives them." }
    };
    let mut answer = page(site, None, &Frame::new("Log in"), &body);
    if wrong.is_some() {
        *answer.status_mut() = StatusCode::FORBIDDEN;
    }
    if is_new && let Some(cookie) = login.cookies.with_form(&cookie) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// What [`Tokens::form_cookie`] makes looks like this: 22 letters.
fn is_ours(value: &str) -> bool {
    value.len() == 22 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The address, if it leads to a page of ours; else `/`. Browsers take `//name`, `/\name` and `/<tab>/name` for other
/// hosts.
pub(super) fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && next.len() <= MAX_NEXT;
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let leads_here = next.starts_with("/login") || next.starts_with("/logout");
    if is_path && is_plain && !leads_here { next } else { "/" }
}

/// As a value in a query.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_leads_to_pages_of_ours_alone() {
        for good in ["/", "/live", "/exchanges?user=bob&text=a%20b", "/exchange/0189?x=/../y", "/a//b"] {
            assert_eq!(local(good), good);
        }
        let long = format!("/{}", "a".repeat(MAX_NEXT));
        for bad in [
            "",
            "live",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "http://evil.example/",
            "javascript:alert(1)",
            "/a b",
            "/é",
            "/a\r\nSet-Cookie: x=y",
            "/\"><script>",
            "/login?next=/login",
            "/logout",
            &long,
        ] {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    #[test]
    fn the_way_to_the_login_and_back_keeps_the_address() {
        let location = |target: &str| {
            let answer = ask(&target.parse().unwrap());
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(location("/"), "/login");
        assert_eq!(location("/exchanges?user=bob&text=a%20b"), "/login?next=/exchanges%3Fuser%3Dbob%26text%3Da%2520b");
        assert_eq!(location("//evil.example/"), "/login");
        assert_eq!(location("http://localhost/live"), "/login?next=/live");
    }
}
