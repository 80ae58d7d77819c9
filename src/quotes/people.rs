//! Who the mentions of an article are: names with their short forms, roles, genders and countries.

use super::article::{Article, Break};
use super::gazetteer;
use super::lexicon::{self as lex, is_in};
use super::names::{Mention, MentionKind};
use crate::document::{Evidence, NoSpeaker, Span, Speaker};
use std::collections::{HashMap, VecDeque};

/// What a pronoun asks of whom it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gender {
    Female,
    Male,
}

/// A person or body of the article.
#[derive(Debug, Clone)]
struct Referent {
    name: String,
    role: Option<String>,
    country: Option<&'static str>,
    gender: Option<Gender>,
    plural: bool,
    person: bool,
    /// Whether it is named, not only described.
    named: bool,
    /// Whether it stands where places stand ("in Selva").
    place_like: bool,
}

/// A mention in the order of the text, with whom it means.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    start: usize,
    end: usize,
    referent: usize,
    evidence: Evidence,
    /// Whether it stands where subjects stand.
    subject: bool,
}

/// The people and bodies of one article.
pub(super) struct People<'a> {
    article: &'a Article<'a>,
    paragraph_of: Vec<usize>,
    referents: Vec<Referent>,
    occurrences: Vec<Occurrence>,
    /// Referents by each word of their names.
    by_word: HashMap<String, Vec<usize>>,
    /// Most recent first.
    recent: VecDeque<usize>,
}

/// How many people a title is compared with.
const MEMORY: usize = 24;
/// Paragraphs at the top that name people whom only the article introduces.
const HEADLINES: usize = 2;
/// How far back a pronoun looks, in mentions and in paragraphs.
const PRONOUN_MENTIONS: usize = 40;
const PRONOUN_PARAGRAPHS: usize = 3;

impl<'a> People<'a> {
    /// Reads all `mentions` of `article`.
    pub fn new(article: &'a Article<'a>, mentions: &[Mention]) -> Self {
        let mut paragraph = 0;
        let paragraph_of = article
            .items
            .iter()
            .map(|item| {
                paragraph += usize::from(item.before == Break::Paragraph);
                paragraph
            })
            .collect();
        let mut people = People {
            article,
            paragraph_of,
            referents: Vec::new(),
            occurrences: Vec::new(),
            by_word: HashMap::new(),
            recent: VecDeque::new(),
        };
        for mention in mentions.iter().filter(|m| m.kind == MentionKind::Name && words_of(article, m.span).len() > 1) {
            people.learn_name(mention);
        }
        for mention in mentions.iter().filter(|m| m.kind != MentionKind::Pronoun) {
            let (referent, evidence) = people.identify(mention);
            people.note(mention, referent, evidence);
        }
        people
    }

    /// Index of the paragraph of item `i`.
    pub fn paragraph(&self, i: usize) -> usize {
        self.paragraph_of.get(i).copied().unwrap_or(usize::MAX)
    }

    /// The speaker that `mention` names; `before` is who spoke last, and at which item.
    pub fn speaker(&mut self, mention: &Mention, before: Option<(&Speaker, usize)>) -> Result<Speaker, NoSpeaker> {
        if mention.kind == MentionKind::Pronoun {
            return self.pronoun(mention, before);
        }
        let known = self.occurrences.binary_search_by_key(&mention.items.start, |o| o.start).ok();
        // A longer phrase is somebody else: "the governor’s office".
        let same = known.and_then(|i| self.occurrences.get(i)).filter(|o| o.end == mention.items.end);
        let (referent, evidence) = match same {
            Some(occurrence) => (occurrence.referent, occurrence.evidence),
            None => self.identify(mention),
        };
        let phrase = self.article.span(mention.items.start, mention.items.end);
        self.as_speaker(referent, evidence, Some(phrase)).ok_or(NoSpeaker::Unnamed)
    }

    fn as_speaker(&self, referent: usize, evidence: Evidence, mention: Option<Span>) -> Option<Speaker> {
        let found = self.referents.get(referent)?;
        Some(Speaker {
            mention,
            name: found.name.clone(),
            role: found.role.clone(),
            country: found.country.map(Into::into),
            evidence,
        })
    }

