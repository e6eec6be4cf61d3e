use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const STANDARD: &str = "7d7048df-6dd0-4048-bb23-b716c1461f8f";
const ENHANCED: &str = "3fdd7f28-937a-48c8-9a21-ba337db23bd1";

/// Three envelopes of one suggestion, with what makes readers stumble: braces and escapes in text, split values, an
/// exception with objects in a list, a character of two code units.
fn envelopes() -> Vec<String> {
    let shown = r#"{"time":"2026-03-02T09:15:00.250Z","iKey":"KEY","name":"Microsoft.ApplicationInsights.x.Event",
        "tags":{"ai.user.id":"aa11","ai.session.id":"s"},"data":{"baseType":"EventData","baseData":{"ver":2,
        "name":"copilot/ghostText.shown","properties":{"unique_id":"u-1","headerRequestId":"r-1","choiceIndex":"0",
        "clientCompletionId":"c-1","languageId":"rust","editor_version":"vscode/1.99.0","engineName":"gpt-x",
        "reason":"network","odd":"}{\"],[\\\" {\n😀","long":"ab","long_02":"cd"},
        "measurements":{"compCharLen":12,"numLines":2,"timeToProduceMs":80.5}}}}"#;
    let failed = r#"{"time":"2026-03-02T10:15:01+01:00","iKey":"ENH","name":"x","tags":{},"data":
        {"baseType":"ExceptionData","baseData":{"exceptions":[{"typeName":"E","name":"inner","data":{}},{"id":2}],
        "properties":{"copilot_trackingId":"bb22"}}}}"#;
    let still = r#"{"ver":"4.0","name":"agent/ghostText.stillInCode","time":"2026-03-02T09:30:00Z","iKey":"o:7d70-x",
        "ext":{"sdk":{"ver":"x"}},"data":{"baseData":{"name":"agent/ghostText.stillInCode","properties":
        {"timeout":"15000","stillInCodeHeuristic":"1","choiceIndex":10000,"copilot_trackingId":"aa11"}}}}"#;
    [shown, failed, still]
        .map(|text| {
            text.replace("\n        ", "").replace("\n😀", "\\n😀").replace("KEY", STANDARD).replace("ENH", ENHANCED)
        })
        .into()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Each wire form that is not compressed.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let envelopes = envelopes();
    let values: Vec<serde_json::Value> = envelopes.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    vec![
        ("array", format!("[{}]", envelopes.join(",")).into_bytes()),
        ("lines", format!("{}\n", envelopes.join("\n")).into_bytes()),
        ("lines of Windows", envelopes.join("\r\n").into_bytes()),
        ("concatenated", envelopes.concat().into_bytes()),
        ("spaced", serde_json::to_vec_pretty(&values).unwrap()),
        ("with a mark", format!("\u{feff}[{}]", envelopes.join(" , ")).into_bytes()),
        ("arrays a line", format!("[{}]\n[{},{}]", envelopes[0], envelopes[1], envelopes[2]).into_bytes()),
    ]
}

fn one(text: &str) -> Event {
    let Batch { mut events, unreadable } = read(text.as_bytes());
    assert_eq!((events.len(), unreadable), (1, 0), "{text}");
    events.remove(0)
}

/// An event with these properties and measurements.
fn event(properties: &str, measurements: &str) -> Event {
    one(&format!(
        r#"{{"data":{{"baseData":{{"name":"e","properties":{{{properties}}},"measurements":{{{measurements}}}}}}}}}"#
    ))
}

#[test]
fn an_event_is_what_its_envelope_says() {
    let Batch { events, unreadable } = read(&forms()[0].1);
    assert_eq!(unreadable, 0);
    let [shown, failed, still] = &events[..] else { panic!("{events:?}") };

    assert_eq!(shown.time, Some(1_772_442_900_250_000));
    assert_eq!((shown.key, shown.exception), (Key::Standard, false));
    assert_eq!((&*shown.full_name, &*shown.name), ("copilot/ghostText.shown", "ghostText.shown"));
    assert_eq!(shown.tid.as_deref(), Some("aa11"));
    assert_eq!(shown.properties["odd"], "}{\"],[\\\" {\n😀");
    assert_eq!(shown.properties["long"], "abcd");
    assert!(!shown.properties.contains_key("long_02"));
    assert_eq!((shown.unique_id(), shown.request_id(), shown.choice()), (Some("u-1"), Some("r-1"), Some(0)));
    assert_eq!((shown.completion(), shown.language(), shown.editor()), (Some("c-1"), Some("rust"), Some("vscode")));
    assert_eq!((shown.model(), shown.reason()), (Some("gpt-x"), Some("network")));
    assert_eq!((shown.chars(), shown.lines(), shown.produce_ms()), (Some(12), Some(2), Some(80.5)));
    assert_eq!((shown.still(), shown.timeout(), shown.shown(), shown.total_ms()), (None, None, None, None));

    assert_eq!(failed.time, Some(1_772_442_901_000_000));
    assert_eq!((failed.key, failed.exception, &*failed.name), (Key::Enhanced, true, "ExceptionData"));
    assert_eq!(failed.tid.as_deref(), Some("bb22"));

    assert_eq!((still.key, &*still.name, still.tid.as_deref()), (Key::Other, "ghostText.stillInCode", Some("aa11")));
    assert_eq!((still.timeout(), still.still(), still.choice()), (Some(15), Some(true), Some(10_000)));
}

