//! Queries that have not run yet, brought to what they would remember if they had.

use super::FETCH;
use crate::spine::MessageJournal;
use edgeway_codec::MessageCodec;
use edgeway_journal::{Error, Level, Reader};
use edgeway_sdk::Timestamp;
use edgeway_streams::Queries;

/// Queries that read the journal of the past. What they tell is thrown away: but for an edit of how long a query waits,
/// it has been told.
pub(super) struct Warm {
    pub(super) queries: Queries,
    reader: Reader<MessageCodec>,
    /// When the gateway got the first message that they saw.
    pub(super) since: Option<Timestamp>,
    /// How many messages could not be read.
    pub(super) lost: u64,
}

impl Warm {
    /// Queries that begin with the messages that the gateway has got since a time.
    pub(super) fn new(queries: Queries, journal: &MessageJournal, since: Timestamp) -> Warm {
        let reader = journal.reader(first_since(journal, since), Level::Appended);
        Warm { queries, reader, since: None, lost: 0 }
    }

    /// Takes in all before an offset.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(super) fn reach(&mut self, end: u64) -> Result<(), Error> {
        let mut told = vec![];
        while self.reader.position() < end
            && let Some(fetched) = self.reader.try_next(FETCH)?
        {
            self.lost += fetched.lost.map_or(0, |lost| lost.count);
            let entries = fetched.entries.into_iter().map(|entry| (entry.offset, entry.item));
            let entries: Vec<_> = entries.filter(|(offset, _)| *offset < end).collect();
            self.since = self.since.or(entries.first().map(|(_, message)| message.time));
            self.queries.push(Timestamp::now(), &entries, &mut told);
            told.clear();
        }
        self.reader.seek(end);
        Ok(())
    }

    /// Whether only little is left up to an offset.
    pub(super) fn is_close_to(&self, end: u64) -> bool {
        end.saturating_sub(self.reader.position()) <= FETCH as u64
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
