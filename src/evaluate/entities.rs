//! Entity spans against gold: strict and conlleval-compatible precision, recall and F1.

use super::classes::share;
use super::conll::{self, Chunk, ConllFile, Scheme};
use super::records::Meeting;
use super::resample::{Bootstrap, Counts, Estimate};
use crate::error::{Error, Result};
use crate::record::Record;
use crate::report::{Cell, Report, Section, Table};
use indexmap::{IndexMap, IndexSet};

/// Names under which data sets know the four types of the bundled model.
const ALIASES: [(&str, &str); 12] = [
    ("person", "PER"),
    ("per", "PER"),
    ("people", "PER"),
    ("organisation", "ORG"),
    ("organization", "ORG"),
    ("org", "ORG"),
    ("location", "LOC"),
    ("loc", "LOC"),
    ("gpe", "LOC"),
    ("misc", "MISC"),
    ("miscellaneous", "MISC"),
    ("norp", "NORP"),
];

/// The type names that are scored: aliases in any case become one name, and a map of the user's comes first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TypeNames {
    map: IndexMap<String, Option<String>>,
}

impl TypeNames {
    /// From `FROM=TO` arguments; `TO` may be `O`: entities of that type are left out on both sides.
    ///
    /// # Errors
    /// Usage when an argument holds no `=`.
    ///
    /// ```
    /// use detente::evaluate::entities::TypeNames;
    /// let names = TypeNames::new(&["Facility=LOC".into(), "Date=O".into()]).unwrap();
    /// assert_eq!(names.name("facility").as_deref(), Some("LOC"));
    /// assert_eq!(names.name("Organization").as_deref(), Some("ORG"));
    /// assert_eq!(names.name("Date"), None);
    /// ```
    pub fn new(arguments: &[String]) -> Result<Self> {
        let mut map = IndexMap::new();
        for argument in arguments {
            let (from, to) = argument
                .split_once('=')
                .ok_or_else(|| Error::usage(format!("`{argument}` maps nothing")).help("write --map FROM=TO"))?;
            map.insert(from.trim().to_lowercase(), (to.trim() != "O").then(|| to.trim().to_string()));
        }
        Ok(TypeNames { map })
    }

    /// The scored name of `kind`; none when it is left out.
    pub fn name(&self, kind: &str) -> Option<String> {
        let lower = kind.to_lowercase();
        let alias = |name: &str| ALIASES.iter().find(|(from, _)| *from == name).map(|(_, to)| to.to_string());
        match self.map.get(&lower) {
            Some(None) => None,
            Some(Some(to)) => Some(alias(&to.to_lowercase()).unwrap_or_else(|| to.clone())),
            None => Some(alias(&lower).unwrap_or_else(|| kind.to_string())),
        }
    }

    fn renamed(&self, chunks: Vec<Chunk>) -> IndexSet<Chunk> {
        chunks.into_iter().filter_map(|chunk| Some(Chunk { kind: self.name(&chunk.kind)?, ..chunk })).collect()
    }

    fn described(&self) -> String {
        let map = self.map.iter().map(|(from, to)| format!("{from}={}", to.as_deref().unwrap_or("O")));
        let map: Vec<String> = map.collect();
        let own = if map.is_empty() { String::new() } else { format!("; --map {}", map.join(" ")) };
        format!("person, per = PER; organisation, organization, org = ORG; location, loc, gpe = LOC; misc = MISC{own}")
    }
}

/// Entities of one sentence or document, after renaming.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// What is resampled.
    pub document: usize,
    /// Gold spans.
    pub gold: IndexSet<Chunk>,
    /// Predicted spans.
    pub predicted: IndexSet<Chunk>,
}

