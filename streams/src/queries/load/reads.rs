//! Which properties of devices a query depends on.

use super::Planned;
use crate::catalog::{Catalog, Feed};
use edgeway_thing_models::{ModelIx, PropertyIx, Things};
use std::collections::BTreeSet;

/// For each block the properties that it reads, of itself or through those before it.
pub(super) fn reads(things: &Things, planned: &[Planned], catalog: &Catalog) -> Vec<BTreeSet<(ModelIx, PropertyIx)>> {
    let mut all: Vec<BTreeSet<(ModelIx, PropertyIx)>> = vec![];
    for block in planned {
        let mut own = BTreeSet::new();
        for (feed, columns) in block.feeds.iter().zip(&block.plan.columns) {
            match feed {
                Feed::Reports(model) => own.extend(properties(things, *model, *feed, columns, catalog)),
                Feed::Query(at) => own.extend(all.get(*at).into_iter().flatten().copied()),
                _ => {}
            }
        }
        all.push(own);
    }
    all
}

/// The properties that columns hold, be it a part of them or their quality.
fn properties(
    things: &Things,
    model: ModelIx,
    feed: Feed,
    columns: &[usize],
    catalog: &Catalog,
) -> Vec<(ModelIx, PropertyIx)> {
    let Some(table) = catalog.tables().find(|table| table.feed == feed) else { return vec![] };
    let names = columns.iter().filter_map(|at| table.schema.fields().get(*at)).map(|field| field.name().as_str());
    let property = |name: &str| {
        let name = name.split_once('.').map_or(name, |(property, _)| property);
        things.model(model).property(name).map(|(property, _)| (model, property))
    };
    names.filter_map(property).collect()
}
