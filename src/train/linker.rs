//! Training of the linker: a quote model reads annotated articles, and what it found is compared with the annotations.

use super::quotes::{QuoteTraining, articles};
use crate::document::Span;
use crate::encoder::rust_bert::{EngineOptions, RustBert};
use crate::error::{Error, Result};
use crate::evaluate::matching;
use crate::io::brat::Article;
use crate::quotes::linker::{Bias, Joined, Linker, Reading, Scorer, candidates, features};
use crate::quotes::model::{Part, QuoteTagger, Words};
use crate::quotes::tags::{Attribution, Role, words_of};
use crate::tokens::Window;
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// The least intersection over union at which a found span is taken for an annotated one.
const SAME: f64 = 0.5;

/// How well the linker does on dev, at the thresholds chosen there.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkerOutcome {
    /// The linker, as it was written.
    pub linker: Linker,
    /// F1 of content whose characters overlap at IoU ≥ 0.5.
    pub content: f64,
    /// F1 of content with exactly the annotated characters.
    pub exact: f64,
    /// F1 of attributions whose content, cue and source all overlap.
    pub whole: f64,
}

impl LinkerOutcome {
    /// What is chosen by: content and whole attributions count alike.
    fn worth(&self) -> f64 {
        self.content + self.whole
    }
}

/// Learns to link what the model in `settings.training.output` finds, and writes `linker.json` beside it.
///
/// Weights come from the training articles; the bias of decoding and the thresholds from dev.
///
/// # Errors
/// When the model or the data cannot be read, or the model finds too little to learn from.
pub fn train(settings: &QuoteTraining) -> Result<LinkerOutcome> {
    let folder = &settings.training.output;
    let options = EngineOptions { device: settings.training.device, precision: settings.training.precision };
    let tagger = QuoteTagger::with_linker(folder, Arc::new(RustBert::load(folder, &options)?), Linker::default())?;
    let train = read_all(&tagger, &settings.train, settings.linker_articles)?;
    let dev = read_all(&tagger, &settings.dev, usize::MAX)?;

    let mut best: Option<LinkerOutcome> = None;
    for (content, source, cue) in BIASES {
        let outcome = train_with(Bias { content, source, cue }, &train, &dev)?;
        if best.as_ref().is_none_or(|b| outcome.worth() > b.worth()) {
            best = Some(outcome);
        }
    }
    let best = best.ok_or_else(|| Error::model("no linker was learned"))?;
    best.linker.save(folder)?;
    Ok(best)
}

/// Biases of content, source and cue that are tried.
const BIASES: [(f32, f32, f32); 8] = [
    (0.0, 0.0, 0.0),
    (0.0, 0.4, 0.7),
    (0.0, 0.8, 0.7),
    (0.3, 0.4, 0.7),
    (0.3, 0.8, 1.0),
    (0.0, 0.4, 1.4),
    (0.3, 0.4, 1.4),
    (0.4, 0.8, 2.1),
];

/// The linker of spans decoded with `bias`.
fn train_with(bias: Bias, train: &[Read], dev: &[Read]) -> Result<LinkerOutcome> {
    let train: Vec<Decoded> = train.iter().map(|a| a.decoded(&bias)).collect::<Result<_>>()?;
    let dev: Vec<Decoded> = dev.iter().map(|a| a.decoded(&bias)).collect::<Result<_>>()?;
    let mut linker = Linker { bias, least_source: 0.5, ..Linker::default() };
    linker.content = fit(train.iter().flat_map(|a| a.pairs(Role::Content)))?;
    linker.source = fit(train.iter().flat_map(|a| a.pairs(Role::Source)))?;
    linker.whole = fit(train.iter().flat_map(|a| a.wholes(&linker)).collect::<Vec<_>>().into_iter())?;
    Ok(choose_thresholds(linker, &dev))
}

/// An article with what is in it and what the model says of it.
struct Read {
    text: String,
    words: Words,
    windows: Vec<Window>,
    logits: Vec<Array2<f32>>,
    gold: Vec<Attribution>,
}

/// An article with the spans that the model found.
struct Decoded<'a> {
    article: &'a Read,
    parts: Vec<Part>,
}

/// At most `most` articles, evenly taken from all.
fn read_all(tagger: &QuoteTagger, folders: &[PathBuf], most: usize) -> Result<Vec<Read>> {
    let articles = articles(folders)?;
    let step = articles.len().div_ceil(most.max(1)).max(1);
    let read = |article: Article| {
        let gold = article.attributions().to_vec();
        let (words, windows, logits) = tagger.read(&article.document.text)?;
        Ok(Read { text: article.document.text, words, windows, logits, gold })
    };
    articles.into_iter().step_by(step).map(read).collect()
}

impl Read {
    fn decoded(&self, bias: &Bias) -> Result<Decoded<'_>> {
        let parts = QuoteTagger::parts(&self.words, &self.windows, &self.logits, bias)?;
        Ok(Decoded { article: self, parts })
    }
}