/// Scores the tags of `predicted` against those of `gold`.
///
/// # Errors
/// When the two files do not hold the same words in the same sentences: names the first lines that differ.
pub fn evaluate_conll(
    gold: &ConllFile,
    predicted: &ConllFile,
    names: &TypeNames,
    bootstrap: &Bootstrap,
) -> Result<Report> {
    check_same_words(gold, predicted)?;
    let samples = |read: &dyn Fn(&[String], Scheme) -> Vec<Chunk>| -> Vec<Sample> {
        let pairs = gold.sentences.iter().zip(&predicted.sentences);
        let sample = pairs.map(|(g, p)| Sample {
            document: g.document,
            gold: names.renamed(read(&g.tags, gold.scheme)),
            predicted: names.renamed(read(&p.tags, predicted.scheme)),
        });
        sample.collect()
    };
    let documents = gold.sentences.iter().map(|s| s.document + 1).max().unwrap_or(0);
    let strict = samples(&|tags, scheme| conll::strict(tags, scheme));
    let lenient = samples(&|tags, _| conll::lenient(tags));
    let mut report = Report::new("entities");
    let about = "only spans that are well formed in their tag scheme (seqeval, mode strict)";
    report.sections.push(section("strict", about, &strict, documents, bootstrap));
    let about = "a tag that continues nothing opens a span (the conlleval script, seqeval's default)";
    report.sections.push(section("conlleval", about, &lenient, documents, bootstrap));
    let words: usize = gold.sentences.iter().map(|s| s.words.len()).sum();
    report.state("data", format!("{} sentences, {words} words", gold.sentences.len()));
    report.state("tag schemes", format!("gold {}, predictions {}", gold.scheme.as_str(), predicted.scheme.as_str()));
    report.state("repair", "strict: malformed tags are passed over; conlleval: they open a span of their type");
    let unit = if gold.has_documents { "documents (-DOCSTART-)" } else { "sentences (the file marks no documents)" };
    finish(&mut report, names, bootstrap, documents, unit, "conlleval");
    note_repairs(&mut report, gold, predicted);
    Ok(report)
}

/// Scores the entities of records.
pub fn evaluate_records(meeting: &Meeting, names: &TypeNames, bootstrap: &Bootstrap) -> Report {
    let chunks = |record: &Record| -> Vec<Chunk> {
        let entities = record.entities.iter().flatten();
        entities.map(|e| Chunk { start: e.span.start, end: e.span.end, kind: e.kind.clone() }).collect()
    };
    let sample = |(document, pair): (usize, &super::records::Pair)| Sample {
        document,
        gold: names.renamed(chunks(&pair.gold)),
        predicted: names.renamed(pair.predicted.as_ref().map(chunks).unwrap_or_default()),
    };
    let samples: Vec<Sample> = meeting.pairs.iter().enumerate().map(sample).collect();
    let mut report = Report::new("entities");
    let about = "a span is right when start, end and type are";
    report.sections.push(section("strict", about, &samples, samples.len(), bootstrap));
    report.state("data", format!("{} gold documents", samples.len()));
    finish(&mut report, names, bootstrap, samples.len(), "documents", "strict");
    super::note_meeting(&mut report, meeting);
    report
}

fn check_same_words(gold: &ConllFile, predicted: &ConllFile) -> Result<()> {
    for (g, p) in gold.sentences.iter().zip(&predicted.sentences) {
        let differ = g.words.iter().zip(&p.words).position(|(a, b)| a != b);
        if differ.is_some() || g.words.len() != p.words.len() {
            let at = differ.unwrap_or_else(|| g.words.len().min(p.words.len()));
            let word =
                |words: &[String]| words.get(at).map_or_else(|| "the sentence's end".into(), |w| format!("`{w}`"));
            let lines = (g.line + at as u64, p.line + at as u64);
            return Err(Error::document(format!(
                "gold has {} in line {} where the predictions have {} in line {}",
                word(&g.words),
                lines.0,
                word(&p.words),
                lines.1
            ))
            .help("both files must hold the same words in the same sentences"));
        }
    }
    if gold.sentences.len() == predicted.sentences.len() {
        return Ok(());
    }
    let (gold, predicted) = (gold.sentences.len(), predicted.sentences.len());
    Err(Error::document(format!("gold has {gold} sentences and the predictions have {predicted}"))
        .help("both files must hold the same words in the same sentences"))
}

fn note_repairs(report: &mut Report, gold: &ConllFile, predicted: &ConllFile) {
    for (side, file) in [("gold", gold), ("the predictions", predicted)] {
        let differ = |s: &&conll::Sentence| conll::strict(&s.tags, file.scheme) != conll::lenient(&s.tags);
        let repaired = file.sentences.iter().filter(differ).count();
        if repaired > 0 {
            report.notes.push(format!("{repaired} sentences of {side} hold malformed {} tags", file.scheme.as_str()));
        }
    }
}

