//! A web service that takes batches by POST.

use super::Around;
use super::address::{self, Scheme, Tail, Tls, Wanted};
use super::{login, tls};
use crate::report::Report;
use crate::section::{Section, refuse};
use crate::site::{HttpAuth, HttpTarget, Secret, TargetKind};
use crate::tree::Entry;
use edgeway_sdk::Problem;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT_MAX: Duration = Duration::from_secs(600);
/// Headers that the gateway writes itself.
const OWN: [&str; 6] =
    ["content-type", "content-length", "host", "transfer-encoding", "idempotency-key", "edgeway-message-ids"];

const URL: Wanted = Wanted {
    noun: "a web service",
    schemes: [
        Scheme { name: "http", tls: Tls::Without, port: 80 },
        Scheme { name: "https", tls: Tls::With, port: 443 },
    ],
    tail: Tail::Path,
    help: "`http://host/path`, or `https://host/path` with TLS; logins are keys of their own",
};

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let url = section.required("url", report);
    let address = url.as_ref().and_then(|url| address::read(url, &URL, report));
    let auth = auth(section, report);
    let headers = headers(section, report);
    let encrypted = address.as_ref().map(|address| address.tls);
    let tls = tls::files(section, encrypted, "write the URL with `https://`", around, report);
    let timeout = section.duration("timeout", Duration::from_secs(1)..=TIMEOUT_MAX, report);
    address?;
    Some(TargetKind::Http(Box::new(HttpTarget {
        url: url?.value.to_string(),
        auth,
        headers,
        tls,
        timeout: timeout.map_or(TIMEOUT, |found| found.value),
    })))
}

fn auth(section: &mut Section<'_>, report: &mut Report) -> HttpAuth {
    let user = login::pair(section, report);
    let token = login::secret(section, "token", report);
    if let (Some(_), Some(entry)) = (section.entry("username"), section.entry("token")) {
        let problem = Problem::new(entry.mark.say("more than one way to log in"));
        report.add(&entry.mark, problem.help("`username` and `password`, or `token`"));
    }
    match (user, token) {
        (Some((username, password)), _) => HttpAuth::Basic { username, password },
        (None, Some(token)) => HttpAuth::Bearer(token),
        (None, None) => HttpAuth::None,
    }
}

fn headers(section: &mut Section<'_>, report: &mut Report) -> Vec<(String, Secret)> {
    let has_login = section.entry("username").is_some() || section.entry("token").is_some();
    let table = section.table("headers", report);
    let entries = table.map(|table| table.entries.as_slice()).unwrap_or_default();
    for entry in entries.iter().filter(|_| has_login).filter(|entry| is(entry, "authorization")) {
        let problem = Problem::new(entry.mark.say("more than one way to log in"));
        report.add(&entry.mark, problem.help("leave the header or the keys of the login out"));
    }
    entries.iter().filter_map(|entry| header(entry, report)).collect()
}

fn is(entry: &Entry, name: &str) -> bool {
    entry.name.eq_ignore_ascii_case(name)
}

fn header(entry: &Entry, report: &mut Report) -> Option<(String, Secret)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if entry.name.is_empty() || !entry.name.chars().all(is_token) {
        report.add(&entry.mark, Problem::new(entry.mark.say(format!("`{}` cannot be a header", entry.name))));
    }
    if OWN.iter().any(|own| is(entry, own)) {
        let problem = Problem::new(entry.mark.say(format!("the gateway writes the header `{}` itself", entry.name)));
        report.add(&entry.mark, problem.help("leave it out"));
    }
    let visible = |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    match entry.node.item.text().filter(|text| visible(text)) {
        Some(text) => Some((entry.name.to_string(), Secret::new(&**text))),
        None => {
            refuse_header(entry, report);
            None
        }
    }
}

/// Without the value, which may be a secret.
fn refuse_header(entry: &Entry, report: &mut Report) {
    if entry.node.item.text().is_none() {
        return refuse(entry, "a text", report);
    }
    let message = format!("the header `{}` has characters that no header can have", entry.name);
    report.add(&entry.node.mark, Problem::new(entry.mark.say(message)).help("visible ASCII characters and spaces"));
}
