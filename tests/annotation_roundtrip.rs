//! What an annotation format holds comes back from it as it was, whatever the text.

use detente::annotation::{Articles, Format, Notes, ReadSettings, WriteSettings, Written, read, write};
use detente::document::{Evidence, NoSpeaker, QuoteFlag, QuoteKind, StanceLabel, Usage};
use detente::record::{EntityRecord, QuoteRecord, Record, SCHEMA, SpanRecord, SpeakerRecord, StanceRecord};
use detente::text::offsets::OffsetUnit;
use proptest::prelude::*;
use proptest::sample::select;
use std::path::PathBuf;

/// Pieces of text that have broken annotation tools: emoji, combining marks, line ends of all kinds, and the signs that
/// formats use for themselves.
const PIECES: [&str; 34] = [
    "Nordia",
    " ",
    " ",
    "said",
    "talks",
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "🕊",
    "👩‍👧",
    "e\u{301}",
    "“",
    "”",
    "\"",
    "'s",
    "\\",
    "[1]",
    "|",
    "_",
    "*",
    "->",
    ";",
    ",",
    "#",
    "\u{a0}",
    "\u{2028}",
    "ß",
    ". ",
    "“We won’t,” ",
    "{}",
    "<b>",
    "-DOCSTART-",
];

/// Where each character begins, and the end.
fn bounds(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

/// A span of characters without white space at its edges; none where nothing is left.
fn span(text: &str, a: usize, b: usize) -> Option<SpanRecord> {
    let bounds = bounds(text);
    let (a, b) = (a.min(b) % bounds.len(), a.max(b) % bounds.len());
    let (a, b) = (a.min(b), a.max(b));
    let words = &text[bounds[a]..bounds[b]];
    let start = a + words.chars().take_while(|c| c.is_whitespace()).count();
    let trimmed = words.trim();
    let end = start + trimmed.chars().count();
    (!trimmed.is_empty()).then(|| SpanRecord { start, end, text: trimmed.into() })
}

fn chars(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end - start).collect()
}

/// Parts in order with a letter between any two.
fn parts(text: &str, ends: &[usize]) -> Vec<SpanRecord> {
    let mut parts: Vec<SpanRecord> = Vec::new();
    let mut spans: Vec<SpanRecord> = ends.chunks(2).filter_map(|pair| span(text, pair[0], *pair.last()?)).collect();
    spans.sort_by_key(|part| (part.start, part.end));
    for part in spans {
        let apart = parts.last().is_none_or(|last| {
            last.end < part.start && chars(text, last.end, part.start).contains(char::is_alphanumeric)
        });
        if apart {
            parts.push(part);
        }
    }
    parts
}

/// A name or a role: not blank, without a carriage return.
fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&PIECES[..]), 1..4)
        .prop_map(|pieces| pieces.concat().replace('\r', "").trim().to_string())
        .prop_map(|words| if words.is_empty() { "Ana Ruiz".into() } else { words })
}

/// What is random in a quote: ends of parts, cue, mention, and choices.
type Draw = ((Vec<usize>, usize, usize, usize, usize), (u8, u8, u8), (String, Option<String>));

fn quote(text: &str, ((ends, c0, c1, m0, m1), (kind, stance, who), (name, role)): Draw) -> Option<QuoteRecord> {
    let parts = parts(text, &ends);
    let mention = if who % 3 == 0 { span(text, m0, m1) } else { None };
    let speaker = (who % 3 < 2).then(|| SpeakerRecord {
        mention,
        name,
        role,
        country: (who % 2 == 0).then(|| "NO".to_string()),
        evidence: (who % 5 < 3).then_some(Evidence::ShortName),
    });
    Some(QuoteRecord {
        kind: [QuoteKind::Direct, QuoteKind::Indirect, QuoteKind::Mixed][usize::from(kind % 3)],
        cue: if kind % 2 == 0 { span(text, c0, c1) } else { None },
        no_speaker: speaker.is_none().then_some(NoSpeaker::UnresolvedPronoun),
        speaker,
        confidence: (kind % 4 == 0).then_some(0.75),
        flags: if kind % 5 == 0 { vec![QuoteFlag::Unclosed] } else { vec![] },
        stance: StanceLabel::ALL.get(usize::from(stance % 4)).map(|label| StanceRecord {
            label: *label,
            score: None,
            conciliatory: None,
            firm: None,
            neutral: None,
        }),
        parts: (!parts.is_empty()).then_some(parts)?,
    })
}

