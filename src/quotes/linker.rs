//! The linker: content, cue and source joined to attributions.
//!
//! Two logistic scorers over pairs, learned from annotated articles: does this content belong to this cue, does this
//! source. Each content takes its best cue; a cue keeps one stretch of content before it and one after it (see
//! `stretches.rs`), takes its best source or none, and several cues may share one. A third scorer says
//! how likely the whole is a quote.

use super::model::{Found, Part, Words};
use super::stretches::{self, Stretch};
use super::tags::{Attribution, Role};
use crate::document::Span;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// The file in the model's folder.
const FILE: &str = "linker.json";
/// Weights of each scorer: its features and the intercept.
const WIDTHS: [usize; 3] = [15, 15, 10];

/// What the linker reads: the parts that the model found in a text, in order of position.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The text.
    pub text: &'a str,
    /// Its words.
    pub words: &'a Words,
    /// What the model found.
    pub parts: &'a [Part],
}

/// Weights of a logistic scorer, the intercept last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scorer {
    /// One weight a feature, then the intercept.
    pub weights: Vec<f64>,
}

impl Scorer {
    fn logit(&self, features: &[f64]) -> f64 {
        let (intercept, weights) = self.weights.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        intercept + weights.iter().zip(features).map(|(w, f)| w * f).sum::<f64>()
    }

    fn probability(&self, features: &[f64]) -> f64 {
        1.0 / (1.0 + (-self.logit(features)).exp())
    }
}

/// What is added to the logits of each role's labels before spans are decoded. Recall of a short role such as the cue is
/// worth more than its precision: content without a cue is lost, while a cue without content does no harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// To `CONTENT`.
    pub content: f32,
    /// To `SOURCE`.
    pub source: f32,
    /// To `CUE`.
    pub cue: f32,
}

/// The learned linker of one quote model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Linker {
    /// How spans are decoded.
    #[serde(default)]
    pub bias: Bias,
    /// Content and cue.
    pub content: Scorer,
    /// Source and cue.
    pub source: Scorer,
    /// Whether an attribution is one.
    pub whole: Scorer,
    /// A cue takes no source less probable than this.
    pub least_source: f64,
    /// An attribution less probable than this is dropped.
    pub least_whole: f64,
}

/// An attribution before it is judged: ranges of words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    pub(crate) content: Vec<Range<usize>>,
    pub(crate) cue: Range<usize>,
    pub(crate) source: Option<Range<usize>>,
    pub(crate) features: Vec<f64>,
}

impl Linker {
    /// The linker of a model's folder.
    ///
    /// # Errors
    /// When the file is missing, is no linker, or is one for other features than this program computes.
    pub fn from_folder(folder: &Path) -> Result<Linker> {
        let file = folder.join(FILE);
        let failed = |message: String| {
            Error::model(message).in_file(&file).help("`detente train linker` with the model's configuration writes it")
        };
        let text = std::fs::read_to_string(&file).map_err(|e| failed(format!("the quote model has no linker: {e}")))?;
        let linker: Linker = serde_json::from_str(&text).map_err(|e| failed(format!("this is no linker: {e}")))?;
        let widths = [&linker.content, &linker.source, &linker.whole].map(|scorer| scorer.weights.len());
        if widths != WIDTHS {
            return Err(failed(format!("the linker has {widths:?} weights instead of {WIDTHS:?}")));
        }
        let finite =
            [&linker.content, &linker.source, &linker.whole].iter().all(|s| s.weights.iter().all(|w| w.is_finite()));
        if !finite {
            return Err(failed("a weight of the linker is no number".into()));
        }
        Ok(linker)
    }

