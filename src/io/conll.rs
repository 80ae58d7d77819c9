//! CoNLL columns with gold tags: one token a line, a blank line after each sentence.

use crate::entities::TaggedSentence;
use crate::error::{Error, Result};
use std::path::Path;

/// The sentences of a file with their tags.
///
/// # Errors
/// When the file cannot be read, or as [`parse`].
pub fn read_file(file: &Path) -> Result<Vec<TaggedSentence>> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::from(e).in_file(file))?;
    parse(&text).map_err(|e| e.in_file(file))
}

/// The sentences of `text` with their tags.
///
/// Columns stand apart by tabs, in lines without tabs by white space. The token is the first, its tag the last of those
/// columns that every line has, so that four columns of CoNLL-2003 and files with a ragged further column both work.
/// `-DOCSTART-` lines are no tokens.
///
/// # Errors
/// When a line has a token without a tag.
///
/// ```
/// let sentences = detente::io::conll::parse("Ana\tB-PER\nRuiz\tI-PER\nspoke\tO\n\nYes\tO\n")?;
/// assert_eq!(sentences.len(), 2);
/// assert_eq!(sentences[0].words, ["Ana", "Ruiz", "spoke"]);
/// assert_eq!(sentences[0].tags, ["B-PER", "I-PER", "O"]);
/// # Ok::<(), detente::error::Error>(())
/// ```
pub fn parse(text: &str) -> Result<Vec<TaggedSentence>> {
    let lines = || text.lines().zip(1u64..).filter(|(line, _)| !line.starts_with("-DOCSTART-"));
    let token_lines = lines().filter(|(line, _)| !line.trim().is_empty());
    let narrowest = token_lines.map(|(line, number)| (columns(line).len(), number)).min();
    let tag_column = match narrowest {
        Some((0 | 1, number)) => return Err(no_tag(number)),
        Some((columns, _)) => columns - 1,
        None => return Ok(Vec::new()),
    };
    let mut sentences = vec![TaggedSentence::default()];
    for (line, number) in lines() {
        let columns = columns(line);
        match (sentences.last_mut(), columns.first(), columns.get(tag_column)) {
            _ if line.trim().is_empty() => sentences.push(TaggedSentence::default()),
            (Some(sentence), Some(word), Some(tag)) => {
                sentence.words.push(word.to_string());
                sentence.tags.push(tag.to_string());
            }
            _ => return Err(no_tag(number)),
        }
    }
    sentences.retain(|sentence| !sentence.words.is_empty());
    Ok(sentences)
}

/// A line that starts with its separator has an empty token.
fn columns(line: &str) -> Vec<&str> {
    if line.contains('\t') {
        line.split('\t').map(str::trim).collect()
    } else if line.starts_with(' ') {
        [""].into_iter().chain(line.split_whitespace()).collect()
    } else {
        line.split_whitespace().collect()
    }
}

fn no_tag(line: u64) -> Error {
    Error::document("a token without a tag")
        .at_line(line)
        .help("each line holds a token and, in its last column, a tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<Vec<String>> {
        parse(text).unwrap().into_iter().map(|s| s.tags).collect()
    }

    #[test]
    fn the_tag_is_in_the_last_column_that_all_lines_have() {
        assert_eq!(tags("-DOCSTART- -X- -X- O\n\nAna NNP B-NP B-PER\r\nleft VBD B-VP O\r\n"), [["B-PER", "O"]]);
        assert_eq!(tags("Ana\tB-PER\tB-X\n.\tO\n\n\n.\tO"), [vec!["B-PER", "O"], vec!["O"]]);
        assert_eq!(tags("Ana  B-PER\n.\tO\n O\n"), [["B-PER", "O", "O"]]);
        assert_eq!(tags("\n \n"), [[""; 0]; 0]);
    }

    #[test]
    fn a_token_without_a_tag_is_an_error_with_its_line() {
        assert_eq!(parse("Ana B-PER\n\nleft\n").unwrap_err().line, Some(3));
    }
}
