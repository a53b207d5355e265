//! The sample, read as far as the driver is concerned.

use edgeway_driver_opcua::OpcUa;
use edgeway_sdk::{Access, Driver, Json, Problem};
use serde_json::json;

const SAMPLE: &str = include_str!("../../sample.toml");
/// The keys of a point that are the gateway's.
const HOST: [&str; 6] = ["scale", "offset", "unit", "write", "poll", "stale_after"];

fn site(text: &str) -> Json {
    toml::from_str(text).expect("a TOML text")
}

fn link(site: &Json) -> Json {
    let mut link = site["link"]["park"].clone();
    assert_eq!(link.as_object_mut().unwrap().remove("driver"), Some(json!("opcua")));
    link
}

#[test]
fn the_sample_is_right() {
    let site = site(SAMPLE);
    assert_eq!(OpcUa.check_link(&link(&site)), Ok("opc.tcp://10.0.0.20:4840/park".into()));
    assert_eq!(OpcUa.check_device(&site["device"][0]["opcua"]), []);
    for (name, options) in site["template"]["turbine"]["points"].as_object().unwrap() {
        let mut options = options.clone();
        let access = if options["write"] == true { Access::ReadWrite } else { Access::Read };
        options.as_object_mut().unwrap().retain(|key, _| !HOST.contains(&key.as_str()));
        let problems: Vec<Problem> = OpcUa.check_point(&options, access);
        assert_eq!(problems, [], "{name}");
    }
}

/// Every commented value can be taken into use as it stands, and is what the schema says.
#[test]
fn the_commented_values_of_the_sample_are_the_defaults() {
    let (first, rest) = SAMPLE.split_once('\n').expect("lines");
    let full = link(&site(&format!("{first}\n{}", rest.replace("\n# ", "\n"))));
    assert!(OpcUa.check_link(&full).is_ok());
    let properties = OpcUa.manifest().options.link["properties"].clone();
    let bare = link(&site(SAMPLE));
    for (key, value) in full.as_object().unwrap().iter().filter(|(key, _)| bare.get(key.as_str()).is_none()) {
        let said = &properties[key]["default"];
        // What is worked out from other options has no default in the schema.
        assert!(said == value || said.is_null(), "{key}: {said} and {value}");
    }
}
