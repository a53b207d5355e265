//! `models/*.json`: the ready-made models and the site's own, which go before ready-made ones of the same name.

use crate::folder::Folder;
use crate::report::{Mark, Report};
use edgeway_thing_models::{Model, Things, ready_made};
use std::sync::Arc;

/// The models of a site.
pub(crate) struct Models {
    pub(crate) things: Things,
    /// Names of own models that could not be read; what uses them cannot be judged.
    pub(crate) broken: Vec<Arc<str>>,
}

pub(crate) fn read(folder: &Folder, report: &mut Report) -> Models {
    let (mut own, mut broken) = (vec![], vec![]);
    for (file, source) in folder.sources("models", "json", report) {
        match Model::parse(&source.name, &source.text) {
            Ok(model) => own.push(model),
            Err(problems) => {
                problems.into_iter().for_each(|problem| report.add(&Mark::file(file), problem));
                broken.push(source.name);
            }
        }
    }
    let is_own = |name: &Arc<str>| broken.contains(name) || own.iter().any(|model| model.name == *name);
    let ready: Vec<Model> = ready_made().into_iter().filter(|model| !is_own(&model.name)).collect();
    let mut things = Things::default();
    for model in ready.into_iter().chain(own) {
        things.add_model(Arc::new(model));
    }
    Models { things, broken }
}
