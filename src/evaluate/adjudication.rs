//! One label from several annotators: by majority where there is one, by a person where there is none.

use super::agreement::{Item, Ratings};
use super::{ratings, rows};
use crate::error::{Error, Result};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// How a consensus came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// All who labelled it agree.
    Agree,
    /// More than half of them do.
    Majority,
    /// A person decided.
    Adjudicated,
    /// A person must decide: no label has more than half of the votes.
    Undecided,
    /// A person must decide: fewer labelled it than wished.
    TooFew,
}

impl How {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Agree => "agree",
            How::Majority => "majority",
            How::Adjudicated => "adjudicated",
            How::Undecided => "undecided",
            How::TooFew => "too_few",
        }
    }

    /// Whether there is a label.
    pub fn is_decided(self) -> bool {
        !matches!(self, How::Undecided | How::TooFew)
    }
}

/// The consensus of `item` where at least `least` annotators labelled it: the class that more than half of them gave.
///
/// ```
/// use detente::evaluate::adjudication::{How, consensus};
/// use detente::evaluate::agreement::Item;
/// let item = |labels: &[usize]| Item {
///     id: "1".into(),
///     document: "1".into(),
///     text: String::new(),
///     labels: labels.iter().map(|label| Some(*label)).collect(),
/// };
/// assert_eq!(consensus(&item(&[2, 2, 0]), 2), (Some(2), How::Majority));
/// assert_eq!(consensus(&item(&[2, 0]), 2), (None, How::Undecided));
/// assert_eq!(consensus(&item(&[2]), 2), (None, How::TooFew));
/// ```
pub fn consensus(item: &Item, least: usize) -> (Option<usize>, How) {
    let mut votes: HashMap<usize, usize> = HashMap::new();
    item.labels.iter().flatten().for_each(|label| *votes.entry(*label).or_default() += 1);
    let given: usize = votes.values().sum();
    if given < least.max(1) {
        return (None, How::TooFew);
    }
    match votes.into_iter().find(|(_, votes)| 2 * votes > given) {
        Some((label, votes)) if votes == given => (Some(label), How::Agree),
        Some((label, _)) => (Some(label), How::Majority),
        None => (None, How::Undecided),
    }
}

/// A row of the consensus file.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The fields of the first file that has the row, with `label` (null where there is none), `annotators` and `how`.
    pub fields: Map<String, Value>,
    /// How the label came about.
    pub how: How,
}

/// The consensus of all rows of `files`, in the order in which they are first met; what a person decided (labels by id,
/// from `decisions`) stands before any majority.
///
/// # Errors
/// As [`ratings::read`]; when a decision is about a row that is not there.
pub fn decide(files: &[impl AsRef<Path>], decisions: Option<&Path>, least: usize) -> Result<Vec<Decided>> {
    let ratings = ratings::read(files, &[])?;
    let mut fields: IndexMap<String, Map<String, Value>> = IndexMap::new();
    for file in files {
        for (line, row) in rows::fields(file.as_ref())? {
            fields.entry(ratings::id(&row, line)).or_insert(row);
        }
    }
    let mut decisions = decisions.map(made).transpose()?.unwrap_or_default();
    let decided = ratings.items.iter().map(|item| {
        let decision = decisions.swap_remove(&item.id);
        row(&ratings, item, fields.shift_remove(&item.id).unwrap_or_default(), decision, least)
    });
    let decided = decided.collect();
    match decisions.keys().next() {
        Some(id) => Err(Error::document(format!("there is a decision about `{id}`, which no annotator has"))),
        None => Ok(decided),
    }
}

/// Decisions of a person: rows with `id` and `label`; rows without a label are still open.
fn made(path: &Path) -> Result<IndexMap<String, String>> {
    let rows = rows::fields(path)?;
    let decision = |(line, row): &(u64, Map<String, Value>)| {
        Some((ratings::id(row, *line), ratings::label_name(row.get("label")?)?))
    };
    Ok(rows.iter().filter_map(decision).collect())
}

fn row(
    ratings: &Ratings,
    item: &Item,
    mut fields: Map<String, Value>,
    decision: Option<String>,
    least: usize,
) -> Decided {
    let name = |class: usize| ratings.classes.get(class).cloned();
    let (label, how) = match decision {
        Some(label) => (Some(ratings::full_name(&label).map_or(label, str::to_string)), How::Adjudicated),
        None => {
            let (class, how) = consensus(item, least);
            (class.and_then(name), how)
        }
    };
    let annotators: Vec<Option<String>> = item.labels.iter().map(|label| label.and_then(name)).collect();
    fields.insert("label".into(), label.into());
    fields.insert("annotators".into(), annotators.into());
    fields.insert("how".into(), how.as_str().into());
    Decided { fields, how }
}
