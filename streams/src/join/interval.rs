//! Rows of two streams whose times are near each other.

use super::Join;
use super::keys::{Key, Keys};
use super::order::{Run, Side, runs};
use super::pairs::Pairing;
use super::shelf::{Shelf, Spot, Turn};
use crate::account::{Account, Reason};
use crate::df::{AsArray, BooleanArray, DataType, Field, RecordBatch, Result, Schema, internal_err};
use crate::operator::Held;
use crate::rows::{Flow, Ids, Mark, NEVER, Rows};
use crate::sorted::{read, written};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How much later than a left row a right one may be, in nanoseconds; both ends count.
pub(crate) type Bounds = RangeInclusive<i64>;

/// Rows stay as long as a partner can come.
pub(crate) struct Interval {
    keys: [Keys; 2],
    pairing: Pairing,
    bounds: Bounds,
    shelves: [Shelf; 2],
    watermarks: [i64; 2],
    /// How far the pairs have come.
    told: i64,
    bytes_max: usize,
    things: Arc<Things>,
}

impl Interval {
    pub(crate) fn new(
        keys: [Keys; 2],
        pairing: Pairing,
        bounds: Bounds,
        bytes_max: usize,
        things: Arc<Things>,
    ) -> Interval {
        let (shelves, watermarks) = (Default::default(), [NEVER; 2]);
        Interval { keys, pairing, bounds, shelves, watermarks, told: NEVER, bytes_max, things }
    }

    /// Takes in rows of one side, row by row as far as marks move something, and gives out their pairs.
    fn run(&mut self, side: Side, rows: &Rows, account: &mut Account, out: &mut Vec<Rows>) -> Result<()> {
        let own = side as usize;
        let mut timely = vec![];
        for at in 0..rows.len() {
            self.watermarks[own] = self.watermarks[own].max(rows.marks[at]);
            if side == Side::Right && self.is_due() {
                self.pair(side, &rows.take(&timely)?, out)?;
                timely.clear();
                self.evict(rows.causes[at], out)?;
            }
            if rows.ts[at] < self.watermarks[own] {
                account.leave_out(rows, at, Reason::Late);
            } else if self.bytes() > account.bytes_max(self.bytes_max) {
                account.leave_out(rows, at, Reason::Dead("the state is full"));
            } else {
                timely.push(at);
            }
        }
        self.pair(side, &rows.take(&timely)?, out)
    }

    /// Whether a left row has waited for a partner in vain.
    fn is_due(&self) -> bool {
        self.pairing.keeps_left && self.shelves[0].oldest().is_some_and(|oldest| oldest < self.left_needed())
    }

    /// Left rows from this time on can still find a partner.
    fn left_needed(&self) -> i64 {
        self.watermarks[1].saturating_sub(*self.bounds.end())
    }

    fn pair(&mut self, side: Side, rows: &Rows, out: &mut Vec<Rows>) -> Result<()> {
        if rows.len() == 0 {
            return Ok(());
        }
        let (own, other) = (side as usize, 1 - side as usize);
        let keys = self.keys[own].of(&rows.batch)?;
        let mut found: Vec<(usize, Turn, Spot)> = vec![];
        for (at, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let near = self.shelves[other].between(key, self.near(side, rows.ts[at]));
            found.extend(near.map(|(turn, spot)| (at, turn, spot)));
        }
        let matched = self.tell(side, rows, &keys, &found, out)?;
        self.shelves[own].add(rows, &keys, |at| matched[at]);
        if self.pairing.keeps_left && side == Side::Left {
            let alone: Vec<usize> = (0..rows.len()).filter(|&at| keys[at].is_none()).collect();
            self.tell_alone(rows.take(&alone)?, out)?;
        }
        Ok(())
    }

    /// The times of partners.
    fn near(&self, side: Side, ts: i64) -> RangeInclusive<i64> {
        let (low, high) = (*self.bounds.start(), *self.bounds.end());
        match side {
            Side::Left => ts.saturating_add(low)..=ts.saturating_add(high),
            Side::Right => ts.saturating_sub(high)..=ts.saturating_sub(low),
        }
    }

    /// Gives out the pairs among those found; which of the rows have a partner.
    fn tell(
        &mut self,
        side: Side,
        rows: &Rows,
        keys: &[Key],
        found: &[(usize, Turn, Spot)],
        out: &mut Vec<Rows>,
    ) -> Result<Vec<bool>> {
        let mut matched = vec![false; rows.len()];
        if found.is_empty() {
            return Ok(matched);
        }
        let other = 1 - side as usize;
        let spots: Vec<Spot> = found.iter().map(|(_, _, spot)| *spot).collect();
        let at: Vec<usize> = found.iter().map(|(at, ..)| *at).collect();
        let (own, others) = (rows.take(&at)?, self.shelves[other].rows(&spots)?);
        let (left, right) = if side == Side::Left { (&own, &others) } else { (&others, &own) };
        let side_by_side: Vec<_> = (0..found.len()).map(|at| (at, at)).collect();
        let pairs = Pairing { keeps_left: false, ..self.pairing.clone() };
        let pairs = pairs.choose(&left.batch, &right.batch, side_by_side, 0..found.len())?;
        for (place, _) in &pairs {
            let (at, turn, _) = found[*place];
            matched[at] = true;
            if let (Side::Right, Some(key)) = (side, &keys[at]) {
                self.shelves[0].match_up(key, turn);
            }
        }
        let batch = self.pairing.side_by_side(&left.batch, &right.batch, &pairs)?;
        let at: Vec<usize> = pairs.iter().map(|(at, _)| *at).collect();
        let ids = at.iter().map(|&at| crate::answer::pair_id(left, right, at)).collect();
        let later = at.iter().map(|&at| left.ts[at].max(right.ts[at])).collect();
        let causes = at.iter().map(|&at| own.causes[at]).collect();
        if !at.is_empty() {
            out.push(self.rows(batch, later, causes, Ids::made(ids)));
        }
        Ok(matched)
    }

