//! Which points share a request.

use super::*;
use crate::config::LinkOptions;
use edgeway_sdk::PointIx;
use proptest::prelude::*;
use serde_json::json;
use std::collections::HashSet;

fn link() -> ClientOptions {
    match LinkOptions::parse(&json!({ "endpoint": "http://meter/api" })) {
        Ok(LinkOptions::Client(options)) => *options,
        _ => panic!("a link that asks"),
    }
}

fn spec(ix: u32, device: u32, options: Json, period_s: u64) -> PointSpec {
    let (ix, device) = (PointIx(ix), DeviceIx(device));
    PointSpec { ix, device, options: options.into(), access: Access::Read, period: Duration::from_secs(period_s) }
}

fn planned(specs: &[PointSpec]) -> Vec<Resource> {
    let device = |ix| DeviceSpec { ix: DeviceIx(ix), options: json!({ "path": format!("/{ix}") }) };
    let devices = devices(&link(), &[device(0), device(1)]).expect("valid");
    resources(&devices, specs, &items(specs).expect("valid")).expect("every point has a device")
}

fn shown(resources: &[Resource]) -> Vec<(String, Vec<u32>)> {
    let points = |resource: &Resource| resource.items.iter().map(|item| item.point.0).collect();
    resources.iter().map(|resource| (resource.url.to_string(), points(resource))).collect()
}

#[test]
fn points_share_a_request_if_device_period_resource_and_format_are_the_same() {
    let specs = [
        spec(0, 0, json!({ "path": "a", "at": "x" }), 1),
        spec(1, 0, json!({ "path": "a", "at": "y" }), 1),
        spec(2, 0, json!({ "path": "a", "at": "z" }), 5),
        spec(3, 1, json!({ "path": "a", "at": "x" }), 1),
        spec(4, 0, json!({ "path": "a", "at": "x", "query": { "c": "1" } }), 1),
        spec(5, 0, json!({ "path": "a", "format": "text" }), 1),
        spec(6, 0, json!({ "path": "a", "at": "w" }), 1),
    ];
    let url = |path: &str, points: &[u32]| (format!("http://meter/api{path}"), points.to_vec());
    let expected =
        [url("/0/a", &[0, 1, 6]), url("/0/a", &[2]), url("/1/a", &[3]), url("/0/a?c=1", &[4]), url("/0/a", &[5])];
    assert_eq!(shown(&planned(&specs)), expected);
}

#[test]
fn what_is_only_written_is_not_asked_for() {
    let write = PointSpec { access: Access::Write, ..spec(0, 0, json!({ "at": "x" }), 1) };
    assert_eq!(shown(&planned(&[write])), []);
}

#[test]
fn a_point_without_a_device_is_told() {
    let specs = [spec(0, 7, json!({}), 1)];
    let devices = devices(&link(), &[]).expect("valid");
    let fault = resources(&devices, &specs, &items(&specs).expect("valid")).err().expect("no device");
    assert_eq!(fault, Fault::Config("point 0 has no device".into()));
}

proptest! {
    #[test]
    fn every_point_is_asked_for_once(points in prop::collection::vec((0u32..2, 0u8..4, 1u64..3), 0..60)) {
        let specs: Vec<PointSpec> = (0..)
            .zip(&points)
            .map(|(ix, (device, path, period))| spec(ix, *device, json!({ "path": path.to_string() }), *period))
            .collect();
        let resources = planned(&specs);
        let mut asked: Vec<u32> = shown(&resources).into_iter().flat_map(|(_, points)| points).collect();
        asked.sort_unstable();
        prop_assert_eq!(asked, (0..points.len() as u32).collect::<Vec<_>>());
        let kinds: HashSet<_> = points.iter().collect();
        prop_assert_eq!(resources.len(), kinds.len(), "as few as possible");
    }
}
