//! Attribution: the cue and the speaker in the reporter's words around a quote.

use super::article::{Article, Break};
use super::cues::{self, Cue, Form};
use super::lexicon::{self as lex, is_in};
use super::names::{Mention, MentionKind};
use crate::document::Span;

/// Who an attribution names.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// Somebody mentioned beside the quote.
    By(Mention),
    /// Whoever said the quote before.
    SameAsBefore,
    /// Nobody ("it was said").
    Nobody,
}

/// Where an attribution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Right after the quote: `"…," Lee said`.
    After,
    /// Before it: `Lee said: "…"`.
    Before,
    /// At the end of the sentence that the quoted words are part of: `It is "…" for us, Lee said.`
    Postposed,
    /// A name and a colon: `Lee: "…"`.
    Colon,
    /// A dash and a name: `"…" — Lee`.
    Dash,
}

/// The cue and speaker of a quote.
#[derive(Debug, Clone)]
pub(super) struct Attribution {
    /// The words of saying.
    pub cue: Option<Span>,
    /// The item after the cue, to tell cues apart; of a colon or dash, the item it is.
    pub at: usize,
    /// The item after the whole attribution, as far as it is understood.
    pub end: usize,
    /// Who says it.
    pub said: Said,
    /// Where it stands.
    pub place: Place,
    /// Whether words that are said, but not quoted, stand between the cue and the quote.
    pub unquoted_content: bool,
    /// Whether the cue is a word of saying wherever it stands.
    pub plain: bool,
}

/// Reads attributions of one article.
pub(super) struct Reader<'a> {
    article: &'a Article<'a>,
    mentions: &'a [Mention],
    /// The mention that each item belongs to.
    mention_of: Vec<Option<usize>>,
}

/// How far around a quote attributions are looked for, in items.
const REACH: usize = 40;

/// A finite verb of saying: its items and what it is.
#[derive(Debug, Clone, Copy)]
struct Verb {
    start: usize,
    end: usize,
    cue: Cue,
}

impl<'a> Reader<'a> {
    /// A reader of `article`, in which `mentions` were found.
    pub fn new(article: &'a Article<'a>, mentions: &'a [Mention]) -> Self {
        let mut mention_of = vec![None; article.items.len()];
        for (index, mention) in mentions.iter().enumerate() {
            for slot in mention_of.iter_mut().take(mention.items.end).skip(mention.items.start) {
                *slot = Some(index);
            }
        }
        Reader { article, mentions, mention_of }
    }

    /// The attribution after the quote at item `quote`; `tail` is how its words end, `leads` whether it begins its sentence.
    pub fn after(&self, quote: usize, tail: Option<char>, leads: bool) -> Option<Attribution> {
        let first = quote + 1;
        // A comma at the end of a paragraph: the attribution begins the next one.
        let runs_on = tail == Some(',') && self.article.before(first) == Break::Paragraph;
        if self.article.before(first) >= Break::Sentence && !runs_on {
            return self.signature(first);
        }
        let soft = self.article.before(first) == Break::Soft;
        let start = self.skip_punctuation(first);
        let finished = tail.is_some_and(|c| ",.?!…-—–".contains(c)) || start > first;
        let ended = self.article.before(start) >= Break::Sentence && !runs_on;
        if self.article.quote(start).is_some() || ended || (!finished && !leads) {
            return None;
        }
        let dashed = start > first && is_dash(self.article.word_before(start));
        self.according_to(start, Place::After)
            .or_else(|| self.inverted(start))
            .or_else(|| self.impersonal(start))
            .or_else(|| self.subject_first(start).filter(|a| !soft || self.ends_clause(a, tail)))
            .or_else(|| if dashed { self.dash_name(start) } else { None })
    }

    /// The attribution at the end of the sentence that goes on after the quote: `It was "…" for us, Lee said.`
    pub fn postposed(&self, quote: usize) -> Option<Attribution> {
        let end = self.sentence_end(quote + 1);
        (quote + 1..end).filter(|i| self.article.word(*i) == ",").find_map(|comma| {
            let found = self
                .according_to(comma + 1, Place::Postposed)
                .or_else(|| self.inverted(comma + 1))
                .or_else(|| self.subject_first(comma + 1))?;
            let quoted_next = (found.at..found.at + 3).any(|i| self.article.quote(i).is_some());
            let goes_on = matches!(self.article.word(found.at), "that" | ":");
            (found.plain && !quoted_next && !goes_on && found.at <= end).then_some(Attribution {
                place: Place::Postposed,
                unquoted_content: true,
                ..found
            })
        })
    }

