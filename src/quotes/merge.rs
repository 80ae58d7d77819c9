//! What the model found, merged with what the marks say: marks decide where quoted words begin and end, the model adds
//! cue, source, unmarked parts and reported speech.

use super::Draft;
use super::article::{Article, Break};
use super::attribution::{Attribution as Beside, Place, Said};
use super::marks::{self, Marked};
use super::mend::{is_bare_name, mended};
use super::model::Found;
use super::names::{Mention, MentionKind};
use super::tags::Attribution;
use crate::document::{QuoteKind, Span};
use crate::text::segment::paragraphs;

/// The share of marked words that content must hold to be taken for what stands in the marks.
const MOST: f64 = 0.5;

/// Moves the bounds of content that end inside marks to the marks, which are included: all of the marked words where
/// content holds most of them, none where it holds few.
pub fn snap(attribution: &mut Attribution, text: &str, marked: &[Marked]) {
    for part in &mut attribution.content {
        let given = *part;
        for outer in marked.iter().flat_map(|m| &m.outer).filter(|outer| outer.overlaps(given)) {
            let shared = Span::new(outer.start.max(part.start), outer.end.min(part.end));
            let whole = letters(text, shared) as f64 >= MOST * letters(text, *outer) as f64;
            // Marks around all of the part and more: it is a sentence of a longer quote, whose bounds the model knows.
            if whole {
                *part = Span::new(part.start.min(outer.start), part.end.max(outer.end));
            }
        }
    }
    attribution.content.dedup();
}

/// The attributions of `found`, their content with the bounds that the marks of `text` give.
pub fn snapped(text: &str, found: Vec<Found>) -> Vec<Attribution> {
    let paragraphs = paragraphs(text);
    let marked = marks::pair(text, &paragraphs);
    let mended = |found: Found| mended(text, &paragraphs, found.attribution);
    let mut attributions: Vec<Attribution> = found.into_iter().map(mended).collect();
    attributions.iter_mut().for_each(|a| snap(a, text, &marked));
    attributions
}

/// Whether all, none or some of the words of `parts` stand in marks.
pub fn kind(parts: &[Span], text: &str, marked: &[Marked]) -> QuoteKind {
    let inside = |part: &Span| -> usize {
        let outer = marked.iter().flat_map(|m| &m.outer).filter(|o| o.overlaps(*part));
        outer.map(|o| letters(text, Span::new(o.start.max(part.start), o.end.min(part.end)))).sum()
    };
    let all: usize = parts.iter().map(|p| letters(text, *p)).sum();
    match parts.iter().map(inside).sum::<usize>() {
        0 => QuoteKind::Indirect,
        some if some >= all => QuoteKind::Direct,
        _ => QuoteKind::Mixed,
    }
}

fn letters(text: &str, span: Span) -> usize {
    span.of(text).chars().filter(|c| c.is_alphanumeric()).count()
}

/// The part without the marks that enclose all of it, or whose partner lies outside of it; never a mark of its middle.
fn without_marks(part: Span, text: &str, marked: &[Marked]) -> Span {
    let mut bare = part;
    for (outer, inner) in marked.iter().flat_map(|m| m.outer.iter().zip(&m.parts)) {
        let torn = !(part.contains(*outer) && part != *outer);
        if torn && outer.start == part.start {
            bare.start = inner.start;
        }
        if torn && outer.end == part.end {
            bare.end = inner.end;
        }
    }
    if bare.start < bare.end { bare.trimmed(text) } else { part }
}

