//! Runs of messages that are alike, where a payload can hold only such.

use crate::Item;
use std::ops::Range;

/// Cuts items where the key changes.
pub(crate) fn runs<'a, K: PartialEq>(items: &'a [Item], key: impl Fn(&'a Item) -> K) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = vec![];
    let mut before = None;
    for (at, item) in items.iter().enumerate() {
        let now = Some(key(item));
        match runs.last_mut() {
            Some(run) if now == before => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
        before = now;
    }
    runs
}
