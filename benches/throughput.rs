//! How fast it is, each figure from this one run: `cargo bench --bench throughput`.
//!
//! Tokenization, encoder and whole pipeline in f32 and bf16, and rust-bert's own pipelines with the same weights on the same
//! texts, which are read as often as it takes to make 200 documents. `DETENTE_BENCH_TEXT=FOLDER` reads other articles than
//! those of `datasets/wire`; `DETENTE_BENCH_SECONDS` says how long each row is measured at least (3).

use detente::document::Document;
use detente::encoder::rust_bert::device::{Device, Precision};
use detente::encoder::rust_bert::{EngineOptions, RustBert};
use detente::encoder::{Input, batches};
use detente::entities::EntityTagger;
use detente::error::{Error, Result};
use detente::pipeline::{BATCH_TOKENS, Pipeline, QuoteChoice};
use detente::quotes::model::QuoteTagger;
use detente::stance::{StanceReader, context};
use detente::text::segment::{paragraphs, sentences, words};
use detente::tokens::Tokens;
use rayon::prelude::*;
use rust_bert::pipelines::common::ModelType;
use rust_bert::pipelines::sequence_classification::{SequenceClassificationConfig, SequenceClassificationModel};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stock::{StockEntities, StockFiles, stock_error};

mod stock;

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];
const MARKS: &str = "detente quotes --quotes direct (no model)";
const STOCK_NER: &str = "rust-bert's own NER pipeline, f32";
const STOCK_CLASSIFICATION: &str = "rust-bert's own classification pipeline on the quotes, f32";

fn main() -> Result<()> {
    // `cargo test --benches` runs this too; measuring is not testing.
    if !std::env::args().any(|a| a == "--bench") {
        println!("throughput: run with `cargo bench --bench throughput`");
        return Ok(());
    }
    let different = different_documents()?;
    let rounds = LEAST_DOCUMENTS.div_ceil(different.len().max(1));
    let documents: Vec<Document> = std::iter::repeat_n(different.clone(), rounds).flatten().collect();
    let models = Models::find()?;
    let mut table = Table::new(&documents);
    stages(&mut table, &models, &documents)?;
    stock(&mut table, &models, &different, rounds)?;
    whole(&mut table, &models, &documents)?;
    table.ratios();
    Ok(())
}

/// The folders of the three models.
struct Models {
    entities: PathBuf,
    quotes: PathBuf,
    stance: PathBuf,
}

impl Models {
    fn find() -> Result<Self> {
        let find = |name| detente::models::find(name, None);
        Ok(Models { entities: find("entities")?, quotes: find("quotes")?, stance: find("stance")? })
    }

    fn tagger(&self, precision: Precision) -> Result<EntityTagger> {
        EntityTagger::new(Tokens::from_folder(&self.entities)?, load(&self.entities, precision)?)
    }

    fn reported(&self, precision: Precision) -> Result<QuoteTagger> {
        QuoteTagger::from_folder(&self.quotes, load(&self.quotes, precision)?)
    }

    fn reader(&self, precision: Precision) -> Result<StanceReader> {
        StanceReader::load(&self.stance, load(&self.stance, precision)?)
    }
}

/// Each stage for itself.
fn stages(table: &mut Table, models: &Models, documents: &[Document]) -> Result<()> {
    let tokens = Tokens::from_folder(&models.entities)?;
    let inputs = entity_inputs(&tokens, documents)?;
    table.row("tokenization", || entity_inputs(&tokens, documents).map(|i| count(&i)))?;
    for precision in PRECISIONS {
        let engine = load(&models.entities, precision)?;
        table.row(&format!("encoder, {precision}"), || {
            batches::logits(engine.as_ref(), &inputs, BATCH_TOKENS).map(|_| count(&inputs))
        })?;
    }
    let marks = Pipeline { quotes: QuoteChoice::Direct, ..Pipeline::default() };
    table.row(MARKS, || run(&marks, documents))?;
    for precision in PRECISIONS {
        let pipeline = Pipeline { entities: Some(models.tagger(precision)?), ..Pipeline::default() };
        table.row(&format!("detente entities, {precision}"), || run(&pipeline, documents))?;
        let reported = Some(models.reported(precision)?);
        let pipeline = Pipeline { quotes: QuoteChoice::All, reported, ..Pipeline::default() };
        table.row(&format!("detente quotes, {precision}"), || run(&pipeline, documents))?;
        let stance = Some(models.reader(precision)?);
        let pipeline = Pipeline { quotes: QuoteChoice::Direct, stance, ..Pipeline::default() };
        table.row(&format!("detente direct quotes and stance, {precision}"), || run(&pipeline, documents))?;
    }
    Ok(())
}