/// Drafts of the marks' quotes and of what the model found, each quote once, in order of position.
pub(super) fn merge(
    article: &Article,
    mentions: &[Mention],
    marked: &[Marked],
    mut drafts: Vec<Draft>,
    found: &[Found],
) -> Vec<Draft> {
    for found in found {
        let mut snapped = mended(article.text, article.paragraphs, found.attribution.clone());
        snap(&mut snapped, article.text, marked);
        let kind = kind(&snapped.content, article.text, marked);
        let parts: Vec<Span> = snapped.content.iter().map(|p| without_marks(*p, article.text, marked)).collect();
        let (same, others): (Vec<Draft>, Vec<Draft>) =
            drafts.into_iter().partition(|d| d.parts.iter().any(|own| mostly_in(*own, &parts)));
        drafts = others;
        // A stretch of a quote that is whole already: its marks, or an earlier reading, know how far it goes.
        if same.is_empty() && parts.iter().all(|p| drafts.iter().any(|d| mostly_in(*p, &d.parts))) {
            continue;
        }
        if same.is_empty() && (is_bare_name(&parts, article.text) || claims_too_little(&parts, article.text, found)) {
            continue;
        }
        let (same, apart) = together(article, same);
        let parts: Vec<Span> =
            parts.into_iter().filter(|p| !apart.iter().any(|d| d.parts.iter().any(|own| own.overlaps(*p)))).collect();
        drafts.extend(apart);
        let Some(model) = draft(article, mentions, &snapped, kind, parts, found.confidence) else {
            drafts.extend(same);
            continue;
        };
        drafts.push(joined(model, same));
    }
    drafts.sort_by_key(|d| d.parts.first().map(|p| p.start));
    drafts
}

/// Indirect content below this confidence is none for a reader, and below the next where it is a bare phrase.
const LEAST_CONFIDENCE: f32 = 0.5;
const LEAST_OF_PHRASES: f32 = 0.6;
/// The most words of a bare phrase ("the state of war").
const LONGEST_PHRASE: usize = 5;

/// Whether content outside of marks is too doubtful for what it claims.
fn claims_too_little(parts: &[Span], text: &str, found: &Found) -> bool {
    let mut words = parts.iter().flat_map(|p| p.of(text).split_whitespace());
    let introduces = |w: &str| matches!(w, "that" | "to" | "whether" | "how" | "why" | "what" | "if");
    let clause = words.next().is_some_and(introduces);
    let phrase = !clause && words.count() < LONGEST_PHRASE;
    found.confidence < if phrase { LEAST_OF_PHRASES } else { LEAST_CONFIDENCE }
}

/// Of the marks' drafts that one attribution of the model covers, those up to the first sentence of the reporter's that
/// stands between two of them, and the rest: `"A," he said. It rained. "B."` are two quotes.
fn together(article: &Article, mut drafts: Vec<Draft>) -> (Vec<Draft>, Vec<Draft>) {
    drafts.sort_by_key(|d| d.first);
    let torn = drafts.windows(2).position(|pair| match pair {
        [one, two] => (one.last + 1..=two.first).filter(|i| article.before(*i) >= Break::Sentence).count() > 1,
        _ => false,
    });
    let apart = torn.map_or(Vec::new(), |at| drafts.split_off(at + 1));
    (drafts, apart)
}

fn mostly_in(own: Span, parts: &[Span]) -> bool {
    let shared: usize = parts.iter().map(|p| p.end.min(own.end).saturating_sub(p.start.max(own.start))).sum();
    shared as f64 >= MOST * own.len() as f64
}

/// The model's draft with what the marks' drafts of the same words know better: the bounds of direct quotes, and cue and
/// speaker where they name one.
fn joined(mut model: Draft, same: Vec<Draft>) -> Draft {
    for marks in same {
        if model.kind == QuoteKind::Direct {
            model
                .parts
                .retain(|part| !mostly_in(*part, &marks.parts) && !marks.parts.iter().any(|m| m.overlaps(*part)));
            model.parts.extend(marks.parts);
            model.parts.sort();
        }
        model.first = model.first.min(marks.first);
        model.last = model.last.max(marks.last);
        model.confidence = model.confidence.max(marks.confidence);
        model.unclosed |= marks.unclosed;
        let names = |beside: &Option<Beside>| matches!(beside, Some(Beside { said: Said::By(_), .. }));
        if names(&marks.attribution) && !names(&model.attribution) {
            model.attribution = marks.attribution;
        }
    }
    model
}

