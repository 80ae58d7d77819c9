//! The report of an experiment: every setting with its interval, learning curves, and the figures of others beside ours.
//!
//! The figure of a setting is the mean over seeds; with folds, the rows of all folds of a seed are scored together, each
//! by the model that did not see it. Intervals resample documents and leave the seeds as they are; how far seeds differ
//! stands beside them as standard deviation.

use super::plan::{self, Run};
use super::run::{Finished, two_way};
use super::scores::{self, Judged};
use super::spec::{Experiment, Published};
use crate::error::Result;
use crate::evaluate::classes::Confusion;
use crate::evaluate::resample::{Bootstrap, Counts, Documents, Estimate};
use crate::evaluate::state_bootstrap;
use crate::report::{Cell, Report, Section, Table};
use std::collections::BTreeSet;

/// The figures of a setting, in the order in which [`write_figures`] makes them.
const FIGURES: [&str; 6] = ["macro_f1", "accuracy", "balanced_accuracy", "weighted_f1", "mcc", "two_way_macro_f1"];

/// Runs of one setting on one size of training data.
struct Group {
    setting: String,
    size: Option<usize>,
    seeds: Vec<Seed>,
    /// Runs that are there, and that the experiment wants.
    done: usize,
    wanted: usize,
    /// Mean of the rows trained on.
    train_rows: f64,
}

/// Everything scored under one seed: cells of the confusion matrix, then of the two-way one.
struct Seed {
    counts: Counts,
}

/// The report of the finished `runs` of `experiment`.
///
/// # Errors
/// As [`plan::runs`].
pub fn report(experiment: &Experiment, runs: &[Finished], bootstrap: &Bootstrap) -> Result<Report> {
    let mut documents = Documents::default();
    let wanted = plan::runs(experiment)?;
    let groups = groups(experiment, &wanted, runs, &mut documents);
    let estimates = estimates(experiment, &groups, documents.len(), bootstrap);
    let mut report = Report::new("experiment");
    let full: Vec<(&Group, &Estimates)> =
        groups.iter().zip(&estimates).filter(|(g, _)| g.size.is_none() && g.done > 0).collect();
    report.sections.push(Section {
        name: "settings".into(),
        about: format!("{}: mean over seeds on all training rows", experiment.name),
        tables: settings_tables(experiment, &full, documents.len(), bootstrap),
    });
    report.sections.extend(learning_curve(&groups, &estimates));
    report.sections.extend(published(&experiment.published, &full));
    report.verdict = verdict(experiment, &full);
    state_protocol(&mut report, experiment, runs, bootstrap, documents.len());
    note_what_is_missing(&mut report, &groups, runs);
    Ok(report)
}

fn groups(experiment: &Experiment, wanted: &[Run], runs: &[Finished], documents: &mut Documents) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for run in wanted {
        let place = groups.iter().position(|g| g.setting == run.setting.name && g.size == run.part.size);
        if place.is_some() {
            continue;
        }
        let same = |other: &Run| other.setting.name == run.setting.name && other.part.size == run.part.size;
        let belongs = |finished: &&Finished| {
            finished.config.setting == run.setting
                && wanted.iter().filter(|w| same(w)).any(|w| w.part == finished.config.part)
        };
        let done: Vec<&Finished> = runs.iter().filter(belongs).collect();
        let seeds: BTreeSet<u64> = done.iter().map(|run| run.config.part.seed).collect();
        let seed = |seed: u64| {
            let rows = done.iter().filter(|run| run.config.part.seed == seed).flat_map(|run| &run.predictions);
            Seed { counts: counted(experiment, rows, documents) }
        };
        let train_rows: usize = done.iter().map(|run| run.record.rows.train).sum();
        groups.push(Group {
            setting: run.setting.name.clone(),
            size: run.part.size,
            done: done.len(),
            wanted: wanted.iter().filter(|w| same(w)).count(),
            train_rows: train_rows as f64 / done.len().max(1) as f64,
            seeds: seeds.into_iter().map(seed).collect(),
        });
    }
    groups
}

