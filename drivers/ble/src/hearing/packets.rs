//! Which packet is new. A device sends each several times, because nobody acknowledges them.

use crate::codec::Beacon;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The same bytes after a longer silence are a new packet: the number of a packet comes round, and a device that was restarted
/// begins anew.
const AGAIN_WITHIN: Duration = Duration::from_secs(4);
/// A counter below this is that of a device which was restarted.
const RESTARTED_BELOW: u32 = 100;

/// The last packet of each format.
#[derive(Debug, Default)]
pub(super) struct Packets {
    last: HashMap<Beacon, (Vec<u8>, Instant)>,
    counter: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    New,
    Again,
}

impl Packets {
    pub(super) fn note(&mut self, beacon: Beacon, data: &[u8], now: Instant) -> Heard {
        let (last, at) = self.last.entry(beacon).or_insert_with(|| (vec![], now));
        let is_same = last.as_slice() == data && now.saturating_duration_since(*at) < AGAIN_WITHIN;
        *at = now;
        if is_same {
            return Heard::Again;
        }
        last.clear();
        last.extend_from_slice(data);
        Heard::New
    }

    /// Whether the counter of an encrypted packet has not gone back. Who sends again what was heard long ago is no device.
    pub(super) fn is_later(&mut self, counter: u32) -> bool {
        let is_later = counter < RESTARTED_BELOW || self.counter.is_none_or(|last| counter >= last);
        if is_later {
            self.counter = Some(counter);
        }
        is_later
    }
}
