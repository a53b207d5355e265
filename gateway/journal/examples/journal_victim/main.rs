//! A process that writes a journal until it is killed, and says what it may not lose; for crash tests.
//!
//! ```text
//! journal_victim DIR [--groups MAX] [--segment BYTES] [--quota BYTES] [--items COUNT] [--state]
//! journal_victim DIR --verify [--acked SEQ] [--state]
//! ```
//!
//! The journal is in `DIR/journal`, the state store, with `--state`, in `DIR/state`. Items have rising numbers (SEQ, from
//! 0): every tenth is critical, six of ten are normal, the rest is bulk. Each has 60 to 309 bytes that cannot be
//! compressed, made from its number alone, and a checksum.
//!
//! Writing, it prints one line at a time to standard output, flushed:
//!
//! ```text
//! opened first=OFFSET head=OFFSET lost=N next=SEQ missing=N epoch=N
//!               what it found; `missing` numbers below `next` are not there, and are noted in the journal as void
//! durable SEQ   everything up to and with SEQ is durable
//! acking SEQ    a cursor is about to be written behind SEQ
//! ack SEQ       it is on disk
//! state SEQ     the state store holds everything up to SEQ (with --state)
//! error TEXT    something could not be written; it goes on
//! done SEQ      COUNT items were written and the journal is closed (with --items)
//! ```
//!
//! Groups have 1 to MAX items (default 64), `durable` comes after each, `acking` and `ack` after every fourth. A number
//! that was never called durable may be missing after a crash: the harness runs `--verify --acked SEQ` with the last
//! number that was called durable, before the victim goes on.
//!
//! `--verify` opens, reads everything, writes nothing of its own, and prints one line of JSON:
//!
//! | key | |
//! | --- | --- |
//! | `items` | sound items |
//! | `corrupt`, `inversions`, `duplicates` | items that are not as written, not behind the one before in their class, there twice |
//! | `lost` | items reported as lost, all reasons but `not kept` |
//! | `not_kept` | offsets reported as never kept |
//! | `lost_acked` | numbers up to SEQ that are not there and neither void nor removed by retention |
//! | `lost_acked_unreported` | the part of them that the reports do not account for |
//! | `last` | the highest number, -1 if there is none |
//! | `oldest` | the lowest number of each class, -1 if there is none |
//! | `cursor` | the number in the cursor's note, -1 if there is none |
//! | `cursor_positions` | the cursor's offset in each class |
//! | `first`, `head`, `epoch` | of the journal |
//! | `state_last` | the number in the state store, -1 if there is none or without `--state` |
//! | `state_values_bad` | values that belong to no number up to `state_last` |
//! | `state_set_aside` | 1 if the database was set aside |
//! | `open_ms` | how long opening took |
//!
//! It exits with 0 if it could open and read, whatever it found.

mod check;
mod item;
mod options;
mod state;

use check::{Findings, check};
use edgeway_journal::{Class, ClassOptions, Cursor, Journal, Level, Options, Place, Start};
use item::{Item, Items, Random};
use options::Arguments;
use std::{
    io::{self, Write},
    time::Instant,
};

/// A cursor is written after so many groups.
const GROUPS_PER_ACK: u64 = 4;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let started = Instant::now();
    let journal = Journal::open(arguments.dir.join("journal"), Items, limits(&arguments))?;
    let open_ms = started.elapsed().as_millis();
    let found = check(&journal)?;
    if arguments.verify {
        return verify(&arguments, &journal, &found, open_ms).await;
    }
    write(&arguments, journal, &found).await
}

fn limits(arguments: &Arguments) -> Options {
    let class = ClassOptions {
        segment_bytes: arguments.segment_bytes,
        total_bytes_max: arguments.quota_bytes,
        ..ClassOptions::default()
    };
    Options { classes: [class.clone(), class.clone(), class], tail_items: 1024, ..Options::default() }
}

