//! One run: train, score, and leave a folder that says all about it.
//!
//! ```text
//! bag-of-words/seed-1-fold-2/
//!     config.toml         everything that is needed to repeat it
//!     predictions.jsonl   one row scored a line: id, document, gold, prediction, probabilities; no text
//!     scores.json         every figure, unrounded
//!     run.json            code version, hashes of data and models, environment, times
//! ```
//!
//! The folder appears under its name only when it is complete. Until then it ends in `.partial`.

use super::data::{Row, Rows, Source};
use super::model::{self, Answers, Split};
use super::plan::{Part, Run};
use super::scores::{self, Judged, Prediction};
use super::spec::{Experiment, ModelKind, Setting};
use super::{folds, mlflow};
use crate::error::{Error, Result};
use crate::record::ModelStamp;
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The version of `run.json`'s shape.
pub const SCHEMA: &str = "detente.run/1";

const CONFIG: &str = "config.toml";
const PREDICTIONS: &str = "predictions.jsonl";
const SCORES: &str = "scores.json";
const RECORD: &str = "run.json";

/// What `config.toml` of a run holds: an experiment of a single setting, and the part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which part of the protocol.
    pub part: Part,
    /// The setting.
    pub setting: Setting,
    /// The experiment; of its settings this one alone.
    pub experiment: Experiment,
}

impl Config {
    fn new(experiment: &Experiment, run: &Run) -> Self {
        // Neither words, nor figures of others, nor other settings, seeds and sizes change what this run gives.
        let mut experiment =
            Experiment { about: String::new(), settings: Vec::new(), published: Vec::new(), ..experiment.clone() };
        experiment.protocol.seeds = vec![run.part.seed];
        experiment.protocol.sizes = run.part.size.into_iter().collect();
        Config { experiment, setting: run.setting.clone(), part: run.part.clone() }
    }
}

/// What `run.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA`].
    pub schema: String,
    /// Hash of configuration, data and base model: what the figures follow from.
    pub fingerprint: String,
    /// The program.
    pub program: Program,
    /// The files of the data, with their hashes.
    pub data: Vec<Source>,
    /// The model that training started from.
    pub base_model: Option<ModelStamp>,
    /// Hash of the trained model's folder.
    pub model_hash: Option<String>,
    /// Rows trained on, chosen by and scored.
    pub rows: RowCounts,
    /// Rows scored whose very text was in the training files.
    pub leaked: usize,
    /// Score on the development rows after each epoch.
    pub dev_scores: Vec<f64>,
    /// The machine.
    pub environment: IndexMap<String, String>,
    /// Start, in milliseconds since 1970.
    pub started: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Which program made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Version of the package.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        let commit = option_env!("DETENTE_COMMIT").unwrap_or("unknown");
        Program { version: env!("CARGO_PKG_VERSION").into(), commit: commit.into() }
    }
}

/// Rows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Trained on.
    pub train: usize,
    /// Chosen by.
    pub dev: usize,
    /// Scored.
    pub test: usize,
}

/// The figures of a run by name; none where one is not defined.
pub type Figures = IndexMap<String, Option<f64>>;

