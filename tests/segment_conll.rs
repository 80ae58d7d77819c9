//! Words against the hand-made tokens of CoNLL-2003, where that corpus lies beside the repository.

use detente::document::Span;
use detente::text::segment::{sentences, words};
use std::path::PathBuf;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("DETENTE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        eprintln!("skipped: {path} is not in {} (set DETENTE_SHARED)", root.display());
    }
    text
}

#[test]
fn words_agree_with_conll_tokens() {
    let Some(text) = shared("corpora/conll2003/dev.txt") else { return };
    let (mut gold, mut hit, mut cut) = (0_u32, 0_u32, 0_u32);
    for sentence in text.split("\n\n") {
        let tokens: Vec<&str> = sentence.lines().filter_map(|line| line.split('\t').next()).collect();
        let joined = tokens.join(" ");
        let span = Span::new(0, joined.len());
        hit += words(&joined, span).iter().filter(|w| tokens.contains(&w.of(&joined))).count() as u32;
        gold += tokens.len() as u32;
        cut += u32::from(sentences(&joined, span).len() > 1);
    }
    let share = f64::from(hit) / f64::from(gold);
    eprintln!("{share:.4} of {gold} tokens found as they stand; {cut} sentences cut in two");
    assert!(share > 0.99);
}
