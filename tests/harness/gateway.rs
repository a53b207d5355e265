//! The gateway as its users run it: a process and a site folder.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

const START_WITHIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(5);
const END_WITHIN: Duration = Duration::from_secs(60);

/// A running `edgeway run`.
pub struct Gateway {
    site: PathBuf,
    process: Process,
}

impl Gateway {
    /// Runs a site and waits until it is alive.
    pub fn run(site: &Path) -> Gateway {
        let process = Process::start("edgeway", Command::new(binary()).arg("run").arg(site));
        let gateway = Gateway { site: site.to_owned(), process };
        crate::wait_for("the gateway's API", START_WITHIN, || {
            gateway.cli(&["status", "-o", "json"]).status.success().then_some(())
        });
        gateway
    }

    /// A command of the CLI against this gateway.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        edgeway(&[arguments, &["--site", &self.site.display().to_string()]].concat())
    }

    /// The same, as JSON.
    ///
    /// # Panics
    /// If the command fails or prints something else.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.cli(&[arguments, &["-o", "json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {text}{error}");
        serde_json::from_str(&text)
            .unwrap_or_else(|problem| panic!("{arguments:?} printed no JSON ({problem}): {text}"))
    }

    /// A property of a device, as the API shows it.
    ///
    /// # Panics
    /// If there is none.
    pub fn property(&self, device: &str, property: &str) -> serde_json::Value {
        let view = self.json(&["device", "get", device]);
        let properties = view["properties"].as_array().expect("a list");
        properties.iter().find(|one| one["identifier"] == property).expect("in the model").clone()
    }

    /// What it takes of the machine.
    pub fn usage(&self) -> crate::Usage {
        crate::Usage::of(self.process.id())
    }

    /// Stops it with SIGTERM; gives its exit code.
    ///
    /// # Panics
    /// If it takes longer than the 5 s it promises.
    pub fn stop(mut self) -> i32 {
        self.process.signal("TERM");
        self.process.wait(STOP_WITHIN)
    }

    /// Kills it without warning.
    pub fn kill(self) {
        drop(self.process);
    }
}

/// Runs the binary once.
///
/// # Panics
/// If there is no binary, or it does not end within a minute.
pub fn edgeway(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    let id = child.id();
    let (sender, output) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(END_WITHIN) else {
        let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
        panic!("{arguments:?} did not end within {END_WITHIN:?}");
    };
    output.expect("the binary's output can be read")
}

/// The binary beside the tests' own, `target/debug/edgeway`.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let binary = folder.join("edgeway");
    assert!(binary.exists(), "{} is missing: cargo build -p edgeway", binary.display());
    binary
}
