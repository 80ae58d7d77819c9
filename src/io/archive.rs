//! Files inside tar and zip archives, one after the other, without unpacking them.
//!
//! A thread walks the archive and hands over each file block by block, so that neither an archive nor a file in it has
//! to fit into memory.

use crate::error::{Error, Result};
use crate::io::compression::{Bytes, ExpansionGuard, check_expansion};
use crate::io::read::stream_error;
use crate::io::source::ending;
use crate::pipeline::stream::THREAD_NAME;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes handed over at once.
const BLOCK: usize = 64 << 10;
/// Blocks that wait at most.
const BLOCKS_WAITING: usize = 2;
/// Where a tar header has its magic number.
const TAR_MAGIC: usize = 257;

/// Kinds of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// `.tar`, which may be compressed as a whole.
    Tar,
    /// `.zip`, whose files are compressed one by one.
    Zip,
}

impl Container {
    /// What the ending of `path` says, a compression's ending left aside.
    ///
    /// ```
    /// use detente::io::archive::Container;
    /// assert_eq!(Container::of_name("news.tar.gz".as_ref()), Some(Container::Tar));
    /// assert_eq!(Container::of_name("news.jsonl".as_ref()), None);
    /// ```
    pub fn of_name(path: &Path) -> Option<Container> {
        match ending(path)?.as_str() {
            "tar" | "tgz" | "tbz" | "tbz2" | "tzst" => Some(Container::Tar),
            "zip" => Some(Container::Zip),
            _ => None,
        }
    }

    /// What the first bytes of a stream without a name say.
    pub fn of_start(start: &[u8]) -> Option<Container> {
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Some(Container::Zip);
        }
        let magic = start.get(TAR_MAGIC..TAR_MAGIC + 5);
        (magic == Some(b"ustar")).then_some(Container::Tar)
    }
}

/// A file in an archive.
pub struct Member {
    /// Its path in the archive; none where the archive itself cannot be read on.
    pub path: Option<PathBuf>,
    /// Its bytes as they lie in the archive, or why they cannot be read.
    pub bytes: Result<Bytes>,
}

/// The files of an archive, in its order; folders, links and devices are passed over.
pub struct Members {
    members: Receiver<Member>,
}

impl Iterator for Members {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        self.members.recv().ok()
    }
}

/// The files of a tar archive, read as a stream.
pub fn tar(bytes: Bytes) -> Members {
    walk(move |members| {
        let mut archive = tar::Archive::new(BufReader::with_capacity(BLOCK, bytes));
        for entry in archive.entries().map_err(|e| damaged("tar", e))? {
            let mut entry = entry.map_err(|e| damaged("tar", e))?;
            let path = PathBuf::from(String::from_utf8_lossy(&entry.path_bytes()).into_owned());
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let mut whole = Whole { left: entry.size(), inner: &mut entry, cut: false };
            if !hand_over(members, path, &mut whole) || whole.cut {
                break;
            }
        }
        Ok(())
    })
}

/// The files of a zip archive of `length` bytes; one byte in it may become `max_expansion`.
pub fn zip(file: impl Read + Seek + Send + 'static, length: u64, max_expansion: u64) -> Members {
    walk(move |members| {
        let failed = |e| Error::document(format!("not a readable zip archive: {e}")).help("fetch the file again");
        let mut archive = zip::ZipArchive::new(BufReader::with_capacity(BLOCK, file)).map_err(failed)?;
        let mut total = 0;
        for index in 0..archive.len() {
            // Members may lie over each other, so that each is harmless and their sum is not.
            check_expansion(total, length, max_expansion)?;
            let name = archive.name_for_index(index).and_then(|name| name.ok()).map(|name| PathBuf::from(&*name));
            let name = name.unwrap_or_default();
            let mut member = match archive.by_index(index) {
                Ok(member) if member.is_file() => member,
                Ok(_) => continue,
                Err(error) => {
                    let bytes = Err(Error::document(format!("cannot be read from the archive: {error}")));
                    if members.send(Member { path: Some(name), bytes }).is_err() {
                        break;
                    }
                    continue;
                }
            };
            let packed = Arc::new(AtomicU64::new(member.compressed_size()));
            let mut guarded = ExpansionGuard::new(&mut member, packed, max_expansion);
            let alive = hand_over(members, name, &mut guarded);
            total += guarded.bytes_out();
            if !alive {
                break;
            }
        }
        Ok(())
    })
}

fn damaged(kind: &str, error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::document(format!("the {kind} archive is damaged: {error}")).help("fetch the file again"),
    }
}

/// Runs `walker` on a thread of its own; what ends it early comes as the last member.
fn walk(walker: impl FnOnce(&SyncSender<Member>) -> Result<()> + Send + 'static) -> Members {
    let (sender, members) = sync_channel(0);
    let fault = sender.clone();
    let walked = thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
        let panicked = |_| Err(Error::document("the archive is damaged beyond what can be read"));
        if let Err(error) = catch_unwind(AssertUnwindSafe(|| walker(&sender))).unwrap_or_else(panicked) {
            // Nobody may be waiting any more.
            let _ = sender.send(Member { path: None, bytes: Err(error) });
        }
    });
    if let Err(error) = walked {
        thread::spawn(move || {
            let _ = fault.send(Member { path: None, bytes: Err(stream_error(error)) });
        });
    }
    Members { members }
}

