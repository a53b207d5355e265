//! Random scenes and random events: the engine does what a slow, simple evaluator does.
//!
//! `EDGEWAY_SEEDS=5000` plays more cases, `EDGEWAY_SEED=17` only that one. Breaking the engine by hand has shown what is
//! noticed: a `held` that keeps its count when false, or counts on while unknown; an edge on the first value, or one that
//! forgets what it knew; no cooldown; names in reverse; unknown as false; a restart that ends nothing; undoing in the
//! order of doing; the lower priority first; `changed` without a change; a `fresh` a moment shorter; a try less; chains
//! a scene shorter.

mod evaluator;
mod events;
mod script;
mod smaller;
mod world;

use evaluator::{Counts, Reference};
use events::{Event, Reply};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use script::SceneSet;
use smaller::smallest;
use std::fmt::Write as _;
use world::{Engine, play};

/// Cases, unless the environment says otherwise.
const SEEDS: u64 = 300;

#[derive(Debug, Clone)]
struct Case {
    scenes: SceneSet,
    events: Vec<Event>,
    replies: Vec<Reply>,
}

type Outcome = (Vec<String>, Vec<Counts>);

#[test]
fn the_engine_does_what_a_simple_evaluator_does() {
    let mut statistics = Statistics::default();
    for seed in seeds() {
        let case = case(seed);

        let (expected, found) = outcomes(&case);
        statistics.count(&expected);
        if expected != found {
            println!("EDGEWAY_SEED={seed} fails and is made smaller");
            let smallest = smallest(case, |case| {
                let (expected, found) = outcomes(case);
                expected != found
            });
            panic!("{}", difference(seed, &smallest));
        }
    }
    statistics.check();
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("EDGEWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("EDGEWAY_SEEDS").unwrap_or(SEEDS),
    }
}

/// Always the same for a seed.
fn case(seed: u64) -> Case {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let parts = (script::scene_sets(), events::events(), events::replies());
    let (scenes, events, replies) = parts.new_tree(&mut runner).expect("nothing is filtered out").current();
    Case { scenes, events, replies }
}

/// What the reference does, and what the engine does.
fn outcomes(Case { scenes, events, replies }: &Case) -> (Outcome, Outcome) {
    let count = scenes.scenes.len();
    let expected = play(Reference::new(scenes.clone()), count, events, replies);
    let found = play(Engine::new(scenes), count, events, replies);
    (expected, found)
}

/// All that is needed to look into a failure.
fn difference(seed: u64, case: &Case) -> String {
    let (expected, found) = outcomes(case);
    let mut text = format!("EDGEWAY_SEED={seed}, made smaller:\n{}", case.scenes);
    let events: String = case.events.iter().map(|event| format!("  {event:?}\n")).collect();
    let replies: String = case.replies.iter().map(|reply| format!("  {reply:?}\n")).collect();
    let _ = write!(text, "events\n{events}replies\n{replies}");
    for (who, (log, counts)) in [("reference", expected), ("engine", found)] {
        let log: String = log.iter().map(|line| format!("  {line}\n")).collect();
        let _ = write!(text, "{who}\n{log}  {}\n", shown(&case.scenes, &counts));
    }
    text
}

fn shown(scenes: &SceneSet, counts: &[Counts]) -> String {
    let each = scenes.scenes.iter().zip(counts).map(|(scene, counts)| {
        let Counts { fired, declined, errors } = counts;
        format!("{}: {fired} fired, {declined} declined, {errors} errors", scene.name)
    });
    each.collect::<Vec<_>>().join("; ")
}

/// What the cases were like: a test in which nothing fires tests nothing.
#[derive(Debug, Default)]
struct Statistics {
    cases: u64,
    with_firings: u64,
    scenes: u64,
    scenes_that_fired: u64,
    total: Counts,
    deeds: u64,
}

impl Statistics {
    fn count(&mut self, (log, counts): &Outcome) {
        self.cases += 1;
        self.with_firings += u64::from(counts.iter().any(|counts| counts.fired > 0));
        self.scenes += counts.len() as u64;
        self.scenes_that_fired += counts.iter().filter(|counts| counts.fired > 0).count() as u64;
        for counts in counts {
            self.total.fired += counts.fired;
            self.total.declined += counts.declined;
            self.total.errors += counts.errors;
        }
        self.deeds += log.len() as u64;
    }

    fn check(&self) {
        println!("{self:#?}");
        assert!(self.with_firings * 10 >= self.cases * 7, "most cases have firings: {self:?}");
    }
}
