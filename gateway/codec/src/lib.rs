//! How messages become the journal's bytes.
//!
//! [`MessageCodec`] writes all messages of a frame together as one *block*: each number as a difference to what was to
//! be expected, each bit as long as it is surprising. A segment begins with the [`names`] that the numbers stand for, so
//! it can be read after the site has changed.
//!
//! **It is not** a store and does no I/O. It is no general compressor: texts and rare kinds of messages are as long as
//! they are, and compressing them is left to the journal. A block has no checksum: the journal's frame has one, and bytes
//! that were changed can be messages that were never written.
//!
//! ```
//! use edgeway_codec::MessageCodec;
//! use edgeway_journal::{Class, Codec, Placement};
//! use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
//! use edgeway_thing_models::{Body, Device, Message, Observation, PropertyIx, Report, Things, ready_made};
//! use std::sync::Arc;
//!
//! let mut things = Things::default();
//! let model = things.add_model(Arc::new(ready_made().swap_remove(0)));
//! things.add_device(Device { id: "wt-07".into(), model, labels: Default::default() });
//! let codec = MessageCodec::new(Arc::new(things), Box::new(|_| Placement::Disk(Class::Normal)));
//!
//! let time = Timestamp::from_millis(1_800_000_000_000);
//! let wind = Observation { property: PropertyIx(0), value: Value::Float(7.1), quality: Quality::Good, source_time: time };
//! let message = Message { time, body: Body::Report(Report { device: DeviceIx(0), values: vec![wind] }) };
//!
//! let mut block = vec![];
//! codec.encode(&[Arc::new(message.clone())], &mut block);
//! let decoder = codec.decoder(&codec.preamble())?;
//! assert_eq!(decoder.decode(&block, 1), Some(vec![message]));
//! # Ok::<(), String>(())
//! ```
//!
//! # What comes back
//!
//! The same messages in the same order, each number with all its bits (also `-0.0` and a NaN's payload). Only what nests
//! deeper than [`Value::NESTING_MAX`](edgeway_sdk::Value::NESTING_MAX) levels, which no model and no query makes, becomes
//! null. Bytes that are no block give `None`, never a panic.
//!
//! # Limits
//!
//! | what | how much |
//! | --- | --- |
//! | messages of a block | any number; meant for 1 to some 1,000 |
//! | nesting of values | 32 levels |
//! | what comes out of a block | 16 values for each of its bytes, where a message counts as 8; a shorter block is padded |
//! | memory to read | about 700 bytes for each byte of the block, and 1 MiB for a list that claims to be long |
//! | memory to write | some 17 KiB, and four bytes a value |
//!
//! What it costs is printed by `cargo run --release -p edgeway-codec --example codec_size`.
//!
//! # On disk, version 2
//!
//! ```text
//! block    0   1  bits 0..4: version, 2
//!                 bits 4..6: unit of message times, bits 6..8: of source times;
//!                 0 nanoseconds, 1 microseconds, 2 milliseconds, 3 seconds
//!          1      length of the byte section as LEB128, then the byte section
//!                 length of the bit section as LEB128, then the bit section: bits as they are, lowest bit first
//!                 the coded section, to the end or to the padding
//!                 zeros, up to ceil((values + 8 * messages) / 16) bytes in all
//! ```
//!
//! **Coded section.** A binary arithmetic coder with an interval of 32 bits that begins as 0 to 2^32 - 1. A bit is one if
//! the code is at most `low + ((high - low) * p >> 16)`. The first byte is shifted out as soon as `low` and `high` agree
//! on it. The end is the fewest bytes that lie within the interval whatever follows. Each *context* has its own `p`, a
//! 16-bit number that begins at 32,768 and after the n-th bit (counted from 0, at most 30) moves towards that bit by
//! `2 * 65,536 / (2n + 3)` 65,536ths of the way, rounded down.
//!
//! A *choice* of 2^k is k bits, the highest first, with a context for each prefix. A *number* is: one for zero, else zero;
//! then one if it is negative; then a choice of 64, how many bits are below its highest one; if these are 1 to 11, the
//! highest of them, with a context for each length; the others go to the bit section.
//! A *column* is nine numbers: for the first at its place, and after one of 0, 1 to 2, 3 to 5, 6 to 8, 9 to 12, 13 to 18,
//! 19 to 30 and more bits. A *lane* is a column of numbers that are written as they are or as the difference to the
//! earlier one, whichever would have been shorter in sum so far in this lane against the same kin; a tie is a difference.
//! Differences wrap at 64 bits.
//!
//! **Messages**, in order. One for a report (contexts: after another message, after a report; the first comes after a
//! report). The time, a number: difference to the last message's in units, to 0 at first. Then a report as below, or
//! postcard of [`Body`](edgeway_thing_models::Body) in the byte section.
//!
//! **Reports.** The device, a number: difference to the last report's device, to -1 at first. Then the list of
//! properties: if any list was there before, one if it is the last list of this device, or if that has none, the last of
//! all; if not, a number: 0 for a new list, else 1 + its place among the lists. A new list is its length, a number, and
//! each property as a number: difference to the one before plus 1, to 0 at first. Then each value.
//!
//! **The earlier value** of a value is the one at the same place in the last report with the same list: of the same
//! device (kin *own*), else of another (kin *alike*).
//!
//! **Values.** The tag is `8 * quality + type`: one if it is that of the earlier value, or where there is none that of the
//! value beside it, a good float at first (contexts: own, alike, beside), else zero and a choice of 128. Types are 0 null,
//! 1 bool, 2 int, 3 float, 4 text, 5 bytes, 6 array or struct. The source time, a column: difference in units to the value
//! beside it, to the message's time rounded down at first. Then by type, where an earlier value of another type is none:
//!
//! | type | how |
//! | --- | --- |
//! | bool | one bit; contexts: no earlier value, false, true |
//! | int | a lane |
//! | float | its form: if there is an earlier float, one if the form is that one's (contexts: own, alike); else a choice of 64. Then its integer, in the lane of decimals, of singles or of doubles |
//! | text, bytes | one if it is the earlier one, else zero and LEB128 of the length and the bytes in the byte section |
//! | array, struct | postcard of [`Value`](edgeway_sdk::Value) in the byte section |
//!
//! Forms are `d` (0 to 15) for `integer / 10^d`; `16 + d` for the same rounded to 32 bits; 32 for the bits of a 32-bit
//! float and 33 for those of a 64-bit one, all but the sign inverted if it is negative, so that integers grow with
//! numbers. An earlier number in another form is `number * 10^d` rounded half away from zero, its 32 bits (0 for NaN), or
//! its 64 bits.
//!
//! The **preamble** is postcard of [`Names`](edgeway_thing_models::Names).
//!
//! # On disk, version 1
//!
//! Each item had bytes of its own. They are still read:
//!
//! ```text
//! item     0   1  kind: 0 a report, 1 anything else
//!          1      postcard of (time, device, first source time, [(property, value, quality, source time - first)]),
//!                 or of Message
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bits;
mod block;
mod codec;
mod coder;
mod form;
mod length;
mod number;
mod stream;
mod unit;
mod v1;

pub use codec::{MessageCodec, names};