/// rust-bert's pipelines with the same weights, all cores for each of their batches, as they come; `documents` are given to
/// them `rounds` times, since its NER pipeline panics on many texts at once.
fn stock(table: &mut Table, models: &Models, documents: &[Document], rounds: usize) -> Result<()> {
    tch::set_num_threads(i32::try_from(rayon::current_num_threads()).unwrap_or(1));
    let ner = StockEntities::load(&models.entities)?;
    let paragraphs = all_paragraphs(documents);
    let tokens = count(&entity_inputs(&Tokens::from_folder(&models.entities)?, documents)?);
    let texts: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    table.row(STOCK_NER, || {
        // It does not say how many tokens it read; those of detente's windows stand for them.
        for _ in 0..rounds {
            ner.tokens(&texts);
        }
        Ok(tokens * rounds as u64)
    })?;
    let quotes = quoted(documents);
    let classification = StockStance::load(&models.stance)?;
    table.row(STOCK_CLASSIFICATION, || Ok((0..rounds).map(|_| classification.run(&quotes)).sum()))?;
    // One libtorch thread for each of rayon's: batches run side by side instead of one matrix product on all cores.
    tch::set_num_threads(1);
    Ok(())
}

/// The whole of `detente classify`, with and without the quote model.
fn whole(table: &mut Table, models: &Models, documents: &[Document]) -> Result<()> {
    for precision in PRECISIONS {
        let direct = Pipeline {
            entities: Some(models.tagger(precision)?),
            quotes: QuoteChoice::Direct,
            stance: Some(models.reader(precision)?),
            ..Pipeline::default()
        };
        table.row(&format!("detente classify --quotes direct, {precision}"), || run(&direct, documents))?;
        let all = Pipeline { quotes: QuoteChoice::All, reported: Some(models.reported(precision)?), ..direct };
        table.row(&format!("detente classify, {precision}"), || run(&all, documents))?;
    }
    Ok(())
}

/// Rows of one run, printed as they come.
struct Table {
    documents: usize,
    seconds: Duration,
    rows: Vec<(String, f64)>,
}

