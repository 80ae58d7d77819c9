//! How long a whole report takes: scores of 5,000 quotes with 10,000 resamples, then the page with its figures.

use detente::document::StanceLabel;
use detente::evaluate::rows::{MetRows, StanceRow};
use detente::evaluate::stance::{self, Settings};
use detente::report;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

const QUOTES: usize = 5000;
const SOURCES: usize = 6;
const SPEAKERS: usize = 60;
const WORDS: [&str; 12] =
    ["we", "will", "talk", "never", "peace", "border", "offer", "withdraw", "must", "ready", "agreement", "answer"];

fn main() {
    let (met, training) = (met(), rows(1, QUOTES));
    let start = Instant::now();
    let settings = Settings { baseline_train: &training, ..Settings::default() };
    let mut report = stance::evaluate(&met, &settings);
    let scored = start.elapsed();
    report::add_stance(&mut report, &met);
    let page = report.html().expect("a page");
    let pages = start.elapsed() - scored;
    println!(
        "{QUOTES} quotes: scores and baseline {:.2} s, curves, wrong answers and page ({} KB) {:.2} s, together {:.2} s",
        scored.as_secs_f64(),
        page.len() / 1000,
        pages.as_secs_f64(),
        (scored + pages).as_secs_f64()
    );
}

/// Gold rows, and answers of which three quarters are right.
fn met() -> MetRows {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let pair = |gold: StanceRow| {
        let right = random.random_bool(0.75);
        let label = gold.label.filter(|_| right).unwrap_or(StanceLabel::ALL[random.random_range(0..3)]);
        let sure = random.random_range(0.4..0.99);
        let mut probabilities = [(1.0 - sure) / 2.0; 3];
        probabilities[label as usize] = sure;
        let answer = StanceRow { label: Some(label), probabilities: Some(probabilities), ..gold.clone() };
        (gold, answer)
    };
    MetRows { pairs: rows(2, QUOTES).into_iter().map(pair).collect(), ..MetRows::default() }
}

fn rows(seed: u64, count: usize) -> Vec<StanceRow> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let row = |at: usize| {
        let words: Vec<&str> = (0..random.random_range(5..60)).map(|_| WORDS[random.random_range(0..12)]).collect();
        StanceRow {
            id: at.to_string(),
            document: (at / 2).to_string(),
            quote: words.join(" "),
            left: words.iter().rev().copied().collect::<Vec<_>>().join(" "),
            label: Some(StanceLabel::ALL[random.random_range(0..3)]),
            source: Some(format!("source {}", random.random_range(0..SOURCES))),
            speaker: Some(format!("speaker {}", random.random_range(0..SPEAKERS))),
            ..StanceRow::default()
        }
    };
    (0..count).map(row).collect()
}
