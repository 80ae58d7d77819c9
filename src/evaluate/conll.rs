//! CoNLL files for evaluation, and the two ways in which tags become spans.

use super::records;
use crate::error::{Error, Result};
use std::path::Path;

/// A sentence of a CoNLL file: its words and one tag a word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentence {
    /// Line of the first word, from 1.
    pub line: u64,
    /// Number of its document; every sentence is its own where the file marks none.
    pub document: usize,
    /// First column.
    pub words: Vec<String>,
    /// The chosen column.
    pub tags: Vec<String>,
}

/// All sentences of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConllFile {
    /// In the file's order.
    pub sentences: Vec<Sentence>,
    /// Whether `-DOCSTART-` lines mark documents.
    pub has_documents: bool,
    /// How the tags are written.
    pub scheme: Scheme,
}

/// How tags mark where a span begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `B-` opens every span, `I-` goes on.
    #[default]
    Iob2,
    /// `I-` opens a span, `B-` only one that touches another of its type; or bare types without a prefix.
    Iob1,
    /// `B-`, `I-`, `E-` and `S-` (also written `L-` and `U-`).
    Iobes,
}

impl Scheme {
    /// Its common name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Iob2 => "IOB2",
            Scheme::Iob1 => "IOB1",
            Scheme::Iobes => "IOBES",
        }
    }
}

/// A typed span of words, half open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chunk {
    /// First word (or character, where spans come from records).
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Its type.
    pub kind: String,
}

/// Reads `path`; the tag stands in `column` (from 1), or in the last one.
///
/// Columns are separated by tabs where a line has one, else by white space.
///
/// # Errors
/// Names the line that has too few columns.
pub fn read(path: &Path, column: Option<usize>) -> Result<ConllFile> {
    let mut file = ConllFile::default();
    let mut sentence = Sentence::default();
    let mut document = 0;
    for (line, number) in std::io::BufRead::lines(records::open(path)?).zip(1..) {
        let line = line.map_err(|error| Error::from(error).in_file(path).at_line(number))?;
        let line = line.trim_start_matches('\u{feff}');
        let columns = columns(line);
        match columns.first() {
            None => close(&mut file, &mut sentence, document),
            Some(&"-DOCSTART-") => {
                close(&mut file, &mut sentence, document);
                document += usize::from(file.has_documents);
                file.has_documents = true;
            }
            Some(word) => {
                let last = columns.get(1..).and_then(|rest| rest.last());
                let tag = column.map_or(last, |at| columns.get(at.saturating_sub(1)));
                let missing = || Error::document("this line has no tag column").in_file(path).at_line(number);
                sentence.tags.push(tag.ok_or_else(missing)?.to_string());
                sentence.words.push(word.to_string());
                if sentence.line == 0 {
                    sentence.line = number;
                }
            }
        }
    }
    close(&mut file, &mut sentence, document);
    if !file.has_documents {
        file.sentences.iter_mut().enumerate().for_each(|(at, sentence)| sentence.document = at);
    }
    file.scheme = scheme(file.sentences.iter().map(|sentence| sentence.tags.as_slice()));
    Ok(file)
}

fn columns(line: &str) -> Vec<&str> {
    if line.trim().is_empty() {
        return Vec::new();
    }
    if line.contains('\t') {
        return line.trim_end().split('\t').map(str::trim).collect();
    }
    line.split_whitespace().collect()
}

fn close(file: &mut ConllFile, sentence: &mut Sentence, document: usize) {
    if !sentence.words.is_empty() {
        sentence.document = document;
        file.sentences.push(std::mem::take(sentence));
    }
}

/// A tag as prefix and type: `O` has neither, a bare type goes on or opens like `I-`.
fn parts(tag: &str) -> (char, &str) {
    let mut letters = tag.chars();
    match (letters.next(), letters.next()) {
        (Some('O') | None, None) => ('O', ""),
        (Some(prefix @ ('B' | 'I' | 'E' | 'S')), Some('-')) => (prefix, letters.as_str()),
        (Some('L'), Some('-')) => ('E', letters.as_str()),
        (Some('U'), Some('-')) => ('S', letters.as_str()),
        _ => ('I', tag),
    }
}

/// The scheme in which `sentences` are tagged.
pub fn scheme<'a>(sentences: impl Iterator<Item = &'a [String]>) -> Scheme {
    let (mut opened_by_b, mut opened_by_i) = (false, false);
    for tags in sentences {
        let mut before = ('O', "");
        for tag in tags {
            let now = parts(tag);
            match now.0 {
                'E' | 'S' => return Scheme::Iobes,
                'B' if before.0 == 'O' || before.1 != now.1 => opened_by_b = true,
                'I' if before.0 == 'O' || before.1 != now.1 => opened_by_i = true,
                _ => {}
            }
            before = now;
        }
    }
    if opened_by_i && !opened_by_b { Scheme::Iob1 } else { Scheme::Iob2 }
}

