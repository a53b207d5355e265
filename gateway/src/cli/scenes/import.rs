//! `edgeway scene import`: a scene of Alibaba Link Edge as a script.

use super::{Failure, load};
use crate::cli::exit;
use edgeway_rules::ImportSite;
use edgeway_site::{FormatSite, Site};
use std::collections::BTreeMap;
use std::path::Path;

/// The script goes to standard output, what there is to know about it to standard error.
pub(super) fn run(file: &Path, name: Option<&str>, folder: &Path) -> Result<u8, Failure> {
    let site = load(folder)?;
    let json = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let product_keys = product_keys(&site);
    let around = ImportSite { things: &site.things, zone: &site.time_zone, product_keys: &product_keys };
    match edgeway_rules::import(name.unwrap_or(&stem), &json, &around) {
        Ok(imported) => {
            print!("{}", imported.script);
            imported.notes.iter().for_each(|note| eprintln!("note: {note}"));
            Ok(exit::OK)
        }
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{}: {problem}", file.display()));
            Ok(exit::FINDINGS)
        }
    }
}

/// Which models have which product keys, as the routes to Alibaba say.
fn product_keys(site: &Site) -> BTreeMap<String, String> {
    let keys = site.routes.iter().filter_map(|route| match &route.format {
        FormatSite::Alink { product_keys, .. } => Some(product_keys.clone()),
        _ => None,
    });
    keys.flatten().collect()
}
