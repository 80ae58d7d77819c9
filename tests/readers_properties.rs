//! What holds for every file, however broken: reading ends, and each row is a document with text or an error with its place
//! and a reason. `PROPTEST_CASES=100000 cargo test --release --test readers_properties` fuzzes for longer.

use detente::io::{Documents, ReadOptions};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;

/// Pieces that files are made of, so that random rows of them come near real files.
const PIECES: &[&[u8]] = &[
    b"{\"text\": \"",
    b"{\"id\": \"a\", \"body\": \"",
    b"\"}",
    b"\"text\"",
    b"\\u00e9",
    b"\\ud800",
    b"\\\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b";",
    b"\t",
    b":",
    b"null",
    b"1e999",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b"id,text,title\n",
    b"id\ttext\n",
    b"Talks resumed in Port Lavel. ",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\0",
    b"\xe2\x80\x9c",
    b"\xe2\x80",
    b"\xe9",
    b"\x93",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh9",
    b"PAR1",
    b"PK\x03\x04",
    b"%PDF",
];

const ENDINGS: &[&str] = &["txt", "jsonl", "json", "csv", "tsv", "xyz", "jsonl.gz", "json.zst", "csv.bz2", "txt.gz"];

/// Reads the file to its end and checks what every list of documents keeps.
fn assert_sound(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    let mut ids = std::collections::HashSet::new();
    for (row, document) in Documents::open(vec![path], ReadOptions::default()).enumerate() {
        // Every row takes at least a byte.
        assert!(row <= content.len() + 1, "more rows than bytes in {name}");
        match document {
            Ok(document) => {
                assert!(!document.text.trim().is_empty(), "a document without text in {name}");
                assert!(ids.insert(document.id), "an id twice in {name}");
            }
            Err(unread) => assert!(!unread.error.to_string().is_empty() && !unread.id.is_empty()),
        }
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_break_a_reader(
        ending in proptest::sample::select(ENDINGS),
        content in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = tempfile::tempdir().unwrap();
        assert_sound(folder.path(), &format!("file.{ending}"), &content);
    }

    #[test]
    fn no_row_of_pieces_breaks_a_reader(
        ending in proptest::sample::select(ENDINGS),
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        assert_sound(folder.path(), &format!("file.{ending}"), &pieces.concat());
    }

    #[test]
    fn a_compressed_file_may_be_cut_anywhere(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..40),
        kept in 0.0..1.0f64,
    ) {
        let whole = gzip(&pieces.concat());
        let cut = &whole[..(whole.len() as f64 * kept) as usize];
        let folder = tempfile::tempdir().unwrap();
        assert_sound(folder.path(), "file.jsonl.gz", cut);
    }
}
