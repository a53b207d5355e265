use crate::support::{Bytes, KNOWN, copy, fill, item, items, losses, normal, open, read_to, segments, small};
use edgeway_journal::{Error, Journal, Level, LossReason, Recovery};
use std::{fs, path::Path};

const ITEMS: u64 = 120;
const STEP: u64 = 6;

/// A journal of a few segments, closed in order.
async fn closed(dir: &Path) {
    let journal = open(dir);
    fill(&journal, 0..ITEMS, STEP).await;
    journal.close().await.unwrap();
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_costs_at_most_one_frame_and_the_loss_is_exact() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let mut costly = 0;
    for (index, segment) in segments(dir.path()).iter().enumerate() {
        let bits = fs::metadata(segment).unwrap().len() as usize * 8;
        for round in 0..60 {
            let bit = (round * 7919 * 131 + index * 613) % bits;
            let damaged = tempfile::tempdir().unwrap();
            copy(dir.path(), damaged.path());
            flip(&normal(damaged.path()).join(segment.file_name().unwrap()), bit);
            let journal = open(damaged.path());
            assert_eq!(journal.head(), ITEMS, "bit {bit} of segment {index}");
            let lost = losses(&journal).await;
            assert!(lost.len() <= 1 && lost.iter().all(|lost| lost.count <= STEP), "bit {bit}: {lost:?}");
            assert!(lost.iter().all(|lost| lost.reason == LossReason::Damaged));
            costly += lost.len();
            assert_eq!(journal.append(items(ITEMS..ITEMS + 1)).await.unwrap().start, ITEMS);
            journal.close().await.unwrap();
        }
    }
    assert!(costly > 20, "the flips hit frames: {costly}");
}

#[tokio::test]
async fn after_a_kill_too_a_flipped_bit_costs_one_frame_and_no_offset_is_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..40, 5).await;
    let newest = segments(dir.path()).pop().unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    let used = fs::read(&newest).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut costly = 0;
    for bit in (8192 * 8..used * 8).step_by(173) {
        let damaged = tempfile::tempdir().unwrap();
        copy(killed.path(), damaged.path());
        flip(&normal(damaged.path()).join(newest.file_name().unwrap()), bit);
        let journal = open(damaged.path());
        assert!(journal.head() >= 40, "bit {bit}: offset {} would be used twice", journal.head());
        let lost = losses(&journal).await;
        assert_eq!(lost, journal.recovery().damaged, "bit {bit}");
        assert!(lost.len() <= 1 && lost.iter().all(|lost| lost.count <= 5), "bit {bit}: {lost:?}");
        costly += lost.len();
    }
    assert!(costly > 20, "a flip in a header costs nothing, one in a body a frame: {costly}");
}

#[tokio::test]
async fn a_torn_end_is_reported_and_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fill(&journal, 0..10, 5).await;
    let whole = segments(dir.path()).pop().unwrap();
    let bytes = fs::read(&whole).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in [used - 1, used - 40, used - 200] {
        let torn = tempfile::tempdir().unwrap();
        copy(dir.path(), torn.path());
        let path = normal(torn.path()).join(whole.file_name().unwrap());
        let mut left = bytes.clone();
        left[cut..].fill(0);
        fs::write(&path, &left).unwrap();
        let journal = open(torn.path());
        let lost = losses(&journal).await;
        assert_eq!(lost.len(), 1, "cut at {cut}");
        assert_eq!((lost[0].from, lost[0].to), (5, 9), "cut at {cut}");
        let kept = fs::read(&path).unwrap();
        assert!(
            left.starts_with(&kept) && left[kept.len()..].iter().all(|byte| *byte == 0),
            "nothing but zeros is cut"
        );
        assert!(journal.recovery().cut_bytes > 0);
        assert_eq!(journal.append(items(10..11)).await.unwrap().start, 10);
    }
}

#[tokio::test]
async fn a_hole_in_the_middle_costs_the_frames_it_touches() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let oldest = &segments(dir.path())[0];
    let mut bytes = fs::read(oldest).unwrap();
    bytes[9000..9512].fill(0);
    fs::write(oldest, bytes).unwrap();
    let journal = open(dir.path());
    assert!(journal.recovery().damaged.is_empty(), "old segments are verified when they are read");
    let lost = losses(&journal).await;
    assert_eq!(lost.len(), 1);
    assert!((STEP..=2 * STEP).contains(&lost[0].count), "{lost:?}");
}

