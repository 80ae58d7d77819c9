//! What a report holds beside tables: curves, and the answers that were wrong, with their words.

use crate::evaluate::resample::Estimate;
use crate::stance::occlusion::Influence;
use indexmap::IndexMap;
use serde::Serialize;

/// One point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Where it stands.
    pub x: f64,
    /// How high, with an interval where there is one.
    #[serde(flatten)]
    pub y: Estimate,
}

/// Lines over a common axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Its name: a key in JSON, a heading elsewhere.
    #[serde(skip)]
    pub name: String,
    /// One sentence: what is shown, and of which rows.
    pub about: String,
    /// What the horizontal axis measures.
    pub x: String,
    /// What the vertical axis measures.
    pub y: String,
    /// Points by the name of their line, ascending in x or descending throughout.
    pub lines: IndexMap<String, Vec<Point>>,
}

impl Curve {
    /// A learning curve: `score` over the number of training rows, one line a system, which
    /// [`Report::html`](super::Report::html) draws.
    ///
    /// ```
    /// use detente::evaluate::resample::Estimate;
    /// use detente::report::{Curve, Point, Report};
    /// let points = [(500.0, 0.61), (1000.0, 0.68), (2000.0, 0.71)];
    /// let points = points.map(|(x, score)| Point { x, y: Estimate::point(score) }).to_vec();
    /// let mut report = Report::new("stance");
    /// report.curves.push(Curve::learning("macro_f1", [("model".to_string(), points)]));
    /// assert!(report.html()?.contains("Learning curve"));
    /// # Ok::<(), detente::error::Error>(())
    /// ```
    pub fn learning(score: &str, lines: impl IntoIterator<Item = (String, Vec<Point>)>) -> Self {
        Curve {
            name: "learning_curve".into(),
            about: "the score by how many rows the system was trained on".into(),
            x: "training rows".into(),
            y: score.into(),
            lines: lines.into_iter().collect(),
        }
    }
}

/// An answer that is not gold's, with what a person needs to judge it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct WrongAnswer {
    /// What the row is called.
    pub id: String,
    /// The document it stands in.
    pub document: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Who said it.
    pub speaker: Option<String>,
    /// The gold class.
    pub gold: String,
    /// The class that was answered.
    pub predicted: String,
    /// Probability of each class; empty where the answer has none.
    pub probabilities: IndexMap<String, f64>,
    /// What stands before the quote.
    pub left: String,
    /// The quote.
    pub quote: String,
    /// What stands after it.
    pub right: String,
    /// How much each word speaks for the answered class; empty where nobody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Influence>,
}

impl WrongAnswer {
    /// The probability of the class that was answered: how sure the wrong answer is.
    pub fn certainty(&self) -> Option<f64> {
        self.probabilities.get(&self.predicted).copied()
    }
}