    /// Enters a name of more than one word.
    fn learn_name(&mut self, mention: &Mention) {
        let words = name_words(self.article, mention.span);
        let index = self.longer_or_same(&words).unwrap_or_else(|| self.enter(mention, words.join(" "), true));
        self.enrich(index, mention);
        let longer = self.referents.get(index).is_some_and(|r| r.name.split(' ').count() < words.len());
        if longer && let Some(referent) = self.referents.get_mut(index) {
            referent.name = words.join(" ");
        }
        for word in words {
            let list = self.by_word.entry(word).or_default();
            if !list.contains(&index) && list.len() < MEMORY {
                list.push(index);
            }
        }
    }

    /// The referent whose name begins and ends as `words` do ("Vladimir V. Putin" and "Vladimir Putin").
    fn longer_or_same(&self, words: &[String]) -> Option<usize> {
        let (first, last) = (words.first()?, words.last()?);
        let list = self.by_word.get(last)?;
        list.iter().copied().find(|i| {
            self.referents.get(*i).is_some_and(|r| {
                let mut own = r.name.split(' ');
                own.next() == Some(first.as_str()) && own.next_back() == Some(last.as_str())
            })
        })
    }

    fn enter(&mut self, mention: &Mention, name: String, named: bool) -> usize {
        let phrase = self.article.span(mention.items.start, mention.items.end).of(self.article.text);
        let head = self.head_word(mention);
        let plural = match mention.kind {
            MentionKind::Role | MentionKind::Other => lex::is_plural_role(&head) || is_plural_phrase(phrase),
            _ => false,
        };
        let person = match mention.kind {
            MentionKind::Name | MentionKind::Role => true,
            MentionKind::Other => !lex::is_body(&head),
            _ => false,
        };
        let country = match mention.kind {
            MentionKind::Name => None,
            _ => gazetteer::country_in(phrase),
        };
        self.referents.push(Referent {
            name,
            role: None,
            country,
            gender: None,
            plural,
            person,
            named,
            place_like: false,
        });
        self.referents.len() - 1
    }

    /// Adds what the phrase around a mention tells.
    fn enrich(&mut self, index: usize, mention: &Mention) {
        let text = self.article.text;
        let phrase = self.article.span(mention.items.start, mention.items.end).of(text);
        let role = mention.role.map(|r| r.of(text)).filter(|r| !r.is_empty());
        let gender = gender_in(phrase).or_else(|| role.and_then(gender_in));
        let origin = origin(self.article, mention.span).filter(|_| mention.kind == MentionKind::Name);
        let country = role.and_then(gazetteer::country_in).or(origin);
        if let Some(referent) = self.referents.get_mut(index) {
            if let Some(role) = role
                && referent.role.is_none()
            {
                referent.role = Some(bare_role(role).to_string()).filter(|r| !r.is_empty());
            }
            referent.gender = referent.gender.or(gender);
            referent.country = referent.country.or(country);
        }
    }

    /// Whom a mention that is no pronoun means.
    fn identify(&mut self, mention: &Mention) -> (usize, Evidence) {
        let text = self.article.text;
        match mention.kind {
            MentionKind::Name => self.identify_name(mention),
            MentionKind::Role => match self.holder(mention) {
                Some(index) => {
                    let country = gazetteer::country_in(mention.span.of(text));
                    if let Some(referent) = self.referents.get_mut(index) {
                        referent.country = referent.country.or(country);
                    }
                    (index, Evidence::Title)
                }
                None => {
                    let index = self.described(mention, without_article(mention.span.of(text)).to_string());
                    (index, Evidence::Title)
                }
            },
            MentionKind::Place | MentionKind::Body => {
                let name = without_article(mention.span.of(text)).to_string();
                // The tagger took a surname for a place or a body: "— Lind" under a headline.
                let person = self.bearer(std::slice::from_ref(&name)).filter(|_| gazetteer::place(&name).is_none());
                let evidence = if mention.kind == MentionKind::Place { Evidence::Metonym } else { Evidence::Exact };
                match person {
                    Some(index) => (index, Evidence::ShortName),
                    None => (self.described(mention, name), evidence),
                }
            }
            MentionKind::Other | MentionKind::Pronoun => {
                let index = self.described(mention, without_article(mention.span.of(text)).to_string());
                (index, Evidence::Title)
            }
        }
    }

