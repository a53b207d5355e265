//! Queries that have not run yet, brought to what they would remember if they had.

use super::FETCH;
use crate::spine::MessageJournal;
use edgeway_codec::MessageCodec;
use edgeway_journal::{Level, Reader};
use edgeway_sdk::Timestamp;
use edgeway_streams::Queries;
use tracing::warn;

/// Queries that read the journal of the past. What they tell is thrown away: it has been told, or nobody asked for it.
pub(crate) struct Warm {
    queries: Queries,
    reader: Reader<MessageCodec>,
}

impl Warm {
    /// Queries that begin with the messages that the gateway has got since a time.
    pub(crate) fn new(queries: Queries, journal: &MessageJournal, since: Timestamp) -> Warm {
        Warm { queries, reader: journal.reader(first_since(journal, since), Level::Appended) }
    }

    /// Takes in all before an offset.
    pub(super) fn reach(&mut self, end: u64) {
        let mut told = vec![];
        while self.reader.position() < end {
            let entries = match self.reader.try_next(FETCH) {
                Ok(Some(fetched)) => fetched.entries.into_iter().map(|entry| (entry.offset, entry.item)),
                Ok(None) => return,
                Err(error) => return warn!(%error, "New queries cannot read all of the journal: they begin colder."),
            };
            let entries: Vec<_> = entries.filter(|(offset, _)| *offset < end).collect();
            self.queries.push(Timestamp::now(), &entries, &mut told);
            told.clear();
        }
        self.reader.seek(end);
    }

    /// The queries as they are.
    pub(super) fn queries(&mut self) -> &mut Queries {
        &mut self.queries
    }
}

/// The offset of the first message that the gateway has got since a time, by halves. Where messages are lost it looks before
/// them.
fn first_since(journal: &MessageJournal, since: Timestamp) -> u64 {
    let is_before = |offset| {
        let first = journal.reader(offset, Level::Appended).try_next(1).ok().flatten();
        first.and_then(|fetched| Some(fetched.entries.first()?.item.time < since)).unwrap_or(false)
    };
    let (mut low, mut high) = (journal.first(), journal.head());
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
