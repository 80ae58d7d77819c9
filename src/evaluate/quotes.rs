//! Quotes against gold: spans of content, cue and source, whole attributions, and who said it.

use super::comparison::{GoldSpan, SpanComparison, SpanDocument};
use super::matching::{self, Match, Ranges};
use super::misses::Misses;
use super::records::{Meeting, Pair, ranges};
use super::resample::Bootstrap;
use super::tally::{Seen, Tally};
use crate::document::Evidence;
use crate::record::{QuoteRecord, SpanRecord};
use crate::report::{Cell, Report, Section};

/// The least intersection over union at which two spans count as the same, unless asked for otherwise.
pub const OVERLAP: f64 = 0.5;

/// The share of a gold quote's extent that GenderGapTracker wants covered, in its easy and its hard setting.
const COVERAGES: [f64; 2] = [0.3, 0.8];

/// Gold and predicted quotes of one document, and which of them are the same.
struct Compared<'a> {
    document: usize,
    gold: Vec<&'a QuoteRecord>,
    predicted: Vec<&'a QuoteRecord>,
    /// Assigned to each other by overlap of content.
    matches: Vec<Match>,
}

impl<'a> Compared<'a> {
    fn new(document: usize, pair: &'a Pair) -> Self {
        let gold: Vec<_> = pair.gold.quotes.iter().flatten().collect();
        let predicted: Vec<_> = pair.predicted.iter().flat_map(|record| record.quotes.iter().flatten()).collect();
        let matches = matching::assign(&contents(&gold), &contents(&predicted), OVERLAP);
        Compared { document, gold, predicted, matches }
    }

    /// Matched gold and predicted quotes.
    fn pairs(&self) -> impl Iterator<Item = (&'a QuoteRecord, &'a QuoteRecord)> {
        self.matches.iter().filter_map(|m| Some((*self.gold.get(m.gold)?, *self.predicted.get(m.predicted)?)))
    }
}

fn contents(quotes: &[&QuoteRecord]) -> Vec<Ranges> {
    quotes.iter().map(|quote| ranges(quote)).collect()
}

fn spans<'a>(quotes: &[&'a QuoteRecord], span: impl Fn(&'a QuoteRecord) -> Option<&'a SpanRecord>) -> Vec<Ranges> {
    quotes.iter().filter_map(|quote| span(quote)).map(|span| vec![(span.start, span.end)]).collect()
}

fn cue(quote: &QuoteRecord) -> Option<&SpanRecord> {
    quote.cue.as_ref()
}

fn source(quote: &QuoteRecord) -> Option<&SpanRecord> {
    quote.speaker.as_ref()?.mention.as_ref()
}

/// Scores the quotes of records.
///
/// Content is compared as the set of characters of all parts. Overlap figures come from the one-to-one assignment with
/// the largest sum of intersection over union among pairs that reach [`OVERLAP`].
pub fn evaluate(meeting: &Meeting, bootstrap: &Bootstrap) -> Report {
    let documents = meeting.pairs.len();
    let compared: Vec<Compared> = meeting.pairs.iter().enumerate().map(|(at, pair)| Compared::new(at, pair)).collect();
    let mut report = Report::new("quotes");
    report.sections.push(Section {
        name: "spans".into(),
        about: "content, cue and source each by themselves; attributions with all three right".into(),
        tables: vec![
            span_tally(&compared).precision_recall_table("scores", "span", documents, bootstrap),
            kind_tally(&compared).precision_recall_table("kinds", "kind", documents, bootstrap),
            length_tally(&compared).precision_recall_table("lengths", "characters", documents, bootstrap),
            kind_length_tally(&compared).precision_recall_table(
                "kinds_and_lengths",
                "kind, characters",
                documents,
                bootstrap,
            ),
        ],
    });
    report.sections.push(misses(&compared));
    report.sections.push(Section {
        name: "speakers".into(),
        about: format!("quotes whose content matched at IoU ≥ {OVERLAP}"),
        tables: vec![
            speaker_tally(&compared).accuracy_table("accuracy", "what", documents, bootstrap),
            evidence_tally(&compared).accuracy_table("evidence", "evidence", documents, bootstrap),
            speaker_kind_tally(&compared).accuracy_table("kinds", "kind", documents, bootstrap),
            kind_evidence_tally(&compared).accuracy_table("kinds_and_evidence", "kind, evidence", documents, bootstrap),
        ],
    });
    report.sections.push(Section {
        name: "gender_gap_tracker".into(),
        about: "the coverage score of GenderGapTracker, for comparison with its figures only".into(),
        tables: vec![coverage_tally(&compared).precision_recall_table(
            "coverage",
            "covered more than",
            documents,
            bootstrap,
        )],
    });
    state_protocol(&mut report, meeting, bootstrap, &compared);
    report
}

