//! SQLite out: tables `runs`, `documents`, `quotes` and `entities`, with indexes and views.
//!
//! The database is written under the name `NAME.partial`, one transaction a batch, the checkpoint in the same transaction:
//! killed at any moment it holds whole batches and says how many. At the end come indexes and views, then its own name.

use crate::error::{Error, ErrorKind, Result};
use crate::io::output::{
    Checkpoint, Start, Unfinished, cannot_create, check_settings, find_unfinished, is_regular, partial_path, publish,
    resumable_error, write_error,
};
use crate::io::table::{entity_rows, name_of, quote_rows};
use crate::record::{QuoteRecord, Record, SpanRecord};
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Version of the tables' shape, in `PRAGMA user_version`.
const VERSION: i64 = 1;

/// The tables. Offsets count in the unit of `runs.offset_unit`; `parts` is a JSON list of `[start, end]`.
pub const TABLES: &str = "
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    version TEXT, command TEXT, settings TEXT NOT NULL, models TEXT, offset_unit TEXT,
    started TEXT NOT NULL, finished TEXT,
    documents INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    quotes INTEGER NOT NULL DEFAULT 0, entities INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0, windows INTEGER NOT NULL DEFAULT 0, truncated INTEGER NOT NULL DEFAULT 0,
    checkpoint TEXT
);
CREATE TABLE documents (
    document INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    id TEXT NOT NULL, source TEXT, title TEXT, date TEXT, place TEXT, dateline_date TEXT, agency TEXT, text TEXT,
    tokens INTEGER NOT NULL, windows INTEGER NOT NULL, truncated INTEGER NOT NULL,
    error_kind TEXT, error TEXT
);
CREATE TABLE quotes (
    quote INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    number INTEGER NOT NULL, start INTEGER, \"end\" INTEGER, parts TEXT NOT NULL,
    text TEXT NOT NULL, kind TEXT NOT NULL,
    speaker TEXT, mention TEXT, mention_start INTEGER, mention_end INTEGER, role TEXT, country TEXT,
    evidence TEXT, no_speaker TEXT,
    cue TEXT, cue_start INTEGER, cue_end INTEGER,
    confidence REAL, flags TEXT NOT NULL,
    stance_label TEXT, stance_score REAL, stance_conciliatory REAL, stance_firm REAL, stance_neutral REAL
);
CREATE TABLE entities (
    entity INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    type TEXT NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL, text TEXT NOT NULL, score REAL
);
";

/// Indexes and views, made when all rows are there.
pub const INDEXES_AND_VIEWS: &str = "
CREATE UNIQUE INDEX IF NOT EXISTS documents_id ON documents (id);
CREATE INDEX IF NOT EXISTS documents_date ON documents (date);
CREATE INDEX IF NOT EXISTS quotes_document ON quotes (document);
CREATE INDEX IF NOT EXISTS quotes_speaker ON quotes (speaker);
CREATE INDEX IF NOT EXISTS quotes_stance ON quotes (stance_label, stance_score);
CREATE INDEX IF NOT EXISTS entities_document ON entities (document);
CREATE INDEX IF NOT EXISTS entities_text ON entities (text, type);
-- Each quote with its article.
CREATE VIEW IF NOT EXISTS quotes_in_articles AS
    SELECT d.id, d.date, d.title, d.source, q.* FROM quotes q JOIN documents d USING (document);
-- Who speaks how often, and how.
CREATE VIEW IF NOT EXISTS speakers AS
    SELECT speaker, max(country) AS country, count(*) AS quotes, count(DISTINCT document) AS articles,
           avg(stance_score) AS mean_score,
           sum(stance_label = 'conciliatory') AS conciliatory, sum(stance_label = 'firm') AS firm,
           sum(stance_label = 'neutral') AS neutral
    FROM quotes WHERE speaker IS NOT NULL GROUP BY speaker ORDER BY quotes DESC;
-- The same by month, where dates begin like 2031-05.
CREATE VIEW IF NOT EXISTS speakers_by_month AS
    SELECT substr(d.date, 1, 7) AS month, q.speaker, count(*) AS quotes, avg(q.stance_score) AS mean_score,
           sum(q.stance_label = 'conciliatory') AS conciliatory, sum(q.stance_label = 'firm') AS firm
    FROM quotes q JOIN documents d USING (document)
    WHERE q.speaker IS NOT NULL AND d.date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]*'
    GROUP BY month, q.speaker ORDER BY month, quotes DESC;
