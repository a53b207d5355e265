use crate::support::{Bytes, KNOWN, class, items, open, small, with};
use edgeway_journal::{ClassOptions, Error, Journal, Options, StateOptions, StateStore};
use std::fs;

#[tokio::test]
async fn a_second_open_is_refused_with_the_process_that_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let pid = std::process::id();
    match Journal::open(dir.path(), KNOWN, small()) {
        Err(Error::Locked { pid: Some(found), .. }) => assert_eq!(found, pid),
        other => panic!("{:?}", other.err()),
    }
    let reader = journal.reader(0, edgeway_journal::Level::Durable);
    journal.close().await.unwrap();
    open(dir.path()).append(items(0..1)).await.unwrap();
    drop(reader);
}

#[tokio::test]
async fn a_state_store_is_locked_too() {
    let dir = tempfile::tempdir().unwrap();
    let _store = StateStore::open(dir.path(), StateOptions::default()).unwrap();
    assert!(matches!(StateStore::open(dir.path(), StateOptions::default()), Err(Error::Locked { .. })));
}

#[test]
fn a_directory_that_cannot_be_used_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let error = Journal::open(dir.path().join("file/journal"), KNOWN, small()).err().unwrap();
    let text = error.to_string();
    assert!(text.contains("file/journal") && text.contains("choose another directory"), "{text}");
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for options in [
        with(ClassOptions { segment_bytes: 100, ..class() }),
        with(ClassOptions { total_bytes_max: 20 << 10, ..class() }),
        with(ClassOptions { group_items: 0, ..class() }),
        Options { tail_items: 0, ..small() },
    ] {
        assert!(matches!(Journal::open(dir.path(), KNOWN, options), Err(Error::Options(_))));
    }
    let long = Bytes(Box::leak(vec![b'x'; 5 << 10].into_boxed_slice()));
    assert!(matches!(Journal::open(dir.path(), long, small()), Err(Error::Preamble { .. })));
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made");
}
