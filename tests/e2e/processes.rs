//! A driver in Python, as a process that the gateway watches; a link of another driver beside it.

use harness::{AcmeDevice, Gateway, wait_for};
use serde_json::Value as Json;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// How often the neighbour is read.
const PERIOD: Duration = Duration::from_millis(100);

struct Hall {
    device: AcmeDevice,
    gateway: Gateway,
    _folder: TempDir,
}

impl Hall {
    fn start() -> Hall {
        let device = AcmeDevice::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_site(folder.path(), device.port, &[&harness::python().display().to_string(), &driver()]);
        let gateway = Gateway::run(folder.path());
        let hall = Hall { device, gateway, _folder: folder };
        hall.until("the first value", |hall| hall.property("temperature")["value"] == 1012.0);
        hall
    }

    fn property(&self, name: &str) -> Json {
        self.gateway.property("oven-1", name)
    }

    fn driver(&self) -> Json {
        self.gateway.json(&["driver", "status", "acme"])
    }

    fn link(&self, name: &str) -> Json {
        self.gateway.json(&["link", "show", name])
    }

    fn signal(&self, name: &str) {
        harness::signal(self.driver()["pid"].as_u64().expect("it runs"), name);
    }

    fn until(&self, what: &str, wanted: impl Fn(&Hall) -> bool) {
        wait_for(what, SOON, || wanted(self).then_some(()));
    }

    /// Good values again, from a process that was started so many times.
    fn until_back(&self, starts: u64) {
        self.until("the next process", |hall| hall.driver()["starts"] == starts && hall.driver()["state"] == "running");
        self.until("a good value", |hall| hall.property("temperature")["quality"] == "good");
        self.until("the link", |hall| hall.link("hall")["state"] == "up");
    }
}

fn driver() -> String {
    harness::acme_example().join("driver.py").display().to_string()
}

fn write_site(site: &Path, port: u16, command: &[&str]) {
    std::fs::create_dir_all(site.join("models")).expect("a writable folder");
    let put = |name: &str, text: String| std::fs::write(site.join(name), text).expect("a writable folder");
    let api = harness::free_port();
    put(
        "edgeway.toml",
        format!(
            "name = \"hall\"\n[api]\nlisten = \"127.0.0.1:{api}\"\n[driver.acme]\ncommand = {command:?}\nmemory_max = \"512MiB\"\n"
        ),
    );
    put("models/oven.json", MODEL.to_owned());
    put("devices.toml", DEVICES.replace("PORT", &port.to_string()));
}

const MODEL: &str = r#"{
  "properties": [
    {"identifier": "temperature", "name": "Temperature", "accessMode": "r",
     "dataType": {"type": "float", "specs": {"min": "-100", "max": "1000000", "unit": "°C"}}},
    {"identifier": "setpoint", "name": "Setpoint", "accessMode": "rw",
     "dataType": {"type": "int", "specs": {"min": "0", "max": "1000000", "unit": "°C"}}}
  ], "events": [], "services": []
}"#;

const DEVICES: &str = r#"
[link.hall]
driver = "acme"
endpoint = "tcp://127.0.0.1:PORT"
timeout = "300ms"

[link.steady]
driver = "simulator"
world = "waves"

[template.oven]
model = "oven"
link = "hall"
poll = "200ms"
points.temperature = { at = 12 }
points.setpoint = { at = 50, write = true }

[template.steady]
model = "oven"
link = "steady"
poll = "100ms"
points.temperature = { at = "sine" }

[[device]]
id = "oven-1"
template = "oven"
acme = { unit = 1 }

[[device]]
id = "steady-1"
template = "steady"
"#;

#[test]
fn a_driver_in_python_is_read_written_and_described() {
    let hall = Hall::start();
    let set = hall.gateway.cli(&["device", "set", "oven-1", "setpoint", "210"]);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    hall.until("what was written", |hall| hall.property("setpoint")["value"] == 210);
    let described = hall.gateway.cli(&["driver", "describe", "acme"]);
    let text = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(text.contains("endpoint") && text.contains("The number of the unit"), "{text}");
    let place = format!("acme:tcp://127.0.0.1:{};unit=7;at=12", hall.device.port);
    let read = hall.gateway.cli(&["point", "test", &place, "-o", "json"]);
    let read: Json = serde_json::from_slice(&read.stdout).expect("a value");
    assert_eq!((&read["value"], &read["quality"]), (&Json::from(7012), &Json::from("good")));
    assert_eq!(hall.gateway.stop(), 0);
}

