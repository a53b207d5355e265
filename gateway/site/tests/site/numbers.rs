//! What the numbers of a loaded site stand for.

use crate::{case, load};
use edgeway_sdk::{Access, DeviceIx, PointIx, Value};
use edgeway_site::{MqttVersion, Reporting, Site, Start, TargetKind, Transport, WriteFrom};
use serde_json::json;
use std::time::Duration;

fn valid() -> Site {
    load(&case("valid")).unwrap_or_else(|failed| panic!("{failed}")).site
}

fn point_of(site: &Site, device: &str, property: &str) -> PointIx {
    let device = site.things.device_ix(device).unwrap();
    let (property, _) = site.things.model_of(device).property(property).unwrap();
    let at = site.points.iter().position(|point| (point.device, point.property) == (device, Some(property)));
    PointIx(at.expect("the property has a point") as u32)
}

#[test]
fn devices_are_numbered_in_the_order_of_the_files() {
    let site = valid();
    let ids: Vec<_> = site.things.devices().map(|(_, device)| device.id.to_string()).collect();
    assert_eq!(ids, ["wt-01", "wt-02", "mast-01", "mast-02", "wt-11", "wt-12"]);
    assert_eq!(site.things.device(DeviceIx(4)).labels["row"], "007", "labels of a table are text");
}

#[test]
fn every_point_is_on_the_link_of_its_device_once() {
    let site = valid();
    let mut seen = vec![0; site.points.len()];
    for link in &site.links {
        for spec in &link.points {
            seen[spec.ix.0 as usize] += 1;
            let point = &site.points[spec.ix.0 as usize];
            assert_eq!((spec.device, spec.access, spec.period), (point.device, point.access, point.period));
            assert!(link.devices.iter().any(|device| device.ix == spec.device));
        }
    }
    assert!(seen.iter().all(|times| *times == 1) && !seen.is_empty());
}

#[test]
fn a_device_overrides_its_template_key_by_key() {
    let site = valid();
    let of = |device| &site.points[point_of(&site, device, "wind_speed").0 as usize];
    assert_eq!((of("wt-01").scale, of("wt-01").offset), (0.1, 0.5));
    assert_eq!((of("wt-02").scale, of("wt-02").offset), (2.0, 0.5));
    assert_eq!(of("wt-12").scale, 3.0, "a table's cell is the same as a key");
    let wt_02 = site.things.device_ix("wt-02").unwrap();
    let (power, _) = site.things.model_of(wt_02).property("active_power").unwrap();
    assert!(
        site.points.iter().all(|point| (point.device, point.property) != (wt_02, Some(power))),
        "`false` removes it"
    );
}

#[test]
fn polls_come_from_the_nearest_place_that_says_one() {
    let site = valid();
    let of = |device, property| &site.points[point_of(&site, device, property).0 as usize];
    assert_eq!(of("wt-01", "wind_speed").period, Duration::from_millis(500), "the template");
    assert_eq!(of("wt-01", "energy_total").period, Duration::from_secs(60), "the point");
    assert_eq!(of("wt-02", "wind_speed").period, Duration::from_millis(250), "the device");
    assert_eq!(of("mast-01", "wind_speed").period, Duration::from_secs(1), "nobody");
    assert_eq!(of("wt-01", "wind_speed").stale_after, Duration::from_secs(2), "three polls, at least 2 s");
    assert_eq!(of("wt-01", "energy_total").stale_after, Duration::from_secs(180));
    assert_eq!(of("mast-01", "humidity").stale_after, Duration::from_secs(90), "as written");
}

#[test]
fn what_is_reported_comes_from_the_nearest_place_that_says_it() {
    let site = valid();
    let of = |device, property| site.points[point_of(&site, device, property).0 as usize].reporting;
    let change =
        |deadband, seconds: Option<u64>| Reporting::OnChange { deadband, every: seconds.map(Duration::from_secs) };
    assert_eq!(of("wt-01", "wind_speed"), Reporting::Always, "nobody");
    assert_eq!(of("wt-01", "pitch_angle"), change(0.5, Some(60)));
    assert_eq!(of("wt-01", "rotor_speed"), change(0.5, None), "2 % of 0 to 25");
    assert_eq!(of("mast-01", "wind_speed"), change(0.0, Some(300)), "the template");
    assert_eq!(of("mast-01", "humidity"), Reporting::Always, "the point");
}

#[test]
fn access_is_the_models_unless_the_point_takes_it_back() {
    let site = valid();
    let of = |device| site.points[point_of(&site, device, "power_limit").0 as usize].access;
    assert_eq!(of("wt-01"), Access::ReadWrite);
    assert_eq!(of("wt-02"), Access::Read);
    assert_eq!(site.points[point_of(&site, "wt-01", "wind_speed").0 as usize].access, Access::Read);
}

