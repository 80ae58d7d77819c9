//! `detente evaluate --model`: predictions made on the spot, in the form in which `--pred` would have brought them.

use super::options::ModelArgs;
use detente::entities::EntityTagger;
use detente::error::{Error, Result};
use detente::evaluate::conll::{self, ConllFile};
use detente::evaluate::rows::{self, Side, StanceRows};
use detente::evaluate::{predict, records};
use detente::io::output::Output;
use detente::io::read::ReadOptions;
use detente::io::source::Format;
use detente::pipeline::{Pipeline, QuoteChoice, columns, rows as stance_rows};
use detente::quotes::model::QuoteTagger;
use detente::record::Record;
use detente::stance::StanceReader;
use detente::tokens::Tokens;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Stance of the gold rows, or of the gold quotes where `gold` holds records.
pub fn stance(gold: &Path, folder: &Path, models: &ModelArgs) -> Result<StanceRows> {
    let reader = StanceReader::load(folder, models.encoder(folder)?)?.allow_neutral(true);
    if let Some(gold) = rows::read(gold, Side::Gold)?.records {
        let pipeline = Pipeline { stance: Some(reader), batch_tokens: models.batch_tokens(), ..Pipeline::default() };
        let predicted = predict::stance_of_gold_quotes(&gold, &pipeline)?;
        return Ok(StanceRows { records: Some(predicted), ..StanceRows::default() });
    }
    let (_folder, path) = scratch(gold)?;
    let mut output = Output::file(&path)?;
    let task = stance_rows::StanceRows {
        reader: &reader,
        quote_field: "quote",
        batch_tokens: models.batch_tokens(),
        on_failure: &|error| eprintln!("failed: {error}"),
    };
    task.run(gold, &ReadOptions::default(), &mut output)?;
    output.finish()?;
    rows::read(&path, Side::Predicted)
}

/// Entities of the texts of gold records.
pub fn entity_records(gold: &[Record], folder: &Path, models: &ModelArgs) -> Result<Vec<Record>> {
    let entities = Some(tagger(folder, models)?);
    predict::records(gold, &Pipeline { entities, batch_tokens: models.batch_tokens(), ..Pipeline::default() })
}

/// Tags of the words of a CoNLL file.
pub fn tags(gold: &Path, folder: &Path, models: &ModelArgs) -> Result<ConllFile> {
    let tagger = tagger(folder, models)?;
    let (_folder, path) = scratch(Path::new("predictions.conll"))?;
    let mut output = Output::file(&path)?;
    let options = ReadOptions { format: Some(Format::Conll), ..ReadOptions::default() };
    columns::tag(gold, &options, &tagger, &mut output)?;
    output.finish()?;
    conll::read(&path, None)
}

/// Quotes found in the texts of gold records, by their marks and, where a quote model's `folder` is given, by it.
pub fn quotes(gold: &Path, folder: Option<&Path>, models: &ModelArgs) -> Result<Vec<Record>> {
    let tagger = |folder: &Path| QuoteTagger::from_folder(folder, models.encoder(folder)?);
    let reported = folder.map(tagger).transpose()?;
    let (quotes, batch_tokens) = (QuoteChoice::All, models.batch_tokens());
    let pipeline = Pipeline { quotes, reported, batch_tokens, ..Pipeline::default() };
    predict::records(&records::read(gold)?, &pipeline)
}

fn tagger(folder: &Path, models: &ModelArgs) -> Result<EntityTagger> {
    EntityTagger::new(Tokens::from_folder(folder)?, models.encoder(folder)?)
}

/// A place for predictions in the format of `gold`; it goes with the folder.
fn scratch(gold: &Path) -> Result<(TempDir, PathBuf)> {
    let folder = TempDir::new().map_err(Error::from)?;
    let name = gold.file_name().map_or_else(|| "predictions".into(), |name| name.to_string_lossy().into_owned());
    let path = folder.path().join(name.trim_end_matches(".gz").trim_end_matches(".zst"));
    Ok((folder, path))
}
