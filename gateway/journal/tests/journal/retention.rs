use crate::support::{KNOWN, class, fill, losses, normal, read_to, segments, small, with};
use edgeway_journal::{Class, ClassOptions, Clock, Journal, Level, LossReason, Options, Start};
use std::{
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Bytes in real blocks below `dir`.
fn usage(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| entry.metadata().map_or(0, |metadata| metadata.blocks() * 512)).sum()
}

#[tokio::test]
async fn the_disk_is_bounded_and_a_reader_that_lags_is_told_what_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let bytes_max = 200 << 10;
    let options = with(ClassOptions { total_bytes_max: bytes_max, ..class() });
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    let mut lagging = journal.class_reader(Class::Normal, 0, Level::Durable);
    fill(&journal, 0..50, 50).await;
    lagging.next(3).await.unwrap();
    for from in (50..2000).step_by(50) {
        fill(&journal, from..from + 50, 50).await;
        assert!(usage(&normal(dir.path())) <= bytes_max, "{} bytes at {from}", usage(&normal(dir.path())));
    }
    let stats = journal.stats();
    assert!(stats.first > 500, "something had to go: {}", stats.first);
    assert_eq!(stats.dropped_by_retention_total, stats.first);
    assert!(stats.classes[1].bytes_on_disk <= bytes_max);

    let position = lagging.position();
    let lost = read_to(&mut lagging, 2000).await;
    assert_eq!(lost.len(), 1);
    assert!(lost[0].from >= position, "{lost:?}");
    let count = stats.first - lost[0].from;
    assert_eq!((lost[0].to, lost[0].count, lost[0].reason), (stats.first - 1, count, LossReason::Retention));
    assert_eq!(cursor.position(), 0, "a cursor does not move by itself");
    let lost = read_to(&mut journal.class_reader(Class::Normal, cursor.position(), Level::Durable), 2000).await;
    assert_eq!((lost[0].from, lost[0].count), (0, stats.first));
    journal.close().await.unwrap();

    let journal = Journal::open(dir.path(), KNOWN, small()).unwrap();
    assert_eq!(journal.first(), stats.first);
    assert_eq!(losses(&journal).await[0].count, stats.first);
}

/// A clock that stands still until it is moved; seconds since 1970.
fn clock(seconds: &Arc<AtomicU64>) -> Clock {
    let seconds = seconds.clone();
    let wall = seconds.clone();
    Clock::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(wall.load(Ordering::Relaxed)))
        .with_mono(move || Duration::from_secs(seconds.load(Ordering::Relaxed)))
}

/// What is older than an hour goes.
fn aging(now: &Arc<AtomicU64>) -> Options {
    Options { clock: clock(now), ..with(ClassOptions { age_max: Duration::from_secs(3600), ..class() }) }
}

#[tokio::test]
async fn segments_go_when_all_their_items_are_too_old() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(1_800_000_000));
    let options = aging(&now);
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    fill(&journal, 0..200, 50).await;
    let old = journal.stats().segments;
    assert!(old > 2);
    now.fetch_add(3000, Ordering::Relaxed);
    fill(&journal, 200..400, 50).await;
    assert_eq!(journal.first(), 0, "nothing is an hour old");
    now.fetch_add(1000, Ordering::Relaxed);
    fill(&journal, 400..600, 50).await;
    assert!((100..=200).contains(&journal.first()), "the first ones are, the others are not: {}", journal.first());
    assert!(losses(&journal).await.iter().all(|lost| lost.reason == LossReason::Retention));
}

#[tokio::test]
async fn a_clock_that_was_not_set_makes_nothing_old() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(100));
    let wall = now.clone();
    let clock = Clock::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(wall.load(Ordering::Relaxed)));
    let options = Options { clock, ..aging(&now) };
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    fill(&journal, 0..200, 50).await;
    now.store(1_800_000_000, Ordering::Relaxed);
    fill(&journal, 200..400, 50).await;
    assert_eq!(journal.first(), 0);
}

#[tokio::test]
async fn a_damaged_segment_that_was_copied_and_then_removed_for_space_counts_as_removed() {
    let dir = tempfile::tempdir().unwrap();
    let options = || with(ClassOptions { total_bytes_max: 200 << 10, ..class() });
    let journal = Journal::open(dir.path(), KNOWN, options()).unwrap();
    fill(&journal, 0..200, 50).await;
    journal.close().await.unwrap();
    // The middle of the frames of the oldest segment.
    let oldest = segments(dir.path()).remove(0);
    let mut bytes = std::fs::read(&oldest).unwrap();
    let middle = 8192 + (bytes.len() - 8192) / 2;
    bytes[middle..middle + 64].fill(0xA5);
    std::fs::write(&oldest, bytes).unwrap();

    let journal = Journal::open(dir.path(), KNOWN, options()).unwrap();
    assert_eq!(losses(&journal).await[0].reason, LossReason::Damaged);
    assert!(normal(dir.path()).join("quarantine").read_dir().unwrap().count() == 1, "a copy is set aside");
    for from in (200..2000).step_by(50) {
        fill(&journal, from..from + 50, 50).await;
    }
    assert!(journal.first() > 200);
    let removed = |lost: Vec<edgeway_journal::LostRange>| lost[0].reason;
    assert_eq!(removed(losses(&journal).await), LossReason::Retention);
    journal.close().await.unwrap();
    let journal = Journal::open(dir.path(), KNOWN, options()).unwrap();
    assert_eq!(removed(losses(&journal).await), LossReason::Retention, "also after a restart");
}
