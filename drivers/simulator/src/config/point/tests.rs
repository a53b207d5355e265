use super::*;
use serde_json::json;

fn problems(options: Json) -> Vec<String> {
    Point::read(&options, Access::Read).err().into_iter().flatten().map(|problem| problem.to_string()).collect()
}

fn shape(options: Json) -> Shape {
    match Point::read(&options, Access::Read).expect("valid").what {
        What::Signal(signal) => signal.shape,
        other => panic!("a signal was wanted, not {other:?}"),
    }
}

#[test]
fn a_misspelt_point_is_answered_with_the_right_one() {
    assert_eq!(problems(json!({"at": "wind_sped"})), ["`at`: unknown point `wind_sped` (did you mean `wind_speed`?)"]);
    assert_eq!(problems(json!({"at": "sin"})), ["`at`: unknown point `sin` (did you mean `sine`?)"]);
    let far = "`at`: unknown point `40001` (one of `sine`, `ramp`, `square`, `noise`, `counter`, `register`, `pulse`, \
               `step`, `gaussian`, `walk`, `total`, `states`, `constant`, `formula`, `fault`, `column:`)";
    assert_eq!(problems(json!({"at": "40001"})), [far]);
    assert_eq!(problems(json!({"att": "sine"})), ["`att`: unknown key `att` (did you mean `at`?)"]);
}

#[test]
fn all_mistakes_of_a_point_are_told() {
    let found = problems(json!({"at": "counter", "cycle": "0s", "base": 1.0, "phase": 2.0}));
    let expected = [
        "`base`: `base` has no meaning for `counter` (it takes `name`, `cycle`, `wrap`, `by`, `faults`)",
        "`phase`: `phase` has no meaning for `counter` (it takes `name`, `cycle`, `wrap`, `by`, `faults`)",
        "`cycle`: `0s` is not a duration above 0 (write \"250ms\", \"1s\" or \"5m\")",
        "`phase`: 2 is out of range (0 to 1)",
    ];
    assert_eq!(found, expected);
    let found = problems(json!({"at": "setpoint", "amplitude": 1.0}));
    assert_eq!(found, ["`amplitude`: `amplitude` has no meaning for `setpoint` (it takes `faults`)"]);
}

#[test]
fn limits_that_contradict_each_other_are_told() {
    let cases = [
        (
            json!({"at": "walk", "min": 5, "max": 5, "step": 0}),
            vec![
                "`max`: a walk between 5 and 5 has nowhere to go (`max` must be above `min`)",
                "`step`: 0 is out of range (a number above 0)",
            ],
        ),
        (json!({"at": "walk", "base": 101}), vec!["`base`: 101 is out of range (0 to 100)"]),
        (
            json!({"at": "pulse", "width": "10s"}),
            vec!["`width`: a pulse of 10s does not fit a cycle of 10s (`width` must be shorter than `cycle`)"],
        ),
        (
            json!({"at": "counter", "wrap": 0.5}),
            vec!["`wrap`: a counter cannot begin again at 0.5 (a whole number above 0)"],
        ),
        (
            json!({"at": "states", "values": [0, null], "lasts": ["1s"]}),
            vec![
                "`lasts`: 1 durations for 2 values (one for each value, in the same order)",
                "`values`: `null` is no value (a number, a text, true or false)",
            ],
        ),
        (json!({"at": "states", "values": []}), vec!["`values`: there is no value (write values = [0, 1, 2])"]),
        (json!({"at": "constant"}), vec!["`value`: `value` is missing (write value = 42)"]),
        (
            json!({"at": "register", "base": 1, "value": "x"}),
            vec!["`base`: `base` says again what `value` does (leave one out)"],
        ),
        (
            json!({"at": "formula", "formula": "1 + sine(t)"}),
            vec!["`formula`: at character 5: unknown function `sine` (did you mean `sin`?)"],
        ),
        (json!({"at": "noise", "resolution": -1}), vec!["`resolution`: -1 is out of range (a number above 0)"]),
        (
            json!({"at": "sine", "faults": [{"kind": "offline"}]}),
            vec!["`faults[0].kind`: `offline` cannot befall a point alone (put it into the `faults` of the device)"],
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(problems(options.clone()), expected, "{options}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let walk = shape(json!({"at": "walk", "min": 10, "max": 30}));
    let every = Duration::from_secs(1);
    assert_eq!(walk, Shape::Walk { base: 20.0, min: 10.0, max: 30.0, step: 0.2, every });
    let states = shape(json!({"at": "states", "values": [false, true], "lasts": ["50s", "10s"], "phase": 0}));
    let lasts = vec![Duration::from_secs(50), Duration::from_secs(10)];
    assert_eq!(states, Shape::States { values: vec![false.into(), true.into()], lasts, phase: Some(0.0) });
    assert_eq!(shape(json!({"at": "gaussian"})), Shape::Gaussian { base: 0.0, deviation: 1.0 });
}

#[test]
fn a_column_is_named_after_a_colon() {
    let options = json!({"at": "column:wind speed", "type": "number", "missing": "keep", "quality": "q"});
    let column = Column {
        name: "wind speed".into(),
        quality: Some("q".into()),
        column_type: ColumnType::Number,
        missing: Missing::Keep,
    };
    assert_eq!(Point::read(&options, Access::Read).expect("valid").what, What::Column(column));
    assert_eq!(problems(json!({"at": "column:"})).len(), 1);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let write =
        |at: &str| Point::read(&json!({"at": at}), Access::ReadWrite).map_err(|problems| problems[0].to_string());
    for at in ["sine", "wind_speed", "total", "column:x"] {
        assert_eq!(write(at), Err(format!("`at`: `{at}` cannot be written (make the point read-only)")));
    }
    assert_eq!(write("power_limit").map(|point| point.what), Ok(What::Property { name: "power_limit".into() }));
    assert_eq!(write("register").map(|point| point.what), Ok(What::Register { value: Value::Float(0.0) }));
    let switch = Switch { of: None, lasts: None, form: Form::Word };
    assert_eq!(write("fault").map(|point| point.what), Ok(What::Switch(switch)));
}

#[test]
fn every_key_of_the_schema_has_a_meaning_somewhere() {
    let schema = schemars::schema_for!(Written).to_value();
    let described = schema["properties"].as_object().expect("a table").keys();
    for key in described.filter(|key| *key != "at") {
        let is_used = CHOICES.iter().any(|(_, keys)| keys.contains(&key.as_str())) || OF_COLUMN.contains(&key.as_str());
        assert!(is_used, "{key}");
    }
}