-- Which names occur, and in how many articles.
CREATE VIEW IF NOT EXISTS names AS
    SELECT text, type, count(*) AS mentions, count(DISTINCT document) AS articles
    FROM entities GROUP BY text, type ORDER BY mentions DESC;
-- What failed, and why.
CREATE VIEW IF NOT EXISTS failures AS
    SELECT id, source, error_kind, error FROM documents WHERE error IS NOT NULL;
";

/// A database that is being written.
pub struct Database {
    connection: Connection,
    path: PathBuf,
    /// Number of the document last written.
    document: i64,
}

impl Database {
    /// A database that a later run can go on with; `settings` are what must not change between the two.
    ///
    /// # Errors
    /// As for [`Output::resumable`](crate::io::output::Output::resumable); also when `path` is a device.
    pub fn resumable(path: &Path, settings: &Map<String, Value>, resume: bool) -> Result<Start<Self>> {
        if !is_regular(path)? {
            return Err(Error::usage("a database cannot be written into a pipe or device")
                .in_file(path)
                .help("--output names a file, for instance records.sqlite"));
        }
        match find_unfinished(path, resume)? {
            Unfinished::None => Self::begin(path, settings).map(Start::Fresh),
            Unfinished::Whole => Ok(Start::Finished),
            Unfinished::Partial => Self::go_on(path, settings),
        }
    }