#[test]
fn every_wire_form_gives_the_same_events() {
    let whole = read(&forms()[0].1);
    assert_eq!(whole.events.len(), 3);
    for (form, body) in forms() {
        assert_eq!(read(&body), whole, "{form}");
        assert_eq!(read(&gzip(&body)), whole, "{form} in gzip");
    }
    assert_eq!(read(envelopes()[1].as_bytes()).events, whole.events[1..2]);
    let array = &forms()[0].1;
    let (first, second) = array.split_at(100);
    assert_eq!(read(&[gzip(first), gzip(second)].concat()), whole, "two members of gzip");
}

#[test]
fn a_cut_body_gives_the_events_before_the_cut() {
    for (form, body) in forms() {
        let whole = read(&body);
        let text = String::from_utf8(body.clone()).unwrap();
        // The events are whole where their last braces are there: those before a comma, a line or the end.
        let mut ends = Vec::new();
        let mut depth = 0;
        let mut quoted = false;
        let mut escaped = false;
        for (at, letter) in text.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => {
                    depth -= 1;
                    if depth == 0 {
                        ends.push(at + 1);
                    }
                }
                _ => {}
            }
        }
        assert_eq!(ends.len(), 3, "{form}");
        for cut in 0..body.len() {
            let batch = read(&body[..cut]);
            let count = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(batch.events, whole.events[..count], "{form} cut at {cut}");
            assert!(batch.unreadable <= 1, "{form} cut at {cut}: {}", batch.unreadable);
        }
    }
}

#[test]
fn a_cut_body_in_gzip_gives_events_from_the_first() {
    for (form, body) in forms() {
        let whole = read(&body);
        let packed = gzip(&body);
        let mut most = 0;
        for cut in 0..=packed.len() {
            let events = read(&packed[..cut]).events;
            assert_eq!(events, whole.events[..events.len()], "{form} cut at {cut}");
            assert!(events.len() >= most, "{form} cut at {cut}");
            most = events.len();
        }
        assert_eq!(most, 3);
    }
}

#[test]
fn a_bad_envelope_hides_no_other() {
    let [a, b, c] = &envelopes()[..] else { panic!("three") };
    let good = read(format!("{a}{b}{c}").as_bytes()).events;
    let bad = [
        r#"{"time":}"#,
        r#"{"foo":1}"#,
        r#"{"data":{"baseData":{"ver":2}}}"#,
        "{}",
        "null",
        "17",
        r#""text with { in it""#,
        "lines that are no JSON",
        r#"{"data":{"baseData":1e999}}"#,
        "{\"a\":\"\u{1}\"}",
    ];
    for bad in bad {
        for body in [format!("[{a},{bad},{b},{c}]"), format!("{a}\n{bad}\n{b}\n{c}\n")] {
            assert_eq!(read(body.as_bytes()), Batch { events: good.clone(), unreadable: 1 }, "{bad}");
        }
    }
    // Quotes and braces that are not closed.
    for bad in [r#"{"a":"open"#, r#"{"a":{"#, "{", r#"{"a":"\"#, r#""open {"#] {
        let lines = format!("{a}\n{bad}\n{b}\n{bad}\n{bad}\n{c}\n");
        let batch = read(lines.as_bytes());
        assert_eq!(batch.events, good, "{bad}");
        assert!((2..=3).contains(&batch.unreadable), "{bad}: {}", batch.unreadable);
        let array = format!("[{a},{bad},{b},{c}]");
        let batch = read(array.as_bytes());
        assert_eq!(batch.events.last(), good.last(), "{bad}");
        assert_eq!(batch.events.first(), good.first(), "{bad}");
        assert!(batch.unreadable >= 1, "{bad}");
    }
}

#[test]
fn text_that_is_not_utf8_costs_its_characters_alone() {
    let body = [&b"{\"data\":{\"baseData\":{\"name\":\"e\",\"properties\":{\"k\":\"a\xff\xfeb\"}}}}"[..]].concat();
    let Batch { events, unreadable } = read(&body);
    assert_eq!((events[0].properties["k"].as_str(), unreadable), ("a\u{fffd}\u{fffd}b", 0));
}

