//! Stance labels against gold: three-way, two-way, and where the annotators were sure.

use super::baseline;
use super::breakdown;
use super::calibration::{self, Calibrator, Method};
use super::classes::{self, ClassScores, Labelled, OVERALL};
use super::comparison::{self, Comparison};
use super::probability::{self, Forecast, Forecasts};
use super::resample::{Bootstrap, Counts, Documents, Estimate};
use super::rows::{MetRows, StanceRow};
use crate::document::StanceLabel;
use crate::error::{Error, Result};
use crate::report::{Cell, Report, Section, Table};
use std::collections::{HashMap, HashSet};

/// What somebody may ask of a stance evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings<'a> {
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// Labelled rows that train the bag-of-words baseline; without them only the majority baseline is printed.
    pub baseline_train: &'a [StanceRow],
}

/// A scored row: the classes of gold and of each system.
struct Scored<'a> {
    row: &'a StanceRow,
    document: usize,
    gold: StanceLabel,
    /// One answer a system, in the order of the systems' names.
    answers: Vec<Answer>,
}

/// What a system says of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Answer {
    label: StanceLabel,
    probabilities: Option<[f64; 3]>,
}

/// Scores predictions that met gold rows.
///
/// Three-way figures compare labels; where the predictions never say neutral though they give it a probability (as
/// `detente stance` without `--neutral`), the most probable of the three is taken for the label. Two-way figures take the rows whose gold label is conciliatory or firm, and of the
/// prediction whichever of the two is more probable. Rows whose annotators were all sure are scored once more by
/// themselves.
pub fn evaluate(met: &MetRows, settings: &Settings) -> Report {
    let mut report = Report::new("stance");
    let mut documents = Documents::default();
    let (names, scored) = scored(met, settings, &mut documents);
    let scoring = Scoring { names: &names, rows: &scored, documents: documents.len(), bootstrap: &settings.bootstrap };
    report.sections.push(scoring.three_way("three_way", "all rows", |_| true));
    report.sections.push(scoring.two_way("two_way", "gold conciliatory or firm", |_| true));
    if scored.iter().any(|row| row.row.sure == Some(true)) {
        let about = "rows whose annotators were all sure";
        report.sections.push(scoring.three_way("three_way_sure", about, |row| row.row.sure == Some(true)));
        let about = "gold conciliatory or firm, annotators all sure";
        report.sections.push(scoring.two_way("two_way_sure", about, |row| row.row.sure == Some(true)));
    }
    report.sections.extend(scoring.probabilities());
    report.sections.extend(scoring.breakdowns(&mut report.notes));
    state_protocol(&mut report, met, settings, documents.len());
    report.verdict = verdict(&report, scored.len(), documents.len());
    report
}

fn scored<'a>(
    met: &'a MetRows,
    settings: &Settings,
    documents: &mut Documents,
) -> (Vec<&'static str>, Vec<Scored<'a>>) {
    let gold: Vec<&StanceRow> = met.pairs.iter().map(|(gold, _)| gold).collect();
    let training = if settings.baseline_train.is_empty() {
        gold.iter().filter_map(|row| row.label).collect::<Vec<_>>()
    } else {
        settings.baseline_train.iter().filter_map(|row| row.label).collect()
    };
    let mut names = vec!["model"];
    let mut systems: Vec<Vec<Answer>> = vec![answers(met)];
    if let Some(bag_of_words) = bag_of_words(&gold, settings.baseline_train) {
        names.push("bag_of_words");
        systems.push(bag_of_words);
    }
    names.push("majority");
    systems.push(vec![majority(&training); gold.len()]);
    let rows = gold.iter().enumerate().map(|(at, row)| Scored {
        row,
        document: documents.number(&row.document),
        gold: row.label.unwrap_or(StanceLabel::Neutral),
        answers: systems.iter().filter_map(|answers| answers.get(at).copied()).collect(),
    });
    (names, rows.collect())
}

/// Whether labels leave neutral out by design: no label is neutral, though probabilities are.
fn leaves_neutral_out(met: &MetRows) -> bool {
    let neutral = StanceLabel::Neutral;
    let is_likely = |row: &StanceRow| row.probabilities.is_some_and(|p| most_probable(&p) == neutral as usize);
    let mut predicted = met.pairs.iter().map(|(_, predicted)| predicted);
    predicted.clone().all(|row| row.label != Some(neutral)) && predicted.any(is_likely)
}

