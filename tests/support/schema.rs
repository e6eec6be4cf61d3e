//! Whether a value is as its JSON Schema says: the keywords that our description uses, and stricter than the standard,
//! since what is not described is wrong here.
#![allow(clippy::unwrap_used, reason = "a description that cannot be read has failed its test")]

use serde_json::Value;

/// What is wrong with the value, one sentence each.
pub(crate) fn wrong(description: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { description, found: &mut found }.value(schema, value, "");
    found
}

struct Check<'a> {
    description: &'a Value,
    found: &'a mut Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.description.pointer(reference.trim_start_matches('#'));
            return self.value(schema.unwrap_or_else(|| panic!("{reference} leads nowhere")), value, at);
        }
        for choice in ["anyOf", "oneOf"] {
            let Some(schemas) = schema[choice].as_array() else { continue };
            let fits = schemas.iter().filter(|schema| wrong(self.description, schema, value).is_empty()).count();
            if fits == 0 || (choice == "oneOf" && fits > 1) {
                self.found.push(format!("{at} fits {fits} of {choice}: {value}"));
            }
        }
        if !is_of_type(&schema["type"], value) {
            self.found.push(format!("{at} is no {}: {value}", schema["type"]));
        }
        let allowed = schema["enum"].as_array();
        if allowed.is_some_and(|allowed| !allowed.contains(value))
            || schema.get("const").is_some_and(|one| one != value)
        {
            self.found.push(format!("{at} is not among what is allowed: {value}"));
        }
        if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
            && number < least
        {
            self.found.push(format!("{at} is less than {least}: {value}"));
        }
        for (place, item) in value.as_array().into_iter().flatten().enumerate() {
            self.value(&schema["items"], item, &format!("{at}/{place}"));
        }
        self.keys(schema, value, at);
    }

    fn keys(&mut self, schema: &Value, value: &Value, at: &str) {
        let (Some(known), Some(object)) = (schema["properties"].as_object(), value.as_object()) else { return };
        for key in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(key.as_str().unwrap()) {
                self.found.push(format!("{at} lacks {key}"));
            }
        }
        for (key, value) in object {
            match known.get(key) {
                Some(schema) => self.value(schema, value, &format!("{at}/{key}")),
                None => self.found.push(format!("{at}/{key} is not described")),
            }
        }
    }
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    };
    match types {
        Value::Array(names) => names.iter().any(is),
        Value::Null => true,
        name => is(name),
    }
}
