//! Labels of several annotators: one file each, or one file whose rows carry `annotators`.

use super::agreement::{Item, Ratings};
use super::rows;
use crate::document::StanceLabel;
use crate::error::{Error, Result};
use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value};
use std::path::Path;

/// Stance classes from one side to the other.
const STANCE_ORDER: [StanceLabel; 3] = [StanceLabel::Conciliatory, StanceLabel::Neutral, StanceLabel::Firm];

/// An item before classes have numbers.
#[derive(Default)]
struct RawItem {
    document: String,
    text: String,
    labels: Vec<Option<String>>,
}

/// Reads the labels of `files`; `order` names the classes from one end of their scale to the other.
///
/// Several files are one annotator each and meet by `id`; a single file must carry an array `annotators` in its rows.
/// Stance labels are understood in all their spellings and ordered conciliatory, neutral, firm; numbers are ordered as
/// numbers; other labels have no order unless `order` gives one.
///
/// # Errors
/// Names file and line of the first row that cannot be read; usage when a single file has no `annotators`, or a label
/// is missing in `order`.
pub fn read(files: &[impl AsRef<Path>], order: &[String]) -> Result<Ratings> {
    let (annotators, mut items) = match files {
        [only] => one_file(only.as_ref())?,
        several => several_files(several)?,
    };
    let order = match spell_stance_out(&mut items) {
        true if order.is_empty() => STANCE_ORDER.map(|label| label.as_str().to_string()).to_vec(),
        true => order.iter().map(|name| full_name(name).unwrap_or(name).to_string()).collect(),
        false => order.to_vec(),
    };
    let used: IndexSet<&str> =
        items.values().flat_map(|item| item.labels.iter().flatten()).map(String::as_str).collect();
    let (classes, ordered) = classes(&used, &order)?;
    let number = |label: &Option<String>| classes.iter().position(|class| Some(class) == label.as_ref());
    let items = items.iter().map(|(id, item)| Item {
        id: id.clone(),
        document: item.document.clone(),
        text: item.text.clone(),
        labels: item.labels.iter().map(number).collect(),
    });
    Ok(Ratings { items: items.collect(), ordered, annotators, classes })
}

pub(super) fn full_name(label: &str) -> Option<&'static str> {
    StanceLabel::parse(label).map(StanceLabel::as_str)
}

/// Gives every label its full name where all of them are stance labels, and says whether they are.
fn spell_stance_out(items: &mut IndexMap<String, RawItem>) -> bool {
    let mut labels = items.values().flat_map(|item| item.labels.iter().flatten()).peekable();
    if labels.peek().is_none() || labels.any(|label| full_name(label).is_none()) {
        return false;
    }
    for label in items.values_mut().flat_map(|item| item.labels.iter_mut().flatten()) {
        *label = full_name(label).unwrap_or(label).to_string();
    }
    true
}

fn one_file(path: &Path) -> Result<(Vec<String>, IndexMap<String, RawItem>)> {
    let mut items = IndexMap::new();
    for (line, row) in rows::fields(path)? {
        let labels = match row.get("annotators") {
            Some(Value::Array(labels)) => labels.iter().map(label_name).collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(Error::document("`annotators` is no array").in_file(path).at_line(line)),
        };
        let (id, item) = raw_item(&row, line);
        items.insert(id, RawItem { labels, ..item });
    }
    let annotators = items.values().map(|item| item.labels.len()).max().unwrap_or(0);
    if annotators < 2 {
        return Err(Error::usage("no row carries the labels of two annotators in `annotators`")
            .in_file(path)
            .help("give one file an annotator"));
    }
    items.values_mut().for_each(|item| item.labels.resize(annotators, None));
    Ok(((1..=annotators).map(|number| format!("annotator {number}")).collect(), items))
}

fn several_files(files: &[impl AsRef<Path>]) -> Result<(Vec<String>, IndexMap<String, RawItem>)> {
    let mut items: IndexMap<String, RawItem> = IndexMap::new();
    let mut names: Vec<String> = Vec::new();
    for (annotator, path) in files.iter().map(AsRef::as_ref).enumerate() {
        let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        names.push(if names.contains(&name) { path.display().to_string() } else { name });
        for (line, row) in rows::fields(path)? {
            let (id, item) = raw_item(&row, line);
            let item = items.entry(id).or_insert(item);
            item.labels.resize(files.len(), None);
            if let Some(slot) = item.labels.get_mut(annotator) {
                *slot = row.get("label").or_else(|| stance(&row)).and_then(label_name);
            }
        }
    }
    Ok((names, items))
}

fn stance(row: &Map<String, Value>) -> Option<&Value> {
    row.get("stance").and_then(|stance| stance.get("label")).or_else(|| row.get("stance_label"))
}

/// What a row of annotations is called.
pub(super) fn id(row: &Map<String, Value>, line: u64) -> String {
    rows::text(row, &["id"]).unwrap_or_else(|| format!("line {line}"))
}

fn raw_item(row: &Map<String, Value>, line: u64) -> (String, RawItem) {
    let id = id(row, line);
    let document = rows::text(row, &["doc", "document", "document_id"]).unwrap_or_else(|| id.clone());
    (id, RawItem { document, text: rows::text(row, &["quote", "text"]).unwrap_or_default(), labels: Vec::new() })
}

/// The label as a class name; none where it is empty.
pub(super) fn label_name(value: &Value) -> Option<String> {
    let name = match value {
        Value::String(name) => name.trim().to_string(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        _ => return None,
    };
    (!name.is_empty()).then_some(name)
}

/// The classes, and whether their order means something.
fn classes(used: &IndexSet<&str>, order: &[String]) -> Result<(Vec<String>, bool)> {
    if !order.is_empty() {
        return match used.iter().find(|label| !order.iter().any(|class| class == *label)) {
            Some(stray) => Err(Error::usage(format!("the label `{stray}` is not in --order"))),
            None => Ok((order.to_vec(), true)),
        };
    }
    let mut numbers: Vec<(f64, &str)> = used.iter().filter_map(|label| Some((label.parse().ok()?, *label))).collect();
    if numbers.len() == used.len() {
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        return Ok((numbers.into_iter().map(|(_, label)| label.to_string()).collect(), true));
    }
    let mut names: Vec<String> = used.iter().map(|label| label.to_string()).collect();
    names.sort_unstable();
    Ok((names, false))
}
