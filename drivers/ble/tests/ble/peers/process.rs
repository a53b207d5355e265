//! A child process that is told lines and answers with lines.

use super::WITHIN;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// It is killed when it is dropped.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Process {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}; tests/run installs it"));
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Process { name, child, input, output }
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// If none comes in time.
    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(WITHIN, self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing for {WITHIN:?}", self.name));
        line.expect("text").unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// What it answers to a line.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        let said = self.input.write_all(format!("{line}\n").as_bytes()).await;
        said.unwrap_or_else(|error| panic!("{} does not listen: {error}", self.name));
        self.line().await
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("our own child");
    }
}
