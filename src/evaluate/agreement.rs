//! How far annotators agree: coefficients for any number of annotators with missing labels.
//!
//! Percent agreement, Fleiss' kappa and Gwet's AC1 and AC2 (quadratic weights) are those of Gwet's handbook (2014, chapters
//! 2 to 5), as the irrCAC packages compute them; Cohen's kappa is taken for each pair of annotators and averaged
//! (Light 1971); Krippendorff's alpha comes from the coincidence matrix (Krippendorff 2019, chapter 12).

use super::classes::Confusion;
use super::resample::{Bootstrap, Counts, Documents, Estimate};
use crate::error::{Error, Result};
use crate::report::{Cell, Report, Section, Table};

/// One thing that was labelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is called in lists.
    pub id: String,
    /// What is resampled.
    pub document: String,
    /// Its words, for the list of disagreements.
    pub text: String,
    /// The class number that each annotator gave; none where one gave none.
    pub labels: Vec<Option<usize>>,
}

/// The labels of several annotators.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ratings {
    /// Class names; in their order where they have one.
    pub classes: Vec<String>,
    /// Whether the order of classes means something.
    pub ordered: bool,
    /// Names of annotators.
    pub annotators: Vec<String>,
    /// What was labelled.
    pub items: Vec<Item>,
}

/// Names of the coefficients, in the order in which they are reported.
pub const COEFFICIENTS: [&str; 9] = [
    "percent_agreement",
    "cohen_kappa",
    "cohen_kappa_linear",
    "cohen_kappa_quadratic",
    "fleiss_kappa",
    "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal",
    "gwet_ac1",
    "gwet_ac2_quadratic",
];

/// Those that need an order of classes.
const ORDINAL: [&str; 4] =
    ["cohen_kappa_linear", "cohen_kappa_quadratic", "krippendorff_alpha_ordinal", "gwet_ac2_quadratic"];

/// Where which sum stands in a row of counts.
#[derive(Debug, Clone, Copy)]
struct Layout {
    classes: usize,
    annotators: usize,
}

/// Sums before the shares of classes.
const FIRST: usize = 4;

impl Layout {
    fn coincidences(self) -> usize {
        FIRST + self.classes
    }

    fn pair(self, number: usize) -> usize {
        self.coincidences() + self.classes * self.classes * (number + 1)
    }

    fn pairs(self) -> Vec<(usize, usize)> {
        (0..self.annotators).flat_map(|a| (a + 1..self.annotators).map(move |b| (a, b))).collect()
    }

    fn width(self) -> usize {
        self.pair(self.pairs().len())
    }

    /// Counts of every item, added up by document.
    fn counts(self, ratings: &Ratings) -> (Counts, usize) {
        let mut counts = Counts::new(self.width());
        let mut documents = Documents::default();
        for item in &ratings.items {
            let document = documents.number(&item.document);
            self.count(&mut counts, document, item);
        }
        (counts, documents.len())
    }

    fn count(self, counts: &mut Counts, document: usize, item: &Item) {
        let mut votes = vec![0.0; self.classes];
        item.labels.iter().flatten().for_each(|&label| votes.iter_mut().skip(label).take(1).for_each(|v| *v += 1.0));
        let total: f64 = votes.iter().sum();
        if total == 0.0 {
            return;
        }
        counts.add(document, 3, 1.0);
        votes.iter().enumerate().for_each(|(k, vote)| counts.add(document, FIRST + k, vote / total));
        if total < 2.0 {
            return;
        }
        counts.add(document, 0, 1.0);
        for (k, &vote) in votes.iter().enumerate() {
            for (l, &other) in votes.iter().enumerate() {
                // Ordered pairs of two different annotators.
                let pairs = vote * (other - f64::from(k == l));
                counts.add(document, 1, f64::from(k == l) * pairs / (total * (total - 1.0)));
                counts.add(document, 2, quadratic(k, l, self.classes) * pairs / (total * (total - 1.0)));
                counts.add(document, self.coincidences() + k * self.classes + l, pairs / (total - 1.0));
            }
        }
        for (number, (a, b)) in self.pairs().into_iter().enumerate() {
            if let (Some(Some(a)), Some(Some(b))) = (item.labels.get(a), item.labels.get(b)) {
                counts.add(document, self.pair(number) + a * self.classes + b, 1.0);
            }
        }
    }

    fn sums(self, cells: &[f64]) -> Sums<'_> {
        Sums { layout: self, cells }
    }
}