impl Decoded<'_> {
    fn reading(&self) -> Reading<'_> {
        Reading { text: &self.article.text, words: &self.article.words, parts: &self.parts }
    }

    /// The annotated attributions of which part `at` is a piece.
    fn members(&self, at: usize) -> Vec<usize> {
        let Some(part) = self.parts.get(at) else { return Vec::new() };
        let is_in = |attribution: &Attribution| {
            let spans = match part.role {
                Role::Content => &attribution.content,
                Role::Source => &attribution.source,
                Role::Cue => &attribution.cue,
            };
            spans.iter().any(|span| iou(&words_of(&self.article.words.spans, *span), &part.words) >= SAME)
        };
        self.article.gold.iter().enumerate().filter(|(_, a)| is_in(a)).map(|(i, _)| i).collect()
    }

    /// Features of content and cue (or source and cue), and whether they belong together.
    fn pairs(&self, role: Role) -> Vec<(Vec<f64>, bool)> {
        let reading = self.reading();
        let members: Vec<Vec<usize>> = (0..self.parts.len()).map(|at| self.members(at)).collect();
        let known = |at: usize| members.get(at).is_some_and(|m| !m.is_empty());
        let together = |a: usize, b: usize| match (members.get(a), members.get(b)) {
            (Some(a), Some(b)) => a.iter().any(|m| b.contains(m)),
            _ => false,
        };
        // Content looks for its cue, a cue for its source.
        let (from, to) = if role == Role::Content { (Role::Content, Role::Cue) } else { (Role::Cue, Role::Source) };
        let seekers = self.parts.iter().enumerate().filter(|(at, p)| p.role == from && known(*at)).map(|(at, _)| at);
        let pairs = seekers.flat_map(|at| candidates(&reading, at, to).into_iter().map(move |other| (at, other)));
        let row = |(at, other): (usize, usize)| {
            let (part, cue) = if role == Role::Content { (at, other) } else { (other, at) };
            Some((features(&reading, part, cue)?, together(at, other)))
        };
        pairs.filter_map(row).collect()
    }

    /// Features of what the linker joins, and whether its content is that of an annotated attribution.
    fn wholes(&self, linker: &Linker) -> Vec<(Vec<f64>, bool)> {
        let gold: Vec<_> = self.article.gold.iter().map(|a| ranges(&a.content)).collect();
        let right = |joined: &Joined| {
            let spans: Vec<Span> = joined.content.iter().filter_map(|c| self.article.words.span(c)).collect();
            gold.iter().any(|g| matching::iou(g, &ranges(&spans)) >= SAME)
        };
        let joined = linker.join(&self.reading());
        joined.into_iter().map(|j| (j.features.clone(), right(&j))).collect()
    }
}

fn iou(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}

fn ranges(spans: &[Span]) -> Vec<(usize, usize)> {
    spans.iter().map(|s| (s.start, s.end)).collect()
}

/// Logistic regression with a little ridge.
fn fit(rows: impl Iterator<Item = (Vec<f64>, bool)>) -> Result<Scorer> {
    let (features, labels): (Vec<Vec<f64>>, Vec<bool>) = rows.unzip();
    let failed = |e: &dyn std::fmt::Display| {
        Error::model(format!("the linker cannot be learned: {e}"))
            .help("the model may find too little; train it longer")
    };
    let width = features.first().map_or(0, Vec::len);
    let flat: Vec<f64> = features.iter().flatten().copied().collect();
    let records = Array2::from_shape_vec((features.len(), width), flat).map_err(|e| failed(&e))?;
    let data = Dataset::new(records, Array1::from_vec(labels));
    let model = LogisticRegression::default().alpha(1.0).max_iterations(500).fit(&data).map_err(|e| failed(&e))?;
    // The class that comes first in the data is not always the positive one.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let weights = model.params().iter().chain([&model.intercept()]).map(|w| sign * w).collect();
    Ok(Scorer { weights })
}

/// The thresholds with the highest sum of content and whole-attribution F1 on dev.
fn choose_thresholds(linker: Linker, dev: &[Decoded]) -> LinkerOutcome {
    let mut best: Option<LinkerOutcome> = None;
    for source in [0.2, 0.4] {
        for whole in [0.2, 0.3, 0.35, 0.4, 0.45, 0.5] {
            let outcome = score(Linker { least_source: source, least_whole: whole, ..linker.clone() }, dev);
            if best.as_ref().is_none_or(|b| outcome.worth() > b.worth()) {
                best = Some(outcome);
            }
        }
    }
    best.unwrap_or_else(|| score(linker, dev))
}

fn score(linker: Linker, dev: &[Decoded]) -> LinkerOutcome {
    let (mut gold, mut predicted, mut content, mut exact, mut whole) = (0, 0, 0, 0, 0);
    for article in dev {
        let found = linker.link(&article.reading());
        let expected: Vec<_> = article.article.gold.iter().map(|a| ranges(&a.content)).collect();
        let got: Vec<_> = found.iter().map(|f| ranges(&f.attribution.content)).collect();
        gold += expected.len();
        predicted += got.len();
        exact += matching::assign(&expected, &got, 1.0).len();
        let matches = matching::assign(&expected, &got, SAME);
        content += matches.len();
        let pairs = matches.iter().filter_map(|m| Some((article.article.gold.get(m.gold)?, found.get(m.predicted)?)));
        whole +=
            pairs.filter(|(g, f)| same(&g.cue, &f.attribution.cue) && same(&g.source, &f.attribution.source)).count();
    }
    let f1 = |hits: usize| 2.0 * hits as f64 / (gold + predicted).max(1) as f64;
    LinkerOutcome { linker, content: f1(content), exact: f1(exact), whole: f1(whole) }
}

fn same(gold: &[Span], found: &[Span]) -> bool {
    (gold.is_empty() && found.is_empty()) || matching::iou(&ranges(gold), &ranges(found)) >= SAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scorer_learns_which_side_is_true() {
        for flip in [false, true] {
            let rows = (0..200).map(|i| (vec![f64::from(i % 10), 1.0], (i % 10 >= 5) != flip));
            let weights = fit(rows).unwrap().weights;
            assert_eq!(weights.len(), 3);
            assert_eq!(weights[0] > 0.0, !flip, "{weights:?}");
        }
    }
}
