//! Macros for tolerant readers.

/// The arms of a visitor for values that are not wanted: read over, and empty.
macro_rules! skip {
    ($($what:ident),*) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("any value")
        }

        $($crate::copilot::json::skip!(@$what);)*
    };
    (@scalars) => {
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@text) => {
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@list) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@object) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

/// An object of which some keys are wanted; of a key said twice, the last. Where a string stands in its place, that is
/// kept in `plain`: some fields have both forms.
macro_rules! node {
    ($(#[$meta:meta])* $name:ident<$life:lifetime> { $($key:literal => $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        // Not every object has a form as a string.
        #[allow(dead_code)]
        pub(in crate::copilot) struct $name<$life> {
            pub(in crate::copilot) plain: $crate::copilot::json::Text<$life>,
            pub(in crate::copilot) is_object: bool,
            $(pub(in crate::copilot) $field: $kind,)*
        }

        impl<'de: $life, $life> serde::Deserialize<'de> for $name<$life> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader<$life>(std::marker::PhantomData<&$life ()>);

                impl<'de: $life, $life> serde::de::Visitor<'de> for Reader<$life> {
                    type Value = $name<$life>;

                    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                        Ok($name { plain: text.into(), ..$name::default() })
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                        Ok($name { plain: text.to_owned().into(), ..$name::default() })
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut node = $name { is_object: true, ..$name::default() };
                        while let Some(key) = map.next_key::<$crate::copilot::json::Text<'de>>()? {
                            match key.or_empty() {
                                $($key => node.$field = map.next_value()?,)*
                                _ => _ = map.next_value::<serde::de::IgnoredAny>()?,
                            }
                        }
                        Ok(node)
                    }

                    $crate::copilot::json::skip!(scalars, list);
                }

                deserializer.deserialize_any(Reader(std::marker::PhantomData))
            }
        }
    };
}

pub(in crate::copilot) use {node, skip};
