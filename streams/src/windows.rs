//! Groups of rows in windows: which panes are open, which row belongs where, when a window closes.
//!
//! Each open pane has a key table and accumulators of its own. A table shared by all panes is a little faster on streams
//! whose batches straddle panes, but it only grows, and re-numbering its groups merges states, which changes the last
//! digits of a standard deviation. Here a pane's memory goes when its last window does, and what a window answers
//! depends on nothing but its rows in order. Windows of several panes are put together in `runs`.

mod carry;
mod groups;
mod revisions;
mod runs;
mod saved;

pub(crate) use groups::{Aggregate, Grouping, Groups, Prepared, unnamed};
pub(crate) use revisions::Telling;
pub(crate) use saved::Part;

use crate::account::{Account, Reason};
use crate::df::{RecordBatch, Result, internal_err};
use crate::operator::{Held, Operator};
use crate::plan::{Frame, Place};
use crate::rows::{Ids, Mark, NEVER, Rows, bisect, take_rows};
use carry::Carry;
use groups::{Finished, take_groups};
use revisions::{AGAIN, Kept, Revisions, Written, next_multiple};
use runs::Runs;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The most panes that a query may have open; checked against its window and its delay when it is planned.
pub(crate) const OPEN_MAX: usize = 4096;
/// The most groups in all panes of a query that take in rows.
pub(crate) const GROUPS_MAX: usize = 100_000;
/// The most memory for the state of a query.
pub(crate) const STATE_BYTES_MAX: usize = 64 << 20;

/// The operator.
pub(crate) struct Windows {
    frame: Frame,
    grouping: Grouping,
    limits: Limits,
    telling: Telling,
    revisions: Revisions,
    /// Panes of windows that have not closed, by start. They lie between the start of the first such window and the newest
    /// row, so that there are no more than the window and the delay have room for.
    open: BTreeMap<i64, Pane>,
    /// Panes that a window has used, merged.
    runs: Runs,
    /// What windows leave to those behind them, if anything.
    carry: Option<Carry>,
    watermark: i64,
    /// Windows that end at or before this have closed.
    closed: i64,
    /// Panes that start before this are in `runs`.
    merged: i64,
    /// When the next window closes.
    due_at: i64,
    /// The pane of the row before: that of most rows.
    recent: Option<Recent>,
}

/// A pane that is open, and what is true as long as it is.
#[derive(Debug, Clone, Copy)]
struct Recent {
    pane: i64,
    /// The times of its rows.
    from: i64,
    until: i64,
    /// Before the watermark is here, its rows are not late for any window.
    first_end: i64,
}

/// How much a query may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) groups: usize,
    /// Whether the oldest makes room for the newest.
    pub(crate) evicts: bool,
}

/// A part of windows of which one at least is open.
#[derive(Default)]
struct Pane {
    /// Rows that are not in `runs`: all, until the first window closes that it is part of, and later ones afterwards.
    groups: Option<Groups>,
    /// Whether there have been rows since the window was told the last time.
    has_news: bool,
}

impl Windows {
    /// `hold` is how long a value stands without being reported again, in nanoseconds.
    pub(crate) fn new(frame: Frame, grouping: Grouping, limits: Limits, hold: i64, telling: Telling) -> Self {
        let (open, runs, revisions) = (BTreeMap::new(), Runs::default(), Revisions::default());
        let carry = grouping.carries().then(|| Carry::new(hold));
        let (watermark, closed, merged, due_at) = (NEVER, NEVER, NEVER, i64::MAX);
        Windows {
            frame,
            grouping,
            limits,
            telling,
            revisions,
            open,
            runs,
            carry,
            watermark,
            closed,
            merged,
            due_at,
            recent: None,
        }
    }

    /// The pane that a row goes into; `None` if it goes nowhere.
    fn place(&mut self, rows: &Rows, at: usize, account: &mut Account) -> Option<i64> {
        let ts = rows.ts[at];
        if let Some(recent) = self.recent.filter(|recent| recent.from <= ts && ts < recent.until)
            && self.watermark < recent.first_end
        {
            return Some(recent.pane);
        }
        let pane = match self.frame.place(rows.ts[at]) {
            Place::Pane(pane) => pane,
            Place::Between => return None,
            Place::Beyond => {
                account.leave_out(rows, at, Reason::Dead("its window is beyond what a time can say"));
                return None;
            }
        };
        let revised = self.telling.lateness > 0
            && self.frame.next_end(pane) <= self.watermark
            && self.revise(rows, at, pane, account);
        if self.frame.last_end(pane) <= self.watermark {
            if !revised {
                account.leave_out(rows, at, Reason::Late);
            }
            return None;
        }
        self.note(pane);
        let (from, until) = self.frame.times_of(pane);
        self.recent = Some(Recent { pane, from, until, first_end: self.frame.next_end(pane) });
        Some(pane)
    }

