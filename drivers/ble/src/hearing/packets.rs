//! Which packet is new. A device sends each several times, because nobody acknowledges them.

use crate::codec::Beacon;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The same bytes after a longer silence are a new packet: the number of a packet comes round, and a device that was restarted
/// begins anew.
const AGAIN_WITHIN: Duration = Duration::from_secs(4);
/// Of each format so many packets are remembered: some devices send a few in turn.
const REMEMBERED_MAX: usize = 4;
/// A counter that has gone back below this may be that of a device which was restarted.
const RESTARTED_BELOW: u32 = 100;
/// It is, if nothing was heard of the device for so long: while it sends, nobody can pass off its first packets as new ones.
const RESTARTED_AFTER: Duration = Duration::from_secs(60);

/// The last packets of each format.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The latest first, with the time when it was heard last.
    last: HashMap<Beacon, Vec<(Vec<u8>, Instant)>>,
    /// The counter of the latest encrypted packet, and when that was heard last.
    sealed: Option<(u32, Instant)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    New,
    /// The latest.
    Again,
    /// One of those shortly before the latest. If packets have no number, it may also be a new one that is alike.
    InTurn,
    /// Encrypted long ago. Who sends that again is no device.
    Old,
}

impl Packets {
    pub(super) fn note(&mut self, beacon: Beacon, data: &[u8], now: Instant) -> Heard {
        let last = self.last.entry(beacon).or_default();
        let Some(at) = last.iter().position(|(bytes, _)| bytes == data) else {
            last.truncate(REMEMBERED_MAX - 1);
            last.insert(0, (data.to_vec(), now));
            return Heard::New;
        };
        last[..=at].rotate_right(1);
        let before = std::mem::replace(&mut last[0].1, now);
        match at {
            _ if now.saturating_duration_since(before) >= AGAIN_WITHIN => Heard::New,
            0 => Heard::Again,
            _ => Heard::InTurn,
        }
    }

    /// By the counter, which each new encrypted packet has for itself alone.
    pub(super) fn note_sealed(&mut self, counter: u32, now: Instant) -> Heard {
        let heard = match self.sealed {
            Some((last, _)) if counter == last => Heard::Again,
            Some((last, at)) if counter < last && !is_restart(counter, now.saturating_duration_since(at)) => {
                return Heard::Old;
            }
            _ => Heard::New,
        };
        self.sealed = Some((counter, now));
        heard
    }
}

fn is_restart(counter: u32, silence: Duration) -> bool {
    counter < RESTARTED_BELOW && silence >= RESTARTED_AFTER
}