fn draft(
    article: &Article,
    mentions: &[Mention],
    attribution: &Attribution,
    kind: QuoteKind,
    parts: Vec<Span>,
    confidence: f32,
) -> Option<Draft> {
    let (first, last) = (item_at(article, parts.first()?.start)?, item_at(article, parts.last()?.end.checked_sub(1)?)?);
    let cue = attribution.cue.first().copied();
    let source = attribution.source.first().copied();
    let at = cue.and_then(|c| item_at(article, c.end.saturating_sub(1))).map_or(last + 1, |i| i + 1);
    let source_end = source.and_then(|s| item_at(article, s.end.saturating_sub(1))).map_or(at, |i| i + 1);
    let beside = Beside {
        cue,
        at,
        end: at.max(source_end),
        said: source
            .filter(|s| !is_impersonal(article.text, *s, cue))
            .map_or(Said::Nobody, |s| Said::By(mention(article, mentions, s, &attribution.content))),
        place: if at > last { Place::After } else { Place::Before },
        unquoted_content: false,
        plain: true,
    };
    Some(Draft { parts, kind, first, last, attribution: Some(beside), confidence, unclosed: false, continues: false })
}

/// Whether "it" names nobody: "it was stressed that".
fn is_impersonal(text: &str, source: Span, cue: Option<Span>) -> bool {
    let passive = |cue: Span| {
        let verb = Span::new(source.end.min(cue.start), cue.end).of(text);
        verb.split_whitespace().any(|w| matches!(w, "is" | "was" | "were" | "been" | "be"))
    };
    source.of(text).eq_ignore_ascii_case("it") && cue.is_some_and(passive)
}

/// The item that byte `at` lies in, or the next one.
fn item_at(article: &Article, at: usize) -> Option<usize> {
    let index = article.items.partition_point(|item| item.span.end <= at);
    (index < article.items.len()).then_some(index)
}

/// Who a source is: a name set off by a comma ("its head, Ana Ruiz"); or the first mention in it, with what follows that
/// mention in the source ("bakers in Santa Ruela", "the governor’s office"); or its words.
fn mention(article: &Article, mentions: &[Mention], source: Span, content: &[Span]) -> Mention {
    if let Some(name) = set_off(article, mentions, source).filter(|m| !content.iter().any(|c| c.overlaps(m.span))) {
        return name.clone();
    }
    let source = up_to_comma(article.text, source);
    let first = item_at(article, source.start).unwrap_or(0);
    let end = item_at(article, source.end.saturating_sub(1)).unwrap_or(first) + 1;
    let inside = |m: &&Mention| article.span(m.items.start, m.items.end).overlaps(source);
    let whole = |kind: MentionKind| Mention { items: first..end, span: source, kind, role: None, apposition_end: None };
    let Some(found) = mentions.iter().find(inside) else { return whole(MentionKind::Other) };
    if found.kind == MentionKind::Pronoun || found.items.end == end || end - first > LONGEST_SOURCE {
        return found.clone();
    }
    let last = found.items.end.saturating_sub(1);
    let owns = ["'s", "’s", "'", "’"].iter().any(|s| article.word(last) == *s || article.word(last + 1) == *s);
    let begins = found.items.start <= first + 1;
    match found.kind {
        _ if owns && begins => whole(MentionKind::Other),
        _ if !begins && is_within(article, found, first) => whole(MentionKind::Other),
        MentionKind::Name => found.clone(),
        kind if begins => whole(kind),
        _ => found.clone(),
    }
}

