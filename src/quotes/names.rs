//! Mentions of people and bodies in the reporter's words, found by their surface: capitals, roles, titles, pronouns.

use super::article::{Article, Break};
use super::cues::{self, Form};
use super::gazetteer::{self, Place};
use super::lexicon::{self as lex, is_in};
use crate::document::{Entity, Span};
use std::collections::HashSet;
use std::ops::Range;

/// What a mention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MentionKind {
    /// A name, most often of a person ("Putin", "Russian President Vladimir Putin").
    Name,
    /// A role without a name ("the Russian leader", "a spokesman").
    Role,
    /// A body ("the Foreign Ministry", "UNICEF").
    Body,
    /// A place that may speak for its government ("Moscow").
    Place,
    /// A pronoun.
    Pronoun,
    /// Any other noun phrase beside a cue ("the letter").
    Other,
}

/// A mention of somebody who may speak.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// The items of the whole noun phrase.
    pub items: Range<usize>,
    /// The words that name: of a name without the role before it, else the whole phrase.
    pub span: Span,
    /// What it is.
    pub kind: MentionKind,
    /// The role given with a name.
    pub role: Option<Span>,
    /// The end of the appositive after it, commas included: `a doctor,` of "Hill, a doctor, said".
    pub apposition_end: Option<usize>,
}

/// All mentions of `article`, in order and without overlap; `entities` help to tell people from bodies.
pub(super) fn mentions(article: &Article, entities: &[Entity]) -> Vec<Mention> {
    let finder = Finder { article, entities: EntityMap::new(article, entities), known: capitals_inside(article) };
    let mut found: Vec<Mention> = Vec::new();
    let mut i = 0;
    while i < article.items.len() {
        match finder.mention(i) {
            Some(mention) => {
                i = mention.items.end.max(i + 1);
                found.push(mention);
            }
            None => i += 1,
        }
    }
    join_appositions(article, found)
}

/// Capitalised words that also stand inside a sentence: at its start they are names as well.
fn capitals_inside<'a>(article: &Article<'a>) -> HashSet<&'a str> {
    (0..article.items.len())
        .filter(|i| article.is_capital(*i) && !article.begins_sentence(*i))
        .map(|i| article.word(i))
        .collect()
}

/// The entity of each item, as index into the tagger's list.
struct EntityMap<'a> {
    entities: &'a [Entity],
    of_item: Vec<Option<usize>>,
}

impl<'a> EntityMap<'a> {
    fn new(article: &Article, entities: &'a [Entity]) -> Self {
        let mut of_item = vec![None; if entities.is_empty() { 0 } else { article.items.len() }];
        let mut order: Vec<usize> = (0..entities.len()).collect();
        order.sort_by_key(|e| entities.get(*e).map(|e| e.span.start));
        for index in order {
            let Some(span) = entities.get(index).map(|e| e.span) else { continue };
            let first = article.items.partition_point(|item| item.span.end <= span.start);
            let slots = article.items.iter().zip(&mut of_item).skip(first);
            for (_, slot) in slots.take_while(|(item, _)| item.span.start < span.end).filter(|(i, _)| i.quote.is_none())
            {
                *slot = Some(index);
            }
        }
        EntityMap { entities, of_item }
    }

    fn at(&self, i: usize) -> Option<usize> {
        self.of_item.get(i).copied().flatten()
    }

    fn kind(&self, i: usize) -> Option<&str> {
        self.at(i).and_then(|e| self.entities.get(e)).map(|e| e.kind.as_str())
    }
}

struct Finder<'a> {
    article: &'a Article<'a>,
    entities: EntityMap<'a>,
    known: HashSet<&'a str>,
}

/// The longest noun phrase read, in items.
const LONGEST: usize = 24;

