//! A site folder in, findings or a site out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bus;
mod cases;
mod examples;
mod folders;
mod hostile;
mod north;
mod numbers;
mod scenes;
mod sheets;

use edgeway_sdk::Driver;
use edgeway_site::{Failed, Loaded, load_with_variables};
use std::path::Path;
use std::sync::Arc;

/// The drivers of all tests but those of the example sites.
fn drivers() -> Vec<Arc<dyn Driver>> {
    vec![Arc::new(bus::Bus::new("bus")), Arc::new(bus::Bus::new("tram"))]
}

/// Those that come with the gateway, as the example sites need them.
fn real_drivers() -> Vec<Arc<dyn Driver>> {
    vec![
        Arc::new(edgeway_driver_ble::Ble),
        Arc::new(edgeway_driver_coap::Coap),
        Arc::new(edgeway_driver_http::Http),
        Arc::new(edgeway_driver_modbus::Modbus),
        Arc::new(edgeway_driver_mqtt::Mqtt),
        Arc::new(edgeway_driver_opcua::OpcUa),
        Arc::new(edgeway_driver_simulator::Simulator),
    ]
}

/// Loads a site with an environment that holds `BROKER` and `SECRET`.
fn load(root: &Path) -> Result<Loaded, Failed> {
    let variables = |name: &str| match name {
        "BROKER" => Some("broker.example".to_owned()),
        "SECRET" => Some("s3cret".to_owned()),
        _ => None,
    };
    load_with_variables(root, &drivers(), &variables)
}

/// The findings in their plain form, whether the site can run or not.
fn findings(root: &Path) -> String {
    let findings = match load(root) {
        Ok(loaded) => loaded.warnings,
        Err(failed) => failed.findings,
    };
    edgeway_site::render(&findings)
}

fn case(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// Which tables of a device's options have entries by the names of the model is said in the drivers' schemas.
#[test]
fn drivers_say_which_tables_have_the_names_of_services_and_events() {
    let mut tables = vec![];
    for driver in real_drivers() {
        let manifest = driver.manifest();
        for (table, described) in manifest.options.device["properties"].as_object().into_iter().flatten() {
            if let Some(names) = described["x-names"].as_str() {
                tables.push(format!("{}.{table}: {names}", manifest.name));
            }
        }
    }
    let expected = [
        "coap.services: services",
        "http.services: services",
        "mqtt.services: services",
        "opcua.events: events",
        "opcua.methods: services",
        "simulator.events: events",
        "simulator.services: services",
    ];
    assert_eq!(tables, expected);
}