/// The name that a comma sets off in a source or right after it.
fn set_off<'a>(article: &Article, mentions: &'a [Mention], source: Span) -> Option<&'a Mention> {
    let end = item_at(article, source.end.saturating_sub(1))? + 1;
    let comma = |m: &Mention| article.word_before(m.items.start) == "," && m.items.start <= end + 1;
    // The mention may be the whole phrase already, and its span the name.
    let joined = |m: &Mention| article.span(m.items.start, m.items.end).start <= source.start;
    let named = |m: &Mention| {
        matches!(m.kind, MentionKind::Name | MentionKind::Body)
            && m.span.start > source.start
            && m.span.of(article.text).starts_with(char::is_uppercase)
    };
    let near = |m: &&Mention| m.items.start <= end + 1 && m.span.end > source.start;
    mentions.iter().filter(near).find(|m| named(m) && (comma(m) || (joined(m) && m.kind == MentionKind::Name)))
}

/// The longest source whose words are the speaker's name, in items.
const LONGEST_SOURCE: usize = 10;

/// A source to its first comma, where that leaves something: what follows describes ("a clerk, who wept").
fn up_to_comma(text: &str, source: Span) -> Span {
    match source.of(text).find(',') {
        Some(at) if at > 0 => Span::new(source.start, source.start + at),
        _ => source,
    }
}

/// Whether a word narrows down the noun before it.
fn narrows(word: &str) -> bool {
    matches!(
        word,
        "of" | "in" | "from" | "for" | "to" | "by" | "at" | "on" | "with" | "near" | "published" | "seen" | "paid"
    )
}

