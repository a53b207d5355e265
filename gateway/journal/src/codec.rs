//! How items become bytes and come back: given by the user of the journal.

use crate::Placement;
use std::sync::Arc;

/// Turns items into bytes, says where they are kept, and makes what turns bytes back.
pub trait Codec: Send + Sync + 'static {
    /// What the journal holds.
    type Item: Send + Sync + 'static;

    /// Written at the head of every segment: what a reader needs to understand the items in it. At most 4 MiB; asked
    /// for once per segment, so it may not change while the journal is open.
    fn preamble(&self) -> Vec<u8>;

    /// Where the item is kept. Asked once, on the thread that appends.
    fn placement(&self, item: &Self::Item) -> Placement;

    /// About how many bytes the item takes when encoded: counts it against the limits of memory, and decides how many
    /// items a frame takes. It may be wrong; the more it is, the smaller or the fuller the frames.
    fn size_hint(&self, item: &Self::Item) -> usize;

    /// Appends the bytes of `items`, at least one, to `out`: they are decoded only together, so what they have in common
    /// needs to be there only once. Runs on a writer thread, sometimes twice for the same items; may not panic.
    fn encode(&self, items: &[Arc<Self::Item>], out: &mut Vec<u8>);

    /// A decoder for a segment that begins with `preamble`, or why there is none: then all items of that segment are
    /// reported as lost.
    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Self::Item>>, String>;
}

/// Turns the bytes of one segment back into items.
pub trait Decoder<T>: Send {
    /// The items that were encoded together, exactly `count`; `None` if the bytes make no sense, and then all of them are
    /// reported as lost.
    fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<T>>;

    /// One item of a segment of format version 1, where each item has bytes of its own.
    fn decode_v1(&self, bytes: &[u8]) -> Option<T>;
}
