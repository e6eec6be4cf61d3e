//! What every answer says to the browser, whatever it is.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

/// For pages: style, script and pictures of ours, and nothing inline.
const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                     font-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For all else, such as a body that somebody opens by itself: nothing runs, whatever the type is taken for.
const CONTENTS: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// On every answer.
///
/// Not `Strict-Transport-Security`, also where the page speaks TLS: it counts for all ports of a host, and the proxy's
/// own page, from which clients fetch the CA, speaks HTTP under the same name, as may whatever else is on `localhost`.
const ALWAYS: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers then send `Origin: null` with our own forms.
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Sets the headers on each answer, errors too.
pub(in crate::web) async fn secure(request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let keeps = is_asset && response.status().is_success();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(if is_page { PAGES } else { CONTENTS }));
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !keeps {
        // Assets have an address that changes with them; all else is of people, and not for a disk.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
