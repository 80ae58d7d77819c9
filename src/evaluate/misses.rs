//! Error analysis of spans: what stands in the place of a gold quote that was not found, and of a predicted one that gold
//! does not have.

use super::matching::{Ranges, coverage};
use crate::report::{Cell, Table};
use std::collections::BTreeMap;

/// Most of a span: this share of its characters, or more.
const MOST: f64 = 0.5;

/// What stands in the place of a span on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Instead {
    /// Nothing that shares a character with it.
    Nothing,
    /// A span that holds most of it, and too much besides.
    Longer,
    /// One that holds most of it and most of another.
    Joined,
    /// One that lies in it and holds too little of it.
    Shorter,
    /// Several that lie in it.
    Split,
    /// One that shares some of it.
    Shifted,
}

impl Instead {
    const ALL: [(Instead, &'static str); 6] = [
        (Instead::Nothing, "nothing there"),
        (Instead::Longer, "longer"),
        (Instead::Joined, "joined with another"),
        (Instead::Shorter, "shorter"),
        (Instead::Split, "in several pieces"),
        (Instead::Shifted, "shifted"),
    ];

    /// What stands among `others` in the place of span `at` of `own`.
    fn of(own: &[Ranges], at: usize, others: &[Ranges]) -> Instead {
        let Some(span) = own.get(at) else { return Instead::Nothing };
        let held_by = |other: &Ranges| coverage(span, other);
        let Some(other) = others.iter().max_by(|a, b| held_by(a).total_cmp(&held_by(b))).filter(|o| held_by(o) > 0.0)
        else {
            return Instead::Nothing;
        };
        if held_by(other) >= MOST {
            let also = |(i, next): (usize, &Ranges)| i != at && coverage(next, other) >= MOST;
            return if own.iter().enumerate().any(also) { Instead::Joined } else { Instead::Longer };
        }
        match others.iter().filter(|other| coverage(other, span) >= MOST).count() {
            0 => Instead::Shifted,
            1 => Instead::Shorter,
            _ => Instead::Split,
        }
    }
}

/// Spans without a match, counted by what stands in their place and by kind.
#[derive(Debug, Default)]
pub(super) struct Misses {
    counts: BTreeMap<(Instead, String), usize>,
}

impl Misses {
    /// Counts the spans of `own` that `matched` does not know.
    pub(super) fn see(
        &mut self,
        own: &[Ranges],
        others: &[Ranges],
        matched: impl Fn(usize) -> bool,
        kind: impl Fn(usize) -> String,
    ) {
        for at in (0..own.len()).filter(|at| !matched(*at)) {
            *self.counts.entry((Instead::of(own, at, others), kind(at))).or_default() += 1;
        }
    }

    /// A row for each thing that may stand in their place, a column a kind.
    pub(super) fn table(&self, name: &str, kinds: &[&str]) -> Table {
        let columns: Vec<&str> = kinds.iter().copied().chain(["all"]).collect();
        let mut table = Table::new(name, "instead", &columns);
        for (instead, shown) in Instead::ALL {
            let of = |kind: &str| self.counts.get(&(instead, kind.to_string())).copied().unwrap_or(0);
            let counts: Vec<usize> = kinds.iter().map(|kind| of(kind)).collect();
            let all = counts.iter().sum::<usize>();
            table.row(shown, counts.into_iter().chain([all]).map(Cell::from).collect());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(gold: &[(usize, usize)], found: &[(usize, usize)]) -> Vec<Instead> {
        let one = |spans: &[(usize, usize)]| spans.iter().map(|s| vec![*s]).collect::<Vec<_>>();
        let (gold, found) = (one(gold), one(found));
        (0..gold.len()).map(|at| Instead::of(&gold, at, &found)).collect()
    }

    #[test]
    fn each_way_of_missing_is_told_apart() {
        assert_eq!(instead(&[(0, 10)], &[(10, 20)]), [Instead::Nothing]);
        assert_eq!(instead(&[(0, 10)], &[]), [Instead::Nothing]);
        assert_eq!(instead(&[(0, 10)], &[(0, 40)]), [Instead::Longer]);
        assert_eq!(instead(&[(0, 10), (12, 20)], &[(0, 20)]), [Instead::Joined; 2]);
        assert_eq!(instead(&[(0, 10)], &[(2, 5)]), [Instead::Shorter]);
        assert_eq!(instead(&[(0, 30)], &[(0, 9), (12, 24)]), [Instead::Split]);
        assert_eq!(instead(&[(0, 10)], &[(6, 40)]), [Instead::Shifted]);
    }

    #[test]
    fn counts_stand_under_their_kind() {
        let mut misses = Misses::default();
        let gold = [vec![(0, 10)], vec![(20, 30)], vec![(40, 50)]];
        misses.see(
            &gold,
            &[vec![(20, 30)], vec![(40, 90)]],
            |at| at == 1,
            |at| ["direct", "mixed", "mixed"][at].into(),
        );
        let table = misses.table("missed", &["direct", "mixed"]);
        assert_eq!(table.rows[0], ("nothing there".into(), [1_usize, 0, 1].map(Cell::from).to_vec()));
        assert_eq!(table.rows[1], ("longer".into(), [0_usize, 1, 1].map(Cell::from).to_vec()));
    }
}
