//! `sparkplug = { group, node }`: the ids of an edge node.

use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::FormatSite;
use edgeway_sdk::Problem;
use std::sync::Arc;

pub(super) fn read(section: &mut Section<'_>, site: &str, report: &mut Report) -> FormatSite {
    let mut ids = (String::new(), site.to_owned());
    match section.table("sparkplug", report) {
        None if section.entry("sparkplug").is_none() => {
            let problem = Problem::new(section.mark().say("Sparkplug needs the id of a group"));
            report.add(section.mark(), problem.help("sparkplug = { group = \"plant\", node = \"line-1\" }"));
        }
        None => {}
        Some(table) => {
            let mut part = Section::of(table);
            let group = part.required("group", report);
            let node = part.text("node", report);
            part.finish(&[], report);
            [&group, &node].into_iter().flatten().for_each(|found| check_id(found, report));
            ids.0 = group.map(|found| found.value.to_string()).unwrap_or_default();
            ids.1 = node.map_or(ids.1, |found| found.value.to_string());
        }
    }
    FormatSite::SparkplugB { group: ids.0, node: ids.1 }
}

/// Ids are levels of topics.
fn check_id(found: &Found<Arc<str>>, report: &mut Report) {
    if found.value.is_empty() || found.value.contains(['/', '+', '#', '\0']) {
        let problem = Problem::new(found.mark.say(format!("`{}` cannot be an id of Sparkplug", found.value)));
        report.add(&found.mark, problem.help("not empty, without `/`, `+` and `#`"));
    }
}
