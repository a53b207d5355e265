//! A small journal whose items say what they are.

use crate::wait;
use edgeway_journal::{Class, Codec, Cursor, Decoder, Journal, Options, Place, Placement, Reader, Start};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A journal of format version 1, in the journal's tests.
pub const FIRST_VERSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../journal/tests/fixtures/v1");

/// Items are bytes, each behind its length.
pub struct Bytes;

/// Item `offset`: of all classes and of many lengths, some of which can be compressed, all telling their offset.
pub fn item(offset: u64) -> Vec<u8> {
    let length = [9, 40, 700, 3000][offset as usize / 3 % 4];
    let mut item = offset.to_be_bytes().to_vec();
    item.extend(
        (8..length).map(|at| if offset.is_multiple_of(2) { 7 } else { ((at as u64 * offset * 37) >> 3) as u8 }),
    );
    item
}

impl Codec for Bytes {
    type Item = Vec<u8>;

    fn preamble(&self) -> Vec<u8> {
        b"known names".to_vec()
    }

    fn placement(&self, item: &Vec<u8>) -> Placement {
        Placement::Disk(Class::ALL[usize::from(item.get(7).copied().unwrap_or(0)) % 3])
    }

    fn size_hint(&self, item: &Vec<u8>) -> usize {
        item.len() + 4
    }

    fn encode(&self, items: &[Arc<Vec<u8>>], out: &mut Vec<u8>) {
        for item in items {
            out.extend_from_slice(&(item.len() as u32).to_le_bytes());
            out.extend_from_slice(item);
        }
    }

    fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<Vec<u8>>>, String> {
        Ok(Box::new(Bytes))
    }
}

impl Decoder<Vec<u8>> for Bytes {
    fn decode(&self, mut bytes: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
        let mut items = vec![];
        while items.len() < count {
            let (length, rest) = bytes.split_first_chunk()?;
            let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            items.push(item.to_vec());
            bytes = rest;
        }
        bytes.is_empty().then_some(items)
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

/// The smallest segments, so that there are several, and no waiting.
pub fn options() -> Options {
    let mut options = Options { tail_items: 8, ..Options::default() };
    for class in &mut options.classes {
        (class.segment_bytes, class.group_delay) = (16 << 10, Duration::ZERO);
    }
    options
}

/// A journal of [`ITEMS`] items in three goes, with three cursors.
pub fn write(dir: &Path) {
    let mut offset = 0;
    for epoch in 0..3 {
        let journal = Journal::open(dir, Bytes, options()).expect("a sound journal opens");
        for _ in 0..10 {
            let items = (offset..offset + 3).map(item).collect();
            wait(async { journal.durable_range(journal.append(items).await?).await }).expect("it is written");
            offset += 3;
        }
        for name in ["cloud", "history", "a name with ü"] {
            let cursor: Cursor = journal.cursor(name, Start::First).expect("a cursor");
            let note = vec![epoch; usize::from(epoch) * 900];
            cursor.commit_now(Place { positions: [offset, offset - 1, offset - 3], note }).expect("all is durable");
        }
        wait(journal.close()).expect("it closes");
    }
}

/// How many items [`write`] writes.
pub const ITEMS: u64 = 90;

/// What a reader got.
#[derive(Debug, Default)]
pub struct Read {
    /// Items by offset.
    pub items: BTreeMap<u64, Vec<u8>>,
    /// How many it was told are lost.
    pub lost: u64,
}

/// Everything that a reader gets now, in the order that was promised: each item and each loss behind what came before.
pub fn read_all(reader: &mut Reader<Bytes>, read: &mut Read) {
    let mut next = reader.position();
    for _ in 0..100_000 {
        let Some(fetched) = reader.try_next(7).expect("damage is no error") else { return };
        assert_eq!(fetched.entries.is_empty(), fetched.lost.is_some(), "items, or a loss");
        for entry in fetched.entries {
            assert!(entry.offset >= next, "{} comes after {next}", entry.offset);
            next = entry.offset + 1;
            read.items.insert(entry.offset, entry.item.to_vec());
        }
        if let Some(lost) = fetched.lost {
            // It may begin before items of other classes that came already, and end where another one's item comes next.
            assert!(lost.to.saturating_add(1) >= next && lost.to >= lost.from, "{lost:?} comes after {next}");
            assert!((1..=(lost.to - lost.from).saturating_add(1)).contains(&lost.count), "{lost:?}");
            read.lost = read.lost.saturating_add(lost.count);
        }
        assert!(reader.position() >= next, "a reader at {next} goes back to {}", reader.position());
        next = reader.position();
    }
    panic!("the reader does not come to an end");
}
