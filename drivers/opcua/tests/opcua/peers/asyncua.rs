//! A server made of asyncua, which can be killed and started anew.

use super::process::Process;
use edgeway_conformance::free_port;
use serde_json::Value as Json;

pub(crate) struct Asyncua {
    pub(crate) port: u16,
    options: Vec<String>,
    process: Option<Process>,
}

impl Asyncua {
    pub(crate) async fn start(options: &[&str]) -> Asyncua {
        let mut server = Asyncua { port: free_port(), options: vec![], process: None };
        server.resume(options).await;
        server
    }

    /// Starts it again on the same port, perhaps as another.
    pub(crate) async fn resume(&mut self, options: &[&str]) {
        assert!(self.process.is_none(), "it was killed before");
        self.options = options.iter().map(|&option| option.to_owned()).collect();
        let arguments: Vec<String> = std::iter::once(self.port.to_string()).chain(self.options.clone()).collect();
        self.process = Some(Process::start("opcua_server.py", &arguments).await);
    }

    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.process.as_mut().expect("it runs").ask(line).await
    }

    pub(crate) async fn set(&mut self, name: &str, value: impl Into<Json>) {
        let value: Json = value.into();
        assert_eq!(self.ask(&format!("set {name} {value}")).await, "ok");
    }

    /// A text that is no UTF-8: asyncua sends these as the bytes that they stand for.
    pub(crate) async fn garble(&mut self, name: &str) {
        assert_eq!(self.ask(&format!(r#"set {name} "\udcff\udcfe""#)).await, "ok");
    }

    pub(crate) async fn get(&mut self, name: &str) -> Json {
        serde_json::from_str(&self.ask(&format!("get {name}")).await).expect("JSON")
    }

    /// Sessions and subscriptions that it has.
    pub(crate) async fn load(&mut self) -> (u32, u32) {
        let [sessions, subscriptions] = [self.ask("sessions").await, self.ask("subscriptions").await];
        (sessions.parse().expect("a number"), subscriptions.parse().expect("a number"))
    }
}
