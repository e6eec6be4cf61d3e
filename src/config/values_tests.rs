use proptest::prelude::*;

use super::*;

fn to(host: Option<&str>, port: Option<u16>, to_host: Option<&str>, to_port: Option<u16>) -> Read<ConnectTo> {
    Ok(ConnectTo { host: host.map(Into::into), port, to_host: to_host.map(Into::into), to_port })
}

#[test]
fn connect_to_has_curls_meaning() {
    assert_eq!(
        connect_to("a.example:443:127.0.0.1:8443"),
        to(Some("a.example"), Some(443), Some("127.0.0.1"), Some(8443))
    );
    assert_eq!(connect_to("A.Example:443:B:1"), to(Some("a.example"), Some(443), Some("B"), Some(1)));
    assert_eq!(connect_to("::127.0.0.1:8443"), to(None, None, Some("127.0.0.1"), Some(8443)));
    assert_eq!(connect_to("a.example:443::"), to(Some("a.example"), Some(443), None, None));
    assert_eq!(connect_to(":::"), to(None, None, None, None));
    assert_eq!(connect_to("[::1]:443:[fe80::2]:8"), to(Some("::1"), Some(443), Some("fe80::2"), Some(8)));
    assert_eq!(connect_to("a::[::1]:"), to(Some("a"), None, Some("::1"), None));
    for text in [
        "",
        "a",
        "a:1",
        "a:1:b",
        "a:1:b:2:3",
        "a:x:b:2",
        "a:1:b:0",
        "a:1:b:65536",
        "[::1:1:b:2",
        "[x]:1:b:2",
        "a b:1:c:2",
        "[::1]x:1:b:2",
    ] {
        let error = connect_to(text).unwrap_err();
        assert!(error.contains("HOST:PORT:ADDR:PORT"), "{text}: {error}");
    }
}

#[test]
fn an_upstream_proxy_and_its_credentials() {
    let proxy = |host: &str, port, pair: Option<&str>| {
        let authorization = pair.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
        Ok(UpstreamProxy { host: host.into(), port, authorization })
    };
    assert_eq!(upstream_proxy("http://proxy.corp:3128"), proxy("proxy.corp", 3128, None));
    assert_eq!(upstream_proxy("HTTP://[::1]:3128/"), proxy("::1", 3128, None));
    assert_eq!(upstream_proxy("http://ann:se@cret@p:1"), proxy("p", 1, Some("ann:se@cret")));
    assert_eq!(upstream_proxy("http://a%40b:%C3%A9%3A%25%2f@p:1"), proxy("p", 1, Some("a@b:é:%/")));
    assert_eq!(upstream_proxy("http://ann@p:1"), proxy("p", 1, Some("ann:")));
    for url in [
        "zoe7:hunter2@p:1",
        "https://zoe7:hunter2@p:1",
        "http://zoe7:hunter2@p",
        "http://zoe7:hunter2@",
        "http://zoe7:hunter2@p:1/x",
        "http://zoe7:hunter2%@p:1",
        "http://zoe7:hunter2%zz@p:1",
        "http://zoe7:hunter2@p:1?x",
        "http://a%3Ab:hunter2@p:1",
    ] {
        let error = upstream_proxy(url).unwrap_err();
        assert!(!error.contains("hunter2") && !error.contains("zoe7"), "{url}: {error}");
    }
    assert!(!format!("{:?}", upstream_proxy("http://zoe7:hunter2@p:1")).contains("Basic"));
}

#[test]
fn sizes_and_times() {
    for (text, bytes) in [
        ("0", 0),
        ("65536", 65536),
        ("64 KiB", 65536),
        ("64kib", 65536),
        ("16 MiB", 16 << 20),
        (" 1 GB ", 1_000_000_000),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    for text in ["", "MiB", "-1", "1.5 MiB", "1 XB", "99999999999999999999", "18446744073709551615 GiB"] {
        assert!(size(text).is_err(), "{text}");
    }
    for (text, millis) in [("10", 10_000), ("500 ms", 500), ("10s", 10_000), ("2 min", 120_000), ("24 h", 86_400_000)] {
        assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for text in ["0", "", "s", "25 h", "1 day", "-1 s"] {
        assert!(time(text).is_err(), "{text}");
    }
}

#[test]
fn addresses() {
    assert_eq!(listen("localhost:80"), listen("127.0.0.1:80"));
    assert!(listen("[::1]:0").is_ok());
    for text in ["", "8080", ":8080", "example.com:80", "127.0.0.1", "127.0.0.1:65536"] {
        assert!(listen(text).unwrap_err().contains("127.0.0.1:8080"), "{text}");
    }
    for (text, want) in [
        ("p.corp", "p.corp:8080"),
        ("p.corp:1", "p.corp:1"),
        ("10.0.0.1", "10.0.0.1:8080"),
        ("::1", "[::1]:8080"),
        ("[::1]:9", "[::1]:9"),
    ] {
        assert_eq!(advertise(text, 8080).as_deref(), Ok(want), "{text}");
    }
    for text in ["", ":1", "http://p.corp:1", "p corp", "p:0", "p:1:2"] {
        assert!(advertise(text, 8080).is_err(), "{text}");
    }
}

#[test]
fn words() {
    assert_eq!((switch("YES"), switch("0")), (Ok(true), Ok(false)));
    assert_eq!(layout("{user}/{kind}"), Ok(Layout::UserKind));
    assert!(switch("").is_err() && switch("maybe").is_err());
    assert!(layout("{date}").unwrap_err().contains("{kind}/{date}"));
    assert!(redact("all").unwrap_err().contains("secrets"));
    assert!(on_store_failure("stop").unwrap_err().contains("refuse"));
    assert!(number("0").is_err() && port("0").is_err() && port("70000").is_err());
}

proptest! {
    #[test]
    fn any_text_is_survived(text in ".{0,60}") {
        let _ = (connect_to(&text), upstream_proxy(&text), size(&text), time(&text), listen(&text), advertise(&text, 1));
        let _ = upstream_proxy(&format!("http://{text}"));
    }

    #[test]
    fn what_was_written_is_read(host in "[a-z0-9.-]{1,20}", port in 1_u16.., to_port in 1_u16..) {
        let text = format!("{host}:{port}:[::1]:{to_port}");
        prop_assert_eq!(connect_to(&text), to(Some(&host), Some(port), Some("::1"), Some(to_port)));
    }
}