    fn rows(&self, batch: RecordBatch, ts: Vec<i64>, causes: Vec<u64>, ids: Ids) -> Rows {
        let marks = Arc::new(vec![self.told; ts.len()]);
        Rows { batch, ts: Arc::new(ts), marks, causes: Arc::new(causes), ids }
    }

    /// Left rows without a partner.
    fn tell_alone(&self, left: Rows, out: &mut Vec<Rows>) -> Result<()> {
        if left.len() > 0 {
            let pairs: Vec<_> = (0..left.len()).map(|at| (at, None)).collect();
            let batch = self.pairing.side_by_side(&left.batch, &self.pairing.no_right_rows(), &pairs)?;
            out.push(Rows { marks: Arc::new(vec![self.told; left.len()]), ..left.with(batch) });
        }
        Ok(())
    }

    /// Lets rows go that can find no partner any more.
    fn evict(&mut self, cause: u64, out: &mut Vec<Rows>) -> Result<()> {
        let mut alone = vec![];
        let needed = self.left_needed();
        let mut gone = vec![];
        while let Some(spot) = self.shelves[0].pop_before(needed) {
            gone.push(spot);
            if self.pairing.keeps_left && !spot.is_matched {
                alone.push(spot);
            }
        }
        if !alone.is_empty() {
            let rows = self.shelves[0].rows(&alone)?;
            self.tell_alone(rows.caused_by(cause), out)?;
        }
        gone.into_iter().for_each(|spot| self.shelves[0].let_go(spot));
        self.move_on();
        Ok(())
    }

    fn evict_right(&mut self) -> Result<()> {
        let needed = self.watermarks[0].saturating_add(*self.bounds.start());
        while let Some(spot) = self.shelves[1].pop_before(needed) {
            self.shelves[1].let_go(spot);
        }
        self.shelves.iter_mut().try_for_each(Shelf::tidy)
    }

    /// Left rows that come out alone are as old as the last right row that could have been their partner allows.
    fn move_on(&mut self) {
        let right = match self.pairing.keeps_left {
            true => self.left_needed().min(self.watermarks[1]),
            false => self.watermarks[1],
        };
        self.told = self.told.max(self.watermarks[0].min(right));
    }

    fn bytes(&self) -> usize {
        self.shelves.iter().map(Shelf::bytes).sum()
    }
}

impl Join for Interval {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        let mut out = vec![];
        for Run { side, piece, range } in runs(&left, &right) {
            let rows = match side {
                Side::Left => &left.rows[piece],
                Side::Right => &right.rows[piece],
            };
            let at: Vec<usize> = range.collect();
            let done = rows.take(&at).and_then(|part| self.run(side, &part, account, &mut out));
            if let Err(error) = done {
                at.into_iter().for_each(|at| account.failed(rows, at, &error));
            }
        }
        for (watermark, flow) in self.watermarks.iter_mut().zip([&left, &right]) {
            *watermark = (*watermark).max(flow.mark.watermark);
        }
        let cause = left.mark.cause.max(right.mark.cause);
        let evicted = self.evict(cause, &mut out).and_then(|()| self.evict_right());
        if evicted.is_err() {
            account.counters.errors += 1;
        }
        Flow { rows: out, ..Flow::empty(Mark { watermark: self.told, cause }) }
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let mut tables = vec![];
        let mut sides = vec![];
        for shelf in &self.shelves {
            let (rows, _, matched) = shelf.all()?;
            sides.push(i64::from(rows.is_some()));
            if let Some(rows) = rows {
                tables.push(written(&rows)?);
                tables.push(flags(matched)?);
            }
        }
        let [left, right] = self.watermarks;
        tables.insert(0, numbers(&[left, right, self.told, sides[0], sides[1]])?);
        Ok(tables)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times, rest @ ..] = state else { return internal_err!("the state has other tables") };
        let [left, right, told, has_left, has_right] = *read_numbers(times)? else {
            return internal_err!("the state has other times");
        };
        let mut tables = rest.chunks(2);
        for (side, is_there) in [has_left, has_right].into_iter().enumerate() {
            let Some([rows, matched]) = (is_there == 1).then(|| tables.next()).flatten() else { continue };
            let rows = read(rows, &self.things)?;
            let Some(matched) = matched.column(0).as_boolean_opt() else { return internal_err!("no flags") };
            let keys = self.keys[side].of(&rows.batch)?;
            self.shelves[side].add(&rows, &keys, |at| matched.value(at));
        }
        (self.watermarks, self.told) = ([left, right], told);
        Ok(())
    }

    fn horizon(&self) -> i64 {
        let newest = self.shelves[0].newest_of_all().filter(|_| self.pairing.keeps_left);
        newest.map_or(NEVER, |newest| newest.saturating_add(*self.bounds.end()).saturating_add(1))
    }

    fn describe(&self) -> &'static str {
        "rows of two streams whose times are near each other"
    }

    fn held(&self) -> Held {
        let [left, right] = &self.shelves;
        Held { windows: 0, groups: left.len() + right.len(), bytes: self.bytes() }
    }
}

fn flags(flags: Vec<bool>) -> Result<RecordBatch> {
    let schema = Schema::new(vec![Field::new("matched", DataType::Boolean, false)]);
    Ok(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(BooleanArray::from(flags))])?)
}
