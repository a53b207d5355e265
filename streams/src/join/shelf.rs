//! Rows of one side that may still find partners.

use super::keys::Key;
use crate::df::{RecordBatch, Result, interleave_record_batch};
use crate::rows::{Ids, Rows};
use crate::sorted::weight;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// So many rows may lie there that nobody needs, beside as many as there are needed.
const SPARE: usize = 4096;

/// Rows by key and time.
#[derive(Default)]
pub(crate) struct Shelf {
    pieces: BTreeMap<u32, Piece>,
    next_piece: u32,
    by_key: HashMap<Arc<[u8]>, BTreeMap<Turn, Spot>>,
    by_time: BTreeMap<Turn, Arc<[u8]>>,
    next_turn: u64,
    lying: usize,
    bytes: usize,
}

/// The time of a row, and its number in the order in which they came.
pub(crate) type Turn = (i64, u64);

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    piece: u32,
    at: u32,
    pub(crate) is_matched: bool,
}

struct Piece {
    rows: Rows,
    needed: usize,
}

impl Shelf {
    /// Adds rows that have a key; what has none has no partner.
    pub(crate) fn add(&mut self, rows: &Rows, keys: &[Key], is_matched: impl Fn(usize) -> bool) {
        let (piece, needed) = (self.next_piece, keys.iter().flatten().count());
        if needed == 0 {
            return;
        }
        self.next_piece += 1;
        self.lying += rows.len();
        self.bytes += weight(rows);
        self.pieces.insert(piece, Piece { rows: rows.clone(), needed });
        for (at, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let turn = (rows.ts[at], self.next_turn);
            self.next_turn += 1;
            let spot = Spot { piece, at: at as u32, is_matched: is_matched(at) };
            self.by_key.entry(key.clone()).or_default().insert(turn, spot);
            self.by_time.insert(turn, key.clone());
        }
    }

    /// The rows of a key in a span of time, oldest first.
    pub(crate) fn between(&self, key: &[u8], times: RangeInclusive<i64>) -> impl Iterator<Item = (Turn, Spot)> {
        let span = (*times.start(), 0)..=(*times.end(), u64::MAX);
        let of_key = self.by_key.get(key).filter(|_| times.start() <= times.end());
        of_key.into_iter().flat_map(move |rows| rows.range(span.clone())).map(|(turn, spot)| (*turn, *spot))
    }

    /// The newest row of a key that is not newer than a moment.
    pub(crate) fn newest(&self, key: &[u8], moment: i64) -> Option<(Turn, Spot)> {
        let (turn, spot) = self.by_key.get(key)?.range(..=(moment, u64::MAX)).next_back()?;
        Some((*turn, *spot))
    }

    /// Of a key, only the newest row that is not newer than a moment, and those behind it, are needed any more.
    pub(crate) fn forget_older(&mut self, key: &Arc<[u8]>, moment: i64) {
        let Some((newest, _)) = self.newest(key, moment) else { return };
        let Some(rows) = self.by_key.get_mut(key) else { return };
        let rest = rows.split_off(&newest);
        for (turn, spot) in std::mem::replace(rows, rest) {
            self.by_time.remove(&turn);
            self.let_go(spot);
        }
    }

    /// The time of the oldest row.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.by_time.first_key_value().map(|((ts, _), _)| *ts)
    }

    /// The time of the newest row.
    pub(crate) fn newest_of_all(&self) -> Option<i64> {
        self.by_time.last_key_value().map(|((ts, _), _)| *ts)
    }

    /// Takes the oldest row off, if it is older than a moment.
    pub(crate) fn pop_before(&mut self, moment: i64) -> Option<Spot> {
        let entry = self.by_time.first_entry().filter(|entry| entry.key().0 < moment)?;
        let (turn, key) = entry.remove_entry();
        let rows = self.by_key.get_mut(&key)?;
        let spot = rows.remove(&turn)?;
        if rows.is_empty() {
            self.by_key.remove(&key);
        }
        Some(spot)
    }

    /// Notes that a row has found a partner.
    pub(crate) fn match_up(&mut self, key: &[u8], turn: Turn) {
        if let Some(spot) = self.by_key.get_mut(key).and_then(|rows| rows.get_mut(&turn)) {
            spot.is_matched = true;
        }
    }

    /// A row is not needed any more.
    pub(crate) fn let_go(&mut self, spot: Spot) {
        let Some(piece) = self.pieces.get_mut(&spot.piece) else { return };
        piece.needed -= 1;
        if piece.needed == 0 {
            self.lying -= piece.rows.len();
            self.bytes -= weight(&piece.rows);
            self.pieces.remove(&spot.piece);
        }
    }

    /// Gives memory back if most of what lies there is not needed.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn tidy(&mut self) -> Result<()> {
        if self.lying <= 2 * self.by_time.len() + SPARE {
            return Ok(());
        }
        let (rows, keys, matched) = self.all()?;
        *self = Shelf { next_piece: self.next_piece, next_turn: self.next_turn, ..Shelf::default() };
        rows.inspect(|rows| self.add(rows, &keys, |at| matched[at]));
        Ok(())
    }

    /// All rows in the order in which they came, with their keys and whether they have found a partner.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn all(&self) -> Result<(Option<Rows>, Vec<Key>, Vec<bool>)> {
        let mut rows: Vec<(u64, &Arc<[u8]>, Spot)> = vec![];
        for (key, of_key) in &self.by_key {
            rows.extend(of_key.iter().map(|((_, number), spot)| (*number, key, *spot)));
        }
        rows.sort_by_key(|(number, ..)| *number);
        let spots: Vec<Spot> = rows.iter().map(|(.., spot)| *spot).collect();
        let whole = if spots.is_empty() { None } else { Some(self.rows(&spots)?) };
        let keys = rows.iter().map(|(_, key, _)| Some((*key).clone())).collect();
        Ok((whole, keys, spots.iter().map(|spot| spot.is_matched).collect()))
    }

    /// The rows at these spots.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn rows(&self, spots: &[Spot]) -> Result<Rows> {
        let places = spots.iter().map(|spot| (&self.pieces[&spot.piece].rows, spot.at as usize));
        let times = |of: fn(&Rows) -> &Vec<i64>| Arc::new(places.clone().map(|(rows, at)| of(rows)[at]).collect());
        Ok(Rows {
            batch: self.batch(spots)?,
            ts: times(|rows| &rows.ts),
            marks: times(|rows| &rows.marks),
            causes: Arc::new(places.clone().map(|(rows, at)| rows.causes[at]).collect()),
            ids: Ids::together(places),
        })
    }

    /// The columns of the rows at these spots.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn batch(&self, spots: &[Spot]) -> Result<RecordBatch> {
        let mut order: BTreeMap<u32, usize> = BTreeMap::new();
        let mut batches: Vec<&RecordBatch> = vec![];
        let places = spots.iter().map(|spot| {
            let place = *order.entry(spot.piece).or_insert_with(|| {
                batches.push(&self.pieces[&spot.piece].rows.batch);
                batches.len() - 1
            });
            (place, spot.at as usize)
        });
        let places: Vec<(usize, usize)> = places.collect();
        Ok(interleave_record_batch(&batches, &places)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_time.len()
    }

    pub(crate) fn keys(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.by_time.len() * 120
    }
}
