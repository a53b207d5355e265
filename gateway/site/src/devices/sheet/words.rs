//! A file of the site as text, the same for the same sheet whatever the order of its rows and columns.

use super::Imported;
use super::groups::{Groups, NewTemplate};
use super::keys::Setting;
use super::reading::{Device, Point};
use crate::quantity;
use crate::tree::{Item, Table};
use std::path::Path;
use std::sync::Arc;
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

pub(super) fn file(sheet: &Path, groups: &Groups) -> Imported {
    let mut text = format!(
        "# Made of {} by `edgeway device import`. Change the sheet and import it again with --force, or go on in this file.\n",
        sheet.file_name().unwrap_or(sheet.as_os_str()).display()
    );
    groups.templates.iter().for_each(|one| text += &template(one));
    for (one, template) in groups.devices.iter().zip(&groups.template_of) {
        text += &device(one, template);
    }
    Imported {
        text,
        templates: groups.templates.len(),
        devices: groups.devices.len(),
        points: groups.devices.iter().map(|device| device.points_in_all).sum(),
    }
}

fn template(template: &NewTemplate) -> String {
    let name = key(&template.name);
    let mut text = format!("\n[template.{name}]\nmodel = {}\n", quoted(&template.model));
    if let Some(link) = &template.link {
        text += &format!("link = {}\n", quoted(link));
    }
    text += &format!("poll = {}\n", quoted(&quantity::show(template.poll)));
    if !template.points.is_empty() {
        text += &format!("\n[template.{name}.points]\n{}", points(&template.points));
    }
    text
}

fn device(device: &Device, template: &str) -> String {
    let mut text = format!("\n[[device]]\nid = {}\ntemplate = {}\n", quoted(&device.id), quoted(template));
    if let Some(link) = &device.link {
        text += &format!("link = {}\n", quoted(link));
    }
    for (driver, options) in &device.options {
        text += &format!("{} = {}\n", key(driver), table(options));
    }
    if !device.labels.is_empty() {
        text += &format!("labels = {}\n", braces(device.labels.iter().map(|(name, text)| (name, quoted(text)))));
    }
    if !device.points.is_empty() {
        text += &format!("\n[device.points]\n{}", points(&device.points));
    }
    text
}

fn points(points: &[Point]) -> String {
    let line = |point: &Point| {
        let said = point.settings.as_ref().map_or_else(|| "false".to_owned(), |settings| inline(settings));
        format!("{} = {said}\n", key(&point.property))
    };
    points.iter().map(line).collect()
}

/// Settings in braces.
pub(super) fn inline(settings: &[Setting]) -> String {
    braces(settings.iter().map(|setting| (&setting.key, value(&setting.item))))
}

fn table(table: &Table) -> String {
    let mut entries: Vec<_> = table.entries.iter().map(|entry| (&entry.name, value(&entry.node.item))).collect();
    entries.sort();
    braces(entries.into_iter())
}

fn braces<'a>(entries: impl Iterator<Item = (&'a Arc<str>, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| format!("{} = {value}", key(name))).collect();
    if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn value(item: &Item) -> String {
    match item {
        Item::Text(text) => quoted(text),
        Item::Int(int) => int.to_string(),
        Item::Float(float) => ::toml::Value::Float(*float).to_string(),
        Item::Bool(bool) => bool.to_string(),
        Item::List(nodes) => {
            let values: Vec<String> = nodes.iter().map(|node| value(&node.item)).collect();
            format!("[{}]", values.join(", "))
        }
        Item::Table(below) => table(below),
        Item::Time | Item::Reported => unreachable!("no cell holds a time, and a sheet with mistakes is not written"),
    }
}

fn key(name: &str) -> String {
    TomlKeyBuilder::new(name).as_default().to_toml_key()
}

/// On one line, whatever is in it.
fn quoted(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}
