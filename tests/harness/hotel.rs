//! The hotel's things beside its rooms: contacts by Zigbee2MQTT, a meter with a web interface, a thermostat that speaks CoAP.

use crate::process::Process;
use crate::site_copy::SiteCopy;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// `peers/hotel_things.py`, started against a broker that is there.
pub struct HotelThings {
    process: Process,
}

/// A copy of `sites/hotel` that is reached and reaches out on ports of its own.
pub struct HotelSite {
    pub copy: SiteCopy,
    pub broker: u16,
    pub http: u16,
    pub coap: u16,
}

impl HotelSite {
    /// Makes the copy.
    ///
    /// # Panics
    /// If a port that is replaced is not in the site.
    pub fn new() -> HotelSite {
        let copy = SiteCopy::new("hotel");
        let [api, broker, http, coap] = [(); 4].map(|()| crate::free_port());
        copy.port("edgeway.toml", 8080, api);
        copy.port("edgeway.toml", 1883, broker);
        copy.port("routes.toml", 1883, broker);
        copy.port("devices/field.toml", 1883, broker);
        copy.port("devices/field.toml", 8181, http);
        copy.port("devices/field.toml", 5683, coap);
        HotelSite { copy, broker, http, coap }
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
