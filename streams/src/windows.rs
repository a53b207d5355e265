//! Groups of rows in windows: which panes are open, which row belongs where, when a window closes.
//!
//! Each open pane has a key table and accumulators of its own. A table shared by all panes is a little faster on streams
//! whose batches straddle panes, but it only grows, and re-numbering its groups merges states, which changes the last
//! digits of a standard deviation. Here a pane's memory goes when its last window does, and what a window answers
//! depends on nothing but its rows in order. Windows of several panes are put together in `runs`.

mod clock;
mod groups;
mod runs;

pub(crate) use clock::{Clock, Verdict};
pub(crate) use groups::{Aggregate, Grouping};

use crate::answer;
use crate::df::{RecordBatch, Result};
use crate::plan::{Frame, Place};
use crate::query::Counters;
use crate::rows::{Rows, Window, bisect, take_rows};
use crate::segment::Segment;
use groups::{Finished, Groups};
use runs::Runs;
use std::collections::BTreeMap;
use std::ops::Range;

/// The most panes that a query may have open; checked against its window and its delay when it is planned.
pub(crate) const OPEN_MAX: usize = 4096;
/// The most groups in all panes of a query that take in rows.
const GROUPS_MAX: usize = 100_000;
/// The most memory for the state of a query.
const STATE_BYTES_MAX: usize = 64 << 20;

/// What decides that a window is complete.
#[derive(Debug)]
pub(crate) enum Time {
    /// The rows themselves, with patience.
    Rows(Clock),
    /// The query that makes the rows.
    Input(Option<i64>),
}

/// The operator.
pub(crate) struct Windows {
    pub(crate) time: Time,
    pub(crate) frame: Frame,
    grouping: Grouping,
    finish: Segment,
    /// Panes of windows that have not closed, by start. They lie between the start of the first such window and the newest
    /// row, so that there are no more than the window and the delay have room for.
    open: BTreeMap<i64, Pane>,
    /// Panes that a window has used, merged.
    runs: Runs,
    /// Windows that end at or before this have closed; after a restart, are told, and nobody needs them again.
    closed: i64,
    /// Panes that start before this are in `runs`.
    merged: i64,
    /// When the next window closes.
    due_at: i64,
}

/// A part of windows of which one at least is open.
struct Pane {
    first_offset: u64,
    /// Rows that are not in `runs`: all, until the first window closes that it is part of, and later ones afterwards.
    groups: Option<Groups>,
}

impl Windows {
    pub(crate) fn new(time: Time, frame: Frame, grouping: Grouping, finish: Segment) -> Self {
        let (open, runs) = (BTreeMap::new(), Runs::default());
        let (closed, merged, due_at) = (i64::MIN, i64::MIN, i64::MAX);
        Windows { time, frame, grouping, finish, open, runs, closed, merged, due_at }
    }

    /// Windows that end at or before this were told before a restart.
    pub(crate) fn begin_after(&mut self, floor: i64) {
        self.closed = floor;
    }

    pub(crate) fn watermark(&self) -> Option<i64> {
        match &self.time {
            Time::Rows(clock) => clock.watermark(),
            Time::Input(frontier) => *frontier,
        }
    }

    /// The lowest offset that an open window needs.
    pub(crate) fn first_offset(&self) -> Option<u64> {
        self.open.values().map(|pane| pane.first_offset).min()
    }

