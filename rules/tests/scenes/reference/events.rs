//! What happens to the site, by chance.

use super::script::{Device, NAMES, Place, TURBINES, devices, places_of, value_of};
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Debug, Clone)]
pub(super) enum Event {
    Report(Device, Vec<(Place, Value, Quality)>),
    Turn(Device, Online),
    Alarm(Device),
    /// A scene is run by hand: one of so many, counted around.
    Run(usize),
    /// So many seconds pass.
    Pass(u64),
}

/// What a device does about a command.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// After how many seconds it answers; `None`: never.
    pub(super) after_s: Option<u64>,
    pub(super) answer: Answer,
    /// Whether it then reports the value that was set.
    pub(super) reports: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Applied,
    Failed,
    Refused,
    Unconfirmed,
    Expired,
}

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    (beginning(), vec(event(), 10..60)).prop_map(|(beginning, events)| [beginning, events].concat())
}

/// Mostly all that matters is known soon.
fn beginning() -> impl Strategy<Value = Vec<Event>> {
    let known = vec!["wt-01", "wt-02", "room-301", "room-302", "mast-01"];
    let reports = known.into_iter().map(|device| {
        let values = places_of(device).into_iter().map(value_of).collect::<Vec<_>>();
        values.prop_map(move |values| {
            let good = |(place, value)| (place, value, Quality::Good);
            Event::Report(device, places_of(device).into_iter().zip(values).map(good).collect())
        })
    });
    let reports = reports.collect::<Vec<_>>();
    prop_oneof![3 => reports, 1 => Just(vec![])]
}

/// The answers to commands, in turn.
pub(super) fn replies() -> impl Strategy<Value = Vec<Reply>> {
    let after = prop_oneof![6 => Just(Some(0)), 3 => (1..4_u64).prop_map(Some), 1 => Just(Some(20)), 1 => Just(None)];
    let answer = prop_oneof![
        5 => Just(Answer::Applied),
        1 => select(vec![Answer::Failed, Answer::Refused, Answer::Unconfirmed, Answer::Expired])
    ];
    let reply = (after, answer, any::<bool>());
    vec(reply.prop_map(|(after_s, answer, reports)| Reply { after_s, answer, reports }), 1..8)
}

fn event() -> impl Strategy<Value = Event> {
    let turbines = prop_oneof![4 => select(&TURBINES[..2]), 1 => select(&TURBINES[..])];
    let turn = (devices(), select(vec![Online::Online, Online::Offline, Online::Degraded, Online::Unknown]));
    prop_oneof![
        16 => devices().prop_flat_map(report),
        3 => turn.prop_map(|(device, online)| Event::Turn(device, online)),
        3 => turbines.prop_map(Event::Alarm),
        1 => (0..NAMES.len()).prop_map(Event::Run),
        8 => spans().prop_map(Event::Pass)
    ]
}

fn spans() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1..6_u64, 4 => 6..40_u64, 1 => select(vec![300, 3_600, 6 * 3_600, 18 * 3_600])]
}

fn report(device: Device) -> impl Strategy<Value = Event> {
    let observation = select(places_of(device)).prop_flat_map(|place| {
        (value_of(place), qualities()).prop_map(move |(value, quality)| match quality {
            Quality::BadTimeout => (place, Value::Null, quality),
            _ => (place, value, quality),
        })
    });
    vec(observation, 1..4).prop_map(move |values| Event::Report(device, values))
}

fn qualities() -> impl Strategy<Value = Quality> {
    prop_oneof![
        12 => Just(Quality::Good),
        1 => Just(Quality::Stale),
        1 => Just(Quality::Uncertain),
        1 => Just(Quality::BadTimeout)
    ]
}
