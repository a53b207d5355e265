//! Rows to devices: what is said of each, from all of its rows.

use super::cells::{Cell, Grid, Row};
use super::columns::{Column, OF_DEVICE};
use crate::report::{Mark, Report};
use edgeway_sdk::Problem;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A device with its rows.
pub(super) struct Listed {
    pub(super) id: Cell,
    /// What its rows agree about, by column.
    pub(super) own: BTreeMap<usize, Cell>,
    pub(super) points: Vec<ListedPoint>,
    pub(super) mark: Mark,
}

/// A row with a property.
pub(super) struct ListedPoint {
    pub(super) property: Cell,
    /// By column.
    pub(super) cells: Vec<(usize, Cell)>,
}

impl Listed {
    /// What stands in one of the columns of a device, `link`.
    pub(super) fn cell(&self, columns: &[Column], name: &'static str) -> Option<&Cell> {
        let at = columns.iter().position(|column| *column == Column::OfDevice(name))?;
        self.own.get(&at)
    }

    /// Where a point of it is, in words.
    pub(super) fn point_mark(&self, point: &ListedPoint) -> Mark {
        let within = format!("device {}, point {}", self.id.text, point.property.text);
        Mark { within: within.into(), ..point.property.mark.clone() }
    }
}

/// In the order of the first row of each.
pub(super) fn gather(grid: &Grid, columns: &[Column], report: &mut Report) -> Vec<Listed> {
    let mut gathering = Gathering { columns, places: HashMap::new(), properties: HashMap::new(), devices: vec![] };
    let is_there = |column: &Column| columns.contains(column);
    for (column, name) in [(Column::OfDevice(OF_DEVICE[0]), OF_DEVICE[0]), (Column::Property, "property")] {
        if !grid.header.is_empty() && !is_there(&column) {
            let mark = Mark { length: 0, within: "".into(), ..grid.header[0].mark.clone() };
            report.add(&mark, Problem::new(format!("there is no column `{name}`")));
            return vec![];
        }
    }
    grid.rows.iter().for_each(|row| gathering.add(row, report));
    gathering.devices
}

struct Gathering<'c> {
    columns: &'c [Column],
    places: HashMap<Arc<str>, usize>,
    /// Where each property of each device was listed first.
    properties: HashMap<(usize, Arc<str>), Mark>,
    devices: Vec<Listed>,
}

impl Gathering<'_> {
    fn add(&mut self, row: &Row, report: &mut Report) {
        let of = |wanted: &Column| {
            row.cells.iter().find(|(at, _)| self.columns[*at] == *wanted).map(|(_, cell)| cell.clone())
        };
        let Some(id) = of(&Column::OfDevice(OF_DEVICE[0])) else {
            report.add(&row.mark, Problem::new("this row names no device"));
            return;
        };
        let property = of(&Column::Property);
        let place = self.place(&id, &row.mark);
        let mut cells = vec![];
        for (at, cell) in &row.cells {
            match &self.columns[*at] {
                column if column.is_of_device() => self.agree(place, *at, cell, report),
                Column::Host(_) | Column::PointOption(_) => cells.push((*at, cell.clone())),
                _ => {}
            }
        }
        match property {
            Some(property) => self.point(place, property, cells, report),
            None => {
                for (_, cell) in cells {
                    let problem =
                        Problem::new(cell.mark.say("this says something of a point, and there is no property"));
                    report.add(&cell.mark, problem.help("name its property in the column `property`"));
                }
            }
        }
    }

    fn place(&mut self, id: &Cell, row: &Mark) -> usize {
        *self.places.entry(id.text.clone()).or_insert_with(|| {
            let mark = Mark { within: format!("device {}", id.text).into(), ..row.clone() };
            self.devices.push(Listed { id: id.clone(), own: BTreeMap::new(), points: vec![], mark });
            self.devices.len() - 1
        })
    }

    fn agree(&mut self, place: usize, at: usize, cell: &Cell, report: &mut Report) {
        let Listed { own, id, .. } = &mut self.devices[place];
        match own.get(&at) {
            None => drop(own.insert(at, cell.clone())),
            Some(first) if first.text == cell.text => {}
            Some(first) => {
                let message = format!("this is `{}`, but `{}` in another row of {}", cell.text, first.text, id.text);
                let help = format!("the other row is at {}", report.spot(&first.mark));
                report.add(&cell.mark, Problem::new(cell.mark.say(message)).help(help));
            }
        }
    }

    fn point(&mut self, place: usize, property: Cell, cells: Vec<(usize, Cell)>, report: &mut Report) {
        let device = &mut self.devices[place];
        let Some(first) = self.properties.get(&(place, property.text.clone())) else {
            self.properties.insert((place, property.text.clone()), property.mark.clone());
            return device.points.push(ListedPoint { property, cells });
        };
        let problem = Problem::new(format!("a second row for `{}` of {}", property.text, device.id.text));
        let help = format!("the first is at {}", report.spot(first));
        report.add(&property.mark, problem.help(help));
    }
}
