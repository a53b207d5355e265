use crate::support::{KNOWN, class, copy, marked, number, open, small, with, within};
use edgeway_journal::{
    Class, ClassOptions, Error, Fetched, Journal, Level, LossReason, Options, Place, Placement, Start, SyncLevel,
};
use std::time::Duration;

const CRITICAL: Placement = Placement::Disk(Class::Critical);
const NORMAL: Placement = Placement::Disk(Class::Normal);
const BULK: Placement = Placement::Disk(Class::Bulk);
const MEMORY: Placement = Placement::Memory;

/// Items with rising numbers, placed in turns.
fn mixed(range: std::ops::Range<u64>, places: &[Placement]) -> Vec<Vec<u8>> {
    range.map(|number| marked(places[number as usize % places.len()], number)).collect()
}

fn numbers(fetched: &Fetched<Vec<u8>>) -> Vec<(u64, u64)> {
    fetched.entries.iter().map(|entry| (entry.offset, number(&entry.item))).collect()
}

#[tokio::test]
async fn each_class_has_its_own_log_and_together_they_have_one_order() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    for from in (0..300).step_by(10) {
        journal.append(mixed(from..from + 10, &[CRITICAL, NORMAL, BULK])).await.unwrap();
        within("a flush", journal.flush()).await.unwrap();
    }
    journal.close().await.unwrap();
    let journal = open(dir.path());
    let mut all = journal.reader(0, Level::Durable);
    let mut next = 0;
    while let Some(fetched) = all.try_next(7).unwrap() {
        for entry in &fetched.entries {
            let class = Class::ALL[next as usize % 3];
            assert_eq!((entry.offset, number(&entry.item), entry.placement), (next, next, Placement::Disk(class)));
            next += 1;
        }
        assert_eq!(all.position(), next);
    }
    assert_eq!(next, 300);
    for class in Class::ALL {
        let mut reader = journal.class_reader(class, 100, Level::Durable);
        let mut expected = (100..300).filter(|number| number % 3 == class.index() as u64);
        while let Some(fetched) = reader.try_next(9).unwrap() {
            assert!(fetched.lost.is_none(), "{:?}", fetched.lost);
            fetched.entries.iter().for_each(|entry| assert_eq!(Some(number(&entry.item)), expected.next()));
        }
        assert_eq!((expected.next(), reader.position()), (None, 300), "{class:?}");
        assert_eq!(journal.stats().classes[class.index()].items, 100);
    }
}

#[tokio::test]
async fn items_in_memory_alone_are_live_and_then_reported_as_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let places = [NORMAL, MEMORY, MEMORY, CRITICAL];
    journal.append(mixed(0..20, &places)).await.unwrap();
    let live = journal.reader(0, Level::Appended).try_next(100).unwrap().unwrap();
    assert_eq!(live.entries.len(), 20);
    within("the disk", journal.durable_range(0..20)).await.unwrap();
    within("memory is never waited for", journal.durable(18)).await.unwrap();
    // From memory, and after reopening from disk, the same.
    let told = |journal: &Journal<crate::support::Bytes>| {
        let (mut reader, mut told) = (journal.reader(0, Level::Durable), vec![]);
        while let Some(fetched) = reader.try_next(100).unwrap() {
            told.extend(fetched.lost.map(|lost| (lost.from, lost.to, lost.count, lost.class, lost.reason)));
            assert!(fetched.entries.iter().all(|entry| entry.placement != MEMORY));
        }
        assert_eq!(reader.position(), 20);
        told
    };
    let expected: Vec<_> = (0..5).map(|n| (4 * n + 1, 4 * n + 2, 2, None, LossReason::NotKept)).collect();
    assert_eq!(told(&journal), expected);
    journal.close().await.unwrap();
    let journal = open(dir.path());
    assert_eq!((told(&journal), journal.head()), (expected, 20));
    let mut class = journal.class_reader(Class::Critical, 0, Level::Durable);
    let fetched = class.try_next(100).unwrap().unwrap();
    assert_eq!(numbers(&fetched), [(3, 3), (7, 7), (11, 11), (15, 15), (19, 19)], "a class is told nothing of others");
}

#[tokio::test]
async fn a_class_that_is_full_refuses_its_own_items_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let slow = ClassOptions { group_delay: Duration::from_secs(3600), group_items: 1 << 20, ..class() };
    let options = Options { pending_bytes_max: 500, ..with(slow) };
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    journal.append(mixed(0..60, &[BULK])).await.unwrap();
    let (back, error) = journal.try_append(mixed(60..66, &[BULK, CRITICAL, MEMORY])).unwrap_err();
    assert!(matches!(error, Error::Full { class: Class::Bulk, .. }), "{error}");
    assert_eq!(back.iter().map(|item| number(item)).collect::<Vec<_>>(), [60, 63]);
    assert_eq!(journal.head(), 64);
    let stats = journal.stats();
    assert_eq!(stats.classes.each_ref().map(|class| class.refused_total), [0, 0, 2]);
    assert_eq!(
        numbers(&journal.class_reader(Class::Critical, 0, Level::Appended).try_next(9).unwrap().unwrap()),
        [(60, 61), (62, 64)]
    );
    // Waits for the refused ones only.
    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(mixed(66..69, &[BULK, CRITICAL, BULK])).await }
    });
    while journal.head() < 65 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    within("a flush", journal.flush()).await.unwrap();
    assert_eq!(within("room", waiting).await.unwrap().unwrap(), 64..67);
}

