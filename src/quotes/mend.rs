//! What the model leaves undone at the bounds of an attribution, where grammar or layout tells.

use super::cues;
use super::layout;
use super::tags::Attribution;
use crate::document::Span;
use crate::text::segment::{sentences, words};

/// Finite verbs with which no clause begins: their subject stands before the words of saying.
const BARE_VERBS: [&str; 22] = [
    "would",
    "will",
    "had",
    "has",
    "have",
    "was",
    "were",
    "is",
    "are",
    "could",
    "can",
    "should",
    "must",
    "may",
    "might",
    "did",
    "does",
    "do",
    "shall",
    "cannot",
    "won’t",
    "wouldn’t",
];
/// The most words of a bare name.
const LONGEST_NAME: usize = 6;

/// `attribution` with the mistakes mended that its surroundings show:
///
/// * no dateline is content;
/// * a name right before the words of saying is who speaks, even if it was taken for what is said: `Lethgrad has refused to …`;
/// * in `The dispute, Osk warned, would not be settled` the subject belongs to the content;
/// * `Osk has promised that the talks will go on, he said` reports once, that the talks will go on; and so does
///   `Osk believes it is too late, as Lind suggested`.
pub(super) fn mended(text: &str, paragraphs: &[Span], mut attribution: Attribution) -> Attribution {
    let place = Layout { text, paragraphs };
    without_datelines(&place, &mut attribution);
    name_speaks(&place, &mut attribution);
    add_subject(&place, &mut attribution);
    report_once(&place, &mut attribution);
    attribution
}

/// A text and its paragraphs.
struct Layout<'a> {
    text: &'a str,
    paragraphs: &'a [Span],
}

impl Layout<'_> {
    fn paragraph_at(&self, at: usize) -> Option<Span> {
        let after = self.paragraphs.partition_point(|p| p.start <= at);
        after.checked_sub(1).and_then(|i| self.paragraphs.get(i)).copied()
    }

    /// The words of a sentence before byte `start`, if there are any.
    fn sentence_before(&self, start: usize) -> Option<Span> {
        let all = sentences(self.text, self.paragraph_at(start)?);
        let sentence = all.into_iter().find(|s| s.start < start && start <= s.end)?;
        let before = Span::new(sentence.start, start).trimmed(self.text);
        (before.start < before.end).then_some(before)
    }
}

fn without_datelines(place: &Layout, attribution: &mut Attribution) {
    let ends: Vec<Option<usize>> = attribution
        .content
        .iter()
        .map(|part| place.paragraph_at(part.start).and_then(|p| layout::dateline_end(place.text, p)))
        .collect();
    let after = |(part, end): (&Span, Option<usize>)| match end {
        Some(end) if part.end <= end => None,
        Some(end) => Some(Span::new(part.start.max(end), part.end)),
        None => Some(*part),
    };
    let kept: Vec<Span> = attribution.content.iter().zip(ends).filter_map(after).collect();
    if !kept.is_empty() {
        attribution.content = kept;
    }
}

fn name_speaks(place: &Layout, attribution: &mut Attribution) {
    let text = place.text;
    let Some(cue) = attribution.cue.first().copied().filter(|_| attribution.source.is_empty()) else { return };
    if let [first, _, ..] = &attribution.content[..] {
        let touches = first.end <= cue.start && Span::new(first.end, cue.start).of(text).trim().is_empty();
        if touches && is_bare_name(&[*first], text) {
            attribution.source = vec![*first];
            attribution.content.remove(0);
            return;
        }
    }
    let Some(before) = place.sentence_before(cue.start) else { return };
    let name = before.of(text);
    let is_free = attribution.content.iter().all(|part| !part.overlaps(before));
    if is_free
        && is_bare_name(&[before], text)
        && name.chars().all(|c| c.is_alphanumeric() || " .-’'".contains(c))
        && !NOBODY.contains(&name)
    {
        attribution.source = vec![before];
    }
}