fn counted<'a>(experiment: &Experiment, rows: impl Iterator<Item = &'a Judged>, documents: &mut Documents) -> Counts {
    let classes = experiment.classes().len();
    let rows: Vec<Judged> = rows.cloned().collect();
    let mut counts = Counts::new(classes * classes + 4);
    for row in scores::labelled(&rows, documents) {
        counts.add(row.document, row.gold * classes + row.predicted, 1.0);
    }
    if let Some(sides) = two_way(experiment) {
        for row in scores::labelled(&scores::sided(&rows, sides), documents) {
            counts.add(row.document, classes * classes + 2 * row.gold + row.predicted, 1.0);
        }
    }
    counts
}

/// Of each figure the mean over seeds with its interval, and the standard deviation over seeds.
struct Estimates {
    means: Vec<Estimate>,
    deviations: Vec<f64>,
}

fn estimates(experiment: &Experiment, groups: &[Group], documents: usize, bootstrap: &Bootstrap) -> Vec<Estimates> {
    let classes = experiment.classes().len();
    let means = bootstrap.estimates(documents, groups.len() * FIGURES.len(), |weights, out| {
        for (group, out) in groups.iter().zip(out.as_chunks_mut::<{ FIGURES.len() }>().0) {
            *out = mean_figures(group, classes, |counts| counts.total(weights));
        }
    });
    let deviations = groups.iter().map(|group| deviations(group, classes));
    let means = means.as_chunks::<{ FIGURES.len() }>().0.iter();
    means.zip(deviations).map(|(means, deviations)| Estimates { means: means.to_vec(), deviations }).collect()
}

fn mean_figures(group: &Group, classes: usize, sum: impl Fn(&Counts) -> Vec<f64>) -> [f64; FIGURES.len()] {
    let mut means = [0.0; FIGURES.len()];
    for seed in &group.seeds {
        let figures = figures(&sum(&seed.counts), classes);
        means.iter_mut().zip(figures).for_each(|(mean, figure)| *mean += figure);
    }
    means.map(|sum| sum / group.seeds.len() as f64)
}

/// The figures in the order of [`FIGURES`], from the cells of a [`Seed`].
fn figures(cells: &[f64], classes: usize) -> [f64; FIGURES.len()] {
    let (all, two) = cells.split_at_checked(classes * classes).unwrap_or_default();
    let (all, two) = (Confusion::from_cells(classes, all.to_vec()), Confusion::from_cells(2, two.to_vec()));
    [
        all.macro_mean(Confusion::f1),
        all.accuracy(),
        all.balanced_accuracy(),
        all.weighted_f1(),
        all.mcc(),
        two.macro_mean(Confusion::f1),
    ]
}

