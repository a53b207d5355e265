//! `edgeway bench scenes`: the scene engine, each figure beside a reference of the same run.

use super::figure::Figure;
use crate::cli::EngineBenchOptions;
use crate::usage;
use edgeway_rules::{Effect, Options, Scenes, Script};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Device, Message, Observation, PropertyIx, Report, Things, ready_made};
use std::sync::Arc;
use std::time::{Duration, Instant};

const START: Timestamp = Timestamp::from_secs(1_767_225_600);
/// The turbine's properties that the rules read.
const WIND: PropertyIx = PropertyIx(0);
/// A script may declare so many scenes, given how many operations it may take to load.
const SCENES_PER_SCRIPT: usize = 500;
/// Messages of a day of eight turbines that report once a second.
const DAY_MESSAGES: f64 = 8.0 * 86_400.0;

pub(super) fn run(options: &EngineBenchOptions) -> Result<Vec<Figure>, String> {
    let events = if options.quick { 200_000 } else { 2_000_000 };
    // First, before memory has been used that the scenes could use again.
    let loading = loading()?;
    let (thousand, _) = park(1_000, DECLARED, 32)?.measure(events);
    let (ten_thousand, _) = park(10_000, DECLARED, 32)?.measure(events);
    let native = native(1_000, events);
    let naive = naive(1_000, events / 100);
    let mut figures = vec![
        figure("declared, 1,000 scenes", 1e9 / thousand, "events/s", ("a native loop", 1e9 / native))
            .goal("1.5 million events/s", thousand <= 667.0),
        figure("the same rules, each looked at for each event", 1e9 / naive, "events/s", ("by index", 1e9 / thousand)),
    ];
    let growth = figure("declared, 10,000 scenes", ten_thousand, "ns", ("1,000 scenes", thousand));
    let fits = growth.ratio <= 1.3;
    figures.push(growth.goal("at most 1.3 times", fits));
    figures.push(closures(events / 10)?);
    figures.push(traced(events / 2)?);
    figures.extend(loading);
    figures.push(replay(events)?);
    Ok(figures)
}

fn figure(work: &str, value: f64, unit: &'static str, reference: (&'static str, f64)) -> Figure {
    Figure { bench: "scenes", ..Figure::new(work, value, unit, reference) }
}

/// One rule for each turbine; its wind goes up and down below the threshold, and over it once in a hundred.
const DECLARED: &str = r#"scene(`s${n}`).when(prop(t, "wind_speed") > 20.0).only_if(prop(t, "state") == "production").then([notify("x", "y")]);"#;
/// It is set off by each report, and its script declines.
const CLOSURE: &str = r#"scene(`s${n}`).when(level(prop(t, "wind_speed") >= 0.0)).only_if(check("c", || value(t, "wind_speed") > 90.0)).then([notify("x", "y")]);"#;
/// It is set off by each report, and one of two conditions declines.
const DECIDING: &str = r#"scene(`s${n}`).when(level(prop(t, "wind_speed") >= 0.0)).only_if(prop(t, "wind_speed") < 50.0).only_if(prop(t, "wind_speed") > 40.0).then([notify("x", "y")]);"#;

struct Park {
    scenes: Scenes,
    devices: u32,
}

/// So many turbines with a scene each.
fn park(count: usize, rule: &str, decisions: usize) -> Result<Park, String> {
    let things = things(count);
    let options = Options { decisions, ..Options::default() };
    let (scenes, _) = Scenes::load(things, &scripts(count, rule), options)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok(Park { scenes, devices: count as u32 })
}

fn things(count: usize) -> Arc<Things> {
    let mut things = Things::default();
    let model = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("it is ready-made");
    let model = things.add_model(Arc::new(model));
    for n in 0..count {
        let device = Device { id: format!("wt-{n:05}").into(), model, labels: Default::default() };
        things.add_device(device).expect("each id is new");
    }
    Arc::new(things)
}

/// The rules as scripts of some hundred scenes each, as a site would have them.
fn scripts(count: usize, rule: &str) -> Vec<Script> {
    let of = |from: usize| {
        let to = (from + SCENES_PER_SCRIPT).min(count);
        let names: Vec<String> = (from..to).map(|n| format!("\"wt-{n:05}\"")).collect();
        let text = format!("let n = {from};\nfor t in [{}] {{ {rule} n += 1; }}\n", names.join(", "));
        Script { file: format!("rules-{from}.rhai").into(), text }
    };
    (0..count).step_by(SCENES_PER_SCRIPT).map(of).collect()
}

impl Park {
    /// Nanoseconds for each event, and how many decisions were made.
    fn measure(mut self, events: usize) -> (f64, u64) {
        let mut out: Vec<Effect> = vec![];
        self.scenes.start(START, &mut out);
        // Messages are made before: what is measured is what the engine does with them.
        let messages: Vec<Message> = (0..events.min(200_000)).map(|n| self.message(n)).collect();
        let began = Instant::now();
        for n in 0..events {
            let message = &messages[n % messages.len()];
            self.scenes.handle(START + Duration::from_micros(n as u64), message, &mut out);
            if out.len() > 1_000 {
                out.clear();
            }
        }
        (began.elapsed().as_nanos() as f64 / events as f64, self.scenes.counters().decisions)
    }

