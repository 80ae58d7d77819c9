//! Tables of rates, filled event by event.

use super::classes::share;
use super::resample::{Bootstrap, Counts};
use crate::report::{Cell, Table};
use indexmap::IndexSet;

/// What was seen of a row in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// A gold item, and whether it was found.
    Gold(bool),
    /// A predicted item, and whether it is right.
    Predicted(bool),
}

/// Gold and predicted items, right or not, under row names.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    rows: IndexSet<String>,
    events: Vec<(usize, usize, Seen)>,
}

impl Tally {
    /// A tally whose rows appear in this order even when nothing is seen of them.
    pub(super) fn with_rows(rows: &[&str]) -> Self {
        Tally { rows: rows.iter().map(|row| row.to_string()).collect(), events: Vec::new() }
    }

    /// Notes what was seen in `document`.
    pub(super) fn see(&mut self, document: usize, row: &str, seen: Seen) {
        let number = match self.rows.get_index_of(row) {
            Some(number) => number,
            None => self.rows.insert_full(row.to_string()).0,
        };
        self.events.push((document, number, seen));
    }

    /// Notes `right` pairs among `gold` and `predicted` items.
    pub(super) fn see_counts(&mut self, document: usize, row: &str, [right, gold, predicted]: [usize; 3]) {
        (0..gold).for_each(|at| self.see(document, row, Seen::Gold(at < right)));
        (0..predicted).for_each(|at| self.see(document, row, Seen::Predicted(at < right)));
    }

    /// Precision, recall and F1 of each row with their counts.
    pub(super) fn precision_recall_table(
        &self,
        name: &str,
        of: &str,
        documents: usize,
        bootstrap: &Bootstrap,
    ) -> Table {
        let counts = self.counts();
        let estimates = bootstrap.estimates(documents, 3 * self.rows.len(), |weights, out| {
            let total = counts.total(weights);
            for (slots, cells) in out.as_chunks_mut::<3>().0.iter_mut().zip(total.as_chunks::<4>().0) {
                *slots = rates(cells);
            }
        });
        let mut table = Table::new(name, of, &["precision", "recall", "f1", "gold", "predicted"]);
        let total = counts.all();
        for ((row, figures), cells) in self.rows.iter().zip(estimates.as_chunks::<3>().0).zip(total.as_chunks::<4>().0)
        {
            let figures = figures.iter().map(|figure| Cell::from(*figure));
            table.row(row.as_str(), figures.chain([Cell::count(cells[1]), Cell::count(cells[3])]).collect());
        }
        table
    }

    /// The share of gold items found, row by row, with its count.
    pub(super) fn accuracy_table(&self, name: &str, of: &str, documents: usize, bootstrap: &Bootstrap) -> Table {
        let counts = self.counts();
        let estimates = bootstrap.estimates(documents, self.rows.len(), |weights, out| {
            let total = counts.total(weights);
            for (slot, cells) in out.iter_mut().zip(total.as_chunks::<4>().0) {
                *slot = cells[0] / cells[1];
            }
        });
        let mut table = Table::new(name, of, &["accuracy", "right", "of"]);
        let total = counts.all();
        for ((row, figure), cells) in self.rows.iter().zip(estimates).zip(total.as_chunks::<4>().0) {
            table.row(row.as_str(), vec![figure.into(), Cell::count(cells[0]), Cell::count(cells[1])]);
        }
        table
    }

    /// Of each row: gold found, gold, predicted right, predicted.
    fn counts(&self) -> Counts {
        let mut counts = Counts::new(4 * self.rows.len());
        for (document, row, seen) in &self.events {
            let (cell, right) = match seen {
                Seen::Gold(found) => (0, *found),
                Seen::Predicted(right) => (2, *right),
            };
            counts.add(*document, 4 * row + cell, f64::from(right));
            counts.add(*document, 4 * row + cell + 1, 1.0);
        }
        counts
    }
}

fn rates([found, gold, right, predicted]: &[f64; 4]) -> [f64; 3] {
    let (precision, recall) = (share(*right, *predicted), share(*found, *gold));
    [precision, recall, share(2.0 * precision * recall, precision + recall)]
}