    /// Writes it into a model's folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let file = folder.join(FILE);
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::io(e.to_string()).in_file(&file))?;
        std::fs::write(&file, text + "\n").map_err(|e| Error::io(e.to_string()).in_file(&file))
    }

    /// The attributions of a text, in order of their first content.
    pub fn link(&self, reading: &Reading) -> Vec<Found> {
        let judged = self.join(reading).into_iter().map(|j| (self.whole.probability(&j.features), j));
        let kept = judged.filter(|(probability, _)| *probability >= self.least_whole);
        let mut found: Vec<Found> = kept.map(|(p, j)| found(reading, &j, p as f32)).collect();
        found.sort_by_key(|f| f.attribution.content.first().copied());
        found
    }

    /// All attributions, probable or not.
    pub(crate) fn join(&self, reading: &Reading) -> Vec<Joined> {
        let parts = stretches::with_signatures(reading);
        let reading = &Reading { parts: &parts, ..*reading };
        let mut contents: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
        for at in indices(reading.parts, Role::Content) {
            if let Some((cue, logit)) =
                best(&self.content, reading, candidates(reading, at, Role::Cue), |cue| (at, cue))
            {
                contents.entry(cue).or_default().push((at, logit));
            }
        }
        contents.into_iter().filter_map(|(cue, content)| self.joined(reading, cue, &content)).collect()
    }

    fn joined(&self, reading: &Reading, cue: usize, content: &[(usize, f64)]) -> Option<Joined> {
        let sources = candidates(reading, cue, Role::Source);
        let threshold = (self.least_source / (1.0 - self.least_source)).ln();
        let source =
            best(&self.source, reading, sources, |source| (source, cue)).filter(|(_, logit)| *logit >= threshold);
        let source = source.and_then(|(at, logit)| Some((reading.parts.get(at)?, logit)));
        let cue = reading.parts.get(cue)?;
        let content = stretches::of_cue(reading, cue, content);
        let count = content.len().max(1) as f64;
        let words: usize = content.iter().map(|c| c.words.len()).sum();
        let features = vec![
            odds(content.iter().map(|c| c.score).sum::<f64>() / count),
            content.iter().map(|c| c.score).fold(1.0, f64::min),
            odds(f64::from(cue.score)),
            content.iter().map(|c| c.logit.clamp(-5.0, 5.0)).sum::<f64>() / count,
            source.map_or(0.0, |(_, logit)| logit.clamp(-5.0, 5.0)),
            f64::from(source.is_some()),
            source.map_or(0.0, |(part, _)| f64::from(part.score)),
            (words as f64).ln_1p(),
            f64::from(content.len() > 1),
        ];
        Some(Joined {
            content: content.into_iter().map(|Stretch { words, .. }| words).collect(),
            cue: cue.words.clone(),
            source: source.map(|(part, _)| part.words.clone()),
            features,
        })
    }
}

fn found(reading: &Reading, joined: &Joined, confidence: f32) -> Found {
    let span = |words: &Range<usize>| -> Option<Span> { reading.words.span(words) };
    let attribution = Attribution {
        content: joined.content.iter().filter_map(span).collect(),
        source: joined.source.iter().filter_map(span).collect(),
        cue: span(&joined.cue).into_iter().collect(),
    };
    Found { attribution, confidence }
}

fn indices(parts: &[Part], role: Role) -> impl Iterator<Item = usize> + '_ {
    parts.iter().enumerate().filter(move |(_, p)| p.role == role).map(|(i, _)| i)
}

/// Parts of a role in the paragraph of part `of`: a cue reaches no further, but for quotes over several paragraphs, which
/// their marks tell, and for what a colon at the end of a paragraph announces.
pub(crate) fn candidates(reading: &Reading, of: usize, role: Role) -> Vec<usize> {
    let Some(part) = reading.parts.get(of) else { return Vec::new() };
    if let Some(announcing) = stretches::announcing_cue(reading, part).filter(|_| role == Role::Cue) {
        return vec![announcing];
    }
    let paragraph = |part: &Part| reading.words.paragraph.get(part.words.start).copied();
    let here = paragraph(part);
    indices(reading.parts, role).filter(|at| reading.parts.get(*at).is_some_and(|p| paragraph(p) == here)).collect()
}