/// Weight of agreement between two classes: 1 for the same, falling with the square of their distance.
fn quadratic(k: usize, l: usize, classes: usize) -> f64 {
    1.0 - (k.abs_diff(l) as f64 / classes.saturating_sub(1).max(1) as f64).powi(2)
}

/// Sums over documents, from which every coefficient follows.
struct Sums<'a> {
    layout: Layout,
    cells: &'a [f64],
}

impl Sums<'_> {
    fn cell(&self, at: usize) -> f64 {
        self.cells.get(at).copied().unwrap_or(0.0)
    }

    /// How often classes `k` and `l` were given to the same item.
    fn coincidence(&self, k: usize, l: usize) -> f64 {
        self.cell(self.layout.coincidences() + k * self.layout.classes + l)
    }

    fn marginal(&self, k: usize) -> f64 {
        (0..self.layout.classes).map(|l| self.coincidence(k, l)).sum()
    }

    /// Mean share of items that annotators give to class `k`.
    fn share(&self, k: usize) -> f64 {
        self.cell(FIRST + k) / self.cell(3)
    }

    fn pair(&self, number: usize) -> Confusion {
        let cells = self.cells.iter().skip(self.layout.pair(number)).take(self.layout.classes.pow(2));
        Confusion::from_cells(self.layout.classes, cells.copied().collect())
    }

    /// In the order of [`COEFFICIENTS`]; NaN where one is not defined.
    fn coefficients(&self) -> [f64; 9] {
        let (agreement, weighted) = (self.cell(1) / self.cell(0), self.cell(2) / self.cell(0));
        [
            agreement,
            self.mean_of_pairs(Confusion::kappa),
            self.mean_of_pairs(|pair| weighted_kappa(pair, self.layout.classes, 1)),
            self.mean_of_pairs(|pair| weighted_kappa(pair, self.layout.classes, 2)),
            above_chance(agreement, (0..self.layout.classes).map(|k| self.share(k).powi(2)).sum()),
            self.alpha(|k, l| f64::from(k != l)),
            self.alpha(|k, l| self.rank_distance(k, l)),
            above_chance(agreement, self.gwet_chance(|k, l| f64::from(k == l))),
            above_chance(weighted, self.gwet_chance(|k, l| quadratic(k, l, self.layout.classes))),
        ]
    }

    fn mean_of_pairs(&self, coefficient: impl Fn(&Confusion) -> f64) -> f64 {
        let pairs = (0..self.layout.pairs().len()).map(|number| self.pair(number)).filter(|pair| pair.total() > 0.0);
        let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), pair| (sum + coefficient(&pair), count + 1.0));
        sum / count
    }

    fn gwet_chance(&self, weight: impl Fn(usize, usize) -> f64) -> f64 {
        let q = self.layout.classes;
        let weights: f64 = (0..q).flat_map(|k| (0..q).map(move |l| (k, l))).map(|(k, l)| weight(k, l)).sum();
        let spread: f64 = (0..q).map(|k| self.share(k) * (1.0 - self.share(k))).sum();
        weights * spread / (q as f64 * (q as f64 - 1.0))
    }

    /// Krippendorff's alpha with the given distance between classes.
    fn alpha(&self, distance: impl Fn(usize, usize) -> f64) -> f64 {
        let q = self.layout.classes;
        let total: f64 = (0..q).map(|k| self.marginal(k)).sum();
        let (mut observed, mut expected) = (0.0, 0.0);
        for k in 0..q {
            for l in 0..q {
                observed += self.coincidence(k, l) * distance(k, l);
                expected += self.marginal(k) * self.marginal(l) * distance(k, l);
            }
        }
        if expected == 0.0 { f64::NAN } else { 1.0 - (total - 1.0) * observed / expected }
    }

    /// Squared distance of ranks: how many labels lie from one class to the other, each end counted half.
    fn rank_distance(&self, k: usize, l: usize) -> f64 {
        let between: f64 = (k.min(l)..=k.max(l)).map(|class| self.marginal(class)).sum();
        if k == l { 0.0 } else { (between - (self.marginal(k) + self.marginal(l)) / 2.0).powi(2) }
    }

    /// Of the labels `class`, the share that another annotator of the item repeats.
    fn specific_agreement(&self, class: usize) -> f64 {
        self.coincidence(class, class) / self.marginal(class)
    }

    /// Alpha of `class` against all others.
    fn one_against_rest(&self, class: usize) -> f64 {
        self.alpha(|k, l| f64::from((k == class) != (l == class)))
    }
}

