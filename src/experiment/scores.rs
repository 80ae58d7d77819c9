//! The figures of one run.

use super::data::Row;
use crate::error::{Error, Result};
use crate::evaluate::classes::{self, Labelled, OVERALL};
use crate::evaluate::probability::{self, Forecast, Forecasts};
use crate::evaluate::resample::{Bootstrap, Documents};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What a model said of a row; the row's text stays where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Prediction {
    pub(super) id: String,
    pub(super) document: String,
    pub(super) gold: String,
    pub(super) predicted: String,
    /// In the order of the classes.
    pub(super) probabilities: IndexMap<String, f64>,
}

/// A prediction in numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) document: String,
    pub(super) gold: usize,
    pub(super) predicted: usize,
    pub(super) probabilities: Vec<f64>,
}

pub(super) fn predictions(rows: &[Row], probabilities: &[Vec<f64>], classes: &[String]) -> Vec<Prediction> {
    let name = |class: usize| classes.get(class).cloned().unwrap_or_default();
    let prediction = |(row, probabilities): (&Row, &Vec<f64>)| Prediction {
        id: row.id.clone(),
        document: row.document.clone(),
        gold: name(row.class),
        predicted: name(most_probable(probabilities)),
        probabilities: classes.iter().cloned().zip(probabilities.iter().copied()).collect(),
    };
    rows.iter().zip(probabilities).map(prediction).collect()
}

/// The most probable class, the first of equal ones.
fn most_probable(probabilities: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &probability) in probabilities.iter().enumerate() {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best.0
}

impl Prediction {
    /// In numbers.
    ///
    /// # Errors
    /// When a class is unknown.
    pub(super) fn judged(&self, classes: &[String]) -> Result<Judged> {
        let number = |name: &String| {
            classes
                .iter()
                .position(|class| class == name)
                .ok_or_else(|| Error::document(format!("`{name}` is no class of this experiment")))
        };
        let probability = |class: &String| self.probabilities.get(class).copied().unwrap_or(0.0);
        Ok(Judged {
            document: self.document.clone(),
            gold: number(&self.gold)?,
            predicted: number(&self.predicted)?,
            probabilities: classes.iter().map(probability).collect(),
        })
    }
}

/// The rows whose gold class is one of `sides`, with the more probable of the two as prediction, 0 or 1; the first of
/// equal ones.
pub(super) fn sided(rows: &[Judged], sides: [usize; 2]) -> Vec<Judged> {
    let of = |row: &Judged, side: usize| row.probabilities.get(side).copied().unwrap_or(0.0);
    let side = |row: &Judged| {
        let gold = sides.iter().position(|side| *side == row.gold)?;
        let predicted = usize::from(of(row, sides[1]) > of(row, sides[0]));
        Some(Judged { gold, predicted, ..row.clone() })
    };
    rows.iter().filter_map(side).collect()
}

/// Rows as the evaluator wants them, documents numbered by `documents`.
pub(super) fn labelled(rows: &[Judged], documents: &mut Documents) -> Vec<Labelled> {
    let row =
        |row: &Judged| Labelled { document: documents.number(&row.document), gold: row.gold, predicted: row.predicted };
    rows.iter().map(row).collect()
}

/// Every figure of a run, unrounded; those that are not defined are none.
pub(super) fn figures(rows: &[Judged], classes: usize, two_way: Option<[usize; 2]>) -> IndexMap<String, Option<f64>> {
    let point = Bootstrap { resamples: 0, ..Bootstrap::default() };
    let mut documents = Documents::default();
    let labels = labelled(rows, &mut documents);
    let overall = classes::score(&labels, classes, documents.len(), &point).overall;
    let mut figures: IndexMap<String, Option<f64>> =
        OVERALL.iter().zip(overall).map(|(name, figure)| (name.to_string(), figure.value)).collect();
    if let Some(sides) = two_way {
        let labels = labelled(&sided(rows, sides), &mut documents);
        let two = classes::score(&labels, 2, documents.len(), &point);
        for name in ["accuracy", "macro_f1"] {
            figures.insert(format!("two_way_{name}"), two.figure(name).value);
        }
    }
    let forecasts: Vec<Forecast<&[f64]>> = rows
        .iter()
        .map(|row| Forecast { document: 0, gold: row.gold, probabilities: row.probabilities.as_slice() })
        .collect();
    let estimates = Forecasts::new(&forecasts, classes).estimates(1, &point);
    figures.extend(probability::OVERALL.iter().zip(estimates).map(|(name, figure)| (name.to_string(), figure.value)));
    figures
}
