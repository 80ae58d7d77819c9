//! What the streaming engine keeps: the same records in the same order, whatever batches, threads, failures and
//! interruptions do.

mod hash_encoder;
mod tiny_tokenizers;

use detente::document::Document;
use detente::entities::EntityTagger;
use detente::error::{Error, ErrorKind, Result};
use detente::io::output::{Checkpoint, Output, Start};
use detente::io::write::{RecordFormat, RecordSink};
use detente::pipeline::memory::Memory;
use detente::pipeline::stream::{Analyse, Item};
use detente::pipeline::{Analysis, Counts, Pipeline, Queue, QuoteChoice, Stream};
use detente::record::{Record, RecordWriter, SpanRecord};
use detente::stance::StanceReader;
use detente::text::offsets::OffsetUnit;
use detente::tokens::{Tokens, WindowOptions};
use hash_encoder::encoder;
use proptest::prelude::*;
use serde_json::{Map, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2});
    tiny_tokenizers::write(folder.path(), &tiny_tokenizers::word_piece(), &config);
    let windows = WindowOptions { max_tokens: 40, overlap_tokens: 8 };
    let tokens = Tokens::from_folder(folder.path()).unwrap().with_options(windows).unwrap();
    let tags = encoder(&["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], true);
    let stances = encoder(&["conciliatory", "firm", "neutral"], false);
    Pipeline {
        entities: Some(EntityTagger::new(tokens, tags).unwrap()),
        quotes: QuoteChoice::All,
        stance: Some(StanceReader::load(folder.path(), stances).unwrap()),
        ..Pipeline::default()
    }
});

/// Articles of very different length, with what shifts offsets.
fn documents(count: usize) -> Vec<Document> {
    let sentences = [
        "“We are ready to talk,” Premier Anna Lind said. ",
        "Envoys met in Port Lavel 🕊 for the third\u{a0}time.\r\n",
        "\"The ministry,\" he added, \"will not sign.\"\n\n",
        "Cafe\u{301} owners in Ångby « waited » for news. ",
        "Talks\u{200b} ended. ",
    ];
    (0..count)
        .map(|i| {
            Document::new(format!("d{i}"), (0..i * 7 % 23 + 1).map(|k| sentences[(i + k) % 5]).collect::<String>())
        })
        .collect()
}

fn items(documents: Vec<Document>) -> impl Iterator<Item = Item> + Send + 'static {
    documents.into_iter().map(Ok)
}

fn stream<'a>(analyse: &'a Analyse<'a>, threads: usize) -> Stream<'a> {
    Stream {
        analyse,
        records: RecordWriter { unit: OffsetUnit::Char, with_text: false, models: &[] },
        threads,
        queue: Queue::for_threads(threads),
        waited: AtomicU64::new(0),
        memory: Memory::default(),
        stop: Arc::new(AtomicBool::new(false)),
        on_progress: &|_| {},
        on_failure: &|_| {},
    }
}

fn run(documents: Vec<Document>, pipeline: &Pipeline, threads: usize) -> (Counts, String) {
    run_in(Queue::for_threads(threads), documents, pipeline, threads)
}

fn run_in(queue: Queue, documents: Vec<Document>, pipeline: &Pipeline, threads: usize) -> (Counts, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let mut sink = RecordSink::begin(RecordFormat::Jsonl, Output::file(&path).unwrap()).unwrap();
    let analyse = |d: &[Document]| pipeline.run(d);
    let counts = Stream { queue, ..stream(&analyse, threads) }.run(items(documents), &mut sink, None).unwrap();
    sink.finish().unwrap();
    (counts, std::fs::read_to_string(path).unwrap())
}

