//! The rows of two streams, one after the other.

use super::Join;
use super::order::{Run, Side, runs};
use super::waiting::Waiting;
use crate::account::Account;
use crate::answer;
use crate::df::{RecordBatch, Result, SchemaRef, internal_err};
use crate::operator::Held;
use crate::query::earlier;
use crate::rows::{Flow, Ids, NEVER, Rows, Steps};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::sync::Arc;

/// How rows of the right side become rows of both.
struct Right {
    /// The columns, which are called as those of the left side.
    schema: SchemaRef,
    /// Its number. The ids of its rows begin with it, since both sides can have rows of one message or one window.
    number: usize,
}

/// Of messages. Rows come in the order of the journal; those that one message has brought about from the left first.
pub(crate) struct Union {
    right: Right,
    watermarks: [i64; 2],
}

/// Of rows of windows, which come in the order of their windows.
pub(crate) struct UnionOfWindows {
    right: Right,
    waiting: Waiting,
}

impl Right {
    fn rows(&self, rows: Rows) -> Rows {
        // In a key, a percent sign stands before `2F`, `25` or `null`.
        let id = |id: Arc<str>| format!("%{}/{id}", self.number).into();
        let ids = Ids::made(answer::ids_of_rows(&rows).into_iter().map(id).collect());
        let batch = RecordBatch::try_new(self.schema.clone(), rows.batch.columns().to_vec());
        Rows { batch: batch.expect("both sides have columns of the same types"), ids, ..rows }
    }
}

impl Union {
    /// `number` is that of the right side, counted from 1.
    pub(crate) fn new(schema: SchemaRef, number: usize) -> Union {
        Union { right: Right { schema, number }, watermarks: [NEVER; 2] }
    }

    /// How far both sides have come together.
    fn watermark(&self) -> i64 {
        self.watermarks[0].min(self.watermarks[1])
    }

    /// Rows of a side as rows of both.
    fn rows(&mut self, side: Side, rows: Rows, other: &mut Ahead<'_>) -> Rows {
        let own = side as usize;
        let mark = |(mark, cause): (&i64, &u64)| {
            self.watermarks[own] = self.watermarks[own].max(*mark);
            self.watermarks[1 - own] = self.watermarks[1 - own].max(other.at(*cause));
            self.watermark()
        };
        let marks = Arc::new(rows.marks.iter().zip(&*rows.causes).map(mark).collect());
        let rows = Rows { marks, ..rows };
        if side == Side::Left { rows } else { self.right.rows(rows) }
    }
}

/// The steps of a side, which are walked along.
struct Ahead<'a> {
    steps: &'a [(u64, i64)],
    reached: i64,
}

impl Ahead<'_> {
    fn of(flow: &Flow) -> Ahead<'_> {
        Ahead { steps: &flow.steps, reached: NEVER }
    }

    /// How far the side has come with a message. Messages are asked about in their order.
    fn at(&mut self, cause: u64) -> i64 {
        while let [(offset, watermark), rest @ ..] = self.steps
            && *offset <= cause
        {
            (self.reached, self.steps) = (*watermark, rest);
        }
        self.reached
    }
}

/// The steps of two sides together, on from where they were.
fn steps_of(watermarks: [i64; 2], left: &Flow, right: &Flow) -> Steps {
    let mut sides = [Ahead::of(left), Ahead::of(right)];
    let mut causes: Vec<u64> = left.steps.iter().chain(&*right.steps).map(|(offset, _)| *offset).collect();
    causes.sort_unstable();
    causes.dedup();
    let mut told = watermarks[0].min(watermarks[1]);
    let mut steps = vec![];
    for cause in causes {
        let [left, right] = sides.each_mut().map(|side| side.at(cause));
        let both = left.max(watermarks[0]).min(right.max(watermarks[1]));
        if both > told {
            told = both;
            steps.push((cause, both));
        }
    }
    Arc::new(steps)
}

impl UnionOfWindows {
    /// `number` is that of the right side, counted from 1.
    pub(crate) fn new(schema: SchemaRef, number: usize, bytes_max: usize, things: Arc<Things>) -> UnionOfWindows {
        UnionOfWindows { right: Right { schema, number }, waiting: Waiting::new(bytes_max, things) }
    }
}

impl Join for Union {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        let mut out = vec![];
        let steps = steps_of(self.watermarks, &left, &right);
        let mut sides = [Ahead::of(&left), Ahead::of(&right)];
        for Run { side, piece, range } in runs(&left, &right) {
            let rows = match side {
                Side::Left => &left.rows[piece],
                Side::Right => &right.rows[piece],
            };
            let at: Vec<usize> = range.collect();
            let other = &mut sides[1 - side as usize];
            match rows.take(&at) {
                Ok(part) => out.push(self.rows(side, part, other)),
                Err(error) => at.into_iter().for_each(|at| account.failed(rows, at, &error)),
            }
        }
        for (watermark, flow) in self.watermarks.iter_mut().zip([&left, &right]) {
            *watermark = (*watermark).max(flow.mark.watermark);
        }
        Flow { rows: out, mark: earlier(left.mark, right.mark), steps }
    }

    fn needs_steps(&self) -> bool {
        true
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![numbers(&self.watermarks)?])
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times] = state else { return internal_err!("the state has other tables") };
        let [left, right] = *read_numbers(times)? else { return internal_err!("the state has other times") };
        self.watermarks = [left, right];
        Ok(())
    }

    fn horizon(&self) -> i64 {
        NEVER
    }

    fn describe(&self) -> &'static str {
        "beside the rows of another"
    }

    fn held(&self) -> Held {
        Held::default()
    }
}

impl Join for UnionOfWindows {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        self.waiting.add([&left, &right], account);
        let mut out = Flow::empty(earlier(left.mark, right.mark));
        for ended in self.waiting.ended(out.mark.watermark) {
            let right = ended.right.into_iter().map(|rows| self.right.rows(rows));
            for rows in ended.left.into_iter().chain(right) {
                let marks = Arc::new(vec![ended.mark; rows.len()]);
                out.rows.push(Rows { marks, ..rows.caused_by(out.mark.cause) });
            }
        }
        out
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        self.waiting.save()
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        self.waiting.load(state)
    }

    fn horizon(&self) -> i64 {
        self.waiting.horizon()
    }

    fn describe(&self) -> &'static str {
        "beside the rows of another, window by window"
    }

    fn held(&self) -> Held {
        Held { windows: self.waiting.windows(), groups: 0, bytes: self.waiting.bytes() }
    }
}