    fn begin(path: &Path, settings: &Map<String, Value>) -> Result<Self> {
        for file in files_of(&partial_path(path)) {
            // Most often there is none.
            let _ = fs::remove_file(file);
        }
        // The system's own words, where it refuses.
        fs::File::create(partial_path(path)).map_err(|e| cannot_create(path, &e))?;
        let connection = open(path)?;
        let make = || -> rusqlite::Result<()> {
            connection.execute_batch("BEGIN")?;
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", VERSION)?;
            let given = |name: &str| settings.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), Into::into));
            connection.execute(
                "INSERT INTO runs (version, command, models, offset_unit, settings, started)
                 VALUES (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
                params![
                    given("version"),
                    given("command"),
                    given("models"),
                    given("offset-unit"),
                    json!(settings).to_string()
                ],
            )?;
            connection.execute_batch("COMMIT; BEGIN")
        };
        make().map_err(|e| database_error(path, e))?;
        Ok(Database { connection, path: path.to_path_buf(), document: 0 })
    }

    fn go_on(path: &Path, settings: &Map<String, Value>) -> Result<Start<Self>> {
        let connection = open(path)?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'runs'", [], |row| row.get(0))
            .map_err(|e| database_error(path, e))?;
        if tables == 0 {
            // Killed before the first transaction: nothing was done.
            drop(connection);
            return Self::begin(path, settings).map(Start::Fresh);
        }
        let found: (String, Option<String>) = connection
            .query_row("SELECT settings, checkpoint FROM runs", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|e| database_error(path, e))?;
        let damaged = |e| Error::usage(format!("its table `runs` is damaged: {e}")).in_file(partial_path(path));
        let before = serde_json::from_str(&found.0).map_err(damaged)?;
        check_settings(&before, settings).map_err(|e| e.in_file(partial_path(path)))?;
        let Some(checkpoint) = found.1 else {
            drop(connection);
            return Self::begin(path, settings).map(Start::Fresh);
        };
        let done: Checkpoint = serde_json::from_str(&checkpoint).map_err(damaged)?;
        connection.execute_batch("BEGIN").map_err(|e| database_error(path, e))?;
        let document = i64::try_from(done.counts.read).unwrap_or(i64::MAX);
        Ok(Start::Resumed(Database { connection, path: path.to_path_buf(), document }, done))
    }

    /// Writes one record: a row of `documents`, and those of its quotes and entities.
    ///
    /// # Errors
    /// When the disk is full, and the like.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        self.document += 1;
        self.insert(record).map_err(|e| self.error(e))
    }

    fn insert(&self, record: &Record) -> rusqlite::Result<()> {
        let (error, dateline) = (record.error.as_ref(), record.dateline.as_ref());
        self.connection
            .prepare_cached(
                "INSERT INTO documents VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                self.document,
                record.id,
                record.source,
                record.title,
                record.date,
                dateline.and_then(|d| d.place.as_ref()).map(|s| &s.text),
                dateline.and_then(|d| d.date.as_ref()).map(|s| &s.text),
                dateline.and_then(|d| d.agency.as_ref()).map(|s| &s.text),
                record.text,
                record.usage.tokens as i64,
                record.usage.windows as i64,
                record.usage.truncated as i64,
                error.map(|e| &e.kind),
                error.map(|e| &e.message),
            ])?;
        self.insert_quotes(record)?;
        let mut insert =
            self.connection.prepare_cached("INSERT INTO entities VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")?;
        for row in entity_rows(record) {
            insert.execute(params![self.document, row.kind, row.start as i64, row.end as i64, row.text, row.score])?;
        }
        Ok(())
    }

    fn insert_quotes(&self, record: &Record) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO quotes VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
             ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        )?;
        for (row, quote) in quote_rows(record).zip(record.quotes.iter().flatten()) {
            let mention = quote.speaker.as_ref().and_then(|s| s.mention.as_ref());
            insert.execute(params![
                self.document,
                row.quote as i64,
                row.start.map(|n| n as i64),
                row.end.map(|n| n as i64),
                parts(quote),
                row.text,
                name_of(&row.kind),
                row.speaker,
                row.mention,
                start(mention),
                end(mention),
                row.role,
                row.country,
                quote.speaker.as_ref().and(row.evidence.as_ref()),
                quote.no_speaker.as_ref().map(name_of),
                row.cue,
                start(quote.cue.as_ref()),
                end(quote.cue.as_ref()),
                row.confidence,
                row.flags,
                row.stance_label.map(|label| label.as_str()),
                row.stance_score,
                row.stance_conciliatory,
                row.stance_firm,
                row.stance_neutral,
            ])?;
        }
        Ok(())
    }

    /// Ends the transaction, with what is done so far in it.
    ///
    /// # Errors
    /// When the disk is full, and the like.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let counts = &checkpoint.counts;
        let commit = || -> rusqlite::Result<()> {
            self.connection
                .prepare_cached(
                    "UPDATE runs SET documents = ?1, failed = ?2, quotes = ?3, entities = ?4, tokens = ?5, windows = ?6,
                     truncated = ?7, checkpoint = ?8",
                )?
                .execute(params![
                    counts.read as i64,
                    counts.failed as i64,
                    counts.quotes as i64,
                    counts.entities as i64,
                    counts.usage.tokens as i64,
                    counts.usage.windows as i64,
                    counts.usage.truncated as i64,
                    json!(checkpoint).to_string(),
                ])?;
            self.connection.execute_batch("COMMIT; BEGIN")
        };
        commit().map_err(|e| self.error(e))
    }

    /// The unfinished database that stays if the run ends here.
    pub fn partial(&self) -> PathBuf {
        partial_path(&self.path)
    }

    /// Adds indexes and views, and gives the database its name.
    ///
    /// # Errors
    /// When the disk is full, and the like.
    pub fn finish(self) -> Result<()> {
        let end = || -> rusqlite::Result<()> {
            self.connection.execute_batch(INDEXES_AND_VIEWS)?;
            self.connection.execute("UPDATE runs SET finished = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')", [])?;
            // One file, without a log beside it.
            self.connection.execute_batch("COMMIT; PRAGMA journal_mode = DELETE")
        };
        end().map_err(|e| self.error(e))?;
        let path = self.path;
        self.connection.close().map_err(|(_, e)| database_error(&path, e))?;
        let partial = partial_path(&path);
        if !publish(&partial, &path, None).map_err(|e| resumable_error(&path, e))? {
            fs::remove_file(&partial).map_err(|e| write_error(&path, e))?;
        }
        Ok(())
    }

    fn error(&self, error: rusqlite::Error) -> Error {
        resumable_error(&self.path, database_error(&self.path, error))
    }
}

/// A database and what SQLite keeps beside it.
fn files_of(database: &Path) -> Vec<PathBuf> {
    let beside = |suffix: &str| {
        let mut name = database.as_os_str().to_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    ["", "-wal", "-shm", "-journal"].into_iter().map(beside).collect()
}

fn open(path: &Path) -> Result<Connection> {
    let partial = partial_path(path);
    // No `create`: a partial file that vanished meanwhile must not come back empty.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&partial, flags)?;
        // A log written ahead: transactions survive a kill without waiting for the disk at each.
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(connection)
    };
    open().map_err(|e| match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::usage("this is no database of an earlier run")
            .in_file(&partial)
            .help("delete the file to start anew"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::usage("another program has it open").in_file(&partial).help("wait for it to end")
        }
        _ => database_error(path, e),
    })
}

