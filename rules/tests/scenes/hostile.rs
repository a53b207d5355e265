//! A thousand scripts that try to hold, fill or end the process; the example `hostile` measures the same ones.

use super::hostile_scripts::{Hostile, Phase, scripts};
use super::site::{NOON, at, site_of, things};
use edgeway_rules::{Options, Scenes, Script, Stopwatch};
use std::time::{Duration, Instant};

const SCRIPTS: usize = 1_000;
const SEED: u64 = 0x5eed_ca11;
/// The test's time runs so many times faster, so that it ends soon.
const HASTE: u32 = 25;
/// Other tests of this process run at the same time, and what they take counts too.
const GROWTH_KIB_MAX: u64 = 256 * 1024;

#[test]
fn a_thousand_hostile_scripts_are_refused_or_end_and_leave_nothing_behind() {
    let scripts = scripts(SEED, SCRIPTS);
    // The first ones fill what is filled once: allocator, tables, time zones.
    let (warm_up, measured) = scripts.split_at(SCRIPTS / 5);
    warm_up.iter().for_each(|script| drop(run(script)));
    let before_kib = resident_kib();
    let runs: Vec<Ran> = measured.iter().map(run).collect();
    let longest = runs.iter().max_by_key(|ran| ran.call).expect("some were called");
    println!("the longest call: {:?}, {}", longest.call, longest.name.escape_debug());
    let (called, refused) =
        (runs.iter().filter(|ran| ran.called).count(), runs.iter().filter(|ran| ran.refused).count());
    assert!(called > SCRIPTS / 4, "only {called} were called");
    assert!(refused > SCRIPTS / 4, "only {refused} were refused");
    let growth_kib = resident_kib().saturating_sub(before_kib);
    assert!(growth_kib < GROWTH_KIB_MAX, "memory grew by {growth_kib} KiB");
}

#[test]
fn a_seed_always_makes_the_same_scripts() {
    let texts = |seed| scripts(seed, 300).into_iter().map(|script| script.text).collect::<Vec<_>>();
    assert_eq!(texts(7), texts(7));
    assert_ne!(texts(7), texts(8));
}

struct Ran {
    name: String,
    refused: bool,
    called: bool,
    call: Duration,
}

fn run(script: &Hostile) -> Ran {
    let began = Instant::now();
    let stopwatch = Some(Stopwatch::new(move || began.elapsed() * HASTE));
    let mut ran = Ran { name: script.name.clone(), refused: false, called: false, call: Duration::ZERO };
    let source = Script { file: "hostile.rhai".into(), text: script.text.clone() };
    let Ok((scenes, _)) = Scenes::load(things(), &[source], Options { stopwatch, ..Options::default() }) else {
        ran.refused = true;
        return ran;
    };
    if script.phase == Phase::Call {
        let mut site = site_of(scenes, at(NOON));
        site.scenes.start(site.now, &mut site.effects);
        let called = Instant::now();
        site.report("wt-01", "wind_speed", 9.0);
        (ran.called, ran.call) = (true, called.elapsed());
        let why = site.scenes.why("s", site.now).expect("the scene");
        assert!(!why.decisions.is_empty(), "{}", script.name);
    }
    ran
}

/// Resident memory; 0 where there is no `/proc`.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}