    /// Adds a late row to the windows that are over and may still change; false if there are none.
    fn revise(&mut self, rows: &Rows, at: usize, pane: i64, account: &mut Account) -> bool {
        let lateness = self.telling.lateness;
        let windows = self.frame.windows_of(pane).into_iter().map(|(_, end)| end);
        let over: Vec<i64> = windows.filter(|end| *end <= self.watermark).collect();
        let over = over.into_iter().filter(|end| end.saturating_add(lateness) > self.watermark);
        let mut revised = false;
        for end in over {
            revised = true;
            let kept = self.revisions.kept.entry(end).or_default();
            let added = add(&mut kept.groups, &self.grouping, (rows, &[at]), self.limits.groups, account);
            let without_room = added.without_room.into_iter();
            without_room.for_each(|at| account.leave_out(rows, at, Reason::Dead("there are too many groups")));
            if added.rows > 0 {
                kept.changed.extend(kept.groups.iter().flat_map(Groups::last));
                let again = next_multiple(self.watermark, AGAIN);
                self.revisions.again_at.get_or_insert(again);
            }
        }
        revised
    }

    /// Something has a part in a pane. Everything that is due has closed.
    fn note(&mut self, start: i64) {
        // Windows in which there was nothing are over too.
        self.closed = self.closed.max(self.watermark);
        let is_first = self.open.first_key_value().is_none_or(|(first, _)| start < *first);
        self.open.entry(start).or_default().has_news = true;
        if let Some(every) = self.telling.every {
            self.revisions.early_at.get_or_insert(next_multiple(self.watermark.max(start), every));
        }
        if is_first {
            self.due_at = self.next_due();
        }
    }

    /// When the next window closes.
    fn next_due(&self) -> i64 {
        let first = self.open.first_key_value();
        let of_rows = first.map_or(i64::MAX, |(first, _)| self.frame.next_end(self.closed.max(*first)));
        let stands = self.carry.as_ref().is_some_and(|carry| !carry.is_empty());
        if stands { of_rows.min(self.frame.next_end(self.closed)) } else { of_rows }
    }

    /// Lets panes up to a moment begin with what stood at their start.
    fn roll(&mut self, until: i64) -> Result<()> {
        let Some(carry) = &mut self.carry else { return Ok(()) };
        loop {
            let next = self.open.range(carry.at..).next().map(|(pane, _)| *pane);
            let pane = if carry.is_empty() { next } else { Some(carry.at) };
            let Some(pane) = pane.filter(|pane| *pane < until) else { return Ok(()) };
            let slot = &mut self.open.entry(pane).or_default().groups;
            let mut groups = carry.begin(&self.grouping, slot.take())?;
            carry.note(&self.grouping, &mut groups, self.frame.pane_end(pane))?;
            *slot = Some(groups);
        }
    }

    fn is_due(&self) -> bool {
        self.due_at.min(self.revisions.due_at()) <= self.watermark
    }

    /// Adds the placed rows of a range to their panes.
    fn absorb(
        &mut self,
        rows: &Rows,
        places: &[Option<i64>],
        range: Range<usize>,
        account: &mut Account,
        out: &mut Vec<Rows>,
    ) {
        if range.is_empty() {
            return;
        }
        let bytes_max = account.bytes_max(self.limits.bytes);
        let (mut bytes, mut groups) = (self.bytes(), self.groups());
        for (start, mut at) in by_pane(places, range) {
            while !at.is_empty() {
                let mut why = "the state is full";
                if bytes <= bytes_max {
                    let Some(pane) = self.open.get_mut(&start) else {
                        at.iter().for_each(|at| account.leave_out(rows, *at, Reason::Late));
                        break;
                    };
                    let before = (pane.bytes(), pane.groups());
                    // What a pane takes doubles when it grows; the groups that are there go on.
                    let may_grow = bytes + before.0 <= bytes_max;
                    let room = self.limits.groups.saturating_sub(groups - before.1);
                    let room = if may_grow { room } else { room.min(before.1) };
                    at = add(&mut pane.groups, &self.grouping, (rows, &at), room, account).without_room;
                    bytes = bytes - before.0 + pane.bytes();
                    groups = groups - before.1 + pane.groups();
                    why = if may_grow { "there are too many groups" } else { why };
                }
                if at.is_empty() {
                    break;
                }
                if self.evict(start, rows.causes[at[0]], account, out) {
                    (bytes, groups) = (self.bytes(), self.groups());
                    continue;
                }
                at.iter().for_each(|at| account.leave_out(rows, *at, Reason::Dead(why)));
                break;
            }
        }
    }

