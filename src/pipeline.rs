//! The stages in order: text, windows, entities, quotes, stance; batches are formed across documents.
//!
//! ```text
//! Document ─segment→ words ─windows→ encoder ─decode→ entities ┬find→ quotes ─context→ encoder ─score→ stance
//!                          └windows→ encoder ─decode→ reported ┘
//! ```

pub mod columns;
pub(crate) mod encode;
pub mod memory;
pub mod rows;
pub mod stream;

use crate::document::{Document, Entity, Quote, QuoteKind, Span, Usage};
use crate::entities::EntityTagger;
use crate::error::Result;
use crate::quotes;
use crate::quotes::model::{Found, QuoteTagger, Words};
use crate::stance::{StanceReader, context};
use crate::text::segment::{paragraphs, sentences, words};
use crate::tokens::{PairInput, Window};
use ndarray::Array2;
use rayon::prelude::*;
pub use stream::{Counts, Queue, Stream};

/// Tokens in a batch unless the user says otherwise: measured best on CPUs, where larger batches leave the caches.
pub const BATCH_TOKENS: usize = 2048;
/// The same on a GPU, which small batches leave idle; one that its memory cannot hold is halved.
pub const GPU_BATCH_TOKENS: usize = 32_768;

/// Which quotes are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QuoteChoice {
    /// None at all.
    None,
    /// Only those whose words all stand in quotation marks.
    Direct,
    /// Also reported speech.
    #[default]
    All,
}

/// What is done with each document. Loaded once, shared by all threads.
///
/// The answer for a document depends on nothing but the document and the models: not on the size of batches, the number
/// of threads, or the documents beside it.
///
/// ```
/// use detente::document::Document;
/// use detente::pipeline::{Pipeline, QuoteChoice};
/// let pipeline = Pipeline { quotes: QuoteChoice::All, ..Pipeline::default() };
/// let article = Document::new("1", "\"We are ready to talk,\" Foreign Minister Ana Ruiz said.");
/// for analysis in pipeline.run(std::slice::from_ref(&article)) {
///     for quote in analysis?.quotes.unwrap_or_default() {
///         println!("{:?}: {}", quote.speaker.map(|s| s.name), quote.parts[0].of(&article.text));
///     }
/// }
/// # Ok::<(), detente::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Pipeline {
    /// Finds names; none: they are not looked for.
    pub entities: Option<EntityTagger>,
    /// Which quotes are looked for.
    pub quotes: QuoteChoice,
    /// Finds reported speech, where all quotes are looked for; none: only what stands in marks is found.
    pub reported: Option<QuoteTagger>,
    /// Reads the stance of quotes; none: it stays open.
    pub stance: Option<StanceReader>,
    /// Tokens in a batch, padding included.
    pub batch_tokens: usize,
}

impl Default for Pipeline {
    fn default() -> Self {
        Pipeline { entities: None, quotes: QuoteChoice::None, reported: None, stance: None, batch_tokens: BATCH_TOKENS }
    }
}

/// What was found in one document; parts that were not asked for are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysis {
    /// Names, in order of position.
    pub entities: Option<Vec<Entity>>,
    /// Quotes, in order of position.
    pub quotes: Option<Vec<Quote>>,
    /// What reading cost.
    pub usage: Usage,
}

impl Pipeline {
    /// What is found in each of `documents`, in their order, on the threads of the current rayon pool.
    ///
    /// A document that fails costs no other: its place holds the error.
    pub fn run(&self, documents: &[Document]) -> Vec<Result<Analysis>> {
        let analyses = self.find_entities(documents);
        let analyses = self.find_quotes(documents, analyses);
        self.read_stances(documents, analyses)
    }

    fn find_entities(&self, documents: &[Document]) -> Vec<Result<Analysis>> {
        let Some(tagger) = &self.entities else {
            return documents.iter().map(|_| Ok(Analysis::default())).collect();
        };
        let read: Vec<Result<Reading>> = documents.par_iter().map(|d| Reading::new(tagger, &d.text)).collect();
        let inputs = read.iter().flatten().flat_map(|r| &r.windows).map(|w| &w.input).collect();
        let mut logits = encode::logits(tagger.encoder().as_ref(), inputs, self.batch_tokens).into_iter();
        let with_logits: Vec<Result<(Reading, Vec<Array2<f32>>)>> = read
            .into_iter()
            .map(|reading| {
                let reading = reading?;
                // All of them are taken, also past an error: the next document's follow.
                let own: Vec<Result<Array2<f32>>> = logits.by_ref().take(reading.windows.len()).collect();
                Ok((reading, own.into_iter().collect::<Result<_>>()?))
            })
            .collect();
        let decode = |read: Result<(Reading, Vec<Array2<f32>>)>| {
            let (reading, logits) = read?;
            let entities = reading.entities(tagger, &logits)?;
            Ok(Analysis { entities: Some(entities), quotes: None, usage: usage(&reading.windows) })
        };
        with_logits.into_par_iter().map(decode).collect()
    }

    fn find_quotes(&self, documents: &[Document], analyses: Vec<Result<Analysis>>) -> Vec<Result<Analysis>> {
        if self.quotes == QuoteChoice::None {
            return analyses;
        }
        let reported = self.find_reported(documents);
        let find = |((document, analysis), reported): ((&Document, Result<Analysis>), Result<Reported>)| {
            let (mut analysis, reported) = (analysis?, reported?);
            let entities = analysis.entities.as_deref().unwrap_or_default();
            let mut quotes = quotes::find_all(&document.text, entities, &reported.found);
            quotes.retain(|quote| self.quotes == QuoteChoice::All || quote.kind == QuoteKind::Direct);
            analysis.usage += reported.usage;
            Ok(Analysis { quotes: Some(quotes), ..analysis })
        };
        documents.par_iter().zip(analyses).zip(reported).map(find).collect()
    }

