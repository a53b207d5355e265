use crate::support::{copy, within};
use edgeway_journal::{Error, StateOptions, StateStore};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

fn open(dir: &Path) -> StateStore {
    StateStore::open(dir, StateOptions::default()).expect("opens")
}

#[tokio::test]
async fn values_are_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for number in 0..200u32 {
        store.put(format!("twin/{number:03}").as_bytes(), number.to_le_bytes().to_vec());
    }
    store.put(b"other", vec![1]);
    store.remove(b"twin/007");
    assert_eq!(store.get(b"twin/008").as_deref(), Some(&8u32.to_le_bytes()[..]), "readable at once");
    assert_eq!(store.get(b"twin/007"), None);
    within("a sync", store.sync()).await.unwrap();
    store.put(b"other", vec![2]);
    store.close().await.unwrap();

    let store = open(dir.path());
    assert_eq!(store.recovery().values, 200);
    assert!(store.recovery().quarantined.is_none());
    let twins = store.scan_prefix(b"twin/");
    assert_eq!(twins.len(), 199);
    assert_eq!((&twins[0].0[..], &twins[0].1[..]), (&b"twin/000"[..], &0u32.to_le_bytes()[..]));
    assert_eq!(store.get(b"other").as_deref(), Some(&[2][..]));
}

#[tokio::test]
async fn what_was_synced_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for round in 0..5u8 {
        store.put(b"round", vec![round; 3000]);
        store.put(&[round], vec![round]);
        within("a sync", store.sync()).await.unwrap();
        let killed = tempfile::tempdir().unwrap();
        copy(&dir.path().join("sled"), &killed.path().join("sled"));
        let survivor = open(killed.path());
        assert!(survivor.recovery().quarantined.is_none(), "{:?}", survivor.recovery());
        assert_eq!(survivor.get(b"round").as_deref(), Some(&vec![round; 3000][..]));
        assert_eq!(survivor.recovery().values, usize::from(round) + 2);
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_set_aside_and_an_empty_one_works() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..500u32).for_each(|number| store.put(&number.to_le_bytes(), vec![7; 100]));
    store.close().await.unwrap();
    let path = dir.path().join("sled/db");
    let mut bytes = fs::read(&path).unwrap();
    let damaged = bytes.len() / 2;
    bytes[..damaged].iter_mut().for_each(|byte| *byte ^= 0x5A);
    fs::write(&path, &bytes).unwrap();

    let store = open(dir.path());
    let recovery = store.recovery().clone();
    let aside = recovery.quarantined.expect("set aside");
    assert_eq!(aside.parent(), Some(&*dir.path().join("quarantine")));
    assert!(aside.join("db").exists() && recovery.reason.is_some());
    assert!(store.scan_prefix(b"").is_empty());
    store.put(b"new", vec![1]);
    store.close().await.unwrap();
    assert_eq!(open(dir.path()).get(b"new").as_deref(), Some(&[1][..]));
}

#[tokio::test]
async fn a_value_with_a_wrong_checksum_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let db = sled::open(dir.path().join("sled")).unwrap();
    db.insert(b"vkey", b"\x00\x00\x00\x00value").unwrap();
    db.flush().unwrap();
    drop(db);
    let store = open(dir.path());
    assert_eq!(store.get(b"key"), None);
    assert_eq!(store.recovery().reason.as_deref(), Some("a value has a wrong checksum"));
    assert!(store.recovery().quarantined.is_some());
}

#[tokio::test]
async fn a_value_that_vanishes_from_the_database_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..9u8).for_each(|number| store.put(&[number], vec![number]));
    store.close().await.unwrap();
    let db = sled::open(dir.path().join("sled")).unwrap();
    db.remove([b'v', 4]).unwrap().expect("it was there");
    db.flush().unwrap();
    drop(db);
    assert_eq!(open(dir.path()).recovery().reason.as_deref(), Some("some values are missing"));
}

