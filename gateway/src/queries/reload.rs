//! The queries of a site's folder as it is now, taken in while the gateway runs.

use super::QueryHost;
use super::warm::Warm;
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

/// How often the journal's end is gone after before the last messages are read.
const ROUNDS: usize = 3;

/// What came of it, by the names of queries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// They were not there before.
    pub(crate) added: Vec<Arc<str>>,
    /// They are gone, and what they remembered is.
    pub(crate) removed: Vec<Arc<str>>,
    /// They are there as before, or what they remember still fits.
    pub(crate) kept: Vec<Arc<str>>,
    /// They have changed, or what they read has, and what they remembered does not fit.
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

/// Puts the queries of a site's folder in the place of those that run. They are planned beside them, which takes half a
/// millisecond each, and brought to what they would remember had they run since `warm_since`. Those that run go on meanwhile.
///
/// # Errors
/// All mistakes in the folder; then all stays as it is.
pub(crate) fn reload(
    host: &QueryHost,
    root: &Path,
    things: &Arc<Things>,
    warm_since: Option<Timestamp>,
) -> Result<Reloaded, ReloadError> {
    let plan = || plan(root, things).map_err(ReloadError::Mistakes);
    let new = plan()?;
    let warm = warm_since.map(|since| Ok(Warm::new(plan()?, &host.journal, since))).transpose()?;
    host.replace(new, warm).map_err(ReloadError::State)
}

/// The queries of a folder, over the things that the gateway knows.
fn plan(root: &Path, things: &Arc<Things>) -> Result<Queries, Vec<Finding>> {
    let site = edgeway_site::load(root, &program::drivers()).map_err(|failed| failed.findings)?.site;
    let queries = program::compile_queries(things, &site)?;
    // The SQL of routes has to fit the queries as they would be.
    let infos = queries.list();
    let mistakes = site.routes.iter().filter_map(|route| Select::new(route, things, &infos).err());
    let mistakes: Vec<Finding> = mistakes.flatten().collect();
    if mistakes.is_empty() { Ok(queries) } else { Err(mistakes) }
}

impl QueryHost {
    /// Puts other queries in the place of those that run, between two messages.
    fn replace(&self, mut new: Queries, mut warm: Option<Warm>) -> Result<Reloaded, StateError> {
        let next = || self.with(Queries::next_offset).unwrap_or_default();
        if let Some(warm) = &mut warm {
            // What comes while it reads is read as well, so that little is left for the moment when all others wait.
            (0..ROUNDS).for_each(|_| warm.reach(next()));
        }
        let mut queries = self.queries.lock();
        if let Some(warm) = &mut warm {
            warm.reach(queries.next_offset().unwrap_or_default());
        }
        let warm = warm.as_mut().map(Warm::queries);
        let anew = new.take_over(Timestamp::now(), &mut queries, warm)?.anew;
        let reloaded = compare(&queries.list(), &new.list(), &anew);
        *queries = new;
        drop(queries);
        info!(added = ?reloaded.added, removed = ?reloaded.removed, anew = ?reloaded.anew, "The queries are reloaded.");
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
