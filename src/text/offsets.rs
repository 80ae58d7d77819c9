//! Offsets in the unit a user's tool counts in: characters (as Python), bytes (as Rust), UTF-16 units (as JavaScript).

use serde::{Deserialize, Serialize};

/// The unit in which written offsets count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// Unicode scalar values: what Python and R slice by.
    #[default]
    Char,
    /// UTF-8 bytes: what Rust and Go slice by.
    Byte,
    /// UTF-16 code units: what JavaScript and Java slice by.
    Utf16,
}

/// Converts byte offsets of one text to another unit and back, in logarithmic time.
///
/// ```
/// use detente::text::offsets::{OffsetTable, OffsetUnit};
/// let table = OffsetTable::new("a 🕊 b", OffsetUnit::Utf16);
/// assert_eq!(table.from_byte(7), 5);
/// assert_eq!(table.to_byte(5), Some(7));
/// ```
#[derive(Debug, Clone)]
pub struct OffsetTable {
    bytes: usize,
    units: usize,
    /// The characters whose width differs in the two units; between two of them both advance alike.
    wide: Vec<WideChar>,
}

#[derive(Debug, Clone, Copy)]
struct WideChar {
    byte: usize,
    unit: usize,
    bytes: usize,
    units: usize,
}

impl OffsetTable {
    /// The table of `text` for `unit`.
    pub fn new(text: &str, unit: OffsetUnit) -> Self {
        let mut table = OffsetTable { bytes: text.len(), units: text.len(), wide: Vec::new() };
        if unit == OffsetUnit::Byte || text.is_ascii() {
            return table;
        }
        let mut saved = 0;
        for (byte, c) in text.char_indices() {
            let units = if unit == OffsetUnit::Char { 1 } else { c.len_utf16() };
            if c.len_utf8() != units {
                table.wide.push(WideChar { byte, unit: byte - saved, bytes: c.len_utf8(), units });
                saved += c.len_utf8() - units;
            }
        }
        table.units -= saved;
        table
    }

    /// The offset in units of byte offset `byte`, which must lie on a character boundary; past the end it is the end.
    pub fn from_byte(&self, byte: usize) -> usize {
        let byte = byte.min(self.bytes);
        let before = self.wide.partition_point(|w| w.byte < byte);
        match before.checked_sub(1).and_then(|i| self.wide.get(i)) {
            Some(w) => w.unit + w.units + byte.saturating_sub(w.byte + w.bytes),
            None => byte,
        }
    }

    /// The byte offset of unit offset `unit`; none when it is past the end or inside a character.
    pub fn to_byte(&self, unit: usize) -> Option<usize> {
        if unit > self.units {
            return None;
        }
        let before = self.wide.partition_point(|w| w.unit < unit);
        match before.checked_sub(1).and_then(|i| self.wide.get(i)) {
            Some(w) if unit < w.unit + w.units => None,
            Some(w) => Some(w.byte + w.bytes + (unit - w.unit - w.units)),
            None => Some(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_character_boundary_survives_the_round_trip(text in "\\PC{0,40}") {
            for unit in [OffsetUnit::Char, OffsetUnit::Byte, OffsetUnit::Utf16] {
                let table = OffsetTable::new(&text, unit);
                for (byte, _) in text.char_indices().chain([(text.len(), ' ')]) {
                    let expected = match unit {
                        OffsetUnit::Char => text[..byte].chars().count(),
                        OffsetUnit::Byte => byte,
                        OffsetUnit::Utf16 => text[..byte].encode_utf16().count(),
                    };
                    prop_assert_eq!(table.from_byte(byte), expected);
                    prop_assert_eq!(table.to_byte(expected), Some(byte));
                }
                prop_assert_eq!(table.to_byte(table.units + 1), None);
            }
        }
    }

    #[test]
    fn half_an_emoji_is_no_place() {
        assert_eq!(OffsetTable::new("🕊", OffsetUnit::Utf16).to_byte(1), None);
    }
}
