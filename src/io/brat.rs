//! brat stand-off: a text beside a file of annotations, and the folder layout of attribution corpora.
//!
//! A line `T1<TAB>Content 0 9;14 20<TAB>words` is a span, discontinuous where `;` stands, offsets in characters. A line
//! `E1<TAB>Attribution:T4 Content:T1 Cue:T2 Source:T3` joins spans. See <https://brat.nlplab.org/standoff.html>.

use crate::document::{Document, Span};
use crate::error::{Error, Result};
use crate::quotes::tags::Attribution;
use crate::text::offsets::{OffsetTable, OffsetUnit};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A span of brat's, discontinuous where it has several parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBound {
    /// Its type, for instance `Content`.
    pub kind: String,
    /// Byte spans of the text, in order.
    pub parts: Vec<Span>,
}

/// An event of brat's: a trigger and its arguments, each a role and the id of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Role and id, the trigger first.
    pub arguments: Vec<(String, String)>,
}

/// The annotations of one text that can be joined to attributions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standoff {
    /// Spans by id (`T1`).
    pub spans: HashMap<String, TextBound>,
    /// Events in the order of the file.
    pub events: Vec<Event>,
}

/// An annotated article.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// Its text; the id is the file's name without ending.
    pub document: Document,
    /// Who annotated it, and what each found, in the order of the annotation files' names.
    pub annotations: Vec<(String, Vec<Attribution>)>,
}

/// Reads the annotations `ann` of `text`.
///
/// Relations, attributes and notes are passed over. A surface that runs on over further lines, as some annotation tools
/// wrote it, is accepted.
///
/// # Errors
/// When a line is no annotation, offsets are not in the text, or the surface is not what stands there; with the line.
///
/// ```
/// use detente::io::brat::parse;
/// let text = "\"We signed\", said Ann Lee.";
/// let ann = "T1\tContent 1 10\tWe signed\nT2\tCue 13 17\tsaid\nE1\tCue:T2 Content:T1\n";
/// let found = parse(text, ann)?;
/// assert_eq!(found.spans["T1"].parts[0].of(text), "We signed");
/// assert_eq!(found.events[0].arguments[1], ("Content".into(), "T1".into()));
/// # Ok::<(), detente::error::Error>(())
/// ```
pub fn parse(text: &str, ann: &str) -> Result<Standoff> {
    let table = OffsetTable::new(text, OffsetUnit::Char);
    let mut found = Standoff::default();
    let mut after_span = false;
    for (number, line) in ann.lines().enumerate() {
        let at = |message: String| Error::document(message).at_line(number as u64 + 1);
        let mut fields = line.splitn(3, '\t');
        let (id, body) = (fields.next().unwrap_or(""), fields.next());
        match (id.chars().next(), body) {
            (Some('T'), Some(body)) if is_id(id) => {
                let span = text_bound(text, &table, body, fields.next()).map_err(at)?;
                found.spans.insert(id.to_string(), span);
                after_span = true;
            }
            (Some('E'), Some(body)) if is_id(id) => {
                found.events.push(event(body).map_err(at)?);
                after_span = false;
            }
            (Some('R' | 'A' | 'M' | 'N' | '#'), Some(_)) if is_id(id) => after_span = false,
            (Some('*'), Some(_)) => after_span = false,
            _ if line.trim().is_empty() || after_span => {}
            _ => return Err(at("no brat annotation".into())),
        }
    }
    Ok(found)
}

/// One letter and a number.
pub(crate) fn is_id(id: &str) -> bool {
    let digits = id.get(1..).unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn text_bound(text: &str, table: &OffsetTable, body: &str, surface: Option<&str>) -> Result<TextBound, String> {
    let (kind, offsets) = body.split_once(' ').ok_or("a type and offsets are missing")?;
    let mut parts = Vec::new();
    for part in offsets.split(';') {
        let number = |n: Option<&str>| n.and_then(|n| n.parse().ok()).and_then(|n| table.to_byte(n));
        let mut numbers = part.split_whitespace();
        let (start, end) = (number(numbers.next()), number(numbers.next()));
        let (Some(start), Some(end), None) = (start, end, numbers.next()) else {
            return Err(format!("`{part}` is no pair of offsets into the text"));
        };
        parts.push(Span::new(start, end));
    }
    let found = parts.iter().map(|p| p.of(text)).collect::<Vec<_>>().join(" ");
    // A surface with a line end is torn in the file: only its first line can be compared.
    let same = surface.is_none_or(|s| letters(&found).starts_with(&letters(s)));
    if !same {
        return Err(format!("the text has {found:?} at {offsets}"));
    }
    Ok(TextBound { kind: kind.to_string(), parts })
}

/// What is left without white space, which brat's tools write in different ways.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn event(body: &str) -> Result<Event, String> {
    let pair = |field: &str| field.split_once(':').map(|(role, id)| (role.to_string(), id.to_string()));
    let arguments: Option<Vec<_>> = body.split_whitespace().map(pair).collect();
    arguments.filter(|a| !a.is_empty()).map(|arguments| Event { arguments }).ok_or("no list of role:id".into())
}

