//! jsmodbus, a Modbus TCP server in Node.

use super::polled::{Polled, good};
use super::process::Process;
use super::tcp;
use edgeway_conformance::free_port;
use edgeway_sdk::{Fault, Value};
use serde_json::{Value as Json, json};

async fn server() -> (Process, Json) {
    let port = free_port();
    let process = Process::script("jsmodbus_server.js", &[&port.to_string()]).await;
    (process, tcp(port, "tcp"))
}

#[tokio::test]
async fn all_tables_are_read_and_written() {
    let (_server, options) = server().await;
    let points = [
        json!({ "at": "holding:10" }),
        json!({ "at": "holding:11", "type": "i32" }),
        json!({ "at": "input:999" }),
        json!({ "at": "coil:9" }),
        json!({ "at": "discrete:10" }),
    ];
    let polled = Polled::new(&options, json!({}), &points);
    let [off, on] = [Value::Bool(false), Value::Bool(true)];
    let mut values = vec![Value::Int(10), Value::Int(11 << 16 | 12), Value::Int(999), on, off.clone()];
    assert_eq!(polled.values().await, values);
    for (point, value) in [(0, 4711.into()), (1, Value::Int(-70_000)), (3, off)] {
        assert_eq!(polled.write(point, value.clone()).await, Ok(Some(value.clone())));
        values[point] = value;
    }
    assert_eq!(polled.values().await, values);
}

#[tokio::test]
async fn sixteen_questions_at_a_time_are_answered() {
    let (_server, mut options) = server().await;
    options["in_flight"] = json!(16);
    options["max_gap_registers"] = json!(0);
    let points: Vec<Json> = (0..160).map(|n| json!({ "at": format!("holding:{}", 2 * n) })).collect();
    let polled = Polled::new(&options, json!({}), &points);
    let values = good(polled.readings_at_once(16).await);
    assert_eq!(values, (0..160).map(|n| Value::Int(2 * n)).collect::<Vec<_>>());
    assert_eq!(polled.counted("connections"), 1);
}

/// jsmodbus does not answer to functions that it does not know, which is a matter of the device.
#[tokio::test]
async fn a_function_that_is_not_known_is_no_answer() {
    let (_server, mut options) = server().await;
    options["timeout"] = json!("500ms");
    let polled = Polled::new(&options, json!({ "bits_with": "mask" }), &[json!({ "at": "holding:10.0" })]);
    polled.plan().await;
    let written = polled.write(0, true).await;
    assert!(matches!(written, Err(Fault::Device(_))), "{written:?}");
}
