//! Which characters the bytes of a file stand for: UTF-8, UTF-16, or an older encoding guessed by `chardetng`.

use crate::error::{Error, Result};
use crate::io::compression::Bytes;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

/// Files of these kinds are told by their first bytes, and named in the error.
const KNOWN_BINARY: [(&[u8], &str); 12] = [
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"SQLite format 3", "an SQLite database"),
];

/// How much of a file is looked at before its encoding is decided.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// The encoding that the bytes of `sample` are in; `whole` if nothing follows them.
///
/// A byte order mark decides; without one, zero bytes in every second place mean UTF-16, valid UTF-8 is UTF-8, text with
/// more valid than broken UTF-8 sequences is broken UTF-8, and all else is an older encoding that `chardetng` guesses.
///
/// # Errors
/// When this is no text.
pub fn detect(sample: &[u8], whole: bool) -> Result<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return Ok(encoding);
    }
    if let Some((_, name)) = KNOWN_BINARY.iter().find(|(magic, _)| sample.starts_with(magic)) {
        return Err(Error::document(format!("this is {name}, not text")));
    }
    let zeros = [0, 1].map(|odd| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count());
    let half = sample.len() / 2;
    match zeros {
        [0, 0] => {}
        [even, odd] if odd * 3 > half && even * 20 < half => return Ok(UTF_16LE),
        [even, odd] if even * 3 > half && odd * 20 < half => return Ok(UTF_16BE),
        [even, odd] if (even + odd) * 100 > sample.len() => return Err(binary(sample)),
        _ => {}
    }
    Ok(if is_utf8(sample, whole) { UTF_8 } else { guess_legacy(sample, whole) })
}

/// Zero bytes are in no text.
fn binary(bytes: &[u8]) -> Error {
    let place = bytes.iter().position(|b| *b == 0).unwrap_or(0);
    Error::document("a zero byte, so this is a binary file, not text").at_offset(place as u64)
}

/// Whether most of what is not ASCII is well-formed UTF-8.
fn is_utf8(sample: &[u8], whole: bool) -> bool {
    let (mut valid, mut broken) = (0usize, 0usize);
    for chunk in sample.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // A sample may end inside a character.
    let cut = std::str::from_utf8(sample).is_err_and(|e| e.error_len().is_none());
    broken -= usize::from(cut && !whole && broken > 0);
    broken == 0 || valid > broken
}

fn guess_legacy(sample: &[u8], whole: bool) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, whole);
    detector.guess(None, Utf8Detection::Deny)
}

/// The text of `bytes` without byte order mark, and the encoding they were in.
///
/// # Errors
/// When they are no text, or not well formed in their encoding.
pub fn decode(bytes: &[u8], wished: Option<&'static Encoding>) -> Result<(String, &'static Encoding)> {
    let encoding = match wished {
        Some(encoding) => encoding,
        None => detect(bytes, true)?,
    };
    let content = without_bom(bytes, encoding);
    let text = if encoding == UTF_8 {
        std::str::from_utf8(content).map_err(|e| not_utf8(&e))?.to_string()
    } else {
        let decoded = encoding.decode_without_bom_handling_and_without_replacement(content);
        decoded.ok_or_else(|| malformed(encoding))?.into_owned()
    };
    if text.contains('\0') { Err(binary(text.as_bytes())) } else { Ok((text, encoding)) }
}

/// The same for a stream of rows: UTF-8 bytes without byte order mark, and the encoding they were in.
///
/// UTF-8 is passed on unchecked, so that one broken row costs no other.
///
/// # Errors
/// When it cannot be read or is no text.
pub fn transcoded(raw: Bytes, wished: Option<&'static Encoding>) -> Result<(Bytes, &'static Encoding)> {
    let (sample, mut bytes) = super::compression::sampled(raw, SAMPLE_BYTES);
    let encoding = match wished {
        Some(encoding) => encoding,
        None => detect(&sample, sample.len() < SAMPLE_BYTES)?,
    };
    let bom = sample.len() - without_bom(&sample, encoding).len();
    super::compression::peek(&mut bytes, bom).map_err(super::read::stream_error)?;
    Ok(if encoding == UTF_8 { (bytes, encoding) } else { (Box::new(Transcoder::new(bytes, encoding)), encoding) })
}

/// The error of text that says it is UTF-8 and is not.
pub fn not_utf8(error: &std::str::Utf8Error) -> Error {
    let help = "mend the file, or name its encoding with --encoding, for instance windows-1252";
    Error::document("not valid UTF-8").at_offset(error.valid_up_to() as u64).help(help)
}

fn malformed(encoding: &'static Encoding) -> Error {
    Error::document(format!("not valid {}", encoding.name()))
        .help("mend the file, or name its encoding with --encoding, for instance windows-1252")
}