    /// The attribution before the quote at item `quote`.
    pub fn before(&self, quote: usize) -> Option<Attribution> {
        // "Lee said:" at the end of the paragraph before.
        let introduced = self.article.before(quote) == Break::Paragraph && self.article.word_before(quote) == ":";
        let start = self.sentence_start(if introduced { quote - 1 } else { quote });
        let from = (start..quote).rev().find(|i| self.article.quote(*i).is_some()).map_or(start, |i| i + 1);
        let mut end = quote;
        while end > from && (is_punctuation(self.article.word_before(end)) || self.article.word_before(end) == "that") {
            end -= 1;
        }
        let colon = (end..quote).any(|i| self.article.word(i) == ":");
        self.cue_before(start, from, end).or_else(|| if colon { self.colon_name(start, from, end) } else { None })
    }

    /// The last one who is said to have said something in the sentences between item `from` and item `to`.
    pub fn last_reported(&self, from: usize, to: usize) -> Option<Said> {
        let verb = (from..to).rev().find_map(|i| self.finite(i).filter(|v| v.cue.plain))?;
        let start = self.sentence_start(verb.start);
        // "…, said Lee": the subject follows.
        let subject = match self.mention_from(verb.end) {
            Some(mention) if matches!(self.article.word_before(verb.start), ",") => Said::By(mention.clone()),
            _ => self.subject(verb.start, start)?,
        };
        Some(subject)
    }

    /// The subject of the sentence that ends before item `to`.
    pub fn sentence_subject(&self, to: usize) -> Option<Mention> {
        let start = self.sentence_start(to.checked_sub(1)?);
        let spoken = (start..to).any(|i| self.article.quote(i).is_some());
        let subject = self.first_subject(start, to).filter(|_| !spoken)?;
        let person = matches!(subject.kind, MentionKind::Name | MentionKind::Role | MentionKind::Pronoun);
        (person && subject.items.start <= start + 3).then_some(subject)
    }

    /// The first item of the sentence that item `i` stands in, as far as [`REACH`] items back.
    pub fn sentence_start(&self, i: usize) -> usize {
        let lowest = i.saturating_sub(REACH);
        let mut start = i;
        while start > lowest && self.article.before(start) < Break::Soft {
            start -= 1;
        }
        start
    }

    fn sentence_end(&self, from: usize) -> usize {
        (from..from + REACH).find(|i| self.article.before(*i) >= Break::Soft).unwrap_or(from + REACH)
    }

    fn skip_punctuation(&self, from: usize) -> usize {
        let mut i = from;
        while i < from + 4
            && (is_punctuation(self.article.word(i)) || is_dash(self.article.word(i)))
            && self.article.before(i + 1) < Break::Sentence
        {
            i += 1;
        }
        i
    }

    /// "according to Lee"
    fn according_to(&self, start: usize, place: Place) -> Option<Attribution> {
        let cue = match (self.article.lower(start).as_str(), self.article.word(start + 1)) {
            ("according", "to") => start..start + 2,
            ("in", "the") if self.article.word(start + 2) == "words" && self.article.word(start + 3) == "of" => {
                start..start + 4
            }
            _ => return None,
        };
        let said = self.noun_phrase(cue.end).map_or(Said::Nobody, Said::By);
        let end = self.end_of(&said).unwrap_or(cue.end);
        Some(Attribution {
            cue: Some(self.article.span(cue.start, cue.end)),
            at: cue.end,
            end,
            said,
            place,
            unquoted_content: false,
            plain: true,
        })
    }

    /// "said Lee"
    fn inverted(&self, start: usize) -> Option<Attribution> {
        // "officially announced the university"
        let start = if self.is_filler(start) { start + 1 } else { start };
        let verb = self.verb(start).filter(|v| matches!(v.cue.form, Form::Past | Form::Third))?;
        let said = match self.noun_phrase(verb.end) {
            Some(mention) => Said::By(mention),
            None if verb.cue.plain && self.is_adverbial(verb.end) => Said::Nobody,
            None => return None,
        };
        Some(self.attribution(verb, said, Place::After))
    }

