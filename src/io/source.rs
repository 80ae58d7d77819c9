//! Which files a run reads: the paths given, folders searched, standard input.

use crate::error::{Error, Result};
use crate::io::archive::Container;
use crate::io::compression::Compression;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// How a file holds documents; the command line calls the formats by the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// The whole file is one document
    Text,
    /// A web page, of which the article is read
    Html,
    /// One JSON object a line
    Jsonl,
    /// A list of JSON objects, or a single one
    Json,
    /// Comma or otherwise separated values with a header
    Csv,
    /// Tab separated values with a header
    Tsv,
    /// A Parquet table
    Parquet,
    /// An Arrow table: an IPC file (Feather) or stream
    Arrow,
    /// Tokens, one a line, with a blank line after each sentence
    Conll,
}

impl Format {
    /// What the ending of `path` says, a compression's ending left aside.
    ///
    /// ```
    /// use detente::io::source::Format;
    /// assert_eq!(Format::of_name("news.JSONL.gz".as_ref()), Some(Format::Jsonl));
    /// assert_eq!(Format::of_name("photo.png".as_ref()), None);
    /// ```
    pub fn of_name(path: &Path) -> Option<Format> {
        match ending(path)?.as_str() {
            "txt" | "text" | "md" => Some(Format::Text),
            "html" | "htm" | "xhtml" | "shtml" => Some(Format::Html),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            "tsv" => Some(Format::Tsv),
            "parquet" => Some(Format::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Format::Arrow),
            "conll" | "bio" | "iob" => Some(Format::Conll),
            _ => None,
        }
    }

    /// What the first bytes of a stream without a name look like.
    pub fn of_start(start: &[u8]) -> Format {
        match start {
            [b'P', b'A', b'R', b'1', ..] => return Format::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, _, _, 0, 0, ..] => {
                return Format::Arrow;
            }
            _ => {}
        }
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        let first_line = start.split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii_end();
        match start.first() {
            Some(b'{') if first_line.ends_with(b"}") => Format::Jsonl,
            Some(b'{') => Format::Json,
            Some(b'[') if start.get(1..).unwrap_or_default().trim_ascii_start().starts_with(b"{") => Format::Json,
            Some(b'<') if is_page(start) => Format::Html,
            _ => Format::Text,
        }
    }
}

/// Whether a text that begins with `<` is a web page.
fn is_page(start: &[u8]) -> bool {
    let name: Vec<u8> = start.iter().take(14).map(u8::to_ascii_lowercase).collect();
    [&b"<!doctype html"[..], b"<html", b"<head"].iter().any(|page| name.starts_with(page))
}

/// Where documents come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file that the user named.
    Named(PathBuf),
    /// A file found in a folder.
    Found(PathBuf),
}

impl Source {
    /// How the user calls it: the path, or `-`.
    pub fn path(&self) -> &Path {
        match self {
            Source::Stdin => Path::new("-"),
            Source::Named(path) | Source::Found(path) => path,
        }
    }
}

/// A file that a folder holds and that is not read, with the reason.
#[derive(Debug)]
pub struct Skipped {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// The files that `paths` name, folders searched in the order of names, hidden files left out, patterns (`*`, `?`, `[…]`,
/// `**`) that no file is called by filled in in the order of names.
///
/// In folders, files whose ending tells no format are skipped, unless `format` says how to read them.
pub fn sources(paths: Vec<PathBuf>, format: Option<Format>) -> impl Iterator<Item = Result<Source, Skipped>> + Send {
    paths.into_iter().flat_map(move |path| -> Box<dyn Iterator<Item = Result<Source, Skipped>> + Send> {
        if path.as_os_str() == "-" {
            Box::new(std::iter::once(Ok(Source::Stdin)))
        } else if path.is_dir() {
            Box::new(search(&path, format))
        } else if let Some(found) = filled_in(&path) {
            Box::new(sources(found, format))
        } else {
            Box::new(std::iter::once(Ok(Source::Named(path))))
        }
    })
}

/// What a pattern stands for; none if `path` is no pattern, or a file of that name is there.
fn filled_in(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.to_str().filter(|p| p.contains(['*', '?', '[']))?;
    if path.symlink_metadata().is_ok() {
        return None;
    }
    Some(glob::glob(pattern).ok()?.filter_map(Result::ok).collect())
}

fn search(folder: &Path, format: Option<Format>) -> impl Iterator<Item = Result<Source, Skipped>> + Send + use<> {
    let root = folder.to_path_buf();
    let visible = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible);
    entries.filter_map(move |entry| match entry {
        Ok(entry) if entry.file_type().is_dir() => None,
        Ok(entry) => Some(judge(entry.into_path(), format)),
        Err(error) => {
            let path = error.path().unwrap_or(&root).to_path_buf();
            let reason = match error.loop_ancestor() {
                Some(ancestor) => format!("a link back to {}", ancestor.display()),
                None => error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
            };
            Some(Err(Skipped { path, reason }))
        }
    })
}

