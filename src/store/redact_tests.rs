use proptest::prelude::*;

use super::*;
use crate::exchange::testing::{fields as fields_of, response_head};
use crate::store::testing::{exchange, message};

const TOKEN: &str = "tid=5e1e;exp=1733664598;sku=copilot_enterprise_seat;st=dotcom;8kp=1;ip=192.0.2.1;asn=AS56046";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn value(name: &str, value: &str) -> String {
    text(&field(name.as_bytes(), value.as_bytes()))
}

#[test]
fn a_copilot_token_keeps_its_fields_and_loses_its_signature() {
    assert_eq!(value("authorization", &format!("Bearer {TOKEN}:fd1cc3e1")), format!("Bearer {TOKEN}:<redacted>"));
    assert_eq!(value("Authorization", "bearer tid=1;exp=2:abc;x=1:def"), "bearer tid=1;exp=2:<redacted>");
    let v6 = "Bearer tid=1;ip=2001:db8::1;asn=AS1:secret";
    assert_eq!(value("Authorization", v6), "Bearer tid=1;ip=2001:db8::1;asn=AS1:<redacted>");
    assert_eq!(value("Authorization", "Bearer tid=1;ip=2001:db8::1:secret"), "Bearer tid=1;ip=2001:db8::1:<redacted>");
}

#[test]
fn other_credentials_keep_only_their_scheme() {
    for (given, kept) in [
        ("token gho_secret", "token <redacted>"),
        ("Bearer gho_secret", "Bearer <redacted>"),
        ("Bearer tid=1;exp=2", "Bearer <redacted>"),
        ("Bearer tid=1;secret:x", "Bearer <redacted>"),
        ("Bearer tid", "Bearer <redacted>"),
        ("Basic dXNlcjpwYXNz", "Basic <redacted>"),
        ("token tid=1:secret", "token <redacted>"),
        ("gho_secret", "<redacted>"),
        ("gho_secret second", "<redacted>"),
        ("", ""),
    ] {
        assert_eq!(value("Authorization", given), kept);
        assert_eq!(value("Proxy-Authorization", given), kept);
    }
}

#[test]
fn fields_that_hold_credentials_are_known_by_name() {
    for name in [
        "Cookie",
        "set-cookie",
        "X-API-Key",
        "api-key",
        "X-GitHub-Token",
        "X-Auth-Token",
        "Ocp-Apim-Subscription-Key",
        "X-Client-Secret",
        "X-Password",
        "x-forwarded-authorization",
        "X-Amz-Credential",
    ] {
        assert_eq!(value(name, "a secret"), "<redacted>", "{name}");
    }
    for name in ["X-Request-Id", "x-ratelimit-remaining-tokens", "sec-websocket-key", "Idempotency-Key", "Accept"] {
        assert_eq!(value(name, "no secret"), "no secret", "{name}");
    }
}

#[test]
fn urls_lose_the_values_of_secret_parameters_only() {
    for (given, kept) in [
        ("/a?x=1&access_token=s&y=2", "/a?x=1&access_token=<redacted>&y=2"),
        ("/a?code=s", "/a?code=<redacted>"),
        ("/a?%74oken=s&SIG=s", "/a?%74oken=<redacted>&SIG=<redacted>"),
        ("/a;token=s/b?c", "/a;token=<redacted>"),
        ("/a?q=1?key=s#id_token=s", "/a?q=1?key=<redacted>#id_token=<redacted>"),
        ("/a?code=&n=1", "/a?code=&n=1"),
        ("/a/code=1", "/a/code=1"),
        ("https://me:pw@host/x?key=s", "https://<redacted>@host/x?key=<redacted>"),
        ("https://host/@x", "https://host/@x"),
        ("", ""),
    ] {
        assert_eq!(text(&url(given.as_bytes())), kept);
    }
    assert_eq!(value("Location", "/cb?code=s&state=1"), "/cb?code=<redacted>&state=1");
    assert_eq!(value("Referer", "https://h/?key=s"), "https://h/?key=<redacted>");
    assert_eq!(value(":path", "/x?sig=s"), "/x?sig=<redacted>");
}

