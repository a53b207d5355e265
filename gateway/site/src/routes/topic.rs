//! MQTT topics with placeholders.

use crate::report::Report;
use crate::section::Found;
use edgeway_sdk::{Problem, did_you_mean};
use std::sync::Arc;

/// Replaces `{site}` and leaves the other placeholders; reports those that are not `allowed`.
pub(super) fn read(found: &Found<Arc<str>>, allowed: &[&str], site: &str, report: &mut Report) -> String {
    for name in placeholders(&found.value).filter(|name| !allowed.contains(name)) {
        let problem = Problem::new(found.mark.say(format!("unknown placeholder `{{{name}}}`")));
        report.add(&found.mark, problem.maybe_help(did_you_mean(name, allowed.iter().copied())));
    }
    if found.value.is_empty() || found.value.contains(['+', '#', '\0']) || found.value.len() > 1024 {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a topic to publish to", found.value)));
        report.add(&found.mark, problem.help("not empty, at most 1024 bytes, without `+` and `#`"));
    }
    found.value.replace("{site}", site)
}

/// The names in braces; a brace without its other half is one as well.
fn placeholders(topic: &str) -> impl Iterator<Item = &str> {
    topic.split('{').skip(1).map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name))
}
