//! The frame of every page: head, navigation, main, foot.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use tokio_stream::StreamExt as _;

use crate::web::access::{Area, Viewer};
use crate::web::assets;
use crate::web::{Problem, Site};

/// What the frame needs to know of a page.
#[derive(Clone, Debug)]
pub(in crate::web) struct Frame<'a> {
    /// Said in the window's title, before the program's name.
    pub(in crate::web) title: &'a str,
    /// Which part of the navigation it belongs to.
    pub(in crate::web) area: Option<Area>,
    /// Scripts that it needs beside `script.js`.
    pub(in crate::web) scripts: &'a [&'a str],
}

impl<'a> Frame<'a> {
    /// A page with this title and nothing special.
    pub(in crate::web) fn new(title: &'a str) -> Self {
        Self { title, area: None, scripts: &[] }
    }
}

/// The navigation: area, address, name, the key that leads there after `g`.
const AREAS: [(Area, &str, &str, &str); 6] = [
    (Area::Live, "/live", "Live", "l"),
    (Area::Exchanges, "/exchanges", "Exchanges", "e"),
    (Area::Figures, "/figures", "Figures", "f"),
    (Area::Coverage, "/coverage", "Coverage", "c"),
    (Area::Setup, "/setup", "Set-up", "s"),
    (Area::Health, "/health", "Health", "h"),
];

/// The whole page. `body` begins with the one `h1`.
pub(in crate::web) fn page(site: &Site, viewer: Option<&Viewer>, frame: &Frame<'_>, body: &Markup) -> Response {
    let (head, foot) = (before(site, viewer, frame), after());
    let whole = format!("{}{}{}", head.into_string(), body.0, foot.into_string());
    (StatusCode::OK, [(CONTENT_TYPE, "text/html; charset=utf-8")], whole).into_response()
}

/// All of the page before its body: for a page that is sent in pieces.
pub(in crate::web) fn before(site: &Site, viewer: Option<&Viewer>, frame: &Frame<'_>) -> Markup {
    let Frame { title, area, scripts } = frame;
    let head = html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) " · copilot-recorder" }
        link rel="icon" href=(assets::address("icon.svg")) type="image/svg+xml";
        @for name in ["style.css", "contents.css", "conversation.css", "charts.css"] {
            link rel="stylesheet" href=(assets::address(name));
        }
        @for name in ["script.js"].iter().chain(*scripts) {
            script src=(assets::address(name)) defer {}
        }
    };
    let opened = html! {
        (DOCTYPE)
        // Closed by `after`: a page may be sent in pieces.
        (maud::PreEscaped("<html lang=\"en\"><head>"))
        (head)
        (maud::PreEscaped("</head><body>"))
        a.skip href="#main" { "Skip to the contents" }
        header.top {
            a.brand href="/" { span.dot aria-hidden="true" {} "copilot-recorder" }
            nav aria-label="Pages" { ul { @for (known, address, name, key) in AREAS {
                @if viewer.is_some_and(|viewer| viewer.rights.may(known)) {
                    li { a href=(address) data-go=(key) aria-current=[(*area == Some(known)).then_some("page")] { (name) } }
                }
            } } }
            (who(site, viewer))
        }
        (maud::PreEscaped("<main id=\"main\" tabindex=\"-1\">"))
    };
    opened
}

/// A page that is sent in two pieces: its frame and what its body begins with at once, the rest when it is there, until
/// which `meanwhile` is shown. By then the page has begun: what fails is said in it.
pub(in crate::web) fn in_pieces(
    (site, viewer, frame): (&Site, &Viewer, &Frame<'_>),
    beginning: &Markup,
    meanwhile: &str,
    rest: impl Future<Output = Result<Markup, Problem>> + Send + 'static,
) -> Response {
    let head = html! {
        (before(site, Some(viewer), frame))
        (beginning)
        // What follows in the same place hides it: see style.css.
        (maud::PreEscaped("<div class=\"pieces\">"))
        p.meanwhile role="status" { (meanwhile) }
    };
    let rest = async move {
        let rest = rest.await.unwrap_or_else(|problem| html! { p.problem role="alert" { (problem.sentence()) } });
        html! { (rest) (maud::PreEscaped("</div>")) (after()) }.into_string()
    };
    let head = head.into_string();
    let pieces = tokio_stream::iter([None, Some(rest)]).then(move |piece| {
        let head = head.clone();
        async move {
            Ok::<_, Infallible>(match piece {
                None => head,
                Some(rest) => rest.await,
            })
        }
    });
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from_stream(pieces)).into_response()
}

/// All of the page behind its body.
pub(in crate::web) fn after() -> Markup {
    html! {
        (maud::PreEscaped("</main>"))
        dialog.keys aria-labelledby="keys" {
            h2 #keys { "Keys" }
            dl.facts {
                dt { kbd { "j" } " " kbd { "k" } } dd { "next, previous (the arrow keys too)" }
                dt { kbd { "u" } } dd { "up: to the list, or to the exchange" }
                dt { kbd { "1" } " to " kbd { "7" } } dd { "a part of an exchange" }
                dt { kbd { "/" } } dd { "search" }
                dt { kbd { "g" } " and a letter" } dd { "a page: " @for (_, _, name, key) in AREAS { kbd { (key) } " " (name) " " } }
                dt { kbd { "Esc" } } dd { "leave a field, close this" }
            }
            form method="dialog" { button { "Close" } }
        }
        (maud::PreEscaped("</body></html>"))
    }
}

fn who(site: &Site, viewer: Option<&Viewer>) -> Markup {
    let what = if site.recording().is_some() { "recording" } else { "reviewing a folder" };
    html! {
        p.who {
            span.state { (what) }
            @if let Some(name) = viewer.and_then(|viewer| viewer.name.as_deref()) {
                " · " span.name { (name) }
            }
        }
        @if let Some(token) = viewer.and_then(|viewer| viewer.token.as_deref()) {
            form.out method="post" action="/logout" {
                input type="hidden" name="token" value=(token);
                button { "Log out" }
            }
        }
    }
}
