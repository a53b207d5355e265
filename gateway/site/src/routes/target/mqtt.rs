//! An MQTT broker.

pub(super) mod preset;

use super::Around;
use super::address::{self, Scheme, Tail, Tls, Wanted};
use super::tls;
use crate::report::Report;
use crate::routes::topic;
use crate::section::{Found, Section};
use crate::site::{MqttPreset, MqttTarget, MqttVersion, TargetKind, Transport};
use edgeway_sdk::Problem;
use std::sync::Arc;
use std::time::Duration;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const INFLIGHT: u16 = 20;
/// Placeholders of the topics of commands and replies.
const TOPIC: [&str; 2] = ["site", "device"];
const VERSIONS: [(&str, MqttVersion); 2] = [("5", MqttVersion::V5), ("3.1.1", MqttVersion::V3)];

const URL: Wanted = Wanted {
    noun: "an MQTT broker",
    schemes: [
        Scheme { name: "mqtt", tls: Tls::Without, port: 1883 },
        Scheme { name: "mqtts", tls: Tls::With, port: 8883 },
    ],
    tail: Tail::Nothing,
    help: "`mqtt://host:1883`, or `mqtts://host:8883` with TLS; user and password are keys of their own",
};

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let url = section.required("url", report);
    let address = url.and_then(|url| address::read(&url, &URL, report));
    let transport = transport(section, address.as_ref().map(|address| address.tls), around, report);
    let preset = preset::read(section, report);
    let version = section.choice("version", &VERSIONS, report);
    let client_id = section.text("client_id", report).map(|found| found.value.to_string());
    let client_id = client_id.unwrap_or_else(|| format!("edgeway-{}-{}", around.names.site, around.name));
    let host = address.as_ref().map_or("", |address| &address.host);
    let login = preset::login(preset, section, preset::Place { host, client_id: &client_id }, report);
    if address.is_some() {
        preset::check_transport(preset, &transport, section, report);
    }
    let seconds = Duration::from_secs(1)..=Duration::from_secs(65_535);
    let keep_alive = section.duration("keep_alive", seconds, report).map_or(KEEP_ALIVE, |found| found.value);
    let inflight = section.int("inflight", 1..=65_535, report).map_or(INFLIGHT, |found| found.value as u16);
    let (commands, replies) = commands(section, preset, around, report);
    let address = address?;
    Some(TargetKind::Mqtt(Box::new(MqttTarget {
        host: address.host,
        port: address.port,
        transport,
        version: version.map_or_else(|| preset::version(preset), |found| found.value),
        preset,
        client_id,
        username: login.username,
        password: login.password,
        keep_alive,
        inflight,
        commands,
        replies,
    })))
}

fn transport(section: &mut Section<'_>, tls: Option<Tls>, around: &Around<'_>, report: &mut Report) -> Transport {
    let files = tls::files(section, tls, "write the URL with `mqtts://`", around, report);
    if let (None, Some(_), Some(Tls::With), Some(cert)) = (&files.ca, &files.identity, tls, section.entry("cert")) {
        let problem = Problem::new(cert.mark.say("a certificate of the gateway's own needs `ca` too"));
        report.add(&cert.node.mark, problem.help("name the file with the broker's certificate authority"));
    }
    match tls {
        Some(Tls::With) => Transport::Tls { ca: files.ca, identity: files.identity },
        Some(Tls::Without) | None => Transport::Plain,
    }
}

/// The topics of commands and of their results.
fn commands(
    section: &mut Section<'_>,
    preset: MqttPreset,
    around: &Around<'_>,
    report: &mut Report,
) -> (Option<String>, Option<String>) {
    if !preset::takes_commands(preset) {
        for key in ["commands", "replies"] {
            let why = format!("the platform of this preset has a form of its own for `{key}`");
            section.forbid(key, &why, &format!("leave `{key}` out"), report);
        }
        return (None, None);
    }
    let commands = section.text("commands", report);
    let replies = section.text("replies", report);
    if let Some(found) = commands.as_ref().filter(|found| !found.value.split('/').any(|level| level == "{device}")) {
        let problem = Problem::new(found.mark.say("the topic of commands must have a level `{device}`"));
        report.add(&found.mark, problem.help("`edgeway/{site}/command/{device}`"));
    }
    if let (None, Some(found)) = (&commands, &replies) {
        report.add(&found.mark, Problem::new(found.mark.say("`replies` without `commands`")));
    }
    let mut read =
        |found: Option<Found<Arc<str>>>| found.map(|found| topic::read(&found, &TOPIC, around.names.site, report));
    (read(commands), read(replies))
}
