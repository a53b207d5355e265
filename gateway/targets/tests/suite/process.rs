//! A child process with what it prints, line by line.

use crate::peer::WITHIN;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// It is killed when it is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}; tests/run installs it"));
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Process { name: name.to_owned(), child, lines }
    }

    /// Python, with the packages that `tests/run` installs.
    pub(crate) fn python(script: &str, arguments: &[&str]) -> Self {
        let folder = env!("CARGO_MANIFEST_DIR");
        let mut command = Command::new(format!("{folder}/../../.venv/bin/python"));
        Process::start(script, command.arg("-u").arg(format!("{folder}/{script}")).args(arguments))
    }

    /// The next line.
    ///
    /// # Panics
    /// If none comes in time.
    pub(crate) async fn line(&mut self) -> String {
        let line = tokio::time::timeout(WITHIN, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing for {WITHIN:?}", self.name));
        line.expect("text").unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// Sends a signal by its name, `TERM`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "{} cannot be signalled", self.name);
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn end(mut self, signal: &str) {
        self.signal(signal).await;
        let ended = tokio::time::timeout(WITHIN, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} does not end", self.name)).expect("our child");
    }
}
