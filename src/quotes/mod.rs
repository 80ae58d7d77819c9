//! Quotes and their speakers, read from the surface of the text.
//!
//! ```text
//! text ─marks→ what stands between marks ─content→ words said, or a title, nickname, term
//!      ─article→ the reporter's words ─names→ mentions ─attribution→ cue and speaker beside each quote ─people→ who that is
//! ```
//!
//! None of this is learned. A model for reported speech adds what it found ([`find_all`]): `indirect` quotes and the
//! unmarked parts of `mixed` ones; it leaves the bounds of what stands in marks alone.
//!
//! ```text
//! text ─model→ content, cues, sources ─linker→ attributions ─mend, merge→ into the quotes of the marks
//! ```
//!
//! Headlines that name their speaker (`Border to open — Lind`) are claims too; the layout tells, with or without a model.

mod article;
mod attribution;
mod content;
pub mod cues;
pub mod gazetteer;
mod layout;
mod lexicon;
pub mod linker;
pub mod marks;
mod mend;
pub mod merge;
pub mod model;
mod names;
mod people;
mod stretches;
pub mod tags;
mod transcript;

use crate::document::{Entity, Evidence, NoSpeaker, Quote, QuoteFlag, QuoteKind, Span, Speaker};
use crate::text::segment::paragraphs;
use article::{Article, Break};
use attribution::{Attribution, Place, Reader, Said};
use content::Content;
use marks::Marked;
use model::Found;
use people::People;

/// Finds the quotes that stand in quotation marks, with cue and speaker; stance is left open.
///
/// Direct quotes have all their words in marks: parts exclude the marks and include the comma before the closing one.
/// A quote that an attribution splits (`"A," she said, "b."`), and one that runs over paragraphs, is one quote with
/// several parts. A fragment inside the reporter's sentence (`He called it "a grave mistake"`) is `Mixed`. Titles,
/// nicknames and terms in marks are no quotes. In a transcript, where paragraphs begin with who speaks and a colon, each
/// spoken paragraph is a direct quote.
///
/// ```
/// use detente::quotes;
/// let text = "\"We will sign,\" Premier Anna Lind said, \"if both sides agree.\"";
/// let found = quotes::find(text);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].words(text), "We will sign, if both sides agree.");
/// let speaker = found[0].speaker.as_ref().expect("a speaker");
/// assert_eq!((speaker.name.as_str(), speaker.role.as_deref()), ("Anna Lind", Some("Premier")));
/// ```
pub fn find(text: &str) -> Vec<Quote> {
    find_with(text, &[])
}

/// As [`find`], with the `entities` that a tagger found in `text`: they tell people from bodies and places.
pub fn find_with(text: &str, entities: &[Entity]) -> Vec<Quote> {
    find_all(text, entities, &[])
}

/// As [`find_with`], and the attributions that the quote model `found`: reported speech, and the unmarked parts of mixed
/// quotes; where it found words in marks, the marks decide where they begin and end.
pub fn find_all(text: &str, entities: &[Entity], found: &[Found]) -> Vec<Quote> {
    let paragraphs = paragraphs(text);
    let turns = transcript::turns(text, &paragraphs);
    let mut marked = transcript::outside(marks::pair(text, &paragraphs), &turns);
    marked.retain(|m| !content::is_nickname(text, m));
    // What is reported inside speech is part of it.
    let found: Vec<Found> =
        found.iter().filter(|f| !transcript::hold(&turns, &f.attribution.content)).cloned().collect();
    let headlines = turns.is_empty() && layout::may_hold_headline(text, &paragraphs);
    if marked.is_empty() && turns.is_empty() && found.is_empty() && !headlines {
        return Vec::new();
    }
    let article = Article::new(text, &paragraphs, &marked);
    let mentions = names::mentions(&article, entities);
    let reader = Reader::new(&article, &mentions);
    let drafts = join_split(&article, drafts(text, &article, &reader, &marked));
    let mut drafts = merge::merge(&article, &mentions, &marked, drafts, &found);
    if headlines {
        drafts = layout::with_headlines(&article, &mentions, &marked, drafts);
    }
    drafts.iter_mut().for_each(Draft::forget_own_words);
    let mut speakers = Speakers { article: &article, reader: &reader, people: People::new(&article, &mentions) };
    let mut quotes = speakers.spoken(&turns, &mentions);
    quotes.extend(speakers.of(drafts));
    quotes.sort_by_key(|quote| quote.extent().start);
    quotes
}

