//! Several devices on one wire, one of which is dead.

use harness::{Gateway, ModbusServer, wait_for};
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(30);
const MEASURED: Duration = Duration::from_secs(15);
const PERIOD: Duration = Duration::from_millis(200);
const LIVE: u8 = 3;
const DEAD: u8 = 9;

/// A line behind a converter: what is asked of the dead unit is swallowed.
fn line(server: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let device = TcpStream::connect(("127.0.0.1", server)).expect("pymodbus listens");
            let (from, to) = (device.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
            thread::spawn(move || pass(from, to, |_| true));
            thread::spawn(move || pass(client, device, |question| question[0] != DEAD));
        }
    });
    port
}

/// Passes on what comes, unless it is to be swallowed.
fn pass(mut from: TcpStream, mut to: TcpStream, wanted: impl Fn(&[u8]) -> bool) {
    let mut bytes = [0; 512];
    while let Ok(count) = from.read(&mut bytes) {
        if count == 0 || (wanted(&bytes[..count]) && to.write_all(&bytes[..count]).is_err()) {
            return;
        }
    }
}

fn write_site(site: &Path, port: u16) {
    std::fs::create_dir_all(site.join("models")).expect("a writable folder");
    let put = |name: &str, text: String| std::fs::write(site.join(name), text).expect("a writable folder");
    put("edgeway.toml", format!("name = \"line\"\n[api]\nlisten = \"127.0.0.1:{}\"\n", harness::free_port()));
    put(
        "models/meter.json",
        r#"{"properties": [{"identifier": "power", "name": "Power", "accessMode": "r",
            "dataType": {"type": "int", "specs": {"min": "0", "max": "65535", "unit": "W"}}}], "events": [], "services": []}"#
            .to_owned(),
    );
    let period = PERIOD.as_millis();
    let mut devices = format!(
        "[link.line]\ndriver = \"modbus\"\nendpoint = \"tcp://127.0.0.1:{port}\"\nframing = \"rtu\"\ntimeout = \"300ms\"\n\
         [template.meter]\nmodel = \"meter\"\nlink = \"line\"\npoll = \"{period}ms\"\npoints.power = {{ at = \"input:7\" }}\n"
    );
    for unit in (1..=LIVE).chain([DEAD]) {
        devices += &format!("[[device]]\nid = \"meter-{unit}\"\ntemplate = \"meter\"\nmodbus = {{ unit = {unit} }}\n");
    }
    put("devices.toml", devices);
}

#[test]
fn the_neighbours_of_a_dead_device_keep_their_period() {
    let server = ModbusServer::start_form("rtutcp");
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_site(folder.path(), line(server.port));
    let gateway = Gateway::run(folder.path());
    let state = |unit: u8| gateway.json(&["device", "get", &format!("meter-{unit}")])["state"].clone();
    wait_for("the dead device to be offline", SOON, || (state(DEAD) == "offline").then_some(()));

    let readings = || gateway.json(&["link", "show", "line"])["readings"].as_u64().expect("a number");
    let (start, before) = (Instant::now(), readings());
    thread::sleep(MEASURED);
    let read = (readings() - before) as f64;
    let wanted = start.elapsed().as_secs_f64() / PERIOD.as_secs_f64() * f64::from(LIVE);
    assert!(read >= wanted * 0.8, "{read} readings of {wanted:.0}: not within 20 % of the period");
    for unit in 1..=LIVE {
        assert_eq!(state(unit), Json::from("online"));
    }
    assert_eq!(gateway.stop(), 0);
}
