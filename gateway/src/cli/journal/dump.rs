//! Messages of a journal as JSON lines.

use super::place::Journal;
use super::{Failure, bar, told};
use crate::cli::exit;
use crate::clock::Clocks;
use edgeway_journal::Entry;
use edgeway_journal::inspect::{self, Entries};
use edgeway_thing_models::{Filter, GatewayId, Message, MessageId, Rendered, Things};
use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

/// Messages read at a time.
const FETCH: usize = 512;

/// A reader that chooses and renders.
struct Dump {
    entries: Entries<edgeway_codec::MessageCodec>,
    things: Arc<Things>,
    clocks: Arc<Clocks>,
    gateway: GatewayId,
    filters: Vec<Filter>,
    /// Messages that could not be read.
    lost: u64,
}

/// Prints messages to standard output.
pub(super) fn print(folder: &Path, from: u64, count: Option<u64>, subjects: &[String]) -> Result<u8, Failure> {
    let mut dump = Dump::open(folder, from, subjects)?;
    let out = BufWriter::new(std::io::stdout().lock());
    match dump.write(out, count.unwrap_or(u64::MAX), &mut |_| ()) {
        Ok(_) => Ok(dump.verdict()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit::OK),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes messages into a new file.
pub(super) fn export(folder: &Path, file: &Path, from: u64, subjects: &[String]) -> Result<u8, Failure> {
    let mut dump = Dump::open(folder, from, subjects)?;
    let refused = |error: std::io::Error| format!("{}: {error}", file.display());
    let out = OpenOptions::new().write(true).create_new(true).open(file).map_err(refused)?;
    let bar = bar();
    let written = dump.write(BufWriter::new(&out), u64::MAX, &mut |bytes| bar.set_position(bytes)).map_err(refused)?;
    out.sync_all().map_err(refused)?;
    bar.finish_and_clear();
    println!("{written} messages in {}", file.display());
    Ok(dump.verdict())
}

impl Dump {
    fn open(folder: &Path, from: u64, subjects: &[String]) -> Result<Dump, Failure> {
        let filter = |text: &String| Filter::new(text).map_err(|error| format!("`{text}`: {error}"));
        let filters = subjects.iter().map(filter).collect::<Result<_, _>>()?;
        let journal = Journal::find(folder)?;
        let (dir, gateway) = (journal.dir.clone(), journal.gateway);
        let (things, codec) = journal.codec()?;
        let entries = inspect::entries(&dir, codec, None, from).map_err(told)?;
        let clocks = Clocks::load(dir.parent().unwrap_or(&dir));
        Ok(Dump { entries, things, clocks, gateway, filters, lost: 0 })
    }

    /// Writes up to `count` messages; returns how many there were. `progress` is told how many bytes were written.
    fn write(&mut self, mut out: impl Write, count: u64, progress: &mut dyn FnMut(u64)) -> std::io::Result<u64> {
        let (mut written, mut bytes) = (0, 0);
        while let Some(fetched) = self.entries.next(FETCH).map_err(|error| std::io::Error::other(told(error)))? {
            if let Some(lost) = fetched.lost {
                self.lost += lost.count;
                eprintln!("offsets {} to {}: {} lost, {}", lost.from, lost.to, lost.count, lost.reason.as_str());
            }
            for entry in fetched.entries.iter().filter(|entry| self.wants(&entry.item)) {
                if written == count {
                    return out.flush().map(|()| written);
                }
                let line = self.line(entry);
                out.write_all(&line)?;
                (written, bytes) = (written + 1, bytes + line.len() as u64);
            }
            progress(bytes);
        }
        out.flush()?;
        Ok(written)
    }

    fn wants(&self, message: &Message) -> bool {
        self.filters.is_empty() || {
            let subject = message.subject(&self.things);
            self.filters.iter().any(|filter| filter.matches(&subject))
        }
    }

    fn line(&self, entry: &Entry<Message>) -> Vec<u8> {
        let id = MessageId { gateway: self.gateway, epoch: entry.stamp.epoch, offset: entry.offset };
        let (message, clock) = self.clocks.correct(entry);
        let rendered = Rendered { clock, ..Rendered::new(&message, &self.things, Some(id)) };
        let mut line = serde_json::to_vec(&rendered).expect("a message renders to memory");
        line.push(b'\n');
        line
    }

    fn verdict(&self) -> u8 {
        if self.lost > 0 { exit::FINDINGS } else { exit::OK }
    }
}
