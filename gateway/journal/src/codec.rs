//! How items become bytes and come back: given by the user of the journal.

/// Turns items into bytes, and makes what turns them back.
pub trait Codec: Send + Sync + 'static {
    /// What the journal holds.
    type Item: Send + Sync + 'static;

    /// Written at the head of every segment: what a reader needs to understand the items in it. At most 4 MiB; asked
    /// for once per segment, so it may not change while the journal is open.
    fn preamble(&self) -> Vec<u8>;

    /// Appends the bytes of `item` to `out`. Runs on the writer thread; may not panic.
    fn encode(&self, item: &Self::Item, out: &mut Vec<u8>);

    /// A decoder for a segment that begins with `preamble`, or why there is none: then all items of that segment are
    /// reported as lost.
    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Self::Item>>, String>;
}

/// Turns the bytes of one segment back into items.
pub trait Decoder<T>: Send {
    /// The item; `None` if the bytes make no sense, and then it is reported as lost.
    fn decode(&self, bytes: &[u8]) -> Option<T>;
}
