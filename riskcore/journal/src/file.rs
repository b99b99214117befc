//! The file format: a header, then records, each chained to the one before it.
//!
//! ```text
//! header   magic "RGJ1" | version u16 | 0 u16 | epoch u32 | trading day u32 | seed u64 | max orders u32 |
//!          max pairs u32 | max parents u32 | flags u32 | crc u32
//! record   length u32 | crc u32 | seq u64 | payload
//! ```
//!
//! All integers are little-endian. The checksum (CRC-32, IEEE) of a record covers the checksum before it, its sequence
//! number and its payload: a record that is changed, dropped, inserted or swapped breaks the chain at its place.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use thiserror::Error;

/// First bytes of every record file.
pub const MAGIC: [u8; 4] = *b"RGJ1";

/// The version this build writes, and the only one it reads.
pub const FORMAT_VERSION: u16 = 1;

/// The largest record that is read: a length above it cannot have been written.
pub const MAX_RECORD: usize = 1 << 20;

const HEADER_LEN: usize = 44;
const FRAME_LEN: usize = 16;

/// What a file is about: what an engine must be built with to replay it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileHeader {
    /// The gateway's epoch.
    pub epoch: u32,
    /// YYYYMMDD.
    pub trading_day: u32,
    /// Seed of the core's tables.
    pub seed: u64,
    /// Orders of a day.
    pub max_orders: u32,
    /// Pairs of account or router and symbol.
    pub max_pairs: u32,
    /// Parents of a day.
    pub max_parents: u32,
    /// The venue nets fills against a replace in flight.
    pub in_flight_mitigation: bool,
}

impl FileHeader {
    /// As bytes.
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..4].copy_from_slice(&MAGIC);
        out[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        out[8..12].copy_from_slice(&self.epoch.to_le_bytes());
        out[12..16].copy_from_slice(&self.trading_day.to_le_bytes());
        out[16..24].copy_from_slice(&self.seed.to_le_bytes());
        out[24..28].copy_from_slice(&self.max_orders.to_le_bytes());
        out[28..32].copy_from_slice(&self.max_pairs.to_le_bytes());
        out[32..36].copy_from_slice(&self.max_parents.to_le_bytes());
        out[36..40].copy_from_slice(&u32::from(self.in_flight_mitigation).to_le_bytes());
        let crc = crc32fast::hash(&out[..40]);
        out[40..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8; HEADER_LEN]) -> Result<FileHeader, ReadError> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if bytes[..4] != MAGIC {
            return Err(ReadError::NotARecordFile);
        }
        let version = u16::from_le_bytes([bytes[4], bytes[5]]);
        if version != FORMAT_VERSION {
            return Err(ReadError::Version(version));
        }
        if crc32fast::hash(&bytes[..40]) != word(40) {
            return Err(ReadError::Corrupt { seq: 0, offset: 0 });
        }
        Ok(FileHeader {
            epoch: word(8),
            trading_day: word(12),
            seed: u64::from(word(16)) | u64::from(word(20)) << 32,
            max_orders: word(24),
            max_pairs: word(28),
            max_parents: word(32),
            in_flight_mitigation: word(36) & 1 == 1,
        })
    }
}

/// Puts records into their frames, in sequence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Framer {
    seq: u64,
    chain: u32,
}

impl Framer {
    /// Appends the next record to `out`.
    pub fn frame(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.seq += 1;
        self.chain = checksum(self.chain, self.seq, payload);
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.chain.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(payload);
    }
}

fn checksum(chain: u32, seq: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&chain.to_le_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Why a record file cannot be read on.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read the record file: {0}")]
    Io(#[from] std::io::Error),
    /// Another kind of file.
    #[error("this is not a record file: it does not begin with RGJ1")]
    NotARecordFile,
    /// Written by another version.
    #[error("the record file has format version {0}; this build reads version {FORMAT_VERSION}")]
    Version(u16),
    /// The last record was cut off while it was written; everything before it is good.
    #[error(
        "the record file ends inside record {seq} at byte {offset}: the writer stopped there; all before it is good"
    )]
    TornTail {
        /// The record that is incomplete.
        seq: u64,
        /// Where it begins.
        offset: u64,
    },
    /// A record in the middle is not what was written.
    #[error("record {seq} at byte {offset} is damaged; restore the file from a copy")]
    Corrupt {
        /// The record.
        seq: u64,
        /// Where it begins.
        offset: u64,
    },
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its sequence number.
    pub seq: u64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// Reads a record file from its beginning.
pub struct Reader<R> {
    input: R,
    header: FileHeader,
    seq: u64,
    chain: u32,
    offset: u64,
    ended: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Reader::new(BufReader::with_capacity(1 << 16, File::open(path)?))
    }
}

