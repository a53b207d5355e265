//! Which messages a route takes.

use edgeway_sdk::DeviceIx;
use edgeway_site::RouteSite;
use edgeway_thing_models::{Body, EventIx, Filter, Message, Things};
use std::collections::HashMap;

/// The subjects of a route. Subjects of devices repeat, so their verdicts are remembered by number and no text is made.
pub(super) struct Select {
    subjects: Vec<Filter>,
    except: Vec<Filter>,
    verdicts: HashMap<Known, bool>,
}

#[derive(PartialEq, Eq, Hash)]
enum Known {
    Report(DeviceIx),
    Event(DeviceIx, EventIx),
    Status(DeviceIx),
    Command(DeviceIx),
}

impl Select {
    pub(super) fn new(site: &RouteSite) -> Self {
        Select { subjects: site.subjects.clone(), except: site.except.clone(), verdicts: HashMap::new() }
    }

    pub(super) fn takes(&mut self, message: &Message, things: &Things) -> bool {
        let Some(known) = known(message) else { return self.judge(&message.subject(things)) };
        if let Some(verdict) = self.verdicts.get(&known) {
            return *verdict;
        }
        let verdict = self.judge(&message.subject(things));
        self.verdicts.insert(known, verdict);
        verdict
    }

    fn judge(&self, subject: &str) -> bool {
        let any = |filters: &[Filter]| filters.iter().any(|filter| filter.matches(subject));
        any(&self.subjects) && !any(&self.except)
    }
}

fn known(message: &Message) -> Option<Known> {
    match &message.body {
        Body::Report(report) => Some(Known::Report(report.device)),
        Body::Event(event) => Some(Known::Event(event.device, event.event)),
        Body::Status(status) => Some(Known::Status(status.device)),
        Body::Command(record) => Some(Known::Command(record.command.device)),
        Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => None,
    }
}
