//! WebAnno TSV 3 (3.2 and 3.3), which INCEpTION and WebAnno read and write: one document a file.
//!
//! A header declares layers: `#T_SP=layer|feature|…` for spans, `#T_RL=layer|feature|BT_layer` for relations between spans
//! of one layer. Below stand sentences: their text in `#Text=` lines, then one token a line with its number, its offsets in
//! UTF-16 units, its word, and one column a feature. Spans over several tokens, and several spans on one token, carry a
//! number in brackets. See the format's description in INCEpTION's user guide, "WebAnno TSV 3.3 File format"
//! (<https://inception-project.github.io/releases/latest/docs/user-guide.html#sect_formats_webannotsv3>).
//!
//! Names go to the layer `NamedEntity`, which every project has; quotes, their further parts, cues and speakers to a layer
//! `webanno.custom.Speech`, told apart by its feature `label`, and their links to `webanno.custom.SpeechLink`.

use super::files::{self, NamedFile};
use super::labels::{self, ATTRIBUTES, CUE, PART, QUOTE, SPEAKER};
use super::marks::{Mark, Marked, touched};
use super::notes::{Notes, Problem};
use super::place::{Fit, RawLink, RawMark, Unplaced, fit};
use super::read::{Source, text_of};
use crate::document::Span;
use crate::error::Result;
use crate::text::offsets::{OffsetTable, OffsetUnit};
use std::collections::HashMap;

/// The unit in which INCEpTION counts.
pub const UNIT: OffsetUnit = OffsetUnit::Utf16;

const NAMES: &str = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity";
const SPEECH: &str = "webanno.custom.Speech";
const LINKS: &str = "webanno.custom.SpeechLink";

/// The document of a file in the unit in which most of its tokens fit its text.
///
/// # Errors
/// When the file cannot be read.
pub fn read(source: &Source, forced: Option<OffsetUnit>, notes: &mut Notes) -> Result<(Vec<Unplaced>, OffsetUnit)> {
    let text = text_of(source.path)?;
    let units = match forced {
        Some(unit) => vec![unit],
        None => vec![UNIT, OffsetUnit::Char, OffsetUnit::Byte],
    };
    // The text itself is put together by offsets, so each unit gives another text.
    let mut best: Option<(Fit, OffsetUnit, Vec<Unplaced>, Notes)> = None;
    for unit in units {
        let mut said = Notes::default();
        let document = TsvReader::new(source, unit, &mut said).document(&text);
        let documents: Vec<Unplaced> = document.into_iter().collect();
        let found = fit(&documents, unit);
        if best.as_ref().is_none_or(|(best, ..)| found > *best) {
            best = Some((found, unit, documents, said));
        }
    }
    let Some((_, unit, documents, said)) = best else { return Ok((Vec::new(), UNIT)) };
    notes.problems.extend(said.problems);
    for (what, left_out) in said.left_out {
        (0..left_out.count).for_each(|_| notes.leave_out(what.clone(), &left_out.first));
    }
    Ok((documents, unit))
}

/// A layer that the header declares.
struct Layer {
    name: String,
    columns: Vec<Column>,
    is_span: bool,
}

enum Column {
    Feature(String),
    /// Where a relation comes from: the layer of its ends.
    Source(String),
    /// Slots, chains: passed over.
    Other,
}

impl Layer {
    /// Reads what stands after `#T_SP=` and the like.
    fn parse(kind: &str, declaration: &str) -> Layer {
        let mut fields = declaration.split('|');
        let name = fields.next().unwrap_or_default().to_string();
        let mut after_role = false;
        let mut columns = Vec::new();
        for field in fields {
            let role = field.starts_with("ROLE_");
            columns.push(match field.strip_prefix("BT_") {
                Some(base) => Column::Source(base.into()),
                None if role || after_role || kind == "T_CH" => Column::Other,
                None => Column::Feature(field.into()),
            });
            after_role = role;
        }
        if columns.is_empty() {
            columns.push(Column::Feature(String::new()));
        }
        Layer { name, columns, is_span: kind == "T_SP" }
    }

    fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// Whether its spans are annotations: neither words nor grammar.
    fn counts(&self) -> bool {
        let grammar = ["POS", "Lemma", "Stem", "MorphologicalFeatures", "Token", "Sentence", "Chunk", "SurfaceForm"];
        self.is_span && !grammar.contains(&self.short_name())
    }

    /// The feature that is the label: `label` or `value`, else the only one.
    fn label_feature(&self) -> Option<&str> {
        let names: Vec<&str> = self
            .columns
            .iter()
            .filter_map(|column| match column {
                Column::Feature(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        ["label", "value"].into_iter().find(|name| names.contains(name)).or(match names[..] {
            [only] => Some(only),
            _ => None,
        })
    }
}

struct TsvReader<'a> {
    source: &'a Source<'a>,
    unit: OffsetUnit,
    notes: &'a mut Notes,
    layers: Vec<Layer>,
    document: Unplaced,
    length: usize,
    /// The lines of the sentence that is being read.
    header: Vec<String>,
    /// Index of the mark that a layer's span on a line is, by layer, line number and place in the stack.
    on_line: HashMap<(usize, String, usize), usize>,
    /// The same by layer and number in brackets.
    numbered: HashMap<(usize, String), usize>,
    relations: Vec<Relation>,
}

/// A relation as its row gives it.
struct Relation {
    row: u64,
    role: String,
    base: String,
    /// Token number and number in brackets of both ends.
    from: (String, String),
    to: (String, String),
}

impl<'a> TsvReader<'a> {
    fn new(source: &'a Source<'a>, unit: OffsetUnit, notes: &'a mut Notes) -> Self {
        TsvReader {
            source,
            unit,
            notes,
            layers: Vec::new(),
            document: Unplaced { id: source.name(), row: 1, ..Unplaced::default() },
            length: 0,
            header: Vec::new(),
            on_line: HashMap::new(),
            numbered: HashMap::new(),
            relations: Vec::new(),
        }
    }

    fn problem(&mut self, row: u64, message: impl Into<String>) {
        self.notes.problems.push(Problem::new(self.source.path, message).at(row).of(&self.document.id));
    }

    fn document(mut self, tsv: &str) -> Option<Unplaced> {
        let mut lines = (1..).zip(tsv.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)));
        match lines.next() {
            Some((_, first)) if first.starts_with("#FORMAT=WebAnno TSV 3") => {}
            _ => {
                self.problem(1, "the first line is not `#FORMAT=WebAnno TSV 3.x`");
                return None;
            }
        }
        for (row, line) in lines {
            match line.strip_prefix('#').and_then(|rest| rest.split_once('=')) {
                Some((kind @ ("T_SP" | "T_RL" | "T_CH"), rest)) => self.layers.push(Layer::parse(kind, rest)),
                Some(("Text", rest)) => self.header.push(unescape_text(rest)),
                Some(("Sentence.id", _)) => {}
                _ if line.is_empty() => {}
                _ => self.token(row, line),
            }
        }
        self.sentence_end();
        self.resolve();
        Some(self.document)
    }

    /// The text of the sentence joins the document's where its first token begins.
    fn begin_sentence(&mut self, begin: usize) {
        let lines = std::mem::take(&mut self.header);
        if lines.is_empty() {
            return;
        }
        // Each sentence is followed by a line end, unless the next one begins before.
        if self.length > begin && self.document.text.ends_with('\n') {
            self.document.text.pop();
            self.length -= 1;
        }
        let gap = begin.saturating_sub(self.length);
        // A gap that long is no gap but a broken offset.
        let gap = if gap > 1 << 20 { 0 } else { gap };
        let sentence = " ".repeat(gap) + &lines.join("\n") + "\n";
        self.length += OffsetTable::new(&sentence, self.unit).from_byte(usize::MAX);
        self.document.text += &sentence;
    }

    /// The line end after the last sentence is not part of the text.
    fn sentence_end(&mut self) {
        if self.document.text.ends_with('\n') {
            self.document.text.pop();
        }
    }

