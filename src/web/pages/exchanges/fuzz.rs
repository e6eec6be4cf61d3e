//! A part of the body of the fuzz target `address`.

use chrono::{DateTime, Utc};

use super::wanted::{PATH, Place, Wanted};

/// The list's own addresses lead to the same list.
pub(in crate::web) fn fuzz_address(text: &str, now: DateTime<Utc>) {
    let wanted = Wanted::of_query(text);
    let address = wanted.address();
    let again = Wanted::of_query(address.strip_prefix(PATH).unwrap_or_default());
    assert_eq!(again.address(), address);
    assert_eq!((again.place, again.oldest_first, again.shown()), (wanted.place, wanted.oldest_first, wanted.shown()));
    if let Ok(question) = wanted.question(now) {
        let again = again.question(now).unwrap_or_else(|errors| panic!("{address:?}: {errors:?}"));
        assert_eq!((again.filter, again.words), (question.filter, question.words), "{address:?}");
    }
    let turned = Wanted::of_query(wanted.turned().strip_prefix(PATH).unwrap_or_default());
    assert_eq!((turned.place, turned.oldest_first), (Place::First, !wanted.oldest_first));
    for (name, _) in wanted.params.pairs() {
        let without = Wanted::of_query(wanted.without(name).strip_prefix(PATH).unwrap_or_default());
        assert_eq!(without.params.pairs().len() + 1, wanted.params.pairs().len(), "{name}");
    }
}
