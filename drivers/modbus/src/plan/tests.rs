//! Which requests come of which points.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn link(options: edgeway_sdk::Json) -> LinkOptions {
    let mut all = json!({ "endpoint": "tcp://plc" });
    all.as_object_mut().expect("a table").extend(options.as_object().expect("a table").clone());
    LinkOptions::parse(&all).expect("valid")
}

fn device(ix: u32, options: edgeway_sdk::Json) -> DeviceSpec {
    DeviceSpec { ix: DeviceIx(ix), options }
}

fn point(ix: u32, device: u32, options: edgeway_sdk::Json) -> PointSpec {
    PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(device),
        options: options.into(),
        access: Access::Read,
        period: SECOND,
    }
}

/// Points of device 0, numbered in this order.
fn points(options: &[edgeway_sdk::Json]) -> Vec<PointSpec> {
    options.iter().enumerate().map(|(ix, options)| point(ix as u32, 0, options.clone())).collect()
}

fn targets(link: &LinkOptions, devices: &[DeviceSpec], points: &[PointSpec]) -> Vec<Target> {
    let targets = Targets::resolve(link, devices, points).expect("valid");
    assert_eq!(targets.rejected, []);
    targets.accepted
}

/// One line for each request: its place and its points.
fn shown(requests: &[Request]) -> Vec<String> {
    let points =
        |request: &Request| request.items.iter().map(|item| item.point.0.to_string()).collect::<Vec<_>>().join(" ");
    requests.iter().map(|request| format!("{}: {}", request.place, points(request))).collect()
}

fn planned(options: edgeway_sdk::Json, points: &[PointSpec]) -> Vec<String> {
    shown(&requests(targets(&link(options), &[device(0, json!({ "unit": 7 }))], points)))
}

#[test]
fn neighbours_share_a_request_across_gaps_up_to_the_limit() {
    let at = |addresses: &[&str]| points(&addresses.iter().map(|at| json!({ "at": at })).collect::<Vec<_>>());
    assert_eq!(
        planned(json!({}), &at(&["holding:20", "holding:0", "holding:9", "holding:10"])),
        ["unit 7, holding:0 to 10: 1 2 3", "unit 7, holding:20: 0"]
    );
    assert_eq!(
        planned(json!({ "max_gap_registers": 0 }), &at(&["holding:0", "holding:1", "holding:3"])),
        ["unit 7, holding:0 to 1: 0 1", "unit 7, holding:3: 2"]
    );
    assert_eq!(
        planned(json!({}), &at(&["coil:0", "coil:129", "coil:259"])),
        ["unit 7, coil:0 to 129: 0 1", "unit 7, coil:259: 2"]
    );
}

#[test]
fn a_value_is_never_cut_by_the_limit_of_a_request() {
    let all: Vec<_> = (0..40).map(|n| json!({ "at": format!("holding:{}", n * 4), "type": "f64" })).collect();
    let requests = requests(targets(&link(json!({ "max_registers": 125 })), &[device(0, json!({}))], &points(&all)));
    assert_eq!(requests.iter().map(|request| request.place.count).collect::<Vec<_>>(), [124, 36]);
    for request in &requests {
        assert!(
            request
                .items
                .iter()
                .all(|item| item.value.offset + item.value.format.kind.registers() <= request.place.count)
        );
    }
}

#[test]
fn bits_and_other_readings_of_one_register_share_one_read() {
    let same = [
        json!({ "at": "holding:5.0" }),
        json!({ "at": "holding:5.15" }),
        json!({ "at": "holding:5" }),
        json!({ "at": "holding:4", "type": "u32" }),
    ];
    assert_eq!(planned(json!({ "max_registers": 2 }), &points(&same)), ["unit 7, holding:4 to 5: 3 0 1 2"]);
}

#[test]
fn tables_devices_and_periods_never_share_a_request() {
    let mut all = points(&[json!({ "at": "holding:1" }), json!({ "at": "input:1" }), json!({ "at": "holding:2" })]);
    all[2].period = SECOND * 10;
    all.push(point(3, 1, json!({ "at": "holding:2" })));
    let devices = [device(0, json!({})), device(1, json!({}))];
    let lines = shown(&requests(targets(&link(json!({})), &devices, &all)));
    assert_eq!(lines, ["unit 1, input:1: 1", "unit 1, holding:1: 0", "unit 1, holding:2: 2", "unit 1, holding:2: 3"]);
}

