//! pymodbus, in every form in which it can be reached.

mod away;
mod server;
mod types;

pub(crate) use server::{Form, Pymodbus};

use super::polled::Polled;
use crate::bench::soon;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, Quality, Value};
use serde_json::json;

/// What is promised in every form.
macro_rules! promises {
    ($form:ident, $is:expr) => {
        mod $form {
            use super::*;

            #[tokio::test]
            async fn every_type_in_every_order_is_read_and_written() {
                types::in_every_order($is).await;
            }

            #[tokio::test]
            async fn values_are_read_as_pymodbus_encodes_them() {
                types::as_pymodbus_encodes_them($is).await;
            }

            #[tokio::test]
            async fn bits_and_bytes_are_changed_without_their_neighbours() {
                bits_and_bytes($is).await;
            }

            #[tokio::test]
            async fn a_device_changes_bits_and_reads_back_by_itself() {
                functions_22_and_23($is).await;
            }

            #[tokio::test]
            async fn the_longest_requests_are_answered() {
                longest($is).await;
            }

            #[tokio::test]
            async fn a_hole_costs_only_the_points_in_it() {
                holes($is).await;
            }

            #[tokio::test]
            async fn units_are_found_with_identities_of_two_pages() {
                identities($is).await;
            }
        }
    };
}

promises!(tcp, Form::Tcp);
promises!(rtu_through_tcp, Form::RtuThroughTcp);
promises!(ascii_through_tcp, Form::AsciiThroughTcp);
promises!(rtu, Form::Rtu);
promises!(ascii, Form::Ascii);

async fn bits_and_bytes(form: Form) {
    let mut server = Pymodbus::start(form).await;
    server.set(1, 900, 0b1000_0000_0001_0000).await;
    server.set(1, 901, 0x807f).await;
    let points = [
        json!({ "at": "coil:5" }),
        json!({ "at": "coil:6" }),
        json!({ "at": "discrete:6" }),
        json!({ "at": "discrete:7" }),
        json!({ "at": "holding:900.4" }),
        json!({ "at": "holding:900.0-3" }),
        json!({ "at": "holding:900.15" }),
        json!({ "at": "holding:901", "type": "i8", "byte": "high" }),
        json!({ "at": "holding:901", "type": "u8", "byte": "low" }),
    ];
    let polled = Polled::new(&server.options(), json!({}), &points);
    let [off, on] = [Value::Bool(false), Value::Bool(true)];
    let mut values = vec![off.clone(), off.clone(), on.clone(), off.clone(), on.clone(), 0.into(), on.clone()];
    values.extend([Value::Int(-128), Value::Int(127)]);
    assert_eq!(polled.values().await, values);
    for (point, value) in [(0, on), (4, off), (5, 9.into()), (7, 1.into()), (8, 255.into())] {
        assert_eq!(polled.write(point, value.clone()).await, Ok(Some(value.clone())));
        values[point] = value;
    }
    assert_eq!(polled.values().await, values);
    assert_eq!((server.get(1, 900).await, server.get(1, 901).await), (0b1000_0000_0000_1001, 0x01ff));
}

async fn functions_22_and_23(form: Form) {
    let mut server = Pymodbus::start(form).await;
    server.set(1, 910, 0x00f0).await;
    let device = json!({ "bits_with": "mask", "write_with": "read-write" });
    let points = [json!({ "at": "holding:910.0" }), json!({ "at": "holding:912", "type": "f32", "order": "CDAB" })];
    let polled = Polled::new(&server.options(), device, &points);
    polled.plan().await;
    assert_eq!(polled.write(0, true).await, Ok(Some(Value::Bool(true))));
    assert_eq!(server.get(1, 910).await, 0x00f1);
    assert_eq!(polled.write(1, 3.5).await, Ok(Some(Value::Float(3.5))));
    assert_eq!(server.show(912, "f32", "CDAB", 2).await, json!(3.5));
}

