//! Countries, their people, capitals and seats of government: own short compilation, in `gazetteer.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The country itself.
    Country,
    /// "Russian", "Russians".
    Demonym,
    /// The capital or the seat of government: speaks for the government.
    Seat,
}

/// A known place: what it is and the ISO 3166-1 alpha-2 code of its country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What the name stands for.
    pub place: Place,
    /// The code of the country.
    pub code: &'static str,
}

static ENTRIES: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    include_str!("gazetteer.tsv").lines().filter(|line| !line.starts_with('#')).flat_map(row).collect()
});

fn row(line: &'static str) -> impl Iterator<Item = (&'static str, Entry)> {
    let mut fields = line.split('\t');
    let code = fields.next().unwrap_or("");
    let places = [Place::Country, Place::Demonym, Place::Seat];
    places.into_iter().zip(fields).flat_map(move |(place, names)| {
        names.split(';').filter(|name| !name.is_empty()).map(move |name| (name, Entry { place, code }))
    })
}

/// The place called `name`; a leading "the" is looked through.
///
/// ```
/// use detente::quotes::gazetteer::{Place, place};
/// assert_eq!(place("the Kremlin").map(|e| (e.place, e.code)), Some((Place::Seat, "RU")));
/// assert_eq!(place("Japanese").map(|e| e.code), Some("JP"));
/// ```
pub fn place(name: &str) -> Option<Entry> {
    let bare = name.strip_prefix("the ").or_else(|| name.strip_prefix("The ")).unwrap_or(name);
    ENTRIES.get(bare).or_else(|| ENTRIES.get(name)).copied()
}

/// The country that the words of `phrase` name first, by name, adjective or seat ("Japan's prime minister").
pub fn country_in(phrase: &str) -> Option<&'static str> {
    let words: Vec<&str> = phrase
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '(' | ')'))
        .map(|w| w.trim_end_matches("'s").trim_end_matches("’s").trim_end_matches(['\'', '’']))
        .filter(|w| !w.is_empty())
        .take(40)
        .collect();
    (0..words.len())
        .find_map(|start| {
            (1..=4).rev().find_map(|length| words.get(start..start + length).and_then(|run| place(&run.join(" "))))
        })
        .map(|entry| entry.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_four_fields_and_no_name_stands_twice() {
        let lines: Vec<&str> = include_str!("gazetteer.tsv").lines().filter(|l| !l.starts_with('#')).collect();
        for line in &lines {
            assert_eq!(line.split('\t').count(), 4, "{line}");
        }
        assert_eq!(ENTRIES.len(), lines.iter().flat_map(|line| row(line)).count());
    }

    #[test]
    fn a_phrase_tells_its_country() {
        for (phrase, code) in [
            ("Russian President", Some("RU")),
            ("Japan’s prime minister", Some("JP")),
            ("president of South Sudan", Some("SS")),
            ("the White House", Some("US")),
            ("North Korean leader", Some("KP")),
            ("a doctor", None),
        ] {
            assert_eq!(country_in(phrase), code, "{phrase}");
        }
    }
}