    fn token(&mut self, row: u64, line: &str) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (Some(id), Some(offsets), Some(word)) = (fields.first(), fields.get(1), fields.get(2)) else {
            return self.problem(row, "a token line has a number, offsets and a word, apart by tabs");
        };
        let pair = offsets.split_once('-').and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
        let Some((start, end)) = pair else {
            return self.problem(row, format!("`{offsets}` is no pair of offsets"));
        };
        if !id.contains('.') {
            self.begin_sentence(start);
        }
        self.document.tokens.push(RawMark {
            parts: vec![(start, end)],
            surface: Some(word.to_string()),
            row,
            ..RawMark::default()
        });
        let wanted: usize = self.layers.iter().map(|layer| layer.columns.len()).sum();
        if fields.len() < wanted + 3 {
            return self.problem(row, format!("{} columns, but the header declares {}", fields.len(), wanted + 3));
        }
        let mut cells = fields.iter().skip(3);
        for layer in 0..self.layers.len() {
            let count = self.layers.get(layer).map_or(0, |l| l.columns.len());
            let of_layer: Vec<&str> = cells.by_ref().take(count).copied().collect();
            self.layer_cells(row, layer, id, (start, end), &of_layer);
        }
    }

    fn layer_cells(&mut self, row: u64, layer: usize, id: &str, place: (usize, usize), cells: &[&str]) {
        if cells.iter().all(|cell| *cell == "_") {
            return;
        }
        let Some(declared) = self.layers.get(layer) else { return };
        if !declared.is_span {
            return self.relation_cells(row, layer, id, cells);
        }
        if !declared.counts() {
            let what = format!("the layer {}", declared.short_name());
            return self.notes.leave_out(what, &self.document.id);
        }
        let label_feature = declared.label_feature().map(str::to_string);
        let named = declared.short_name().to_string();
        let columns: Vec<Option<String>> = declared
            .columns
            .iter()
            .map(|column| if let Column::Feature(name) = column { Some(name.clone()) } else { None })
            .collect();
        for (column, cell) in columns.into_iter().zip(cells) {
            let Some(feature) = column else {
                self.notes.leave_out("slots and chains of INCEpTION", &self.document.id);
                continue;
            };
            for (stacked, given) in split_unescaped(cell, '|').into_iter().enumerate() {
                let (value, number) = numbered(given);
                let at = self.mark_at(row, layer, id, stacked, number, place);
                let Some(mark) = self.document.marks.get_mut(at) else { continue };
                if mark.label.is_empty() {
                    mark.label.clone_from(&named);
                }
                if value == "*" || value == "_" || feature.is_empty() {
                    continue;
                }
                if Some(&feature) == label_feature.as_ref() {
                    mark.label = unescape_value(value);
                } else {
                    mark.attributes.insert(feature.clone(), unescape_value(value));
                }
            }
        }
    }

    /// The mark that stands `stacked` on this line in a layer: known by its number, or new.
    fn mark_at(
        &mut self,
        row: u64,
        layer: usize,
        id: &str,
        stacked: usize,
        number: Option<&str>,
        place: (usize, usize),
    ) -> usize {
        let here = (layer, id.to_string(), stacked);
        if let Some(at) = self.on_line.get(&here) {
            return *at;
        }
        let known = number.and_then(|number| self.numbered.get(&(layer, number.to_string())).copied());
        let at = known.unwrap_or(self.document.marks.len());
        match self.document.marks.get_mut(at) {
            Some(mark) => {
                let whole = mark.parts.first_mut();
                whole.into_iter().for_each(|whole| whole.1 = whole.1.max(place.1));
            }
            None => {
                self.document.marks.push(RawMark { id: at.to_string(), parts: vec![place], row, ..RawMark::default() })
            }
        }
        self.on_line.insert(here, at);
        if let Some(number) = number {
            self.numbered.insert((layer, number.to_string()), at);
        }
        at
    }

    fn relation_cells(&mut self, row: u64, layer: usize, id: &str, cells: &[&str]) {
        let Some(declared) = self.layers.get(layer) else { return };
        let (mut role, mut source) = (None, None);
        for (column, cell) in declared.columns.iter().zip(cells) {
            match column {
                Column::Feature(name) if role.is_none() || name == "label" => role = Some(*cell),
                Column::Source(base) => source = Some((base.clone(), *cell)),
                _ => {}
            }
        }
        let Some((base, sources)) = source else { return };
        if !self.layers.iter().any(|layer| layer.name == base && layer.counts()) {
            return self.notes.leave_out(format!("relations between spans of {base}"), &self.document.id);
        }
        let roles = split_unescaped(role.unwrap_or_default(), '|');
        for (stacked, given) in split_unescaped(sources, '|').into_iter().enumerate() {
            let (from, numbers) = numbered(given);
            let (from_number, to_number) = numbers.and_then(|n| n.split_once('_')).unwrap_or(("0", "0"));
            self.relations.push(Relation {
                row,
                role: roles.get(stacked).map(|role| unescape_value(role)).unwrap_or_default(),
                base: base.clone(),
                from: (from.to_string(), from_number.to_string()),
                to: (id.to_string(), to_number.to_string()),
            });
        }
    }

    fn resolve(&mut self) {
        for relation in std::mem::take(&mut self.relations) {
            let layer = self.layers.iter().position(|layer| layer.name == relation.base).unwrap_or(usize::MAX);
            let find = |(line, number): &(String, String)| match number.as_str() {
                "0" => self.on_line.get(&(layer, line.clone(), 0)).copied(),
                number => self.numbered.get(&(layer, number.to_string())).copied(),
            };
            match (find(&relation.from), find(&relation.to)) {
                (Some(from), Some(to)) => self.document.links.push(RawLink {
                    role: relation.role,
                    from: from.to_string(),
                    to: to.to_string(),
                    row: relation.row,
                }),
                _ => self.problem(relation.row, format!("the relation `{}` has an end that is no span", relation.role)),
            }
        }
    }
}

