//! A text file is one document.

use crate::error::{Error, Result};
use crate::io::charset;
use crate::io::compression::{Bytes, peek};
use crate::io::read::stream_error;
use encoding_rs::Encoding;

/// The file's text, and the encoding it was in.
///
/// # Errors
/// When it is longer than `max_bytes`, no text, or broken.
pub fn read(
    mut bytes: Bytes,
    wished: Option<&'static Encoding>,
    max_bytes: usize,
) -> Result<(String, &'static Encoding)> {
    let raw = peek(&mut bytes, max_bytes.saturating_add(1)).map_err(stream_error)?;
    if raw.len() > max_bytes {
        return Err(too_long(max_bytes));
    }
    charset::decode(&raw, wished)
}

/// The error of a document above the limit.
pub fn too_long(max_bytes: usize) -> Error {
    Error::document(format!("the document is longer than {}", size(max_bytes)))
        .help("split it, or raise --max-document-size")
}

/// A number of bytes as people write it.
pub fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 1 << 20 && b % (1 << 20) == 0 => format!("{} MiB", b >> 20),
        b if b >= 1 << 10 && b % (1 << 10) == 0 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}

/// At most `width` characters of `text`, with `…` where some are left out.
pub fn shortened(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_string(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}
