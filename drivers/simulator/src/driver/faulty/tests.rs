use super::*;
use crate::Simulator;
use crate::driver::heard::Heard;
use edgeway_sdk::{Access, Driver};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn by() -> Deadline {
    Instant::now() + 5 * SECOND
}

fn point(ix: u32, device: u32, options: Json) -> PointSpec {
    let access = if options["at"] == "fault" { Access::ReadWrite } else { Access::Read };
    PointSpec { ix: PointIx(ix), device: DeviceIx(device), options: options.into(), access, period: SECOND }
}

fn devices(options: &[Json]) -> Vec<DeviceSpec> {
    (0..).map(DeviceIx).zip(options).map(|(ix, options)| DeviceSpec { ix, options: options.clone() }).collect()
}

async fn open(link: Json, of_devices: &[Json], points: &[PointSpec]) -> (Arc<dyn Link>, Plan) {
    let link = Simulator.open(link).expect("valid options");
    let plan = link.plan(&devices(of_devices), points, Split::Nothing).await.expect("a plan");
    (link, plan)
}

async fn read(link: &Arc<dyn Link>, step: &Step) -> Result<Vec<(Value, Quality)>, Fault> {
    let mut batch = Batch::default();
    link.exec(step.id, &mut batch, by()).await?;
    Ok(batch.values.into_iter().zip(batch.qualities).collect())
}

async fn throw(link: &Arc<dyn Link>, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
    link.write(&WriteOp { point: PointIx(point), value: value.into() }, by()).await
}

/// The answers of a device with one constant, 42, second after second.
async fn seconds(link: Json, device: Json, of_point: Json, count: u64) -> Vec<Result<(Value, Quality), Fault>> {
    let mut options = json!({"at": "constant", "value": 42});
    options["faults"] = of_point;
    let (link, plan) = open(link, &[device], &[point(0, 0, options)]).await;
    let mut answers = vec![];
    for _ in 0..count {
        answers.push(read(&link, &plan.steps[0]).await.map(|values| values[0].clone()));
        tokio::time::advance(SECOND).await;
    }
    answers
}

fn good(value: i64) -> Result<(Value, Quality), Fault> {
    Ok((Value::Int(value), Quality::Good))
}

#[tokio::test(start_paused = true)]
async fn a_device_is_offline_when_the_schedule_says_so() {
    let device = json!({"faults": [{"kind": "offline", "at": "2s", "for": "1s"}]});
    let answers = seconds(json!({}), device, json!([]), 4).await;
    let offline = Err(Fault::Device("the simulated device is offline".into()));
    assert_eq!(answers, [good(42), good(42), offline, good(42)]);
}

