//! Items that describe themselves.

use edgeway_journal::{Class, Codec, Decoder, Placement};
use std::{ops::Range, sync::Arc};

/// Void ranges in one item.
const VOID_MAX: usize = 2000;

#[derive(Debug)]
pub(crate) enum Item {
    Number(u64),
    /// Numbers that were never called durable and are not there.
    Void(Vec<Range<u64>>),
    /// Not as it was written.
    Corrupt,
}

pub(crate) fn class_of(seq: u64) -> Class {
    match seq % 10 {
        0 => Class::Critical,
        1..7 => Class::Normal,
        _ => Class::Bulk,
    }
}

/// A generator of noise.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn payload(seq: u64) -> Vec<u8> {
    let mut random = Random(seq.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let length = 48 + random.next() as usize % 250;
    let mut bytes = seq.to_le_bytes().to_vec();
    while bytes.len() < 8 + length {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(8 + length);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

impl Item {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Item::Number(seq) => payload(*seq),
            Item::Void(ranges) => {
                let ranges = ranges.iter().take(VOID_MAX);
                let bytes = ranges.flat_map(|range| [range.start.to_le_bytes(), range.end.to_le_bytes()].concat());
                [b"void".to_vec(), bytes.collect()].concat()
            }
            Item::Corrupt => vec![],
        }
    }

    fn read(bytes: &[u8]) -> Item {
        if let Some(ranges) = bytes.strip_prefix(b"void") {
            let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            return Item::Void(ranges.chunks(16).map(|pair| word(pair)..word(&pair[8..])).collect());
        }
        let seq = bytes.first_chunk().map(|seq| u64::from_le_bytes(*seq));
        seq.filter(|seq| payload(*seq) == bytes).map_or(Item::Corrupt, Item::Number)
    }
}

/// Each item with its length in front.
pub(crate) struct Items;

impl Codec for Items {
    type Item = Item;

    fn preamble(&self) -> Vec<u8> {
        b"victim 1".to_vec()
    }

    fn placement(&self, item: &Item) -> Placement {
        match item {
            Item::Number(seq) => Placement::Disk(class_of(*seq)),
            Item::Void(_) | Item::Corrupt => Placement::Disk(Class::Critical),
        }
    }

    fn size_hint(&self, _: &Item) -> usize {
        190
    }

    fn encode(&self, items: &[Arc<Item>], out: &mut Vec<u8>) {
        for item in items {
            let bytes = item.bytes();
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&bytes);
        }
    }

    fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<Item>>, String> {
        Ok(Box::new(Items))
    }
}

impl Decoder<Item> for Items {
    fn decode(&self, mut bytes: &[u8], count: usize) -> Option<Vec<Item>> {
        let mut items = vec![];
        while items.len() < count {
            let (length, rest) = bytes.split_first_chunk()?;
            let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            items.push(Item::read(item));
            bytes = rest;
        }
        Some(items)
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<Item> {
        Some(Item::read(bytes))
    }
}
