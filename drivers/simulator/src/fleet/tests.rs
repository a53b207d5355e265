use super::*;
use crate::Simulator;
use edgeway_sdk::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn span(min: f64, max: f64, step: f64, unit: &str) -> Span {
    Span { min: Some(min), max: Some(max), step: Some(step), unit: Some(unit.into()) }
}

fn pump() -> Outline {
    let read = |name: &str, kind| Property { name: name.into(), kind, access: Access::Read };
    let write = |name: &str, kind| Property { name: name.into(), kind, access: Access::ReadWrite };
    let field = |name: &str, kind| (name.to_owned(), kind);
    let percent = || Kind::Int(span(0.0, 100.0, 1.0, "%"));
    Outline {
        model: "pump".into(),
        properties: vec![
            read("motor_temperature", Kind::Float(span(-40.0, 150.0, 0.1, "°C"))),
            read("flow", Kind::Float(span(0.0, 80.0, 0.1, "m³/h"))),
            read("vibration", Kind::Float(Span::default())),
            read("energy_total", Kind::Float(Span { min: Some(0.0), unit: Some("kWh".into()), ..Span::default() })),
            read("starts_count", Kind::Int(span(0.0, 65535.0, 1.0, ""))),
            read("narrow", Kind::Int(span(3.0, 4.0, 1.0, ""))),
            read("alarm_code", Kind::Int(span(0.0, 2.0, 1.0, ""))),
            read("leak", Kind::Bool),
            read("state", Kind::Enum(vec![0, 1, 4])),
            read("serial", Kind::Text { bytes_max: 12 }),
            read("built", Kind::Date),
            read("place", Kind::Struct(vec![field("level", percent()), field("hall", Kind::Text { bytes_max: 99 })])),
            read("phases", Kind::Array { items_max: 8, item: Box::new(Kind::Float(span(0.0, 16.0, 0.1, "A"))) }),
            write("speed_limit", percent()),
            write("enabled", Kind::Bool),
        ],
        events: vec![Event { name: "tripped".into(), output: vec![field("code", Kind::Int(span(0.0, 9.0, 1.0, "")))] }],
        services: vec![
            Service { name: "start".into(), output: vec![] },
            Service {
                name: "check".into(),
                output: vec![field("ok", Kind::Bool), field("code", Kind::Int(Span::default()))],
            },
        ],
    }
}

#[test]
fn a_fleet_of_pumps_looks_like_this() {
    let text = devices_toml(&pump(), &Fleet { count: 2, ..Fleet::of("pump") });
    assert_eq!(text, include_str!("pump.toml"), "\n{text}");
}

/// The fleet's text as the gateway would hand it to the driver.
struct Loaded {
    device: Json,
    points: Vec<(String, PointSpec)>,
}

fn load(outline: &Outline) -> Loaded {
    let text = devices_toml(outline, &Fleet::of("x"));
    let site: Json = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let template = &site["template"][&outline.model];
    let points = template["points"].as_object().expect("a table").iter().zip(0..).map(|((name, options), ix)| {
        let property = outline.properties.iter().find(|property| property.name == *name).expect("a property");
        let period = Duration::from_secs(1);
        let options = Arc::new(options.clone());
        (name.clone(), PointSpec { ix: PointIx(ix), device: DeviceIx(0), options, access: property.access, period })
    });
    Loaded { device: template.get("simulator").cloned().unwrap_or_else(|| json!({})), points: points.collect() }
}

#[test]
fn what_a_fleet_is_made_of_has_no_mistakes() {
    let loaded = load(&pump());
    assert_eq!(Simulator.check_device(&loaded.device), []);
    for (name, point) in &loaded.points {
        assert_eq!(Simulator.check_point(&point.options, point.access), [], "{name}");
    }
    assert_eq!(loaded.points.len(), pump().properties.len());
}

fn fits(value: &Json, kind: &Kind) -> bool {
    let within =
        |number: f64, span: &Span| span.min.is_none_or(|min| min <= number) && span.max.is_none_or(|max| number <= max);
    match kind {
        Kind::Int(span) => value.as_i64().is_some_and(|number| within(number as f64, span)),
        Kind::Float(span) => value.as_f64().is_some_and(|number| within(number, span)),
        Kind::Bool => value.is_boolean(),
        Kind::Enum(numbers) => value.as_i64().is_some_and(|number| numbers.contains(&number)),
        Kind::Text { bytes_max } => value.as_str().is_some_and(|text| text.len() <= *bytes_max),
        Kind::Date => value.as_i64().is_some_and(|number| number > 1_600_000_000_000),
        Kind::Struct(fields) => fields.iter().all(|(name, kind)| fits(&value[name], kind)),
        Kind::Array { items_max, item } => value
            .as_array()
            .is_some_and(|items| items.len() <= *items_max && items.iter().all(|value| fits(value, item))),
    }
}

#[tokio::test(start_paused = true)]
async fn every_value_fits_its_model_for_a_day() {
    let outline = pump();
    let loaded = load(&outline);
    let link = Simulator.open(json!({})).expect("valid options");
    let device = DeviceSpec { ix: DeviceIx(0), options: loaded.device.clone() };
    let specs: Vec<PointSpec> = loaded.points.iter().map(|(_, point)| point.clone()).collect();
    let plan = link.plan(&[device], &specs, Split::Nothing).await.expect("a plan");
    assert_eq!((plan.watched.len(), &plan.rejected[..]), (1, &[][..]));
    let kinds: BTreeMap<u32, (&str, &Kind)> = loaded
        .points
        .iter()
        .filter_map(|(name, point)| {
            let property = outline.properties.iter().find(|property| property.name == *name)?;
            Some((point.ix.0, (name.as_str(), &property.kind)))
        })
        .collect();
    let mut batch = Batch::default();
    for _ in 0..24 * 60 {
        tokio::time::advance(Duration::from_secs(60)).await;
        for step in &plan.steps {
            link.exec(step.id, &mut batch, tokio::time::Instant::now()).await.expect("it answers");
        }
    }
    for (point, value) in batch.points.iter().zip(&batch.values) {
        let (name, kind) = kinds[&point.0];
        assert!(fits(&value.to_json(), kind), "{name} = {value}");
    }
    let temperatures: Vec<f64> = batch
        .values
        .iter()
        .zip(&batch.points)
        .filter(|(_, p)| kinds[&p.0].0 == "motor_temperature")
        .filter_map(|(v, _)| v.as_f64())
        .collect();
    assert!(temperatures.iter().any(|value| *value != temperatures[0]), "it moves");
    let answer = link.call(DeviceIx(0), "check", json!({}), tokio::time::Instant::now()).await;
    assert_eq!(answer, Ok(json!({"ok": true, "code": 0})));
}

#[test]
fn names_that_toml_would_not_take_bare_are_quoted() {
    let property = Property { name: "a b\"\u{7f}".into(), kind: Kind::Bool, access: Access::Read };
    let outline = Outline { model: "m.1".into(), properties: vec![property], ..Outline::default() };
    let text = devices_toml(&outline, &Fleet::of("x y"));
    let site: Json = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(site["template"]["m.1"]["points"]["a b\"\u{7f}"].is_object());
    assert_eq!(site["device"][19]["id"], "x y-20");
}
