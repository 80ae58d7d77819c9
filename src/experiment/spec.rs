//! The experiment file: which data, which protocol, which settings.

use super::plan::slug;
use crate::document::StanceLabel;
use crate::error::{Error, Result};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What `detente experiment run` reads. Paths count from the folder in which the command is started.
///
/// ```
/// use detente::experiment::spec::Experiment;
/// let file = r#"
///     name = "border talks"
///     task = "stance"
///     [data]
///     train = ["quotes.jsonl"]
///     [protocol]
///     folds = 5
///     seeds = [1, 2]
///     [[settings]]
///     name = "bag of words"
///     model = "bag_of_words"
/// "#;
/// let experiment = Experiment::parse(file)?;
/// assert_eq!(experiment.classes(), ["conciliatory", "firm", "neutral"]);
/// # Ok::<(), detente::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name: the folder of its runs, and what MLflow calls it.
    pub name: String,
    /// What it is about, in a sentence.
    #[serde(default)]
    pub about: String,
    /// What is classified.
    pub task: TaskKind,
    /// The rows.
    pub data: Data,
    /// What is trained on and scored on what, and how often.
    #[serde(default)]
    pub protocol: Protocol,
    /// What is compared.
    pub settings: Vec<toml::Table>,
    /// Figures of others on the same data, printed beside ours.
    #[serde(default)]
    pub published: Vec<Published>,
}

/// What is classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Quotes as conciliatory, firm or neutral; fields are named as in `detente stance`.
    Stance,
    /// Texts under classes that the file names.
    Labels,
}

/// Files of rows (JSONL, CSV, TSV; also `.gz` and `.zst`), and which field is what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Rows to learn from; with folds, all rows.
    pub train: Vec<PathBuf>,
    /// Rows that choose among epochs; a share of the training documents where there are none.
    #[serde(default)]
    pub dev: Vec<PathBuf>,
    /// Rows that are scored; none with folds.
    #[serde(default)]
    pub test: Vec<PathBuf>,
    /// Names of the columns of CSV and TSV files without a header.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Field of the text; `quote` for stance, else `text`.
    #[serde(default)]
    pub text: Option<String>,
    /// Field of what stands before the text; a transformer reads it with the text as a pair. `left` for stance.
    #[serde(default)]
    pub left: Option<String>,
    /// Field of what stands after the text; `right` for stance.
    #[serde(default)]
    pub right: Option<String>,
    /// Field of the label; `label` when absent.
    #[serde(default)]
    pub label: Option<String>,
    /// Field of the id; `id` where the rows have it, else the place in the file.
    #[serde(default)]
    pub id: Option<String>,
    /// Field of the document, which is never split between folds; `doc` or `document` where the rows have it.
    #[serde(default)]
    pub document: Option<String>,
    /// The classes, in their order; those of stance need no naming.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The class of each label; rows with other labels are left out. Without it labels are classes.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
}

/// What is trained on and scored on what, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Folds of cross-validation, whole documents each; without it `data.test` is scored.
    #[serde(default)]
    pub folds: Option<usize>,
    /// Each seed draws folds, subsets, dev documents and starting weights anew.
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// Training rows of a learning curve, smaller sets inside larger ones; all rows are always tried too.
    #[serde(default)]
    pub sizes: Vec<usize>,
    /// Share of training rows, whole documents, that choose among epochs where `data.dev` is empty.
    #[serde(default = "a_tenth")]
    pub dev_share: f64,
    /// Two classes that are scored once more by themselves: gold rows of either, by the more probable of the two.
    #[serde(default)]
    pub two_way: Option<[String; 2]>,
}

fn one_seed() -> Vec<u64> {
    vec![1]
}

fn a_tenth() -> f64 {
    0.1
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol { folds: None, seeds: one_seed(), sizes: Vec::new(), dev_share: a_tenth(), two_way: None }
    }
}

