//! Which devices are behind an endpoint.

use super::browse;
use crate::codec::links::Resource;
use crate::config::{Endpoint, LinkOptions, Path};
use crate::plan;
use crate::wire::{Counters, Wire};
use edgeway_sdk::{Deadline, Discovered, Fault, Json, Problem};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Asks an endpoint what it has. The hint is the options of a link.
///
/// # Errors
/// [`Fault::Config`] if the hint is wrong; another if the endpoint does not answer.
pub(super) async fn run(hint: &Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let options = LinkOptions::parse(hint).map_err(|problems| plan::wrong(&problems))?;
    if let Endpoint::Listen { .. } = options.endpoint {
        let problem = Problem::key("endpoint", "devices that push are not asked what they have");
        return Err(plan::wrong(&[problem.help("`coap://host:port`")]));
    }
    let wire = Wire::new(Arc::new(options), Arc::<Counters>::default());
    wire.connect(by).await?;
    let connection = wire.connection().map_err(super::fault::of_wire)?;
    let resources = browse::resources(&connection, by).await;
    connection.close(&[]).await;
    for device in devices(resources?) {
        // If nobody listens any more, there is nothing left to do.
        let _ = found.send(device).await;
    }
    Ok(())
}

/// Resources that share all but the last part of their paths are of one device; if all do, the device is the endpoint.
fn devices(resources: Vec<Resource>) -> Vec<Discovered> {
    let mut by_path: BTreeMap<Path, Vec<Resource>> = BTreeMap::new();
    for resource in resources.into_iter().filter(|resource| !resource.path.to_string().starts_with("/.well-known/")) {
        by_path.entry(resource.path.parent()).or_default().push(resource);
    }
    if by_path.len() == 1 && by_path.contains_key(&Path::default()) {
        return by_path.into_values().map(|resources| device(json!({}), &resources)).collect();
    }
    by_path
        .iter()
        .map(|(path, resources)| match path.parts().is_empty() {
            true => device(json!({}), resources),
            false => device(json!({ "path": path.to_string() }), resources),
        })
        .collect()
}

fn device(options: Json, resources: &[Resource]) -> Discovered {
    let named = |resource: &Resource| resource.path.parts().last().cloned().unwrap_or_default();
    let names: Vec<String> = resources.iter().map(named).collect();
    let mut types: Vec<&str> = resources
        .iter()
        .flat_map(|resource| &resource.said)
        .filter(|(what, _)| what == "type")
        .map(|(_, said)| said.as_str())
        .collect();
    types.sort_unstable();
    types.dedup();
    let found = Discovered::new(options).said("resources", names.join(", "));
    if types.is_empty() { found } else { found.said("types", types.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::links;

    fn found(text: &str) -> Vec<(Json, String)> {
        devices(links::read(text)).into_iter().map(|device| (device.options, device.identity[0].1.clone())).collect()
    }

    #[test]
    fn resources_are_gathered_to_devices() {
        assert_eq!(found("</.well-known/core>,</temp>,</hum>"), [(json!({}), "temp, hum".into())]);
        assert_eq!(
            found("</room/1/temp>,</room/2/temp>,</room/1/set>,</about>"),
            [
                (json!({}), "about".into()),
                (json!({ "path": "/room/1" }), "temp, set".into()),
                (json!({ "path": "/room/2" }), "temp".into()),
            ]
        );
        assert_eq!(found("</.well-known/core>"), []);
    }
}
