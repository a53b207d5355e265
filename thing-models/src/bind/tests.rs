use super::*;
use crate::model::{DataType, Model, Property, Range};
use crate::things::Device;
use edgeway_sdk::Access;
use proptest::prelude::*;
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn range(min: f64, max: f64) -> Range {
    Range { min: Some(min), max: Some(max), ..Range::default() }
}

fn types() -> Vec<(&'static str, DataType)> {
    let choices = [(0, "auto"), (2, "heat")].map(|(number, label)| (number, label.to_owned()));
    vec![
        ("power", DataType::Float(range(-100.0, 3300.0))),
        ("limit", DataType::Int(range(0.0, 3000.0))),
        ("open", DataType::Bool { off: "closed".into(), on: "open".into() }),
        ("mode", DataType::Enum(choices.into())),
        ("note", DataType::Text { length: 8 }),
        ("total", DataType::Double(Range::default())),
        ("since", DataType::Date),
    ]
}

/// A model with a property of every type and two devices of it.
fn things() -> Things {
    let property = |(name, data_type): (&str, DataType)| Property {
        identifier: name.into(),
        name: name.into(),
        access: Access::ReadWrite,
        required: false,
        data_type,
        description: String::new(),
    };
    let properties = types().into_iter().map(property).collect();
    let mut things = Things::default();
    let model = Model { name: "thing".into(), title: "Thing".into(), properties, events: vec![], services: vec![] };
    let model = things.add_model(Arc::new(model));
    for id in ["a", "b"] {
        things.add_device(Device { id: id.into(), model, labels: Default::default() });
    }
    things
}

fn point(device: u32, property: u16, scale: f64, offset: f64) -> Option<PointBinding> {
    let (device, property) = (DeviceIx(device), PropertyIx(property));
    Some(PointBinding { device, property, scale, offset, writes: true })
}

fn batch(values: &[(u32, Value)]) -> Batch {
    let mut batch = Batch::default();
    for (point, value) in values {
        batch.push(PointIx(*point), value.clone(), Quality::Good, NOW);
    }
    batch
}

fn bound(points: Vec<Option<PointBinding>>, values: &[(u32, Value)]) -> (Vec<Report>, Bound) {
    let mut out = vec![];
    let bound = Binding::new(points).bind(&things(), &batch(values), NOW, &mut out);
    let reports = out.into_iter().map(|message| match message.body {
        Body::Report(report) => report,
        other => panic!("{other:?} is no report"),
    });
    (reports.collect(), bound)
}

fn one(property: u16, scale: f64, offset: f64, raw: impl Into<Value>) -> (Value, Quality) {
    Binding::new(vec![point(0, property, scale, offset)]).from_raw(PointIx(0), &things(), &raw.into())
}

const OUT_OF_RANGE: (Value, Quality) = (Value::Null, Quality::BadOutOfRange);
const BAD: (Value, Quality) = (Value::Null, Quality::Bad);

fn good(value: impl Into<Value>) -> (Value, Quality) {
    (value.into(), Quality::Good)
}

