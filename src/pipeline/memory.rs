//! Copies of one article are worked on once: what was found is kept under a hash of its title and text, as long as there
//! is room.

use crate::document::Document;
use crate::error::Result;
use crate::pipeline::Analysis;
use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Room for what was found: some ten thousand articles.
const MEMORY_BYTES: u64 = 64 << 20;
/// What one article's findings take, about.
const USUAL_BYTES: u64 = 6 << 10;

type Key = [u8; 32];
type Guard<'a> =
    PlaceholderGuard<'a, Key, Arc<Analysis>, Size, DefaultHashBuilder, DefaultLifecycle<Key, Arc<Analysis>>>;

/// What was found in texts met before.
pub struct Memory {
    found: Cache<Key, Arc<Analysis>, Size>,
    reused: AtomicU64,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            found: Cache::with_weighter((MEMORY_BYTES / USUAL_BYTES) as usize, MEMORY_BYTES, Size),
            reused: AtomicU64::new(0),
        }
    }
}

/// Bytes that an analysis takes, about.
#[derive(Clone)]
struct Size;

impl Weighter<Key, Arc<Analysis>> for Size {
    fn weight(&self, _: &Key, analysis: &Arc<Analysis>) -> u64 {
        let entities = analysis.entities.as_ref().map_or(0, Vec::len);
        let quotes = analysis.quotes.as_ref().map_or(0, Vec::len);
        (256 + 80 * entities + 320 * quotes) as u64
    }
}

/// What is known of a document's text.
enum Known<'a> {
    /// All that is in it.
    Found(Arc<Analysis>),
    /// Nothing: it is ours to find, and others wait.
    Ours(Guard<'a>),
    /// Somebody is working on it, perhaps we ourselves on a copy in the same batch.
    Pending(Key),
}

impl Memory {
    /// How many documents needed no work because a copy had been met.
    pub fn reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// What `analyse` finds in each of `documents`, which it is given only once for all copies of a text.
    ///
    /// Waits for other threads only when all of its own is done, so that two never wait for each other.
    pub fn analyse(
        &self,
        documents: &[Document],
        analyse: impl Fn(&[Document]) -> Vec<Result<Analysis>>,
    ) -> Vec<Result<Arc<Analysis>>> {
        let known: Vec<Known> = documents.iter().map(|document| self.look(document)).collect();
        let ours: Vec<bool> = known.iter().map(|k| matches!(k, Known::Ours(_))).collect();
        let mut fresh = if ours.iter().all(|o| *o) {
            analyse(documents)
        } else {
            let ours: Vec<Document> =
                documents.iter().zip(&ours).filter(|(_, o)| **o).map(|(d, _)| d.clone()).collect();
            if ours.is_empty() { Vec::new() } else { analyse(&ours) }
        }
        .into_iter();
        let half: Vec<Result<Result<Arc<Analysis>>, Key>> = known
            .into_iter()
            .map(|known| match known {
                Known::Found(analysis) => Ok(Ok(self.again(analysis))),
                Known::Ours(guard) => Ok(fresh
                    .next()
                    .unwrap_or_else(|| Err(super::stream::internal("no result")))
                    .map(|a| keep(guard, a))),
                Known::Pending(key) => Err(key),
            })
            .collect();
        half.into_iter()
            .zip(documents)
            .map(|(result, document)| result.unwrap_or_else(|key| self.wait(&key, document, &analyse)))
            .collect()
    }

    fn look(&self, document: &Document) -> Known<'_> {
        // The title too: the stance model reads it.
        let title = document.title.as_deref().unwrap_or_default();
        let hash = Sha256::new().chain_update(title.len().to_le_bytes()).chain_update(title);
        let key: Key = hash.chain_update(&document.text).finalize().into();
        match self.found.get_value_or_guard(&key, Some(Duration::ZERO)) {
            GuardResult::Value(analysis) => Known::Found(analysis),
            GuardResult::Guard(guard) => Known::Ours(guard),
            GuardResult::Timeout => Known::Pending(key),
        }
    }

    /// Waits for whoever works on the text; when that failed, it is ours after all.
    fn wait(
        &self,
        key: &Key,
        document: &Document,
        analyse: impl Fn(&[Document]) -> Vec<Result<Analysis>>,
    ) -> Result<Arc<Analysis>> {
        match self.found.get_value_or_guard(key, None) {
            GuardResult::Value(analysis) => Ok(self.again(analysis)),
            GuardResult::Guard(guard) => one(document, analyse).map(|analysis| keep(guard, analysis)),
            GuardResult::Timeout => one(document, analyse).map(Arc::new),
        }
    }

    fn again(&self, analysis: Arc<Analysis>) -> Arc<Analysis> {
        self.reused.fetch_add(1, Ordering::Relaxed);
        analysis
    }
}

