//! What the gateway's clock was worth: puts times right that were taken before it was set.
//!
//! The journal keeps beside each message the wall clock, a clock that nobody can set (`CLOCK_BOOTTIME`) and the id of the
//! system's start. For each start of the system this page remembers how far apart the two clocks are *now*; a message whose
//! own distance is another one was stamped before the clock was set, and by how much it is off follows.
//!
//! ```text
//! boot 1, clock at 1970 ──┬── messages, 54 years off ──┬── clock set ──┬── messages
//!                         └── Unset until here ────────┘ Corrected     └── Set
//! ```
//!
//! Kept in `data/clock`, version 1: a line `edgeway clock 1`, then for each start a line `BOOT-ID DISTANCE`, in hexadecimal
//! digits and nanoseconds, newest last, at most [`BOOTS_MAX`].

use crate::spine::MessageJournal;
use edgeway_journal::{Entry, Stamp};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Body, ClockState, Message};
use parking_lot::RwLock;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

const HEADER: &str = "edgeway clock 1";
/// Starts of the system that are remembered.
const BOOTS_MAX: usize = 64;
/// Earlier times come from a clock that was never set: 2024-01-01.
const SET_AFTER_NANOS: i64 = 1_704_067_200 * 1_000_000_000;
/// Smaller differences are the ordinary work of NTP, and of two clocks that were not read at the very same moment.
const STEP_NANOS: i64 = 1_000_000_000;
/// How often the clocks are compared.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

type Boot = [u8; 16];

/// How far the wall clock is ahead of the one that nobody sets, by start of the system.
pub(crate) struct Clocks {
    path: PathBuf,
    /// Newest last.
    boots: RwLock<VecDeque<(Boot, i64)>>,
    /// Counts the changes, for those who hold messages until the time is known.
    changes: watch::Sender<u64>,
}

impl Clocks {
    /// What is remembered in a data folder. What cannot be read is forgotten: times are then shown as they were taken.
    pub(crate) fn load(data: &Path) -> Arc<Clocks> {
        let path = data.join("clock");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let boots = parse(&text).unwrap_or_else(|| {
            if !text.is_empty() {
                warn!(path = %path.display(), "The record of clocks cannot be read and is begun anew.");
            }
            VecDeque::new()
        });
        Arc::new(Clocks { path, boots: RwLock::new(boots), changes: watch::Sender::new(0) })
    }

    /// Is told whenever a clock was found to be set.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What the times of a message stamped like this are worth, and what has to be added to put them right.
    fn judge(&self, stamp: &Stamp) -> (ClockState, i64) {
        let boots = self.boots.read();
        let distance = boots.iter().rev().find(|(boot, _)| *boot == stamp.boot).map(|(_, distance)| *distance);
        match distance {
            Some(distance) => {
                let off = stamp.mono_nanos.saturating_add(distance).saturating_sub(stamp.wall_nanos);
                if off.abs() > STEP_NANOS { (ClockState::Corrected, off) } else { (ClockState::Set, 0) }
            }
            None if stamp.wall_nanos < SET_AFTER_NANOS => (ClockState::Unset, 0),
            None => (ClockState::Set, 0),
        }
    }

    /// What the times of a message are worth.
    pub(crate) fn state(&self, stamp: &Stamp) -> ClockState {
        self.judge(stamp).0
    }

    /// The message with its times put right.
    pub(crate) fn correct(&self, entry: &Entry<Message>) -> (Arc<Message>, ClockState) {
        match self.judge(&entry.stamp) {
            (ClockState::Corrected, off) => (Arc::new(moved(&entry.item, off)), ClockState::Corrected),
            (state, _) => (entry.item.clone(), state),
        }
    }

    /// How old something stamped like this is at `now`, by the clock that nobody sets if both are of the same start of the
    /// system, by corrected wall clocks if not; zero where the time of one of them is not known.
    pub(crate) fn age(&self, stamp: &Stamp, now: &Stamp) -> Duration {
        let nanos = if stamp.boot == now.boot {
            now.mono_nanos - stamp.mono_nanos
        } else {
            match (self.judge(stamp), self.judge(now)) {
                ((ClockState::Unset, _), _) | (_, (ClockState::Unset, _)) => 0,
                ((_, then_off), (_, now_off)) => {
                    now.wall_nanos.saturating_add(now_off) - stamp.wall_nanos.saturating_add(then_off)
                }
            }
        };
        Duration::from_nanos(nanos.max(0).unsigned_abs())
    }

    /// Compares the clocks; true if the wall clock was set since the last time.
    fn compare(&self, now: &Stamp) -> bool {
        if now.wall_nanos < SET_AFTER_NANOS {
            return false;
        }
        let distance = now.wall_nanos - now.mono_nanos;
        let mut boots = self.boots.write();
        if boots.back().is_some_and(|(boot, known)| *boot == now.boot && (known - distance).abs() <= STEP_NANOS) {
            return false;
        }
        boots.retain(|(boot, _)| *boot != now.boot);
        boots.push_back((now.boot, distance));
        while boots.len() > BOOTS_MAX {
            boots.pop_front();
        }
        let text = render(&boots);
        drop(boots);
        if let Err(error) = keep(&self.path, &text) {
            warn!(path = %self.path.display(), %error, "The record of clocks cannot be written; it is kept in memory.");
        }
        self.changes.send_modify(|changes| *changes += 1);
        true
    }
}

/// Compares the clocks until told to stop.
pub(crate) async fn watch(clocks: Arc<Clocks>, journal: MessageJournal, stop: CancellationToken) {
    let mut first = true;
    while !stop.is_cancelled() {
        if clocks.compare(&journal.now()) && !first {
            info!("The clock was set; messages from before are put right.");
        }
        first = false;
        let _ = stop.run_until_cancelled(tokio::time::sleep(COMPARE_EVERY)).await;
    }
}

