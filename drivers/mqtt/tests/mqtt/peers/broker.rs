//! mosquitto, and its tools for publishing.

use crate::wait::wait_for;
use edgeway_conformance::free_port;
use serde_json::{Value as Json, json};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A broker on a port of its own. It is killed when it is dropped.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl Broker {
    /// One that lets everybody in.
    pub(crate) async fn start() -> Broker {
        Broker::with("allow_anonymous true\n").await
    }

    /// One with more settings; `{folder}` is a folder of its own.
    pub(crate) async fn with(settings: &str) -> Broker {
        Broker::with_files(settings, &[]).await
    }

    /// One with files in its folder.
    pub(crate) async fn with_files(settings: &str, files: &[(&str, &str)]) -> Broker {
        let (port, folder) = (free_port(), tempfile::tempdir().expect("a temporary folder"));
        // mosquitto gives up root's rights before it reads them.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("our own folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a writable folder");
        }
        let settings = settings.replace("{folder}", &folder.path().display().to_string());
        let text = format!("listener {port} 127.0.0.1\nmax_queued_messages 0\nmax_inflight_messages 0\n{settings}");
        std::fs::write(folder.path().join("mosquitto.conf"), text).expect("a writable folder");
        let mut broker = Broker { port, folder, child: None };
        broker.resume().await;
        broker
    }

    /// Starts it again on the same port; it has forgotten everything.
    pub(crate) async fn resume(&mut self) {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("mosquitto");
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a writable folder");
        command
            .arg("-v")
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .env("PATH", format!("{path}:/usr/sbin"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn();
        self.child = Some(child.expect("mosquitto cannot be started; tests/run installs it"));
        let port = self.port;
        wait_for("the broker", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
    }

    /// What it has logged since it was started.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("our own child");
        }
    }

    /// Tells it to stop in order.
    pub(crate) async fn pause(&self, signal: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs").to_string();
        let status = Command::new("kill").args([signal, &id]).status().await.expect("kill");
        assert!(status.success());
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// The options of a link.
    pub(crate) fn link(&self, more: Json) -> Json {
        let mut all = json!({ "endpoint": self.endpoint(), "timeout": "5s" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }

    /// Publishes with mosquitto_pub, and waits until the broker has it.
    pub(crate) async fn publish(&self, topic: &str, payload: impl AsRef<[u8]>, more: &[&str]) {
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic]).args(more);
        command.arg(if payload.as_ref().is_empty() { "-n" } else { "-s" });
        let mut child = command.stdin(Stdio::piped()).spawn().expect("mosquitto_pub; tests/run installs it");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(payload.as_ref()).await.expect("mosquitto_pub reads");
        drop(input);
        let status = child.wait().await.expect("our own child");
        assert!(status.success(), "mosquitto_pub {topic}");
    }

    /// The same, retained.
    pub(crate) async fn keep(&self, topic: &str, payload: impl AsRef<[u8]>) {
        self.publish(topic, payload, &["-r"]).await;
    }
}
