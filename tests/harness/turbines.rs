//! The wind farm's turbines that speak OPC UA.

use crate::process::Process;
use crate::site_copy::SiteCopy;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// `peers/turbine_server.py`.
pub struct Turbines {
    process: Process,
}

/// A copy of `sites/wind-farm` that is reached and reaches out on ports of its own.
pub struct WindFarm {
    pub copy: SiteCopy,
    pub opcua: u16,
}

impl WindFarm {
    /// Makes the copy.
    ///
    /// # Panics
    /// If a port that is replaced is not in the site.
    pub fn new() -> WindFarm {
        let copy = SiteCopy::new("wind-farm");
        let [api, broker, opcua] = [(); 3].map(|()| crate::free_port());
        copy.port("edgeway.toml", 8080, api);
        copy.port("edgeway.toml", 1883, broker);
        copy.port("routes.toml", 1883, broker);
        copy.port("devices/opcua.toml", 4840, opcua);
        WindFarm { copy, opcua }
    }
}

impl Default for WindFarm {
    fn default() -> Self {
        Self::new()
    }
}

impl Turbines {
    /// Starts their server.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(port: u16) -> Turbines {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/turbine_server.py");
        let mut command = Command::new(crate::python());
        command.arg(script).arg(port.to_string());
        let process = Process::start("the turbines", &mut command);
        assert_eq!(process.line(ANSWER_WITHIN).as_deref(), Some("ready"), "they did not start");
        Turbines { process }
    }

    /// Gives a node a value: `WTG11.WindSpeed`.
    pub fn set(&mut self, node: &str, value: f64) {
        self.process.say(&format!("set {node} {value}"));
    }

    /// The methods that were called.
    ///
    /// # Panics
    /// If they do not say.
    pub fn calls(&mut self) -> String {
        self.process.say("calls");
        self.process.line(ANSWER_WITHIN).expect("an answer")
    }
}
