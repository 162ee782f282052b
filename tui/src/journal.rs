//! The outcome journal in a file: append, sync, and only then act (I6).
//!
//! Owns framing and recovery. A record is its length (u32 big-endian), its
//! CRC-32 (IEEE), then its bytes. A torn tail (a power cut while appending) is
//! dropped on load and cut off; a record that is whole but altered ends the
//! journal there, because what follows it can no longer be trusted to be in
//! order. A record is never empty: zeros, which a file system may leave at the end
//! after a power cut, would be empty ones. Called by the loop ([`crate::kiosk`]).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use counterfoil_data::seam::Journal;

use crate::flow::effect::Record;

/// Longest record in bytes.
pub const RECORD_MAX: usize = 4 * 1024;
/// Longest journal: a sale of 200 forms writes about 1,000 records of 200 bytes.
pub const JOURNAL_MAX: u64 = 8 * 1024 * 1024;
/// Bytes before each record: its length and its sum.
pub const HEAD_LEN: usize = 8;

/// A journal in one file, held open for appending.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
}

impl FileJournal {
    /// Opens or makes the file (mode 0600 where modes exist).
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = options().truncate(false).open(path)?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file's name survive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl Journal for FileJournal {
    fn load(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        (&self.file).take(JOURNAL_MAX).read_to_end(&mut bytes)?;
        let (records, whole) = split(&bytes);
        let whole = u64::try_from(whole).unwrap_or(u64::MAX);
        if whole < self.file.metadata()?.len() {
            tracing::warn!(path = %self.path.display(), "journal: torn tail dropped");
            self.file.set_len(whole)?;
            self.file.sync_all()?;
        }
        self.file.seek(SeekFrom::Start(whole))?;
        Ok(records)
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let end = self.file.seek(SeekFrom::End(0))?;
        let frame = frame(record)?;
        let added = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        // What lies beyond would not be read again.
        if end.saturating_add(added) > JOURNAL_MAX {
            return Err(io::Error::other("journal is full: call staff"));
        }
        let written = self
            .file
            .write_all(&frame)
            .and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a record must not stand before the next one.
            self.file.set_len(end)?;
        }
        written
    }

    /// The new journal takes the place of the old one by its name, whole.
    fn keep_only(&mut self, record: Option<&[u8]>) -> io::Result<()> {
        let mut fresh = self.path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let mut file = options().truncate(true).open(&fresh)?;
        if let Some(record) = record {
            file.write_all(&frame(record)?)?;
        }
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = file;
        sync_folder(&self.path)
    }
}

/// One record as it stands in the file, 1 to [`RECORD_MAX`] bytes and their head.
pub fn frame(record: &[u8]) -> io::Result<Vec<u8>> {
    let len = u32::try_from(record.len())
        .ok()
        .filter(|_| (1..=RECORD_MAX).contains(&record.len()))
        .ok_or_else(|| io::Error::other("journal record is empty or too long"))?;
    let crc = crc32(record);
    Ok([&len.to_be_bytes()[..], &crc.to_be_bytes(), record].concat())
}

/// The whole records a file begins with, and how many bytes they take.
pub fn split(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first_chunk::<HEAD_LEN>() {
        let [l3, l2, l1, l0, c3, c2, c1, c0] = *head;
        let len = usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).unwrap_or(usize::MAX);
        let Some((record, after)) = after.split_at_checked(len) else {
            break;
        };
        let lawful = (1..=RECORD_MAX).contains(&len);
        if !lawful || crc32(record) != u32::from_be_bytes([c3, c2, c1, c0]) {
            break;
        }
        records.push(record.to_vec());
        rest = after;
    }
    (records, bytes.len().saturating_sub(rest.len()))
}

/// CRC-32 (IEEE 802.3, reflected, 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            (crc >> 1) ^ carry
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

/// A record as bytes.
pub fn encode(record: &Record) -> io::Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(io::Error::other)
}

