//! Where a journal stands.

use super::Journal;
use crate::{Class, ClassStats, Codec, Stats, Usage, quarantine, slot, writer::spare_bytes};
use std::sync::atomic::{AtomicU64, Ordering};

impl<C: Codec> Journal<C> {
    /// The offset of the next item.
    pub fn head(&self) -> u64 {
        *self.shared().head.borrow()
    }

    /// Everything of all classes below is durable.
    pub fn durable_head(&self) -> u64 {
        Class::ALL.into_iter().map(|class| self.durable_head_of(class)).min().unwrap_or(0)
    }

    /// Everything of this class below is durable.
    pub fn durable_head_of(&self, class: Class) -> u64 {
        self.shared().progress.durable(class)
    }

    /// The oldest offset kept on disk in any class; the head if there is none.
    pub fn first(&self) -> u64 {
        let kept = self.shared().logs.iter().filter_map(|log| log.catalogue.lock().first());
        kept.min().unwrap_or_else(|| self.head())
    }

    /// The oldest offset of this class that is kept on disk; the head if there is none.
    pub fn first_of(&self, class: Class) -> u64 {
        let kept = self.shared().logs[class.index()].catalogue.lock().first();
        kept.unwrap_or_else(|| self.durable_head_of(class))
    }

    /// How much of its space a class takes.
    pub fn usage(&self, class: Class) -> Usage {
        let log = &self.shared().logs[class.index()];
        let segments = log.catalogue.lock().bytes_on_disk();
        Usage {
            bytes: segments + spare_bytes(&log.dir) + quarantine::bytes_on_disk(&log.dir),
            bytes_max: self.shared().options.classes[class.index()].total_bytes_max,
            full: log.full.load(Ordering::Acquire),
        }
    }

    /// What it has done and what it holds.
    pub fn stats(&self) -> Stats {
        let classes = Class::ALL.map(|class| self.class_stats(class));
        let sum = |of: fn(&ClassStats) -> u64| classes.iter().map(of).sum();
        Stats {
            bytes_on_disk: sum(|class| class.bytes_on_disk) + slot::FILE_BYTES,
            segments: classes.iter().map(|class| class.segments).sum(),
            first: self.first(),
            head: self.head(),
            durable_head: self.durable_head(),
            epoch: self.epoch(),
            appended_total: self.head() - self.recovery().next_offset,
            synced_groups_total: sum(|class| class.synced_groups_total),
            sync_errors_total: sum(|class| class.sync_errors_total),
            dropped_by_retention_total: sum(|class| class.dropped_by_retention_total),
            too_large_total: sum(|class| class.too_large_total),
            pending_bytes: sum(|class| class.pending_bytes),
            last_error: self.shared().last_error(),
            classes,
        }
    }

    fn class_stats(&self, class: Class) -> ClassStats {
        let log = &self.shared().logs[class.index()];
        let (pending_bytes, next_seq) = {
            let tail = self.shared().tail.lock();
            (tail.pending_bytes(class), tail.durable_seq(class) + tail.due(class).items as u64)
        };
        let (segments, kept) = {
            let catalogue = log.catalogue.lock();
            (catalogue.len(), catalogue.items_kept())
        };
        let usage = self.usage(class);
        let counters = &log.counters;
        let waiting = next_seq.saturating_sub(log.catalogue.lock().end().seq);
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClassStats {
            bytes_on_disk: usage.bytes,
            segments,
            first: self.first_of(class),
            durable_head: self.durable_head_of(class),
            items: kept + waiting,
            appended_total: get(&counters.appended),
            refused_total: get(&counters.refused),
            synced_groups_total: get(&counters.synced_groups),
            sync_errors_total: get(&counters.sync_errors),
            dropped_by_retention_total: get(&counters.dropped_by_retention),
            too_large_total: get(&counters.too_large),
            damaged_total: get(&counters.damaged),
            raw_bytes_total: get(&counters.raw_bytes),
            written_bytes_total: get(&counters.written_bytes),
            pending_bytes,
            full: usage.full,
            last_error: counters.last_error.lock().clone(),
        }
    }
}
