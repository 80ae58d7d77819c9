//! How far annotators agree on spans: Krippendorff's unitizing alpha.
//!
//! The alpha of Krippendorff (1995, "On the reliability of unitizing continuous data", with the corrected expectation of
//! Krippendorff 2004, "Measuring the reliability of qualitative text analysis data"): bounds that differ by little cost
//! little, a span that the others lack costs the square of its length. A document is a continuum; gaps end with it.

use super::records;
use super::resample::{Bootstrap, Estimate};
use crate::error::{Error, Result};
use crate::io::brat;
use crate::record::Record;
use crate::report::{Cell, Report, Section, Table};
use indexmap::{IndexMap, IndexSet};
use std::path::{Path, PathBuf};

/// A half-open range of characters.
pub type Unit = (usize, usize);

/// What one annotator marked in a document: ranges under their category.
pub type Marked = IndexMap<String, Vec<Unit>>;

/// A document with what each annotator marked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Continuum {
    /// Its id.
    pub document: String,
    /// Its length, in the unit of the ranges.
    pub length: usize,
    /// What each annotator marked; as many as in every other document.
    pub annotators: Vec<Marked>,
}

/// Which spans of records are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Entities, by type.
    Entities,
    /// Content, cue and source of quotes.
    Quotes,
}

/// Sums of one document and category.
#[derive(Debug, Clone, Default)]
struct Sums {
    /// Squared differences over ordered pairs of annotators.
    observed: f64,
    /// Lengths of the spans of all annotators.
    units: Vec<f64>,
    /// Lengths of what lies between them.
    gaps: Vec<f64>,
}

impl Sums {
    fn of(continuum: &Continuum, category: &str) -> Self {
        let none = Vec::new();
        let marked = continuum.annotators.iter().map(|marked| marked.get(category).unwrap_or(&none));
        let marked: Vec<Vec<Unit>> = marked.map(|units| disjoint(units, continuum.length)).collect();
        let mut sums = Sums::default();
        for (at, one) in marked.iter().enumerate() {
            for other in marked.iter().skip(at + 1) {
                // Both orders of the pair.
                sums.observed += 2.0 * difference(one, other);
            }
            sums.units.extend(one.iter().map(|unit| length(*unit)));
            sums.gaps.extend(gaps(one, continuum.length));
        }
        sums
    }
}

fn length((start, end): Unit) -> f64 {
    end.saturating_sub(start) as f64
}

/// The same characters as ascending ranges of the document that do not overlap; ranges that only touch stay two.
fn disjoint(units: &[Unit], length: usize) -> Vec<Unit> {
    let inside = units.iter().map(|(start, end)| (*start, (*end).min(length)));
    let mut sorted: Vec<Unit> = inside.filter(|(start, end)| start < end).collect();
    sorted.sort_unstable();
    let mut merged: Vec<Unit> = Vec::with_capacity(sorted.len());
    for unit in sorted {
        match merged.last_mut() {
            Some(last) if unit.0 < last.1 => last.1 = last.1.max(unit.1),
            _ => merged.push(unit),
        }
    }
    merged
}

fn gaps(units: &[Unit], length: usize) -> Vec<f64> {
    let starts = std::iter::once(0).chain(units.iter().map(|(_, end)| *end));
    let ends = units.iter().map(|(start, _)| *start).chain([length]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| (end - start) as f64).collect()
}

/// Squared differences between two annotators' spans: of both bounds where two overlap, of the length where one overlaps
/// none.
fn difference(one: &[Unit], other: &[Unit]) -> f64 {
    let overlap = |a: &Unit, b: &Unit| a.0 < b.1 && b.0 < a.1;
    let apart = |a: usize, b: usize| (a.abs_diff(b) as f64).powi(2);
    let alone = |units: &[Unit], others: &[Unit]| {
        let lonely = units.iter().filter(|unit| !others.iter().any(|other| overlap(unit, other)));
        lonely.map(|unit| length(*unit).powi(2)).sum::<f64>()
    };
    let pairs = one.iter().flat_map(|a| other.iter().filter(move |b| overlap(a, b)).map(move |b| (a, b)));
    pairs.map(|(a, b)| apart(a.0, b.0) + apart(a.1, b.1)).sum::<f64>() + alone(one, other) + alone(other, one)
}

/// The sums of one category over all documents, ready for resampling.
struct Category {
    documents: Vec<Sums>,
    /// Gap lengths, ascending, each with its document.
    gaps: Vec<(f64, usize)>,
}

