//! The points of one device: those of its properties, those of its services, and the events made of them.

use super::{Assembly, Seat};
use crate::devices::device::Device;
use crate::devices::event::Event;
use crate::devices::point::Point;
use crate::devices::reporting::Usual;
use crate::devices::service::Service;
use crate::devices::template::{Template, known_points};
use crate::devices::{names, options};
use crate::report::{Mark, Report};
use crate::section::refuse;
use crate::site::{EventSite, PointSite, Reporting, ServiceWrite};
use crate::tree::{Entry, Item, Table};
use edgeway_sdk::{Access, DeviceSpec, Json, PointIx, PointSpec, Problem};
use edgeway_thing_models::{Model, Property, PropertyIx};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Assembly<'_> {
    /// Puts the device on its link.
    pub(super) fn connect(&mut self, seat: Seat<'_>, template: &Template, report: &mut Report) {
        let Some((link, driver)) = seat.wire else { return };
        let name = driver.manifest().name.as_str();
        let given = template.drivers.entries.iter().chain(&seat.text.drivers.entries);
        for entry in given.filter(|entry| &*entry.name != name) {
            let link = &self.links[link].name;
            let message = format!("link {link} has driver `{name}`, so `{}` has no meaning", entry.name);
            report.add(&entry.mark, Problem::new(entry.mark.say(message)));
        }
        let table = device_options(name, template, seat.text);
        let options = table.to_json();
        options::tell(driver.check_device(&options), &table, &[], report);
        if let Some((_, model)) = &template.model {
            options::tell(names::check(&options, &driver.manifest().options.device, model), &table, &[], report);
        }
        self.links[link].devices.push(DeviceSpec { ix: seat.device, options });
    }

    /// Adds the points of properties and returns which properties the device has.
    pub(super) fn points(
        &mut self,
        seat: Seat<'_>,
        template: &Template,
        model: &Model,
        report: &mut Report,
    ) -> BTreeSet<PropertyIx> {
        let own = known_points(&seat.text.points, model, report);
        let usual = template.reporting.overlaid(&seat.text.reporting);
        let mut present = BTreeSet::new();
        for (name, table) in merged(&template.points, &own, report) {
            let Some((ix, property)) = model.property(&name) else { continue };
            self.point(seat, &usual, (ix, property), &table, report);
            present.insert(ix);
        }
        for (at, property) in model.properties.iter().enumerate().filter(|(_, property)| property.required) {
            if !present.contains(&PropertyIx(at as u16)) {
                let mark =
                    own.get(&property.identifier).map_or(template.points_mark(&seat.text.mark), |entry| &entry.mark);
                let message = format!("model `{}` requires a point for `{}`", model.name, property.identifier);
                report.add(mark, Problem::new(mark.say(message)));
            }
        }
        present
    }

    fn point(
        &mut self,
        seat: Seat<'_>,
        usual: &Usual,
        (property_ix, property): (PropertyIx, &Property),
        table: &Table,
        report: &mut Report,
    ) {
        let point = Point::read(table, property, (seat.poll, usual), report);
        if let Some((_, driver)) = seat.wire {
            point.check(driver, report);
        }
        let Point { scale, offset, access, period, stale_after, stale_after_said, reporting, options } = point;
        let (device, property) = (seat.device, Some(property_ix));
        let site =
            PointSite { device, property, scale, offset, access, period, stale_after, stale_after_said, reporting };
        self.place(seat, site, &options);
    }

    pub(super) fn services(&mut self, seat: Seat<'_>, services: &[Service], report: &mut Report) {
        // Services that write to the same place share a point.
        let mut places: Vec<(String, f64, f64, PointIx)> = vec![];
        for service in services {
            let mut writes = Vec::with_capacity(service.writes.len());
            for write in &service.writes {
                let key = write.options.to_json().to_string();
                let known = places
                    .iter()
                    .find(|(at, scale, offset, _)| (at, *scale, *offset) == (&key, write.scale, write.offset));
                let point = known.map(|(.., point)| *point).unwrap_or_else(|| {
                    let point = self.written(seat, (write.scale, write.offset), &write.options, report);
                    places.push((key, write.scale, write.offset, point));
                    point
                });
                writes.push(ServiceWrite { point, from: write.from.clone() });
            }
            self.out.services.insert((seat.device, service.ix), writes);
        }
    }

    /// A point that is only written.
    fn written(
        &mut self,
        seat: Seat<'_>,
        (scale, offset): (f64, f64),
        options: &Table,
        report: &mut Report,
    ) -> PointIx {
        if let Some((_, driver)) = seat.wire {
            let host = ["value", "input", "map", "scale", "offset"];
            options::tell(driver.check_point(&options.to_json(), Access::Write), options, &host, report);
        }
        let site = PointSite {
            device: seat.device,
            property: None,
            scale,
            offset,
            access: Access::Write,
            period: seat.poll,
            stale_after: seat.poll * 3,
            stale_after_said: false,
            reporting: Reporting::Always,
        };
        self.place(seat, site, options)
    }

    /// One copy of options that many points have: four hundred rooms are one room type.
    fn shared(&mut self, options: Json) -> Arc<Json> {
        self.options.entry(options.to_string()).or_insert_with(|| Arc::new(options)).clone()
    }

    fn place(&mut self, seat: Seat<'_>, site: PointSite, options: &Table) -> PointIx {
        let ix = PointIx(u32::try_from(self.out.points.len()).expect("a site has fewer than 2^32 points"));
        if let Some((link, _)) = seat.wire {
            let options = self.shared(options.to_json());
            let spec = PointSpec { ix, device: seat.device, options, access: site.access, period: site.period };
            self.links[link].points.push(spec);
        }
        self.out.points.push(site);
        ix
    }

    /// A device that is without a property on purpose is without the events made of it.
    pub(super) fn events(
        &mut self,
        seat: Seat<'_>,
        events: &[Event],
        present: &BTreeSet<PropertyIx>,
        model: &Model,
        report: &mut Report,
    ) {
        for event in events {
            let lacking: Vec<&Property> = event
                .properties()
                .filter(|property| !present.contains(property))
                .map(|property| &model.properties[usize::from(property.0)])
                .collect();
            if lacking.is_empty() {
                let output = event.output.clone();
                self.out.events.push(EventSite { device: seat.device, event: event.ix, on: event.on, output });
            }
            for property in lacking.iter().filter(|property| seat.text.points.get(&property.identifier).is_none()) {
                let message = format!("`{}` has no point, so this event cannot happen", property.identifier);
                report.add(&event.mark, Problem::new(event.mark.say(message)));
            }
        }
    }
}