/// What the predictions say, one answer a pair.
fn answers(met: &MetRows) -> Vec<Answer> {
    let by_probability = leaves_neutral_out(met);
    let answer = |(_, row): &(StanceRow, StanceRow)| Answer {
        label: match row.probabilities {
            Some(probabilities) if by_probability => StanceLabel::ALL[most_probable(&probabilities)],
            _ => row.label.unwrap_or(StanceLabel::Neutral),
        },
        probabilities: row.probabilities,
    };
    met.pairs.iter().map(answer).collect()
}

/// The rows that gold labels and every system answers, as classes: three-way, or two-way as in [`evaluate`].
pub fn comparison(systems: &[(String, MetRows)], two_way: bool) -> Comparison {
    let by_id = |met: &MetRows| -> HashMap<String, Answer> {
        met.pairs.iter().map(|(gold, _)| gold.id.clone()).zip(answers(met)).collect()
    };
    let answers: Vec<HashMap<String, Answer>> = systems.iter().map(|(_, met)| by_id(met)).collect();
    let mut documents = Documents::default();
    let mut rows = Vec::new();
    for (gold, _) in systems.first().iter().flat_map(|(_, met)| &met.pairs) {
        let given: Option<Vec<&Answer>> = answers.iter().map(|answers| answers.get(&gold.id)).collect();
        if let (Some(given), Some(label)) = (given, gold.label.filter(|l| !two_way || *l != StanceLabel::Neutral)) {
            let choice = |answer: &&Answer| if two_way { side(answer) } else { answer.label } as usize;
            rows.push(comparison::Row {
                id: gold.id.clone(),
                document: documents.number(&gold.document),
                text: gold.quote.clone(),
                gold: label as usize,
                answers: given.iter().map(choice).collect(),
            });
        }
    }
    Comparison {
        systems: systems.iter().map(|(name, _)| name.clone()).collect(),
        classes: StanceLabel::ALL.map(|label| label.as_str().to_string()).to_vec(),
        documents: documents.len(),
        rows,
    }
}

/// The answer of the majority baseline: shares of the classes as probabilities, the most frequent as label.
fn majority(labels: &[StanceLabel]) -> Answer {
    let total = labels.len().max(1) as f64;
    let shares = StanceLabel::ALL.map(|class| labels.iter().filter(|label| **label == class).count() as f64 / total);
    Answer { label: StanceLabel::ALL[most_probable(&shares)], probabilities: Some(shares) }
}

fn bag_of_words(gold: &[&StanceRow], training: &[StanceRow]) -> Option<Vec<Answer>> {
    let labelled = training.iter().filter_map(|row| Some((row.quote.as_str(), row.label? as usize)));
    let (texts, labels): (Vec<&str>, Vec<usize>) = labelled.unzip();
    let model = baseline::BagOfWords::train(&texts, &labels, StanceLabel::ALL.len())?;
    let answers = model.probabilities(&gold.iter().map(|row| row.quote.as_str()).collect::<Vec<_>>());
    let answers = answers.iter().map(|row| {
        let probabilities = std::array::from_fn(|class| row.get(class).copied().unwrap_or(0.0));
        Answer { label: StanceLabel::ALL[most_probable(&probabilities)], probabilities: Some(probabilities) }
    });
    Some(answers.collect())
}

fn most_probable(probabilities: &[f64; 3]) -> usize {
    (1..3).fold(0, |best, class| if probabilities[class] > probabilities[best] { class } else { best })
}

/// Conciliatory or firm, whichever is more probable. Without probabilities, and where both are equal, the label decides;
/// a neutral label then stays neutral and counts as wrong.
fn side(answer: &Answer) -> StanceLabel {
    match answer.probabilities {
        Some([conciliatory, firm, _]) if conciliatory > firm => StanceLabel::Conciliatory,
        Some([conciliatory, firm, _]) if firm > conciliatory => StanceLabel::Firm,
        _ => answer.label,
    }
}

/// What all sections are made from.
struct Scoring<'a> {
    names: &'a [&'static str],
    rows: &'a [Scored<'a>],
    documents: usize,
    bootstrap: &'a Bootstrap,
}

