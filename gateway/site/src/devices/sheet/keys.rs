//! Which keys of a point are worth writing, and in which order: what says nothing new is left out.

use crate::devices::point::{HOST, STALE_AFTER_MIN};
use crate::devices::reporting::{Usual, When};
use crate::quantity;
use crate::tree::{Entry, Item, Table};
use edgeway_sdk::Json;
use edgeway_sdk::options::duration;
use edgeway_thing_models::Property;
use std::sync::Arc;
use std::time::Duration;

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) key: Arc<str>,
    pub(super) item: Item,
}

impl Setting {
    /// A duration as it is written.
    pub(super) fn duration(key: &str, duration: Duration) -> Self {
        Setting { key: key.into(), item: Item::Text(quantity::show(duration).into()) }
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.item.to_json() == other.item.to_json()
    }
}

/// What a point is written into.
pub(super) struct Around<'a> {
    pub(super) property: &'a Property,
    /// How often the point is read.
    pub(super) poll: Duration,
    /// What the template of the site says for points that say nothing.
    pub(super) usual: Option<&'a Usual>,
    pub(super) template_poll: Option<Duration>,
    /// The template's point, which this one is laid over.
    pub(super) below: Option<&'a Table>,
}

/// The duration that a key says, if it says one in plain words.
pub(super) fn duration(entry: Option<&Entry>) -> Option<Duration> {
    duration::parse(entry?.node.item.text()?)
}

impl Around<'_> {
    /// The keys to write. For a template that is yet to be made the poll comes apart: it will say the most frequent one.
    pub(super) fn settings(&self, table: &Table, schema: Option<&Json>) -> (Vec<Setting>, Option<Duration>) {
        let apart =
            self.template_poll.is_none() && table.get("poll").is_none_or(|entry| duration(Some(entry)).is_some());
        let is_apart = |entry: &Entry| apart && &*entry.name == "poll";
        let is_worth_it = |entry: &&Entry| !is_apart(entry) && !self.says_nothing_new(entry, table);
        let mut entries: Vec<&Entry> = table.entries.iter().filter(is_worth_it).collect();
        entries.sort_by_key(|entry| rank(&entry.name, schema));
        let setting = |entry: &Entry| Setting { key: entry.name.clone(), item: entry.node.item.clone() };
        (entries.into_iter().map(setting).collect(), apart.then_some(self.poll))
    }

    fn says_nothing_new(&self, entry: &Entry, table: &Table) -> bool {
        if let Some(below) = self.below.and_then(|below| below.get(&entry.name)) {
            return same(&below.node.item, &entry.node.item);
        }
        let item = &entry.node.item;
        let when = self.usual.and_then(|usual| usual.when);
        let is = |number: f64| item.number() == Some(number);
        let bands = |entry: &Entry| entry.node.item.number() != Some(0.0);
        let on_change = || match table.get("report").and_then(|entry| entry.node.item.text()) {
            Some(word) => &**word == "change",
            None => when == Some(When::Change),
        };
        match &*entry.name {
            "scale" => is(1.0),
            "offset" => is(0.0),
            // A check, which the template has made or not.
            "unit" => self.usual.is_some(),
            "write" => matches!(item, Item::Bool(write) if *write == self.property.access.writes()),
            "poll" => self.template_poll.is_some() && duration(Some(entry)) == self.template_poll,
            "stale_after" => duration(Some(entry)) == Some((self.poll * 3).max(STALE_AFTER_MIN)),
            "report" => match item.text().map(|word| &**word) {
                Some("always") => when.is_none_or(|when| when == When::Always),
                Some("change") => when == Some(When::Change) || table.get("deadband").is_some_and(bands),
                _ => false,
            },
            "deadband" => is(0.0) && on_change(),
            "report_every" => {
                let usual = self.usual.and_then(|usual| usual.every);
                usual.is_some() && duration(Some(entry)) == usual
            }
            _ => false,
        }
    }
}

/// Puts a key where it belongs.
pub(super) fn put(settings: &mut Vec<Setting>, setting: Setting) {
    let place = |key: &str| HOST.iter().position(|host| *host == key).map_or(0, |at| at + 1);
    let at = settings.iter().position(|other| place(&other.key) > place(&setting.key)).unwrap_or(settings.len());
    settings.insert(at, setting);
}

/// Whether two values mean the same.
fn same(a: &Item, b: &Item) -> bool {
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return a == b;
    }
    let spans = |item: &Item| item.text().and_then(|text| duration::parse(text));
    spans(a).zip(spans(b)).is_some_and(|(a, b)| a == b) || a.to_json() == b.to_json()
}

/// What a driver must know, then what else it takes, then the gateway's keys.
fn rank(key: &str, schema: Option<&Json>) -> (usize, usize, String) {
    if let Some(at) = HOST.iter().position(|host| *host == key) {
        return (2, at, String::new());
    }
    let required = schema.and_then(|schema| schema["required"].as_array()).into_iter().flatten();
    let at = required.filter_map(Json::as_str).position(|name| name == key);
    (usize::from(at.is_none()), at.unwrap_or_default(), key.to_owned())
}
