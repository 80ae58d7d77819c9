//! Quotation marks: which of them are marks at all, which open and which close, what stands between them.
//!
//! Marks are paired by kind, paragraph by paragraph. Double marks of any shape (`"`, `“ ”`, `„ “`, `''`), angle marks
//! (`« »`), corner marks (`「 」`) and single marks (`'`, `‘ ’`) are four kinds; a mark closes only what its own kind
//! opened. Apostrophes, feet and inches, decades and plural possessives are no marks. A quote that runs over several
//! paragraphs opens each of them and closes only the last. A mark that is never closed harms no other.

use super::cues;
use crate::document::Span;
use std::collections::VecDeque;

/// A stretch of text between quotation marks, outermost ones only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What stands between the marks, trimmed, one span a paragraph; nested marks stay inside.
    pub parts: Vec<Span>,
    /// The same stretches with their marks.
    pub outer: Vec<Span>,
    /// Whether the marks are single ones.
    pub single: bool,
    /// Whether the opening mark is never closed.
    pub unclosed: bool,
}

impl Marked {
    /// From the opening mark to the closing one.
    pub fn extent(&self) -> Span {
        let start = self.outer.first().map_or(0, |s| s.start);
        Span::new(start, self.outer.last().map_or(start, |s| s.end))
    }
}

/// Finds everything between quotation marks in `text`, in order and without overlap; `paragraphs` are its paragraphs.
pub fn pair(text: &str, paragraphs: &[Span]) -> Vec<Marked> {
    let marks: Vec<Vec<Mark>> = paragraphs.iter().map(|p| marks_of(text, *p)).collect();
    let mut found = Vec::new();
    for kind in [Kind::Double, Kind::Angle, Kind::Corner] {
        let of_kind = marks.iter().map(|m| m.iter().filter(|m| m.kind == kind).copied().collect()).collect();
        found.extend(Pairing::new(text, paragraphs, of_kind).run());
    }
    found = outermost(found);
    let singles = single_marks(&marks, &found);
    found.extend(Pairing::new(text, paragraphs, singles).run().into_iter().filter(|m| plausible_single(text, m)));
    outermost(found)
}

/// The marks that pair with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Double,
    Angle,
    Corner,
    Single,
}

/// What the shape of a mark says of its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Straight,
    Left,
    Right,
    /// `„` and `‚`, which only open.
    Low,
}

/// A quotation mark and its surroundings.
#[derive(Debug, Clone, Copy)]
struct Mark {
    span: Span,
    kind: Kind,
    shape: Shape,
    /// The characters around the run of marks it stands in.
    before: Option<char>,
    after: Option<char>,
}

impl Mark {
    /// Whether the white space around it is that of an opening mark.
    fn opens(&self) -> bool {
        self.after.is_some_and(|c| !c.is_whitespace())
            && self.before.is_none_or(|c| c.is_whitespace() || "([{<—–-/:=>*|".contains(c))
    }

    /// Whether the white space around it is that of a closing mark.
    fn closes(&self) -> bool {
        self.before.is_some_and(|c| !c.is_whitespace())
            && self.after.is_none_or(|c| c.is_whitespace() || ".,;:!?)]}>—–-/…*<|".contains(c))
    }

    /// Whether it must open, given that one of its kind with shape `open` is open (or none is).
    fn is_opening(&self, open: Option<Shape>) -> bool {
        let (opens, closes) = (self.opens(), self.closes());
        match (self.shape, open) {
            (Shape::Low, _) => true,
            (Shape::Left, Some(Shape::Low)) => opens && !closes,
            (Shape::Left, Some(_)) => opens || !closes,
            (Shape::Left, None) => opens || !closes,
            (Shape::Right, Some(_)) => opens && !closes,
            // » opens where it points inward (»so«); a wrong ” opens only where nothing else can be meant.
            (Shape::Right, None) => opens && !closes,
            (Shape::Straight, Some(_)) => opens && !closes,
            (Shape::Straight, None) if self.kind == Kind::Single => opens,
            (Shape::Straight, None) => opens || !closes,
        }
    }
}

fn kind_and_shape(c: char) -> Option<(Kind, Shape)> {
    Some(match c {
        '"' | '＂' => (Kind::Double, Shape::Straight),
        '“' | '‟' | '〝' => (Kind::Double, Shape::Left),
        '”' | '〞' => (Kind::Double, Shape::Right),
        '„' => (Kind::Double, Shape::Low),
        '«' => (Kind::Angle, Shape::Left),
        '»' => (Kind::Angle, Shape::Right),
        '「' | '『' => (Kind::Corner, Shape::Left),
        '」' | '』' => (Kind::Corner, Shape::Right),
        '\'' => (Kind::Single, Shape::Straight),
        '‘' | '‛' | '‹' => (Kind::Single, Shape::Left),
        '’' | '›' => (Kind::Single, Shape::Right),
        '‚' => (Kind::Single, Shape::Low),
        _ => return None,
    })
}

