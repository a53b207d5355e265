use crate::support::{copy, within};
use edgeway_journal::{StateOptions, StateStore};
use std::{fs, path::Path};

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