#[test]
fn token_replies_lose_the_tokens() {
    let mut json =
        br#"{"token":"tid=1:s","expires_at":1733664598,"endpoints":{"api":"https://a"},"n":[{"id_token":"s"}]}"#
            .to_vec();
    assert_eq!(body(&mut json), ["/token", "/n/0/id_token"]);
    let kept = r#"{"token":"<redacted>","expires_at":1733664598,"endpoints":{"api":"https://a"},"n":[{"id_token":"<redacted>"}]}"#;
    assert_eq!(text(&json), kept);

    let mut form = b"access_token=gho_s&scope=read%3Auser&device_code=d".to_vec();
    assert_eq!(body(&mut form), [""]);
    assert_eq!(text(&form), "access_token=<redacted>&scope=read%3Auser&device_code=<redacted>");

    let mut harmless = br#"{ "copilot_plan": "business" }"#.to_vec();
    assert!(body(&mut harmless).is_empty());
    assert_eq!(text(&harmless), r#"{ "copilot_plan": "business" }"#);
}

#[test]
fn what_cannot_be_read_where_tokens_are_expected_goes_as_a_whole() {
    for given in [&br#"{"token":"tid=1:secr"#[..], b"\"gho_secret\"", b"gho_secret", b"<b>token=gho</b> ", b"\xff"] {
        let mut bytes = given.to_vec();
        assert_eq!(body(&mut bytes), [""], "{given:?}");
        assert_eq!(bytes, MARK.as_bytes());
    }
    let mut nothing = b" \n".to_vec();
    assert!(body(&mut nothing).is_empty());
}

#[test]
fn endpoints_with_tokens_in_their_bodies() {
    for path in [
        "/copilot_internal/v2/token",
        "/copilot_internal/user",
        "/login/oauth/access_token",
        "/login/device/code",
        "/github/chat/Token?x=1",
    ] {
        assert!(body_is_secret(path.as_bytes()), "{path}");
    }
    for path in ["/v1/engines/gpt/completions", "/chat/completions", "/telemetry?token=1", "/"] {
        assert!(!body_is_secret(path.as_bytes()), "{path}");
    }
}

#[test]
fn every_place_of_an_exchange_is_searched() {
    let mut exchange = exchange("/x?token=SECRET", b"", b"");
    let secret = fields_of(&[("X-Token", "SECRET"), ("X-Token", "SECRET")]);
    exchange.request.head.pseudo = fields_of(&[(":method", "GET"), (":path", "/x?token=SECRET")]);
    exchange.request.head.fields = secret.clone();
    exchange.request.trailers = Some(secret.clone());
    exchange.interim = vec![response_head(103, &[("Set-Cookie", "SECRET")])];
    let mut response = message(response_head(200, &[("Set-Cookie", "SECRET")]), b"");
    response.trailers = Some(secret);
    exchange.response = Some(response);
    heads(&mut exchange);
    let snapshot = text(&crate::exchange::to_snapshot(&exchange));
    assert!(!snapshot.contains("SECRET"), "{snapshot}");
    assert_eq!(snapshot.matches("<redacted>").count(), 10);
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(name in "(authorization|:path|location|x|cookie)", given in "[ -~]{0,40}") {
        let once = field(name.as_bytes(), given.as_bytes()).into_owned();
        prop_assert_eq!(&field(name.as_bytes(), &once)[..], &once[..]);
    }

    #[test]
    fn a_signature_never_stays(fields in "tid=[0-9a-f]{4}(;[a-z]{1,3}=[a-z0-9.:]{0,6}){0,4}") {
        let given = format!("Bearer {fields}:SIGNATURE");
        let redacted = value("Authorization", &given);
        prop_assert!(!redacted.contains("SIGNATURE"));
    }

    #[test]
    fn any_bytes_as_a_body(given in any::<Vec<u8>>()) {
        let mut bytes = given;
        body(&mut bytes);
    }
}