    /// What the quote model finds in each document; nothing where it is not asked.
    fn find_reported(&self, documents: &[Document]) -> Vec<Result<Reported>> {
        let Some(tagger) = self.reported.as_ref().filter(|_| self.quotes == QuoteChoice::All) else {
            return documents.iter().map(|_| Ok(Reported::default())).collect();
        };
        let read = |document: &Document| {
            let words = Words::of(&document.text);
            tagger.windows(&document.text, &words).map(|windows| (words, windows))
        };
        let read: Vec<Result<Windowed>> = documents.par_iter().map(read).collect();
        let inputs = read.iter().flatten().flat_map(|(_, windows)| windows).map(|w| &w.input).collect();
        let mut logits = encode::logits(tagger.encoder().as_ref(), inputs, self.batch_tokens).into_iter();
        let of_document = |read: &Result<Windowed>| {
            let count = read.as_ref().map_or(0, |(_, windows)| windows.len());
            // All of them are taken, also past an error: the next document's follow.
            let own: Vec<Result<Array2<f32>>> = logits.by_ref().take(count).collect();
            own.into_iter().collect()
        };
        let logits: Vec<Result<Vec<Array2<f32>>>> = read.iter().map(of_document).collect();
        let decode = |((document, read), logits): ((&Document, Result<Windowed>), Result<Vec<_>>)| {
            let (words, windows) = read?;
            let found = tagger.decode(&document.text, &words, &windows, &logits?)?;
            Ok(Reported { found, usage: usage(&windows) })
        };
        documents.par_iter().zip(read).zip(logits).map(decode).collect()
    }

    /// The analyses with the stance of their quotes, where a stance model is there.
    pub fn read_stances(&self, documents: &[Document], analyses: Vec<Result<Analysis>>) -> Vec<Result<Analysis>> {
        let Some(reader) = &self.stance else { return analyses };
        let inputs_of = |(document, analysis): (&Document, Result<Analysis>)| {
            let analysis = analysis?;
            let inputs = stance_inputs(reader, document, analysis.quotes.as_deref().unwrap_or_default())?;
            Ok((analysis, inputs))
        };
        let with_inputs: Vec<Result<(Analysis, Vec<PairInput>)>> =
            documents.par_iter().zip(analyses).map(inputs_of).collect();
        let inputs = with_inputs.iter().flatten().flat_map(|(_, inputs)| inputs).map(|pair| &pair.input).collect();
        let mut logits = encode::logits(reader.encoder().as_ref(), inputs, self.batch_tokens).into_iter();
        with_inputs
            .into_iter()
            .map(|item| {
                let (analysis, inputs) = item?;
                let own: Vec<Result<Array2<f32>>> = logits.by_ref().take(inputs.len()).collect();
                with_stances(reader, analysis, &inputs, own)
            })
            .collect()
    }
}

/// A text as the entity model reads it.
struct Reading {
    words: Vec<Span>,
    /// Where paragraphs start: no name runs across.
    paragraphs: Vec<usize>,
    windows: Vec<Window>,
}

impl Reading {
    fn new(tagger: &EntityTagger, text: &str) -> Result<Self> {
        let paragraphs = paragraphs(text);
        let sentences: Vec<Span> = paragraphs.iter().flat_map(|p| sentences(text, *p)).collect();
        let words: Vec<Span> = sentences.iter().flat_map(|s| words(text, *s)).collect();
        let starts: Vec<usize> = sentences.iter().map(|s| s.start).collect();
        let windows = tagger.windows_with_breaks(text, &words, &starts)?;
        Ok(Reading { words, paragraphs: paragraphs.iter().map(|p| p.start).collect(), windows })
    }

    fn entities(&self, tagger: &EntityTagger, logits: &[Array2<f32>]) -> Result<Vec<Entity>> {
        tagger.decode_with_breaks(&self.words, &self.windows, logits, &self.paragraphs)
    }
}

/// What reading windows costs.
fn usage(windows: &[Window]) -> Usage {
    Usage {
        tokens: windows.iter().map(|w| w.input.ids.len() as u64).sum(),
        windows: windows.len() as u64,
        truncated: windows.iter().map(|w| w.truncated as u64).sum(),
    }
}

/// The words of a text and what the quote model reads of them.
type Windowed = (Words, Vec<Window>);

/// What the quote model found in a document, and what reading it cost.
#[derive(Default)]
struct Reported {
    found: Vec<Found>,
    usage: Usage,
}

fn stance_inputs(reader: &StanceReader, document: &Document, quotes: &[Quote]) -> Result<Vec<PairInput>> {
    let paragraphs = if quotes.is_empty() { Vec::new() } else { paragraphs(&document.text) };
    let title = document.title.as_deref();
    let context = |quote| context::of_quote(&document.text, &paragraphs, title, quote);
    quotes.iter().map(|quote| reader.input(&context(quote).text())).collect()
}

fn with_stances(
    reader: &StanceReader,
    mut analysis: Analysis,
    inputs: &[PairInput],
    logits: Vec<Result<Array2<f32>>>,
) -> Result<Analysis> {
    for ((quote, input), logits) in analysis.quotes.iter_mut().flatten().zip(inputs).zip(logits) {
        quote.stance = Some(reader.stance(&logits?)?);
        analysis.usage += pair_usage(input);
    }
    Ok(analysis)
}

/// What reading one quote costs.
pub fn pair_usage(input: &PairInput) -> Usage {
    Usage { tokens: input.input.ids.len() as u64, windows: 1, truncated: u64::from(input.truncated > 0) }
}