    /// How many parts of windows are open; for tumbling windows, how many windows.
    pub(crate) fn open_panes(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn groups(&self) -> usize {
        self.open.values().map(Pane::groups).sum()
    }

    /// Takes in rows; `batch` holds the columns of them that are read. Windows that they close go to `out`, in order.
    ///
    /// Rows are judged one by one and a window closes right before the row that shows it to be complete, so what comes out
    /// does not depend on how rows were cut into batches.
    pub(crate) fn push(&mut self, rows: &Rows, batch: &RecordBatch, counters: &mut Counters, out: &mut Vec<Rows>) {
        let mut places = Vec::with_capacity(rows.len());
        let mut from = 0;
        for at in 0..rows.len() {
            let counts = self.judge(rows, at, counters);
            if self.is_due() {
                self.absorb(batch, &places, from..at, counters);
                self.close(counters, out);
                from = at;
            }
            places.push(if counts { self.place(rows, at, counters) } else { None });
        }
        self.absorb(batch, &places, from..rows.len(), counters);
        if let Some(window) = rows.window {
            self.cover(window);
            self.follow(window.end, counters, out);
        }
    }

    /// The query that makes the rows has come this far.
    pub(crate) fn follow(&mut self, until: i64, counters: &mut Counters, out: &mut Vec<Rows>) {
        if let Time::Input(frontier) = &mut self.time {
            *frontier = Some(frontier.map_or(until, |before| before.max(until)));
            self.close(counters, out);
        }
    }

    /// The gateway's clock shows `now`.
    pub(crate) fn tick(&mut self, now: i64, counters: &mut Counters, out: &mut Vec<Rows>) {
        if let Time::Rows(clock) = &mut self.time {
            clock.tick(now);
            self.close(counters, out);
        }
    }

    /// Takes note of a row's time; false if that is worth nothing.
    fn judge(&mut self, rows: &Rows, at: usize, counters: &mut Counters) -> bool {
        if let Time::Rows(clock) = &mut self.time
            && clock.judge(rows.ts[at], rows.heard[at]) == Verdict::Future
        {
            counters.future += 1;
            return false;
        }
        true
    }

    /// The pane that a row goes into; `None` if it goes nowhere.
    fn place(&mut self, rows: &Rows, at: usize, counters: &mut Counters) -> Option<i64> {
        let (ts, offset) = (rows.ts[at], rows.offsets[at]);
        let pane = match self.frame.place(ts) {
            Place::Pane(pane) => pane,
            Place::Between => return None,
            Place::Beyond => {
                counters.dead += 1;
                return None;
            }
        };
        let end = self.frame.last_end(pane);
        if self.watermark().is_some_and(|watermark| end <= watermark) {
            counters.late += 1;
            return None;
        }
        if end <= self.closed {
            return None;
        }
        self.note(pane, offset);
        Some(pane)
    }

    /// Something of this offset has a part in a pane. Everything that is due has closed.
    fn note(&mut self, start: i64, offset: u64) {
        // Windows in which there was nothing are over too.
        self.closed = self.closed.max(self.watermark().unwrap_or(i64::MIN));
        let is_first = self.open.first_key_value().is_none_or(|(first, _)| start < *first);
        let pane = self.open.entry(start).or_insert(Pane { first_offset: offset, groups: None });
        pane.first_offset = pane.first_offset.min(offset);
        if is_first {
            self.due_at = self.frame.next_end(start.max(self.closed));
        }
    }

    /// Remembers that a closed window of the input had a part in an open one here, even if no row came of it: the window
    /// has to be made again from its first message.
    fn cover(&mut self, window: Window) {
        let Place::Pane(pane) = self.frame.place(window.end) else { return };
        let end = self.frame.last_end(pane);
        if end > self.closed && self.watermark().is_none_or(|watermark| end > watermark) {
            self.note(pane, window.first_offset);
        }
    }

    fn is_due(&self) -> bool {
        self.watermark().is_some_and(|watermark| self.due_at <= watermark)
    }

    /// Adds the placed rows of a range to their panes.
    fn absorb(&mut self, batch: &RecordBatch, places: &[Option<i64>], range: Range<usize>, counters: &mut Counters) {
        let mut by_pane: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for at in range {
            if let Some(start) = places[at] {
                by_pane.entry(start).or_default().push(at);
            }
        }
        for (start, at) in by_pane {
            match take_rows(batch, &at) {
                Ok(batch) => self.update(start, &batch, counters),
                Err(_) => counters.errors += at.len() as u64,
            }
        }
    }

    fn update(&mut self, start: i64, batch: &RecordBatch, counters: &mut Counters) {
        if self.runs.bytes() + self.open.values().map(Pane::bytes).sum::<usize>() > STATE_BYTES_MAX {
            counters.dead += batch.num_rows() as u64;
            return;
        }
        let others = self.groups() - self.open[&start].groups();
        let Some(pane) = self.open.get_mut(&start) else { return };
        let grouping = &self.grouping;
        counters.errors += bisect(0..batch.num_rows(), &mut |range| {
            let rows = grouping.prepare(&batch.slice(range.start, range.len()))?;
            if rows.is_empty() {
                return Ok(());
            }
            let groups = match &mut pane.groups {
                Some(groups) => groups,
                none => none.insert(Groups::new(grouping)?),
            };
            let added = groups.add(&rows, GROUPS_MAX.saturating_sub(others));
            counters.dead += added.dead;
            counters.errors += added.errors;
            Ok(())
        });
    }

    /// Closes the windows that are complete, oldest first.
    fn close(&mut self, counters: &mut Counters, out: &mut Vec<Rows>) {
        while self.is_due() {
            let end = self.due_at;
            let start = self.frame.start_of(end);
            let first_offset = self.open.range(start..end).map(|(_, pane)| pane.first_offset).min();
            let window = Window { end, first_offset: first_offset.expect("a window is due because of a pane of it") };
            match self.groups_of(start, end) {
                Ok(Some(groups)) => self.answer(&groups, window, start, counters, out),
                Ok(None) => {}
                Err(_) => counters.errors += 1,
            }
            // Also if no row came of it: whoever reads this query learns that the window is over.
            out.push(answer::no_rows(&self.finish.schema, window));
            self.forget(end);
        }
    }

    /// All groups of a window.
    fn groups_of(&mut self, start: i64, end: i64) -> Result<Option<Finished>> {
        if self.frame.is_tumbling() {
            let groups = self.open.get_mut(&start).and_then(|pane| pane.groups.take());
            return groups.map(|groups| groups.finish(&self.grouping, start, end)).transpose();
        }
        let mut beside = vec![];
        for (pane, Pane { groups, .. }) in self.open.range_mut(start..end) {
            match groups {
                // It was used by a window that closed before: what came later is beside what was merged then.
                Some(late) if *pane < self.merged => beside.push(late.partial(&self.grouping)?),
                groups => {
                    if let Some(groups) = groups.take() {
                        self.runs.push(&self.frame, &self.grouping, *pane, groups)?;
                    }
                }
            }
        }
        self.runs.window(&self.frame, &self.grouping, (start, end), &beside)
    }

    /// The window with this end has closed.
    fn forget(&mut self, end: i64) {
        (self.closed, self.merged) = (end, end);
        while let Some(first) = self.open.first_entry()
            && self.frame.last_end(*first.key()) <= end
        {
            first.remove();
        }
        let first = self.open.first_key_value();
        self.due_at = first.map_or(i64::MAX, |(first, _)| self.frame.next_end(end.max(*first)));
    }

    fn answer(&self, groups: &Finished, window: Window, start: i64, counters: &mut Counters, out: &mut Vec<Rows>) {
        counters.errors += bisect(0..groups.batch.num_rows(), &mut |range| {
            let (batch, kept) = self.finish.run(&groups.batch.slice(range.start, range.len()))?;
            let kept: Vec<usize> = kept.into_iter().map(|at| at + range.start).collect();
            let end = self.frame.starts_repeat().then_some(window.end);
            let ids = answer::window_ids(&groups.keys, &kept, (start, end))?;
            out.push(answer::window_rows(batch, ids, window));
            Ok(())
        });
    }
}

impl Pane {
    fn groups(&self) -> usize {
        self.groups.as_ref().map_or(0, Groups::len)
    }

    fn bytes(&self) -> usize {
        self.groups.as_ref().map_or(0, Groups::bytes)
    }
}