    /// "Lee said", "Hugh Hill, a doctor, said", "as Lee put it"
    fn subject_first(&self, start: usize) -> Option<Attribution> {
        let start = start + usize::from(self.article.lower(start) == "as");
        let verb = (start + 1..start + REACH)
            .take_while(|i| self.article.before(*i) < Break::Soft && self.article.quote(*i).is_none())
            .take_while(|i| !matches!(self.article.word(*i), ";" | ":" | "that" | "because" | "if"))
            .find_map(|i| self.finite(i).or_else(|| self.quoted_saying(i)))?;
        let leads = |m: &&Mention| self.leads_to(m.apposition_end.unwrap_or(m.items.end).max(m.items.end), verb.start);
        // "the minister's aide said": the phrase is longer than the mention.
        let mention = self.mention_from(start).filter(leads).cloned().or_else(|| self.phrase(start, verb.start))?;
        Some(self.attribution(verb, Said::By(mention), Place::After))
    }

    fn attribution(&self, verb: Verb, said: Said, place: Place) -> Attribution {
        let end = self.end_of(&said).unwrap_or(verb.end).max(verb.end);
        Attribution {
            cue: Some(self.article.span(self.with_auxiliaries(verb.start), verb.end)),
            at: verb.end,
            end,
            said,
            place,
            unquoted_content: false,
            plain: verb.cue.plain,
        }
    }

    /// The first item of the verb group that ends at `verb`: the "has" of "has also said".
    fn with_auxiliaries(&self, verb: usize) -> usize {
        let auxiliary = |i: usize| {
            matches!(
                self.article.word(i),
                "has"
                    | "have"
                    | "had"
                    | "was"
                    | "were"
                    | "is"
                    | "are"
                    | "been"
                    | "being"
                    | "be"
                    | "did"
                    | "does"
                    | "do"
                    | "not"
                    | "n't"
                    | "n’t"
                    | "'s"
                    | "'ve"
                    | "'d"
                    | "’ve"
                    | "’d"
                    | "will"
                    | "would"
                    | "could"
                    | "to"
            )
        };
        let lowest = verb.saturating_sub(5);
        let group = (lowest..verb).rev().take_while(|i| {
            auxiliary(*i)
                || (is_in(&lex::FILLERS, self.article.word(*i)) && !lex::CALENDAR.contains(self.article.word(*i)))
        });
        group.filter(|i| auxiliary(*i) && !matches!(self.article.word(*i), "'s" | "to")).last().unwrap_or(verb)
    }

    fn end_of(&self, said: &Said) -> Option<usize> {
        match said {
            Said::By(mention) => Some(mention.apposition_end.unwrap_or(mention.items.end)),
            _ => None,
        }
    }

    /// Whether the subject that ends before item `from` is that of the verb at `verb`.
    fn leads_to(&self, from: usize, verb: usize) -> bool {
        let mut i = from;
        let mut loose = 0;
        let mut commas = 0;
        while i < verb {
            let word = self.article.word(i);
            if word == "," || word == "(" || word == ")" {
                commas += 1;
            } else if !self.is_filler(i) && commas % 2 == 0 {
                loose += 1;
            }
            i += 1;
        }
        // Loose words: "Lee of the council in Moscow said", "Lee and his deputy said".
        let connected = loose == 0
            || matches!(
                self.article.lower(from).as_str(),
                "and" | "of" | "in" | "from" | "at" | "with" | "for" | "on" | "who" | "&"
            );
        verb.saturating_sub(from) <= 20 && loose <= 10 && connected
    }

    fn is_filler(&self, i: usize) -> bool {
        let word = self.article.word(i);
        is_in(&lex::FILLERS, word)
            || lex::CALENDAR.contains(word)
            || word.starts_with(|c: char| c.is_ascii_digit())
            || (word.ends_with("ly") && word.len() > 4)
            || (matches!(word, "on" | "in" | "at") && self.is_time(i + 1))
    }

    fn is_time(&self, i: usize) -> bool {
        let word = self.article.word(i);
        lex::CALENDAR.contains(word) || word.starts_with(|c: char| c.is_ascii_digit())
    }

