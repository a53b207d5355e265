//! What is pushed in blocks, until it is whole. Pure.

use crate::codec::Block;
use crate::config::Path;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// So many are under way at the same time; the oldest gives way.
const UPLOADS_MAX: usize = 16;
/// After so long without a block nobody goes on with it.
const LIFETIME: Duration = Duration::from_secs(60);

/// From where, and where to: path and query.
pub(super) type Key = (SocketAddr, Path, Vec<String>);

/// What has come so far.
pub(super) struct Uploads {
    under_way: Vec<Upload>,
    bytes_max: usize,
}

struct Upload {
    key: Key,
    bytes: Vec<u8>,
    at: Instant,
}

/// What a block is to the whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// More is to come.
    Taken,
    /// This is the whole.
    Last(Vec<u8>),
    /// The one before it has not come.
    Missing,
    TooLong,
}

impl Uploads {
    pub(super) fn new(bytes_max: usize) -> Self {
        Uploads { under_way: vec![], bytes_max }
    }

    pub(super) fn take(&mut self, key: Key, block: Block, bytes: &[u8], now: Instant) -> Part {
        self.under_way.retain(|upload| now < upload.at + LIFETIME);
        let known = self.under_way.iter().position(|upload| upload.key == key);
        let before = known.map(|at| self.under_way.remove(at).bytes);
        let mut whole = if block.number == 0 { vec![] } else { before.unwrap_or_default() };
        if whole.len() != block.number as usize * block.bytes() || block.more && bytes.len() != block.bytes() {
            return Part::Missing;
        }
        if whole.len() + bytes.len() > self.bytes_max {
            return Part::TooLong;
        }
        whole.extend_from_slice(bytes);
        if !block.more {
            return Part::Last(whole);
        }
        if self.under_way.len() >= UPLOADS_MAX {
            self.under_way.remove(0);
        }
        self.under_way.push(Upload { key, bytes: whole, at: now });
        Part::Taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u32, more: bool) -> Block {
        Block { number, more, exponent: 0 }
    }

    fn key(port: u16) -> Key {
        (([127, 0, 0, 1], port).into(), Path::default(), vec![])
    }

    #[test]
    fn blocks_in_order_make_a_whole() {
        let (mut uploads, now) = (Uploads::new(100), Instant::now());
        assert_eq!(uploads.take(key(1), block(0, true), &[1; 16], now), Part::Taken);
        assert_eq!(uploads.take(key(2), block(0, true), &[9; 16], now), Part::Taken);
        assert_eq!(
            uploads.take(key(1), block(1, false), &[2; 3], now),
            Part::Last([[1; 16].as_slice(), &[2; 3]].concat())
        );
        assert_eq!(uploads.take(key(1), block(1, false), &[2; 3], now), Part::Missing, "it is gone then");
        assert_eq!(uploads.take(key(2), block(2, false), &[2; 3], now), Part::Missing, "one was left out");
        assert_eq!(uploads.take(key(3), block(0, true), &[1; 15], now), Part::Missing, "it is not full");
    }

    #[test]
    fn neither_a_long_one_nor_many_cost_much() {
        let (mut uploads, now) = (Uploads::new(20), Instant::now());
        assert_eq!(uploads.take(key(1), block(0, true), &[1; 16], now), Part::Taken);
        assert_eq!(uploads.take(key(1), block(1, true), &[1; 16], now), Part::TooLong);
        for port in 0..1000 {
            uploads.take(key(port), block(0, true), &[1; 16], now);
        }
        assert_eq!(uploads.under_way.len(), UPLOADS_MAX);
        assert_eq!(
            uploads.take(key(999), block(1, false), &[], now + LIFETIME),
            Part::Missing,
            "nobody goes on with it"
        );
    }
}
