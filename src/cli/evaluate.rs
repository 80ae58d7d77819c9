//! `detente evaluate`: how good predictions are, measured against hand labels.

use super::options::ModelArgs;
use super::{Outcome, predict};
use clap::{Args, Subcommand, ValueEnum};
use detente::error::{Error, Result};
use detente::evaluate::entities::Seen;
use detente::evaluate::resample::{Bootstrap, Interval};
use detente::evaluate::{attributions, conll, entities, quotes, records, rows, stance};
use detente::io::brat;
use detente::report::{self, Report, Style};
use detente::stance::StanceReader;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Compare predictions with gold labels: scores, each with a bootstrap interval over documents.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct EvaluateArgs {
    /// Prints the JSON schema of what `--report FILE.json` writes
    #[arg(long)]
    schema: bool,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Stance labels: accuracy, precision, recall, F1, MCC, kappa, three-way and two-way.
    Stance(StanceArgs),
    /// Entity spans: strict and conlleval-compatible F1 per type.
    Entities(EntityArgs),
    /// Quotes: exact and overlapping spans, cues, speakers.
    Quotes(QuoteArgs),
    /// Attributions of an annotated corpus: a quote model, or the corpus' other annotators, against its annotations.
    Attributions(AttributionArgs),
}

#[derive(Debug, Args)]
struct StanceArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    predictions: PredictionArgs,
    /// Labelled rows of other documents: adds probabilities calibrated on them; needs their predictions, or a model.
    #[arg(long, value_name = "FILE")]
    calibration_gold: Option<PathBuf>,
    /// The predictions for --calibration-gold.
    #[arg(long, value_name = "FILE", requires = "calibration_gold")]
    calibration_pred: Option<PathBuf>,
    /// Finds on --calibration-gold the least probability at which each class reaches this precision.
    #[arg(long, value_name = "SHARE", requires = "calibration_gold")]
    precision_at: Option<f64>,
    /// Labelled rows on which the bag-of-words baseline is trained.
    #[arg(long, value_name = "FILE")]
    baseline_train: Option<PathBuf>,
    /// Adds to the report which words drove the N surest wrong answers, by asking the model without each of them.
    #[arg(long, value_name = "N", requires = "model", requires = "report", num_args = 0..=1, default_missing_value = "25")]
    explain: Option<usize>,
}

#[derive(Debug, Args)]
struct EntityArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    predictions: PredictionArgs,
    /// Scores type FROM as type TO; `O` leaves it out. May be repeated.
    #[arg(long = "map", value_name = "FROM=TO")]
    map: Vec<String>,
    /// Training data: adds figures by whether an entity was seen there.
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// Column of the gold tag in CoNLL files, from 1; without it the last one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    gold_column: Option<u16>,
    /// Column of the predicted tag in CoNLL files, from 1; without it the last one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pred_column: Option<u16>,
}

#[derive(Debug, Args)]
struct QuoteArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// The predictions, in the same form.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["model", "find"])]
    pred: Option<PathBuf>,
    /// Folder of a quote model: finds the quotes in the texts of the gold records now, by it and by their marks.
    #[arg(long, value_name = "DIR", conflicts_with = "pred")]
    model: Option<PathBuf>,
    /// Finds the quotes in the texts of the gold records by their marks alone; no model is needed.
    #[arg(long, conflicts_with_all = ["pred", "model"])]
    find: bool,
    #[command(flatten)]
    models: ModelArgs,
}

/// Where predictions come from.
#[derive(Debug, Args)]
struct PredictionArgs {
    /// The predictions, in the same form.
    #[arg(long, value_name = "FILE", required_unless_present = "model")]
    pred: Option<PathBuf>,
    /// Folder of a model that makes the predictions now.
    #[arg(long, value_name = "DIR", conflicts_with = "pred")]
    model: Option<PathBuf>,
    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, Args)]
struct AttributionArgs {
    /// A folder of brat stand-off: `text/*.txt` and `attributions/<article>_<annotator>.ann`.
    #[arg(long, value_name = "DIR")]
    gold: PathBuf,
    /// The folder of the quote model; without it the second annotators are compared with the first.
    #[cfg(feature = "libtorch")]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    output: ReportArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// The hand-labelled file: rows (JSONL, CSV), records, or CoNLL for entities
    #[arg(long, value_name = "FILE")]
    gold: PathBuf,
    #[command(flatten)]
    output: ReportArgs,
}

