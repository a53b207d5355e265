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
    assert_eq!(counts, [0, 1, 0, 2], "a device that pushes is not written");
}

#[test]
fn what_nobody_could_tell_apart_is_not_taken() {
    let link = LinkOptions::parse(&json!({ "endpoint": "listen://0.0.0.0:5683" })).expect("valid");
    let sources = [
        json!({}),
        json!({ "source": "10.0.0.7:9" }),
        json!({ "source": "10.0.0.7" }),
        json!({ "source": "10.0.0.8" }),
    ];
    let specs: Vec<DeviceSpec> =
        (0..).map(DeviceIx).zip(sources).map(|(ix, options)| DeviceSpec { ix, options }).collect();
    let devices = devices(&specs).expect("valid");
    let rejected = |points: &[(u32, Json)]| -> Vec<u32> {
        let points: Vec<PointSpec> =
            (0..).zip(points).map(|(ix, (device, options))| spec(ix, *device, options.clone(), Access::Read)).collect();
        let targets = Targets::resolve(&link, &devices, &points).expect("valid");
        targets.rejected.iter().map(|(point, _)| point.0).collect()
    };
    assert_eq!(
        rejected(&[(0, json!({ "path": "t" })), (3, json!({ "path": "t" }))]),
        [1],
        "anybody may be that one too"
    );
    assert_eq!(rejected(&[(1, json!({ "path": "t" })), (2, json!({ "path": "t" }))]), [1]);
    assert_eq!(rejected(&[(2, json!({ "path": "t" })), (3, json!({ "path": "t" }))]), [0; 0]);
    let by_query = [(0, json!({ "path": "t", "query": "n=1" })), (3, json!({ "path": "t", "query": "n=2" }))];
    assert_eq!(rejected(&by_query), [0; 0]);
    assert_eq!(rejected(&[(0, json!({ "path": "t", "at": "a" })), (0, json!({ "path": "t", "at": "b" }))]), [0; 0]);
}