/// What happens, for whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Told<'a> {
    /// A run was finished before.
    Before(&'a Path),
    /// A run starts.
    Starts(&'a Path),
    /// A line of a training.
    Line(&'a str),
    /// A run is done, with these figures.
    Done(&'a Path, &'a Figures),
}

/// Makes runs of one experiment in one folder.
pub struct Runner<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its rows.
    pub rows: &'a Rows,
    /// The folder of its runs.
    pub folder: &'a Path,
    /// Whether trained models stay in the runs' folders.
    pub keep_models: bool,
}

impl Runner<'_> {
    /// Refuses settings that could not be run, before any is.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self, runs: &[Run]) -> Result<()> {
        runs.iter().try_for_each(|run| model::check(&run.setting))
    }

    /// Makes `run`, unless its folder is there and complete.
    ///
    /// # Errors
    /// When the folder holds a run of other settings or data, and when training or writing fails.
    pub fn run(&self, run: &Run, tell: &mut dyn FnMut(Told)) -> Result<()> {
        let folder = self.folder.join(run.folder());
        let config = Config::new(self.experiment, run);
        let base_model = model::base(&run.setting).map(|base| crate::models::stamp(&base)).transpose()?;
        let fingerprint = fingerprint(&config, &self.rows.sources, base_model.as_ref())?;
        if folder.exists() {
            let before: RunRecord = read_json(&folder.join(RECORD))?;
            if before.fingerprint != fingerprint {
                return Err(Error::usage("a run with other settings, data or base model is there")
                    .in_file(&folder)
                    .help("choose another --output, or move the folder away"));
            }
            tell(Told::Before(&folder));
            return Ok(());
        }
        tell(Told::Starts(&folder));
        let partial = folder.with_extension("partial");
        begin(&partial, &config)?;
        let (started, clock) = (milliseconds(), Instant::now());
        let split = split(self.experiment, self.rows, run);
        let model_folder = partial.join("model");
        let mut say = |line: &str| tell(Told::Line(line));
        let answers = model::answers(self.experiment, &run.setting, run.part.seed, &split, &model_folder, &mut say)?;
        if !self.keep_models && model_folder.exists() {
            std::fs::remove_dir_all(&model_folder).map_err(|e| Error::from(e).in_file(&model_folder))?;
        }
        let record = RunRecord {
            schema: SCHEMA.into(),
            fingerprint,
            program: Program::this(),
            data: self.rows.sources.clone(),
            base_model,
            model_hash: answers.model_hash.clone(),
            rows: RowCounts { train: split.train.len(), dev: split.dev.len(), test: split.test.len() },
            leaked: self.rows.leaked(),
            dev_scores: answers.dev_scores.clone(),
            environment: environment(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
        };
        let figures = self.write(&partial, &split.test, &answers, &record)?;
        mlflow::write(self.folder, &folder, &config, &record, &figures)?;
        std::fs::rename(&partial, &folder).map_err(|e| Error::from(e).in_file(&folder))?;
        tell(Told::Done(&folder, &figures));
        Ok(())
    }

    fn write(&self, folder: &Path, test: &[Row], answers: &Answers, record: &RunRecord) -> Result<Figures> {
        let classes = self.experiment.classes();
        let predictions = scores::predictions(test, &answers.probabilities, classes);
        let lines: Vec<String> =
            predictions.iter().map(|p| serde_json::to_string(p).unwrap_or_default() + "\n").collect();
        write(&folder.join(PREDICTIONS), &lines.concat())?;
        let judged: Vec<Judged> = predictions.iter().map(|p| p.judged(classes)).collect::<Result<_>>()?;
        let figures = scores::figures(&judged, classes.len(), two_way(self.experiment));
        write_json(&folder.join(SCORES), &figures)?;
        write_json(&folder.join(RECORD), record)?;
        Ok(figures)
    }
}

/// The numbers of the two classes that are scored by themselves.
pub(super) fn two_way(experiment: &Experiment) -> Option<[usize; 2]> {
    let number = |name: &String| experiment.classes().iter().position(|class| class == name);
    let [one, other] = experiment.protocol.two_way.as_ref()?;
    Some([number(one)?, number(other)?])
}

/// Opens the folder of an unfinished run; what another configuration left there is thrown away.
fn begin(partial: &Path, config: &Config) -> Result<()> {
    let text = toml::to_string_pretty(config).map_err(|e| Error::io(e.to_string()).in_file(partial))?;
    let place = partial.join(CONFIG);
    if partial.exists() && std::fs::read_to_string(&place).ok().as_ref() != Some(&text) {
        std::fs::remove_dir_all(partial).map_err(|e| Error::from(e).in_file(partial))?;
    }
    std::fs::create_dir_all(partial).map_err(|e| Error::from(e).in_file(partial))?;
    write(&place, &text)
}

/// The rows of `run`.
fn split(experiment: &Experiment, rows: &Rows, run: &Run) -> Split {
    let (classes, part) = (experiment.classes().len(), &run.part);
    let (train, test) = match (experiment.protocol.folds, part.fold) {
        (Some(folds), Some(fold)) => {
            let fold_of = folds::stratified(&rows.train, classes, folds, Some(part.seed));
            let of = |wanted: bool| {
                let pairs = rows.train.iter().zip(&fold_of);
                pairs.filter(|(_, of)| (**of + 1 == fold) == wanted).map(|(row, _)| row.clone()).collect()
            };
            (of(false), of(true))
        }
        _ => (rows.train.clone(), rows.test.clone()),
    };
    let train: Vec<Row> = match part.size {
        Some(size) => folds::subset(train, size, part.seed),
        None => train,
    };
    let (train, dev) = match run.setting.model {
        model if !model.needs_dev() => (train, Vec::new()),
        _ if !rows.dev.is_empty() => (train, rows.dev.clone()),
        _ => folds::held_out(train, classes, experiment.protocol.dev_share, part.seed),
    };
    Split { train, dev, test }
}

fn fingerprint(config: &Config, sources: &[Source], base: Option<&ModelStamp>) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(toml::to_string(config).map_err(|e| Error::io(e.to_string()))?);
    sources.iter().for_each(|source| hash.update(&source.sha256));
    hash.update(base.map_or("", |base| &base.hash));
    Ok(hex::encode(hash.finalize()))
}

