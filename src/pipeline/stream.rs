//! Any number of documents through the pipeline, with flat memory: reading, work and writing overlap.
//!
//! ```text
//! reader thread ─chunks, a bounded number in flight→ chunk workers on one thread pool ─any order→ writer, in input order
//! ```

use crate::document::{Document, Usage};
use crate::error::{Error, ErrorKind, Result};
use crate::io::Unread;
use crate::io::output::Checkpoint;
use crate::io::write::RecordSink;
use crate::pipeline::Analysis;
use crate::pipeline::memory::Memory;
use crate::record::{Record, RecordWriter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Chunks worked on at once: while the last batches of one run, the next fills the other cores.
const CHUNK_WORKERS: usize = 2;
/// How often an idle worker looks whether to stop.
const STOP_POLL: Duration = Duration::from_millis(50);
/// Threads of this name are ours; their panics become error records.
pub const THREAD_NAME: &str = "detente-worker";

/// What a reader yields.
pub type Item = Result<Document, Box<Unread>>;
/// What finds things in documents: one result each, in their order.
pub type Analyse<'a> = dyn Fn(&[Document]) -> Vec<Result<Analysis>> + Sync + 'a;

/// How documents travel: in chunks of neighbours, a bounded number of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Documents in a chunk, at most; at least one.
    pub documents: usize,
    /// Bytes of text in a chunk, unless one document is longer.
    pub bytes: usize,
    /// Chunks read ahead, or done and waiting for one before them.
    pub waiting: usize,
}

impl Queue {
    /// Chunks that hold some batches for each of `threads`.
    pub fn for_threads(threads: usize) -> Queue {
        let threads = threads.max(2);
        Queue { documents: 16 * threads, bytes: (64 << 10) * threads, waiting: 4 }
    }

    /// Chunks in flight, at most.
    fn in_flight(&self) -> usize {
        self.waiting + CHUNK_WORKERS
    }
}

/// What a run did; `read` is the sum of `failed` and the documents with results, and as many records were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Documents read; each became a record.
    pub read: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Entities found.
    pub entities: u64,
    /// Quotes found.
    pub quotes: u64,
    /// What the models read.
    #[serde(flatten)]
    pub usage: Usage,
}

/// How a stream of documents is worked on.
pub struct Stream<'a> {
    /// Finds things in documents.
    pub analyse: &'a Analyse<'a>,
    /// Makes records of what is found.
    pub records: RecordWriter<'a>,
    /// Threads of the pool.
    pub threads: usize,
    /// How documents travel to them.
    pub queue: Queue,
    /// Nanoseconds that the workers waited for input, all together, until the last of it had come.
    pub waited: AtomicU64,
    /// What was found in texts that come again.
    pub memory: Memory,
    /// Once set, what is in flight is finished and nothing more is begun.
    pub stop: Arc<AtomicBool>,
    /// Told after each chunk what is done.
    pub on_progress: &'a (dyn Fn(&Counts) + Sync),
    /// Told of each document that failed.
    pub on_failure: &'a (dyn Fn(&Record) + Sync),
}