#[test]
fn batch_size_and_threads_never_change_a_record() {
    let documents = documents(150);
    let (counts, expected) = run(documents.clone(), &PIPELINE, 1);
    assert_eq!((counts.read, counts.failed, expected.lines().count()), (150, 0, 150));
    assert!(counts.quotes > 100 && counts.entities > 100, "{counts:?}");
    for (batch_tokens, threads) in [(1, 2), (100, 1), (700, 3), (64_000, 2)] {
        let pipeline = Pipeline { batch_tokens, ..PIPELINE.clone() };
        assert!(run(documents.clone(), &pipeline, threads) == (counts, expected.clone()), "{batch_tokens} {threads}");
    }
}

#[test]
fn how_documents_travel_never_changes_a_record() {
    let documents = documents(150);
    let expected = run(documents.clone(), &PIPELINE, 1);
    for (at_most, bytes, waiting) in [(1, 1, 1), (7, 1 << 20, 1), (500, 1 << 20, 9)] {
        let queue = Queue { documents: at_most, bytes, waiting };
        assert!(run_in(queue, documents.clone(), &PIPELINE, 2) == expected, "{queue:?}");
    }
}

#[test]
fn the_documents_beside_it_never_change_an_answer() {
    let documents = documents(64);
    let together: Vec<Analysis> = PIPELINE.run(&documents).into_iter().map(Result::unwrap).collect();
    for size in [1, 2, 7] {
        let apart: Vec<Analysis> =
            documents.chunks(size).flat_map(|chunk| PIPELINE.run(chunk)).map(Result::unwrap).collect();
        assert!(apart == together, "in batches of {size}");
    }
}