/// All marks of a paragraph; what only looks like one is left out.
fn marks_of(text: &str, paragraph: Span) -> Vec<Mark> {
    let mut found = bare_marks(text, paragraph);
    set_surroundings(text, paragraph, &mut found);
    found.retain(|mark| mark.kind != Kind::Single || !is_apostrophe(text, mark));
    found.retain(|mark| !is_inches(text, mark));
    found
}

fn bare_marks(text: &str, paragraph: Span) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::new();
    let mut previous = None;
    for (at, c) in paragraph.of(text).char_indices() {
        let at = paragraph.start + at;
        let last = previous.replace(c);
        if c == '`' && last == Some('`') {
            let span = Span::new(at - 1, at + 1);
            found.push(Mark { span, kind: Kind::Double, shape: Shape::Left, before: None, after: None });
            previous = None;
        }
        let Some((kind, shape)) = kind_and_shape(c) else { continue };
        let span = Span::new(at, at + c.len_utf8());
        match found.last_mut() {
            // Two single marks of one shape are a double one.
            Some(first) if kind == Kind::Single && last == Some(c) && first.kind == Kind::Single => {
                first.span.end = span.end;
                first.kind = Kind::Double;
                previous = None;
            }
            _ => found.push(Mark { span, kind, shape, before: None, after: None }),
        }
    }
    found
}

/// Sets what stands before and after each run of touching marks.
fn set_surroundings(text: &str, paragraph: Span, marks: &mut [Mark]) {
    let mut rest = marks;
    while let Some(first) = rest.first().copied() {
        let touching = rest.windows(2).take_while(|w| matches!(w, [a, b] if a.span.end == b.span.start)).count() + 1;
        let (run, tail) = rest.split_at_mut(touching);
        let end = run.last().map_or(first.span.end, |m| m.span.end);
        let before = text.get(paragraph.start..first.span.start).and_then(|s| s.chars().next_back());
        let after = text.get(end..paragraph.end).and_then(|s| s.chars().next());
        for mark in run {
            (mark.before, mark.after) = (before, after);
        }
        rest = tail;
    }
}

/// Words whose first letters an apostrophe stands for.
const ELIDED: &[&str] = &[
    "tis", "twas", "til", "till", "em", "cause", "cos", "cuz", "bout", "round", "n", "neath", "kay", "nuff", "er",
    "im", "ere", "tude", "hood", "burbs", "copter", "gainst", "fess", "stache",
];

/// Whether a single mark is an apostrophe, or a sign for feet.
fn is_apostrophe(text: &str, mark: &Mark) -> bool {
    let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let next = text.get(mark.span.end..).and_then(|s| s.chars().next());
    let previous = text.get(..mark.span.start).and_then(|s| s.chars().next_back());
    if alphanumeric(previous) && alphanumeric(next) {
        return true;
    }
    // Feet: 6' or 6'2"; after an unfinished number no quote ends.
    if previous.is_some_and(|c| c.is_ascii_digit()) && next.is_some_and(|c| c.is_ascii_digit() || c == '-') {
        return true;
    }
    if !mark.opens() || mark.shape == Shape::Low {
        return false;
    }
    // A right-hand mark at the start of a word is an apostrophe: ’90s, ’tis.
    if mark.shape == Shape::Right {
        return alphanumeric(next);
    }
    let word: String =
        text.get(mark.span.end..).unwrap_or("").chars().take(9).take_while(|c| c.is_alphanumeric()).collect();
    is_decade(&word) || ELIDED.contains(&word.to_lowercase().as_str())
}

/// "90s", "68" as in the '90s, the class of '68.
fn is_decade(word: &str) -> bool {
    let digits = word.chars().take_while(char::is_ascii_digit).count();
    digits == 2 && matches!(word.get(2..), Some("" | "s"))
}

/// Whether a straight double mark after a number stands for inches: the 2" of 6'2".
fn is_inches(text: &str, mark: &Mark) -> bool {
    if mark.kind != Kind::Double || !mark.before.is_some_and(|c| c.is_ascii_digit() || "½¼¾".contains(c)) {
        return false;
    }
    let head = text.get(..mark.span.start).unwrap_or("");
    let before_number = head.trim_end_matches(|c: char| c.is_ascii_digit() || "½¼¾. ".contains(c));
    let feet = before_number.strip_suffix(['\'', '’', '′']);
    feet.is_some_and(|f| f.ends_with(|c: char| c.is_ascii_digit())) && head.len() - before_number.len() <= 6
}

