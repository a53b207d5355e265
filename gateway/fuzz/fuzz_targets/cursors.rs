//! A journal with a damaged file of cursors opens, and its cursors are where they were once.
#![no_main]

use edgeway_fuzz::{Bytes, Checksums, Damage, Folder, options, seal, wait, write};
use edgeway_journal::{Error, Journal, Place, Start};
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static SOUND: LazyLock<Folder> = LazyLock::new(|| Folder::new("cursors", write));

fuzz_target!(|damage: Damage| {
    let root = SOUND.copy();
    let path = root.join("cursors");
    let mut bytes = damage.apply(fs::read(&path).expect("it was copied"));
    let repaired = damage.checksums == Checksums::Repaired;
    if repaired {
        seal::slots(&mut bytes);
    }
    fs::write(&path, bytes).expect("memory has space");
    let Some(journal) = open(root) else { return };
    for cursor in journal.cursors() {
        let place = cursor.place();
        assert!(place.note.len() <= 3000 && cursor.name().len() <= 200, "{place:?}");
        assert!(place.positions.iter().all(|position| *position <= journal.head()), "{place:?}");
        assert!(repaired || once(&place), "{place:?}");
    }
    stays_where_it_is_put(root, journal);
});

/// Whether a cursor was ever here: at the end of one of the three goes.
fn once(place: &Place) -> bool {
    (0..3_u8).any(|epoch| {
        let end = 30 * (u64::from(epoch) + 1);
        *place == Place { positions: [end, end - 1, end - 3], note: vec![epoch; usize::from(epoch) * 900] }
    })
}

fn stays_where_it_is_put(root: &Path, journal: Journal<Bytes>) {
    let place = Place { positions: [1, 2, 3], note: b"here".to_vec() };
    let made = match journal.cursor("new", Start::Head) {
        Ok(cursor) => cursor.commit_now(place.clone()).is_ok(),
        Err(Error::CursorsFull { .. }) => false,
        Err(error) => panic!("no cursor: {error}"),
    };
    wait(journal.close()).expect("it closes");
    let journal = open(root).expect("it opens again");
    if made {
        assert_eq!(journal.cursor("new", Start::Head).expect("it is there").place(), place);
    }
    wait(journal.close()).expect("it closes");
}

fn open(root: &Path) -> Option<Journal<Bytes>> {
    match Journal::open(root, Bytes, options()) {
        Ok(journal) => Some(journal),
        Err(Error::Version { .. }) => None,
        Err(error) => panic!("it does not open: {error}"),
    }
}
