//! What is not a report or an event of a device has tables too.

use crate::*;
use edgeway_thing_models::{Firing, Online, Status};

fn status(device: &str, ts: f64, online: Online) -> Message {
    let reason = if online == Online::Offline { "timeout" } else { "" };
    Message { time: at(ts), body: Body::Status(Status { device: device_ix(device), online, reason: reason.into() }) }
}

#[test]
fn the_states_of_devices_can_be_counted() {
    let text = "SELECT device, window_end, count(*) FILTER (WHERE state = 'offline') AS outages, max(reason) AS reason
                FROM status GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')";
    let mut queries = load(&[("q", text)]);
    let messages = [
        status("wind-turbine-1", 1.0, Online::Online),
        status("wind-turbine-2", 2.0, Online::Offline),
        status("wind-turbine-2", 10.0, Online::Online),
        status("wind-turbine-2", 20.0, Online::Offline),
    ];
    push(&mut queries, 20.0, &entries(0, messages));
    let rows = advance(&mut queries, 80.0);
    assert_eq!(ids(&rows), ["q/wind-turbine-1/1767225600000", "q/wind-turbine-2/1767225600000"]);
    assert_eq!(rows[1].values[2..], [Value::Int(2), Value::from("timeout")]);
}

#[test]
fn a_row_of_no_device_is_called_after_its_subject() {
    let firing = Firing { scene: "night".into(), cause: "21:00".into(), chain: Default::default() };
    let mut queries = load(&[("q", "SELECT scene, cause, ts FROM scene")]);
    let rows = push(&mut queries, 5.0, &entries(7, [Message { time: at(5.0), body: Body::Firing(firing) }]));
    assert_eq!(ids(&rows), ["q/night/1767225605000/7"]);
    assert_eq!(rows[0].values, [Value::from("night"), Value::from("21:00"), Value::Int(at(5.0).as_millis())]);
}
