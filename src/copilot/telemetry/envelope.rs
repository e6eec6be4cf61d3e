//! One envelope (Application Insights, or Microsoft's own 1DS form) to an event.
//!
//! Nothing in it must be there or of the right type; keys that are there twice count as their last says.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::event::number;
use super::{Event, Key, parts, time};

/// Properties and measurements of one envelope. Honest ones have about seventy, and up to fifty parts of a long value.
const VALUES_MAX: usize = 10_000;
/// Instrumentation keys, without dashes.
const STANDARD: &str = "7d7048df6dd04048bb23b716c1461f8f";
const ENHANCED: &str = "3fdd7f28937a48c89a21ba337db23bd1";

/// Why a piece of a body is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is broken, and where it ends is not known.
    NoJson,
    /// It is an object that tells of no event, or too large.
    NoEvent,
}

/// Reads one object.
pub(super) fn read(text: &str) -> Result<Event, Wrong> {
    let Lenient(envelope) = serde_json::from_str::<Lenient<Envelope<'_>>>(text).map_err(|_| Wrong::NoJson)?;
    envelope.event().ok_or(Wrong::NoEvent)
}

#[derive(Default)]
struct Envelope<'a> {
    time: Option<&'a RawValue>,
    ikey: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    tags: Tags<'a>,
    data: Data<'a>,
}

#[derive(Default)]
struct Tags<'a> {
    user: Option<&'a RawValue>,
}

#[derive(Default)]
struct Data<'a> {
    base_type: Option<&'a RawValue>,
    base: Option<Base<'a>>,
}

#[derive(Default)]
struct Base<'a> {
    name: Option<&'a RawValue>,
    properties: Values<'a>,
    measurements: Values<'a>,
}

#[derive(Default)]
struct Values<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Envelope<'_> {
    fn event(self) -> Option<Event> {
        let base = self.data.base?;
        if base.properties.0.len().max(base.measurements.0.len()) > VALUES_MAX {
            return None;
        }
        let base_type = string(self.data.base_type);
        let outer = string(self.name);
        // The outer name of Application Insights is that of the key and the type, not of the event.
        let own = outer.as_deref().filter(|name| !name.starts_with("Microsoft.ApplicationInsights."));
        let full_name = string(base.name).or_else(|| base_type.clone()).or_else(|| own.map(str::to_owned))?;
        let properties = parts::joined(base.properties.0);
        let tracking = || properties.get("copilot_trackingId").filter(|tid| !tid.is_empty()).cloned();
        Some(Event {
            time: string(self.time).and_then(|text| time::micros(&text)),
            key: key(string(self.ikey).as_deref(), outer.as_deref()),
            name: full_name.rsplit('/').next().unwrap_or(&full_name).to_owned(),
            full_name,
            tid: string(self.tags.user).or_else(tracking),
            measurements: base
                .measurements
                .0
                .into_iter()
                .filter_map(|(key, raw)| Some((key.into_owned(), measured(raw)?)))
                .collect(),
            properties,
            exception: base_type.as_deref().is_some_and(|name| name == "ExceptionData"),
        })
    }
}

/// A string that is not empty.
fn string(raw: Option<&RawValue>) -> Option<String> {
    let raw = raw?.get();
    raw.starts_with('"').then(|| parts::text(raw)).filter(|text| !text.is_empty())
}

fn measured(raw: &RawValue) -> Option<f64> {
    number(&parts::text(raw.get()))
}

fn key(ikey: Option<&str>, name: Option<&str>) -> Key {
    let plain = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let texts = [ikey.map(plain), name.map(plain)];
    let mut texts = texts.iter().flatten();
    texts
        .find_map(|text| match text {
            text if text.contains(STANDARD) => Some(Key::Standard),
            text if text.contains(ENHANCED) => Some(Key::Enhanced),
            _ => None,
        })
        .unwrap_or(Key::Other)
}

/// An object that takes of its fields what it knows.
trait Object<'de>: Default {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error>;
}

impl<'de> Object<'de> for Envelope<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "time" => self.time = Some(map.next_value()?),
            "iKey" => self.ikey = Some(map.next_value()?),
            "name" => self.name = Some(map.next_value()?),
            "tags" => self.tags = map.next_value::<Lenient<_>>()?.0,
            "data" => self.data = map.next_value::<Lenient<_>>()?.0,
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Tags<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "ai.user.id" => self.user = Some(map.next_value()?),
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Data<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "baseType" => self.base_type = Some(map.next_value()?),
            "baseData" => self.base = Some(map.next_value::<Lenient<_>>()?.0),
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Base<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "name" => self.name = Some(map.next_value()?),
            "properties" => self.properties = map.next_value::<Lenient<_>>()?.0,
            "measurements" => self.measurements = map.next_value::<Lenient<_>>()?.0,
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Values<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        let raw = map.next_value()?;
        // One more than may be says that there are too many.
        if self.0.len() <= VALUES_MAX {
            self.0.push((key, raw));
        }
        Ok(())
    }
}

/// An object, or nothing where something else stands.
struct Lenient<T>(T);

impl<'de, T: Object<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Object<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = T::default();
        while let Some(Name(key)) = map.next_key()? {
            object.field(key, &mut map)?;
        }
        Ok(Lenient(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient(T::default()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }
}

/// A key, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
