//! What is there, and what is not.

use crate::item::{Item, Items, class_of};
use edgeway_journal::{Class, Error, Journal, Level, LossReason};
use std::{collections::BTreeSet, ops::Range};

#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) items: u64,
    pub(crate) corrupt: u64,
    pub(crate) inversions: u64,
    pub(crate) duplicates: u64,
    pub(crate) lost: u64,
    /// The lowest number of each class.
    pub(crate) oldest: [Option<u64>; 3],
    pub(crate) seen: BTreeSet<u64>,
    void: Vec<Range<u64>>,
    /// Classes of which retention has removed something.
    removed: [bool; 3],
}

/// Reads each class from its beginning.
pub(crate) fn check(journal: &Journal<Items>) -> Result<Findings, Error> {
    let mut findings = Findings::default();
    for class in Class::ALL {
        let mut reader = journal.class_reader(class, 0, Level::Durable);
        let mut last = None;
        while let Some(fetched) = reader.try_next(4096)? {
            if let Some(lost) = fetched.lost {
                findings.removed[class.index()] |= lost.reason == LossReason::Retention;
                findings.lost += lost.count;
            }
            for entry in fetched.entries {
                findings.take(class, &entry.item, &mut last);
            }
        }
    }
    Ok(findings)
}

impl Findings {
    fn take(&mut self, class: Class, item: &Item, last: &mut Option<u64>) {
        match item {
            Item::Corrupt => self.corrupt += 1,
            Item::Void(ranges) => self.void.extend(ranges.iter().cloned()),
            Item::Number(seq) => {
                self.items += 1;
                self.inversions += u64::from(class_of(*seq) != class || last.is_some_and(|last| *seq < last));
                self.duplicates += u64::from(!self.seen.insert(*seq));
                self.oldest[class.index()].get_or_insert(*seq);
                *last = Some(*seq);
            }
        }
    }

    /// The next number to write.
    pub(crate) fn next(&self) -> u64 {
        let voided = self.void.iter().map(|range| range.end).max().unwrap_or(0);
        voided.max(self.seen.last().map_or(0, |last| last + 1))
    }

    fn is_missing(&self, seq: u64) -> bool {
        let class = class_of(seq).index();
        let removed = self.removed[class] && self.oldest[class].is_none_or(|oldest| seq < oldest);
        !removed && !self.seen.contains(&seq) && !self.void.iter().any(|range| range.contains(&seq))
    }

    /// Numbers that are not there and not void yet.
    pub(crate) fn missing(&self) -> Vec<Range<u64>> {
        let mut missing: Vec<Range<u64>> = vec![];
        for seq in (0..self.next()).filter(|seq| self.is_missing(*seq)) {
            match missing.last_mut() {
                Some(range) if range.end == seq => range.end += 1,
                _ => missing.push(seq..seq + 1),
            }
        }
        missing
    }

    /// How many numbers up to `acked` are not there though they should be.
    pub(crate) fn lost_acked(&self, acked: Option<u64>) -> u64 {
        acked.map_or(0, |acked| (0..=acked).filter(|seq| self.is_missing(*seq)).count() as u64)
    }
}