impl Category {
    fn new(continua: &[Continuum], category: &str) -> Self {
        let documents: Vec<Sums> = continua.iter().map(|continuum| Sums::of(continuum, category)).collect();
        let mut gaps: Vec<(f64, usize)> = documents
            .iter()
            .enumerate()
            .flat_map(|(document, sums)| sums.gaps.iter().map(move |gap| (*gap, document)))
            .collect();
        gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
        Category { documents, gaps }
    }

    /// Observed and expected disagreement over documents taken as often as their weights say; `length` is that of all
    /// of them, `annotators` how many there are.
    fn disagreement(&self, weights: &[f64], length: f64, annotators: f64) -> [f64; 2] {
        let weight = |document: usize| weights.get(document).copied().unwrap_or(0.0);
        let weighted = || self.documents.iter().enumerate().map(|(at, sums)| (weight(at), sums));
        let observed: f64 = weighted().map(|(weight, sums)| weight * sums.observed).sum();
        let units: f64 = weighted().map(|(weight, sums)| weight * sums.units.len() as f64).sum();
        // Of the gaps from each place on: how many, and their lengths together.
        let mut from: Vec<[f64; 2]> = vec![[0.0; 2]; self.gaps.len() + 1];
        for (at, (gap, document)) in self.gaps.iter().enumerate().rev() {
            let [count, sum] = from.get(at + 1).copied().unwrap_or_default();
            let weight = weight(*document);
            from[at] = [count + weight, sum + weight * gap];
        }
        let (mut expected, mut spread) = (0.0, 0.0);
        for (weight, sums) in weighted().filter(|(weight, _)| *weight > 0.0) {
            for l in &sums.units {
                let first = self.gaps.partition_point(|(gap, _)| gap < l);
                let [count, sum] = from.get(first).copied().unwrap_or_default();
                let beside = sum - count * (l - 1.0);
                let among = (units - 1.0) / 3.0 * (2.0 * l.powi(3) - 3.0 * l.powi(2) + l);
                expected += weight * (among + l.powi(2) * beside);
                spread += weight * l * (l - 1.0);
            }
        }
        let all = annotators * length;
        let observed = observed / (annotators * (annotators - 1.0) * length.powi(2));
        [observed, 2.0 / length * expected / (all * (all - 1.0) - spread)]
    }
}

/// Alpha of each category and of all together; NaN where no disagreement could be expected.
struct Study {
    categories: Vec<(String, Category)>,
    lengths: Vec<f64>,
    annotators: f64,
}

impl Study {
    fn new(continua: &[Continuum]) -> Self {
        let names: IndexSet<&String> = continua.iter().flat_map(|c| &c.annotators).flat_map(IndexMap::keys).collect();
        Study {
            categories: names.into_iter().map(|name| (name.clone(), Category::new(continua, name))).collect(),
            lengths: continua.iter().map(|continuum| continuum.length as f64).collect(),
            annotators: continua.first().map_or(0.0, |continuum| continuum.annotators.len() as f64),
        }
    }

    /// All categories together, then each.
    fn alphas(&self, weights: &[f64]) -> Vec<f64> {
        let length: f64 = self.lengths.iter().zip(weights).map(|(length, weight)| length * weight).sum();
        let each = self.categories.iter().map(|(_, category)| category.disagreement(weights, length, self.annotators));
        let each: Vec<[f64; 2]> = each.collect();
        let all = each.iter().fold([0.0; 2], |[o, e], [observed, expected]| [o + observed, e + expected]);
        let alpha = |[observed, expected]: &[f64; 2]| {
            if *expected > 0.0 { 1.0 - observed / expected } else { f64::NAN }
        };
        std::iter::once(alpha(&all)).chain(each.iter().map(alpha)).collect()
    }
}

/// The alpha of `continua`: all categories together, then each by name.
///
/// ```
/// use detente::evaluate::unitizing::{Continuum, alphas};
/// // The worked example of Krippendorff (2004): two observers, a continuum of 300 from 150 on.
/// let at = |start: usize, length: usize| (start - 150, start - 150 + length);
/// let k = vec![at(180, 60), at(300, 50)];
/// let one = [("c".to_string(), vec![at(225, 70), at(370, 30)]), ("k".to_string(), k.clone())];
/// let other = [("c".to_string(), vec![at(220, 80), at(355, 20), at(400, 20)]), ("k".to_string(), k)];
/// let annotators = vec![one.into_iter().collect(), other.into_iter().collect()];
/// let alphas = alphas(&[Continuum { document: "1".into(), length: 300, annotators }]);
/// assert!((alphas["all"] - 0.859).abs() < 5e-4);
/// assert!((alphas["c"] - 0.7286).abs() < 5e-5);
/// assert_eq!(alphas["k"], 1.0);
/// ```
pub fn alphas(continua: &[Continuum]) -> IndexMap<String, f64> {
    let study = Study::new(continua);
    let names = std::iter::once("all").chain(study.categories.iter().map(|(name, _)| name.as_str()));
    names.map(str::to_string).zip(study.alphas(&vec![1.0; continua.len()])).collect()
}