/// The contents of gold quotes with what each system makes of them, for
/// [`evaluate_spans`](super::comparison::evaluate_spans): found at an intersection over union of [`OVERLAP`] or more.
pub fn compare(systems: &[(String, Meeting)]) -> SpanComparison {
    let pairs = systems.first().map_or(&[][..], |(_, meeting)| &meeting.pairs);
    let documents = pairs.iter().enumerate().map(|(at, pair)| {
        let compared = systems.iter().filter_map(|(_, meeting)| Some(Compared::new(at, meeting.pairs.get(at)?)));
        let compared: Vec<Compared> = compared.collect();
        let gold = pair.gold.quotes.iter().flatten().enumerate().map(|(number, quote)| GoldSpan {
            id: super::records::place(&pair.gold.id, quote),
            text: quote.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" "),
            found: compared.iter().map(|one| one.matches.iter().any(|m| m.gold == number)).collect(),
        });
        SpanDocument { gold: gold.collect(), predicted: compared.iter().map(|one| one.predicted.len()).collect() }
    });
    SpanComparison {
        systems: systems.iter().map(|(name, _)| name.clone()).collect(),
        criterion: format!("content at IoU ≥ {OVERLAP}, one to one"),
        documents: documents.collect(),
    }
}

fn span_tally(compared: &[Compared]) -> Tally {
    let mut tally = Tally::default();
    for one in compared {
        let sides = [
            ("content", contents(&one.gold), contents(&one.predicted)),
            ("cue", spans(&one.gold, cue), spans(&one.predicted, cue)),
            ("source", spans(&one.gold, source), spans(&one.predicted, source)),
        ];
        for (name, gold, predicted) in sides {
            for (how, threshold) in [("exact", 1.0), ("overlap", OVERLAP)] {
                let right = matching::assign(&gold, &predicted, threshold).len();
                tally.see_counts(one.document, &format!("{name}_{how}"), [right, gold.len(), predicted.len()]);
            }
        }
        let (gold, predicted) = (one.gold.len(), one.predicted.len());
        for (how, threshold) in [("exact", 1.0), ("overlap", OVERLAP)] {
            let right = one.pairs().filter(|(g, p)| same_attribution(g, p, threshold)).count();
            tally.see_counts(one.document, &format!("attribution_{how}"), [right, gold, predicted]);
        }
        let matched: Vec<_> = one.pairs().collect();
        let right =
            matched.iter().filter(|(g, p)| source(g).is_some() && same_span(source(g), source(p), OVERLAP)).count();
        let given =
            |side: &dyn Fn(&(&QuoteRecord, &QuoteRecord)) -> bool| matched.iter().filter(|pair| side(pair)).count();
        let (gold, predicted) = (given(&|(g, _)| source(g).is_some()), given(&|(_, p)| source(p).is_some()));
        tally.see_counts(one.document, "source_overlap_given_content", [right, gold, predicted]);
    }
    tally
}

fn same_attribution(gold: &QuoteRecord, predicted: &QuoteRecord, threshold: f64) -> bool {
    matching::iou(&ranges(gold), &ranges(predicted)) >= threshold
        && same_span(cue(gold), cue(predicted), threshold)
        && same_span(source(gold), source(predicted), threshold)
}

