//! Link Edge scenes as scripts: `link_edge/NAME.json` becomes `link_edge/NAME.rhai`.
//!
//! `UPDATE_IMPORTS=1 cargo test -p edgeway-rules import` writes the scripts anew; read the difference.

use super::site::{Site, load_all, things};
use edgeway_rules::{ImportSite, Imported, import};
use edgeway_thing_models::Online;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

const CASES: [&str; 14] = [
    "all-dark",
    "curtain-quartz",
    "farm-watch",
    "mast-lost",
    "noon-if-empty",
    "noon-or-hot",
    "room-key-card",
    "room-morning",
    "setpoint-changed",
    "turbine-alarm",
    "turbine-idle",
    "turbine-touched",
    "wind-derate",
    "window-and-heat",
];

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenes/link_edge").join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn bring(name: &str, json: &str) -> Result<Imported, Vec<String>> {
    let zone = TimeZone::get("Europe/Berlin").expect("a known zone");
    let product_keys = BTreeMap::from([("hotel-room".to_owned(), "a1room".to_owned())]);
    let things = things();
    let site = ImportSite { things: &things, zone: &zone, product_keys: &product_keys };
    import(name, json, &site).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn imported(name: &str) -> Imported {
    bring(name, &read(&format!("{name}.json"))).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

#[test]
fn each_scene_becomes_the_script_that_a_person_would_have_written() {
    for name in CASES {
        let (file, Imported { script, notes }) = (format!("{name}.rhai"), imported(name));
        let notes: String = notes.iter().map(|note| format!("// note: {note}\n")).collect();
        let found = format!("{script}\n{notes}");
        if std::env::var("UPDATE_IMPORTS").is_ok_and(|update| update == "1") {
            std::fs::write(path(&file), &found).expect("the folder can be written");
        }
        assert_eq!(found, read(&file), "{file}; UPDATE_IMPORTS=1 writes it anew");
    }
}

#[test]
fn every_file_is_a_case() {
    let mut files: Vec<String> = std::fs::read_dir(path(""))
        .expect("the folder is there")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut expected: Vec<String> =
        CASES.iter().flat_map(|name| [format!("{name}.json"), format!("{name}.rhai")]).collect();
    expected.sort();
    assert_eq!(files, expected);
}

#[test]
fn all_scripts_load_together_without_a_warning() {
    let scripts: Vec<(String, String)> =
        CASES.iter().map(|name| (format!("{name}.rhai"), imported(name).script)).collect();
    let scripts: Vec<(&str, &str)> = scripts.iter().map(|(file, text)| (&**file, &**text)).collect();
    match load_all(&scripts) {
        Ok((_, warnings)) => assert_eq!(warnings, vec![]),
        Err(problems) => panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()),
    }
}

#[test]
fn a_level_fires_with_every_report_as_it_did_before() {
    let mut site = Site::new(&imported("wind-derate").script);
    site.report("wt-01", "state", 2);
    for speed in [20.0, 23.0, 23.0] {
        site.report("wt-01", "wind_speed", speed);
    }
    assert_eq!(site.done(), ["wt-01.power_limit = 1500", "wt-01.power_limit = 1500"]);
}

#[test]
fn a_product_is_each_of_its_devices() {
    let mut site = Site::new(&imported("farm-watch").script);
    site.happen("wt-07", "alarm");
    site.turn("wt-08", Online::Online);
    site.turn("wt-08", Online::Offline);
    site.report("wt-03", "gear_oil_temperature", 80.0);
    site.advance("6h");
    assert_eq!(site.done().len(), 4);
}

#[test]
fn delays_count_from_the_firing_and_not_from_each_other() {
    let mut site = Site::starting_at("2026-08-03T06:29:00+02:00", &imported("room-morning").script);
    site.advance("1m");
    assert_eq!(site.done(), ["room-301.curtain = 100", "room-301.main_power = true"]);
    site.advance("90s");
    assert_eq!(site.done(), ["room-301.light_scene = 2"]);
    site.advance("88m 30s");
    assert_eq!(site.done(), ["room-302.curtain = 50"]);
}

