//! The files of a folder, read back as messages.
//!
//! Files of one table, day and route follow each other by the ids in their names; where a crash has made one twice, the rows
//! that were there before are passed over. All are merged by id, which is the order of the journal; messages of other
//! gateways, from before the data folder was made anew, come first, by day.

use edgeway_formats::messages_of_table;
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{GatewayId, Message, MessageId, Things};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows read at a time, of each table.
const ROWS: usize = 1024;

/// Which messages are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Those that the gateway got at this time or later, as far as days tell ...
    pub from: Timestamp,
    /// ... and before this one.
    pub to: Timestamp,
    /// Of this gateway, only those before this place in its journal; the journal has the others.
    pub before: (GatewayId, u64),
}

/// Messages in Parquet files that routes have written.
pub struct Archive {
    things: Arc<Things>,
    wanted: Wanted,
    chains: Vec<Chain>,
    /// The next message of each chain, or, as long as that has not been read, the first that there can be.
    next: BinaryHeap<Reverse<(Rank, usize)>>,
    /// The last message.
    last: Option<Rank>,
    bytes: u64,
    bytes_read: u64,
    troubles: Vec<String>,
}

/// What messages are ordered by: whether they are of this gateway, the day if they are not, and the id.
type Rank = (bool, i64, u128);

/// The files of one table, day and route, oldest first.
#[derive(Default)]
struct Chain {
    /// 20261126
    day: i64,
    files: VecDeque<Named>,
    open: Option<(PathBuf, ParquetRecordBatchReader)>,
    ready: VecDeque<(MessageId, Message)>,
    last: Option<Rank>,
}

/// A file and what its name says.
struct Named {
    first: MessageId,
    path: PathBuf,
    bytes: u64,
}

impl Archive {
    /// Finds the files in some folders.
    ///
    /// # Errors
    /// If a folder is there and cannot be read.
    pub fn open(folders: &[PathBuf], things: Arc<Things>, wanted: Wanted) -> io::Result<Archive> {
        let mut found: BTreeMap<(PathBuf, String), Vec<Named>> = BTreeMap::new();
        for folder in folders {
            walk(folder, &mut |path, named| found.entry(chain_of(path, &named)).or_default().push(named), &wanted)?;
        }
        let chain = |((folder, _), mut files): ((PathBuf, String), Vec<Named>)| {
            let day = day_of(&folder);
            // Not by id alone: what other gateways wrote is older than what this one did, whatever they are called.
            files.sort_by_key(|file| wanted.rank(&file.first, day));
            Chain { day, files: files.into(), ..Chain::default() }
        };
        let chains: Vec<Chain> = found.into_iter().map(chain).collect();
        let bytes = chains.iter().flat_map(|chain| &chain.files).map(|file| file.bytes).sum();
        let first = |chain: &Chain| Some(wanted.rank(&chain.files.front()?.first, chain.day));
        let next = chains.iter().zip(0..).filter_map(|(chain, at)| Some(Reverse((first(chain)?, at)))).collect();
        let troubles = vec![];
        let mut archive = Archive { things, wanted, chains, next, last: None, bytes, bytes_read: 0, troubles };
        archive.settle();
        Ok(archive)
    }

    /// How large its files are, and how much of them has been opened.
    pub fn progress(&self) -> (u64, u64) {
        (self.bytes_read, self.bytes)
    }

    /// What went wrong since this was last asked. Files that cannot be read are passed over.
    pub fn troubles(&mut self) -> Vec<String> {
        std::mem::take(&mut self.troubles)
    }

    /// The id of the next message.
    pub fn peek(&self) -> Option<MessageId> {
        self.next.peek().map(|Reverse(((_, _, id), _))| MessageId::from_u128(*id))
    }

    /// Makes sure that what comes next has been read, and is not what has come before: two routes may have written it.
    fn settle(&mut self) {
        while let Some(Reverse((rank, chain))) = self.next.peek().copied() {
            let is_read = !self.chains[chain].ready.is_empty();
            if is_read && self.last < Some(rank) {
                return;
            }
            self.next.pop();
            if is_read {
                self.chains[chain].ready.pop_front();
            }
            self.wait_for(chain);
        }
    }

    /// Makes the next message of a chain known.
    fn wait_for(&mut self, chain: usize) {
        let Archive { things, wanted, chains, bytes_read, troubles, .. } = self;
        let of_chain = &mut chains[chain];
        while of_chain.ready.is_empty() {
            match of_chain.read(things, wanted, bytes_read) {
                Ok(true) => {}
                Ok(false) => return,
                Err(trouble) => troubles.push(trouble),
            }
        }
        let rank = of_chain.ready.front().map(|(id, _)| wanted.rank(id, of_chain.day));
        self.next.extend(rank.map(|rank| Reverse((rank, chain))));
    }
}

impl Iterator for Archive {
    type Item = (MessageId, Message);

    /// The next message. One that two routes have written comes once.
    fn next(&mut self) -> Option<(MessageId, Message)> {
        let Reverse((rank, chain)) = self.next.pop()?;
        self.last = Some(rank);
        let message = self.chains[chain].ready.pop_front();
        self.wait_for(chain);
        self.settle();
        message
    }
}