#[tokio::test]
async fn a_segment_without_a_header_is_set_aside_and_its_items_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let second = segments(dir.path())[1].clone();
    let third: u64 = segments(dir.path())[2].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let first: u64 = second.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let mut bytes = fs::read(&second).unwrap();
    bytes[..8192].fill(0x55);
    fs::write(&second, &bytes).unwrap();
    let journal = open(dir.path());
    let Recovery { quarantined, damaged, .. } = journal.recovery();
    assert_eq!(fs::read(&quarantined[0]).unwrap(), bytes, "as it was found");
    assert_eq!((damaged[0].from, damaged[0].to), (first, third - 1));
    assert_eq!(losses(&journal).await, *damaged);
}

#[tokio::test]
async fn empty_files_and_strange_names_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let strange = ["notes.txt", "1.seg", "0000000000000000000x.seg", "99999999999999999999.seg", ".seg"];
    strange.iter().for_each(|name| fs::write(normal(dir.path()).join(name), b"not ours").unwrap());
    fs::write(normal(dir.path()).join(format!("{:020}.seg", ITEMS)), b"").unwrap();
    fs::write(normal(dir.path()).join(format!("{:020}.seg", 7)), b"").unwrap();
    let journal = open(dir.path());
    assert_eq!(losses(&journal).await, []);
    assert_eq!(journal.append(items(ITEMS..ITEMS + 1)).await.unwrap().start, ITEMS);
    journal.close().await.unwrap();
    assert!(strange.iter().all(|name| fs::read(normal(dir.path()).join(name)).unwrap() == b"not ours"));
    assert_eq!(losses(&open(dir.path())).await, []);
}

#[tokio::test]
async fn an_unknown_version_is_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let segment = &segments(dir.path())[1];
    let mut bytes = fs::read(segment).unwrap();
    bytes[8] = 3;
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..48]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    fs::write(segment, bytes).unwrap();
    let before: Vec<_> = segments(dir.path()).iter().map(|path| fs::read(path).unwrap()).collect();
    let error = Journal::open(dir.path(), KNOWN, small()).err().unwrap();
    assert!(matches!(error, Error::Version { found: 3, known: 2, .. }), "{error}");
    assert!(matches!(Journal::<Bytes>::preambles(dir.path()), Err(Error::Version { .. })));
    let after: Vec<_> = segments(dir.path()).iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(before == after);
}

#[tokio::test]
async fn a_frame_inside_an_item_never_passes_for_a_frame() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path()).await;
    let other = tempfile::tempdir().unwrap();
    let forged = fs::read(&segments(dir.path())[0]).unwrap()[8192..9000].to_vec();
    let journal = open(other.path());
    journal.append(vec![forged]).await.unwrap();
    journal.flush().await.unwrap();
    journal.append(vec![item(1)]).await.unwrap();
    journal.close().await.unwrap();
    [9, 400].into_iter().for_each(|bit| flip(&segments(other.path())[0], 8192 * 8 + bit));
    let journal = open(other.path());
    let lost = journal.reader(0, Level::Durable).next(9).await.unwrap().lost.unwrap();
    assert_eq!((lost.from, lost.to), (0, 0));
    assert_eq!(read_to(&mut journal.reader(1, Level::Durable), 2).await, []);
}

#[tokio::test]
async fn what_the_codec_does_not_understand_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Bytes(b"alien"), small()).unwrap();
    journal.append(items(0..4)).await.unwrap();
    journal.close().await.unwrap();
    let journal = open(dir.path());
    journal.append(vec![item(4), vec![0xFF], item(6)]).await.unwrap();
    journal.close().await.unwrap();

    let preambles = Journal::<Bytes>::preambles(dir.path()).unwrap();
    assert_eq!(preambles, [b"alien".to_vec(), KNOWN.0.to_vec()]);
    assert!(Journal::<Bytes>::preambles(dir.path().join("nowhere")).unwrap().is_empty());
    let lost = losses(&open(dir.path())).await;
    let ranges: Vec<_> = lost.iter().map(|lost| (lost.from, lost.to, lost.reason)).collect();
    assert_eq!(ranges, [(0, 3, LossReason::Unreadable), (4, 6, LossReason::Unreadable)]);
}