/// A quote whose speaker is not resolved yet.
struct Draft {
    parts: Vec<Span>,
    kind: QuoteKind,
    /// First and last item of the quote.
    first: usize,
    last: usize,
    attribution: Option<Attribution>,
    confidence: f32,
    unclosed: bool,
    /// Whether its first letter is a small one, as where a sentence goes on.
    continues: bool,
}

impl Draft {
    /// Drops an attribution whose cue or speaker stands in the quote itself: marks that nest wrongly can bring that about.
    fn forget_own_words(&mut self) {
        let inside = |span: Span| self.parts.iter().any(|part| part.overlaps(span));
        let names_itself =
            |a: &Attribution| a.cue.is_some_and(inside) || matches!(&a.said, Said::By(mention) if inside(mention.span));
        if self.attribution.as_ref().is_some_and(names_itself) {
            self.attribution = None;
        }
    }
}

/// The quotes among what stands between marks.
fn drafts(text: &str, article: &Article, reader: &Reader, marked: &[Marked]) -> Vec<Draft> {
    let mut places: Vec<Option<(usize, usize)>> = vec![None; marked.len()];
    for (at, quote) in article.items.iter().enumerate().filter_map(|(at, item)| item.quote.map(|q| (at, q))) {
        if let Some(place) = places.get_mut(quote) {
            *place = Some(place.map_or((at, at), |(first, _)| (first, at)));
        }
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for (marked, place) in marked.iter().zip(places) {
        let Some((first, last)) = place else { continue };
        let inherited = drafts.last().and_then(|one| inherited(article, one, first));
        let follows = drafts.last().map_or(Follows::Nothing, |one| follows(article, one, first));
        drafts.extend(draft(text, article, reader, marked, (first, last), inherited, follows));
    }
    drafts
}

/// The attribution of the fragment before in the same reported sentence: `He called it "a" and, for them, "b".`
fn inherited(article: &Article, one: &Draft, first: usize) -> Option<Attribution> {
    let same_sentence = (one.last + 1..=first).all(|i| article.before(i) == Break::None);
    let before = one.attribution.as_ref().filter(|a| a.place == Place::Before && a.cue.is_some());
    before
        .filter(|_| same_sentence && first.saturating_sub(one.last) <= 12)
        .map(|a| Attribution { unquoted_content: true, ..a.clone() })
}

fn draft(
    text: &str,
    article: &Article,
    reader: &Reader,
    marked: &Marked,
    (first, last): (usize, usize),
    inherited: Option<Attribution>,
    follows: Follows,
) -> Option<Draft> {
    let content = Content::of(text, marked);
    let leads = leads(article, reader, first);
    let attribution = attribution(article, reader, &content, first, last, leads).or(inherited);
    let (kind, confidence) = judge(article, &content, attribution.as_ref(), (first, last), leads, follows, marked)?;
    Some(Draft {
        parts: marked.parts.clone(),
        kind,
        first,
        last,
        attribution,
        confidence: confidence
            * if marked.unclosed { 0.7 } else { 1.0 }
            * if marked.single { 0.9 } else { 1.0 }
            * if content.length < 3 { 0.85 } else { 1.0 },
        unclosed: marked.unclosed,
        continues: !content.capital,
    })
}

/// Whether the quote at item `first` begins its sentence, but for words like "But" or an opening bracket.
fn leads(article: &Article, reader: &Reader, first: usize) -> bool {
    let start = reader.sentence_start(first);
    first.saturating_sub(start) <= 2
        && (start..first).all(|i| {
            matches!(
                article.lower(i).as_str(),
                "but" | "and" | "so" | "or" | "yet" | "(" | "[" | "," | "–" | "—" | "-" | "•" | "*"
            )
        })
}

/// The attribution of a quote: the one after it, unless one before leads right into it.
fn attribution(
    article: &Article,
    reader: &Reader,
    content: &Content,
    first: usize,
    last: usize,
    leads: bool,
) -> Option<Attribution> {
    let after = reader.after(last, content.tail, leads && content.length > 2);
    let before = reader.before(first);
    let comma = content.tail == Some(',') || article.word(last + 1) == ",";
    match (after, before) {
        (Some(after), Some(before)) => {
            let introduced = !before.unquoted_content && before.plain;
            // `Lee said: "…" Kim said …`: the words after belong to the next sentence.
            let own = comma || article.before(last + 1) < Break::Soft;
            let split = article.quote(first.wrapping_sub(1)).is_some();
            if introduced
                && (!own || !leads || split)
                && (!comma || !after.plain || article.word_before(first) == ":" || !leads)
            {
                Some(before)
            } else {
                Some(after)
            }
        }
        (Some(after), None) => Some(after),
        (None, Some(before)) if before.unquoted_content && !before.plain => reader.postposed(last).or(Some(before)),
        (None, Some(before)) => Some(before),
        (None, None) => reader.postposed(last),
    }
}

/// Whether marked words are a quote, of what kind, and how sure that is.
fn judge(
    article: &Article,
    content: &Content,
    attribution: Option<&Attribution>,
    (first, last): (usize, usize),
    leads: bool,
    follows: Follows,
    marked: &Marked,
) -> Option<(QuoteKind, f32)> {
    let ends_sentence = article.before(last + 1) >= Break::Soft || article.word(last + 1) == ".";
    let full = content.is_full();
    if follows == Follows::Comma && !content.capital && content.ends() {
        return Some((QuoteKind::Direct, 0.9));
    }
    let Some(found) = attribution else {
        let stands_alone =
            leads && ends_sentence && (content.ends() || content.clause || marked.unclosed) && content.capital;
        let introduced = article.word_before(first) == ":" && full;
        let paragraph_opens = article.before(first) == Break::Paragraph;
        let paragraph = article.before(first) == Break::Paragraph && article.before(last + 1) == Break::Paragraph;
        return match content.length {
            _ if marked.unclosed && !leads => None,
            _ if follows == Follows::Sentence && leads && content.capital && content.ends() => {
                Some((QuoteKind::Direct, 0.9))
            }
            2.. if leads
                && content.ends()
                && content.capital
                && (paragraph || content.exclaims())
                && !content.title_case =>
            {
                Some((QuoteKind::Direct, 0.5))
            }
            3.. if stands_alone && full && !content.title_case => {
                Some((QuoteKind::Direct, if content.length > 6 { 0.8 } else { 0.6 }))
            }
            3.. if introduced && !content.title_case => Some((QuoteKind::Direct, 0.6)),
            // A headline: ‘Not one shift more’: rail strike goes on
            3.. if paragraph_opens && leads && article.word(last + 1) == ":" => Some((QuoteKind::Direct, 0.5)),
            8.. if content.clause && !marked.single => Some((QuoteKind::Direct, 0.4)),
            _ => None,
        };
    };
    let beside = matches!(found.place, Place::After | Place::Dash);
    if content::is_name(article, first, content) && !(beside && leads) && !(content.clause && content.length > 3) {
        return None;
    }
    match found.place {
        Place::After | Place::Dash if leads => Some((QuoteKind::Direct, if found.plain { 0.97 } else { 0.85 })),
        Place::Before | Place::Colon if !found.unquoted_content => {
            let enough = full || content.length > 2 || found.plain || content.ends();
            let kind =
                if joined_by_conjunction(article, content, first) { QuoteKind::Mixed } else { QuoteKind::Direct };
            (enough && !(marked.single && content.length < 3)).then_some((kind, if full { 0.95 } else { 0.8 }))
        }
        Place::After if follows_conjunction(article, first) && full => Some((QuoteKind::Direct, 0.9)),
        _ if full && content.clause && content.capital && content.length > 2 => {
            Some((QuoteKind::Direct, if found.plain { 0.85 } else { 0.7 }))
        }
        _ if full && content.clause && content.length > 2 => Some((QuoteKind::Mixed, 0.8)),
        _ if is_fragment_said(article, content, found, first, marked) => Some((QuoteKind::Mixed, 0.7)),
        _ => None,
    }
}

/// Whether "that", "to" and the like bind the quote into the reporter's sentence: `said that "we will sign"`.
fn joined_by_conjunction(article: &Article, content: &Content, first: usize) -> bool {
    let before = article.word_before(first).to_lowercase();
    !content.capital && matches!(before.as_str(), "that" | "to" | "whether" | "if" | "how" | "why" | "as")
}

/// Whether only ", but" or the like stands between the clause before and the quote.
fn follows_conjunction(article: &Article, first: usize) -> bool {
    let before = article.word_before(first).to_lowercase();
    matches!(before.as_str(), "but" | "and" | "while" | "yet") && article.word(first.wrapping_sub(2)) == ","
}

/// What a quote comes right after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Nothing that makes it go on with the quote before.
    Nothing,
    /// The attribution of the quote before, which ends its sentence: `"…," Lee said. "…"`
    Sentence,
    /// The attribution of the quote before, and a comma: `"…," Lee said, "…"`
    Comma,
}