/// Words that begin sentences and name nobody.
const NOBODY: [&str; 16] = [
    "It", "There", "This", "That", "What", "But", "And", "Yet", "So", "Who", "Which", "Here", "Then", "Now", "Not",
    "If",
];

fn add_subject(place: &Layout, attribution: &mut Attribution) {
    let text = place.text;
    let saying = || attribution.cue.iter().chain(&attribution.source);
    let (Some(start), Some(end)) = (saying().map(|s| s.start).min(), saying().map(|s| s.end).max()) else { return };
    let [part] = &attribution.content[..] else { return };
    let between = if part.start >= end { Span::new(end, part.start).of(text) } else { return };
    let verb = part.of(text).split_whitespace().next().unwrap_or("");
    if !BARE_VERBS.contains(&verb) || !between.chars().all(|c| c.is_whitespace() || c == ',') {
        return;
    }
    let Some(before) = place.sentence_before(start) else { return };
    let subject = Span::new(before.start, before.end.saturating_sub(1));
    if before.of(text).ends_with(',') && subject.start < subject.end {
        attribution.content.insert(0, subject);
    }
}

fn report_once(place: &Layout, attribution: &mut Attribution) {
    let text = place.text;
    let ([content], [source]) = (&mut attribution.content[..], &attribution.source[..]) else { return };
    let between = Span::new(content.end, source.start.max(content.end)).of(text);
    let as_said = between.trim_start_matches([',', ' ']).trim_end() == "as";
    let pronoun = PRONOUNS.contains(&source.of(text)) && source.start >= content.end;
    // What somebody says in marks of another one's words is still his own.
    if !(as_said || pronoun) || is_near_marks(text, *content) {
        return;
    }
    let Some(inner) = inner_report(text, *content) else { return };
    if as_said || inner.content.of(text).starts_with("that ") {
        attribution.source = vec![inner.source];
        attribution.cue = vec![inner.cue];
        *content = inner.content;
    }
}

/// Whether quotation marks stand in `content` or right before it.
fn is_near_marks(text: &str, content: Span) -> bool {
    let is_mark = |c: char| "\"“”«»„".contains(c);
    let before = text.get(..content.start).unwrap_or("").trim_end();
    content.of(text).contains(is_mark) || before.ends_with(is_mark) || before.ends_with("''") || before.ends_with("``")
}

/// Sources whose name the words before them hold.
const PRONOUNS: [&str; 4] = ["he", "she", "they", "it"];

/// A report at the start of content.
struct InnerReport {
    source: Span,
    cue: Span,
    content: Span,
}

/// Name, word of saying and the rest of `content`, if it is made like that.
fn inner_report(text: &str, content: Span) -> Option<InnerReport> {
    let words = words(text, content);
    let verb = words.iter().take(LONGEST_NAME + 2).position(|w| cues::is_plain_cue(w.of(text)))?;
    let helped = verb.checked_sub(1).and_then(|at| words.get(at)).filter(|w| HELPERS.contains(&w.of(text)));
    let name = words.get(..verb - usize::from(helped.is_some()))?;
    let source = Span::new(name.first()?.start, name.last()?.end);
    let cue = words.get(verb)?;
    let cue = Span::new(helped.unwrap_or(cue).start, cue.end);
    let content = Span::new(words.get(verb + 1)?.start, content.end);
    is_bare_name(&[source], text).then_some(InnerReport { source, cue, content })
}

const HELPERS: [&str; 3] = ["has", "have", "had"];

