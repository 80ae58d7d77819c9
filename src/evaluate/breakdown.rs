//! Stance figures by source, speaker, kind, length and year.

use super::classes::{self, Labelled};
use super::resample::Bootstrap;
use super::rows::StanceRow;
use crate::report::{Cell, Section, Table};
use indexmap::IndexMap;

/// Fewer rows than this say little about a group.
const SMALL: usize = 30;

/// Groups shown of each breakdown, the largest first; the others stand together.
const GROUPS: usize = 20;

/// A scored row and what it can be grouped by.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) stance: &'a StanceRow,
    pub(super) labelled: Labelled,
}

type Group = fn(&StanceRow) -> Option<String>;

const BREAKDOWNS: [(&str, Group); 5] = [
    ("source", |row| row.source.clone()),
    ("speaker", |row| row.speaker.clone()),
    ("kind", |row| row.kind.clone()),
    ("length", |row| Some(length(&row.quote)).filter(|_| !row.quote.is_empty())),
    ("year", |row| year(row.date.as_deref()?)),
];

fn length(quote: &str) -> String {
    let words = match quote.split_whitespace().count() {
        0..10 => "under 10 words",
        10..25 => "10 to 24 words",
        25..50 => "25 to 49 words",
        _ => "50 words and more",
    };
    words.to_string()
}

/// The first run of four digits.
fn year(date: &str) -> Option<String> {
    date.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 4).map(str::to_string)
}

/// One table for each property that tells rows apart; none where no property does.
pub(super) fn section(
    rows: &[Row],
    classes: usize,
    documents: usize,
    bootstrap: &Bootstrap,
    notes: &mut Vec<String>,
) -> Option<Section> {
    let mut tables = Vec::new();
    for (name, group) in BREAKDOWNS {
        let groups = grouped(rows, group);
        if groups.len() > 1 {
            let (table, small) = table(name, &groups, classes, documents, bootstrap);
            if small > 0 {
                notes.push(format!("{small} groups by {name} hold fewer than {SMALL} rows: their figures say little"));
            }
            tables.push(table);
        }
    }
    (!tables.is_empty()).then(|| Section {
        name: "breakdowns".into(),
        about: "three-way figures of the model by what the rows say of themselves".into(),
        tables,
    })
}

/// Rows by group, the largest group first.
fn grouped(rows: &[Row], group: Group) -> IndexMap<String, Vec<Labelled>> {
    let mut groups: IndexMap<String, Vec<Labelled>> = IndexMap::new();
    for row in rows {
        let name = group(row.stance).unwrap_or_else(|| "not stated".to_string());
        groups.entry(name).or_default().push(row.labelled);
    }
    groups.sort_by(|name, a, other, b| b.len().cmp(&a.len()).then_with(|| name.cmp(other)));
    if groups.len() > GROUPS {
        let rest = groups.split_off(GROUPS);
        let name = format!("{} others", rest.len());
        groups.insert(name, rest.into_values().flatten().collect());
    }
    groups
}

fn table(
    name: &str,
    groups: &IndexMap<String, Vec<Labelled>>,
    classes: usize,
    documents: usize,
    bootstrap: &Bootstrap,
) -> (Table, usize) {
    let rows: Vec<Vec<Labelled>> = groups.values().cloned().collect();
    let scores = classes::score_groups(&rows, classes, documents, bootstrap);
    let mut table = Table::new(&format!("by_{name}"), name, &["accuracy", "macro_f1", "rows", "documents", "note"]);
    let mut small = 0;
    for ((group, rows), scores) in groups.iter().zip(scores) {
        let is_small = rows.len() < SMALL;
        small += usize::from(is_small);
        let note = if is_small { Cell::from("few rows") } else { Cell::Empty };
        let figures = ["accuracy", "macro_f1"].map(|figure| Cell::from(scores.figure(figure)));
        let cells = figures.into_iter().chain([rows.len().into(), scores.documents.into(), note]);
        table.row(group.as_str(), cells.collect());
    }
    (table, small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_found_in_any_kind_of_date() {
        assert_eq!(year("2018-10-18T09:00"), Some("2018".into()));
        assert_eq!(year("18 October 2018"), Some("2018".into()));
        assert_eq!(year("20181018"), None);
    }

    #[test]
    fn many_groups_become_the_largest_and_the_others() {
        let rows: Vec<StanceRow> =
            (0..60).map(|at| StanceRow { source: Some((at % 25).to_string()), ..StanceRow::default() }).collect();
        let labelled = Labelled { document: 0, gold: 0, predicted: 0 };
        let rows: Vec<Row> = rows.iter().map(|stance| Row { stance, labelled }).collect();
        let groups = grouped(&rows, |row| row.source.clone());
        assert_eq!(groups.len(), GROUPS + 1);
        assert_eq!(groups.values().map(Vec::len).sum::<usize>(), 60);
        assert!(groups.contains_key("5 others"));
    }
}
