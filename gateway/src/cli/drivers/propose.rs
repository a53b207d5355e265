//! `edgeway driver browse --propose`: a device with a model of its own, made of what was found, for a person to edit and keep.

use crate::cli::locator::Locator;
use crate::program::{self, Drivers};
use edgeway_sdk::{Discovered, Json, Offer};
use edgeway_site::{LinkSite, Site};
use edgeway_thing_models::Proposal;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

/// Writes a model and a device of this id into a site. Gives the files, and how many points no model can hold.
///
/// # Errors
/// Why not; nothing is overwritten.
pub(super) fn write(
    root: &Path,
    id: &str,
    locator: &Locator,
    found: &[Discovered],
) -> Result<(Vec<PathBuf>, usize), String> {
    if !edgeway_site::is_name(id) {
        return Err(format!("`{id}` cannot be the id of a device: letters, digits, `-`, `_` and `.`, at most 64"));
    }
    let drivers = Drivers::of(root).0;
    let site = program::read(root).map_err(|findings| {
        format!("the site in {} cannot be read; mend it first:\n{}", root.display(), program::listed(&findings))
    })?;
    let offered: Vec<(&Discovered, &Offer)> =
        found.iter().filter_map(|found| Some((found, found.offer.as_ref()?))).collect();
    let offers: Vec<&Offer> = offered.iter().map(|(_, offer)| *offer).collect();
    let proposal = Proposal::new(id, &offers);
    let points: Vec<(&str, &Json)> = proposal
        .identifiers
        .iter()
        .zip(&offered)
        .filter_map(|(identifier, (found, _))| Some((identifier.as_deref()?, &found.options)))
        .collect();
    if points.is_empty() {
        return Err("nothing was found that a property could be made of".into());
    }
    let files = [
        (root.join("models").join(format!("{id}.json")), proposal.text),
        (
            root.join("devices").join(format!("{id}.toml")),
            device(&Surroundings { site: &site, drivers: &drivers }, id, locator, &points),
        ),
    ];
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(format!("{} is there already", path.display()));
    }
    if site.things.device_ix(id).is_some() {
        return Err(format!("the site has a device `{id}` already; give another id"));
    }
    for (path, text) in &files {
        create(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok((files.into_iter().map(|(path, _)| path).collect(), found.len() - points.len()))
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// What the device comes into.
struct Surroundings<'s> {
    site: &'s Site,
    drivers: &'s Drivers,
}

impl Surroundings<'_> {
    /// The link of the site that is this wire.
    fn link(&self, locator: &Locator) -> Option<String> {
        let key = locator.driver.check_link(&locator.link).ok()?;
        let name = &locator.driver.manifest().name;
        let same = |link: &&LinkSite| link.key == key && self.drivers.all[link.driver].manifest().name == *name;
        self.site.links.iter().find(same).map(|link| link.name.to_string())
    }

    /// A name for a new link.
    fn free_name(&self, driver: &str) -> String {
        let taken = |name: &str| self.site.links.iter().any(|link| *link.name == *name);
        let numbered = (2..).map(|number| format!("{driver}-{number}"));
        let mut names = std::iter::once(driver.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).expect("there is always another number")
    }
}

/// The file of the device: its link unless the site has it, a template with the points, and the device.
fn device(around: &Surroundings<'_>, id: &str, locator: &Locator, points: &[(&str, &Json)]) -> String {
    let driver = &locator.driver.manifest().name;
    let known = around.link(locator);
    let link = known.clone().unwrap_or_else(|| around.free_name(driver));
    let mut text = String::from(
        "# Proposed by `edgeway driver browse`. Edit it, leave out what nobody needs, then `edgeway check`.\n",
    );
    if known.is_none() {
        let _ = write!(text, "\n[link.{}]\ndriver = {}\n", name(&link), inline(&Json::from(driver.as_str())));
        text.push_str(&lines(&locator.link));
    }
    let _ = write!(text, "\n[template.{0}]\nmodel = {1}\nlink = {2}\n", name(id), string(id), string(&link));
    let _ = write!(text, "\n[template.{}.points]\n", name(id));
    for (identifier, options) in points {
        let _ = writeln!(text, "{identifier} = {}", inline(options));
    }
    let _ = write!(text, "\n[[device]]\nid = {0}\ntemplate = {0}\n", string(id));
    if locator.device.as_object().is_some_and(|options| !options.is_empty()) {
        let _ = writeln!(text, "{} = {}", name(driver), inline(&locator.device));
    }
    text
}