impl Finder<'_> {
    /// The mention that begins at item `start`.
    fn mention(&self, start: usize) -> Option<Mention> {
        let word = self.article.word(start);
        if word.is_empty() {
            return None;
        }
        if is_in(&lex::PRONOUNS, word) && word != "It" {
            return Some(self.plain(start..start + 1, MentionKind::Pronoun));
        }
        let body = start + self.determiners(start);
        let end = self.run_end(start, body);
        (end > body).then(|| self.read_run(start, body, end)).flatten()
    }

    fn plain(&self, items: Range<usize>, kind: MentionKind) -> Mention {
        let span = self.article.span(items.start, items.end);
        Mention { items, span, kind, role: None, apposition_end: None }
    }

    /// How many determiners stand at `start`.
    fn determiners(&self, start: usize) -> usize {
        (start..start + 2)
            .take_while(|i| {
                is_in(&lex::DETERMINERS, self.article.word(*i))
                    && (*i == start || self.article.before(*i) == Break::None)
            })
            .count()
    }

    /// The end of the run of names, roles and modifiers from `body` on; `body` itself if there is none.
    fn run_end(&self, start: usize, body: usize) -> usize {
        let determined = body > start;
        let mut i = body;
        // The last item after which the run may end.
        let mut end = body;
        let mut loose = 0;
        while i < body + LONGEST && (i == start || self.article.before(i) == Break::None) {
            let word = self.article.word(i);
            let before_role = i == start
                && !determined
                && is_common(word)
                && cues::cue(word).is_none()
                && self.is_role_word(self.article.word(i + 1))
                && self.article.is_capital(i + 2);
            if before_role || self.is_name_word(i, i == start) || self.is_role_word(word) {
                end = i + 1;
                loose = 0;
            } else if self.links(i, end == i) {
                // "'s", "of", "al-": the run goes on if something of it follows.
            } else if is_in(&lex::MODIFIERS, word) || is_compound(word) {
            } else if determined
                && end == body
                && loose < 4
                && is_common(word)
                && cues::cue(word).is_none_or(|c| !c.plain)
            {
                // "the embattled opposition leader"
                loose += 1;
            } else {
                break;
            }
            i += 1;
        }
        if end < body + 1 {
            return body;
        }
        // A lone common role word before a lower-case noun is part of another phrase ("head office").
        end
    }

    /// Whether item `i` binds what stands before and after it in one name.
    fn links(&self, i: usize, touches: bool) -> bool {
        let (word, next) = (self.article.word(i), i + 1);
        if !touches || self.article.before(next) != Break::None {
            return false;
        }
        match word {
            "'s" | "’s" | "’" => true,
            "of" | "for" => {
                self.article.word_before(i).starts_with(char::is_uppercase)
                    && (self.is_name_word(next, false)
                        || self.article.word(next) == "the" && self.is_name_word(next + 1, false))
            }
            "the" => matches!(self.article.word_before(i), "of" | "for"),
            "&" | "and" => {
                // "Ministry of Trade and Industry"
                let inside_body = i >= 3 && (i.saturating_sub(4)..i).any(|k| self.article.word(k) == "of");
                (word == "&" || inside_body)
                    && self.article.word_before(i).starts_with(char::is_uppercase)
                    && self.is_name_word(next, false)
                    && !self.speaks_soon(next)
            }
            // John "Jack" Smith
            "\"" | "“" | "”" | "'" | "‘" | "«" | "»" => {
                self.article.word_before(i).starts_with(char::is_uppercase) && self.article.is_capital(next)
            }
            _ => lex::PARTICLES.contains(word) && self.article.is_capital(next),
        }
    }

    fn speaks_soon(&self, i: usize) -> bool {
        (i + 2..i + 4).any(|k| cues::is_plain_cue(self.article.word(k)))
    }

    /// Whether item `i` is part of a name; `first` if it would begin it.
    fn is_name_word(&self, i: usize, first: bool) -> bool {
        let word = self.article.word(i);
        if self.entities.kind(i).is_some() && word.chars().any(char::is_alphabetic) {
            return true;
        }
        if !self.article.is_capital(i) || lex::CALENDAR.contains(word) {
            return false;
        }
        if lex::ADDRESS.contains(word) || is_initial(word) {
            return true;
        }
        if is_in(&lex::FUNCTION, word) && !(word.len() > 1 && word.chars().all(char::is_uppercase)) {
            return false;
        }
        if !first || !self.article.begins_sentence(i) {
            return true;
        }
        self.is_name_at_start(i)
    }

    /// Whether the capital at the start of a sentence is that of a name.
    fn is_name_at_start(&self, i: usize) -> bool {
        let word = self.article.word(i);
        let all_capitals = word.chars().count() > 1 && word.chars().all(|c| !c.is_lowercase());
        if all_capitals || self.known.contains(word) || gazetteer::place(word).is_some() {
            return true;
        }
        let inflected =
            word.ends_with("ing") || word.ends_with("ly") || cues::cue(word).is_some() || word.ends_with("ed");
        let followed = self.article.before(i + 1) == Break::None
            && ((self.article.is_capital(i + 1) && !lex::CALENDAR.contains(self.article.word(i + 1)))
                || cues::cue(self.article.word(i + 1)).is_some_and(|c| matches!(c.form, Form::Past | Form::Third))
                || is_in(&lex::FINITE, self.article.word(i + 1))
                || is_in(&lex::FILLERS, self.article.word(i + 1))
                || lex::is_role(self.article.word(i + 1))
                || matches!(self.article.word(i + 1), "’s" | "," | ":" | "who" | "“" | "\""));
        let signed = i > 0
            && matches!(self.article.word_before(i), "—" | "–" | "--" | "-")
            && self.article.before(i + 1) >= Break::Sentence;
        let followed = followed || signed;
        followed && !inflected
    }

    fn is_role_word(&self, word: &str) -> bool {
        lex::is_role(word) || is_role_compound(word) || (word.starts_with(char::is_lowercase) && lex::is_body(word))
    }

    /// What the run of items `body..end`, with its determiner from `start`, is.
    fn read_run(&self, start: usize, body: usize, end: usize) -> Option<Mention> {
        let role_at =
            (body..end).rev().find(|i| lex::is_role(self.article.word(*i)) || is_role_compound(self.article.word(*i)));
        if let Some(role) = role_at {
            return Some(self.with_role(start, body, end, role));
        }
        let name = self.after_possessive(body, end);
        let last = self.article.word_before(end);
        let surface = self.article.span(name, end).of(self.article.text);
        let kind = match (self.entities.kind(end.saturating_sub(1)), gazetteer::place(surface)) {
            (Some("PER"), _) => MentionKind::Name,
            (_, Some(entry)) if entry.place != Place::Demonym => MentionKind::Place,
            (Some("ORG"), _) => MentionKind::Body,
            (Some("LOC"), _) => MentionKind::Place,
            _ if lex::is_body(last) || is_acronym(last) => MentionKind::Body,
            _ if (body..end).any(|i| self.article.word(i) == "of" && lex::is_body(self.article.word_before(i))) => {
                MentionKind::Body
            }
            (Some(_), _) => MentionKind::Name,
            _ if start < body && end - body <= 1 => MentionKind::Body,
            _ => MentionKind::Name,
        };
        let named = if kind == MentionKind::Name { self.after_address(name, end) } else { start };
        if named >= end {
            return None;
        }
        let mut mention = self.plain(start..end, kind);
        mention.span = self.article.span(named, end);
        Some(mention)
    }

    /// A run whose item `role` is its last role word: a role alone, or a role and a name.
    fn with_role(&self, start: usize, body: usize, end: usize, role: usize) -> Mention {
        let name = self.after_address(role + 1, end);
        let of = matches!(self.article.word(role + 1), "of" | "for");
        let begins = self.article.is_capital(name) || lex::PARTICLES.contains(self.article.word(name)) || of;
        let is_name = name < end && begins && (name..end).any(|i| self.article.is_capital(i));
        if !is_name {
            let end = self.post_modifier(role + 1);
            return self.plain(start..end, MentionKind::Role);
        }
        let mut mention = self.plain(start..end, MentionKind::Name);
        mention.span = self.article.span(name, end);
        // "President of Russia Vladimir Putin": the country belongs to the role.
        if of {
            let surface = |i: usize| gazetteer::place(self.article.word(i)).is_some();
            let first_name =
                |i: usize| lex::MALE.contains(self.article.word(i)) || lex::FEMALE.contains(self.article.word(i));
            let last_place = (role + 1..end).rev().find(|i| surface(*i));
            let before_name = (role + 3..end).find(|i| first_name(*i)).map(|i| i - 1);
            match last_place.filter(|i| i + 1 < end).or(before_name) {
                Some(place) => {
                    mention.span = self.article.span(place + 1, end);
                    mention.role = Some(self.article.span(body, place + 1));
                }
                None => mention.kind = MentionKind::Role,
            }
            if mention.kind == MentionKind::Role {
                mention.span = self.article.span(start, end);
            }
            return mention;
        }
        mention.role = Some(self.article.span(body, role + 1));
        mention
    }

    /// Skips "Mr", "Dr." and the like.
    fn after_address(&self, from: usize, end: usize) -> usize {
        (from..end).find(|i| !lex::ADDRESS.contains(self.article.word(*i))).unwrap_or(end)
    }

    /// The item after the last possessive of the run: the "Jane Doe" of "Ruritania's Jane Doe".
    fn after_possessive(&self, body: usize, end: usize) -> usize {
        let last = (body..end).rev().find(|i| matches!(self.article.word(*i), "'s" | "’s" | "'" | "’"));
        last.map_or(body, |i| i + 1).min(end)
    }

    /// The end of what modifies a role after it: "of the Foreign Ministry", "for the council".
    fn post_modifier(&self, from: usize) -> usize {
        if !matches!(self.article.word(from), "of" | "for" | "at" | "from" | "with") {
            return from;
        }
        let goes_on = |i: &usize| {
            let word = self.article.word(*i);
            let starts = *i == from + 1 && is_in(&lex::DETERMINERS, word);
            self.article.before(*i) == Break::None
                && (starts
                    || matches!(word, "of" | "the" | "for" | "'s" | "’s")
                    || self.is_name_word(*i, false)
                    || is_common(word) && cues::cue(word).is_none_or(|c| !c.plain || c.form == Form::Base))
        };
        let end = (from + 1..from + 12).take_while(goes_on).last().map_or(from, |i| i + 1);
        let trailing = |i: usize| matches!(self.article.word(i), "of" | "the" | "for" | "'s" | "’s");
        (from..end).rev().find(|i| !trailing(*i) && *i > from).map_or(from, |i| i + 1)
    }
}

