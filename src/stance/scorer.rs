//! From the logits of a stance model to calibrated probabilities and a label.

use crate::document::{Stance, StanceLabel};
use crate::error::{Error, Result};

/// Turns logits into a [`Stance`].
///
/// Probabilities are the softmax of the logits divided by a temperature, which was fitted on held-out data (Guo et al.
/// 2017, "On Calibration of Modern Neural Networks"); it changes how sure the answer is, never which class is likeliest.
///
/// ```
/// use detente::document::StanceLabel;
/// use detente::stance::Scorer;
/// let labels = ["neutral", "firm", "conciliatory"].map(String::from);
/// let scorer = Scorer::new(&labels, 1.0)?;
/// let stance = scorer.stance(&[2.0, 1.0, 0.0])?;
/// assert_eq!(stance.label, StanceLabel::Firm);
/// assert_eq!(scorer.allow_neutral(true).stance(&[2.0, 1.0, 0.0])?.label, StanceLabel::Neutral);
/// # Ok::<(), detente::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    /// The logits' columns of conciliatory, firm, neutral; a two-way model has no neutral.
    columns: [Option<usize>; 3],
    temperature: f32,
    neutral: bool,
}

impl Scorer {
    /// A scorer for a model with these labels, in the order of its logits.
    ///
    /// # Errors
    /// When a label is none of the three, conciliatory or firm is missing, or the temperature is not positive.
    pub fn new(labels: &[String], temperature: f32) -> Result<Scorer> {
        let mut columns = [None; 3];
        for (column, name) in labels.iter().enumerate() {
            let label = StanceLabel::parse(name).ok_or_else(|| wrong_labels(labels))?;
            if columns[label as usize].replace(column).is_some() {
                return Err(wrong_labels(labels));
            }
        }
        if columns[0].is_none() || columns[1].is_none() {
            return Err(wrong_labels(labels));
        }
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::model(format!("a temperature of {temperature} is not positive")));
        }
        Ok(Scorer { columns, temperature, neutral: false })
    }

    /// Whether the label may be neutral, where that is the most probable of the three. Otherwise the label is
    /// conciliatory or firm, whichever is more probable (conciliatory if they are equal).
    pub fn allow_neutral(mut self, allow: bool) -> Scorer {
        self.neutral = allow;
        self
    }

    /// The stance that one row of logits means.
    ///
    /// # Errors
    /// When a number is missing or not finite.
    pub fn stance(&self, logits: &[f32]) -> Result<Stance> {
        let mut scaled = [f32::NEG_INFINITY; 3];
        for (value, column) in scaled.iter_mut().zip(self.columns) {
            let Some(column) = column else { continue };
            let logit = logits.get(column).copied().filter(|l| l.is_finite());
            *value = logit.ok_or_else(|| Error::document("the stance model gave no finite number"))? / self.temperature;
        }
        let [conciliatory, firm, neutral] = softmax(scaled);
        Ok(Stance { label: self.label(conciliatory, firm, neutral), conciliatory, firm, neutral })
    }

    fn label(&self, conciliatory: f32, firm: f32, neutral: f32) -> StanceLabel {
        if self.neutral && neutral > conciliatory && neutral > firm {
            StanceLabel::Neutral
        } else if firm > conciliatory {
            StanceLabel::Firm
        } else {
            StanceLabel::Conciliatory
        }
    }
}

fn softmax(logits: [f32; 3]) -> [f32; 3] {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = logits.map(|l| (l - max).exp());
    let sum: f32 = exp.iter().sum();
    exp.map(|e| e / sum)
}

fn wrong_labels(labels: &[String]) -> Error {
    Error::model(format!("the labels {labels:?} are not those of a stance model"))
        .help("id2label must name conciliatory, firm and, for a three-way model, neutral")
}