    /// Tells the oldest window before it is complete, unless a pane is part of it. False if there is none that may go.
    fn evict(&mut self, pane: i64, cause: u64, account: &mut Account, out: &mut Vec<Rows>) -> bool {
        if !self.limits.evicts || self.due_at > pane {
            return false;
        }
        // No further, though time may have come further: rows of windows behind it are at hand.
        let (watermark, end) = (self.watermark, self.due_at);
        self.watermark = end;
        self.close(cause, account, out);
        self.watermark = watermark.max(end);
        account.counters.evicted += 1;
        true
    }

    fn bytes(&self) -> usize {
        self.runs.bytes() + self.revisions.bytes() + self.open.values().map(Pane::bytes).sum::<usize>()
    }

    fn groups(&self) -> usize {
        self.open.values().map(Pane::groups).sum()
    }

    /// Closes the windows that are complete and tells those whose time has come, in the order of time.
    fn close(&mut self, cause: u64, account: &mut Account, out: &mut Vec<Rows>) {
        if self.is_due() {
            self.recent = None;
        }
        while self.is_due() {
            let told = if self.due_at <= self.revisions.due_at() {
                let end = self.due_at;
                let told = self.close_one(end, cause, out);
                self.forget(end);
                told
            } else if self.revisions.early_at.is_some_and(|at| at == self.revisions.due_at()) {
                self.tell_early(cause, out)
            } else {
                self.revisions.again_at = None;
                self.tell_again(i64::MAX, cause, out)
            };
            if told.is_err() {
                account.counters.errors += 1;
            }
        }
        if self.telling.lateness > 0 {
            let over = self.watermark.saturating_sub(self.telling.lateness);
            if self.tell_again(over, cause, out).is_err() {
                account.counters.errors += 1;
            }
            self.revisions.forget(self.watermark, self.telling.lateness);
        }
    }

    fn close_one(&mut self, end: i64, cause: u64, out: &mut Vec<Rows>) -> Result<()> {
        let start = self.frame.start_of(end);
        self.roll(end)?;
        let groups = self.groups_of(start, end)?;
        let told = self.revisions.told.remove(&end).unwrap_or_default();
        let Some(mut groups) = groups else { return Ok(()) };
        if self.telling.lateness > 0 {
            let mut kept = Groups::new(&self.grouping)?;
            kept.merge(&groups.partial(&self.grouping)?)?;
            let groups = Some(kept);
            self.revisions.kept.insert(end, Kept { groups, told: told + 1, changed: BTreeSet::new() });
        }
        let rows = self.rows(groups.finish(&self.grouping, start, end)?, (start, end), told, cause)?;
        out.extend(Some(rows).filter(|rows| rows.len() > 0));
        Ok(())
    }

    /// Tells windows that are not over and have news.
    fn tell_early(&mut self, cause: u64, out: &mut Vec<Rows>) -> Result<()> {
        let every = self.telling.every.unwrap_or(i64::MAX);
        self.revisions.early_at = Some(next_multiple(self.watermark, every)).filter(|_| !self.open.is_empty());
        let news: Vec<i64> = self.open.iter().filter(|(_, pane)| pane.has_news).map(|(start, _)| *start).collect();
        for start in news {
            let Some(pane) = self.open.get_mut(&start) else { continue };
            pane.has_news = false;
            let Some(groups) = &mut pane.groups else { continue };
            let mut copy = Groups::new(&self.grouping)?;
            copy.merge(&groups.partial(&self.grouping)?)?;
            let end = self.frame.last_end(start);
            let told = self.revisions.count(end);
            out.push(self.rows(copy.finish(&self.grouping, start, end)?, (start, end), told, cause)?);
        }
        Ok(())
    }