    /// After a quote that ended like a sentence, whether what follows only attributes it and says nothing new.
    fn ends_clause(&self, found: &Attribution, tail: Option<char>) -> bool {
        let next = self.article.word(found.at);
        let stops = self.article.before(found.at) >= Break::Soft || matches!(next, "." | "," | ";" | "");
        let object = matches!(next, "us" | "me" | "him" | "her" | "them" | "reporters" | "journalists");
        let adverbial = (object || self.is_adverbial(found.at)) && !self.opens_clause(found.at + usize::from(object));
        let quoted_next = self.article.quote(found.at).is_some() || self.article.quote(found.at + 1).is_some();
        !quoted_next && (stops || (matches!(tail, Some('?' | '!' | '…' | ',' | '-' | '—')) && adverbial))
    }

    fn opens_clause(&self, from: usize) -> bool {
        (from..from + 12).take_while(|i| self.article.before(*i) < Break::Soft).any(|i| {
            matches!(self.article.word(i), "that" | "he" | "she" | "they" | "it") || self.article.quote(i).is_some()
        })
    }

    /// Whether an adverbial, not an object, begins at item `i`: "in Moscow", "on Monday", "to reporters", "later".
    fn is_adverbial(&self, i: usize) -> bool {
        self.is_filler(i)
            || matches!(
                self.article.word(i),
                "in" | "on"
                    | "at"
                    | "to"
                    | "during"
                    | "after"
                    | "before"
                    | "when"
                    | "while"
                    | "as"
                    | "from"
                    | "via"
                    | "through"
                    | "of"
                    | "about"
                    | "with"
                    | "by"
                    | "last"
                    | "this"
                    | ","
                    | "."
                    | ""
                    | "("
                    | "following"
                    | "upon"
                    | "over"
                    | "amid"
            )
    }

    /// `"…" — Lee`
    fn dash_name(&self, start: usize) -> Option<Attribution> {
        let mention = self.mention_from(start).filter(|m| m.kind != MentionKind::Pronoun)?.clone();
        let end = mention.apposition_end.unwrap_or(mention.items.end);
        let closed = self.article.before(end) >= Break::Sentence || matches!(self.article.word(end), "." | "," | "(");
        closed.then_some(Attribution {
            cue: None,
            at: start,
            end,
            said: Said::By(mention),
            place: Place::Dash,
            unquoted_content: false,
            plain: true,
        })
    }

    /// A line of its own under a quote: `— Lee, premier`.
    fn signature(&self, start: usize) -> Option<Attribution> {
        let dashed = self.article.before(start) == Break::Paragraph && is_dash(self.article.word(start));
        let short = (start + 1..start + 14).any(|i| self.article.before(i) == Break::Paragraph);
        if dashed && short { self.dash_name(start + 1) } else { None }
    }

    /// The cue among the items `from..end` before the quote, from the right; the sentence begins at `start`.
    fn cue_before(&self, start: usize, from: usize, end: usize) -> Option<Attribution> {
        (from..end).rev().take(REACH).find_map(|i| {
            if let Some(found) = self.according_to(i, Place::Before) {
                let content = found.end < end && self.has_content(found.end, end);
                return Some(Attribution { unquoted_content: content, ..found });
            }
            let verb = self.verbal(i)?;
            if verb.end > end {
                return None;
            }
            let content = self.has_content(verb.end, end) && !self.is_addressee(&verb, end);
            if !verb.cue.plain && end - verb.end > 7 && content {
                return None;
            }
            if content && let Some(outer) = self.outer_report(verb, start, from, end) {
                return Some(outer);
            }
            let said = self.speaker_of(verb, start, from)?;
            let mut found = self.attribution(self.with_passive(verb), said, Place::Before);
            found.unquoted_content = content;
            found.at = verb.end;
            Some(found)
        })
    }

