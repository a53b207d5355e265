//! Peers of other makes: asyncua and node-opcua. Each test starts its own, on a free port.

mod asyncua;
mod authorities;
mod away;
mod certificates;
mod methods;
mod node_opcua;
mod process;
mod proxy;
mod security;
mod values;
mod watching;
mod what_is_there;

use serde_json::{Value as Json, json};

/// The options of a link to a port of this machine.
fn link(port: u16) -> Json {
    json!({ "endpoint": format!("opc.tcp://127.0.0.1:{port}/lab") })
}

/// The same with more options.
fn link_with(port: u16, more: Json) -> Json {
    let mut link = link(port);
    link.as_object_mut().expect("a table").extend(more.as_object().expect("a table").clone());
    link
}

/// The device of the lab.
fn lab() -> Json {
    json!({ "namespace": "http://lab" })
}

/// Points that are asked for.
fn polled(names: &[&str]) -> Vec<Json> {
    names.iter().map(|name| json!({ "at": format!("s={name}"), "watch": "poll" })).collect()
}

/// Points that the server tells.
fn told(names: &[&str]) -> Vec<Json> {
    names.iter().map(|name| json!({ "at": format!("s={name}") })).collect()
}
