//! Real articles, where they lie beside the repository: facts about them, none of their text.

use detente::document::{Evidence, Quote, QuoteKind};
use detente::quotes;
use std::path::PathBuf;

/// The folder of shared data, or none with a printed reason.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DETENTE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let folder = root.join(path);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("skipped: {} does not exist (set DETENTE_SHARED)", folder.display());
    None
}

fn quotes_of(folder: &std::path::Path, file: &str) -> (String, Vec<Quote>) {
    let text = std::fs::read_to_string(folder.join(file)).expect("a readable article");
    let found = quotes::find(&text);
    (text, found)
}

#[test]
fn all_direct_quotes_of_the_two_agency_articles() {
    let Some(folder) = shared("articles") else { return };
    for (file, cues, evidence) in [
        (
            "tass-2017-05-26-st-petersburg.txt",
            vec!["said", "said", "adding", "said", "said", "noted"],
            vec![
                Evidence::ShortName,
                Evidence::ShortName,
                Evidence::ShortName,
                Evidence::Pronoun,
                Evidence::ShortName,
                Evidence::Pronoun,
            ],
        ),
        (
            "tass-2018-10-18-sochi.txt",
            vec!["said", "pointed out", "added", "concluded"],
            vec![Evidence::ShortName, Evidence::Title, Evidence::Title, Evidence::Pronoun],
        ),
    ] {
        let (text, found) = quotes_of(&folder, file);
        let speakers: Vec<_> = found.iter().map(|q| q.speaker.as_ref().expect("a speaker")).collect();
        assert_eq!(found.iter().map(|q| q.cue.map_or("", |c| c.of(&text))).collect::<Vec<_>>(), cues);
        assert_eq!(speakers.iter().map(|s| s.evidence).collect::<Vec<_>>(), evidence);
        for (quote, speaker) in found.iter().zip(speakers) {
            assert_eq!((quote.kind, quote.parts.len()), (QuoteKind::Direct, 1));
            assert_eq!((speaker.name.as_str(), speaker.country.as_deref()), ("Vladimir Putin", Some("RU")));
            assert_eq!(speaker.role.as_deref(), Some("Russian President"));
        }
    }
}

#[test]
fn most_quotes_of_a_thousand_articles_have_a_speaker() {
    let Some(folder) = shared("corpora/worldwide-newswire-text") else { return };
    let files: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".txt"))
        .collect();
    let (mut total, mut named) = (0_u32, 0_u32);
    for file in &files {
        let bytes = std::fs::read(folder.join(file)).expect("a readable article");
        let text = String::from_utf8_lossy(&bytes);
        for quote in quotes::find(&text) {
            assert!(quote.parts.iter().all(|p| text.get(p.range()).is_some_and(|s| !s.trim().is_empty())));
            total += 1;
            named += u32::from(quote.speaker.is_ok());
        }
    }
    eprintln!("{} articles, {total} quotes, {named} with a speaker", files.len());
    assert!(total > 3000 && f64::from(named) > 0.93 * f64::from(total));
}