/// Whether both are missing, or overlap enough.
fn same_span(gold: Option<&SpanRecord>, predicted: Option<&SpanRecord>, threshold: f64) -> bool {
    match (gold, predicted) {
        (None, None) => true,
        (Some(g), Some(p)) => matching::iou(&[(g.start, g.end)], &[(p.start, p.end)]) >= threshold,
        _ => false,
    }
}

/// Recall by the kind that gold states, precision by the kind that was predicted; a match of another kind counts.
fn kind_tally(compared: &[Compared]) -> Tally {
    group_tally(compared, Tally::with_rows(&KINDS), |quote| quote.kind.as_str().to_string())
}

/// Lengths of content, in characters.
const LENGTHS: [&str; 3] = ["under 50", "50 to 149", "150 and more"];

fn length_name(quote: &QuoteRecord) -> &'static str {
    match content_length(quote) {
        0..50 => LENGTHS[0],
        50..150 => LENGTHS[1],
        _ => LENGTHS[2],
    }
}

fn length_tally(compared: &[Compared]) -> Tally {
    group_tally(compared, Tally::with_rows(&LENGTHS), |quote| length_name(quote).to_string())
}

fn kind_length_tally(compared: &[Compared]) -> Tally {
    let rows: Vec<String> = KINDS.iter().flat_map(|kind| LENGTHS.map(|length| format!("{kind}, {length}"))).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let group = |quote: &QuoteRecord| format!("{}, {}", quote.kind.as_str(), length_name(quote));
    group_tally(compared, Tally::with_rows(&rows), group)
}

/// Gold quotes that were not found, and predicted ones that gold does not have.
fn misses(compared: &[Compared]) -> Section {
    let (mut missed, mut invented) = (Misses::default(), Misses::default());
    let kind = |quotes: &[&QuoteRecord], at: usize| quotes.get(at).map_or("", |q| q.kind.as_str()).to_string();
    for one in compared {
        let (gold, predicted) = (contents(&one.gold), contents(&one.predicted));
        let (found, right) = (
            |at: usize| one.matches.iter().any(|m| m.gold == at),
            |at: usize| one.matches.iter().any(|m| m.predicted == at),
        );
        missed.see(&gold, &predicted, found, |at| kind(&one.gold, at));
        invented.see(&predicted, &gold, right, |at| kind(&one.predicted, at));
    }
    Section {
        name: "misses".into(),
        about: "what stands in the place of gold quotes that were not found, and of predicted quotes not in gold"
            .into(),
        tables: vec![missed.table("not_found", &KINDS), invented.table("not_in_gold", &KINDS)],
    }
}

fn group_tally(compared: &[Compared], mut tally: Tally, group: impl Fn(&QuoteRecord) -> String) -> Tally {
    for one in compared {
        for (at, quote) in one.gold.iter().enumerate() {
            tally.see(one.document, &group(quote), Seen::Gold(one.matches.iter().any(|m| m.gold == at)));
        }
        for (at, quote) in one.predicted.iter().enumerate() {
            tally.see(one.document, &group(quote), Seen::Predicted(one.matches.iter().any(|m| m.predicted == at)));
        }
    }
    tally
}

const KINDS: [&str; 3] = ["direct", "indirect", "mixed"];

fn content_length(quote: &QuoteRecord) -> usize {
    quote.parts.iter().map(|part| part.end.saturating_sub(part.start)).sum()
}

