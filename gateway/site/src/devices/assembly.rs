//! Puts devices on their links, point by point.

mod points;

use super::device::Device;
use super::link::Link;
use super::template::{POLL_DEFAULT, Template};
use super::{Devices, Sight};
use crate::report::{Mark, Report};
use crate::section::Found;
use crate::tree::Table;
use edgeway_sdk::{DeviceIx, Driver, Json, Problem, did_you_mean};
use edgeway_thing_models::Things;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Everything put together so far.
pub(super) struct Assembly<'d> {
    drivers: &'d [Arc<dyn Driver>],
    links: Vec<Link>,
    templates: &'d [Template],
    /// Places of the templates that some device names.
    used: BTreeSet<usize>,
    sight: Sight,
    /// Where each id was written first.
    ids: HashMap<Arc<str>, Mark>,
    /// Options of points, by their text.
    options: HashMap<String, Arc<Json>>,
    out: Devices,
}

/// One device that is being put on its link.
#[derive(Clone, Copy)]
struct Seat<'a> {
    device: DeviceIx,
    text: &'a Device,
    /// Its link and driver, if it has them.
    wire: Option<(usize, &'a dyn Driver)>,
    poll: Duration,
}

impl<'d> Assembly<'d> {
    pub(super) fn new(
        things: Things,
        drivers: &'d [Arc<dyn Driver>],
        links: Vec<Link>,
        templates: &'d [Template],
        sight: Sight,
    ) -> Self {
        let out = Devices {
            things,
            templates: vec![],
            links: vec![],
            points: vec![],
            services: HashMap::new(),
            events: vec![],
        };
        Assembly {
            drivers,
            links,
            templates,
            used: BTreeSet::new(),
            sight,
            ids: HashMap::new(),
            options: HashMap::new(),
            out,
        }
    }

    /// Adds a device as far as it is right.
    pub(super) fn add(&mut self, table: &Table, report: &mut Report) {
        let text = Device::read(table, self.drivers, report);
        self.note_id(&text, report);
        let template = self.template(&text, report);
        let link = self.link(&text, template, report);
        if let Some(template) = template {
            self.add_to(template, &text, link, report);
        }
    }

    fn add_to(&mut self, template: &Template, text: &Device, link: Option<usize>, report: &mut Report) {
        let Some((model_ix, model)) = &template.model else { return };
        let Some(id) = &text.id else { return };
        let device =
            edgeway_thing_models::Device { id: id.value.clone(), model: *model_ix, labels: text.labels.clone() };
        let Some(device) = self.out.things.add_device(device) else { return };
        self.out.templates.push(template.name.clone());
        let poll = text.poll.or(template.poll).unwrap_or(POLL_DEFAULT);
        let seat = Seat { device, text, wire: self.wire(link), poll };
        self.connect(seat, template, report);
        let present = self.points(seat, template, model, report);
        self.services(seat, &template.services, report);
        self.events(seat, &template.events, &present, model, report);
    }

    fn template(&mut self, text: &Device, report: &mut Report) -> Option<&'d Template> {
        let (found, templates) = (text.template.as_ref()?, self.templates);
        let Some(at) = templates.iter().position(|template| template.name == found.value) else {
            self.unknown("template", found, templates.iter().map(|template| &*template.name), report);
            return None;
        };
        self.used.insert(at);
        Some(&templates[at])
    }

    /// The link's place.
    fn link(&mut self, text: &Device, template: Option<&Template>, report: &mut Report) -> Option<usize> {
        let given = text.link.as_ref().or_else(|| template?.link.as_ref());
        let Some(found) = given else {
            if template.is_some() {
                let problem = Problem::new(text.mark.say("neither the device nor its template says which `link`"));
                report.add(&text.mark, problem);
            }
            return None;
        };
        let at = self.links.iter().position(|link| link.name == found.value);
        match at {
            Some(at) => self.links[at].users += 1,
            None => self.unknown("link", found, self.links.iter().map(|link| &*link.name), report),
        }
        at
    }

    fn unknown<'n>(
        &self,
        what: &str,
        found: &Found<Arc<str>>,
        known: impl Iterator<Item = &'n str>,
        report: &mut Report,
    ) {
        if self.sight == Sight::Complete {
            let problem = Problem::new(found.mark.say(format!("unknown {what} `{}`", found.value)));
            report.add(&found.mark, problem.maybe_help(did_you_mean(&found.value, known)));
        }
    }

    /// Finds ids that are there twice, also among devices that cannot be put together for another reason.
    fn note_id(&mut self, text: &Device, report: &mut Report) {
        let Some(id) = &text.id else { return };
        let Some(first) = self.ids.get(&id.value) else {
            self.ids.insert(id.value.clone(), id.mark.clone());
            return;
        };
        let problem = Problem::new(format!("a second device `{}`", id.value));
        let help = format!("the first is at {}", report.spot(first));
        report.add(&id.mark, problem.help(help));
    }

    fn wire(&self, link: Option<usize>) -> Option<(usize, &'d dyn Driver)> {
        let at = link?;
        Some((at, &*self.drivers[self.links[at].driver?]))
    }

    pub(super) fn finish(self, report: &mut Report) -> Devices {
        let idle = self.templates.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        for (_, template) in idle {
            let problem = Problem::new(format!("template {} is used by no device", template.name)).warning();
            report.add(&template.mark, problem);
        }
        if self.out.things.devices().len() > 0 {
            self.links.iter().filter(|link| link.users == 0).for_each(|link| link.warn_idle(report));
        }
        let links = self.links.into_iter().filter_map(Link::finish).collect();
        Devices { links, ..self.out }
    }
}