impl Table {
    fn new(documents: &[Document]) -> Self {
        let words: usize = documents.iter().map(|d| d.text.split_whitespace().count()).sum();
        println!("{} documents, {words} words, {} threads\n", documents.len(), rayon::current_num_threads());
        println!("{:<58} {:>12} {:>12}", "", "documents/s", "tokens/s");
        let seconds = std::env::var("DETENTE_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(3.0);
        Table { documents: documents.len(), seconds: Duration::from_secs_f64(seconds), rows: Vec::new() }
    }

    /// Runs `work`, which returns the tokens it read, once unmeasured, then until the time is over.
    fn row(&mut self, name: &str, mut work: impl FnMut() -> Result<u64>) -> Result<()> {
        work()?;
        let (started, mut runs, mut tokens) = (Instant::now(), 0, 0);
        while started.elapsed() < self.seconds {
            tokens += work()?;
            runs += 1;
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = (runs * self.documents) as f64 / seconds;
        println!("{name:<58} {rate:>12.1} {:>12.0}", tokens as f64 / seconds);
        self.rows.push((name.into(), rate));
        Ok(())
    }

    /// How many times faster than rust-bert's own pipelines, by documents, and what the quote model costs.
    fn ratios(&self) {
        let rate = |name: &str| self.rows.iter().find(|row| row.0 == name).map_or(f64::NAN, |row| row.1);
        println!();
        for (own, stock) in
            [("detente entities", STOCK_NER), ("detente direct quotes and stance", STOCK_CLASSIFICATION)]
        {
            for precision in PRECISIONS {
                let own = format!("{own}, {precision}");
                println!("{own}: {:.2} × the documents of {stock}", rate(&own) / rate(stock));
            }
        }
        for precision in PRECISIONS {
            let seconds = |name: &str| 1.0 / rate(&format!("{name}, {precision}"));
            let added = seconds("detente quotes") - 1.0 / rate(MARKS);
            println!(
                "quote model, {precision}: adds {:.2} × the time of the entity model; whole pipeline {:.1} ms a document without it, {:.1} with it",
                added / seconds("detente entities"),
                1e3 * seconds("detente classify --quotes direct"),
                1e3 * seconds("detente classify"),
            );
        }
    }
}

/// At least so many documents are read at once, over again where there are fewer: with a handful of batches, the last one leaves
/// all processors but one idle.
const LEAST_DOCUMENTS: usize = 200;

fn different_documents() -> Result<Vec<Document>> {
    let Some(folder) = std::env::var_os("DETENTE_BENCH_TEXT").map(PathBuf::from) else {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/wire/wire.jsonl");
        let text = std::fs::read_to_string(&file).map_err(|e| Error::from(e).in_file(&file))?;
        let records = text.lines().map(serde_json::from_str::<detente::record::Record>);
        return records
            .map(|r| {
                r.map(|r| Document::new(r.id, r.text.unwrap_or_default())).map_err(|e| Error::usage(e.to_string()))
            })
            .collect();
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?.flatten().map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "txt"));
    files.sort();
    files.truncate(200);
    files.iter().map(|f| Ok(Document::new(f.display().to_string(), std::fs::read_to_string(f)?))).collect()
}

fn load(folder: &Path, precision: Precision) -> Result<Arc<RustBert>> {
    RustBert::load(folder, &EngineOptions { device: Device::Cpu, precision }).map(Arc::new)
}

fn entity_inputs(tokens: &Tokens, documents: &[Document]) -> Result<Vec<Input>> {
    let windows: Vec<Vec<Input>> = documents
        .par_iter()
        .map(|d| {
            let parts: Vec<_> = paragraphs(&d.text).into_iter().flat_map(|p| sentences(&d.text, p)).collect();
            let words: Vec<_> = parts.iter().flat_map(|s| words(&d.text, *s)).collect();
            let starts: Vec<usize> = parts.iter().map(|s| s.start).collect();
            let windows = tokens.windows_with_breaks(&d.text, &words, &starts)?;
            Ok(windows.into_iter().map(|w| w.input).collect())
        })
        .collect::<Result<_>>()?;
    Ok(windows.into_iter().flatten().collect())
}

fn count(inputs: &[Input]) -> u64 {
    inputs.iter().map(|i| i.ids.len() as u64).sum()
}

fn run(pipeline: &Pipeline, documents: &[Document]) -> Result<u64> {
    pipeline.run(documents).into_iter().map(|a| a.map(|a| a.usage.tokens)).sum()
}

fn all_paragraphs(documents: &[Document]) -> Vec<String> {
    documents.iter().flat_map(|d| paragraphs(&d.text).into_iter().map(|p| p.of(&d.text).to_string())).collect()
}

/// Each quote with the context that the stance model reads, as one text.
fn quoted(documents: &[Document]) -> Vec<String> {
    let of_document = |document: &Document| -> Vec<String> {
        let paragraphs = paragraphs(&document.text);
        let quotes = detente::quotes::find(&document.text);
        let pair = |quote| context::of_quote(&document.text, &paragraphs, None, quote).text().pair();
        quotes.iter().map(pair).map(|(quote, context)| format!("{quote} {context}")).collect()
    };
    documents.iter().flat_map(of_document).collect()
}

struct StockStance(SequenceClassificationModel);

impl StockStance {
    fn load(folder: &Path) -> Result<Self> {
        let files = StockFiles::new(folder)?;
        let mut config = SequenceClassificationConfig::new(
            ModelType::Bert,
            files.model(),
            files.config(),
            files.vocabulary(),
            None,
            true,
            None,
            None,
        );
        config.device = tch::Device::Cpu;
        SequenceClassificationModel::new(config).map(StockStance).map_err(stock_error)
    }

    /// As a user with a list of texts would call it, 64 at a time.
    fn run(&self, texts: &[String]) -> u64 {
        for batch in texts.chunks(64) {
            self.0.predict(batch.iter().map(String::as_str).collect::<Vec<_>>());
        }
        texts.iter().map(|t| t.split_whitespace().count() as u64).sum()
    }
}