/// The single marks outside what double marks enclose: inside they nest and are part of the words said.
fn single_marks(marks: &[Vec<Mark>], found: &[Marked]) -> Vec<Vec<Mark>> {
    let taken: Vec<Span> = found.iter().flat_map(|m| m.outer.iter().copied()).collect();
    let is_free = |mark: &Mark| {
        let at = taken.partition_point(|span| span.end <= mark.span.start);
        taken.get(at).is_none_or(|span| !span.contains(mark.span))
    };
    marks.iter().map(|m| m.iter().filter(|m| m.kind == Kind::Single && is_free(m)).copied().collect()).collect()
}

/// A single mark that nothing closes is an apostrophe unless it is a left-hand one; and it may only enclose double
/// marks when it ends as a quote ends.
fn plausible_single(text: &str, marked: &Marked) -> bool {
    let first = marked.outer.first().map_or("", |s| s.of(text));
    let last = marked.parts.last().map_or("", |s| s.of(text));
    if marked.unclosed {
        return first.starts_with('‘') && marked.parts.len() > 1;
    }
    let nests = marked.parts.iter().any(|p| p.of(text).contains(['"', '“', '”', '«']));
    !nests || last.ends_with(['.', ',', '!', '?', '…', '"', '”'])
}

/// Drops what lies inside another, and the later of two that cross.
fn outermost(mut found: Vec<Marked>) -> Vec<Marked> {
    found.sort_by_key(|m| (m.extent().start, std::cmp::Reverse(m.extent().end)));
    let mut end = 0;
    // An unclosed mark gives way to marks that do close.
    let closed: Vec<Span> = found.iter().filter(|m| !m.unclosed).map(Marked::extent).collect();
    found.retain(|m| {
        let extent = m.extent();
        let next = closed.partition_point(|span| span.end <= extent.start);
        let clashes = m.unclosed && closed.get(next).is_some_and(|span| span.overlaps(extent));
        let keep = extent.start >= end && !clashes;
        if keep {
            end = extent.end;
        }
        keep
    });
    found
}

/// Whether a mark that looks like a closing one belongs to the words inside: inches, feet, the possessive of a plural.
/// It does when the next mark of its kind closes too.
fn stands_inside(mark: &Mark, rest: &VecDeque<Mark>) -> bool {
    let suspicious = match mark.kind {
        Kind::Single => mark.before.is_some_and(|c| matches!(c, 's' | 'S' | 'z' | 'x') || c.is_ascii_digit()),
        Kind::Double => mark.shape == Shape::Straight && mark.before.is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    suspicious && mark.after == Some(' ') && rest.front().is_some_and(|next| next.closes() && !next.opens())
}

/// Where an attribution at the end of words that were never closed begins: the `he said.` of `We signed, he said.`
fn attribution_start(words: &str) -> Option<usize> {
    let comma = words.rfind(',')?;
    let tail = words.get(comma + 1..)?;
    let mut list = tail.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’').filter(|w| !w.is_empty());
    let first = list.next()?;
    let says = cues::is_plain_cue(first) || list.by_ref().take(6).any(cues::is_plain_cue);
    let ends = list.next().is_none();
    (says && ends && !matches!(first, "as" | "I" | "we" | "you" | "and" | "but" | "like")).then_some(comma + 1)
}

/// Pairs the marks of one kind over all paragraphs.
struct Pairing<'a> {
    text: &'a str,
    paragraphs: &'a [Span],
    marks: Vec<Vec<Mark>>,
    found: Vec<Marked>,
}

/// A quote whose closing mark has not come yet.
struct Open {
    shape: Shape,
    /// Where the current part begins: its mark, and the first byte after it.
    mark_start: usize,
    inner_start: usize,
    /// The parts of earlier paragraphs.
    parts: Vec<Span>,
    outer: Vec<Span>,
    /// Marks of its kind that opened inside and are still open.
    nested: usize,
    single: bool,
}

impl Open {
    fn at(mark: &Mark) -> Self {
        Open {
            shape: mark.shape,
            mark_start: mark.span.start,
            inner_start: mark.span.end,
            parts: Vec::new(),
            outer: Vec::new(),
            nested: 0,
            single: mark.kind == Kind::Single,
        }
    }

    /// Ends the current part before `inner_end`; its mark, if it has one, ends at `outer_end`.
    fn end_part(&mut self, text: &str, inner_end: usize, outer_end: usize) {
        let inner = Span::new(self.inner_start, inner_end).trimmed(text);
        if inner.of(text).chars().any(|c| !c.is_whitespace() && kind_and_shape(c).is_none()) {
            self.parts.push(inner);
            self.outer.push(Span::new(self.mark_start, outer_end));
        }
    }
}

