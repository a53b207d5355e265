//! The device of `sdk/python/examples/acme`: register r of unit u holds u * 1000 + r, 50 to 59 can be written.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const START_WITHIN: Duration = Duration::from_secs(10);

/// A running device.
pub struct AcmeDevice {
    /// Where it listens.
    pub port: u16,
    process: Option<Process>,
}

impl AcmeDevice {
    /// Starts one on a free port.
    pub fn start() -> AcmeDevice {
        let mut device = AcmeDevice { port: crate::free_port(), process: None };
        device.restart();
        device
    }

    /// Starts it anew, where it was.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new("python3");
        command.arg(example().join("device.py")).arg(self.port.to_string());
        let process = Process::start("the acme device", &mut command);
        assert!(process.line(START_WITHIN).is_some_and(|line| line.starts_with("acme device on")), "it listens");
        self.process = Some(process);
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process = None;
    }
}

/// The folder of the example.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/python/examples/acme")
}