#[tokio::test]
async fn an_export_is_complete_and_a_damaged_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..50u8).for_each(|number| store.put(&[number], vec![number; usize::from(number)]));
    let path = dir.path().join("all.export");
    store.export(&path).unwrap();
    store.remove(&[7]);
    store.put(b"later", vec![1]);
    let sound = fs::read(&path).unwrap();
    for at in (0..sound.len()).step_by(37) {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(store.import(&path), Err(Error::Export { .. } | Error::Version { .. })), "byte {at}");
        fs::write(&path, &sound[..at]).unwrap();
        assert!(matches!(store.import(&path), Err(Error::Export { .. })), "cut at {at}");
    }
    assert_eq!(store.get(b"later").as_deref(), Some(&[1][..]));
    fs::write(&path, &sound).unwrap();
    assert_eq!(store.import(&path).unwrap(), 50);
    within("a sync", store.sync()).await.unwrap();
    store.close().await.unwrap();
    let store = open(dir.path());
    assert_eq!(
        (store.scan_prefix(b"").len(), store.get(b"later"), store.get(&[7]).map(|v| v.len())),
        (50, None, Some(7))
    );
}

fn exporting() -> StateOptions {
    StateOptions { export_every: Duration::from_millis(20), ..StateOptions::default() }
}

/// Looks at `done` until it is, for ten seconds.
async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_damaged_database_comes_back_as_it_was_exported() {
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path(), exporting()).unwrap();
    for round in 1..=4u64 {
        (0..200u32).for_each(|number| store.put(&number.to_le_bytes(), vec![round as u8; 100]));
        within("a sync", store.sync()).await.unwrap();
        until("an export", || store.stats().exports_total >= round).await;
    }
    store.close().await.unwrap();
    let exports = fs::read_dir(dir.path().join("exports")).unwrap().count();
    assert_eq!(exports, 2, "two are kept");
    fs::write(dir.path().join("sled/db"), vec![0x5A; 1 << 20]).unwrap();

    let store = open(dir.path());
    let recovery = store.recovery();
    assert!(recovery.quarantined.is_some() && recovery.reason.is_some());
    assert_eq!(recovery.values, 200);
    assert!(recovery.imported.as_ref().unwrap().age < Duration::from_secs(60));
    assert!(store.scan_prefix(b"").iter().all(|(_, value)| **value == [4; 100]));
    store.close().await.unwrap();
    let store = open(dir.path());
    assert_eq!((store.recovery().values, store.recovery().imported.is_none()), (200, true), "it is on disk again");
}

#[tokio::test]
async fn a_rebuild_that_was_cut_short_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..9u8).for_each(|number| store.put(&[number], vec![number]));
    store.export(dir.path().join("rebuild.export")).unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join("sled/db"), b"half of it").unwrap();
    let store = open(dir.path());
    assert_eq!((store.recovery().values, store.recovery().quarantined.is_none()), (9, true));
    assert!(!dir.path().join("rebuild.export").exists());
}

#[tokio::test]
async fn a_database_that_takes_much_more_than_it_holds_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let options = StateOptions {
        rebuild_from_bytes: 256 << 10,
        size_check_every: Duration::from_millis(10),
        ..StateOptions::default()
    };
    let store = StateStore::open(dir.path(), options).unwrap();
    for round in 0..40u8 {
        (0..40u8).for_each(|number| store.put(&[number], vec![round ^ number; 4000]));
        within("a sync", store.sync()).await.unwrap();
    }
    (1..40u8).for_each(|number| store.remove(&[number]));
    within("a sync", store.sync()).await.unwrap();
    until("a rebuild", || store.stats().rebuilds_total > 0).await;
    assert_eq!(store.get(&[0]).map(|value| value.len()), Some(4000));
    store.put(b"after", vec![1]);
    within("a sync", store.sync()).await.unwrap();
    store.close().await.unwrap();
    let store = open(dir.path());
    assert_eq!((store.recovery().values, store.recovery().quarantined.is_none()), (2, true));
}

#[tokio::test]
async fn a_database_that_has_gone_back_to_an_older_state_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    for session in 0..2u8 {
        let store = open(dir.path());
        (0..200u32).for_each(|number| store.put(&number.to_le_bytes(), vec![session; 100]));
        store.close().await.unwrap();
    }
    // sled takes this for a database without its last session, and says nothing.
    let path = dir.path().join("sled/db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] ^= 1;
    fs::write(&path, bytes).unwrap();
    let store = open(dir.path());
    let old = store.get(&7u32.to_le_bytes()).is_some_and(|value| value[0] == 0);
    assert!(!old, "an older value passes for the newest: {:?}", store.recovery());
    store.put(b"new", vec![1]);
    store.close().await.unwrap();
    assert_eq!(open(dir.path()).get(b"new").as_deref(), Some(&[1][..]), "what is put now is kept");
}