/// A scene with parts that are right, to put one wrong part in.
fn scene(change: impl Fn(&mut Json)) -> Json {
    let mut scene = json!({
        "type": "IFTTT",
        "trigger": { "uri": "logical/or", "items": [
            { "uri": "trigger/timer", "params": { "cron": "0 7 * * *", "cronType": "linux" } },
            { "uri": "trigger/device/property", "params": {
                "deviceName": "wt-01", "propertyName": "wind_speed", "compareType": ">", "compareValue": 25,
            } },
        ] },
        "condition": { "uri": "logical/and", "items": [
            { "uri": "condition/timeRange", "params": { "beginDate": "08:00", "endDate": "18:00" } },
        ] },
        "action": [
            { "uri": "action/device/setProperty", "params": {
                "deviceName": "wt-01", "propertyName": "power_limit", "propertyValue": 0,
            } },
        ],
    });
    change(&mut scene);
    scene
}

fn refused(change: impl Fn(&mut Json)) -> Vec<String> {
    bring("s", &scene(change).to_string()).expect_err("a wrong part")
}

/// Puts a value at a JSON pointer, making the last key if it is new.
fn put(pointer: &'static str, value: Json) -> impl Fn(&mut Json) {
    move |scene| {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with /");
        let parent = scene.pointer_mut(parent).expect("a place in the scene");
        match parent {
            Json::Array(items) => items[key.parse::<usize>().expect("an index")] = value.clone(),
            other => other[key] = value.clone(),
        }
    }
}

