//! A journal with damaged segments opens, serves nothing that was not written, and goes on.
#![no_main]

use edgeway_fuzz::{
    Bytes, Checksums, Damage, FIRST_VERSION, Folder, ITEMS, Read, item, options, read_all, seal, wait, write,
};
use edgeway_journal::{Class, Error, Journal, Level};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static SOUND: LazyLock<Folder> = LazyLock::new(|| {
    Folder::new("segment", |dir| {
        write(&dir.join("present"));
        let first = dir.join("first");
        fs::create_dir_all(&first).expect("memory has a place for folders");
        for file in fs::read_dir(FIRST_VERSION).expect("the fixture is there") {
            let path = file.expect("the fixture is there").path();
            fs::copy(&path, first.join(path.file_name().expect("a name"))).expect("memory has space");
        }
    })
});

fuzz_target!(|damages: Vec<Damage>| {
    let root = SOUND.copy();
    let files = SOUND.files(|name| name.ends_with(".seg"));
    let mut damaged = BTreeSet::new();
    for damage in &damages {
        let file = &files[usize::from(damage.file) % files.len()];
        damaged.extend(file.components().next().map(|folder| root.join(folder)));
        let path = root.join(file);
        let mut bytes = damage.apply(fs::read(&path).expect("it was copied"));
        if damage.checksums == Checksums::Repaired {
            seal::segment(&mut bytes);
        }
        fs::write(&path, bytes).expect("memory has space");
    }
    let visible = damages.iter().all(|damage| damage.checksums == Checksums::Kept);
    for dir in damaged {
        let origin = if visible && dir.ends_with("present") { Origin::Known } else { Origin::Unknown };
        // Twice: what the first opening leaves has to open as well.
        for more in [MORE, 2 * MORE] {
            check(&dir, origin, ITEMS + more);
        }
    }
});

/// Items that each opening adds.
const MORE: u64 = 3;

/// Whether what is read can only be what this program wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Known,
    Unknown,
}

fn check(dir: &Path, origin: Origin, items: u64) {
    let journal = match Journal::open(dir, Bytes, options()) {
        Ok(journal) => journal,
        Err(Error::Version { .. }) => return,
        Err(error) => panic!("it does not open: {error}"),
    };
    let (mut reader, mut read) = (journal.reader(0, Level::Durable), Read::default());
    read_all(&mut reader, &mut read);
    for class in Class::ALL {
        read_all(&mut journal.class_reader(class, 0, Level::Durable), &mut Read::default());
    }
    goes_on(&journal);
    // What was lost at the end of a class is told at the latest when something follows it.
    read_all(&mut reader, &mut read);
    if origin == Origin::Known {
        read.items.iter().for_each(|(offset, found)| assert_eq!(*found, item(*offset), "item {offset}"));
        let told = read.items.len() as u64 + read.lost;
        assert_eq!(told, items, "each item is read or counted: {:?}", journal.recovery());
    }
    wait(journal.close()).expect("it closes");
}

fn goes_on(journal: &Journal<Bytes>) {
    let next = journal.head();
    let items = (next..next + MORE).map(item).collect();
    let offsets = wait(journal.append(items)).expect("it takes items");
    assert!(offsets.start >= next, "{offsets:?} after {next}");
    wait(journal.durable_range(offsets)).expect("it writes them");
}
