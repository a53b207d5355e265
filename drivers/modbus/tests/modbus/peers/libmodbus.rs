//! The test server of libmodbus, which misbehaves at some addresses. It is unit 17, serves one connection and ends.

use super::polled::{Polled, Reading};
use super::process::Process;
use super::serial_line::SerialLine;
use super::{tcp, wait_for};
use crate::bench::soon;
use edgeway_conformance::free_port;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, Quality, Value};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use tokio::process::Command;

const UNIT: u8 = 17;
const SOURCE: &str = "/usr/share/doc/libmodbus-dev/examples";

/// The server, compiled from its source. The port and the device named there are taken from its second argument.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = std::fs::read_to_string(format!("{SOURCE}/unit-test-server.c"))
        .unwrap_or_else(|error| panic!("{SOURCE}: {error}; tests/run installs libmodbus-dev"));
    let source = replaced(&source, "\"127.0.0.1\", 1502", "\"127.0.0.1\", atoi(argv[2])");
    let source = replaced(&source, "\"/dev/ttyUSB0\"", "argv[2]");
    let (file, program) = (folder.join("libmodbus_server.c"), folder.join("libmodbus_server"));
    std::fs::write(&file, source).expect("a writable folder");
    let mut compiler = std::process::Command::new("cc");
    compiler
        .args(["-O1", "-w", "-I", SOURCE, "-I", "/usr/include/modbus", "-o"])
        .arg(&program)
        .arg(&file)
        .arg("-lmodbus");
    let output = compiler.output().expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
});

fn replaced(source: &str, text: &str, with: &str) -> String {
    assert!(source.contains(text), "{SOURCE}/unit-test-server.c has no {text}");
    source.replace(text, with)
}

/// The server and a link that has its one connection.
struct Hostile {
    polled: Polled,
    process: Process,
    /// Unless it is reached through TCP.
    line: Option<SerialLine>,
}

impl Hostile {
    async fn through_tcp(unit: u8, points: &[Json]) -> Hostile {
        Hostile::of(json!({ "unit": unit }), points).await
    }

    /// The same with options of the device.
    async fn of(device: Json, points: &[Json]) -> Hostile {
        let port = free_port();
        let process = server("tcp", &port.to_string());
        let polled = Polled::new(&tcp(port, "tcp"), device, points);
        // Whoever connects only to see whether it listens has used it up.
        wait_for("libmodbus to listen", async || polled.link.connect(soon()).await.ok()).await;
        Hostile { polled, process, line: None }
    }

    async fn on_a_line(points: &[Json]) -> Hostile {
        let line = SerialLine::new().await;
        let process = server("rtu", &line.devices().display().to_string());
        let mut options = line.options("rtu");
        let polled = Polled::new(&options, json!({ "unit": UNIT }), points);
        options["timeout"] = json!("200ms");
        let input = Polled::new(&options, json!({ "unit": UNIT }), &[json!({ "at": "input:264" })]);
        wait_for("libmodbus to listen", async || input.readings().await[0].is_ok().then_some(())).await;
        input.link.close(soon()).await;
        Hostile { polled, process, line: Some(line) }
    }

    async fn reading(&self) -> Reading {
        self.polled.readings().await.remove(0)
    }

