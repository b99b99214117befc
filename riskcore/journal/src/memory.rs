//! Records in a bounded ring, with an optional file that a thread of its own writes.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::thread::JoinHandle;

use crate::{FileHeader, Framer, Health, Journal, Lsn};

/// How much is kept.
#[derive(Clone, Debug)]
pub struct RingOptions {
    /// Bytes of records kept in memory; older ones are forgotten.
    pub memory: usize,
    /// Bytes that may wait for the file; more poisons the journal, because waiting would stop the order path.
    pub file_queue: usize,
}

impl Default for RingOptions {
    fn default() -> Self {
        RingOptions { memory: 1 << 20, file_queue: 64 << 20 }
    }
}

/// The newest records, and a copy of all of them in a file if one was asked for. Durable means appended.
pub struct MemoryRing {
    bytes: VecDeque<u8>,
    lengths: VecDeque<u32>,
    capacity: usize,
    appended: u64,
    file: Option<FileWriter>,
}

impl MemoryRing {
    /// A ring without a file.
    pub fn new(options: &RingOptions) -> MemoryRing {
        MemoryRing {
            bytes: VecDeque::with_capacity(options.memory),
            lengths: VecDeque::with_capacity(options.memory / 64),
            capacity: options.memory,
            appended: 0,
            file: None,
        }
    }

    /// A ring that also writes every record to a new file at `path`, which must not exist.
    pub fn with_file(options: &RingOptions, path: &Path, header: FileHeader) -> std::io::Result<MemoryRing> {
        let mut ring = MemoryRing::new(options);
        ring.file = Some(FileWriter::start(path, header, options.file_queue)?);
        Ok(ring)
    }

    /// The records still held after `lsn`, oldest first.
    pub fn after(&self, lsn: Lsn) -> Vec<(Lsn, Vec<u8>)> {
        let first = self.appended - self.lengths.len() as u64 + 1;
        let mut at = 0;
        let mut out = Vec::new();
        for (n, length) in self.lengths.iter().enumerate() {
            let length = *length as usize;
            let seq = first + n as u64;
            if seq > lsn.0 {
                out.push((Lsn(seq), self.bytes.range(at..at + length).copied().collect()));
            }
            at += length;
        }
        out
    }

    fn forget_for(&mut self, length: usize) {
        while self.bytes.len() + length > self.capacity {
            let Some(oldest) = self.lengths.pop_front() else { return };
            self.bytes.drain(..oldest as usize);
        }
    }
}

impl Journal for MemoryRing {
    fn append(&mut self, record: &[u8]) -> Lsn {
        self.appended += 1;
        self.forget_for(record.len());
        if record.len() <= self.capacity {
            self.bytes.extend(record);
            self.lengths.push_back(record.len() as u32);
        }
        if let Some(file) = &mut self.file {
            file.append(record);
        }
        Lsn(self.appended)
    }

    fn durable(&self) -> Lsn {
        Lsn(self.appended)
    }

    fn appended(&self) -> Lsn {
        Lsn(self.appended)
    }

    fn health(&self) -> Health {
        match self.file.as_ref().and_then(|file| file.shared.failure.get()) {
            Some(why) => Health::Poisoned(why.clone()),
            None => Health::Good,
        }
    }

    fn set_waker(&mut self, waker: Waker) {
        if let Some(file) = &self.file {
            file.shared.lock().waker = Some(waker);
        }
    }

    fn describe(&self) -> String {
        match &self.file {
            Some(file) => file.path.display().to_string(),
            None => "memory".to_owned(),
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            file.flush();
        }
    }
}

struct FileWriter {
    path: PathBuf,
    framer: Framer,
    limit: usize,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    failure: OnceLock<String>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    writing: bool,
    closed: bool,
    waker: Option<Waker>,
}

impl Shared {
    /// A panic in the writer leaves the queue as it was, which is whole: go on.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: String) {
        let _ = self.failure.set(why);
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl FileWriter {
    fn start(path: &Path, header: FileHeader, limit: usize) -> std::io::Result<FileWriter> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(&header.encode())?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let name = path.display().to_string();
        let thread = std::thread::Builder::new()
            .name("riskgate-records".to_owned())
            .spawn(move || write_all(&theirs, file, &name))?;
        Ok(FileWriter { path: path.to_owned(), framer: Framer::default(), limit, shared, thread: Some(thread) })
    }