fn finish(report: &mut Report, names: &TypeNames, bootstrap: &Bootstrap, documents: usize, unit: &str, section: &str) {
    report.state("type names", names.described());
    report.state("averages", "micro over all spans; macro and weighted over the types of gold or predictions");
    super::state_bootstrap(report, bootstrap, documents, unit);
    let shown = report.cell(section, "scores", "micro", "f1").map_or_else(String::new, Cell::shown);
    report.verdict = format!("Entities of {documents} {unit}: micro F1 {shown} ({section}).");
}

/// Precision, recall and F1 of counts of right, gold and predicted spans.
pub(super) fn precision_recall_f1(right: f64, gold: f64, predicted: f64) -> [f64; 3] {
    [share(right, predicted), share(right, gold), share(2.0 * right, gold + predicted)]
}

/// Types in the order of their names, and for each document the right, gold and predicted spans of each.
fn counts(samples: &[Sample], documents: usize) -> (Vec<String>, Counts) {
    let mut types: Vec<String> = Vec::new();
    samples.iter().flat_map(|s| s.gold.iter().chain(&s.predicted)).for_each(|chunk| {
        if let Err(place) = types.binary_search(&chunk.kind) {
            types.insert(place, chunk.kind.clone());
        }
    });
    let mut counts = Counts::new(documents, 3 * types.len());
    for sample in samples {
        let mut count = |chunk: &Chunk, cell: usize| {
            if let Ok(kind) = types.binary_search(&chunk.kind) {
                counts.add(sample.document, 3 * kind + cell, 1.0);
            }
        };
        sample.gold.iter().filter(|chunk| sample.predicted.contains(*chunk)).for_each(|chunk| count(chunk, 0));
        sample.gold.iter().for_each(|chunk| count(chunk, 1));
        sample.predicted.iter().for_each(|chunk| count(chunk, 2));
    }
    (types, counts)
}

fn section(name: &str, about: &str, samples: &[Sample], documents: usize, bootstrap: &Bootstrap) -> Section {
    let (types, counts) = counts(samples, documents);
    let estimates = bootstrap.estimates(documents, 9 + 3 * types.len(), |weights, out| {
        write_figures(&counts.total(weights), out);
    });
    let total = counts.total(&vec![1.0; documents]);
    let (averages, per_type) = estimates.split_at(9);
    let columns = ["precision", "recall", "f1", "gold", "predicted", "right"];
    let mut scores = Table::new("scores", "average", &columns);
    let all = |cell: usize| total.iter().skip(cell).step_by(3).sum::<f64>();
    for (average, row) in ["micro", "macro", "weighted"].into_iter().zip(averages.chunks_exact(3)) {
        scores.row(average, with_counts(row, [all(1), all(2), all(0)]));
    }
    let mut by_type = Table::new("types", "type", &columns);
    for ((kind, row), cells) in types.iter().zip(per_type.chunks_exact(3)).zip(total.as_chunks::<3>().0) {
        by_type.row(kind.as_str(), with_counts(row, [cells[1], cells[2], cells[0]]));
    }
    Section { name: name.into(), about: about.into(), tables: vec![scores, by_type] }
}

pub(super) fn with_counts(estimates: &[Estimate], counts: [f64; 3]) -> Vec<Cell> {
    estimates.iter().map(|e| Cell::from(*e)).chain(counts.map(Cell::count)).collect()
}

/// Micro, macro and weighted averages, then each type.
fn write_figures(total: &[f64], out: &mut [f64]) {
    let (types, _) = total.as_chunks::<3>();
    let sums = types.iter().fold([0.0; 3], |sum, cells| std::array::from_fn(|i| sum[i] + cells[i]));
    let mut averages = [precision_recall_f1(sums[0], sums[1], sums[2]), [0.0; 3], [0.0; 3]];
    let present = types.iter().filter(|cells| cells[1] + cells[2] > 0.0).count() as f64;
    for &[right, gold, predicted] in types {
        let figures = precision_recall_f1(right, gold, predicted);
        for (at, figure) in figures.into_iter().enumerate() {
            averages[1][at] += share(figure, present);
            averages[2][at] += figure * share(gold, sums[1]);
        }
    }
    let each = types.iter().flat_map(|&[right, gold, predicted]| precision_recall_f1(right, gold, predicted));
    out.iter_mut().zip(averages.into_iter().flatten().chain(each)).for_each(|(slot, value)| *slot = value);
}