/// One point of a grid: a model and its options, under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// What it is called in tables and folders.
    pub name: String,
    /// What kind of model.
    pub model: ModelKind,
    /// Its options.
    #[serde(default)]
    pub options: toml::Table,
}

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// TF-IDF with logistic regression; has no options.
    BagOfWords,
    /// A transformer, fine-tuned; its options are those of `[training]` in `detente train`, without `output` and
    /// `seed`, and `smoothing`, the probability taken from the label and spread over all classes.
    Transformer,
}

/// A figure that somebody else reported on the same data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Whose.
    pub system: String,
    /// Which figure of ours it stands beside, such as `macro_f1`.
    pub figure: String,
    /// As published.
    pub value: f64,
    /// Where, and how its protocol differs.
    #[serde(default)]
    pub note: String,
}

impl Experiment {
    /// Reads `file`.
    ///
    /// # Errors
    /// As [`Experiment::parse`], and when it cannot be read; names the file.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|e| Error::usage(e.to_string()).in_file(file))?;
        Experiment::parse(&text).map_err(|error| error.in_file(file))
    }

    /// From the text of the file.
    ///
    /// # Errors
    /// Usage when a field is unknown or of the wrong kind, or the parts do not fit together.
    pub fn parse(text: &str) -> Result<Self> {
        let mut experiment: Experiment =
            toml::from_str(text).map_err(|e| Error::usage(e.to_string().trim().to_string()))?;
        if experiment.task == TaskKind::Stance {
            experiment.fill_in_stance();
        }
        experiment.check()?;
        Ok(experiment)
    }

    /// Names of the classes, in their order.
    pub fn classes(&self) -> &[String] {
        &self.data.classes
    }

    /// What the rows of `detente stance` are called.
    fn fill_in_stance(&mut self) {
        let data = &mut self.data;
        let fields = [(&mut data.text, "quote"), (&mut data.left, "left"), (&mut data.right, "right")];
        for (field, usual) in fields {
            field.get_or_insert_with(|| usual.to_string());
        }
        if data.classes.is_empty() {
            data.classes = StanceLabel::ALL.map(|label| label.as_str().to_string()).to_vec();
        }
        if data.labels.is_empty() {
            let names = StanceLabel::ALL.iter().flat_map(|label| {
                let name = label.as_str();
                [name, &name[..1]].map(|label| (label.to_string(), name.to_string()))
            });
            data.labels = names.collect();
        }
        let sides = || [StanceLabel::Conciliatory, StanceLabel::Firm].map(|label| label.as_str().to_string());
        self.protocol.two_way.get_or_insert_with(sides);
    }

    fn check(&self) -> Result<()> {
        let (data, protocol) = (&self.data, &self.protocol);
        let class = |name: &String| data.classes.contains(name);
        let (distinct, settings) = (data.classes.iter().collect::<std::collections::HashSet<_>>(), self.settings()?);
        let faults: [(bool, &str); 9] = [
            (data.classes.len() < 2 || distinct.len() < data.classes.len(), "`data.classes` must name two or more"),
            (data.train.is_empty(), "`data.train` names no file"),
            (protocol.folds.is_none() == data.test.is_empty(), "give either `protocol.folds` or `data.test`"),
            (protocol.folds.is_some_and(|folds| folds < 2), "`protocol.folds` must be 2 or more"),
            (!(0.0..0.5).contains(&protocol.dev_share), "`protocol.dev_share` must lie between 0 and 0.5"),
            (protocol.seeds.is_empty(), "`protocol.seeds` is empty"),
            (!data.labels.values().all(class), "`data.labels` leads to a class that `data.classes` does not name"),
            (!protocol.two_way.iter().flatten().all(class), "`protocol.two_way` names a class that is none"),
            (settings.is_empty(), "there are no `[[settings]]`"),
        ];
        match faults.into_iter().find(|(is_fault, _)| *is_fault) {
            Some((_, sentence)) => Err(Error::usage(sentence)),
            None => Ok(()),
        }
    }

    /// The settings, each grid multiplied out.
    ///
    /// # Errors
    /// Usage when one has no name or model, a grid holds no lists, or two have the same name.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        let mut settings: Vec<Setting> = Vec::new();
        for table in &self.settings {
            for setting in multiplied(table)? {
                if settings.iter().any(|other| slug(&other.name) == slug(&setting.name)) {
                    return Err(Error::usage(format!("two settings would share the folder `{}`", slug(&setting.name))));
                }
                settings.push(setting);
            }
        }
        Ok(settings)
    }
}

