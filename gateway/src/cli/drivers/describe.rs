//! A driver's options as a table.

use crate::cli::arguments::Output;
use crate::cli::exit;
use crate::client::table::{Cell, Colours, layout};
use edgeway_sdk::{Json, Manifest};
use serde_json::json;

/// A list of choices that is longer would push the meanings off the screen, and stands behind them.
const KIND_MAX: usize = 32;

pub(super) fn show(manifest: &Manifest, output: Output) -> u8 {
    match output {
        Output::Json => println!("{:#}", json!(manifest)),
        Output::Table => print!("{}", text(manifest, Colours::of_stdout())),
    }
    exit::OK
}

fn text(manifest: &Manifest, colours: Colours) -> String {
    let Manifest { name, version, summary, options, .. } = manifest;
    let sections = [
        (format!("[link.NAME] with driver = \"{name}\""), &options.link),
        (format!("device: {name} = {{ ... }}"), &options.device),
        ("point".to_owned(), &options.point),
    ];
    let mut text = format!("{name} {version}: {summary}\n");
    for (title, schema) in sections {
        let rows = rows(schema);
        text += &format!("\n{title}\n");
        text += &match rows.is_empty() {
            true => "it has no options, or does not describe them\n".to_owned(),
            false => layout(&["option", "type", "default", "meaning"], &rows, colours),
        };
    }
    text
}

fn rows(schema: &Json) -> Vec<Vec<Cell>> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let row = |(key, option): (&String, &Json)| {
        let default = match option.get("default") {
            Some(Json::Null) | None if required.contains(&key.as_str()) => "required".to_owned(),
            Some(Json::Null) | None => String::new(),
            Some(default) => default.to_string(),
        };
        let mut meaning = option["description"].as_str().unwrap_or_default().replace('\n', " ");
        let mut kind = kind(option, schema);
        if kind.len() > KIND_MAX {
            meaning += &format!("; {kind}");
            kind = "choice".to_owned();
        }
        vec![Cell::text(key), Cell::text(kind), Cell::text(default), Cell::text(meaning)]
    };
    schema["properties"].as_object().into_iter().flatten().map(row).collect()
}

/// The type of an option in a word, or its choices.
fn kind(option: &Json, root: &Json) -> String {
    if let Some(name) = option["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return kind(&root["$defs"][name], root);
    }
    if let Some(several) = option["anyOf"].as_array().or_else(|| option["oneOf"].as_array()) {
        let kinds = several.iter().filter(|one| one["type"] != "null").map(|one| kind(one, root));
        return kinds.collect::<Vec<_>>().join(" | ");
    }
    if let Some(constant) = option.get("const") {
        return constant.to_string();
    }
    let choices = option["enum"].as_array().into_iter().flatten().filter(|choice| !choice.is_null());
    let choices: Vec<String> = choices.map(Json::to_string).collect();
    if !choices.is_empty() {
        return choices.join(" | ");
    }
    match &option["type"] {
        Json::String(name) => name.clone(),
        Json::Array(names) => {
            names.iter().filter_map(Json::as_str).filter(|name| *name != "null").collect::<Vec<_>>().join(" | ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a driver takes is described: nobody has to read its source.
    #[test]
    fn every_option_of_every_driver_has_a_type_and_a_meaning() {
        for driver in crate::program::drivers() {
            let manifest = driver.manifest();
            let Manifest { options, name, .. } = manifest;
            for schema in [&options.link, &options.device, &options.point] {
                let all = schema["properties"].as_object().expect("options");
                assert!(schema["additionalProperties"] == false, "{name}: unknown keys are refused");
                for (key, option) in all {
                    assert!(option["description"].is_string(), "{name}: {key} has no meaning");
                    assert!(!kind(option, schema).is_empty(), "{name}: {key} has no type");
                }
            }
            assert!(text(manifest, Colours::Off).starts_with(name.as_str()));
        }
    }
}
