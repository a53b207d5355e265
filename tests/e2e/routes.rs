//! What becomes of a route's messages is known at every moment, whatever the target does.

use harness::{Broker, Gateway, Subscriber, WebService, edgeway, free_port, wait_for};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A simulated site whose messages go to a web service, one by one.
fn site(port: u16, more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let init = edgeway(&["init", folder.path().to_str().expect("a plain name")]);
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let config = format!("name = \"plant\"\n[api]\nlisten = \"127.0.0.1:{}\"\n", free_port());
    put(folder.path(), "edgeway.toml", &config);
    put(folder.path(), "routes.toml", &ROUTES.replace("PORT", &port.to_string()).replace("MORE", more));
    folder
}

const ROUTES: &str = r##"
[target.service]
kind = "http"
url = "http://127.0.0.1:PORT/ingest"

[[route]]
name = "data"
subjects = ["property/#"]
target = "service"
batch = { messages = 1 }
from = "start"
MORE
"##;

const SPARKPLUG: &str = r##"
[target.host]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"

[[route]]
name = "host"
subjects = ["property/#"]
target = "host"
format = "sparkplug-b"
sparkplug = { group = "farm", node = "edge" }
"##;

/// An NCMD with `Node Control/Rebirth` set to true.
const REBIRTH: &str = "\x12\x1a\n\x14Node Control/Rebirth \x0bp\x01";

#[test]
fn a_sparkplug_host_may_ask_for_the_births_again() {
    let mut broker = Broker::new();
    broker.start();
    let site = site(broker.port, "");
    put(site.path(), "routes.toml", &SPARKPLUG.replace("PORT", &broker.port.to_string()));
    let mut host = Subscriber::of_bytes(&broker, "spBv1.0/farm/#");
    let _gateway = Gateway::run(site.path());
    let is = |verb: &'static str| move |message: &harness::Message| message.topic.split('/').nth(2) == Some(verb);
    host.wait_for("a birth", SOON, is("NBIRTH"));
    host.wait_for("data", SOON, is("DDATA"));
    broker.publish("spBv1.0/farm/NCMD/edge", REBIRTH);
    host.wait_for_new("another birth", SOON, is("NBIRTH"));
    host.wait_for_new("a device's birth", SOON, is("DBIRTH"));
    host.wait_for_new("more data", SOON, is("DDATA"));
    assert!(!host.messages.iter().any(is("NDEATH")), "the connection stands");
}

fn put(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("our own folder");
}

fn route(gateway: &Gateway) -> Value {
    gateway.json(&["route", "list"])["routes"][0].clone()
}

fn count(route: &Value, key: &str) -> u64 {
    route[key].as_u64().unwrap_or_else(|| panic!("{key} in {route}"))
}

fn assert_balanced(account: &Value) {
    let sum: u64 = ["delivered", "queued", "expired", "dropped", "dead"].iter().map(|key| count(account, key)).sum();
    assert_eq!(count(account, "taken"), sum, "{account}");
}

/// Offsets, which the ids of one run end in.
fn offset(message: &Value) -> u64 {
    let id = message["id"].as_str().expect("every message has an id");
    u64::from_str_radix(&id[20..], 16).expect("an id is hexadecimal")
}

#[test]
fn what_a_target_refuses_is_a_dead_letter_and_the_rest_goes_on() {
    let refuse = |message: &Value| if offset(message) % 10 == 3 { 422 } else { 200 };
    let service = WebService::start(refuse);
    let site = site(service.port, "");
    let gateway = Gateway::run(site.path());
    wait_for("dead letters", SOON, || (count(&route(&gateway), "dead") >= 2).then_some(()));
    let letters = gateway.json(&["deadletter", "list"])["letters"].as_array().expect("a list").clone();
    assert!(letters.iter().all(|letter| letter["reason"].as_str().expect("a reason").contains("422")), "{letters:?}");
    let number = letters[0]["number"].to_string();
    let letter = gateway.json(&["deadletter", "show", &number]);
    assert_eq!(letter["message"]["id"], letter["id"]);

    service.judge(|_| 200);
    gateway.json(&["deadletter", "redrive", "--all"]);
    let arrived = || service.taken().iter().any(|message| message["id"] == letter["id"]).then_some(());
    wait_for("the letter at the target", SOON, arrived);
    wait_for("no dead letters", SOON, || (count(&route(&gateway), "dead") == 0).then_some(()));
    assert_balanced(&route(&gateway));
    let unknown = gateway.cli(&["deadletter", "show", &number]);
    assert_eq!(unknown.status.code(), Some(1), "{}", String::from_utf8_lossy(&unknown.stderr));
}

