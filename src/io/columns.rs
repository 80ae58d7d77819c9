//! CoNLL columns to be tagged: read sentence by sentence, written back as they were with one column more.

use crate::error::{Error, Result};
use crate::io::charset::{not_utf8, transcoded};
use crate::io::compression::{Bytes, decompressed};
use crate::io::jsonl::Lines;
use crate::io::read::{ReadOptions, stream_error};
use std::io::Write;

/// A sentence of pre-split tokens as the file gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence {
    /// What stands before the first token: blank lines, `-DOCSTART-` lines, comments.
    pub before: Vec<String>,
    /// The token lines, with all their columns.
    pub lines: Vec<String>,
}

impl Sentence {
    /// The tokens: the first column of each line; columns stand apart by tabs, in lines without tabs by blanks.
    pub fn tokens(&self) -> Vec<&str> {
        let separator = |line: &str| if line.contains('\t') { '\t' } else { ' ' };
        self.lines.iter().map(|line| line.split(separator(line)).next().unwrap_or_default().trim()).collect()
    }

    /// Writes the sentence as it was, `tags` appended as the last column with the separator that the line uses.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn write(&self, tags: &[String], sink: &mut impl Write) -> Result<()> {
        for line in &self.before {
            writeln!(sink, "{line}")?;
        }
        for (i, line) in self.lines.iter().enumerate() {
            let separator = if line.contains(' ') && !line.contains('\t') { ' ' } else { '\t' };
            writeln!(sink, "{line}{separator}{}", tags.get(i).map_or("O", String::as_str))?;
        }
        Ok(())
    }
}

/// The sentences of a CoNLL stream; what stands after the last token comes as a sentence without tokens.
pub struct Sentences {
    lines: Lines,
    waiting: Option<String>,
    done: bool,
}

impl Sentences {
    /// Reads `raw`, decompressed and brought to UTF-8 first.
    ///
    /// # Errors
    /// When it cannot be read or is no text.
    pub fn new(raw: Bytes, options: &ReadOptions) -> Result<Self> {
        let bytes = decompressed(raw, options.limits.expansion).map_err(stream_error)?;
        let (bytes, _) = transcoded(bytes, options.encoding)?;
        Ok(Sentences { lines: Lines::new(bytes, options.limits.line_bytes), waiting: None, done: false })
    }

    fn line(&mut self) -> Option<Result<String>> {
        if let Some(line) = self.waiting.take() {
            return Some(Ok(line));
        }
        let line = match self.lines.next()? {
            Ok(line) => text_line(line),
            Err(error) => Err(error),
        };
        Some(line.map_err(|e| e.at_line(self.lines.number)))
    }
}

fn text_line(bytes: &[u8]) -> Result<String> {
    let line = std::str::from_utf8(bytes).map_err(|e| not_utf8(&e))?;
    if line.contains('\0') {
        return Err(Error::document("a zero byte, so this is a binary file, not text"));
    }
    Ok(line.strip_suffix('\r').unwrap_or(line).to_string())
}

/// Whether a line holds a token.
fn is_token(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with("-DOCSTART-")
}

impl Iterator for Sentences {
    type Item = Result<Sentence>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut sentence = Sentence::default();
        loop {
            match self.line() {
                None => {
                    self.done = true;
                    return (sentence != Sentence::default()).then_some(Ok(sentence));
                }
                Some(Err(error)) => {
                    // Columns past a broken line would no longer meet their tokens.
                    self.done = true;
                    return Some(Err(error));
                }
                Some(Ok(line)) if is_token(&line) => sentence.lines.push(line),
                Some(Ok(line)) if sentence.lines.is_empty() => sentence.before.push(line),
                Some(Ok(line)) => {
                    self.waiting = Some(line);
                    return Some(Ok(sentence));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_file_comes_back_with_one_column_more() {
        let conll = "-DOCSTART- -X- O\n\nVantia NNP B-LOC\nagreed VBD O\n\n\n. . O\n\n";
        let raw = Box::new(Cursor::new(conll.replace('\n', "\r\n").into_bytes()));
        let mut out = Vec::new();
        for sentence in Sentences::new(raw, &ReadOptions::default()).unwrap() {
            let sentence = sentence.unwrap();
            let tags: Vec<String> = sentence.tokens().iter().map(|t| format!("{}!", t.len())).collect();
            sentence.write(&tags, &mut out).unwrap();
        }
        let expected = "-DOCSTART- -X- O\n\nVantia NNP B-LOC 6!\nagreed VBD O 6!\n\n\n. . O 1!\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
