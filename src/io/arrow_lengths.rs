//! How large the compressed buffers of Arrow IPC say they become, added up before their reader takes the memory for it.
//!
//! The format puts eight bytes before each compressed buffer that tell its length unpacked
//! (<https://arrow.apache.org/docs/format/Columnar.html#compression>); a broken or hostile file may say anything.

use crate::error::Result;
use crate::io::compression::check_expansion;
use crate::io::read::stream_error;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{Message, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};
use std::io::{Read, Seek, SeekFrom};

/// What marks the beginning of a message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// What marks the end of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// The length of the footer and the magic word at the end of a file.
const FILE_END: i64 = 10;

/// An error if the buffers of `file` say that they become more than `max_expansion` times its size; leaves it at its start.
///
/// What cannot be read is no error here: the reader that comes next says it better.
pub fn check_file(file: &mut (impl Read + Seek), max_expansion: u64) -> Result<()> {
    let length = file.seek(SeekFrom::End(0)).map_err(stream_error)?;
    let claimed = claimed_by_file(file).unwrap_or(0);
    file.rewind().map_err(stream_error)?;
    check_expansion(claimed, length, max_expansion)
}

/// The bytes that all compressed buffers of a file claim; none where the file does not hold together.
fn claimed_by_file(file: &mut (impl Read + Seek)) -> Option<u64> {
    file.seek(SeekFrom::End(-FILE_END)).ok()?;
    let length = i32::from_le_bytes(bytes(file)?);
    file.seek(SeekFrom::End(-FILE_END - i64::from(length))).ok()?;
    let footer = up_to(file, u64::try_from(length).ok()?)?;
    let footer = root_as_footer(&footer).ok()?;
    let mut claimed = 0_u64;
    for block in footer.recordBatches().iter().flatten().chain(footer.dictionaries().iter().flatten()) {
        let start = u64::try_from(block.offset()).ok()?;
        let metadata_length = u64::try_from(block.metaDataLength()).ok()?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let metadata = up_to(file, metadata_length)?;
        let message = root_as_message(metadata.get(flat_start(&metadata)..)?).ok()?;
        let body = start.checked_add(metadata_length)?;
        let prefix = |offset: u64| {
            file.seek(SeekFrom::Start(body.checked_add(offset)?)).ok()?;
            bytes(file)
        };
        claimed = claimed.saturating_add(claimed_by(&message, prefix));
    }
    Some(claimed)
}

/// Where a message begins, after its mark and its length.
fn flat_start(bytes: &[u8]) -> usize {
    if bytes.starts_with(&CONTINUATION) { 8 } else { 4 }
}

/// The bytes that the compressed buffers of a message claim; `prefix` gives the first eight at an offset of its body.
fn claimed_by(message: &Message, mut prefix: impl FnMut(u64) -> Option<[u8; 8]>) -> u64 {
    let dictionary = || message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let Some(batch) = message.header_as_record_batch().or_else(dictionary).filter(|b| b.compression().is_some()) else {
        return 0;
    };
    let lengths =
        batch.buffers().into_iter().flatten().filter_map(|buffer| prefix(u64::try_from(buffer.offset()).ok()?));
    // Negative: what follows is not compressed.
    lengths.fold(0, |sum, bytes| sum.saturating_add(u64::try_from(i64::from_le_bytes(bytes)).unwrap_or(0)))
}

/// The batches of a stream, whose messages are read one by one and checked before they are decoded.
pub struct Batches<R> {
    bytes: R,
    decoder: StreamDecoder,
    max_expansion: u64,
    read: u64,
    claimed: u64,
    ended: bool,
}

impl<R: Read> Batches<R> {
    /// Reads up to the schema.
    ///
    /// # Errors
    /// When the stream cannot be read, or does not begin with a schema.
    pub fn new(bytes: R, max_expansion: u64) -> Result<(SchemaRef, Self), ArrowError> {
        let mut batches =
            Batches { bytes, decoder: StreamDecoder::new(), max_expansion, read: 0, claimed: 0, ended: false };
        let first = batches.message()?.unwrap_or_default();
        let header = first.get(flat_start(&first)..).and_then(|flat| root_as_message(flat).ok());
        let schema = header.and_then(|header| header.header_as_schema().map(try_fb_to_schema));
        let schema = schema.ok_or_else(|| ArrowError::IpcError("there is no schema".into()))??;
        batches.decoder.decode(&mut Buffer::from_vec(first))?;
        Ok((schema.into(), batches))
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        while !self.ended {
            let message = self.message()?;
            self.ended = message.is_none();
            // The decoder takes up a message without a body only when it sees what comes after.
            let message = message.unwrap_or_else(|| END.to_vec());
            if let Some(batch) = self.decoder.decode(&mut Buffer::from_vec(message))? {
                return Ok(Some(batch));
            }
        }
        self.decoder.finish()?;
        Ok(None)
    }