fn speaker_tally(compared: &[Compared]) -> Tally {
    let rows = ["speaker_name", "speaker_last_name", "speaker_mention", "no_speaker", "cue", "kind"];
    let mut tally = Tally::with_rows(&rows);
    for (document, gold, predicted) in matched(compared) {
        let mut see = |row: &str, right: bool| tally.see(document, row, Seen::Gold(right));
        match &gold.speaker {
            Some(_) => {
                see("speaker_name", same_name(gold, predicted));
                see("speaker_last_name", same_last_name(gold, predicted));
            }
            None => see("no_speaker", predicted.speaker.is_none()),
        }
        if source(gold).is_some() {
            see("speaker_mention", same_span(source(gold), source(predicted), OVERLAP));
        }
        if gold.cue.is_some() {
            see("cue", same_span(cue(gold), cue(predicted), OVERLAP));
        }
        see("kind", gold.kind == predicted.kind);
    }
    tally
}

fn matched<'a>(compared: &'a [Compared<'a>]) -> impl Iterator<Item = (usize, &'a QuoteRecord, &'a QuoteRecord)> {
    compared.iter().flat_map(|one| one.pairs().map(|(gold, predicted)| (one.document, gold, predicted)))
}

/// Right names by the evidence that gold states, or else the prediction.
fn evidence_tally(compared: &[Compared]) -> Tally {
    name_tally(compared, Tally::default(), |_, evidence| evidence.to_string())
}

/// Right names by the kind that gold states.
fn speaker_kind_tally(compared: &[Compared]) -> Tally {
    name_tally(compared, Tally::with_rows(&KINDS), |kind, _| kind.to_string())
}

/// Right names by kind and evidence.
fn kind_evidence_tally(compared: &[Compared]) -> Tally {
    name_tally(compared, Tally::default(), |kind, evidence| format!("{kind}, {evidence}"))
}

/// Right names of matched quotes that have a speaker in gold, in rows named by kind and evidence.
fn name_tally(compared: &[Compared], mut tally: Tally, row: impl Fn(&str, &str) -> String) -> Tally {
    for (document, gold, predicted) in matched(compared) {
        let Some(speaker) = &gold.speaker else { continue };
        let evidence = speaker.evidence.or(predicted.speaker.as_ref().and_then(|p| p.evidence));
        let row = row(gold.kind.as_str(), evidence.map_or("not stated", Evidence::as_str));
        tally.see(document, &row, Seen::Gold(same_name(gold, predicted)));
    }
    tally
}

fn same_name(gold: &QuoteRecord, predicted: &QuoteRecord) -> bool {
    match (&gold.speaker, &predicted.speaker) {
        (Some(gold), Some(predicted)) => name_words(&gold.name) == name_words(&predicted.name),
        _ => false,
    }
}

fn same_last_name(gold: &QuoteRecord, predicted: &QuoteRecord) -> bool {
    match (&gold.speaker, &predicted.speaker) {
        (Some(gold), Some(predicted)) => name_words(&gold.name).last() == name_words(&predicted.name).last(),
        _ => false,
    }
}

/// Lower-case words of a name without article, possessive and punctuation.
fn name_words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase().replace('\u{2019}', "'");
    let lower = lower.strip_suffix("'s").unwrap_or(&lower);
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_string).collect();
    match words.split_first() {
        Some((first, rest)) if first == "the" && !rest.is_empty() => rest.to_vec(),
        _ => words,
    }
}

/// Gold quotes in order each take the predicted quote left over that covers most of their extent.
fn coverage_tally(compared: &[Compared]) -> Tally {
    let mut tally = Tally::default();
    for one in compared {
        for threshold in COVERAGES {
            let right = covered(&extents(&one.gold), &extents(&one.predicted), threshold);
            tally.see_counts(one.document, &threshold.to_string(), [right, one.gold.len(), one.predicted.len()]);
        }
    }
    tally
}

fn extents(quotes: &[&QuoteRecord]) -> Vec<(usize, usize)> {
    let extent = |quote: &&QuoteRecord| {
        let start = quote.parts.iter().map(|part| part.start).min().unwrap_or(0);
        (start, quote.parts.iter().map(|part| part.end).max().unwrap_or(start))
    };
    quotes.iter().map(extent).collect()
}

