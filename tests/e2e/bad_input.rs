//! Mistakes are found all at once, each with its place and its cure.

use harness::edgeway;
use std::path::Path;

/// What is put into the site, and what `check` has to say about it.
const MISTAKES: [(&str, &str, &[&str]); 6] = [
    ("models/broken.json", "{\"properties\": [", &["models/broken.json:1:"]),
    (
        "devices.toml",
        "[link.a]\ndriver = \"modbus\"\nendpiont = \"tcp://127.0.0.1:1502\"\n[template.t]\nmodel = \"wind-turbin\"\n[[device]]\nid = \"x\"\nlink = \"a\"\ntemplate = \"t\"\n[[device]]\nid = \"x\"\nlink = \"a\"\ntemplate = \"t\"\n",
        &["devices.toml:3:1", "endpoint", "devices.toml:5:", "wind-turbine", "devices.toml:11:6"],
    ),
    (
        "routes.toml",
        "[[route]]\nname = \"r\"\nsubjects = [\"a/#/b\"]\ntarget = \"nowhere\"\n",
        &["routes.toml:3:", "routes.toml:4:"],
    ),
    (
        "scenes/wrong.rhai",
        "scene(\"s\")\n  .when(prop(\"nobody\", \"x\") > 1)\n  .then([notify(\"a\", \"b\")]);\n",
        &["scenes/wrong.rhai:2:", "nobody"],
    ),
    (
        "queries/wrong.sql",
        "SELECT avg(wind_sped) FROM wind_turbine\nGROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')\n",
        &["queries/wrong.sql:1:", "wind_speed"],
    ),
    ("queries/circle.sql", "SELECT * FROM circle\n", &["queries/circle.sql:", "circle"]),
];

#[test]
fn every_mistake_is_found_at_once() {
    let site = tempfile::tempdir().expect("a temporary folder");
    write(site.path(), "edgeway.toml", "name = \"wrong\"\ntime_zone = \"Mars/Olympus\"\n");
    for (file, text, _) in MISTAKES {
        write(site.path(), file, text);
    }
    let check = edgeway(&["check", site.path().to_str().expect("a plain name")]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(1), "{said}");
    for part in MISTAKES.iter().flat_map(|(_, _, parts)| parts.iter()).chain([&"edgeway.toml:2:13", &"Mars/Olympus"]) {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    let run = edgeway(&["run", site.path().to_str().expect("a plain name")]);
    assert_eq!(run.status.code(), Some(1), "a wrong site does not run");
    assert!(!site.path().join("data").exists(), "nothing was started");
}

#[test]
fn findings_can_be_read_by_programs() {
    let site = tempfile::tempdir().expect("a temporary folder");
    write(site.path(), "edgeway.toml", "nmae = \"x\"\n");
    let check = edgeway(&["check", site.path().to_str().expect("a plain name"), "-o", "json"]);
    let findings: serde_json::Value = serde_json::from_slice(&check.stdout).expect("JSON");
    let unknown =
        findings.as_array().expect("a list").iter().find(|finding| finding["line"] == 1 && finding["key"] == "nmae");
    let unknown = unknown.unwrap_or_else(|| panic!("the key is named: {findings}"));
    assert!(unknown["help"].as_str().is_some_and(|help| help.contains("name")), "{unknown}");
}

fn write(site: &Path, file: &str, text: &str) {
    let path = site.join(file);
    std::fs::create_dir_all(path.parent().expect("a site has a root")).expect("a writable folder");
    std::fs::write(path, text).expect("a writable folder");
}
