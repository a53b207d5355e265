//! The queries of a site's folder as it is now, taken in while the gateway runs.

use super::QueryHost;
use crate::program;
use crate::router::Select;
use edgeway_sdk::Timestamp;
use edgeway_site::Finding;
use edgeway_streams::{Queries, QueryInfo, StateError};
use edgeway_thing_models::Things;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tracing::info;

/// What came of it, by the names of queries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// They were not there before.
    pub(crate) added: Vec<Arc<str>>,
    /// They are gone, and what they remembered is.
    pub(crate) removed: Vec<Arc<str>>,
    /// They are there as before, or what they remember still fits.
    pub(crate) kept: Vec<Arc<str>>,
    /// They have changed, or what they read has, and begin with nothing.
    pub(crate) anew: Vec<Arc<str>>,
}

/// Why the queries stay as they were.
#[derive(Debug)]
pub(crate) enum ReloadError {
    /// There are mistakes in the folder.
    Mistakes(Vec<Finding>),
    /// What the queries remember cannot be passed on.
    State(StateError),
}

/// Reads a site's folder and plans its queries over the things that the gateway knows, which takes half a millisecond each.
/// Those that run go on meanwhile.
///
/// # Errors
/// All mistakes in the folder, and in the SQL of its routes for the queries as they would be.
pub(crate) fn plan(root: &Path, things: &Arc<Things>) -> Result<Queries, Vec<Finding>> {
    let site = edgeway_site::load(root, &program::drivers()).map_err(|failed| failed.findings)?.site;
    let queries = program::compile_queries(things, &site)?;
    let infos = queries.list();
    let mistakes = site.routes.iter().filter_map(|route| Select::new(route, things, &infos).err());
    let mistakes: Vec<Finding> = mistakes.flatten().collect();
    if mistakes.is_empty() { Ok(queries) } else { Err(mistakes) }
}

impl QueryHost {
    /// Puts other queries in the place of those that run, between two messages.
    ///
    /// # Errors
    /// If the state cannot be passed on; then the old ones go on.
    pub(crate) fn replace(&self, mut new: Queries) -> Result<Reloaded, StateError> {
        let mut queries = self.queries.lock();
        let anew = new.take_over(Timestamp::now(), &mut queries)?.anew;
        let reloaded = compare(&queries.list(), &new.list(), &anew);
        *queries = new;
        drop(queries);
        info!(added = ?reloaded.added, removed = ?reloaded.removed, anew = ?reloaded.anew, "The queries are reloaded.");
        // A crash before this is on disk would let new queries begin at an earlier message.
        self.hold();
        Ok(reloaded)
    }
}

fn compare(before: &[QueryInfo], after: &[QueryInfo], anew: &[Arc<str>]) -> Reloaded {
    let names = |list: &[QueryInfo]| list.iter().map(|query| query.name.clone()).collect::<BTreeSet<_>>();
    let (before, after) = (names(before), names(after));
    let (anew, kept) = before.intersection(&after).cloned().partition(|name| anew.contains(name));
    Reloaded {
        added: after.difference(&before).cloned().collect(),
        removed: before.difference(&after).cloned().collect(),
        kept,
        anew,
    }
}