    fn described(&mut self, mention: &Mention, name: String) -> usize {
        let index = self.enter(mention, name, matches!(mention.kind, MentionKind::Place | MentionKind::Body));
        let phrase = mention.span.of(self.article.text);
        if let Some(referent) = self.referents.get_mut(index) {
            referent.gender = gender_in(phrase);
            if mention.kind == MentionKind::Role {
                referent.role = Some(bare_role(phrase).to_string());
            }
        }
        index
    }

    fn identify_name(&mut self, mention: &Mention) -> (usize, Evidence) {
        let words = name_words(self.article, mention.span);
        let full = if words.len() > 1 { self.longer_or_same(&words) } else { None };
        let found = full.or_else(|| self.bearer(&words));
        let index = match found {
            Some(index) => index,
            None => {
                let index = self.enter(mention, words.join(" "), true);
                for word in &words {
                    self.by_word.entry(word.clone()).or_default().push(index);
                }
                index
            }
        };
        self.enrich(index, mention);
        let same = self.referents.get(index).is_some_and(|r| r.name == words.join(" "));
        (index, if same { Evidence::Exact } else { Evidence::ShortName })
    }

    /// The most recent bearer of a short name; failing that the first the article names later.
    fn bearer(&self, words: &[String]) -> Option<usize> {
        let list = self.by_word.get(words.last()?)?;
        let fits = |i: &usize| {
            self.referents.get(*i).is_some_and(|r| {
                let own: Vec<&str> = r.name.split(' ').collect();
                let ends = own.last().copied() == words.last().map(String::as_str)
                    || own.first().copied() == words.last().map(String::as_str);
                ends && words.iter().all(|w| own.contains(&w.as_str()))
            })
        };
        self.recent.iter().copied().find(|i| list.contains(i) && fits(i)).or_else(|| list.iter().copied().find(fits))
    }

    /// The named person who holds the role that a definite title gives.
    fn holder(&self, mention: &Mention) -> Option<usize> {
        let phrase = mention.span.of(self.article.text);
        let lower = phrase.to_lowercase();
        let indefinite = ["a ", "an ", "another ", "one ", "some ", "several ", "two ", "three "]
            .iter()
            .any(|d| lower.starts_with(d));
        let head = self.head_word(mention);
        if indefinite || lex::is_plural_role(&head) {
            return None;
        }
        let country = gazetteer::country_in(phrase);
        // A headline names people by their office before the article says who they are.
        let later = if self.paragraph(mention.items.start) <= HEADLINES { 0..self.referents.len() } else { 0..0 };
        self.recent.iter().copied().take(MEMORY).chain(later).find(|i| {
            self.referents.get(*i).is_some_and(|r| {
                let same_country = country.is_none() || r.country.is_none() || r.country == country;
                let held = r.role.as_deref().is_some_and(|role| same_office(&lower, &head, &role.to_lowercase()));
                r.named
                    && r.person
                    && held
                    && same_country
                    && gender_in(phrase).is_none_or(|g| r.gender.is_none_or(|own| own == g))
            })
        })
    }

    /// The last role word before what modifies it.
    fn head_word(&self, mention: &Mention) -> String {
        let modifier = mention.items.clone().find(|i| {
            *i > mention.items.start && matches!(self.article.word(*i), "of" | "for" | "at" | "from" | "with")
        });
        let end = modifier.unwrap_or(mention.items.end);
        end.checked_sub(1).map(|i| self.article.lower(i)).unwrap_or_default()
    }

    fn note(&mut self, mention: &Mention, referent: usize, evidence: Evidence) {
        let start = mention.items.start;
        let before = self.article.word_before(start).to_lowercase();
        if matches!(before.as_str(), "in" | "at" | "near" | "into" | "inside" | "outside" | "across" | "around" | "off")
            && let Some(found) = self.referents.get_mut(referent)
        {
            found.place_like = true;
        }
        let subject = self.article.begins_sentence(start)
            || self.article.word_before(start) == ","
            || self.article.quote(start.wrapping_sub(1)).is_some();
        self.occurrences.push(Occurrence { start, end: mention.items.end, referent, evidence, subject });
        if let Some(at) = self.recent.iter().position(|r| *r == referent) {
            self.recent.remove(at);
        }
        self.recent.push_front(referent);
        self.recent.truncate(MEMORY);
    }

