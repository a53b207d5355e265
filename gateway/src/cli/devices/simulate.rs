//! `edgeway device simulate`: a fleet of a model, without any device.

use crate::cli::arguments::SimulateOptions;
use crate::program::Drivers;
use edgeway_driver_simulator::fleet::{Event, Fleet, Kind, Outline, Property, Service, Span, devices_toml};
use edgeway_sdk::did_you_mean;
use edgeway_site::Site;
use edgeway_thing_models::{self as thing, DataType, Field, Model, Range};

/// The text of a file for the site's folder `devices`.
///
/// # Errors
/// If there is no such model; with the one that was probably meant.
pub(super) fn fleet(options: &SimulateOptions) -> Result<String, String> {
    // A site with mistakes, or none at all, still has the ready-made models.
    let site = match edgeway_site::load(&options.site, &Drivers::of(&options.site).0.all) {
        Ok(loaded) => Some(loaded.site),
        Err(failed) => failed.partial.map(|site| *site),
    };
    let models = models(site.as_ref());
    let names = models.iter().map(|model| &*model.name);
    let Some(model) = models.iter().find(|model| *model.name == options.model) else {
        let near = did_you_mean(&options.model, names).map(|near| format!(" ({near})")).unwrap_or_default();
        return Err(format!("there is no model `{}`{near}", options.model));
    };
    let prefix = options.prefix.as_deref().unwrap_or(&options.model);
    let fleet = Fleet { count: options.count, seed: options.seed, link: &options.link, ..Fleet::of(prefix) };
    Ok(devices_toml(&outline(model), &fleet))
}

/// Those of the site, then the ready-made ones.
fn models(site: Option<&Site>) -> Vec<Model> {
    let own = site.into_iter().flat_map(|site| site.things.models()).map(|(_, model)| (**model).clone());
    own.chain(thing::ready_made()).collect()
}

fn outline(model: &Model) -> Outline {
    let property =
        |p: &thing::Property| Property { name: p.identifier.to_string(), kind: kind(&p.data_type), access: p.access };
    let event = |e: &thing::EventModel| Event { name: e.identifier.to_string(), output: fields(&e.output) };
    let service = |s: &thing::Service| Service { name: s.identifier.to_string(), output: fields(&s.output) };
    Outline {
        model: model.name.to_string(),
        properties: model.properties.iter().map(property).collect(),
        events: model.events.iter().map(event).collect(),
        services: model.services.iter().map(service).collect(),
    }
}

fn fields(fields: &[Field]) -> Vec<(String, Kind)> {
    fields.iter().map(|field| (field.identifier.to_string(), kind(&field.data_type))).collect()
}

fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Int(range) => Kind::Int(span(range)),
        DataType::Float(range) | DataType::Double(range) => Kind::Float(span(range)),
        DataType::Bool { .. } => Kind::Bool,
        DataType::Enum(words) => Kind::Enum(words.keys().copied().collect()),
        DataType::Text { length } => Kind::Text { bytes_max: *length },
        DataType::Date => Kind::Date,
        DataType::Struct(inner) => Kind::Struct(fields(inner)),
        DataType::Array { size, item } => Kind::Array { items_max: *size, item: Box::new(kind(item)) },
    }
}

fn span(range: &Range) -> Span {
    Span { min: range.min, max: range.max, step: range.step, unit: range.unit.as_ref().map(|unit| unit.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn options(model: &str, site: &Path) -> SimulateOptions {
        SimulateOptions {
            model: model.to_owned(),
            count: 12,
            prefix: Some("unit".to_owned()),
            link: "fleet".to_owned(),
            seed: 7,
            site: site.to_owned(),
        }
    }

    #[test]
    fn every_ready_made_model_makes_a_fleet_that_loads() {
        for model in thing::ready_made() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            std::fs::write(folder.path().join("edgeway.toml"), "name = \"fleet\"\n").expect("written");
            let text = fleet(&options(&model.name, folder.path())).expect("there is such a model");
            std::fs::write(folder.path().join("devices.toml"), &text).expect("written");
            let program = crate::program::load(folder.path()).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
            assert_eq!(program.warnings, [], "{}", model.name);
            assert_eq!(program.site.things.devices().len(), 12);
            assert_eq!(program.site.points.len(), 12 * model.properties.len());
        }
    }

    #[test]
    fn a_model_that_is_not_there_is_told() {
        let wrong = fleet(&options("wind-turbin", Path::new("/nowhere"))).expect_err("wrong");
        assert_eq!(wrong, "there is no model `wind-turbin` (did you mean `wind-turbine`?)");
    }
}
