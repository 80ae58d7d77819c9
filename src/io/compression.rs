//! Gzip, zstd and bzip2, told by their first bytes, read as a stream with a guard against decompression bombs.

use crate::error::{Error, Result};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below so many decompressed bytes no expansion is suspicious: short repetitive files compress by any factor.
const HARMLESS_BYTES: u64 = 16 << 20;

/// An error where `bytes_in` compressed bytes become, or say that they become, too many `bytes_out`.
///
/// # Errors
/// Beyond `max_expansion` times, unless it is little in all.
pub fn check_expansion(bytes_out: u64, bytes_in: u64, max_expansion: u64) -> Result<()> {
    if bytes_out > HARMLESS_BYTES && bytes_out / bytes_in.max(1) > max_expansion {
        let message = format!("decompresses to more than {max_expansion} times its size");
        let help = "a decompression bomb? If the file is sound, raise --max-expansion";
        return Err(Error::document(message).help(help));
    }
    Ok(())
}

/// A stream of bytes that may move to the reading thread.
pub type Bytes = Box<dyn Read + Send>;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// `.bz2`
    Bzip2,
}

impl Compression {
    /// What the ending of `path` says.
    ///
    /// ```
    /// use detente::io::compression::Compression;
    /// assert_eq!(Compression::of_name("news.jsonl.zst".as_ref()), Compression::Zstd);
    /// ```
    pub fn of_name(path: &Path) -> Compression {
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("gz") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            Some("bz2") => Compression::Bzip2,
            _ => Compression::None,
        }
    }

    /// What the first bytes of a file say.
    pub fn of_magic(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Compression::Bzip2,
            _ => Compression::None,
        }
    }
}

/// The decompressed bytes of `raw`, which may hold several members one after the other; plain bytes pass through.
///
/// More than `max_expansion` bytes out for one byte in is an error of the stream.
///
/// # Errors
/// When `raw` cannot be read.
pub fn decompressed(mut raw: Bytes, max_expansion: u64) -> io::Result<Bytes> {
    let start = peek(&mut raw, 6)?;
    let compression = Compression::of_magic(&start);
    let whole = Cursor::new(start).chain(raw);
    if compression == Compression::None {
        return Ok(Box::new(whole));
    }
    let bytes_in = Arc::new(AtomicU64::new(0));
    let counted = BufReader::with_capacity(64 << 10, Counted { inner: whole, count: bytes_in.clone() });
    let inner: Bytes = match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
        Compression::Zstd | Compression::None => Box::new(zstd::stream::read::Decoder::with_buffer(counted)?),
    };
    Ok(Box::new(ExpansionGuard::new(inner, bytes_in, max_expansion)))
}

/// The first `wanted` bytes of `reader`, fewer only where it ends before.
pub fn peek(reader: &mut (impl Read + ?Sized), wanted: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(wanted.min(64 << 10));
    reader.take(wanted as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The first `wanted` bytes of a stream, and the stream as if nothing had been read: an error that comes up within
/// them comes again at its place, so that what stands before it is not lost.
pub fn sampled(mut bytes: Bytes, wanted: usize) -> (Vec<u8>, Bytes) {
    let mut sample = Vec::new();
    let failed = (&mut bytes).take(wanted as u64).read_to_end(&mut sample).err();
    let rest: Bytes = match failed {
        Some(error) => Box::new(Failing(Some(error))),
        None => bytes,
    };
    (sample.clone(), Box::new(Cursor::new(sample).chain(rest)))
}

/// A stream of nothing but its error.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts the bytes that pass.
pub struct Counted<R> {
    /// Where they come from.
    pub inner: R,
    /// How many have passed.
    pub count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Ends a decompressed stream that expands beyond all measure.
pub struct ExpansionGuard<R> {
    inner: R,
    bytes_in: Arc<AtomicU64>,
    bytes_out: u64,
    max_expansion: u64,
}

impl<R> ExpansionGuard<R> {
    /// Guards `inner`, which comes out of as many compressed bytes as `bytes_in` counts.
    pub fn new(inner: R, bytes_in: Arc<AtomicU64>, max_expansion: u64) -> Self {
        ExpansionGuard { inner, bytes_in, bytes_out: 0, max_expansion }
    }

    /// How many bytes came out so far.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }
}

impl<R: Read> Read for ExpansionGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer).map_err(damaged)?;
        self.bytes_out += n as u64;
        let bytes_in = self.bytes_in.load(Ordering::Relaxed);
        check_expansion(self.bytes_out, bytes_in, self.max_expansion).map_err(io::Error::other)?;
        Ok(n)
    }
}

/// The decoders' words for broken data, in ours.
fn damaged(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains("incomplete frame") {
        let cut = Error::document("the compressed data end too early");
        return io::Error::other(cut.help("the file was cut off: fetch it again"));
    }
    let known = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other);
    if !known || error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return error;
    }
    let broken = Error::document(format!("the compressed data are damaged: {error}"));
    io::Error::other(broken.help("fetch the file again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_all(raw: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        decompressed(Box::new(Cursor::new(raw)), 250)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn every_compression_gives_back_the_bytes_also_of_several_members() {
        let text = b"Talks resumed in Vantia. ".repeat(1000);
        let twice = [&text[..], &text[..]].concat();
        for packed in [gzip(&text), bzip2(&text), zstd::encode_all(&text[..], 3).unwrap(), text.clone()] {
            assert_eq!(read_all(packed.clone()).unwrap(), text);
            assert_eq!(read_all([&packed[..], &packed[..]].concat()).unwrap(), twice);
        }
    }

    #[test]
    fn a_cut_stream_says_so_whatever_its_kind() {
        let text: Vec<u8> = (0..100_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for packed in [gzip(&text), bzip2(&text), zstd::encode_all(&text[..], 3).unwrap()] {
            let error = read_all(packed[..packed.len() / 2].to_vec()).unwrap_err();
            assert!(error.to_string().contains("end too early"), "{error}");
        }
    }

    #[test]
    fn what_stands_before_an_error_is_read() {
        let broken: Bytes = Box::new(Cursor::new(b"sound".to_vec()).chain(Failing(Some(io::Error::other("cut")))));
        let (sample, mut whole) = sampled(broken, 100);
        let mut read = Vec::new();
        assert_eq!(whole.read_to_end(&mut read).unwrap_err().to_string(), "cut");
        assert_eq!((sample.as_slice(), read.as_slice()), (&b"sound"[..], &b"sound"[..]));
    }

    #[test]
    fn a_bomb_is_stopped_early() {
        let bomb = gzip(&vec![b'a'; 64 << 20]);
        let error = read_all(bomb).unwrap_err();
        assert!(error.to_string().contains("more than 250 times"), "{error}");
    }
}
