//! The spine: the journal of messages and the registry that gives its numbers their names.
//!
//! Everything that has something to say appends here; everything that wants to know reads from here, at its own pace.

use crate::codec::{self, MessageCodec};
use edgeway_journal::{Journal, LostRange, Options};
use edgeway_sdk::Timestamp;
use edgeway_site::Site;
use edgeway_thing_models::{Body, Ledger, Message, Things};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tracing::{error, warn};

/// Messages kept in memory for live readers. A report of 20 values takes about 1 kB there, so this is some 2 MB; a reader
/// that falls further behind reads from disk.
const TAIL_MESSAGES: usize = 2048;

/// The journal of this gateway's messages.
pub(crate) type MessageJournal = Journal<MessageCodec>;

/// Opens the journal of a site.
///
/// Devices that old messages speak of and the site no longer has are added to the registry as retired ones, so that
/// what was recorded can still be delivered.
pub(crate) fn open(
    dir: &Path,
    things: &mut Things,
    options: Options,
) -> Result<(MessageJournal, Arc<Things>), edgeway_journal::Error> {
    for preamble in MessageJournal::preambles(dir)? {
        match codec::names(&preamble) {
            Some(names) => things.remember(&names),
            None => warn!("A journal segment has names that cannot be read; its messages will be reported as lost."),
        }
    }
    let things = Arc::new(std::mem::take(things));
    let journal = Journal::open(dir, MessageCodec::new(things.clone()), options)?;
    Ok((journal, things))
}

/// The journal's options as a site sets them.
pub(crate) fn options(site: &Site) -> Options {
    Options {
        segment_bytes: site.journal.segment_bytes,
        total_bytes_max: site.journal.size_bytes,
        age_max: site.journal.age,
        group_items: site.journal.group_messages,
        group_delay: site.journal.group_delay,
        tail_items: TAIL_MESSAGES,
        ..Options::default()
    }
}

/// A message of now.
pub(crate) fn message(body: Body) -> Message {
    Message { time: Timestamp::now(), body }
}

/// Messages that the journal refused and that no ledger tells of yet.
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Appends messages without waiting. When the journal can take no more (a full disk, for longer than its memory lasts)
/// they are lost to everyone, which is counted and logged.
pub(crate) fn publish(journal: &MessageJournal, messages: Vec<Message>) {
    if messages.is_empty() {
        return;
    }
    let Err((lost, error)) = journal.try_append(messages) else { return recovered(journal) };
    metrics::counter!("edgeway_journal_refused_messages_total").increment(lost.len() as u64);
    if REFUSED.fetch_add(lost.len() as u64, Relaxed) == 0 {
        error!(%error, "The journal takes no more messages; they are lost until it does.");
    }
}

/// Once the journal takes messages again, writes down how many it did not take. They never had an offset; the ledger names
/// the place where they are missing.
fn recovered(journal: &MessageJournal) {
    if REFUSED.load(Relaxed) == 0 {
        return;
    }
    let (count, head) = (REFUSED.swap(0, Relaxed), journal.head());
    if count > 0 && journal.try_append(vec![ledger("journal", "the journal was full", head, head, count)]).is_err() {
        REFUSED.fetch_add(count, Relaxed);
    }
}

/// The note that a consumer will never get a range of messages.
pub(crate) fn lost(consumer: &str, lost: &LostRange) -> Message {
    ledger(consumer, lost.reason.as_str(), lost.from, lost.to, lost.count())
}

/// The note that a consumer will never get some messages between two offsets, inclusive.
pub(crate) fn ledger(consumer: &str, reason: &str, from: u64, to: u64, count: u64) -> Message {
    message(Body::Ledger(Ledger { consumer: consumer.into(), reason: reason.into(), from, to, count }))
}
