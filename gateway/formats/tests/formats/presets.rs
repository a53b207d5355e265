//! What the presets of a site say, in the words of their platforms.

use crate::{encoded, sample, text};
use edgeway_formats::{check_template, format};
use edgeway_site::FormatSite;
use serde_json::{Value, json};

/// The format of a route to ThingsBoard that says nothing of it.
fn thingsboard() -> FormatSite {
    let folder = tempfile::tempdir().unwrap();
    let routes = "[target.t]\nkind = \"mqtt\"\nurl = \"mqtt://h\"\npreset = \"thingsboard\"\ntoken = \"${TOKEN}\"\n\
                  [[route]]\nname = \"r\"\nsubjects = [\"property/#\"]\ntarget = \"t\"\n";
    std::fs::write(folder.path().join("edgeway.toml"), "name = \"x\"\n").unwrap();
    std::fs::write(folder.path().join("routes.toml"), routes).unwrap();
    let token = |_: &str| Some("secret".to_owned());
    let loaded =
        edgeway_site::load_with_variables(folder.path(), &[], &token).unwrap_or_else(|failed| panic!("{failed}"));
    loaded.site.routes[0].format.clone()
}

#[test]
fn thingsboard_gets_the_values_of_a_device_each_with_its_time() {
    let site = thingsboard();
    let FormatSite::Template { text: template, .. } = &site else { panic!("a template") };
    assert_eq!(check_template(template), Ok(()));
    let mut format = format(&site, 1, &sample::around());
    let payloads = encoded(&mut *format, &[sample::item(1, sample::full_report())]);
    let sent: Value = serde_json::from_str(text(&payloads[0])).expect("one object");
    let values = sent["pump-1"].as_array().expect("the device's values");
    let measured = sample::AT.as_millis() - 20;
    assert!(values.iter().all(|value| value["ts"] == json!(measured)), "{sent}");
    assert!(values.iter().any(|value| value["values"] == json!({"flow": 7.1})), "{sent}");
    assert!(
        values.iter().all(|value| value["values"].as_object().is_some_and(|one| one.values().all(|v| !v.is_null())))
    );
}

#[test]
fn thingsboard_gets_an_empty_list_where_nothing_could_be_read() {
    let mut format = format(&thingsboard(), 1, &sample::around());
    let unread =
        sample::report(sample::PUMP, vec![sample::seen(1, edgeway_sdk::Value::Null, edgeway_sdk::Quality::Bad)]);
    let payloads = encoded(&mut *format, &[sample::item(1, unread)]);
    assert_eq!(serde_json::from_str::<Value>(text(&payloads[0])).expect("one object"), json!({"pump-1": []}));
}