/// The agreement of annotators on spans, by category.
///
/// # Errors
/// Usage when there are fewer than two annotators.
pub fn evaluate(annotators: &[String], continua: &[Continuum], bootstrap: &Bootstrap) -> Result<Report> {
    if annotators.len() < 2 {
        return Err(Error::usage("agreement needs at least two annotators").help("give one file an annotator"));
    }
    let study = Study::new(continua);
    let estimates = bootstrap.estimates(continua.len(), study.categories.len() + 1, |weights, out| {
        out.iter_mut().zip(study.alphas(weights)).for_each(|(slot, value)| *slot = value);
    });
    let mut columns = vec!["krippendorff_alpha_unitizing".to_string()];
    columns.extend(annotators.iter().map(|name| format!("spans of {name}")));
    let mut table = Table::new("coefficients", "category", &columns.iter().map(String::as_str).collect::<Vec<_>>());
    let spans = |annotator: usize, category: Option<&str>| -> usize {
        let marked = continua.iter().filter_map(|continuum| continuum.annotators.get(annotator));
        let of = |marked: &Marked| match category {
            Some(name) => marked.get(name).map_or(0, Vec::len),
            None => marked.values().map(Vec::len).sum(),
        };
        marked.map(of).sum()
    };
    let names = std::iter::once(None).chain(study.categories.iter().map(|(name, _)| Some(name.as_str())));
    for (name, estimate) in names.zip(&estimates) {
        let counts = (0..annotators.len()).map(|annotator| Cell::from(spans(annotator, name)));
        table.row(name.unwrap_or("all"), std::iter::once(Cell::from(*estimate)).chain(counts).collect());
    }
    let mut report = Report::new("span agreement");
    report.sections.push(Section {
        name: "unitizing".into(),
        about: format!("{} documents that all {} annotators have", continua.len(), annotators.len()),
        tables: vec![table],
    });
    report.verdict = format!(
        "{} annotators: unitizing alpha {} over {} documents.",
        annotators.len(),
        Cell::from(estimates.first().copied().unwrap_or(Estimate::default())).shown(),
        continua.len()
    );
    report.state("annotators", annotators.join(", "));
    report.state(
        "alpha",
        "Krippendorff's for unitizing (1995, 2004): squared differences of bounds; each document by itself; of each \
         category by itself, and of all from their sums; overlapping spans of one annotator and category are joined",
    );
    super::state_bootstrap(&mut report, bootstrap, continua.len(), "documents");
    if continua.is_empty() {
        report.notes.push("no document was annotated by all: nothing is defined".into());
    }
    Ok(report)
}

/// Reads what each annotator marked: files of records, one an annotator, that meet by id; or one folder of brat
/// stand-off with `text/*.txt` and `attributions/<article>_<annotator>.ann`, of which the first two annotators of each
/// article are compared.
///
/// # Errors
/// When a file cannot be read, or the annotators' offsets count in different units.
pub fn read(paths: &[PathBuf], what: What) -> Result<(Vec<String>, Vec<Continuum>)> {
    match paths {
        [folder] if folder.is_dir() => Ok((vec!["first".into(), "second".into()], attributions(folder)?)),
        files => {
            let names = files.iter().map(|path| path.display().to_string()).collect();
            let sides = files.iter().map(|path| records::read(path)).collect::<Result<Vec<_>>>()?;
            Ok((names, continua(sides, what)?))
        }
    }
}

fn attributions(folder: &Path) -> Result<Vec<Continuum>> {
    let continuum = |article: brat::Article| {
        let marked = |found: &Vec<crate::quotes::tags::Attribution>| {
            let mut marked = Marked::new();
            for (category, spans) in
                found.iter().flat_map(|a| [("content", &a.content), ("cue", &a.cue), ("source", &a.source)])
            {
                marked.entry(category.to_string()).or_default().extend(spans.iter().map(|span| (span.start, span.end)));
            }
            marked
        };
        let annotators: Vec<Marked> = article.annotations.iter().take(2).map(|(_, found)| marked(found)).collect();
        let length = article.document.text.len();
        (annotators.len() == 2).then_some(Continuum { document: article.document.id, length, annotators })
    };
    Ok(brat::read_articles(folder)?.into_iter().filter_map(continuum).collect())
}

