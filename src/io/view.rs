//! The view for people: who said what, how, and who and what occurs.

use crate::document::{QuoteKind, StanceLabel};
use crate::io::text::shortened;
use crate::record::{EntityRecord, QuoteRecord, Record};
use anstyle::{AnsiColor, Style as Paint};
use indexmap::IndexMap;
use unicode_width::UnicodeWidthStr;

/// Narrower terminals get the layout of this width.
const NARROWEST: usize = 48;
/// Wider ones are not filled: long lines are hard to read.
const WIDEST: usize = 110;
/// Lines that a quote may take.
const QUOTE_LINES: usize = 3;
/// Names shown of each type.
const NAMES_SHOWN: usize = 12;
/// Half of the bar that shows a score.
const HALF_BAR: usize = 5;

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Whether it shows colours.
    pub colour: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style { width: 100, colour: false }
    }
}

impl Style {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{paint}{text}{paint:#}") } else { text.to_string() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint(Paint::new().bold(), text)
    }

    fn faint(&self, text: &str) -> String {
        self.paint(Paint::new().dimmed(), text)
    }

    fn columns(&self) -> usize {
        self.width.clamp(NARROWEST, WIDEST)
    }
}

/// The record as people read it, with an empty line at its end.
pub fn view(record: &Record, style: &Style) -> String {
    let mut lines = heading(record, style);
    if let Some(error) = &record.error {
        let failed = style.paint(AnsiColor::Red.on_default(), "failed:");
        lines.extend(wrapped(&error.message, style.columns() - 10, usize::MAX).into_iter().enumerate().map(
            |(i, l)| {
                if i == 0 { format!("  {failed} {l}") } else { format!("          {l}") }
            },
        ));
    }
    for quote in record.quotes.iter().flatten() {
        lines.push(String::new());
        lines.extend(quote_lines(quote, style));
    }
    if let Some(entities) = record.entities.as_deref().filter(|entities| !entities.is_empty()) {
        lines.push(String::new());
        lines.extend(entity_lines(entities, style));
    }
    if record.usage.truncated > 0 {
        let times = counted(record.usage.truncated as usize, "stretch was", "stretches were");
        let note = format!("  {times} longer than the model reads and cut off at the end");
        lines.push(style.faint(&fitted(&note, style.columns())));
    }
    lines.push(String::new());
    lines.join("\n") + "\n"
}

/// Title, and below it where it comes from and how much was found.
fn heading(record: &Record, style: &Style) -> Vec<String> {
    let width = style.columns();
    let title = clean(record.title.as_deref().unwrap_or(&record.id));
    let title = fitted(&title, width - 4);
    let rule = "─".repeat(width.saturating_sub(title.width() + 4));
    let mut facts = Vec::new();
    if record.title.is_some() {
        facts.push(clean(&record.id));
    }
    facts.extend(record.date.as_deref().map(clean));
    facts.extend(record.quotes.as_ref().map(|q| counted(q.len(), "quote", "quotes")));
    facts.extend(record.entities.as_ref().map(|e| counted(e.len(), "name", "names")));
    let facts = fitted(&facts.join(" · "), width - 3);
    vec![
        format!("{} {} {}", style.faint("──"), style.bold(&title), style.faint(&rule)),
        style.faint(&format!("   {facts}")),
    ]
}

/// One quote: label, score and bar on the left, speaker and words on the right.
fn quote_lines(quote: &QuoteRecord, style: &Style) -> Vec<String> {
    let (left, left_width) = stance_cells(quote, style);
    let indent = left_width + 2;
    let room = style.columns().saturating_sub(indent).max(20);
    let body = wrapped(&words_shown(quote), room, QUOTE_LINES);
    let mut right = speaker_lines(quote, style, room);
    right.extend(body);
    let rows = left.len().max(right.len());
    (0..rows)
        .map(|i| {
            let cell = left.get(i).cloned().unwrap_or_else(|| " ".repeat(left_width));
            let text = right.get(i).map_or("", String::as_str);
            format!("  {cell}{text}").trim_end().to_string()
        })
        .collect()
}

/// Quoted words stand in marks; reported speech does not, and what lies between its parts is left out.
fn words_shown(quote: &QuoteRecord) -> String {
    let parts: Vec<String> = quote.parts.iter().map(|p| clean(&p.text)).collect();
    if quote.kind != QuoteKind::Direct {
        return parts.join(" … ");
    }
    // The comma belongs to the sentence around the quote.
    let words = parts.join(" ").trim_end_matches(',').to_string();
    if quote.flags.is_empty() { format!("“{words}”") } else { format!("“{words} [mark never closed]") }
}

