//! rust-bert's own NER pipeline over JSON lines: one system of `scripts/throughput/peers.py`, which starts it.

use detente::error::{Error, Result};
use detente::text::segment::paragraphs;
use rust_bert::pipelines::token_classification::Token;
use serde_json::{Value, json};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use stock::StockEntities;

mod stock;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [model, input, output] = &arguments[..] else {
        println!("stock_entities: scripts/throughput/peers.py runs it, with MODEL INPUT OUTPUT");
        return Ok(());
    };
    let ner = StockEntities::load(Path::new(model))?;
    let mut file = std::fs::File::create(output)?;
    for line in std::fs::read_to_string(input)?.lines() {
        let row: Value = serde_json::from_str(line).map_err(|e| Error::usage(e.to_string()))?;
        let text = row["text"].as_str().unwrap_or_default();
        // It panics on some texts; such a document is told and counted.
        let found = catch_unwind(AssertUnwindSafe(|| entities(&ner, text)));
        match found {
            Ok(entities) => writeln!(file, "{}", json!({"id": row["id"], "entities": entities}))?,
            Err(_) => writeln!(file, "{}", json!({"id": row["id"], "error": "panicked"}))?,
        }
    }
    Ok(())
}

/// Start, end (characters of `text`) and type of each name.
fn entities(ner: &StockEntities, text: &str) -> Vec<(usize, usize, String)> {
    let paragraphs = paragraphs(text);
    let texts: Vec<&str> = paragraphs.iter().map(|p| p.of(text)).collect();
    let mut found = Vec::new();
    for (paragraph, words) in paragraphs.iter().zip(ner.tokens(&texts)) {
        let start = text.get(..paragraph.start).map_or(0, |before| before.chars().count());
        found.extend(joined(&words).into_iter().map(|(from, to, kind)| (start + from, start + to, kind)));
    }
    found
}

/// Words whose labels begin and continue a name, as one.
fn joined(words: &[Token]) -> Vec<(usize, usize, String)> {
    let mut names: Vec<(usize, usize, String)> = Vec::new();
    let mut inside = false;
    for word in words {
        let Some((tag, kind)) = word.label.split_once('-') else {
            inside = false;
            continue;
        };
        let Some(offset) = word.offset.as_ref() else { continue };
        let (start, end) = (offset.begin as usize, offset.end as usize);
        match names.last_mut() {
            Some(name) if inside && tag == "I" && name.2 == kind => name.1 = end,
            _ => names.push((start, end, kind.to_string())),
        }
        inside = true;
    }
    names
}
