//! Attributions of an annotated corpus against what a model, or another annotator, found.
//!
//! Spans are compared as they were annotated: content with its quotation marks, a source with its whole noun phrase.

use super::quotes;
use super::records;
use super::resample::Bootstrap;
use super::tally::Tally;
use crate::document::{QuoteKind, Span, Usage};
use crate::error::Result;
use crate::quotes::marks::{self, Marked};
use crate::quotes::merge;
use crate::quotes::model::Words;
use crate::quotes::tags::{Attribution, Role, words_of};
use crate::record::{QuoteRecord, Record, SCHEMA, SpanRecord, SpeakerRecord};
use crate::report::{Report, Section};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use crate::text::segment::paragraphs;
use std::collections::HashSet;

/// An article with what is in it and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Name of the article.
    pub id: String,
    /// Its text.
    pub text: String,
    /// The attributions in it.
    pub gold: Vec<Attribution>,
    /// The attributions found.
    pub predicted: Vec<Attribution>,
}

/// Scores attributions: all that [`quotes::evaluate`] does, and F1 over words.
///
/// # Errors
/// When two articles have the same name.
pub fn evaluate(articles: &[Compared], bootstrap: &Bootstrap) -> Result<Report> {
    let side = |of: fn(&Compared) -> &[Attribution]| articles.iter().map(move |a| record(a, of(a))).collect();
    let meeting = records::meet(side(|a| &a.gold), side(|a| &a.predicted))?;
    let mut report = quotes::evaluate(&meeting, bootstrap);
    report.task = "attributions".into();
    report.lists.clear();
    report.state("spans", "as annotated: content with its quotation marks, a source with its whole noun phrase");
    report.state("kind", "direct: all words of content between quotation marks, indirect: none, mixed: some");
    report.state("words", "each word counted once a role; a word is in a span that holds more than half of it");
    let about = "words in content, cue and source, whichever attribution they belong to".into();
    let tables = vec![word_tally(articles).precision_recall_table("words", "role", articles.len(), bootstrap)];
    report.sections.push(Section { name: "words".into(), about, tables });
    // Names are not resolved here: a speaker is the words that name him.
    report.sections.retain(|section| section.name != "speakers");
    let score =
        |row: &str| report.value("spans", "scores", row, "f1").map_or_else(|| "–".into(), |v| format!("{v:.3}"));
    report.verdict = format!(
        "Attributions in {} articles: content F1 {} overlapping, {} exact; source {} given matched content; \
         whole attributions {} overlapping.",
        articles.len(),
        score("content_overlap"),
        score("content_exact"),
        score("source_overlap_given_content"),
        score("attribution_overlap"),
    );
    Ok(report)
}

fn record(article: &Compared, attributions: &[Attribution]) -> Record {
    let table = OffsetTable::new(&article.text, OffsetUnit::Char);
    let marked = marks::pair(&article.text, &paragraphs(&article.text));
    let quotes = attributions.iter().map(|a| quote(&article.text, &table, &marked, a)).collect();
    Record {
        schema: SCHEMA.into(),
        id: article.id.clone(),
        source: None,
        title: None,
        date: None,
        dateline: None,
        text: Some(article.text.clone()),
        offset_unit: OffsetUnit::Char,
        entities: None,
        quotes: Some(quotes),
        usage: Usage::default(),
        models: Vec::new(),
        error: None,
    }
}

fn quote(text: &str, table: &OffsetTable, marked: &[Marked], attribution: &Attribution) -> QuoteRecord {
    let span = |span: Span| SpanRecord {
        start: table.from_byte(span.start),
        end: table.from_byte(span.end),
        text: span.of(text).to_string(),
    };
    let extent = |spans: &[Span]| Some(Span::new(spans.first()?.start, spans.last()?.end));
    let mention = extent(&attribution.source).map(span);
    let kind: QuoteKind = merge::kind(&attribution.content, text, marked);
    QuoteRecord {
        kind,
        parts: attribution.content.iter().map(|p| span(*p)).collect(),
        cue: extent(&attribution.cue).map(span),
        speaker: mention.map(|mention| SpeakerRecord {
            name: mention.text.clone(),
            mention: Some(mention),
            role: None,
            country: None,
            evidence: None,
        }),
        no_speaker: None,
        confidence: None,
        flags: Vec::new(),
        stance: None,
    }
}

fn word_tally(articles: &[Compared]) -> Tally {
    let mut tally = Tally::default();
    for (document, article) in articles.iter().enumerate() {
        let words = Words::of(&article.text);
        for (role, name) in [(Role::Content, "content"), (Role::Source, "source"), (Role::Cue, "cue")] {
            let (gold, predicted) =
                (role_words(&words, &article.gold, role), role_words(&words, &article.predicted, role));
            let right = gold.intersection(&predicted).count();
            tally.see_counts(document, name, [right, gold.len(), predicted.len()]);
        }
    }
    tally
}

fn role_words(words: &Words, attributions: &[Attribution], role: Role) -> HashSet<usize> {
    let spans = attributions.iter().flat_map(Attribution::kinds).filter(|((r, _), _)| *r == role);
    spans.flat_map(|(_, span)| words_of(&words.spans, span)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;

    fn attribution(text: &str, content: &str, cue: &str, source: &str) -> Attribution {
        let span = |surface: &str| {
            let start = text.find(surface).unwrap();
            vec![Span::new(start, start + surface.len())]
        };
        Attribution { content: span(content), cue: span(cue), source: span(source) }
    }

    #[test]
    fn words_and_spans_are_counted_apart() {
        let text = "“Né so”, said Lee. Kim warned that war was near.";
        let gold =
            vec![attribution(text, "“Né so”", "said", "Lee"), attribution(text, "that war was near", "warned", "Kim")];
        let predicted = vec![attribution(text, "“Né so”", "said", "Lee"), attribution(text, "near", "warned", "Kim")];
        let compared = Compared { id: "a".into(), text: text.into(), gold, predicted };
        let report = evaluate(&[compared], &Bootstrap { resamples: 0, ..Bootstrap::default() }).unwrap();
        let f1 = |section: &str, table: &str, row: &str| report.value(section, table, row, "f1").unwrap();
        assert_eq!(f1("spans", "scores", "content_overlap"), 0.5);
        assert_eq!(f1("spans", "scores", "cue_exact"), 1.0);
        // Né, so and two marks; of four words one.
        assert!((f1("words", "words", "content") - 10.0 / 13.0).abs() < 1e-9);
        assert_eq!(report.value("spans", "kinds", "direct", "recall"), Some(1.0));
        assert_eq!(report.value("spans", "kinds", "indirect", "recall"), Some(0.0));
        assert_eq!(report.value("spans", "kinds_and_lengths", "direct, under 50", "f1"), Some(1.0));
        assert_eq!(report.value("spans", "kinds_and_lengths", "indirect, under 50", "f1"), Some(0.0));
        assert_eq!(report.cell("misses", "not_found", "shorter", "indirect"), Some(&Cell::Count(1)));
        assert_eq!(report.cell("misses", "not_in_gold", "longer", "all"), Some(&Cell::Count(1)));
    }
}
