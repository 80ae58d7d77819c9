//! brat stand-off with everything a record has: spans, relations, attributes, notes and attribution events.
//!
//! See <https://brat.nlplab.org/standoff.html>. brat splits a span where the text has a line end, so a span that runs over
//! several lines is written as several fragments and read back as one. What is free text (a speaker's full name, a role)
//! stands as JSON in an `AnnotatorNotes` line.

use super::files::{self, NamedFile};
use super::labels::{self, ATTRIBUTES, CUE, PART, QUOTE, SPEAKER};
use super::marks::Marked;
use super::notes::{Notes, Problem};
use super::place::{RawLink, RawMark, Unplaced};
use super::read::Source;
use crate::document::Span;
use crate::error::Result;
use crate::io::brat::is_id;
use crate::text::offsets::{OffsetTable, OffsetUnit};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// The unit in which brat counts.
pub const UNIT: OffsetUnit = OffsetUnit::Char;

/// The annotations of a file `NAME.ann`, whose text stands beside it in `NAME.txt`.
///
/// # Errors
/// When one of the two cannot be read.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let text = crate::annotation::read::text_of(&source.path.with_extension("txt"))?;
    let ann = crate::annotation::read::text_of(source.path)?;
    let document = Unplaced { id: source.name(), text, row: 1, ..Unplaced::default() };
    let mut reader = AnnReader { source, document, notes, events: Vec::new(), attributes: Vec::new() };
    reader.lines(&ann);
    reader.join_events();
    reader.give_attributes();
    Ok(vec![reader.document])
}

struct AnnReader<'a> {
    source: &'a Source<'a>,
    document: Unplaced,
    notes: &'a mut Notes,
    events: Vec<Event>,
    /// Line, target, name, value.
    attributes: Vec<(u64, String, String, String)>,
}

/// An event's line, its id, and role and target of each argument.
struct Event {
    row: u64,
    id: String,
    arguments: Vec<(String, String)>,
}