fn judge(path: PathBuf, format: Option<Format>) -> Result<Source, Skipped> {
    match unread(&path, format) {
        Some(reason) => Err(Skipped { path, reason }),
        None => Ok(Source::Found(path)),
    }
}

/// Why a file that nobody named is left out; none if it is read.
pub fn unread(path: &Path, format: Option<Format>) -> Option<String> {
    if let Some(kind) = unsupported(path) {
        return Some(format!("{kind} is not read"));
    }
    let known = Container::of_name(path).is_some() || Format::of_name(path).is_some_and(|f| f != Format::Conll);
    (format.is_none() && !known).then(|| "its ending tells no format; --input-format reads it".into())
}

/// Checks that everything the user named is there, before any work begins.
///
/// # Errors
/// For the first path that is not.
pub fn check_paths(paths: &[PathBuf]) -> Result<()> {
    let missing = |path: &&PathBuf| path.as_os_str() != "-" && path.symlink_metadata().is_err();
    for path in paths.iter().filter(missing) {
        match filled_in(path) {
            None => return Err(Error::usage("no such file or folder").in_file(path).help("check the path")),
            Some(found) if found.is_empty() => {
                return Err(Error::usage("no file fits this pattern").in_file(path).help("check the path"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The size of all files together; none when standard input is among them.
pub fn total_bytes(paths: &[PathBuf], format: Option<Format>) -> Option<u64> {
    sources(paths.to_vec(), format)
        .filter_map(Result::ok)
        .map(|source| match source {
            Source::Stdin => None,
            Source::Named(path) | Source::Found(path) => Some(path.metadata().map_or(0, |m| m.len())),
        })
        .sum()
}

/// What a file is, if its ending says that it is none of the formats read.
pub fn unsupported(path: &Path) -> Option<&'static str> {
    Some(match ending(path)?.as_str() {
        "7z" | "rar" | "xz" | "txz" => "an archive of this kind",
        "xml" => "an XML file",
        "pdf" => "a PDF file",
        "doc" | "docx" | "odt" | "rtf" => "an office document",
        "xls" | "xlsx" | "ods" => "a spreadsheet",
        "sqlite" | "sqlite3" | "db" => "a database",
        _ => return None,
    })
}

/// The ending in lower case, a compression's ending left aside.
pub fn ending(path: &Path) -> Option<String> {
    let inner = match Compression::of_name(path) {
        Compression::None => path.to_path_buf(),
        _ => path.with_extension(""),
    };
    inner.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_are_searched_in_order_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.txt", "a.jsonl.gz", ".hidden.txt", "sub/c.md", ".git/d.txt", "z.7z", "y.story", "w.tgz"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let said: Vec<String> = sources(vec![folder.path().to_path_buf(), "-".into(), "x.txt".into()], None)
            .map(|source| {
                let name = |path: &Path| path.strip_prefix(folder.path()).unwrap_or(path).display().to_string();
                match source {
                    Ok(source) => name(source.path()),
                    Err(skipped) => format!("{}: {}", name(&skipped.path), skipped.reason),
                }
            })
            .collect();
        let expected = [
            "a.jsonl.gz",
            "b.txt",
            "sub/c.md",
            "w.tgz",
            "y.story: its ending tells no format; --input-format reads it",
            "z.7z: an archive of this kind is not read",
            "-",
            "x.txt",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn patterns_are_filled_in_in_order_unless_a_file_is_called_so() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b1.txt", "a1.txt", "sub/c1.txt", "[x]1.txt"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let all = sources(vec![folder.path().join(pattern)], None).map(|s| s.unwrap());
            all.map(|s| s.path().strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(found("[ab]1.*"), ["a1.txt", "b1.txt"]);
        assert_eq!(found("**/c?.txt"), ["sub/c1.txt"]);
        assert_eq!(found("[x]1.txt"), ["[x]1.txt"]);
        let none = check_paths(&[folder.path().join("*.md")]).unwrap_err();
        assert!(none.to_string().contains("no file fits this pattern"), "{none}");
    }

    #[test]
    fn streams_without_a_name_are_told_by_their_start() {
        let cases: [(&[u8], Format); 10] = [
            (b"PAR1\x15\x04", Format::Parquet),
            (b"ARROW1\0\0", Format::Arrow),
            (b"\n <!DOCTYPE HTML><title>", Format::Html),
            (b"<b>Talks", Format::Text),
            (b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n", Format::Jsonl),
            (b"\xef\xbb\xbf {\n \"text\": \"a\"\n}", Format::Json),
            (b"[ {\"text\": \"a\"}]", Format::Json),
            (b"[Moscow] Talks resumed.", Format::Text),
            (b"Talks resumed.", Format::Text),
            (b"", Format::Text),
        ];
        for (start, format) in cases {
            assert_eq!(Format::of_start(start), format, "{}", String::from_utf8_lossy(start));
        }
    }
}