impl Standoff {
    /// The attributions: events with a cue and content. Roles may be numbered (`Content2`).
    pub fn attributions(&self) -> Vec<Attribution> {
        let parts = |event: &Event, role: &str| {
            let named =
                event.arguments.iter().filter(|(r, _)| r.trim_end_matches(|c: char| c.is_ascii_digit()) == role);
            let mut parts: Vec<Span> =
                named.filter_map(|(_, id)| self.spans.get(id)).flat_map(|s| s.parts.clone()).collect();
            parts.sort();
            parts
        };
        let joined = self.events.iter().map(|e| Attribution {
            content: parts(e, "Content"),
            cue: parts(e, "Cue"),
            source: parts(e, "Source"),
        });
        joined.filter(|a| !a.cue.is_empty() && !a.content.is_empty()).collect()
    }
}

/// Reads a folder with `text/<article>.txt` and `attributions/<article>_<annotator>.ann`, articles in order of name.
///
/// # Errors
/// When a file cannot be read, an article has no annotations, or an annotation is broken; with file and line.
pub fn read_articles(folder: &Path) -> Result<Vec<Article>> {
    let mut annotations: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    for file in files(&folder.join("attributions"), "ann")? {
        let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or("");
        let (article, annotator) = stem.rsplit_once('_').unwrap_or((stem, ""));
        annotations.entry(article.to_string()).or_default().push((annotator.to_string(), file));
    }
    let mut articles = Vec::new();
    for file in files(&folder.join("text"), "txt")? {
        let id = file.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_string();
        let text = read(&file)?;
        let Some(of_article) = annotations.get(&id) else {
            return Err(Error::usage("the article has no annotations").in_file(&file));
        };
        let read_one = |(annotator, file): &(String, PathBuf)| {
            let found = parse(&text, &read(file)?).map_err(|e| e.in_file(file))?;
            Ok((annotator.clone(), found.attributions()))
        };
        let annotations = of_article.iter().map(read_one).collect::<Result<_>>()?;
        articles.push(Article { document: Document::new(id, text), annotations });
    }
    Ok(articles)
}

impl Article {
    /// What the first annotator by name of file found: the one that counts where there are several.
    pub fn attributions(&self) -> &[Attribution] {
        self.annotations.first().map_or(&[], |(_, a)| a)
    }
}

/// Files with an ending in a folder, in order of name.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| {
        Error::usage(e.to_string()).in_file(folder).help("a corpus folder holds `text` and `attributions`")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.retain(|f| f.extension().is_some_and(|e| e == ending));
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|e| Error::usage(e.to_string()).in_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "“Né”, she said, “never”.\n\nOk";

    #[test]
    fn discontinuous_spans_count_characters() {
        let ann = "T1\tContent 1 3;17 22\tNé never\nT2\tCue 10 14\tsaid\nT3\tSource 6 9\tshe\n\
                   T4\tAttribution 10 14\tsaid\nE1\tAttribution:T4 Content:T1 Cue:T2 Source:T3\n#1\tAnnotatorNotes T1\t?\n";
        let [found] = &parse(TEXT, ann).unwrap().attributions()[..] else { panic!() };
        let words = |parts: &[Span]| parts.iter().map(|p| p.of(TEXT).to_string()).collect::<Vec<_>>();
        assert_eq!(words(&found.content), ["Né", "never"]);
        assert_eq!((words(&found.source), words(&found.cue)), (vec!["she".into()], vec!["said".into()]));
    }

    #[test]
    fn a_surface_torn_over_lines_is_accepted() {
        let text = "a b.\n\nThe rest";
        let found = parse(text, "T1\tContent 2 14\tb.\n\nThe rest\nT2\tCue 0 1\ta\n").unwrap();
        assert_eq!(found.spans["T1"].parts, [Span::new(2, 14)]);
        assert_eq!(found.spans.len(), 2);
    }

    #[test]
    fn what_is_broken_says_where() {
        let cases = [
            ("nonsense", "line 1: no brat annotation"),
            ("T1\tCue 10 14\tsaid\nT2\tCue 10 99\tx", "line 2: `10 99` is no pair"),
            ("T1\tCue 10 14\tsays", "line 1: the text has \"said\" at 10 14"),
            ("T1\tCue\tsaid", "line 1: a type and offsets"),
            ("E1\tCue", "line 1: no list"),
        ];
        for (ann, message) in cases {
            let error = parse(TEXT, ann).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
