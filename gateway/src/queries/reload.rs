//! The queries of a site's folder as it is now, taken in while the gateway runs.

use super::QueryHost;
use super::warm::Warm;
use crate::program;
use crate::router::Select;
use edgeway_sdk::Timestamp;
use edgeway_site::{Finding, RouteSite};
use edgeway_streams::{Queries, QueryInfo, StateError};
use edgeway_thing_models::Things;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tracing::info;

/// How often the queries are run after before it is given up.
const ROUNDS: usize = 20;

/// What came of it, by the names of queries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// They were not there before.
    pub(crate) added: Vec<Arc<str>>,
    /// They are gone, and what they remembered is.
    pub(crate) removed: Vec<Arc<str>>,
    /// They go on with what they remember.
    pub(crate) kept: Vec<Arc<str>>,
    /// They have changed, or what they read has, and what they remembered does not fit.
    pub(crate) anew: Vec<Arc<str>>,
    /// When the gateway got the first message that new ones have seen.
    pub(crate) warm_since: Option<Timestamp>,
    /// How many messages behind it could not be read.
    pub(crate) warm_lost: u64,
}

/// Why the queries stay as they were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// There are mistakes in the folder.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Finding>),
    /// One at a time.
    #[error("the queries are being reloaded already")]
    UnderWay,
    /// What the queries remember cannot be passed on.
    #[error("what the queries remember cannot be passed on: {0}")]
    State(StateError),
    /// The past cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(edgeway_journal::Error),
    /// Queries that read the past do not get to where those are that run.
    #[error("the queries that run are catching up with the journal")]
    Behind,
}

/// What the queries of the folder have to fit.
pub(crate) struct Running<'a> {
    pub(crate) things: &'a Arc<Things>,
    pub(crate) routes: &'a [RouteSite],
}

impl QueryHost {
    /// Puts the queries of a site's folder in the place of those that run. They are planned beside them, which takes half a
    /// millisecond each, and brought to what they would remember had they run since `warm_since`. Those that run go on
    /// meanwhile.
    ///
    /// # Errors
    /// All mistakes in the folder, and why it cannot be now; then all stays as it is.
    pub(crate) fn reload(
        &self,
        root: &Path,
        running: &Running<'_>,
        warm_since: Option<Timestamp>,
    ) -> Result<Reloaded, ReloadError> {
        let _one_at_a_time = self.reloading.try_lock().ok_or(ReloadError::UnderWay)?;
        let site = program::read(root).map_err(ReloadError::Mistakes)?;
        let plan = || program::compile_queries(running.things, &site).map_err(ReloadError::Mistakes);
        let new = plan()?;
        check_routes(running, &new.list())?;
        let reloaded = match warm_since {
            None => self.replace(new, None, &mut self.queries.lock())?,
            Some(since) => self.replace_warm(new, Warm::new(plan()?, &self.journal, since))?,
        };
        info!(added = ?reloaded.added, removed = ?reloaded.removed, anew = ?reloaded.anew, "The queries are reloaded.");
        self.hold();
        Ok(reloaded)
    }

    /// Reads the past until so little is left that the others can wait for it.
    fn replace_warm(&self, new: Queries, mut warm: Warm) -> Result<Reloaded, ReloadError> {
        for _ in 0..ROUNDS {
            warm.reach(self.with(Queries::next_offset).unwrap_or_default()).map_err(ReloadError::Journal)?;
            let mut queries = self.queries.lock();
            let next = queries.next_offset().unwrap_or_default();
            if warm.is_close_to(next) {
                warm.reach(next).map_err(ReloadError::Journal)?;
                let replaced = self.replace(new, Some(&mut warm.queries), &mut queries)?;
                return Ok(Reloaded { warm_since: warm.since, warm_lost: warm.lost, ..replaced });
            }
        }
        Err(ReloadError::Behind)
    }

    fn replace(
        &self,
        mut new: Queries,
        warm: Option<&mut Queries>,
        queries: &mut Queries,
    ) -> Result<Reloaded, ReloadError> {
        let anew = new.take_over(Timestamp::now(), queries, warm).map_err(ReloadError::State)?.anew;
        let reloaded = compare(&queries.list(), &new.list(), &anew);
        *queries = new;
        Ok(reloaded)
    }
}

/// The SQL of the routes that run has to fit the queries as they would be.
fn check_routes(running: &Running<'_>, queries: &[QueryInfo]) -> Result<(), ReloadError> {
    let mistakes = running.routes.iter().filter_map(|route| Select::new(route, running.things, queries).err());
    let mistakes: Vec<Finding> = mistakes.flatten().collect();
    if mistakes.is_empty() { Ok(()) } else { Err(ReloadError::Mistakes(mistakes)) }
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
        ..Reloaded::default()
    }
}
