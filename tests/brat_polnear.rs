//! How well words carry the spans of the attribution corpus.

use detente::document::Span;
use detente::io::brat::read_articles;
use detente::quotes::tags::words_of;
use detente::text::segment::{paragraphs, words};
use std::path::PathBuf;

#[test]
fn gold_spans_fall_on_words() {
    let shared = std::env::var_os("DETENTE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let corpus = shared.join("corpora/polnear");
    if !corpus.is_dir() {
        println!("skipped: {} is not there", corpus.display());
        return;
    }
    let (mut spans, mut off) = (0usize, 0usize);
    for part in ["train", "dev", "test"] {
        for article in read_articles(&corpus.join(part)).unwrap() {
            let text = &article.document.text;
            let words: Vec<Span> = paragraphs(text).iter().flat_map(|p| words(text, *p)).collect();
            for (_, span) in article.attributions().iter().flat_map(|a| a.kinds()) {
                let span = span.trimmed(text);
                let inside = &words[words_of(&words, span)];
                let carried = inside.first().zip(inside.last()).map(|(a, b)| Span::new(a.start, b.end));
                spans += 1;
                off += usize::from(carried != Some(span));
            }
        }
    }
    println!("{off} of {spans} spans do not end where words do");
    assert!(spans > 60_000 && off * 200 < spans, "{off} of {spans}");
}
