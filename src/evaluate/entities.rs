//! Entity spans against gold: strict and conlleval-compatible precision, recall and F1.

use super::classes::share;
use super::comparison::{GoldSpan, SpanComparison, SpanDocument};
use super::conll::{self, Chunk, ConllFile, Scheme as TagScheme};
use super::records::Meeting;
use super::resample::{Bootstrap, Counts, Estimate};
use super::schemes::{self, Scheme};
use super::tally::{self, Tally};
use crate::error::{Error, Result};
use crate::record::{EntityRecord, Record};
use crate::report::{Cell, Report, Section, Table};
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};

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

    /// Renamed spans in the order of their places, each with its surface.
    fn renamed(&self, chunks: Vec<(Chunk, String)>) -> Spans {
        let renamed =
            |(chunk, surface): (Chunk, String)| Some((Chunk { kind: self.name(&chunk.kind)?, ..chunk }, surface));
        let mut spans: Spans = chunks.into_iter().filter_map(renamed).collect();
        spans.sort_keys();
        spans
    }

    fn described(&self) -> String {
        let map = self.map.iter().map(|(from, to)| format!("{from}={}", to.as_deref().unwrap_or("O")));
        let map: Vec<String> = map.collect();
        let own = if map.is_empty() { String::new() } else { format!("; --map {}", map.join(" ")) };
        format!("person, per = PER; organisation, organization, org = ORG; location, loc, gpe = LOC; misc = MISC{own}")
    }
}

/// Typed spans, each with its surface.
pub type Spans = IndexMap<Chunk, String>;

/// Entities of one sentence or document, after renaming.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// What is resampled.
    pub document: usize,
    /// Gold spans.
    pub gold: Spans,
    /// Predicted spans.
    pub predicted: Spans,
}

/// What somebody may ask of an entity evaluation.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Names of types.
    pub names: TypeNames,
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// Entities of the training data, for figures by whether an entity was seen there.
    pub seen: Option<Seen>,
}

/// Surfaces of the training data, in lower case, with the types they had there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    types: HashMap<String, HashSet<String>>,
}

impl Seen {
    /// Of the entities of a CoNLL file.
    pub fn in_conll(file: &ConllFile, names: &TypeNames) -> Self {
        let chunks = file.sentences.iter().map(|s| with_surfaces(&s.words, conll::lenient(&s.tags)));
        Seen::of(chunks.flat_map(|chunks| names.renamed(chunks)))
    }

    /// Of the entities of records.
    pub fn in_records(records: &[Record], names: &TypeNames) -> Self {
        Seen::of(records.iter().flat_map(|record| names.renamed(record_chunks(record))))
    }

    fn of(spans: impl Iterator<Item = (Chunk, String)>) -> Self {
        let mut seen = Seen::default();
        spans.for_each(|(chunk, surface)| {
            seen.types.entry(surface.to_lowercase()).or_default().insert(chunk.kind);
        });
        seen
    }

    fn group(&self, chunk: &Chunk, surface: &str) -> &'static str {
        match self.types.get(&surface.to_lowercase()) {
            Some(types) if types.contains(&chunk.kind) => "seen",
            Some(_) => "seen_as_other_type",
            None => "unseen",
        }
    }
}

