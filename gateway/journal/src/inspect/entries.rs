//! The items of a directory.

use super::complete;
use crate::{
    Class, Codec, Error, Fetched,
    catalogue::{Catalogue, End},
    log::{Counters, Log},
    merge::{Merge, Scope},
    source::Source,
};
use parking_lot::Mutex;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

/// What a directory holds, from some offset on.
pub struct Entries<C: Codec> {
    merge: Merge<C>,
}

/// The items of one class, or of all of them in the order of their offsets, from offset `from` on, as far as they are on
/// disk now.
pub fn entries<C: Codec>(
    dir: impl AsRef<Path>,
    codec: C,
    class: Option<Class>,
    from: u64,
) -> Result<Entries<C>, Error> {
    let mut survey = complete(dir.as_ref())?;
    let (codec, mut lanes) = (Arc::new(codec), vec![]);
    for one in Class::ALL.into_iter().filter(|one| class.is_none_or(|class| class == *one)) {
        let segments = std::mem::take(&mut survey.segments[one.index()]);
        let end = segments.back().map_or(End { offset: 0, seq: 0 }, |last| End {
            offset: last.end,
            seq: last.end_seq.unwrap_or(last.first_seq),
        });
        let dir = dir.as_ref().join(one.as_str());
        let catalogue = Mutex::new(Catalogue::new(&dir, segments, end, BTreeSet::new()));
        let (counters, full) = (Counters::default(), AtomicBool::new(false));
        let log = Log { class: one, dir, catalogue, quarantine_bytes_max: 0, counters, full, read_only: true };
        lanes.push(Source::new(Arc::new(log), codec.clone(), from));
    }
    let scope = class.map_or(Scope::All, Scope::One);
    Ok(Entries { merge: Merge::new(lanes, scope, from) })
}

impl<C: Codec> Entries<C> {
    /// The next offset it will look at.
    pub fn position(&self) -> u64 {
        self.merge.position()
    }

    /// Up to `items_max` entries (at least one), or what is lost; `None` at the end. Reads on this thread.
    pub fn next(&mut self, items_max: usize) -> Result<Option<Fetched<C::Item>>, Error> {
        let end = self.merge.end();
        self.merge.fetch(items_max.max(1), end)
    }
}
