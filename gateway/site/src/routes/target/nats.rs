//! NATS JetStream.

use super::Around;
use super::address::{self, Scheme, Tail, Tls, Wanted};
use super::{login, tls};
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::{NatsTarget, TargetKind};
use edgeway_sdk::Problem;
use std::sync::Arc;

const INFLIGHT: u16 = 256;

const URL: Wanted = Wanted {
    noun: "a NATS server",
    schemes: [
        Scheme { name: "nats", tls: Tls::Without, port: 4222 },
        Scheme { name: "tls", tls: Tls::With, port: 4222 },
    ],
    tail: Tail::Nothing,
    help: "`nats://host:4222`, or `tls://host:4222` with TLS; logins are keys of their own",
};

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let urls = section.some_texts("urls", "[\"nats://host:4222\"]", report);
    let encrypted = urls.as_ref().and_then(|urls| encryption(urls, report));
    let user = login::pair(section, report);
    let token = login::secret(section, "token", report);
    let credentials = tls::file(section, "credentials", around, report).map(|found| found.value);
    check_logins(section, report);
    let tls = tls::files(section, encrypted, "write the URLs with `tls://`", around, report);
    let stream = section.required("stream", report).filter(|found| check_stream(found, report));
    let create = section.texts("create", report).map(|found| subjects(&found, report));
    let inflight = section.int("inflight", 1..=65_535, report).map_or(INFLIGHT, |found| found.value as u16);
    encrypted?;
    Some(TargetKind::Nats(Box::new(NatsTarget {
        urls: urls?.into_iter().map(|found| found.value.to_string()).collect(),
        user,
        token,
        credentials,
        tls,
        stream: stream?.value.to_string(),
        create,
        inflight,
    })))
}

/// Whether the servers of a cluster want TLS; `None` if a URL is wrong.
fn encryption(urls: &[Found<Arc<str>>], report: &mut Report) -> Option<Tls> {
    let read: Vec<Option<Tls>> =
        urls.iter().map(|url| address::read(url, &URL, report).map(|address| address.tls)).collect();
    let first = *read.first()?;
    for (url, _) in urls.iter().zip(&read).filter(|(_, tls)| tls.is_some() && first.is_some() && **tls != first) {
        let problem = Problem::new(url.mark.say(format!("`{}` and `{}` are of one cluster", urls[0].value, url.value)));
        report.add(&url.mark, problem.help("all with `tls://` or none"));
    }
    if read.contains(&None) { None } else { first }
}

fn check_logins(section: &mut Section<'_>, report: &mut Report) {
    let mut given = ["username", "token", "credentials"].into_iter().filter_map(|key| section.entry(key)).skip(1);
    if let Some(second) = given.next() {
        let problem = Problem::new(second.mark.say("more than one way to log in"));
        report.add(&second.mark, problem.help("`username` and `password`, or `token`, or `credentials`"));
    }
}

fn check_stream(found: &Found<Arc<str>>, report: &mut Report) -> bool {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
    let right = !found.value.is_empty() && !found.value.contains(wrong);
    if !right {
        let problem = Problem::new(found.mark.say(format!("`{}` cannot be a stream", found.value)));
        report.add(&found.mark, problem.help("without spaces, `.`, `*`, `>`, `/` and `\\`"));
    }
    right
}

fn subjects(found: &[Found<Arc<str>>], report: &mut Report) -> Vec<String> {
    for subject in found.iter().filter(|found| !is_subject(&found.value)) {
        let problem = Problem::new(subject.mark.say(format!("`{}` is not a subject of NATS", subject.value)));
        report.add(&subject.mark, problem.help("such as `edgeway.>`"));
    }
    found.iter().map(|found| found.value.to_string()).collect()
}

fn is_subject(text: &str) -> bool {
    let tokens: Vec<&str> = text.split('.').collect();
    let is_token = |(at, token): (usize, &&str)| match *token {
        "*" => true,
        ">" => at + 1 == tokens.len(),
        token => !token.is_empty() && !token.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '>')),
    };
    tokens.iter().enumerate().all(is_token)
}