impl Stream<'_> {
    /// Reads all `documents`, after those that `done` counts, and writes a record of each to `sink`, in their order.
    ///
    /// A document that fails becomes a record with an error, whatever the failure: also a panic. The sink is left
    /// unfinished, for the caller to finish or, after an interruption, to keep as it is.
    ///
    /// # Errors
    /// When the sink fails; when `stop` was set before the end; when the input is not the one that `done` tells of.
    pub fn run<D>(&self, mut documents: D, sink: &mut RecordSink, done: Option<&Checkpoint>) -> Result<Counts>
    where
        D: Iterator<Item = Item> + Send + 'static,
    {
        let mut writer = Writer { stream: self, sink, counts: Counts::default(), input: Sha256::new() };
        if let Some(done) = done {
            writer.skip_done(&mut documents, done)?;
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|_| THREAD_NAME.into())
            .build()
            .map_err(|e| Error::io(format!("threads cannot be started: {e}")))?;
        let queue = self.queue;
        let (work, waiting_work) = mpsc::sync_channel(queue.waiting);
        let (permits, permit) = mpsc::sync_channel(queue.in_flight());
        for _ in 0..queue.in_flight() {
            // There is room for all of them.
            let _ = permits.send(());
        }
        let stop = self.stop.clone();
        // Not joined: it may hang on standard input when the run is over.
        named_thread().spawn(move || read_chunks(documents, queue, (&work, &permit), &stop))?;
        let waiting_work = Mutex::new(waiting_work);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (results, done) = mpsc::sync_channel(queue.in_flight());
            for _ in 0..CHUNK_WORKERS {
                let (results, chunks, pool) =
                    (results.clone(), Chunks { waiting: &waiting_work, over: &over, waited: &self.waited }, &pool);
                named_thread().spawn_scoped(scope, move || self.work(&chunks, pool, &results))?;
            }
            drop(results);
            let written = writer.write_in_order(&done, &permits);
            // After a failure the reader waits for permits that never come, so idle workers would wait for chunks.
            over.store(true, Ordering::Relaxed);
            written
        })?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::Interrupted,
                format!("interrupted after {} documents", writer.counts.read),
            ));
        }
        Ok(writer.counts)
    }

    /// The share of `elapsed` that a worker waited for input, on average.
    pub fn waited_share(&self, elapsed: Duration) -> f64 {
        let waited = self.waited.load(Ordering::Relaxed) as f64 / 1e9;
        waited / (CHUNK_WORKERS as f64 * elapsed.as_secs_f64().max(1e-3))
    }

    /// Takes chunks until there are no more.
    fn work(&self, chunks: &Chunks, pool: &rayon::ThreadPool, results: &SyncSender<Chunk<Done>>) {
        while let Some(chunk) = chunks.next(&self.stop) {
            let done = self.analyse_all(chunk.items, pool);
            if results.send(Chunk { number: chunk.number, items: done }).is_err() {
                return;
            }
        }
    }

    fn analyse_all(&self, items: Vec<Item>, pool: &rayon::ThreadPool) -> Vec<Done> {
        let mut results = Vec::new();
        let mut documents = Vec::new();
        for item in items {
            match item {
                Ok(document) => {
                    results.push(None);
                    documents.push(document);
                }
                Err(unread) => results.push(Some(Done::Unread(*unread))),
            }
        }
        // Whoever waits for a copy elsewhere waits here, outside the pool that has to do the work.
        let analysed = self.memory.analyse(&documents, |fresh| pool.install(|| self.analyse_guarded(fresh)));
        let mut analysed = documents.into_iter().zip(analysed);
        let fill = |slot: Option<Done>| slot.or_else(|| analysed.next().map(|(d, r)| Done::Read(d, r)));
        results.into_iter().filter_map(fill).collect()
    }

    /// A panic in a chunk is pinned on a document by looking at each alone.
    fn analyse_guarded(&self, documents: &[Document]) -> Vec<Result<Analysis>> {
        let guarded = |documents: &[Document]| catch_unwind(AssertUnwindSafe(|| (self.analyse)(documents)));
        match guarded(documents) {
            Ok(results) if results.len() == documents.len() => results,
            _ => documents
                .chunks(1)
                .map(|one| match guarded(one) {
                    Ok(results) => results.into_iter().next().unwrap_or_else(|| Err(internal("no result"))),
                    Err(panic) => Err(internal(&panic_message(&*panic))),
                })
                .collect(),
        }
    }
}

/// Neighbouring documents that travel together.
struct Chunk<T> {
    number: u64,
    items: Vec<T>,
}

/// A document that was worked on, or that never was read.
enum Done {
    Read(Document, Result<Arc<Analysis>>),
    Unread(Unread),
}

fn named_thread() -> thread::Builder {
    thread::Builder::new().name(THREAD_NAME.into())
}

/// Cuts the documents into chunks; each needs a permit, of which the writer gives one back for each chunk written.
fn read_chunks<D>(
    mut documents: D,
    queue: Queue,
    (work, permit): (&SyncSender<Chunk<Item>>, &Receiver<()>),
    stop: &AtomicBool,
) where
    D: Iterator<Item = Item>,
{
    let mut over = false;
    for number in 0.. {
        let (mut items, mut bytes) = (Vec::new(), 0);
        while !over && items.len() < queue.documents && bytes < queue.bytes && !stop.load(Ordering::Relaxed) {
            let item = match catch_unwind(AssertUnwindSafe(|| documents.next())) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(panic) => {
                    // Said in a record, so that the run does not seem to have come to its end.
                    over = true;
                    Err(Box::new(broken_off(&panic_message(&*panic))))
                }
            };
            bytes += item.as_ref().map_or(0, |d| d.text.len());
            items.push(item);
        }
        if items.is_empty() || permit.recv().is_err() || work.send(Chunk { number, items }).is_err() {
            return;
        }
    }
}

/// What stands for all that was not read because the reader panicked.
fn broken_off(said: &str) -> Unread {
    Unread { id: "unread".into(), source: None, error: internal(&format!("reading broke off: {said}")) }
}

/// Where workers find the chunks that wait.
struct Chunks<'a> {
    waiting: &'a Mutex<Receiver<Chunk<Item>>>,
    /// Set once nothing more is written.
    over: &'a AtomicBool,
    /// Nanoseconds that were waited for chunks.
    waited: &'a AtomicU64,
}

