use crate::support::{KNOWN, class, copy, fill, items, open, with};
use edgeway_journal::{ClassOptions, Error, Journal, Level, Place, Start};
use std::{fs, time::Duration};

#[tokio::test]
async fn a_cursor_is_where_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..20, 20).await;
    let (cloud, audit) =
        (journal.cursor("cloud", Start::Head).unwrap(), journal.cursor("audit", Start::First).unwrap());
    assert_eq!((cloud.position(), audit.position()), (20, 0));
    audit.commit(Place::at(12));
    assert_eq!(journal.cursor("audit", Start::Head).unwrap().position(), 12, "one place by name");
    journal.close().await.unwrap();

    let journal = open(dir.path());
    let all: Vec<_> = journal.cursors().iter().map(|c| (c.name().to_owned(), c.position())).collect();
    assert_eq!(all, [("cloud".to_owned(), 20), ("audit".to_owned(), 12)]);
    journal.remove_cursor("cloud").unwrap();
    assert!(matches!(journal.remove_cursor("cloud"), Err(Error::UnknownCursor(_))));
    journal.close().await.unwrap();
    assert_eq!(open(dir.path()).cursors().len(), 1);
}

#[tokio::test]
async fn a_torn_write_of_a_cursor_leaves_the_position_before() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..20, 20).await;
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    let mut images = vec![];
    for position in [5, 9] {
        cursor.commit(Place::at(position));
        journal.flush().await.unwrap();
        images.push(fs::read(dir.path().join("cursors")).unwrap());
    }
    let changed: Vec<usize> = (0..images[0].len()).filter(|at| images[0][*at] != images[1][*at]).collect();
    assert!(changed.iter().all(|at| at / 4096 == changed[0] / 4096), "one slot is written");
    for torn_at in changed.iter().copied().step_by(3).chain([changed[0] / 4096 * 4096 + 120]) {
        let torn = tempfile::tempdir().unwrap();
        copy(dir.path(), torn.path());
        let image = [&images[1][..torn_at], &images[0][torn_at..]].concat();
        fs::write(torn.path().join("cursors"), &image).unwrap();
        let position = open(torn.path()).cursor("cloud", Start::Head).unwrap().position();
        let whole = image == images[0] || image == images[1];
        assert!(position == 5 || (position == 9 && (whole || torn_at > changed[0])), "torn at {torn_at}: {position}");
    }
}

#[tokio::test]
async fn a_cursor_with_both_slots_damaged_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let cursor = journal.cursor("cloud", Start::First).unwrap();
    journal.append(items(0..9)).await.unwrap();
    for position in [1, 2] {
        cursor.commit(Place::at(position));
        journal.flush().await.unwrap();
    }
    journal.close().await.unwrap();
    let path = dir.path().join("cursors");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8192 + 24] ^= 1;
    bytes[8192 + 4096 + 24] ^= 1;
    fs::write(&path, bytes).unwrap();
    let journal = open(dir.path());
    assert_eq!(journal.recovery().cursors_lost, 1);
    assert!(journal.cursors().is_empty());
    journal.cursor("cloud", Start::First).unwrap().commit(Place::at(3));
    journal.close().await.unwrap();
    assert_eq!(open(dir.path()).cursor("cloud", Start::Head).unwrap().position(), 3);
}

#[tokio::test]
async fn a_cursor_is_never_written_ahead_of_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let options = with(ClassOptions { group_delay: Duration::from_secs(3600), ..class() });
    let journal = Journal::open(dir.path(), KNOWN, options).unwrap();
    fill(&journal, 0..5, 5).await;
    journal.append(items(5..9)).await.unwrap();
    let mut live = journal.reader(0, Level::Appended);
    live.next(100).await.unwrap();
    let cursor = journal.cursor("scenes", Start::First).unwrap();
    cursor.commit(Place::at(live.position()));
    let written = || {
        let bytes = fs::read(dir.path().join("cursors")).unwrap();
        bytes[8192..].iter().any(|byte| *byte != 0)
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !written() {
        assert!(std::time::Instant::now() < deadline, "waited too long for the cursor's slot");
        tokio::task::yield_now().await;
    }
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    let after = open(killed.path());
    assert_eq!((after.head(), after.stats().classes[1].items), (9, 5), "offsets that were seen are not given again");
    assert!(after.cursor("scenes", Start::Head).unwrap().position() <= 5);
    assert_eq!(cursor.position(), 9);
    journal.close().await.unwrap();
    assert_eq!(open(dir.path()).cursor("scenes", Start::First).unwrap().position(), 9);
}

#[tokio::test]
async fn there_is_room_for_64_cursors_and_a_clear_error_after_that() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    for number in 0..64 {
        journal.cursor(&format!("c{number}"), Start::Head).unwrap();
    }
    let error = journal.cursor("one more", Start::Head).unwrap_err();
    assert_eq!(error.to_string(), "all 64 cursors are in use (remove one that no consumer needs)");
    assert!(matches!(journal.cursor("", Start::Head), Err(Error::CursorName(_))));
    journal.remove_cursor("c7").unwrap();
    journal.cursor("one more", Start::Head).unwrap();
    journal.close().await.unwrap();
    assert_eq!(open(dir.path()).cursors().len(), 64);
}
