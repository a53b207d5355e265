//! A codec for plain bytes, and waits that end.

use edgeway_journal::{Codec, Decoder, Fetched, Journal, Level, LostRange, Options, Reader};
use std::{fs, future::Future, path::Path, time::Duration};

/// Items are bytes; the preamble is whatever the test says.
#[derive(Clone)]
pub(crate) struct Bytes(pub(crate) &'static [u8]);

/// Understands the preamble `known…`; the item 0xFF makes no sense to it.
impl Codec for Bytes {
    type Item = Vec<u8>;

    fn preamble(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn encode(&self, item: &Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(item);
    }

    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Vec<u8>>>, String> {
        if preamble.starts_with(b"known") { Ok(Box::new(Bytes(b""))) } else { Err("another site".into()) }
    }
}

impl Decoder<Vec<u8>> for Bytes {
    fn decode(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (bytes != [0xFF]).then(|| bytes.to_vec())
    }
}

pub(crate) const KNOWN: Bytes = Bytes(b"known names");

/// Small segments and a small tail, so that a test meets all borders.
pub(crate) fn small() -> Options {
    Options { segment_bytes: 16 << 10, total_bytes_max: 64 << 20, tail_items: 32, ..Options::default() }
}

pub(crate) fn open(dir: &Path) -> Journal<Bytes> {
    Journal::open(dir, KNOWN, small()).expect("opens")
}

/// An item that says its number and has a length of its own.
pub(crate) fn item(number: u64) -> Vec<u8> {
    let mut item = number.to_le_bytes().to_vec();
    item.resize(8 + (number * 37 % 251) as usize, number as u8);
    item[7] = 0;
    item
}

pub(crate) fn items(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(item).collect()
}

/// The result of `future`, which has ten seconds.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Appends in groups of `step` and waits for each, so that every group is a frame.
pub(crate) async fn fill(journal: &Journal<Bytes>, range: std::ops::Range<u64>, step: u64) {
    for from in range.clone().step_by(step as usize) {
        let offsets = journal.append(items(from..range.end.min(from + step))).await.expect("appends");
        assert_eq!(offsets.start, from);
        within("a flush", journal.flush()).await.expect("flushes");
    }
}

/// Reads up to `end`; checks that every offset comes once, in order, as it was written or as lost.
pub(crate) async fn read_to(reader: &mut Reader<Bytes>, end: u64) -> Vec<LostRange> {
    let mut lost = vec![];
    while reader.position() < end {
        let from = reader.position();
        let fetched = within("entries", reader.next(7)).await.expect("reads");
        check(from, &fetched);
        lost.extend(fetched.lost);
    }
    assert_eq!(reader.position(), end);
    lost
}

fn check(mut from: u64, fetched: &Fetched<Vec<u8>>) {
    assert!(fetched.entries.is_empty() != fetched.lost.is_none(), "entries or a loss, not both");
    for entry in &fetched.entries {
        assert_eq!(entry.offset, from, "no gap and no repeat");
        assert_eq!(*entry.item, item(from), "as it was written");
        from += 1;
    }
    if let Some(lost) = fetched.lost {
        assert_eq!(lost.from, from, "a loss begins where the reader stands");
    }
}

/// All that is lost below the head of the journal in `dir`.
pub(crate) async fn losses(journal: &Journal<Bytes>) -> Vec<LostRange> {
    read_to(&mut journal.reader(0, Level::Durable), journal.head()).await
}

/// What a kill leaves behind: the files as they are at this moment.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        if entry.path().is_file() {
            // A file that retention removes meanwhile is not there after a kill either.
            let _ = fs::copy(entry.path(), to.join(entry.file_name()));
        }
    }
}

/// Segments, oldest first.
pub(crate) fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(dir).expect("lists").map(|entry| entry.expect("lists").path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|ext| ext == "seg")).collect();
    segments.sort();
    segments
}
