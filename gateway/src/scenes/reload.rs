//! The scenes of a site's folder as it is now, taken in while the gateway runs.

use super::{SceneHost, tell};
use crate::program;
use edgeway_rules::{SceneInfo, Scenes};
use edgeway_site::Finding;
use edgeway_streams::QueryInfo;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tracing::info;

/// What came of it, by the names of scenes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// They were not there before.
    pub(crate) added: Vec<Arc<str>>,
    /// They are gone, and their runs with them.
    pub(crate) removed: Vec<Arc<str>>,
    /// Their words have changed.
    pub(crate) changed: Vec<Arc<str>>,
    /// They go on as if nothing had happened.
    pub(crate) kept: Vec<Arc<str>>,
    /// Scenes whose runs have ended, and why.
    pub(crate) abandoned: Vec<(Arc<str>, String)>,
    /// What is probably not meant that way.
    pub(crate) warnings: Vec<Finding>,
}

/// Why the scenes stay as they were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// There are mistakes in the folder.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Finding>),
    /// One at a time.
    #[error("the scenes are being reloaded already")]
    UnderWay,
}

impl SceneHost {
    /// Puts the scenes of a site's folder in the place of those that run. They are compiled beside them; those that run
    /// go on meanwhile. Scenes whose words have not changed go on with their runs, clocks and counters.
    ///
    /// # Errors
    /// All mistakes in the folder; then all stays as it is.
    pub(crate) fn reload(&self, root: &Path, queries: &[QueryInfo]) -> Result<Reloaded, ReloadError> {
        self.start();
        let _one_at_a_time = self.reloading.try_lock().ok_or(ReloadError::UnderWay)?;
        let site = program::read(root).map_err(ReloadError::Mistakes)?;
        let (new, warnings) =
            program::compile_scenes(&self.things, &site, Some(queries)).map_err(ReloadError::Mistakes)?;
        let mut reloaded = self.act(None, |scenes, now, effects| {
            let mut reloaded = compare(scenes, &new);
            let old = std::mem::replace(scenes, new);
            let restored = scenes.take_over(now, old, effects);
            tell(&restored);
            reloaded.abandoned = restored.abandoned;
            reloaded
        });
        reloaded.warnings = warnings;
        info!(
            added = reloaded.added.len(),
            changed = reloaded.changed.len(),
            removed = reloaded.removed.len(),
            kept = reloaded.kept.len(),
            "The scenes were reloaded."
        );
        Ok(reloaded)
    }
}

fn compare(old: &Scenes, new: &Scenes) -> Reloaded {
    let by_name = |scenes: &Scenes| -> BTreeMap<Arc<str>, SceneInfo> {
        scenes.list().into_iter().map(|scene| (scene.name.clone(), scene)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut reloaded = Reloaded::default();
    for (name, scene) in &new {
        let list = match old.get(name) {
            None => &mut reloaded.added,
            Some(before) if before.version == scene.version => &mut reloaded.kept,
            Some(_) => &mut reloaded.changed,
        };
        list.push(name.clone());
    }
    reloaded.removed = old.into_keys().filter(|name| !new.contains_key(name)).collect();
    reloaded
}
