//! Groups of rows in windows: which windows are open, which row belongs where, when a window closes.
//!
//! Each open window has a key table and accumulators of its own. A table shared by all windows is a little faster on
//! streams whose batches straddle windows, but it only grows, and re-numbering its groups merges states, which changes the
//! last digits of a standard deviation. Here a window's memory goes when the window does, and what it answers depends on
//! nothing but its rows in order.

mod clock;
mod groups;

pub(crate) use clock::{Clock, Verdict};
pub(crate) use groups::{Aggregate, Grouping};

use crate::answer;
use crate::df::RecordBatch;
use crate::plan::Tumble;
use crate::query::Counters;
use crate::rows::{Rows, Window, bisect, take_rows};
use crate::segment::Segment;
use groups::Groups;
use std::collections::BTreeMap;
use std::ops::Range;

/// The most windows that a query may have open; checked against its delay when it is planned.
pub(crate) const OPEN_MAX: usize = 1024;
/// The most groups in all open windows of a query.
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
    pub(crate) tumble: Tumble,
    grouping: Grouping,
    finish: Segment,
    /// By start. They lie between the watermark and the newest row, so that there are no more than the delay has room for.
    open: BTreeMap<i64, Pane>,
    /// After a restart: windows that end at or before this are told, and nobody needs them again.
    pub(crate) floor: i64,
}

/// An open window.
struct Pane {
    first_offset: u64,
    groups: Option<Groups>,
}

impl Windows {
    pub(crate) fn new(time: Time, tumble: Tumble, grouping: Grouping, finish: Segment) -> Self {
        Windows { time, tumble, grouping, finish, open: BTreeMap::new(), floor: i64::MIN }
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

    pub(crate) fn open_windows(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn groups(&self) -> usize {
        self.open.values().map(Pane::groups).sum()
    }

    /// Takes in rows; `batch` holds the columns of them that are read. Windows that they close go to `out`, in order.
    ///
    /// Rows are judged one by one and a window closes right behind the row that completes it, so what comes out does not
    /// depend on how rows were cut into batches.
    pub(crate) fn push(&mut self, rows: &Rows, batch: &RecordBatch, counters: &mut Counters, out: &mut Vec<Rows>) {
        let mut places = Vec::with_capacity(rows.len());
        let mut from = 0;
        for at in 0..rows.len() {
            places.push(self.place(rows, at, counters));
            if self.is_due() {
                self.absorb(batch, &places, from..at + 1, counters);
                self.close(counters, out);
                from = at + 1;
            }
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

    /// The window that a row goes into; `None` if it goes nowhere.
    fn place(&mut self, rows: &Rows, at: usize, counters: &mut Counters) -> Option<i64> {
        let (ts, offset) = (rows.ts[at], rows.offsets[at]);
        if let Time::Rows(clock) = &mut self.time
            && clock.judge(ts, rows.heard[at]) == Verdict::Future
        {
            counters.future += 1;
            return None;
        }
        let Some(start) = self.tumble.start_for(ts) else {
            counters.dead += 1;
            return None;
        };
        let end = self.tumble.end(start);
        if self.watermark().is_some_and(|watermark| end <= watermark) {
            counters.late += 1;
            return None;
        }
        if end <= self.floor {
            return None;
        }
        let pane = self.open.entry(start).or_insert(Pane { first_offset: offset, groups: None });
        pane.first_offset = pane.first_offset.min(offset);
        Some(start)
    }

    /// Remembers that a closed window of the input had a part in an open one here, even if no row came of it: the window
    /// has to be made again from its first message.
    fn cover(&mut self, window: Window) {
        let Some(start) = self.tumble.start_for(window.end) else { return };
        let is_open =
            self.tumble.end(start) > self.floor && self.watermark().is_none_or(|w| self.tumble.end(start) > w);
        if is_open {
            let pane = self.open.entry(start).or_insert(Pane { first_offset: window.first_offset, groups: None });
            pane.first_offset = pane.first_offset.min(window.first_offset);
        }
    }

    fn is_due(&self) -> bool {
        let first = self.open.first_key_value().map(|(start, _)| self.tumble.end(*start));
        first.zip(self.watermark()).is_some_and(|(end, watermark)| end <= watermark)
    }

    /// Adds the placed rows of a range to their windows.
    fn absorb(&mut self, batch: &RecordBatch, places: &[Option<i64>], range: Range<usize>, counters: &mut Counters) {
        let mut by_window: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for at in range {
            if let Some(start) = places[at] {
                by_window.entry(start).or_default().push(at);
            }
        }
        for (start, at) in by_window {
            match take_rows(batch, &at) {
                Ok(batch) => self.update(start, &batch, counters),
                Err(_) => counters.errors += at.len() as u64,
            }
        }
    }

    fn update(&mut self, start: i64, batch: &RecordBatch, counters: &mut Counters) {
        if self.open.values().map(Pane::bytes).sum::<usize>() > STATE_BYTES_MAX {
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
            let Some((start, pane)) = self.open.pop_first() else { return };
            let window = Window { end: self.tumble.end(start), first_offset: pane.first_offset };
            let groups = pane.groups.map(|groups| groups.finish(&self.grouping, start, window.end)).transpose();
            match groups {
                Ok(Some(groups)) => self.answer(&groups, window, start, counters, out),
                Ok(None) => {}
                Err(_) => counters.errors += 1,
            }
            // Also if no row came of it: whoever reads this query learns that the window is over.
            out.push(answer::no_rows(&self.finish.schema, window));
        }
    }

    fn answer(
        &self,
        groups: &groups::Finished,
        window: Window,
        start: i64,
        counters: &mut Counters,
        out: &mut Vec<Rows>,
    ) {
        counters.errors += bisect(0..groups.batch.num_rows(), &mut |range| {
            let (batch, kept) = self.finish.run(&groups.batch.slice(range.start, range.len()))?;
            let kept: Vec<usize> = kept.into_iter().map(|at| at + range.start).collect();
            let ids = answer::window_ids(&groups.keys, &kept, start)?;
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