    /// The bytes of the next message, as far as the stream holds them; none at its end.
    fn message(&mut self) -> Result<Option<Vec<u8>>, ArrowError> {
        let mut message = self.more(4)?;
        if message == CONTINUATION {
            message.extend(self.more(4)?);
        }
        let Some(length) = message.last_chunk().map(|bytes| u32::from_le_bytes(*bytes)).filter(|n| *n > 0) else {
            return Ok(None);
        };
        let flat = self.more(length.into())?;
        let header = root_as_message(&flat).ok();
        let body_length = header.map_or(0, |header| u64::try_from(header.bodyLength()).unwrap_or(0));
        let body = self.more(body_length)?;
        if let Some(header) = header {
            let prefix = |offset: u64| body.get(usize::try_from(offset).ok()?..)?.first_chunk().copied();
            self.claimed = self.claimed.saturating_add(claimed_by(&header, prefix));
            let too_much = |error| ArrowError::IoError(String::new(), std::io::Error::other(error));
            check_expansion(self.claimed, self.read, self.max_expansion).map_err(too_much)?;
        }
        message.extend(flat);
        message.extend(body);
        Ok(Some(message))
    }

    /// As many bytes as there are, up to `length`: memory grows with what is there, not with what is claimed.
    fn more(&mut self, length: u64) -> Result<Vec<u8>, ArrowError> {
        let mut bytes = Vec::new();
        let read = self.bytes.by_ref().take(length).read_to_end(&mut bytes)?;
        self.read += read as u64;
        Ok(bytes)
    }
}

impl<R: Read> Iterator for Batches<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

fn bytes<const N: usize>(file: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn up_to(file: &mut impl Read, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, StringArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use std::io::Cursor;
    use std::sync::Arc;

    const WORDS: &str = "the talks went on and on and on and on and on ";

    fn batch(times: usize) -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(vec![WORDS.repeat(times); 3]));
        RecordBatch::try_from_iter([("text", text)]).unwrap()
    }

    fn file(times: usize, codec: CompressionType) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        let batch = batch(times);
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn stream(times: usize, codec: CompressionType) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        let batch = batch(times);
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    /// With a text column that says it becomes this many bytes.
    fn claiming(mut bytes: Vec<u8>, times: usize, claim: i64) -> Vec<u8> {
        let said = (3 * times * WORDS.len()) as i64;
        // The last: offsets, which stand before the text, end with the same number.
        let at = bytes.windows(8).rposition(|w| w == said.to_le_bytes()).unwrap();
        bytes[at..at + 8].copy_from_slice(&claim.to_le_bytes());
        bytes
    }

    #[test]
    fn sound_files_and_streams_pass_and_come_out_whole() {
        for codec in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
            check_file(&mut Cursor::new(file(5000, codec)), 250).unwrap();
            let bytes = stream(5000, codec);
            let (_, batches) = Batches::new(&bytes[..], 250).unwrap();
            let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
            assert_eq!(batches, [batch(5000), batch(5000)]);
        }
    }

    #[test]
    fn what_claims_too_much_is_refused_before_memory_is_taken() {
        for codec in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
            for claim in [1 << 36, 1 << 46, i64::MAX] {
                let bytes = claiming(file(50, codec), 50, claim);
                let error = check_file(&mut Cursor::new(bytes), 250).unwrap_err();
                assert!(error.to_string().contains("more than 250 times"), "{error}");
                let bytes = claiming(stream(50, codec), 50, claim);
                let (_, mut batches) = Batches::new(&bytes[..], 250).unwrap();
                let error = batches.find_map(Result::err).unwrap();
                assert!(matches!(error, ArrowError::IoError(..)), "{error}");
            }
        }
    }

    #[test]
    fn cut_off_files_are_left_to_their_reader() {
        let bytes = file(50, CompressionType::ZSTD);
        for end in [0, 5, 12, bytes.len() / 2, bytes.len() - 1] {
            check_file(&mut Cursor::new(&bytes[..end]), 250).unwrap();
        }
        let bytes = stream(50, CompressionType::ZSTD);
        let (_, mut batches) = Batches::new(&bytes[..bytes.len() - 40], 250).unwrap();
        assert!(batches.next().unwrap().is_ok());
        assert!(batches.next().unwrap().is_err());
    }
}