fn lines(options: &Json) -> String {
    let pairs = options.as_object().into_iter().flatten();
    pairs.map(|(key, value)| format!("{} = {}\n", name(key), inline(value))).collect()
}

/// JSON as TOML on one line.
fn inline(json: &Json) -> String {
    match json {
        Json::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) if fields.is_empty() => "{}".into(),
        Json::Object(fields) => {
            // TOML has no null: an option that is null is one left out.
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<String> = fields.map(|(key, value)| format!("{} = {}", name(key), inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Json::String(text) => string(text),
        other => other.to_string(),
    }
}

/// The site replaces `${VAR}`: there a dollar sign is written twice.
fn string(text: &str) -> String {
    let escaped = text.contains("${") || text.contains("$$");
    let text = if escaped { text.replace('$', "$$") } else { text.to_owned() };
    TomlStringBuilder::new(&text).as_default().to_toml_value()
}

fn name(text: &str) -> String {
    TomlKeyBuilder::new(text).as_default().to_toml_key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::locator::What;
    use edgeway_sdk::Holds;
    use serde_json::json;

    /// What a device says that has everything.
    fn found() -> Vec<Discovered> {
        let float = Holds::Float { min: None, max: None };
        let words = vec![(0, "off".to_owned()), (1, "on".to_owned())];
        vec![
            Discovered::new(json!({ "at": "sine", "base": 3.0 })).offering(Offer::new("Wind speed", float).unit("m/s")),
            Discovered::new(json!({ "at": "register" })).offering(Offer::new("state", Holds::Enum { words })),
            Discovered::new(json!({ "at": "constant", "value": "${x} \"$" })).offering(Offer::new("text", Holds::Text)),
            Discovered::new(json!({ "at": "sine" })),
        ]
    }

    #[test]
    fn what_is_proposed_is_a_site_that_runs_and_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("site");
        edgeway_site::init(&root, "proposed").expect("a new site");
        let locator = Locator::parse("simulator:;seed=9", What::Device, &Drivers::of(&root).0).expect("a place");
        let (files, left_out) = write(&root, "found-1", &locator, &found()).expect("written");
        assert_eq!((files.len(), left_out), (2, 1));
        let site = program::read(&root).unwrap_or_else(|findings| panic!("{}", program::listed(&findings)));
        let device = site.things.device_ix("found-1").expect("proposed");
        let points: Vec<_> = site.links.iter().flat_map(|link| &link.points).filter(|p| p.device == device).collect();
        assert!(points.iter().any(|point| point.options["value"] == "${x} \"$"), "{points:?}");
        assert!(site.things.model_of(device).property("wind_speed").is_some());
        let again = write(&root, "found-1", &locator, &found()).expect_err("it is there");
        assert!(again.ends_with("is there already"), "{again}");
        write(&root, "found-2", &locator, &found()).expect("beside the other");
        let site = program::read(&root).unwrap_or_else(|findings| panic!("{}", program::listed(&findings)));
        assert_eq!(
            site.links.iter().filter(|link| link.key == site.links[site.links.len() - 1].key).count(),
            1,
            "one wire, one link"
        );
    }

    #[test]
    fn what_cannot_be_an_id_touches_nothing() {
        let locator =
            Locator::parse("simulator:", What::Device, &Drivers::of(Path::new("/nowhere")).0).expect("a place");
        assert!(
            write(Path::new("/nowhere"), "../x", &locator, &found()).expect_err("no id").contains("cannot be the id")
        );
    }
}
