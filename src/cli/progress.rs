//! What is told on standard error while a run goes on, and at its end: to people, or as JSON to programs.

use super::options::Told;
use detente::io::Notice;
use detente::pipeline::Counts;
use detente::record::Record;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Messages of one kind that are shown; the rest are only counted.
const SHOWN: u64 = 5;
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// Waiting for input beyond this share of a run is told: reading is what makes it slow.
const WORTH_TELLING: f64 = 0.1;
/// How often programs are told.
const JSON_EVERY: Duration = Duration::from_secs(1);

/// Progress, notices and the summary of one run.
pub struct Progress {
    bar: ProgressBar,
    told: Told,
    quiet: bool,
    started: Instant,
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    /// What an earlier run had done.
    before: Counts,
    /// What this run had read when the first batch was done: what an earlier run had done was read again, at no cost.
    bytes_before: AtomicU64,
    last_line: Mutex<Instant>,
    skipped: AtomicU64,
    encodings: AtomicU64,
    same_ids: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// `bytes_total` is the size of all files, if known; no bar is drawn where results go to the same terminal.
    pub fn new(told: Told, quiet: bool, results_on_terminal: bool, bytes_total: Option<u64>, before: Counts) -> Self {
        let draw = told == Told::Auto && !quiet && !results_on_terminal && std::io::stderr().is_terminal();
        let target = if draw { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let template = match bytes_total {
            Some(_) => "{bar:24.cyan/dim} {percent:>3}% {msg} · {eta} left",
            None => "{spinner:.cyan} {msg}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(bytes_total, target).with_style(style.progress_chars("━━─"));
        Progress {
            bar,
            told,
            quiet,
            started: Instant::now(),
            bytes_read: Arc::default(),
            bytes_total: bytes_total.filter(|total| *total > 0),
            before,
            bytes_before: AtomicU64::new(u64::MAX),
            last_line: Mutex::new(Instant::now()),
            skipped: AtomicU64::new(0),
            encodings: AtomicU64::new(0),
            same_ids: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// What the reader counts its bytes in.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        self.bytes_read.clone()
    }

    /// Since the run began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What is done so far.
    pub fn update(&self, counts: &Counts) {
        let read = self.bytes_read.load(Ordering::Relaxed);
        self.bytes_before.fetch_min(read, Ordering::Relaxed);
        self.bar.set_message(rates(counts, &self.before, self.started.elapsed()));
        self.bar.set_position(read.min(self.bytes_total.unwrap_or(u64::MAX)));
        let every = match self.told {
            _ if self.quiet => return,
            Told::None => return,
            Told::Auto if !self.bar.is_hidden() => return,
            Told::Auto | Told::Plain => LINE_EVERY,
            Told::Json => JSON_EVERY,
        };
        let mut last = self.last_line.lock().unwrap_or_else(|e| e.into_inner());
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        if self.told == Told::Json {
            return self.event("progress", self.figures(counts));
        }
        let share = self.share().map(|share| format!(" · {:.0}%", share * 100.0)).unwrap_or_default();
        let left = self.seconds_left().map(|s| format!(" · {} left", lasted(Duration::from_secs_f64(s))));
        let rates = rates(counts, &self.before, self.started.elapsed());
        self.print(&format!("{rates}{share}{}", left.unwrap_or_default()));
    }

    /// How much of the input is read, in [0, 1].
    fn share(&self) -> Option<f64> {
        let read = self.bytes_read.load(Ordering::Relaxed);
        self.bytes_total.map(|total| (read as f64 / total as f64).min(1.0))
    }

    /// At the speed so far.
    fn seconds_left(&self) -> Option<f64> {
        let before = self.bytes_before.load(Ordering::Relaxed);
        let read = self.bytes_read.load(Ordering::Relaxed);
        let done = read.checked_sub(before).filter(|done| *done > 0)? as f64;
        Some(self.started.elapsed().as_secs_f64() * self.bytes_total?.saturating_sub(read) as f64 / done)
    }

    /// The counts as programs read them.
    fn figures(&self, counts: &Counts) -> Value {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = |now: u64, before: u64| rounded(now.saturating_sub(before) as f64 / seconds.max(1e-3));
        json!({
            "documents": counts.read,
            "failed": counts.failed,
            "quotes": counts.quotes,
            "entities": counts.entities,
            "tokens": counts.usage.tokens,
            "seconds": rounded(seconds),
            "documents_per_second": rate(counts.read, self.before.read),
            "tokens_per_second": rate(counts.usage.tokens, self.before.usage.tokens),
            "share": self.share().map(rounded),
            "seconds_left": self.seconds_left().map(rounded),
        })
    }

    /// Something that is no error.
    pub fn notice(&self, notice: &Notice) {
        let (counter, message) = match notice {
            Notice::Skipped(file) => (&self.skipped, format!("skipped {}: {}", file.path.display(), file.reason)),
            Notice::Encoding { file, encoding } => {
                (&self.encodings, format!("{} is read as {encoding}", file.display()))
            }
            Notice::DuplicateId { id, given } => (&self.same_ids, format!("the id {id} occurs again, here as {given}")),
        };
        let n = counter.fetch_add(1, Ordering::Relaxed);
        match self.told {
            _ if self.quiet => {}
            Told::Json => self.event("note", json!({"message": message})),
            _ if n < SHOWN => self.print(&format!("note: {message}")),
            _ if n == SHOWN => self.print("note: and more of the kind; they are counted at the end"),
            _ => {}
        }
    }

    /// A document that failed; told also where all else is quiet.
    pub fn failure(&self, record: &Record) {
        let message = record.error.as_ref().map_or("", |e| e.message.as_str());
        let n = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if self.told == Told::Json {
            self.event("failure", json!({"id": record.id, "message": message}));
        } else if n <= 2 * SHOWN {
            self.print(&format!("failed: {message}"));
        } else if n == 2 * SHOWN + 1 {
            self.print("failed: more, each has an error record");
        }
    }

    /// One JSON object on a line of its own.
    fn event(&self, name: &str, event: Value) {
        let fields = event.as_object().cloned().unwrap_or_default();
        let named: Map<String, Value> = [("event".to_string(), name.into())].into_iter().chain(fields).collect();
        self.print(&Value::Object(named).to_string());
    }

    fn print(&self, message: &str) {
        // Standard error may be closed; there is no third place.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{message}")));
    }

    /// The last words: counts that add up. `reused` documents were copies of others; the workers waited for input for
    /// `waited` of the time, in [0, 1].
    pub fn summary(&self, counts: &Counts, reused: u64, waited: f64) {
        self.bar.finish_and_clear();
        if self.quiet {
            return;
        }
        if self.told == Told::Json {
            return self.event("summary", self.final_figures(counts, reused, waited));
        }
        let elapsed = self.started.elapsed();
        let mut parts = vec![format!(
            "{} read, {} written, {} failed",
            counted(counts.read, "document", "documents"),
            counted(counts.read, "record", "records"),
            HumanCount(counts.failed)
        )];
        let noted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let notes = [
            (self.before.read, "by the run before"),
            (reused, "computed once with a copy"),
            (noted(&self.skipped), "skipped"),
            (noted(&self.encodings), "re-encoded"),
            (noted(&self.same_ids), "ids changed"),
        ];
        parts.extend(notes.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", HumanCount(n))));
        self.print(&parts.join(", "));
        let found = [
            (counts.quotes, "quote", "quotes"),
            (counts.entities, "name", "names"),
            (counts.usage.tokens, "token", "tokens"),
        ];
        let found: Vec<String> =
            found.iter().filter(|f| f.0 > 0).map(|(n, one, many)| counted(*n, one, many)).collect();
        let found = if found.is_empty() { "nothing found".into() } else { found.join(", ") };
        self.print(&format!("{found} in {} ({})", lasted(elapsed), speed(counts, &self.before, elapsed)));
        if waited > WORTH_TELLING && elapsed > LINE_EVERY {
            self.print(&format!("{:.0} % of the time went by waiting for input", 100.0 * waited));
        }
        if counts.usage.truncated > 0 {
            let cut = counted(counts.usage.truncated, "stretch was", "stretches were");
            self.print(&format!("{cut} longer than the model reads and cut off at the end; see `usage.truncated`"));
        }
    }

    /// The counts of the whole run: `documents` = `with_results` + `failed` = `written`.
    fn final_figures(&self, counts: &Counts, reused: u64, waited: f64) -> Value {
        let mut figures = self.figures(counts);
        if let Some(figures) = figures.as_object_mut() {
            let noted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let more = [
                ("written", counts.read),
                ("with_results", counts.read.saturating_sub(counts.failed)),
                ("by_the_run_before", self.before.read),
                ("copies", reused),
                ("truncated", counts.usage.truncated),
                ("skipped", noted(&self.skipped)),
                ("re_encoded", noted(&self.encodings)),
                ("ids_changed", noted(&self.same_ids)),
            ];
            figures.extend(more.map(|(name, n)| (name.to_string(), n.into())));
            figures.insert("waited_for_input".into(), rounded(waited).into());
        }
        figures
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn lasted(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        _ => HumanDuration(time).to_string(),
    }
}

fn rates(counts: &Counts, before: &Counts, elapsed: Duration) -> String {
    let failed = if counts.failed > 0 { format!(" · {} failed", HumanCount(counts.failed)) } else { String::new() };
    format!("{} · {}{failed}", counted(counts.read, "document", "documents"), speed(counts, before, elapsed))
}

fn speed(counts: &Counts, before: &Counts, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let documents = counts.read.saturating_sub(before.read) as f64 / seconds;
    let tokens = counts.usage.tokens.saturating_sub(before.usage.tokens) as f64 / seconds;
    let documents = if documents < 10.0 { format!("{documents:.1}") } else { HumanCount(documents as u64).to_string() };
    match counts.usage.tokens {
        0 => format!("{documents} documents/s"),
        _ => format!("{documents} documents/s, {} tokens/s", HumanCount(tokens as u64)),
    }
}

fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(n), if n == 1 { one } else { many })
}