fn database_error(path: &Path, error: rusqlite::Error) -> Error {
    let said = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "no space left on device".to_string(),
        Some(ErrorCode::ReadOnly) => "the file is read-only".to_string(),
        _ => error.to_string(),
    };
    Error::new(ErrorKind::Io, format!("writing failed: {said}")).in_file(path)
}

fn parts(quote: &QuoteRecord) -> String {
    json!(quote.parts.iter().map(|p| [p.start, p.end]).collect::<Vec<_>>()).to_string()
}

fn start(span: Option<&SpanRecord>) -> Option<i64> {
    span.map(|s| s.start as i64)
}

fn end(span: Option<&SpanRecord>) -> Option<i64> {
    span.map(|s| s.end as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Counts;
    use crate::record::tests::full_record;

    fn settings(unit: &str) -> Map<String, Value> {
        [("offset-unit".to_string(), Value::from(unit))].into_iter().collect()
    }

    fn checkpoint(read: u64) -> Checkpoint {
        let counts = Counts { read, quotes: read, ..Default::default() };
        Checkpoint { counts, input: "hash".into(), bytes: 0, errors: 0 }
    }

    fn record(id: &str) -> Record {
        Record { id: id.into(), error: None, ..full_record() }
    }

    fn fresh(path: &Path) -> Database {
        match Database::resumable(path, &settings("char"), true).unwrap() {
            Start::Fresh(database) => database,
            _ => panic!("there was nothing before"),
        }
    }

    fn one<T: rusqlite::types::FromSql>(path: &Path, query: &str) -> T {
        Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn everything_of_a_record_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.sqlite");
        let mut database = fresh(&path);
        database.write(&record("a")).unwrap();
        database.write(&Record::failed("b", None, &Error::document("no text"))).unwrap();
        database.checkpoint(&checkpoint(2)).unwrap();
        database.finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let said = "SELECT speaker || stance_label || stance_score || mention || mention_start || parts || id
                    FROM quotes_in_articles";
        assert_eq!(one::<String>(&path, said), "Anna Lindfirm-0.4he7[[1,5],[17,18]]a");
        assert_eq!(one::<String>(&path, "SELECT text FROM documents WHERE document = 1"), full_record().text.unwrap());
        assert_eq!(one::<String>(&path, "SELECT speaker || quotes || firm FROM speakers"), "Anna Lind11");
        assert_eq!(one::<String>(&path, "SELECT month || quotes FROM speakers_by_month"), "2031-051");
        assert_eq!(one::<String>(&path, "SELECT text || type || articles FROM names"), "LindPER1");
        assert_eq!(one::<String>(&path, "SELECT id || error FROM failures"), "bno text");
        assert_eq!(one::<i64>(&path, "SELECT documents FROM runs WHERE finished IS NOT NULL"), 2);
    }

    #[test]
    fn a_killed_run_goes_on_after_its_last_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.sqlite");
        let mut database = fresh(&path);
        database.write(&record("a")).unwrap();
        database.checkpoint(&checkpoint(1)).unwrap();
        database.write(&record("b")).unwrap();
        drop(database);
        let refused = Database::resumable(&path, &settings("char"), false).err().expect("not without --resume");
        assert!(refused.to_string().contains("an earlier run was not finished"), "{refused}");
        let refused = Database::resumable(&path, &settings("byte"), true).err().expect("not with other settings");
        assert!(refused.to_string().contains(r#"offset-unit was "char" and is "byte" now"#), "{refused}");
        let Start::Resumed(mut database, done) = Database::resumable(&path, &settings("char"), true).unwrap() else {
            panic!("one document is done")
        };
        assert_eq!(done, checkpoint(1));
        database.write(&record("b")).unwrap();
        database.checkpoint(&checkpoint(2)).unwrap();
        database.finish().unwrap();
        assert_eq!(one::<String>(&path, "SELECT group_concat(document || id) FROM documents"), "1a,2b");
        assert_eq!(one::<i64>(&path, "SELECT max(quote) FROM quotes"), 2);
        assert!(matches!(Database::resumable(&path, &settings("char"), true).unwrap(), Start::Finished));
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.sqlite");
        fs::write(partial_path(&path), "no database, but long enough to be looked at ".repeat(9)).unwrap();
        let refused = Database::resumable(&path, &settings("char"), true).err().unwrap();
        assert!(refused.to_string().contains("this is no database of an earlier run"), "{refused}");
    }
}
