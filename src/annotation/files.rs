//! File names for formats that keep each document in files of its own.

use super::marks::Marked;
use super::notes::Notes;
use std::collections::HashSet;

/// A file of a folder format.
pub type NamedFile = (String, Vec<u8>);

/// A file name without ending for each document: the last part of its id, numbered where two are the same.
///
/// Ids that change so are counted: evaluation lets documents meet by file name too.
pub fn names(documents: &[Marked], notes: &mut Notes) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut name = |document: &Marked| {
        let plain = stem(&document.id);
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
        let free = free.unwrap_or(plain);
        if free != document.id {
            notes.leave_out("an id is shortened to a file name", &document.id);
        }
        free
    };
    documents.iter().map(&mut name).collect()
}

/// The last part of an id without a text file's ending, with `_` for what file systems refuse.
fn stem(id: &str) -> String {
    let last = id.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or("document");
    let last = last.strip_suffix(".txt").filter(|stem| !stem.is_empty()).unwrap_or(last);
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '#' | ' ' | ',' | '=' | '+');
    let name: String = last.chars().take(100).map(|c| if allowed(c) { c } else { '_' }).collect();
    let name = name.trim().trim_start_matches('.').trim_end_matches('.').to_string();
    if name.is_empty() { "document".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_differ() {
        let ids = ["news/a.txt", "other/a.txt", "../..", "https://x.example/a?b=1", "A", ".hidden", "plain"];
        let documents: Vec<Marked> = ids.iter().map(|id| Marked { id: id.to_string(), ..Marked::default() }).collect();
        let mut notes = Notes::default();
        let names = names(&documents, &mut notes);
        assert_eq!(names, ["a", "a-2", "document", "a_b=1", "A-3", "hidden", "plain"]);
        assert_eq!(notes.left_out["an id is shortened to a file name"].count, 6);
    }
}
