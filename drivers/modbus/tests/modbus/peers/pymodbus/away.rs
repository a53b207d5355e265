//! pymodbus is killed and comes back, loses its serial line, and dials in.

use super::{Form, Pymodbus};
use crate::bench::soon;
use crate::peers::polled::Polled;
use crate::peers::process::Process;
use crate::peers::{tcp, wait_for};
use edgeway_conformance::free_port;
use edgeway_sdk::{Fault, Quality, Value};
use serde_json::{Value as Json, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::sleep;

/// Input register 9, which holds 9.
fn point() -> [Json; 1] {
    [json!({ "at": "input:9" })]
}

/// A link that does not wait long for an answer, because none will come.
fn impatient(server: &Pymodbus) -> Polled {
    let mut options = server.options();
    options["timeout"] = json!("500ms");
    Polled::new(&options, json!({}), &point())
}

async fn fault(polled: &Polled) -> Fault {
    polled.readings().await.remove(0).expect_err("nobody is there")
}

async fn comes_back(polled: &Polled) {
    let reading = wait_for("a value after an outage", async || polled.readings().await.remove(0).ok()).await;
    assert_eq!(reading, (Value::Int(9), Quality::Good));
}

#[tokio::test]
async fn a_server_that_was_killed_is_read_again_when_it_is_back() {
    for form in [Form::Tcp, Form::RtuThroughTcp] {
        let mut server = Pymodbus::start(form).await;
        let polled = impatient(&server);
        comes_back(&polled).await;
        server.kill().await;
        for _ in 0..3 {
            let fault = fault(&polled).await;
            assert!(matches!(fault, Fault::Link(_)), "{form:?}: {fault:?}");
        }
        server.resume().await;
        comes_back(&polled).await;
    }
}

#[tokio::test]
async fn a_device_that_was_switched_off_is_read_again_when_it_is_back() {
    for form in [Form::Rtu, Form::Ascii] {
        let mut server = Pymodbus::start(form).await;
        let polled = impatient(&server);
        comes_back(&polled).await;
        server.kill().await;
        let fault = fault(&polled).await;
        assert!(matches!(fault, Fault::Device(_)), "the port is there, so it is the device: {form:?}: {fault:?}");
        server.resume().await;
        comes_back(&polled).await;
    }
}

#[tokio::test]
async fn a_port_that_vanished_is_opened_again_by_its_name() {
    let mut server = Pymodbus::start(Form::Rtu).await;
    let polled = impatient(&server);
    comes_back(&polled).await;
    server.kill().await;
    server.line().pull_out().await;
    for _ in 0..3 {
        let fault = fault(&polled).await;
        assert!(matches!(fault, Fault::Link(_)), "{fault:?}");
    }
    let gone = polled.link.connect(soon()).await.expect_err("the port is gone").to_string();
    assert!(gone.contains("there is no such port"), "{gone}");
    server.line().plug_in().await;
    server.resume().await;
    comes_back(&polled).await;
}

#[tokio::test]
async fn a_port_that_is_pulled_out_while_an_answer_is_awaited_is_noticed_at_once() {
    let mut server = Pymodbus::start(Form::Rtu).await;
    let polled = Polled::new(&server.options(), json!({}), &point());
    comes_back(&polled).await;
    server.kill().await;
    let pulling = async {
        sleep(Duration::from_millis(100)).await;
        server.line().pull_out().await;
    };
    let (fault, ()) = tokio::join!(fault(&polled), pulling);
    assert!(matches!(fault, Fault::Link(_)), "{fault:?}");
    assert_eq!(polled.counted("timeouts"), 0);
}

/// socat takes the place of a device that dials in: it connects to the gateway and to pymodbus.
fn dial_in(gateway: u16, server: &Pymodbus) -> Process {
    let mut command = Command::new("socat");
    let to = |port: u16| format!("TCP:127.0.0.1:{port},nodelay,retry=100,interval=0.1");
    Process::start("socat", command.args([to(gateway), to(server.port())]).stderr(Stdio::null()))
}

#[tokio::test]
async fn a_device_that_dials_in_is_read_and_so_is_the_next() {
    for (form, framing) in [(Form::Tcp, "tcp"), (Form::RtuThroughTcp, "rtu")] {
        let server = Pymodbus::start(form).await;
        let gateway = free_port();
        let mut options = tcp(gateway, framing);
        options["endpoint"] = json!(format!("listen://127.0.0.1:{gateway}"));
        let polled = Polled::new(&options, json!({}), &point());
        let device = dial_in(gateway, &server);
        comes_back(&polled).await;
        device.kill().await;
        let fault = fault(&polled).await;
        assert!(matches!(fault, Fault::Link(_)), "{form:?}: {fault:?}");
        let _next = dial_in(gateway, &server);
        comes_back(&polled).await;
        assert_eq!(polled.counted("strange_answers"), 0);
    }
}
