//! Which table a message goes into.

use super::names::snake_case;
use crate::Item;
use crate::runs::runs;
use edgeway_thing_models::{Body, EventIx, Message, ModelIx, Selected, Things};
use std::ops::Range;
use std::sync::Arc;

/// A table. Models are told apart by number: two of the same name, one of them retired, may differ in their columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Report(ModelIx),
    Event(ModelIx, EventIx),
    Status,
    Row(Arc<str>, Arc<[Arc<str>]>),
    Firing,
    Command(ModelIx),
    Notice,
    Ledger,
    Balance,
    Selected(Arc<[Arc<str>]>),
}

impl Kind {
    pub(super) fn of(message: &Message, selected: Option<&Selected>, things: &Things) -> Self {
        if let Some(selected) = selected {
            return Kind::Selected(selected.columns.clone());
        }
        let model = |device| things.device(device).model;
        match &message.body {
            Body::Report(report) => Kind::Report(model(report.device)),
            Body::Event(event) => Kind::Event(model(event.device), event.event),
            Body::Status(_) => Kind::Status,
            Body::Row(row) => Kind::Row(row.query.clone(), row.columns.clone()),
            Body::Firing(_) => Kind::Firing,
            Body::Command(record) => Kind::Command(model(record.command.device)),
            Body::Notice(_) => Kind::Notice,
            Body::Ledger(_) => Kind::Ledger,
            Body::Balance(_) => Kind::Balance,
        }
    }

    pub(super) fn name(&self, things: &Things) -> String {
        let model = |ix: &ModelIx| snake_case(&things.model(*ix).name);
        match self {
            Kind::Report(ix) => format!("property/{}", model(ix)),
            Kind::Event(ix, event) => {
                let event = &things.model(*ix).events[usize::from(event.0)];
                format!("event/{}/{}", model(ix), snake_case(&event.identifier))
            }
            Kind::Status => "status".into(),
            Kind::Row(query, _) => format!("stream/{}", snake_case(query)),
            Kind::Firing => "scene".into(),
            Kind::Command(ix) => format!("command/{}", model(ix)),
            Kind::Notice => "notify".into(),
            Kind::Ledger => "ledger".into(),
            Kind::Balance => "balance".into(),
            Kind::Selected(_) => "route".into(),
        }
    }
}

/// Cuts items where the table changes.
pub(crate) fn runs_of_tables(items: &[Item], things: &Things) -> Vec<Range<usize>> {
    runs(items, |item| Kind::of(&item.message, item.selected.as_deref(), things))
}
