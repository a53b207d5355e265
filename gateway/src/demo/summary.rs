//! What a demo came to.

use super::cloud::Cloud;
use crate::app::State;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    readings: u64,
    values: u64,
    bad_values: u64,
    commands: Commands,
    scene_firings: u64,
    query_rows: u64,
    routes: BTreeMap<String, Route>,
    journal_messages: u64,
    /// What the client that plays the cloud has received.
    cloud_messages: u64,
    devices: u64,
    devices_online: u64,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Commands {
    ok: u64,
    failed: u64,
}

#[derive(Debug, Serialize)]
struct Route {
    taken: u64,
    delivered: u64,
    queued: u64,
    dropped: u64,
}

impl Summary {
    pub(super) fn of(state: &State, cloud: &Cloud, seconds: f64) -> Self {
        let sum =
            |counter: fn(&crate::links::LinkStatus) -> u64| state.links.iter().map(|link| counter(&link.status)).sum();
        let head = state.journal.head();
        let route = |route: &crate::app::NamedRoute| {
            let account = route.state.total();
            let (taken, delivered, queued) = (account.taken, account.delivered, account.queued());
            let dropped = account.expired + account.dropped + account.dead;
            (route.name.to_string(), Route { taken, delivered, queued, dropped })
        };
        let online = state
            .things
            .current_devices()
            .filter(|(device, _)| state.twins.with(*device, |twin| twin.online.answers()));
        let tally = state.desk.tally();
        Summary {
            readings: sum(|link| link.readings.load(Relaxed)),
            values: sum(|link| link.values.load(Relaxed)),
            bad_values: sum(|link| link.bad_values.load(Relaxed)),
            commands: Commands { ok: tally.ok.load(Relaxed), failed: tally.failed.load(Relaxed) },
            scene_firings: state.scenes.with(|scenes| scenes.counters().firings),
            query_rows: state.queries.with(|queries| queries.list().iter().map(|query| query.rows_out).sum()),
            routes: state.routes.iter().map(route).collect(),
            journal_messages: head.saturating_sub(state.journal.recovery().next_offset),
            cloud_messages: cloud.messages(),
            devices: state.things.current_devices().count() as u64,
            devices_online: online.count() as u64,
            seconds: (seconds * 10.0).round() / 10.0,
        }
    }

    /// The parts that did not do their work.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = vec![];
        let mut need = |what: &str, done: bool| {
            if !done {
                missing.push(what.to_owned());
            }
        };
        // One of them may be in its outage just now.
        need("devices (not all are online)", self.devices_online + 1 >= self.devices);
        need("drivers (no values)", self.values > 0);
        need("commands (none applied)", self.commands.ok > 0);
        need("scenes (none fired)", self.scene_firings > 0);
        need("queries (no rows; windows are 10 s long, so give it 20 s)", self.query_rows > 0);
        need("journal (no messages)", self.journal_messages > 0);
        need("cloud (nothing arrived)", self.cloud_messages > 0);
        for (name, route) in &self.routes {
            need(&format!("route {name} (nothing delivered)"), route.delivered > 0);
            need(&format!("route {name} (messages dropped)"), route.dropped == 0);
        }
        missing
    }

    /// The same for people.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\nIn {} s, {} of {} devices online:\n  {} readings with {} values, {} of them bad\n  {} commands applied, {} failed; {} scene firings; {} query rows\n  {} messages in the journal",
            self.seconds,
            self.devices_online,
            self.devices,
            self.readings,
            self.values,
            self.bad_values,
            self.commands.ok,
            self.commands.failed,
            self.scene_firings,
            self.query_rows,
            self.journal_messages,
        );
        for (name, route) in &self.routes {
            let Route { taken, delivered, queued, dropped } = route;
            let _ = write!(
                text,
                "\n  route {name}: {taken} taken, {delivered} delivered, {queued} queued, {dropped} dropped"
            );
        }
        let _ = write!(text, "\n  {} messages arrived at the cloud", self.cloud_messages);
        text
    }
}