#[test]
fn the_parts_that_are_right_make_a_scene() {
    assert_eq!(bring("s", &scene(|_| ()).to_string()).map(|_| ()), Ok(()));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    const ITEM: &str = "/trigger/items/1/params";
    let item = |key: &str, value: Json| {
        let (key, value) = (key.to_owned(), value);
        move |scene: &mut Json| scene.pointer_mut(ITEM).expect("the item")[&*key] = value.clone()
    };
    let cases = [
        (refused(put("/type", json!("TCA"))), "`type`: there is no rule type `TCA` (one of `IFTTT`, `CA`)"),
        (refused(put("/type", json!(1))), "`type`: text is needed here, this is a number"),
        (refused(put("/conditions", json!({}))), "`conditions` is not understood (did you mean `condition`?)"),
        (
            refused(put("/trigger/items/0/uri", json!("trigger/time"))),
            "`trigger.items[0].uri`: there is no trigger `trigger/time` (did you mean `trigger/timer`?)",
        ),
        (
            refused(put("/trigger/items/0", json!({ "uri": "logical/or", "items": [] }))),
            "`trigger.items[0]`: a `logical/or` inside a `logical/or` (put its items into the outer one)",
        ),
        (refused(put("/trigger/items", json!("all"))), "`trigger.items`: a list is needed here, this is text"),
        (refused(put("/trigger", json!([]))), "`trigger`: `uri` is missing"),
        (
            refused(put("/trigger/items/0/params/cron", json!("0 0 7 * * ?"))),
            "`trigger.items[0].params.cron`: a linux cron has 5 fields, this looks like `quartz_cron`",
        ),
        (
            refused(put("/trigger/items/0/params/cronType", json!("quartz"))),
            "`trigger.items[0].params.cronType`: there is no cron type `quartz` (did you mean `quartz_cron`?)",
        ),
        (
            refused(item("deviceName", json!("wt-1"))),
            "`trigger.items[1].params.deviceName`: no device is called `wt-1` (did you mean `wt-01`?)",
        ),
        (
            refused(item("productKey", json!("a1room"))),
            "`trigger.items[1].params.productKey`: `wt-01` is a `wind-turbine`, and this is the product key of `hotel-room`",
        ),
        (
            refused(item("propertyName", json!("wind_sped"))),
            "`trigger.items[1].params.propertyName`: `wind-turbine` has no property `wind_sped` (did you mean `wind_speed`?)",
        ),
        (
            refused(item("compareType", json!("=>"))),
            "`trigger.items[1].params.compareType`: there is no comparison `=>` (one of `>`, `>=`, `==`, `!=`, `<`, `<=`, `in`)",
        ),
        (
            refused(item("compareType", json!("in"))),
            "`trigger.items[1].params.compareValue`: a list is needed here, this is a number",
        ),
        (refused(item("compareType", json!(null))), "`trigger.items[1].params`: `compareType` is missing"),
        (
            refused(item("propertyName", json!(null))),
            "`trigger.items[1].params.compareType`: without `propertyName` there is nothing to compare",
        ),
        (
            refused(item("compareValue", json!(600))),
            "`trigger.items[1].params.compareValue`: `wind_speed` compared with what it can never be: the value is 600 m/s, above its maximum of 60 m/s",
        ),
        (
            refused(item("propertyName", json!("state"))),
            "`trigger.items[1].params.compareValue`: `>` needs a number, `state` is of type enum",
        ),
        (
            refused(item("compareTyp", json!(">"))),
            "`trigger.items[1].params`: `compareTyp` is not understood (did you mean `compareType`?)",
        ),
        (
            refused(put("/condition/items/0/uri", json!("condition/timer"))),
            "`condition.items[0]`: a moment is no condition (put it into `trigger`, as `trigger/timer`)",
        ),
        (
            refused(put("/condition/items/0/uri", json!("condition/weather"))),
            "`condition.items[0].uri`: there is no condition `condition/weather` (did you mean `condition/timer`?)",
        ),
        (
            refused(put("/condition/items/0/params/repeat", json!("8"))),
            "`condition.items[0].params.repeat`: these are no days of the week (0 to 7, of which 0 and 7 are Sunday: \"1-5\", \"6,7\")",
        ),
        (refused(put("/action", json!([]))), "`action`: a scene needs at least one action"),
        (refused(put("/action", json!(null))), "`action` is missing"),
        (
            refused(put("/action/0/uri", json!("action/automation/setSwitch"))),
            "`action[0].uri`: there is no action `action/automation/setSwitch` (one of `action/device/setProperty`, `action/device/invokeService`, `action/scene/trigger`)",
        ),
        (
            refused(put("/action/0/params/propertyName", json!("wind_speed"))),
            "`action[0].params.propertyName`: `wind_speed` can only be read",
        ),
        (
            refused(put("/action/0/params/propertyValue", json!(5000))),
            "`action[0].params.propertyValue`: `power_limit` is 5000 kW, above its maximum of 3000 kW",
        ),
        (
            refused(put("/action/0/params/delayedExecutionSeconds", json!(-1))),
            "`action[0].params.delayedExecutionSeconds`: a delay is a whole number of seconds from 0 to 86400",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn nodes_of_other_kinds_are_proved_too() {
    let trigger = |uri: &str, params: Json| refused(put("/trigger", json!({ "uri": uri, "params": params })));
    let action = |uri: &str, params: Json| refused(put("/action/0", json!({ "uri": uri, "params": params })));
    let cases = [
        (
            trigger("trigger/device/property", json!({ "iotId": "xyz" })),
            "`trigger.params`: `deviceName` is missing (`iotId` is the platform's own number; the site knows its devices by name)",
        ),
        (
            trigger("trigger/device/event", json!({ "deviceName": "wt-01", "eventCode": "alram" })),
            "`trigger.params.eventCode`: `wind-turbine` has no event `alram` (did you mean `alarm`?)",
        ),
        (
            trigger(
                "trigger/device/event",
                json!({ "deviceName": "wt-01", "eventCode": "alarm", "propertyName": "code" }),
            ),
            "`trigger.params.propertyName`: scenes do not look into what an event carries (write a query over the event that has this comparison, and set the scene off by its row)",
        ),
        (
            trigger("trigger/device/event", json!({ "deviceName": "room-301" })),
            "`trigger.params`: `hotel-room` has no events",
        ),
        (
            trigger("trigger/device/statusChange", json!({ "deviceName": "wt-01", "status": "disabled" })),
            "`trigger.params.status`: there is no status `disabled` (one of `online`, `offline`)",
        ),
        (
            trigger("trigger/product/property", json!({ "productKey": "a1roon" })),
            "`trigger.params.productKey`: no model has the product key `a1roon` (did you mean `a1room`?)",
        ),
        (
            trigger("trigger/product/event", json!({ "productKey": "wind-turbine", "deviceName": "wt-01" })),
            "`trigger.params.deviceName`: a trigger of a product is about all its devices",
        ),
        (
            action("action/device/invokeService", json!({ "deviceName": "wt-01", "serviceName": "sotp" })),
            "`action[0].params.serviceName`: `wind-turbine` has no service `sotp` (did you mean `stop`?)",
        ),
        (
            action("action/device/invokeService", json!({ "deviceName": "wt-01", "serviceName": "stop" })),
            "`action[0].params`: `mode` is missing",
        ),
        (
            action(
                "action/device/invokeService",
                json!({ "deviceName": "wt-01", "serviceName": "stop", "serviceArgs": { "mode": 7 } }),
            ),
            "`action[0].params.serviceArgs`: `mode` is 7, which is not one of 0 (normal), 1 (emergency)",
        ),
        (
            action("action/device/setProperty", json!({ "deviceName": "wt-01", "propertyItems": { "power_limt": 1 } })),
            "`action[0].params.propertyItems.power_limt`: `wind-turbine` has no property `power_limt` (did you mean `power_limit`?)",
        ),
        (
            action("action/scene/trigger", json!({ "sceneId": "my scene" })),
            "`action[0].params.sceneId`: `my scene` is no name for a scene (without spaces, `/`, `+` and `#`: \"my-scene\")",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn rules_of_type_ca_that_nothing_sets_off() {
    let rule = |mode: &str, condition: Json| {
        let action = json!([{ "uri": "action/alert/send" }]);
        let rule = json!({ "type": "CA", "mode": mode, "condition": condition, "action": action });
        bring("s", &rule.to_string()).expect_err("a wrong rule")
    };
    let range = json!({ "uri": "condition/timeRange", "params": { "beginDate": "08:00", "endDate": "18:00" } });
    let timer = json!({ "uri": "condition/timer", "params": { "cron": "0 7 * * *" } });
    let cases = [
        (rule("all", json!([range])), "`condition`: nothing here sets the scene off"),
        (rule("all", json!({})), "`condition`: nothing here sets the scene off"),
        (rule("all", json!([timer, timer])), "`condition`: two moments are never at the same time"),
        (
            rule("any", json!([timer, range])),
            "`condition[1]`: a time range sets nothing off (with `mode` \"all\" it limits)",
        ),
        (rule("some", json!([timer])), "`mode`: there is no mode `some` (one of `all`, `any`)"),
        (
            rule("any", json!({ "uri": "logical/and", "items": [timer] })),
            "`mode`: it says one thing and `condition.uri` the other",
        ),
        (rule("all", json!(null)), "`condition` is missing"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn all_problems_come_at_once() {
    let found = refused(|scene| {
        scene["trigger"]["items"][1]["params"]["deviceName"] = json!("wt-99");
        scene["condition"]["items"][0]["params"]["endDate"] = json!("late");
        scene["action"] = json!([{ "uri": "action/x" }, { "params": {} }]);
    });
    let starts = [
        "`trigger.items[1].params.deviceName`",
        "`condition.items[0].params.endDate`",
        "`action[0].uri`",
        "`action[1]`",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} should start with {start}");
    }
}

#[test]
fn a_name_is_the_scenes_name() {
    let json = scene(|_| ()).to_string();
    let expected = "`Gear oil / hot` is no name for a scene (without spaces, `/`, `+` and `#`: \"gear-oil-hot\")";
    assert_eq!(bring("Gear oil / hot", &json), Err(vec![expected.into()]));
    assert_eq!(bring("a\nb", &json).expect_err("two lines").len(), 1);
    assert_eq!(bring("", &json).expect_err("no name").len(), 1);
    assert_eq!(
        bring(&"n".repeat(129), &json).expect_err("long"),
        ["a scene's name has at most 128 bytes, this one 129"]
    );
    assert!(bring("齿轮油-高温", &json).expect("a name").script.contains("scene(\"齿轮油-高温\")"));
}

#[test]
fn what_is_no_json_is_told_with_line_and_column() {
    assert_eq!(bring("s", "{\n  \"type\": IFTTT }"), Err(vec!["2:11: not JSON: expected value".into()]));
    assert_eq!(bring("s", "").expect_err("empty").len(), 1);
    assert_eq!(bring("s", "[]"), Err(vec!["`type` is missing".into()]));
    assert_eq!(bring("s", "null"), Err(vec!["`type` is missing".into()]));
}

#[test]
fn hostile_sizes_are_refused_in_a_sentence() {
    let long = " ".repeat((1 << 20) + 1);
    assert_eq!(bring("s", &long), Err(vec!["1048577 bytes are too many for a scene: at most 1048576".into()]));
    let deep = "[".repeat(100_000);
    assert_eq!(bring("s", &deep), Err(vec!["1:128: not JSON: recursion limit exceeded".into()]));
    let mut nested = json!({ "uri": "condition/timeRange", "params": { "beginDate": "08:00", "endDate": "18:00" } });
    for _ in 0..30 {
        nested = json!({ "uri": "logical/and", "items": [nested] });
    }
    let found = refused(put("/condition", nested));
    assert!(found[0].ends_with("more than 4 levels of `logical/and` and `logical/or`"), "{found:?}");
    let found = refused(put("/trigger/items", json!(vec![1; 17])));
    assert_eq!(found, ["`trigger.items`: 17 are too many: at most 16"]);
    let status = json!({ "uri": "trigger/device/statusChange", "params": { "deviceName": "wt-01" } });
    let found = refused(put("/trigger/items", json!(vec![status; 11])));
    assert_eq!(found, ["`trigger`: 22 triggers are too many: at most 16"]);
    let choices = json!({ "uri": "trigger/device/property", "params": {
        "deviceName": "wt-01", "propertyName": "state", "compareType": "in", "compareValue": vec![2; 32],
    } });
    let found = refused(|scene| {
        scene["trigger"]["items"] = json!(vec![choices.clone(); 16]);
        scene["condition"] = choices.clone();
        scene["condition"]["uri"] = json!("condition/device/property");
    });
    assert_eq!(found, ["544 comparisons are too many for a scene: at most 512"]);
    assert_eq!(refused(put("/action", json!(vec![1; 257]))), ["`action`: 257 are too many: at most 256"]);
    let found = refused(put("/trigger/items/1/params/deviceName", json!("x".repeat(500_000))));
    assert!(found[0].len() < 300, "{}", found[0].len());
    let found = refused(|scene| scene["trigger"]["x".repeat(500_000)] = json!(1));
    assert!(found[0].len() < 300, "{}", found[0].len());
}

/// The longest script that the limits allow is one that loads.
#[test]
fn a_scene_as_large_as_allowed_loads() {
    let comparison = |device: usize, kind: &str| {
        json!({ "uri": format!("{kind}/device/property"), "params": {
            "deviceName": format!("wt-{:02}", device % 8 + 1), "propertyName": "wind_speed", "compareType": ">", "compareValue": 25,
        } })
    };
    // Three levels below each, and as many comparisons as there may be.
    let branch = |device: usize| {
        let mut choice = comparison(device, "condition");
        choice["params"]["propertyName"] = json!("state");
        choice["params"]["compareType"] = json!("in");
        choice["params"]["compareValue"] = json!(vec![2; 28]);
        let inner = json!({ "uri": "logical/or", "items": [choice, comparison(device, "condition")] });
        json!({ "uri": "logical/or", "items": [
            { "uri": "logical/and", "items": [inner, comparison(device, "condition")] },
            comparison(device, "condition"),
        ] })
    };
    let action = json!({ "uri": "action/device/setProperty", "params": {
        "deviceName": "wt-01", "propertyName": "power_limit", "propertyValue": 0,
    } });
    let large = scene(|scene| {
        scene["trigger"]["items"] = (0..16).map(|at| comparison(at, "trigger")).collect();
        scene["condition"]["items"] = (0..16).map(branch).collect();
        scene["action"] = json!(vec![action.clone(); 256]);
    });
    let script = bring("s", &large.to_string()).expect("within the limits").script;
    let problems = load_all(&[("s.rhai", &script)]).err();
    assert_eq!(problems, None);
}

/// Every value of a good scene replaced by every other kind of value: a script or problems, and never a panic.
#[test]
fn a_scene_with_anything_anywhere_never_panics() {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("\u{0}\"`${x}\n"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({ "uri": "logical/or" }),
    ];
    for name in CASES {
        let good: Json = serde_json::from_str(&read(&format!("{name}.json"))).expect("JSON");
        for pointer in pointers(&good, String::new()) {
            for value in &values {
                let mut wrong = good.clone();
                *wrong.pointer_mut(&pointer).expect("its own pointer") = value.clone();
                if let Ok(Imported { script, .. }) = bring(name, &wrong.to_string()) {
                    let scripts = [("s.rhai", &*script), ("all-dark.rhai", ALL_DARK)];
                    // A scene has no second one of its name.
                    let loaded = load_all(&scripts[..if name == "all-dark" { 1 } else { 2 }]);
                    assert!(loaded.is_ok(), "{name} with {value} at {pointer}:\n{script}{:?}", loaded.err());
                }
            }
        }
    }
}

/// What imported scenes run.
const ALL_DARK: &str = "scene(\"all-dark\").then([delay(\"1s\")]);";

fn pointers(json: &Json, at: String) -> Vec<String> {
    let inner: Vec<String> = match json {
        Json::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| pointers(item, format!("{at}/{index}"))).collect()
        }
        Json::Object(entries) => {
            entries.iter().flat_map(|(key, value)| pointers(value, format!("{at}/{key}"))).collect()
        }
        _ => vec![],
    };
    std::iter::once(at).chain(inner).collect()
}