/// Spans as the `conlleval` script of the CoNLL shared tasks reads them: a tag that continues nothing opens a span.
///
/// ```
/// use detente::evaluate::conll::lenient;
/// let tags = ["I-PER", "I-PER", "O", "B-ORG", "I-LOC"].map(String::from);
/// let spans: Vec<_> = lenient(&tags).into_iter().map(|c| (c.start, c.end, c.kind)).collect();
/// assert_eq!(spans, [(0, 2, "PER".to_string()), (3, 4, "ORG".to_string()), (4, 5, "LOC".to_string())]);
/// ```
pub fn lenient(tags: &[String]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    let mut before = ('O', "");
    let all = tags.iter().map(|tag| parts(tag)).chain([('O', "")]);
    for (at, now) in all.enumerate() {
        if ends(before, now)
            && let Some((start, kind)) = open.take()
        {
            chunks.push(Chunk { start, end: at, kind: kind.to_string() });
        }
        if starts(before, now) {
            open = Some((at, now.1));
        }
        before = now;
    }
    chunks
}

fn ends(before: (char, &str), now: (char, &str)) -> bool {
    match (before.0, now.0) {
        ('O', _) => false,
        ('E' | 'S', _) => true,
        (_, 'B' | 'S' | 'O') => true,
        _ => before.1 != now.1,
    }
}

fn starts(before: (char, &str), now: (char, &str)) -> bool {
    match (before.0, now.0) {
        (_, 'O') => false,
        (_, 'B' | 'S') => true,
        ('E' | 'S' | 'O', _) => true,
        _ => before.1 != now.1,
    }
}

/// Spans that are well formed in `scheme`, as seqeval's strict mode takes them; tags of any other form are passed over.
///
/// IOB1 has no malformed sequence: there it is [`lenient`].
pub fn strict(tags: &[String], scheme: Scheme) -> Vec<Chunk> {
    if scheme == Scheme::Iob1 {
        return lenient(tags);
    }
    let tags: Vec<(char, &str)> = tags.iter().map(|tag| parts(tag)).collect();
    let mut chunks = Vec::new();
    let mut at = 0;
    while let Some(&(prefix, kind)) = tags.get(at) {
        let inside = tags.iter().skip(at + 1).take_while(|tag| continues(**tag, kind, scheme)).count();
        // In IOBES nothing follows the E that closes a span.
        let length = match scheme {
            Scheme::Iobes => tags.iter().skip(at + 1).take(inside).position(|tag| tag.0 == 'E').map(|e| e + 2),
            _ => Some(inside + 1),
        };
        let length = match (prefix, scheme) {
            ('B', _) => length,
            ('S', Scheme::Iobes) => Some(1),
            _ => None,
        };
        if let Some(length) = length {
            chunks.push(Chunk { start: at, end: at + length, kind: kind.to_string() });
        }
        at += length.unwrap_or(1);
    }
    chunks
}

fn continues(tag: (char, &str), kind: &str, scheme: Scheme) -> bool {
    tag.1 == kind && (tag.0 == 'I' || (scheme == Scheme::Iobes && tag.0 == 'E'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(line: &str) -> Vec<String> {
        line.split(' ').map(String::from).collect()
    }

    fn shown(chunks: &[Chunk]) -> String {
        chunks.iter().map(|c| format!("{}-{}{}", c.start, c.end, c.kind)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn malformed_tags_tell_the_two_readings_apart() {
        let cases = [
            ("B-PER I-PER O", Scheme::Iob2, "0-2PER", "0-2PER"),
            ("I-PER I-PER O", Scheme::Iob2, "", "0-2PER"),
            ("B-PER I-ORG I-ORG", Scheme::Iob2, "0-1PER", "0-1PER 1-3ORG"),
            ("B-PER B-PER I-PER", Scheme::Iob2, "0-1PER 1-3PER", "0-1PER 1-3PER"),
            ("B-A E-A S-A", Scheme::Iobes, "0-2A 2-3A", "0-2A 2-3A"),
            ("B-A I-A O", Scheme::Iobes, "", "0-2A"),
            ("B-A E-B", Scheme::Iobes, "", "0-1A 1-2B"),
            ("U-A B-A L-A", Scheme::Iobes, "0-1A 1-3A", "0-1A 1-3A"),
            ("I-A I-A B-A", Scheme::Iob1, "0-2A 2-3A", "0-2A 2-3A"),
            ("A A O B", Scheme::Iob1, "0-2A 3-4B", "0-2A 3-4B"),
        ];
        for (line, scheme, expected_strict, expected_lenient) in cases {
            assert_eq!(shown(&strict(&tags(line), scheme)), expected_strict, "strict {line}");
            assert_eq!(shown(&lenient(&tags(line))), expected_lenient, "lenient {line}");
        }
    }

    #[test]
    fn the_scheme_is_told_from_the_tags() {
        let of = |line: &str| scheme([tags(line)].iter().map(Vec::as_slice));
        assert_eq!(of("O B-A I-A"), Scheme::Iob2);
        assert_eq!(of("O I-A I-A B-A"), Scheme::Iob1);
        assert_eq!(of("O S-A"), Scheme::Iobes);
        assert_eq!(of("O O"), Scheme::Iob2);
    }
}