impl Scoring<'_> {
    fn three_way(&self, name: &str, about: &str, wanted: impl Fn(&Scored) -> bool) -> Section {
        let rows: Vec<&Scored> = self.rows.iter().filter(|row| wanted(row)).collect();
        self.section(name, about, &rows, |answer| answer.label)
    }

    fn two_way(&self, name: &str, about: &str, wanted: impl Fn(&Scored) -> bool) -> Section {
        let rows = self.rows.iter().filter(|row| row.gold != StanceLabel::Neutral && wanted(row)).collect::<Vec<_>>();
        self.section(name, about, &rows, side)
    }

    fn section(&self, name: &str, about: &str, rows: &[&Scored], choice: impl Fn(&Answer) -> StanceLabel) -> Section {
        let systems = 0..self.names.len();
        let labelled: Vec<Vec<Labelled>> =
            systems.map(|system| rows.iter().filter_map(|row| labelled(row, system, &choice)).collect()).collect();
        let scores = classes::score_groups(&labelled, StanceLabel::ALL.len(), self.documents, self.bootstrap);
        let mut tables = vec![overall_table(self.names, &scores)];
        // Of the sure rows the summary is enough.
        if let Some(model) = scores.first().filter(|_| !name.ends_with("_sure")) {
            tables.push(class_table(model));
            tables.push(confusion_table(model));
        }
        Section { name: name.into(), about: format!("{about}, n = {}", rows.len()), tables }
    }
}

impl Scoring<'_> {
    /// Figures of the probabilities, over the rows for which every system gives some; none where there is no such row.
    fn probabilities(&self) -> Option<Section> {
        let with_all = |row: &&Scored| row.answers.iter().all(|answer| answer.probabilities.is_some());
        let rows: Vec<&Scored> = self.rows.iter().filter(with_all).collect();
        if rows.is_empty() {
            return None;
        }
        let systems: Vec<Forecasts> = (0..self.names.len()).map(|system| forecasts(&rows, system)).collect();
        let estimates: Vec<Vec<Estimate>> =
            systems.iter().map(|system| system.estimates(self.documents, self.bootstrap)).collect();
        let floor = systems.first().map_or(0.0, Forecasts::floor);
        let mut tables = probability_tables(self.names, &estimates);
        tables.extend(systems.first().map(bin_table));
        Some(Section {
            name: "probabilities".into(),
            about: format!(
                "rows with probabilities, n = {}; the label is the most probable of the three; in the log loss a \
                 probability counts as at least {floor:.1e}; calibration error in {} bins of equal width",
                rows.len(),
                probability::BINS
            ),
            tables,
        })
    }

    /// Three-way figures of the model by source, speaker, kind, length and year, where rows say them.
    fn breakdowns(&self, notes: &mut Vec<String>) -> Option<Section> {
        let rows: Vec<breakdown::Row> = self
            .rows
            .iter()
            .filter_map(|row| Some(breakdown::Row { stance: row.row, labelled: labelled(row, 0, &|a| a.label)? }))
            .collect();
        breakdown::section(&rows, StanceLabel::ALL.len(), self.documents, self.bootstrap, notes)
    }
}

/// Adds a section on calibrations that were fitted on `other` rows: what they make of the probabilities, and where a class
/// reaches the wished precision.
///
/// # Errors
/// When `other` shares a document with the scored rows, has no probabilities, or the wished precision is no share.
pub fn add_calibration(
    report: &mut Report,
    met: &MetRows,
    other: &MetRows,
    precision: Option<f64>,
    bootstrap: &Bootstrap,
) -> Result<()> {
    let scored: HashSet<&str> = met.pairs.iter().map(|(gold, _)| gold.document.as_str()).collect();
    if let Some((shared, _)) = other.pairs.iter().find(|(gold, _)| scored.contains(gold.document.as_str())) {
        return Err(Error::document(format!(
            "document `{}` is in the calibration rows and in the scored ones",
            shared.document
        ))
        .help("calibrate on documents that are not scored"));
    }
    if precision.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Error::usage("--precision-at takes a share between 0 and 1"));
    }
    let (fitting, _) = pair_forecasts(other);
    if fitting.is_empty() {
        return Err(Error::document("the calibration rows have no probabilities"));
    }
    let (rows, documents) = pair_forecasts(met);
    let calibrated = Method::ALL.into_iter().filter_map(|method| {
        let calibrator = Calibrator::fit(method, &fitting)?;
        let forecast =
            |row: &Forecast<[f64; 3]>| Forecast { probabilities: calibrator.apply(row.probabilities), ..*row };
        Some((method.as_str(), rows.iter().map(forecast).collect()))
    });
    let systems: Vec<(&str, Vec<Forecast<[f64; 3]>>)> =
        std::iter::once(("as_given", rows.clone())).chain(calibrated).collect();
    let names: Vec<&str> = systems.iter().map(|(name, _)| *name).collect();
    let estimates: Vec<Vec<Estimate>> = systems
        .into_iter()
        .map(|(_, rows)| Forecasts::new(&rows, StanceLabel::ALL.len()).estimates(documents, bootstrap))
        .collect();
    let mut tables = probability_tables(&names, &estimates);
    tables.truncate(1);
    tables.extend(precision.map(|share| threshold_table(&fitting, &rows, documents, share, bootstrap)));
    report.sections.push(Section {
        name: "calibration".into(),
        about: format!("fitted on {} rows of other documents, scored here on {}", fitting.len(), rows.len()),
        tables,
    });
    Ok(())
}