    fn message(&self, n: usize) -> Message {
        let value = Value::Float(wind(n));
        let seen = Observation { property: WIND, value, quality: Quality::Good, source_time: START };
        let device = DeviceIx(n as u32 % self.devices);
        Message { time: START, body: Body::Report(Report { device, values: vec![seen] }) }
    }
}

/// Over 20 m/s once in a hundred.
fn wind(n: usize) -> f64 {
    let spread = (n / 7 + n * 31) % 100;
    if spread == 99 { 25.0 } else { spread as f64 / 5.0 }
}

/// The same thresholds in plain Rust: values by number, compared.
fn native(count: usize, events: usize) -> f64 {
    let (mut values, thresholds) = (vec![0.0f64; count], vec![20.0f64; count]);
    let mut over = vec![false; count];
    let mut fired = 0u64;
    let began = Instant::now();
    for n in 0..events {
        let at = n % count;
        values[at] = wind(n);
        let is_over = std::hint::black_box(values[at]) > thresholds[at];
        fired += u64::from(is_over && !over[at]);
        over[at] = is_over;
    }
    std::hint::black_box(fired);
    began.elapsed().as_nanos() as f64 / events as f64
}

/// The same, but all thresholds are looked at for each event, by the names of what they compare.
fn naive(count: usize, events: usize) -> f64 {
    let names: Vec<String> = (0..count).map(|n| format!("wt-{n:05}")).collect();
    let mut values: std::collections::HashMap<&str, f64> = names.iter().map(|name| (name.as_str(), 0.0)).collect();
    let mut over = vec![false; count];
    let mut fired = 0u64;
    let began = Instant::now();
    for n in 0..events {
        values.insert(&names[n % count], wind(n));
        for (name, over) in names.iter().zip(&mut over) {
            let is_over = values[name.as_str()] > std::hint::black_box(20.0);
            fired += u64::from(is_over && !*over);
            *over = is_over;
        }
    }
    std::hint::black_box(fired);
    began.elapsed().as_nanos() as f64 / events as f64
}

fn closures(events: usize) -> Result<Figure, String> {
    let (declared, _) = park(1_000, DECIDING, 32)?.measure(events);
    let (closure, asked) = park(1_000, CLOSURE, 32)?.measure(events);
    if asked < events as u64 {
        return Err(format!("only {asked} of {events} events set off a scene"));
    }
    Ok(figure("a script asked for each event, 1,000 scenes", closure, "ns", ("declared conditions", declared)))
}

fn traced(events: usize) -> Result<Figure, String> {
    // The same work twice, so that neither profits from what came before.
    let run = |decisions| Ok::<f64, String>(park(1_000, DECIDING, decisions)?.measure(events).0);
    let (bare, traced) = (run(0)?, run(32)?);
    let (bare, traced) = (bare.min(run(0)?), traced.min(run(32)?));
    let figure = figure("a decision, traced", traced, "ns", ("not traced", bare));
    let fits = figure.ratio <= 1.5;
    Ok(figure.goal("at most 1.5 times", fits))
}

fn loading() -> Result<Vec<Figure>, String> {
    let took = |count| {
        let began = Instant::now();
        park(count, DECLARED, 32).map(|park| (began.elapsed().as_secs_f64(), park))
    };
    let before = usage::resident_bytes();
    let (ten_thousand, park) = took(10_000)?;
    let bytes = usage::resident_bytes().saturating_sub(before) as f64 / 10_000.0;
    drop(park);
    let (thousand, _) = took(1_000)?;
    Ok(vec![
        figure("load 10,000 scenes", ten_thousand, "s", ("ten times 1,000", thousand * 10.0))
            .goal("at most 2 s", ten_thousand <= 2.0),
        figure("memory for each of 10,000 scenes, with its turbine", bytes / 1024.0, "KiB", ("4 KiB", 4.0))
            .goal("at most 4 KiB", bytes <= 4096.0),
    ])
}

/// Days of eight turbines, each with three scenes, in a minute.
fn replay(events: usize) -> Result<Figure, String> {
    const RULES: &str = r#"
        scene(`${t}.hot`).when(held(prop(t, "gear_oil_temperature") > 75.0, "30s")).only_if(fresh(prop(t, "gear_oil_temperature"), "30s")).then([set(t, "power_limit", 1500)]);
        scene(`${t}.windy`).when(held(prop(t, "wind_speed") > 24.0, "10s")).then([notify("x", t)]);
        scene(`${t}.calm`).when(prop(t, "wind_speed") < 1.0).then([notify("x", t)]);"#;
    let mut park = park(8, RULES, 32)?;
    let mut out = vec![];
    park.scenes.start(START, &mut out);
    let messages: Vec<Message> = (0..10_000).map(|n| park.message(n)).collect();
    let began = Instant::now();
    for n in 0..events {
        let now = START + Duration::from_millis(n as u64 * 125);
        while let Some(wake) = park.scenes.next_wake().filter(|wake| *wake <= now) {
            park.scenes.advance(wake, &mut out);
        }
        park.scenes.handle(now, &messages[n % messages.len()], &mut out);
        out.clear();
    }
    let days = events as f64 / DAY_MESSAGES;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    Ok(figure("replay, eight turbines with three scenes each", days / minutes, "days/min", ("real time", 1.0 / 1440.0)))
}