    /// Tells the groups that have changed in windows that were over before a moment.
    fn tell_again(&mut self, before: i64, cause: u64, out: &mut Vec<Rows>) -> Result<()> {
        let mut told = vec![];
        for (end, kept) in self.revisions.kept.range_mut(..=before).filter(|(_, kept)| !kept.changed.is_empty()) {
            let changed: Vec<usize> = std::mem::take(&mut kept.changed).into_iter().collect();
            let Some(groups) = &mut kept.groups else { continue };
            let mut copy = Groups::new(&self.grouping)?;
            copy.merge(&take_groups(&groups.partial(&self.grouping)?, &changed)?)?;
            let start = self.frame.start_of(*end);
            told.push((copy.finish(&self.grouping, start, *end)?, (start, *end), kept.told));
            kept.told += 1;
        }
        for (finished, window, number) in told {
            out.push(self.rows(finished, window, number, cause)?);
        }
        Ok(())
    }

    /// All groups of a window.
    fn groups_of(&mut self, start: i64, end: i64) -> Result<Option<Groups>> {
        if self.frame.is_tumbling() {
            return Ok(self.open.get_mut(&start).and_then(|pane| pane.groups.take()));
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

    /// The groups of a window as rows, before the window counts as closed. It has been told `told` times before.
    fn rows(&self, finished: Finished, (start, end): (i64, i64), told: u32, cause: u64) -> Result<Rows> {
        let len = finished.batch.num_rows();
        let mut name = self.frame.name(start, end);
        if told > 0 {
            name.push_str(&format!("/r{told}"));
        }
        Ok(Rows {
            batch: finished.batch,
            ts: Arc::new(vec![end; len]),
            marks: Arc::new(vec![self.closed.min(end - 1); len]),
            causes: Arc::new(vec![cause; len]),
            ids: Ids::of_window(finished.keys, name, len),
        })
    }

    /// The window with this end has closed.
    fn forget(&mut self, end: i64) {
        (self.closed, self.merged) = (end, end);
        while let Some(first) = self.open.first_entry()
            && self.frame.last_end(*first.key()) <= end
        {
            first.remove();
        }
        self.due_at = self.next_due();
    }
}

impl Operator for Windows {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut places = Vec::with_capacity(rows.len());
        let mut from = 0;
        for at in 0..rows.len() {
            self.watermark = self.watermark.max(rows.marks[at]);
            // A window closes right before the row that shows it to be complete.
            if self.is_due() {
                self.absorb(&rows, &places, from..at, account, out);
                self.close(rows.causes[at], account, out);
                from = at;
            }
            places.push(self.place(&rows, at, account));
        }
        self.absorb(&rows, &places, from..rows.len(), account, out);
    }

    fn advance(&mut self, mark: Mark, account: &mut Account, out: &mut Vec<Rows>) {
        self.watermark = self.watermark.max(mark.watermark);
        self.close(mark.cause, account, out);
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let mut parts = self.runs.parts();
        if let Some(carry) = &self.carry {
            parts.extend(carry.standing().map(|standing| (Part::Carried(carry.at), standing.clone())));
        }
        for (start, pane) in &mut self.open {
            let partial = pane.groups.as_mut().map(|groups| groups.partial(&self.grouping)).transpose()?;
            parts.extend(partial.map(|partial| (Part::Open(*start), partial)));
        }
        // Also those whose groups are in `runs`, since windows close because of them.
        let rolled = self.carry.as_ref().map_or(NEVER, |carry| carry.at);
        let mut times = vec![self.watermark, self.closed, self.merged, self.runs.block(), rolled];
        times.extend(self.open.keys());
        let mut revised = vec![];
        for (end, kept) in &mut self.revisions.kept {
            let Some(groups) = &mut kept.groups else { continue };
            let changed = kept.changed.iter().map(|group| *group as i64).collect();
            let groups = groups.partial(&self.grouping)?;
            revised.push(Written { end: *end, told: kept.told.into(), changed, groups });
        }
        let told: Vec<i64> = self.revisions.told.iter().flat_map(|(end, told)| [*end, i64::from(*told)]).collect();
        let clocks = [self.revisions.early_at, self.revisions.again_at].map(|at| at.unwrap_or(NEVER));
        let news = self.open.iter().filter(|(_, pane)| pane.has_news).map(|(start, _)| *start).collect();
        let mut tables = saved::save(&self.grouping, &times, parts)?;
        tables.extend(saved::save_revisions(&self.grouping, clocks, [told, news], revised)?);
        Ok(tables)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let Some((windows, revisions)) = state.split_at_checked(2) else {
            return internal_err!("the state has other tables");
        };
        let (times, parts) = saved::load(&self.grouping, windows)?;
        let [watermark, closed, merged, block, rolled, open @ ..] = &*times else {
            return internal_err!("the state has other times");
        };
        self.open = open.iter().map(|start| (*start, Pane::default())).collect();
        self.runs = Runs::at(*block);
        self.carry.iter_mut().for_each(|carry| carry.set(*rolled, None));
        for (part, partial) in parts {
            match part {
                Part::Open(start) => {
                    let mut groups = Groups::new(&self.grouping)?;
                    groups.merge(&partial)?;
                    self.open.insert(start, Pane { groups: Some(groups), has_news: false });
                }
                Part::Carried(at) => {
                    self.carry.iter_mut().for_each(|carry| carry.set(at, Some(partial.clone())));
                }
                other => self.runs.put(other, partial),
            }
        }
        (self.watermark, self.closed, self.merged) = (*watermark, *closed, *merged);
        self.due_at = self.next_due();
        let ([early, again], [told, news], kept) = saved::load_revisions(&self.grouping, revisions)?;
        let clock = |at: i64| (at != NEVER).then_some(at);
        (self.revisions.early_at, self.revisions.again_at) = (clock(early), clock(again));
        self.revisions.told = told.chunks_exact(2).map(|pair| (pair[0], pair[1] as u32)).collect();
        news.iter().for_each(|start| self.open.entry(*start).or_default().has_news = true);
        for Written { end, told, changed, groups: partial } in kept {
            let mut groups = Groups::new(&self.grouping)?;
            groups.merge(&partial)?;
            let changed = changed.into_iter().map(|group| group as usize).collect();
            self.revisions.kept.insert(end, Kept { groups: Some(groups), told: told as u32, changed });
        }
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.open.last_key_value().map_or(NEVER, |(pane, _)| self.frame.last_end(*pane))
    }

    fn describe(&self) -> String {
        self.frame.to_string()
    }

    fn held(&self) -> Held {
        Held { windows: self.open.len(), groups: self.groups(), bytes: self.bytes() }
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

/// The placed rows of a range by their panes.
fn by_pane(places: &[Option<i64>], range: Range<usize>) -> Vec<(i64, Vec<usize>)> {
    if let Some(start) = places[range.start]
        && places[range.clone()].iter().all(|place| *place == Some(start))
    {
        return vec![(start, range.collect())];
    }
    let mut panes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    // Rows that follow each other are mostly of the same pane.
    let mut run: Option<(i64, Vec<usize>)> = None;
    for at in range {
        let Some(start) = places[at] else { continue };
        match &mut run {
            Some((pane, rows)) if *pane == start => rows.push(at),
            _ => {
                panes.extend(run.take());
                let mut rows = panes.remove(&start).unwrap_or_default();
                rows.push(at);
                run = Some((start, rows));
            }
        }
    }
    panes.extend(run);
    panes.into_iter().collect()
}

/// What came of rows that were to be added to groups.
struct Added {
    /// How many the filter has let through.
    rows: usize,
    /// The places of those for whose groups there is no room.
    without_room: Vec<usize>,
}

/// Adds rows at some places to groups, which are made if there are none. A row for which an expression fails is left out.
fn add(
    groups: &mut Option<Groups>,
    grouping: &Grouping,
    (rows, at): (&Rows, &[usize]),
    room: usize,
    account: &mut Account,
) -> Added {
    let mut added = Added { rows: 0, without_room: vec![] };
    let mut work = |range: Range<usize>| {
        let from = range.start;
        let prepared = grouping.prepare(&take_rows(&rows.batch, &at[range])?)?;
        if prepared.is_empty() {
            return Ok(());
        }
        if groups.is_none() && room == 0 {
            // Some accumulators cannot be without any group.
            added.without_room.extend((0..prepared.rows).map(|place| at[prepared.place(place) + from]));
            return Ok(());
        }
        if groups.is_none() {
            *groups = Some(Groups::new(grouping)?);
        }
        let Some(groups) = groups.as_mut() else { return Ok(()) };
        added.rows += prepared.rows;
        added.without_room.extend(groups.add(&prepared, room)?.into_iter().map(|place| at[place + from]));
        Ok(())
    };
    bisect(0..at.len(), &mut work, &mut |place, error| account.failed(rows, at[place], error));
    added
}
