//! A table of messages as queries with the same patience see it: each row with the watermark that it brings.

use crate::account::{Account, Reason};
use crate::clock::{Clock, Hands, Patience, Verdict};
use crate::df::RecordBatch;
use crate::rows::{Flow, Ids, Mark, Rows, take_rows};
use std::sync::Arc;

/// Messages of one table.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The columns that someone reads.
    pub(crate) batch: RecordBatch,
    /// The time of each, and when the gateway got it.
    pub(crate) ts: Arc<Vec<i64>>,
    pub(crate) heard: Vec<i64>,
    pub(crate) offsets: Arc<Vec<u64>>,
    pub(crate) ids: Ids,
}

/// Judges the rows of a table.
pub(crate) struct Source {
    /// The place of its intake.
    pub(crate) intake: usize,
    pub(crate) patience: Patience,
    /// What it is called in a saved state.
    pub(crate) name: String,
    /// Rows left out for all queries that read it.
    pub(crate) account: Account,
    /// Whether somebody needs to know how far it has come with each message.
    pub(crate) has_steps: bool,
    clock: Clock,
}

/// How far messages bring a clock, one after the other, those of other tables too.
fn steps(mut clock: Clock, taken: Option<&Taken>, heard: &[(u64, i64)]) -> Vec<(u64, i64)> {
    let mut own = taken.iter().flat_map(|taken| taken.offsets.iter().zip(&*taken.ts)).peekable();
    let mut steps = vec![];
    for &(offset, heard) in heard {
        let before = clock.watermark();
        match own.next_if(|(own, _)| **own == offset) {
            Some((_, &ts)) => drop(clock.judge(ts, heard)),
            None => clock.hear(heard),
        }
        if clock.watermark() > before {
            steps.push((offset, clock.watermark()));
        }
    }
    steps
}

impl Source {
    pub(crate) fn new(intake: usize, table: &str, patience: Patience) -> Source {
        let Patience { delay, skew, idle } = patience;
        let name = format!("{table} {delay} {skew} {idle}");
        Source { intake, patience, name, account: Account::default(), has_steps: false, clock: Clock::new(patience) }
    }

    /// Takes in rows at a time of the gateway's clock. `heard` says of the messages of all tables their offsets and when the
    /// gateway got them.
    pub(crate) fn push(&mut self, now: i64, taken: Option<&Taken>, heard: &[(u64, i64)], cause: u64) -> Flow {
        let steps = self.has_steps.then(|| Arc::new(steps(self.clock.clone(), taken, heard)));
        let rows = taken.map(|taken| {
            self.clock.note_push(now);
            self.judge(taken)
        });
        let newest = heard.iter().map(|(_, heard)| *heard).max();
        newest.inspect(|heard| self.clock.hear(*heard));
        let rows = rows.into_iter().filter(|rows| rows.len() > 0).collect();
        Flow { rows, mark: self.mark(cause), steps: steps.unwrap_or_default() }
    }

    /// The gateway's clock shows `now`.
    pub(crate) fn tick(&mut self, now: i64, cause: u64) -> Flow {
        self.clock.tick(now);
        Flow::empty(self.mark(cause))
    }

    /// Time has come this far, whatever the clock says.
    pub(crate) fn reach(&mut self, watermark: i64, cause: u64) -> Flow {
        self.clock.reach(watermark);
        Flow::empty(self.mark(cause))
    }

    /// `wind_turbine, waiting 2s for late rows, 10s idle`.
    pub(crate) fn describe(&self) -> String {
        let length = |nanos: i64| format!("{:#}", jiff::SignedDuration::from_nanos(nanos));
        let Patience { delay, skew, idle } = self.patience;
        let table = self.name.split(' ').next().unwrap_or_default();
        format!(
            "{table}: rows may be {} late and {} ahead; after {} without rows time goes on",
            length(delay),
            length(skew),
            length(idle)
        )
    }

    /// To be kept over a restart.
    pub(crate) fn hands(&self) -> Hands {
        self.clock.hands()
    }

    /// Goes on as another has come to be.
    pub(crate) fn follow(&mut self, other: &Source) {
        self.clock = other.clock.clone();
        self.account.counters = other.account.counters;
    }

    /// Goes on from there.
    pub(crate) fn set(&mut self, hands: Hands, now: i64) {
        self.clock.set(hands, now);
    }

    fn mark(&self, cause: u64) -> Mark {
        Mark { watermark: self.clock.watermark(), cause }
    }

    /// The rows that count.
    fn judge(&mut self, taken: &Taken) -> Rows {
        let mut marks = Vec::with_capacity(taken.ts.len());
        let mut future = vec![];
        for (at, (&ts, &heard)) in taken.ts.iter().zip(&taken.heard).enumerate() {
            if self.clock.judge(ts, heard) == Verdict::Future {
                future.push(at);
            }
            marks.push(self.clock.watermark());
        }
        let rows = Rows {
            batch: taken.batch.clone(),
            ts: taken.ts.clone(),
            marks: Arc::new(marks),
            causes: taken.offsets.clone(),
            ids: taken.ids.clone(),
        };
        if future.is_empty() {
            return rows;
        }
        future.iter().for_each(|&at| self.account.leave_out(&rows, at, Reason::Future));
        let timely: Vec<usize> = (0..rows.len()).filter(|at| future.binary_search(at).is_err()).collect();
        match take_rows(&rows.batch, &timely) {
            Ok(batch) => rows.pick(&timely, batch),
            Err(_) => rows.pick(&[], RecordBatch::new_empty(rows.batch.schema())),
        }
    }
}
