//! How long a report takes: `cargo run --release -p edgeway-rules --example scene_throughput`.

use edgeway_rules::{Options, Scenes, Script};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Device, Message, Observation, Report, Things, ready_made};
use std::sync::Arc;
use std::time::{Duration, Instant};

const REPORTS: u32 = 200_000;

fn main() {
    let none = "";
    let hundred = r#"for n in 0..100 { scene(`s${n}`).when(prop("wt", "wind_speed") > 60 - n % 7).only_if(prop("wt", "state") == 2).then([notify("x", "y")]); }"#;
    let level = r#"scene("s").when(level(prop("wt", "wind_speed") >= 0)).only_if(prop("wt", "state") == 4).only_if(fresh(prop("wt", "wind_speed"), "1m")).then([notify("x", "y")]);"#;
    let check = r#"scene("s").when(level(prop("wt", "wind_speed") >= 0)).only_if(check("c", || value("wt", "wind_speed") > 99.0)).then([notify("x", "y")]);"#;
    if std::env::args().any(|argument| argument == "--decisions") {
        return (0..10).for_each(|_| measure("a decision of two declared conditions, declined", level));
    }
    measure("a report that nothing waits for", none);
    measure("a report that 100 scenes wait for, none set off", hundred);
    measure("a decision of two declared conditions, declined", level);
    measure("a decision of one script check, declined", check);
}

fn measure(what: &str, text: &str) {
    let mut things = Things::default();
    let model = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("ready-made");
    let model = things.add_model(Arc::new(model));
    let device = things.add_device(Device { id: "wt".into(), model, labels: Default::default() }).expect("the first");
    let script = Script { file: "bench.rhai".into(), text: text.into() };
    let (mut scenes, _) = Scenes::load(Arc::new(things), &[script], Options::default()).expect("no mistake");
    let mut out = vec![];
    let mut now = Timestamp::from_secs(1_700_000_000);
    scenes.start(now, &mut out);
    let began = Instant::now();
    for n in 0..REPORTS {
        now = now + Duration::from_millis(1);
        scenes.handle(now, &report(device, now, f64::from(n % 50)), &mut out);
    }
    println!("{:>7} ns  {what}", began.elapsed().as_nanos() / u128::from(REPORTS));
    assert!(out.is_empty(), "nothing was to fire");
}

fn report(device: DeviceIx, now: Timestamp, wind_speed: f64) -> Message {
    let property = edgeway_thing_models::PropertyIx(0);
    let value = Observation { property, value: Value::Float(wind_speed), quality: Quality::Good, source_time: now };
    Message { time: now, body: Body::Report(Report { device, values: vec![value] }) }
}