/// A lower-case word that carries meaning.
fn is_common(word: &str) -> bool {
    word.starts_with(char::is_lowercase) && !is_in(&lex::FUNCTION, word) && !is_in(&lex::FILLERS, word)
}

/// "34-year-old", "Moscow-backed"
fn is_compound(word: &str) -> bool {
    word.contains('-') && word.chars().next().is_some_and(char::is_alphanumeric)
}

/// "vice-president", "co-founder", "editor-in-chief"
fn is_role_compound(word: &str) -> bool {
    word.contains('-')
        && (word.rsplit('-').next().is_some_and(lex::is_role) || word.split('-').next().is_some_and(lex::is_role))
}

fn is_initial(word: &str) -> bool {
    word.ends_with('.') && word.chars().filter(|c| c.is_alphabetic()).count() <= 2
}

fn is_acronym(word: &str) -> bool {
    word.chars().count() >= 2
        && word.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '.' || c == '&' || c == '-')
}

/// Joins names with the roles set off by commas: "Hugh Hill, a doctor, said", "the minister, Anna Lee, said".
fn join_appositions(article: &Article, mentions: Vec<Mention>) -> Vec<Mention> {
    let mut joined: Vec<Mention> = Vec::with_capacity(mentions.len());
    let mut rest = mentions.into_iter().peekable();
    while let Some(mut mention) = rest.next() {
        if mention.kind == MentionKind::Name
            && let Some((end, role)) = apposed_role(article, &mention)
        {
            mention.role.get_or_insert(role);
            mention.apposition_end = Some(end);
            while rest.next_if(|m| m.items.start < end).is_some() {}
        } else if let Some(mut name) = rest.next_if(|name| names_the_role(article, &mention, name)) {
            name.role = Some(without_article(article.text, mention.span));
            name.items.start = mention.items.start;
            name.apposition_end = (article.word(name.items.end) == ",").then_some(name.items.end + 1);
            mention = name;
        }
        joined.push(mention);
    }
    joined
}

