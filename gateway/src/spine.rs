//! The spine: the journal of messages and the registry that gives its numbers their names.
//!
//! Everything that has something to say appends here; everything that wants to know reads from here, at its own pace.

mod placement;

pub(crate) use placement::{Thinning, sampling};

use edgeway_codec::{MessageCodec, names};
use edgeway_journal::{Class, ClassOptions, Journal, LostRange, Options, SyncLevel};
use edgeway_sdk::Timestamp;
use edgeway_site::{JournalOptions, SyncSite};
use edgeway_thing_models::{Body, Ledger, Message, Things};
use placement::Placer;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tracing::{error, warn};

/// Messages kept in memory for live readers. A report of 20 values takes about 1 kB there, so this is some 2 MB; a reader
/// that falls further behind reads from disk.
const TAIL_MESSAGES: usize = 2048;

/// The journal of this gateway's messages.
pub(crate) type MessageJournal = Journal<MessageCodec>;

/// The open journal, and what goes with it.
pub(crate) struct Spine {
    pub(crate) journal: MessageJournal,
    pub(crate) things: Arc<Things>,
    pub(crate) thinning: Arc<Thinning>,
}

/// Opens the journal of a site.
///
/// Devices that old messages speak of and the site no longer has are added to the registry as retired ones, so that
/// what was recorded can still be delivered.
pub(crate) fn open(dir: &Path, things: &mut Things, site: &JournalOptions) -> Result<Spine, edgeway_journal::Error> {
    for preamble in MessageJournal::preambles(dir)? {
        match names(&preamble) {
            Some(names) => things.remember(&names),
            None => warn!("A journal segment has names that cannot be read; its messages will be reported as lost."),
        }
    }
    let things = Arc::new(std::mem::take(things));
    let thinning = Arc::new(Thinning::new(things.devices().len()));
    let placer = Placer::new(site, things.clone(), thinning.clone());
    let codec = MessageCodec::new(things.clone(), Box::new(move |message| placer.place(message)));
    let journal = Journal::open(dir, codec, options(site))?;
    Ok(Spine { journal, things, thinning })
}

/// The journal's options as a site sets them.
fn options(site: &JournalOptions) -> Options {
    let class = |site: &edgeway_site::ClassOptions| ClassOptions {
        segment_bytes: site.segment_bytes,
        total_bytes_max: site.size_bytes,
        age_max: site.age,
        group_items: site.group_messages,
        group_delay: site.group_delay,
        sync: match site.sync {
            SyncSite::Disk => SyncLevel::Disk,
            SyncSite::Group => SyncLevel::Group,
            SyncSite::Os => SyncLevel::Os,
        },
    };
    Options { classes: site.classes.each_ref().map(class), tail_items: TAIL_MESSAGES, ..Options::default() }
}

/// The class that a site means.
pub(crate) fn class(site: edgeway_site::ClassSite) -> Class {
    match site {
        edgeway_site::ClassSite::Critical => Class::Critical,
        edgeway_site::ClassSite::Normal => Class::Normal,
        edgeway_site::ClassSite::Bulk => Class::Bulk,
    }
}

/// A message of now.
pub(crate) fn message(body: Body) -> Message {
    Message { time: Timestamp::now(), body }
}

/// Messages that the journal refused and that no ledger tells of yet.
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Appends messages without waiting. When the journal can take no more of a class (a full disk, for longer than its memory
/// lasts; a class that a route keeps from dropping anything) they are lost to everyone, which is counted and logged.
/// Returns the offset behind the last one taken.
pub(crate) fn publish(journal: &MessageJournal, messages: Vec<Message>) -> Option<u64> {
    if messages.is_empty() {
        return None;
    }
    let (lost, error) = match journal.try_append(messages) {
        Ok(offsets) => {
            recovered(journal);
            return Some(offsets.end);
        }
        Err(refused) => refused,
    };
    metrics::counter!("edgeway_journal_refused_messages_total").increment(lost.len() as u64);
    if REFUSED.fetch_add(lost.len() as u64, Relaxed) == 0 {
        error!(%error, "The journal takes no more messages of a class; they are lost until it does.");
    }
    None
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
    ledger(consumer, lost.reason.as_str(), lost.from, lost.to, lost.count)
}

/// The note that a consumer will never get some messages between two offsets, inclusive.
pub(crate) fn ledger(consumer: &str, reason: &str, from: u64, to: u64, count: u64) -> Message {
    message(Body::Ledger(Ledger { consumer: consumer.into(), reason: reason.into(), from, to, count }))
}