/// The candidate with the highest logit, the first of equals.
fn best(
    scorer: &Scorer,
    reading: &Reading,
    candidates: Vec<usize>,
    pair: impl Fn(usize) -> (usize, usize),
) -> Option<(usize, f64)> {
    let scored = candidates.into_iter().filter_map(|at| {
        let (part, cue) = pair(at);
        Some((at, scorer.logit(&features(reading, part, cue)?)))
    });
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// What speaks for part `part` (content or source) belonging to cue `cue`.
pub(crate) fn features(reading: &Reading, part: usize, cue: usize) -> Option<Vec<f64>> {
    let (x, c) = (reading.parts.get(part)?, reading.parts.get(cue)?);
    let precedes = x.words.start < c.words.start;
    let gap = if precedes { x.words.end..c.words.start } else { c.words.end..x.words.start };
    let gap = gap.start..gap.end.max(gap.start);
    let side = if precedes { x.before } else { 1.0 - x.before };
    let same = |of: &[u32]| f64::from(of.get(x.words.start) == of.get(c.words.start));
    let between = |role: Role| {
        let inside = |p: &&Part| p.role == role && p.words.start >= gap.start && p.words.end <= gap.end;
        reading.parts.iter().filter(inside).count().min(3) as f64
    };
    // Content that is split around a cue lies between that cue and the next part: what counts is other cues.
    Some(vec![
        (gap.len() as f64).ln_1p(),
        f64::from(gap.len() <= 1),
        odds(f64::from(side)),
        f64::from(precedes),
        same(&reading.words.sentence),
        same(&reading.words.paragraph),
        between(Role::Cue),
        between(Role::Source),
        between(Role::Content),
        f64::from(marks_between(reading, &gap) % 2 == 1),
        f64::from(is_nearest(reading, x, c, true)),
        f64::from(is_nearest(reading, x, c, false)),
        odds(f64::from(x.score)),
        odds(f64::from(c.score)),
    ])
}

/// The logarithm of the odds, bounded.
fn odds(probability: f64) -> f64 {
    let p = probability.clamp(0.002, 0.998);
    (p / (1.0 - p)).ln()
}

/// Quotation marks among the words of `gap`; an odd number is a mark crossed.
fn marks_between(reading: &Reading, gap: &Range<usize>) -> usize {
    let words = reading.words.spans.get(gap.clone()).unwrap_or_default();
    words.iter().filter(|w| stretches::opens(w.of(reading.text)) || stretches::closes(w.of(reading.text))).count()
}

/// Whether no part of `x`'s role is nearer to cue `c` (`of_role`), or no cue nearer to `x`.
fn is_nearest(reading: &Reading, x: &Part, c: &Part, of_role: bool) -> bool {
    let distance =
        |a: &Part, b: &Part| a.words.start.saturating_sub(b.words.end).max(b.words.start.saturating_sub(a.words.end));
    let own = distance(x, c);
    let (fixed, role) = if of_role { (c, x.role) } else { (x, Role::Cue) };
    reading.parts.iter().filter(|p| p.role == role).all(|p| distance(p, fixed) >= own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(role: Role, words: Range<usize>, before: f32) -> Part {
        Part { role, words, score: 0.9, before }
    }

    /// Weights that look at side and distance only.
    fn linker() -> Linker {
        let mut weights = vec![0.0; 15];
        (weights[0], weights[2], weights[14]) = (-1.0, 1.0, 1.0);
        let pair = Scorer { weights };
        Linker {
            bias: Bias::default(),
            content: pair.clone(),
            source: pair,
            whole: Scorer::default(),
            least_source: 0.5,
            least_whole: 0.0,
        }
    }

    #[test]
    fn a_split_quote_is_one_and_a_source_may_serve_two_cues() {
        let text = "We hope , said Lee , for peace and warned no war";
        let words = Words::of(text);
        let parts = [
            part(Role::Content, 0..2, 0.95),
            part(Role::Cue, 3..4, 0.5),
            part(Role::Source, 4..5, 0.3),
            part(Role::Content, 6..8, 0.05),
            part(Role::Cue, 9..10, 0.5),
            part(Role::Content, 10..12, 0.02),
        ];
        let mut linker = linker();
        linker.source.weights[2] = 0.0;
        linker.least_source = 0.2;
        let found = linker.link(&Reading { text, words: &words, parts: &parts });
        let shown: Vec<Vec<&str>> =
            found.iter().map(|f| f.attribution.content.iter().map(|c| c.of(text)).collect()).collect();
        assert_eq!(shown, [vec!["We hope", "for peace"], vec!["no war"]]);
        assert!(found.iter().all(|f| f.attribution.source[0].of(text) == "Lee"));
    }

    #[test]
    fn a_linker_that_is_missing_or_broken_is_told_when_it_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let message = || Linker::from_folder(folder.path()).unwrap_err().to_string();
        assert!(message().contains("has no linker"), "{}", message());
        for (text, expected) in [("{", "no linker"), ("{\"content\": 1}", "no linker")] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert!(message().contains(expected), "{}", message());
        }
        linker().save(folder.path()).unwrap();
        assert!(message().contains("weights instead of"), "{}", message());
        let whole = Linker { whole: Scorer { weights: vec![0.0; 10] }, ..linker() };
        whole.save(folder.path()).unwrap();
        assert_eq!(Linker::from_folder(folder.path()).unwrap(), whole);
    }

    #[test]
    fn content_without_a_cue_near_is_no_attribution() {
        let text = "One said.\n\nTwo.\n\nThree words here.";
        let words = Words::of(text);
        let parts = [part(Role::Cue, 1..2, 0.5), part(Role::Content, 5..7, 0.5)];
        assert_eq!(linker().link(&Reading { text, words: &words, parts: &parts }), []);
    }

    #[test]
    fn crossing_a_mark_is_seen() {
        let text = "He said \"yes\" and left";
        let words = Words::of(text);
        let parts = [part(Role::Cue, 1..2, 0.5), part(Role::Content, 3..4, 0.5), part(Role::Content, 5..6, 0.5)];
        let reading = Reading { text, words: &words, parts: &parts };
        assert_eq!(features(&reading, 1, 0).unwrap()[9], 1.0);
        assert_eq!(features(&reading, 2, 0).unwrap()[9], 0.0);
    }
}
