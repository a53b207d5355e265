//! The id that a message keeps on every delivery, so that a receiver can drop repeats.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const OFFSET_BITS: u32 = 48;
const EPOCH_BITS: u32 = 32;

/// 128 bits, written as 32 hexadecimal digits: which gateway (48 bits), which of its starts (32), which place in its
/// journal (48).
///
/// ```
/// use edgeway_thing_models::{GatewayId, MessageId};
/// let id = MessageId { gateway: GatewayId::of("farm-1a2b3c4d"), epoch: 7, offset: 4711 };
/// assert_eq!(id.to_string().len(), 32);
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
///
/// Within one gateway ids rise in the order of the journal. A later start counts on from the offsets that it finds; where
/// a crash made it use an offset again, the epoch tells the two messages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// The gateway.
    pub gateway: GatewayId,
    /// Counts the starts of the gateway on this data folder. 0 for messages from before epochs were kept.
    pub epoch: u32,
    /// The message's place in the journal; the lower 48 bits of it.
    pub offset: u64,
}

/// A gateway in 48 bits: the FNV-1a hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayId(u64);

impl GatewayId {
    /// The id of the gateway with this name, `farm-1a2b3c4d`.
    pub fn of(name: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        GatewayId((hash ^ (hash >> OFFSET_BITS)) & low(OFFSET_BITS))
    }
}

impl MessageId {
    /// As a number.
    pub fn to_u128(self) -> u128 {
        let epoch_and_gateway = (u128::from(self.gateway.0) << EPOCH_BITS) | u128::from(self.epoch);
        (epoch_and_gateway << OFFSET_BITS) | u128::from(self.offset & low(OFFSET_BITS))
    }

    /// From a number.
    pub fn from_u128(id: u128) -> Self {
        MessageId {
            gateway: GatewayId((id >> (OFFSET_BITS + EPOCH_BITS)) as u64),
            epoch: (id >> OFFSET_BITS) as u32,
            offset: id as u64 & low(OFFSET_BITS),
        }
    }
}

fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.to_u128())
    }
}

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message's id has 32 hexadecimal digits")]
pub struct NoMessageId;

impl FromStr for MessageId {
    type Err = NoMessageId;

    fn from_str(text: &str) -> Result<Self, NoMessageId> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().ok_or(NoMessageId)?;
        Ok(MessageId::from_u128(number))
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_with_epoch_and_offset_and_come_back() {
        let gateway = GatewayId::of("farm-1a2b3c4d");
        let id = |epoch, offset| MessageId { gateway, epoch, offset };
        let rising = [id(0, 5), id(1, 0), id(1, 1), id(2, (1 << 48) - 1), id(u32::MAX, 0)];
        assert!(rising.windows(2).all(|pair| pair[0].to_u128() < pair[1].to_u128()));
        for id in rising {
            assert_eq!(MessageId::from_u128(id.to_u128()), id);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "farm:4711", "+0000000000000000000000000000001", &"0".repeat(33)] {
            assert_eq!(text.parse::<MessageId>(), Err(NoMessageId), "{text}");
        }
    }
}