/// Records out of bytes; one that this program does not know is left out, which
/// is safe: it only makes a form `NoOutcome` that might have been known.
pub fn decode(records: &[Vec<u8>]) -> Vec<Record> {
    let parsed = records
        .iter()
        .filter_map(|r| serde_json::from_slice(r).ok());
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::ids::SaleId;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let id = std::process::id();
            let path = std::env::temp_dir().join(format!("counterfoil-journal-{id}-{name}"));
            std::fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }
        fn file(&self) -> PathBuf {
            self.0.join("journal")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_check_sum_is_the_published_one() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRCs.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_dropped_and_the_journal_goes_on() {
        let folder = Folder::new("torn");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        journal.append(b"first").expect("appends");
        journal.append(b"the second").expect("appends");
        drop(journal);
        let whole = std::fs::read(folder.file()).expect("reads");
        let first = HEAD_LEN + b"first".len();
        for cut in 0..whole.len() {
            std::fs::write(folder.file(), &whole[..cut]).expect("writes");
            let mut journal = FileJournal::open(&folder.file()).expect("opens");
            let kept = journal.load().expect("loads");
            assert_eq!(kept.len(), usize::from(cut >= first), "cut at {cut}");
            journal.append(b"third").expect("appends");
            let again = FileJournal::open(&folder.file()).expect("opens").load();
            let again = again.expect("loads");
            assert_eq!(again.last().map(Vec::as_slice), Some(&b"third"[..]));
            assert_eq!(again.len(), kept.len() + 1);
        }
    }

    #[test]
    fn an_altered_record_ends_the_journal_before_it() {
        let folder = Folder::new("altered");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        for record in [&b"one"[..], b"two", b"three"] {
            journal.append(record).expect("appends");
        }
        let mut bytes = std::fs::read(folder.file()).expect("reads");
        let second = HEAD_LEN + 3 + HEAD_LEN;
        bytes[second] ^= 1;
        std::fs::write(folder.file(), bytes).expect("writes");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        assert_eq!(journal.load().expect("loads"), vec![b"one".to_vec()]);
    }

    #[test]
    fn a_tail_of_zeros_is_a_torn_tail() {
        let folder = Folder::new("zeros");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        journal.append(b"one").expect("appends");
        let mut bytes = std::fs::read(folder.file()).expect("reads");
        let whole = bytes.len();
        bytes.resize(whole + 4 * HEAD_LEN, 0);
        std::fs::write(folder.file(), bytes).expect("writes");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        assert_eq!(journal.load().expect("loads"), vec![b"one".to_vec()]);
        let left = std::fs::metadata(folder.file()).expect("a file").len();
        assert_eq!(usize::try_from(left), Ok(whole), "cut off");
        assert!(journal.append(b"").is_err());
    }

    /// The last record before the limit once reached beyond it, was acted upon, and
    /// was cut off at the next start.
    #[test]
    fn whatever_is_appended_is_read_again_also_at_the_limit() {
        let folder = Folder::new("full");
        let record = frame(&[b'x'; RECORD_MAX]).expect("fits");
        let size = usize::try_from(JOURNAL_MAX).expect("fits");
        let times = size / record.len();
        std::fs::write(folder.file(), record.repeat(times)).expect("writes");
        let left = size - times * record.len();
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        assert!(
            journal.append(&vec![b'y'; left - HEAD_LEN + 1]).is_err(),
            "full"
        );
        assert_eq!(journal.load().expect("loads").len(), times);
        journal
            .append(&vec![b'y'; left - HEAD_LEN])
            .expect("just fits");
        assert_eq!(journal.load().expect("loads").len(), times + 1);
    }

    #[test]
    fn a_cleared_journal_is_empty_and_takes_records_again() {
        let folder = Folder::new("clear");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        let record = Record::Linking {
            sale: SaleId(7),
            key: "link-7".to_owned(),
        };
        journal
            .append(&encode(&record).expect("encodes"))
            .expect("appends");
        assert_eq!(decode(&journal.load().expect("loads")), vec![record]);
        journal.keep_only(None).expect("clears");
        assert!(journal.load().expect("loads").is_empty());
        journal.append(b"x").expect("appends");
        assert_eq!(journal.load().expect("loads").len(), 1);
    }

    #[test]
    fn what_is_kept_takes_the_place_of_all_the_rest_and_records_follow_it() {
        let folder = Folder::new("kept");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        journal.append(b"one").expect("appends");
        journal.append(b"two").expect("appends");
        journal.keep_only(Some(b"kept")).expect("keeps");
        journal.append(b"three").expect("appends");
        let mut again = FileJournal::open(&folder.file()).expect("opens");
        let records = again.load().expect("loads");
        assert_eq!(records, vec![b"kept".to_vec(), b"three".to_vec()]);
        // A power cut before the new one had its name left the old one whole.
        std::fs::write(folder.0.join("journal.new"), b"half").expect("writes");
        again.keep_only(None).expect("keeps nothing");
        assert!(again.load().expect("loads").is_empty());
    }

    #[test]
    fn a_record_over_the_limit_is_refused_before_anything_is_written() {
        let folder = Folder::new("long");
        let mut journal = FileJournal::open(&folder.file()).expect("opens");
        assert!(journal.append(&vec![0; RECORD_MAX + 1]).is_err());
        assert!(journal.load().expect("loads").is_empty());
    }
}