/// How the quote at item `first` goes on after the attribution of `one`, the quote before.
fn follows(article: &Article, one: &Draft, first: usize) -> Follows {
    let attributed = one.attribution.as_ref().is_some_and(|a| a.place == Place::After);
    let breaks = (one.last + 1..=first).filter(|i| article.before(*i) >= Break::Sentence).count();
    match breaks {
        1 if attributed && article.before(first) == Break::Sentence => Follows::Sentence,
        0 if attributed && article.word_before(first) == "," => Follows::Comma,
        _ => Follows::Nothing,
    }
}

/// Whether a fragment in the reporter's sentence is somebody's words rather than a term.
fn is_fragment_said(article: &Article, content: &Content, found: &Attribution, first: usize, marked: &Marked) -> bool {
    let before = article.word_before(first).to_lowercase();
    let judges = matches!(
        before.as_str(),
        "as" | "it"
            | "him"
            | "her"
            | "them"
            | "is"
            | "was"
            | "were"
            | "are"
            | "be"
            | "been"
            | "a"
            | "an"
            | "to"
            | "that"
    );
    match content.length {
        0 => false,
        1 | 2 => !marked.single && judges && (content.length == 2 || found.plain),
        3 => !marked.single,
        _ => true,
    }
}

/// Joins what an attribution splits, and fragments of one reported sentence: all parts that share a cue.
fn join_split(article: &Article, drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match joined.last_mut() {
            Some(last) if belongs_together(article, last, &draft) => {
                if last.kind == QuoteKind::Mixed
                    && draft.kind == QuoteKind::Direct
                    && draft.attribution.as_ref().is_none_or(|a| !a.unquoted_content)
                {
                    last.kind = QuoteKind::Mixed;
                }
                last.parts.extend(draft.parts);
                last.last = draft.last;
                last.confidence = last.confidence.max(draft.confidence);
                last.unclosed |= draft.unclosed;
            }
            _ => joined.push(draft),
        }
    }
    joined
}

