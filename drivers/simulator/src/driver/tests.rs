use super::*;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Plan, PointIx, PointSpec, Quality, Split, StepIx, Timestamp, Value, WriteOp,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn by() -> Deadline {
    Instant::now() + SECOND
}

fn device(ix: u32, options: Json) -> DeviceSpec {
    DeviceSpec { ix: DeviceIx(ix), options }
}

fn point(ix: u32, access: Access, options: Json) -> PointSpec {
    PointSpec { ix: PointIx(ix), device: DeviceIx(0), options: options.into(), access, period: SECOND }
}

/// A connected link with a plan for these points of device 0.
async fn link(options: Json, unit: Json, points: &[PointSpec]) -> (Arc<dyn Link>, Plan) {
    let link = Simulator.open(options).expect("valid options");
    let plan = link.plan(&[device(0, unit)], points, Split::Nothing).await.expect("a plan");
    link.connect(by()).await.expect("there is no wire that could be gone");
    (link, plan)
}

async fn read(link: &Arc<dyn Link>) -> Batch {
    let mut batch = Batch::default();
    link.exec(StepIx(0), &mut batch, by()).await.expect("step 0 is planned");
    batch
}

async fn write(link: &Arc<dyn Link>, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
    link.write(&WriteOp { point: PointIx(point), value: value.into() }, by()).await
}

#[tokio::test]
async fn one_step_brings_all_waves_of_a_device() {
    let shapes = ["sine", "ramp", "square", "noise"];
    let points: Vec<_> = (0..1000)
        .map(|ix| point(ix, Access::Read, json!({"at": shapes[ix as usize % 4], "amplitude": 5.0, "base": 50.0})))
        .collect();
    let (link, plan) = link(json!({}), json!({}), &points).await;
    assert_eq!((plan.steps.len(), plan.rejected.len()), (1, 0));
    let before = Timestamp::now();
    let batch = read(&link).await;
    assert_eq!(batch.points, (0..1000).map(PointIx).collect::<Vec<_>>());
    assert!(batch.values.iter().all(|value| matches!(value, Value::Float(x) if (45.0..=55.0).contains(x))));
    assert!(batch.qualities.iter().all(|quality| quality.is_good()));
    assert!(batch.source_times.iter().all(|time| *time == batch.source_times[0] && *time >= before));
    let distinct: std::collections::HashSet<u64> =
        batch.values.iter().filter_map(Value::as_f64).map(f64::to_bits).collect();
    assert!(distinct.len() > 700, "points do not all move alike: {}", distinct.len());
}

#[tokio::test]
async fn a_counter_counts_its_cycles_at_the_speed_of_the_link() {
    let points = [point(0, Access::Read, json!({"at": "counter", "cycle": "10s"}))];
    let (link, _) = link(json!({"speed": 5.0}), json!({}), &points).await;
    let batch = read(&link).await;
    assert_eq!(batch.values, [Value::Int(batch.source_times[0].as_nanos() / 2_000_000_000)]);
}

#[tokio::test]
async fn a_register_keeps_what_was_written() {
    let register = |ix, access| point(ix, access, json!({"at": "register", "base": 7.5}));
    let points = [register(0, Access::ReadWrite), register(1, Access::ReadWrite), register(2, Access::Write)];
    let (link, _) = link(json!({"world": "waves"}), json!({}), &points).await;
    assert_eq!(read(&link).await.values, [Value::Float(7.5), Value::Float(7.5)]);
    assert_eq!(write(&link, 1, "hello").await, Ok(Some("hello".into())));
    assert_eq!(write(&link, 2, 3.0).await, Ok(Some(3.0.into())));
    assert_eq!(read(&link).await.values, [Value::Float(7.5), "hello".into()]);
    assert!(matches!(write(&link, 9, 1.0).await, Err(Fault::Unsupported(_))));
}

#[tokio::test(start_paused = true)]
async fn a_world_moves_with_the_clock_and_obeys() {
    let points = [
        point(0, Access::Read, json!({"at": "active_power"})),
        point(1, Access::ReadWrite, json!({"at": "power_limit"})),
        point(2, Access::Write, json!({"at": "command"})),
        point(3, Access::Read, json!({"at": "state"})),
    ];
    let (link, plan) = link(json!({"world": "wind-farm", "seed": 3}), json!({"unit": 2}), &points).await;
    assert_eq!((plan.steps.len(), plan.rejected.len()), (1, 0));
    assert_eq!(write(&link, 1, 400.0).await, Ok(Some(Value::Int(400))));
    tokio::time::advance(20 * SECOND).await;
    let batch = read(&link).await;
    assert_eq!(batch.points, [PointIx(0), PointIx(1), PointIx(3)]);
    assert!(batch.values[0].as_f64().is_some_and(|power| power <= 400.0), "{:?}", batch.values[0]);
    assert_eq!(batch.values[1..], [Value::Int(400), Value::Int(3)]);
    assert_eq!(write(&link, 2, 2.0).await, Ok(None), "a command is not read back");
    assert_eq!(read(&link).await.values[2], Value::Int(0));
    let refused = write(&link, 1, 9000.0).await.expect_err("out of range");
    let reason = "`power_limit` takes 0 to 3000, not 9000".to_owned();
    assert_eq!(refused, Fault::Point { point: PointIx(1), quality: Quality::BadOutOfRange, reason });
}