/// Scores the tags of `predicted` against those of `gold`.
///
/// # Errors
/// When the two files do not hold the same words in the same sentences: names the first lines that differ.
pub fn evaluate_conll(gold: &ConllFile, predicted: &ConllFile, settings: &Settings) -> Result<Report> {
    let (names, bootstrap) = (&settings.names, &settings.bootstrap);
    check_same_words(gold, predicted)?;
    let samples = |read: &dyn Fn(&[String], TagScheme) -> Vec<Chunk>| -> Vec<Sample> {
        let pairs = gold.sentences.iter().zip(&predicted.sentences);
        let sample = pairs.map(|(g, p)| Sample {
            document: g.document,
            gold: names.renamed(with_surfaces(&g.words, read(&g.tags, gold.scheme))),
            predicted: names.renamed(with_surfaces(&p.words, read(&p.tags, predicted.scheme))),
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
    report.sections.push(schemes_section(&lenient, documents, bootstrap));
    report.sections.extend(settings.seen.as_ref().map(|seen| seen_section(&lenient, seen, documents, bootstrap)));
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
pub fn evaluate_records(meeting: &Meeting, settings: &Settings) -> Report {
    let (names, bootstrap) = (&settings.names, &settings.bootstrap);
    let sample = |(document, pair): (usize, &super::records::Pair)| Sample {
        document,
        gold: names.renamed(record_chunks(&pair.gold)),
        predicted: names.renamed(pair.predicted.as_ref().map(record_chunks).unwrap_or_default()),
    };
    let samples: Vec<Sample> = meeting.pairs.iter().enumerate().map(sample).collect();
    let mut report = Report::new("entities");
    let about = "a span is right when start, end and type are";
    report.sections.push(section("strict", about, &samples, samples.len(), bootstrap));
    report.sections.push(schemes_section(&samples, samples.len(), bootstrap));
    report.sections.extend(settings.seen.as_ref().map(|seen| seen_section(&samples, seen, samples.len(), bootstrap)));
    report.state("data", format!("{} gold documents", samples.len()));
    finish(&mut report, names, bootstrap, samples.len(), "documents", "strict");
    super::note_meeting(&mut report, meeting);
    report
}

/// The gold entities with what each system makes of them, read as conlleval does, for
/// [`evaluate_spans`](super::comparison::evaluate_spans).
///
/// # Errors
/// When two files do not hold the same words in the same sentences.
pub fn compare_conll(gold: &ConllFile, systems: &[(String, ConllFile)], names: &TypeNames) -> Result<SpanComparison> {
    systems.iter().try_for_each(|(_, predicted)| check_same_words(gold, predicted))?;
    let documents = gold.sentences.iter().map(|s| s.document + 1).max().unwrap_or(0);
    let mut compared = vec![SpanDocument { predicted: vec![0; systems.len()], ..SpanDocument::default() }; documents];
    let spans =
        |sentence: &conll::Sentence| names.renamed(with_surfaces(&sentence.words, conll::lenient(&sentence.tags)));
    for (at, sentence) in gold.sentences.iter().enumerate() {
        let predicted = systems.iter().filter_map(|(_, file)| file.sentences.get(at)).map(spans);
        let place = format!("line {}", sentence.line);
        if let Some(document) = compared.get_mut(sentence.document) {
            add_spans(document, &place, &spans(sentence), &predicted.collect::<Vec<_>>());
        }
    }
    Ok(span_comparison(systems.iter().map(|(name, _)| name), compared))
}

/// As [`compare_conll`], for records.
pub fn compare_records(systems: &[(String, Meeting)], names: &TypeNames) -> SpanComparison {
    let pairs = systems.first().map_or(&[][..], |(_, meeting)| &meeting.pairs);
    let compared = pairs.iter().enumerate().map(|(at, pair)| {
        let mut document = SpanDocument { predicted: vec![0; systems.len()], ..SpanDocument::default() };
        let records = systems.iter().map(|(_, meeting)| meeting.pairs.get(at).and_then(|pair| pair.predicted.as_ref()));
        let predicted = records.map(|record| names.renamed(record.map(record_chunks).unwrap_or_default()));
        add_spans(
            &mut document,
            &pair.gold.id,
            &names.renamed(record_chunks(&pair.gold)),
            &predicted.collect::<Vec<_>>(),
        );
        document
    });
    span_comparison(systems.iter().map(|(name, _)| name), compared.collect())
}

fn add_spans(document: &mut SpanDocument, place: &str, gold: &Spans, predicted: &[Spans]) {
    document.predicted.iter_mut().zip(predicted).for_each(|(count, spans)| *count += spans.len());
    document.gold.extend(gold.iter().map(|(chunk, surface)| GoldSpan {
        id: format!("{place} ({} to {})", chunk.start, chunk.end),
        text: format!("{} {surface}", chunk.kind),
        found: predicted.iter().map(|spans| spans.contains_key(chunk)).collect(),
    }));
}

fn span_comparison<'a>(names: impl Iterator<Item = &'a String>, documents: Vec<SpanDocument>) -> SpanComparison {
    SpanComparison { systems: names.cloned().collect(), criterion: "the same bounds and type".into(), documents }
}

fn with_surfaces(words: &[String], chunks: Vec<Chunk>) -> Vec<(Chunk, String)> {
    let surface = |chunk: &Chunk| words.get(chunk.start..chunk.end).map(|words| words.join(" ")).unwrap_or_default();
    chunks.into_iter().map(|chunk| (surface(&chunk), chunk)).map(|(surface, chunk)| (chunk, surface)).collect()
}

fn record_chunks(record: &Record) -> Vec<(Chunk, String)> {
    let chunk = |entity: &EntityRecord| {
        let span = &entity.span;
        (Chunk { start: span.start, end: span.end, kind: entity.kind.clone() }, span.text.clone())
    };
    record.entities.iter().flatten().map(chunk).collect()
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

/// The four SemEval schemes over all types, and their F1 by type.
fn schemes_section(samples: &[Sample], documents: usize, bootstrap: &Bootstrap) -> Section {
    let (types, _) = counts(samples);
    let mut counts = Counts::new(5 * Scheme::ALL.len() * (types.len() + 1));
    for sample in samples {
        let groups = std::iter::once(None).chain(types.iter().map(Some));
        for (group, kind) in groups.enumerate() {
            let of_kind = |chunk: &&Chunk| kind.is_none_or(|kind| *kind == chunk.kind);
            let gold: Vec<&Chunk> = sample.gold.keys().filter(of_kind).collect();
            let predicted: Vec<&Chunk> = sample.predicted.keys().filter(of_kind).collect();
            if gold.is_empty() && predicted.is_empty() {
                continue;
            }
            for (at, scheme) in Scheme::ALL.into_iter().enumerate() {
                let first = 5 * (Scheme::ALL.len() * group + at);
                for (outcome, count) in schemes::count(scheme, &gold, &predicted).into_iter().enumerate() {
                    counts.add(sample.document, first + outcome, count);
                }
            }
        }
    }
    let estimates = bootstrap.estimates(documents, 3 * Scheme::ALL.len() * (types.len() + 1), |weights, out| {
        let total = counts.total(weights);
        for (slots, outcomes) in out.as_chunks_mut::<3>().0.iter_mut().zip(total.as_chunks::<5>().0) {
            *slots = schemes::figures(*outcomes);
        }
    });
    let columns: Vec<&str> = ["precision", "recall", "f1"].into_iter().chain(schemes::OUTCOMES).collect();
    let mut scores = Table::new("scores", "right is", &columns);
    let (all, _) = estimates.as_chunks::<3>();
    let total = counts.all();
    for ((scheme, figures), outcomes) in Scheme::ALL.iter().zip(all).zip(total.as_chunks::<5>().0) {
        let figures = figures.iter().map(|figure| Cell::from(*figure));
        scores.row(scheme.as_str(), figures.chain(outcomes.map(Cell::count)).collect());
    }
    let mut by_type = Table::new("f1_by_type", "type", &Scheme::ALL.map(Scheme::as_str));
    for (kind, figures) in types.iter().zip(all.chunks_exact(Scheme::ALL.len()).skip(1)) {
        by_type.row(kind.as_str(), figures.iter().map(|[_, _, f1]| Cell::from(*f1)).collect());
    }
    Section {
        name: "schemes".into(),
        about:
            "strict: bounds and type; exact: bounds; partial: bounds, an overlap counts half; type: type with overlap \
                (SemEval-2013 task 9.1 as nervaluate counts it; by type each type by itself)"
                .into(),
        tables: vec![scores, by_type],
    }
}

/// Recall by whether gold's surface, precision by whether the prediction's surface occurs in the training data.
fn seen_section(samples: &[Sample], seen: &Seen, documents: usize, bootstrap: &Bootstrap) -> Section {
    let mut tally = Tally::with_rows(&["seen", "seen_as_other_type", "unseen"]);
    for sample in samples {
        for (chunk, surface) in &sample.gold {
            let found = sample.predicted.contains_key(chunk);
            tally.see(sample.document, seen.group(chunk, surface), tally::Seen::Gold(found));
        }
        for (chunk, surface) in &sample.predicted {
            let right = sample.gold.contains_key(chunk);
            tally.see(sample.document, seen.group(chunk, surface), tally::Seen::Predicted(right));
        }
    }
    Section {
        name: "seen_in_training".into(),
        about: "by whether the surface (case aside) is an entity of the training data, with this type or another"
            .into(),
        tables: vec![tally.precision_recall_table("scores", "surface", documents, bootstrap)],
    }
}

/// Types in the order of their names, and for each document the right, gold and predicted spans of each.
fn counts(samples: &[Sample]) -> (Vec<String>, Counts) {
    let mut types: Vec<String> = Vec::new();
    samples.iter().flat_map(|s| s.gold.keys().chain(s.predicted.keys())).for_each(|chunk| {
        if let Err(place) = types.binary_search(&chunk.kind) {
            types.insert(place, chunk.kind.clone());
        }
    });
    let mut counts = Counts::new(3 * types.len());
    for sample in samples {
        let mut count = |chunk: &Chunk, cell: usize| {
            if let Ok(kind) = types.binary_search(&chunk.kind) {
                counts.add(sample.document, 3 * kind + cell, 1.0);
            }
        };
        sample.gold.keys().filter(|chunk| sample.predicted.contains_key(*chunk)).for_each(|chunk| count(chunk, 0));
        sample.gold.keys().for_each(|chunk| count(chunk, 1));
        sample.predicted.keys().for_each(|chunk| count(chunk, 2));
    }
    (types, counts)
}

fn section(name: &str, about: &str, samples: &[Sample], documents: usize, bootstrap: &Bootstrap) -> Section {
    let (types, counts) = counts(samples);
    let estimates = bootstrap.estimates(documents, 9 + 3 * types.len(), |weights, out| {
        write_figures(&counts.total(weights), out);
    });
    let total = counts.all();
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