/// 125 registers and 2000 coils in one request, 123 registers in a write.
async fn longest(form: Form) {
    let server = Pymodbus::start(form).await;
    let mut options = server.options();
    options["max_gap_registers"] = json!(124);
    let points = [
        json!({ "at": "input:0" }),
        json!({ "at": "input:124" }),
        json!({ "at": "coil:0" }),
        json!({ "at": "coil:1000" }),
        json!({ "at": "coil:1999" }),
        json!({ "at": "holding:0", "type": "string", "length": 123 }),
    ];
    let polled = Polled::new(&options, json!({}), &points);
    assert_eq!(polled.plan().await.steps.len(), 3, "one for each table");
    let text: String = ('a'..='z').cycle().take(246).collect();
    for (point, value) in [(4, Value::Bool(true)), (5, text.as_str().into())] {
        assert_eq!(polled.write(point, value.clone()).await, Ok(Some(value)));
    }
    assert_eq!(
        polled.values().await,
        [0.into(), 124.into(), false.into(), false.into(), true.into(), text.as_str().into()]
    );
}

/// The registers from 1000 to 1999 are not there.
async fn holes(form: Form) {
    let server = Pymodbus::start(form).await;
    let points: Vec<_> = ["holding:998", "holding:999", "holding:1000", "holding:1004", "input:999", "input:1000"]
        .iter()
        .map(|at| json!({ "at": at }))
        .collect();
    let polled = Polled::new(&server.options(), json!({}), &points);
    let readings = polled.readings().await;
    let found: Vec<_> = readings.iter().map(|reading| reading.as_ref().ok().map(|(value, _)| value.clone())).collect();
    assert_eq!(found, [Some(0.into()), Some(0.into()), None, None, Some(999.into()), None]);
    for (point, at) in [(2, "holding:1000"), (3, "holding:1004"), (5, "input:1000")] {
        let Err(Fault::Point { quality, reason, .. }) = &readings[point] else { panic!("{:?}", readings[point]) };
        assert_eq!(reason, &format!("unit 1, {at}: illegal data address (exception 2)"));
        assert_eq!(*quality, Quality::BadConfig);
    }
    let refused = polled.write(2, 1).await;
    assert!(matches!(refused, Err(Fault::Point { quality: Quality::BadConfig, .. })), "{refused:?}");
}

async fn identities(form: Form) {
    let server = Pymodbus::start(form).await;
    let (sender, mut found) = tokio::sync::mpsc::channel(16);
    let mut hint = server.options();
    hint["units"] = json!([1, 2]);
    Modbus.discover(hint, sender, soon()).await.expect("it is there");
    let identity = [("vendor", "Pymodbus".into()), ("product", "P".repeat(120)), ("revision", "R".repeat(120))];
    let identity = identity.map(|(name, text)| (name.to_owned(), text));
    for unit in 1..=2 {
        let device = found.recv().await.expect("a unit");
        assert_eq!((device.options, device.identity), (json!({ "unit": unit }), identity.to_vec()));
    }
    assert!(found.recv().await.is_none());
}

/// On a serial line nobody answers, and all have heard it.
#[tokio::test]
async fn everybody_hears_what_is_written_to_unit_0() {
    for form in [Form::Rtu, Form::Ascii] {
        let mut server = Pymodbus::start(form).await;
        let polled = Polled::new(&server.options(), json!({ "unit": 0 }), &[json!({ "at": "holding:7" })]);
        assert!(polled.plan().await.steps.is_empty(), "nothing to ask for");
        assert_eq!(polled.write(0, 4711).await, Ok(None), "{form:?}");
        for unit in [1, 2, 16] {
            super::wait_for("a broadcast to be heard", async || (server.get(unit, 7).await == 4711).then_some(()))
                .await;
        }
    }
}

/// pymodbus answers only the last of the questions that arrive together, some of them twice.
#[tokio::test]
async fn a_device_that_can_take_one_question_gives_no_wrong_value_when_it_is_asked_several() {
    let server = Pymodbus::start(Form::Tcp).await;
    let mut options = server.options();
    options["in_flight"] = json!(8);
    options["timeout"] = json!("300ms");
    options["max_gap_registers"] = json!(0);
    let points: Vec<_> = (0..64).map(|n| json!({ "at": format!("input:{}", 2 * n) })).collect();
    let polled = Polled::new(&options, json!({}), &points);
    let mut right = 0;
    for (n, reading) in (0..).zip(polled.readings_at_once(8).await) {
        match reading {
            Ok(reading) => {
                assert_eq!(reading, (Value::Int(2 * n), Quality::Good));
                right += 1;
            }
            Err(Fault::Device(_) | Fault::Busy(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(right > 0, "{:?}", polled.link.health());
}