#[test]
fn a_panic_and_an_error_cost_one_document_each() {
    let analyse = |documents: &[Document]| -> Vec<Result<Analysis>> {
        assert!(documents.iter().all(|d| d.id != "d40"), "a fault planted in d40");
        let fail =
            |d: &Document| if d.id == "d41" { Err(Error::document("planted in d41")) } else { Ok(Analysis::default()) };
        documents.iter().map(fail).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let mut sink = RecordSink::begin(RecordFormat::Jsonl, Output::file(&path).unwrap()).unwrap();
    let counts = stream(&analyse, 2).run(items(documents(100)), &mut sink, None).unwrap();
    sink.finish().unwrap();
    assert_eq!((counts.read, counts.failed), (100, 2));
    let records = records(&path);
    let ids: Vec<&str> = records.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, (0..100).map(|i| format!("d{i}")).collect::<Vec<_>>());
    let failed: Vec<(&str, &str)> =
        records.iter().filter_map(|r| r.error.as_ref().map(|e| (r.id.as_str(), e.message.as_str()))).collect();
    let fault = "a fault in detente: a fault planted in d40 (please report it with this document)";
    assert_eq!(failed, [("d40", fault), ("d41", "planted in d41")]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_sink_that_fails_ends_the_run_though_the_input_waits() {
    let waits = std::iter::from_fn(|| {
        loop {
            std::thread::park()
        }
    });
    let endless = items(documents(400)).chain(waits);
    let mut sink = RecordSink::begin(RecordFormat::Jsonl, Output::file(Path::new("/dev/full")).unwrap()).unwrap();
    let error = stream(&|d| PIPELINE.run(d), 2).run(endless, &mut sink, None).unwrap_err();
    assert_eq!(error.kind, detente::error::ErrorKind::Io, "{error}");
}

fn records(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn resumable(path: &Path) -> (RecordSink, Option<Checkpoint>) {
    match Output::resumable(path, &Map::new(), true).unwrap() {
        Start::Fresh(output) => (RecordSink::begin(RecordFormat::Jsonl, output).unwrap(), None),
        Start::Resumed(output, done) => (RecordSink::go_on(RecordFormat::Jsonl, output), Some(done)),
        Start::Finished => panic!("not finished yet"),
    }
}

#[test]
fn an_interrupted_run_goes_on_and_writes_the_same() {
    // Each interruption finishes what is in flight, up to 192 documents.
    const MANY: usize = 1_200;
    let (counts, expected) = run(documents(MANY), &PIPELINE, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let mut interruptions = 0;
    loop {
        let (mut sink, done) = resumable(&path);
        let stop = Arc::new(AtomicBool::new(false));
        let before = done.as_ref().map_or(0, |d| d.counts.read);
        let interrupt = |counts: &Counts| stop.store(counts.read > before, Ordering::Relaxed);
        let analyse = |d: &[Document]| PIPELINE.run(d);
        let stream = Stream { stop: stop.clone(), on_progress: &interrupt, ..stream(&analyse, 2) };
        match stream.run(items(documents(MANY)), &mut sink, done.as_ref()) {
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Interrupted);
                interruptions += 1;
                if interruptions > 2 {
                    break;
                }
            }
            Ok(_) => panic!("these are more than what is in flight"),
        }
    }
    // What a kill leaves behind the last checkpoint does not count.
    let partial = folder.path().join("out.jsonl.partial");
    let torn = std::fs::read_to_string(&partial).unwrap() + "{\"schema\": \"torn";
    std::fs::write(&partial, torn).unwrap();
    let (mut sink, done) = resumable(&path);
    let resumed = stream(&|d| PIPELINE.run(d), 2).run(items(documents(MANY)), &mut sink, done.as_ref()).unwrap();
    sink.finish().unwrap();
    assert_eq!(resumed, counts);
    assert!(std::fs::read_to_string(&path).unwrap() == expected);
}

#[test]
fn a_changed_input_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let (mut sink, _) = resumable(&path);
    stream(&|d| PIPELINE.run(d), 1).run(items(documents(40)), &mut sink, None).unwrap();
    drop(sink);
    let (mut sink, done) = resumable(&path);
    let mut changed = documents(40);
    changed[3].text.push('!');
    let error = stream(&|d| PIPELINE.run(d), 1).run(items(changed), &mut sink, done.as_ref()).unwrap_err();
    assert_eq!(error.without_help(), "cannot be resumed: the first 40 documents of the input have changed");
}

/// What `start..end` cuts out of `text` in the unit.
fn cut(text: &str, unit: OffsetUnit, span: &SpanRecord) -> String {
    let range = span.start..span.end;
    match unit {
        OffsetUnit::Byte => text[range].to_string(),
        OffsetUnit::Char => text.chars().skip(span.start).take(range.len()).collect(),
        OffsetUnit::Utf16 => String::from_utf16(&text.encode_utf16().collect::<Vec<_>>()[range]).unwrap(),
    }
}

fn spans(record: &Record) -> Vec<&SpanRecord> {
    let quotes = record.quotes.iter().flatten();
    let of_quotes = quotes.flat_map(|q| {
        let mention = q.speaker.as_ref().and_then(|s| s.mention.as_ref());
        q.parts.iter().chain(&q.cue).chain(mention)
    });
    record.entities.iter().flatten().map(|e| &e.span).chain(of_quotes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_span_is_its_surface_in_every_unit(
        pieces in prop::collection::vec(prop_oneof![
            "\\PC{0,12}", "[\"'“”‘’«» ]{1,3}", "[ \\t\\r\\n\u{a0}\u{2028}]{1,3}", Just("Premier Anna Lind said".to_string()),
            Just("🕊 Port Lavel".to_string()), Just("e\u{301}".to_string()), Just("\u{0}".to_string()),
        ], 0..40)
    ) {
        let document = Document::new("1", pieces.join(" "));
        let analysis = PIPELINE.run(std::slice::from_ref(&document)).remove(0).unwrap();
        for unit in [OffsetUnit::Char, OffsetUnit::Byte, OffsetUnit::Utf16] {
            let writer = RecordWriter { unit, with_text: true, models: &[] };
            let record = writer.record(&document, analysis.entities.as_deref(), analysis.quotes.as_deref(), analysis.usage);
            for span in spans(&record) {
                prop_assert_eq!(&cut(&document.text, unit, span), &span.text);
                prop_assert!(!span.text.is_empty());
            }
        }
    }
}