fn milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What figures may depend on beside code, data and settings.
fn environment() -> IndexMap<String, String> {
    let threads = rayon::current_num_threads().to_string();
    #[cfg(feature = "libtorch")]
    let engine = {
        let engine = crate::encoder::rust_bert::device::Engine::detect();
        format!("libtorch {} through rust-bert {}", engine.libtorch, engine.rust_bert)
    };
    #[cfg(not(feature = "libtorch"))]
    let engine = "none".to_string();
    let pairs = [
        ("system", std::env::consts::OS.to_string()),
        ("architecture", std::env::consts::ARCH.to_string()),
        ("threads", threads),
        ("engine", engine),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// A complete run that was read back.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its figures.
    pub figures: Figures,
    /// What it says of itself.
    pub record: RunRecord,
    pub(super) predictions: Vec<Judged>,
}

/// The complete runs under `folder`, in the order of their paths.
///
/// # Errors
/// When a file of one cannot be read.
pub fn finished(folder: &Path) -> Result<Vec<Finished>> {
    if !folder.is_dir() {
        return Err(Error::usage("there is no such folder").in_file(folder).help("name the folder of an experiment"));
    }
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().max_depth(3);
    let complete = |path: &Path| path.join(RECORD).is_file() && path.extension().is_none_or(|e| e != "partial");
    let folders = walk.into_iter().filter_map(|entry| entry.ok().map(walkdir::DirEntry::into_path));
    folders.filter(|path| path.is_dir() && complete(path)).map(|path| read(&path)).collect()
}

/// The complete run in `folder`.
///
/// # Errors
/// When a file of it is missing or cannot be read.
pub fn read(folder: &Path) -> Result<Finished> {
    let place = folder.join(CONFIG);
    let text = std::fs::read_to_string(&place)
        .map_err(|e| Error::usage(e.to_string()).in_file(&place).help("name the folder of a finished run"))?;
    let config: Config =
        toml::from_str(&text).map_err(|e| Error::usage(e.to_string().trim().to_string()).in_file(&place))?;
    let place = folder.join(PREDICTIONS);
    let lines = std::fs::read_to_string(&place).map_err(|e| Error::from(e).in_file(&place))?;
    let classes = config.experiment.classes();
    let judged = |(at, line): (usize, &str)| {
        let prediction: Prediction = serde_json::from_str(line).map_err(|e| Error::document(e.to_string()))?;
        prediction.judged(classes).map_err(|error| error.at_line(at as u64 + 1))
    };
    let predictions = lines.lines().enumerate().map(judged).collect::<Result<_>>();
    Ok(Finished {
        predictions: predictions.map_err(|error| error.in_file(&place))?,
        figures: read_json(&folder.join(SCORES))?,
        record: read_json(&folder.join(RECORD))?,
        folder: folder.to_path_buf(),
        config,
    })
}

/// A run that was made again.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// As it was.
    pub before: Finished,
    /// As it is now.
    pub now: Finished,
}

/// Figures that differ by less are the same: sums in another order.
const SAME: f64 = 1e-9;

impl Repeated {
    /// The figures that differ: name, before, now.
    pub fn differences(&self) -> Vec<(&str, Option<f64>, Option<f64>)> {
        let differ = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() > SAME,
            (a, b) => a.is_some() != b.is_some(),
        };
        let pairs = self
            .before
            .figures
            .iter()
            .map(|(name, before)| (name.as_str(), *before, self.now.figures.get(name).copied().flatten()));
        pairs.filter(|(_, before, now)| differ(*before, *now)).collect()
    }

    /// What is not as it was, in sentences.
    pub fn changes(&self) -> Vec<String> {
        let (before, now) = (&self.before.record, &self.now.record);
        let mut changes = Vec::new();
        if before.program != now.program {
            let of = |program: &Program| format!("{} ({})", program.version, program.commit);
            changes.push(format!("the program was {}, now it is {}", of(&before.program), of(&now.program)));
        }
        for (old, new) in before.data.iter().zip(&now.data).filter(|(old, new)| old.sha256 != new.sha256) {
            changes.push(format!("{} is another file than {}", new.path.display(), old.path.display()));
        }
        if before.base_model != now.base_model {
            changes.push("the base model is another one".into());
        }
        for (name, old) in &before.environment {
            let new = now.environment.get(name).map_or("unknown", String::as_str);
            if new != old {
                changes.push(format!("{name} was {old}, now it is {new}"));
            }
        }
        changes
    }
}

/// Makes the run in `folder` again, into `output`.
///
/// # Errors
/// As [`read`] and [`Runner::run`].
pub fn repeat(folder: &Path, output: &Path, tell: &mut dyn FnMut(Told)) -> Result<Repeated> {
    let before = read(folder)?;
    let experiment = &before.config.experiment;
    let rows = Rows::read(experiment)?;
    let runner = Runner { experiment, rows: &rows, folder: output, keep_models: false };
    let run = Run { setting: before.config.setting.clone(), part: before.config.part.clone() };
    runner.check(std::slice::from_ref(&run))?;
    runner.run(&run, tell)?;
    let now = read(&output.join(run.folder()))?;
    Ok(Repeated { before, now })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::from(e).in_file(path))?;
    serde_json::from_str(&text).map_err(|e| Error::document(e.to_string()).in_file(path))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::io(e.to_string()).in_file(path))?;
    write(path, &(text + "\n"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|e| Error::from(e).in_file(path))
}

impl std::fmt::Display for ModelKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ModelKind::BagOfWords => "bag_of_words",
            ModelKind::Transformer => "transformer",
        })
    }
}