/// A value and the number in brackets after it.
fn numbered(cell: &str) -> (&str, Option<&str>) {
    match split_unescaped(cell, '[')[..] {
        [.., last] if last.len() < cell.len() && last.ends_with(']') && !last.contains('\\') => {
            let value = cell.get(..cell.len() - last.len() - 1).unwrap_or_default();
            (value, last.strip_suffix(']'))
        }
        _ => (cell, None),
    }
}

/// The pieces of a cell between separators that no backslash escapes.
fn split_unescaped(cell: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in cell.char_indices() {
        if c == separator && !escaped {
            pieces.extend(cell.get(start..at));
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    pieces.extend(cell.get(start..));
    pieces
}

fn unescape_value(value: &str) -> String {
    unescape(value)
}

fn unescape_text(text: &str) -> String {
    unescape(text)
}

/// Undoes backslashes: letters for white space, everything else for itself.
fn unescape(escaped: &str) -> String {
    let mut plain = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        let next = if c == '\\' { chars.next() } else { None };
        match (c, next) {
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some('f')) => plain.push('\u{c}'),
            ('\\', Some('b')) => plain.push('\u{8}'),
            (_, Some(other)) => plain.push(other),
            (c, None) => plain.push(c),
        }
    }
    plain
}

fn escape_value(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | '[' | ']' | '|' | '_' | ';' | '*' => escaped.extend(['\\', c]),
            '-' if chars.peek() == Some(&'>') => escaped += "\\-",
            '\t' => escaped += "\\t",
            '\n' => escaped += "\\n",
            // A carriage return would end the line for some readers; the format has no sign for it.
            '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => escaped += "\\t",
            '\r' => escaped += "\\r",
            '\u{c}' => escaped += "\\f",
            '\u{8}' => escaped += "\\b",
            '\\' => escaped += "\\\\",
            '\0'..='\u{7}' | '\u{e}'..='\u{1f}' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Each document as `NAME.tsv`.
pub fn write(documents: &[Marked], notes: &mut Notes) -> Vec<NamedFile> {
    let names = files::names(documents, notes);
    let mut written = Vec::new();
    for (name, document) in names.into_iter().zip(documents) {
        let mut document = document.contiguous(PART);
        labels::lose_scores(&mut document, "WebAnno TSV", notes);
        labels::lose_metadata(&mut document, "WebAnno TSV", notes);
        written.push((format!("{name}.tsv"), TsvWriter::new(&document, notes).tsv().into_bytes()));
    }
    written
}

/// What is declared in the header of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Names,
    Speech,
    Links,
}