fn covered(gold: &[(usize, usize)], predicted: &[(usize, usize)], threshold: f64) -> usize {
    let mut left: Vec<(usize, usize)> = predicted.to_vec();
    let mut right = 0;
    for gold in gold {
        let mut best = (threshold, None);
        for (at, predicted) in left.iter().enumerate() {
            let coverage = matching::coverage(&[*gold], &[*predicted]);
            if coverage > best.0 {
                best = (coverage, Some(at));
            }
        }
        if let Some(at) = best.1 {
            left.remove(at);
            right += 1;
        }
    }
    right
}

fn state_protocol(report: &mut Report, meeting: &Meeting, bootstrap: &Bootstrap, compared: &[Compared]) {
    let count = |side: &dyn Fn(&Compared) -> usize| compared.iter().map(side).sum::<usize>();
    let (gold, predicted) = (count(&|one| one.gold.len()), count(&|one| one.predicted.len()));
    report.state("data", format!("{} gold documents, {gold} gold quotes, {predicted} predicted", compared.len()));
    report.state(
        "overlap",
        format!("IoU ≥ {OVERLAP} over the characters of all parts; one-to-one assignment with the largest sum of IoU (Kuhn–Munkres)"),
    );
    report.state("exact", "the same characters in all parts");
    report.state("attribution", "content, cue and source all right; a cue or source that both sides lack is right");
    report.state("kinds and lengths", "recall by gold's group, precision by the prediction's group, overlap matches");
    report.state("names", "compared in lower case without article, possessive and punctuation");
    report.state(
        "speakers by kind and evidence",
        "gold's kind and evidence; the prediction's evidence where gold has none",
    );
    report.state(
        "coverage",
        "GenderGapTracker: share of the gold extent (first to last character) covered, greedy in the order of gold",
    );
    super::state_bootstrap(report, bootstrap, compared.len(), "documents");
    super::note_meeting(report, meeting);
    let missed = compared.iter().zip(&meeting.pairs).flat_map(|(one, pair)| {
        let missed = one.gold.iter().enumerate().filter(|(at, _)| !one.matches.iter().any(|m| m.gold == *at));
        missed.map(|(_, quote)| super::records::place(&pair.gold.id, quote))
    });
    let spurious = compared.iter().zip(&meeting.pairs).flat_map(|(one, pair)| {
        let spurious =
            one.predicted.iter().enumerate().filter(|(at, _)| !one.matches.iter().any(|m| m.predicted == *at));
        spurious.map(|(_, quote)| super::records::place(&pair.gold.id, quote))
    });
    for (name, places) in
        [("gold quotes not found", missed.collect()), ("predicted quotes not in gold", spurious.collect())]
    {
        let places: Vec<String> = places;
        if !places.is_empty() {
            report.lists.insert(name.into(), places);
        }
    }
    let shown = |table: &str, row: &str, column: &str, section: &str| {
        report.cell(section, table, row, column).map_or_else(|| "–".into(), Cell::shown)
    };
    report.verdict = format!(
        "Quotes in {} documents: content F1 {} overlapping, {} exact; speaker's name right in {} of matched quotes.",
        compared.len(),
        shown("scores", "content_overlap", "f1", "spans"),
        shown("scores", "content_exact", "f1", "spans"),
        shown("accuracy", "speaker_name", "accuracy", "speakers")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_meet_whatever_their_dress() {
        assert_eq!(name_words("The Kremlin’s"), name_words("Kremlin"));
        assert_eq!(name_words("Sergei  LAVROV,"), ["sergei", "lavrov"]);
        assert_eq!(name_words("the"), ["the"]);
        assert!(name_words("…").is_empty());
    }

    #[test]
    fn coverage_is_greedy_in_gold_order_and_uses_a_prediction_once() {
        assert_eq!(covered(&[(0, 10), (10, 20)], &[(0, 20)], 0.3), 1);
        assert_eq!(covered(&[(0, 10)], &[(0, 3)], 0.3), 0);
        assert_eq!(covered(&[(0, 10)], &[(0, 1000)], 0.8), 1);
    }
}
