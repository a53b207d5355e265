//! `edgeway.toml`: the gateway itself.

mod drivers;
mod journal;

use crate::folder::Folder;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::{Found, Section};
use crate::site::{DriverListen, DriverSite, JournalOptions, SceneOptions};
use crate::tree::{Table, toml};
use crate::variable::Variables;
use edgeway_sdk::Problem;
use jiff::tz::TimeZone;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const FILE: &str = "edgeway.toml";
/// The layout of a site that this package reads.
const VERSION: i64 = 1;
const API: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const BROKER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1883);
/// How often each route says its ledger.
const LEDGER: Duration = Duration::from_secs(60);

/// How much memory the state of all queries may take.
const QUERIES_MEMORY: u64 = 256 << 20;

/// What `edgeway.toml` says.
pub(crate) struct Settings {
    pub(crate) name: Arc<str>,
    pub(crate) time_zone: TimeZone,
    pub(crate) position: Option<(f64, f64)>,
    pub(crate) data: PathBuf,
    pub(crate) api: SocketAddr,
    pub(crate) broker: Option<SocketAddr>,
    pub(crate) journal: JournalOptions,
    pub(crate) ledger_every: Duration,
    pub(crate) queries_memory: u64,
    pub(crate) scenes: SceneOptions,
    pub(crate) drivers: Vec<DriverSite>,
    pub(crate) drivers_listen: Option<DriverListen>,
}

pub(crate) fn read(folder: &Folder, variables: Variables<'_>, report: &mut Report) -> Settings {
    let found = folder.read(FILE, report);
    let table = match found {
        Some((file, text)) => toml::read(file, &text, variables, report),
        None => missing(folder, report),
    };
    let mut section = Section::of(&table);
    check_version(&mut section, report);
    let (drivers, drivers_listen) = drivers::read(&mut section, folder, report);
    let settings = Settings {
        name: name(&mut section, report),
        time_zone: time_zone(&mut section, report),
        position: position(&mut section, report),
        data: folder.path(&data(&mut section, report)),
        api: api(&mut section, report),
        broker: broker(&mut section, report),
        journal: journal::read(&mut section, report),
        ledger_every: ledger(&mut section, report),
        queries_memory: queries(&mut section, report),
        scenes: scenes(&mut section, report),
        drivers,
        drivers_listen,
    };
    section.finish(&[], report);
    if settings.broker == Some(settings.api) {
        report.add(&table.mark, Problem::new(format!("the API and the broker both listen on {}", settings.api)));
    }
    settings
}

/// Told once: a file that is there but cannot be read has been reported already.
fn missing(folder: &Folder, report: &mut Report) -> Table {
    let mark = Mark::file(report.file(FILE));
    if folder.path(FILE).symlink_metadata().is_err() {
        report.add(&mark, Problem::new("this file is missing").help("write one with at least `name = \"my-site\"`"));
    }
    report.give_up(mark.file);
    Table::empty(mark)
}

fn check_version(section: &mut Section<'_>, report: &mut Report) {
    let Some(found) = section.int("version", 1..=999, report) else { return };
    if found.value != VERSION {
        let problem =
            Problem::new(format!("this site has layout version {}, which this gateway does not know", found.value));
        report.add(&found.mark, problem.help(format!("this gateway reads version {VERSION}")));
    }
}

fn name(section: &mut Section<'_>, report: &mut Report) -> Arc<str> {
    let Some(found) = section.required("name", report) else { return "site".into() };
    if !quantity::is_site_name(&found.value) {
        let problem = Problem::new(format!("`{}` cannot be a site's name", found.value));
        report.add(&found.mark, problem.help("lower-case letters, digits and `-`, at most 64"));
    }
    found.value
}

fn time_zone(section: &mut Section<'_>, report: &mut Report) -> TimeZone {
    let Some(found) = section.text("time_zone", report) else { return TimeZone::UTC };
    TimeZone::get(&found.value).unwrap_or_else(|_| {
        let problem = Problem::new(format!("unknown time zone `{}`", found.value));
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let near = edgeway_sdk::did_you_mean(&found.value, names.iter().map(String::as_str));
        report.add(
            &found.mark,
            problem.maybe_help(near).maybe_help(Some("a name such as `Europe/Berlin` or `UTC`".into())),
        );
        TimeZone::UTC
    })
}

