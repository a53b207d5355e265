//! A state store with a damaged database has all its values, or says that it was set aside.
#![no_main]

use edgeway_fuzz::{Damage, Folder, wait};
use edgeway_journal::{StateOptions, StateStore};
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::thread::yield_now;
use std::time::{Duration, Instant};

const VALUES: u32 = 200;

static SOUND: LazyLock<Folder> = LazyLock::new(|| {
    survive_panics_of_sled();
    Folder::new("state", |dir| {
        for round in 0..3 {
            let store = open(dir);
            for at in 0..VALUES {
                store.put(&at.to_be_bytes(), value(at, round));
            }
            wait(store.close()).expect("it closes");
        }
    })
});

fuzz_target!(|damages: Vec<Damage>| {
    let root = SOUND.copy();
    let files = SOUND.files(|name| name != "lock" && name != "reserve");
    for damage in &damages {
        let path = root.join(&files[usize::from(damage.file) % files.len()]);
        let bytes = damage.apply(fs::read(&path).expect("it was copied"));
        fs::write(&path, bytes).expect("memory has space");
    }
    let store = open(root);
    let found = rounds(&store);
    if store.recovery().quarantined.is_none() {
        let now = found.iter().filter(|round| **round == Some(2)).count();
        assert_eq!(now, VALUES as usize, "nothing was set aside, yet these are not the last values: {found:?}");
    }
    store.put(b"new!", b"1".to_vec());
    wait(store.close()).expect("it closes");
    let store = open(root);
    assert_eq!(store.get(b"new!").as_deref(), Some(&b"1"[..]), "what was put stays");
    wait(store.close()).expect("it closes");
});

/// Of each value the round in which it was put; `None` if it is missing.
fn rounds(store: &StateStore) -> Vec<Option<u8>> {
    let round_of = |at: u32| {
        let found = store.get(&at.to_be_bytes())?;
        Some((0..3).find(|round| *found == *value(at, *round)).expect("a value that was put"))
    };
    (0..VALUES).map(round_of).collect()
}

fn value(at: u32, round: u8) -> Vec<u8> {
    vec![round ^ at as u8; 1 + at as usize * 3 % 700]
}

fn open(dir: &Path) -> StateStore {
    let options = StateOptions { deadline: Duration::from_secs(5), ..StateOptions::default() };
    let begin = Instant::now();
    loop {
        match StateStore::open(dir, options.clone()) {
            Ok(store) => return store,
            // Sled's own threads may hold its lock for a moment longer than the store.
            Err(error) if error.to_string().contains("lock") && begin.elapsed() < options.deadline => yield_now(),
            Err(error) => panic!("a folder of its own can always be used: {error:?}"),
        }
    }
}

/// Sled panics on what it does not like, and the store catches that. Any other panic is a finding.
fn survive_panics_of_sled() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/sled-0.34")) {
            abort(panic);
        }
    }));
}