    /// The report that the clause of `inner` is part of: the "said" of `Lee said he thinks it is "…"`.
    fn outer_report(&self, inner: Verb, start: usize, from: usize, end: usize) -> Option<Attribution> {
        let outer = (start.max(from)..inner.start)
            .filter_map(|i| self.finite(i))
            .find(|v| v.cue.plain && reports(v.cue.lemma))?;
        let clause = matches!(
            self.article.lower(outer.end).as_str(),
            "that" | "he" | "she" | "they" | "it" | "there" | "the" | "his" | "her" | "their" | "its" | "a" | "an"
        ) || self.mention_from(outer.end).is_some()
            || (outer.end..outer.end + 4).any(|i| self.is_time(i));
        let coordinated = (outer.end..inner.start).any(|i| {
            matches!(self.article.word(i), "and" | "but" | ";")
                && self.mention_from(i + 1).is_some_and(|m| m.kind != MentionKind::Pronoun)
        });
        let relative = self.article.word_before(outer.start) == "who";
        if !clause || coordinated || relative || inner.cue.form == Form::Participle && !self.is_part_of(outer, inner) {
            return None;
        }
        let said = self.speaker_of(outer, start, from)?;
        let mut found = self.attribution(outer, said, Place::Before);
        found.unquoted_content = true;
        found.at = outer.end;
        (outer.end < end).then_some(found)
    }

    fn is_part_of(&self, outer: Verb, inner: Verb) -> bool {
        !(outer.end..inner.start).any(|i| self.article.word(i) == ",")
    }

    /// Whether the items between a cue and a quote are part of what is said.
    fn has_content(&self, from: usize, to: usize) -> bool {
        let Some(first) = (from..to).find(|i| !self.is_filler(*i) && !is_punctuation(self.article.word(*i))) else {
            return false;
        };
        let clause = (first..to).any(|i| is_in(&lex::FINITE, self.article.word(i)) || self.article.word(i) == "that");
        let adverbial = self.is_adverbial(first) && !matches!(self.article.word(first), "of" | "about" | "with" | "by");
        clause || !adverbial
    }

    /// "told reporters in Moscow": whom it was said to, and where.
    fn is_addressee(&self, verb: &Verb, to: usize) -> bool {
        let takes = matches!(
            verb.cue.lemma,
            "tell"
                | "ask"
                | "inform"
                | "assure"
                | "advise"
                | "warn"
                | "remind"
                | "write"
                | "reassure"
                | "tweet"
                | "address"
                | "answer"
                | "tease"
                | "promise"
        );
        takes && !(verb.end..to).any(|i| is_in(&lex::FINITE, self.article.word(i)) || self.article.word(i) == "that")
    }

    /// Takes "quoted … as" into a cue "saying".
    fn with_passive(&self, verb: Verb) -> Verb {
        match self.quoted_before(&verb) {
            Some(start) => Verb { start, ..verb },
            None => verb,
        }
    }

    /// The cue "quoted as saying" that ends with item `i`.
    fn quoted_saying(&self, i: usize) -> Option<Verb> {
        let verb = self.verb(i)?;
        self.quoted_before(&verb).map(|start| Verb { start, ..verb })
    }

    /// "it was said"
    fn impersonal(&self, start: usize) -> Option<Attribution> {
        let it = self.article.lower(start) == "it" && matches!(self.article.word(start + 1), "was" | "is" | "has");
        let verb = (start + 2..start + 4)
            .find_map(|i| self.verb(i))
            .filter(|v| it && v.cue.plain && v.cue.form == Form::Past)?;
        Some(self.attribution(verb, Said::Nobody, Place::After))
    }

    /// The item "quoted" of "quoted as saying", "quoted by the agency as saying".
    fn quoted_before(&self, verb: &Verb) -> Option<usize> {
        if verb.cue.form != Form::Participle || verb.start == 0 || self.article.word_before(verb.start) != "as" {
            return None;
        }
        (verb.start.saturating_sub(10)..verb.start - 1)
            .rev()
            .take_while(|i| self.article.before(i + 1) < Break::Soft)
            .find(|i| {
                matches!(
                    self.article.word(*i),
                    "quoted" | "cited" | "reported" | "quoting" | "citing" | "quotes" | "cites"
                )
            })
    }

    /// Who says what the verb before a quote reports.
    fn speaker_of(&self, verb: Verb, start: usize, from: usize) -> Option<Said> {
        if let Some(quoted) = self.quoted_before(&verb) {
            let passive = (quoted.saturating_sub(3)..quoted)
                .any(|i| matches!(self.article.word(i), "was" | "were" | "is" | "are" | "been" | "being"));
            return if passive { self.subject(quoted, start) } else { self.noun_phrase(quoted + 1).map(Said::By) };
        }
        if verb.cue.form == Form::Participle {
            if from > start {
                return Some(Said::SameAsBefore);
            }
            return self.first_subject(start, verb.start).map(Said::By);
        }
        self.subject(verb.start, start)
    }

