//! Through the router, as a browser asks. With a proxy beside it: tests/setup_page.rs.

use super::*;
use crate::web::testing::Pages;

#[tokio::test]
async fn without_a_proxy_the_address_is_an_example() {
    let pages = Pages::of(&[]);
    let page = pages.page("/setup").await;
    assert!(
        page.contains("No proxy runs in this program") && page.contains("http://NAME:PASSWORD@proxy.example.com:8080")
    );
    assert!(!page.contains("href=\"/setup/ca.pem\""));
    for address in ["/setup/ca.pem", "/setup/ca.cer", "/setup/check.sh", "/setup/seen"] {
        assert_eq!(pages.get(address).await.status, 404, "{address}");
    }
}

#[tokio::test]
async fn every_text_to_copy_has_its_button_and_its_own_id() {
    let page = Pages::of(&[]).page("/setup").await;
    let ids: Vec<_> = page.split("data-copy=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut different = ids.clone();
    different.sort_unstable();
    different.dedup();
    assert!(ids.len() > 15 && different.len() == ids.len(), "{ids:?}");
    for id in ids {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn a_name_is_written_as_an_address_has_it() {
    let viewer = Viewer { name: Some("ann@home".into()), ..Viewer::anybody([127, 0, 0, 1].into()) };
    assert_eq!(Proxy::of(None, &viewer).url, "http://ann%40home:PASSWORD@proxy.example.com:8080");
}
