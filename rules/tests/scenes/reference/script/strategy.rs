//! Scenes by chance.

use super::{
    Act, Condition, Deed, Device, Mode, NAMES, Op, Operand, Place, ROOMS, Scene, SceneSet, Step, TURBINES, Trigger,
    places_of,
};
use edgeway_sdk::Value;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(in crate::reference) fn scene_sets() -> impl Strategy<Value = SceneSet> {
    (vec(scenes(), 1..=NAMES.len()), prop::bool::weighted(0.1)).prop_map(|(scenes, in_a_row)| {
        let scenes = if in_a_row { row(scenes) } else { scenes };
        SceneSet::new(scenes)
    })
}

/// Scenes of which each runs the next: chance alone makes no long chains.
fn row(mut scenes: Vec<Scene>) -> Vec<Scene> {
    for (at, scene) in scenes.iter_mut().enumerate() {
        scene.conditions.clear();
        scene.then = vec![Step::RunScene(at + 1)];
    }
    scenes
}

fn scenes() -> impl Strategy<Value = Scene> {
    let mode = prop_oneof![
        3 => Just(Mode::Single),
        2 => Just(Mode::Restart),
        1 => Just(Mode::Queue),
        2 => Just(Mode::Parallel)
    ];
    let how = (prop_oneof![3 => Just(0), 2 => -1..=2_i64], mode, prop::bool::weighted(0.3), cooldowns());
    let otherwise = prop_oneof![2 => Just(vec![]), 1 => vec(steps(), 1..3)];
    let what = (vec(triggers(), 1..3), vec(conditions(), 0..2), vec(steps(), 1..4), otherwise);
    (how, what).prop_map(|((priority, mode, per_device, cooldown_s), (triggers, conditions, then, otherwise))| Scene {
        name: "",
        priority,
        mode,
        per_device,
        cooldown_s,
        triggers,
        conditions,
        then,
        otherwise,
    })
}

fn cooldowns() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => Just(None), 1 => seconds().prop_map(Some)]
}

/// Spans that meet each other.
fn seconds() -> impl Strategy<Value = u64> {
    select(vec![1, 2, 3, 5, 10])
}

/// Few of the devices do most, so that scenes and events meet.
pub(in crate::reference) fn devices() -> impl Strategy<Value = Device> {
    prop_oneof![
        8 => Just(TURBINES[0]),
        4 => Just(TURBINES[1]),
        1 => select(&TURBINES[..]),
        1 => Just("mast-01"),
        6 => Just(ROOMS[0]),
        1 => Just(ROOMS[1])
    ]
}

fn turbines() -> impl Strategy<Value = Device> {
    prop_oneof![4 => select(&TURBINES[..2]), 1 => select(&TURBINES[..])]
}

pub(in crate::reference) fn places() -> impl Strategy<Value = Place> {
    devices().prop_flat_map(|device| select(places_of(device)))
}

pub(in crate::reference) fn value_of(place: Place) -> impl Strategy<Value = Value> {
    select(place.kind.values())
}

fn triggers() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        8 => conditions().prop_map(Trigger::Edge),
        2 => (comparisons(), option::of(conditions())).prop_map(|(first, more)| Trigger::Level(match more {
            Some(more) => Condition::All(vec![more, first]),
            None => first,
        })),
        2 => places().prop_map(Trigger::Changed),
        3 => turbines().prop_map(Trigger::Event),
        1 => devices().prop_map(Trigger::GoesOnline),
        1 => devices().prop_map(Trigger::GoesOffline)
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    leaves().prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            4 => (inner.clone(), seconds())
                .prop_map(|(inner, dwell_s)| Condition::Held { id: 0, inner: Box::new(inner), dwell_s }),
            2 => vec(inner.clone(), 1..4).prop_map(Condition::All),
            2 => vec(inner.clone(), 1..4).prop_map(Condition::Any),
            2 => inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            1 => inner.prop_map(|inner| Condition::OrUnknown(Box::new(inner)))
        ]
    })
}

fn leaves() -> impl Strategy<Value = Condition> {
    prop_oneof![
        10 => comparisons(),
        1 => (places(), seconds()).prop_map(|(place, within)| Condition::Fresh(place, within)),
        1 => places().prop_map(Condition::Stale),
        1 => (clocks(), 0..4_usize).prop_map(|(from, further)| {
            Condition::Between(CLOCKS[from], CLOCKS[(from + further + 1) % CLOCKS.len()])
        }),
        1 => select(&DAYS[..]).prop_map(|(text, days)| Condition::Days(text, days)),
        1 => devices().prop_map(Condition::Online)
    ]
}

