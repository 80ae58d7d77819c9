//! The label set of a model: schemes of tags, and which tag may follow which.

use crate::error::{Error, Result};

/// How tags mark where an entity begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `B-` begins an entity, `I-` continues it (IOB2).
    Bio,
    /// `I-` begins and continues; `B-` only where an entity follows another of its type (IOB1).
    Iob1,
    /// `B-` begins, `I-` continues, `E-` ends, `S-` is alone; `L-` and `U-` (BILOU) mean the same as `E-` and `S-`.
    Bioes,
    /// The bare type; neighbours of one type are one entity.
    Plain,
}

/// Where in an entity a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// First of several, or the only one under BIO.
    Begin,
    /// After the first.
    Inside,
    /// Last of several.
    End,
    /// The only one.
    Single,
}

/// One label: outside of entities, or a position in an entity of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag<'a> {
    /// No entity.
    Outside,
    /// Part of one.
    Part(Position, &'a str),
}

impl<'a> Tag<'a> {
    /// Reads `O`, `B-PER`, `I_PER`, `S-LOC` and so on; what has no such prefix is the inside of an entity of that type.
    ///
    /// ```
    /// use detente::entities::tags::{Position, Tag};
    /// assert_eq!(Tag::parse("O"), Tag::Outside);
    /// assert_eq!(Tag::parse("U-LOC"), Tag::Part(Position::Single, "LOC"));
    /// assert_eq!(Tag::parse("LOC"), Tag::Part(Position::Inside, "LOC"));
    /// ```
    pub fn parse(label: &'a str) -> Self {
        match prefixed(label) {
            _ if label == "O" || label.is_empty() => Tag::Outside,
            Some((position, kind)) => Tag::Part(position, kind),
            None => Tag::Part(Position::Inside, label),
        }
    }

    /// The type; none outside.
    pub fn kind(self) -> Option<&'a str> {
        match self {
            Tag::Outside => None,
            Tag::Part(_, kind) => Some(kind),
        }
    }

    fn position(self) -> Option<Position> {
        match self {
            Tag::Outside => None,
            Tag::Part(position, _) => Some(position),
        }
    }
}

fn prefixed(label: &str) -> Option<(Position, &str)> {
    let mut letters = label.chars();
    let position = match letters.next()? {
        'B' => Position::Begin,
        'I' => Position::Inside,
        'E' | 'L' => Position::End,
        'S' | 'U' => Position::Single,
        _ => return None,
    };
    let kind = letters.as_str().strip_prefix(['-', '_'])?;
    (!kind.is_empty()).then_some((position, kind))
}

/// The labels of a model in the order of its logits, with the scheme they follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSet {
    labels: Vec<String>,
    scheme: Scheme,
}

impl LabelSet {
    /// The label set of `labels`. Unless `scheme` says which, it is told from them: without prefixes plain, with `E-`
    /// or `S-` (`L-`, `U-`) BIOES, with a type that has `I-` but no `B-` IOB1, otherwise BIO.
    ///
    /// # Errors
    /// When there is no label.
    pub fn new(labels: &[String], scheme: Option<Scheme>) -> Result<LabelSet> {
        if labels.is_empty() {
            return Err(Error::model("the model has no labels").help("config.json must hold id2label"));
        }
        Ok(LabelSet { labels: labels.to_vec(), scheme: scheme.unwrap_or_else(|| scheme_of(labels)) })
    }

