//! Pre-split tokens in CoNLL columns: tagged, and written back with one column more.

use crate::entities::EntityTagger;
use crate::error::Result;
use crate::io::columns::{Sentence, Sentences};
use crate::io::output::Output;
use crate::io::read::{ReadOptions, open_path};
use rayon::prelude::*;
use std::path::Path;

/// Sentences that may serve each other as context, at most: a document, or a stretch of a file without document marks.
const SECTION: usize = 128;
/// Sections tagged at once.
const SECTIONS: usize = 32;

/// What was tagged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagCounts {
    /// Sentences with at least one token.
    pub sentences: u64,
    /// Tokens.
    pub tokens: u64,
}

/// Tags the file at `path` (`-`: standard input): all columns and blank lines stay, the BIO tag comes last.
///
/// # Errors
/// When the file cannot be read, the model fails, or nothing can be written.
pub fn tag(path: &Path, options: &ReadOptions, tagger: &EntityTagger, output: &mut Output) -> Result<TagCounts> {
    let mut sentences = Sentences::new(open_path(path)?, options).map_err(|e| e.in_file(path))?.peekable();
    let mut counts = TagCounts::default();
    while sentences.peek().is_some() {
        let sections = next_sections(&mut sentences).map_err(|e| e.in_file(path))?;
        let tagged: Vec<Result<Vec<Vec<String>>>> =
            sections.par_iter().map(|s| tagger.tag_sentences(&tokens(s))).collect();
        for (section, tags) in sections.iter().zip(tagged) {
            let mut bytes = Vec::new();
            for (sentence, tags) in section.iter().zip(tags?) {
                sentence.write(&tags, &mut bytes)?;
                counts.sentences += u64::from(!sentence.lines.is_empty());
                counts.tokens += sentence.lines.len() as u64;
            }
            output.write(&bytes)?;
        }
    }
    Ok(counts)
}

fn next_sections(
    sentences: &mut std::iter::Peekable<impl Iterator<Item = Result<Sentence>>>,
) -> Result<Vec<Vec<Sentence>>> {
    let mut sections: Vec<Vec<Sentence>> = Vec::new();
    while let Some(next) = sentences.peek() {
        let begins = match (next, sections.last()) {
            (Ok(next), Some(section)) => {
                section.len() >= SECTION || next.before.iter().any(|l| l.starts_with("-DOCSTART-"))
            }
            _ => true,
        };
        if begins && sections.len() >= SECTIONS {
            break;
        }
        let Some(sentence) = sentences.next().transpose()? else { break };
        match sections.last_mut() {
            Some(section) if !begins => section.push(sentence),
            _ => sections.push(vec![sentence]),
        }
    }
    Ok(sections)
}

fn tokens(section: &[Sentence]) -> Vec<Vec<&str>> {
    section.iter().map(Sentence::tokens).collect()
}
