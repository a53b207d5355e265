//! A serial line: two pseudo-terminals that socat joins. It can be pulled out and put in again.

use super::process::Process;
use super::wait_for;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) struct SerialLine {
    folder: TempDir,
    socat: Option<Process>,
}

impl SerialLine {
    pub(crate) async fn new() -> SerialLine {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut line = SerialLine { folder, socat: None };
        line.plug_in().await;
        line
    }

    /// Both ports are there, by the names that they always have.
    pub(crate) async fn plug_in(&mut self) {
        let port = |path: PathBuf| format!("pty,raw,echo=0,link={}", path.display());
        let mut command = Command::new("socat");
        command.args([port(self.gateways()), port(self.devices())]).stderr(Stdio::null());
        self.socat = Some(Process::start("socat", &mut command));
        wait_for("both ports of a serial line", async || {
            (self.gateways().exists() && self.devices().exists()).then_some(())
        })
        .await;
    }

    /// Both ports are gone.
    pub(crate) async fn pull_out(&mut self) {
        self.socat.take().expect("it is plugged in").kill().await;
        for name in [self.gateways(), self.devices()] {
            std::fs::remove_file(name).expect("the name of a port that is gone");
        }
    }

    /// The end that the gateway opens.
    pub(crate) fn gateways(&self) -> PathBuf {
        self.folder.path().join("gateway")
    }

    /// The other end.
    pub(crate) fn devices(&self) -> PathBuf {
        self.folder.path().join("device")
    }

    /// The options of a link. A pseudo-terminal has eight bits and no parity, whatever it is asked for.
    pub(crate) fn options(&self, framing: &str) -> Json {
        let endpoint = format!("serial://{}", self.gateways().display());
        json!({
            "endpoint": endpoint,
            "framing": framing,
            "timeout": "3s",
            "baud": 115_200,
            "parity": "none",
            "data_bits": 8,
        })
    }
}
