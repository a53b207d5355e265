//! Opening a journal that holds much, in a process that has done nothing else.

use super::{BenchOptions, Figure, MESSAGE_BYTES, other, ours};
use crate::{Class, Journal, Level};
use std::{
    fmt, fs, io,
    path::Path,
    process::Command,
    str::FromStr,
    time::{Duration, Instant},
};

/// How often it is opened.
const TIMES: usize = 5;

/// What opening a journal took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Until it was open.
    pub time: Duration,
    /// The most memory that the process came to have more than before, in bytes, after all messages were read once.
    pub memory_bytes: u64,
    /// How many messages there were.
    pub messages: u64,
}

/// Three numbers: microseconds, bytes and messages.
impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.time.as_micros(), self.memory_bytes, self.messages)
    }
}

impl FromStr for Opened {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let mut next =
            || numbers.next().transpose().ok().flatten().ok_or_else(|| other(format!("not three numbers: {text}")));
        Ok(Opened { time: Duration::from_micros(next()?), memory_bytes: next()?, messages: next()? })
    }
}

/// Opens a journal that [`run`](super::run) has filled and reads all that is in it.
pub fn open_and_drain(dir: &Path) -> io::Result<Opened> {
    let memory_before = memory_bytes("VmRSS:")?;
    let started = Instant::now();
    let journal = Journal::open(dir, ours::Messages, ours::options()).map_err(other)?;
    let time = started.elapsed();
    let mut reader = journal.class_reader(Class::Normal, 0, Level::Durable);
    let mut messages = 0;
    while let Some(fetched) = reader.try_next(256).map_err(other)? {
        messages += fetched.entries.len() as u64;
    }
    drop(reader);
    ours::runtime()?.block_on(journal.close()).map_err(other)?;
    Ok(Opened { time, memory_bytes: memory_bytes("VmHWM:")?.saturating_sub(memory_before), messages })
}

/// What this process has, or has had at most.
fn memory_bytes(which: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| other("the system does not say how much memory this process has"))
}

pub(super) fn measure(options: &BenchOptions) -> io::Result<Vec<Figure>> {
    let dir = options.dir.join("bench-backlog");
    let measured = measure_in(&dir, options);
    let _ = fs::remove_dir_all(&dir);
    measured
}

fn measure_in(dir: &Path, options: &BenchOptions) -> io::Result<Vec<Figure>> {
    let (expected, group) = (options.backlog_messages, 0);
    let written = ours::fill(dir, expected)?;
    let opened = (0..TIMES).map(|_| open(dir, options)).collect::<io::Result<Vec<Opened>>>()?;
    if let Some(short) = opened.iter().find(|opened| opened.messages != expected) {
        return Err(other(format!("{} of {expected} messages came back", short.messages)));
    }
    let figure = |what, unit, mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let (best, median) = (values[0], values[values.len() / 2]);
        Figure { what, store: "journal", group, unit, best, median, ratio: None }
    };
    let times = opened.iter().map(|opened| opened.time.as_secs_f64() * 1000.0).collect();
    let memory = opened.iter().map(|opened| opened.memory_bytes as f64 / f64::from(1 << 20)).collect();
    let payload = expected as f64 * MESSAGE_BYTES as f64;
    Ok(vec![
        figure("open", "ms", times),
        figure("memory", "MiB", memory),
        figure("disk", "bytes per byte", vec![written as f64 / payload]),
    ])
}

fn open(dir: &Path, options: &BenchOptions) -> io::Result<Opened> {
    let Some((program, arguments)) = options.opener.as_deref().and_then(<[String]>::split_first) else {
        return open_and_drain(dir);
    };
    let output = Command::new(program).args(arguments).arg(dir).output()?;
    if !output.status.success() {
        return Err(other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    String::from_utf8_lossy(&output.stdout).parse()
}
