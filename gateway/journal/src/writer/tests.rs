//! What happens when the disk does not do its part.

use crate::{
    Error, Journal, Level, LossReason, Place, Start,
    disk::{Disk, Operation},
    testing::{Numbers, open},
};
use rustix::io::Errno;
use std::{future::Future, time::Duration};

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

async fn is_complete(journal: &Journal<Numbers>, end: u64) {
    let mut reader = journal.reader(0, Level::Durable);
    while reader.position() < end {
        let position = reader.position();
        let fetched = within("entries", reader.next(50)).await.unwrap();
        assert!(fetched.lost.is_none(), "{:?}", fetched.lost);
        for (offset, entry) in (position..).zip(&fetched.entries) {
            assert_eq!((entry.offset, *entry.item), (offset, offset));
        }
    }
}

#[tokio::test]
async fn the_faults_of_these_tests_are_really_met() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let journal = open(&disk, dir.path());
    journal.append((0..10).collect()).await.unwrap();
    journal.flush().await.unwrap();
    for operation in [Operation::Sync, Operation::Write] {
        disk.faults.set(operation, Errno::IO, 1);
        journal.append(vec![journal.head()]).await.unwrap();
        assert!(matches!(journal.flush().await, Err(Error::NotDurable(_))), "{operation:?}");
        assert_eq!(disk.faults.met(operation), 1);
        journal.flush().await.unwrap();
    }
    assert_eq!(journal.stats().sync_errors_total, 2);
}

#[tokio::test]
async fn nothing_is_called_durable_that_was_not_synced_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let journal = open(&disk, dir.path());
    journal.append((0..20).collect()).await.unwrap();
    within("the disk", journal.durable(19)).await.unwrap();
    disk.faults.set(Operation::Sync, Errno::IO, 1);
    journal.append((20..40).collect()).await.unwrap();
    assert!(journal.flush().await.is_err());
    assert_eq!(journal.durable_head(), 20);
    assert!(journal.stats().last_error.unwrap().contains("cannot write"));
    // By itself, a second later, in a new segment.
    within("the retry", journal.durable(39)).await.unwrap();
    assert_eq!((journal.stats().last_error, journal.stats().segments), (None, 2));
    is_complete(&journal, 40).await;
    journal.close().await.unwrap();
    is_complete(&open(&Disk::default(), dir.path()), 40).await;
}

#[tokio::test]
async fn a_full_disk_stops_appends_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let journal = open(&disk, dir.path());
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    journal.append((0..10).collect()).await.unwrap();
    journal.flush().await.unwrap();
    disk.faults.set(Operation::Allocate, Errno::NOSPC, u64::MAX);
    let mut appended = 10;
    let refused = loop {
        match journal.try_append((appended..appended + 10).collect()) {
            Ok(range) => appended = range.end,
            Err((items, error)) => {
                assert_eq!(items, (appended..appended + 10).collect::<Vec<_>>());
                break error;
            }
        }
        let _ = journal.flush().await;
    };
    assert!(matches!(refused, Error::Full { .. }), "{refused}");
    assert!(journal.stats().last_error.unwrap().contains("no space left"));
    let durable = journal.durable_head();
    assert!(durable > 10 && durable < appended, "{durable} of {appended}");

    is_complete(&journal, durable).await;
    let mut live = journal.reader(durable, Level::Appended);
    assert_eq!(live.try_next(1).unwrap().unwrap().entries[0].offset, durable);
    cursor.commit(Place::at(durable));
    let _ = journal.flush().await;
    let stored = std::fs::read(dir.path().join("cursors")).unwrap();
    let position = durable.to_le_bytes();
    assert!(stored[8192..3 * 8192].chunks(4096).any(|slot| slot[24..32] == position), "a cursor needs no space");

    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(vec![appended]).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "an append waits for room");
    disk.faults.clear();
    assert_eq!(within("room", waiting).await.unwrap().unwrap().start, appended);
    within("the disk", journal.durable(appended)).await.unwrap();
    journal.close().await.unwrap();

    let journal = open(&Disk::default(), dir.path());
    is_complete(&journal, appended + 1).await;
    assert_eq!(journal.cursor("cloud", Start::Head).unwrap().position(), durable);
}

#[tokio::test]
async fn closing_on_a_full_disk_says_that_not_everything_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let journal = open(&disk, dir.path());
    disk.faults.set(Operation::Write, Errno::NOSPC, u64::MAX);
    journal.append(vec![0]).await.unwrap();
    assert!(matches!(within("the end", journal.close()).await, Err(Error::NotDurable(_))));
    let journal = open(&Disk::default(), dir.path());
    let lost = journal.reader(0, Level::Durable).try_next(1).unwrap().unwrap().lost.unwrap();
    assert_eq!((lost.from, lost.to, lost.count, lost.reason), (0, 0, 1, LossReason::NotKept));
}

#[tokio::test]
async fn a_cursor_that_could_not_be_written_is_written_later() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let journal = open(&disk, dir.path());
    journal.append((0..5).collect()).await.unwrap();
    journal.flush().await.unwrap();
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    disk.faults.set(Operation::CursorWrite, Errno::IO, 1);
    cursor.commit(Place::at(3));
    // The writer may have met the fault before this.
    let _ = journal.flush().await;
    journal.flush().await.unwrap();
    assert_eq!(disk.faults.met(Operation::CursorWrite), 1);
    assert_eq!((journal.stats().last_error, journal.stats().sync_errors_total), (None, 1));
    journal.close().await.unwrap();
    let journal = open(&Disk::default(), dir.path());
    assert_eq!(journal.cursor("cloud", Start::Head).unwrap().position(), 3);
}
