//! Which points share an answer.

use super::*;
use serde_json::{Value as Json, json};

fn spec(ix: u32, device: u32, options: Json, access: Access) -> PointSpec {
    let (ix, device, options) = (PointIx(ix), DeviceIx(device), options.into());
    PointSpec { ix, device, options, access, period: Duration::from_secs(1) }
}

fn resolved(endpoint: &str, points: &[PointSpec]) -> (Targets, Devices) {
    let link = LinkOptions::parse(&json!({ "endpoint": endpoint })).expect("valid");
    let rooms = [json!({ "path": "/room/1" }), json!({ "path": "/room/2" })];
    let specs: Vec<DeviceSpec> =
        (0..).map(DeviceIx).zip(rooms).map(|(ix, options)| DeviceSpec { ix, options }).collect();
    let devices = devices(&specs).expect("valid");
    (Targets::resolve(&link, &devices, points).expect("valid"), devices)
}

fn shown(resources: &[Resource]) -> Vec<String> {
    let points = |resource: &Resource| resource.points().iter().map(|point| point.0.to_string()).collect::<Vec<_>>();
    resources.iter().map(|resource| format!("{} {}", resource.place.path, points(resource).join(","))).collect()
}

#[test]
fn points_of_one_resource_share_a_question() {
    let at = |ix, device, path: &str, at: &str| spec(ix, device, json!({ "path": path, "at": at }), Access::Read);
    let points = [at(0, 0, "state", "t"), at(1, 1, "state", "t"), at(2, 0, "/state", "h"), at(3, 0, "", "x")];
    let (targets, devices) = resolved("coap://a", &points);
    let resources = resources(targets.polled, &devices);
    assert_eq!(shown(&resources), ["/room/1 3", "/room/1/state 0,2", "/room/2/state 1"]);
}

#[test]
fn what_is_asked_for_differently_is_asked_for_apart() {
    let points = [json!({}), json!({ "query": "u=c" }), json!({ "accept": "cbor" }), json!({ "format": "text" })];
    let points: Vec<PointSpec> = (0..).zip(points).map(|(ix, options)| spec(ix, 0, options, Access::Read)).collect();
    let (targets, devices) = resolved("coap://a", &points);
    assert_eq!(shown(&resources(targets.polled, &devices)), ["/room/1 0,3", "/room/1 2", "/room/1 1"]);
}

#[test]
fn points_are_polled_watched_or_only_written() {
    let points = [
        spec(0, 0, json!({}), Access::Read),
        spec(1, 0, json!({ "watch": "observe" }), Access::ReadWrite),
        spec(2, 0, json!({ "watch": "observe" }), Access::Write),
    ];
    let (targets, _) = resolved("coap://a", &points);
    let counts = [targets.polled.len(), targets.watched.len(), targets.silent.len(), targets.rejected.len()];
    assert_eq!(counts, [1, 1, 1, 0]);
    let (targets, _) = resolved("listen://0.0.0.0:5683", &points);
    let counts = [targets.polled.len(), targets.watched.len(), targets.silent.len(), targets.rejected.len()];
    assert_eq!(counts, [0, 1, 1, 1]);
}

#[test]
fn a_refused_resource_is_divided_down_to_single_points() {
    let points: Vec<PointSpec> =
        (0..5).map(|ix| spec(ix, 0, json!({ "path": "s", "at": format!("v{ix}") }), Access::Read)).collect();
    let (targets, devices) = resolved("coap://a", &points);
    let whole = resources(targets.polled, &devices).remove(0);
    let halves = whole.halves();
    assert_eq!(shown(&halves), ["/room/1/s 0,1,2", "/room/1/s 3,4"]);
    let single = halves.into_iter().flat_map(Resource::halves).flat_map(Resource::halves);
    assert_eq!(single.count(), 5);
}
