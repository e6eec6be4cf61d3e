//! JSON read with tolerance: a value of another type, or a key said twice, is no reason to lose the rest.
//!
//! The types here read any value and are empty where it is not what they are for. They borrow from the text, so that
//! an event costs one pass and no copies; parts that are seldom wanted stay [`Raw`] and cost a second pass when they
//! are. What has to be mended first (a text that was cut) is in [`mend`].

pub(super) mod mend;
#[cfg(test)]
mod mend_tests;
mod node;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use node::{node, skip};

/// Most elements kept of one list: more than any honest one has, and what is kept stays small beside the text.
const LIST: usize = 16_384;

/// Largest count taken for one: what a JSON number holds exactly. Sums of a few stay far from any end.
const COUNT: u64 = 1 << 53;

/// A string.
#[derive(Clone, Debug, Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The string, empty if there is none.
    pub(super) fn or_empty(&self) -> &str {
        self.get().unwrap_or_default()
    }

    /// The string, unless it is empty: clients and servers write `""` for "not known".
    pub(super) fn filled(&self) -> Option<&str> {
        self.get().filter(|text| !text.is_empty())
    }

    pub(super) fn to_owned(&self) -> Option<String> {
        self.filled().map(str::to_owned)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Some(Cow::Owned(text)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(text.into())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(text.to_owned().into())
            }

            skip!(scalars, list, object);
        }

        deserializer.deserialize_any(Reader)
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(pub(super) Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self(raw.get().and_then(|text| text.parse().ok())))
    }
}

/// A number that counts something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Count {
    /// By way of the text: `1e999` would otherwise be an error of the whole.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self(raw.get().and_then(|text| text.parse().ok()).filter(|&count| count <= COUNT)))
    }
}

/// Any value but null, unread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Raw<'a>(Option<&'a str>);

impl<'a> Raw<'a> {
    /// Its text.
    pub(super) fn get(self) -> Option<&'a str> {
        self.0
    }

    pub(super) fn is_some(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn is_list(self) -> bool {
        self.0.is_some_and(|text| text.starts_with('['))
    }

    pub(super) fn is_object(self) -> bool {
        self.0.is_some_and(|text| text.starts_with('{'))
    }

    /// Reads it; empty where it cannot be read.
    pub(super) fn read<T: Deserialize<'a> + Default>(self) -> T {
        self.0.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// A string's text, and any other value as it stands.
    pub(super) fn scalar(self) -> Option<Cow<'a, str>> {
        let text = self.0?;
        if text.starts_with('"') { self.read::<Text<'a>>().0 } else { Some(Cow::Borrowed(text)) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self((raw != "null").then_some(raw)))
    }
}

/// Whether the key is there at all, whatever its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present(pub(super) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(Self(true))
    }
}

/// A list, up to a ceiling.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    /// What it holds.
    pub(super) items: Vec<T>,
    /// The value was a list.
    pub(super) is_list: bool,
    /// It held more.
    pub(super) overflowed: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_list: false, overflowed: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = List<T>;

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut list = List { is_list: true, ..List::default() };
                while list.items.len() < LIST {
                    let Some(item) = seq.next_element()? else { return Ok(list) };
                    list.items.push(item);
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    list.overflowed = true;
                }
                Ok(list)
            }

            skip!(scalars, text, object);
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// What stands where a text is expected: a string, or a list of parts.
#[derive(Clone, Debug, Default)]
pub(super) enum Content<'a, T> {
    /// Neither.
    #[default]
    None,
    /// A string.
    Text(Text<'a>),
    /// Parts.
    Parts(List<T>),
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Content<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Content<'de, T>;

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                List::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(Content::Parts)
            }

            skip!(scalars, object);
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// Calls a function for each element of a JSON list, with its text, until the list ends or breaks.
///
/// # Errors
/// When it breaks; [`serde_json::Error::is_eof`] tells whether it was only cut.
pub(super) fn elements<'a>(text: &'a str, each: &mut dyn FnMut(&'a str)) -> Result<(), serde_json::Error> {
    struct Reader<'f, 'a>(&'f mut dyn FnMut(&'a str));

    impl<'de> DeserializeSeed<'de> for Reader<'_, 'de> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }

    impl<'de> Visitor<'de> for Reader<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element::<&'de RawValue>()? {
                (self.0)(element.get());
            }
            Ok(())
        }
    }

    Reader(each).deserialize(&mut serde_json::Deserializer::from_str(text))
}
