//! `edgeway schema`: JSON Schemas of a site's files, for editors.

use super::arguments::SchemaOptions;
use super::{exit, print_long};
use crate::program::Drivers;
use edgeway_sdk::Driver;
use edgeway_site::{SchemaOf, schema};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where `edgeway init` puts schemas, below a site; `.taplo.toml` leads there.
pub(super) const FOLDER: &str = ".schemas";

pub(super) fn run(options: &SchemaOptions) -> u8 {
    let (drivers, unknown) = Drivers::of(&options.site);
    for finding in unknown {
        eprintln!("note: the schema is without one driver: {finding}");
    }
    if let Some(file) = options.file {
        return print_long(&format!("{:#}\n", schema(file.of(), &drivers.all)));
    }
    let Some(folder) = &options.folder else { return exit::OK };
    match write(folder, &drivers.all) {
        Ok(files) => {
            files.iter().for_each(|file| println!("wrote {}", file.display()));
            exit::OK
        }
        Err(error) => {
            eprintln!("error: {}: {error}", folder.display());
            exit::FINDINGS
        }
    }
}

/// Writes all schemas into a folder, over older ones.
pub(super) fn write(folder: &Path, drivers: &[Arc<dyn Driver>]) -> std::io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let one = |of: SchemaOf| {
        let path = folder.join(format!("{}.json", of.name()));
        std::fs::write(&path, format!("{:#}\n", schema(of, drivers)))?;
        Ok(path)
    };
    SchemaOf::ALL.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_site_has_the_schemas_that_its_editor_is_told_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("site");
        assert_eq!(crate::cli::init::run(&root, None), exit::OK);
        let told: toml::Table =
            std::fs::read_to_string(root.join(".taplo.toml")).expect("readable").parse().expect("TOML");
        let rules = told["rule"].as_array().expect("rules");
        assert_eq!(rules.len(), SchemaOf::ALL.len());
        for rule in rules {
            let path = rule["schema"]["path"].as_str().expect("a path");
            let text = std::fs::read_to_string(root.join(path)).expect("the schema is there");
            assert!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["$defs"].is_object());
        }
        assert!(crate::program::load(&root).is_ok_and(|program| program.warnings.is_empty()), "and `check` is content");
    }

    #[test]
    fn every_driver_of_this_build_is_in_the_schema_of_devices() {
        let drivers = crate::program::drivers();
        let schema = schema(SchemaOf::Devices, &drivers);
        for driver in &drivers {
            let name = &driver.manifest().name;
            for part in ["link", "device", "point"] {
                let described = &schema["$defs"][format!("{name}.{part}")]["properties"];
                assert!(described.as_object().is_some_and(|all| !all.is_empty()), "{name}.{part}");
            }
        }
    }
}