impl AnnReader<'_> {
    fn problem(&mut self, row: u64, message: impl Into<String>) {
        self.notes.problems.push(Problem::new(self.source.path, message).at(row).of(&self.document.id));
    }

    fn lines(&mut self, ann: &str) {
        let mut after_span = false;
        for (row, line) in (1..).zip(ann.split('\n')) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut fields = line.splitn(3, '\t');
            let (id, body, rest) = (fields.next().unwrap_or(""), fields.next(), fields.next());
            let kind = id.chars().next().filter(|kind| is_id(id) || *kind == '*');
            after_span = match (kind, body) {
                (Some('T'), Some(body)) => self.span(row, id, body, rest),
                (Some('R'), Some(body)) => self.relation(row, body),
                (Some('E'), Some(body)) => self.event(row, id, body),
                (Some('A' | 'M'), Some(body)) => self.attribute(row, body),
                (Some('#'), Some(body)) => self.note(row, body, rest.unwrap_or("")),
                (Some('N' | '*'), Some(_)) => {
                    self.notes.leave_out("brat's normalizations and equivalences", &self.document.id);
                    false
                }
                // The words of a span may run on over further lines.
                _ if after_span && !line.trim().is_empty() => {
                    let surface = self.document.marks.last_mut().and_then(|mark| mark.surface.as_mut());
                    surface.into_iter().for_each(|surface| *surface += line);
                    true
                }
                _ if line.trim().is_empty() => after_span,
                _ => {
                    self.problem(row, "no brat annotation");
                    false
                }
            };
        }
    }

    fn span(&mut self, row: u64, id: &str, body: &str, surface: Option<&str>) -> bool {
        let (label, offsets) = body.split_once(' ').unwrap_or((body, ""));
        let pair = |part: &str| -> Option<(usize, usize)> {
            let (start, end) = part.trim().split_once(' ')?;
            Some((start.trim().parse().ok()?, end.trim().parse().ok()?))
        };
        let parts: Option<Vec<(usize, usize)>> = offsets.split(';').map(pair).collect();
        let Some(parts) = parts else {
            self.problem(row, format!("`{offsets}` are no pairs of offsets"));
            return false;
        };
        let surface = surface.map(str::to_string);
        self.document.marks.push(RawMark {
            id: id.into(),
            label: label.into(),
            parts,
            surface,
            row,
            ..RawMark::default()
        });
        true
    }

    fn relation(&mut self, row: u64, body: &str) -> bool {
        let mut fields = body.split_whitespace();
        let role = fields.next().unwrap_or_default().to_string();
        let ends: Vec<&str> = fields.filter_map(|field| field.split_once(':')).map(|(_, id)| id).collect();
        match ends[..] {
            [from, to] => self.document.links.push(RawLink { role, from: from.into(), to: to.into(), row }),
            _ => self.problem(row, "a relation needs Arg1 and Arg2"),
        }
        false
    }

    fn event(&mut self, row: u64, id: &str, body: &str) -> bool {
        let pair = |field: &str| field.split_once(':').map(|(role, id)| (role.to_string(), id.to_string()));
        let arguments: Option<Vec<_>> = body.split_whitespace().map(pair).collect();
        match arguments.filter(|list| !list.is_empty()) {
            Some(arguments) => self.events.push(Event { row, id: id.into(), arguments }),
            None => self.problem(row, "an event is a list of role:id"),
        }
        false
    }

    fn attribute(&mut self, row: u64, body: &str) -> bool {
        let mut fields = body.split_whitespace();
        match (fields.next(), fields.next()) {
            (Some(name), Some(target)) => {
                // Without value it is a flag.
                let value = fields.next().unwrap_or("true").to_string();
                self.attributes.push((row, target.into(), name.into(), value));
            }
            _ => self.problem(row, "an attribute needs a name and the id of a span"),
        }
        false
    }

    fn note(&mut self, row: u64, body: &str, text: &str) -> bool {
        let target = body.split_whitespace().nth(1).unwrap_or_default().to_string();
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(facts) => {
                let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_string())));
                self.attributes.extend(facts.map(|(name, value)| (row, target.clone(), name, value)));
            }
            Err(_) => self.notes.leave_out("a note of an annotator", &self.document.id),
        }
        false
    }

    /// Attribution corpora join cue, content and source by an event, numbered where there are several.
    fn join_events(&mut self) {
        for Event { row, id, arguments } in std::mem::take(&mut self.events) {
            let role_of = |argument: &(String, String)| {
                argument.0.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase()
            };
            let of = |role: &str| {
                arguments.iter().filter(|a| role_of(a) == role).map(|(_, id)| id.clone()).collect::<Vec<_>>()
            };
            let contents = of("content");
            let Some((head, further)) = contents.split_first() else {
                self.notes.leave_out("an event of brat's that is no attribution", &self.document.id);
                continue;
            };
            let is_further = |mark: &&mut RawMark| further.contains(&mark.id);
            self.document.marks.iter_mut().filter(is_further).for_each(|mark| mark.label = PART.into());
            let trigger = arguments.first().filter(|a| !matches!(role_of(a).as_str(), "content" | "cue" | "source"));
            self.document.marks.retain(|mark| trigger.is_none_or(|(_, id)| *id != mark.id));
            for (role, ids) in [(PART, further.to_vec()), (CUE, of("cue")), (SPEAKER, of("source"))] {
                let links = ids.into_iter().map(|to| RawLink { role: role.into(), from: head.clone(), to, row });
                self.document.links.extend(links);
            }
            for attribute in self.attributes.iter_mut().filter(|(_, target, ..)| *target == id) {
                attribute.1.clone_from(head);
            }
        }
    }

    fn give_attributes(&mut self) {
        for (row, target, name, value) in std::mem::take(&mut self.attributes) {
            match self.document.marks.iter_mut().find(|mark| mark.id == target) {
                Some(mark) => _ = mark.attributes.insert(name, value),
                None => self.problem(row, format!("the attribute `{name}` names `{target}`, which is no span")),
            }
        }
    }
}

/// Joins the fragments into which brat split spans at line ends.
pub fn heal(document: &mut Marked) {
    for mark in &mut document.marks {
        let mut parts: Vec<Span> = Vec::new();
        for part in mark.parts.drain(..) {
            match parts.last_mut() {
                Some(last) if is_line_end(Span::new(last.end, part.start).of(&document.text)) => last.end = part.end,
                _ => parts.push(part),
            }
        }
        mark.parts = parts;
    }
}

fn is_line_end(gap: &str) -> bool {
    !gap.is_empty() && gap.chars().all(|c| matches!(c, '\r' | '\n'))
}

