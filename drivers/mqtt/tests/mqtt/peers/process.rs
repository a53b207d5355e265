//! A Python script that plays a device, and does what it is told line by line.

use super::repository;
use crate::wait::WITHIN;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// It is killed when it is dropped.
pub(crate) struct Script {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Script {
    /// Starts it, and waits until it says that it is ready.
    pub(crate) async fn start(name: &'static str, arguments: &[&str]) -> Script {
        let mut command = Command::new(repository().join(".venv/bin/python"));
        command.arg(repository().join("tests/peers").join(name)).args(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child =
            child.unwrap_or_else(|error| panic!("{name} cannot be started: {error}; tests/run installs it"));
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut script = Script { name, child, input, output };
        assert_eq!(script.line().await, "ready", "{name}");
        script
    }

    async fn line(&mut self) -> String {
        let line = timeout(WITHIN, self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing for {WITHIN:?}", self.name));
        line.expect("a pipe").unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// Tells it something, and waits until it has done that.
    pub(crate) async fn tell(&mut self, line: impl std::fmt::Display) {
        let told = self.input.write_all(format!("{line}\n").as_bytes()).await;
        told.unwrap_or_else(|error| panic!("{} does not listen: {error}", self.name));
        assert_eq!(self.line().await, "done", "{}", self.name);
    }

    /// Kills it: its connection is cut without a word.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("our own child");
    }
}
