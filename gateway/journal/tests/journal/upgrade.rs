use crate::support::{KNOWN, copy, item, item_v1, normal, open, small};
use edgeway_journal::{Class, Journal, Level, LossReason, LostRange, Placement, Start, inspect};
use std::{fs, path::Path};

fn fixture() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"))
}

const DAMAGED: LostRange =
    LostRange { from: 72, to: 79, count: 8, class: Some(Class::Normal), reason: LossReason::Damaged };

fn read(journal: &Journal<crate::support::Bytes>, from: u64) -> (Vec<u64>, Vec<LostRange>) {
    let (mut reader, mut offsets, mut lost) = (journal.reader(from, Level::Durable), vec![], vec![]);
    while let Some(fetched) = reader.try_next(50).unwrap() {
        lost.extend(fetched.lost);
        for entry in fetched.entries {
            let expected = if entry.offset < 160 { item_v1(entry.offset) } else { item(entry.offset) };
            assert_eq!((&*entry.item, entry.placement), (&expected, Placement::Disk(Class::Normal)));
            assert_eq!(entry.stamp.epoch == 0, entry.offset < 160);
            offsets.push(entry.offset);
        }
    }
    (offsets, lost)
}

#[tokio::test]
async fn what_version_1_wrote_is_read_and_written_on() {
    let dir = tempfile::tempdir().unwrap();
    copy(fixture(), dir.path());
    let journal = open(dir.path());
    let recovery = journal.recovery();
    assert_eq!((recovery.upgraded, recovery.next_offset, recovery.epoch), (3, 160, 1));
    assert!(!dir.path().join("00000000000000000000.seg").exists());
    let sound: Vec<u64> = (0..72).chain(80..160).collect();
    assert_eq!(read(&journal, 0), (sound.clone(), vec![DAMAGED]));
    assert!(normal(dir.path()).join("quarantine/00000000000000000056.copy").exists(), "a copy of what is damaged");
    assert_eq!(journal.cursor("cloud", Start::Head).unwrap().place().positions, [70; 3]);
    assert_eq!(journal.cursor("archive", Start::Head).unwrap().place().positions, [160; 3]);
    journal.append((160..200).map(item).collect()).await.unwrap();
    journal.close().await.unwrap();

    let journal = open(dir.path());
    assert_eq!((journal.recovery().upgraded, journal.epoch()), (0, 2));
    let all: Vec<u64> = sound.into_iter().chain(160..200).collect();
    assert_eq!(read(&journal, 0), (all, vec![DAMAGED]));
    assert_eq!(journal.cursor("cloud", Start::Head).unwrap().position(), 70);
}

#[tokio::test]
async fn an_upgrade_that_was_cut_short_is_done_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    copy(fixture(), dir.path());
    fs::create_dir(normal(dir.path())).unwrap();
    let first = "00000000000000000000.seg";
    fs::rename(dir.path().join(first), normal(dir.path()).join(first)).unwrap();
    let journal = open(dir.path());
    assert_eq!(journal.recovery().upgraded, 2);
    assert_eq!(read(&journal, 0).0.len(), 152);
}

#[test]
fn version_1_can_be_looked_into_where_it_lies() {
    let preambles = Journal::<crate::support::Bytes>::preambles(fixture()).unwrap();
    assert_eq!(preambles, [KNOWN.0.to_vec()]);
    let segments = inspect::segments(fixture(), inspect::Depth::Frames).unwrap();
    let shown: Vec<_> = segments.iter().map(|s| (s.version, s.first, s.end, s.items, s.condition.as_str())).collect();
    assert_eq!(shown, [(1, 0, 56, 56, "sound"), (1, 56, 112, 56, "damaged"), (1, 112, 160, 48, "sound")]);
    let findings = inspect::verify(fixture(), &mut |_, _| ()).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].byte, &*findings[0].what), (10365, "the 8 items of the frame are damaged"));
    let names: Vec<_> = inspect::cursors(fixture()).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cloud", "archive"]);
    let mut entries = inspect::entries(fixture(), KNOWN, None, 70).unwrap();
    let first = entries.next(9).unwrap().unwrap();
    assert_eq!(first.entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [70, 71]);
    assert_eq!(entries.next(9).unwrap().unwrap().lost, Some(DAMAGED));
}

#[test]
fn looking_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    copy(fixture(), dir.path());
    let before: Vec<_> = listing(dir.path());
    let mut entries = inspect::entries(dir.path(), KNOWN, Some(Class::Normal), 0).unwrap();
    while entries.next(100).unwrap().is_some() {}
    inspect::verify(dir.path(), &mut |_, _| ()).unwrap();
    assert_eq!(listing(dir.path()), before);
    assert!(inspect::segments(dir.path().join("nowhere"), inspect::Depth::Headers).unwrap().is_empty());
    drop(Journal::open(dir.path(), KNOWN, small()).unwrap());
}

fn listing(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = files.map(|path| (path.display().to_string(), fs::read(&path).unwrap_or_default())).collect();
    all.sort();
    all
}