/// The pairs whose prediction has probabilities, and how many documents they stand in.
fn pair_forecasts(met: &MetRows) -> (Vec<Forecast<[f64; 3]>>, usize) {
    let mut documents = Documents::default();
    let mut forecasts = Vec::new();
    for (gold, predicted) in &met.pairs {
        if let (Some(label), Some(probabilities)) = (gold.label, predicted.probabilities) {
            let document = documents.number(&gold.document);
            forecasts.push(Forecast { document, gold: label as usize, probabilities });
        }
    }
    (forecasts, documents.len())
}

/// For each class the threshold found on `fitting` rows, and what it does on the scored ones.
fn threshold_table(
    fitting: &[Forecast<[f64; 3]>],
    rows: &[Forecast<[f64; 3]>],
    documents: usize,
    precision: f64,
    bootstrap: &Bootstrap,
) -> Table {
    let mut table = Table::new("thresholds", "class", &["wished", "threshold", "precision", "recall", "rows"]);
    for (class, label) in StanceLabel::ALL.into_iter().enumerate() {
        let chosen: Vec<(f64, bool)> = fitting.iter().map(|r| (r.probabilities[class], r.gold == class)).collect();
        let wished = Estimate::point(precision).into();
        let Some(threshold) = calibration::threshold(&chosen, precision) else {
            table.row(label.as_str(), vec![wished, "never reached".into()]);
            continue;
        };
        // Of each document: rows taken and right, taken, of the class.
        let mut counts = Counts::new(3);
        for row in rows {
            let (taken, right) = (row.probabilities[class] >= threshold, row.gold == class);
            let cells = [taken && right, taken, right].map(|yes| f64::from(u8::from(yes)));
            cells.into_iter().enumerate().for_each(|(cell, amount)| counts.add(row.document, cell, amount));
        }
        let estimates = bootstrap.estimates(documents, 2, |weights, out| {
            let total = counts.total(weights);
            let cell = |at: usize| total.get(at).copied().unwrap_or(0.0);
            out.iter_mut().zip([cell(0) / cell(1), cell(0) / cell(2)]).for_each(|(slot, value)| *slot = value);
        });
        let taken = counts.all().get(1).copied().unwrap_or(0.0);
        let figures = estimates.into_iter().map(Cell::from);
        let cells = [wished, Estimate::point(threshold).into()].into_iter().chain(figures).chain([Cell::count(taken)]);
        table.row(label.as_str(), cells.collect());
    }
    table
}

fn forecasts(rows: &[&Scored], system: usize) -> Forecasts {
    let forecast = |row: &&Scored| {
        let probabilities = row.answers.get(system)?.probabilities?;
        Some(Forecast { document: row.document, gold: row.gold as usize, probabilities })
    };
    Forecasts::new(&rows.iter().filter_map(forecast).collect::<Vec<_>>(), StanceLabel::ALL.len())
}

fn probability_tables(names: &[&str], systems: &[Vec<Estimate>]) -> Vec<Table> {
    let cells = |at: usize| systems.iter().map(|s| s.get(at).copied().map_or(Cell::Empty, Cell::from)).collect();
    let mut scores = Table::new("scores", "score", names);
    let mut place = 0;
    for name in probability::OVERALL {
        scores.row(name, cells(place));
        place += 1;
    }
    for label in StanceLabel::ALL {
        for name in ["roc_auc", "average_precision"] {
            scores.row(format!("{name}_{}", label.as_str()), cells(place));
            place += 1;
        }
    }
    let mut coverage = Table::new("coverage", "most certain", names);
    for share in probability::COVERAGES {
        coverage.row(format!("{:.0} % of rows", share * 100.0), cells(place));
        place += 1;
    }
    vec![scores, coverage]
}

/// What was said with which certainty, and how often it was right.
fn bin_table(model: &Forecasts) -> Table {
    let mut table = Table::new("calibration", "probability", &["mean_probability", "accuracy", "rows"]);
    for (number, bin) in model.all_bins().iter().enumerate().filter(|(_, bin)| bin.rows > 0.0) {
        let edge = |number: usize| number as f64 / probability::BINS as f64;
        let mean = |sum: f64| Cell::from(Estimate::point(sum / bin.rows));
        let cells = vec![mean(bin.confidence), mean(bin.right), Cell::count(bin.rows)];
        table.row(format!("{:.1} to {:.1}", edge(number), edge(number + 1)), cells);
    }
    table
}