/// A message whose times lie `off` nanoseconds later. Times that a device gave from a clock of its own stay: they are not
/// near the gateway's.
fn moved(message: &Message, off: i64) -> Message {
    let received = message.time;
    let later = |time: Timestamp| Timestamp::from_nanos(time.as_nanos().saturating_add(off));
    let ours = |time: Timestamp| (time.as_nanos() - received.as_nanos()).abs() < off.abs() / 2;
    let put_right = |time: &mut Timestamp| {
        if ours(*time) {
            *time = later(*time);
        }
    };
    let mut message = message.clone();
    match &mut message.body {
        Body::Report(report) => report.values.iter_mut().for_each(|value| put_right(&mut value.source_time)),
        Body::Event(event) => put_right(&mut event.source_time),
        Body::Row(row) => put_right(&mut row.source_time),
        Body::Command(record) => {
            put_right(&mut record.command.issued);
            put_right(&mut record.command.deadline);
        }
        Body::Status(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {}
    }
    message.time = later(received);
    message
}

fn render(boots: &VecDeque<(Boot, i64)>) -> String {
    let line = |(boot, distance): &(Boot, i64)| format!("{:032x} {distance}\n", u128::from_be_bytes(*boot));
    format!("{HEADER}\n{}", boots.iter().map(line).collect::<String>())
}

fn parse(text: &str) -> Option<VecDeque<(Boot, i64)>> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return None;
    }
    let line = |line: &str| {
        let (boot, distance) = line.split_once(' ')?;
        Some((u128::from_str_radix(boot, 16).ok()?.to_be_bytes(), distance.parse().ok()?))
    };
    lines.map(line).collect()
}

/// Whole or not at all.
fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let file = std::fs::File::create(&new)?;
    std::io::Write::write_all(&mut &file, text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{DeviceIx, Quality, Value};
    use edgeway_thing_models::{Observation, PropertyIx, Report};

    const SECOND: i64 = 1_000_000_000;
    const NOW: i64 = 1_795_000_000 * SECOND;

    fn stamp(boot: u8, mono_nanos: i64, wall_nanos: i64) -> Stamp {
        Stamp { epoch: 1, boot: [boot; 16], mono_nanos, wall_nanos }
    }

    fn clocks() -> (tempfile::TempDir, Arc<Clocks>) {
        let folder = tempfile::tempdir().expect("a folder");
        let clocks = Clocks::load(folder.path());
        (folder, clocks)
    }

    #[test]
    fn times_from_before_the_clock_was_set_are_put_right_for_the_whole_boot() {
        let (folder, clocks) = clocks();
        let early = stamp(1, 10 * SECOND, 5 * SECOND);
        assert_eq!(clocks.judge(&early), (ClockState::Unset, 0));
        assert!(!clocks.compare(&early), "a clock in 1970 says nothing");
        assert!(clocks.compare(&stamp(1, 60 * SECOND, NOW)));
        let expected = (ClockState::Corrected, NOW - 50 * SECOND - 5 * SECOND);
        assert_eq!(clocks.judge(&early), expected);
        assert_eq!(Clocks::load(folder.path()).judge(&early), expected, "also after a restart");
        assert_eq!(clocks.judge(&stamp(1, 70 * SECOND, NOW + 10 * SECOND)).0, ClockState::Set);
    }

    #[test]
    fn a_step_puts_right_what_came_before_it() {
        let (_folder, clocks) = clocks();
        clocks.compare(&stamp(1, 0, NOW));
        let wrong = stamp(1, 5 * SECOND, NOW + 5 * SECOND);
        assert_eq!(clocks.state(&wrong), ClockState::Set);
        assert!(clocks.compare(&stamp(1, 10 * SECOND, NOW - 86_400 * SECOND)), "set back by a day");
        assert_eq!(clocks.judge(&wrong), (ClockState::Corrected, -(86_400 + 10) * SECOND));
    }

    #[test]
    fn ages_follow_the_clock_that_nobody_sets() {
        let (_folder, clocks) = clocks();
        let then = stamp(1, 0, NOW);
        assert_eq!(clocks.age(&then, &stamp(1, 60 * SECOND, 0)), Duration::from_secs(60));
        assert_eq!(clocks.age(&then, &stamp(1, 60 * SECOND, NOW * 2)), Duration::from_secs(60));
        assert_eq!(clocks.age(&then, &stamp(2, 1, NOW + 3600 * SECOND)), Duration::from_secs(3600));
        assert_eq!(clocks.age(&then, &stamp(2, 1, 0)), Duration::ZERO, "nobody knows");
    }

    #[test]
    fn a_device_with_a_clock_of_its_own_keeps_its_times() {
        let value = |source_time| Observation {
            property: PropertyIx(0),
            value: Value::Int(1),
            quality: Quality::Good,
            source_time: Timestamp::from_nanos(source_time),
        };
        let values = vec![value(5 * SECOND), value(NOW)];
        let message = Message {
            time: Timestamp::from_nanos(6 * SECOND),
            body: Body::Report(Report { device: DeviceIx(0), values }),
        };
        let moved = moved(&message, NOW);
        let Body::Report(report) = &moved.body else { panic!("a report") };
        let times: Vec<i64> = report.values.iter().map(|value| value.source_time.as_nanos()).collect();
        assert_eq!((moved.time.as_nanos(), times), (NOW + 6 * SECOND, vec![NOW + 5 * SECOND, NOW]));
    }

    #[test]
    fn what_cannot_be_read_is_forgotten() {
        for text in ["edgeway clock 2\n", "edgeway clock 1\nx y\n", "edgeway clock 1\n1"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("edgeway clock 1\n"), Some(VecDeque::new()));
    }
}