    /// The subject of the verb at item `verb` in the sentence from `start`.
    fn subject(&self, verb: usize, start: usize) -> Option<Said> {
        let mut i = verb;
        let mut fallback = None;
        let mut steps = 0;
        while i > start && steps < REACH {
            steps += 1;
            let last = i - 1;
            if self.article.quote(last).is_some() {
                return Some(fallback.map_or(Said::SameAsBefore, Said::By));
            }
            if let Some(mention) = self.mention_at(last) {
                let head =
                    mention.items.start.checked_sub(1).filter(|h| *h >= start && is_preposition(self.article.word(*h)));
                match head {
                    // "the head of the council said": the phrase begins further left.
                    Some(preposition) => {
                        fallback.get_or_insert_with(|| mention.clone());
                        i = preposition;
                        continue;
                    }
                    None if mention.items.start >= start => return Some(Said::By(mention.clone())),
                    None => break,
                }
            }
            let word = self.article.lower(last);
            if word == "," {
                i = self.comma_before(last, start).unwrap_or(start);
            } else if self.is_filler(last) || matches!(word.as_str(), "who" | ")" | "-") {
                i = last;
            } else if matches!(word.as_str(), "and" | "but" | "then" | "or") {
                break;
            } else if let Some(phrase) = self.phrase_ending(last, start) {
                return Some(Said::By(phrase));
            } else {
                break;
            }
        }
        self.first_subject(start, verb).or(fallback).map(Said::By)
    }

    /// The mention whose phrase, with its apposition, covers item `i`.
    fn mention_at(&self, i: usize) -> Option<&Mention> {
        self.mention_of.get(i).copied().flatten().and_then(|m| self.mentions.get(m))
    }

    /// The mention that begins at item `i`.
    fn mention_from(&self, i: usize) -> Option<&Mention> {
        self.mention_at(i).filter(|m| m.items.start == i)
    }

    fn comma_before(&self, comma: usize, start: usize) -> Option<usize> {
        (start..comma).rev().find(|i| self.article.word(*i) == ",")
    }

    /// The first mention of the sentence that can be its subject.
    fn first_subject(&self, start: usize, end: usize) -> Option<Mention> {
        let candidates = || {
            let mut i = start;
            std::iter::from_fn(move || {
                while i < end {
                    let here = i;
                    i += 1;
                    if let Some(mention) = self.mention_from(here) {
                        i = mention.items.end.max(i);
                        return Some(mention);
                    }
                }
                None
            })
        };
        let free = |m: &&Mention| {
            m.items.start <= start || !is_preposition(&self.article.word_before(m.items.start).to_lowercase())
        };
        let person = |m: &&Mention| free(m) && m.kind != MentionKind::Place;
        candidates().find(person).or_else(|| candidates().find(free)).cloned()
    }

    /// The noun phrase that begins at item `start`: a mention, or determiner and nouns up to what ends the phrase.
    fn noun_phrase(&self, start: usize) -> Option<Mention> {
        if let Some(mention) = self.mention_from(start) {
            // "the Selva family doctor": the phrase is longer than the mention.
            let next = mention.items.end;
            let longer = self.article.before(next) == Break::None
                && mention.apposition_end.is_none()
                && self.article.word(next).starts_with(char::is_lowercase)
                && !is_in(&lex::STOPPERS, self.article.word(next))
                && self.is_noun(next)
                && self.verb(next).is_none()
                && mention.kind != MentionKind::Pronoun;
            if !longer {
                return Some(mention.clone());
            }
        }
        let determined = is_in(&lex::DETERMINERS, self.article.word(start));
        let end = (start + usize::from(determined)..start + 10)
            .find(|i| {
                let word = self.article.word(*i);
                self.article.before(*i) > Break::None
                    || word.is_empty()
                    || is_punctuation(word)
                    || is_dash(word)
                    || is_in(&lex::STOPPERS, word)
                    || word == "that"
                    || word == "("
            })
            .unwrap_or(start + 10);
        let phrase = self.phrase(start, end)?;
        Some(self.named_after(&phrase).unwrap_or(phrase))
    }

