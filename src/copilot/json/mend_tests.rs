use proptest::prelude::*;

use super::mend::*;

fn mended(text: &str) -> (String, End) {
    let scan = Scan::of(text);
    (scan.mend().text, scan.end)
}

#[test]
fn a_cut_text_is_closed_where_its_last_value_was_whole() {
    let cases = [
        (r#"{"a":1,"b":[true,{"c":null}]} rest"#, r#"{"a":1,"b":[true,{"c":null}]}"#, End::Whole),
        (r#"{"text":"ab"#, r#"{"text":"ab"}"#, End::Cut),
        (r#"{"text":"ab\"#, r#"{"text":"ab"}"#, End::Cut),
        (r#"{"text":"ab\u00"#, r#"{"text":"ab"}"#, End::Cut),
        (r#"{"id":"ab"#, "{}", End::Cut),
        (r#"{"id":"ab","#, r#"{"id":"ab"}"#, End::Cut),
        (r#"{"a":[1,2"#, r#"{"a":[1]}"#, End::Cut),
        (r#"{"a":[1,2,"#, r#"{"a":[1,2]}"#, End::Cut),
        (r#"{"a":[1,tru"#, r#"{"a":[1]}"#, End::Cut),
        (r#"{"a":[1,true"#, r#"{"a":[1,true]}"#, End::Cut),
        (r#"{"text":["ab"#, r#"{"text":[]}"#, End::Cut),
        (r#"{"a"#, "{}", End::Cut),
        (r#"{"a":"#, "{}", End::Cut),
        ("", "", End::Cut),
        ("{\"text\":\"a\nb\"}", r#"{"text":"a"}"#, End::Broken),
        (r#"{"text":"a\x"}"#, r#"{"text":"a"}"#, End::Broken),
        (r#"{"a":1]"#, r#"{"a":1}"#, End::Broken),
        (r#"{"a":1 "b":2}"#, r#"{"a":1}"#, End::Broken),
        (r#"{"a":01}"#, "{}", End::Broken),
        (r#"{"a":truth}"#, "{}", End::Broken),
        (r"{a:1}", "{}", End::Broken),
    ];
    for (text, expected, end) in cases {
        assert_eq!(mended(text), (expected.to_owned(), end), "{text}");
    }
}

#[test]
fn nesting_stops_where_the_parser_would() {
    let (text, end) = mended(&format!("{{\"a\":1,\"b\":{}", "[".repeat(1_000)));
    assert_eq!(end, End::Broken);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
}

#[test]
fn only_halves_without_their_other_half_are_replaced() {
    let cases = [
        (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
        (r#""\ud83d""#, r#""\ufffd""#),
        (r#""\ude00\uD83Dx""#, r#""\ufffd\ufffdx""#),
        (r#""\\ud83d""#, r#""\\ud83d""#),
        (r#""\\\ud83d""#, r#""\\\ufffd""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        // The other half may be behind the cut.
        (r#""\ud83d"#, r#""\ud83d"#),
        (r#""\ud83d\ude"#, r#""\ud83d\ude"#),
    ];
    for (text, expected) in cases {
        assert_eq!(pair_surrogates(text), expected, "{text}");
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        ".{0,6}".prop_map(Into::into),
    ];
    let key = prop_oneof![Just("text".to_owned()), Just("id".to_owned()), ".{0,3}"];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_mended_parses_wherever_it_was_cut(value in json(), pretty in any::<bool>()) {
        let value = serde_json::json!({"v": value});
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(mended(&text), (text.clone(), End::Whole));
        for end in (1..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let (mended, how) = mended(&text[..end]);
            prop_assert_eq!(how, End::Cut, "{}", &text[..end]);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&mended).is_ok(), "{} of {}", mended, &text[..end]);
        }
    }
}