fn without_bom<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> &'a [u8] {
    match Encoding::for_bom(bytes) {
        Some((of_bom, length)) if of_bom == encoding => bytes.get(length..).unwrap_or(bytes),
        _ => bytes,
    }
}

/// A stream in another encoding, read as UTF-8.
struct Transcoder {
    inner: Bytes,
    decoder: Decoder,
    encoding: &'static Encoding,
    raw: Vec<u8>,
    raw_at: usize,
    at_end: bool,
    /// Decoded and not yet given out.
    ready: Vec<u8>,
    ready_at: usize,
}

impl Transcoder {
    fn new(inner: Bytes, encoding: &'static Encoding) -> Self {
        Transcoder {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            encoding,
            raw: Vec::new(),
            raw_at: 0,
            at_end: false,
            ready: Vec::new(),
            ready_at: 0,
        }
    }

    /// Decodes the next stretch into `ready`, which stays empty at the end.
    fn advance(&mut self) -> io::Result<()> {
        self.ready.resize(32 << 10, 0);
        self.ready_at = 0;
        loop {
            if self.raw_at == self.raw.len() && !self.at_end {
                self.raw = super::compression::peek(&mut self.inner, 16 << 10)?;
                self.raw_at = 0;
                self.at_end = self.raw.is_empty();
            }
            let source = self.raw.get(self.raw_at..).unwrap_or_default();
            let (result, taken, written) =
                self.decoder.decode_to_utf8_without_replacement(source, &mut self.ready, self.at_end);
            self.raw_at += taken;
            if matches!(result, DecoderResult::Malformed(..)) {
                return Err(io::Error::other(malformed(self.encoding)));
            }
            if written > 0 || (self.at_end && result == DecoderResult::InputEmpty) {
                self.ready.truncate(written);
                return Ok(());
            }
        }
    }
}

impl Read for Transcoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready_at == self.ready.len() {
            if self.at_end {
                return Ok(0);
            }
            self.advance()?;
        }
        let mut ready = self.ready.get(self.ready_at..).unwrap_or_default();
        let n = ready.read(buffer)?;
        self.ready_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;
    use std::io::Cursor;

    const TEXT: &str = "“We are ready to talk,” said José Ångström – again. 🕊";

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    fn stream(bytes: &[u8]) -> (String, &'static Encoding) {
        let (mut reader, encoding) = transcoded(Box::new(Cursor::new(bytes.to_vec())), None).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, encoding)
    }

    #[test]
    fn every_encoding_gives_the_same_text_whole_and_streamed() {
        let long = TEXT.repeat(5000);
        let western = long.replace('🕊', "");
        let cases: [(&str, Vec<u8>, &Encoding); 8] = [
            (&long, long.clone().into_bytes(), UTF_8),
            (&long, ["\u{feff}", &long].concat().into_bytes(), UTF_8),
            (&long, utf16(&["\u{feff}", &long].concat(), false), UTF_16LE),
            (&long, utf16(&["\u{feff}", &long].concat(), true), UTF_16BE),
            (&long, utf16(&long, false), UTF_16LE),
            (&long, utf16(&long, true), UTF_16BE),
            (&western, WINDOWS_1252.encode(&western).0.into_owned(), WINDOWS_1252),
            ("", Vec::new(), UTF_8),
        ];
        for (text, bytes, encoding) in cases {
            assert!(decode(&bytes, None).unwrap() == (text.to_string(), encoding), "{}", encoding.name());
            assert!(stream(&bytes) == (text.to_string(), encoding), "{}", encoding.name());
        }
    }

    #[test]
    fn one_broken_byte_does_not_make_utf8_something_else() {
        let bytes = [TEXT.as_bytes(), b" \xff "].concat();
        let error = decode(&bytes, None).unwrap_err();
        assert_eq!(error.without_help(), format!("not valid UTF-8 at byte {}", TEXT.len() + 1));
    }

    #[test]
    fn binary_files_are_named() {
        assert_eq!(decode(b"%PDF-1.7 ...", None).unwrap_err().to_string(), "this is a PDF file, not text");
        let error = decode(b"text with a zero \0 inside", None).unwrap_err();
        assert_eq!(error.to_string(), "a zero byte, so this is a binary file, not text at byte 17");
    }

    #[test]
    fn half_a_surrogate_pair_is_an_error() {
        let mut bytes = utf16("\u{feff}Peace", false);
        bytes.extend([0x3d, 0xd8, b'x', 0]);
        assert!(decode(&bytes, None).unwrap_err().to_string().starts_with("not valid UTF-16LE"));
    }
}
