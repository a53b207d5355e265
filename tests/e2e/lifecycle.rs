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

#[test]
fn queries_are_added_changed_and_removed_while_the_gateway_runs() {
    let site = new_site();
    let file = |name: &str| site.path().join("queries").join(name);
    let write = |name: &str, text: &str| std::fs::write(file(name), text).expect("our own folder");
    let gateway = Gateway::run(site.path());
    let rows = |name: &str| {
        let list = gateway.json(&["query", "list"]);
        let queries = list["queries"].as_array().expect("a list").clone();
        queries.iter().find(|query| query["name"] == name).map(|query| query["rows_out"].as_u64().expect("a number"))
    };

    write("windy.sql", "SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 0");
    let reloaded = gateway.json(&["query", "reload"]);
    let expected = serde_json::json!({
        "added": ["windy"], "removed": [], "kept": ["turbine_power"], "anew": [], "warm_lost": 0,
    });
    assert_eq!(reloaded, expected);
    harness::wait_for("its rows", Duration::from_secs(20), || rows("windy").filter(|rows| *rows > 0));

    write("windy.sql", "SELECT device, wind_sped FROM wind_turbine");
    let refused = gateway.cli(&["query", "reload"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{text}");
    assert!(text.contains("windy.sql:1:16") && text.contains("wind_speed"), "it says where and what is meant: {text}");
    assert!(rows("windy").is_some(), "what ran goes on");

    std::fs::remove_file(file("windy.sql")).expect("our own file");
    write(
        "turbine_power.sql",
        "SELECT device, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 s')",
    );
    harness::wait_for("a kept state", Duration::from_secs(20), || {
        let checked = edgeway(&["check", path(site.path())]);
        let text = String::from_utf8_lossy(&checked.stdout).into_owned();
        text.contains("note: query turbine_power begins anew").then_some(())
    });
    let reloaded = gateway.cli(&["query", "reload", "--warm", "1h"]);
    let text = String::from_utf8_lossy(&reloaded.stdout).into_owned();
    assert!(text.starts_with("changed turbine_power: begins with the messages since 20"), "{text}");
    let rest = "\nremoved windy: has told its last row\n0 queries go on with what they remember\n";
    assert!(text.ends_with(rest), "{text}");
    let before = rows("turbine_power").expect("it is there");
    harness::wait_for("rows of the new version", Duration::from_secs(20), || {
        rows("turbine_power").filter(|rows| *rows > before)
    });
    assert_eq!(rows("windy"), None);
    assert_eq!(gateway.stop(), 0);
}
