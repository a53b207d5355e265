//! Whatever is appended, and whenever the power goes: nothing durable is lost, order holds, counts are exact.

use crate::support::{Bytes, KNOWN, class, copy, marked, number, with};
use edgeway_journal::{Class, ClassOptions, Journal, Level, Options, Placement, SyncLevel};
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tempfile::TempDir;

/// What happens to a journal.
#[derive(Debug, Clone)]
enum Step {
    /// Items go where these numbers say: a class, or 3 for memory alone.
    Append(Vec<u8>),
    Flush,
    Close,
    /// What is on disk now is all that is left.
    Kill,
    /// What was on disk at the last flush is all that is left, and behind it in the newest segments some noise.
    PowerCut(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => vec(0..4u8, 1..60).prop_map(Step::Append),
        3 => Just(Step::Flush),
        1 => Just(Step::Close),
        1 => Just(Step::Kill),
        1 => vec(any::<u8>(), 0..80).prop_map(Step::PowerCut),
    ];
    vec(step, 1..25)
}

fn options() -> Options {
    let slow = ClassOptions { group_delay: Duration::from_millis(1), ..class() };
    let mut options = with(slow);
    options.classes[2].sync = SyncLevel::Os;
    options
}

/// A journal, and what is known of it.
struct World {
    dir: TempDir,
    journal: Option<Journal<Bytes>>,
    /// What is durable must be there: offset, number and class.
    durable: BTreeMap<u64, (u64, Class)>,
    /// What was appended since.
    appended: BTreeMap<u64, (u64, Class)>,
    /// The directory at the last flush.
    flushed: TempDir,
    next: u64,
    epoch: u32,
}

impl World {
    fn new() -> Self {
        let (dir, flushed) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (durable, appended) = (BTreeMap::new(), BTreeMap::new());
        let mut world = World { dir, journal: None, durable, appended, flushed, next: 0, epoch: 0 };
        world.open();
        world.keep();
        world
    }

    fn open(&mut self) {
        let journal = Journal::open(self.dir.path(), KNOWN, options()).unwrap();
        assert!(journal.epoch() > self.epoch, "an epoch is used once");
        self.epoch = journal.epoch();
        self.journal = Some(journal);
        self.check();
    }

    fn journal(&self) -> &Journal<Bytes> {
        self.journal.as_ref().unwrap()
    }

    fn keep(&mut self) {
        self.flushed = TempDir::new().unwrap();
        copy(self.dir.path(), self.flushed.path());
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Append(places) => self.append(&places).await,
            Step::Flush => self.flush().await,
            Step::Close => {
                self.flush().await;
                self.journal.take().unwrap().close().await.unwrap();
                self.open();
                self.keep();
            }
            Step::Kill => {
                let left = TempDir::new().unwrap();
                copy(self.dir.path(), left.path());
                self.restart_on(left).await;
            }
            Step::PowerCut(noise) => {
                let left = TempDir::new().unwrap();
                copy(self.flushed.path(), left.path());
                Class::ALL.into_iter().for_each(|class| tear(&left.path().join(class.as_str()), &noise));
                self.restart_on(left).await;
            }
        }
    }

    async fn append(&mut self, places: &[u8]) {
        let place = |place: u8| Class::ALL.get(usize::from(place)).map_or(Placement::Memory, |c| Placement::Disk(*c));
        let items = places.iter().zip(self.next..).map(|(at, number)| marked(place(*at), number)).collect();
        let offsets = self.journal().append(items).await.unwrap();
        for ((offset, number), at) in offsets.zip(self.next..).zip(places) {
            if let Placement::Disk(class) = place(*at) {
                self.appended.insert(offset, (number, class));
            }
        }
        self.next += places.len() as u64;
    }

    async fn flush(&mut self) {
        self.journal().flush().await.unwrap();
        self.durable.append(&mut self.appended);
        self.keep();
    }

    async fn restart_on(&mut self, left: TempDir) {
        let old = std::mem::replace(&mut self.dir, left);
        self.journal.take().unwrap().close().await.unwrap();
        drop(old);
        self.open();
        // What survived without having been promised stays from now on.
        let survived = self.read(None).0;
        self.durable.extend(self.appended.iter().filter(|(offset, _)| survived.contains_key(offset)));
        self.appended.clear();
        self.keep();
    }

    /// Everything that is there, and how many items are reported as lost.
    fn read(&self, class: Option<Class>) -> (BTreeMap<u64, (u64, Class)>, u64) {
        let (mut found, mut lost, mut last) = (BTreeMap::new(), 0, None);
        let mut reader = match class {
            Some(class) => self.journal().class_reader(class, 0, Level::Durable),
            None => self.journal().reader(0, Level::Durable),
        };
        while let Some(fetched) = reader.try_next(17).unwrap() {
            lost += fetched.lost.map_or(0, |lost| lost.count);
            for entry in fetched.entries {
                assert!(last.is_none_or(|last| last < entry.offset), "order");
                last = Some(entry.offset);
                found.insert(entry.offset, (number(&entry.item), entry.placement.class().unwrap()));
            }
        }
        assert_eq!(reader.position(), self.journal().head());
        (found, lost)
    }

    fn check(&self) {
        let (all, lost) = self.read(None);
        for (offset, item) in &self.durable {
            assert_eq!(all.get(offset), Some(item), "{offset} was durable");
        }
        let known = |(offset, item)| self.durable.get(offset) == Some(item) || self.appended.get(offset) == Some(item);
        assert!(all.iter().all(known), "nothing is there that was not appended");
        assert_eq!(all.len() as u64 + lost, self.journal().head(), "every offset is accounted for");
        for class in Class::ALL {
            let (own, lost) = self.read(Some(class));
            let expected: BTreeMap<_, _> =
                all.iter().filter(|(_, (_, of))| *of == class).map(|(o, i)| (*o, *i)).collect();
            assert_eq!(own, expected);
            let items = self.journal().stats().classes[class.index()].items;
            assert_eq!(own.len() as u64 + lost, items, "{class:?}");
        }
    }
}

/// Writes noise behind the last byte of the newest segment, as a torn write leaves it.
fn tear(dir: &Path, noise: &[u8]) {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let newest = files.filter(|path| path.extension().is_some_and(|ext| ext == "seg")).max();
    let Some(path) = newest else { return };
    let mut bytes = std::fs::read(&path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let end = (used + noise.len()).min(bytes.len());
    bytes[used..end].copy_from_slice(&noise[..end - used]);
    std::fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_durable_is_lost_whatever_happens(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.step(step).await;
            }
            world.flush().await;
            world.check();
        });
    }
}
