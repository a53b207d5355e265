use super::*;
use crate::Order;
use proptest::prelude::*;
use serde_json::json;

fn mapping(options: &Options, access: Access) -> Mapping {
    let mut problems = vec![];
    Mapping::new(options, access, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn at(at: &str) -> Options {
    Options { at: Some(at.into()), ..Options::default() }
}

fn read(options: &Options, payload: &[u8]) -> Option<Reading> {
    let document = Document::parse(options.format, payload, Timestamp::from_secs(1_000)).expect("a payload");
    mapping(options, Access::Read).read(&document)
}

fn value(options: &Options, payload: &str) -> Value {
    read(options, payload.as_bytes()).expect("it says something").value
}

fn problems(options: &Options, access: Access) -> Vec<String> {
    let mut problems = vec![];
    let made = Mapping::new(options, access, &mut problems);
    assert_eq!(made.is_none(), !problems.is_empty());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn structs_and_arrays_are_taken_by_path() {
    let payload = r#"{"pos": {"x": 1, "y": 2.5}, "list": [{"v": 1}, {"v": 2}]}"#;
    assert_eq!(value(&at("pos"), payload).to_json(), json!({ "x": 1, "y": 2.5 }));
    assert_eq!(value(&at("list"), payload).to_json(), json!([{ "v": 1 }, { "v": 2 }]));
    let all = Options { kind: Kind::Array, ..at("$.list[*].v") };
    assert_eq!(value(&all, payload).to_json(), json!([1, 2]));
    assert_eq!(value(&all, r#"{"list": [{"v": 1}]}"#).to_json(), json!([1]), "one of them is a list too");
}

#[test]
fn several_values_where_one_is_wanted_are_bad() {
    let reading = read(&at("$.list[*].v"), br#"{"list": [{"v": 1}, {"v": 2}]}"#);
    assert_eq!(reading, Some(Reading::bad(Quality::BadConfig)));
}

#[test]
fn what_is_not_there_says_nothing_and_null_is_bad() {
    assert_eq!(read(&at("a"), b"{}"), None);
    assert_eq!(read(&at("a"), br#"{"a": null}"#), Some(Reading::bad(Quality::Bad)));
}

#[test]
fn time_and_quality_come_from_the_payload() {
    let options = Options { time: Some("ts".into()), time_unit: TimeUnit::Ms, quality: Some("q".into()), ..at("v") };
    let time = Some(Timestamp::from_millis(5));
    let reading = |payload: &str| read(&options, payload.as_bytes()).expect("it says something");
    let good = Reading { value: Value::Int(1), quality: Quality::Good, time };
    assert_eq!(reading(r#"{"v": 1, "ts": 5, "q": "good"}"#), good);
    assert_eq!(
        reading(r#"{"v": 1, "ts": 5, "q": "uncertain"}"#),
        Reading { quality: Quality::Uncertain, ..good.clone() }
    );
    assert_eq!(reading(r#"{"v": 1, "ts": 5, "q": "bad"}"#), Reading { time, ..Reading::bad(Quality::Bad) });
    assert_eq!(
        reading(r#"{"v": 1, "q": true}"#),
        Reading { quality: Quality::Uncertain, time: None, ..good },
        "of when it is nobody knows"
    );
    let without_time = Options { time: None, time_unit: TimeUnit::default(), ..options.clone() };
    for payload in [r#"{"v": 1}"#, r#"{"v": 1, "q": null}"#] {
        let told = read(&without_time, payload.as_bytes()).map(|reading| reading.quality);
        assert_eq!(told, Some(Quality::Uncertain), "how good it is nobody knows");
    }
}

#[test]
fn a_record_without_a_time_is_of_now_and_the_newest() {
    let options = Options { format: Format::SenmlJson, ..at("t") };
    let pack = br#"[{"n": "t", "t": -10, "v": 1}, {"n": "t", "v": 2}, {"n": "t", "t": -1, "v": 3}]"#;
    let newest = Reading { value: Value::Int(2), quality: Quality::Good, time: None };
    assert_eq!(read(&options, pack), Some(newest));
}

#[test]
fn of_a_series_each_is_read_and_the_newest_counts() {
    let options = Options { format: Format::SenmlJson, ..at("t") };
    let pack = br#"[{"n": "t", "t": -10, "v": 1}, {"n": "t", "t": -1, "v": 2}, {"n": "t", "t": -5, "v": 3}]"#;
    assert_eq!(read(&options, pack).map(|reading| reading.value), Some(Value::Int(2)));
    let document = Document::parse(Format::SenmlJson, pack, Timestamp::from_secs(1_000)).expect("a pack");
    let mut all = vec![];
    mapping(&options, Access::Read).read_all(&document, |reading| all.push((reading.value, reading.time)));
    let secs = |secs| Some(Timestamp::from_secs(secs));
    assert_eq!(all, [(Value::Int(1), secs(990)), (Value::Int(2), secs(999)), (Value::Int(3), secs(995))]);
}

#[test]
fn texts_are_numbers_bools_or_words() {
    let text = Options { format: Format::Text, ..Options::default() };
    assert_eq!(value(&text, "21.5\n"), Value::Float(21.5));
    assert_eq!(value(&text, "true"), Value::Bool(true));
    assert_eq!(value(&text, "open"), Value::from("open"));
    assert_eq!(value(&Options { kind: Kind::Text, ..text }, "21.5"), Value::from("21.5"));
}

#[test]
fn bytes_are_taken_by_place_and_words_may_stand_for_numbers() {
    let options = Options { format: Format::Binary, kind: Kind::I16, order: Some(Order::Little), ..at("1") };
    assert_eq!(read(&options, &[9, 0xfe, 0xff]).map(|reading| reading.value), Some(Value::Int(-2)));
    let map = std::collections::BTreeMap::from([("1".into(), json!("open")), ("0".into(), json!("closed"))]);
    let words = Options { format: Format::Binary, kind: Kind::U8, map, ..at("0") };
    assert_eq!(read(&words, &[1]).map(|reading| reading.value), Some(Value::from("open")));
    assert_eq!(mapping(&words, Access::ReadWrite).encode(&Value::from("closed")), Ok(vec![0]));
}

#[test]
fn payloads_are_made_as_the_place_says() {
    let map = std::collections::BTreeMap::from([("ON".into(), json!(true)), ("OFF".into(), json!(false))]);
    let text = |options: Options, value: Value| {
        let bytes = mapping(&options, Access::ReadWrite).encode(&value);
        bytes.map(|bytes| String::from_utf8(bytes).expect("text"))
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(text(at("heat.setpoint"), Value::Float(21.5)), ok(r#"{"heat":{"setpoint":21.5}}"#));
    assert_eq!(text(Options { map: map.clone(), ..at("state") }, Value::Bool(true)), ok(r#"{"state":"ON"}"#));
    let own = Options { payload: Some(r#"{"cmd": "set", "to": {value}}"#.into()), ..at("$.list[0]") };
    assert_eq!(text(own, Value::from("a\"b")), ok(r#"{"cmd": "set", "to": "a\"b"}"#));
    let plain = Options { format: Format::Text, ..Options::default() };
    assert_eq!(text(plain.clone(), Value::from("open")), ok("open"));
    assert_eq!(text(Options { map, ..plain }, Value::Bool(false)), ok("OFF"));
    let senml = Options { format: Format::SenmlJson, ..at("dev:t") };
    assert_eq!(text(senml, Value::Int(3)), ok(r#"[{"n":"dev:t","v":3}]"#));
    assert!(text(at("x"), Value::Float(f64::NAN)).is_err());
}

#[test]
fn what_is_sent_is_read_again() {
    for format in [Format::Json, Format::Cbor, Format::SenmlJson, Format::SenmlCbor] {
        let options = Options { format, ..at("setpoint") };
        for value in [Value::Float(21.5), Value::Int(-3), Value::Bool(true), Value::from("auto")] {
            let payload = mapping(&options, Access::ReadWrite).encode(&value).expect("it fits");
            assert_eq!(read(&options, &payload).map(|reading| reading.value), Some(value), "{format:?}");
        }
    }
}

#[test]
fn every_mistake_is_told_with_its_key() {
    let options = Options {
        kind: Kind::U16,
        order: Some(Order::Big),
        time_unit: TimeUnit::Ms,
        quality: Some("q[".into()),
        payload: Some("{}".into()),
        ..at("a[")
    };
    let keys: Vec<_> =
        problems(&options, Access::Read).iter().map(|p| p.split('`').nth(1).unwrap_or("").to_owned()).collect();
    assert_eq!(keys, ["order", "time_unit", "payload", "type", "at", "quality"]);
    let binary = Options { format: Format::Binary, kind: Kind::Bit, ..at("3") };
    assert_eq!(
        problems(&binary, Access::Read),
        ["`at`: `3` is no place of this type in bytes (a byte and a bit of it, as in `4.3`)"]
    );
    assert_eq!(
        problems(&at("a[0]"), Access::ReadWrite),
        [
            "`at`: a value cannot be written through a list or a query (say what is sent: `payload = '{ \"setpoint\": {value} }'`)"
        ]
    );
    assert_eq!(problems(&Options { format: Format::Binary, ..Options::default() }, Access::Read).len(), 1);
}

#[test]
fn a_document_of_another_format_says_nothing() {
    let document = Document::parse(Format::Text, b"1", Timestamp::EPOCH).expect("a text");
    assert_eq!(mapping(&at("a"), Access::Read).read(&document), None);
}

#[test]
fn what_does_not_fit_is_said_in_words() {
    let words = [("on".to_owned(), json!(true))].into();
    let number = || Options { kind: Kind::Number, ..at("a") };
    let text = |kind| Options { kind, format: Format::Text, ..Options::default() };
    let bytes = Options { kind: Kind::U16, format: Format::Binary, ..at("4") };
    let senml = Options { format: Format::SenmlJson, ..at("urn:t") };
    for (options, payload, said) in [
        (at("state.temp"), r#"{"state": {}}"#, Some("the payload has nothing at `state.temp`")),
        (at("$..v"), r#"[{"v": 1}, {"v": 2}]"#, Some("`$..v` leads to several values of the payload")),
        (number(), r#"{"a": "warm"}"#, Some(r#"`"warm"` is no number"#)),
        (number(), r#"{"a": null}"#, None),
        (number(), r#"{"a": 5}"#, None),
        (Options { map: words, ..at("a") }, r#"{"a": "off"}"#, Some(r#"`"off"` is none of the words in `map`"#)),
        (text(Kind::Bool), "perhaps", Some(r#"`"perhaps"` is neither true nor false"#)),
        (bytes, "12345", Some("the payload ends after 5 bytes, before the value")),
        (senml, r#"[{"n": "urn:u", "v": 1}]"#, Some("the payload has no record `urn:t`")),
    ] {
        let document = Document::parse(options.format, payload.as_bytes(), Timestamp::EPOCH).expect("a payload");
        let misfit = mapping(&options, Access::Read).misfit(&document);
        assert_eq!(misfit.as_deref(), said, "{payload}");
    }
    let long = Document::parse(Format::Json, format!("{{\"a\": \"{}\"}}", "é".repeat(99)).as_bytes(), Timestamp::EPOCH);
    let misfit = mapping(&number(), Access::Read).misfit(&long.expect("a payload")).expect("no number");
    assert_eq!(misfit, format!("`\"{}…` is no number", "é".repeat(39)));
}

proptest! {
    /// Whatever arrives: no panic, and what is bad has no value.
    #[test]
    fn any_bytes_are_read_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..64), format in 0_usize..6) {
        let format = [Format::Json, Format::Cbor, Format::SenmlJson, Format::SenmlCbor, Format::Text, Format::Binary][format];
        let Ok(document) = Document::parse(format, &payload, Timestamp::EPOCH) else { return Ok(()) };
        let _ = document.points();
        for kind in [Kind::Auto, Kind::Number, Kind::Bool, Kind::Text, Kind::Array, Kind::U16, Kind::F32, Kind::String] {
            let Some(mapping) = Mapping::new(&Options { format, kind, ..Options::default() }, Access::Read, &mut vec![]) else { continue };
            if let Some(reading) = mapping.read(&document) {
                prop_assert_eq!(reading.quality.is_bad(), reading.value == Value::Null);
                prop_assert!(reading.quality.is_bad() || mapping.misfit(&document).is_none());
            }
        }
    }

    /// Whatever a person writes is a place or a mistake.
    #[test]
    fn any_place_is_one_or_a_mistake(text in ".{0,24}", format in 0_usize..6) {
        let format = [Format::Json, Format::Cbor, Format::SenmlJson, Format::SenmlCbor, Format::Text, Format::Binary][format];
        let mut problems = vec![];
        let made = Mapping::new(&Options { format, kind: Kind::Auto, ..at(&text) }, Access::ReadWrite, &mut problems);
        prop_assert_eq!(made.is_none(), !problems.is_empty());
    }
}
