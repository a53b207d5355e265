//! In which order the bytes of a value come.

use super::Kind;
use edgeway_sdk::Problem;

/// A byte order, named by where the bytes of a value are found, `A` being the most significant: `CDAB` means that the
/// third comes first.
///
/// Devices swap the bytes of a register, the registers of a pair, or the pairs of a value of four registers. So the
/// byte that comes at place `i` is byte `i ^ mask`, and the mask has one bit for each kind of swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    mask: u8,
}

const SWAP_REGISTERS: u8 = 2;
const SWAP_PAIRS: u8 = 4;

impl Order {
    /// A device's order, named for a value of two registers. It means the same for shorter and longer values: `CDAB` is
    /// `AB` for one register and `GHEFCDAB` for four.
    pub(crate) fn of_device(text: &str) -> Result<Self, Problem> {
        let Order { mask } = named(text, 4).ok_or_else(|| {
            Problem::key("order", format!("`{text}` is not a device's order")).help(format!("one of {}", names(4)))
        })?;
        let pairs = if mask & SWAP_REGISTERS == 0 { 0 } else { SWAP_PAIRS };
        Ok(Order { mask: mask | pairs })
    }

    /// A point's order, which names exactly the bytes of its value.
    pub(crate) fn of_value(text: &str, kind: Kind) -> Result<Self, Problem> {
        let bytes = kind.ordered_bytes();
        named(text, bytes).ok_or_else(|| {
            Problem::key("order", format!("`{text}` is not an order of {bytes} bytes"))
                .help(format!("one of {}", names(bytes)))
        })
    }

    /// The number in one, two or four registers.
    pub(super) fn number(self, registers: &[u8]) -> u64 {
        let last = registers.len() - 1;
        (0..=last).fold(0, |number, place| number << 8 | u64::from(registers[place ^ self.mask_below(last)]))
    }

    /// The low bytes of a number in one, two or four registers.
    pub(super) fn registers(self, number: u64, count: u16) -> Vec<u16> {
        let last = usize::from(count) * 2 - 1;
        let wanted = |place: usize| number >> (8 * (last - (place ^ self.mask_below(last)))) & 0xff;
        (0..=last).step_by(2).map(|place| (wanted(place) << 8 | wanted(place + 1)) as u16).collect()
    }

    /// The bytes of a text.
    pub(super) fn bytes(self, registers: &[u8]) -> Vec<u8> {
        (0..registers.len()).map(|place| registers[place ^ self.mask_below(1)]).collect()
    }

    /// The registers of a text with an even number of bytes.
    pub(super) fn text_registers(self, bytes: &[u8]) -> Vec<u16> {
        let wanted = |place: usize| u16::from(bytes[place ^ self.mask_below(1)]);
        (0..bytes.len()).step_by(2).map(|place| wanted(place) << 8 | wanted(place + 1)).collect()
    }

    /// The swaps that there are in a value whose last byte has this place.
    fn mask_below(self, last: usize) -> usize {
        usize::from(self.mask) & last
    }

    fn name(self, bytes: usize) -> String {
        (0..bytes).map(|place| char::from(b'A' + (place ^ self.mask_below(bytes - 1)) as u8)).collect()
    }
}

fn all(bytes: usize) -> impl Iterator<Item = Order> {
    (0..bytes as u8).map(|mask| Order { mask })
}

fn named(text: &str, bytes: usize) -> Option<Order> {
    all(bytes).find(|order| order.name(bytes) == text)
}

fn names(bytes: usize) -> String {
    all(bytes).map(|order| format!("`{}`", order.name(bytes))).collect::<Vec<_>>().join(", ")
}