/// Whether no word of `parts` starts with a small letter: a name or title ("President Ana Ruiz"), which claims nothing.
pub(super) fn is_bare_name(parts: &[Span], text: &str) -> bool {
    let words: Vec<&str> = parts.iter().flat_map(|p| p.of(text).split_whitespace()).collect();
    words.len() <= LONGEST_NAME && words.iter().all(|w| !w.starts_with(char::is_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::segment::paragraphs;

    fn span(text: &str, surface: &str) -> Span {
        let start = text.find(surface).unwrap();
        Span::new(start, start + surface.len())
    }

    /// Content and source after mending, from content, cue and source as found.
    fn mend(text: &str, content: &[&str], cue: &str, source: &str) -> (Vec<String>, Vec<String>) {
        let found = Attribution {
            content: content.iter().map(|c| span(text, c)).collect(),
            cue: vec![span(text, cue)],
            source: if source.is_empty() { Vec::new() } else { vec![span(text, source)] },
        };
        let mended = mended(text, &paragraphs(text), found);
        let words = |spans: &[Span]| spans.iter().map(|s| s.of(text).to_string()).collect();
        (words(&mended.content), words(&mended.source))
    }

    #[test]
    fn a_dateline_is_no_content() {
        let text = "SELVA, May 3. /NP/. Nordian Premier Anna Lind believes the bridge will open.";
        let (content, _) = mend(text, &["SELVA, May 3", "the bridge will open"], "believes", "Anna Lind");
        assert_eq!(content, ["the bridge will open"]);
        let text = "SELVA, May 3. /NP/. The bridge will open in the coming spring, Lind said.";
        let (content, _) =
            mend(text, &["SELVA, May 3. /NP/. The bridge will open in the coming spring"], "said", "Lind");
        assert_eq!(content, ["The bridge will open in the coming spring"]);
    }

    #[test]
    fn a_name_before_the_cue_speaks() {
        let text = "Lethgrad has refused to take down its tower.";
        let found = mend(text, &["Lethgrad", "to take down its tower"], "has refused", "");
        assert_eq!(found, (vec!["to take down its tower".into()], vec!["Lethgrad".into()]));
        let found = mend(text, &["to take down its tower"], "has refused", "");
        assert_eq!(found.1, ["Lethgrad"]);
        let found = mend("It was clear that we lost.", &["that we lost"], "was clear", "");
        assert_eq!(found.1, [""; 0]);
        let text = "The tower was refused by nobody to take down.";
        let found = mend(text, &["The tower", "to take down"], "was refused", "nobody");
        assert_eq!(found.0, ["The tower", "to take down"]);
    }

    #[test]
    fn what_is_reported_twice_is_listed_once() {
        let text = "President Ana Lind has promised that the bridge will open, she said on Friday.";
        let whole = "President Ana Lind has promised that the bridge will open";
        let found = mend(text, &[whole], "said", "she");
        assert_eq!(found, (vec!["that the bridge will open".into()], vec!["President Ana Lind".into()]));
        let text = "President Lind believes it is too early to open the bridge, as Premier Osk suggested.";
        let found =
            mend(text, &["President Lind believes it is too early to open the bridge"], "suggested", "Premier Osk");
        assert_eq!(found, (vec!["it is too early to open the bridge".into()], vec!["President Lind".into()]));
        let text = "Lind believes it is too early, Osk said.";
        let found = mend(text, &["Lind believes it is too early"], "said", "Osk");
        assert_eq!(found.1, ["Osk"]);
        for text in [
            "\"Ana Lind has promised that the bridge will open,\" she said on Friday.",
            "''Ana Lind has promised that the bridge will open,'' she said on Friday.",
        ] {
            let found = mend(text, &["Ana Lind has promised that the bridge will open"], "said", "she");
            assert_eq!(found.1, ["she"], "{text}");
        }
        let text = "The hope is that the bridge will open, she said on Friday.";
        let found = mend(text, &["The hope is that the bridge will open"], "said", "she");
        assert_eq!(found.0, ["The hope is that the bridge will open"]);
    }

    #[test]
    fn a_clause_has_its_subject() {
        let text = "It rained. The dispute over the post at Drun, Osk warned, would not be settled by words.";
        let (content, _) = mend(text, &["would not be settled by words"], "warned", "Osk");
        assert_eq!(content, ["The dispute over the post at Drun", "would not be settled by words"]);
        let text = "It rained. Osk warned, would you believe it, all of us.";
        let (content, _) = mend(text, &["would you believe it"], "warned", "Osk");
        assert_eq!(content, ["would you believe it"]);
    }
}