/// The part of the agreement that could go beyond chance and does; NaN where chance leaves no room.
fn above_chance(agreement: f64, chance: f64) -> f64 {
    if chance >= 1.0 { f64::NAN } else { (agreement - chance) / (1.0 - chance) }
}

fn weighted_kappa(pair: &Confusion, classes: usize, power: i32) -> f64 {
    let (mut observed, mut expected) = (0.0, 0.0);
    for k in 0..classes {
        for l in 0..classes {
            let distance = (k.abs_diff(l) as f64).powi(power);
            observed += distance * pair.cell(k, l);
            expected += distance * pair.gold(k) * pair.predicted(l);
        }
    }
    if expected == 0.0 { f64::NAN } else { 1.0 - pair.total() * observed / expected }
}

/// Agreement of `ratings`, by coefficient, class, document and pair of annotators.
///
/// # Errors
/// Usage when there are fewer than two annotators.
pub fn evaluate(ratings: &Ratings, bootstrap: &Bootstrap) -> Result<Report> {
    if ratings.annotators.len() < 2 {
        return Err(Error::usage("agreement needs at least two annotators")
            .help("give one file an annotator, or one file whose rows carry `annotators`"));
    }
    let layout = Layout { classes: ratings.classes.len(), annotators: ratings.annotators.len() };
    let (counts, documents) = layout.counts(ratings);
    let (classes, pairs) = (layout.classes, layout.pairs());
    let figures = COEFFICIENTS.len() + 2 * classes + 2 * pairs.len();
    let estimates = bootstrap.estimates(documents, figures, |weights, out| {
        let total = counts.total(weights);
        let sums = layout.sums(&total);
        let by_class = (0..classes).flat_map(|k| [sums.specific_agreement(k), sums.one_against_rest(k)]);
        let by_pair = (0..pairs.len()).map(|number| sums.pair(number)).flat_map(|p| [p.accuracy(), p.kappa()]);
        let values = sums.coefficients().into_iter().chain(by_class).chain(by_pair);
        out.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
    });
    let total = counts.all();
    let sums = layout.sums(&total);
    let (overall, rest) = estimates.split_at(COEFFICIENTS.len());
    let (by_class, by_pair) = rest.split_at(2 * classes);
    let mut report = Report::new("agreement");
    report.sections.push(Section {
        name: "agreement".into(),
        about: format!(
            "{} items with at least two labels, of {} with any; {} annotators",
            sums.cell(0),
            sums.cell(3),
            ratings.annotators.len()
        ),
        tables: vec![
            coefficient_table(ratings, overall),
            class_table(ratings, &sums, by_class),
            coincidence_table(ratings, &sums),
        ],
    });
    report.sections.push(Section {
        name: "annotators".into(),
        about: "each pair over the items that both labelled".into(),
        tables: pair_tables(ratings, &sums, by_pair),
    });
    report.sections.extend(document_section(ratings));
    finish(&mut report, ratings, &sums, bootstrap, documents);
    Ok(report)
}

fn coefficient_table(ratings: &Ratings, estimates: &[Estimate]) -> Table {
    let mut table = Table::new("coefficients", "coefficient", &["value"]);
    for (name, estimate) in COEFFICIENTS.iter().zip(estimates) {
        if ratings.ordered || !ORDINAL.contains(name) {
            table.row(*name, vec![(*estimate).into()]);
        }
    }
    table
}

fn class_table(ratings: &Ratings, sums: &Sums, estimates: &[Estimate]) -> Table {
    let mut table = Table::new("labels", "label", &["agreement", "alpha_against_rest", "share"]);
    for (at, (class, figures)) in ratings.classes.iter().zip(estimates.chunks_exact(2)).enumerate() {
        let share = Estimate::point(sums.share(at));
        table.row(class.as_str(), figures.iter().copied().chain([share]).map(Cell::from).collect());
    }
    table
}

fn coincidence_table(ratings: &Ratings, sums: &Sums) -> Table {
    let columns: Vec<&str> = ratings.classes.iter().map(String::as_str).collect();
    let mut table = Table::new("coincidences", "label", &columns);
    for (k, class) in ratings.classes.iter().enumerate() {
        let cells = (0..columns.len()).map(|l| Cell::from(format!("{:.1}", sums.coincidence(k, l))));
        table.row(class.as_str(), cells.collect());
    }
    table
}

/// More annotators than this have a table of coefficients for their pairs, but no confusion tables.
const CONFUSIONS: usize = 3;

