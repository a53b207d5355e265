//! The durable, ordered log of the gateway, and the small store of its state.
//!
//! A [`Journal`] keeps items in the order in which they were appended and gives each an offset: 0, 1, 2, … The newest ones
//! are in memory, for readers that live with it. On disk there are three logs, one for each [`Class`], each with its own
//! space, its own writer and its own [`SyncLevel`]: what is critical never waits behind what is bulk, and is never removed
//! to make room for it. An item can also be [in memory alone](Placement::Memory). Any number of [`Reader`]s read one class
//! or all of them in one order; a [`Cursor`] is a consumer's place that survives the process; a [`Keeper`] is asked before
//! anything is removed, and shown it. A [`StateStore`] is a map that survives the process. [`inspect`] looks into a
//! directory without opening it.
//!
//! **It is not** a queue: reading removes nothing; what is old goes, by size and age, whether it was read or not, and a
//! reader that comes too late is told how many items it missed. It is not a database: there is no search. It knows bytes
//! and a [`Codec`], nothing of messages. It does not replicate and does not encrypt.
//!
//! ```
//! use edgeway_journal::{Class, Codec, Decoder, Journal, Level, Options, Placement};
//! use std::sync::Arc;
//!
//! struct Lines;
//! impl Codec for Lines {
//!     type Item = String;
//!     fn preamble(&self) -> Vec<u8> {
//!         b"utf-8, a line each".to_vec()
//!     }
//!     fn placement(&self, line: &String) -> Placement {
//!         Placement::Disk(if line.starts_with("alarm") { Class::Critical } else { Class::Normal })
//!     }
//!     fn size_hint(&self, line: &String) -> usize {
//!         line.len() + 1
//!     }
//!     fn encode(&self, lines: &[Arc<String>], out: &mut Vec<u8>) {
//!         lines.iter().for_each(|line| out.extend_from_slice(format!("{line}\n").as_bytes()));
//!     }
//!     fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<String>>, String> {
//!         Ok(Box::new(Lines))
//!     }
//! }
//! impl Decoder<String> for Lines {
//!     fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<String>> {
//!         let lines: Vec<String> = std::str::from_utf8(bytes).ok()?.lines().map(String::from).collect();
//!         (lines.len() == count).then_some(lines)
//!     }
//!     fn decode_v1(&self, bytes: &[u8]) -> Option<String> {
//!         String::from_utf8(bytes.to_vec()).ok()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), edgeway_journal::Error> {
//! # let dir = tempfile::tempdir().expect("a directory");
//! let journal = Journal::open(dir.path(), Lines, Options::default())?;
//! let offsets = journal.append(vec!["wind 7 m/s".into(), "wind 8 m/s".into()]).await?;
//! journal.durable(offsets.end - 1).await?;
//! let fetched = journal.reader(0, Level::Durable).next(100).await?;
//! assert_eq!(*fetched.entries[1].item, "wind 8 m/s");
//! journal.close().await
//! # }
//! ```
//!
//! # What survives what
//!
//! | | kill -9 | power cut |
//! | --- | --- | --- |
//! | in memory alone | lost | lost |
//! | appended, not yet durable | lost: at most `group_delay` and one sync of items | lost, the same |
//! | durable, [`SyncLevel::Disk`] or [`Group`](SyncLevel::Group) | kept | kept, if the device honours a flush |
//! | durable, [`SyncLevel::Os`] | kept | lost: at most about 1 s of items, more if the device is slower |
//! | a committed cursor | at most 200 ms old | at most 200 ms old |
//! | a cursor, state or item after `commit_now`, `flush`, `sync` or `durable` | kept | kept, items as their level says |
//! | a keeper that was shown a segment | may be shown it again | may be shown it again |
//!
//! [`SyncLevel::Disk`] differs from [`Group`](SyncLevel::Group) only in time: it does not wait for a group to fill. A
//! device whose sync fails at [`Os`](SyncLevel::Os) may lose what was called durable in the second before; at the other
//! levels nothing is called durable before its sync has succeeded.
//!
//! A write that was torn costs only what had not been acknowledged, and is reported. A flipped bit costs one frame, which
//! is reported with its exact offsets, or nothing if it hits a header: a single wrong bit of a frame's header is mended. A
//! damaged sector costs the frames it touches. Damaged bytes are never served and never fail an open. A segment in which a
//! reader meets damage is copied to `quarantine/`, once. An offset is never used twice, except those that were never
//! durable and that no cursor or mark knew of: a reader at [`Level::Appended`] may have seen items that a crash took back.
//! Offset and [epoch](Stamp::epoch) together are never used twice.
//!
//! Every loss is counted: each item has a number within its class, and a number that is missing is an item that is lost.
//! The count of a [`LostRange`] is exact with these exceptions: a reader that begins, with no history, between items that
//! were removed since is told how many there were at most; bytes that say nothing behind the last frame of a log that
//! was not closed count as one item, as long as no cursor or mark tells more.
//!
//! While the disk takes nothing (full, broken, read-only) the items that were not acknowledged stay in memory and are
//! tried again every second, in a new segment; appends of the class wait once [`Options::pending_bytes_max`] is reached;
//! reading and cursors work on. A segment whose write or sync failed is never written again. A log whose keeper lets
//! nothing go is full in the same way and asks again five times a second.
//!
//! # Limits
//!
//! | what | how much |
//! | --- | --- |
//! | an item | 1 MiB encoded |
//! | a frame | 32 KiB before compression and 4,096 items, or one longer item |
//! | a write | 1 MiB or a quarter of a segment, then the rest in the next one |
//! | a preamble | 4 MiB, and a quarter of the smallest segment; it is stored twice per segment |
//! | cursors | 64, names up to 200 bytes, notes up to 3,000 |
//! | disk | `total_bytes_max` of each class in real blocks, an eighth of it at most for quarantine, and 520 KiB for cursors |
//! | memory | the tail; for each class what waits for the disk and 1 MiB for its writer; for each reader that reads from disk, and each class it reads, 64 KiB and the items of one frame |
//! | threads | one for each class, one for cursors |
//! | opening | reads the newest segment of each class and two or three pages of each other one |
//! | state store | all values in memory, and sled's cache; meant for tens of MiB |
//!
//! Age is counted by the clock that nobody can set as long as the system has not been started again, and by the wall clock
//! across starts. A wall clock that stands before 2025 makes nothing old; one that is wrongly ahead does.
//!
//! # On disk, version 2
//!
//! Integers are little-endian. A checksum is CRC32C (Castagnoli). `varint` is LEB128; `runs` are pairs of varints, a value
//! and how often it comes.
//!
//! ```text
//! lock                       locked while open; the process id in decimal
//! cursors                    65 pairs of slots, 532,480 bytes
//! critical/ normal/ bulk/    the logs:
//!   00000000000000000000.seg   a segment, named by its first offset
//!   spare                      the next segment, reserved: zeros
//!   quarantine/                segments that had to be set aside, and copies (NNN.copy) of those in which damage was met
//! ```
//!
//! A segment is a header, the same header again, frames, and zeros up to the reserved size while it is the newest. Both
//! headers are padded with zeros to whole pages of 4,096 bytes. Magic, version and first checksum stay where they are in all
//! versions, and a version that is not known is refused with nothing touched.
//!
//! ```text
//! header   0   8  "EDGEWAYJ"
//!          8   4  version, 2
//!         12   4  checksum of bytes 0..12 and 16..48: the segment's seed
//!         16   8  offset of the first item
//!         24   8  created, wall clock, nanoseconds since 1970
//!         32   4  length of the preamble
//!         36   4  checksum of the preamble
//!         40   4  checksum of bytes 48..96
//!         44   4  zero
//!         48   8  number of the first item within its class
//!         56   8  the offset behind the item of the class before it
//!         64   8  created, CLOCK_BOOTTIME, nanoseconds
//!         72  16  boot id
//!         88   4  epoch
//!         92   1  class: 0 critical, 1 normal, 2 bulk
//!         93   3  zero
//!         96      preamble, then zeros
//!
//! frame    0   4  ED 9E 4A F1
//!          4   3  length of the body
//!          7   1  flags: 1 the body is compressed, 2 its one item was too long and is not there, 4 the end of the segment
//!          8   4  checksum of the body
//!         12   4  offset of the first item, less the segment's first offset
//!         16   4  offset behind the last item, less that of the first
//!         20   4  number of the first item within its class, less the segment's first number
//!         24   4  number of items, at least 1; 0 at the end
//!         28   8  when the first item was appended, CLOCK_BOOTTIME, nanoseconds
//!         36   8  the same by the wall clock, nanoseconds since 1970
//!         44   4  checksum of bytes 0..44, begun with the segment's seed
//!         48      body
//!
//! body            if compressed: length of the rest as 4 bytes, then the rest as an LZ4 block
//!                 runs: from each item to the next, how much higher its offset is; nothing for a single item
//!                 runs: from each item to the next, how much later it was appended by CLOCK_BOOTTIME, as zigzag
//!                 what the codec wrote
//! ```
//!
//! All items of a frame have the same distance between the two clocks. A body longer than 512 bytes is compressed where that
//! saves an eighth; after bodies that it did not, up to 63 are not tried. The last frame of a segment that was closed in
//! order has the flag 4: its offset and its number say where the next item goes on, so that what is missing before it is
//! damaged, and what is missing behind it was removed.
//!
//! The seed makes a frame of one segment worthless in another, and a frame inside an item worthless anywhere. After damage
//! a reader goes on at the next four magic bytes that begin a sound header.
//!
//! `cursors` holds one pair of slots for the journal itself (written when it is opened, when a segment begins and at the
//! end), then one for each cursor. A slot has 4,096 bytes. The two of a pair are written in turns; the sound one with the
//! higher generation counts. Nothing is allocated when a slot is written. Three values are those of the three classes.
//!
//! ```text
//! slot     0   8  "EDGEWAYC"
//!          8   4  version, 2
//!         12   4  checksum of bytes 0..12 and 16..4096
//!         16   8  generation
//!         24  24  three positions
//!         48  24  the journal when this was written: three durable heads
//!         72  24    three numbers behind the last durable item
//!         96   8    offset of the next item
//!        104   4    epoch
//!        108   1    1 if the journal was closed in order (its own slots only)
//!        109   1  length of the name; 0 if there is no cursor
//!        110   2  length of the note
//!        112   4  zero
//!        116 200  name, UTF-8, then zeros
//!        316      note, then zeros
//! ```
//!
//! Opening cuts nothing but zeros off the newest segments, and then begins new ones: what is damaged stays as it is. The
//! offset to go on with is the highest of what the frames say, what the slots say, and, where bytes are there that say
//! nothing, one offset for each of those bytes.
//!
//! # On disk, version 1
//!
//! Had one log, in the journal's own directory; its segments are moved to `normal/` and read there as they are. A header had
//! version 1 and ended at byte 48, where the preamble began, with bytes 40 to 48 zero. Offsets had no gaps and are the
//! numbers within class normal; epoch, boot id and `CLOCK_BOOTTIME` are zero.
//!
//! ```text
//! frame    0   4  ED 9E 4A F1
//!          4   4  length of the body
//!          8   4  checksum of the body
//!         12   8  first offset
//!         20   4  number of items, at least 1
//!         24   8  written, nanoseconds since 1970
//!         32   4  checksum of bytes 0..32, begun with the segment's seed
//!         36      body: per item its length plus 1 as varint, then its bytes; a lone 0 stands for an item that was too long
//!
//! slot    24   8  position, now that in all classes
//!         32   8  the durable head when this was written
//!         40   1  1 if the journal was closed in order
//!         41   1  length of the name
//!         42      name
//! ```
//!
//! # The state store on disk
//!
//! It has a directory of its own: `lock`, `sled/`, `quarantine/`, `exports/`, and `reserve` (8 MiB that are given up if
//! sled cannot open on a full disk). A key `k` is stored as `v` + `k`, its value as the checksum of `k` and the value, then
//! the value; the key `d` holds the number of values and the sum of their checksums, 8 bytes each; the key `g` counts the
//! writes, and `sled/generation` has the same number, written after each of them: two slots of 512 bytes in turns, the number
//! (8 bytes) and its CRC32C (4). A database behind that number has gone back to an older state. If anything there is wrong or
//! missing the whole database is set aside and the newest sound export takes its place: it is a view that its owner
//! brings up to date again from the journal. While a database is filled from an export, a copy of that is in
//! `rebuild.export`: as long as it is there, the database is not to be trusted and is filled again.
//!
//! ```text
//! export   0   8  "EDGEWAYS"
//!          8   4  version, 1
//!         12   4  checksum of everything from byte 16 on
//!         16   8  made, nanoseconds since 1970
//!         24   8  number of values
//!         32      for each: length of the key, 4 bytes; length of the value, 4 bytes; the key; the value
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bench;
mod catalogue;
mod class;
mod clock;
mod codec;
mod cursors;
mod disk;
mod entry;
mod error;
mod frame;
pub mod inspect;
mod journal;
mod keeper;
mod lock;
mod log;
mod merge;
mod options;
mod progress;
mod quarantine;
mod reader;
mod recovery;
mod scan;
mod scribe;
mod segment;
mod shared;
mod slot;
mod source;
mod state;
mod stats;
mod tail;
#[cfg(test)]
mod testing;
mod writer;

pub use class::{Class, Placement};
pub use clock::{Clock, Stamp};
pub use codec::{Codec, Decoder};
pub use cursors::{Cursor, Place, Start};
pub use entry::{Entry, Fetched, Level, LossReason, LostRange};
pub use error::Error;
pub use journal::Journal;
pub use keeper::Keeper;
pub use options::{ClassOptions, Options, SyncLevel};
pub use reader::Reader;
pub use recovery::Recovery;
pub use state::{Imported, StateOptions, StateRecovery, StateStats, StateStore};
pub use stats::{ClassStats, Stats, Usage};
