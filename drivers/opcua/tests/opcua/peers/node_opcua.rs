//! node-opcua: what asyncua does not know, and everything encrypted.

use super::process::Process;
use super::{lab, link_with, told};
use crate::host::Host;
use crate::wait_for;
use edgeway_conformance::free_port;
use edgeway_sdk::{Fault, Quality, Value};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

pub(super) struct NodeOpcua {
    pub(super) port: u16,
    pki: TempDir,
    process: Process,
}

impl NodeOpcua {
    async fn start() -> NodeOpcua {
        NodeOpcua::start_in(tempfile::tempdir().unwrap()).await
    }

    /// It takes the certificate that is there, in `server`.
    pub(super) async fn start_in(pki: TempDir) -> NodeOpcua {
        let port = free_port();
        let arguments = [port.to_string(), pki.path().display().to_string()];
        NodeOpcua { port, process: Process::start("opcua_server.js", &arguments).await, pki }
    }

    async fn load(&mut self) -> (String, String) {
        (self.process.ask("sessions").await, self.process.ask("subscriptions").await)
    }

    /// The gateway's folder is beside the server's own, and is removed with it.
    fn options(&self, more: Json) -> Json {
        let mut options = more;
        options["pki"] = json!(self.pki.path().join("gateway"));
        link_with(self.port, options)
    }

    fn trust(&self) {
        let folder = self.pki.path().join("gateway");
        let rejected = std::fs::read_dir(folder.join("rejected")).unwrap().next().unwrap().unwrap();
        std::fs::rename(rejected.path(), folder.join("trusted").join(rejected.file_name())).unwrap();
    }
}

#[tokio::test]
async fn everything_works_encrypted() {
    let mut server = NodeOpcua::start().await;
    let names = told(&["WTG02.Power", "WTG02.Name"]);
    let host = |more: Json| Host::new(&server.options(more), lab(), &names);
    let encrypted = host(json!({ "security": "basic256sha256", "username": "ada", "password": "secret" }));
    let policies = ["aes128-sha256-rsaoaep", "aes256-sha256-rsapss"];
    let others: Vec<Host> = policies.map(|policy| host(json!({ "security": policy }))).into();
    let wrong = host(json!({ "security": "basic256sha256", "username": "ada", "password": "no" }));
    let first = encrypted.connect().await.expect_err("nobody knows the server yet").to_string();
    assert!(first.contains("is not trusted"), "{first}");
    server.trust();
    encrypted.listen().await.unwrap();
    encrypted.hears(0, 1450.5).await;
    assert_eq!(server.process.ask("set 1500.25").await, "ok");
    encrypted.hears(0, 1500.25).await;
    assert_eq!(encrypted.write(0, 7.5).await, Ok(Some(Value::Float(7.5))));
    for other in others {
        other.listen().await.unwrap();
        other.hears(1, "WTG-02").await;
        other.close().await;
    }
    let fault = wrong.connect().await;
    assert!(matches!(&fault, Err(Fault::Link(why)) if why.contains("does not let the user in")), "{fault:?}");
    encrypted.close().await;
    let none = ("0".to_owned(), "0".to_owned());
    wait_for("the server to forget all sessions", async || (server.load().await == none).then_some(())).await;
}

#[tokio::test]
async fn entries_of_an_array_are_read_and_written() {
    let server = NodeOpcua::start().await;
    let points = [
        json!({ "at": "s=WTG02.Entries", "index": "1:2", "watch": "poll" }),
        json!({ "at": "s=WTG02.Entries", "index": "2", "watch": "poll" }),
        json!({ "at": "s=WTG02.Entries", "index": "2" }),
        json!({ "at": "s=WTG02.Entries", "watch": "poll" }),
    ];
    let host = Host::new(&link_with(server.port, json!({})), lab(), &points);
    host.listen().await.unwrap();
    let ints = |values: &[i64]| Value::Array(values.iter().copied().map(Value::Int).collect());
    assert_eq!(host.values().await, [ints(&[2, 3]), 3.into(), ints(&[1, 2, 3, 4])]);
    host.hears(2, 3).await;
    assert_eq!(host.write(1, 42).await, Ok(Some(Value::Int(42))));
    assert_eq!(host.write(0, ints(&[8, 9])).await, Ok(Some(ints(&[8, 9]))));
    assert_eq!(host.values().await[2], ints(&[1, 8, 9, 4]));
    host.hears(2, 9).await;
    host.close().await;
}

#[tokio::test]
async fn a_deadband_holds_small_changes_back() {
    let mut server = NodeOpcua::start().await;
    let points = [
        json!({ "at": "s=WTG02.Power", "deadband_absolute": 10.0 }),
        json!({ "at": "s=WTG02.Power" }),
        json!({ "at": "s=WTG02.Wind", "deadband_percent": 5.0 }),
        // It has no EURange, so nothing can be a part of it.
        json!({ "at": "s=WTG02.Limit", "deadband_percent": 5.0 }),
    ];
    let host = Host::new(&link_with(server.port, json!({})), lab(), &points);
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    host.hears(2, 10.0).await;
    host.hears_quality(3, Quality::BadConfig).await;
    for value in ["1455.5", "1458.5", "1470.5"] {
        server.process.ask(&format!("set {value}")).await;
        host.hears(1, value.parse::<f64>().unwrap()).await;
    }
    host.hears(0, 1470.5).await;
    let told = host.heard.told().all;
    let told: Vec<Value> = told.into_iter().filter_map(|(ix, value, _)| (ix == 0).then_some(value)).collect();
    assert_eq!(told, [Value::Float(1450.5), Value::Float(1470.5)]);
    host.close().await;
}
