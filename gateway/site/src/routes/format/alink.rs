//! `alink = { product_keys }`: what the platform calls the models.

use crate::report::Report;
use crate::section::{Section, refuse};
use crate::site::FormatSite;
use std::collections::BTreeMap;

/// Models are held against the site by the gateway, which knows all of them.
pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> FormatSite {
    FormatSite::Alink { product_keys: product_keys(section, report) }
}

fn product_keys(section: &mut Section<'_>, report: &mut Report) -> BTreeMap<String, String> {
    let Some(table) = section.table("alink", report) else { return BTreeMap::new() };
    let mut part = Section::of(table);
    let keys = part.table("product_keys", report);
    part.finish(&[], report);
    let mut found = BTreeMap::new();
    for entry in keys.map(|table| table.entries.as_slice()).unwrap_or_default() {
        match entry.node.item.text().filter(|key| is_product_key(key)) {
            Some(key) => drop(found.insert(entry.name.to_string(), key.to_string())),
            None => refuse(entry, "a product key, letters and digits", report),
        }
    }
    found
}

/// What the console calls a product.
pub(in crate::routes) fn is_product_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}
