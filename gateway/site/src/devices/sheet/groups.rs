//! Devices whose points are the same get one template.

use super::keys::{self, Setting};
use super::natural;
use super::reading::{Device, Point, TemplateOf};
use super::words;
use crate::devices::template::POLL_DEFAULT;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The longest name that still has room for a number behind it.
const NAME_BYTES_MAX: usize = 56;

/// What the file will say, in order.
pub(super) struct Groups {
    pub(super) templates: Vec<NewTemplate>,
    pub(super) devices: Vec<Device>,
    /// The template of each device, by name.
    pub(super) template_of: Vec<Arc<str>>,
}

/// A template that the file defines.
pub(super) struct NewTemplate {
    pub(super) name: Arc<str>,
    pub(super) model: Arc<str>,
    /// If all of its devices are on it.
    pub(super) link: Option<Arc<str>>,
    pub(super) poll: Duration,
    pub(super) points: Vec<Point>,
}

/// Groups devices. `taken` are names that the site's other templates have.
pub(super) fn group(mut devices: Vec<Device>, taken: HashSet<Arc<str>>) -> Groups {
    let mut names = Names { taken, last: HashMap::new() };
    devices.sort_by(|a, b| natural::compare(&a.id, &b.id));
    let mut templates: Vec<NewTemplate> = vec![];
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut places = Vec::with_capacity(devices.len());
    for device in &mut devices {
        let TemplateOf::New { name, model } = &device.template else {
            places.push(None);
            continue;
        };
        let points = std::mem::take(&mut device.points);
        let at = *known.entry(fingerprint(name, model, &points)).or_insert_with(|| {
            let poll = most_frequent(&points);
            let name = names.free(name);
            templates.push(NewTemplate { name, model: model.clone(), link: device.link.clone(), poll, points });
            templates.len() - 1
        });
        if templates[at].link != device.link {
            templates[at].link = None;
        }
        places.push(Some(at));
    }
    let mut template_of = Vec::with_capacity(devices.len());
    for (device, place) in devices.iter_mut().zip(places) {
        template_of.push(match (&device.template, place) {
            (_, Some(at)) => {
                if templates[at].link.is_some() {
                    device.link = None;
                }
                templates[at].name.clone()
            }
            (TemplateOf::Site(name) | TemplateOf::New { name, .. }, None) => name.clone(),
        });
    }
    templates.iter_mut().for_each(NewTemplate::place_polls);
    templates.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Groups { templates, devices, template_of }
}

/// The same for devices that can share a template.
fn fingerprint(name: &str, model: &str, points: &[Point]) -> String {
    let mut text = format!("{name}\n{model}\n");
    for Point { property, settings, poll } in points {
        let poll = poll.map(|poll| poll.as_millis()).unwrap_or_default();
        text += &format!("{property} {poll} {}\n", words::inline(settings.as_deref().unwrap_or_default()));
    }
    text
}

/// How often most points are read; the shortest of several.
fn most_frequent(points: &[Point]) -> Duration {
    let mut counts: BTreeMap<Duration, usize> = BTreeMap::new();
    points.iter().filter_map(|point| point.poll).for_each(|poll| *counts.entry(poll).or_default() += 1);
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(POLL_DEFAULT, |(poll, _)| poll)
}

/// Names that are given away.
struct Names {
    taken: HashSet<Arc<str>>,
    /// The number that each name has got last; thousands of templates may want the same.
    last: HashMap<Arc<str>, usize>,
}

impl Names {
    /// The name, or with the first number behind it that is free.
    fn free(&mut self, name: &Arc<str>) -> Arc<str> {
        let short = &name[..name.len().min(NAME_BYTES_MAX)];
        let last = self.last.entry(name.clone()).or_insert(1);
        let mut found = name.clone();
        while !self.taken.insert(found.clone()) {
            *last += 1;
            found = format!("{short}-{last}").into();
        }
        found
    }
}

impl NewTemplate {
    /// Points that are read as often as most say nothing of it.
    fn place_polls(&mut self) {
        for point in &mut self.points {
            if let (Some(settings), Some(poll)) = (&mut point.settings, point.poll.filter(|poll| *poll != self.poll)) {
                keys::put(settings, Setting::duration("poll", poll));
            }
        }
    }
}