fn belongs_together(article: &Article, one: &Draft, two: &Draft) -> bool {
    let Some(first) = &one.attribution else { return false };
    let breaks: Vec<Break> =
        (one.last + 1..=two.first).map(|i| article.before(i)).filter(|b| *b > Break::None).collect();
    match &two.attribution {
        Some(second) => {
            let same_cue = first.cue.is_some() && first.cue == second.cue;
            let colon = article.word_before(two.first) == ":";
            let comma = two.continues || article.word_before(two.first) == ",";
            let goes_on = breaks.is_empty() || (comma && breaks.iter().all(|b| *b == Break::Soft));
            same_cue && !colon && goes_on
        }
        // `"A," Lee said. "B."`: nothing but the attribution stands between the two.
        None => {
            let direct = one.kind == QuoteKind::Direct && two.kind == QuoteKind::Direct;
            direct && follows(article, one, two.first) == Follows::Sentence
        }
    }
}

/// Resolves speakers in the order of the text.
struct Speakers<'a> {
    article: &'a Article<'a>,
    reader: &'a Reader<'a>,
    people: People<'a>,
}

/// The quote before, as far as the next one needs it.
struct Previous {
    speaker: Speaker,
    /// The item after the quote and its attribution.
    end: usize,
}

impl Speakers<'_> {
    /// The turns of a transcript as quotes, one a paragraph.
    fn spoken(&mut self, turns: &[transcript::Turn], mentions: &[names::Mention]) -> Vec<Quote> {
        turns
            .iter()
            .map(|turn| {
                let speaker = self.label_speaker(turn.label, mentions);
                Quote {
                    parts: vec![turn.words],
                    kind: QuoteKind::Direct,
                    cue: None,
                    speaker: if turn.continued { speaker.map(|s| carried(&s)) } else { speaker },
                    confidence: 0.9,
                    flags: Vec::new(),
                    stance: None,
                }
            })
            .collect()
    }

    /// Whom the label of a turn names.
    fn label_speaker(&mut self, label: Span, mentions: &[names::Mention]) -> Result<Speaker, NoSpeaker> {
        let first = self.article.items.partition_point(|item| item.span.start < label.start);
        let index = mentions.partition_point(|m| m.items.start < first);
        let named = mentions.get(index).filter(|m| self.article.span(m.items.start, m.items.end).overlaps(label));
        match named {
            _ if transcript::is_anonymous(label.of(self.article.text)) => Err(NoSpeaker::Unnamed),
            Some(mention) => self.people.speaker(mention, None).map(|s| Speaker { mention: Some(label), ..s }),
            None => Err(NoSpeaker::Unnamed),
        }
    }

    fn of(mut self, drafts: Vec<Draft>) -> Vec<Quote> {
        let mut previous: Option<Previous> = None;
        let mut quotes = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let (speaker, sure) = self.speaker(&draft, previous.as_ref());
            let end = draft.attribution.as_ref().map_or(0, |a| a.end).max(draft.last + 1);
            if let Ok(speaker) = &speaker {
                previous = Some(Previous { speaker: speaker.clone(), end });
            }
            quotes.push(Quote {
                parts: draft.parts,
                kind: draft.kind,
                cue: draft.attribution.as_ref().and_then(|a| a.cue),
                speaker,
                confidence: draft.confidence * sure,
                flags: if draft.unclosed { vec![QuoteFlag::Unclosed] } else { Vec::new() },
                stance: None,
            });
        }
        quotes
    }

    fn speaker(&mut self, draft: &Draft, previous: Option<&Previous>) -> (Result<Speaker, NoSpeaker>, f32) {
        let before = previous.map(|p| (&p.speaker, p.end));
        match draft.attribution.as_ref().map(|a| &a.said) {
            Some(Said::By(mention)) => (self.people.speaker(mention, before), 1.0),
            Some(Said::SameAsBefore) => match previous {
                // "…," Lee said, adding "…": one mention serves both.
                Some(previous) if self.same_sentence(previous.end, draft.first) => (Ok(previous.speaker.clone()), 1.0),
                Some(previous) => (Ok(carried(&previous.speaker)), 1.0),
                None => (Err(NoSpeaker::Unnamed), 1.0),
            },
            Some(Said::Nobody) => (Err(NoSpeaker::Unnamed), 1.0),
            None => self.carried_over(draft, previous),
        }
    }

    fn same_sentence(&self, from: usize, to: usize) -> bool {
        (from..=to).all(|i| self.article.before(i) < Break::Sentence)
    }

    /// The speaker of a quote without attribution: whoever speaks in the sentences before it.
    fn carried_over(&mut self, draft: &Draft, previous: Option<&Previous>) -> (Result<Speaker, NoSpeaker>, f32) {
        let none = (Err(NoSpeaker::NoAttribution), 1.0);
        let here = self.people.paragraph(draft.first);
        let opens_paragraph = self.article.before(draft.first) == Break::Paragraph;
        let reach = if opens_paragraph { 1 } else { 0 };
        let near = previous.filter(|p| here.saturating_sub(self.people.paragraph(p.end.saturating_sub(1))) <= reach);
        let lowest = draft.first.saturating_sub(60);
        let from = near.map_or(lowest, |p| p.end.max(lowest));
        let from = (from..draft.first)
            .find(|i| here.saturating_sub(self.people.paragraph(*i)) <= reach)
            .unwrap_or(draft.first);
        let before = previous.map(|p| (&p.speaker, p.end));
        if let Some(Said::By(mention)) = self.reader.last_reported(from, draft.first)
            && let Ok(speaker) = self.people.speaker(&mention, before)
        {
            return (Ok(carried(&speaker)), 0.9);
        }
        // "Lee was blunt. "…""
        if near.is_none()
            && !opens_paragraph
            && let Some(mention) = self.reader.sentence_subject(draft.first)
            && let Ok(speaker) = self.people.speaker(&mention, before)
        {
            return (Ok(carried(&speaker)), 0.8);
        }
        match near {
            Some(previous) => (Ok(carried(&previous.speaker)), if opens_paragraph { 0.9 } else { 1.0 }),
            None => none,
        }
    }
}

fn carried(speaker: &Speaker) -> Speaker {
    Speaker { mention: None, evidence: Evidence::CarriedOver, ..speaker.clone() }
}
