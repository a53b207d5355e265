//! A site from its first file to its end.

use harness::{Gateway, edgeway, free_port};
use std::path::Path;
use std::time::Duration;

/// A new site on a port of its own.
fn new_site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let init = edgeway(&["init", path(folder.path())]);
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let config = folder.path().join("edgeway.toml");
    let text = std::fs::read_to_string(&config).expect("written by init");
    let text = text.replace("# listen = \"127.0.0.1:8080\"", &format!("listen = \"127.0.0.1:{}\"", free_port()));
    std::fs::write(&config, text).expect("our own file");
    folder
}

fn path(folder: &Path) -> &str {
    folder.to_str().expect("temporary folders have plain names")
}

#[test]
fn a_new_site_checks_clean_runs_and_stops_at_once() {
    let site = new_site();
    let check = edgeway(&["check", path(site.path())]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    let gateway = Gateway::run(site.path());
    harness::wait_for("a device to be online", Duration::from_secs(20), || {
        let devices = gateway.json(&["device", "list"]);
        devices["devices"].as_array().expect("a list").iter().any(|device| device["state"] == "online").then_some(())
    });
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_second_gateway_cannot_use_the_same_data() {
    let site = new_site();
    let gateway = Gateway::run(site.path());
    let second = edgeway(&["run", path(site.path())]);
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{text}");
    assert!(text.contains("in use by process"), "it says who uses it: {text}");
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn an_address_in_use_is_named() {
    let site = new_site();
    let text = std::fs::read_to_string(site.path().join("edgeway.toml")).expect("written by init");
    let listen = text.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('"').next()).expect("a port").to_owned();
    let _taken = std::net::TcpListener::bind(format!("127.0.0.1:{listen}")).expect("a free port");
    let run = edgeway(&["run", path(site.path())]);
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains(&listen) && text.contains("listen"), "{text}");
}

#[test]
fn what_was_known_before_a_kill_is_known_after_it() {
    let site = new_site();
    let gateway = Gateway::run(site.path());
    let head = |gateway: &Gateway| gateway.json(&["status"])["journal"]["head"].as_u64().expect("an offset");
    harness::wait_for("messages", Duration::from_secs(20), || (head(&gateway) > 20).then_some(()));
    let before = head(&gateway);
    gateway.kill();
    let gateway = Gateway::run(site.path());
    assert!(head(&gateway) + 20 >= before, "offsets go on where they were");
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn no_gateway_and_wrong_usage_have_exit_codes_of_their_own() {
    let site = new_site();
    let alone = edgeway(&["device", "list", "--site", path(site.path())]);
    assert_eq!(alone.status.code(), Some(3), "{}", String::from_utf8_lossy(&alone.stderr));
    assert_eq!(edgeway(&["device", "lits"]).status.code(), Some(2));
}
