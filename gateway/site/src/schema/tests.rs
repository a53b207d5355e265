use super::*;
use crate::section::asked;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn drivers() -> Vec<Arc<dyn Driver>> {
    vec![
        Arc::new(edgeway_driver_ble::Ble),
        Arc::new(edgeway_driver_coap::Coap),
        Arc::new(edgeway_driver_http::Http),
        Arc::new(edgeway_driver_modbus::Modbus),
        Arc::new(edgeway_driver_mqtt::Mqtt),
        Arc::new(edgeway_driver_opcua::OpcUa),
        Arc::new(edgeway_driver_simulator::Simulator),
    ]
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All sites that there are, right or wrong.
fn sites() -> Vec<PathBuf> {
    let folders = ["tests/cases", "tests/sheets", "tests/sheets-sources", "../../sites"];
    let inside = folders.iter().flat_map(|folder| std::fs::read_dir(here(folder)).expect("sites"));
    inside.map(|entry| entry.expect("readable").path()).chain([here("init")]).filter(|path| path.is_dir()).collect()
}

fn mistakes(schema: &Json, toml: &str) -> Vec<String> {
    let table: toml::Table = toml.parse().expect("TOML");
    let json = serde_json::to_value(table).expect("JSON");
    let validator = jsonschema::draft202012::new(schema).expect("a schema");
    validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// What is wrong with the files of a right site.
fn mistakes_of_site(root: &Path) -> Vec<String> {
    let of = |kind: SchemaOf| {
        let schema = schema(kind, &drivers());
        let folder = std::fs::read_dir(root.join(kind.name()))
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("readable").path());
        let files = folder.filter(|path| path.extension().is_some_and(|found| found == "toml"));
        let files = files.chain([root.join(format!("{}.toml", kind.name()))]).filter(|file| file.exists());
        files.flat_map(|file| mistakes(&schema, &std::fs::read_to_string(file).expect("readable"))).collect::<Vec<_>>()
    };
    SchemaOf::ALL.into_iter().flat_map(of).collect()
}

#[test]
fn sites_that_are_right_are_right_by_the_schemas_too() {
    for site in ["init", "tests/sheets-sources/all-keys", "../../sites/wind-farm", "../../sites/hotel"] {
        assert_eq!(mistakes_of_site(&here(site)), Vec::<String>::new(), "{site}");
    }
    let devices = schema(SchemaOf::Devices, &drivers());
    for driver in ["ble", "coap", "http", "modbus", "mqtt", "opcua", "simulator"] {
        let sample = std::fs::read_to_string(here(&format!("../../drivers/{driver}/sample.toml"))).expect("a sample");
        assert_eq!(mistakes(&devices, &sample), Vec::<String>::new(), "{driver}");
    }
    // The drivers of this one are not here, so its devices cannot be judged.
    let valid = here("tests/cases/valid");
    for kind in [SchemaOf::Edgeway, SchemaOf::Routes] {
        let text = std::fs::read_to_string(valid.join(format!("{}.toml", kind.name()))).expect("readable");
        assert_eq!(mistakes(&schema(kind, &drivers()), &text), Vec::<String>::new());
    }
}

#[test]
fn what_a_person_mistypes_is_found_while_typing() {
    let devices = schema(SchemaOf::Devices, &drivers());
    let link = "[link.a]\ndriver = \"modbus\"\nendpoint = \"tcp://192.0.2.1\"\n";
    let template = "[template.t]\nmodel = \"met-mast\"\n";
    let wrong = [
        "[link.a]\ndriver = \"modbus\"\n".to_owned(),
        format!("{link}timout = \"1s\"\n"),
        "[link.a]\ndriver = \"modbuss\"\nendpoint = \"tcp://192.0.2.1\"\n".to_owned(),
        format!("{template}pol = \"1s\"\n"),
        format!("{template}[template.t.points]\nhumidity = {{ at = \"holding:0\", tpye = \"u16\" }}\n"),
        format!("{template}[template.t.points]\nhumidity = {{ at = \"holding:0\", type = \"u17\" }}\n"),
        format!("{template}[template.t.points]\nhumidity = {{ at = \"holding:0\", scale = \"0.1\" }}\n"),
        format!("{template}[template.t.points]\nhumidity = {{ at = \"holding:0\", report = \"changes\" }}\n"),
        format!("{template}[template.t.points]\nhumidity = false\n"),
        format!("{template}[template.t.modbus]\nunti = 7\n"),
        "[[device]]\nid = \"a\"\n".to_owned(),
    ];
    for text in wrong {
        assert_ne!(mistakes(&devices, &text), Vec::<String>::new(), "{text}");
    }
    let routes = schema(SchemaOf::Routes, &drivers());
    assert_ne!(mistakes(&routes, "[target.a]\nkind = \"file\"\npath = \"a\"\nurl = \"b\"\n"), Vec::<String>::new());
    let right =
        format!("{link}{template}[template.t.points]\nhumidity = {{ at = \"holding:0\", deadband = \"2 %\" }}\n");
    assert_eq!(mistakes(&devices, &right), Vec::<String>::new());
}

/// The schemas below which a path of keys leads; a path may lead through alternatives.
fn walk<'s>(schema: &'s Json, root: &'s Json, path: &[&str]) -> Vec<&'s Json> {
    let mut ways = ways(schema, root);
    let Some((first, rest)) = path.split_first() else { return ways };
    let step = |way: &'s Json| {
        let named = way["properties"].get(*first);
        let any = way.get("additionalProperties").filter(|any| any.is_object());
        named.or(any).or(way.get("items"))
    };
    ways = ways.into_iter().filter_map(step).flat_map(|next| walk(next, root, rest)).collect();
    ways
}

/// Behind references, and what it may be instead.
fn ways<'s>(schema: &'s Json, root: &'s Json) -> Vec<&'s Json> {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return ways(&root["$defs"][name], root);
    }
    let several = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    std::iter::once(schema).chain(several.flat_map(|one| ways(one, root))).collect()
}

/// Which file a key at the top of one, or a table below such a key, is of.
fn kind_of(top: &str, schemas: &[(SchemaOf, Json)]) -> Option<SchemaOf> {
    let found = schemas.iter().find(|(_, schema)| schema["properties"].get(top).is_some());
    found.map(|(kind, _)| *kind)
}

/// Every reader of a site asks its table for the keys that it knows, whether they are there or not.
#[test]
fn every_key_that_is_read_is_in_the_schemas() {
    let drivers = drivers();
    let schemas = SchemaOf::ALL.map(|kind| (kind, schema(kind, &drivers)));
    let load = |site: &PathBuf| asked::during(|| crate::load_with_variables(site, &drivers, &|_| None));
    let asked: BTreeSet<(String, String)> = sites().iter().flat_map(load).collect();
    let mut lacking = vec![];
    let mut described = 0;
    for (table, key) in &asked {
        let path: Vec<&str> = table.split('.').filter(|part| !part.is_empty()).collect();
        let Some(kind) = kind_of(path.first().copied().unwrap_or(key), &schemas) else {
            // Files that say what scenes are used for have no schema.
            if path.is_empty() && key != "use" {
                lacking.push(format!("{key} at the top of a file"));
            }
            continue;
        };
        let Some((_, schema)) = schemas.iter().find(|(other, _)| *other == kind) else { continue };
        let ways = walk(schema, schema, &path);
        match ways.iter().any(|way| way["properties"].get(key).is_some()) {
            true => described += 1,
            false => lacking.push(format!("{key} in {table} of {}.toml", kind.name())),
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
    assert!(described > 300, "the test has eyes, but has seen {described} keys");
}