#[test]
fn wrong_types_and_doubles_are_no_obstacle() {
    let odd = one(r#"{"time":5,"iKey":null,"name":[],"tags":"x","data":{"baseData":{"name":"first","name":"a/b/last",
            "properties":{"k":1,"k":"2","deep":{"x":[1,2]},"no":null},"measurements":{"n":"1.5","text":"x","list":[1],
            "huge":1e999,"nan":"nan"}}},"data2":0}"#);
    assert_eq!((odd.time, odd.key, odd.tid.as_deref(), &*odd.name), (None, Key::Other, None, "last"));
    let properties: Vec<_> = odd.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(properties, [("deep", r#"{"x":[1,2]}"#), ("k", "2"), ("no", "null")]);
    assert_eq!(odd.measurements.into_iter().collect::<Vec<_>>(), [("n".to_owned(), 1.5)]);

    let nothing = one(r#"{"data":{"baseData":{"name":"e","properties":[{"k":"v"}],"measurements":7}}}"#);
    assert!(nothing.properties.is_empty() && nothing.measurements.is_empty());
}

#[test]
fn the_two_streams_are_told_apart() {
    let plain = |key: &str| key.replace('-', "");
    let key = |ikey: &str, name: &str| {
        one(&format!(r#"{{"iKey":"{ikey}","name":"{name}","data":{{"baseData":{{"name":"e"}}}}}}"#)).key
    };
    for (text, wanted) in [(STANDARD, Key::Standard), (ENHANCED, Key::Enhanced)] {
        assert_eq!(key(text, ""), wanted);
        assert_eq!(key(&plain(text).to_uppercase(), ""), wanted);
        assert_eq!(key("", &format!("Microsoft.ApplicationInsights.{}.Event", plain(text))), wanted);
        assert_eq!(key("other", &format!("Microsoft.ApplicationInsights.{text}.Event")), wanted);
    }
    assert_eq!(key("o:0123", "Microsoft.ApplicationInsights.0123.Event"), Key::Other);
    assert_eq!(key("", ""), Key::Other);
}

#[test]
fn names_come_from_where_they_are() {
    let name = |text: &str| one(text).full_name;
    assert_eq!(name(r#"{"name":"panel.request","data":{"baseData":{"properties":{}}}}"#), "panel.request");
    assert_eq!(name(r#"{"name":"outer","data":{"baseData":{"name":"inner"}}}"#), "inner");
    assert_eq!(
        name(r#"{"name":"Microsoft.ApplicationInsights.k.Message","data":{"baseType":"MessageData","baseData":{}}}"#),
        "MessageData"
    );
}

#[test]
fn values_are_found_in_either_place() {
    let either = event(
        r#""numLines":"3","isShown":"true","totalTimeMs":" 12.5 ","choiceIndex":"-1","acceptance":"accepted",
           "opportunityId":"o","modelName":"nes","activeDocumentLanguageId":"go","common_vscodeversion":"1.99.0",
           "client_machineid":"m","client_sessionid":"s""#,
        r#""compCharLen":"40","timeout":600,"stillInCodeHeuristic":0"#,
    );
    assert_eq!((either.lines(), either.shown(), either.total_ms()), (Some(3), Some(true), Some(12.5)));
    assert_eq!((either.choice(), either.acceptance(), either.opportunity()), (Some(-1), Some("accepted"), Some("o")));
    assert_eq!((either.model(), either.language(), either.editor()), (Some("nes"), Some("go"), Some("vscode")));
    assert_eq!((either.chars(), either.timeout(), either.still()), (Some(40), Some(600), Some(false)));
    assert_eq!((either.machine(), either.session()), (Some("m"), Some("s")));
}

#[test]
fn what_is_no_count_is_none() {
    for value in ["-1", "1.5", "1e300", "\"x\"", "\"\"", "null", "\"inf\""] {
        let odd = event(&format!(r#""numLines":{value},"timeout":{value},"isShown":"perhaps""#), "");
        assert_eq!((odd.lines(), odd.timeout(), odd.shown()), (None, None, None), "{value}");
    }
    let empty =
        event(r#""headerRequestId":"","editor_version":"/1.0","languageId":"","activeDocumentLanguageId":"c""#, "");
    assert_eq!((empty.request_id(), empty.editor(), empty.language()), (None, None, Some("c")));
    for (timeout, seconds) in [(15, 15), (999, 999), (1000, 1), (15_000, 15), (600_000, 600)] {
        assert_eq!(event("", &format!(r#""timeout":{timeout}"#)).timeout(), Some(seconds));
    }
}

#[test]
fn of_two_places_the_nearer_one_counts() {
    let twice = event(
        r#""compCharLen":"7","languageId":"rust","activeDocumentLanguageId":"go","engineName":"a","modelName":"b","choiceIndex":1.5"#,
        r#""compCharLen":12"#,
    );
    assert_eq!((twice.chars(), twice.choice()), (Some(12), None), "a measurement is the number itself");
    assert_eq!((twice.language(), twice.model()), (Some("rust"), Some("a")));
    let tagged = one(
        r#"{"iKey":"3fdd7f28-937a-48c8-9a21-ba337db23bd1","name":"Microsoft.ApplicationInsights.7d7048df6dd04048bb23b716c1461f8f.Event","tags":{"ai.user.id":"mine"},
        "data":{"baseData":{"name":"e","properties":{"copilot_trackingId":"other"}}}}"#,
    );
    assert_eq!((tagged.key, tagged.tid.as_deref()), (Key::Enhanced, Some("mine")));
    // The outer name of Application Insights is no event's.
    let nameless = read(br#"{"name":"Microsoft.ApplicationInsights.x.Event","data":{"baseData":{"properties":{}}}}"#);
    assert_eq!(nameless, Batch { events: Vec::new(), unreadable: 1 });
}

#[test]
fn what_lies_within_another_object_is_no_event() {
    let [good, inner] = ["good", "inner"].map(|name| format!(r#"{{"data":{{"baseData":{{"name":"{name}"}}}}}}"#));
    for bad in [format!(r#"{{"a":nope,"b":{inner}}}"#), format!("{{broken\n{{\"x\":[{inner}]}}")] {
        let batch = read(format!("{bad}\n{good}").as_bytes());
        let names: Vec<_> = batch.events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(names, ["good"], "{bad}");
        assert!(batch.unreadable > 0, "{bad}");
    }
}

#[test]
fn hostile_bodies_end() {
    let deep = format!("{}{}", "{\"data\":".repeat(100_000), "}".repeat(100_000));
    for body in [
        "[".repeat(1 << 18),
        "{".repeat(1 << 18),
        ",{\"".repeat(1 << 16),
        "{\"a\":\n".repeat(1 << 16),
        "\"".repeat(1 << 18),
        "\\".repeat(1 << 18),
        deep,
    ] {
        let batch = read(body.as_bytes());
        assert!(batch.events.is_empty());
    }
}

#[test]
fn ceilings_count_what_is_beyond() {
    let least = r#"{"data":{"baseData":{"name":"e"}}}"#;
    let batch = read(least.repeat(EVENTS_MAX + 5).as_bytes());
    assert_eq!((batch.events.len(), batch.unreadable), (EVENTS_MAX, 5));

    let many: Vec<_> = (0..10_001).map(|number| format!(r#""{number}":"""#)).collect();
    let many = format!(r#"{{"data":{{"baseData":{{"name":"e","properties":{{{}}}}}}}}}"#, many.join(","));
    let batch = read(format!("[{many},{least}]").as_bytes());
    assert_eq!((batch.events.len(), batch.unreadable), (1, 1));
}

#[test]
fn nothing_is_nothing() {
    for body in ["", " ", "[]", "\n\n", "\u{feff}", "[ ]\r\n"] {
        assert_eq!(read(body.as_bytes()), Batch::default(), "{body:?}");
    }
}

proptest! {
    #[test]
    fn any_cut_and_any_damage_is_survived(form in 0..7_usize, cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, mut body) = forms().swap_remove(form);
        let at = at.index(body.len());
        body[at] = byte;
        body.truncate(cut.index(body.len() + 1));
        fuzz::fuzz_telemetry(&body);
    }

    #[test]
    fn a_damaged_line_hides_no_other(line in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let lines = envelopes();
        let whole = read(lines.join("\n").as_bytes()).events;
        let mut lines: Vec<_> = lines.into_iter().map(String::into_bytes).collect();
        let at = at.index(lines[line].len());
        lines[line][at] = if byte == b'\n' { b' ' } else { byte };
        let damaged = read(&lines.join(&b'\n'));
        for (other, event) in whole.iter().enumerate().filter(|(other, _)| *other != line) {
            prop_assert!(damaged.events.contains(event), "line {other} at {at}");
        }
        prop_assert!(damaged.unreadable > 0 || damaged.events.len() == 3);
    }

    #[test]
    fn values_split_anywhere_are_joined(text in "\\PC{0,40}", size in 1..9_usize) {
        // As a client splits: by UTF-16 units, a half of a character as an escape.
        let units: Vec<u16> = text.encode_utf16().collect();
        let parts = units.chunks(size).enumerate().map(|(index, part)| {
            let escaped: String = part.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let key = if index == 0 { "k".to_owned() } else { format!("k_{:02}", index + 1) };
            format!(r#""{key}":"{escaped}""#)
        });
        let parts: Vec<_> = parts.collect();
        prop_assume!((1..=50).contains(&parts.len()));
        let joined = event(&parts.join(","), "");
        prop_assert_eq!(&joined.properties["k"], &text);
        prop_assert_eq!(joined.properties.len(), 1);
    }
}
