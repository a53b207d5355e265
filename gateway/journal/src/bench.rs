//! How fast the journal is beside a bare file, measured in the same run.
//!
//! Messages of 300 bytes that cannot be compressed are appended in groups, each durable before the next one, and then
//! drained in groups, each acknowledged durably before the next one. The journal takes part once more with one group ahead:
//! the next one is appended while the one before is on its way to the disk, and read while the acknowledgement of the one
//! before is, as the gateway does both. The bare file is appended to and synced with
//! `fdatasync`, and its acknowledgement is 8 bytes in a second file, synced too: less cannot be done. The stores take turns
//! in every round, so that what else the machine does meets all of them. With the Cargo feature `bench-peers` other stores
//! take part.

mod bare;
mod opening;
mod ours;
#[cfg(feature = "bench-peers")]
mod peers;

pub use opening::{Opened, open_and_drain};

use std::{
    io,
    path::{Path, PathBuf},
    time::Instant,
};

/// Bytes of a message.
pub const MESSAGE_BYTES: usize = 300;

/// What to measure.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// A directory on the file system to measure; what is made in it is removed.
    pub dir: PathBuf,
    /// How often each store takes its turn. Default 5.
    pub rounds: usize,
    /// Sizes of groups, and how many of each are appended in a round. Default 1, 64 and 1,024 messages, 400, 200 and 100
    /// times.
    pub groups: Vec<(usize, usize)>,
    /// Messages in the journal whose opening is measured; 0 for none. Default 1,000,000.
    pub backlog_messages: u64,
    /// A program and its arguments that is given one more, a directory, and prints what [`open_and_drain`] found there, as
    /// [`Opened`] shows it: the memory of a process that has done other things before says nothing. Without it the opening
    /// is measured in this process.
    pub opener: Option<Vec<String>>,
}

impl BenchOptions {
    /// The defaults, in a directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let groups = vec![(1, 400), (64, 200), (1024, 100)];
        BenchOptions { dir: dir.into(), rounds: 5, groups, backlog_messages: 1_000_000, opener: None }
    }
}

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `append`, `drain`, `open`, `memory` or `disk`.
    pub what: &'static str,
    /// Of what: `bare file`, `journal`, or another store.
    pub store: &'static str,
    /// Messages in a group; 0 where there are none.
    pub group: usize,
    /// Of `best` and `median`: `messages/s`, `ms`, `MiB`, or `bytes per byte` of messages.
    pub unit: &'static str,
    /// Of all rounds.
    pub best: f64,
    /// Of all rounds.
    pub median: f64,
    /// Best and median against those of the bare file; `None` where it does not take part.
    pub ratio: Option<(f64, f64)>,
}

/// What is measured: how something keeps messages.
trait Store {
    /// Appends a group; it is durable when this returns, or when what is appended next is.
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()>;

    /// All that was appended or noted is durable when this returns.
    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Takes the next messages and says how many bytes they had. It is noted durably that they are done when this returns,
    /// or when the next ones are taken.
    fn drain(&mut self, count: usize) -> io::Result<usize>;

    /// Ends it.
    fn close(self: Box<Self>) -> io::Result<()>;
}

type Make = fn(&Path) -> io::Result<Box<dyn Store>>;

/// Who takes part; the bare file is the first.
fn stores() -> Vec<(&'static str, Make)> {
    #[cfg(feature = "bench-peers")]
    let peers = peers::ALL;
    #[cfg(not(feature = "bench-peers"))]
    let peers: [(&'static str, Make); 0] = [];
    let ours = [("journal", ours::make as Make), ("journal, one group ahead", ours::make_ahead)];
    [("bare file", bare::make as Make)].into_iter().chain(ours).chain(peers).collect()
}

/// Measures everything. Takes about a minute; must not be called on a thread that drives asynchronous tasks.
pub fn run(options: &BenchOptions) -> io::Result<Vec<Figure>> {
    let mut figures = vec![];
    for (group, count) in &options.groups {
        figures.extend(measure(options, *group, *count)?);
    }
    if options.backlog_messages > 0 {
        figures.extend(opening::measure(options)?);
    }
    Ok(figures)
}

/// Messages per second of each round: appended, drained.
#[derive(Default, Clone)]
struct Rates {
    append: Vec<f64>,
    drain: Vec<f64>,
}

fn measure(options: &BenchOptions, group: usize, count: usize) -> io::Result<Vec<Figure>> {
    let stores = stores();
    let mut rates = vec![Rates::default(); stores.len()];
    for round in 0..options.rounds.max(1) {
        for turn in 0..stores.len() {
            // Another one begins in every round.
            let index = (turn + round) % stores.len();
            let dir = options.dir.join(format!("bench-{group}-{index}"));
            let measured = one_round(&dir, stores[index].1, group, count);
            let _ = std::fs::remove_dir_all(&dir);
            let (append, drain) = measured?;
            rates[index].append.push(append);
            rates[index].drain.push(drain);
        }
    }
    let names = stores.iter().map(|(name, _)| *name);
    let of = |what, pick: fn(&Rates) -> &Vec<f64>| {
        let bare = spread(pick(&rates[0]));
        let figure = move |(store, rates): (&'static str, &Rates)| {
            let (best, median) = spread(pick(rates));
            let ratio = Some((best / bare.0, median / bare.1));
            Figure { what, store, group, unit: "messages/s", best, median, ratio }
        };
        names.clone().zip(&rates).map(figure).collect::<Vec<_>>()
    };
    Ok([of("append", |rates| &rates.append), of("drain", |rates| &rates.drain)].concat())
}

fn one_round(dir: &Path, make: Make, group: usize, count: usize) -> io::Result<(f64, f64)> {
    std::fs::create_dir_all(dir)?;
    let mut store = make(dir)?;
    let groups: Vec<Vec<Vec<u8>>> = (0..count).map(|number| messages(number * group, group)).collect();
    let all = (group * count) as f64;
    let started = Instant::now();
    groups.into_iter().try_for_each(|group| store.append(group))?;
    store.settle()?;
    let appended = all / started.elapsed().as_secs_f64();
    let started = Instant::now();
    let mut bytes = 0;
    for _ in 0..count {
        bytes += store.drain(group)?;
    }
    store.settle()?;
    let drained = all / started.elapsed().as_secs_f64();
    store.close()?;
    let missing = (group * count * MESSAGE_BYTES).saturating_sub(bytes);
    if missing > 0 {
        Err(io::Error::other(format!("{missing} bytes did not come back")))
    } else {
        Ok((appended, drained))
    }
}

/// Messages that no compression makes shorter.
fn messages(first: usize, count: usize) -> Vec<Vec<u8>> {
    (first..first + count).map(message).collect()
}

fn message(number: usize) -> Vec<u8> {
    let mut noise = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(MESSAGE_BYTES + 8);
    while bytes.len() < MESSAGE_BYTES {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        bytes.extend_from_slice(&noise.to_le_bytes());
    }
    bytes.truncate(MESSAGE_BYTES);
    bytes
}

/// The highest one and the middle one.
fn spread(rates: &[f64]) -> (f64, f64) {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted.last().copied().unwrap_or(0.0), sorted.get(sorted.len() / 2).copied().unwrap_or(0.0))
}

/// Errors of the journal as those of the system.
fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