/// One setting for each combination of the values in `grid`.
fn multiplied(table: &toml::Table) -> Result<Vec<Setting>> {
    let mut options = table.clone();
    let text = |value: Option<toml::Value>| value.and_then(|v| v.as_str().map(str::to_string));
    let name = text(options.remove("name")).ok_or_else(|| Error::usage("a setting has no `name`"))?;
    let model = options.remove("model").and_then(|model| model.try_into().ok()).ok_or_else(|| {
        Error::usage(format!("the setting `{name}` has no `model`")).help("models are bag_of_words and transformer")
    })?;
    let grid = match options.remove("grid") {
        None => toml::Table::new(),
        Some(toml::Value::Table(grid)) => grid,
        Some(_) => return Err(Error::usage(format!("the grid of `{name}` must be a table of lists"))),
    };
    let mut settings = vec![Setting { name, model, options }];
    for (option, values) in grid {
        let values = values.as_array().filter(|values| !values.is_empty()).ok_or_else(|| {
            Error::usage(format!("`grid.{option}` is no list of values")).help("write grid.epochs = [3, 5]")
        })?;
        settings = settings.iter().flat_map(|setting| values.iter().map(|v| varied(setting, &option, v))).collect();
    }
    Ok(settings)
}

fn varied(setting: &Setting, option: &str, value: &toml::Value) -> Setting {
    let mut varied = setting.clone();
    varied.name += &format!(", {option} {}", shown(value));
    varied.options.insert(option.to_string(), value.clone());
    varied
}

/// A value as part of a name: small numbers as powers of ten, text without marks.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) if number.abs() < 1e-3 => format!("{number:e}"),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        name = "example"
        task = "labels"
        [data]
        train = ["train.tsv"]
        test = ["test.tsv"]
        classes = ["cooperation", "conflict"]
        labels = { 1 = "cooperation", 3 = "conflict" }
        [[settings]]
        name = "words"
        model = "bag_of_words"
        [[settings]]
        name = "small"
        model = "transformer"
        base = "base"
        grid = { learning_rate = [3e-5, 6e-5], epochs = [2, 4] }
    "#;

    #[test]
    fn a_grid_is_multiplied_out_under_names_that_say_so() {
        let names: Vec<String> =
            Experiment::parse(FILE).unwrap().settings().unwrap().into_iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), 5);
        assert!(names.contains(&"small, epochs 4, learning_rate 3e-5".to_string()), "{names:?}");
    }

    #[test]
    fn what_does_not_fit_together_is_a_sentence() {
        let cases = [
            ("test = [\"test.tsv\"]", "", "either `protocol.folds` or `data.test`"),
            ("3 = \"conflict\"", "3 = \"war\"", "does not name"),
            ("classes = [\"cooperation\", \"conflict\"]", "classes = [\"cooperation\"]", "two or more"),
            ("name = \"small\"", "name = \"words\"\n grid = 1", "must be a table of lists"),
            ("model = \"bag_of_words\"", "model = \"oracle\"", "bag_of_words and transformer"),
            ("task = \"labels\"", "task = \"labels\"\nfold = 5", "unknown field `fold`"),
        ];
        for (from, to, message) in cases {
            let broken =
                FILE.replace(from, to).replace("grid = {", if to.contains("grid") { "x = {" } else { "grid = {" });
            let error = Experiment::parse(&broken).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
