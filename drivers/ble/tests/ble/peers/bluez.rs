//! A D-Bus of the test's own with a mocked BlueZ on it.

use super::process::Process;
use edgeway_sdk::Json;
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::process::Command;

/// Ends with the test.
pub(crate) struct Bluez {
    folder: TempDir,
    bus: Process,
    mock: Process,
    /// What was told that a BlueZ which is started again has to know.
    setting: Vec<Json>,
}

/// Debian's Python: its D-Bus and GLib are not on PyPI.
const PYTHON: &str = "/usr/bin/python3";

impl Bluez {
    /// With one adapter, `hci0`.
    pub(crate) async fn start() -> Bluez {
        let folder = tempfile::tempdir().expect("a folder");
        let bus = bus(&folder).await;
        let mock = mock(&folder).await;
        let mut bluez = Bluez { folder, bus, mock, setting: vec![] };
        bluez.set(json!({ "do": "adapter" })).await;
        bluez
    }

    /// With nothing on its bus.
    pub(crate) async fn absent() -> Bluez {
        let mut bluez = Bluez::start().await;
        bluez.kill().await;
        bluez
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// Something that is so from now on, also after a restart.
    pub(crate) async fn set(&mut self, command: Json) {
        self.ask(command.clone()).await;
        self.setting.push(command);
    }

    pub(crate) async fn ask(&mut self, command: Json) -> Json {
        let answer = self.mock.ask(&command.to_string()).await;
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{command}: {answer}"))
    }

    pub(crate) async fn stat(&mut self, name: &str) -> u64 {
        self.ask(json!({ "do": "stats" })).await[name].as_u64().expect("a number")
    }

    /// bluetoothd is gone, D-Bus is still there.
    pub(crate) async fn kill(&mut self) {
        self.mock.kill().await;
    }

    /// Starts bluetoothd again.
    pub(crate) async fn resume(&mut self) {
        self.mock = mock(&self.folder).await;
        for command in self.setting.clone() {
            self.ask(command).await;
        }
    }

    /// Kills D-Bus with everything on it, and starts both again.
    pub(crate) async fn restart_bus(&mut self) {
        self.bus.kill().await;
        self.mock.kill().await;
        self.bus = bus(&self.folder).await;
        self.resume().await;
    }
}

async fn bus(folder: &TempDir) -> Process {
    let socket = folder.path().join("bus");
    // What was killed has left its socket.
    let _ = std::fs::remove_file(&socket);
    let config = folder.path().join("bus.conf");
    let text = format!(
        "<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
         <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
        socket.display()
    );
    std::fs::write(&config, text).expect("a file");
    let mut command = Command::new("dbus-daemon");
    let config = format!("--config-file={}", config.display());
    let mut bus = Process::start("dbus-daemon", command.args(["--nofork", "--print-address", &config]));
    bus.line().await;
    bus
}

async fn mock(folder: &TempDir) -> Process {
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/bluez_mock.py");
    let mut command = Command::new(PYTHON);
    command.args(["-m", "dbusmock", "-l", "/dev/null", "--template"]).arg(template);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", folder.path().join("bus").display()));
    let mut mock = Process::start("dbusmock", &mut command);
    assert_eq!(mock.line().await, "ready");
    mock
}
