use super::*;
use crate::model::{CallType, DataType, EventKind, Range};
use crate::ready_made_source;
use edgeway_sdk::{Access, Place};
use proptest::prelude::*;

/// As Alibaba's console exports it.
const EXPORTED: &str = r#"{
  "schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  "profile": { "productKey": "a1xxxxxxxxx", "version": "1.0" },
  "properties": [
    { "identifier": "light_switch", "name": "Switch", "accessMode": "rw", "required": true,
      "dataType": { "type": "bool", "specs": { "0": "off", "1": "on" } } },
    { "identifier": "current_temperature", "name": "Temperature", "accessMode": "r", "desc": "In the room",
      "dataType": { "type": "float", "specs": { "min": "-40", "max": "120", "unit": "°C", "unitName": "degree", "step": "0.1" } } },
    { "identifier": "count", "name": "Count", "accessMode": "w", "required": false, "custom": true,
      "dataType": { "type": "int", "specs": { "min": 0, "max": 100, "unit": "", "unitName": "" } } },
    { "identifier": "mode", "name": "Mode", "accessMode": "rw",
      "dataType": { "type": "enum", "specs": { "0": "auto", "-1": "off" } } },
    { "identifier": "label", "name": "Label", "accessMode": "rw", "dataType": { "type": "text", "specs": { "length": "255" } } },
    { "identifier": "note", "name": "Note", "accessMode": "rw", "dataType": { "type": "text" } },
    { "identifier": "since", "name": "Since", "accessMode": "r", "dataType": { "type": "date", "specs": {} } },
    { "identifier": "place", "name": "Place", "accessMode": "r", "dataType": { "type": "struct", "specs": [
      { "identifier": "lat", "name": "Latitude", "dataType": { "type": "double", "specs": { "min": "-90", "max": "90" } } },
      { "identifier": "fix", "name": "Fix", "dataType": { "type": "bool", "specs": { "0": "no", "1": "yes" } } } ] } },
    { "identifier": "track", "name": "Track", "accessMode": "r", "dataType": { "type": "array", "specs": { "size": "12",
      "item": { "type": "struct", "specs": [
        { "identifier": "x", "name": "X", "dataType": { "type": "int", "specs": { "min": "0", "max": "9" } } } ] } } } }
  ],
  "events": [
    { "identifier": "post", "name": "post", "type": "info", "required": true, "desc": "property report",
      "method": "thing.event.property.post",
      "outputData": [ { "identifier": "light_switch", "name": "Switch", "dataType": { "type": "bool", "specs": { "0": "off", "1": "on" } } } ] },
    { "identifier": "fault", "name": "Fault", "type": "error", "required": false, "method": "thing.event.fault.post",
      "outputData": [ { "identifier": "code", "name": "Code", "dataType": { "type": "int", "specs": {} } } ] }
  ],
  "services": [
    { "identifier": "set", "name": "set", "required": true, "callType": "async", "desc": "property set",
      "method": "thing.service.property.set", "inputData": [], "outputData": [] },
    { "identifier": "get", "name": "get", "required": true, "callType": "async", "desc": "property get",
      "method": "thing.service.property.get", "inputData": [ "light_switch" ], "outputData": [] },
    { "identifier": "dim", "name": "Dim", "callType": "async", "method": "thing.service.dim",
      "inputData": [ { "identifier": "level", "name": "Level", "dataType": { "type": "int" } } ], "outputData": [] }
  ],
  "functionBlockId": "lamp", "functionBlockName": "Lamp"
}"#;

fn types(model: &Model) -> Vec<(&str, Access, &DataType)> {
    model.properties.iter().map(|p| (&*p.identifier, p.access, &p.data_type)).collect()
}

