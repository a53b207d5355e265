use crate::support::{KNOWN, class, copy, fill, item, items, losses, open, read_to, small, with, within};
use edgeway_journal::{ClassOptions, Error, Journal, Level, LossReason, Options};
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..500, 20).await;
    assert!(journal.stats().segments > 3, "the test meets more than one segment");
    journal.close().await.unwrap();

    let journal = open(dir.path());
    assert_eq!((journal.head(), journal.durable_head(), journal.first()), (500, 500, 0));
    assert!(journal.recovery().damaged.is_empty());
    assert_eq!(losses(&journal).await, []);
    assert_eq!(journal.append(items(500..501)).await.unwrap(), 500..501);
}

#[tokio::test]
async fn a_live_reader_sees_items_before_they_are_durable() {
    let dir = tempfile::tempdir().unwrap();
    let options = with(ClassOptions { group_delay: Duration::from_secs(3600), ..class() });
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    let (mut live, mut durable) = (journal.reader(0, Level::Appended), journal.reader(0, Level::Durable));
    assert!(live.try_next(10).unwrap().is_none());
    journal.append(items(0..3)).await.unwrap();
    let fetched = live.try_next(10).unwrap().unwrap();
    assert_eq!(fetched.entries.len(), 3);
    assert_eq!(*fetched.entries[2].item, item(2));
    assert!(durable.try_next(10).unwrap().is_none());
    assert_eq!(journal.durable_head(), 0);
    within("a flush", journal.flush()).await.unwrap();
    assert_eq!(durable.try_next(10).unwrap().unwrap().entries.len(), 3);
}

#[tokio::test]
async fn a_group_is_durable_when_its_time_is_up_or_it_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), KNOWN, small()).unwrap();
    let range = journal.append(items(0..10)).await.unwrap();
    within("the delay", journal.durable(range.end - 1)).await.unwrap();
    assert_eq!(journal.stats().synced_groups_total, 1, "one sync for the whole group");
    journal.close().await.unwrap();

    let options = with(ClassOptions { group_delay: Duration::from_secs(3600), group_items: 50, ..class() });
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    let (first, _) = (journal.append(items(10..59)).await.unwrap(), journal.durable(20));
    assert_eq!(journal.durable_head(), first.start);
    journal.append(items(59..60)).await.unwrap();
    within("a full group", journal.durable(59)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_from_disk_to_memory_meets_no_gap_and_no_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let end = 6000;
    fill(&journal, 0..600, 100).await;
    let readers: Vec<_> = [Level::Appended, Level::Durable, Level::Durable]
        .into_iter()
        .map(|level| {
            let mut reader = journal.reader(0, level);
            tokio::spawn(async move { read_to(&mut reader, end).await })
        })
        .collect();
    let mut from = 600;
    while from < end {
        let to = end.min(from + 1 + from * 7919 % 90);
        journal.append(items(from..to)).await.unwrap();
        from = to;
        if from % 3 == 0 {
            within("the disk", journal.durable(from - 1)).await.unwrap();
        }
    }
    for reader in readers {
        assert_eq!(within("a reader", reader).await.unwrap(), []);
    }
}

#[tokio::test]
async fn dropping_the_future_of_a_read_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..300, 50).await;
    let mut reader = journal.reader(0, Level::Durable);
    let mut dropped = 0;
    while reader.position() < 300 {
        let position = reader.position();
        tokio::select! {
            biased;
            fetched = reader.next(40) => {
                assert_eq!(fetched.unwrap().entries[0].offset, position);
                continue;
            }
            () = tokio::task::yield_now() => dropped += 1,
        }
        let fetched = within("entries", reader.next(11)).await.unwrap();
        assert_eq!(fetched.entries[0].offset, position);
    }
    assert!(dropped > 0, "some futures were dropped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_keeps_everything_that_was_durable() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let appender = tokio::spawn({
        let journal = journal.clone();
        async move {
            for from in (0..).step_by(13) {
                if journal.append(items(from..from + 13)).await.is_err() {
                    return;
                }
                if from % 3 == 0 {
                    let _ = journal.durable(from).await;
                }
            }
        }
    });
    for kill in 0..12 {
        within("items", journal.durable(kill * 150)).await.unwrap();
        let durable = journal.durable_head();
        let after = tempfile::tempdir().unwrap();
        copy(dir.path(), after.path());
        let survivor = open(after.path());
        assert!(survivor.head() >= durable, "{} is missing of {durable}", survivor.head());
        let lost = losses(&survivor).await;
        assert!(lost.iter().all(|lost| lost.from >= durable), "{lost:?} was durable, {durable}");
    }
    journal.close().await.unwrap();
    within("the appender", appender).await.unwrap();
}

#[tokio::test]
async fn the_longest_item_is_kept_and_a_longer_one_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let (longest, longer) = (vec![7; (1 << 20) - 4], vec![7; (1 << 20) - 3]);
    journal.append(vec![item(0), longest.clone(), longer, item(3)]).await.unwrap();
    within("the disk", journal.durable(1)).await.unwrap();
    within("the disk", journal.durable(3)).await.unwrap();
    assert!(matches!(journal.durable(2).await, Err(Error::TooLarge { offset: 2 })));
    assert_eq!(journal.stats().too_large_total, 1);
    journal.close().await.unwrap();

    let journal = open(dir.path());
    let mut reader = journal.reader(0, Level::Durable);
    assert_eq!(*reader.next(1).await.unwrap().entries[0].item, item(0));
    assert_eq!(*reader.next(9).await.unwrap().entries[0].item, longest);
    let lost = reader.next(9).await.unwrap().lost.unwrap();
    assert_eq!((lost.from, lost.to, lost.reason), (2, 2, LossReason::TooLarge));
    assert_eq!(*reader.next(9).await.unwrap().entries[0].item, item(3));
}

#[tokio::test]
async fn memory_holds_as_much_as_the_tail_may() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { tail_items: 10, ..small() };
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    fill(&journal, 0..100, 10).await;
    let kept = journal.reader(90, Level::Durable).try_next(1).unwrap().unwrap().entries.remove(0);
    let read = journal.reader(89, Level::Durable).try_next(1).unwrap().unwrap().entries.remove(0);
    assert_eq!(std::sync::Arc::strong_count(&kept.item), 2, "shared with the tail");
    assert_eq!(std::sync::Arc::strong_count(&read.item), 1, "read from disk");
}

#[tokio::test]
async fn a_closed_journal_takes_nothing_and_gives_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let mut reader = journal.reader(0, Level::Durable);
    journal.append(items(0..5)).await.unwrap();
    journal.clone().close().await.unwrap();
    assert!(matches!(journal.append(items(5..6)).await, Err(Error::Closed)));
    assert!(matches!(journal.durable(7).await, Err(Error::Closed)));
    assert_eq!(read_to(&mut reader, 5).await, []);
    assert!(matches!(within("the end", reader.next(1)).await, Err(Error::Closed)));
}

#[tokio::test]
async fn items_survive_the_last_handle() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append(items(0..5)).await.unwrap();
    drop(journal);
    let deadline = Instant::now() + Duration::from_secs(10);
    let journal = loop {
        match Journal::open(dir.path(), KNOWN, small()) {
            Err(Error::Locked { .. }) if Instant::now() < deadline => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(journal.head(), 5);
}
