//! What a device has: its resources, and what is in them.

use super::fault;
use crate::codec::links::{self, Resource};
use crate::codec::{self, Answer, Told};
use crate::config::{DeviceOptions, Path, Query};
use crate::transfer::{self, Trouble};
use crate::wire::{Connection, Failure, Wire};
use coap_lite::{RequestType, ResponseType};
use edgeway_payload::{Document, Format};
use edgeway_sdk::{Access, Deadline, Discovered, Fault, Offer, Timestamp};
use tokio::time::Instant;

/// Where a device says what it has (RFC 6690 section 4).
const WELL_KNOWN: &str = "/.well-known/core";

/// Lists what can be read below a path of the device, and `at` after it.
///
/// # Errors
/// A [`Fault`] if the device does not say what it has.
pub(super) async fn run(
    wire: &Wire,
    device: &DeviceOptions,
    at: Option<&str>,
    by: Deadline,
) -> Result<Vec<Discovered>, Fault> {
    let below = Path::parse(at.unwrap_or_default(), "at").map_err(|problem| Fault::Config(problem.to_string()))?;
    let connection = wire.connection().map_err(fault::of_wire)?;
    let prefix = device.path.join(&below);
    let mut found = vec![];
    for resource in resources(&connection, by).await? {
        let is_own = resource.path.to_string() == WELL_KNOWN || prefix.rest(&resource.path).is_none();
        let Some(inner) = device.path.rest(&resource.path).filter(|_| !is_own) else { continue };
        if Instant::now() >= by {
            break;
        }
        let inner = Path::of_parts(inner.to_vec());
        match transfer::fetch(&connection, &get(&resource.path), None, by).await {
            Ok(answer) => found.extend(points(&resource, &inner, &answer)),
            Err(Trouble::Failure(failure @ Failure::Gone(_))) => return Err(fault::of_wire(failure)),
            // It cannot be read, or not now.
            Err(_) => {}
        }
    }
    Ok(found)
}

/// What an endpoint says that it has.
pub(super) async fn resources(connection: &Connection, by: Deadline) -> Result<Vec<Resource>, Fault> {
    let path = Path::parse(WELL_KNOWN, "path").map_err(|problem| Fault::Config(problem.to_string()))?;
    let answer = transfer::fetch(connection, &get(&path), None, by).await;
    let answer = answer.map_err(|trouble| fault::of_read(trouble, WELL_KNOWN, &[]))?;
    match answer.format {
        Told::Nothing | Told::Other(codec::LINK_FORMAT) => Ok(links::read(&String::from_utf8_lossy(&answer.payload))),
        _ => Err(Fault::Device(format!("{WELL_KNOWN} is no list of links"))),
    }
}

fn get(path: &Path) -> coap_lite::Packet {
    codec::question(RequestType::Get, path, &Query::default(), None)
}

/// The values of a resource, each as a point.
fn points(resource: &Resource, inner: &Path, answer: &Answer) -> Vec<Discovered> {
    let format = match answer.format {
        Told::Known(format) => format,
        Told::Nothing => Format::Json,
        Told::Other(_) => return vec![],
    };
    let parse = |format| Document::parse(format, &answer.payload, Timestamp::now()).ok();
    let document = match answer.format {
        _ if !answer.is(ResponseType::Content) => None,
        Told::Nothing => parse(format).or_else(|| parse(Format::Text)),
        _ => parse(format),
    };
    let found = document.map(|document| document.points()).unwrap_or_default();
    found.into_iter().map(|point| completed(point, resource, inner)).collect()
}

/// A value of a payload, with what its resource adds.
fn completed(mut point: Discovered, resource: &Resource, inner: &Path) -> Discovered {
    if let Some(options) = point.options.as_object_mut() {
        if !inner.parts().is_empty() {
            options.insert("path".into(), inner.to_string().into());
        }
        if resource.is_observable {
            options.insert("watch".into(), "observe".into());
        }
    }
    point.offer = point.offer.map(|offer| named(offer, resource, inner));
    point.identity.extend(resource.said.iter().cloned());
    point
}

/// The name of a resource is that of its only value, and goes before those of several.
fn named(offer: Offer, resource: &Resource, inner: &Path) -> Offer {
    let place = inner.parts().join("_");
    let name = match (place.is_empty(), offer.name.as_str()) {
        (true, _) => offer.name,
        (false, "value") => place,
        (false, name) => format!("{place}_{name}"),
    };
    let title = resource.said.iter().find(|(what, _)| what == "title").map(|(_, title)| title.clone());
    let access = if resource.is_writable() { Access::ReadWrite } else { Access::Read };
    Offer { name, ..offer }.access(access).described(title.unwrap_or_default())
}