    /// The speaker a pronoun stands for.
    fn pronoun(&self, mention: &Mention, before: Option<(&Speaker, usize)>) -> Result<Speaker, NoSpeaker> {
        let word = self.article.lower(mention.items.start);
        let start = mention.items.start;
        let here = self.paragraph(start);
        let end = self.occurrences.partition_point(|o| o.start < start);
        let mut best: Option<(f32, usize)> = None;
        let last = before.filter(|(_, at)| here.saturating_sub(self.paragraph(*at)) <= 2).map(|(s, _)| s);
        for (rank, occurrence) in self.occurrences.iter().take(end).rev().take(PRONOUN_MENTIONS).enumerate() {
            let apart = here.saturating_sub(self.paragraph(occurrence.start));
            if apart > PRONOUN_PARAGRAPHS {
                break;
            }
            let Some(referent) = self.referents.get(occurrence.referent) else { continue };
            let Some(agreement) = agreement(&word, referent) else { continue };
            let score = agreement
                + match apart {
                    0 => 3.0,
                    1 => 1.5,
                    _ => 0.0,
                }
                + if occurrence.subject { 2.0 } else { 0.0 }
                + if referent.named && referent.person { 0.5 } else { 0.0 }
                + if last.is_some_and(|s| s.name == referent.name) { 1.5 } else { 0.0 }
                - 0.25 * rank as f32;
            if best.is_none_or(|(top, _)| score > top) {
                best = Some((score, occurrence.referent));
            }
        }
        let span = Some(mention.span);
        // Somebody only described spoke last: "a passer-by said. … he said".
        if best.is_none()
            && let Some(speaker) = last
            && stands_for(&word, &speaker.name)
        {
            return Ok(Speaker { mention: span, evidence: Evidence::Pronoun, ..speaker.clone() });
        }
        best.and_then(|(_, referent)| self.as_speaker(referent, Evidence::Pronoun, span))
            .ok_or(NoSpeaker::UnresolvedPronoun)
    }
}

/// How well a pronoun agrees with a referent; none where it cannot stand for it.
fn agreement(pronoun: &str, referent: &Referent) -> Option<f32> {
    let gendered = |wanted: Gender| match referent.gender {
        _ if referent.plural || !referent.person => None,
        None if referent.place_like && referent.role.is_none() => None,
        Some(gender) if gender == wanted => Some(1.5),
        Some(_) => None,
        None => Some(0.0),
    };
    match pronoun {
        "he" | "his" => gendered(Gender::Male),
        "she" | "her" => gendered(Gender::Female),
        "they" | "their" if referent.plural => Some(1.5),
        "they" | "their" if !referent.person => Some(0.0),
        "it" if !referent.person => Some(1.0),
        _ => None,
    }
}

/// Whether a singular personal pronoun can stand for somebody called `name`.
fn stands_for(pronoun: &str, name: &str) -> bool {
    let gender = match pronoun {
        "he" => Gender::Male,
        "she" => Gender::Female,
        _ => return false,
    };
    gazetteer::place(name).is_none() && gender_in(name).is_none_or(|own| own == gender)
}

fn gender_in(phrase: &str) -> Option<Gender> {
    phrase.split(|c: char| c.is_whitespace() || c == '-').find_map(|word| {
        let word = word.trim_matches(|c: char| c != '.' && !c.is_alphanumeric());
        let lower = word.to_lowercase();
        let listed = |list: &std::collections::HashSet<&str>| {
            list.contains(word) || (word.starts_with(char::is_lowercase) && list.contains(lower.as_str()))
        };
        if listed(&lex::FEMALE) || lex::FEMALE.contains(lower.as_str()) && lex::is_role(word) {
            Some(Gender::Female)
        } else if listed(&lex::MALE) || lex::MALE.contains(lower.as_str()) && lex::is_role(word) {
            Some(Gender::Male)
        } else {
            None
        }
    })
}

fn is_plural_phrase(phrase: &str) -> bool {
    let first = phrase.split_whitespace().next().unwrap_or("").to_lowercase();
    matches!(
        first.as_str(),
        "these" | "those" | "some" | "several" | "many" | "both" | "two" | "three" | "four" | "five" | "six"
    )
}