/// The lines to the left of a quote, and how many columns they take.
fn stance_cells(quote: &QuoteRecord, style: &Style) -> (Vec<String>, usize) {
    let Some(stance) = &quote.stance else { return (Vec::new(), 0) };
    let colour = match stance.label {
        StanceLabel::Conciliatory => AnsiColor::Green.on_default(),
        StanceLabel::Firm => AnsiColor::Red.on_default(),
        StanceLabel::Neutral => AnsiColor::BrightBlack.on_default(),
    };
    let label = style.paint(colour.bold(), &format!("{:<13}", stance.label.as_str()));
    let Some(score) = stance.score else { return (vec![label], 13) };
    let number = style.paint(colour, &format!("{score:>+5.2}  "));
    let bar = style.paint(colour, &bar(score));
    (vec![format!("{label}{number}"), format!("{bar}{}", " ".repeat(20 - (2 * HALF_BAR + 1)))], 20)
}

/// A score on a line from −1 to +1: firm grows to the left of the middle, conciliatory to the right.
fn bar(score: f64) -> String {
    let filled = (score.abs() * HALF_BAR as f64).round() as usize;
    let filled = filled.min(HALF_BAR);
    let (full, empty) = ("━".repeat(filled), "·".repeat(HALF_BAR - filled));
    let idle = "·".repeat(HALF_BAR);
    if score < 0.0 { format!("{empty}{full}│{idle}") } else { format!("{idle}│{full}{empty}") }
}

fn speaker_lines(quote: &QuoteRecord, style: &Style, room: usize) -> Vec<String> {
    let Some(speaker) = &quote.speaker else {
        let missing = "speaker not named";
        return vec![style.faint(&format!("{missing}{}", found_by(quote, room.saturating_sub(missing.width()))))];
    };
    let name = fitted(&clean(&speaker.name), room);
    let role =
        speaker.role.as_deref().map(clean).filter(|role| !name.contains(role.as_str())).map(|role| format!(", {role}"));
    let role = fitted(&role.unwrap_or_default(), room.saturating_sub(name.width()));
    let how = found_by(quote, room.saturating_sub(name.width() + role.width()));
    vec![format!("{}{}", style.bold(&name), style.faint(&format!("{role}{how}")))]
}

/// Kind, word of saying, and how the speaker was found, as many of them as `room` columns hold.
fn found_by(quote: &QuoteRecord, room: usize) -> String {
    let cue = quote.cue.as_ref().map(|cue| clean(&cue.text));
    let evidence = quote.speaker.as_ref().and_then(|s| s.evidence).map(|e| e.as_str().replace('_', " "));
    let facts: Vec<String> = [Some(quote.kind.as_str().to_string()), cue, evidence].into_iter().flatten().collect();
    let first = |n: usize| facts.iter().take(n).map(|fact| format!(" · {fact}")).collect::<String>();
    let shown = (1..=facts.len()).rev().map(first);
    shown.into_iter().find(|shown| shown.width() <= room).unwrap_or_default()
}

/// Names by type, the most frequent first.
fn entity_lines(entities: &[EntityRecord], style: &Style) -> Vec<String> {
    let mut types: IndexMap<&str, IndexMap<String, usize>> = IndexMap::new();
    for entity in entities {
        *types.entry(&entity.kind).or_default().entry(clean(&entity.span.text)).or_default() += 1;
    }
    types.sort_by_key(|kind, _| (["PER", "ORG", "LOC", "MISC"].iter().position(|k| k == kind).unwrap_or(9), *kind));
    let label_width = types.keys().map(|kind| type_name(kind).width()).max().unwrap_or(0) + 2;
    types.into_iter().flat_map(|(kind, names)| type_lines(kind, names, label_width, style)).collect()
}

fn type_lines(kind: &str, mut names: IndexMap<String, usize>, label_width: usize, style: &Style) -> Vec<String> {
    // A stable sort: equals stay in the order of the text.
    names.sort_by(|_, a, _, b| b.cmp(a));
    let left_out = names.len().saturating_sub(NAMES_SHOWN);
    let shown = names.iter().take(NAMES_SHOWN).map(|(name, count)| match count {
        1 => name.clone(),
        _ => format!("{name}\u{a0}×{count}"),
    });
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if left_out > 0 {
        list.push_str(&format!(" and {left_out} more"));
    }
    let label = format!("{:<label_width$}", type_name(kind));
    let room = style.columns().saturating_sub(label_width + 2).max(20);
    let lines = wrapped(&list, room, usize::MAX).into_iter().enumerate();
    lines
        .map(|(i, line)| {
            let label = if i == 0 { style.faint(&label) } else { " ".repeat(label_width) };
            format!("  {label}{line}")
        })
        .collect()
}

