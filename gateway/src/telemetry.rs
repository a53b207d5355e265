//! What the gateway tells those who run it: metrics in Prometheus' text form, and the log.
//!
//! Most numbers are taken from the running parts when they are asked for, so counting costs nothing twice. The rest is
//! counted where it happens and kept by a recorder that all gateways of one process share. Labels are names of links,
//! routes, queries and scenes, never of devices: the site bounds their number.

mod log;
mod page;

pub(crate) use log::init_logging;

use crate::app::State;
use crate::links::{LinkState, LinkStatus};
use crate::usage;
use edgeway_driver_host::{Condition, Status};
use edgeway_journal::Stats;
use edgeway_sdk::Timestamp;
use edgeway_streams::QueryInfo;
use edgeway_thing_models::{Account, Online};
use metrics::{Unit, describe_counter, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use page::{Kind, Page};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// From a reading handed over by a driver to the command that it caused handed to a driver.
const READING_TO_COMMAND: &str = "edgeway_scene_reading_to_command_seconds";
/// The bounds of its histogram, in seconds: a scene acts within a millisecond, so that is where they are fine.
const BOUNDS_SECONDS: [f64; 11] = [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// How often durations are summed up.
const SUM_UP_PERIOD: Duration = Duration::from_secs(5);

/// The recorder of this process.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The metrics of a gateway.
#[derive(Clone)]
pub(crate) struct Metrics {
    counted: PrometheusHandle,
}

impl Metrics {
    /// Starts counting. Gateways of one process share what is counted where it happens.
    pub(crate) fn install() -> Metrics {
        Metrics { counted: RECORDER.get_or_init(recorder).clone() }
    }

    /// Sums up durations, again and again: they must not pile up when nobody asks for them.
    pub(crate) async fn sum_up(&self) {
        let mut period = tokio::time::interval(SUM_UP_PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            period.tick().await;
            self.counted.run_upkeep();
        }
    }

    /// All metrics as they are now.
    pub(crate) fn render(&self, state: &State) -> String {
        let mut page = Page::default();
        process(&mut page, state);
        devices(&mut page, state);
        links(&mut page, state);
        processes(&mut page, state);
        journal(&mut page, &state.journal.stats());
        routes(&mut page, state);
        scenes(&mut page, state);
        queries(&mut page, state);
        page.followed_by(&self.counted.render())
    }
}

fn recorder() -> PrometheusHandle {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS_SECONDS).expect("there are bounds");
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("Something else counts metrics in this process; those counted where they happen are missing.");
    }
    describe_counter!("edgeway_commands_total", "Commands that have ended, by what became of them");
    describe_counter!("edgeway_journal_refused_messages_total", "Messages lost to everyone: the journal took no more");
    describe_histogram!(
        READING_TO_COMMAND,
        Unit::Seconds,
        "From a reading handed over by a driver to the command that it caused handed to a driver"
    );
    handle
}

fn process(page: &mut Page, state: &State) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.family(Kind::Gauge, "edgeway_build_info", "Always 1; the label is the version").sample(&version, 1);
    let uptime = Timestamp::now().since(state.started).as_secs_f64();
    page.family(Kind::Gauge, "edgeway_uptime_seconds", "How long the gateway has been running").sample(&[], uptime);
    let restarts = state.restarts.get();
    page.family(Kind::Counter, "edgeway_part_restarts_total", "Panics; each is a bug in Edgeway").sample(&[], restarts);
    let bytes = usage::resident_bytes();
    page.family(Kind::Gauge, "edgeway_process_resident_bytes", "Memory of the process").sample(&[], bytes);
}

fn devices(page: &mut Page, state: &State) {
    let mut family = page.family(Kind::Gauge, "edgeway_devices", "Devices by state");
    for (online, devices) in count_devices(state) {
        family.sample(&[("state", online.as_str())], devices);
    }
}

/// How many devices are in each state.
pub(crate) fn count_devices(state: &State) -> [(Online, usize); 4] {
    let mut counts = [Online::Unknown, Online::Online, Online::Degraded, Online::Offline].map(|online| (online, 0));
    for (device, _) in state.things.current_devices() {
        let found = state.twins.with(device, |twin| twin.online);
        counts.iter_mut().filter(|(online, _)| *online == found).for_each(|(_, count)| *count += 1);
    }
    counts
}

type Counter<S> = (&'static str, &'static str, fn(&S) -> &AtomicU64);

