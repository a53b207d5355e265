//! The hotel's things beside its rooms: contacts by Zigbee2MQTT, a meter with a web interface, a thermostat that speaks CoAP.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// `peers/hotel_things.py`, started against a broker that is there.
pub struct HotelThings {
    process: Process,
}

/// A copy of `sites/hotel` that is reached and reaches out on ports of its own.
pub struct HotelSite {
    pub path: PathBuf,
    pub broker: u16,
    pub http: u16,
    pub coap: u16,
    _folder: tempfile::TempDir,
}

impl HotelSite {
    /// Makes the copy.
    ///
    /// # Panics
    /// If a port that is replaced is not in the site.
    pub fn new() -> HotelSite {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("hotel");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sites/hotel");
        let copied = Command::new("cp").arg("-r").arg(from).arg(&path).status();
        assert!(copied.is_ok_and(|status| status.success()), "the site cannot be copied");
        let [api, broker, http, coap] = [(); 4].map(|()| crate::free_port());
        let site = HotelSite { path, broker, http, coap, _folder: folder };
        site.replace("edgeway.toml", "127.0.0.1:8080", api);
        site.replace("edgeway.toml", "127.0.0.1:1883", broker);
        site.replace("routes.toml", "127.0.0.1:1883", broker);
        site.replace("devices/field.toml", "127.0.0.1:1883", broker);
        site.replace("devices/field.toml", "127.0.0.1:8181", http);
        site.replace("devices/field.toml", "127.0.0.1:5683", coap);
        site
    }

    fn replace(&self, file: &str, address: &str, port: u16) {
        self.edit(file, address, &format!("127.0.0.1:{port}"));
    }

    /// Changes a text in a file of the copy.
    ///
    /// # Panics
    /// If it is not there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path.join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the site");
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(path, text.replace(from, to)).expect("our own copy");
    }
}

impl Default for HotelSite {
    fn default() -> Self {
        Self::new()
    }
}

impl HotelThings {
    /// Starts all of them.
    ///
    /// # Panics
    /// If they do not come up.
    pub fn start(site: &HotelSite) -> HotelThings {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/hotel_things.py");
        let mut command = Command::new(crate::python());
        command.arg(script).args([site.broker, site.http, site.coap].map(|port| port.to_string()));
        let process = Process::start("the hotel's things", &mut command);
        assert_eq!(process.line(ANSWER_WITHIN).as_deref(), Some("ready"), "they did not start");
        HotelThings { process }
    }

    /// Tells them what happens: `contact balcony-301 open`, `temperature 25`.
    pub fn say(&mut self, line: &str) {
        self.process.say(line);
    }

    /// What the thermostat aims for.
    ///
    /// # Panics
    /// If it does not say.
    pub fn setpoint(&mut self) -> f64 {
        self.process.say("setpoint");
        self.process.line(ANSWER_WITHIN).expect("an answer").parse().expect("a number")
    }
}