    /// The reason of a fault of the device, which is what every misbehaviour must come to.
    async fn blamed(&self) -> String {
        match self.reading().await {
            Err(Fault::Device(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn server(backend: &str, place: &str) -> Process {
    Process::start("libmodbus", Command::new(&*PROGRAM).args([backend, place]).stderr(Stdio::null()))
}

fn register(at: u16) -> [Json; 1] {
    [json!({ "at": format!("holding:{at}") })]
}

fn good(value: impl Into<Value>) -> Reading {
    Ok((value.into(), Quality::Good))
}

#[tokio::test]
async fn what_behaves_is_read_and_written() {
    let points = [
        json!({ "at": "input:264" }),
        json!({ "at": "discrete:452" }),
        json!({ "at": "discrete:454" }),
        json!({ "at": "coil:304" }),
        json!({ "at": "holding:356", "type": "f64", "order": "GHEFCDAB" }),
        json!({ "at": "holding:360.3" }),
    ];
    for hostile in [Hostile::through_tcp(UNIT, &points).await, Hostile::on_a_line(&points).await] {
        let [off, on] = [Value::Bool(false), Value::Bool(true)];
        let before = [10.into(), off.clone(), on.clone(), off.clone(), Value::Float(0.0), off];
        assert_eq!(hostile.polled.values().await, before);
        for (point, value) in [(3, on.clone()), (4, Value::Float(123_456.0)), (5, on)] {
            assert_eq!(hostile.polled.write(point, value.clone()).await, Ok(Some(value)));
        }
    }
}

#[tokio::test]
async fn libmodbus_changes_bits_and_reads_back_by_itself() {
    let points = [json!({ "at": "holding:360.3" }), json!({ "at": "holding:361", "type": "i32" })];
    let device = json!({ "unit": UNIT, "bits_with": "mask", "write_with": "read-write" });
    let Hostile { polled, process: _process, .. } = Hostile::of(device, &points).await;
    polled.plan().await;
    assert_eq!(polled.write(0, true).await, Ok(Some(Value::Bool(true))));
    assert_eq!(polled.write(1, -70_000).await, Ok(Some(Value::Int(-70_000))));
    assert_eq!(polled.values().await, [true.into(), Value::Int(-70_000)]);
}

/// It sends one register of two, and all bytes of a frame that says so.
#[tokio::test]
async fn an_answer_that_is_too_short_is_no_value() {
    let points = [json!({ "at": "holding:352", "type": "u32" })];
    let mut hostile = Hostile::through_tcp(UNIT, &points).await;
    let reason = hostile.blamed().await;
    assert!(reason.ends_with("it has 2 bytes of data, not 4"), "{reason}");
    hostile.process.ended().await;
    let gone = hostile.reading().await;
    assert!(matches!(gone, Err(Fault::Link(_))), "the connection was closed, and there is no second: {gone:?}");
    let hostile = Hostile::on_a_line(&points).await;
    let reason = hostile.blamed().await;
    assert!(reason.ends_with("it has 2 bytes of data, not 4"), "{reason}");
}

#[tokio::test]
async fn a_busy_device_is_asked_again_later() {
    let points = register(0x170);
    for hostile in [Hostile::through_tcp(UNIT, &points).await, Hostile::on_a_line(&points).await] {
        for _ in 0..2 {
            let reason = format!("unit {UNIT}, holding:368: device busy (exception 6)");
            assert_eq!(hostile.reading().await, Err(Fault::Busy(reason)));
        }
    }
}

/// Its transaction is number 0, which the driver does not have before it has had all others.
#[tokio::test]
async fn the_answer_of_another_transaction_is_no_value() {
    for unit in [UNIT, 255] {
        let hostile = Hostile::through_tcp(unit, &register(0x171)).await;
        let reason = hostile.blamed().await;
        assert!(reason.ends_with("it is of another transaction"), "{reason}");
    }
}

/// Unit 18 answers. It is not the one who was asked, who has said nothing.
#[tokio::test]
async fn the_answer_of_a_neighbour_is_no_value() {
    let hostile = Hostile::on_a_line(&register(0x171)).await;
    let reason = hostile.blamed().await;
    assert!(reason.starts_with("unit 17 did not answer within"), "{reason}");
    assert_eq!(hostile.polled.counted("late_answers"), 1);
}

#[tokio::test]
async fn half_a_second_is_waited_for() {
    let points = register(0x172);
    for hostile in [Hostile::through_tcp(UNIT, &points).await, Hostile::on_a_line(&points).await] {
        assert_eq!(hostile.reading().await, good(0));
    }
}

/// It says that it is unit 255, whoever was asked.
#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_put_together_and_looked_at() {
    let hostile = Hostile::through_tcp(255, &register(0x173)).await;
    assert_eq!(hostile.reading().await, good(0));
    let hostile = Hostile::through_tcp(UNIT, &register(0x173)).await;
    let reason = hostile.blamed().await;
    assert!(reason.ends_with("it is of unit 255"), "{reason}");
}

#[tokio::test]
async fn the_one_unit_on_a_line_is_found() {
    let hostile = Hostile::on_a_line(&[]).await;
    let (sender, mut found) = tokio::sync::mpsc::channel(16);
    let mut hint = hostile.line.as_ref().expect("it is on a line").options("rtu");
    hint["units"] = json!([UNIT - 1, UNIT + 1]);
    hint["timeout"] = json!("500ms");
    Modbus.discover(hint, sender, soon()).await.expect("the port is there");
    let unit = found.recv().await.expect("the one unit");
    // It knows no identities, and says so.
    assert_eq!((unit.options, unit.identity), (json!({ "unit": UNIT }), vec![]));
    assert!(found.recv().await.is_none(), "its neighbours are not there");
}
