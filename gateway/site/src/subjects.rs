//! Which subjects: filters with MQTT wildcards.

use crate::report::Report;
use crate::section::{Found, Section};
use edgeway_sdk::{Problem, did_you_mean};
use edgeway_thing_models::Filter;
use std::sync::Arc;

/// The first levels of subjects.
const KINDS: [&str; 8] = ["property", "event", "status", "stream", "scene", "command", "notify", "ledger"];

/// The right ones of a list of filters; `None` if there is no list. The others are reported.
pub(crate) fn read(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<Vec<Found<Filter>>> {
    let texts = section.texts(key, report)?;
    Some(texts.iter().filter_map(|found| filter(found, report)).collect())
}

/// The filters without their places.
pub(crate) fn values(found: Vec<Found<Filter>>) -> Vec<Filter> {
    found.into_iter().map(|found| found.value).collect()
}

/// `property` of `property/#`; a wildcard is one as well.
pub(crate) fn kind(filter: &str) -> &str {
    filter.split('/').next().unwrap_or_default()
}

fn filter(found: &Found<Arc<str>>, report: &mut Report) -> Option<Found<Filter>> {
    let kind = kind(&found.value);
    match Filter::new(&found.value) {
        Err(error) => report.add(&found.mark, Problem::new(found.mark.say(error))),
        Ok(_) if !KINDS.contains(&kind) && !["+", "#"].contains(&kind) => {
            let problem = Problem::new(format!("no subject begins with `{kind}`"));
            report.add(&found.mark, problem.maybe_help(did_you_mean(kind, KINDS)));
        }
        Ok(value) => return Some(Found { value, mark: found.mark.clone() }),
    }
    None
}