/// Sends a file block by block; false once nobody wants the rest of the archive.
fn hand_over(members: &SyncSender<Member>, path: PathBuf, bytes: &mut dyn Read) -> bool {
    let (sender, blocks) = sync_channel(BLOCKS_WAITING);
    let pipe = Pipe { blocks, block: Vec::new(), at: 0 };
    if members.send(Member { path: Some(path), bytes: Ok(Box::new(pipe)) }).is_err() {
        return false;
    }
    loop {
        let mut block = Vec::new();
        let read = catch_unwind(AssertUnwindSafe(|| bytes.take(BLOCK as u64).read_to_end(&mut block)));
        let read = read.unwrap_or_else(|_| Err(io::Error::other(Error::document("damaged beyond what can be read"))));
        let over = !matches!(read, Ok(n) if n > 0);
        let sent = match read {
            Ok(0) => Ok(()),
            Ok(_) => sender.send(Ok(block)),
            Err(error) => sender.send(Ok(block)).and_then(|()| sender.send(Err(error))),
        };
        // Whoever reads may have enough of this file.
        if over || sent.is_err() {
            return true;
        }
    }
}

/// A file in a tar archive, which ends early without a word where the archive was cut off.
struct Whole<R> {
    inner: R,
    left: u64,
    cut: bool,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(n as u64);
        self.cut = n == 0 && self.left > 0 && !buffer.is_empty();
        if self.cut {
            let cut = Error::document("the archive ends inside this file");
            return Err(io::Error::other(cut.help("it was cut off: fetch it again")));
        }
        Ok(n)
    }
}

/// The end of a thread's hand-over that is read.
struct Pipe {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            match self.blocks.recv() {
                Ok(block) => (self.block, self.at) = (block?, 0),
                Err(_) => return Ok(0),
            }
        }
        let n = self.block.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        Ok(n)
    }
}

/// The stream as a file that can be read in any order: spooled onto the disk, where it vanishes when it is closed.
///
/// # Errors
/// When it cannot be read or the disk is full.
pub fn spooled(mut bytes: Bytes) -> Result<File> {
    let mut file = tempfile::tempfile().map_err(|e| Error::io(format!("no temporary file can be made: {e}")))?;
    io::copy(&mut bytes, &mut file).map_err(stream_error)?;
    file.rewind().map_err(stream_error)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(members: Members) -> Vec<(String, String)> {
        members
            .map(|member| {
                let mut bytes = Vec::new();
                let read = member.bytes.and_then(|mut b| b.read_to_end(&mut bytes).map_err(stream_error));
                let name = member.path.map(|p| p.display().to_string()).unwrap_or_default();
                (name, read.map_or_else(|e| e.to_string(), |n| format!("{n} bytes")))
            })
            .collect()
    }

    #[test]
    fn files_come_in_order_whatever_their_size() {
        let long = vec![b'x'; 300_000];
        let files: [(&str, &[u8]); 3] = [("a.txt", b"Talks"), ("sub/b.txt", &long), ("c.txt", b"")];
        let expected = [("a.txt", "5 bytes"), ("sub/b.txt", "300000 bytes"), ("c.txt", "0 bytes")];
        let expected = expected.map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(read(tar(Box::new(Cursor::new(tar_of(&files))))), expected);
        let archive = zip_of(&files);
        assert_eq!(read(zip(Cursor::new(archive.clone()), archive.len() as u64, 1000)), expected);
    }

    #[test]
    fn who_reads_no_file_to_its_end_gets_the_next() {
        let long = vec![b'x'; 1 << 20];
        let files: [(&str, &[u8]); 2] = [("a", &long), ("b", b"Talks")];
        for members in [tar(Box::new(Cursor::new(tar_of(&files)))), zip(Cursor::new(zip_of(&files)), u64::MAX, 1000)] {
            let names: Vec<_> = members.map(|m| m.path.unwrap()).collect();
            assert_eq!(names, [Path::new("a"), Path::new("b")]);
        }
    }

    #[test]
    fn a_bomb_in_a_zip_is_stopped_and_a_cut_archive_says_so() {
        let zeros = vec![0; 64 << 20];
        let archive = zip_of(&[("bomb", &zeros), ("b", b"Talks")]);
        let said = read(zip(Cursor::new(archive.clone()), archive.len() as u64, 250));
        assert!(said[0].1.contains("decompresses to more than 250 times its size"), "{said:?}");
        let cut = tar_of(&[("a", &[b'x'; 5000])]);
        let said = read(tar(Box::new(Cursor::new(cut[..3000].to_vec()))));
        assert!(said.iter().any(|(_, said)| !said.ends_with("bytes")), "{said:?}");
        let said = read(zip(Cursor::new(archive[..1000].to_vec()), 1000, 250));
        assert!(said[0].1.contains("not a readable zip archive"), "{said:?}");
    }
}
