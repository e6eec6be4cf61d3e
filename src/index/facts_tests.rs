use proptest::prelude::*;

use super::*;
use crate::archive::AbortedBy;
use crate::copilot::noise::Noise;
use crate::index::Initiator;

fn names() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    super::super::schema::create(&connection, 1).unwrap();
    connection
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof![
        Just(String::new()),
        Just("-".to_owned()),
        "[a-z]{1,8}",
        "\\PC{1,20}",
        Just("25fa5824-5df2-4d24-80d5-9c3288365dd3".to_owned()),
        Just("25FA5824-5DF2-4D24-80D5-9C3288365DD3".to_owned()),
        Just("25fa58245df24d2480d59c3288365dd3".to_owned()),
    ])
}

fn texts<const N: usize>() -> impl Strategy<Value = [Option<String>; N]> {
    proptest::collection::vec(text(), N).prop_map(|texts| texts.try_into().unwrap())
}

fn count() -> impl Strategy<Value = Option<u64>> {
    proptest::option::of(prop_oneof![0..5_u64, any::<u32>().prop_map(u64::from), Just(i64::MAX.cast_unsigned())])
}

fn millis() -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(prop_oneof![0.0..1e6_f64, Just(-0.5), Just(f64::INFINITY)])
}

proptest! {
    #[test]
    fn an_exchange_comes_out_as_it_went_in(
        texts in texts::<6>(),
        (began, kind, status, complete) in
            (any::<i64>(), 0..Kind::ALL.len(), proptest::option::of(any::<u16>()), any::<Option<bool>>()),
        (ended, initiator, noise, marks) in (0..4_usize, 0..3_usize, 0..5_usize, any::<[bool; 2]>()),
        times in [millis(), millis(), millis(), millis()],
        tokens in [count(), count(), count()],
        cut in 0..200_usize,
    ) {
        let connection = names();
        let mut numbers = Numbers::default();
        let text = |at: usize| texts[at].as_deref();
        let fact = RequestFact {
            began,
            kind: Kind::ALL[kind],
            user: text(0),
            tid: text(1),
            editor: text(2),
            model: text(3),
            language: text(4),
            status,
            complete,
            aborted_by: [None, Some(AbortedBy::Client), Some(AbortedBy::Upstream), Some(AbortedBy::Shutdown)][ended],
            error: marks[0],
            initiator: [None, Some(Initiator::User), Some(Initiator::Agent)][initiator],
            speculative: marks[1],
            request_id: text(5),
            first_byte_ms: times[0],
            first_token_ms: times[1],
            total_ms: times[2],
            server_ms: times[3],
            tokens_in: tokens[0],
            tokens_cached: tokens[1],
            tokens_out: tokens[2],
            noise: [None, Some(Noise::NoText), Some(Noise::Stop), Some(Noise::NotUser), Some(Noise::Tools)][noise],
        };
        let packed = Packer::new(&connection, &mut numbers).request(&fact).unwrap();
        let known = Texts::load(&connection).unwrap();
        let unpacked = unpack_request(&packed, &known, |fact| format!("{fact:?}"));
        prop_assert_eq!(unpacked, Some(format!("{fact:?}")));
        let cut = cut.min(packed.len() - 1);
        prop_assert_eq!(unpack_request(&packed[..cut], &known, |_| ()), None);
        let longer = [&packed[..], &[0]].concat();
        prop_assert_eq!(unpack_request(&longer, &known, |_| ()), None);
    }

    #[test]
    fn events_come_out_as_they_went_in(
        rows in proptest::collection::vec((
            texts::<9>(),
            (any::<i64>(), any::<Option<i64>>(), any::<[Option<bool>; 2]>()),
            [count(), count(), count()],
            millis(),
        ), 0..5),
        cut in 0..400_usize,
    ) {
        let connection = names();
        let mut numbers = Numbers::default();
        let mut packer = Packer::new(&connection, &mut numbers);
        let (mut said, mut ends) = (Vec::new(), vec![0]);
        for (texts, (time, choice, [still, shown]), [chars, lines, timeout], total_ms) in &rows {
            let text = |at: usize| texts[at].as_deref();
            let fact = EventFact {
                time: *time,
                name: text(0).unwrap_or("x"),
                user: text(1),
                tid: text(2),
                request_id: text(3),
                choice: *choice,
                completion: text(4),
                opportunity: text(5),
                language: text(6),
                editor: text(7),
                model: text(8),
                chars: *chars,
                lines: *lines,
                timeout: *timeout,
                still: *still,
                total_ms: *total_ms,
                shown: *shown,
                acceptance: text(1),
            };
            packer.event(&fact).unwrap();
            said.push(format!("{fact:?}"));
            ends.push(packer.packed.len());
        }
        let packed = packer.finish();
        let known = Texts::load(&connection).unwrap();
        let unpack = |packed: &[u8]| {
            let mut found = Vec::new();
            (unpack_events(packed, &known, &mut |fact| found.push(format!("{fact:?}"))), found)
        };
        prop_assert_eq!(unpack(&packed), (Some(()), said.clone()));
        let cut = cut.min(packed.len());
        let (whole, found) = unpack(&packed[..cut]);
        prop_assert_eq!(whole.is_some(), ends.contains(&cut));
        prop_assert_eq!(&found[..], &said[..found.len()]);
    }

    #[test]
    fn what_is_no_fact_is_refused_and_not_followed(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let known = Texts::load(&names()).unwrap();
        let _ = unpack_request(&noise, &known, |_| ());
        let _ = unpack_events(&noise, &known, &mut |_| ());
    }
}

#[test]
fn a_text_keeps_its_number() {
    let connection = names();
    let mut numbers = Numbers::default();
    let found: Vec<_> = ["a", "b", "a"].map(|text| numbers.number(&connection, text).unwrap()).into();
    assert_eq!(found, [1, 2, 1]);
    assert_eq!(Numbers::default().number(&connection, "b").unwrap(), 2, "another process's number");
    let texts = Texts::load(&connection).unwrap();
    assert_eq!([0, 1, 2, 3].map(|number| texts.get(number)), [None, Some("a"), Some("b"), None]);
    connection.execute("DELETE FROM names WHERE number = 1", []).unwrap();
    assert!(Texts::load(&connection).is_err(), "a gap");
}