impl<'a> Pairing<'a> {
    fn new(text: &'a str, paragraphs: &'a [Span], marks: Vec<Vec<Mark>>) -> Self {
        Pairing { text, paragraphs, marks, found: Vec::new() }
    }

    fn run(mut self) -> Vec<Marked> {
        let mut open: Option<Open> = None;
        for (index, paragraph) in self.paragraphs.iter().enumerate() {
            let mut marks: VecDeque<Mark> = self.marks.get_mut(index).map(std::mem::take).unwrap_or_default().into();
            open = self.enter(open, *paragraph, &mut marks);
            while let Some(mark) = marks.pop_front() {
                open = self.step(open, mark, &marks);
            }
            open = self.leave(open, index);
        }
        if let Some(open) = open {
            self.emit(open, true);
        }
        self.found
    }

    /// Begins a paragraph into which a quote runs on: its repeated opening mark is no new one.
    fn enter(&mut self, open: Option<Open>, paragraph: Span, marks: &mut VecDeque<Mark>) -> Option<Open> {
        let mut open = open?;
        open.mark_start = paragraph.start;
        open.inner_start = paragraph.start;
        if let Some(first) = marks.front().filter(|m| m.span.start == paragraph.start) {
            open.inner_start = first.span.end;
            marks.pop_front();
        }
        Some(open)
    }

    /// What is open after `mark`; `rest` are the marks of its kind that follow in the paragraph.
    fn step(&mut self, open: Option<Open>, mark: Mark, rest: &VecDeque<Mark>) -> Option<Open> {
        let Some(mut open) = open else {
            return mark.is_opening(None).then(|| Open::at(&mark));
        };
        if mark.is_opening(Some(open.shape)) {
            return Some(self.reopen(open, mark, rest));
        }
        if stands_inside(&mark, rest) {
            return Some(open);
        }
        if open.nested > 0 {
            open.nested -= 1;
            return Some(open);
        }
        open.end_part(self.text, mark.span.start, mark.span.end);
        self.emit(open, false);
        None
    }

    /// A second opening mark: nested when two closing ones follow, else the first was never closed.
    fn reopen(&mut self, mut open: Open, mark: Mark, rest: &VecDeque<Mark>) -> Open {
        let closing = |i: usize| rest.get(i).is_some_and(|m| !m.is_opening(Some(mark.shape)));
        if closing(0) && closing(1) {
            open.nested += 1;
            return open;
        }
        self.end_unclosed(&mut open, mark.span.start);
        if !open.single {
            self.emit(open, true);
        }
        Open::at(&mark)
    }

    /// At the end of a paragraph: whether what is open runs on into the next.
    fn leave(&mut self, open: Option<Open>, index: usize) -> Option<Open> {
        let mut open = open?;
        let end = self.paragraphs.get(index).map_or(open.inner_start, |p| p.end);
        if self.runs_on(&open, index) {
            open.end_part(self.text, end, end);
            return Some(open);
        }
        self.end_unclosed(&mut open, end);
        self.emit(open, true);
        None
    }

    /// Ends what is never closed at `end`, or before the attribution that stands there (`"We signed, he said.`).
    fn end_unclosed(&self, open: &mut Open, end: usize) {
        let inner = Span::new(open.inner_start, end).trimmed(self.text);
        let end = attribution_start(inner.of(self.text)).map_or(inner.end, |at| inner.start + at);
        open.end_part(self.text, end, end);
    }

    fn runs_on(&self, open: &Open, index: usize) -> bool {
        let Some(paragraph) = self.paragraphs.get(index) else { return false };
        let last = Span::new(open.inner_start, paragraph.end).trimmed(self.text).of(self.text);
        let ended = last.ends_with(['.', '!', '?', '…', ':', ';', ')', ']', '\'', '’', ',']);
        // A fragment that begins in the middle of a sentence does not run on.
        let fragment = open.parts.is_empty() && last.starts_with(char::is_lowercase);
        if !ended || fragment || attribution_start(last).is_some() {
            return false;
        }
        let (Some(next), Some(marks)) = (self.paragraphs.get(index + 1), self.marks.get(index + 1)) else {
            return false;
        };
        match marks.first() {
            Some(first) if first.span.start == next.start => first.is_opening(None) && first.opens(),
            // No mark at its start: it runs on only if the first mark there closes.
            Some(first) => !open.single && !first.opens() && first.closes() && first.shape != Shape::Left,
            None => false,
        }
    }

    fn emit(&mut self, open: Open, unclosed: bool) {
        if !open.parts.is_empty() {
            self.found.push(Marked { parts: open.parts, outer: open.outer, single: open.single, unclosed });
        }
    }
}