impl Chain {
    /// Reads some rows; false if there are no more.
    fn read(&mut self, things: &Things, wanted: &Wanted, bytes_read: &mut u64) -> Result<bool, String> {
        let Some((path, reader)) = &mut self.open else {
            let Some(Named { path, bytes, .. }) = self.files.pop_front() else { return Ok(false) };
            *bytes_read += bytes;
            let told = |error: String| format!("{}: {error}", path.display());
            let file = File::open(&path).map_err(|error| told(error.to_string()))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| told(error.to_string()))?;
            let reader = reader.with_batch_size(ROWS).build().map_err(|error| told(error.to_string()))?;
            self.open = Some((path, reader));
            return Ok(true);
        };
        let batch = match reader.next() {
            None => {
                self.open = None;
                return Ok(true);
            }
            Some(batch) => batch
                .map_err(|error| error.to_string())
                .and_then(|batch| messages_of_table(&table_of(path), &batch, things)),
        };
        let messages = match batch {
            Ok(messages) => messages,
            Err(error) => {
                let trouble = format!("{}: {error}", path.display());
                self.open = None;
                return Err(trouble);
            }
        };
        for (id, message) in messages {
            let rank = Some(wanted.rank(&id, self.day));
            if self.last < rank && wanted.takes(&id) {
                self.last = rank;
                self.ready.push_back((id, message));
            }
        }
        Ok(true)
    }
}

impl Wanted {
    fn rank(&self, id: &MessageId, day: i64) -> Rank {
        let is_own = id.gateway == self.before.0;
        (is_own, if is_own { 0 } else { day }, id.to_u128())
    }

    fn takes(&self, id: &MessageId) -> bool {
        let (gateway, offset) = self.before;
        id.gateway != gateway || id.offset < offset
    }

    /// Whether a day, `2026-11-26`, has anything of the span. Days whose name cannot be read may.
    fn takes_day(&self, day: &str) -> bool {
        let begin = Timestamp::parse(&format!("{day}T00:00:00Z"));
        let end = Timestamp::parse(&format!("{day}T23:59:59.999999999Z"));
        end.is_none_or(|end| end >= self.from) && begin.is_none_or(|begin| begin < self.to)
    }
}

/// Tells of each file below a folder whose name is one of ours.
fn walk(folder: &Path, each: &mut impl FnMut(&Path, Named), wanted: &Wanted) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            let is_wanted = name.strip_prefix("day=").is_none_or(|day| wanted.takes_day(day));
            if name.contains('=') && is_wanted {
                walk(&path, each, wanted)?;
            }
        } else if let Some(first) = first_id(&name).filter(|first| wanted.takes(first)) {
            each(&path, Named { first, path: path.clone(), bytes: entry.metadata()?.len() });
        }
    }
    Ok(())
}

/// `ROUTE-3f2a91c07be40000000700000000126f.parquet`
fn first_id(name: &str) -> Option<MessageId> {
    if name.starts_with('.') {
        return None;
    }
    name.strip_suffix(".parquet")?.rsplit_once('-')?.1.parse().ok()
}

/// `property/wind_turbine`, of a file in `kind=property/model=wind_turbine/day=2026-11-26`.
fn table_of(path: &Path) -> String {
    let levels = path.iter().filter_map(|level| level.to_str()?.split_once('='));
    let levels = levels.skip_while(|(key, _)| *key != "kind").filter(|(key, _)| *key != "day");
    let levels: Vec<&str> = levels.map(|(_, value)| value).collect();
    levels.join("/")
}

/// The day's folder of the table and the route: what files of one chain share.
fn chain_of(path: &Path, named: &Named) -> (PathBuf, String) {
    let folder = path.parent().unwrap_or(path).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (folder, name.replace(&named.first.to_string(), ""))
}

/// 20261126, of `day=2026-11-26`.
fn day_of(folder: &Path) -> i64 {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "ours-1a2b3c4d";

    fn id(gateway: &str, offset: u64) -> MessageId {
        MessageId { gateway: GatewayId::of(gateway), epoch: 1, offset }
    }

    fn wanted() -> Wanted {
        let time = |text: &str| Timestamp::parse(text).expect("a time");
        Wanted {
            from: time("2026-11-25T12:00:00Z"),
            to: time("2026-11-27T00:00:00Z"),
            before: (GatewayId::of(OURS), 100),
        }
    }

    #[test]
    fn what_the_journal_has_is_not_wanted_and_what_came_before_it_is_older() {
        let wanted = wanted();
        assert!(wanted.takes(&id(OURS, 99)) && !wanted.takes(&id(OURS, 100)));
        for other in ["one-1a2b3c4d", "two-1a2b3c4d", "three-1a2b3c4d"] {
            assert!(wanted.takes(&id(other, 4711)));
            assert!(wanted.rank(&id(other, 4711), 20_261_126) < wanted.rank(&id(OURS, 0), 20_261_125));
        }
        let (one, two) = (id("one-1a2b3c4d", 9), id("two-1a2b3c4d", 9));
        for (before, after) in [(&one, &two), (&two, &one)] {
            assert!(wanted.rank(before, 20_261_125) < wanted.rank(after, 20_261_126), "by day");
        }
    }

    #[test]
    fn days_outside_of_the_span_are_not_opened() {
        let days = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "whenever"];
        let taken: Vec<_> = days.into_iter().filter(|day| wanted().takes_day(day)).collect();
        assert_eq!(taken, ["2026-11-25", "2026-11-26", "whenever"]);
    }

    #[test]
    fn a_path_says_the_table_and_a_name_the_first_row() {
        let name = format!("cold-store-{}.parquet", id(OURS, 7));
        let path = PathBuf::from("/data=1/cold/kind=event/model=big_pump/event=leak/day=2026-11-26").join(&name);
        assert_eq!(table_of(&path), "event/big_pump/leak");
        assert_eq!(day_of(path.parent().expect("a folder")), 20_261_126);
        assert_eq!(first_id(&name), Some(id(OURS, 7)));
        assert_eq!(first_id(&format!(".{name}")), None);
        assert_eq!(first_id("cold-store.parquet"), None);
    }
}