/// A line that is read by whoever kills this process.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn write(arguments: &Arguments, journal: Journal<Items>, found: &Findings) -> Result<(), Failure> {
    let (mut seq, missing) = (found.next(), found.missing());
    let count: u64 = missing.iter().map(|range| range.end - range.start).sum();
    let (first, head, lost, epoch) = (journal.first(), journal.head(), found.lost, journal.epoch());
    say(&format!("opened first={first} head={head} lost={lost} next={seq} missing={count} epoch={epoch}"))?;
    let void = journal.append(vec![Item::Void(missing)]).await?;
    journal.durable(void.start).await?;
    let cursor = journal.cursor("victim", Start::First)?;
    let state = if arguments.state { Some(state::open(&arguments.dir)?) } else { None };
    let mut random = Random(u64::from(epoch).wrapping_mul(7919) + 1);
    let until = arguments.items.map_or(u64::MAX, |items| seq.saturating_add(items));
    for group in 1.. {
        let end = until.min(seq + 1 + random.next() % arguments.group_items_max);
        let offsets = journal.append((seq..end).map(Item::Number).collect()).await?;
        journal.durable_range(offsets.clone()).await?;
        say(&format!("durable {}", end - 1))?;
        if group % GROUPS_PER_ACK == 0 {
            ack(&cursor, offsets.end, end - 1)?;
        }
        if let Some(state) = &state {
            state::put(state, seq..end);
            report(&format!("state {}", end - 1), state.sync().await)?;
        }
        seq = end;
        if seq == until {
            break;
        }
    }
    journal.close().await?;
    Ok(say(&format!("done {}", seq - 1))?)
}

fn ack(cursor: &Cursor, offset: u64, seq: u64) -> io::Result<()> {
    say(&format!("acking {seq}"))?;
    let place = Place { note: seq.to_le_bytes().to_vec(), ..Place::at(offset) };
    report(&format!("ack {seq}"), cursor.commit_now(place))
}

fn report(done: &str, result: Result<(), edgeway_journal::Error>) -> io::Result<()> {
    result.map_or_else(|error| say(&format!("error {error}")), |()| say(done))
}

async fn verify(
    arguments: &Arguments,
    journal: &Journal<Items>,
    found: &Findings,
    open_ms: u128,
) -> Result<(), Failure> {
    let place = journal.cursors().iter().find(|cursor| cursor.name() == "victim").map(Cursor::place);
    let note = place.as_ref().and_then(|place| place.note.first_chunk()).map(|seq| u64::from_le_bytes(*seq));
    let mut merged = journal.reader(0, Level::Durable);
    let mut not_kept = 0;
    while let Some(fetched) = merged.try_next(4096)? {
        not_kept += fetched.lost.filter(|lost| lost.class.is_none()).map_or(0, |lost| lost.count);
    }
    let (lost_acked, state) = (found.lost_acked(arguments.acked), state::check(arguments));
    let fields = [
        ("items", found.items.to_string()),
        ("corrupt", found.corrupt.to_string()),
        ("inversions", found.inversions.to_string()),
        ("duplicates", found.duplicates.to_string()),
        ("lost", found.lost.to_string()),
        ("not_kept", not_kept.to_string()),
        ("lost_acked", lost_acked.to_string()),
        ("lost_acked_unreported", lost_acked.saturating_sub(found.lost).to_string()),
        ("last", signed(found.seen.last().copied()).to_string()),
        ("oldest", format!("{:?}", Class::ALL.map(|class| signed(found.oldest[class.index()])))),
        ("cursor", signed(note).to_string()),
        ("cursor_positions", format!("{:?}", place.unwrap_or_default().positions)),
        ("first", journal.first().to_string()),
        ("head", journal.head().to_string()),
        ("epoch", journal.epoch().to_string()),
        ("state_last", signed(state.last).to_string()),
        ("state_values_bad", state.bad.to_string()),
        ("state_set_aside", u8::from(state.set_aside).to_string()),
        ("open_ms", open_ms.to_string()),
    ];
    let fields = fields.map(|(key, value)| format!("\"{key}\":{value}"));
    Ok(say(&format!("{{{}}}", fields.join(",")))?)
}

fn signed(seq: Option<u64>) -> i64 {
    seq.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(-1)
}