fn record() -> impl Strategy<Value = Record> {
    let place = || 0usize..200;
    let entity = (place(), place(), select(&["PER", "LOC", "WORK_OF-ART", "cue"][..]));
    let quote_draw = (
        (prop::collection::vec(place(), 2..6), place(), place(), place(), place()),
        (any::<u8>(), any::<u8>(), any::<u8>()),
        (words(), prop::option::of(words())),
    );
    let draws = (
        prop::collection::vec(select(&PIECES[..]), 0..40),
        prop::collection::vec(entity, 0..6),
        prop::collection::vec(quote_draw, 0..4),
    );
    draws.prop_map(|(pieces, entities, quotes)| {
        let text = format!("N{}", pieces.concat());
        let entities = entities
            .into_iter()
            .filter_map(|(a, b, kind)| Some(EntityRecord { kind: kind.into(), span: span(&text, a, b)?, score: None }));
        let mut entities: Vec<EntityRecord> = entities.collect();
        entities.sort_by_key(|entity| (entity.span.start, entity.span.end));
        let mut quotes: Vec<QuoteRecord> = quotes.into_iter().filter_map(|draw| quote(&text, draw)).collect();
        quotes.sort_by_key(|quote| (quote.parts[0].start, quote.parts[0].end));
        // Where labels are all there is, two quotes with the same first part are one.
        quotes.dedup_by_key(|quote| (quote.parts[0].start, quote.parts[0].end));
        whole(text, entities, quotes)
    })
}

fn whole(text: String, entities: Vec<EntityRecord>, quotes: Vec<QuoteRecord>) -> Record {
    let any = !(entities.is_empty() && quotes.is_empty());
    Record {
        schema: SCHEMA.into(),
        id: "talks-7".into(),
        source: None,
        title: None,
        date: None,
        text: Some(text),
        dateline: None,
        offset_unit: OffsetUnit::Char,
        entities: (!entities.is_empty() || !any).then_some(entities),
        quotes: (!quotes.is_empty() || !any).then_some(quotes),
        usage: Usage::default(),
        models: vec![],
        error: None,
    }
}

/// Writes `record` and reads it again; the notes are those of both ways.
fn there_and_back(record: &Record, format: Format, unit: Option<OffsetUnit>) -> (Vec<Record>, Notes, Notes) {
    let folder = tempfile::tempdir().unwrap();
    let mut lost = Notes::default();
    let settings = WriteSettings { format, unit, delimiter: b',' };
    let written = write(std::slice::from_ref(record), &settings, &mut lost).unwrap();
    let path = match written {
        Written::File(bytes) => {
            let file = folder.path().join(format!("annotations.{}", ending(format)));
            std::fs::write(&file, bytes).unwrap();
            file
        }
        Written::Folder(files) => {
            let inner = folder.path().join("inner");
            std::fs::create_dir(&inner).unwrap();
            files.iter().for_each(|(name, bytes)| std::fs::write(inner.join(name), bytes).unwrap());
            inner
        }
    };
    let articles = folder.path().join("articles.jsonl");
    let row = serde_json::json!({"id": record.id, "text": record.text});
    std::fs::write(&articles, format!("{row}\n")).unwrap();
    let settings = ReadSettings {
        format: Some(format),
        // doccano gives no words to tell the unit by.
        unit: matches!(format, Format::Doccano | Format::DoccanoLabels).then_some(unit.unwrap_or_default()),
        articles: if needs_articles(format) { Articles::read(vec![articles]).unwrap() } else { Articles::default() },
        ..ReadSettings::default()
    };
    let (records, notes) = read(&[PathBuf::from(&path)], &settings).unwrap();
    (records, lost, notes)
}

fn ending(format: Format) -> &'static str {
    match format {
        Format::LabelStudio => "json",
        Format::Csv => "csv",
        Format::Conll => "conll",
        _ => "jsonl",
    }
}

fn needs_articles(format: Format) -> bool {
    matches!(format, Format::Csv | Format::Conll)
}

fn assert_same(expected: Record, format: Format, unit: Option<OffsetUnit>, record: &Record) {
    let (found, _, notes) = there_and_back(record, format, unit);
    assert_eq!(notes.problems, [], "{format:?}");
    assert_eq!(found.len(), 1, "{format:?}");
    let with_lists = |record: Record| {
        let (entities, quotes) = (record.entities.unwrap_or_default(), record.quotes.unwrap_or_default());
        (record.id, record.text, entities, quotes)
    };
    assert_eq!(with_lists(found.into_iter().next().unwrap()), with_lists(expected), "{format:?}");
}

/// The record without its scores.
fn unscored(mut record: Record) -> Record {
    record.quotes.iter_mut().flatten().for_each(|quote| quote.confidence = None);
    record
}

