//! How long hostile scripts hold the caller: `cargo run --release -p edgeway-rules --example hostile`.
//!
//! The thread that runs them has the stack of any thread, 2 MiB. With a number, only that script runs.

use edgeway_rules::{Options, Scenes, Script, Stopwatch};
use edgeway_sdk::{Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Device, Message, Observation, PropertyIx, Report, Things, ready_made};
use hostile_scripts::{Hostile, Phase, scripts};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[path = "../tests/scenes/hostile_scripts.rs"]
mod hostile_scripts;

const SCRIPTS: usize = 1_000;
const SEED: u64 = 0x5eed_ca11;
const STACK_BYTES: usize = 2 * 1024 * 1024;
const PAUSE_MAX: Duration = Duration::from_millis(10);
const AGAIN: usize = 3;

fn main() {
    let only = std::env::args().nth(1).map(|number| number.parse::<usize>().expect("the number of a script"));
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || run(only)).expect("a thread").join().expect("no panic");
}

fn run(only: Option<usize>) {
    let before_kib = resident_kib("VmRSS");
    let scripts = scripts(SEED, SCRIPTS);
    let (mut loads, mut calls) = (vec![], vec![]);
    for (at, script) in scripts.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at)) {
        if only.is_some() {
            println!("{}", script.text);
        }
        let (load, call) = undisturbed(script);
        loads.push((load, at));
        calls.extend(call.map(|call| (call, at)));
    }
    show("call", &mut calls, &scripts);
    show("load", &mut loads, &scripts);
    let now_kib = resident_kib("VmRSS");
    println!("memory: {before_kib} KiB before, {now_kib} KiB after, {} KiB at most", resident_kib("VmHWM"));
}

/// A long call is measured again: what other processes did with the processor is not the script's.
fn undisturbed(script: &Hostile) -> (Duration, Option<Duration>) {
    let measured = pauses(script);
    let is_long = measured.1.is_some_and(|call| call > PAUSE_MAX);
    if is_long {
        (0..AGAIN).map(|_| pauses(script)).min_by_key(|(_, call)| *call).unwrap_or(measured)
    } else {
        measured
    }
}

/// How long it took to load, and to call.
fn pauses(script: &Hostile) -> (Duration, Option<Duration>) {
    let mut things = Things::default();
    let model = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("ready-made");
    let model = things.add_model(Arc::new(model));
    let device =
        things.add_device(Device { id: "wt-01".into(), model, labels: Default::default() }).expect("the first");
    let began = Instant::now();
    let stopwatch = Some(Stopwatch::new(move || began.elapsed()));
    let source = Script { file: "hostile.rhai".into(), text: script.text.clone() };
    let loaded = Scenes::load(Arc::new(things), &[source], Options { stopwatch, ..Options::default() });
    let load = began.elapsed();
    let Ok((mut scenes, _)) = loaded else { return (load, None) };
    if script.phase == Phase::Load {
        return (load, None);
    }
    let (now, mut out) = (Timestamp::from_secs(1_800_000_000), vec![]);
    scenes.start(now, &mut out);
    let value =
        Observation { property: PropertyIx(0), value: Value::Float(9.0), quality: Quality::Good, source_time: now };
    let message = Message { time: now, body: Body::Report(Report { device, values: vec![value] }) };
    let called = Instant::now();
    scenes.handle(now, &message, &mut out);
    (load, Some(called.elapsed()))
}

fn show(what: &str, pauses: &mut [(Duration, usize)], scripts: &[Hostile]) {
    pauses.sort_unstable();
    let long = pauses.iter().filter(|(pause, _)| *pause > PAUSE_MAX).count();
    println!("{what}: {} of {} over {PAUSE_MAX:?}; the longest:", long, pauses.len());
    for (pause, at) in pauses.iter().rev().take(12) {
        println!("  {:>9.3} ms  {}", pause.as_secs_f64() * 1e3, scripts[*at].name.escape_debug());
    }
}

/// A line of `/proc/self/status`, 0 where there is none.
fn resident_kib(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}
