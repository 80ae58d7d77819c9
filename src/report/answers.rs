//! From single stance answers to what a page shows of them: precision-recall curves, wrong answers, the words behind them.

use super::{Curve, Point, Report, WrongAnswer};
use crate::document::StanceLabel;
use crate::error::Result;
use crate::evaluate::precision_recall;
use crate::evaluate::resample::Estimate;
use crate::evaluate::rows::{MetRows, StanceRow};
use crate::evaluate::stance;
use crate::stance::occlusion::{self, Influence};
use crate::stance::{StanceReader, StanceText};
use indexmap::IndexMap;

/// Adds the precision-recall curves of the model and its wrong three-way answers, the surest first.
pub fn add_stance(report: &mut Report, met: &MetRows) {
    report.curves.extend(precision_recall_curves(met));
    report.wrong_answers = wrong_answers(met);
}

/// Adds to the first `count` wrong answers of `report` how much each of their words speaks for the wrong class, as `reader`
/// sees it; `batch_tokens` is how many tokens the engine reads at once. An answer that cannot be explained is left as it is,
/// with a note.
pub fn explain(report: &mut Report, reader: &StanceReader, count: usize, batch_tokens: usize) {
    let explained: Vec<Result<Vec<Influence>>> = {
        let answers = report.wrong_answers.iter().take(count);
        let asked: Vec<(StanceText, StanceLabel)> = answers.map(asked).collect();
        occlusion::influences(reader, &asked, batch_tokens)
    };
    let tried = explained.len();
    for (answer, words) in report.wrong_answers.iter_mut().zip(explained) {
        match words {
            Ok(words) => answer.words = words,
            Err(error) => report.notes.push(format!("the wrong answer {} could not be explained: {error}", answer.id)),
        }
    }
    report.state(
        "explanation",
        format!(
            "occlusion: each word of the quote and its surroundings left out in turn, by how much the probability of the \
             answered class falls; the {tried} surest wrong answers"
        ),
    );
}

/// What the model was asked, and the class that it answered.
fn asked(answer: &WrongAnswer) -> (StanceText<'_>, StanceLabel) {
    let text = StanceText { quote: &answer.quote, left: &answer.left, right: &answer.right, speaker: None };
    (text, StanceLabel::parse(&answer.predicted).unwrap_or(StanceLabel::Neutral))
}

fn wrong_answers(met: &MetRows) -> Vec<WrongAnswer> {
    // A comparison of one system holds the three-way answers that the scores are made of.
    let answers = stance::comparison(&[("model".to_string(), met.clone())], false);
    let class = |at: usize| answers.classes.get(at).cloned().unwrap_or_default();
    let by_id: IndexMap<&str, (usize, usize)> = answers
        .rows
        .iter()
        .filter_map(|row| Some((row.id.as_str(), (row.gold, *row.answers.first()?))))
        .filter(|(_, (gold, predicted))| gold != predicted)
        .collect();
    let wrong = met.pairs.iter().filter_map(|(gold, predicted)| {
        let (gold_class, predicted_class) = by_id.get(gold.id.as_str())?;
        Some(wrong_answer(gold, predicted, class(*gold_class), class(*predicted_class)))
    });
    let mut wrong: Vec<WrongAnswer> = wrong.collect();
    let certainty = |answer: &WrongAnswer| answer.certainty().unwrap_or(0.0);
    wrong.sort_by(|a, b| certainty(b).total_cmp(&certainty(a)));
    wrong
}

fn wrong_answer(gold: &StanceRow, predicted: &StanceRow, gold_class: String, predicted_class: String) -> WrongAnswer {
    let classes = StanceLabel::ALL.iter().map(|label| label.as_str().to_string());
    WrongAnswer {
        id: gold.id.clone(),
        document: gold.document.clone(),
        source: gold.source.clone(),
        speaker: gold.speaker.clone(),
        gold: gold_class,
        predicted: predicted_class,
        probabilities: classes.zip(predicted.probabilities.into_iter().flatten()).collect(),
        left: gold.left.clone(),
        quote: gold.quote.clone(),
        right: gold.right.clone(),
        words: Vec::new(),
    }
}

/// One line a class; none where no row has probabilities.
fn precision_recall_curves(met: &MetRows) -> Option<Curve> {
    let line = |(class, label): (usize, StanceLabel)| {
        let scored = met
            .pairs
            .iter()
            .filter_map(|(gold, predicted)| Some((*predicted.probabilities?.get(class)?, gold.label? == label)));
        let points = thinned(&precision_recall::curve(&scored.collect::<Vec<_>>()));
        (!points.is_empty()).then(|| (label.as_str().to_string(), points))
    };
    let lines: IndexMap<String, Vec<Point>> = StanceLabel::ALL.into_iter().enumerate().filter_map(line).collect();
    (!lines.is_empty()).then(|| Curve {
        name: "precision_and_recall".into(),
        about: format!(
            "the model's probability of each class as a threshold, from the surest rows to all of them; points closer in \
             recall than {STEP} are left out"
        ),
        x: "recall".into(),
        y: "precision".into(),
        lines,
    })
}

/// Points of a curve that lie closer in recall than this look like one.
const STEP: f64 = 0.005;

/// The points that can be told apart; the last one is always kept.
fn thinned(points: &[precision_recall::OperatingPoint]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let far = kept.last().is_none_or(|last| point.recall - last.x >= STEP);
        // Once everything is found, lower thresholds only cost precision.
        let useful = kept.last().is_none_or(|last| last.x < 1.0);
        if useful && (far || at + 1 == points.len()) {
            kept.push(Point { x: point.recall, y: Estimate::point(point.precision) });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: &str, gold: StanceLabel, label: StanceLabel, probabilities: [f64; 3]) -> (StanceRow, StanceRow) {
        let row = |label, probabilities| StanceRow {
            id: id.into(),
            document: id.into(),
            quote: format!("quote {id}"),
            label: Some(label),
            probabilities,
            ..StanceRow::default()
        };
        (row(gold, None), row(label, Some(probabilities)))
    }

    fn met() -> MetRows {
        use StanceLabel::{Conciliatory, Firm, Neutral};
        let pairs = vec![
            pair("a", Firm, Conciliatory, [0.5, 0.3, 0.2]),
            pair("b", Firm, Firm, [0.1, 0.8, 0.1]),
            pair("c", Neutral, Firm, [0.0, 0.9, 0.1]),
        ];
        MetRows { pairs, ..MetRows::default() }
    }

    #[test]
    fn the_surest_wrong_answer_stands_first() {
        let wrong = wrong_answers(&met());
        let shown: Vec<_> = wrong.iter().map(|w| (w.id.as_str(), w.gold.as_str(), w.certainty())).collect();
        assert_eq!(shown, [("c", "neutral", Some(0.9)), ("a", "firm", Some(0.5))]);
        assert_eq!(wrong[0].quote, "quote c");
    }

    #[test]
    fn a_curve_is_drawn_for_each_class_that_occurs_in_gold() {
        let curve = precision_recall_curves(&met()).unwrap();
        assert_eq!(curve.lines.keys().collect::<Vec<_>>(), ["firm", "neutral"]);
        let firm: Vec<_> = curve.lines["firm"].iter().map(|p| (p.x, p.y.value.unwrap())).collect();
        assert_eq!(firm, [(0.0, 0.0), (0.5, 0.5), (1.0, 2.0 / 3.0)]);
        assert_eq!(precision_recall_curves(&MetRows::default()), None);
    }
}