fn labelled(row: &Scored, system: usize, choice: &impl Fn(&Answer) -> StanceLabel) -> Option<Labelled> {
    let predicted = choice(row.answers.get(system)?) as usize;
    Some(Labelled { document: row.document, gold: row.gold as usize, predicted })
}

fn overall_table(names: &[&str], scores: &[ClassScores]) -> Table {
    let mut table = Table::new("scores", "score", names);
    for (at, figure) in OVERALL.iter().enumerate() {
        table.row(*figure, scores.iter().map(|s| s.overall.get(at).copied().map_or(Cell::Empty, Cell::from)).collect());
    }
    table
}

/// Classes that occur in gold or predictions.
fn present(scores: &ClassScores) -> impl Iterator<Item = (usize, StanceLabel)> {
    let occurs = |class: usize| scores.confusion.gold(class) + scores.confusion.predicted(class) > 0.0;
    StanceLabel::ALL.into_iter().enumerate().filter(move |(class, _)| occurs(*class))
}

fn class_table(scores: &ClassScores) -> Table {
    let mut table = Table::new("classes", "class", &["precision", "recall", "f1", "gold", "predicted"]);
    for (class, label) in present(scores) {
        let mut cells: Vec<Cell> = scores.classes.get(class).into_iter().flatten().map(|e| Cell::from(*e)).collect();
        cells.push(Cell::count(scores.confusion.gold(class)));
        cells.push(Cell::count(scores.confusion.predicted(class)));
        table.row(label.as_str(), cells);
    }
    table
}

fn confusion_table(scores: &ClassScores) -> Table {
    let predicted: Vec<String> = present(scores).map(|(_, label)| format!("predicted {}", label.as_str())).collect();
    let mut table = Table::new("confusion", "gold", &predicted.iter().map(String::as_str).collect::<Vec<_>>());
    for (gold, label) in present(scores) {
        let cells = present(scores).map(|(predicted, _)| Cell::count(scores.confusion.cell(gold, predicted)));
        table.row(label.as_str(), cells.collect());
    }
    table
}

fn state_protocol(report: &mut Report, met: &MetRows, settings: &Settings, documents: usize) {
    let labelled = met.pairs.len() + met.without_prediction.len();
    let labels = if leaves_neutral_out(met) {
        "the most probable of the three classes, since the predicted labels leave neutral out"
    } else {
        "the predicted labels as they stand"
    };
    report.state("three-way", labels);
    report.state(
        "rows",
        format!("{} of {labelled} labelled gold rows have a prediction and are scored", met.pairs.len()),
    );
    report
        .state("averages", "over the classes that occur in gold or predictions; an empty fraction is 0 (scikit-learn)");
    report.state(
        "two-way",
        "gold conciliatory or firm; of the prediction the more probable of the two (its label where it has no probabilities)",
    );
    let baseline = match settings.baseline_train.len() {
        0 => "majority class of the gold rows; --baseline-train adds TF-IDF with logistic regression".to_string(),
        rows => format!("majority class of {rows} training rows; {}", baseline::DESCRIPTION),
    };
    report.state("baselines", baseline);
    super::state_bootstrap(report, &settings.bootstrap, documents, "documents");
    report.notes.extend(met.notes.iter().cloned());
    if met.pairs.is_empty() {
        report.notes.push("no gold row with a label met a prediction: nothing is defined".into());
    }
    if !met.without_prediction.is_empty() {
        let right = met.pairs.iter().filter(|(gold, predicted)| gold.label == predicted.label).count();
        report.notes.push(format!(
            "{} gold rows have no prediction and are left out; counted as wrong they would make the accuracy {:.3}",
            met.without_prediction.len(),
            right as f64 / labelled.max(1) as f64
        ));
    }
    let lists = [
        ("gold without prediction", &met.without_prediction),
        ("prediction without gold", &met.without_gold),
        ("gold without label", &met.without_label),
    ];
    for (name, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        report.lists.insert(name.into(), ids.clone());
    }
}

fn verdict(report: &Report, rows: usize, documents: usize) -> String {
    let shown = |section: &str| {
        let cell = report.cell(section, "scores", "macro_f1", "model");
        cell.map_or_else(|| "–".to_string(), Cell::shown)
    };
    format!(
        "Stance on {rows} rows of {documents} documents: macro F1 {} three-way, {} two-way.",
        shown("three_way"),
        shown("two_way")
    )
}