/// Each document as `NAME.txt` and `NAME.ann`, and the `annotation.conf` that declares their labels.
pub fn write(documents: &[Marked], notes: &mut Notes) -> Vec<NamedFile> {
    let mut written = Vec::new();
    let mut plain = Vec::new();
    for (name, document) in files::names(documents, notes).into_iter().zip(documents) {
        let mut document = document.clone();
        labels::lose_scores(&mut document, "brat", notes);
        labels::lose_metadata(&mut document, "brat", notes);
        for mark in &mut document.marks {
            let type_name = type_name(&mark.label);
            if type_name != mark.label {
                notes.leave_out(
                    format!("brat's types have no such name: `{}` becomes `{type_name}`", mark.label),
                    &document.id,
                );
                mark.label = type_name;
            }
        }
        written.push((format!("{name}.txt"), document.text.clone().into_bytes()));
        written.push((format!("{name}.ann"), annotations(&document, notes).into_bytes()));
        plain.push(document);
    }
    written.push(("annotation.conf".into(), configuration(&labels::used(&plain)).into_bytes()));
    written
}

/// Letters, digits, `-` and `_`.
fn type_name(label: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let name: String = label.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    if name.is_empty() { "_".into() } else { name }
}

fn annotations(document: &Marked, notes: &mut Notes) -> String {
    let table = OffsetTable::new(&document.text, UNIT);
    let (mut lines, mut attributes, mut remarks) = (String::new(), 0, 0);
    let mut written = vec![false; document.marks.len()];
    for ((at, mark), written) in document.marks.iter().enumerate().zip(&mut written) {
        let fragments: Vec<Span> = mark.parts.iter().flat_map(|part| fragments(*part, &document.text)).collect();
        if heals_otherwise(&mark.parts, &fragments, &document.text) {
            notes.leave_out(
                "brat cannot hold line ends at the edges of a span or alone between its parts",
                &document.id,
            );
        }
        if fragments.is_empty() {
            notes.leave_out("brat cannot hold a span of line ends alone", &document.id);
            continue;
        }
        *written = true;
        let offsets: Vec<String> = fragments
            .iter()
            .map(|part| format!("{} {}", table.from_byte(part.start), table.from_byte(part.end)))
            .collect();
        let surface: Vec<&str> = fragments.iter().map(|part| part.of(&document.text)).collect();
        let id = at + 1;
        lines += &format!("T{id}\t{} {}\t{}\n", mark.label, offsets.join(";"), surface.join(" "));
        let (fixed, free): (Vec<_>, Vec<_>) = mark.attributes.iter().partition(|(name, value)| is_fixed(name, value));
        for (name, value) in fixed {
            attributes += 1;
            lines += &format!("A{attributes}\t{name} T{id} {value}\n");
        }
        if !free.is_empty() {
            remarks += 1;
            let facts: IndexMap<_, _> = free.into_iter().collect();
            lines += &format!("#{remarks}\tAnnotatorNotes T{id}\t{}\n", json!(facts));
        }
    }
    let mut relations = 0;
    for link in &document.links {
        if [link.from, link.to].iter().all(|at| written.get(*at) == Some(&true)) {
            relations += 1;
            lines +=
                &format!("R{relations}\t{} Arg1:T{} Arg2:T{}\n", type_name(&link.role), link.from + 1, link.to + 1);
        }
    }
    lines
}

/// Whether an attribute has a fixed list of values, each one word.
fn is_fixed(name: &str, value: &str) -> bool {
    let listed = ATTRIBUTES.iter().find(|(attribute, _)| *attribute == name).map_or(&[][..], |(_, values)| values);
    listed.contains(&value)
}

/// The stretches of a span between line ends.
fn fragments(span: Span, text: &str) -> Vec<Span> {
    let words = span.of(text);
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in words.char_indices().chain([(words.len(), '\n')]) {
        match (matches!(c, '\r' | '\n'), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                found.push(Span::new(span.start + from, span.start + at));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Whether [`heal`] makes something else of the fragments than the parts were.
fn heals_otherwise(parts: &[Span], fragments: &[Span], text: &str) -> bool {
    let mark = super::marks::Mark::new("", fragments.to_vec());
    let mut healed = Marked { text: text.into(), marks: vec![mark], ..Marked::default() };
    heal(&mut healed);
    healed.marks.first().is_none_or(|mark| mark.parts != parts)
}

/// `annotation.conf`: which types, relations and attributes there are.
fn configuration(labels: &[String]) -> String {
    let mut conf = format!("[entities]\n{}\n", labels.iter().map(|label| format!("{label}\n")).collect::<String>());
    conf += &format!(
        "[relations]\n{CUE}\tArg1:{QUOTE}, Arg2:{CUE}\n{SPEAKER}\tArg1:{QUOTE}, Arg2:{SPEAKER}\n\
         <OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n\n[events]\n\n[attributes]\n"
    );
    for (name, values) in ATTRIBUTES.iter().filter(|(_, values)| !values.is_empty()) {
        conf += &format!("{name}\tArg:{QUOTE}, Value:{}\n", values.join("|"));
    }
    conf
}
