//! modbus-serial in Node, through TCP and as a device on a serial line.

use super::polled::Polled;
use super::process::Process;
use super::serial_line::SerialLine;
use super::tcp;
use crate::bench::soon;
use edgeway_conformance::free_port;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, Value};
use serde_json::{Value as Json, json};

async fn server(form: &str, place: &str) -> Process {
    Process::script("modbus_serial_server.js", &[form, place]).await
}

#[tokio::test]
async fn all_tables_are_read_and_written_through_tcp() {
    let port = free_port();
    let _server = server("tcp", &port.to_string()).await;
    all_tables(&tcp(port, "tcp")).await;
}

#[tokio::test]
async fn all_tables_are_read_and_written_on_a_serial_line() {
    let line = SerialLine::new().await;
    let _server = server("rtu", &line.devices().display().to_string()).await;
    all_tables(&line.options("rtu")).await;
}

async fn all_tables(options: &Json) {
    let points = [
        json!({ "at": "holding:10" }),
        json!({ "at": "holding:11", "type": "i32" }),
        json!({ "at": "input:998" }),
        json!({ "at": "input:1001" }),
        json!({ "at": "coil:9" }),
        json!({ "at": "discrete:10" }),
    ];
    let polled = Polled::new(options, json!({}), &points);
    let [off, on] = [Value::Bool(false), Value::Bool(true)];
    let mut values = vec![Value::Int(10), Value::Int(11 << 16 | 12), Value::Int(998), Value::Null, on, off.clone()];
    let found = async || {
        let reading = polled.readings().await.into_iter().map(|reading| match reading {
            Ok((value, _)) => value,
            Err(Fault::Point { reason, .. }) if reason.contains("input:1001: illegal data address") => Value::Null,
            Err(other) => panic!("{other:?}"),
        });
        reading.collect::<Vec<_>>()
    };
    assert_eq!(found().await, values);
    for (point, value) in [(0, 4711.into()), (1, Value::Int(-70_000)), (4, off)] {
        assert_eq!(polled.write(point, value.clone()).await, Ok(Some(value.clone())));
        values[point] = value;
    }
    assert_eq!(found().await, values);
}

#[tokio::test]
async fn a_unit_is_found_with_its_identity() {
    let port = free_port();
    let _server = server("tcp", &port.to_string()).await;
    let (sender, mut found) = tokio::sync::mpsc::channel(16);
    let mut hint = tcp(port, "tcp");
    hint["units"] = json!([1, 1]);
    Modbus.discover(hint, sender, soon()).await.expect("it is there");
    let unit = found.recv().await.expect("a unit");
    let identity = [("vendor", "modbus-serial"), ("product", "ServerTCP"), ("revision", "8")];
    assert_eq!(unit.identity, identity.map(|(name, text)| (name.to_owned(), text.to_owned())));
}
