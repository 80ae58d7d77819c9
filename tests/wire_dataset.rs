//! The project's own gold set and its list of sources keep what `datasets/README.md` says of them.

use detente::document::{QuoteKind, StanceLabel};
use detente::record::{QuoteRecord, Record, SCHEMA, SpanRecord};
use detente::text::offsets::OffsetUnit;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
}

fn records() -> Vec<Record> {
    let lines = std::fs::read_to_string(datasets().join("wire/wire.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All spans of a record.
fn spans(record: &Record) -> Vec<&SpanRecord> {
    let mut all: Vec<_> = record.entities.iter().flatten().map(|entity| &entity.span).collect();
    for quote in record.quotes.iter().flatten() {
        all.extend(&quote.parts);
        all.extend(&quote.cue);
        all.extend(quote.speaker.iter().filter_map(|speaker| speaker.mention.as_ref()));
    }
    all
}

fn quotes(records: &[Record]) -> impl Iterator<Item = &QuoteRecord> {
    records.iter().flat_map(|record| record.quotes.iter().flatten())
}

#[test]
fn every_surface_is_what_its_offsets_say() {
    for record in records() {
        assert_eq!((record.schema.as_str(), record.offset_unit), (SCHEMA, OffsetUnit::Char), "{}", record.id);
        let text: Vec<char> = record.text.as_ref().unwrap().chars().collect();
        for span in spans(&record) {
            let surface: String = text[span.start..span.end].iter().collect();
            assert_eq!(surface, span.text, "{} at {}", record.id, span.start);
            assert_eq!(surface.trim(), surface, "{} at {}", record.id, span.start);
        }
    }
}

#[test]
fn entities_and_quotes_stand_in_order_and_entities_do_not_overlap() {
    for record in records() {
        let entities: Vec<_> = record.entities.iter().flatten().map(|e| (e.span.start, e.span.end)).collect();
        assert!(entities.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{}", record.id);
        let starts: Vec<_> = record.quotes.iter().flatten().map(|quote| quote.parts[0].start).collect();
        assert!(starts.is_sorted(), "{}", record.id);
    }
}

#[test]
fn ids_are_unique() {
    let records = records();
    let ids: BTreeSet<_> = records.iter().map(|record| &record.id).collect();
    assert_eq!(ids.len(), records.len());
}

#[test]
fn there_is_enough_of_every_kind_and_label() {
    let records = records();
    let of_kind = |kind| quotes(&records).filter(|quote| quote.kind == kind).count();
    assert!(records.len() >= 26);
    assert!(of_kind(QuoteKind::Indirect) >= 60);
    assert!(of_kind(QuoteKind::Mixed) >= 20);
    assert!(of_kind(QuoteKind::Direct) >= 100);
    let all = quotes(&records).count();
    for label in StanceLabel::ALL {
        let share = quotes(&records).filter(|quote| quote.stance.as_ref().unwrap().label == label).count();
        assert!(share * 4 >= all, "{}: {share} of {all}", label.as_str());
    }
}

#[test]
fn a_quote_has_a_speaker_or_a_reason_and_never_both() {
    for record in records() {
        for quote in record.quotes.iter().flatten() {
            assert_ne!(quote.speaker.is_some(), quote.no_speaker.is_some(), "{} {:?}", record.id, quote.parts);
        }
    }
}

#[test]
fn demo_texts_are_texts_of_the_set() {
    let texts: BTreeSet<_> = records().into_iter().filter_map(|record| record.text).collect();
    let demo: Vec<_> = std::fs::read_dir(datasets().join("demo")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(demo.len(), 3);
    for path in demo {
        assert!(texts.contains(&std::fs::read_to_string(&path).unwrap()), "{}", path.display());
    }
}

#[derive(serde::Deserialize)]
struct Sources {
    source: Vec<BTreeMap<String, toml::Value>>,
}

fn sources() -> Vec<BTreeMap<String, toml::Value>> {
    let text = std::fs::read_to_string(datasets().join("sources.toml")).unwrap();
    toml::from_str::<Sources>(&text).unwrap().source
}

#[test]
fn every_source_says_where_from_under_what_licence_and_what_for() {
    for source in sources() {
        for key in ["name", "path", "what", "from", "licence", "used_for"] {
            assert!(source[key].as_str().is_some_and(|value| !value.is_empty()), "{key} of {source:?}");
        }
        let hash = source["sha256"].as_str().unwrap();
        assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    }
}

#[test]
fn hashes_of_the_sources_are_those_of_the_files_in_use() {
    let root = std::env::var_os("DETENTE_SHARED").map_or_else(|| datasets().join("../../shared"), PathBuf::from);
    for source in sources() {
        let path = root.join(source["path"].as_str().unwrap());
        if !path.exists() {
            println!("skipped {}: not there; set DETENTE_SHARED to the folder that holds the corpora", path.display());
            continue;
        }
        let hash = if path.is_dir() { folder_hash(&path) } else { file_hash(&path) };
        assert_eq!(hash, source["sha256"].as_str().unwrap(), "{}", path.display());
    }
}

fn file_hash(path: &Path) -> String {
    hex::encode(Sha256::digest(std::fs::read(path).unwrap()))
}

/// The hash over the lines `sha256sum` prints for the files of `folder`, sorted by name, without README.md.
fn folder_hash(folder: &Path) -> String {
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file() && entry.file_name() != "README.md")
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"))
        .collect();
    names.sort();
    let lines: String = names.iter().map(|name| format!("{}  ./{name}\n", file_hash(&folder.join(name)))).collect();
    hex::encode(Sha256::digest(lines))
}