#[tokio::test(start_paused = true)]
async fn faults_keep_to_the_speed_of_the_link() {
    let device = json!({"faults": [{"kind": "busy", "at": "20s", "for": "10s"}]});
    let answers = seconds(json!({"speed": 10.0}), device, json!([]), 4).await;
    assert_eq!(answers, [good(42), good(42), Err(Fault::Busy("the simulated device is busy".into())), good(42)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_device_answers_late_and_one_that_is_too_slow_not_at_all() {
    let (link, plan) = open(
        json!({}),
        &[json!({"faults": [{"kind": "slow", "delay": "3s"}]}), json!({"faults": [{"kind": "slow", "delay": "1h"}]})],
        &[point(0, 0, json!({"at": "sine"})), point(1, 1, json!({"at": "sine"}))],
    )
    .await;
    let began = Instant::now();
    assert!(read(&link, &plan.steps[0]).await.is_ok());
    assert_eq!(began.elapsed(), 3 * SECOND);
    let late = Fault::Device("the simulated device answers only after 3600s".into());
    assert_eq!(read(&link, &plan.steps[1]).await, Err(late));
    assert_eq!(began.elapsed(), 8 * SECOND, "it kept to its deadline");
}

#[tokio::test(start_paused = true)]
async fn values_are_spoilt_as_their_fault_says() {
    let spoilt = async |fault: Json| seconds(json!({}), json!({}), json!([fault]), 1).await.remove(0);
    assert_eq!(spoilt(json!({"kind": "nan"})).await, Ok((Value::Null, Quality::BadOutOfRange)));
    assert_eq!(spoilt(json!({"kind": "bad"})).await, Ok((Value::Null, Quality::BadDevice)));
    assert_eq!(spoilt(json!({"kind": "uncertain"})).await, Ok((Value::Int(42), Quality::Uncertain)));
    assert_eq!(spoilt(json!({"kind": "value", "value": 9999})).await, good(9999));
    assert_eq!(spoilt(json!({"kind": "spike", "chance": 1.0, "size": 8})).await, good(50));
    let refused = spoilt(json!({"kind": "refused"})).await.expect_err("it is refused");
    assert!(matches!(refused, Fault::Point { point: PointIx(0), .. }));
}

#[tokio::test(start_paused = true)]
async fn spikes_come_as_often_as_they_are_probable() {
    let answers = seconds(json!({}), json!({}), json!([{"kind": "spike", "chance": 0.25}]), 1000).await;
    let spikes = answers.iter().filter(|answer| **answer == good(1042)).count();
    assert!((200..300).contains(&spikes), "{spikes}");
    assert!(answers.iter().all(|answer| *answer == good(42) || *answer == good(1042)));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_value_stays_until_the_fault_is_over() {
    let options = json!({"at": "total", "resolution": 1, "faults": [{"kind": "stuck", "at": "2s", "for": "3s"}]});
    let (link, plan) = open(json!({}), &[json!({})], &[point(0, 0, options)]).await;
    let mut seen = vec![];
    for _ in 0..7 {
        seen.extend(read(&link, &plan.steps[0]).await.expect("an answer")[0].0.as_f64());
        tokio::time::advance(SECOND).await;
    }
    assert_eq!(seen, [0.0, 1.0, 2.0, 2.0, 2.0, 5.0, 6.0]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_point_does_not_spoil_its_neighbours() {
    let refused = json!({"at": "sine", "faults": [{"kind": "refused"}]});
    let points = [point(0, 0, json!({"at": "sine"})), point(1, 0, refused), point(2, 0, json!({"at": "sine"}))];
    let (link, plan) = open(json!({}), &[json!({})], &points).await;
    assert!(matches!(read(&link, &plan.steps[0]).await, Err(Fault::Step(_))));
    let halves = link.plan(&devices(&[json!({})]), &points, Split::Step(&plan.steps[0])).await.expect("a plan");
    assert_eq!(halves.steps.iter().map(|step| step.points.len()).collect::<Vec<_>>(), [2, 1]);
    assert!(matches!(read(&link, &halves.steps[0]).await, Err(Fault::Step(_))));
    assert!(read(&link, &halves.steps[1]).await.is_ok());
    let singles = link.plan(&devices(&[json!({})]), &points[..2], Split::Step(&halves.steps[0])).await.expect("a plan");
    assert!(read(&link, &singles.steps[0]).await.is_ok());
    assert!(matches!(read(&link, &singles.steps[1]).await, Err(Fault::Point { point: PointIx(1), .. })));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_lost_can_be_connected_again_when_it_is_back() {
    let faults = json!({"faults": [{"kind": "link-loss", "at": "1s", "for": "2s"}]});
    let (link, plan) = open(faults, &[json!({})], &[point(0, 0, json!({"at": "sine"}))]).await;
    let lost = Fault::Link("the simulated link is cut".into());
    assert!(link.connect(by()).await.is_ok() && read(&link, &plan.steps[0]).await.is_ok());
    tokio::time::advance(SECOND).await;
    assert_eq!(read(&link, &plan.steps[0]).await, Err(lost.clone()));
    assert_eq!(link.connect(by()).await, Err(lost));
    tokio::time::advance(2 * SECOND).await;
    assert!(link.connect(by()).await.is_ok() && read(&link, &plan.steps[0]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_switched_on_and_off_by_writing_a_point() {
    let points =
        [point(0, 0, json!({"at": "constant", "value": 42})), point(1, 1, json!({"at": "fault", "of": "pump"}))];
    let (link, plan) = open(json!({}), &[json!({"name": "pump"}), json!({})], &points).await;
    let [pump, panel] = &plan.steps[..] else { panic!("two steps: {plan:?}") };
    assert_eq!(read(&link, panel).await, Ok(vec![("none".into(), Quality::Good)]));
    assert_eq!(throw(&link, 1, "offline").await, Ok(Some("offline".into())));
    assert!(matches!(read(&link, pump).await, Err(Fault::Device(_))));
    assert_eq!(read(&link, panel).await, Ok(vec![("offline".into(), Quality::Good)]));
    assert_eq!(throw(&link, 1, "bad").await, Ok(Some("bad".into())));
    assert_eq!(read(&link, pump).await, Ok(vec![(Value::Null, Quality::BadDevice)]));
    assert_eq!(throw(&link, 1, "none").await, Ok(Some("none".into())));
    assert_eq!(read(&link, pump).await, Ok(vec![(Value::Int(42), Quality::Good)]));
    let refused = throw(&link, 1, "ofline").await.expect_err("a misspelt fault").to_string();
    assert_eq!(refused, "`ofline` is no fault (did you mean `offline`?)");
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_numbers_ends_by_itself_and_takes_the_device_with_it() {
    let points = [point(0, 0, json!({"at": "fault", "form": "number", "for": "10s"}))];
    let (link, plan) = open(json!({}), &[json!({})], &points).await;
    assert_eq!(throw(&link, 0, 1.0).await, Ok(Some(Value::Int(1))));
    assert!(matches!(read(&link, &plan.steps[0]).await, Err(Fault::Device(_))), "the switch is a part of the device");
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(read(&link, &plan.steps[0]).await, Ok(vec![(Value::Int(0), Quality::Good)]));
    assert!(throw(&link, 0, 12.0).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_switch_cuts_the_wire_once_or_for_a_time() {
    let points = [
        point(0, 0, json!({"at": "fault"})),
        point(1, 0, json!({"at": "fault", "for": "5s"})),
        point(2, 0, json!({"at": "sine"})),
    ];
    let (link, plan) = open(json!({}), &[json!({})], &points).await;
    let sine = plan.steps.iter().find(|step| step.points == [PointIx(2)]).expect("a step of its own");
    assert_eq!(throw(&link, 0, "link-loss").await, Ok(Some("link-loss".into())));
    assert!(matches!(read(&link, sine).await, Err(Fault::Link(_))));
    assert!(link.connect(by()).await.is_ok() && read(&link, sine).await.is_ok());
    assert_eq!(throw(&link, 1, "link-loss").await, Ok(Some("link-loss".into())));
    assert!(matches!(read(&link, sine).await, Err(Fault::Link(_))));
    assert!(matches!(link.connect(by()).await, Err(Fault::Link(_))));
    tokio::time::advance(5 * SECOND).await;
    assert!(link.connect(by()).await.is_ok() && read(&link, sine).await.is_ok());
}

#[tokio::test]
async fn a_switch_of_nobody_is_rejected() {
    let points = [point(0, 0, json!({"at": "fault", "of": "pmp"})), point(1, 0, json!({"at": "fault", "of": "fan"}))];
    let devices = [json!({"name": "pump"}), json!({"name": "fan"}), json!({"name": "fan"})];
    let (_, plan) = open(json!({}), &devices, &points).await;
    let nobody = "no device of the link has the `name` `pmp` (did you mean `pump`?)";
    let several = "several devices of the link have the `name` `fan`";
    assert_eq!(plan.rejected, [(PointIx(0), nobody.to_owned()), (PointIx(1), several.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn writes_and_calls_meet_the_same_faults() {
    let register = PointSpec { access: Access::ReadWrite, ..point(0, 0, json!({"at": "register"})) };
    let device = json!({"services": {"reset": {}}, "faults": [{"kind": "offline"}]});
    let (link, _) = open(json!({}), &[device], &[register]).await;
    assert!(matches!(throw(&link, 0, 1.0).await, Err(Fault::Device(_))));
    let called = link.call(DeviceIx(0), "reset", json!({}), by()).await;
    assert!(matches!(called, Err(Fault::Device(_))));
}

#[tokio::test(start_paused = true)]
async fn a_world_fails_as_well_as_a_signal() {
    let points = [point(0, 0, json!({"at": "wind_speed", "faults": [{"kind": "nan"}]}))];
    let (link, plan) = open(json!({"world": "wind-farm"}), &[json!({"unit": 1})], &points).await;
    assert_eq!(read(&link, &plan.steps[0]).await, Ok(vec![(Value::Null, Quality::BadOutOfRange)]));
    assert_eq!(link.health(), [("values_spoiled".into(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_pushes_is_silent_while_it_is_offline_and_then_says_what_was_missed() {
    let points = [
        point(0, 0, json!({"at": "total", "resolution": 1, "by": "push"})),
        point(1, 0, json!({"at": "step", "after": "2500ms", "resolution": 1, "by": "push"})),
    ];
    let device = json!({"faults": [{"kind": "offline", "at": "1500ms", "for": "2s"}]});
    let (link, plan) = open(json!({}), &[device], &points).await;
    assert_eq!((plan.steps.len(), plan.watched.len()), (0, 2));
    let heard = Arc::new(Heard::default());
    link.connect(by()).await.expect("no wire");
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(Duration::from_millis(4500)).await;
    let expected = ["0 = 0", "1 = 0", "0 = 1", "device 0 gone", "device 0 back", "0 = 3", "1 = 1", "0 = 4"];
    assert_eq!(heard.words(), expected);
}