#[test]
fn points_that_are_only_written_are_in_no_request() {
    let mut all = points(&[json!({ "at": "holding:1" }), json!({ "at": "holding:2" })]);
    all[0].access = Access::Write;
    all[1].access = Access::ReadWrite;
    assert_eq!(planned(json!({}), &all), ["unit 7, holding:2: 1"]);
}

#[test]
fn a_point_larger_than_a_request_is_rejected_with_the_reason() {
    let devices = [device(0, json!({ "max_registers": 3 }))];
    let all = points(&[json!({ "at": "holding:1", "type": "f64" }), json!({ "at": "holding:9" })]);
    let targets = Targets::resolve(&link(json!({})), &devices, &all).expect("valid");
    assert_eq!(
        targets.rejected,
        [(PointIx(0), "its 4 registers do not fit one request of 3 (`max_registers`)".to_owned())]
    );
    assert_eq!(shown(&requests(targets.accepted)), ["unit 1, holding:9: 1"]);
}

#[test]
fn a_device_limit_goes_before_the_link_limit() {
    let all: Vec<_> = (0..6).map(|n| json!({ "at": format!("input:{n}") })).collect();
    let targets = targets(&link(json!({})), &[device(0, json!({ "max_registers": 4 }))], &points(&all));
    assert_eq!(shown(&requests(targets)), ["unit 1, input:0 to 3: 0 1 2 3", "unit 1, input:4 to 5: 4 5"]);
}

#[test]
fn the_end_of_a_table_is_reached() {
    let all = points(&[json!({ "at": "holding:65532", "type": "f64" }), json!({ "at": "holding:65535" })]);
    assert_eq!(planned(json!({}), &all), ["unit 7, holding:65532 to 65535: 0 1"]);
}

#[test]
fn a_refused_request_is_cut_at_its_widest_gap_and_else_in_the_middle() {
    let half = |addresses: &[u16]| {
        let all: Vec<_> = addresses.iter().map(|at| json!({ "at": format!("input:{at}") })).collect();
        shown(&halves(targets(&link(json!({})), &[device(0, json!({}))], &points(&all))))
    };
    assert_eq!(half(&[0, 1, 2, 5, 7]), ["unit 1, input:0 to 2: 0 1 2", "unit 1, input:5 to 7: 3 4"]);
    assert_eq!(half(&[0, 1, 2, 3]), ["unit 1, input:0 to 1: 0 1", "unit 1, input:2 to 3: 2 3"]);
    assert_eq!(half(&[4]), ["unit 1, input:4: 0"]);
}

#[test]
fn splitting_ends_with_single_points_and_loses_none() {
    let all: Vec<_> = (0..100u32).map(|n| json!({ "at": format!("holding:{}.{}", n / 8 * 3, n % 8) })).collect();
    let all = targets(&link(json!({})), &[device(0, json!({}))], &points(&all));
    let mut waiting: Vec<Vec<Target>> = vec![all.clone()];
    let (mut single, mut cuts) = (vec![], 0);
    while let Some(targets) = waiting.pop() {
        cuts += 1;
        for request in halves(targets) {
            let members = |target: &&Target| request.items.iter().any(|item| item.point == target.point);
            let members: Vec<Target> = all.iter().filter(members).cloned().collect();
            if let [only] = members.as_slice() { single.push(only.point.0) } else { waiting.push(members) }
        }
    }
    single.sort_unstable();
    assert_eq!(single, (0..100).collect::<Vec<_>>());
    assert_eq!(cuts, 99);
}

#[test]
fn a_hundred_thousand_points_are_all_planned_and_in_the_same_way_from_any_order() {
    let devices: Vec<_> = (0..100).map(|ix| device(ix, json!({ "unit": ix }))).collect();
    let mut all: Vec<_> =
        (0..100_000).map(|ix| point(ix, ix % 100, json!({ "at": format!("holding:{}", ix / 100) }))).collect();
    let link = link(json!({}));
    let first = requests(targets(&link, &devices, &all));
    assert_eq!(first.len(), 100 * 8);
    assert_eq!(first.iter().map(|request| request.items.len()).sum::<usize>(), 100_000);
    all.reverse();
    assert!(requests(targets(&link, &devices, &all)) == first);
}

