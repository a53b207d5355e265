use crate::support::{KNOWN, fill, item, marked, open, segments};
use edgeway_journal::{Class, Place, Placement, Start, inspect};
use std::fs;

#[tokio::test]
async fn an_open_journal_can_be_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..300, 20).await;
    journal.append(vec![marked(Placement::Disk(Class::Critical), 300)]).await.unwrap();
    journal.flush().await.unwrap();
    journal.cursor("cloud", Start::First).unwrap().commit_now(Place::at(77)).unwrap();

    let found = inspect::segments(dir.path(), inspect::Depth::Frames).unwrap();
    assert_eq!(found.iter().map(|segment| segment.items).sum::<u64>(), 301);
    assert_eq!(found[0].class, Class::Critical);
    assert!(found.iter().all(|segment| segment.condition == inspect::Condition::Sound));
    assert!(found.iter().all(|segment| segment.version == 2 && segment.created.epoch == 1));
    assert_eq!((found[1].first, found.last().unwrap().end), (0, 300));
    assert_eq!(inspect::cursors(dir.path()).unwrap(), [("cloud".to_owned(), Place::at(77))]);

    let mut steps = vec![];
    assert_eq!(inspect::verify(dir.path(), &mut |done, total| steps.push((done, total))).unwrap(), []);
    assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0) && steps.last().is_some_and(|last| last.0 == last.1));

    let (mut entries, mut next) = (inspect::entries(dir.path(), KNOWN, None, 40).unwrap(), 40);
    while let Some(fetched) = entries.next(64).unwrap() {
        assert!(fetched.lost.is_none());
        for entry in fetched.entries {
            let expected = if next < 300 { item(next) } else { marked(Placement::Disk(Class::Critical), 300) };
            assert_eq!((entry.offset, &*entry.item), (next, &expected));
            next += 1;
        }
    }
    assert_eq!((next, entries.position()), (301, 301));
}

#[tokio::test]
async fn every_flipped_bit_is_found_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..60, 20).await;
    journal.close().await.unwrap();
    let path = segments(dir.path()).remove(0);
    let sound = fs::read(&path).unwrap();
    for byte in (8192..sound.len()).step_by(97) {
        let mut bytes = sound.clone();
        bytes[byte] ^= 4;
        fs::write(&path, bytes).unwrap();
        let findings = inspect::verify(dir.path(), &mut |_, _| ()).unwrap();
        assert_eq!(findings.len(), 1, "byte {byte}: {findings:?}");
        assert!(findings[0].byte as usize <= byte && findings[0].path == path, "byte {byte}: {findings:?}");
    }
}
