//! Killed at any moment and started again, a run writes what one run would have written, in every format.

#![cfg(unix)]

use assert_cmd::cargo::cargo_bin;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kills of each format.
const KILLS: usize = 8;

fn rows(folder: &Path, count: usize) -> PathBuf {
    let path = folder.join("rows.jsonl");
    let row = |i: usize| match i % 50 {
        7 => format!("{{\"id\": {i}, \"text\": {i}}}\n"),
        8 => format!("{{\"id\": {i}, \"text\": \"“Again,” Premier Anna Lind said.\"}}\n"),
        _ => {
            let more = "She spoke in Port Lavel. ".repeat(i % 13);
            format!("{{\"id\": {i}, \"text\": \"“Yes {i},” Premier Anna Lind said. {more}“No,” she added.\"}}\n")
        }
    };
    std::fs::write(&path, (0..count).map(row).collect::<String>()).unwrap();
    path
}

fn detente(rows: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("detente"));
    command.args(["quotes", "--quotes", "direct", "--quiet"]).arg(rows).arg("-o").arg(out).args(more);
    command.stderr(Stdio::null());
    command
}

/// What a file holds, apart from the times at which a database was made.
fn content(path: &Path) -> Vec<u8> {
    if path.extension().is_none_or(|e| e != "sqlite") {
        return std::fs::read(path).unwrap();
    }
    let database = rusqlite::Connection::open(path).unwrap();
    let mut content = String::new();
    for rows in ["* FROM documents", "* FROM quotes", "* FROM entities", "name, sql FROM sqlite_master"] {
        let mut query = database.prepare(&format!("SELECT {rows}")).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<rusqlite::types::Value> = (0..columns).map(|c| row.get(c).unwrap()).collect();
            content += &format!("{cells:?}\n");
        }
    }
    content += &database
        .query_row("SELECT documents || ' ' || failed || ' ' || quotes FROM runs", [], |row| row.get::<_, String>(0))
        .unwrap();
    content.into_bytes()
}

#[test]
fn killed_at_random_moments_every_format_comes_out_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(folder.path(), 1_000);
    let mut random = ChaCha8Rng::seed_from_u64(42);
    for name in ["out.jsonl", "out.csv", "out.jsonl.zst", "out.sqlite", "out.parquet"] {
        let whole = folder.path().join(format!("whole.{name}"));
        let begun = Instant::now();
        assert_eq!(detente(&rows, &whole, &[]).status().unwrap().code(), Some(1), "{name}: some rows are bad");
        let once = begun.elapsed();

        let (out, list) = (folder.path().join(name), folder.path().join("errors.jsonl"));
        let more = ["--resume", "--errors", list.to_str().unwrap()];
        let mut killed = 0;
        while killed < KILLS {
            if out.exists() {
                // It was faster than the kill: begin anew.
                std::fs::remove_file(&out).unwrap();
            }
            let mut child = detente(&rows, &out, &more).spawn().unwrap();
            std::thread::sleep(once.mul_f64(random.random_range(0.0..0.6)));
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
        }
        let last = detente(&rows, &out, &more).status().unwrap();
        assert!(matches!(last.code(), Some(0 | 1)), "{name}: {last}");
        assert!(content(&out) == content(&whole), "{name} differs after {killed} kills");
        let listed = std::fs::read_to_string(&list).unwrap();
        assert_eq!(listed.lines().count(), 1_000 / 50, "{name}: each failure is listed once");
        std::fs::remove_file(list).unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
    }
}

#[test]
fn changed_settings_are_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(folder.path(), 4_000);
    for name in ["out.jsonl", "out.sqlite"] {
        let out = folder.path().join(name);
        let partial = folder.path().join(format!("{name}.partial"));
        let mut child = detente(&rows, &out, &[]).spawn().unwrap();
        while partial.metadata().map_or(0, |m| m.len()) < 30_000 {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let again = detente(&rows, &out, &["--resume", "--offset-unit", "byte", "--with-text"])
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8(again.stderr).unwrap();
        assert_eq!(again.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot be resumed with other settings"), "{said}");
        assert!(
            said.contains(r#"offset-unit was "char" and is "byte" now; with-text was false and is true now"#),
            "{said}"
        );
    }
}

#[test]
fn the_second_interruption_ends_at_once_and_the_file_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(folder.path(), 4_000);
    let (whole, out) = (folder.path().join("whole.jsonl"), folder.path().join("out.jsonl"));
    detente(&rows, &whole, &[]).status().unwrap();
    let partial = folder.path().join("out.jsonl.partial");
    let mut child = detente(&rows, &out, &[]).spawn().unwrap();
    while partial.metadata().map_or(0, |m| m.len()) < 30_000 {
        std::thread::sleep(Duration::from_millis(2));
    }
    for _ in 0..2 {
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status();
        // It may be gone after the first.
        sent.unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(partial.exists() && !out.exists());
    detente(&rows, &out, &["--resume"]).status().unwrap();
    assert!(content(&out) == content(&whole));
}