    /// The name set off by a comma after a phrase: "its master, Emre Tal,".
    fn named_after(&self, phrase: &Mention) -> Option<Mention> {
        let comma = phrase.items.end;
        let name =
            self.mention_from(comma + 1).filter(|m| m.kind == MentionKind::Name && self.article.word(comma) == ",")?;
        let next = self.article.word(name.items.end);
        let closed = self.article.before(name.items.end) > Break::None
            || matches!(next, "," | "." | "")
            || cues::is_plain_cue(next);
        closed.then(|| Mention { items: phrase.items.start..name.items.end, role: Some(phrase.span), ..name.clone() })
    }

    /// The items `start..end` as a phrase that can say something.
    fn phrase(&self, start: usize, end: usize) -> Option<Mention> {
        let word = self.article.word(start);
        let determined =
            is_in(&lex::DETERMINERS, word) && !matches!(word.to_lowercase().as_str(), "that" | "this" | "it");
        let end = (start..end)
            .rev()
            .find(|i| !self.is_filler(*i) && !is_punctuation(self.article.word(*i)))
            .map_or(start, |i| i + 1);
        let nouns = (start + usize::from(determined)..end).take_while(|i| self.is_noun(*i)).count();
        let starts = determined
            || self.mention_from(start).is_some()
            || lex::is_plural_role(word)
            || word.starts_with(char::is_uppercase) && self.article.begins_sentence(start);
        if !starts || nouns == 0 || end > start + 12 || end <= start {
            return None;
        }
        let clause = (start..end).any(|i| {
            matches!(self.article.word(i), "," | ";")
                || is_in(&lex::FINITE, self.article.word(i))
                || self.article.quote(i).is_some()
        });
        (!clause).then(|| self.other(start, end))
    }

    /// The phrase with no known head that ends at item `last`: "the young mother".
    fn phrase_ending(&self, last: usize, start: usize) -> Option<Mention> {
        if !self.is_noun(last) {
            return None;
        }
        let mut i = last;
        while i > start
            && i + 10 > last
            && (self.is_noun(i - 1)
                || is_in(&lex::DETERMINERS, self.article.word_before(i))
                || matches!(self.article.word_before(i), "'s" | "’s"))
        {
            i -= 1;
            if is_in(&lex::DETERMINERS, self.article.word(i)) {
                break;
            }
        }
        let before = self.article.word_before(i);
        if i > start + 1 && is_preposition(before) {
            return self
                .phrase_ending(i - 2, start)
                .map(|head| self.other(head.items.start, last + 1))
                .or_else(|| self.mention_at(i - 2).map(|m| self.other(m.items.start, last + 1)));
        }
        Some(self.other(i, last + 1))
    }

    fn other(&self, start: usize, end: usize) -> Mention {
        let span = self.article.span(start, end);
        Mention { items: start..end, span, kind: MentionKind::Other, role: None, apposition_end: None }
    }

    fn is_noun(&self, i: usize) -> bool {
        let word = self.article.word(i);
        word.starts_with(char::is_alphanumeric)
            && !is_in(&lex::FUNCTION, word)
            && !is_in(&lex::FILLERS, word)
            && self.verbal(i).is_none_or(|v| !v.cue.plain)
    }

    /// The verb of saying at item `i`, in whatever form and use.
    fn verb(&self, i: usize) -> Option<Verb> {
        let cue = cues::cue(self.article.word(i))?;
        let mut end = i + 1;
        while end < i + 3
            && self.article.before(end) == Break::None
            && cues::is_particle(cue.lemma, self.article.word(end))
        {
            end += 1;
        }
        // "went on to say"
        if self.article.word(end) == "to"
            && cues::cue(self.article.word(end + 1)).is_some_and(|c| c.plain && c.form == Form::Base)
            && matches!(cue.lemma, "go")
        {
            end += 2;
        }
        let lone_go = matches!(cue.lemma, "go" | "put") && end == i + 1;
        (!lone_go).then_some(Verb { start: i, end, cue })
    }

