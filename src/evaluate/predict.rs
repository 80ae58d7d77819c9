//! Predictions for gold records, made here and now by this program's own models.

use super::records;
use crate::document::{Document, NoSpeaker, Quote, Span, Speaker};
use crate::error::{Error, Result};
use crate::pipeline::{Analysis, Pipeline};
use crate::record::{QuoteRecord, Record, RecordWriter, SpanRecord, StanceRecord};
use crate::stance::context::{self, QuoteContext};
use crate::text::offsets::OffsetTable;
use crate::text::segment::paragraphs;

/// Documents worked on at once.
const BATCH: usize = 64;

/// What `pipeline` finds in the texts of `gold`, as records with offsets in the gold's unit.
///
/// # Errors
/// When a gold record carries no text.
pub fn records(gold: &[Record], pipeline: &Pipeline) -> Result<Vec<Record>> {
    let mut predicted = Vec::with_capacity(gold.len());
    for batch in gold.chunks(BATCH) {
        let documents = documents(batch)?;
        for ((gold, document), analysis) in batch.iter().zip(&documents).zip(pipeline.run(&documents)) {
            let writer = RecordWriter { unit: gold.offset_unit, with_text: false, models: &[] };
            predicted.push(match analysis {
                Ok(found) => writer.record(document, found.entities.as_deref(), found.quotes.as_deref(), found.usage),
                Err(error) => Record::failed(&document.id, document.source.as_deref(), &error),
            });
        }
    }
    Ok(predicted)
}

/// The gold records with the stance that `pipeline` reads in the gold quotes: only the stance is put to the test.
///
/// # Errors
/// When a gold record carries no text, or the offsets of a quote are no places in it.
pub fn stance_of_gold_quotes(gold: &[Record], pipeline: &Pipeline) -> Result<Vec<Record>> {
    let mut predicted = Vec::with_capacity(gold.len());
    for batch in gold.chunks(BATCH) {
        let documents = documents(batch)?;
        let analyses = batch.iter().zip(&documents).map(|(record, document)| -> Result<Analysis> {
            let table = OffsetTable::new(&document.text, record.offset_unit);
            let quotes = record.quotes.iter().flatten().map(|quote| gold_quote(record, &table, quote));
            Ok(Analysis { quotes: Some(quotes.collect::<Result<_>>()?), ..Analysis::default() })
        });
        for (record, analysis) in batch.iter().zip(pipeline.read_stances(&documents, analyses.collect())) {
            let quotes = analysis?.quotes.unwrap_or_default();
            let mut record = record.clone();
            for (written, read) in record.quotes.iter_mut().flatten().zip(quotes) {
                written.stance = read.stance.as_ref().map(StanceRecord::from);
            }
            predicted.push(record);
        }
    }
    Ok(predicted)
}

/// The words around each quote of `record` as the stance model reads them; empty where the record carries no text or the
/// offsets are no places in it.
pub(super) fn contexts(record: &Record) -> Vec<QuoteContext> {
    let quotes = record.quotes.iter().flatten();
    let Some(document) = documents(std::slice::from_ref(record)).ok().and_then(|mut documents| documents.pop()) else {
        return quotes.map(|_| QuoteContext::default()).collect();
    };
    let (table, paragraphs) = (OffsetTable::new(&document.text, record.offset_unit), paragraphs(&document.text));
    let context = |quote: &QuoteRecord| -> Result<QuoteContext> {
        let quote = gold_quote(record, &table, quote)?;
        Ok(context::of_quote(&document.text, &paragraphs, document.title.as_deref(), &quote))
    };
    quotes.map(|quote| context(quote).unwrap_or_default()).collect()
}

fn documents(gold: &[Record]) -> Result<Vec<Document>> {
    let document = |record: &Record| {
        let text = record.text.clone().ok_or_else(|| {
            Error::document(format!("the gold record `{}` carries no text to predict from", record.id))
                .help("give predictions with --pred, or gold records with `text`")
        })?;
        let (source, title, date) = (record.source.clone(), record.title.clone(), record.date.clone());
        Ok(Document { id: record.id.clone(), source, title, date, text, extracted: false })
    };
    gold.iter().map(document).collect()
}

/// A gold quote as the finder would have given it.
fn gold_quote(record: &Record, table: &OffsetTable, quote: &QuoteRecord) -> Result<Quote> {
    let span = |span: &SpanRecord| match (table.to_byte(span.start), table.to_byte(span.end)) {
        (Some(start), Some(end)) => Ok(Span::new(start, end)),
        _ => Err(Error::document(format!("{} lies outside the text", records::place(&record.id, quote)))),
    };
    let speaker = quote.speaker.as_ref().map(|speaker| -> Result<Speaker> {
        let mention = speaker.mention.as_ref().map(span).transpose()?;
        Ok(Speaker {
            mention,
            name: speaker.name.clone(),
            role: speaker.role.clone(),
            country: speaker.country.clone(),
            evidence: speaker.evidence.unwrap_or(crate::document::Evidence::Exact),
        })
    });
    Ok(Quote {
        parts: quote.parts.iter().map(span).collect::<Result<_>>()?,
        kind: quote.kind,
        cue: quote.cue.as_ref().map(span).transpose()?,
        speaker: speaker.transpose()?.ok_or(quote.no_speaker.unwrap_or(NoSpeaker::NoAttribution)),
        confidence: 1.0,
        flags: quote.flags.clone(),
        stance: None,
    })
}
