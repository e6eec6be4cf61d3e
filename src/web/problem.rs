//! Pages that say what is wrong.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, REFRESH, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::Site;
use super::access::Viewer;
use super::api;
use super::pages::frame::{Frame, page};
use crate::index::Progress;
use crate::review::pool::AskError;
use crate::review::text::printable;

/// Why a page is not what was asked for. The texts are whole sentences for people.
#[derive(Clone, Debug)]
pub enum Problem {
    /// Something in the address or the form makes no sense: 400.
    Bad(String),
    /// Nobody has logged in: 401.
    Login(String),
    /// The viewer may not see it: 403.
    Forbidden(String),
    /// There is no such thing: 404.
    NotFound(String),
    /// The page does not take requests of this kind: 405.
    Method(String),
    /// It was there: 410.
    Gone(String),
    /// The name that it was asked for by is not known: 421.
    Misdirected(String),
    /// The index is being built: 503, try again.
    Building(Option<Progress>),
    /// Sums over all records are being made: 503, try again.
    Counting,
    /// Something else must be mended first: 503.
    Unavailable(String),
    /// Something failed: 500.
    Failed(String),
}

impl Problem {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Login(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Gone(_) => StatusCode::GONE,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Building(_) | Self::Counting | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Bad(text)
            | Self::Login(text)
            | Self::Forbidden(text)
            | Self::NotFound(text)
            | Self::Method(text)
            | Self::Gone(text)
            | Self::Misdirected(text)
            | Self::Unavailable(text)
            | Self::Failed(text) => text.clone(),
            Self::Counting => "The records are being counted. This page tries again by itself.".into(),
            Self::Building(None) => "The index of the records is being built. This page tries again by itself.".into(),
            Self::Building(Some(Progress { done, total })) => format!(
                "The index of the records is being built: {done} of {total} files are read. This page tries again by \
                 itself."
            ),
        }
    }

    fn heading(&self) -> &'static str {
        match self {
            Self::Bad(_) | Self::Method(_) => "That cannot be shown",
            Self::Login(_) => "Log in first",
            Self::Forbidden(_) => "Not for you",
            Self::NotFound(_) => "Not found",
            Self::Gone(_) => "Gone",
            Self::Misdirected(_) => "Another name",
            Self::Building(_) | Self::Counting => "One moment",
            Self::Unavailable(_) => "Not now",
            Self::Failed(_) => "Something failed",
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        Self::from(&error)
    }
}

impl From<&AskError> for Problem {
    fn from(error: &AskError) -> Self {
        match error {
            AskError::Building(progress) => Self::Building(*progress),
            AskError::Failed(error) => Self::Failed(format!("The index does not answer: {error}.")),
            AskError::Panicked => Self::Failed("The program has made a mistake; its log says which.".to_owned()),
            AskError::Stopped => Self::Unavailable("The program is being stopped.".to_owned()),
        }
    }
}

impl IntoResponse for Problem {
    /// A bare answer that the router makes a page of.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes a page, or JSON under `/api/`, of a [`Problem`].
pub(super) async fn explain(State(site): State<Site>, request: Request, next: Next) -> Response {
    let viewer = request.extensions().get::<Viewer>().cloned();
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>().or_else(|| bare(&response)) else {
        return response;
    };
    answer(&site, viewer.as_ref(), is_api, &problem)
}

/// What axum itself refuses before any page is asked: an id that is no UTF-8. It says so in a bare line.
fn bare(response: &Response) -> Option<Problem> {
    let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_bare = response.status() == StatusCode::BAD_REQUEST && kind.starts_with(b"text/plain");
    is_bare.then(|| Problem::Bad("The address has letters that cannot be read: they are no UTF-8.".to_owned()))
}

/// A page, or JSON, that says what is wrong.
pub(super) fn answer(site: &Site, viewer: Option<&Viewer>, is_api: bool, problem: &Problem) -> Response {
    if is_api {
        return api::refused(problem);
    }
    let frame = Frame::new(problem.heading());
    let body = html! {
        h1 { (problem.heading()) }
        // What was asked for may be in it.
        p.problem role="alert" { (printable(&problem.sentence())) }
    };
    let mut answer = page(site, viewer, &frame, &body);
    *answer.status_mut() = problem.status();
    if matches!(problem, Problem::Building(_) | Problem::Counting) {
        // What every browser understands, and a screen reader is not made to hear the page again and again.
        answer.headers_mut().insert(REFRESH, HeaderValue::from_static("2"));
    }
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use crate::web::testing::Pages;

    #[tokio::test]
    async fn an_address_that_cannot_be_read_is_told_as_a_page() {
        let pages = Pages::of(&[]);
        for address in
            ["/exchanges/%FF", "/exchanges/a/diff/%FF", "/conversations/%C3%28", "/exchanges/%FF/record.json"]
        {
            let answer = pages.get(address).await;
            let heading = answer.text().contains("<h1>That cannot be shown</h1>");
            assert_eq!((answer.status.as_u16(), heading), (400, true), "{address}: {}", answer.text());
        }
        let other = pages.get("/exchanges/%00%E2%80%AE%3Cb%3E").await;
        let shown = other.text();
        assert!(other.status == 404 && !shown.contains("<b>") && !shown.contains(['\0', '\u{202e}']), "{shown}");
        let live = pages.get("/live?kind=%E2%80%AE").await;
        assert!(live.status == 400 && !live.text().contains('\u{202e}'), "{}", live.text());
    }
}