impl Chunks<'_> {
    /// The next chunk; none when there are no more, or none is wanted.
    fn next(&self, stop: &AtomicBool) -> Option<Chunk<Item>> {
        let begun = Instant::now();
        loop {
            let waiting = self.waiting.lock().ok()?;
            if stop.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed) {
                return None;
            }
            match waiting.recv_timeout(STOP_POLL) {
                Ok(chunk) => {
                    let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    self.waited.fetch_add(waited, Ordering::Relaxed);
                    return Some(chunk);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

/// Writes what the workers bring, in the order of the input.
struct Writer<'a, 's> {
    stream: &'a Stream<'s>,
    sink: &'a mut RecordSink,
    counts: Counts,
    /// Of everything read so far.
    input: Sha256,
}

impl Writer<'_, '_> {
    fn skip_done(&mut self, documents: &mut dyn Iterator<Item = Item>, done: &Checkpoint) -> Result<()> {
        for item in documents.take(usize::try_from(done.counts.read).unwrap_or(usize::MAX)) {
            self.note_input(&item.as_ref().map_err(|unread| &**unread));
        }
        if self.input_hash() != done.input {
            let message =
                format!("cannot be resumed: the first {} documents of the input have changed", done.counts.read);
            return Err(Error::usage(message).help("delete the unfinished output to start anew"));
        }
        self.counts = done.counts;
        (self.stream.on_progress)(&self.counts);
        Ok(())
    }

    fn write_in_order(&mut self, done: &Receiver<Chunk<Done>>, permits: &SyncSender<()>) -> Result<()> {
        let mut early: BTreeMap<u64, Vec<Done>> = BTreeMap::new();
        let mut next = 0;
        for chunk in done {
            early.insert(chunk.number, chunk.items);
            while let Some(items) = early.remove(&next) {
                self.write_chunk(items)?;
                next += 1;
                // The reader may have ended.
                let _ = permits.try_send(());
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self, items: Vec<Done>) -> Result<()> {
        for item in items {
            let (record, error) = self.record(item);
            if let Some(error) = error {
                (self.stream.on_failure)(&record);
                self.sink.note_failure(&record, &error)?;
            }
            self.count(&record);
            self.sink.write(&record)?;
        }
        self.sink.checkpoint(Checkpoint { counts: self.counts, input: self.input_hash(), bytes: 0, errors: 0 })?;
        (self.stream.on_progress)(&self.counts);
        Ok(())
    }

    /// The record of a document, and what went wrong if it has no results.
    fn record(&mut self, item: Done) -> (Record, Option<Error>) {
        let records = &self.stream.records;
        let unit = records.unit;
        match item {
            Done::Read(document, Ok(a)) => {
                self.note_input(&Ok(&document));
                (records.record(&document, a.entities.as_deref(), a.quotes.as_deref(), a.usage), None)
            }
            Done::Read(document, Err(error)) => {
                self.note_input(&Ok(&document));
                let failed = Record::failed(&document.id, document.source.as_deref(), &error);
                let (title, date) = (document.title, document.date);
                (Record { title, date, offset_unit: unit, ..failed }, Some(error))
            }
            Done::Unread(unread) => {
                self.note_input(&Err(&unread));
                let failed = Record::failed(&unread.id, unread.source.as_deref(), &unread.error);
                (Record { offset_unit: unit, ..failed }, Some(unread.error))
            }
        }
    }

    fn count(&mut self, record: &Record) {
        self.counts.read += 1;
        self.counts.failed += u64::from(record.error.is_some());
        self.counts.entities += record.entities.as_ref().map_or(0, |e| e.len() as u64);
        self.counts.quotes += record.quotes.as_ref().map_or(0, |q| q.len() as u64);
        self.counts.usage += record.usage;
    }

    fn note_input(&mut self, item: &Result<&Document, &Unread>) {
        let mut field = |text: &str| {
            self.input.update((text.len() as u64).to_le_bytes());
            self.input.update(text.as_bytes());
        };
        match item {
            Ok(document) => {
                field(&document.id);
                field(document.title.as_deref().unwrap_or_default());
                field(document.date.as_deref().unwrap_or_default());
                field(&document.text);
            }
            Err(unread) => {
                field(&unread.id);
                field(&unread.error.to_string());
            }
        }
    }

    fn input_hash(&self) -> String {
        let hash = self.input.clone().finalize();
        hex::encode(hash.get(..16).unwrap_or_default())
    }
}

pub(super) fn internal(message: &str) -> Error {
    Error::document(format!("a fault in detente: {message}")).help("please report it with this document")
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panic").lines().next().unwrap_or_default().to_string()
}
