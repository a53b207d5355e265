//! A virtual fleet of any model is a site without a mistake.

use edgeway_driver_simulator::Simulator;
use edgeway_driver_simulator::fleet::{Event, Fleet, Kind, Outline, Property, Service, Span, devices_toml};
use edgeway_sdk::Driver;
use edgeway_site::load_with_variables;
use edgeway_thing_models::{DataType, Field, Model, Range, ready_made};
use std::sync::Arc;

fn outline(model: &Model) -> Outline {
    let property = |p: &edgeway_thing_models::Property| Property {
        name: p.identifier.to_string(),
        kind: kind(&p.data_type),
        access: p.access,
    };
    let event =
        |e: &edgeway_thing_models::EventModel| Event { name: e.identifier.to_string(), output: fields(&e.output) };
    let service =
        |s: &edgeway_thing_models::Service| Service { name: s.identifier.to_string(), output: fields(&s.output) };
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

#[test]
fn every_ready_made_model_makes_a_fleet_that_loads() {
    for model in ready_made() {
        let folder = tempfile::tempdir().unwrap();
        let text = devices_toml(&outline(&model), &Fleet { count: 12, ..Fleet::of("unit") });
        std::fs::write(folder.path().join("edgeway.toml"), "name = \"fleet\"\n").unwrap();
        std::fs::write(folder.path().join("devices.toml"), &text).unwrap();
        let drivers: [Arc<dyn Driver>; 1] = [Arc::new(Simulator)];
        let loaded = load_with_variables(folder.path(), &drivers, &|_| None)
            .unwrap_or_else(|failed| panic!("{}: {failed}\n{text}", model.name));
        assert_eq!(loaded.warnings, [], "{}", model.name);
        let things = &loaded.site.things;
        assert_eq!(things.devices().len(), 12);
        assert_eq!(loaded.site.points.len(), 12 * model.properties.len());
    }
}