/// What every command that ends in a report can be told.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Writes the report to FILE as well: `.html` is a page with figures and wrong answers, `.md` is for a pull request,
    /// `.tex` holds tables for a paper, `.json` every figure unrounded. May be repeated.
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// How many bootstrap resamples make an interval; 0 for none.
    #[arg(long, value_name = "N", default_value_t = Bootstrap::default().resamples)]
    resamples: u32,
    /// Seed of the resamples.
    #[arg(long, value_name = "N", default_value_t = Bootstrap::default().seed)]
    seed: u64,
    /// Which bootstrap interval.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = IntervalKind::Percentile)]
    interval: IntervalKind,
}

/// Kinds of bootstrap intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IntervalKind {
    /// The quantiles of the resamples
    Percentile,
    /// Corrected for bias and skew
    Bca,
}

impl ReportArgs {
    /// How intervals are made.
    pub fn bootstrap(&self) -> Bootstrap {
        let interval = match self.interval {
            IntervalKind::Percentile => Interval::Percentile,
            IntervalKind::Bca => Interval::Bca,
        };
        Bootstrap { resamples: self.resamples, seed: self.seed, interval, ..Bootstrap::default() }
    }

    /// Refuses a report in an unknown format before any work is done.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<()> {
        self.report.iter().try_for_each(|path| report::check_ending(path))
    }

    /// Prints `report` on standard output and writes it where asked.
    ///
    /// # Errors
    /// Io.
    pub fn show(&self, report: &Report) -> Result<()> {
        self.report.iter().try_for_each(|path| report.write(path))?;
        let style = if std::io::stdout().is_terminal() { Style::Terminal } else { Style::Plain };
        std::io::stdout().write_all(report.terminal(style).as_bytes())?;
        Ok(())
    }
}

impl EvaluateArgs {
    /// Evaluates, prints the report on standard output, and writes it where asked.
    ///
    /// # Errors
    /// Files that cannot be read, gold and predictions that do not fit each other, a report that cannot be written.
    pub fn run(self) -> Result<Outcome> {
        let Some(task) = self.task.filter(|_| !self.schema) else {
            std::io::stdout().write_all(report::JSON_SCHEMA.as_bytes())?;
            return Ok(Outcome::Done);
        };
        let output = match &task {
            Task::Stance(args) => &args.common.output,
            Task::Entities(args) => &args.common.output,
            Task::Quotes(args) => &args.common.output,
            Task::Attributions(args) => &args.output,
        };
        output.check()?;
        let report = match &task {
            Task::Stance(args) => evaluate_stance(args)?,
            Task::Entities(args) => evaluate_entities(args)?,
            Task::Quotes(args) => {
                let predicted = match &args.pred {
                    Some(path) => records::read(path)?,
                    None => predict::quotes(&args.common.gold, args.model.as_deref(), &args.models)?,
                };
                let meeting = records::meet(records::read(&args.common.gold)?, predicted)?;
                quotes::evaluate(&meeting, &args.common.output.bootstrap())
            }
            Task::Attributions(args) => evaluate_attributions(args)?,
        };
        output.show(&report)?;
        Ok(Outcome::Done)
    }
}

fn evaluate_attributions(args: &AttributionArgs) -> Result<Report> {
    let bootstrap = args.output.bootstrap();
    let articles = brat::read_articles(&args.gold)?;
    #[cfg(feature = "libtorch")]
    if let Some(folder) = &args.model {
        return attributions::evaluate(&by_model(articles, folder)?, &bootstrap);
    }
    attributions::evaluate(&by_second_annotator(articles), &bootstrap)
}

/// The articles that several annotated, the second annotator's work taken for a prediction.
fn by_second_annotator(articles: Vec<brat::Article>) -> Vec<attributions::Compared> {
    let compared = |article: brat::Article| {
        let mut annotations = article.annotations.into_iter().map(|(_, attributions)| attributions);
        let (gold, predicted) = (annotations.next()?, annotations.next()?);
        Some(attributions::Compared { id: article.document.id, text: article.document.text, gold, predicted })
    };
    articles.into_iter().filter_map(compared).collect()
}