/// Where the sun rises and sets.
fn position(section: &mut Section<'_>, report: &mut Report) -> Option<(f64, f64)> {
    let mark = section.mark().clone();
    let latitude = section.number_within("latitude", -90.0..=90.0, report);
    let longitude = section.number_within("longitude", -180.0..=180.0, report);
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Some((latitude.value, longitude.value)),
        (None, None) => None,
        // One that is there and no number has been told of already.
        _ if ["latitude", "longitude"].iter().all(|key| section.entry(key).is_some()) => None,
        (one, other) => {
            let mark = one.or(other).map_or(mark, |found| found.mark);
            let problem = Problem::new("a position is a latitude and a longitude, and one of them is missing");
            report
                .add(&mark, problem.help("in degrees, north and east positive: `latitude = 52.5`, `longitude = 13.4`"));
            None
        }
    }
}

fn data(section: &mut Section<'_>, report: &mut Report) -> String {
    section.text("data", report).map_or_else(|| "data".into(), |found| found.value.to_string())
}

fn api(section: &mut Section<'_>, report: &mut Report) -> SocketAddr {
    let Some(found) = listen(section, "api", report) else { return API };
    if !found.value.ip().is_loopback() {
        let problem = Problem::new(format!("the API listens on {}, which other machines can reach", found.value));
        report.add(&found.mark, problem.help("its token travels in clear there; put TLS before it").warning());
    }
    found.value
}

fn broker(section: &mut Section<'_>, report: &mut Report) -> Option<SocketAddr> {
    let wanted = section.entry("broker").is_some();
    let found = listen(section, "broker", report);
    wanted.then(|| found.map_or(BROKER, |found| found.value))
}

fn listen(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<Found<SocketAddr>> {
    let mut part = Section::of(section.table(key, report)?);
    let text = part.text("listen", report);
    part.finish(&[], report);
    let text = text?;
    let value = listen_at(&text, report)?;
    Some(Found { value, mark: text.mark })
}

fn listen_at(text: &Found<Arc<str>>, report: &mut Report) -> Option<SocketAddr> {
    match text.value.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let problem = Problem::new(text.mark.say(format!("`{}` is not an address with a port", text.value)));
            report.add(&text.mark, problem.help("such as \"127.0.0.1:8080\" or \"[::1]:8080\""));
            None
        }
    }
}

fn ledger(section: &mut Section<'_>, report: &mut Report) -> Duration {
    let Some(table) = section.table("ledger", report) else { return LEDGER };
    let mut part = Section::of(table);
    let every = part.duration("every", Duration::from_secs(1)..=Duration::from_secs(24 * 3600), report);
    part.finish(&[], report);
    every.map_or(LEDGER, |found| found.value)
}

fn queries(section: &mut Section<'_>, report: &mut Report) -> u64 {
    let Some(table) = section.table("queries", report) else { return QUERIES_MEMORY };
    let mut part = Section::of(table);
    let memory = part.bytes("memory", 1 << 20..=u64::MAX, report);
    part.finish(&[], report);
    memory.map_or(QUERIES_MEMORY, |found| found.value)
}

fn scenes(section: &mut Section<'_>, report: &mut Report) -> SceneOptions {
    let mut options = SceneOptions::default();
    let Some(table) = section.table("scenes", report) else { return options };
    let mut part = Section::of(table);
    let decisions = part.int("decisions", 0..=1_000, report);
    let journal = part.bool("journal", report);
    part.finish(&[], report);
    if let Some(found) = decisions {
        options.decisions = usize::try_from(found.value).unwrap_or(options.decisions);
    }
    if let Some(journal) = journal {
        options.journal = journal.value;
        if options.journal && options.decisions == 0 {
            let problem = Problem::new("decisions that are not kept cannot go into the journal");
            report.add(&journal.mark, problem.help("leave out `decisions = 0`"));
        }
    }
    options
}
