//! What platforms want of their clients, as they document it: topics, payloads, logins.

use super::super::login;
use crate::report::Report;
use crate::routes::format::is_product_key;
use crate::section::{Found, Section};
use crate::site::{MqttPreset, MqttVersion, Secret, Transport};
use edgeway_sdk::Problem;
use std::sync::Arc;

/// AWS leaves topics to its users and recommends `dt/` for telemetry.
pub(in super::super) const TOPIC_AWS: &str = "dt/{site}/{subject}";
/// The gateway API of ThingsBoard.
pub(in super::super) const TOPIC_THINGSBOARD: &str = "v1/gateway/telemetry";
/// Telemetry of ThingsBoard's gateway API: by device a list of times and values. Values that could not be read are
/// left out, because the platform has no word for them.
pub(in super::super) const TEMPLATE_THINGSBOARD: &str = include_str!("thingsboard.j2");
/// The version of Azure's protocol that the login names.
const API_AZURE: &str = "2021-04-12";

const PRESETS: [(&str, MqttPreset); 5] = [
    ("generic", MqttPreset::Generic),
    ("alink", MqttPreset::Alink),
    ("aws-iot", MqttPreset::AwsIot),
    ("azure-iot-hub", MqttPreset::AzureIotHub),
    ("thingsboard", MqttPreset::ThingsBoard),
];

const USERS: &[MqttPreset] = &[MqttPreset::Generic, MqttPreset::AwsIot, MqttPreset::ThingsBoard];

/// Keys of logins, and the presets that have them.
const KEYS: [(&str, &[MqttPreset]); 7] = [
    ("username", USERS),
    ("password", USERS),
    ("product_key", &[MqttPreset::Alink]),
    ("device_name", &[MqttPreset::Alink]),
    ("device_secret", &[MqttPreset::Alink]),
    ("shared_access_key", &[MqttPreset::AzureIotHub]),
    ("token", &[MqttPreset::ThingsBoard]),
];

/// User and password, or what they are made from.
#[derive(Default)]
pub(super) struct Login {
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
}

/// What logins are made from besides keys of their own.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub(super) host: &'s str,
    pub(super) client_id: &'s str,
}

pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> MqttPreset {
    section.choice("preset", &PRESETS, report).map_or(MqttPreset::Generic, |found| found.value)
}

/// Azure: a device sends as itself, into one topic.
pub(in super::super) fn topic_azure(client_id: &str) -> String {
    format!("devices/{client_id}/messages/events/")
}

/// The version that a platform is sure to speak.
pub(super) fn version(preset: MqttPreset) -> MqttVersion {
    match preset {
        MqttPreset::Alink | MqttPreset::AzureIotHub => MqttVersion::V3,
        MqttPreset::Generic | MqttPreset::AwsIot | MqttPreset::ThingsBoard => MqttVersion::V5,
    }
}

/// Where commands can come in the gateway's own form.
pub(super) fn takes_commands(preset: MqttPreset) -> bool {
    matches!(preset, MqttPreset::Generic | MqttPreset::AwsIot)
}

pub(super) fn login(preset: MqttPreset, section: &mut Section<'_>, place: Place<'_>, report: &mut Report) -> Login {
    for (key, presets) in KEYS.into_iter().filter(|(_, presets)| !presets.contains(&preset)) {
        let names: Vec<_> = PRESETS.iter().filter(|(_, of)| presets.contains(of)).map(|(name, _)| *name).collect();
        let why = format!("`{key}` has no meaning with this preset");
        section.forbid(key, &why, &format!("it belongs to {}", names.join(", ")), report);
    }
    match preset {
        MqttPreset::Generic | MqttPreset::AwsIot => plain(section, report),
        MqttPreset::Alink => alink(section, report),
        MqttPreset::AzureIotHub => azure(section, place, report),
        MqttPreset::ThingsBoard => thingsboard(section, report),
    }
}

fn plain(section: &mut Section<'_>, report: &mut Report) -> Login {
    let (username, password) = login::optional(section, report);
    Login { username, password }
}

/// The user names device and product; the password is a signature made with the device's secret.
fn alink(section: &mut Section<'_>, report: &mut Report) -> Login {
    let product = section.required("product_key", report);
    if let Some(found) = product.as_ref().filter(|found| !is_product_key(&found.value)) {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a product key", found.value)));
        report.add(&found.mark, problem.help("letters and digits, as the console shows it"));
    }
    let device = section.required("device_name", report).filter(|found| check_device_name(found, report));
    section.required("device_secret", report);
    let username = device.zip(product).map(|(device, product)| format!("{}&{}", device.value, product.value));
    Login { username, password: login::secret(section, "device_secret", report) }
}

fn check_device_name(found: &Found<Arc<str>>, report: &mut Report) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_@.:".contains(c);
    let right = (4..=32).contains(&found.value.len()) && found.value.chars().all(fits);
    if !right {
        let problem = Problem::new(found.mark.say(format!("`{}` cannot be the name of a device", found.value)));
        report.add(&found.mark, problem.help("4 to 32 letters, digits, `-`, `_`, `@`, `.` and `:`"));
    }
    right
}

/// The user names hub and device; the password is a token signed with the device's key, or a certificate stands for it.
fn azure(section: &mut Section<'_>, place: Place<'_>, report: &mut Report) -> Login {
    let key = section.text("shared_access_key", report);
    if key.is_none() && section.entry("shared_access_key").is_none() && section.entry("cert").is_none() {
        let problem = Problem::new(section.mark().say("`shared_access_key` is missing"));
        report.add(section.mark(), problem.help("the device's primary key, or `cert` and `key` for X.509"));
    }
    if let Some(found) = key.as_ref().filter(|found| !is_base64(&found.value)) {
        let problem = Problem::new(found.mark.say("`shared_access_key` is not a key in base64"));
        report.add(&found.mark, problem.help("copy it as the portal shows it, with the `=` at its end"));
    }
    let Place { host, client_id } = place;
    let username = format!("{host}/{client_id}/?api-version={API_AZURE}");
    Login { username: Some(username), password: key.map(|found| Secret::new(&*found.value)) }
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    !digits.is_empty() && text.len() - digits.len() <= 2 && text.len().is_multiple_of(4) && digits.chars().all(is_digit)
}

/// An access token, or a user with a password.
fn thingsboard(section: &mut Section<'_>, report: &mut Report) -> Login {
    let token = login::secret(section, "token", report);
    let entry = section.entry("token");
    let user = section.entry("username");
    match (entry, user) {
        (Some(_), None) => {
            section.forbid("password", "more than one way to log in", "keep the `token` alone", report);
            Login { username: None, password: token }
        }
        (Some(_), Some(user)) => {
            let problem = Problem::new(user.mark.say("more than one way to log in"));
            report.add(&user.mark, problem.help("`token`, or `username` and `password`"));
            Login::default()
        }
        (None, _) => plain(section, report),
    }
}

/// Platforms in the cloud take encrypted connections alone; something that stands in for one may not.
pub(super) fn check_transport(
    preset: MqttPreset,
    transport: &Transport,
    section: &mut Section<'_>,
    report: &mut Report,
) {
    let wants_tls = matches!(preset, MqttPreset::AwsIot | MqttPreset::AzureIotHub);
    if let (true, Transport::Plain, Some(url)) = (wants_tls, transport, section.entry("url")) {
        let problem = Problem::new(url.mark.say("this platform takes connections with TLS alone"));
        report.add(&url.node.mark, problem.help("write the URL with `mqtts://`").warning());
    }
}
