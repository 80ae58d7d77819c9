//! The part of JSON Schema that the report's schema uses; an unknown keyword is a fault of the schema. (The crates that
//! know all of it bring dozens of others.)

use regex::Regex;
use serde_json::{Map, Value};

/// What is wrong with `value`, as `/place: sentence`.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let fits = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "additionalProperties" | "patternProperties" => true,
            "$ref" => {
                let target = wanted.as_str().and_then(|at| root.pointer(at.trim_start_matches('#')));
                check(root, target.expect("a reference leads somewhere"), value, place, found);
                true
            }
            "type" => each(wanted).iter().any(|name| is_type(value, name.as_str().unwrap())),
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|n| n >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= wanted.as_f64().unwrap()),
            "anyOf" => wanted.as_array().unwrap().iter().any(|one| {
                let mut faults = Vec::new();
                check(root, one, value, place, &mut faults);
                faults.is_empty()
            }),
            "required" => {
                let there = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                !value.is_object() || wanted.as_array().unwrap().iter().all(there)
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{place}/{at}"), found);
                }
                true
            }
            "properties" => true,
            unknown => panic!("the checker does not know `{unknown}`"),
        };
        if !fits {
            found.push(format!("{place}: {value} does not fit `{keyword}` {wanted}"));
        }
    }
    if let Some(fields) = value.as_object() {
        check_fields(root, schema, fields, place, found);
    }
}

fn check_fields(root: &Value, schema: &Value, fields: &Map<String, Value>, place: &str, found: &mut Vec<String>) {
    for (name, value) in fields {
        let place = format!("{place}/{name}");
        let patterns = schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        let by_pattern = patterns.filter(|(pattern, _)| Regex::new(pattern).unwrap().is_match(name)).map(|(_, s)| s);
        let known: Vec<&Value> =
            schema.get("properties").and_then(|p| p.get(name)).into_iter().chain(by_pattern).collect();
        known.iter().for_each(|schema| check(root, schema, value, &place, found));
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if known.is_empty() => found.push(format!("{place}: the schema has no such name")),
            Some(more) if known.is_empty() && more.is_object() => check(root, more, value, &place, found),
            _ => {}
        }
    }
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the checker does not know the type `{other}`"),
    }
}
