//! Stands for the pages that are being made; each line goes when its page comes.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::frame::{Frame, page};
use crate::web::Site;
use crate::web::access::{Area, Viewer};

macro_rules! stub {
    ($name:ident, $area:ident) => {
        pub(super) async fn $name(State(site): State<Site>, Extension(viewer): Extension<Viewer>) -> Response {
            let title = stringify!($area);
            let frame = Frame { area: Some(Area::$area), ..Frame::new(title) };
            page(&site, Some(&viewer), &frame, &html! { h1 { (title) } })
        }
    };
}

stub!(coverage, Coverage);
stub!(setup, Setup);
stub!(health, Health);
