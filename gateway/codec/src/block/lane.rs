//! Numbers of one kind, as differences to earlier ones where that is shorter.

use super::shapes::Kin;
use crate::number::{Bits, Column};
use crate::stream::{Sink, Source};

/// What is expected of the next number.
#[derive(Default)]
pub(super) struct Lane {
    column: Column,
    trust: [Trust; 2],
}

/// The number that stood at the same place before.
#[derive(Clone, Copy)]
pub(super) struct Earlier {
    pub(super) number: i64,
    /// How long it was when it was written.
    pub(super) bits: Bits,
    pub(super) kin: Kin,
}

impl Lane {
    #[inline]
    pub(super) fn encode(&mut self, number: i64, earlier: Option<Earlier>, sink: &mut Sink) -> Bits {
        let base = self.base(earlier);
        self.learn(number, earlier);
        self.column.after(earlier.map(|earlier| earlier.bits)).encode(number.wrapping_sub(base), sink)
    }

    #[inline]
    pub(super) fn decode(&mut self, earlier: Option<Earlier>, source: &mut Source<'_>) -> (i64, Bits) {
        let base = self.base(earlier);
        let (difference, bits) = self.column.after(earlier.map(|earlier| earlier.bits)).decode(source);
        let number = base.wrapping_add(difference);
        self.learn(number, earlier);
        (number, bits)
    }

    /// What the number is written as a difference to.
    fn base(&self, earlier: Option<Earlier>) -> i64 {
        earlier.filter(|earlier| self.trust[earlier.kin as usize].pays()).map_or(0, |earlier| earlier.number)
    }

    fn learn(&mut self, number: i64, earlier: Option<Earlier>) {
        if let Some(earlier) = earlier {
            self.trust[earlier.kin as usize].learn(number, earlier.number);
        }
    }
}

/// Whether differences were shorter so far. One turbine's wind tells something of the next one's; its direction when
/// parked does not.
#[derive(Default)]
struct Trust {
    plain_bits: u64,
    difference_bits: u64,
}

impl Trust {
    fn pays(&self) -> bool {
        self.difference_bits <= self.plain_bits
    }

    fn learn(&mut self, number: i64, earlier: i64) {
        self.plain_bits += length(number);
        self.difference_bits += length(number.wrapping_sub(earlier));
    }
}

fn length(number: i64) -> u64 {
    u64::from(u64::BITS - number.unsigned_abs().leading_zeros())
}