/// The role set off after a name, and where the apposition ends.
fn apposed_role(article: &Article, name: &Mention) -> Option<(usize, Span)> {
    let comma = name.items.end;
    if article.word(comma) != "," || article.before(comma) != Break::None {
        return None;
    }
    let start = comma + 1;
    let mut end = start;
    while end < start + LONGEST
        && article.before(end) == Break::None
        && !matches!(article.word(end), "," | ";" | "" | "(" | ":" | "." | "who" | "whose")
    {
        if cues::is_plain_cue(article.word(end)) {
            break;
        }
        end += 1;
    }
    let head =
        (start..end.min(start + 9)).find(|i| lex::is_role(article.word(*i)) || is_role_compound(article.word(*i)))?;
    let plain = (start..head).all(|i| {
        let word = article.word(i);
        article.is_capital(i)
            || is_in(&lex::DETERMINERS, word)
            || is_common(word)
            || matches!(word, "'s" | "’s" | "of" | "and")
    });
    let closed = article.word(end) == ","
        || article.before(end) >= Break::Soft
        || cues::is_plain_cue(article.word(end))
        || article.word(end) == ".";
    // "Lee, Foreign Minister Kim and others": another person, not a role of the first.
    let another = (head + 1..end).any(|i| article.is_capital(i))
        && article.is_capital(head + 1)
        && !is_in(&lex::DETERMINERS, article.word(start))
        && article.word(head + 1) != "of";
    if !plain || !closed || another {
        return None;
    }
    let role = without_article(article.text, article.span(start, end));
    Some((if article.word(end) == "," { end + 1 } else { end }, role))
}

/// Whether `name`, set off by commas, names the person whose role stands before it.
fn names_the_role(article: &Article, role: &Mention, name: &Mention) -> bool {
    let kinds = role.kind == MentionKind::Role && name.kind == MentionKind::Name;
    let definite = !matches!(article.lower(role.items.start).as_str(), "a" | "an");
    let comma = article.word(role.items.end) == "," && name.items.start == role.items.end + 1;
    let next = article.word(name.items.end);
    let closed = matches!(next, "," | "." | "") || cues::is_plain_cue(next);
    let singular = !role.items.end.checked_sub(1).is_some_and(|i| lex::is_plural_role(article.word(i)));
    kinds && definite && comma && closed && singular
}

fn without_article(text: &str, span: Span) -> Span {
    let surface = span.of(text);
    let article = ["the ", "The ", "a ", "A ", "an ", "An "].iter().find(|a| surface.starts_with(**a));
    Span::new(span.start + article.map_or(0, |a| a.len()), span.end)
}
