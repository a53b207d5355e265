//! What the tests inside the crate share.

use crate::{Class, ClassOptions, Codec, Decoder, Journal, Options, Placement, disk::Disk};
use std::{path::Path, sync::Arc};

/// Items that are numbers, 108 bytes each, all of one class.
pub(crate) struct Numbers;

impl Codec for Numbers {
    type Item = u64;

    fn preamble(&self) -> Vec<u8> {
        vec![]
    }

    fn placement(&self, _: &u64) -> Placement {
        Placement::Disk(Class::Normal)
    }

    fn size_hint(&self, _: &u64) -> usize {
        108
    }

    fn encode(&self, items: &[Arc<u64>], out: &mut Vec<u8>) {
        for item in items {
            out.extend_from_slice(&item.to_le_bytes());
            out.resize(out.len() + 100, 0x11);
        }
    }

    fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<u64>>, String> {
        Ok(Box::new(Numbers))
    }
}

impl Decoder<u64> for Numbers {
    fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<u64>> {
        (bytes.len() == count * 108).then(|| bytes.chunks(108).filter_map(|item| self.decode_v1(item)).collect())
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<u64> {
        bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

/// A journal of small segments and a short memory.
pub(crate) fn open(disk: &Disk, dir: &Path) -> Journal<Numbers> {
    let class = ClassOptions { segment_bytes: 16 << 10, ..ClassOptions::default() };
    let classes = [class.clone(), class.clone(), class];
    let options = Options { classes, pending_bytes_max: 8 << 10, tail_items: 10, ..Options::default() };
    Journal::open_on(disk.clone(), dir, Numbers, options).unwrap()
}