#[test]
fn a_paused_route_waits_also_over_a_restart_and_then_delivers_everything() {
    let service = WebService::start(|_| 200);
    let site = site(service.port, "");
    let gateway = Gateway::run(site.path());
    wait_for("messages", SOON, || (!service.taken().is_empty()).then_some(()));
    assert_eq!(gateway.json(&["route", "pause", "data"])["state"], "paused");
    wait_for("a queue", SOON, || (count(&route(&gateway), "queued") > 5).then_some(()));
    assert_eq!(gateway.stop(), 0);
    let before = service.taken().len();
    let gateway = Gateway::run(site.path());
    assert_eq!(route(&gateway)["state"], "paused");
    assert_eq!(service.taken().len(), before, "nothing was sent");
    gateway.json(&["route", "resume", "data"]);
    wait_for("an empty queue", SOON, || {
        let route = route(&gateway);
        (count(&route, "queued") < 3 && count(&route, "delivered") as usize > before).then_some(())
    });
    assert_eq!(gateway.stop(), 0);
    let offsets: Vec<u64> = service.taken().iter().map(offset).collect();
    let unique: BTreeSet<u64> = offsets.iter().copied().collect();
    assert_eq!(offsets.len(), unique.len(), "a clean stop repeats nothing");
    assert!(offsets.is_sorted(), "in order");
}

#[test]
fn the_books_balance_by_device_and_after_a_kill() {
    let service = WebService::start(|_| 200);
    let site = site(service.port, "");
    for _ in 0..3 {
        let gateway = Gateway::run(site.path());
        let before = count(&route(&gateway), "delivered");
        wait_for("messages", SOON, || (count(&route(&gateway), "delivered") > before + 5).then_some(()));
        let ledger = gateway.json(&["route", "stat", "data"]);
        assert_balanced(&ledger["total"]);
        let devices = ledger["devices"].as_object().expect("by device");
        devices.values().for_each(assert_balanced);
        for key in ["taken", "delivered", "dropped"] {
            let sum: u64 = devices.values().map(|account| count(account, key)).sum();
            assert_eq!(sum, count(&ledger["total"], key), "{key} in {ledger}");
        }
        gateway.kill();
    }
    let gateway = Gateway::run(site.path());
    wait_for("an empty queue", SOON, || (count(&route(&gateway), "queued") < 3).then_some(()));
    let route = route(&gateway);
    let unique: BTreeSet<String> = service.taken().iter().map(|message| message["id"].to_string()).collect();
    let (delivered, arrived) = (count(&route, "delivered"), unique.len() as u64);
    assert!(arrived.abs_diff(delivered) <= 5, "{delivered} delivered by the books, {arrived} arrived");
    assert_eq!(count(&route, "dropped"), 0);
}

#[test]
fn messages_that_are_too_old_expire_and_are_counted() {
    let service = WebService::start(|_| 503);
    let site = site(service.port, "ttl = \"1s\"");
    let gateway = Gateway::run(site.path());
    wait_for("a queue", SOON, || (count(&route(&gateway), "queued") > 5).then_some(()));
    std::thread::park_timeout(Duration::from_secs(2));
    service.judge(|_| 200);
    wait_for("expired messages", SOON * 2, || (count(&route(&gateway), "expired") > 3).then_some(()));
    assert_balanced(&route(&gateway));
}

#[test]
fn a_condition_chooses_and_a_list_of_columns_shapes_what_is_sent() {
    let service = WebService::start(|_| 200);
    let site = site(service.port, "where = \"device = 'wt-01'\"\nselect = \"device, wind_speed * 3.6 AS wind_kmh\"");
    let gateway = Gateway::run(site.path());
    let found =
        wait_for("a message", SOON, || service.taken().into_iter().find(|m| m["values"]["wind_kmh"].is_number()));
    assert_eq!(found["values"]["device"], "wt-01");
    assert!(service.taken().iter().all(|message| message["subject"] == "property/wind-turbine/wt-01"));
    assert_eq!(gateway.stop(), 0);
}