impl<R: Read> Reader<R> {
    /// Reads from any source of bytes.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let mut bytes = [0; HEADER_LEN];
        if read_up_to(&mut input, &mut bytes)? < HEADER_LEN {
            return Err(ReadError::NotARecordFile);
        }
        let header = FileHeader::decode(&bytes)?;
        Ok(Reader { input, header, seq: 0, chain: 0, offset: HEADER_LEN as u64, ended: false })
    }

    /// What the file is about.
    pub fn header(&self) -> FileHeader {
        self.header
    }

    fn read_next(&mut self) -> Result<Option<Record>, ReadError> {
        let (seq, offset) = (self.seq + 1, self.offset);
        let mut frame = [0; FRAME_LEN];
        match read_up_to(&mut self.input, &mut frame)? {
            0 => return Ok(None),
            FRAME_LEN => {}
            _ => return Err(ReadError::TornTail { seq, offset }),
        }
        let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        if length > MAX_RECORD {
            return Err(ReadError::Corrupt { seq, offset });
        }
        let mut payload = vec![0; length];
        if read_up_to(&mut self.input, &mut payload)? < length {
            return Err(ReadError::TornTail { seq, offset });
        }
        let crc = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        let written =
            u64::from_le_bytes([frame[8], frame[9], frame[10], frame[11], frame[12], frame[13], frame[14], frame[15]]);
        if written != seq || checksum(self.chain, seq, &payload) != crc {
            return Err(self.damaged(seq, offset)?);
        }
        self.seq = seq;
        self.chain = crc;
        self.offset += (FRAME_LEN + length) as u64;
        Ok(Some(Record { seq, payload }))
    }

    /// A damaged last record is a torn tail (sectors of one write reach the disk in any order); one with more behind it
    /// is not.
    fn damaged(&mut self, seq: u64, offset: u64) -> Result<ReadError, ReadError> {
        let mut one = [0; 1];
        let last = read_up_to(&mut self.input, &mut one)? == 0;
        Ok(if last { ReadError::TornTail { seq, offset } } else { ReadError::Corrupt { seq, offset } })
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read_next().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn read_up_to(input: &mut impl Read, out: &mut [u8]) -> std::io::Result<usize> {
    let mut have = 0;
    while have < out.len() {
        match input.read(&mut out[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[&[u8]]) -> Vec<u8> {
        let mut out = FileHeader { epoch: 7, trading_day: 20_120_801, ..FileHeader::default() }.encode().to_vec();
        let mut framer = Framer::default();
        for record in records {
            framer.frame(record, &mut out);
        }
        out
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<ReadError>) {
        let mut good = Vec::new();
        let reader = match Reader::new(bytes) {
            Ok(reader) => reader,
            Err(e) => return (good, Some(e)),
        };
        for record in reader {
            match record {
                Ok(record) => good.push(record.payload),
                Err(e) => return (good, Some(e)),
            }
        }
        (good, None)
    }

    #[test]
    fn what_was_framed_is_read_back() {
        let bytes = file(&[b"one", b"", b"three"]);
        let (records, error) = read(&bytes);

        assert!(error.is_none());
        assert_eq!(vec![b"one".to_vec(), b"".to_vec(), b"three".to_vec()], records);
    }

    #[test]
    fn a_file_cut_at_any_byte_gives_its_longest_valid_prefix() {
        let records: [&[u8]; 3] = [b"first record", b"second", b"third, the last"];
        let bytes = file(&records);
        let mut ends = vec![HEADER_LEN];
        for record in records {
            ends.push(ends[ends.len() - 1] + FRAME_LEN + record.len());
        }
        for cut in HEADER_LEN..bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let (good, error) = read(&bytes[..cut]);

            assert_eq!(whole, good.len(), "cut at {cut}");
            match error {
                None => assert!(ends.contains(&cut), "cut at {cut} is not a clean end"),
                Some(e) => assert!(matches!(e, ReadError::TornTail { .. }), "cut at {cut}: {e}"),
            }
        }
    }

    #[test]
    fn a_flipped_bit_before_the_tail_is_damage_and_never_read_as_a_record() {
        let bytes = file(&[b"first record", b"second", b"third, the last"]);
        let tail = bytes.len() - FRAME_LEN - b"third, the last".len();
        for at in HEADER_LEN..tail {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let (good, error) = read(&bad);

            assert!(good.len() < 2, "byte {at}");
            assert!(error.is_some(), "byte {at}");
        }
    }

    #[test]
    fn swapped_and_dropped_records_break_the_chain() {
        let bytes = file(&[b"aaaa", b"bbbb", b"cccc"]);
        let size = FRAME_LEN + 4;
        let mut swapped = bytes.clone();
        swapped[HEADER_LEN..HEADER_LEN + size].copy_from_slice(&bytes[HEADER_LEN + size..HEADER_LEN + 2 * size]);
        swapped[HEADER_LEN + size..HEADER_LEN + 2 * size].copy_from_slice(&bytes[HEADER_LEN..HEADER_LEN + size]);
        let mut dropped = bytes.clone();
        dropped.drain(HEADER_LEN + size..HEADER_LEN + 2 * size);

        assert_eq!(0, read(&swapped).0.len());
        assert_eq!(1, read(&dropped).0.len());
        assert!(read(&dropped).1.is_some());
    }

    #[test]
    fn another_version_is_refused_by_number() {
        let mut bytes = file(&[]);
        bytes[4] = 9;

        assert!(matches!(read(&bytes).1, Some(ReadError::Version(9))));
    }
}