fn pair_tables(ratings: &Ratings, sums: &Sums, estimates: &[Estimate]) -> Vec<Table> {
    let mut tables = vec![Table::new("pairs", "pair", &["percent_agreement", "cohen_kappa", "items"])];
    for (number, ((a, b), figures)) in sums.layout.pairs().into_iter().zip(estimates.chunks_exact(2)).enumerate() {
        let name = |at: usize| ratings.annotators.get(at).map_or("", String::as_str);
        let confusion = sums.pair(number);
        let figures = figures.iter().copied().map(Cell::from);
        if let Some(pairs) = tables.first_mut() {
            let cells = figures.chain([Cell::count(confusion.total())]).collect();
            pairs.row(format!("{} – {}", name(a), name(b)), cells);
        }
        if ratings.annotators.len() <= CONFUSIONS {
            tables.push(confusion_table(ratings, &confusion, name(a), name(b)));
        }
    }
    tables
}

fn confusion_table(ratings: &Ratings, confusion: &Confusion, rows: &str, columns: &str) -> Table {
    let classes: Vec<String> = ratings.classes.iter().map(|class| format!("{columns}: {class}")).collect();
    let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("confusion of {rows} and {columns}"), rows, &classes);
    for (k, class) in ratings.classes.iter().enumerate() {
        table.row(class.as_str(), (0..classes.len()).map(|l| Cell::count(confusion.cell(k, l))).collect());
    }
    table
}

/// Documents with most disagreement; those with a single item say nothing.
fn document_section(ratings: &Ratings) -> Option<Section> {
    let mut documents: indexmap::IndexMap<&str, (f64, f64)> = indexmap::IndexMap::new();
    for item in &ratings.items {
        if let Some(agreement) = item_agreement(item) {
            let (sum, count) = documents.entry(item.document.as_str()).or_default();
            (*sum, *count) = (*sum + agreement, *count + 1.0);
        }
    }
    documents.retain(|_, (_, count)| *count > 1.0);
    documents.sort_by(|a, (sum, count), b, (other, others)| {
        (sum / count).total_cmp(&(other / others)).then(others.total_cmp(count)).then_with(|| a.cmp(b))
    });
    let mut table = Table::new("documents", "document", &["percent_agreement", "items"]);
    for (name, (sum, count)) in documents.iter().take(15) {
        table.row(*name, vec![Estimate::point(sum / count).into(), Cell::count(*count)]);
    }
    (!table.rows.is_empty()).then(|| Section {
        name: "documents".into(),
        about: format!("{} documents with two items or more; those with least agreement", documents.len()),
        tables: vec![table],
    })
}

/// Share of agreeing pairs of annotators; none where fewer than two labelled it.
fn item_agreement(item: &Item) -> Option<f64> {
    let labels: Vec<usize> = item.labels.iter().flatten().copied().collect();
    let pairs = labels.iter().enumerate().flat_map(|(at, a)| labels.iter().skip(at + 1).map(move |b| a == b));
    let (same, all) = pairs.fold((0.0, 0.0), |(same, all), equal| (same + f64::from(equal), all + 1.0));
    (all > 0.0).then_some(same / all)
}

fn finish(report: &mut Report, ratings: &Ratings, sums: &Sums, bootstrap: &Bootstrap, documents: usize) {
    let coefficients = sums.coefficients();
    report.state("annotators", ratings.annotators.join(", "));
    report
        .state("labels", ratings.classes.join(", ") + if ratings.ordered { " (in this order)" } else { " (no order)" });
    report.state("missing labels", "left out pair by pair; items with one label count for the shares of labels only");
    report.state("Cohen's kappa", "of each pair of annotators, averaged where there are more than two (Light)");
    report.state("Fleiss' kappa, AC1, AC2", "with missing labels as in Gwet (2014)");
    super::state_bootstrap(report, bootstrap, documents, "documents");
    if sums.cell(0) == 0.0 {
        report.notes.push("no item has labels of two annotators: nothing is defined".into());
    }
    report.notes.extend(skew_note(ratings, sums, coefficients[4], coefficients[7]));
    let disagreements = disagreements(ratings);
    if !disagreements.is_empty() {
        report.lists.insert("disagreements, the widest first".into(), disagreements);
    }
    let shown =
        |name: &str| report.cell("agreement", "coefficients", name, "value").map_or_else(String::new, Cell::shown);
    report.verdict = format!(
        "{} annotators agree on {} of labels; Krippendorff's alpha {}.",
        ratings.annotators.len(),
        shown("percent_agreement"),
        shown("krippendorff_alpha_nominal")
    );
}

