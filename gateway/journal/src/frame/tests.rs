use super::*;
use crate::{Class, Codec, Decoder, Placement};
use std::sync::Arc;

/// Items are bytes, one behind the other.
struct Plain;

impl Codec for Plain {
    type Item = Vec<u8>;

    fn preamble(&self) -> Vec<u8> {
        vec![]
    }

    fn placement(&self, _: &Vec<u8>) -> Placement {
        Placement::Disk(Class::Normal)
    }

    fn size_hint(&self, item: &Vec<u8>) -> usize {
        item.len()
    }

    fn encode(&self, items: &[Arc<Vec<u8>>], out: &mut Vec<u8>) {
        items.iter().for_each(|item| out.extend_from_slice(item));
    }

    fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<Vec<u8>>>, String> {
        Err("frames are read without one".into())
    }
}

const FRAMES: Frames = Frames { version: 2, seed: 7, first: 100, first_seq: 40 };

/// Items at these offsets and times.
fn group(items: Vec<(Vec<u8>, u64, i64)>) -> Group {
    let meta = |(item, offset, mono_nanos): &(Vec<u8>, u64, i64)| Meta {
        offset: *offset,
        mono_nanos: *mono_nanos,
        wall_nanos: mono_nanos + 1_000,
        bytes: item.len() as u32,
    };
    let metas = items.iter().map(meta).collect();
    let batch = Batch { metas, items: items.into_iter().map(|(item, ..)| Arc::new(item)).collect(), seq: 45 };
    let mut group = Group::default();
    group.fill(&Plain, &batch, FRAMES, usize::MAX);
    group
}

/// Bytes that no compression makes shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn a_single_item_costs_a_header_of_48_bytes_and_nothing_else() {
    assert_eq!(group(vec![(noise(240), 100, 5)]).bytes.len(), 48 + 240);
}

#[test]
fn places_and_times_come_back_and_equal_steps_cost_next_to_nothing() {
    let even = group((0..100).map(|n| (vec![n as u8; 3], 100 + n, 77)).collect());
    assert_eq!(even.bytes.len(), 48 + 4 + 300, "two runs");
    let uneven: Vec<_> = [(100, 9), (103, 9), (104, 2), (900_000, 40)].map(|(o, t)| (vec![1; 3], o, t)).to_vec();
    let bytes = group(uneven).bytes;
    let header = FRAMES.read(&bytes).unwrap();
    assert_eq!((header.first, header.end, header.seq, header.count), (100, 900_001, 45, 4));
    let items = items(&header, &bytes[48..]).unwrap();
    assert_eq!(items.places, [(100, 9), (103, 9), (104, 2), (900_000, 40)]);
    assert_eq!(items.block(), [1; 12]);
}

#[test]
fn bodies_are_compressed_where_that_saves_an_eighth() {
    let packed = group(vec![(b"edge gateway ".repeat(500), 100, 5)]);
    let header = FRAMES.read(&packed.bytes).unwrap();
    assert!(header.has(LZ4) && packed.bytes.len() < 500 && packed.raw_bytes == 6500, "{}", packed.bytes.len());
    assert!(header.matches(&packed.bytes[48..]));
    assert_eq!(items(&header, &packed.bytes[48..]).unwrap().block(), b"edge gateway ".repeat(500));
    let random = group(vec![(noise(6500), 100, 5)]);
    assert_eq!((random.bytes.len(), FRAMES.read(&random.bytes).unwrap().has(LZ4)), (48 + 6500, false));
}

#[test]
fn items_that_are_longer_than_they_seemed_make_more_frames_and_too_long_ones_a_mark() {
    let items: Vec<_> = (0..40).map(|n| (noise(2000), 100 + n, 5)).chain([(noise((1 << 20) + 1), 140, 5)]).collect();
    let group = group(items);
    let (mut at, mut seen) = (0, vec![]);
    while let Some(header) = FRAMES.read(&group.bytes[at..]) {
        assert!(header.body_bytes as usize <= BODY_BYTES && header.seq == 45 + (header.first - 100));
        seen.extend(header.first..header.end);
        at += 48 + header.body_bytes as usize;
        assert_eq!(header.has(TOO_LARGE), header.first == 140);
    }
    assert_eq!((at, seen, &group.refused[..]), (group.bytes.len(), (100..141).collect(), &[140][..]));
}

#[test]
fn a_single_wrong_bit_of_a_header_is_mended_and_two_are_not() {
    let bytes = group(vec![(noise(40), 123, 5)]).bytes;
    let header = FRAMES.read(&bytes).unwrap();
    for bit in 0..48 * 8 {
        let mut wrong = bytes.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(FRAMES.read(&wrong), None, "bit {bit}");
        assert_eq!(FRAMES.mend(&wrong), Some(header), "bit {bit}");
        wrong[(bit / 8 + 11) % 48] ^= 2;
        assert_eq!(FRAMES.mend(&wrong), None, "bit {bit} and another one");
    }
    assert_eq!(FRAMES.mend(&noise(48)), None);
    assert_eq!(Frames { seed: 8, ..FRAMES }.mend(&bytes), None, "a frame of another segment");
}

#[test]
fn a_body_that_lies_about_itself_is_refused() {
    let bytes = group((0..5).map(|n| (noise(9), 100 + n, n as i64)).collect()).bytes;
    let header = FRAMES.read(&bytes).unwrap();
    let body = &bytes[48..];
    assert!(items(&header, body).is_some());
    assert!(items(&FrameHeader { end: header.end + 1, ..header }, body).is_none(), "another last offset");
    assert!(items(&FrameHeader { count: 4, ..header }, body).is_none(), "another count");
    assert!(items(&FrameHeader { flags: LZ4, ..header }, body).is_none(), "not compressed");
    for length in 0..4 {
        assert!(items(&header, &body[..length]).is_none(), "cut at {length}");
    }
}