#[test]
fn a_driver_gets_its_options_and_nothing_of_the_gateways() {
    let site = valid();
    let link = &site.links[0];
    assert_eq!((&*link.name, link.driver, link.key.as_str()), ("farm", 0, "tcp://192.0.2.1:502"));
    assert_eq!(link.options, json!({ "endpoint": "tcp://192.0.2.1:502", "timeout": "1s" }));
    assert_eq!(link.devices[1].options, json!({ "unit": 2 }));
    let ix = point_of(&site, "wt-02", "wind_speed");
    let point = link.points.iter().find(|point| point.ix == ix).unwrap();
    assert_eq!(*point.options, json!({ "at": "holding:100", "type": "f32" }));
}

#[test]
fn services_are_writes_and_share_a_point_where_they_write_to_the_same_place() {
    let site = valid();
    let wt = site.things.device_ix("wt-01").unwrap();
    let of = |service| {
        let (ix, _) = site.things.model_of(wt).service(service).unwrap();
        site.services[&(wt, ix)].clone()
    };
    let (start, stop) = (of("start"), of("stop"));
    assert_eq!(start[0].from, WriteFrom::Constant(Value::Int(1)));
    let map = [(0, Value::Int(2)), (1, Value::Int(3))].into();
    assert_eq!(stop[0].from, WriteFrom::Mapped { input: "mode".into(), map });
    assert_eq!(start[0].point, stop[0].point);
    let point = &site.points[start[0].point.0 as usize];
    assert_eq!((point.property, point.access), (None, Access::Write));
}

#[test]
fn an_event_knows_what_sets_it_off_and_what_fills_it() {
    let site = valid();
    assert_eq!(site.events.len(), 3, "wt-02 has no alarm code, the mast no events");
    let event = &site.events[0];
    let model = site.things.model_of(event.device);
    let (code, _) = model.property("alarm_code").unwrap();
    assert_eq!((event.on, event.output.clone()), (code, vec![("code".into(), code)]));
}

#[test]
fn targets_and_routes_are_resolved() {
    let site = valid();
    let TargetKind::Mqtt(cloud) = &site.targets[0].kind else { panic!("cloud is a broker") };
    assert_eq!((cloud.host.as_str(), cloud.port, cloud.version), ("broker.example", 8883, MqttVersion::V3));
    assert_eq!(cloud.transport, Transport::Tls { ca: Some(case("valid").join("ca.pem")), identity: None });
    assert_eq!(cloud.password.as_ref().unwrap().reveal(), "s3cret");
    assert!(!format!("{cloud:?}").contains("s3cret"), "a secret does not get into a log");
    assert_eq!(cloud.client_id, "edgeway-valid-cloud");
    assert_eq!(cloud.commands.as_deref(), Some("edgeway/valid/command/{device}"));
    let TargetKind::File(look) = &site.targets[1].kind else { panic!("look is a file") };
    assert_eq!(look.path, case("valid").join("data/out.jsonl"));
    let [everything, some, ..] = &site.routes[..] else { panic!("two routes") };
    assert_eq!(
        (everything.target, everything.topic.as_str(), everything.from),
        (0, "edgeway/valid/{subject}", Start::Now)
    );
    assert_eq!((some.target, some.topic.as_str(), some.from, some.batch_messages), (1, "", Start::Oldest, 50));
    assert!(
        some.subjects[0].matches("property/wind-turbine/wt-01") && some.except[0].matches("property/met-mast/mast-01")
    );
}

#[test]
fn settings_have_their_defaults() {
    let site = valid();
    assert_eq!(site.api.to_string(), "127.0.0.1:8080");
    assert_eq!(site.broker.unwrap().to_string(), "127.0.0.1:1883");
    let [_, normal, _] = &site.journal.classes;
    assert_eq!((normal.size_bytes, normal.age), (64 << 20, Duration::from_secs(86_400)));
    assert_eq!((normal.segment_bytes, normal.group_messages), (8 << 20, 1024));
    assert_eq!(site.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(site.data, case("valid").join("data"));
}

#[test]
fn scenes_and_queries_are_read_by_name() {
    let site = valid();
    let names: Vec<_> =
        site.scenes.iter().chain(&site.queries).map(|source| (&*source.name, source.path.to_str().unwrap())).collect();
    assert_eq!(names, [("a", "scenes/a.rhai"), ("b", "scenes/b.rhai"), ("power", "queries/power.sql")]);
    assert_eq!(&*site.scenes[0].text, "// a\n");
}