#[cfg(feature = "libtorch")]
fn by_model(articles: Vec<brat::Article>, folder: &std::path::Path) -> Result<Vec<attributions::Compared>> {
    use detente::encoder::rust_bert::{EngineOptions, RustBert};
    let encoder = std::sync::Arc::new(RustBert::load(folder, &EngineOptions::default())?);
    let tagger = detente::quotes::model::QuoteTagger::from_folder(folder, encoder)?;
    let compared = |article: brat::Article| {
        let text = article.document.text;
        let found = tagger.find(&text)?;
        let predicted = detente::quotes::merge::snapped(&text, found);
        let gold = article.annotations.into_iter().next().map(|(_, gold)| gold).unwrap_or_default();
        Ok(attributions::Compared { id: article.document.id, text, gold, predicted })
    };
    articles.into_iter().map(compared).collect()
}

fn evaluate_stance(args: &StanceArgs) -> Result<Report> {
    let training = match &args.baseline_train {
        Some(path) => rows::read(path, rows::Side::Gold)?.rows,
        None => Vec::new(),
    };
    let met = met_rows(&args.common.gold, args.predictions.pred.as_deref(), &args.predictions)?;
    let settings = stance::Settings { bootstrap: args.common.output.bootstrap(), baseline_train: &training };
    let mut report = stance::evaluate(&met, &settings);
    if let Some(gold) = &args.calibration_gold {
        let other = met_rows(gold, args.calibration_pred.as_deref(), &args.predictions)?;
        stance::add_calibration(&mut report, &met, &other, args.precision_at, &settings.bootstrap)?;
    }
    report::add_stance(&mut report, &met);
    if let (Some(count), Some(folder)) = (args.explain, &args.predictions.model) {
        let models = &args.predictions.models;
        let reader = StanceReader::load(folder, models.encoder(folder)?)?;
        report::explain(&mut report, &reader, count, models.batch_tokens());
    }
    Ok(report)
}

/// Gold rows and their predictions, from a file or from the model.
fn met_rows(gold: &Path, pred: Option<&Path>, predictions: &PredictionArgs) -> Result<rows::MetRows> {
    let predicted = match (pred, &predictions.model) {
        (Some(path), _) => rows::read(path, rows::Side::Predicted)?,
        (None, Some(folder)) => predict::stance(gold, folder, &predictions.models)?,
        (None, None) => {
            return Err(Error::usage("there are no predictions for this file")
                .in_file(gold)
                .help("give them with --calibration-pred"));
        }
    };
    rows::meet(rows::read(gold, rows::Side::Gold)?, predicted)
}

fn evaluate_entities(args: &EntityArgs) -> Result<Report> {
    let names = entities::TypeNames::new(&args.map)?;
    let (common, predictions) = (&args.common, &args.predictions);
    let seen = match &args.train {
        Some(path) if records::are_records(path)? => Some(Seen::in_records(&records::read(path)?, &names)),
        Some(path) => Some(Seen::in_conll(&conll::read(path, args.gold_column.map(usize::from))?, &names)),
        None => None,
    };
    let settings = entities::Settings { names, bootstrap: common.output.bootstrap(), seen };
    if records::are_records(&common.gold)? {
        let gold = records::read(&common.gold)?;
        let predicted = match (&predictions.pred, &predictions.model) {
            (None, Some(folder)) => predict::entity_records(&gold, folder, &predictions.models)?,
            (path, _) => records::read(path.as_deref().unwrap_or(&common.gold))?,
        };
        let meeting = records::meet(gold, predicted)?;
        return Ok(entities::evaluate_records(&meeting, &settings));
    }
    let gold = conll::read(&common.gold, args.gold_column.map(usize::from))?;
    let predicted = match (&predictions.pred, &predictions.model) {
        (None, Some(folder)) => predict::tags(&common.gold, folder, &predictions.models)?,
        (path, _) => conll::read(path.as_deref().unwrap_or(&common.gold), args.pred_column.map(usize::from))?,
    };
    entities::evaluate_conll(&gold, &predicted, &settings)
}
