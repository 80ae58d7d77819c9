//! Quotes in marks against the hand-made attributions of PolNeAR, where that corpus lies beside the repository.
//!
//! A quote is right when one attribution's content holds at least 80 % of its bytes, its speaker when the mention (or,
//! carried over, the last word of the name) meets that attribution's source. Of several annotators of an article the
//! first by file name counts. `DETENTE_SPLIT=train|dev|test` chooses the articles, `dev` by default.

use detente::document::{Quote, Span};
use detente::quotes;
use detente::text::offsets::{OffsetTable, OffsetUnit};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What one annotator marked: content and source of each attribution, in bytes.
struct Gold {
    content: Vec<Span>,
    source: Vec<Span>,
}

/// Reads brat stand-off: rows of `T1`, role and offsets (`Content 5 9;12 20`), and of `E1` and `Content:T1 Source:T2`.
fn read_gold(path: &Path, text: &str) -> Vec<Gold> {
    let table = OffsetTable::new(text, OffsetUnit::Char);
    let lines = std::fs::read_to_string(path).expect("a readable annotation");
    let mut spans: HashMap<&str, Vec<Span>> = HashMap::new();
    let mut gold = Vec::new();
    for line in lines.lines() {
        let mut fields = line.split('\t');
        let (Some(id), Some(rest)) = (fields.next(), fields.next()) else { continue };
        if id.starts_with('T') {
            let offsets = rest.split_once(' ').map_or("", |(_, offsets)| offsets);
            let span = |pair: &str| {
                let (start, end) = pair.split_once(' ')?;
                Some(Span::new(table.to_byte(start.parse().ok()?)?, table.to_byte(end.parse().ok()?)?))
            };
            spans.insert(id, offsets.split(';').filter_map(span).collect());
        } else if id.starts_with('E') {
            let of = |role: &str| -> Vec<Span> {
                let named = rest.split(' ').filter_map(|pair| pair.split_once(':'));
                named
                    .filter(|(key, _)| key.starts_with(role))
                    .filter_map(|(_, id)| spans.get(id))
                    .flatten()
                    .copied()
                    .collect()
            };
            gold.push(Gold { content: of("Content"), source: of("Source") });
        }
    }
    gold
}

/// The share of `inner` that `outer` covers.
fn covered(inner: &[Span], outer: &[Span]) -> f64 {
    let shared = |a: &Span, b: &Span| a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let all: usize = inner.iter().map(|s| s.len()).sum();
    let hit: usize = inner.iter().map(|a| outer.iter().map(|b| shared(a, b)).sum::<usize>()).sum();
    hit as f64 / all.max(1) as f64
}

/// Whether the speaker of `quote` is the source of one of `right`.
fn speaker_is_right(text: &str, quote: &Quote, right: &[&Gold]) -> Option<bool> {
    let speaker = quote.speaker.as_ref().ok()?;
    let with_source: Vec<_> = right.iter().filter(|g| !g.source.is_empty()).collect();
    if with_source.is_empty() {
        return None;
    }
    let last = speaker.name.split(' ').next_back().unwrap_or("").to_lowercase();
    Some(with_source.iter().any(|gold| match speaker.mention {
        Some(mention) => covered(&[mention], &gold.source) > 0.3,
        None => gold.source.iter().any(|s| s.of(text).to_lowercase().contains(&last) || s.len() <= 4),
    }))
}

#[test]
fn quotes_in_marks_are_attributions_of_polnear() {
    let root = std::env::var_os("DETENTE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let split = std::env::var("DETENTE_SPLIT").unwrap_or_else(|_| "dev".into());
    let folder = root.join("corpora/polnear").join(&split);
    let Ok(annotations) = std::fs::read_dir(folder.join("attributions")) else {
        eprintln!("skipped: {} does not exist (set DETENTE_SHARED)", folder.display());
        return;
    };
    let mut files: Vec<PathBuf> = annotations.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.dedup_by_key(|path| article_of(path));
    let (mut found, mut right, mut speakers, mut speakers_right) = (0_u32, 0_u32, 0_u32, 0_u32);
    for file in files {
        let Ok(text) = std::fs::read_to_string(folder.join("text").join(format!("{}.txt", article_of(&file)))) else {
            continue;
        };
        let gold = read_gold(&file, &text);
        for quote in quotes::find(&text) {
            found += 1;
            let holders: Vec<&Gold> = gold.iter().filter(|g| covered(&quote.parts, &g.content) >= 0.8).collect();
            right += u32::from(!holders.is_empty());
            if let Some(is_right) = speaker_is_right(&text, &quote, &holders) {
                speakers += 1;
                speakers_right += u32::from(is_right);
            }
        }
    }
    let (precision, speaker) = (f64::from(right) / f64::from(found), f64::from(speakers_right) / f64::from(speakers));
    eprintln!(
        "PolNeAR {split}: {found} quotes, {precision:.3} in attributions; {speaker:.3} of {speakers} speakers right"
    );
    assert!(precision > 0.93 && speaker > 0.88);
}

/// The article of an annotation file: its name without the annotator.
fn article_of(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    stem.rsplit_once('_').map_or(stem.clone(), |(article, _)| article.to_string())
}