struct TsvWriter<'a> {
    document: &'a Marked,
    table: OffsetTable,
    sentences: Vec<Vec<Span>>,
    /// The words a mark touches, among all words.
    places: Vec<std::ops::Range<usize>>,
    /// `1-1` of each word.
    ids: Vec<String>,
    /// The numbers in brackets; none where a mark stands alone on one word.
    numbers: Vec<Option<usize>>,
}

impl<'a> TsvWriter<'a> {
    fn new(document: &'a Marked, notes: &mut Notes) -> Self {
        let sentences = document.words();
        let words: Vec<Span> = sentences.iter().flatten().copied().collect();
        let places: Vec<_> = document.marks.iter().map(|mark| touched(&words, mark.extent())).collect();
        for (mark, place) in document.marks.iter().zip(&places) {
            let held = words.get(place.clone()).and_then(|w| Some(Span::new(w.first()?.start, w.last()?.end)));
            if held != Some(mark.extent()) {
                notes.leave_out("WebAnno TSV cannot hold white space at the edges of a span", &document.id);
            }
        }
        let leading = document.text.len() - document.text.trim_start().len();
        if !document.text.get(..leading).unwrap_or_default().chars().all(|c| c == ' ') {
            notes.leave_out("WebAnno TSV has spaces for the white space before the first word", &document.id);
        }
        let ids = sentences
            .iter()
            .enumerate()
            .flat_map(|(s, words)| (0..words.len()).map(move |w| format!("{}-{}", s + 1, w + 1)));
        let mut writer = TsvWriter {
            table: OffsetTable::new(&document.text, UNIT),
            ids: ids.collect(),
            numbers: Vec::new(),
            document,
            sentences,
            places,
        };
        writer.number_marks(words.len());
        writer
    }

    /// Marks over several words, and marks that share a word with another of their layer, need a number.
    fn number_marks(&mut self, words: usize) {
        let mut on_word = vec![[0usize; 2]; words];
        let layer_at = |mark: &Mark| usize::from(layer_of(mark) == Written::Speech);
        for (mark, place) in self.document.marks.iter().zip(&self.places) {
            let touched = on_word.get_mut(place.clone()).into_iter().flatten();
            touched.filter_map(|count| count.get_mut(layer_at(mark))).for_each(|count| *count += 1);
        }
        let mut next = 0;
        for (mark, place) in self.document.marks.iter().zip(&self.places) {
            let counts = on_word.get(place.clone()).into_iter().flatten().filter_map(|count| count.get(layer_at(mark)));
            let shared = place.len() > 1 || counts.max() > Some(&1);
            next += usize::from(shared);
            self.numbers.push(shared.then_some(next));
        }
    }

    fn layers(&self) -> Vec<Written> {
        let uses = |layer| self.document.marks.iter().any(|mark| layer_of(mark) == layer);
        let mut layers = vec![Written::Names, Written::Speech];
        layers.retain(|layer| uses(*layer));
        layers.extend((!self.document.links.is_empty()).then_some(Written::Links));
        layers
    }

