//! Whom and what a node names: devices by `deviceName`, models by `productKey`, and what the model has.

use super::ImportSite;
use super::node::Node;
use super::rule::Who;
use edgeway_sdk::{DeviceIx, Problem};
use edgeway_thing_models::{EventIx, ModelIx, PropertyIx, ServiceIx, Things};

/// Keys of the platform's consoles and apps. They repeat what is said elsewhere, for people.
const FOR_SHOW: [&str; 7] = [
    "iotId",
    "appShow",
    "propertyNamesItems",
    "localizedProductName",
    "localizedFunctionName",
    "localizedCompareTypeName",
    "localizedCompareValueName",
];

/// The `params` of a node that is about a device or a product, with no other keys than these.
pub(super) fn params<'a>(node: &Node<'a>, keys: &[&str]) -> Result<Node<'a>, Problem> {
    let known: Vec<&str> = ["productKey", "deviceName"].iter().chain(keys).chain(&FOR_SHOW).copied().collect();
    node.need("params")?.with_only(&known)
}

/// Whom a trigger listens to.
pub(super) fn who(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Who, Problem> {
    let params = node.need("params")?;
    if node.need_text("uri")?.starts_with("trigger/product/") {
        return match params.get("deviceName") {
            None => product(&params, site).map(Who::Each),
            Some(name) => Err(name.problem("a trigger of a product is about all its devices")),
        };
    }
    device(&params, site).map(Who::Device)
}

pub(super) fn device(params: &Node<'_>, site: &ImportSite<'_>) -> Result<DeviceIx, Problem> {
    let things = site.things;
    let node = params.need("deviceName").map_err(|problem| match params.get("iotId") {
        Some(_) => problem.help("`iotId` is the platform's own number; the site knows its devices by name"),
        None => problem,
    })?;
    let name = node.text()?;
    let device = things.device_ix(name).ok_or_else(|| {
        node.unknown("no device is called", name, things.current_devices().map(|(_, device)| &*device.id))
    })?;
    // On the platform a name is unique only within its product.
    if let Some(key) = params.get("productKey") {
        let model = things.device(device).model;
        if let Some(other) = model_of(key.text()?, site).filter(|named| *named != model) {
            let (is, named) = (&things.model(model).name, &things.model(other).name);
            return Err(key.problem(format!("`{name}` is a `{is}`, and this is the product key of `{named}`")));
        }
    }
    Ok(device)
}

fn product(params: &Node<'_>, site: &ImportSite<'_>) -> Result<ModelIx, Problem> {
    let node = params.need("productKey")?;
    let key = node.text()?;
    model_of(key, site).ok_or_else(|| {
        let known = site.things.current_models().map(|(_, model)| product_key(&model.name, site));
        node.unknown("no model has the product key", key, known)
    })
}

fn model_of(key: &str, site: &ImportSite<'_>) -> Option<ModelIx> {
    site.things.current_models().find(|(_, model)| product_key(&model.name, site) == key).map(|(ix, _)| ix)
}

fn product_key<'a>(model: &'a str, site: &ImportSite<'a>) -> &'a str {
    site.product_keys.get(model).map_or(model, |key| key)
}

pub(super) fn property(node: &Node<'_>, who: Who, things: &Things) -> Result<PropertyIx, Problem> {
    let model = who.model(things);
    let known = model.properties.iter().map(|property| &*property.identifier);
    named(node, node.text()?, &format!("`{}` has no property", model.name), known).map(PropertyIx)
}

/// A property named by a key, not by a text.
pub(super) fn property_of_key(node: &Node<'_>, key: &str, who: Who, things: &Things) -> Result<PropertyIx, Problem> {
    let model = who.model(things);
    let known = model.properties.iter().map(|property| &*property.identifier);
    named(node, key, &format!("`{}` has no property", model.name), known).map(PropertyIx)
}

pub(super) fn event(node: &Node<'_>, who: Who, things: &Things) -> Result<EventIx, Problem> {
    let model = who.model(things);
    let known = model.events.iter().map(|event| &*event.identifier);
    named(node, node.text()?, &format!("`{}` has no event", model.name), known).map(EventIx)
}

pub(super) fn service(node: &Node<'_>, device: DeviceIx, things: &Things) -> Result<ServiceIx, Problem> {
    let model = things.model_of(device);
    let known = model.services.iter().map(|service| &*service.identifier);
    named(node, node.text()?, &format!("`{}` has no service", model.name), known).map(ServiceIx)
}

/// The place of a name in a list. On the platform names are often `LightSwitch`, in models always `light_switch`.
fn named<'k>(
    node: &Node<'_>,
    name: &str,
    missing: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Result<u16, Problem> {
    let exact = known.clone().position(|known| known == name);
    let place = exact.or_else(|| known.clone().position(|known| letters(known).eq(letters(name))));
    place.map(|at| at as u16).ok_or_else(|| node.unknown(missing, name, known))
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase())
}
