//! The state store beside the journal: 2,000 values of 1 KiB that say which number wrote them.

use crate::options::Arguments;
use edgeway_journal::{Error, StateOptions, StateStore};
use std::{ops::Range, path::Path};

const KEYS: u64 = 2000;
const LAST: &[u8] = b"last";

pub(crate) fn open(dir: &Path) -> Result<StateStore, Error> {
    StateStore::open(dir.join("state"), StateOptions::default())
}

pub(crate) fn put(store: &StateStore, seqs: Range<u64>) {
    for seq in seqs {
        store.put(format!("key/{:04}", seq % KEYS).as_bytes(), seq.to_le_bytes().repeat(128));
        store.put(LAST, seq.to_le_bytes().to_vec());
    }
}

#[derive(Default)]
pub(crate) struct Found {
    pub(crate) last: Option<u64>,
    pub(crate) bad: u64,
    pub(crate) set_aside: bool,
}

/// What is in the store; a store that cannot be opened counts as one bad value.
pub(crate) fn check(arguments: &Arguments) -> Found {
    if !arguments.state {
        return Found::default();
    }
    let Ok(store) = open(&arguments.dir) else { return Found { bad: 1, ..Found::default() } };
    let number = |bytes: &[u8]| bytes.first_chunk().map_or(u64::MAX, |seq| u64::from_le_bytes(*seq));
    let last = store.get(LAST).map(|bytes| number(&bytes));
    let values = store.scan_prefix(b"key/");
    let bad = values.iter().filter(|(key, value)| {
        let seq = number(value);
        let expected = format!("key/{:04}", seq % KEYS);
        *key != expected.as_bytes() || **value != *seq.to_le_bytes().repeat(128) || Some(seq) > last
    });
    Found { last, bad: bad.count() as u64, set_aside: store.recovery().quarantined.is_some() }
}