/// Times of day in seconds; some are soon after noon, when it all begins.
const CLOCKS: [u64; 5] = [12 * 3600 + 10, 12 * 3600 + 60, 12 * 3600 + 300, 18 * 3600, 6 * 3600];

fn clocks() -> impl Strategy<Value = usize> {
    0..CLOCKS.len()
}

/// It begins on a Saturday.
const DAYS: [(&str, [bool; 7]); 4] = [
    ("sat", [false, false, false, false, false, true, false]),
    ("sun", [false, false, false, false, false, false, true]),
    ("mon-fri", [true, true, true, true, true, false, false]),
    ("sat-mon", [true, false, false, false, false, true, true]),
];

fn comparisons() -> impl Strategy<Value = Condition> {
    let ops = vec![Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterOrEqual, Op::Less, Op::LessOrEqual];
    (places(), select(ops), prop::bool::weighted(0.15)).prop_flat_map(|(place, op, with_place)| {
        let op = if place.kind.has_order() || op == Op::Equal { op } else { Op::NotEqual };
        let operand = if with_place {
            select(peers(place)).prop_map(Operand::Place).boxed()
        } else {
            value_of(place).prop_map(Operand::Value).boxed()
        };
        operand.prop_map(move |operand| Condition::Compare(place, op, operand))
    })
}

/// The properties that this one can be compared with.
fn peers(place: Place) -> Vec<Place> {
    let all = TURBINES[..2].iter().chain(&ROOMS).chain(&["mast-01"]).flat_map(|device| places_of(device));
    all.filter(|other| other.kind == place.kind).collect()
}

fn steps() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        8 => acts().prop_map(Step::Act),
        3 => seconds().prop_map(Step::Delay),
        2 => waits(),
        2 => (0..NAMES.len()).prop_map(Step::RunScene)
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let list = vec(inner, 1..3);
        prop_oneof![
            2 => ifs(list.clone().boxed()),
            2 => vec(list.clone(), 2..4).prop_map(Step::Parallel),
            1 => (1..3_u32, list.clone()).prop_map(|(times, body)| Step::Repeat(times, body)),
            2 => transactions()
        ]
    })
}

fn waits() -> impl Strategy<Value = Step> {
    (conditions(), seconds(), any::<bool>()).prop_map(|(condition, within_s, may_fail)| Step::WaitFor {
        id: 0,
        condition,
        within_s,
        may_fail,
    })
}

fn ifs(list: BoxedStrategy<Vec<Step>>) -> impl Strategy<Value = Step> {
    (conditions(), list.clone(), prop_oneof![Just(vec![]).boxed(), list])
        .prop_map(|(condition, then, otherwise)| Step::If { condition, then, otherwise })
}

/// Not everything can stand in a transaction.
fn transactions() -> impl Strategy<Value = Step> {
    let step = prop_oneof![
        6 => acts().prop_map(Step::Act),
        1 => seconds().prop_map(Step::Delay),
        1 => waits(),
        1 => ifs(vec(acts().prop_map(Step::Act), 1..3).boxed())
    ];
    vec(step, 1..4).prop_map(Step::Transaction)
}

fn acts() -> impl Strategy<Value = Act> {
    let how = (
        prop::bool::weighted(0.3),
        prop_oneof![3 => Just(None), 1 => (1..3_u32, seconds()).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => seconds().prop_map(Some)],
        prop::bool::weighted(0.2),
        prop_oneof![3 => Just(None), 1 => vec(deeds(), 1..3).prop_map(Some)],
    );
    (deeds(), how).prop_map(|(deed, (confirmed, retry, within_s, may_fail, undo))| Act {
        deed,
        confirmed,
        retry,
        within_s,
        may_fail,
        undo,
    })
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => settings(),
        1 => (turbines(), select(vec!["start", "reset"])).prop_map(|(device, service)| Deed::Invoke(device, service)),
        3 => any::<u8>().prop_map(Deed::Notify),
        1 => turbines().prop_map(Deed::Emit)
    ]
}

fn settings() -> impl Strategy<Value = Deed> {
    let places = devices().prop_filter("a mast has nothing to set", |device| *device != "mast-01");
    let places = places.prop_flat_map(|device| {
        select(places_of(device).into_iter().filter(|place| place.is_settable()).collect::<Vec<_>>())
    });
    places.prop_flat_map(|place| value_of(place).prop_map(move |value| Deed::Set(place, value)))
}
