//! Dead letters: messages that a target refused for good, kept so that a person can look at them and send them again.
//!
//! A journal of their own, `data/deadletters`: a letter is an item, and so is the note that one was sent after all. The
//! index is in memory. At most [`BYTES_MAX`] on disk; the oldest go first, which is counted and logged.

mod codec;

use codec::{LetterCodec, Record};
use edgeway_journal::{ClassOptions, Journal, Level, Options};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Message, MessageId, Things};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::warn;

const BYTES_MAX: u64 = 64 << 20;
const SEGMENT_BYTES: u64 = 1 << 20;
/// The classes that are not used hold nothing; but a segment begins with the names of all things, which must fit.
const UNUSED_BYTES_MAX: u64 = 8 << 20;
/// Letters outlive the journal: people look at them when they come back from their holidays.
const AGE_MAX: Duration = Duration::from_secs(90 * 86_400);
/// How long a letter may take to get to disk before the route goes on without it.
const KEEP_WITHIN: Duration = Duration::from_secs(2);
const FETCH: usize = 256;

/// A letter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Letter {
    pub(crate) route: Arc<str>,
    pub(crate) reason: Arc<str>,
    /// When the target refused it.
    pub(crate) at: Timestamp,
    /// The message's own id.
    pub(crate) id: MessageId,
    /// Its place in the journal, where the route has it from.
    pub(crate) offset: u64,
    pub(crate) message: Arc<Message>,
}

/// What the index knows of a letter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Envelope {
    pub(crate) number: u64,
    pub(crate) route: Arc<str>,
    pub(crate) reason: Arc<str>,
    pub(crate) at: Timestamp,
    pub(crate) id: MessageId,
    pub(crate) subject: Arc<str>,
}

/// All letters of a gateway.
pub(crate) struct DeadLetters {
    journal: Journal<LetterCodec>,
    things: Arc<Things>,
    index: Mutex<BTreeMap<u64, Envelope>>,
}

impl DeadLetters {
    /// Opens the store and reads what is in it.
    pub(crate) fn open(dir: &Path, things: Arc<Things>) -> Result<DeadLetters, edgeway_journal::Error> {
        let journal = Journal::open(dir, LetterCodec::new(things.clone()), options())?;
        let letters = DeadLetters { journal, things, index: Mutex::default() };
        letters.read_all()?;
        Ok(letters)
    }

    fn read_all(&self) -> Result<(), edgeway_journal::Error> {
        let mut reader = self.journal.reader(self.journal.first(), Level::Durable);
        while let Some(fetched) = reader.try_next(FETCH)? {
            if let Some(lost) = &fetched.lost {
                warn!(count = lost.count, reason = lost.reason.as_str(), "Dead letters are lost.");
            }
            for entry in &fetched.entries {
                self.note(entry.offset, &entry.item);
            }
        }
        Ok(())
    }

    fn note(&self, number: u64, record: &Record) {
        let mut index = self.index.lock();
        match record {
            Record::Letter(letter) => drop(index.insert(number, self.envelope(number, letter))),
            Record::Gone(letter) => drop(index.remove(letter)),
        }
    }

    fn envelope(&self, number: u64, letter: &Letter) -> Envelope {
        let subject = letter.message.subject(&self.things).into();
        let Letter { route, reason, at, id, .. } = letter.clone();
        Envelope { number, route, reason, at, id, subject }
    }

    /// Keeps a letter; returns once it is on disk.
    ///
    /// # Errors
    /// Why it could not be kept: the disk takes nothing.
    pub(crate) async fn keep(&self, letter: Letter) -> Result<(), String> {
        let kept = async {
            let record = Record::Letter(letter.clone());
            let offsets = self.journal.append(vec![record]).await.map_err(|error| error.to_string())?;
            self.journal.durable(offsets.start).await.map_err(|error| error.to_string())?;
            Ok::<u64, String>(offsets.start)
        };
        let number = timeout(KEEP_WITHIN, kept).await.map_err(|_| "the disk takes too long".to_owned())??;
        self.note(number, &Record::Letter(letter));
        self.forget_removed();
        Ok(())
    }

    /// The oldest letters have gone with their segment.
    fn forget_removed(&self) {
        let first = self.journal.first();
        let mut index = self.index.lock();
        let kept = index.split_off(&first);
        let removed = std::mem::replace(&mut *index, kept).len();
        if removed > 0 {
            metrics::counter!("edgeway_dead_letters_removed_total").increment(removed as u64);
            warn!(removed, "The oldest dead letters had to go; there are too many of them.");
        }
    }

    /// The letters of a route, or of all, oldest first.
    pub(crate) fn list(&self, route: Option<&str>) -> Vec<Envelope> {
        let index = self.index.lock();
        index.values().filter(|envelope| route.is_none_or(|route| route == &*envelope.route)).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.index.lock().len()
    }

    /// A letter by its number.
    pub(crate) fn get(&self, number: u64) -> Option<Letter> {
        if !self.index.lock().contains_key(&number) {
            return None;
        }
        let fetched = self.journal.reader(number, Level::Appended).try_next(1).ok()??;
        match fetched.entries.first().map(|entry| &*entry.item) {
            Some(Record::Letter(letter)) => Some(letter.clone()),
            _ => None,
        }
    }

    /// A letter was delivered after all, or a person wants it gone.
    pub(crate) fn remove(&self, number: u64) {
        self.index.lock().remove(&number);
        // If this cannot be written the letter comes back after a restart, which is better than the other way round.
        if let Err((_, error)) = self.journal.try_append(vec![Record::Gone(number)]) {
            warn!(%error, "A dead letter that was dealt with could not be struck off; it will come back.");
        }
    }

    pub(crate) async fn close(&self) -> Result<(), edgeway_journal::Error> {
        self.journal.clone().close().await
    }
}

fn options() -> Options {
    let unused =
        ClassOptions { segment_bytes: SEGMENT_BYTES, total_bytes_max: UNUSED_BYTES_MAX, ..ClassOptions::default() };
    let letters = ClassOptions {
        segment_bytes: SEGMENT_BYTES,
        total_bytes_max: BYTES_MAX,
        age_max: AGE_MAX,
        ..ClassOptions::default()
    };
    Options { classes: [unused.clone(), letters, unused], tail_items: 16, ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::{Body, GatewayId, Notice};

    fn letter(text: &str) -> Letter {
        let notice = Notice { channel: "on-call".into(), text: text.into(), scene: "s".into() };
        Letter {
            route: "cloud".into(),
            reason: "400 Bad Request".into(),
            at: Timestamp::from_secs(1_795_000_000),
            id: MessageId { gateway: GatewayId::of("farm"), epoch: 1, offset: 7 },
            offset: 7,
            message: Arc::new(Message { time: Timestamp::from_secs(1_795_000_000), body: Body::Notice(notice) }),
        }
    }

    #[tokio::test]
    async fn letters_are_kept_over_a_restart_until_they_are_dealt_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let things = Arc::new(Things::default());
        let letters = DeadLetters::open(folder.path(), things.clone()).expect("opens");
        letters.keep(letter("one")).await.expect("kept");
        letters.keep(letter("two")).await.expect("kept");
        letters.remove(letters.list(None)[0].number);
        letters.close().await.expect("closes");
        drop(letters);
        let letters = DeadLetters::open(folder.path(), things).expect("opens");
        let list = letters.list(Some("cloud"));
        assert_eq!((list.len(), &*list[0].subject), (1, "notify/on-call"));
        assert_eq!(letters.get(list[0].number), Some(letter("two")));
        assert_eq!(letters.list(Some("other")), []);
    }
}