proptest! {
    #[test]
    fn every_point_is_in_one_request_and_inside_it(
        places in prop::collection::vec((0..400u16, prop::sample::select(vec!["u16", "f32", "f64"])), 1..80),
        gap in 0..20u16,
        most in 4..=125u16,
    ) {
        let all: Vec<_> = places.iter().map(|(at, kind)| json!({ "at": format!("holding:{at}"), "type": kind })).collect();
        let link = link(json!({ "max_gap_registers": gap, "max_registers": most }));
        let requests = requests(targets(&link, &[device(0, json!({}))], &points(&all)));
        let mut seen = vec![];
        for request in &requests {
            prop_assert!(request.place.count <= most);
            for item in &request.items {
                let ix = item.point.0;
                prop_assert_eq!(request.place.start + item.value.offset, places[ix as usize].0);
                prop_assert!(item.value.offset + item.value.format.kind.registers() <= request.place.count);
                seen.push(ix);
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..places.len() as u32).collect::<Vec<_>>());
    }
}

#[test]
fn a_power_of_ten_is_read_with_its_value() {
    let points = points(&[json!({ "at": "holding:10", "type": "u32", "exponent": "holding:14" })]);
    let [request] = &requests(targets(&link(json!({})), &[device(0, json!({}))], &points))[..] else { panic!("one") };
    assert_eq!(request.place.to_string(), "unit 1, holding:10 to 14");
    let mut batch = Batch::default();
    request.unpack(&[0, 0, 0x08, 0x66, 9, 9, 9, 9, 0xff, 0xff], &mut batch, Timestamp::EPOCH);
    request.unpack(&[0, 0, 0x08, 0x66, 9, 9, 9, 9, 0x80, 0x00], &mut batch, Timestamp::EPOCH);
    assert_eq!(batch.values, [Value::Float(215.0), Value::Null]);
    assert_eq!(batch.qualities, [Quality::Good, Quality::BadOutOfRange]);

    let before = point(0, 0, json!({ "at": "holding:14", "exponent": "holding:10" }));
    let far = point(1, 0, json!({ "at": "holding:0", "exponent": "holding:125" }));
    let found = Targets::resolve(&link(json!({})), &[device(0, json!({}))], &[before, far]).expect("valid");
    assert_eq!(found.accepted[0].value.offset, 4);
    assert_eq!(found.rejected[0].1, "its 126 registers do not fit one request of 125 (`max_registers`)");
}

#[test]
fn nobody_is_asked_who_is_everybody() {
    let link = |framing: &str| link(json!({ "framing": framing }));
    let everybody = [device(0, json!({ "unit": 0 }))];
    let points = points(&[json!({ "at": "holding:10" })]);
    let on_a_line = Targets::resolve(&link("rtu"), &everybody, &points).expect("valid");
    assert!(on_a_line.rejected[0].1.starts_with("unit 0 is everybody"), "{:?}", on_a_line.rejected);
    assert_eq!(requests(on_a_line.accepted), []);
    assert_eq!(targets(&link("tcp"), &everybody, &points).len(), 1, "over TCP it may be the device itself");
}

#[test]
fn what_a_request_costs_on_a_serial_line_is_known_before() {
    let serial = LinkOptions::parse(&json!({ "endpoint": "serial:///dev/ttyS0", "baud": 9600 })).expect("valid");
    let points = points(&[json!({ "at": "holding:0" }), json!({ "at": "holding:124" })]);
    let serial = LinkOptions { gap_registers_max: 124, ..serial };
    let [request] = &requests(targets(&serial, &[device(0, json!({}))], &points))[..] else { panic!("one request") };
    // 8 characters to ask, 255 to answer, at 11 bits each, and twice 3.5 characters of silence.
    assert_eq!(request.wire_time(&serial).as_millis(), 309);
    assert_eq!(request.wire_time(&link(json!({}))), Duration::ZERO);
}
