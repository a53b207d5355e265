//! Plans of a few points.

use super::*;
use edgeway_sdk::Json;
use serde_json::json;

fn work(points: &[(u32, Json, Access, u64)]) -> Work {
    work_at(["A4:C1:38:00:00:00", "A4:C1:38:00:00:01"], points)
}

/// Of two devices at these addresses.
fn work_at(addresses: [&str; 2], points: &[(u32, Json, Access, u64)]) -> Work {
    let device = |(ix, address)| DeviceSpec { ix: DeviceIx(ix), options: json!({ "address": address }) };
    let spec = |(ix, (device, options, access, seconds)): (u32, &(u32, Json, Access, u64))| PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(*device),
        options: options.clone().into(),
        access: *access,
        period: Duration::from_secs(*seconds),
    };
    let points: Vec<_> = (0..).zip(points).map(spec).collect();
    let devices: Vec<_> = (0..).zip(addresses).map(device).collect();
    Work::resolve(&devices, &points).expect("valid")
}

fn points(requests: &[Request]) -> Vec<Vec<u32>> {
    requests.iter().map(|request| request.items.iter().map(|(_, target)| target.ix.0).collect()).collect()
}

#[test]
fn what_is_told_is_not_asked_for() {
    let work = work(&[
        (0, json!({ "at": "rssi" }), Access::Read, 1),
        (0, json!({ "at": "gatt:181a/2a6e", "type": "i16", "watch": "notify" }), Access::Read, 1),
        (0, json!({ "at": "gatt:181a/2a6f", "type": "u16" }), Access::Read, 1),
        (0, json!({ "at": "gatt:ffe0/ffe1", "type": "u8", "watch": "notify" }), Access::Write, 1),
    ]);
    assert_eq!(work.watched(), [PointIx(0), PointIx(1)]);
    assert_eq!(points(&work.requests()), [[2]]);
    assert!(work.writable(PointIx(3)).is_ok() && work.writable(PointIx(2)).is_err());
    let stay = |device| work.whom(DeviceIx(device)).expect("planned").stay;
    assert_eq!((stay(0), stay(1)), (Stay::Connected, Stay::OnDemand));
}

#[test]
fn points_of_one_device_and_period_share_a_step() {
    let value = |at: &str| json!({ "at": at, "type": "u8" });
    let work = work(&[
        (0, value("gatt:181a/2a6f"), Access::Read, 1),
        (1, value("gatt:181a/2a6e"), Access::Read, 1),
        (0, value("gatt:181a/2a6e"), Access::Read, 1),
        (0, value("gatt:181a/2a6e"), Access::ReadWrite, 1),
        (0, value("gatt:181a/2a6d"), Access::Read, 9),
    ]);
    assert_eq!(points(&work.requests()), [vec![2, 3, 0], vec![4], vec![1]]);
    assert_eq!(points(&work.halves()).concat().len(), 5);
}

#[test]
fn a_step_reads_no_more_than_it_has_time_for() {
    let value = |n: usize| (0, json!({ "at": format!("gatt:181a/{n:04x}"), "type": "u8" }), Access::Read, 1);
    let work = work(&(0..70).map(value).collect::<Vec<_>>());
    assert_eq!(work.requests().iter().map(|request| request.items.len()).collect::<Vec<_>>(), [32, 32, 6]);
}

#[test]
fn of_two_devices_at_one_address_one_is_connected_and_both_are_heard() {
    let value = |at: &str| json!({ "at": at, "type": "u8" });
    let work = work_at(
        ["A4:C1:38:00:00:00", "a4:c1:38:00:00:00"],
        &[
            (0, json!({ "at": "rssi" }), Access::Read, 1),
            (0, value("gatt:181a/2a6e"), Access::Read, 1),
            (1, json!({ "at": "rssi" }), Access::Read, 1),
            (1, value("gatt:181a/2a6f"), Access::Read, 1),
            (1, value("gatt:ffe0/ffe1"), Access::Write, 1),
        ],
    );
    assert_eq!((work.watched(), points(&work.requests())), (vec![PointIx(0), PointIx(2)], vec![vec![1]]));
    let reason = "another device of this link has the address A4:C1:38:00:00:00 and connects it: give that one all `gatt:` points";
    assert_eq!(work.rejected(), [(PointIx(3), reason.to_owned())]);
    assert_eq!(work.writable(PointIx(4)).expect_err("rejected").to_string(), reason);
}
