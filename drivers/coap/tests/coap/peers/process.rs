//! A child process, with what it is told and what it prints, line by line.

use super::repository;
use crate::bench::WITHIN;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// It is killed when it is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: UnboundedReceiver<String>,
}

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command) -> Process {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}; tests/run installs it"));
        let input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (sender, lines) = unbounded_channel();
        // Taken out at once: a process must not wait for a test to read.
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Process { name: name.to_owned(), child, input, lines }
    }

    /// The thermostat, which says when it is ready.
    pub(crate) async fn thermostat(port: u16) -> Process {
        let script = repository().join("tests/peers/coap_server.py");
        let mut command = Command::new(repository().join(".venv/bin/python"));
        let mut process = Process::start("coap_server.py", command.arg(script).arg(port.to_string()));
        assert_eq!(process.line().await, "ready");
        process
    }

    async fn line(&mut self) -> String {
        let line = timeout(WITHIN, self.lines.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing for {WITHIN:?}", self.name));
        line.unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// What it answers to a line.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        let said = self.input.write_all(format!("{line}\n").as_bytes()).await;
        said.unwrap_or_else(|error| panic!("{} does not listen: {error}", self.name));
        self.line().await
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("our own child");
    }
}
