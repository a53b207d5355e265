//! A codec for plain bytes, and waits that end.

use edgeway_journal::{
    Class, ClassOptions, Codec, Decoder, Fetched, Journal, Level, LostRange, Options, Placement, Reader,
};
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Items are bytes; the preamble is whatever the test says. An item that begins with [`marked`] goes where it says.
#[derive(Clone)]
pub(crate) struct Bytes(pub(crate) &'static [u8]);

const MARK: u8 = 0xC0;

/// Item `number`, and where it goes.
pub(crate) fn marked(placement: Placement, number: u64) -> Vec<u8> {
    let place = placement.class().map_or(3, |class| class.index() as u8);
    [&[MARK + place][..], &number.to_be_bytes(), &[0xEE]].concat()
}

/// The number of a marked item.
pub(crate) fn number(item: &[u8]) -> u64 {
    u64::from_be_bytes(item[1..9].try_into().unwrap())
}

/// Understands the preamble `known…`; the item 0xFF makes no sense to it.
impl Codec for Bytes {
    type Item = Vec<u8>;

    fn preamble(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn placement(&self, item: &Vec<u8>) -> Placement {
        match item.first().and_then(|first| first.checked_sub(MARK)) {
            Some(3) if item.len() == 10 => Placement::Memory,
            Some(class @ 0..3) if item.len() == 10 => Placement::Disk(Class::ALL[usize::from(class)]),
            _ => Placement::Disk(Class::Normal),
        }
    }

    fn size_hint(&self, item: &Vec<u8>) -> usize {
        item.len() + 2
    }

    fn encode(&self, items: &[Arc<Vec<u8>>], out: &mut Vec<u8>) {
        for item in items {
            out.extend_from_slice(&(item.len() as u32).to_le_bytes());
            out.extend_from_slice(item);
        }
    }

    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Vec<u8>>>, String> {
        if preamble.starts_with(b"known") { Ok(Box::new(Bytes(b""))) } else { Err("another site".into()) }
    }
}

impl Decoder<Vec<u8>> for Bytes {
    fn decode(&self, mut bytes: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
        let mut items = vec![];
        while items.len() < count {
            let (length, rest) = bytes.split_first_chunk()?;
            let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            items.push(self.decode_v1(item)?);
            bytes = rest;
        }
        bytes.is_empty().then_some(items)
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (bytes != [0xFF]).then(|| bytes.to_vec())
    }
}

pub(crate) const KNOWN: Bytes = Bytes(b"known names");

/// Small segments and a small tail, so that a test meets all borders.
pub(crate) fn small() -> Options {
    with(ClassOptions { segment_bytes: 16 << 10, total_bytes_max: 64 << 20, ..ClassOptions::default() })
}

/// The same limits for all classes, and a small tail.
pub(crate) fn with(class: ClassOptions) -> Options {
    Options { classes: [class.clone(), class.clone(), class], tail_items: 32, ..Options::default() }
}

/// The limits of class normal, with those of [`small`].
pub(crate) fn class() -> ClassOptions {
    small().classes[1].clone()
}

pub(crate) fn open(dir: &Path) -> Journal<Bytes> {
    Journal::open(dir, KNOWN, small()).expect("opens")
}

/// An item that says its number and has a length of its own.
pub(crate) fn item(number: u64) -> Vec<u8> {
    let mut item = number.to_le_bytes().to_vec();
    let mut noise = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    item.resize_with(8 + (number * 37 % 251) as usize, || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise as u8
    });
    item[7] = 0;
    item
}

/// The item with this number as the fixtures of version 1 have it.
pub(crate) fn item_v1(number: u64) -> Vec<u8> {
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
        let fetched = match reader.try_next(7).expect("reads") {
            Some(fetched) => fetched,
            None if reader.position() >= end => break,
            None => within("entries", reader.next(7)).await.expect("reads"),
        };
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
        assert!(lost.from == from && lost.count <= lost.to - lost.from + 1, "a loss begins where the reader stands");
    }
}

/// All that is lost of class normal below the head of the journal.
pub(crate) async fn losses(journal: &Journal<Bytes>) -> Vec<LostRange> {
    read_to(&mut journal.class_reader(Class::Normal, 0, Level::Durable), journal.head()).await
}

/// What a kill leaves behind: the files as they are at this moment.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            // A file that retention removes meanwhile is not there after a kill either.
            let _ = fs::copy(entry.path(), to.join(entry.file_name()));
        }
    }
}

/// Where the segments of class normal are.
pub(crate) fn normal(dir: &Path) -> PathBuf {
    dir.join("normal")
}

/// Segments of class normal, oldest first.
pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(normal(dir)).expect("lists").map(|entry| entry.expect("lists").path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|ext| ext == "seg")).collect();
    segments.sort();
    segments
}