fn one(document: &Document, analyse: impl Fn(&[Document]) -> Vec<Result<Analysis>>) -> Result<Analysis> {
    let found = analyse(std::slice::from_ref(document)).into_iter().next();
    found.unwrap_or_else(|| Err(super::stream::internal("no result")))
}

fn keep(guard: Guard, analysis: Analysis) -> Arc<Analysis> {
    let analysis = Arc::new(analysis);
    // There may be no room.
    let _ = guard.insert(analysis.clone());
    analysis
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Usage;
    use crate::error::Error;
    use std::sync::Mutex;

    fn documents(texts: &[&str]) -> Vec<Document> {
        texts.iter().enumerate().map(|(i, text)| Document::new(i.to_string(), *text)).collect()
    }

    /// Counts the bytes of each text, fails on "bad", and notes which texts it was given.
    fn count(seen: &Mutex<Vec<String>>) -> impl Fn(&[Document]) -> Vec<Result<Analysis>> {
        |documents: &[Document]| {
            let one = |d: &Document| {
                seen.lock().unwrap().push(d.text.clone());
                let usage = Usage { tokens: d.text.len() as u64, ..Usage::default() };
                if d.text == "bad" {
                    Err(Error::document("bad"))
                } else {
                    Ok(Analysis { usage, ..Analysis::default() })
                }
            };
            documents.iter().map(one).collect()
        }
    }

    fn tokens(results: Vec<Result<Arc<Analysis>>>) -> Vec<Option<u64>> {
        results.into_iter().map(|r| r.ok().map(|a| a.usage.tokens)).collect()
    }

    #[test]
    fn copies_are_found_once_and_each_has_its_result() {
        let (memory, seen) = (Memory::default(), Mutex::default());
        let first = memory.analyse(&documents(&["a", "bbb", "a", "cc", "a"]), count(&seen));
        assert_eq!(tokens(first), [Some(1), Some(3), Some(1), Some(2), Some(1)]);
        let second = memory.analyse(&documents(&["cc", "dddd"]), count(&seen));
        assert_eq!(tokens(second), [Some(2), Some(4)]);
        assert_eq!(*seen.lock().unwrap(), ["a", "bbb", "cc", "dddd"]);
        assert_eq!(memory.reused(), 3);
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let (memory, seen) = (Memory::default(), Mutex::default());
        let results = memory.analyse(&documents(&["bad", "a", "bad"]), count(&seen));
        assert_eq!(tokens(results), [None, Some(1), None]);
        assert_eq!(seen.lock().unwrap().len(), 3);
        assert_eq!(memory.reused(), 0);
    }

    #[test]
    fn threads_that_share_texts_never_wait_for_each_other() {
        let texts: Vec<String> = (0..400).map(|i| "x".repeat(i % 37 + 1)).collect();
        let (memory, seen) = (Memory::default(), Mutex::default());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (memory, seen, texts) = (&memory, &seen, &texts);
                scope.spawn(move || {
                    for chunk in texts.chunks(16 + thread) {
                        let mut chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
                        if thread % 2 == 1 {
                            chunk.reverse();
                        }
                        let expected: Vec<_> = chunk.iter().map(|text| Some(text.len() as u64)).collect();
                        assert_eq!(tokens(memory.analyse(&documents(&chunk), count(seen))), expected);
                    }
                });
            }
        });
        assert_eq!(seen.lock().unwrap().len(), 37);
        assert_eq!(memory.reused(), 4 * 400 - 37);
    }
}
