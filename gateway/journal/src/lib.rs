//! The durable, ordered log of the gateway, and the small store of its state.
//!
//! A [`Journal`] keeps items in the order in which they were appended and gives each an offset: 0, 1, 2, … Any number of
//! [`Reader`]s read it, live ones from memory, late ones from disk. A [`Cursor`] is a reader's place that survives the
//! process. A [`StateStore`] is a map that survives the process.
//!
//! **It is not** a queue: reading removes nothing; what is old goes, by size and age, whether it was read or not, and a
//! reader that comes too late is told exactly which offsets it missed. It is not a database: there is no search. It knows
//! bytes and a [`Codec`], nothing of messages. It does not replicate and does not encrypt.
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
//! | appended, not yet durable | lost: at most `group_delay` and one sync of items | lost, the same |
//! | below [`durable_head`](Journal::durable_head) | kept | kept, if the device honours a flush |
//! | a committed cursor | at most 200 ms old | at most 200 ms old |
//! | a cursor, state or item after `flush`, `sync` or `durable` | kept | kept |
//!
//! A write that was torn costs only what had not been acknowledged, and is reported. A flipped bit costs one frame, which
//! is reported with its exact offsets, or nothing if it hits a header. A damaged sector costs the frames it touches.
//! Damaged bytes are never served and never fail an open. An offset is never used twice, except those that were never
//! durable: a reader at [`Level::Appended`] may have seen items that a crash took back.
//!
//! While the disk takes nothing (full, broken, read-only) the items that were not acknowledged stay in memory and are
//! tried again every second, in a new segment; appends wait once [`Options::pending_bytes_max`] is reached; reading and
//! cursors work on. A segment whose write or sync failed is never written again.
//!
//! # Limits
//!
//! | what | how much |
//! | --- | --- |
//! | an item | 1 MiB encoded |
//! | items in a frame | 32 KiB, or one longer item |
//! | a write | 1 MiB or a quarter of a segment, then the rest in the next one |
//! | a preamble | 4 MiB, and a quarter of a segment; it is stored twice per segment |
//! | cursors | 64, names up to 200 bytes |
//! | disk | `total_bytes_max` in real blocks; an eighth of it at most for quarantine |
//! | memory | the tail, what waits for the disk, 1 MiB for the writer, 64 KiB for each reader that reads from disk |
//! | opening | reads the newest segment and one page of each other one |
//! | state store | all values in memory, and sled's cache; meant for tens of MiB |
//!
//! Age is counted by the wall clock. A clock that stands before 2025 makes nothing old; one that is wrongly ahead does.
//!
//! # On disk, version 1
//!
//! Integers are little-endian. A checksum is CRC32C (Castagnoli).
//!
//! ```text
//! lock                       locked while open; the process id in decimal
//! cursors                    65 pairs of slots, 532,480 bytes
//! spare                      the next segment, reserved: zeros
//! 00000000000000000000.seg   a segment, named by its first offset
//! quarantine/                segments that had to be set aside
//! ```
//!
//! A segment is a header, the same header again, frames, and zeros up to the reserved size while it is the newest. Both
//! headers are padded with zeros to whole pages of 4,096 bytes. Magic, version and checksum stay where they are in all
//! versions, and a version that is not known is refused with nothing touched.
//!
//! ```text
//! header   0   8  "EDGEWAYJ"
//!          8   4  version, 1
//!         12   4  checksum of bytes 0..12 and 16..48: the segment's seed
//!         16   8  first offset
//!         24   8  created, nanoseconds since 1970
//!         32   4  length of the preamble
//!         36   4  checksum of the preamble
//!         40   8  zero
//!         48      preamble, then zeros
//!
//! frame    0   4  ED 9E 4A F1
//!          4   4  length of the body
//!          8   4  checksum of the body
//!         12   8  first offset
//!         20   4  number of items, at least 1
//!         24   8  written, nanoseconds since 1970
//!         32   4  checksum of bytes 0..32, begun with the segment's seed
//!         36      body: per item its length plus 1 as LEB128, then its bytes; a lone 0 stands for an item that was too long
//! ```
//!
//! The seed makes a frame of one segment worthless in another, and a frame inside an item worthless anywhere. After damage
//! a reader goes on at the next four magic bytes that begin a sound header; offsets between two frames are lost, and so
//! are those between the last frame and the first offset of the next segment.
//!
//! `cursors` holds one pair of slots for the journal itself (written when a segment begins and at the end), then one for
//! each cursor. A slot has 4,096 bytes. The two of a pair are written in turns; the sound one with the higher generation
//! counts. Nothing is allocated when a slot is written.
//!
//! ```text
//! slot     0   8  "EDGEWAYC"
//!          8   4  version, 1
//!         12   4  checksum of bytes 0..12 and 16..4096
//!         16   8  generation
//!         24   8  position
//!         32   8  the durable head when this was written
//!         40   1  1 if the journal was closed in order (its own slots only)
//!         41   1  length of the name; 0 if there is no cursor
//!         42      name, UTF-8, then zeros
//! ```
//!
//! Opening cuts nothing but zeros off the newest segment, and then begins a new one: what is damaged stays as it is. The
//! offset to go on with is the highest of what the frames say, what the slots say, and, where bytes are there that say
//! nothing, one offset for each of those bytes.
//!
//! The state store has a directory of its own: `lock`, `sled/`, `quarantine/`, and `reserve` (8 MiB that are given up if
//! sled cannot open on a full disk). A key `k` is stored as `v` + `k`, its value as the checksum of `k` and the value, then
//! the value; the key `d` holds the number of values and the sum of their checksums, 8 bytes each. If anything there is
//! wrong or missing the whole database is set aside: it is a view that its owner can build again.
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
