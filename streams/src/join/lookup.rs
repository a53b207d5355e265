//! A table whose rows are there from the start beside each row of a stream.

use super::keys::Keys;
use super::pairs::Pairing;
use crate::account::Account;
use crate::df::{RecordBatch, Result};
use crate::operator::Operator;
use crate::rows::{Rows, bisect};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The operator.
pub(crate) struct Lookup {
    left: Keys,
    rows: RecordBatch,
    places: HashMap<Arc<[u8]>, Vec<usize>>,
    pairing: Pairing,
}

impl Lookup {
    /// # Errors
    /// If a key of the table cannot be computed.
    pub(crate) fn new(left: Keys, right: &Keys, rows: RecordBatch, pairing: Pairing) -> Result<Lookup> {
        let mut places: HashMap<Arc<[u8]>, Vec<usize>> = HashMap::new();
        for (at, key) in right.of(&rows)?.into_iter().enumerate() {
            if let Some(key) = key {
                places.entry(key).or_default().push(at);
            }
        }
        Ok(Lookup { left, rows, places, pairing })
    }

    fn join(&self, rows: &Rows, range: Range<usize>) -> Result<Rows> {
        let keys = self.left.of(&rows.batch.slice(range.start, range.len()))?;
        let mut candidates = vec![];
        for (at, key) in range.clone().zip(keys) {
            let places = key.and_then(|key| self.places.get(&key));
            candidates.extend(places.into_iter().flatten().map(|&right| (at, right)));
        }
        let pairs = self.pairing.choose(&rows.batch, &self.rows, candidates, range)?;
        self.pairing.rows(rows, &self.rows, &pairs)
    }
}

impl Operator for Lookup {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut work = |range: Range<usize>| {
            let joined = self.join(&rows, range)?;
            if joined.len() > 0 {
                out.push(joined);
            }
            Ok(())
        };
        bisect(0..rows.len(), &mut work, &mut |at, error| account.failed(&rows, at, error));
    }

    fn describe(&self) -> String {
        format!("beside a table of {} rows", self.rows.num_rows())
    }
}