    fn append(&mut self, record: &[u8]) {
        if self.shared.failure.get().is_some() {
            return;
        }
        let mut queue = self.shared.lock();
        if queue.waiting.len() + record.len() > self.limit {
            drop(queue);
            self.shared.fail(format!("{}: the disk is slower than the records", self.path.display()));
            return;
        }
        let idle = queue.waiting.is_empty();
        self.framer.frame(record, &mut queue.waiting);
        drop(queue);
        if idle {
            self.shared.changed.notify_one();
        }
    }

    fn flush(&mut self) {
        let mut queue = self.shared.lock();
        while (!queue.waiting.is_empty() || queue.writing) && self.shared.failure.get().is_none() {
            self.shared.changed.notify_one();
            let waited = self.shared.changed.wait_timeout(queue, std::time::Duration::from_millis(20));
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The writer thread: takes everything that waits, writes it in one go, until closed. After an error it writes nothing
/// more: a file with a hole would read as damaged.
fn write_all(shared: &Shared, mut file: File, name: &str) {
    let mut batch = Vec::new();
    loop {
        let mut queue = shared.lock();
        while queue.waiting.is_empty() && !queue.closed {
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.waiting.is_empty() {
            return;
        }
        std::mem::swap(&mut batch, &mut queue.waiting);
        queue.writing = true;
        drop(queue);
        let result = file.write_all(&batch);
        batch.clear();
        // The failure is known before the batch counts as written: `flush` must not return between the two.
        let failed = result.map_err(|e| shared.fail(format!("{name}: {e}"))).is_err();
        shared.lock().writing = false;
        shared.changed.notify_all();
        if failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    fn temporary(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("riskgate-journal-{}-{name}", std::process::id()))
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_stays_within_its_bytes() {
        let mut ring = MemoryRing::new(&RingOptions { memory: 100, file_queue: 0 });
        for n in 0..50_u8 {
            ring.append(&[n; 10]);
        }
        let held = ring.after(Lsn(0));

        assert_eq!(10, held.len());
        assert_eq!((Lsn(41), vec![40; 10]), held[0]);
        assert_eq!((Lsn(50), vec![49; 10]), held[9]);
        assert_eq!(Lsn(50), ring.durable());
        assert_eq!(vec![(Lsn(50), vec![49; 10])], ring.after(Lsn(49)));
    }

    #[test]
    fn a_file_holds_every_record_in_order() {
        let path = temporary("all");
        let header = FileHeader {
            epoch: 3,
            trading_day: 20_120_801,
            seed: u64::MAX - 1,
            max_orders: 5,
            ..FileHeader::default()
        };
        let mut ring = MemoryRing::with_file(&RingOptions::default(), &path, header).unwrap();
        for n in 0..1000_u32 {
            ring.append(&n.to_le_bytes());
        }
        ring.flush();
        let reader = Reader::open(&path).unwrap();
        let read_header = reader.header();
        let records: Vec<_> = reader.map(Result::unwrap).collect();
        std::fs::remove_file(&path).unwrap();

        assert_eq!(header, read_header);
        assert_eq!(1000, records.len());
        assert!(records.iter().enumerate().all(|(n, r)| r.payload == (n as u32).to_le_bytes()));
    }

    #[test]
    fn a_full_disk_poisons_for_good_and_appending_goes_on() {
        // /dev/full takes nothing; it cannot be created, so the writer is built around it by hand.
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || write_all(&theirs, file, "/dev/full"));
        let mut ring = MemoryRing::new(&RingOptions::default());
        ring.file = Some(FileWriter {
            path: "/dev/full".into(),
            framer: Framer::default(),
            limit: 1 << 20,
            shared,
            thread: Some(thread),
        });
        ring.append(b"lost");
        ring.flush();

        assert!(matches!(ring.health(), Health::Poisoned(why) if why.contains("/dev/full")));
        assert_eq!(Lsn(2), ring.append(b"still in memory"));
        assert_eq!(2, ring.after(Lsn(0)).len());
    }

    #[test]
    fn a_queue_that_outgrows_its_bound_poisons_instead_of_blocking() {
        let path = temporary("slow");
        let header = FileHeader::default();
        let options = RingOptions { memory: 1000, file_queue: 8 };
        let mut ring = MemoryRing::with_file(&options, &path, header).unwrap();
        ring.append(b"longer than eight bytes");
        std::fs::remove_file(&path).unwrap();

        assert!(matches!(ring.health(), Health::Poisoned(_)));
    }
}
