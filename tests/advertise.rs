//! What clients are told to use is what they can reach.

mod support;

use support::client::page;
use support::recorder::Setup;

#[tokio::test]
async fn an_advertised_name_gets_the_port_that_was_free() {
    for (name, shown) in [("proxy.example.com", "proxy.example.com"), ("::1", "[::1]")] {
        let recorder = Setup::without_upstream().with(&["--advertise", name]).start().await;
        let wanted = format!("http://{shown}:{}", recorder.address.port());
        recorder.line("the settings to paste", |line| line.contains(&format!("\"http.proxy\": \"{wanted}\""))).await;
        assert!(page(recorder.address, "/").await.text().contains(&wanted));
    }
}