/// What labels and links alone hold: of a speaker the words that name it.
fn of_labels(record: Record) -> Record {
    let mut record = unscored(record);
    for quote in record.quotes.iter_mut().flatten() {
        quote.flags.clear();
        quote.no_speaker = None;
        quote.speaker = quote.speaker.take().and_then(|speaker| speaker.mention).map(|mention| SpeakerRecord {
            name: mention.text.clone(),
            mention: Some(mention),
            role: None,
            country: None,
            evidence: None,
        });
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn label_studio_holds_everything(record in record()) {
        assert_same(record.clone(), Format::LabelStudio, None, &record);
    }

    #[test]
    fn prodigy_holds_everything(record in record()) {
        assert_same(record.clone(), Format::Prodigy, None, &record);
    }

    #[test]
    fn tables_hold_everything(record in record().prop_filter("a row", |r| r.entities.is_some() != r.quotes.is_some()
        || r.entities.iter().flatten().count() + r.quotes.iter().flatten().count() > 0)) {
        assert_same(record.clone(), Format::Csv, None, &record);
    }

    #[test]
    fn records_hold_everything_in_every_unit(record in record(), unit in select(&[OffsetUnit::Byte, OffsetUnit::Utf16][..])) {
        let (found, ..) = there_and_back(&record, Format::Records, Some(unit));
        prop_assert_eq!(found[0].offset_unit, unit);
        let (found, _, notes) = there_and_back(&found[0], Format::Records, Some(OffsetUnit::Char));
        prop_assert_eq!(notes.problems, vec![]);
        prop_assert_eq!(&found[0], &record);
    }

    #[test]
    fn brat_holds_all_but_scores(record in record()) {
        assert_same(unscored(record.clone()), Format::Brat, None, &record);
    }

    #[test]
    fn webanno_holds_all_but_scores(record in record()) {
        assert_same(unscored(record.clone()), Format::WebAnno, None, &record);
    }

    #[test]
    fn doccano_holds_labels_and_links(record in record(), unit in select(&[OffsetUnit::Char, OffsetUnit::Byte, OffsetUnit::Utf16][..])) {
        assert_same(of_labels(record.clone()), Format::Doccano, Some(unit), &record);
    }

    #[test]
    fn doccanos_sequence_labelling_holds_labels(record in record()) {
        let mut expected = of_labels(record.clone());
        for quote in expected.quotes.iter_mut().flatten() {
            quote.parts.truncate(1);
            (quote.cue, quote.speaker) = (None, None);
        }
        assert_same(expected, Format::DoccanoLabels, None, &record);
    }

    #[test]
    fn conll_holds_names_that_do_not_overlap(record in record()) {
        let (found, lost, notes) = there_and_back(&record, Format::Conll, None);
        prop_assert_eq!(notes.problems, vec![]);
        let names = |record: &Record| record.entities.clone().unwrap_or_default();
        let found = names(&found[0]);
        let only_names_lost = lost.left_out.keys().all(|what| ["quote", "cue", "speaker"].iter().any(|w| what.ends_with(w)) || what.contains("score"));
        if only_names_lost {
            prop_assert_eq!(&found, &names(&record));
        }
        prop_assert!(found.iter().all(|name| names(&record).contains(name) || !only_names_lost));
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A file that somebody broke is told, and never stops the program.
    #[test]
    fn broken_files_are_problems(record in record(), cut in 0usize..4000, junk in select(&["", "\n", "{", "\t\t", "x\u{1}", "]["][..])) {
        for format in [Format::LabelStudio, Format::Doccano, Format::Prodigy, Format::Brat, Format::WebAnno, Format::Conll, Format::Csv] {
            let written = write(std::slice::from_ref(&record), &WriteSettings { format, unit: None, delimiter: b',' }, &mut Notes::default()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let files = match written {
                Written::File(bytes) => vec![(format!("a.{}", ending(format)), bytes)],
                Written::Folder(files) => files,
            };
            for (name, bytes) in &files {
                let text = String::from_utf8(bytes.clone()).unwrap();
                let kept: String = text.chars().take(cut).collect();
                std::fs::write(folder.path().join(name), kept + junk).unwrap();
            }
            let read = read(&[folder.path().to_path_buf()], &ReadSettings { format: Some(format), ..ReadSettings::default() });
            let (records, _) = read.unwrap();
            for record in records {
                let text: Vec<char> = record.text.as_ref().unwrap().chars().collect();
                for name in record.entities.iter().flatten() {
                    prop_assert_eq!(text[name.span.start..name.span.end].iter().collect::<String>(), name.span.text.clone());
                }
            }
        }
    }
}
