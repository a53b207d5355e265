//! `python -m http.server`, which hands out files with the time of their last change.

use super::python;
use crate::bench::{Bench, soon, wait_for};
use edgeway_conformance::free_port;
use edgeway_driver_http::Http;
use edgeway_sdk::{DeviceIx, Driver, Fault, Value};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// It is killed when it is dropped.
struct Server {
    port: u16,
    files: TempDir,
    child: Child,
}

impl Server {
    async fn start() -> Server {
        let files = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let server = Server { port, child: run(port, files.path()), files };
        server.put("meter.json", r#"{"power": 1250.5, "phases": [1, 2, 3], "on": true}"#);
        server.reached().await;
        server
    }

    async fn again(&mut self) {
        self.child = run(self.port, self.files.path());
        self.reached().await;
    }

    async fn kill(&mut self) {
        self.child.kill().await.expect("our own child");
    }

    async fn reached(&self) {
        wait_for("http.server to listen", async || TcpStream::connect(("127.0.0.1", self.port)).await.ok()).await;
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file that was changed a while ago.
    fn put(&self, name: &str, text: &str) {
        self.put_at(name, text, SystemTime::now() - Duration::from_secs(60));
    }

    fn put_at(&self, name: &str, text: &str, changed: SystemTime) {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(changed)).expect("dated");
    }

    async fn bench(&self) -> Bench {
        let points = [
            json!({ "path": "meter.json", "at": "power" }),
            json!({ "path": "meter.json", "at": "phases[2]" }),
            json!({ "path": "gone.json" }),
            json!({ "path": "meter.json", "at": "on", "access": "read-write" }),
        ];
        // Python needs its time to start on a busy machine.
        Bench::with(&self.address(), json!({ "timeout": "5s" }), json!({}), &points).await
    }
}

fn run(port: u16, folder: &Path) -> Child {
    let (port, folder) = (port.to_string(), folder.as_os_str());
    let mut command = Command::new(python());
    command
        .args(["-m", "http.server", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "--directory"])
        .arg(folder)
        .arg(port);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("Python; tests/run installs it")
}

fn power(watts: f64) -> Vec<Value> {
    vec![Value::Float(watts), Value::Int(3), Value::Bool(true)]
}

#[tokio::test]
async fn files_are_read_and_what_has_not_changed_is_not_sent_again() {
    let server = Server::start().await;
    let bench = server.bench().await;
    assert_eq!(bench.good(0).await, power(1250.5));
    assert_eq!(bench.good(0).await, power(1250.5));
    assert_eq!(bench.link.health()[2], ("unchanged_answers".into(), 1));
    server.put_at("meter.json", r#"{"power": 7.5, "phases": [1, 2, 3], "on": true}"#, SystemTime::now());
    assert_eq!(bench.good(0).await, power(7.5), "a change is seen at once");
    // Twice within one second: the date is the same, and is not asked for.
    server.put_at("meter.json", r#"{"power": 8.5, "phases": [1, 2, 3], "on": true}"#, SystemTime::now());
    assert_eq!(bench.good(0).await, power(8.5));
}

#[tokio::test]
async fn what_it_does_not_have_or_do_is_refused() {
    let server = Server::start().await;
    let bench = server.bench().await;
    match bench.exec(1).await {
        Err(Fault::Step(reason)) => assert!(reason.contains("/gone.json answered 404"), "{reason}"),
        other => panic!("{other:?}"),
    }
    match bench.write(3, false).await {
        Err(Fault::Point { reason, .. }) => assert!(reason.contains("501"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.good(0).await, power(1250.5));
}

#[tokio::test]
async fn it_is_found_and_its_files_offer_what_is_in_them() {
    let server = Server::start().await;
    let (sender, mut found) = tokio::sync::mpsc::channel(4);
    Http.discover(json!({ "endpoint": server.address(), "timeout": "5s" }), sender, soon()).await.expect("it is there");
    let device = found.recv().await.expect("one");
    assert!(device.identity.iter().any(|(name, text)| name == "server" && text.contains("SimpleHTTP")), "{device:?}");
    let bench = server.bench().await;
    let points = bench.link.browse(DeviceIx(0), Some("meter.json"), soon()).await.expect("it is there");
    assert!(points.iter().any(|point| point.options["path"] == "meter.json"), "{points:?}");
    assert!(points.iter().all(|point| point.offer.is_some()));
}

#[tokio::test]
async fn data_comes_again_after_each_of_20_kills_and_nothing_is_left() {
    let mut server = Server::start().await;
    let bench = server.bench().await;
    assert_eq!(bench.good(0).await, power(1250.5));
    let held = || [files(), threads(), tasks()];
    let before = held();
    for round in 0..20 {
        server.kill().await;
        let gone = bench.exec(0).await.expect_err("nobody is there");
        assert!(matches!(gone, Fault::Link(_) | Fault::Device(_)), "round {round}: {gone:?}");
        assert!(matches!(bench.link.connect(soon()).await, Err(Fault::Link(_))), "round {round}");
        server.again().await;
        bench.link.connect(soon()).await.expect("it is back");
        assert_eq!(bench.good(0).await, power(1250.5), "round {round}");
    }
    // Other tests of this program hold something too; what is lost each time would be 20 of each.
    wait_for("what was held to be given back", async || {
        held().iter().zip(&before).all(|(now, before)| *now < before + 15).then_some(())
    })
    .await;
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux").count()
}

/// Of the runtime of this test.
fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
