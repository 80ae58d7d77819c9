//! A JSON file: a list of objects, one object, or objects one after the other, read one object at a time.

use crate::error::{Error, Result};
use crate::io::compression::Bytes;
use crate::io::jsonl::parse_object;
use crate::io::read::stream_error;
use crate::io::text::size;
use serde_json::{Map, Value};
use std::io::{BufReader, Read};

/// The objects of the file with their numbers, from 1.
pub struct Objects {
    bytes: std::io::Bytes<BufReader<Bytes>>,
    max_object: usize,
    in_list: bool,
    number: u64,
    done: bool,
}

impl Objects {
    /// Reads objects of at most `max_object` bytes from `bytes`, which are UTF-8.
    pub fn new(bytes: Bytes, max_object: usize) -> Self {
        let bytes = BufReader::with_capacity(64 << 10, bytes).bytes();
        Objects { bytes, max_object, in_list: false, number: 0, done: false }
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        self.bytes.next().transpose().map_err(stream_error)
    }

    /// The bytes of the next value; none at the end of the list or file.
    fn next_value(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.byte()? {
                None if self.in_list => return Err(self.cut_short()),
                None => return Ok(None),
                Some(b) if b.is_ascii_whitespace() || (b == b',' && self.number > 0) => {}
                Some(b'[') if self.number == 0 && !self.in_list => self.in_list = true,
                Some(b']') if self.in_list => return Ok(None),
                Some(first) => return self.value(first).map(Some),
            }
        }
    }

    /// Collects one value by its brackets; the parser checks it afterwards.
    fn value(&mut self, first: u8) -> Result<Vec<u8>> {
        self.number += 1;
        if first != b'{' {
            let list = if self.in_list { " in the list" } else { "" };
            return Err(Error::document(format!("row {}{list} is not a JSON object", self.number))
                .help("a list of objects like [{\"text\": \"…\"}] is needed"));
        }
        let (mut value, mut depth, mut in_string, mut escaped) = (vec![first], 1usize, false, false);
        while depth > 0 {
            let byte = self.byte()?.ok_or_else(|| self.cut_short())?;
            if value.len() >= self.max_object {
                return Err(Error::document(format!("row {} is longer than {}", self.number, size(self.max_object)))
                    .help("raise --max-line-size, if your articles are that long"));
            }
            value.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
        }
        Ok(value)
    }

    fn cut_short(&self) -> Error {
        Error::document(format!("the file ends inside row {} of its JSON", self.number.max(1)))
            .help("it was cut off: fetch it again")
    }
}

impl Iterator for Objects {
    type Item = (u64, Result<Map<String, Value>>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let value = self.next_value();
        // Past a broken bracket nothing is certain.
        self.done = value.is_err();
        let object = match value.transpose()? {
            Ok(value) => parse_object(&value).map_err(|e| in_row(e, self.number)),
            Err(error) => Err(error),
        };
        Some((self.number.max(1), object))
    }
}

fn in_row(mut error: Error, number: u64) -> Error {
    error.message = format!("row {number}: {}", error.message);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(json: &str) -> Vec<String> {
        let objects = Objects::new(Box::new(Cursor::new(json.as_bytes().to_vec())), 64);
        let said = |(number, object): (u64, Result<Map<String, Value>>)| match object {
            Ok(object) => format!("{number} {}", Value::Object(object)),
            Err(error) => error.without_help(),
        };
        objects.map(said).collect()
    }

    #[test]
    fn lists_single_objects_and_sequences_are_read() {
        let both = [r#"1 {"a":"}]"}"#, r#"2 {"a":{"b":[1]}}"#];
        assert_eq!(read(r#" [ {"a": "}]"} , {"a": {"b": [1]}} ] "#), both);
        assert_eq!(read("{\"a\": \"}]\"}\n{\"a\": {\"b\":\n [1]}}"), both);
        assert_eq!(read(r#"{"a": "\"{"}"#), [r#"1 {"a":"\"{"}"#]);
        assert!(read("[]").is_empty() && read("").is_empty());
    }

    #[test]
    fn what_is_broken_is_told_by_row() {
        assert_eq!(read(r#"[{"a": 1}, {"a": "#), [r#"1 {"a":1}"#, "the file ends inside row 2 of its JSON"]);
        assert_eq!(read(r#"[{"a": 1}, 7]"#), [r#"1 {"a":1}"#, "row 2 in the list is not a JSON object"]);
        assert_eq!(read(r#"[{"a" 1}, {"a": 2}]"#), ["row 1: not valid JSON: expected `:` in column 6", r#"2 {"a":2}"#]);
        assert_eq!(read(&format!("[{{\"a\": \"{}\"}}]", "x".repeat(100))), ["row 1 is longer than 64 bytes"]);
    }
}
