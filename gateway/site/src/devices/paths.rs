//! Options that are paths: relative ones begin at the site's folder, wherever the gateway was started.

use edgeway_sdk::Json;
use std::path::Path;

/// The word of a JSON Schema, `"format": "path"`, for a text that is one.
const FORMAT: &str = "path";

/// Makes the paths among these options whole. The schema of the driver says which they are.
pub(super) fn resolve(options: &mut Json, schema: &Json, root: &Path) {
    walk(options, schema, schema, root);
}

/// `whole` is the schema that `part` is of: its definitions may be referred to.
fn walk(options: &mut Json, part: &Json, whole: &Json, root: &Path) {
    if let Some(meant) = part["$ref"].as_str().and_then(|reference| whole.pointer(reference.strip_prefix('#')?)) {
        walk(options, meant, whole, root);
    }
    for either in ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| part[word].as_array()).flatten() {
        walk(options, either, whole, root);
    }
    match options {
        Json::String(path) if part["format"] == FORMAT => *path = root.join(&*path).to_string_lossy().into_owned(),
        Json::Object(fields) => {
            for (name, value) in fields {
                walk(value, &part["properties"][name.as_str()], whole, root);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| walk(item, &part["items"], whole, root)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_found_wherever_the_schema_has_them() {
        let schema = json!({
            "properties": {
                "ca": { "type": ["string", "null"], "format": "path" },
                "name": { "type": "string" },
                "replay": { "anyOf": [{ "$ref": "#/$defs/Replay" }, { "type": "null" }] },
                "all": { "items": { "format": "path" } }
            },
            "$defs": { "Replay": { "properties": { "file": { "format": "path" } } } }
        });
        let mut options =
            json!({ "ca": "tls/ca.pem", "name": "a/b", "replay": { "file": "/x.csv" }, "all": ["y"], "other": "z" });
        resolve(&mut options, &schema, Path::new("/site"));
        let wanted = json!({
            "ca": "/site/tls/ca.pem", "name": "a/b", "replay": { "file": "/x.csv" }, "all": ["/site/y"], "other": "z"
        });
        assert_eq!(options, wanted);
    }
}
