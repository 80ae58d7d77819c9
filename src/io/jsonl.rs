//! One JSON object a line; a bad line costs no other.

use crate::error::{Error, Result};
use crate::io::charset::not_utf8;
use crate::io::compression::Bytes;
use crate::io::fields::kind_name;
use crate::io::read::stream_error;
use crate::io::text::size;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Read};

/// The objects of a JSONL stream with their line numbers; blank lines are passed over.
pub struct Objects {
    lines: Lines,
}

impl Objects {
    /// Reads lines of at most `max_line` bytes from `bytes`, which are UTF-8.
    pub fn new(bytes: Bytes, max_line: usize) -> Self {
        Objects { lines: Lines::new(bytes, max_line) }
    }
}

impl Iterator for Objects {
    type Item = (u64, Result<Map<String, Value>>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let object = match self.lines.next()? {
                Ok(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(line) => parse_object(line),
                Err(error) => Err(error),
            };
            let number = self.lines.number;
            return Some((number, object.map_err(|e| e.at_line(number))));
        }
    }
}

/// The JSON object that `bytes` hold.
///
/// # Errors
/// When they are not UTF-8, not JSON, or another kind of value.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>> {
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(&e))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Error::document(format!("this row is {}, not a JSON object", kind_name(&other)))
            .help("each row must look like {\"text\": \"…\"}")),
        Err(error) => Err(json_error(&error)),
    }
}

/// What serde says, without its line number, which counts within the row.
pub fn json_error(error: &serde_json::Error) -> Error {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default().to_string();
    let column = if error.line() == 1 { format!(" in column {}", error.column()) } else { String::new() };
    let broken = Error::document(format!("not valid JSON: {said}{column}"));
    if said.contains("recursion limit") { broken.help("lists and objects may be nested 127 deep") } else { broken }
}

/// The lines of a stream, without their ends, each at most so long; longer ones are read over.
pub struct Lines {
    reader: BufReader<Bytes>,
    max_line: usize,
    line: Vec<u8>,
    /// Number of the line last read, from 1.
    pub number: u64,
    at_end: bool,
}

impl Lines {
    /// Lines of at most `max_line` bytes.
    pub fn new(bytes: Bytes, max_line: usize) -> Self {
        Lines {
            reader: BufReader::with_capacity(64 << 10, bytes),
            max_line,
            line: Vec::new(),
            number: 0,
            at_end: false,
        }
    }

    /// The next line; an error of the stream is the last item.
    #[allow(clippy::should_implement_trait)] // a lending iterator
    pub fn next(&mut self) -> Option<Result<&[u8]>> {
        if self.at_end {
            return None;
        }
        self.number += 1;
        self.line.clear();
        let limit = (self.max_line as u64).saturating_add(1);
        if let Err(error) = (&mut self.reader).take(limit).read_until(b'\n', &mut self.line) {
            self.at_end = true;
            return Some(Err(stream_error(error).at_line(self.number)));
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Some(Ok(&self.line));
        }
        if self.line.len() > self.max_line {
            return Some(Err(self.pass_over_the_rest()));
        }
        self.at_end = true;
        if self.line.is_empty() { None } else { Some(Ok(&self.line)) }
    }

    fn pass_over_the_rest(&mut self) -> Error {
        self.line = Vec::new();
        match self.reader.skip_until(b'\n') {
            Ok(_) => Error::document(format!("the line is longer than {}", size(self.max_line)))
                .at_line(self.number)
                .help("raise --max-line-size, if your articles are that long"),
            Err(error) => {
                self.at_end = true;
                stream_error(error).at_line(self.number)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(bytes: &[u8], max_line: usize) -> Vec<String> {
        let objects = Objects::new(Box::new(Cursor::new(bytes.to_vec())), max_line);
        let said = |(line, object): (u64, Result<Map<String, Value>>)| match object {
            Ok(object) => format!("{line} {}", Value::Object(object)),
            Err(error) => error.without_help(),
        };
        objects.map(said).collect()
    }

    #[test]
    fn a_bad_line_costs_no_other() {
        let bytes = b"{\"a\":1}\r\n\n[1]\n{\"a\":\n{\"a\":\"\\ud800\"}\n\xff\n{\"a\":2}";
        let expected = [
            r#"1 {"a":1}"#,
            "line 3: this row is a list, not a JSON object",
            "line 4: not valid JSON: EOF while parsing a value in column 5",
            "line 5: not valid JSON: unexpected end of hex escape in column 13",
            "line 6: not valid UTF-8 at byte 0",
            r#"7 {"a":2}"#,
        ];
        assert_eq!(read(bytes, 100), expected);
    }

    #[test]
    fn a_long_line_is_passed_over() {
        let long = [b"{\"a\":\"".to_vec(), vec![b'x'; 1 << 20], b"\"}\n{\"a\":2}\n".to_vec()].concat();
        assert_eq!(read(&long, 64), ["line 1: the line is longer than 64 bytes", r#"2 {"a":2}"#]);
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert_eq!(read(&deep, 1 << 20), ["line 1: not valid JSON: recursion limit exceeded in column 128"]);
    }
}
