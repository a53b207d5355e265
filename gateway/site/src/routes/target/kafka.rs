//! Kafka.

use super::Around;
use super::address::{Tls, host_and_port};
use super::{login, tls};
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::{KafkaTarget, Secret, TargetKind};
use edgeway_sdk::Problem;
use std::sync::Arc;

const COMPRESSION: &str = "lz4";
const COMPRESSIONS: [(&str, &str); 5] =
    [("none", "none"), ("gzip", "gzip"), ("lz4", "lz4"), ("zstd", "zstd"), ("snappy", "snappy")];
const MECHANISMS: [(&str, &str); 3] =
    [("PLAIN", "PLAIN"), ("SCRAM-SHA-256", "SCRAM-SHA-256"), ("SCRAM-SHA-512", "SCRAM-SHA-512")];

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let brokers = brokers(section, report);
    let sasl = sasl(section, report);
    let encrypted = tls::switch(section, report);
    let files = tls::files(section, Some(encrypted), "tls = \"on\"", around, report);
    let compression = section.choice("compression", &COMPRESSIONS, report).map_or(COMPRESSION, |found| found.value);
    Some(TargetKind::Kafka(Box::new(KafkaTarget {
        brokers: brokers?,
        sasl,
        tls: (encrypted == Tls::With).then_some(files),
        compression: compression.to_owned(),
    })))
}

fn brokers(section: &mut Section<'_>, report: &mut Report) -> Option<Vec<String>> {
    let found = section.some_texts("brokers", "[\"host:9092\"]", report)?;
    let right = found.iter().filter(|broker| check_broker(broker, report)).count() == found.len();
    right.then(|| found.iter().map(|broker| broker.value.to_string()).collect())
}

fn check_broker(found: &Found<Arc<str>>, report: &mut Report) -> bool {
    let right = host_and_port(&found.value, None).is_some();
    if !right {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a broker of Kafka", found.value)));
        report.add(&found.mark, problem.help("host and port, such as `kafka.example.com:9092`"));
    }
    right
}

/// `sasl`, `username` and `password`, all or none.
fn sasl(section: &mut Section<'_>, report: &mut Report) -> Option<(String, String, Secret)> {
    let mechanism = section.choice("sasl", &MECHANISMS, report);
    if section.entry("sasl").is_none() {
        for key in ["username", "password"] {
            let why = format!("`{key}` has a meaning with `sasl` alone");
            section.forbid(key, &why, "sasl = \"SCRAM-SHA-512\", or what the brokers want", report);
        }
        return None;
    }
    section.required("username", report);
    let (username, password) = login::pair(section, report)?;
    Some((mechanism?.value.to_owned(), username, password))
}