#[test]
fn a_process_that_is_killed_is_started_anew_and_its_neighbour_does_not_notice() {
    let hall = Hall::start();
    let (start, before) = (Instant::now(), hall.link("steady")["readings"].as_u64().expect("a number"));
    for starts in 2..5 {
        hall.signal("KILL");
        hall.until("the link to be down", |hall| hall.link("hall")["state"] == "down");
        let reason = hall.link("hall")["reason"].as_str().unwrap_or_default().to_owned();
        assert!(reason.starts_with("driver acme has"), "{reason}");
        hall.until_back(starts);
    }
    let readings = hall.link("steady")["readings"].as_u64().expect("a number") - before;
    let expected = start.elapsed().as_secs_f64() / PERIOD.as_secs_f64();
    assert!(readings as f64 > expected * 0.8, "{readings} readings of {expected:.0}: within 20 % of the period");
    assert_eq!(hall.link("steady")["overruns"], 0);
    assert_eq!(hall.gateway.stop(), 0);
}

#[test]
fn a_process_that_hangs_is_killed_and_values_turn_stale_meanwhile() {
    let hall = Hall::start();
    hall.signal("STOP");
    hall.until("the value to be doubted", |hall| hall.property("temperature")["quality"] != "good");
    hall.until_back(2);
    assert_eq!(hall.gateway.stop(), 0);
}

#[test]
fn a_device_behind_it_that_goes_away_comes_back() {
    let mut hall = Hall::start();
    hall.device.kill();
    hall.until("the link to be down", |hall| hall.link("hall")["state"] == "down");
    hall.device.restart();
    hall.until("a good value", |hall| {
        hall.link("hall")["state"] == "up" && hall.property("temperature")["quality"] == "good"
    });
    assert_eq!(hall.driver()["starts"], 1, "the process is not to blame");
    assert_eq!(hall.gateway.stop(), 0);
}

#[test]
fn no_process_is_left_when_the_gateway_is_killed() {
    let hall = Hall::start();
    let pid = hall.driver()["pid"].as_u64().expect("it runs");
    let Hall { gateway, device: _device, .. } = hall;
    gateway.kill();
    let gone = || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(());
    wait_for("the end of the driver's process", SOON, gone);
}

#[test]
fn a_driver_that_cannot_say_what_it_is_is_told_with_its_place_and_last_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_site(folder.path(), 1, &["python3", "-c", "import no_such_module"]);
    let output = harness::edgeway(&["check", &folder.path().display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("edgeway.toml:4:") && text.contains("No module named 'no_such_module'"), "{text}");
}

#[test]
fn the_example_in_python_passes_the_conformance_kit_as_a_process() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_site(folder.path(), 1, &[&harness::python().display().to_string(), &driver()]);
    let subject = harness::acme_example().join("conformance.toml").display().to_string();
    let site = folder.path().display().to_string();
    let output = harness::edgeway(&["driver", "test", "acme", "--site", &site, "--subject", &subject, "--seed", "5"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("seed 5"), "{text}");
}

#[test]
fn a_gateway_starts_without_a_driver_that_has_been_there_before() {
    let hall = Hall::start();
    let Hall { device, gateway, _folder: folder } = hall;
    assert_eq!(gateway.stop(), 0);
    let settings = std::fs::read_to_string(folder.path().join("edgeway.toml")).expect("there");
    let settings = settings.replace("driver.py", "moved-away.py");
    std::fs::write(folder.path().join("edgeway.toml"), settings).expect("a writable folder");
    let gateway = Gateway::run(folder.path());
    let hall = Hall { device, gateway, _folder: folder };
    hall.until("the neighbour's values", |hall| hall.link("steady")["readings"].as_u64() > Some(5));
    hall.until("the reason", |hall| {
        hall.link("hall")["reason"].as_str().is_some_and(|reason| reason.contains("No such file"))
    });
    assert_eq!(hall.gateway.stop(), 0);
}

#[test]
fn options_of_a_driver_in_another_language_are_checked_like_all_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_site(folder.path(), 1, &[&harness::python().display().to_string(), &driver()]);
    let devices = DEVICES
        .replace("tcp://127.0.0.1:PORT", "udp://x")
        .replace("unit = 1", "unti = 1")
        .replace("at = 12", "at = -1");
    std::fs::write(folder.path().join("devices.toml"), devices).expect("a writable folder");
    let output = harness::edgeway(&["check", &folder.path().display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in ["Where the device listens", "did you mean `unit`?", "-1 is less than the minimum of 0"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
}
