use crate::support::{Bytes, KNOWN, class, fill, item, items, normal, with, within};
use edgeway_journal::{
    Class, ClassOptions, Cursor, Entry, Error, Journal, Keeper, Level, LossReason, LostRange, Place, Start,
};
use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Keeps what lies before an offset, and writes down what goes.
#[derive(Default)]
struct Route {
    blocks: AtomicBool,
    kept_below: u64,
    gone: Mutex<Vec<u64>>,
    cursor: Mutex<Option<Cursor>>,
}

impl Keeper<Vec<u8>> for Route {
    fn may_remove(&self, class: Class, offsets: Range<u64>) -> bool {
        assert_eq!(class, Class::Normal);
        !self.blocks.load(Ordering::Acquire) && offsets.start >= self.kept_below
    }

    fn removing(
        &self,
        _: Class,
        offsets: Range<u64>,
        entries: &mut dyn Iterator<Item = Result<Entry<Vec<u8>>, LostRange>>,
    ) {
        let found: Vec<u64> = entries.map(|entry| entry.expect("nothing is damaged").offset).collect();
        assert_eq!(found, offsets.clone().collect::<Vec<_>>());
        self.gone.lock().unwrap().extend(found);
        if let Some(cursor) = &*self.cursor.lock().unwrap() {
            cursor.commit_now(Place { note: b"moved".to_vec(), ..Place::at(offsets.end) }).unwrap();
        }
    }
}

fn open(dir: &Path, route: &Arc<Route>) -> Journal<Bytes> {
    let class = ClassOptions { total_bytes_max: 120 << 10, ..class() };
    let options = edgeway_journal::Options { pending_bytes_max: 16 << 10, ..with(class) };
    let journal = Journal::open(dir, KNOWN, options).unwrap();
    journal.set_keeper(route.clone());
    journal
}

#[tokio::test]
async fn a_consumer_is_shown_every_item_before_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let route = Arc::new(Route::default());
    let journal = open(dir.path(), &route);
    *route.cursor.lock().unwrap() = Some(journal.cursor("cloud", Start::First).unwrap());
    fill(&journal, 0..1500, 50).await;
    let first = journal.first();
    assert!(first > 300, "something had to go: {first}");
    assert_eq!(*route.gone.lock().unwrap(), (0..first).collect::<Vec<_>>());
    assert_eq!(journal.stats().dropped_by_retention_total, first);
    let place = journal.cursors()[0].place();
    assert_eq!((place.positions, place.note), ([first; 3], b"moved".to_vec()));
    *route.cursor.lock().unwrap() = None;
    journal.close().await.unwrap();
}

#[tokio::test]
async fn a_log_from_which_nothing_may_go_is_full_and_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let route = Arc::new(Route { blocks: AtomicBool::new(true), ..Route::default() });
    let journal = open(dir.path(), &route);
    let mut next = 0;
    let error = loop {
        match journal.try_append(items(next..next + 20)) {
            Ok(offsets) => next = offsets.end,
            Err((back, error)) => {
                assert_eq!(back, items(next..next + 20));
                break error;
            }
        }
        let _ = within("a flush", journal.flush()).await;
    };
    assert!(matches!(error, Error::Full { class: Class::Normal, .. }), "{error}");
    let usage = journal.usage(Class::Normal);
    assert!(usage.full && usage.bytes <= usage.bytes_max, "{usage:?}");
    assert!(journal.usage(Class::Critical).bytes_max == 120 << 10 && !journal.usage(Class::Critical).full);
    assert_eq!((journal.first(), journal.stats().dropped_by_retention_total), (0, 0));
    assert_eq!(journal.stats().last_error, None, "the disk does its part");
    assert_eq!(journal.stats().classes[1].refused_total, 20);

    route.blocks.store(false, Ordering::Release);
    within("space", journal.durable(next - 1)).await.unwrap();
    assert!(!journal.usage(Class::Normal).full);
    assert_eq!(within("room", journal.append(items(next..next + 20))).await.unwrap().start, next);
    journal.close().await.unwrap();
}

#[tokio::test]
async fn holes_in_the_middle_are_counted_exactly_also_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let route = Arc::new(Route { kept_below: 100, ..Route::default() });
    let journal = open(dir.path(), &route);
    fill(&journal, 0..2000, 50).await;
    assert_eq!(journal.first(), 0);
    let gone = route.gone.lock().unwrap().clone();
    assert!(gone.len() > 300 && gone[0] >= 100, "{} from {:?}", gone.len(), gone.first());
    let expected = LostRange {
        from: gone[0],
        to: gone[gone.len() - 1],
        count: gone.len() as u64,
        class: Some(Class::Normal),
        reason: LossReason::Retention,
    };
    let read = |journal: &Journal<Bytes>, from: u64| {
        let (mut reader, mut lost) = (journal.class_reader(Class::Normal, from, Level::Durable), vec![]);
        while let Some(fetched) = reader.try_next(33).unwrap() {
            lost.extend(fetched.lost);
            fetched.entries.iter().for_each(|entry| assert_eq!(*entry.item, item(entry.offset)));
        }
        assert_eq!(reader.position(), 2000);
        lost
    };
    assert_eq!(read(&journal, 0), [expected]);
    journal.close().await.unwrap();
    let journal = open(dir.path(), &route);
    assert_eq!(read(&journal, 0), [expected]);
    let middle = (gone[0] + gone[gone.len() - 1]) / 2;
    assert_eq!(read(&journal, middle)[0].to, expected.to, "a reader that begins in the hole");
    assert!(normal(dir.path()).join("quarantine").read_dir().is_err(), "nothing is damaged");
    let all = {
        let (mut reader, mut lost) = (journal.reader(0, Level::Durable), vec![]);
        while let Some(fetched) = reader.try_next(33).unwrap() {
            lost.extend(fetched.lost);
        }
        lost
    };
    assert_eq!(all, [expected], "no offset is told of twice");
}
