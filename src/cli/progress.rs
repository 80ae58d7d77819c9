//! What a person reads on standard error while a run goes on, and at its end.

use detente::io::Notice;
use detente::pipeline::Counts;
use detente::record::Record;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Messages of one kind that are shown; the rest are only counted.
const SHOWN: u64 = 5;
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Progress, notices and the summary of one run.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    started: Instant,
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    /// What an earlier run had done.
    before: Counts,
    last_line: Mutex<Instant>,
    skipped: AtomicU64,
    encodings: AtomicU64,
    duplicates: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// `bytes_total` is the size of all files, if known; no bar is drawn where results go to the same terminal.
    pub fn new(quiet: bool, results_on_terminal: bool, bytes_total: Option<u64>, before: Counts) -> Self {
        let draw = !quiet && !results_on_terminal && std::io::stderr().is_terminal();
        let target = if draw { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let template = match bytes_total {
            Some(_) => "{bar:24.cyan/dim} {percent:>3}% {msg} · {eta} left",
            None => "{spinner:.cyan} {msg}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(bytes_total, target).with_style(style.progress_chars("━━─"));
        Progress {
            bar,
            quiet,
            started: Instant::now(),
            bytes_read: Arc::default(),
            bytes_total,
            before,
            last_line: Mutex::new(Instant::now()),
            skipped: AtomicU64::new(0),
            encodings: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// What the reader counts its bytes in.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        self.bytes_read.clone()
    }

    /// What is done so far.
    pub fn update(&self, counts: &Counts) {
        let rates = rates(counts, &self.before, self.started.elapsed());
        self.bar.set_message(rates.clone());
        self.bar.set_position(self.bytes_read.load(Ordering::Relaxed).min(self.bytes_total.unwrap_or(u64::MAX)));
        if self.quiet || !self.bar.is_hidden() {
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(|e| e.into_inner());
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            let share = self.bytes_total.filter(|total| *total > 0);
            let share = share.map(|t| format!(" · {}%", self.bytes_read.load(Ordering::Relaxed).min(t) * 100 / t));
            self.say(&format!("{rates}{}", share.unwrap_or_default()));
        }
    }

    /// Something that is no error.
    pub fn notice(&self, notice: &Notice) {
        let (counter, message) = match notice {
            Notice::Skipped(file) => (&self.skipped, format!("skipped {}: {}", file.path.display(), file.reason)),
            Notice::Encoding { file, encoding } => {
                (&self.encodings, format!("{} is read as {encoding}", file.display()))
            }
            Notice::DuplicateId { id, given } => {
                (&self.duplicates, format!("the id {id} occurs again, here as {given}"))
            }
        };
        self.say_some(counter, &format!("note: {message}"));
    }

    /// A document that failed; told also where all else is quiet.
    pub fn failure(&self, record: &Record) {
        let message = record.error.as_ref().map_or("", |e| e.message.as_str());
        let n = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if n <= 2 * SHOWN {
            self.print(&format!("failed: {message}"));
        } else if n == 2 * SHOWN + 1 {
            self.print("failed: more, each has an error record");
        }
    }

    /// A message for the person who waits.
    pub fn say(&self, message: &str) {
        if !self.quiet {
            self.print(message);
        }
    }

    fn say_some(&self, counter: &AtomicU64, message: &str) {
        match counter.fetch_add(1, Ordering::Relaxed) {
            n if n < SHOWN => self.say(message),
            SHOWN => self.say("note: and more of the kind; they are counted at the end"),
            _ => {}
        }
    }

    fn print(&self, message: &str) {
        // Standard error may be closed; there is no third place.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{message}")));
    }

    /// The last words: counts that add up.
    pub fn summary(&self, counts: &Counts) {
        self.bar.finish_and_clear();
        let elapsed = self.started.elapsed();
        let mut parts = vec![format!(
            "{} read, {} written, {} failed",
            counted(counts.read, "document", "documents"),
            counted(counts.read, "record", "records"),
            HumanCount(counts.failed)
        )];
        let notes = [(&self.skipped, "skipped"), (&self.encodings, "re-encoded"), (&self.duplicates, "ids changed")];
        for (counter, what) in notes {
            match counter.load(Ordering::Relaxed) {
                0 => {}
                n => parts.push(format!("{} {what}", HumanCount(n))),
            }
        }
        self.say(&parts.join(", "));
        let found = [
            (counts.quotes, "quote", "quotes"),
            (counts.entities, "name", "names"),
            (counts.usage.tokens, "token", "tokens"),
        ];
        let found: Vec<String> =
            found.iter().filter(|f| f.0 > 0).map(|(n, one, many)| counted(*n, one, many)).collect();
        let found = if found.is_empty() { "nothing found".into() } else { found.join(", ") };
        self.say(&format!("{found} in {} ({})", lasted(elapsed), speed(counts, &self.before, elapsed)));
        if counts.usage.truncated > 0 {
            let cut = counted(counts.usage.truncated, "stretch was", "stretches were");
            self.say(&format!("{cut} longer than the model reads and cut off at the end; see `usage.truncated`"));
        }
    }
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
