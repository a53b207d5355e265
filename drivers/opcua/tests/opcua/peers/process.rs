//! A program that is told something line by line, and answers each.

use crate::WITHIN;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// It is killed when it is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a script of `tests/peers`, and waits until it is ready.
    pub(crate) async fn start(script: &str, arguments: &[String]) -> Process {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = repository.join(".venv/bin/python");
        let interpreter = if script.ends_with(".py") { python } else { "node".into() };
        let mut command = Command::new(interpreter);
        command.arg(repository.join("tests/peers").join(script)).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{script}: {error}; tests/run installs it"));
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut process = Process { name: script.to_owned(), child, input, output };
        // Some have to say something else first.
        while process.line().await != "ready" {}
        process
    }

    /// What it answers.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        let said = self.input.write_all(format!("{line}\n").as_bytes()).await;
        said.unwrap_or_else(|error| panic!("{} does not listen: {error}", self.name));
        self.line().await
    }

    /// Ends it at once, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("our own child");
    }

    async fn line(&mut self) -> String {
        let line = timeout(WITHIN, self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing for {WITHIN:?}", self.name));
        line.expect("lines of text").unwrap_or_else(|| panic!("{} has ended", self.name))
    }
}