/// Standard deviation of each figure over seeds, of the sample; NaN for a single seed.
fn deviations(group: &Group, classes: usize) -> Vec<f64> {
    let seeds: Vec<[f64; FIGURES.len()]> = group.seeds.iter().map(|s| figures(&s.counts.all(), classes)).collect();
    let count = seeds.len() as f64;
    let deviation = |at: usize| {
        if seeds.len() < 2 {
            return f64::NAN;
        }
        let values = || seeds.iter().filter_map(|figures| figures.get(at).copied());
        let mean = values().sum::<f64>() / count;
        (values().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
    };
    (0..FIGURES.len()).map(deviation).collect()
}

/// The figures that mean something here.
fn shown(experiment: &Experiment) -> impl Iterator<Item = (usize, &'static str)> {
    let two_way = two_way(experiment).is_some();
    FIGURES.into_iter().enumerate().filter(move |(_, name)| two_way || !name.starts_with("two_way"))
}

fn settings_tables(
    experiment: &Experiment,
    groups: &[(&Group, &Estimates)],
    documents: usize,
    bootstrap: &Bootstrap,
) -> Vec<Table> {
    let names: Vec<&str> = groups.iter().map(|(group, _)| group.setting.as_str()).collect();
    let mut scores = Table::new("scores", "score", &names);
    let mut seeds = Table::new("seeds", "standard deviation over seeds", &names);
    for (at, name) in shown(experiment) {
        let means = groups.iter().map(|(_, e)| e.means.get(at).copied().map_or(Cell::Empty, Cell::from));
        scores.row(name, means.collect());
        let deviation = |(_, e): &(&Group, &Estimates)| e.deviations.get(at).copied().unwrap_or(f64::NAN);
        seeds.row(name, groups.iter().map(|group| Estimate::point(deviation(group)).into()).collect());
    }
    let mut runs = Table::new("runs", "runs", &names);
    runs.row("finished", groups.iter().map(|(group, _)| group.done.into()).collect());
    runs.row("planned", groups.iter().map(|(group, _)| group.wanted.into()).collect());
    runs.row("training rows, mean", groups.iter().map(|(group, _)| Cell::count(group.train_rows)).collect());
    let mut tables = vec![scores];
    if groups.iter().any(|(group, _)| group.seeds.len() > 1) {
        tables.push(seeds);
    }
    tables.extend(differences(experiment, groups, documents, bootstrap));
    tables.push(runs);
    tables
}

/// How far each setting is from the first, on the same resamples.
fn differences(
    experiment: &Experiment,
    groups: &[(&Group, &Estimates)],
    documents: usize,
    bootstrap: &Bootstrap,
) -> Option<Table> {
    let ((first, _), others) = groups.split_first()?;
    let (first, others): (&Group, Vec<&Group>) = (first, others.iter().map(|(group, _)| *group).collect());
    if others.is_empty() {
        return None;
    }
    let classes = experiment.classes().len();
    let estimates = bootstrap.estimates(documents, others.len() * FIGURES.len(), |weights, out| {
        let base = mean_figures(first, classes, |counts| counts.total(weights));
        for (group, out) in others.iter().zip(out.as_chunks_mut::<{ FIGURES.len() }>().0) {
            let figures = mean_figures(group, classes, |counts| counts.total(weights));
            *out = std::array::from_fn(|at| figures[at] - base[at]);
        }
    });
    let names: Vec<&str> = others.iter().map(|group| group.setting.as_str()).collect();
    let mut table = Table::new("differences", &format!("more than {}", first.setting), &names);
    for (at, name) in shown(experiment) {
        let cells = estimates.as_chunks::<{ FIGURES.len() }>().0.iter().map(|group| Cell::from(group[at]));
        table.row(name, cells.collect());
    }
    Some(table)
}

fn learning_curve(groups: &[Group], estimates: &[Estimates]) -> Option<Section> {
    if groups.iter().all(|group| group.size.is_none()) {
        return None;
    }
    let names: indexmap::IndexSet<&str> =
        groups.iter().filter(|group| group.done > 0).map(|group| group.setting.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut sizes: Vec<Option<usize>> = groups.iter().map(|group| group.size).collect();
    // All rows come last.
    sizes.sort_unstable_by_key(|size| size.unwrap_or(usize::MAX));
    sizes.dedup();
    let mut table = Table::new("macro_f1", "training rows", &names);
    for size in sizes {
        let of = |name: &&str| {
            let at = groups.iter().position(|group| group.setting == **name && group.size == size);
            at.and_then(|at| estimates.get(at)?.means.first().copied()).map_or(Cell::Empty, Cell::from)
        };
        let rows = groups.iter().filter(|group| group.size == size).map(|group| group.train_rows).fold(0.0, f64::max);
        table.row(size.map_or_else(|| format!("{rows:.0}"), |size| size.to_string()), names.iter().map(of).collect());
    }
    Some(Section {
        name: "learning_curve".into(),
        about: "macro F1 by how many rows were trained on, whole documents, smaller sets inside larger ones".into(),
        tables: vec![table],
    })
}

fn published(figures: &[Published], groups: &[(&Group, &Estimates)]) -> Option<Section> {
    if figures.is_empty() {
        return None;
    }
    let names: Vec<&str> = ["figure", "published"]
        .into_iter()
        .chain(groups.iter().map(|(group, _)| group.setting.as_str()))
        .chain(["note"])
        .collect();
    let mut table = Table::new("figures", "published by", &names);
    for figure in figures {
        let at = FIGURES.iter().position(|name| *name == figure.figure);
        let ours = groups
            .iter()
            .map(|(_, estimates)| at.and_then(|at| estimates.means.get(at).copied()).map_or(Cell::Empty, Cell::from));
        let cells = [Cell::from(figure.figure.as_str()), Estimate::point(figure.value).into()];
        let cells = cells.into_iter().chain(ours).chain([Cell::from(figure.note.as_str())]);
        table.row(figure.system.as_str(), cells.collect());
    }
    Some(Section {
        name: "published".into(),
        about: "figures of others beside ours: look at the protocols before you compare".into(),
        tables: vec![table],
    })
}

fn verdict(experiment: &Experiment, groups: &[(&Group, &Estimates)]) -> String {
    let figure = |estimates: &Estimates| estimates.means.first().copied().unwrap_or_default();
    let value = |estimates: &Estimates| figure(estimates).value.unwrap_or(f64::NEG_INFINITY);
    let scored = groups.iter().filter(|(_, estimates)| figure(estimates).value.is_some());
    match scored.max_by(|a, b| value(a.1).total_cmp(&value(b.1))) {
        None => format!("{}: no run is finished.", experiment.name),
        Some((group, estimates)) => format!(
            "{}: highest macro F1 {} by {}, mean over {} seed{}.",
            experiment.name,
            Cell::from(figure(estimates)).shown(),
            group.setting,
            group.seeds.len(),
            if group.seeds.len() == 1 { "" } else { "s" }
        ),
    }
}

fn state_protocol(
    report: &mut Report,
    experiment: &Experiment,
    runs: &[Finished],
    bootstrap: &Bootstrap,
    documents: usize,
) {
    let protocol = &experiment.protocol;
    let seeds: Vec<String> = protocol.seeds.iter().map(u64::to_string).collect();
    if !experiment.about.is_empty() {
        report.state("about", experiment.about.as_str());
    }
    report.state("classes", experiment.classes().join(", "));
    report.state(
        "split",
        match protocol.folds {
            Some(folds) => format!(
                "{folds} folds of whole documents with alike classes (scikit-learn's StratifiedGroupKFold, documents \
                 shuffled by the seed); the rows of all folds are scored together"
            ),
            None => "the test files, trained on the training files".into(),
        },
    );
    report.state("seeds", seeds.join(", "));
    if let Some([one, other]) = &protocol.two_way {
        report.state("two-way", format!("gold {one} or {other}, by the more probable of the two"));
    }
    if runs.iter().any(|run| run.config.setting.model.needs_dev()) {
        let dev = match experiment.data.dev.is_empty() {
            true => format!("{:.0} % of the training rows, whole documents", protocol.dev_share * 100.0),
            false => "the development files".into(),
        };
        report.state("epochs", format!("transformers keep the epoch that is best on {dev}; bag of words needs none"));
    }
    if let Some(run) = runs.first() {
        let files = run.record.data.iter().map(|source| {
            let hash: String = source.sha256.chars().take(12).collect();
            format!("{} ({} rows, sha256 {hash})", source.path.display(), source.rows)
        });
        report.state("data", files.collect::<Vec<_>>().join("; "));
    }
    let programs: BTreeSet<String> =
        runs.iter().map(|run| format!("{} ({})", run.record.program.version, run.record.program.commit)).collect();
    report.state("program", programs.iter().cloned().collect::<Vec<_>>().join("; "));
    if programs.len() > 1 {
        report.notes.push("the runs were made by different versions of the program".into());
    }
    state_bootstrap(report, bootstrap, documents, "documents");
}

fn note_what_is_missing(report: &mut Report, groups: &[Group], runs: &[Finished]) {
    for group in groups.iter().filter(|group| group.done < group.wanted) {
        let size = group.size.map_or_else(|| "all".to_string(), |size| size.to_string());
        report
            .notes
            .push(format!("{} on {size} rows: {} of {} runs are finished", group.setting, group.done, group.wanted));
    }
    if let Some(run) = runs.iter().find(|run| run.record.leaked > 0) {
        report.notes.push(format!(
            "the very text of {} scored rows is also in the training files: figures are too good",
            run.record.leaked
        ));
    }
    let left_out: usize = runs.first().map_or(0, |run| run.record.data.iter().map(|source| source.left_out).sum());
    if left_out > 0 {
        report.notes.push(format!("{left_out} rows have a label without a class and are left out"));
    }
}