/// How far kappa and AC1 may part before it is worth a sentence.
const PARTING: f64 = 0.1;

fn skew_note(ratings: &Ratings, sums: &Sums, kappa: f64, ac1: f64) -> Option<String> {
    let shares = ratings.classes.iter().enumerate().map(|(k, class)| (sums.share(k), class));
    let (share, class) = shares.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let parts = (ac1 - kappa).abs() > PARTING || (kappa.is_nan() && !ac1.is_nan());
    parts.then(|| {
        let kappa = if kappa.is_nan() { "is not defined".to_string() } else { format!("is {kappa:.3}") };
        format!(
            "{:.0} % of labels are `{class}`: on such skewed labels chance-corrected coefficients part (Fleiss' kappa {kappa}, \
             AC1 {ac1:.3}); kappa asks how well the rare labels are told apart, AC1 how often a pair of annotators agrees",
            share * 100.0
        )
    })
}

/// Items on which annotators differ, the most distant classes first.
fn disagreements(ratings: &Ratings) -> Vec<String> {
    let spread = |item: &Item| {
        let labels = item.labels.iter().flatten();
        let (low, high) = (labels.clone().min()?, labels.max()?);
        let distance = if ratings.ordered { high - low } else { usize::from(high != low) };
        (high != low).then_some((distance, 1.0 - item_agreement(item)?))
    };
    let mut items: Vec<((usize, f64), &Item)> = ratings.items.iter().filter_map(|i| Some((spread(i)?, i))).collect();
    items.sort_by(|(a, _), (b, _)| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    items.into_iter().map(|(_, item)| described(ratings, item)).collect()
}

fn described(ratings: &Ratings, item: &Item) -> String {
    let label = |label: &Option<usize>| label.and_then(|at| ratings.classes.get(at)).map_or("–", String::as_str);
    let labels: Vec<&str> = item.labels.iter().map(label).collect();
    let text: String = item.text.chars().take(100).collect();
    let more = if item.text.chars().count() > 100 { "…" } else { "" };
    format!("{}: {}: {text}{more}", item.id, labels.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratings(labels: &[&[Option<usize>]]) -> Ratings {
        let item = |(at, labels): (usize, &&[Option<usize>])| Item {
            id: at.to_string(),
            document: at.to_string(),
            text: String::new(),
            labels: labels.to_vec(),
        };
        Ratings {
            classes: ["c", "n", "f"].map(String::from).to_vec(),
            ordered: true,
            annotators: (0..labels.first().map_or(2, |l| l.len())).map(|a| a.to_string()).collect(),
            items: labels.iter().enumerate().map(item).collect(),
        }
    }

    fn value(report: &Report, name: &str) -> Option<f64> {
        report.value("agreement", "coefficients", name, "value")
    }

    #[test]
    fn when_all_agree_on_one_label_only_what_is_defined_is_shown() {
        let report = evaluate(&ratings(&[&[Some(0), Some(0)], &[Some(0), Some(0)]]), &Bootstrap::default()).unwrap();
        assert_eq!(value(&report, "percent_agreement"), Some(1.0));
        assert_eq!(value(&report, "gwet_ac1"), Some(1.0));
        assert_eq!(value(&report, "krippendorff_alpha_nominal"), None);
        assert_eq!(value(&report, "fleiss_kappa"), None);
        assert!(report.notes.iter().any(|note| note.contains("is not defined")), "{:?}", report.notes);
    }

    #[test]
    fn nothing_labelled_twice_is_a_sentence_and_no_panic() {
        for labels in [&[][..], &[&[Some(0), None][..], &[None, None]]] {
            let report = evaluate(&ratings(labels), &Bootstrap::default()).unwrap();
            assert_eq!(value(&report, "percent_agreement"), None);
            assert!(report.notes.iter().any(|note| note.contains("nothing is defined")));
        }
    }

    #[test]
    fn the_widest_disagreement_stands_first() {
        let report =
            evaluate(&ratings(&[&[Some(0), Some(1)], &[Some(2), Some(0)], &[Some(1), Some(1)]]), &Bootstrap::default());
        let report = report.unwrap();
        let list = &report.lists["disagreements, the widest first"];
        assert_eq!(list.len(), 2);
        assert!(list[0].starts_with("1: f / c"), "{list:?}");
    }

    #[test]
    fn one_annotator_is_wrong_usage() {
        let one = Ratings { annotators: vec!["a".into()], ..Ratings::default() };
        assert_eq!(evaluate(&one, &Bootstrap::default()).unwrap_err().exit_code(), 2);
    }
}