fn type_name(kind: &str) -> &str {
    match kind {
        "PER" => "people",
        "ORG" => "organisations",
        "LOC" => "places",
        "MISC" => "other names",
        other => other,
    }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// Text without what would move the cursor or turn the line around, white space as single blanks.
fn clean(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let bidi = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = visible.filter(|c| !bidi(c)).collect();
    plain.split([' ', '\n', '\t', '\u{2028}', '\u{2029}']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// At most `columns` columns of `text`.
fn fitted(text: &str, columns: usize) -> String {
    let mut short = text.to_string();
    let mut characters = text.chars().count();
    while short.width() > columns && characters > 0 {
        characters -= 1;
        short = shortened(text, characters);
    }
    short
}

/// `text` in at most `lines` lines of `columns` columns; `…` stands for what is left out.
fn wrapped(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let all: Vec<String> = textwrap::wrap(text, columns).into_iter().map(|l| l.into_owned()).collect();
    if all.len() <= lines {
        return all;
    }
    let mut kept: Vec<String> = all.into_iter().take(lines).collect();
    if let Some(last) = kept.last_mut() {
        let short = fitted(last, columns.saturating_sub(2));
        *last = format!("{} …", short.trim_end_matches(['…', ' ', ',', '.']));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn span(text: &str) -> serde_json::Value {
        json!({"start": 0, "end": text.len(), "text": text})
    }

    fn quote(label: &str, score: f64, speaker: serde_json::Value, parts: &[&str]) -> serde_json::Value {
        json!({
            "kind": "direct", "parts": parts.iter().map(|p| span(p)).collect::<Vec<_>>(), "cue": null, "speaker": speaker,
            "stance": {"label": label, "score": score, "conciliatory": 0.5, "firm": 0.3, "neutral": 0.2}
        })
    }

    fn record() -> Record {
        let lind = json!({"mention": null, "name": "Anna Lind", "role": "Foreign Minister of Vantia", "evidence": "short_name"});
        let long = "We are ready to sit down tomorrow, without conditions, and we will bring every document that the other side has asked for since the winter, in both languages and with all annexes,";
        let mut reported = quote(
            "firm",
            -0.2,
            json!({"mention": null, "name": "Port Lavel", "role": null}),
            &["no ship", "would pass"],
        );
        reported["kind"] = json!("indirect");
        reported["cue"] = span("insisted");
        let entity = |kind: &str, text: &str| json!({"type": kind, "start": 0, "end": 1, "text": text, "score": 0.9});
        let mut entities = vec![
            entity("LOC", "Port Lavel"),
            entity("PER", "Anna Lind"),
            entity("PER", "Lind"),
            entity("PER", "Anna\nLind"),
        ];
        entities.extend((0..15).map(|i| entity("ORG", &format!("Ministry {i}"))));
        serde_json::from_value(json!({
            "schema": "detente.record/1", "id": "wire-1", "title": "Talks resume\u{1b}[31m in Port Lavel", "date": "2031-05-01",
            "quotes": [
                quote("conciliatory", 0.82, lind, &[long, "she said again."]),
                quote("firm", -0.64, json!({"mention": null, "name": "Oskar Brandt", "role": null}), &["Not one metre."]),
                quote("neutral", 0.0, json!(null), &["It rained."]),
                reported,
            ],
            "entities": entities, "usage": {"tokens": 100, "windows": 1, "truncated": 1}
        }))
        .unwrap()
    }

    #[test]
    fn the_view_reads_well_at_every_width() {
        for width in [48, 80, 200] {
            let seen = view(&record(), &Style { width, colour: false });
            assert!(seen.lines().all(|line| line.width() <= width), "{seen}");
            insta::assert_snapshot!(format!("view_{width}"), seen);
        }
    }

    #[test]
    fn colours_tell_the_labels_apart_and_nothing_else_is_sent_to_the_terminal() {
        let seen = view(&record(), &Style { width: 80, colour: true });
        for (colour, label) in [("\u{1b}[1m\u{1b}[32m", "conciliatory"), ("\u{1b}[1m\u{1b}[31m", "firm")] {
            assert!(seen.contains(&format!("{colour}{label}")), "{seen:?}");
        }
        assert!(!seen.contains("resume\u{1b}"), "the title's own escape sequence is gone");
        assert!(!view(&record(), &Style::default()).contains('\u{1b}'));
    }

    #[test]
    fn a_failed_document_says_why() {
        let error = crate::error::Error::document("there is no text in it").in_file("a.txt");
        let seen = view(&Record::failed("a.txt", None, &error), &Style::default());
        assert!(seen.contains("failed: a.txt: there is no text in it"), "{seen}");
    }
}
