//! The durable, ordered log of the gateway, and the small store of its state.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod catalogue;
mod codec;
mod cursors;
mod disk;
mod disk_reader;
mod entry;
mod error;
mod frame;
mod journal;
mod lock;
mod options;
mod quarantine;
mod reader;
mod recovery;
mod scan;
mod segment;
mod shared;
mod slot;
mod state;
mod stats;
mod tail;
mod writer;

pub use codec::{Codec, Decoder};
pub use cursors::{Cursor, Start};
pub use entry::{Entry, Fetched, Level, LossReason, LostRange};
pub use error::Error;
pub use journal::Journal;
pub use options::{Clock, Options};
pub use reader::Reader;
pub use recovery::Recovery;
pub use state::{StateOptions, StateRecovery, StateStore};
pub use stats::Stats;