/// A device's options for its driver: the template's, with its own instead or in addition.
fn device_options(driver: &str, template: &Template, text: &Device) -> Table {
    let of = |drivers: &Table| drivers.get(driver).and_then(|entry| entry.node.item.table().cloned());
    let absent =
        || Table::empty(Mark { within: format!("{}, {driver}", text.mark.within).into(), ..text.mark.clone() });
    let own = of(&text.drivers).unwrap_or_else(absent);
    of(&template.drivers).map_or_else(|| own.clone(), |below| below.overlaid(&own))
}

/// The template's points with what the device has differently, then the device's own.
fn merged(template: &Table, own: &Table, report: &mut Report) -> Vec<(Arc<str>, Table)> {
    for entry in own.entries.iter().filter(|entry| !matches!(entry.node.item, Item::Table(_) | Item::Bool(false))) {
        refuse(entry, "a table, or `false` for a property that the device does not have", report);
    }
    let with_own = |(entry, table): (&Entry, &Table)| match own.get(&entry.name).map(|own| &own.node.item) {
        None => Some((entry.name.clone(), table.clone())),
        Some(Item::Table(above)) => Some((entry.name.clone(), table.overlaid(above))),
        Some(_) => None,
    };
    let further = own.tables().filter(|(entry, _)| template.get(&entry.name).is_none());
    let further = further.map(|(entry, table)| (entry.name.clone(), table.clone()));
    template.tables().filter_map(with_own).chain(further).collect()
}