#[tokio::test(start_paused = true)]
async fn a_world_that_nobody_looks_at_is_not_caught_up_with_for_more_than_a_minute() {
    let points = [point(0, Access::Read, json!({"at": "energy_total"}))];
    let (link, _) = link(json!({"world": "hotel"}), json!({"unit": 1}), &points).await;
    tokio::time::advance(3600 * SECOND).await;
    let values = read(&link).await.values;
    let mut world = World::hotel(1, ROOMS);
    world.step(60 * SECOND);
    assert_eq!(values, [world.get(1, "energy_total").expect("a room")]);
}

#[tokio::test]
async fn points_that_do_not_fit_are_rejected_with_the_reason() {
    let points = [
        point(0, Access::Read, json!({"at": "setpoint"})),
        point(1, Access::Read, json!({"at": "sine"})),
        point(2, Access::Write, json!({"at": "light_scene"})),
        point(3, Access::Read, json!({"at": "wind_speed"})),
    ];
    let reasons = |plan: Plan| plan.rejected.into_iter().map(|(point, reason)| (point.0, reason)).collect::<Vec<_>>();
    let (_, plan) = link(json!({"world": "wind-farm"}), json!({"unit": 1}), &points).await;
    assert_eq!(plan.steps.len(), 1);
    let [setpoint, sine, scene] = &reasons(plan)[..] else { panic!("three do not fit") };
    assert!(setpoint.1.starts_with("a turbine has no property `setpoint`"), "{setpoint:?}");
    assert_eq!(sine, &(1, "signals and registers need a link with `world = \"waves\"`".to_owned()));
    assert_eq!(scene.0, 2);
    let (_, plan) = link(json!({"world": "wind-farm"}), json!({"unit": 9}), &points[3..]).await;
    assert_eq!(reasons(plan), [(3, "there is no unit 9".to_owned())]);
    let (_, plan) = link(json!({"world": "hotel"}), json!({}), &points[3..]).await;
    assert_eq!(reasons(plan), [(3, "the device needs a `unit`".to_owned())]);
    let (_, plan) = link(json!({}), json!({}), &points[3..]).await;
    assert_eq!(reasons(plan).len(), 1);
}

#[tokio::test]
async fn what_has_no_meaning_for_the_devices_of_a_link_is_refused() {
    let plan = async |link: Json, options: Json| {
        let link = Simulator.open(link).expect("valid options");
        link.plan(&[device(0, options)], &[], Split::Nothing).await.map_err(|fault| fault.to_string())
    };
    let replays = "`replays` needs a device on a link with `replay`".to_owned();
    assert_eq!(plan(json!({}), json!({"replays": "a"})).await, Err(replays.clone()));
    assert_eq!(plan(json!({"world": "hotel"}), json!({"replays": "a"})).await, Err(replays));
    let told = "`events` and `services` need a device on a link with `world = \"waves\"`, without `replay`".to_owned();
    assert_eq!(plan(json!({"world": "hotel"}), json!({"events": {"alarm": {}}})).await, Err(told.clone()));
    assert_eq!(plan(json!({"replay": {"file": "a.csv"}}), json!({"services": {"stop": {}}})).await, Err(told));
    assert!(plan(json!({}), json!({"events": {"alarm": {}}, "services": {"stop": {}}})).await.is_ok());
}

#[tokio::test]
async fn browsing_a_thing_offers_its_properties() {
    let (link, _) = link(json!({"world": "hotel"}), json!({"unit": 50}), &[]).await;
    let found = link.browse(DeviceIx(0), None, by()).await.expect("unit 50 is the meter");
    assert_eq!((found.len(), &found[8].options), (11, &json!({"at": "frequency"})));
}

#[test]
fn two_links_to_one_world_are_one_wire() {
    let key = |options| Simulator.check_link(&options).expect("valid options");
    assert_eq!(key(json!({"world": "hotel"})), key(json!({"world": "hotel", "seed": 1, "speed": 2.0})));
    assert_ne!(key(json!({"world": "hotel"})), key(json!({"world": "hotel", "seed": 2})));
}

#[tokio::test]
async fn the_sample_is_valid() {
    let sample: Json = toml::from_str(include_str!("../../sample.toml")).expect("valid TOML");
    for device_text in sample["device"].as_array().expect("devices") {
        let template = &sample["template"][device_text["template"].as_str().expect("a name")];
        let mut options = sample["link"][template["link"].as_str().expect("a name")].clone();
        let driver = options.as_object_mut().and_then(|link| link.remove("driver"));
        assert_eq!(driver, Some(json!(Simulator.manifest().name)));
        assert!(Simulator.check_link(&options).is_ok(), "{options}");
        let tables = [&template["simulator"], &device_text["simulator"]];
        let device_options: serde_json::Map<_, _> =
            tables.iter().filter_map(|table| table.as_object().cloned()).flatten().collect();
        assert_eq!(Simulator.check_device(&device_options.clone().into()), []);
        let mut points = vec![];
        for ((name, options), ix) in template["points"].as_object().expect("a table").iter().zip(0..) {
            let access = if name == "power_limit" { Access::ReadWrite } else { Access::Read };
            assert_eq!(Simulator.check_point(options, access), [], "{name}");
            points.push(point(ix, access, options.clone()));
        }
        let (link, devices) = (Simulator.open(options).expect("valid options"), [device(0, device_options.into())]);
        assert_eq!(link.plan(&devices, &points, Split::Nothing).await.expect("a plan").rejected, []);
    }
}