#[test]
fn an_export_from_alibaba_is_read_as_it_is() {
    let model = Model::parse("lamp", EXPORTED).expect("valid");
    let range =
        |min, max, step, unit: Option<&str>| Range { min: Some(min), max: Some(max), step, unit: unit.map(Into::into) };
    let field =
        |name: &str, title: &str, data_type| crate::Field { identifier: name.into(), name: title.into(), data_type };
    let place = DataType::Struct(vec![
        field("lat", "Latitude", DataType::Double(range(-90.0, 90.0, None, None))),
        field("fix", "Fix", DataType::Bool { off: "no".into(), on: "yes".into() }),
    ]);
    let point = DataType::Struct(vec![field("x", "X", DataType::Int(range(0.0, 9.0, None, None)))]);
    let expected = [
        ("light_switch", Access::ReadWrite, &DataType::Bool { off: "off".into(), on: "on".into() }),
        ("current_temperature", Access::Read, &DataType::Float(range(-40.0, 120.0, Some(0.1), Some("°C")))),
        ("count", Access::Write, &DataType::Int(range(0.0, 100.0, None, None))),
        ("mode", Access::ReadWrite, &DataType::Enum([(0, "auto".to_owned()), (-1, "off".to_owned())].into())),
        ("label", Access::ReadWrite, &DataType::Text { length: 255 }),
        ("note", Access::ReadWrite, &DataType::Text { length: 10_240 }),
        ("since", Access::Read, &DataType::Date),
        ("place", Access::Read, &place),
        ("track", Access::Read, &DataType::Array { size: 12, item: Box::new(point) }),
    ];
    assert_eq!(types(&model), expected);
    assert!(model.properties[0].required && !model.properties[1].required);
    assert_eq!((&*model.name, &*model.title), ("lamp", "lamp"));
}

#[test]
fn the_implicit_event_and_services_are_skipped() {
    let model = Model::parse("lamp", EXPORTED).expect("valid");
    let events: Vec<_> = model.events.iter().map(|e| (&*e.identifier, e.kind, e.output.len())).collect();
    let services: Vec<_> = model.services.iter().map(|s| (&*s.identifier, s.call_type, s.input.len())).collect();
    assert_eq!(events, [("fault", EventKind::Error, 1)]);
    assert_eq!(services, [("dim", CallType::Async, 1)]);
}

fn problems(text: &str) -> Vec<String> {
    let problems = Model::parse("m", text).expect_err("mistakes");
    problems.iter().map(ToString::to_string).collect()
}