/// Whether a title with head noun `head` fits the `role` of a person, both in lower case.
fn same_office(title: &str, head: &str, role: &str) -> bool {
    let has =
        |list: &[&str]| list.iter().any(|w| role.split(|c: char| !c.is_alphanumeric() && c != '-').any(|r| r == *w));
    if title.contains("head of state") {
        return has(&["president", "king", "queen", "emperor"]);
    }
    if title.contains("prime minister") || head == "premier" || head == "pm" {
        return role.contains("prime minister") || has(&["premier", "pm"]);
    }
    if title.contains("diplomat") {
        return role.contains("foreign")
            || has(&["ambassador", "envoy", "diplomat"])
            || role.contains("secretary of state");
    }
    match head {
        "leader" => has(&[
            "president",
            "minister",
            "premier",
            "chancellor",
            "king",
            "queen",
            "emperor",
            "leader",
            "chairman",
            "chairwoman",
            "ruler",
            "dictator",
            "pm",
            "chief",
            "head",
            "governor",
            "emir",
        ]),
        "minister" => has(&["minister"]) && (!role.contains("prime") || title.contains("prime")),
        "lawmaker" | "legislator" | "parliamentarian" => has(&[
            "senator",
            "representative",
            "congressman",
            "congresswoman",
            "mp",
            "deputy",
            "member",
            "lawmaker",
            "sen",
            "rep",
        ]),
        "spokesperson" | "spokesman" | "spokeswoman" => has(&["spokesman", "spokeswoman", "spokesperson"]),
        "official" | "politician" => !role.is_empty() && !title.contains(" of "),
        "chief" | "head" | "boss" => has(&[
            "chief",
            "head",
            "director",
            "chairman",
            "chairwoman",
            "president",
            "ceo",
            "boss",
            "commander",
            "leader",
            "manager",
        ]),
        "secretary" => has(&["secretary", "secretary-general"]),
        "senator" => has(&["senator", "sen"]),
        "governor" => has(&["governor", "gov"]),
        _ => has(&[head]),
    }
}

/// The words of a person's name, without where the person is from ("Beat Lüthi of Vantia").
fn name_words(article: &Article, span: Span) -> Vec<String> {
    let mut words = words_of(article, span);
    if let Some(at) = words.iter().position(|w| w == "of").filter(|at| *at >= 2) {
        words.truncate(at);
    }
    words
}

/// The country that "of" and a place after a name give.
fn origin(article: &Article, span: Span) -> Option<&'static str> {
    let (name, place) = span.of(article.text).split_once(" of ")?;
    name.contains(' ').then(|| gazetteer::country_in(place)).flatten()
}

fn words_of(article: &Article, span: Span) -> Vec<String> {
    let surface = span.of(article.text);
    surface
        .split_whitespace()
        .filter(|w| !is_in(&lex::ADDRESS, w))
        .map(|w| w.trim_end_matches("'s").trim_end_matches("’s").to_string())
        .collect()
}

/// The role itself: "its former leader" is "former leader", "the union's head in Karsk" is "head".
fn bare_role(phrase: &str) -> &str {
    let own = [
        "its ", "Its ", "his ", "His ", "her ", "Her ", "their ", "Their ", "our ", "Our ", "my ", "My ", "another ",
        "Another ", "one ", "One ",
    ];
    let plain = without_article(phrase);
    let plain = own.iter().find_map(|o| plain.strip_prefix(o)).unwrap_or(plain);
    let plain = ["'s ", "’s "]
        .iter()
        .filter_map(|p| plain.rfind(p).and_then(|at| plain.get(at + p.len()..)))
        .min_by_key(|rest| rest.len())
        .unwrap_or(plain);
    let place = [" in ", " at ", " from ", " with ", " on ", " near "].iter().filter_map(|p| plain.find(p)).min();
    place.and_then(|at| plain.get(..at)).unwrap_or(plain)
}

fn without_article(phrase: &str) -> &str {
    ["the ", "The ", "a ", "A ", "an ", "An "].iter().find_map(|a| phrase.strip_prefix(a)).unwrap_or(phrase)
}