/// The documents that every annotator has.
fn continua(sides: Vec<Vec<Record>>, what: What) -> Result<Vec<Continuum>> {
    let mut sides = sides.into_iter();
    let first = sides.next().unwrap_or_default();
    let others: Vec<IndexMap<String, Record>> =
        sides.map(|records| records.into_iter().map(|record| (record.id.clone(), record)).collect()).collect();
    let mut continua = Vec::new();
    for record in &first {
        let Some(rest) = others.iter().map(|records| records.get(&record.id)).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let all: Vec<&Record> = std::iter::once(record).chain(rest).collect();
        if all.iter().any(|other| other.offset_unit != record.offset_unit) {
            return Err(Error::document(format!("offsets of document `{}` count in different units", record.id))
                .help("write the records with the same --offset-unit"));
        }
        let annotators: Vec<Marked> = all.iter().map(|record| marked(record, what)).collect();
        let last = annotators.iter().flat_map(IndexMap::values).flatten().map(|(_, end)| *end).max().unwrap_or(0);
        let text = all.iter().filter_map(|record| record.text.as_ref()).map(|text| text.chars().count()).max();
        continua.push(Continuum { document: record.id.clone(), length: last.max(text.unwrap_or(0)), annotators });
    }
    Ok(continua)
}

fn marked(record: &Record, what: What) -> Marked {
    let mut marked = Marked::new();
    let mut add = |category: &str, start: usize, end: usize| {
        marked.entry(category.to_string()).or_default().push((start, end));
    };
    match what {
        What::Entities => {
            record.entities.iter().flatten().for_each(|e| add(&e.kind, e.span.start, e.span.end));
        }
        What::Quotes => {
            for quote in record.quotes.iter().flatten() {
                quote.parts.iter().for_each(|part| add("content", part.start, part.end));
                quote.cue.iter().for_each(|cue| add("cue", cue.start, cue.end));
                let mention = quote.speaker.as_ref().and_then(|speaker| speaker.mention.as_ref());
                mention.iter().for_each(|mention| add("source", mention.start, mention.end));
            }
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(units: &[Unit]) -> Marked {
        [("x".to_string(), units.to_vec())].into_iter().collect()
    }

    fn alpha(length: usize, annotators: &[&[Unit]]) -> f64 {
        let annotators = annotators.iter().map(|units| marked(units)).collect();
        alphas(&[Continuum { document: "1".into(), length, annotators }])["x"]
    }

    /// The examples A to D of Krippendorff (1995), stretched so far that the continuum is as good as continuous. B and C
    /// come out a little off what the paper prints, as in DKPro Statistics, whose tests allow them 0.02.
    #[test]
    fn the_examples_of_1995_come_out_as_published() {
        let stretched = |units: &[Unit]| -> Vec<Unit> {
            units.iter().map(|(start, length)| (start * 50_000, (start + length) * 50_000)).collect()
        };
        let cases: [(&[Unit], &[Unit], f64, f64); 4] = [
            (&[(2, 8), (14, 6)], &[(4, 4), (15, 2)], 0.553, 5e-4),
            (&[(0, 18)], &[(0, 2), (2, 1), (3, 1), (4, 1), (5, 1), (6, 3), (9, 1)], -0.926, 0.02),
            (&[(2, 6), (10, 2), (14, 4), (20, 2)], &[(0, 2), (4, 4), (10, 4), (16, 2), (20, 2)], 0.679, 0.02),
            (&[(0, 2), (2, 8), (10, 4), (14, 6), (20, 4)], &[(0, 4), (4, 4), (8, 7), (15, 2), (17, 7)], 0.066, 5e-4),
        ];
        for (one, other, published, tolerance) in cases {
            let ours = alpha(24 * 50_000, &[&stretched(one), &stretched(other)]);
            assert!((ours - published).abs() < tolerance, "{ours} is not {published}");
        }
    }

    #[test]
    fn degenerate_studies_are_undefined_and_never_panic() {
        assert!(alphas(&[])["all"].is_nan());
        assert!(alpha(0, &[&[], &[]]).is_nan());
        assert!(alpha(10, &[&[], &[]]).is_nan(), "nobody marks anything");
        assert!(alpha(10, &[&[(0, 10)], &[(0, 10)]]).is_finite());
        assert!(alpha(10, &[&[(3, 30), (5, 2)], &[]]) < 1.0, "a range beyond the document, and a backward one");
        let report = evaluate(&["a".into(), "b".into()], &[], &Bootstrap::default()).unwrap();
        assert!(report.notes.iter().any(|note| note.contains("nothing is defined")));
    }

    #[test]
    fn spans_far_apart_agree_less_than_spans_beside_each_other() {
        let near = alpha(100, &[&[(10, 20), (50, 60)], &[(11, 21), (50, 60)]]);
        let far = alpha(100, &[&[(10, 20), (50, 60)], &[(30, 40), (50, 60)]]);
        assert!(near > 0.9 && far < 0.6, "{near} {far}");
    }
}