/// The problems of a model with one property of a data type, without their places.
fn of_type(data_type: &str) -> Vec<String> {
    let text = format!(r#"{{"properties":[{{"identifier":"a","name":"A","accessMode":"r","dataType":{data_type}}}]}}"#);
    let problems = Model::parse("m", &text).expect_err("mistakes");
    let told = problems.iter().map(|problem| {
        assert!(matches!(problem.place, Place::Position { .. }), "{problem:?}");
        problem.help.iter().fold(problem.message.clone(), |message, help| format!("{message} ({help})"))
    });
    told.collect()
}

#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let text = r#"{
  "propertys": [],
  "properties": [
    { "identifier": "windSpeed", "name": "Wind", "acessMode": "r", "dataType": { "type": "flaot" } },
    { "identifier": "ts", "name": "Time", "accessMode": "x",
      "dataType": { "type": "int", "specs": { "min": "5", "max": "1", "step": 0, "unit": 3 } } },
    { "identifier": "a", "name": "A", "accessMode": "r", "dataType": { "type": "date" } },
    { "identifier": "a", "name": "A", "accessMode": "r", "dataType": { "type": "date" } },
    17
  ],
  "events": [ { "identifier": "fire", "type": "warning", "outputData": {} } ],
  "services": [ { "identifier": "go", "name": "Go", "callType": "sync", "method": 5, "name": "Again" } ]
}"#;
    let expected = [
        "2:3: a model has no key `propertys` (did you mean `properties`?)",
        "4:5: a property needs `accessMode`",
        "4:21: `windSpeed` cannot be an identifier (write `wind_speed`)",
        "4:50: a property has no key `acessMode` (did you mean `accessMode`?)",
        "4:90: there is no type `flaot` (did you mean `float`?)",
        "5:21: `ts` is reserved (another name: every table has a column `ts` already)",
        "5:57: `accessMode` cannot be \"x\" (one of `r`, `rw`, `w`)",
        "6:54: `min` is 5, above `max`, which is 1",
        "6:79: `step` is 0 (a number above 0)",
        "6:90: `unit` is a number, not text",
        "8:21: `a` is defined twice (the first one is on line 7)",
        "9:5: a property is a number, not an object",
        "11:15: an event needs `name`",
        "11:47: `type` cannot be \"warning\" (one of `info`, `alert`, `error`)",
        "11:72: `outputData` is an object, not a list",
        "12:83: `method` is a number, not text",
        "12:86: `name` is given twice",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn every_mistake_in_a_type_says_what_would_be_right() {
    let cases: [(&str, &[&str]); 18] = [
        (r#"{"type":"text","specs":{"length":"0"}}"#, &["`length` is 0 (a whole number from 1 to 10240)"]),
        (r#"{"type":"text","specs":{"length":10241}}"#, &["`length` is 10241 (a whole number from 1 to 10240)"]),
        (
            r#"{"type":"array","specs":{"size":"0","item":{"type":"int"}}}"#,
            &["`size` is 0 (a whole number from 1 to 65535)"],
        ),
        (
            r#"{"type":"array","specs":{}}"#,
            &["the specs of an array needs `size`", "the specs of an array needs `item`"],
        ),
        (r#"{"type":"array"}"#, &["a data type needs `specs`"]),
        (r#"{"type":"array","specs":{"size":2,"item":{"type":"array"}}}"#, &["an array cannot hold arrays"]),
        (
            r#"{"type":"enum","specs":{}}"#,
            &["an enum needs at least one value ({ \"0\": \"stopped\", \"1\": \"running\" })"],
        ),
        (
            r#"{"type":"enum","specs":{"a":"x","1":2}}"#,
            &["`a` is not a whole number (an enum's keys are its numbers)", "`1` is a number, not text"],
        ),
        (r#"{"type":"enum","specs":{"1":"x","1":"y"}}"#, &["`1` is given twice"]),
        (r#"{"type":"enum","specs":[]}"#, &["the specs of an enum is a list, not an object"]),
        (r#"{"type":"bool","specs":{"0":"off"}}"#, &["the specs of a bool needs `1`"]),
        (r#"{"type":"struct","specs":[]}"#, &["a struct needs at least one field"]),
        (
            r#"{"type":"struct","specs":[{"identifier":"b","name":"B","dataType":{"type":"struct","specs":[]}}]}"#,
            &["a struct cannot hold structs"],
        ),
        (
            r#"{"type":"struct","specs":[{"identifier":"B","name":"B"}]}"#,
            &["a field needs `dataType`", "`B` cannot be an identifier (write `b`)"],
        ),
        (r#"{"type":"int","specs":{"min":"many"}}"#, &["`min` is \"many\", not a number"]),
        (r#"{"type":"int","specs":{"max":"1e999"}}"#, &["`max` is \"1e999\", not a number"]),
        (
            r#"{"type":"int","specs":{"length":3}}"#,
            &[
                "the specs of a number has no key `length` (one of `min`, `max`, `step`, `unit`, `unitName`, `precise`, `defaultValue`)",
            ],
        ),
        (r#""int""#, &["a data type is text, not an object"]),
    ];
    for (data_type, expected) in cases {
        assert_eq!(of_type(data_type), expected, "{data_type}");
    }
}

#[test]
fn a_syntax_error_says_where() {
    assert_eq!(problems(""), ["1:1: the file is empty (a TSL model, `{ \"properties\": [...] }`)"]);
    assert_eq!(
        problems("{\n  \"properties\": [],\n}"),
        ["2:19: the file is not valid JSON: trailing commas are not allowed"]
    );
    assert_eq!(problems("{\"°\": // no\n1}"), ["1:7: the file is not valid JSON: comments are not allowed"]);
    assert_eq!(problems("[]"), ["1:1: a model is a list, not an object"]);
    assert_eq!(problems("{}"), ["1:1: a model needs `properties`"]);
    assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert!(Model::parse("m", "\u{feff}{\"properties\":[]}").is_ok());
}

/// A valid text in which something was cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let source = ready_made_source("hotel-room").expect("shipped");
    let texts = prop_oneof![Just(EXPORTED), Just(source)];
    let insert = prop_oneof![Just(String::new()), "[\\[\\]{},:\"0-9a-z-]{1,6}", any::<String>()];
    (texts, any::<prop::sample::Index>(), 0..40_usize, insert).prop_map(|(text, at, cut, insert)| {
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars[..at]
            .iter()
            .copied()
            .chain(insert.chars())
            .chain(chars[(at + cut).min(chars.len())..].iter().copied())
            .collect()
    })
}

fn told_or_valid(text: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = Model::parse("m", text) {
        prop_assert!(!problems.is_empty());
        let placed = problems.iter().all(|p| matches!(p.place, Place::Position { line: 1.., column: 1.. }));
        prop_assert!(placed, "{:?}", problems);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_model_or_has_problems_with_places(text in any::<String>()) {
        told_or_valid(&text)?;
    }

    #[test]
    fn any_damage_to_a_model_is_told_with_its_place(text in mutated()) {
        told_or_valid(&text)?;
    }
}