#[tokio::test]
async fn a_critical_item_is_durable_while_bulk_waits() {
    let dir = tempfile::tempdir().unwrap();
    let slow = ClassOptions { group_delay: Duration::from_secs(3600), ..class() };
    let mut options = with(slow);
    options.classes[Class::Critical.index()].sync = SyncLevel::Disk;
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    let offsets = journal.append(mixed(0..2, &[BULK, CRITICAL])).await.unwrap();
    within("the critical one", journal.durable(offsets.end - 1)).await.unwrap();
    assert_eq!((journal.durable_head(), journal.durable_head_of(Class::Critical)), (0, 2));
    assert_eq!(journal.durable_head_of(Class::Normal), 2, "nothing of it waits");
    assert!(journal.reader(0, Level::Durable).try_next(9).unwrap().is_none(), "one order waits for all");
    let mut critical = journal.class_reader(Class::Critical, 0, Level::Durable);
    assert_eq!(numbers(&critical.try_next(9).unwrap().unwrap()), [(1, 1)]);
}

#[tokio::test]
async fn what_waits_for_the_disk_is_read_even_when_it_has_left_the_tail() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = with(class());
    options.classes[Class::Bulk.index()].group_delay = Duration::from_secs(3600);
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    journal.append(mixed(0..1000, &[BULK, NORMAL])).await.unwrap();
    within("the disk", journal.durable(999)).await.unwrap();
    let (mut reader, mut next) = (journal.reader(0, Level::Appended), 0);
    while let Some(fetched) = reader.try_next(50).unwrap() {
        assert!(fetched.lost.is_none(), "{:?}", fetched.lost);
        for (offset, number) in numbers(&fetched) {
            assert_eq!((offset, number), (next, next));
            next += 1;
        }
    }
    assert_eq!(next, 1000);
}

#[tokio::test]
async fn at_level_os_items_are_durable_once_they_are_written_and_synced_soon_after() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), KNOWN, with(ClassOptions { sync: SyncLevel::Os, ..class() })).unwrap();
    for from in (0..2000).step_by(50) {
        journal.append(mixed(from..from + 50, &[NORMAL])).await.unwrap();
        within("a write", journal.durable(from + 49)).await.unwrap();
    }
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    journal.close().await.unwrap();
    for dir in [&dir, &killed] {
        let journal = open(dir.path());
        assert!(journal.recovery().damaged.is_empty());
        assert_eq!(journal.stats().classes[1].items, 2000);
    }
}

#[tokio::test]
async fn stamps_say_when_by_clocks_and_epochs_that_are_kept_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    assert_eq!(journal.epoch(), 1);
    let mut live = journal.class_reader(Class::Normal, 0, Level::Appended);
    for from in 0..40 {
        journal.append(mixed(2 * from..2 * from + 2, &[NORMAL])).await.unwrap();
    }
    let mut stamps = vec![];
    while let Some(fetched) = live.try_next(100).unwrap() {
        stamps.extend(fetched.entries.iter().map(|entry| entry.stamp));
    }
    let now = journal.now();
    assert!(stamps.windows(2).all(|pair| pair[0].mono_nanos <= pair[1].mono_nanos));
    assert!(stamps.iter().all(|stamp| stamp.epoch == 1 && stamp.boot == now.boot));
    assert!(stamps[0].age(&now) < Duration::from_secs(60));
    journal.close().await.unwrap();
    let journal = open(dir.path());
    assert_eq!((journal.epoch(), journal.recovery().epoch), (2, 2));
    let mut read = journal.class_reader(Class::Normal, 0, Level::Durable);
    let mut kept = vec![];
    while let Some(fetched) = read.try_next(100).unwrap() {
        kept.extend(fetched.entries.iter().map(|entry| entry.stamp));
    }
    assert_eq!(kept, stamps, "from disk as from memory");
    drop(journal);
    drop(read);
}

#[tokio::test]
async fn an_epoch_is_never_used_twice_even_if_nothing_was_written_in_it() {
    let dir = tempfile::tempdir().unwrap();
    for epoch in 1..6 {
        let journal = open(dir.path());
        assert_eq!(journal.epoch(), epoch);
        let killed = tempfile::tempdir().unwrap();
        copy(dir.path(), killed.path());
        assert_eq!(open(killed.path()).epoch(), epoch + 1);
        journal.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_cursor_keeps_a_place_in_each_class_and_a_note_that_fits_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append(mixed(0..9, &[CRITICAL, NORMAL, BULK])).await.unwrap();
    within("a flush", journal.flush()).await.unwrap();
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    assert_eq!(cursor.place(), Place { positions: [0, 1, 2], note: vec![] });
    let place = Place { positions: [9, 4, 0], note: vec![7; 3000] };
    cursor.commit_now(place.clone()).unwrap();
    assert!(matches!(
        cursor.commit_now(Place { note: vec![0; 3001], ..Place::at(0) }),
        Err(Error::Note { bytes: 3001, max: 3000 })
    ));
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    assert_eq!(open(killed.path()).cursor("cloud", Start::Head).unwrap().place(), place);
}

#[tokio::test]
async fn a_note_is_written_only_once_everything_before_its_place_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let slow = ClassOptions { group_delay: Duration::from_secs(3600), ..small().classes[0].clone() };
    let journal = Journal::open(dir.path(), KNOWN, with(slow)).unwrap();
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    journal.append(mixed(0..3, &[NORMAL])).await.unwrap();
    let ahead = Place { positions: [3; 3], note: b"three".to_vec() };
    assert!(matches!(cursor.commit_now(ahead.clone()), Err(Error::NotDurable(_))));
    assert_eq!(cursor.place(), ahead, "it is where it was put");
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    assert!(open(killed.path()).cursor("cloud", Start::First).unwrap().place().note.is_empty());
    within("a flush", journal.flush()).await.unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    assert_eq!(open(killed.path()).cursor("cloud", Start::First).unwrap().place(), ahead);
}