const LINK_COUNTERS: [Counter<LinkStatus>; 8] = [
    ("edgeway_link_readings_total", "Transactions that brought values", |status| &status.readings),
    ("edgeway_link_values_total", "Values in them", |status| &status.values),
    ("edgeway_link_bad_values_total", "Values in them that were not good", |status| &status.bad_values),
    ("edgeway_link_suppressed_total", "Values in them that were no news and are in no report", |status| {
        &status.suppressed
    }),
    ("edgeway_link_faults_total", "Transactions that failed", |status| &status.faults),
    ("edgeway_link_connects_total", "Times that the wire was opened", |status| &status.connects),
    ("edgeway_link_overruns_total", "Readings so late that a whole period was skipped", |status| &status.overruns),
    ("edgeway_link_merged_total", "Values told unasked that were merged or dropped", |status| &status.merged),
];

fn links(page: &mut Page, state: &State) {
    let mut up = page.family(Kind::Gauge, "edgeway_link_up", "Whether the wire is open");
    for link in &state.links {
        up.sample(&[("link", &link.name), ("driver", &link.driver)], u8::from(link.status.state() == LinkState::Up));
    }
    let mut load =
        page.family(Kind::Gauge, "edgeway_link_load_ratio", "How busy the readings keep the wire, 1 being all");
    for link in &state.links {
        load.sample(&[("link", &link.name)], link.status.load_permille.load(Relaxed) as f64 / 1e3);
    }
    let help = "What the driver counts beside";
    let mut driver = page.family(Kind::Counter, "edgeway_link_driver_total", help);
    for link in &state.links {
        for (counter, count) in link.link.health() {
            driver.sample(&[("link", &link.name), ("counter", &counter)], count);
        }
    }
    for (name, help, counter) in LINK_COUNTERS {
        let mut family = page.family(Kind::Counter, name, help);
        for link in &state.links {
            family.sample(&[("link", &link.name)], counter(&link.status).load(Relaxed));
        }
    }
}

/// Drivers that are processes of their own.
fn processes(page: &mut Page, state: &State) {
    let all: Vec<Status> = state.drivers.processes.iter().map(|driver| driver.status()).collect();
    let mut family = page.family(Kind::Gauge, "edgeway_driver_up", "Whether the driver's process answers");
    for status in &all {
        family.sample(&[("driver", &status.name)], u8::from(status.condition == Condition::Running));
    }
    let mut family = page.family(Kind::Counter, "edgeway_driver_starts_total", "Times that it was started");
    for status in &all {
        family.sample(&[("driver", &status.name)], status.starts);
    }
    let mut family = page.family(Kind::Gauge, "edgeway_driver_resident_bytes", "Memory of the driver's process");
    for status in &all {
        family.sample(&[("driver", &status.name)], status.memory_bytes);
    }
}

type RouteCounter = (&'static str, &'static str, fn(&Account) -> u64);

const ROUTE_COUNTERS: [RouteCounter; 5] = [
    ("edgeway_route_taken_messages_total", "Messages that the route takes", |account| account.taken),
    ("edgeway_route_delivered_messages_total", "Messages that the target has acknowledged", |account| {
        account.delivered
    }),
    ("edgeway_route_expired_messages_total", "Messages that were older than the route's ttl", |account| {
        account.expired
    }),
    ("edgeway_route_dropped_messages_total", "Messages dropped: the journal was full or damaged", |account| {
        account.dropped
    }),
    ("edgeway_route_dead_messages_total", "Messages that the target refused for good", |account| account.dead),
];

fn routes(page: &mut Page, state: &State) {
    let mut connected = page.family(Kind::Gauge, "edgeway_route_connected", "Whether the target can be reached");
    for route in &state.routes {
        connected.sample(&[("route", &route.name)], u8::from(route.state.connected.load(Relaxed)));
    }
    let mut queued = page.family(Kind::Gauge, "edgeway_route_queued_messages", "Messages that wait or are under way");
    for route in &state.routes {
        queued.sample(&[("route", &route.name)], route.state.total().queued());
    }
    let mut sent =
        page.family(Kind::Counter, "edgeway_route_sent_messages_total", "Messages handed to the target, with repeats");
    for route in &state.routes {
        sent.sample(&[("route", &route.name)], route.state.sent.load(Relaxed));
    }
    for (name, help, count) in ROUTE_COUNTERS {
        let mut family = page.family(Kind::Counter, name, help);
        for route in &state.routes {
            family.sample(&[("route", &route.name)], count(&route.state.total()));
        }
    }
    let letters = state.letters.len();
    page.family(Kind::Gauge, "edgeway_dead_letters", "Refused messages that are kept").sample(&[], letters as u64);
}

