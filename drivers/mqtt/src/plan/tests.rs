use super::*;
use edgeway_sdk::Json;
use serde_json::json;

fn link(options: Json) -> LinkOptions {
    let mut all = json!({ "endpoint": "mqtt://broker" });
    all.as_object_mut().expect("a table").extend(options.as_object().expect("a table").clone());
    LinkOptions::parse(&all).expect("right options")
}

fn devices(options: &[Json]) -> Vec<DeviceSpec> {
    (0..).zip(options).map(|(ix, options)| DeviceSpec { ix: DeviceIx(ix), options: options.clone() }).collect()
}

fn point(ix: u32, device: u32, options: Json, access: Access) -> PointSpec {
    let (ix, device) = (PointIx(ix), DeviceIx(device));
    PointSpec { ix, device, options: options.into(), access, period: Duration::from_secs(1) }
}

#[test]
fn points_of_one_topic_are_read_together() {
    let points = [
        point(0, 0, json!({ "at": "a" }), Access::Read),
        point(1, 0, json!({ "at": "b" }), Access::ReadWrite),
        point(2, 0, json!({ "format": "text", "topic": "{topic}/state" }), Access::Read),
        point(3, 0, json!({ "set": "x/y" }), Access::Write),
    ];
    let board = Board::plan(&link(json!({})), &devices(&[json!({ "topic": "d" })]), &points);
    assert_eq!(board.watched, [0, 1, 2].map(PointIx));
    assert_eq!(board.filters, ["d", "d/state"]);
    assert_eq!(
        board.topics[&b"d"[..]].points().map(|listener| listener.point).collect::<Vec<_>>(),
        [0, 1].map(PointIx)
    );
    let target = |ix: u32| match &board.targets[&PointIx(ix)] {
        Target::Topic { topic, .. } => topic.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!([target(1), target(3)], ["d/set", "x/y"]);
}

#[test]
fn a_topic_that_a_filter_covers_is_not_subscribed_to_by_itself() {
    let options = link(json!({ "subscribe": ["plant/+/state"], "share": "g" }));
    let points = [
        point(0, 0, json!({ "topic": "{topic}/state" }), Access::Read),
        point(1, 0, json!({ "topic": "{topic}/other" }), Access::Read),
    ];
    let device = json!({
        "topic": "plant/pump",
        "availability": [{ "topic": "{topic}/lwt" }],
        "services": { "reset": { "topic": "{topic}/reset", "response": "{topic}/reset/answer" } },
    });
    let board = Board::plan(&options, &devices(&[device]), &points);
    assert_eq!(board.filters, ["$share/g/plant/+/state", "$share/g/plant/pump/other", "plant/pump/reset/answer"]);
    assert_eq!(board.presence_filters, ["plant/pump/lwt"]);
}

#[test]
fn what_cannot_be_read_is_rejected_with_a_reason() {
    let points = [
        point(0, 0, json!({ "at": "a" }), Access::Read),
        point(1, 0, json!({ "metric": "m" }), Access::Read),
        point(2, 1, json!({ "at": "a" }), Access::Read),
        point(3, 1, json!({ "metric": "m" }), Access::ReadWrite),
        point(4, 9, json!({ "at": "a" }), Access::Read),
        point(5, 0, json!({ "at": "]" }), Access::Read),
    ];
    let devices = devices(&[json!({}), json!({ "sparkplug": "g/n" })]);
    let board = Board::plan(&link(json!({})), &devices, &points);
    let reasons: Vec<(u32, &str)> = board.rejected.iter().map(|(point, why)| (point.0, why.as_str())).collect();
    assert_eq!(
        reasons[..4],
        [
            (0, "`{topic}` needs the `topic` of the device, which has none"),
            (1, "`metric` needs the option `sparkplug` of its device"),
            (2, "a point of a device with `sparkplug` needs `metric`"),
            (4, "its device is not known"),
        ]
    );
    assert!(reasons[4].1.starts_with("`at`: "), "{reasons:?}");
    assert_eq!(board.watched, [PointIx(3)]);
    assert_eq!(board.filters.len(), 6);
    assert!(board.filters.contains(&"spBv1.0/g/DDATA/n/+".to_owned()));
}

#[test]
fn each_question_for_present_values_is_asked_once() {
    let get = json!({ "payload": "{\"state\":\"\"}" });
    let points = [
        point(0, 0, json!({ "at": "state", "get": get }), Access::Read),
        point(1, 0, json!({ "at": "other", "get": get }), Access::Read),
    ];
    let board = Board::plan(&link(json!({})), &devices(&[json!({ "topic": "d" })]), &points);
    assert_eq!(board.gets, [Get { device: 0, topic: "d/get".into(), payload: "{\"state\":\"\"}".into() }]);
}

#[test]
fn a_device_that_is_wrong_costs_its_own_points_alone() {
    let points = [point(0, 0, json!({ "topic": "a" }), Access::Read), point(1, 1, json!({}), Access::Read)];
    let wrong = json!({ "availability": [{ "topic": "{topic}/lwt" }] });
    let board = Board::plan(&link(json!({})), &devices(&[wrong, json!({ "topic": "d" })]), &points);
    let [(rejected, reason)] = &board.rejected[..] else { panic!("{:?}", board.rejected) };
    assert_eq!(*rejected, PointIx(0));
    assert!(reason.starts_with("`availability[0].topic`: `{topic}/lwt` needs"), "{reason}");
    assert_eq!((board.watched, board.filters), (vec![PointIx(1)], vec!["d".to_owned()]));
}

#[test]
fn what_is_written_to_the_topic_of_the_states_does_not_confirm_itself() {
    let both = |confirm: &str| json!({ "topic": "d/state", "set": "{topic}/state", "confirm": confirm });
    let points = [point(0, 0, both("state"), Access::ReadWrite), point(1, 0, both("publish"), Access::ReadWrite)];
    let board = Board::plan(&link(json!({})), &devices(&[json!({ "topic": "d" })]), &points);
    assert_eq!(board.watched, [PointIx(1)]);
    assert!(board.rejected[0].1.starts_with("`set` is the topic of the states"), "{:?}", board.rejected);
}

#[test]
fn user_properties_are_a_matter_of_the_newer_version() {
    let points = [point(0, 0, json!({ "time_property": "ts" }), Access::Read)];
    for (version, rejected) in [("5", 0), ("3.1.1", 1)] {
        let board = Board::plan(&link(json!({ "version": version })), &devices(&[json!({ "topic": "d" })]), &points);
        assert_eq!(board.rejected.len(), rejected, "{:?}", board.rejected);
    }
}

/// The group would give it to any of its members.
#[test]
fn an_answer_is_subscribed_to_by_itself_where_messages_are_shared() {
    let device = || json!({ "services": { "reset": { "topic": "a/reset", "response": "a/answer" } } });
    let filters = |options: Json| Board::plan(&link(options), &devices(&[device()]), &[]).filters;
    assert_eq!(filters(json!({ "subscribe": ["a/#"], "share": "g" })), ["$share/g/a/#", "a/answer"]);
    assert_eq!(filters(json!({ "subscribe": ["a/#"] })), ["a/#"]);
}
