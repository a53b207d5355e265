//! Finding a journal, and what its messages speak of.

use super::{Failure, told};
use crate::program;
use crate::spine::MessageJournal;
use edgeway_codec::{MessageCodec, names};
use edgeway_journal::{Class, Placement};
use edgeway_thing_models::{GatewayId, Things};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal's folder, and the site it belongs to as far as there is one.
pub(in crate::cli) struct Journal {
    pub(in crate::cli) dir: PathBuf,
    things: Things,
    pub(in crate::cli) gateway: GatewayId,
}

impl Journal {
    /// From a site's folder, a data folder, or the journal's own. A site with mistakes in it is good enough.
    pub(in crate::cli) fn find(folder: &Path) -> Result<Journal, Failure> {
        let site =
            folder.join("edgeway.toml").is_file().then(|| match edgeway_site::load(folder, &program::drivers()) {
                Ok(loaded) => Some(loaded.site),
                Err(failed) => failed.partial.map(|site| *site),
            });
        let site = site.flatten();
        let data = site.as_ref().map_or_else(|| folder.to_owned(), |site| site.data.clone());
        let candidates = [data.join("journal"), folder.join("data/journal"), folder.to_owned()];
        let dir = candidates.into_iter().find(|dir| dir.join("cursors").is_file());
        let dir = dir.ok_or_else(|| {
            format!("there is no journal in {} (name a site's folder, or the journal's own)", folder.display())
        })?;
        let id = dir.parent().and_then(|data| std::fs::read_to_string(data.join("id")).ok()).unwrap_or_default();
        Ok(Journal { dir, things: site.map(|site| site.things).unwrap_or_default(), gateway: GatewayId::of(id.trim()) })
    }

    /// What is needed to read its messages: the names in its segments tell what the site no longer does.
    pub(in crate::cli) fn codec(self) -> Result<(Arc<Things>, MessageCodec), Failure> {
        let mut things = self.things;
        for preamble in MessageJournal::preambles(&self.dir).map_err(told)? {
            if let Some(names) = names(&preamble) {
                things.remember(&names);
            }
        }
        let things = Arc::new(things);
        let codec = MessageCodec::new(things.clone(), Box::new(|_| Placement::Disk(Class::Normal)));
        Ok((things, codec))
    }
}