#[test]
fn a_batch_becomes_one_report_for_each_device() {
    let points = vec![point(0, 0, 0.1, 0.0), point(1, 0, 0.1, 0.0), None, point(0, 1, 1.0, 0.0)];
    let (reports, bound) =
        bound(points, &[(0, 12345.into()), (1, 70.into()), (2, 1.into()), (3, 9999.into()), (8, 1.into())]);
    let seen: Vec<_> = reports
        .iter()
        .map(|r| (r.device.0, r.values.iter().map(|o| (o.property.0, o.value.clone(), o.quality)).collect::<Vec<_>>()))
        .collect();
    let expected = [
        (0, vec![(0, Value::Float(1234.5), Quality::Good), (1, Value::Null, Quality::BadOutOfRange)]),
        (1, vec![(0, Value::Float(7.0), Quality::Good)]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(bound, Bound { values: 3, bad: 1, suppressed: 0, misfits: 0 });
}

#[test]
fn a_property_is_in_a_report_once_and_the_last_value_counts() {
    let points = vec![point(0, 0, 1.0, 0.0), point(1, 0, 1.0, 0.0), point(0, 0, 1.0, 0.0)];
    let (reports, bound) = bound(points, &[(0, 9e9.into()), (1, 2.into()), (2, 3.into())]);
    assert_eq!(reports[0].values.len(), 1);
    assert_eq!(reports[0].values[0].value, Value::Float(3.0));
    assert_eq!(bound, Bound { values: 2, bad: 0, suppressed: 0, misfits: 0 });
}

#[test]
fn earlier_messages_are_left_alone() {
    let things = things();
    let binding = Binding::new(vec![point(0, 0, 1.0, 0.0)]);
    let mut out = vec![];
    binding.bind(&things, &batch(&[(0, 1.into())]), NOW, &mut out);
    let second = binding.bind(&things, &batch(&[(0, 2.into())]), NOW, &mut out);
    assert_eq!((out.len(), second), (2, Bound { values: 1, bad: 0, suppressed: 0, misfits: 0 }));
}

#[test]
fn what_is_no_news_is_in_no_report_but_counted() {
    let points = vec![point(0, 0, 0.1, 0.0), point(1, 0, 0.1, 0.0), point(0, 1, 1.0, 0.0)];
    let (things, mut out, mut asked) = (things(), vec![], vec![]);
    let values = batch(&[(0, 10.into()), (1, 9e9.into()), (2, 7.into())]);
    let bound = Binding::new(points).bind_news(&things, &values, NOW, &mut out, |device, observation| {
        asked.push((device.0, observation.property.0, observation.value.clone(), observation.quality));
        device == DeviceIx(0) && observation.property == PropertyIx(1)
    });
    let (good, bad) = (Quality::Good, Quality::BadOutOfRange);
    assert_eq!(
        asked,
        [(0, 0, Value::Float(1.0), good), (1, 0, Value::Null, bad), (0, 1, Value::Int(7), good)],
        "in the model's terms"
    );
    assert_eq!(bound, Bound { values: 3, bad: 1, suppressed: 2, misfits: 0 });
    let [Message { body: Body::Report(report), .. }] = out.as_slice() else { panic!("one report, not {out:?}") };
    assert_eq!((report.device, report.values.len()), (DeviceIx(0), 1));
}

#[test]
fn properties_beyond_the_first_thousand_are_told_apart_too() {
    let observation = |property, value: i64| Observation {
        property: PropertyIx(property),
        value: value.into(),
        quality: Quality::Good,
        source_time: NOW,
    };
    let mut values = vec![];
    let mut seen = Seen::of(&values);
    for (property, value) in [(1023, 1), (1024, 2), (65_535, 3), (1024, 4)] {
        seen.put(&mut values, observation(property, value));
    }
    assert_eq!(values, [observation(1023, 1), observation(1024, 4), observation(65_535, 3)]);
}

#[test]
fn raw_values_take_the_models_type() {
    assert_eq!(one(0, 0.1, 0.0, 12345), good(1234.5));
    assert_eq!(one(1, 0.1, 0.0, 25), good(3));
    assert_eq!(one(6, 1000.0, 0.0, -3), good(-3000));
    assert_eq!(one(6, 0.1, 0.0, -25), good(-3), "half away from zero");
    assert_eq!(one(2, 1.0, 0.0, 1), good(true));
    assert_eq!(one(2, -1.0, 1.0, true), good(false), "a contact that opens when something is wrong");
    assert_eq!(one(3, 1.0, 0.0, 2), good(2));
    assert_eq!(one(4, 1.0, 0.0, "short"), good("short"));
    assert_eq!(one(6, 1.0, 0.0, i64::MAX), good(i64::MAX));
}

#[test]
fn what_the_model_does_not_allow_is_out_of_range() {
    assert_eq!(one(0, 1.0, 0.0, f64::NAN), OUT_OF_RANGE);
    assert_eq!(one(0, 1.0, 0.0, f64::INFINITY), OUT_OF_RANGE);
    assert_eq!(one(5, 1e300, 0.0, 1e300), OUT_OF_RANGE);
    assert_eq!(one(0, 1.0, 0.0, 3301), OUT_OF_RANGE);
    assert_eq!(one(1, 1.0, 0.0, -1), OUT_OF_RANGE);
    assert_eq!(one(2, 1.0, 0.0, 2), OUT_OF_RANGE);
    assert_eq!(one(3, 1.0, 0.0, 1), OUT_OF_RANGE);
    assert_eq!(one(3, 1.0, 0.0, 0.5), OUT_OF_RANGE);
    assert_eq!(one(4, 1.0, 0.0, "far too long"), OUT_OF_RANGE);
    assert_eq!(one(6, 1.0, 0.0, 1e30), OUT_OF_RANGE);
}

#[test]
fn what_has_the_wrong_type_is_bad() {
    assert_eq!(one(0, 1.0, 0.0, "7"), BAD);
    assert_eq!(one(2, 1.0, 0.0, "on"), BAD);
    assert_eq!(one(4, 1.0, 0.0, 7), BAD);
    assert_eq!(one(0, 1.0, 0.0, Value::Null), BAD);
    assert_eq!(Binding::default().from_raw(PointIx(7), &things(), &1.into()), BAD);
}

#[test]
fn a_bad_quality_is_kept_and_an_uncertain_value_stays() {
    let binding = Binding::new(vec![point(0, 0, 0.1, 0.0)]);
    let mut batch = Batch::default();
    batch.bad(PointIx(0), Quality::BadTimeout, NOW);
    let mut out = vec![];
    assert_eq!(binding.bind(&things(), &batch, NOW, &mut out), Bound { values: 1, bad: 1, suppressed: 0, misfits: 0 });
    batch.clear();
    batch.push(PointIx(0), 70.into(), Quality::Uncertain, NOW);
    binding.bind(&things(), &batch, NOW, &mut out);
    let seen = out.iter().map(|message| match &message.body {
        Body::Report(report) => (report.values[0].value.clone(), report.values[0].quality),
        other => panic!("{other:?} is no report"),
    });
    assert_eq!(seen.collect::<Vec<_>>(), [(Value::Null, Quality::BadTimeout), (Value::Float(7.0), Quality::Uncertain)]);
}

#[test]
fn a_set_goes_to_the_first_point_that_takes_it_as_a_whole_raw_number() {
    let mut read = point(0, 0, 1.0, 0.0);
    read.iter_mut().for_each(|point| point.writes = false);
    let binding = Binding::new(vec![read, point(0, 0, 0.1, 0.0), point(0, 0, 1.0, 0.0)]);
    let unbind = |property, value| binding.unbind(&things(), DeviceIx(0), PropertyIx(property), &value);
    assert_eq!(unbind(0, Value::Float(21.3)), Ok((PointIx(1), Value::Int(213))));
    assert_eq!(unbind(0, Value::Float(21.55)), Ok((PointIx(1), Value::Float(215.5))));
    assert_eq!(
        unbind(0, Value::Int(9999)).expect_err("too much").to_string(),
        "`power` is 9999, above its maximum of 3300"
    );
    assert_eq!(
        unbind(1, Value::Int(9)).expect_err("not mapped").to_string(),
        "`limit` is not mapped to a point of `a` that can be written"
    );
}

/// A property and a value that fits it and lies on the grid of the scale.
fn fitting(scale: f64) -> impl Strategy<Value = (u16, Value)> {
    let on_grid = move |raw: i32| Scaling::new(scale, 0.0).to_model(f64::from(raw));
    prop_oneof![
        (-1000..33_000).prop_map(move |raw| (0, Value::Float(on_grid(raw).clamp(-100.0, 3300.0)))),
        (0..=3000_i64).prop_map(|i| (1, Value::Int(i))),
        any::<bool>().prop_map(|b| (2, Value::Bool(b))),
        prop_oneof![Just(0), Just(2)].prop_map(|i| (3, Value::Int(i))),
        "[a-z]{0,8}".prop_map(|text| (4, Value::from(text.as_str()))),
        any::<i32>().prop_map(move |raw| (5, Value::Float(on_grid(raw)))),
        any::<i32>().prop_map(|i| (6, Value::Int(i64::from(i)))),
    ]
}

fn scale_and_value() -> impl Strategy<Value = (f64, f64, u16, Value)> {
    let scales =
        prop_oneof![Just(1.0), Just(0.1), Just(0.01), Just(0.001), Just(-1.0), Just(10.0), Just(0.25), Just(1000.0)];
    let offsets = prop_oneof![Just(0.0), Just(1.0), Just(-40.0), Just(-273.15)];
    (scales, offsets).prop_flat_map(|(scale, offset)| {
        (Just(scale), Just(offset), fitting(scale)).prop_map(|(s, o, (p, v))| (s, o, p, v))
    })
}

proptest! {
    #[test]
    fn a_value_that_fits_the_model_comes_back_from_its_raw_form((scale, offset, property, value) in scale_and_value()) {
        let things = things();
        let binding = Binding::new(vec![point(0, property, scale, offset)]);
        let (point, raw) = binding.unbind(&things, DeviceIx(0), PropertyIx(property), &value).expect("it fits");
        let (back, quality) = binding.from_raw(point, &things, &raw);
        prop_assert_eq!(quality, Quality::Good, "raw {:?}", raw);
        match (&value, &back) {
            (Value::Float(there), Value::Float(back)) => {
                prop_assert!((there - back).abs() <= 1e-9 * there.abs().max(1.0), "{} came back as {}", there, back);
                prop_assert!(offset != 0.0 || there == back, "{} came back as {}", there, back);
            }
            _ => prop_assert_eq!(&value, &back),
        }
    }
}

#[test]
fn a_value_of_another_type_is_said_in_words_and_counted() {
    let all: Vec<_> = (0..7).map(|property| point(0, property, 1.0, 0.0)).collect();
    let binding = Binding::new(all.clone());
    let misfit = |property: u32, raw: Value| binding.misfit(PointIx(property), &things(), &raw);
    assert_eq!(misfit(0, "warm".into()).as_deref(), Some("the value is a text, and the model wants a number"));
    // A command may give these two as a text, a device may not.
    assert_eq!(
        misfit(3, "heat".into()).as_deref(),
        Some("the value is a text, and the model wants the number of one of its words")
    );
    assert!(misfit(6, "2026-11-27T00:00:00Z".into()).is_some_and(|why| why.contains("a date, in milliseconds")));
    assert!(misfit(4, Value::Int(5)).is_some_and(|why| !why.is_empty()));
    assert_eq!(
        (misfit(0, Value::Int(5)), misfit(0, Value::Float(1e9))),
        (None, None),
        "it fits, or is outside the limits"
    );
    let (_, bound) = bound(all, &[(0, "warm".into()), (1, Value::Int(9_999)), (2, Value::Bool(true))]);
    assert_eq!((bound.bad, bound.misfits), (2, 1));
}