/// Whether a mention only belongs to the noun that the source begins with: "a survey paid for by the company".
fn is_within(article: &Article, found: &Mention, first: usize) -> bool {
    (first + 1..found.items.start).any(|i| narrows(&article.lower(i)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotes::find_all;

    fn span(text: &str, surface: &str) -> Span {
        let start = text.find(surface).unwrap();
        Span::new(start, start + surface.len())
    }

    fn found(text: &str, content: &[&str], cue: &str, source: &str) -> Found {
        let attribution = Attribution {
            content: content.iter().map(|c| span(text, c)).collect(),
            cue: vec![span(text, cue)],
            source: if source.is_empty() { Vec::new() } else { vec![span(text, source)] },
        };
        Found { attribution, confidence: 0.8 }
    }

    #[test]
    fn reported_speech_is_added_with_its_speaker() {
        let text = "Vantian Premier Anna Lind met envoys. Lind said the border would stay closed.";
        let quotes = find_all(
            text,
            &[],
            &[found(text, &["the border would stay closed"], "said", "Lind said the".trim_end_matches(" said the"))],
        );
        let [quote] = &quotes[..] else { panic!("{quotes:?}") };
        assert_eq!(quote.kind, QuoteKind::Indirect);
        assert_eq!(quote.words(text), "the border would stay closed");
        assert_eq!(quote.cue.unwrap().of(text), "said");
        assert_eq!(quote.speaker.as_ref().unwrap().name, "Anna Lind");
    }

    #[test]
    fn marks_decide_the_bounds_of_direct_words() {
        let text = "\"We will sign, if all agree,\" Premier Anna Lind said.";
        let quotes = find_all(text, &[], &[found(text, &["will sign, if all agree"], "said", "Anna Lind")]);
        let [quote] = &quotes[..] else { panic!("{quotes:?}") };
        assert_eq!((quote.kind, quote.words(text).as_str()), (QuoteKind::Direct, "We will sign, if all agree,"));
    }

    #[test]
    fn unmarked_words_make_a_quote_mixed() {
        let text = "Premier Anna Lind said the plan was \"a grave mistake for us\" and would fail.";
        let quotes =
            find_all(text, &[], &[found(text, &["the plan was \"a grave mistake for us"], "said", "Anna Lind")]);
        let [quote] = &quotes[..] else { panic!("{quotes:?}") };
        assert_eq!(quote.kind, QuoteKind::Mixed);
        assert_eq!(quote.words(text), "the plan was \"a grave mistake for us\"");
    }

    #[test]
    fn what_stands_in_marks_is_found_without_the_model_too() {
        let text = "\"We will sign,\" Premier Anna Lind said.\n\nIt rained.";
        assert_eq!(find_all(text, &[], &[]), crate::quotes::find(text));
    }

    #[test]
    fn a_sentence_of_the_reporter_parts_two_quotes() {
        let text = "\"The lists are ready now,\" he told envoys. They fill two books. \"It may take a month.\"";
        let both = found(text, &["\"The lists are ready now,\"", "\"It may take a month.\""], "told", "he");
        let quotes = find_all(text, &[], &[both]);
        let words: Vec<String> = quotes.iter().map(|q| q.words(text)).collect();
        assert_eq!(words, ["The lists are ready now,", "It may take a month."]);
    }

    #[test]
    fn a_stretch_of_a_quote_is_no_second_quote() {
        let text = "\"We talk of trust. They do not exist. Still, we do not refuse to talk to them,\" he added.";
        let stretches = [
            found(text, &["We talk of trust. They do not exist."], "added", "he"),
            found(text, &["Still, we do not refuse to talk to them,"], "added", "he"),
        ];
        let quotes = find_all(text, &[], &stretches);
        let words: Vec<String> = quotes.iter().map(|q| q.words(text)).collect();
        assert_eq!(words, ["We talk of trust. They do not exist. Still, we do not refuse to talk to them,"]);
    }

    #[test]
    fn doubtful_phrases_are_no_claims() {
        let text = "The two unions signed a paper on ceasing the state of war in Selva.";
        let signed = |confidence: f32| Found {
            confidence,
            ..found(text, &["ceasing the state of war"], "signed a paper on", "The two unions")
        };
        assert_eq!(find_all(text, &[], &[signed(0.55)]), []);
        assert_eq!(find_all(text, &[], &[signed(0.7)]).len(), 1);
    }

    #[test]
    fn a_speaker_is_as_much_of_the_source_as_says_who_it_is() {
        for (text, source, name) in [
            (
                "Bakers in Santa Ruela feared that bread would cost more.",
                "Bakers in Santa Ruela",
                "Bakers in Santa Ruela",
            ),
            ("The governor’s office feared that bread would cost more.", "The governor’s office", "governor’s office"),
            ("Its head, Ana Ruiz, feared that bread would cost more.", "Its head, Ana Ruiz,", "Ana Ruiz"),
            ("Its head, Ana Ruiz, feared that bread would cost more.", "Its head", "Ana Ruiz"),
            ("Ana Ruiz feared that bread would cost more.", "Ana Ruiz", "Ana Ruiz"),
        ] {
            let quotes = find_all(text, &[], &[found(text, &["that bread would cost more"], "feared", source)]);
            let [quote] = &quotes[..] else { panic!("{quotes:?}") };
            assert_eq!(quote.speaker.as_ref().map(|s| s.name.as_str()), Ok(name), "{text}");
        }
    }

    #[test]
    fn whom_the_claim_is_about_does_not_make_it() {
        let text = "According to the clerk, Ana Ruiz refused to sign the paper.";
        let quotes =
            find_all(text, &[], &[found(text, &["Ana Ruiz refused to sign the paper"], "According to", "the clerk")]);
        assert_eq!(quotes[0].speaker.as_ref().map(|s| s.name.as_str()), Ok("clerk"));
    }

    #[test]
    fn it_speaks_for_nobody_in_a_passive() {
        let text = "It was stressed that bread would cost more.";
        let quotes = find_all(text, &[], &[found(text, &["that bread would cost more"], "was stressed", "It")]);
        assert_eq!(quotes[0].speaker, Err(crate::document::NoSpeaker::Unnamed));
    }

    #[test]
    fn few_words_of_a_quote_do_not_draw_in_the_rest() {
        let text = "He said so: \"One two three four five six.\"";
        let marked = marks::pair(text, &paragraphs(text));
        let mut attribution = found(text, &["so: \"One"], "said", "He").attribution;
        snap(&mut attribution, text, &marked);
        assert_eq!(attribution.content[0].of(text), "so: \"One");
        assert_eq!(kind(&attribution.content, text, &marked), QuoteKind::Mixed);
    }
}