    /// The verb at item `i` if it is used as one there: "report" after "the" is a noun.
    fn verbal(&self, i: usize) -> Option<Verb> {
        let verb = self.verb(i)?;
        if self.mention_at(i).is_some_and(|m| m.items.end > i + 1 || m.kind != MentionKind::Role)
            && verb.cue.form != Form::Past
        {
            return None;
        }
        let previous = i.checked_sub(1).map(|p| self.article.lower(p)).unwrap_or_default();
        let first = self.article.before(i) >= Break::Soft;
        let after_determiner = !first
            && (is_in(&lex::DETERMINERS, &previous) && !matches!(previous.as_str(), "that" | "both" | "no" | "all")
                || matches!(previous.as_str(), "'s" | "’s" | "of" | "in" | "for" | "from" | "at" | "with"));
        match verb.cue.form {
            Form::Past => (!after_determiner || matches!(verb.cue.lemma, "say" | "tell")).then_some(verb),
            Form::Participle => (!after_determiner || previous == "as").then_some(verb),
            Form::Third => (!after_determiner && !first).then_some(verb),
            Form::Base => {
                let plural = matches!(
                    previous.as_str(),
                    "they"
                        | "i"
                        | "we"
                        | "you"
                        | "to"
                        | "would"
                        | "will"
                        | "can"
                        | "could"
                        | "may"
                        | "might"
                        | "should"
                        | "must"
                        | "did"
                        | "also"
                        | "do"
                        | "who"
                ) || lex::is_plural_role(&previous);
                (plural && !first).then_some(verb)
            }
        }
    }

    /// The finite verb of saying at item `i`, whose subject is whoever speaks.
    fn finite(&self, i: usize) -> Option<Verb> {
        let verb = self.verbal(i)?;
        let previous = i.checked_sub(1).map(|p| self.article.lower(p)).unwrap_or_default();
        let passive = verb.cue.form == Form::Past
            && (i.saturating_sub(2)..i).any(|k| {
                matches!(self.article.word(k), "was" | "were" | "is" | "are" | "been" | "being" | "be")
                    && self.mention_at(k).is_none()
            })
            && !matches!(verb.cue.lemma, "agree" | "conclude");
        // "Media reports said": the second is the verb.
        let noun = verb.cue.form == Form::Third
            && self.verb(verb.end).is_some_and(|next| next.cue.plain && next.cue.form == Form::Past);
        let infinitive = previous == "to";
        (verb.cue.form != Form::Participle && !passive && !noun && !infinitive).then_some(verb)
    }

    /// A name and a colon before the quote.
    fn colon_name(&self, start: usize, from: usize, end: usize) -> Option<Attribution> {
        if from > start || end <= start {
            return None;
        }
        let said = match self.first_subject(start, end) {
            Some(mention) => Said::By(mention),
            None if matches!(self.article.lower(start).as_str(), "his" | "her" | "their") => {
                let span = self.article.span(start, start + 1);
                Said::By(Mention {
                    items: start..start + 1,
                    span,
                    kind: MentionKind::Pronoun,
                    role: None,
                    apposition_end: None,
                })
            }
            None => return None,
        };
        let whole = self.end_of(&said) == Some(end);
        Some(Attribution { cue: None, at: end, end, said, place: Place::Colon, unquoted_content: false, plain: whole })
    }
}

/// Verbs whose clause is what somebody said.
fn reports(lemma: &str) -> bool {
    matches!(
        lemma,
        "say"
            | "tell"
            | "add"
            | "note"
            | "state"
            | "argue"
            | "claim"
            | "insist"
            | "warn"
            | "declare"
            | "announce"
            | "explain"
            | "stress"
            | "write"
            | "tweet"
            | "report"
            | "suggest"
            | "admit"
            | "acknowledge"
            | "assert"
            | "contend"
            | "complain"
            | "reveal"
            | "testify"
            | "concede"
    )
}

fn is_punctuation(word: &str) -> bool {
    matches!(word, "," | ":" | ";" | "(" | "..." | "…" | ".")
}

fn is_dash(word: &str) -> bool {
    matches!(word, "-" | "–" | "—" | "--" | "―" | "~")
}

fn is_preposition(word: &str) -> bool {
    matches!(
        word,
        "of" | "in"
            | "on"
            | "at"
            | "for"
            | "from"
            | "with"
            | "by"
            | "to"
            | "about"
            | "after"
            | "before"
            | "during"
            | "against"
            | "near"
            | "under"
            | "over"
            | "between"
            | "among"
            | "through"
            | "via"
            | "into"
            | "than"
            | "like"
            | "as"
            | "following"
            | "amid"
            | "since"
            | "until"
            | "despite"
            | "toward"
            | "towards"
            | "including"
            | "behind"
    )
}
