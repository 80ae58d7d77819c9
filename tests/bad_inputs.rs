//! What people feed the program that is broken, and what it then tells them. Nothing here stops a run: the sound rows
//! of the same file come through.

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use assert_cmd::Command;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

const SOUND: &str = "{\"id\": \"sound\", \"text\": \"Talks resumed.\"}\n";

fn detente() -> Command {
    let mut command = Command::cargo_bin("detente").expect("the binary is built by the test run");
    command.args(["quotes", "--quotes", "direct"]);
    command
}

/// A file, the options, and what comes of it.
struct Case {
    file: &'static str,
    bytes: Vec<u8>,
    options: &'static [&'static str],
    /// Records with results.
    sound: usize,
    /// The sentences of the records that failed, without the file's name.
    errors: &'static [&'static str],
}

fn case(file: &'static str, bytes: impl Into<Vec<u8>>, sound: usize, errors: &'static [&'static str]) -> Case {
    Case { file, bytes: bytes.into(), options: &[], sound, errors }
}

fn with(options: &'static [&'static str], case: Case) -> Case {
    Case { options, ..case }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const STORY: &str =
    "<p>“We are ready to talk,” Premier Anna Lind said in Port Lavel on Monday, and the envoys went on.</p>";

/// A web page around a story.
fn page(story: &str) -> String {
    format!(
        "<html><head><meta charset=windows-1252><title>T</title></head><body><nav>Home</nav><article>{story}</article></body></html>"
    )
}

fn strings() -> ArrayRef {
    Arc::new(StringArray::from(vec!["Talks resumed.", "Talks ended."]))
}

/// Two rows with an id and one column more.
fn table(name: &str, column: ArrayRef) -> RecordBatch {
    let id: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    RecordBatch::try_from_iter_with_nullable([("id", id, true), (name, column, true)]).unwrap()
}

fn parquet(batch: RecordBatch) -> Vec<u8> {
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn arrow(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn between(before: &str, middle: &[u8], after: &str) -> Vec<u8> {
    [before.as_bytes(), middle, after.as_bytes()].concat()
}

/// A row that holds `text`, and a sound one after it.
fn long_row(bytes: usize) -> Vec<u8> {
    [b"{\"text\": \"".to_vec(), vec![b'x'; bytes], b"\"}\n".to_vec(), SOUND.into()].concat()
}

fn noise(bytes: u32) -> Vec<u8> {
    (0..bytes / 4).flat_map(|i| i.wrapping_mul(2_654_435_761).rotate_left(9).to_le_bytes()).collect()
}

fn cases() -> Vec<Case> {
    vec![
        // Text files
        case("empty.txt", "", 0, &[": there is no text in it"]),
        case("blank.txt", " \r\n\t\n", 0, &[": there is no text in it"]),
        case("bom_only.txt", "\u{feff}", 0, &[": there is no text in it"]),
        case("bom.txt", "\u{feff}Talks resumed.", 1, &[]),
        case("crlf.txt", "Talks\r\nresumed.\r", 1, &[]),
        case("zero.txt", "Talks\0resumed.", 0, &[": a zero byte, so this is a binary file, not text at byte 5"]),
        case("noise.txt", noise(4096), 0, &[": a zero byte, so this is a binary file, not text at byte 0"]),
        case("page.txt", "%PDF-1.7\n", 0, &[": this is a PDF file, not text"]),
        case("photo.txt", b"\x89PNG\r\n\x1a\n", 0, &[": this is a PNG image, not text"]),
        case("sheet.txt", b"PK\x03\x04\x14", 0, &[": this is a ZIP archive or an Office document, not text"]),
        case("table.txt", b"PAR1\x15\x04", 0, &[": this is a Parquet file, not text"]),
        case("feed.xml", "<p>Talks</p>", 0, &[": an XML file is not read (extract the text first)"]),
        case("news.7z", b"7z\xbc\xaf", 0, &[": an archive of this kind is not read (extract the text first)"]),
        case("report.pdf", "%PDF-1.7", 0, &[": a PDF file is not read (extract the text first)"]),
        case("old.sqlite", "SQLite format 3", 0, &[": a database is not read (extract the text first)"]),
        case(
            "broken.txt",
            between("“Talks” resumed", b" \xe2\x80 ", "“today”."),
            0,
            &[
                ": not valid UTF-8 at byte 20 (mend the file, or name its encoding with --encoding, for instance windows-1252)",
            ],
        ),
        case("western.txt", b"Jos\xe9 said \x93yes\x94.", 1, &[]),
        case("utf16.txt", [b"\xff\xfe".to_vec(), utf16("Talks resumed.")].concat(), 1, &[]),
        case("utf16_plain.txt", utf16("Talks resumed in Port Lavel."), 1, &[]),
        case(
            "half_pair.txt",
            [b"\xff\xfe".to_vec(), utf16("Talks "), b"\x3d\xd8x\0".to_vec()].concat(),
            0,
            &[": not valid UTF-16LE (mend the file, or name its encoding with --encoding, for instance windows-1252)"],
        ),
        with(
            &["--encoding", "utf-8"],
            case(
                "wrong_encoding.txt",
                b"Jos\xe9 said yes.",
                0,
                &[
                    ": not valid UTF-8 at byte 3 (mend the file, or name its encoding with --encoding, for instance windows-1252)",
                ],
            ),
        ),
        with(
            &["--max-document-size", "10"],
            case(
                "long.txt",
                "Talks resumed.",
                0,
                &[": the document is longer than 10 bytes (split it, or raise --max-document-size)"],
            ),
        ),
        case(
            "huge.txt",
            vec![b'x'; 9 << 20],
            0,
            &[": the document is longer than 8 MiB (split it, or raise --max-document-size)"],
        ),
        // Compressed files
        case(
            "cut.txt.gz",
            gzip(&noise(100_000))[..50_000].to_vec(),
            0,
            &[": the compressed data end too early (the file was cut off: fetch it again)"],
        ),
        case(
            "bomb.txt.gz",
            gzip(&vec![b' '; 80 << 20]),
            0,
            &[": the document is longer than 8 MiB (split it, or raise --max-document-size)"],
        ),
        case(
            "bomb.jsonl.gz",
            gzip(&vec![b' '; 80 << 20]),
            0,
            &[
                ":1: decompresses to more than 250 times its size (a decompression bomb? If the file is sound, raise --max-expansion)",
            ],
        ),
        case("not_really.jsonl.gz", SOUND, 1, &[]),
        case("unnamed.jsonl", gzip(SOUND.as_bytes()), 1, &[]),
        case(
            "cut.jsonl.gz",
            {
                let rows: String = (0..20_000)
                    .map(|i| format!("{{\"id\": {i}, \"text\": \"Row {}\"}}\n", i * 7919 % 10_007))
                    .collect();
                let whole = gzip(rows.as_bytes());
                whole[..40].to_vec()
            },
            0,
            &[":1: the compressed data end too early (the file was cut off: fetch it again)"],
        ),
        case(
            "cut.txt.zst",
            zstd::encode_all(&noise(100_000)[..], 3).unwrap()[..40_000].to_vec(),
            0,
            &[": the compressed data end too early (the file was cut off: fetch it again)"],
        ),
        // JSON lines
        case(
            "deep.jsonl",
            ["[".repeat(100_000), "]".repeat(100_000), "\n".into(), SOUND.into()].concat(),
            1,
            &[":1: not valid JSON: recursion limit exceeded in column 128 (lists and objects may be nested 127 deep)"],
        ),
        case(
            "line_10mb.jsonl",
            long_row(10_000_000),
            1,
            &[":1: the document is longer than 8 MiB (split it, or raise --max-document-size)"],
        ),
        case(
            "line_100mb.jsonl",
            long_row(100_000_000),
            1,
            &[":1: the line is longer than 32 MiB (raise --max-line-size, if your articles are that long)"],
        ),
        case(
            "torn.jsonl",
            [SOUND, "{\"id\": \"torn\", \"te"].concat(),
            1,
            &[":2: not valid JSON: EOF while parsing a string in column 18"],
        ),
        case(
            "plain.jsonl",
            ["Talks resumed.\n", SOUND].concat(),
            1,
            &[":1: not valid JSON: expected value in column 1"],
        ),
        case(
            "list.jsonl",
            ["[1, 2]\n", SOUND].concat(),
            1,
            &[":1: this row is a list, not a JSON object (each row must look like {\"text\": \"…\"})"],
        ),
        case(
            "surrogate.jsonl",
            [r#"{"text": "\ud83d alone"}"#, "\n", SOUND].concat(),
            1,
            &[":1: not valid JSON: unexpected end of hex escape in column 17"],
        ),
        case("escaped_zero.jsonl", [r#"{"text": "Talks\u0000resumed."}"#, "\n", SOUND].concat(), 2, &[]),
        case(
            "raw_zero.jsonl",
            between(SOUND, b"{\"text\": \"Talks\0\"}\n", SOUND),
            2,
            &[":2: not valid JSON: control character (\\u0000-\\u001F) found while parsing a string in column 16"],
        ),
        case(
            "broken_utf8.jsonl",
            between("{\"text\": \"“So”\"}\n", b"{\"text\": \"\xff\"}\n", SOUND),
            2,
            &[
                ":2: not valid UTF-8 at byte 10 (mend the file, or name its encoding with --encoding, for instance windows-1252)",
            ],
        ),
        case(
            "no_text.jsonl",
            ["{\"id\": 1, \"story\": \"Talks.\"}\n", SOUND].concat(),
            1,
            &[
                ":1: no field `text`, `body` or `content`; there is `id`, `story` (name the right one with --text-field)",
            ],
        ),
        case(
            "null_text.jsonl",
            ["{\"text\": null}\n", SOUND].concat(),
            1,
            &[":1: field `text` is null, not text (name the right field with --text-field)"],
        ),
        case(
            "number_text.jsonl",
            ["{\"text\": 7}\n", SOUND].concat(),
            1,
            &[":1: field `text` is a number, not text (name the right field with --text-field)"],
        ),
        case("empty_text.jsonl", ["{\"text\": \"\"}\n", SOUND].concat(), 1, &[":1: there is no text in it"]),
        with(
            &["--text-field", "lead"],
            case(
                "other_field.jsonl",
                SOUND,
                0,
                &[":1: no field `lead`; there is `id`, `text` (name the right one with --text-field)"],
            ),
        ),
        case("same_id.jsonl", [SOUND, SOUND].concat(), 2, &[]),
        case("empty.jsonl", "", 0, &[]),
        case("bom.jsonl", ["\u{feff}", SOUND].concat(), 1, &[]),
        case("mac.jsonl", SOUND.trim_end(), 1, &[]),
        // JSON
        case(
            "cut.json",
            "[{\"text\": \"Talks.\"}, {\"text\": ",
            1,
            &[":2: the file ends inside row 2 of its JSON (it was cut off: fetch it again)"],
        ),
        case(
            "numbers.json",
            "[1, 2]",
            0,
            &[":1: row 1 in the list is not a JSON object (a list of objects like [{\"text\": \"…\"}] is needed)"],
        ),
        case(
            "comma.json",
            "[{\"text\": \"Talks.\"} {\"text\" \"Peace.\"}]",
            1,
            &[":2: row 2: not valid JSON: expected `:` in column 9"],
        ),
        // Tables
        case("empty.csv", "", 0, &[": the table is empty: not even a header line"]),
        case(
            "no_text.csv",
            "id,story\n1,Talks\n",
            0,
            &[
                ":1: no column `text`, `body` or `content`; there is `id`, `story` (name the right one with --text-field)",
            ],
        ),
        case(
            "ragged.csv",
            "id,text\n1,Talks\n2,Talks,resumed\n3,Peace\n",
            2,
            &[":3: the row has 3 columns, the header 2 (quote cells that hold the delimiter or line ends)"],
        ),
        case(
            "broken_utf8.csv",
            between("id,text\n1,“So”\n2,", b"\xff", "\n3,Peace\n"),
            2,
            &[
                ":3: column 2 is not valid UTF-8 (mend the file, or name its encoding with --encoding, for instance windows-1252)",
            ],
        ),
        with(
            &["--max-line-size", "64KiB"],
            case(
                "open_mark.csv",
                ["id,text\n1,\"Talks\n", &"2,Peace\n".repeat(50_000)].concat(),
                0,
                &[
                    ":2: the row is longer than 64 KiB; nothing after it was read (is a quotation mark never closed? Otherwise raise --max-line-size)",
                ],
            ),
        ),
        with(
            &["--id-field", "key"],
            case(
                "no_id.csv",
                "id,text\n1,Talks\n",
                0,
                &[":1: no column `key`; the header has `id`, `text` (mend --id-field)"],
            ),
        ),
        // Web pages
        case("story.html", page(STORY), 1, &[]),
        case(
            "empty.html",
            "<html><body></body></html>",
            0,
            &[": no article is found in the page: failed to grab the article (extract the text first)"],
        ),
        case("deep.html", "<div>".repeat(100_000), 0, &[": the page nests more than 512 elements inside one another"]),
        case("binary.html", noise(4096), 0, &[": a zero byte, so this is a binary file, not text at byte 0"]),
        case("western.html", encoding_rs::WINDOWS_1252.encode(&page(STORY)).0.into_owned(), 1, &[]),
        // Columnar tables
        case("sound.parquet", parquet(table("text", strings())), 2, &[]),
        case("sound.arrow", arrow(&table("text", strings())), 2, &[]),
        case("sound.parquet.gz", gzip(&parquet(table("body", strings()))), 2, &[]),
        case(
            "numbers.parquet",
            parquet(table("text", Arc::new(Int64Array::from(vec![1, 2])))),
            0,
            &[": column `text` is a number, not text (name the right one with --text-field)"],
        ),
        case(
            "binary.parquet",
            parquet(table("text", Arc::new(BinaryArray::from(vec![&b"Talks"[..], b"\xff"])))),
            0,
            &[": column `text` is binary data, not text (name the right one with --text-field)"],
        ),
        case(
            "binary.arrow",
            arrow(&table("text", Arc::new(BinaryArray::from(vec![&b"Talks"[..], b"\xff"])))),
            0,
            &[": column `text` is binary data, not text (name the right one with --text-field)"],
        ),
        case(
            "null.parquet",
            parquet(table("text", Arc::new(StringArray::from(vec![Some("Talks resumed."), None])))),
            1,
            &[":2: column `text` is null in this row, not text"],
        ),
        case(
            "no_text.parquet",
            parquet(table("story", strings())),
            0,
            &[": no column `text`, `body` or `content`; there is `id`, `story` (name the right one with --text-field)"],
        ),
        with(
            &["--id-field", "key"],
            case(
                "no_id.parquet",
                parquet(table("text", strings())),
                0,
                &[": no column `key`; the header has `id`, `text` (mend --id-field)"],
            ),
        ),
        case(
            "cut.parquet",
            {
                let whole = parquet(table("text", strings()));
                whole[..whole.len() / 2].to_vec()
            },
            0,
            &[
                ": the table is damaged: Parquet error: Invalid Parquet file. Corrupt footer (fetch the file again, or write it anew)",
            ],
        ),
        case(
            "empty.parquet",
            "",
            0,
            &[
                ": the table is damaged: EOF: Parquet file too small. Size is 0 but need 8 (fetch the file again, or write it anew)",
            ],
        ),
        // Archives
        case("sound.tar", tar(&[("a.txt", b"Talks resumed."), ("sub/rows.jsonl", SOUND.as_bytes())]), 2, &[]),
        case("sound.tar.gz", gzip(&tar(&[("rows.jsonl.gz", &gzip(SOUND.as_bytes()))])), 1, &[]),
        case("sound.tgz", gzip(&tar(&[("a.md", b"Talks resumed."), (".hidden.txt", b"x")])), 1, &[]),
        case(
            "sound.zip",
            zip(&[("a.txt", b"Talks resumed."), ("rows.jsonl", SOUND.as_bytes()), ("b.png", b"x")]),
            2,
            &[],
        ),
        case(
            "some.zip",
            zip(&[("a.txt", b""), ("rows.jsonl", b"{\n"), ("c.txt", b"Talks resumed.")]),
            1,
            &[
                "/a.txt: there is no text in it",
                "/rows.jsonl:1: not valid JSON: EOF while parsing an object in column 1",
            ],
        ),
        case("nested.zip", zip(&[("inner.zip", &zip(&[("a.txt", b"Talks")])), ("c.txt", b"Talks resumed.")]), 1, &[]),
        case(
            "bomb.zip",
            zip(&[("bomb.jsonl", &vec![b' '; 80 << 20]), ("c.txt", b"Talks resumed.")]),
            1,
            &[
                "/bomb.jsonl:1: decompresses to more than 250 times its size (a decompression bomb? If the file is sound, raise --max-expansion)",
            ],
        ),
        case(
            "cut.zip",
            {
                let whole = zip(&[("a.txt", &noise(10_000))]);
                whole[..5_000].to_vec()
            },
            0,
            &[": not a readable zip archive: invalid Zip archive: Could not find EOCD (fetch the file again)"],
        ),
        case(
            "cut.tar",
            tar(&[("a.txt", b"Talks resumed."), ("b.txt", &[b'x'; 5000])])[..2_000].to_vec(),
            1,
            &["/b.txt: the archive ends inside this file (it was cut off: fetch it again)"],
        ),
        case(
            "cut.tar.gz",
            {
                let whole = gzip(&tar(&[("a.txt", b"Talks resumed."), ("b.bin", &noise(100_000))]));
                whole[..50_000].to_vec()
            },
            1,
            &[": the compressed data end too early (the file was cut off: fetch it again)"],
        ),
        // CoNLL columns are no articles
        case(
            "tokens.conll",
            "Vantia B-LOC\n",
            0,
            &[": tokens in CoNLL columns are no articles (`detente entities --input-format conll` tags them)"],
        ),
    ]
}

#[test]
fn each_bad_input_has_its_sentence_and_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let cases = cases();
    assert!(cases.len() >= 40, "{}", cases.len());
    let faults: Vec<String> = cases.into_iter().filter_map(|case| fault(folder.path(), case)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is not as the case says; none if all is.
fn fault(folder: &Path, case: Case) -> Option<String> {
    let path = folder.join(case.file);
    std::fs::write(&path, &case.bytes).unwrap();
    let output = detente().args(case.options).arg(&path).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let records: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |record: &serde_json::Value| record["error"]["message"].as_str().map(str::to_string);
    let errors: Vec<String> = records.iter().filter_map(said).collect();
    let expected: Vec<String> = case.errors.iter().map(|error| format!("{}{error}", path.display())).collect();
    let code = i32::from(!case.errors.is_empty());
    let told = expected.iter().all(|error| stderr.contains(&format!("failed: {error}")));
    let right = errors == expected
        && records.len() == case.sound + expected.len()
        && output.status.code() == Some(code)
        && told;
    (!right).then(|| {
        format!(
            "{}: expected {} sound and {expected:?}\n  records: {}\n  code {:?}, stderr: {}",
            case.file,
            case.sound,
            stdout.chars().take(600).collect::<String>(),
            output.status.code(),
            stderr.chars().take(600).collect::<String>()
        )
    })
}

#[test]
fn an_archive_inside_an_archive_is_skipped_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outer.zip");
    std::fs::write(&path, zip(&[("inner.zip", &zip(&[("a.txt", b"Talks")])), ("c.txt", b"Talks resumed.")])).unwrap();
    let output = detente().arg(&path).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("inner.zip: an archive inside an archive; unpack it to read it"), "{stderr}");
    assert!(stderr.contains("1 document read, 1 record written, 0 failed, 1 skipped"), "{stderr}");
}

#[test]
fn failures_are_listed_with_place_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, list) = (folder.path().join("rows.jsonl"), folder.path().join("errors.jsonl"));
    std::fs::write(&rows, [SOUND, "{\"id\": \"x\", \"text\": 7}\n", SOUND, "{\n"].concat()).unwrap();
    let output = detente().arg(&rows).arg("--errors").arg(&list).arg("--progress").arg("json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let objects = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let listed = objects(&std::fs::read_to_string(&list).unwrap());
    let told: Vec<_> = listed.iter().map(|f| (f["id"].as_str().unwrap(), f["line"].as_u64().unwrap())).collect();
    assert_eq!(told, [("x", 2), (&*format!("{}#4", rows.display()), 4)]);
    assert_eq!(listed[0]["reason"], "field `text` is a number, not text");
    assert_eq!(listed[0]["file"], rows.to_str().unwrap());
    let mut events = objects(&String::from_utf8(output.stderr).unwrap());
    // A slow machine may tell of progress in between.
    events.retain(|event| event["event"] != "progress");
    let kinds: Vec<_> = events.iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["note", "failure", "failure", "summary"]);
    let summary = events.last().unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!((count("documents"), count("failed"), count("with_results"), count("written")), (4, 2, 2, 4));
    assert_eq!((count("copies"), count("ids_changed")), (1, 1));
}

/// Arguments that cannot work, the exit code, and what is said.
#[test]
fn what_cannot_be_read_or_written_is_told_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("a.txt");
    std::fs::write(&input, "“Yes,” said Lind.").unwrap();
    let left = folder.path().join("left.jsonl");
    std::fs::write(folder.path().join("left.jsonl.partial"), "").unwrap();
    let input = input.to_str().unwrap();
    let inside = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let cases: Vec<(Vec<String>, &str)> = vec![
        (vec![inside("missing.txt")], "no such file or folder\nhelp: check the path"),
        (vec![input.into(), "-o".into(), inside("no/out.jsonl")], "is not there\nhelp: make it first"),
        (vec![input.into(), "-o".into(), inside("")], "this is a folder\nhelp: --output names a file"),
        (
            vec![input.into(), "-o".into(), inside("out.pdf")],
            "a PDF file cannot be written\nhelp: choose an --output that ends in .jsonl, .csv, .parquet or .sqlite",
        ),
        (
            vec![input.into(), "--format".into(), "sqlite".into()],
            "this format cannot be written to standard output\nhelp: name a file with --output",
        ),
        (
            vec![input.into(), "-o".into(), left.display().to_string()],
            "an earlier run was not finished\nhelp: --resume goes on with it",
        ),
        (vec![input.into(), "--resume".into()], "required arguments were not provided"),
        (
            vec![input.into(), "--format".into(), "jsonl".into(), "--table".into(), "quotes".into()],
            "--table writes CSV or Parquet\nhelp: leave out --format, or choose csv or parquet",
        ),
        (
            vec![input.into(), "--encoding".into(), "klingon".into()],
            "no such encoding; try utf-8, utf-16le or windows-1252",
        ),
        (vec![input.into(), "--max-line-size".into(), "big".into()], "a size looks like 500KB or 8MiB"),
        (vec![], "required arguments were not provided"),
    ];
    for (arguments, said) in cases {
        let output = detente().args(&arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && stderr.contains(said),
            "{arguments:?}: {:?} {stderr}",
            output.status
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_that_vanished_is_an_error_record() {
        let folder = tempfile::tempdir().unwrap();
        symlink(folder.path().join("gone"), folder.path().join("named.txt")).unwrap();
        let output = detente().arg(folder.path().join("named.txt")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains("named.txt: cannot be opened: no such file or directory"), "{stderr}");
    }

    #[test]
    fn a_link_that_leads_back_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "Talks resumed.").unwrap();
        symlink(folder.path(), folder.path().join("again")).unwrap();
        let output = detente().arg(folder.path()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("again: a link back to"), "{stderr}");
        assert!(stderr.contains("1 document read, 1 record written, 0 failed, 1 skipped"), "{stderr}");
    }

    #[test]
    fn a_read_only_output_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("a.txt"), folder.path().join("out.jsonl"));
        std::fs::write(&input, "Talks resumed.").unwrap();
        std::fs::write(&output, "old").unwrap();
        std::fs::set_permissions(&output, std::fs::Permissions::from_mode(0o444)).unwrap();
        let ran = detente().arg(&input).arg("-o").arg(&output).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2));
        assert!(stderr.contains("the file is read-only\nhelp: choose another --output"), "{stderr}");
        assert_eq!(std::fs::read_to_string(output).unwrap(), "old");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "Talks resumed.").unwrap();
        let ran = detente().arg(folder.path()).args(["-o", "/dev/full"]).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1));
        assert!(stderr.contains("error: /dev/full: writing failed: no space left on device"), "{stderr}");
    }

    /// A limit on the size of files is a disk that fills up.
    #[test]
    fn a_disk_that_fills_up_leaves_a_resumable_file() {
        let folder = tempfile::tempdir().unwrap();
        let row = |i: usize| format!("{{\"id\": {i}, \"text\": \"“Yes {i},” said Lind.\"}}\n");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, (0..5_000).map(row).collect::<String>()).unwrap();
        for name in ["out.jsonl", "out.csv", "out.parquet", "out.sqlite"] {
            let out = folder.path().join(name);
            let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" quotes --quotes direct \"$1\" -o \"$2\"";
            let bin = assert_cmd::cargo::cargo_bin("detente");
            let ran =
                std::process::Command::new("bash").args(["-c", script]).args([&bin, &path, &out]).output().unwrap();
            let stderr = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(1), "{name}: {stderr}");
            assert!(stderr.contains("writing failed") && stderr.contains("add --resume"), "{name}: {stderr}");
            assert!(!out.exists(), "{name}");
            detente().arg(&path).arg("-o").arg(&out).arg("--resume").assert().success();
            assert!(out.exists() && !folder.path().join(format!("{name}.partial")).exists(), "{name}");
        }
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let folder = tempfile::tempdir().unwrap();
        let rows: String =
            (0..20_000).map(|i| format!("{{\"id\": {i}, \"text\": \"Talks resumed again.\"}}\n")).collect();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, rows).unwrap();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("detente"))
            .args(["quotes", "--quotes", "direct"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }

    #[test]
    fn an_interrupted_run_says_where_it_stopped_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let row = |i: usize| format!("{{\"id\": {i}, \"text\": \"“Yes {i},” said Lind.\"}}\n");
        let (path, out) = (folder.path().join("rows.jsonl"), folder.path().join("out.jsonl"));
        std::fs::write(&path, (0..30_000).map(row).collect::<String>()).unwrap();
        let expected = detente().arg(&path).output().unwrap().stdout;
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("detente"))
            .args(["quotes", "--quotes", "direct", "-o"])
            .args([&out, &path])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Some batches are written once the journal has lines.
        let journal = folder.path().join("out.jsonl.partial.journal");
        while std::fs::read_to_string(&journal).map_or(0, |j| j.lines().count()) < 3 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let stderr = {
            let output = child.wait().unwrap();
            assert_eq!(output.code(), Some(130));
            let mut stderr = String::new();
            std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
            stderr
        };
        assert!(stderr.contains("error: interrupted after") && stderr.contains("add --resume to go on"), "{stderr}");
        assert!(!out.exists());
        detente().arg(&path).arg("-o").arg(&out).arg("--resume").assert().success();
        assert!(std::fs::read(&out).unwrap() == expected);
    }
}

#[test]
fn standard_input_is_told_by_its_start() {
    let files: [(&str, &[u8]); 2] = [("a.txt", b"Talks resumed."), ("rows.jsonl", SOUND.as_bytes())];
    let kinds = [
        [SOUND, SOUND].concat().into_bytes(),
        gzip(&[SOUND, SOUND].concat().into_bytes()),
        parquet(table("text", strings())),
        arrow(&table("text", strings())),
        tar(&files),
        gzip(&tar(&files)),
        zip(&files),
    ];
    for (i, bytes) in kinds.into_iter().enumerate() {
        let output = detente().arg("-").write_stdin(bytes).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2, "{i}: {stderr}");
    }
    let output = detente().arg("-").write_stdin(page(STORY)).output().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = record["text"].as_str().expect("the text of a page is in its record");
    let part = &record["quotes"][0]["parts"][0];
    let (start, end) = (part["start"].as_u64().unwrap() as usize, part["end"].as_u64().unwrap() as usize);
    assert_eq!(text.chars().skip(start).take(end - start).collect::<String>(), "We are ready to talk,");
    let output = detente().arg("-").write_stdin("").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("failed: -: there is no text in it"));
}
