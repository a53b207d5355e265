use crate::Simulator;
use crate::driver::heard::Heard;
use edgeway_sdk::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn by() -> Deadline {
    Instant::now() + SECOND
}

fn point(ix: u32, options: Json) -> PointSpec {
    let access = if options["at"] == "register" { Access::ReadWrite } else { Access::Read };
    PointSpec { ix: PointIx(ix), device: DeviceIx(0), options: options.into(), access, period: SECOND }
}

async fn open(device: Json, points: &[PointSpec]) -> Result<(Arc<dyn Link>, Plan), Fault> {
    let link = Simulator.open(json!({})).expect("valid options");
    let device = DeviceSpec { ix: DeviceIx(0), options: device };
    let plan = link.plan(&[device], points, Split::Nothing).await?;
    link.connect(by()).await?;
    Ok((link, plan))
}

async fn read(link: &Arc<dyn Link>) -> Vec<Value> {
    let mut batch = Batch::default();
    link.exec(StepIx(0), &mut batch, by()).await.expect("step 0 is planned");
    batch.values
}

#[tokio::test(start_paused = true)]
async fn a_formula_is_made_of_time_and_other_points_in_any_order() {
    let points = [
        point(0, json!({"at": "formula", "formula": "power / 2 + t"})),
        point(1, json!({"at": "formula", "formula": "base * 10", "name": "power"})),
        point(2, json!({"at": "register", "value": 4, "name": "base"})),
    ];
    let (link, plan) = open(json!({}), &points).await.expect("a plan");
    assert_eq!((plan.steps.len(), plan.rejected), (1, vec![]));
    tokio::time::advance(3 * SECOND).await;
    assert_eq!(read(&link).await, [Value::Float(23.0), Value::Int(40), Value::Int(4)]);
    link.write(&WriteOp { point: PointIx(2), value: Value::Int(5) }, by()).await.expect("it is a register");
    assert_eq!(read(&link).await[..2], [Value::Float(28.0), Value::Int(50)]);
}

#[tokio::test]
async fn formulas_that_need_each_other_or_nobody_are_rejected() {
    let points = [
        point(0, json!({"at": "formula", "formula": "b + 1", "name": "a"})),
        point(1, json!({"at": "formula", "formula": "a + 1", "name": "b"})),
        point(2, json!({"at": "formula", "formula": "pover + 1"})),
        point(3, json!({"at": "constant", "value": 1, "name": "power"})),
        point(4, json!({"at": "constant", "value": 2, "name": "power"})),
    ];
    let (_, plan) = open(json!({}), &points).await.expect("a plan");
    let mut rejected: Vec<(u32, String)> = plan.rejected.into_iter().map(|(point, why)| (point.0, why)).collect();
    rejected.sort();
    let circle =
        |name| format!("the formula needs `{name}`, which has no value without it or another formula that has none");
    let expected = [
        (0, circle("b")),
        (1, circle("a")),
        (2, "the formula's `pover` is the `name` of no point of the device (did you mean `power`?)".to_owned()),
        (4, "the device has two points with the name `power`".to_owned()),
    ];
    assert_eq!(rejected, expected);
}

#[tokio::test(start_paused = true)]
async fn a_formula_without_a_value_is_bad() {
    let points = [
        point(0, json!({"at": "formula", "formula": "sin(word)"})),
        point(1, json!({"at": "constant", "value": "x", "name": "word"})),
    ];
    let (link, _) = open(json!({}), &points).await.expect("a plan");
    assert_eq!(read(&link).await, [Value::Null, "x".into()]);
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_a_seed_is_the_same_in_every_link() {
    let points = [point(0, json!({"at": "walk", "seed": 7})), point(1, json!({"at": "walk"}))];
    let run = async || {
        let (link, _) = open(json!({}), &points).await.expect("a plan");
        let mut seen = vec![];
        for _ in 0..100 {
            tokio::time::advance(SECOND).await;
            seen.push(read(&link).await);
        }
        seen
    };
    let first = run().await;
    assert_eq!(first, run().await);
    assert!(first.iter().any(|values| values[0] != values[1]), "without a seed of its own a point has another walk");
}

#[tokio::test(start_paused = true)]
async fn points_by_push_are_told_when_they_have_changed() {
    let points = [
        point(0, json!({"at": "step", "after": "2500ms", "resolution": 1, "by": "push"})),
        point(1, json!({"at": "constant", "value": "x", "by": "push"})),
        point(2, json!({"at": "sine"})),
    ];
    let (link, plan) = open(json!({}), &points).await.expect("a plan");
    assert_eq!((plan.steps[0].points.clone(), plan.watched), (vec![PointIx(2)], vec![PointIx(0), PointIx(1)]));
    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(heard.words(), ["0 = 0", "1 = x", "0 = 1"]);
    link.close(by()).await;
}

#[tokio::test(start_paused = true)]
async fn events_happen_now_and_then_with_what_they_carry() {
    let device = json!({"events": {"alarm": {"every": "60s", "output": {
        "code": {"at": "constant", "value": 17},
        "load": {"at": "formula", "formula": "power * 2"},
    }}}});
    let points = [point(0, json!({"at": "constant", "value": 21, "name": "power"}))];
    let (link, plan) = open(device, &points).await.expect("a plan");
    assert_eq!(
        (plan.steps.len(), plan.watched),
        (0, vec![PointIx(0)]),
        "the gateway listens only where a point is pushed"
    );
    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(600 * SECOND).await;
    let words = heard.words();
    assert_eq!(words[0], "0 = 21");
    assert_eq!(words[1..], vec!["device 0: alarm {\"code\":17,\"load\":42}"; 10]);
}

#[tokio::test(start_paused = true)]
async fn a_task_ends_with_its_link() {
    let points = [point(0, json!({"at": "total", "resolution": 1, "by": "push"}))];
    let (link, _) = open(json!({}), &points).await.expect("a plan");
    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(2500 * Duration::from_millis(1)).await;
    drop(link);
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(heard.words(), ["0 = 0", "0 = 1", "0 = 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_sets_registers_and_answers() {
    let device = json!({"services": {"start": {
        "sets": {"running": true},
        "output": {"accepted": {"at": "constant", "value": true}, "target": {"at": "formula", "formula": "target"}},
    }}});
    let points = [
        point(0, json!({"at": "register", "value": false, "name": "running"})),
        point(1, json!({"at": "register", "value": 0, "name": "target"})),
    ];
    let (link, _) = open(device, &points).await.expect("a plan");
    let answer = link.call(DeviceIx(0), "start", json!({"target": 80, "why": "test"}), by()).await;
    assert_eq!(answer, Ok(json!({"accepted": true, "target": 80})));
    assert_eq!(read(&link).await, [Value::Bool(true), Value::Int(80)]);
    let unknown = link.call(DeviceIx(0), "strat", json!({}), by()).await.expect_err("there is none").to_string();
    assert_eq!(unknown, "the options of the device have no service `strat` (did you mean `start`?)");
}

#[tokio::test]
async fn a_service_that_sets_nothing_there_is_told() {
    let device = json!({"services": {"start": {"sets": {"runing": true}}}});
    let points = [point(0, json!({"at": "register", "name": "running"}))];
    let fault = open(device, &points).await.err().expect("it is wrong").to_string();
    assert_eq!(
        fault,
        "service `start` sets `runing`, which is the `name` of no register of the device (did you mean `running`?)"
    );
}