fn journal(page: &mut Page, stats: &Stats) {
    use Kind::{Counter, Gauge};
    let numbers = [
        (Gauge, "edgeway_journal_bytes", "Size on disk", stats.bytes_on_disk),
        (Gauge, "edgeway_journal_segments", "Files with messages", stats.segments as u64),
        (Gauge, "edgeway_journal_oldest_offset", "The oldest message kept", stats.first),
        (Gauge, "edgeway_journal_head_offset", "The next message's offset", stats.head),
        (Gauge, "edgeway_journal_durable_offset", "Everything below is on disk", stats.durable_head),
        (Counter, "edgeway_journal_appended_messages_total", "Messages appended", stats.appended_total),
        (Counter, "edgeway_journal_syncs_total", "Groups of messages made durable", stats.synced_groups_total),
        (Counter, "edgeway_journal_sync_errors_total", "Writes and syncs that failed", stats.sync_errors_total),
        (
            Counter,
            "edgeway_journal_dropped_messages_total",
            "Messages removed for space or age",
            stats.dropped_by_retention_total,
        ),
        (Counter, "edgeway_journal_too_large_messages_total", "Messages refused for their size", stats.too_large_total),
        (Gauge, "edgeway_journal_pending_bytes", "Bytes that wait for the disk, estimated", stats.pending_bytes),
        (Gauge, "edgeway_journal_writing", "Whether the disk takes messages", u64::from(stats.last_error.is_none())),
    ];
    for (kind, name, help, number) in numbers {
        page.family(kind, name, help).sample(&[], number);
    }
}

fn scenes(page: &mut Page, state: &State) {
    let (counters, scenes) = state.scenes.with(|scenes| (scenes.counters(), scenes.list()));
    let numbers = [
        ("edgeway_scene_decisions_total", "How often a scene was set off", counters.decisions),
        ("edgeway_scene_errors_total", "Scripts that failed", counters.errors),
        ("edgeway_scene_loops_stopped_total", "Chains of causes that were stopped", counters.loops_stopped),
    ];
    for (name, help, number) in numbers {
        page.family(Kind::Counter, name, help).sample(&[], number);
    }
    let mut fired = page.family(Kind::Counter, "edgeway_scene_firings_total", "How often each scene fired");
    for scene in &scenes {
        fired.sample(&[("scene", &scene.name)], scene.fired);
    }
}

type QueryCounter = (&'static str, &'static str, fn(&QueryInfo) -> u64);

const QUERY_COUNTERS: [QueryCounter; 7] = [
    ("edgeway_query_input_rows_total", "Rows taken in", |query| query.rows_in),
    ("edgeway_query_output_rows_total", "Rows given out", |query| query.rows_out),
    ("edgeway_query_late_rows_total", "Rows left out: their window was closed", |query| query.late),
    ("edgeway_query_future_rows_total", "Rows left out: their time is too far ahead", |query| query.future),
    ("edgeway_query_dead_rows_total", "Rows left out: the query's state was full", |query| query.dead),
    ("edgeway_query_evictions_total", "Windows told early and keys forgotten, to make room", |query| query.evicted),
    ("edgeway_query_error_rows_total", "Rows left out: an expression failed for them", |query| query.errors),
];

const QUERY_GAUGES: [QueryCounter; 3] = [
    ("edgeway_query_state_bytes", "Memory that its state takes", |query| query.state_bytes as u64),
    ("edgeway_query_groups", "Groups in open windows, and keys that are remembered", |query| query.groups as u64),
    ("edgeway_query_watermark_lag_milliseconds", "How far it is behind the gateway's clock", watermark_lag_millis),
];

fn watermark_lag_millis(query: &QueryInfo) -> u64 {
    let lag = query.watermark.map(|watermark| edgeway_sdk::Timestamp::now().since(watermark));
    lag.map_or(0, |lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX))
}

fn queries(page: &mut Page, state: &State) {
    let queries = state.queries.with(|queries| queries.list());
    for (name, help, gauge) in QUERY_GAUGES {
        let mut family = page.family(Kind::Gauge, name, help);
        for query in &queries {
            family.sample(&[("query", &query.name)], gauge(query));
        }
    }
    let mut family = page.family(Kind::Counter, "edgeway_query_busy_seconds_total", "How long it has worked");
    for query in &queries {
        family.sample(&[("query", &query.name)], query.busy_nanos as f64 / 1e9);
    }
    for (name, help, counter) in QUERY_COUNTERS {
        let mut family = page.family(Kind::Counter, name, help);
        for query in &queries {
            family.sample(&[("query", &query.name)], counter(query));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_can_be_installed_again() {
        let (one, two) = (Metrics::install(), Metrics::install());
        metrics::counter!("edgeway_commands_total", "state" => "applied").increment(1);
        for metrics in [one, two] {
            assert!(metrics.counted.render().contains("edgeway_commands_total{state=\"applied\"}"));
        }
    }

    #[test]
    fn durations_are_histograms() {
        let metrics = Metrics::install();
        metrics::histogram!("edgeway_test_seconds").record(0.0003);
        let page = metrics.counted.render();
        assert!(page.contains("edgeway_test_seconds_bucket{le=\"0.00025\"} 0"), "{page}");
        assert!(page.contains("edgeway_test_seconds_bucket{le=\"0.0005\"} 1"), "{page}");
    }
}
