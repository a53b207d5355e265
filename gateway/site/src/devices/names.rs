//! Tables of a driver's own that have an entry for each service or event of the model: what a driver cannot know is whether the
//! model has it.

use edgeway_sdk::{Json, Problem, did_you_mean};
use edgeway_thing_models::Model;

/// The entries of a device's options that the model does not have. `schema` is the driver's; see
/// [`Schemas`](edgeway_sdk::Schemas) for how it says that the names in a table are those of the model.
pub(super) fn check(options: &Json, schema: &Json, model: &Model) -> Vec<Problem> {
    let tables = schema["properties"].as_object().into_iter().flatten();
    tables.flat_map(|(table, described)| unknown(table, &options[table], &described["x-names"], model)).collect()
}

fn unknown(table: &str, entries: &Json, kind: &Json, model: &Model) -> Vec<Problem> {
    let (kind, known): (_, Vec<&str>) = match kind.as_str() {
        Some("services") => ("service", model.services.iter().map(|service| &*service.identifier).collect()),
        Some("events") => ("event", model.events.iter().map(|event| &*event.identifier).collect()),
        None if kind.is_null() => return vec![],
        _ => {
            let problem = Problem::key(table, format!("the driver's schema says of it `x-names = {kind}`"));
            return vec![problem.help("its author has to write \"services\" or \"events\"")];
        }
    };
    let names = entries.as_object().into_iter().flatten().map(|(name, _)| name);
    let problem = |name: &String| {
        let message = format!("model `{}` has no {kind} `{name}`", model.name);
        Problem::key(format!("{table}.{name}"), message).maybe_help(did_you_mean(name, known.iter().copied()))
    };
    names.filter(|name| !known.contains(&name.as_str())).map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::ready_made;
    use serde_json::json;

    #[test]
    fn an_entry_that_the_model_does_not_have_is_named_with_what_was_meant() {
        let model = ready_made().into_iter().find(|model| !model.services.is_empty()).expect("one has services");
        let service = model.services[0].identifier.to_string();
        let schema = json!({ "properties": { "methods": { "x-names": "services" }, "name": {} } });
        let wrong = format!("{service}x");
        let options = json!({ "name": "any", "methods": { service.clone(): {}, wrong.clone(): {} } });
        let [problem] = &check(&options, &schema, &model)[..] else { panic!("one is wrong") };
        let text = problem.to_string();
        assert!(text.contains(&format!("methods.{wrong}")) && text.contains(&format!("`{service}`")), "{text}");
        assert_eq!(check(&json!({}), &schema, &model).len(), 0);
        let strange = json!({ "properties": { "methods": { "x-names": "service" } } });
        assert_eq!(check(&json!({}), &strange, &model).len(), 1, "a word that nobody knows is not passed over");
    }
}
