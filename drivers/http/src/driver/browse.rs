//! What a device has to offer.

use super::thing::Thing;
use crate::config::joined;
use crate::plan::Device;
use crate::status::{self, Read};
use crate::wire::{Answer, Question, Wire};
use edgeway_payload::{Document, Format};
use edgeway_sdk::{Deadline, Discovered, Fault, Json};
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::json;

/// Where a thing describes itself (W3C Web of Things Discovery, section 7.1.1).
const WELL_KNOWN: &str = "/.well-known/wot";

/// Lists what the thing says of itself, if it does; else what is in the payload of the device's path, or of `at` below it.
pub(super) async fn run(
    wire: &Wire,
    base: &Url,
    device: &Device,
    at: Option<&str>,
    by: Deadline,
) -> Result<Vec<Discovered>, Fault> {
    if at.is_none()
        && let Some(thing) = describe(wire, base, &device.headers, by).await
    {
        let points = thing.points(&device.url);
        if !points.is_empty() {
            return Ok(points);
        }
    }
    let url = joined(&device.url, &[at.unwrap_or_default()]);
    let answer = wire.ask(&Question::get(&url, &device.headers), by).await.map_err(|failure| failure.of_read())?;
    if status::of_read(answer.status, &answer.headers) != Read::Payload {
        return Err(Fault::Device(format!("{url} answered {}", answer.said())));
    }
    if let Some(thing) = Thing::read(&answer.body, &url) {
        return Ok(thing.points(&device.url));
    }
    payload(&answer, &url, at)
}

/// What the thing says of itself, if it does.
pub(super) async fn describe(wire: &Wire, base: &Url, headers: &HeaderMap, by: Deadline) -> Option<Thing> {
    let mut url = base.clone();
    url.set_path(WELL_KNOWN);
    let answer = wire.ask(&Question::get(&url, headers), by).await.ok()?;
    (status::of_read(answer.status, &answer.headers) == Read::Payload).then(|| Thing::read(&answer.body, &url))?
}

fn payload(answer: &Answer, url: &Url, at: Option<&str>) -> Result<Vec<Discovered>, Fault> {
    let told = answer.media_type().and_then(Format::of_media_type);
    // Many devices call their JSON text, or nothing.
    let formats = [Format::Json].into_iter().chain(told.filter(|format| *format != Format::Json));
    let formats =
        if matches!(told, None | Some(Format::Text)) { formats.collect() } else { vec![told.unwrap_or_default()] };
    let mut reason = String::new();
    for format in formats {
        match Document::parse(format, &answer.body, answer.received) {
            Ok(document) => return Ok(document.points().into_iter().map(|point| below(point, at)).collect()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(Fault::Device(format!("{url}: {reason}")))
}

/// A point of a payload, as a point of the device.
fn below(mut point: Discovered, at: Option<&str>) -> Discovered {
    if let (Some(path), Json::Object(options)) = (at, &mut point.options) {
        options.insert("path".into(), json!(path));
    }
    point
}
