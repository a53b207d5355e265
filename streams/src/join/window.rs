//! Rows of the same window side by side.

use super::Join;
use super::keys::Keys;
use super::pairs::Pairing;
use super::waiting::Waiting;
use crate::account::Account;
use crate::df::{RecordBatch, Result};
use crate::operator::Held;
use crate::query::earlier;
use crate::rows::{Flow, Rows};
use crate::sorted::together;
use edgeway_thing_models::Things;
use std::collections::HashMap;
use std::sync::Arc;

/// The join.
pub(crate) struct SameWindow {
    keys: [Keys; 2],
    pairing: Pairing,
    waiting: Waiting,
}

impl SameWindow {
    pub(crate) fn new(keys: [Keys; 2], pairing: Pairing, bytes_max: usize, things: Arc<Things>) -> SameWindow {
        SameWindow { keys, pairing, waiting: Waiting::new(bytes_max, things) }
    }

    /// All pairs of the windows with one end.
    fn join(&self, left: &[Rows], right: &[Rows]) -> Result<Rows> {
        let left = together(left)?;
        let rights = if right.is_empty() { None } else { Some(together(right)?) };
        let right = rights.map_or_else(|| self.pairing.no_right_rows(), |rows| rows.batch);
        let mut places: HashMap<Arc<[u8]>, Vec<usize>> = HashMap::new();
        for (at, key) in self.keys[1].of(&right)?.into_iter().enumerate() {
            key.into_iter().for_each(|key| places.entry(key).or_default().push(at));
        }
        let mut candidates = vec![];
        for (at, key) in self.keys[0].of(&left.batch)?.into_iter().enumerate() {
            let partners = key.and_then(|key| places.get(&key));
            candidates.extend(partners.into_iter().flatten().map(|&right| (at, right)));
        }
        let pairs = self.pairing.choose(&left.batch, &right, candidates, 0..left.len())?;
        self.pairing.rows(&left, &right, &pairs)
    }
}

impl Join for SameWindow {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        self.waiting.add([&left, &right], account);
        let mut out = Flow::empty(earlier(left.mark, right.mark));
        // What is of the right side alone has no partner.
        for ended in self.waiting.ended(out.mark.watermark).into_iter().filter(|ended| !ended.left.is_empty()) {
            match self.join(&ended.left, &ended.right) {
                Ok(rows) if rows.len() > 0 => {
                    let marks = Arc::new(vec![ended.mark; rows.len()]);
                    out.rows.push(Rows { marks, ..rows.caused_by(out.mark.cause) });
                }
                Ok(_) => {}
                Err(error) => ended.left.iter().for_each(|rows| account.failed(rows, 0, &error)),
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
        "rows of the same window side by side"
    }

    fn held(&self) -> Held {
        Held { windows: self.waiting.windows(), groups: 0, bytes: self.waiting.bytes() }
    }
}
