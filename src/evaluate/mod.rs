//! How good the answers are: scores against hand labels, each with a bootstrap interval over documents.
//!
//! Every evaluation ends in a [`Report`], which says how its figures were made.

pub mod adjudication;
pub mod agreement;
pub mod attributions;
pub mod baseline;
mod breakdown;
pub mod calibration;
pub mod classes;
pub mod comparison;
pub mod conll;
pub mod entities;
pub mod matching;
mod misses;
pub mod precision_recall;
pub mod predict;
pub mod probability;
pub mod quotes;
pub mod ratings;
pub mod records;
pub mod resample;
pub mod rows;
pub mod schemes;
pub mod stance;
mod tally;
pub mod unitizing;

use crate::report::Report;
use resample::Bootstrap;

/// States in the protocol how intervals were made.
pub(crate) fn state_bootstrap(report: &mut Report, bootstrap: &Bootstrap, documents: usize, unit: &str) {
    let percent = bootstrap.confidence * 100.0;
    report.state(
        "intervals",
        format!(
            "{percent} % {} bootstrap, {} resamples of {documents} {unit}, ChaCha8 seed {}",
            bootstrap.interval.as_str(),
            bootstrap.resamples,
            bootstrap.seed
        ),
    );
    if documents < 2 {
        report.notes.push(format!("fewer than two {unit}: nothing to resample, no intervals"));
    }
}

/// Notes which documents did not meet, and where surfaces do not fit.
fn note_meeting(report: &mut Report, meeting: &records::Meeting) {
    let lists = [
        ("gold documents without prediction (all in them counts as not found)", &meeting.without_prediction),
        ("predicted documents without gold (left out)", &meeting.without_gold),
        ("predicted spans whose surface is not in the gold text at their place", &meeting.misplaced),
    ];
    for (name, entries) in lists.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        report.lists.insert(name.into(), entries.clone());
    }
    if !meeting.misplaced.is_empty() {
        report
            .notes
            .push("some predicted offsets do not fit the gold text: another text, or another offset unit".into());
    }
    if meeting.pairs.is_empty() {
        report.notes.push("gold holds no document: nothing is defined".into());
    }
}