    fn tsv(&self) -> String {
        let layers = self.layers();
        let mut tsv = String::from("#FORMAT=WebAnno TSV 3.3\n");
        for layer in &layers {
            tsv += &match layer {
                Written::Names => format!("#T_SP={NAMES}|identifier|value\n"),
                Written::Speech => format!("#T_SP={SPEECH}|{}\n", speech_features().join("|")),
                Written::Links => format!("#T_RL={LINKS}|label|BT_{SPEECH}\n"),
            };
        }
        tsv.push('\n');
        let starts: Vec<usize> = self.sentences.iter().filter_map(|s| s.first()).map(|word| word.start).collect();
        let mut word_at = 0;
        for (at, sentence) in self.sentences.iter().enumerate() {
            // White space after a sentence is written with it, so that the text comes back as it was.
            let start = starts.get(at).copied().unwrap_or(0);
            let end = starts.get(at + 1).copied().unwrap_or(self.document.text.len());
            tsv.push('\n');
            for line in Span::new(start, end).of(&self.document.text).split('\n') {
                tsv += &format!("#Text={}\n", escape_text(line));
            }
            for word in sentence {
                self.line(word_at, *word, &layers, &mut tsv);
                word_at += 1;
            }
        }
        tsv
    }

    fn line(&self, at: usize, word: Span, layers: &[Written], tsv: &mut String) {
        let (start, end) = (self.table.from_byte(word.start), self.table.from_byte(word.end));
        let id = self.ids.get(at).map_or("", String::as_str);
        *tsv += &format!("{id}\t{start}-{end}\t{}\t", word.of(&self.document.text));
        let here: Vec<usize> =
            self.places.iter().enumerate().filter(|(_, place)| place.contains(&at)).map(|(mark, _)| mark).collect();
        for layer in layers {
            let cells = match layer {
                Written::Names => self.span_cells(&here, *layer, &["identifier".into(), "value".into()]),
                Written::Speech => self.span_cells(&here, *layer, &speech_features()),
                Written::Links => self.link_cells(at),
            };
            cells.iter().for_each(|cell| *tsv += &format!("{cell}\t"));
        }
        tsv.push('\n');
    }

    fn span_cells(&self, here: &[usize], layer: Written, features: &[String]) -> Vec<String> {
        let marks: Vec<(&Mark, Option<usize>)> = here
            .iter()
            .filter_map(|at| Some((self.document.marks.get(*at)?, *self.numbers.get(*at)?)))
            .filter(|(mark, _)| layer_of(mark) == layer)
            .collect();
        let cell = |feature: &String| {
            let values = marks.iter().map(|(mark, number)| {
                let given = match feature.as_str() {
                    "label" | "value" => Some(&mark.label),
                    attribute => mark.attributes.get(attribute),
                };
                let value = given.filter(|value| !value.is_empty()).map_or("*".into(), |value| escape_value(value));
                value + &number.map(|number| format!("[{number}]")).unwrap_or_default()
            });
            let values: Vec<String> = values.collect();
            if values.is_empty() { "_".to_string() } else { values.join("|") }
        };
        features.iter().map(cell).collect()
    }

    /// The links that end in a mark which begins at word `at`: a relation stands in the row of its target.
    fn link_cells(&self, at: usize) -> Vec<String> {
        let start = |mark: usize| self.places.get(mark).map(|place| place.start);
        let number = |mark: usize| self.numbers.get(mark).copied().flatten();
        let (mut roles, mut sources) = (Vec::new(), Vec::new());
        for link in self.document.links.iter().filter(|link| start(link.to) == Some(at)) {
            let source = start(link.from).and_then(|word| self.ids.get(word)).cloned().unwrap_or_default();
            let numbers = match (number(link.from), number(link.to)) {
                (None, None) => String::new(),
                (from, to) => format!("[{}_{}]", from.unwrap_or(0), to.unwrap_or(0)),
            };
            roles.push(escape_value(&link.role));
            sources.push(source + &numbers);
        }
        if roles.is_empty() { vec!["_".into(), "_".into()] } else { vec![roles.join("|"), sources.join("|")] }
    }
}

fn layer_of(mark: &Mark) -> Written {
    match mark.label.as_str() {
        QUOTE | PART | CUE | SPEAKER => Written::Speech,
        _ => Written::Names,
    }
}

/// In the order of the alphabet, as INCEpTION writes them.
fn speech_features() -> Vec<String> {
    let mut features: Vec<String> = ATTRIBUTES.iter().map(|(name, _)| name.to_string()).collect();
    features.push("label".into());
    features.sort();
    features
}
