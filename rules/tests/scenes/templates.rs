//! Templates: one script, used for many devices.

use super::site::{options, things};
use edgeway_rules::{Options, Scenes, Script, Use};
use serde_json::json;
use std::collections::BTreeMap;

const COMFORT: &str = r#"
let p = params(#{
    room: #{ type: "device", model: "hotel-room", title: "Room" },
    setpoint: #{ type: "number", preset: 22.0, min: 16.0, max: 28.0 },
    grace: #{ type: "duration", preset: "30s" },
    lights: #{ type: "text", preset: "welcome", one_of: ["welcome", "night"] },
});
scene(`${p.room}.comfort`)
    .when(held(prop(p.room, "key_card") == true, p.grace))
    .then([set(p.room, "setpoint", p.setpoint), set(p.room, "light_scene", p.lights)]);
"#;

fn load(text: &str, uses: &[serde_json::Value]) -> Result<Vec<String>, Vec<String>> {
    let script = Script { file: "comfort.rhai".into(), text: text.into() };
    let one = |(at, values): (usize, &serde_json::Value)| Use {
        values: values.as_object().expect("a map").clone().into_iter().collect(),
        place: format!("comfort.toml:{}", at + 1),
    };
    let uses = uses.iter().enumerate().map(one).collect();
    let options = Options { uses: BTreeMap::from([("comfort.rhai".into(), uses)]), ..options() };
    match Scenes::load(things(), &[script], options) {
        Ok((scenes, _)) => {
            let shown =
                scenes.list().iter().map(|scene| scenes.show(&scene.name).expect("it is there").to_string()).collect();
            Ok(shown)
        }
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_use_stands_for_each_device_that_fits() {
    let scenes = load(COMFORT, &[json!({ "room": { "model": "hotel-room" }, "setpoint": 21 })]).expect("no mistake");
    assert_eq!(scenes.len(), 2);
    assert_eq!(
        scenes[1],
        "room-302.comfort  (comfort.rhai:8)\n  when      room-302.key_card == true for 30s\n  \
         then      set room-302.setpoint = 21 °C\n            set room-302.light_scene = welcome\n"
    );
}

#[test]
fn each_use_has_values_of_its_own() {
    let uses = [json!({ "room": "room-301", "grace": "1m" }), json!({ "room": "room-302", "lights": "night" })];
    let scenes = load(COMFORT, &uses).expect("no mistake");
    assert!(scenes[0].contains("for 1m") && scenes[0].contains("setpoint = 22 °C"), "{}", scenes[0]);
    assert!(scenes[1].contains("for 30s") && scenes[1].contains("light_scene = night"), "{}", scenes[1]);
}

#[test]
fn what_does_not_fit_is_told_with_the_parameter() {
    let wrong = |values: serde_json::Value| load(COMFORT, &[values]).expect_err("a mistake").join("\n");
    let cases = [
        (json!({ "room": "room-301", "setpoint": 40 }), "comfort.rhai:2:9: parameter `setpoint`: 40 is above 28"),
        (json!({ "room": "wt-01" }), "parameter `room`: `wt-01` is a `wind-turbine`, and not a `hotel-room`"),
        (json!({ "room": "room-9" }), "parameter `room`: no device is called `room-9`"),
        (json!({ "setpoint": 20 }), "the parameter `room` has no value"),
        (json!({ "room": "room-301", "setpiont": 20 }), "no parameter `setpiont` (did you mean `setpoint`?)"),
        (json!({ "room": "room-301", "lights": "disco" }), "`disco` is none of `welcome`, `night`"),
        (json!({ "room": "room-301", "grace": "soon" }), "parameter `grace`: `soon` is not a duration"),
        (json!({ "room": { "model": "boiler" } }), "comfort.toml:1: no model is called `boiler`"),
        (json!({ "room": { "row": "z" } }), "comfort.toml:1: no device fits `room`"),
    ];
    for (values, expected) in cases {
        let found = wrong(values.clone());
        assert!(found.contains(expected), "{values}: {found}");
    }
}

#[test]
fn a_script_without_parameters_cannot_be_used_with_values() {
    let found = load("scene(\"s\").then([delay(\"1s\")]);", &[json!({ "room": "room-301" })]).expect_err("a mistake");
    assert!(found.join("\n").contains("this script has no parameters"), "{found:?}");
}

#[test]
fn one_room_type_times_four_hundred_uses_is_quick_to_load() {
    let uses: Vec<_> = (0..400).map(|n| json!({ "room": "room-301", "setpoint": 16.0 + f64::from(n % 12) })).collect();
    let text = COMFORT.replace("`${p.room}.comfort`", "`${p.room}.comfort-${p.setpoint}`");
    let found = load(&text, &uses).expect_err("the same names come again");
    assert_eq!(found.iter().filter(|problem| problem.contains("there is already a scene")).count(), 12);
}
