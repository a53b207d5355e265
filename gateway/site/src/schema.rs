//! JSON Schemas (2020-12) of a site's TOML files, for editors: they complete keys and find mistakes while one types.
//! `edgeway check` finds the rest: what refers to what, and what drivers, scenes and queries say.

mod devices;
mod keys;
mod routes;
mod settings;

#[cfg(test)]
mod tests;

use edgeway_sdk::{Driver, Json};
use serde_json::json;
use std::sync::Arc;

/// A kind of file that there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// `edgeway.toml`.
    Edgeway,
    /// `devices.toml` and `devices/*.toml`, with the options of drivers.
    Devices,
    /// `routes.toml`.
    Routes,
}

impl SchemaOf {
    /// All there are.
    pub const ALL: [SchemaOf; 3] = [SchemaOf::Edgeway, SchemaOf::Devices, SchemaOf::Routes];

    /// Its name, `devices`.
    pub fn name(self) -> &'static str {
        match self {
            SchemaOf::Edgeway => "edgeway",
            SchemaOf::Devices => "devices",
            SchemaOf::Routes => "routes",
        }
    }
}

/// The schema of a kind of file. What is said of links, devices and points is what these drivers take.
pub fn schema(of: SchemaOf, drivers: &[Arc<dyn Driver>]) -> Json {
    let mut schema = match of {
        SchemaOf::Edgeway => settings::schema(),
        SchemaOf::Devices => devices::schema(drivers),
        SchemaOf::Routes => routes::schema(),
    };
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(match of {
        SchemaOf::Edgeway => "Edgeway: the gateway itself",
        SchemaOf::Devices => "Edgeway: links, templates and devices",
        SchemaOf::Routes => "Edgeway: targets and routes",
    });
    schema
}
