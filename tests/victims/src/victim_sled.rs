//! A queue in plain sled 0.34.7, the way its documentation suggests: insert, `flush`, trust it.
//!
//! `flush` calls `sync_file_range`, which makes neither a file's size nor its blocks durable: a power cut takes what was
//! acknowledged, or leaves a database that does not open. That is what this program is for.
//!
//! ```text
//! victim_sled DIR             appends until it is killed; says `durable SEQ` and `ack SEQ` after each flush
//! victim_sled DIR --verify    opens, reads everything, says one line of JSON; `--acked SEQ` may follow, and is not needed
//! ```
//!
//! `durable SEQ`: items up to and including SEQ are acknowledged. `ack SEQ`: items below SEQ were taken by the consumer and
//! are gone. The JSON has `opened`, `first` (the oldest item), `head` (one behind the newest), `missing` (between them),
//! `wrong` (not what was written), `lost` (what the store says itself that it lost) and `error`.
#![forbid(unsafe_code)]

use std::io::{Result, Write};

const PAYLOAD_BYTES: usize = 300;
/// Items that wait for the consumer.
const BACKLOG: u64 = 2_000;
/// Groups grow from 1 to this and begin again.
const GROUP_ITEMS_MAX: u64 = 64;
const CACHE_BYTES: u64 = 8 << 20;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments
        .next()
        .ok_or_else(|| std::io::Error::other("name the folder: victim_sled DIR [--verify [--acked SEQ]]"))?;
    match arguments.next().as_deref() {
        None => append(&open(&dir)?),
        Some("--verify") => verify(&dir),
        Some(other) => Err(std::io::Error::other(format!("`{other}` is no option; there is --verify"))),
    }
}

fn open(dir: &str) -> sled::Result<sled::Db> {
    sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()
}

/// Appends until somebody ends it.
fn append(db: &sled::Db) -> Result<()> {
    let (mut first, mut head) = ends(db)?;
    for group in (1..=GROUP_ITEMS_MAX).cycle() {
        for seq in head..head + group {
            db.insert(seq.to_be_bytes(), payload(seq))?;
        }
        head += group;
        db.flush()?;
        say(&format!("durable {}", head - 1))?;
        if head - first > BACKLOG {
            first = take(db, first, head - BACKLOG)?;
        }
    }
    Ok(())
}

/// The consumer takes items up to a place.
fn take(db: &sled::Db, from: u64, to: u64) -> Result<u64> {
    for seq in from..to {
        db.remove(seq.to_be_bytes())?;
    }
    db.flush()?;
    say(&format!("ack {to}"))?;
    Ok(to)
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// The oldest item, and the place behind the newest.
fn ends(db: &sled::Db) -> sled::Result<(u64, u64)> {
    let seq = |entry: Option<(sled::IVec, sled::IVec)>| entry.map(|(key, _)| number(&key));
    let (first, last) = (seq(db.first()?), seq(db.last()?));
    Ok((first.unwrap_or(0), last.map_or(0, |last| last + 1)))
}

fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// Every byte follows from the number.
fn payload(seq: u64) -> Vec<u8> {
    let mut state = seq.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..PAYLOAD_BYTES).map(next).collect()
}

/// What is in the store.
#[derive(Default)]
struct Found {
    first: u64,
    head: u64,
    missing: u64,
    wrong: u64,
}

fn verify(dir: &str) -> Result<()> {
    let (opened, found, error) = match open(dir).and_then(|db| read_all(&db)) {
        Ok(found) => (true, found, String::new()),
        Err(error) => (false, Found::default(), error.to_string().replace(['"', '\\', '\n'], "'")),
    };
    let Found { first, head, missing, wrong } = found;
    say(&format!(
        r#"{{"opened":{opened},"first":{first},"head":{head},"missing":{missing},"lost":0,"wrong":{wrong},"error":"{error}"}}"#
    ))
}

fn read_all(db: &sled::Db) -> sled::Result<Found> {
    let (first, head) = ends(db)?;
    let (mut count, mut wrong) = (0, 0);
    for entry in db.iter() {
        let (key, value) = entry?;
        count += 1;
        wrong += u64::from(value != payload(number(&key)));
    }
    Ok(Found { first, head, missing: (head - first).saturating_sub(count), wrong })
}