    /// The names, in the order of the logits.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The tags, in the order of the logits.
    pub fn tags(&self) -> Vec<Tag<'_>> {
        self.labels.iter().map(|label| self.tag(label)).collect()
    }

    fn tag<'a>(&self, label: &'a str) -> Tag<'a> {
        match (self.scheme, label) {
            (_, "O" | "") => Tag::Outside,
            (Scheme::Plain, kind) => Tag::Part(Position::Inside, kind),
            _ => Tag::parse(label),
        }
    }

    /// Whether `next` may follow `before`; none stands for the start and the end of the text.
    pub fn allows(&self, before: Option<Tag>, next: Option<Tag>) -> bool {
        let (from, to) = (before.and_then(Tag::position), next.and_then(Tag::position));
        let same_kind = before.and_then(Tag::kind) == next.and_then(Tag::kind);
        match self.scheme {
            Scheme::Plain | Scheme::Iob1 => true,
            Scheme::Bio => to != Some(Position::Inside) || (from.is_some() && same_kind),
            Scheme::Bioes => {
                let open = matches!(from, Some(Position::Begin | Position::Inside));
                let continues = matches!(to, Some(Position::Inside | Position::End));
                open == continues && (!open || same_kind)
            }
        }
    }
}

fn scheme_of(labels: &[String]) -> Scheme {
    let parts: Vec<(Position, &str)> = labels.iter().filter_map(|label| prefixed(label)).collect();
    let has = |position, kind| parts.contains(&(position, kind));
    if !parts.iter().any(|(position, _)| matches!(position, Position::Begin | Position::Inside)) {
        Scheme::Plain
    } else if parts.iter().any(|(position, _)| matches!(position, Position::End | Position::Single)) {
        Scheme::Bioes
    } else if parts.iter().any(|(_, kind)| !has(Position::Begin, kind)) {
        Scheme::Iob1
    } else {
        Scheme::Bio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(labels: &[&str]) -> LabelSet {
        LabelSet::new(&labels.iter().map(|l| l.to_string()).collect::<Vec<_>>(), None).unwrap()
    }

    #[test]
    fn the_scheme_is_told_from_the_labels() {
        for (labels, scheme) in [
            (&["O", "B-PER", "I-PER"][..], Scheme::Bio),
            (&["O", "B-PER", "I-PER", "I-LOC"], Scheme::Iob1),
            (&["O", "I-PER"], Scheme::Iob1),
            (&["O", "B-PER", "I-PER", "E-PER", "S-PER"], Scheme::Bioes),
            (&["O", "B-PER", "I-PER", "L-PER", "U-PER"], Scheme::Bioes),
            (&["O", "PER", "LOC"], Scheme::Plain),
            (&["O", "S-BAHN", "LINE"], Scheme::Plain),
            (&["B-PER"], Scheme::Bio),
        ] {
            assert_eq!(set(labels).scheme(), scheme, "{labels:?}");
        }
    }

    #[test]
    fn bio_allows_inside_only_after_its_own_type() {
        let set = set(&["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]);
        let allows = |a: &str, b: &str| {
            let tag = |t| if t == "|" { None } else { Some(Tag::parse(t)) };
            set.allows(tag(a), tag(b))
        };
        for (a, b) in [("|", "I-PER"), ("O", "I-PER"), ("B-LOC", "I-PER"), ("I-LOC", "I-PER")] {
            assert!(!allows(a, b), "{a} {b}");
        }
        for (a, b) in
            [("|", "B-PER"), ("B-PER", "I-PER"), ("I-PER", "I-PER"), ("I-PER", "B-PER"), ("I-PER", "|"), ("|", "|")]
        {
            assert!(allows(a, b), "{a} {b}");
        }
    }

    #[test]
    fn bioes_closes_what_it_opens() {
        let set = set(&["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "E-LOC", "I-LOC", "S-LOC"]);
        let allows = |a: &str, b: &str| {
            let tag = |t| if t == "|" { None } else { Some(Tag::parse(t)) };
            set.allows(tag(a), tag(b))
        };
        for (a, b) in
            [("|", "E-PER"), ("B-PER", "O"), ("B-PER", "|"), ("B-PER", "E-LOC"), ("E-PER", "I-PER"), ("I-PER", "S-PER")]
        {
            assert!(!allows(a, b), "{a} {b}");
        }
        for (a, b) in
            [("|", "S-PER"), ("B-PER", "E-PER"), ("I-PER", "I-PER"), ("E-PER", "B-LOC"), ("S-PER", "|"), ("O", "O")]
        {
            assert!(allows(a, b), "{a} {b}");
        }
    }
}
