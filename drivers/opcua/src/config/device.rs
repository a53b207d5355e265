//! A device's options.

use super::{FieldPath, Namespace, Naming, NodeAddress, noted};
use edgeway_sdk::{Json, Problem, options};
use std::collections::BTreeMap;

/// What an event carries if nothing is said: names in the output, and fields of BaseEventType (OPC 10000-5, 6.4.2).
const FIELDS_DEFAULT: [(&str, &str); 4] =
    [("time", "Time"), ("message", "Message"), ("severity", "Severity"), ("source_name", "SourceName")];
/// Servers take no filters without limit.
const FIELDS_MAX: usize = 100;

/// A device's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct DeviceOptions {
    pub(crate) naming: Naming,
    /// Where browsing begins, if not at Objects.
    pub(crate) root: Option<NodeAddress>,
    pub(crate) events: Vec<Event>,
    pub(crate) methods: BTreeMap<String, Method>,
}

/// Events that are told on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// The model's name for it.
    pub(crate) name: String,
    /// The object that notifies.
    pub(crate) node: NodeAddress,
    /// Only events of this type and its subtypes.
    pub(crate) event_type: Option<NodeAddress>,
    /// Names in the output, each with the field that it is.
    pub(crate) fields: Vec<(String, FieldPath)>,
}

/// A method that a service calls.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Method {
    pub(crate) method: NodeAddress,
    /// The object that it is called on, if not the one that it belongs to.
    pub(crate) object: Option<NodeAddress>,
}

/// A device's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OPC UA device")]
pub(crate) struct WrittenDevice {
    /// The URI of the namespace of node ids that name none. Default: that of the standard
    namespace: Option<String>,
    /// What stands for `{name}` in the node ids of the device: so devices of one kind can share a template
    name: Option<String>,
    /// The object where browsing begins. Default: Objects
    root: Option<String>,
    /// Events by the names that the model has for them
    #[serde(default)]
    #[schemars(extend("x-names" = "events"))]
    events: BTreeMap<String, WrittenEvent>,
    /// Methods by the names that the model has for them as services
    #[serde(default)]
    #[schemars(extend("x-names" = "services"))]
    methods: BTreeMap<String, WrittenMethod>,
}

/// An event, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenEvent {
    /// The object that notifies. Default: the server
    node: Option<String>,
    /// Only events of this type and its subtypes. Default: all
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Outputs of the model's event, each with the field that it is: `Message`, `ActiveState/Id`, `nsu=http://example.com/plc;Load`. Default: time, message, severity and source_name
    fields: Option<BTreeMap<String, String>>,
}

/// A method, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenMethod {
    /// The node id of the method
    method: String,
    /// The object that it is called on. Default: the one that it belongs to
    object: Option<String>,
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: WrittenDevice = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let namespace = match written.namespace {
            Some(uri) if uri.is_empty() => {
                problems.push(Problem::key("namespace", "the namespace is empty").help("write its URI"));
                Namespace::Index(0)
            }
            Some(uri) => Namespace::Uri(uri.into()),
            None => Namespace::Index(0),
        };
        if written.name.as_deref() == Some("") {
            problems.push(Problem::key("name", "the name is empty"));
        }
        let naming = Naming { namespace, name: written.name };
        let root = node(&written.root, "root", &naming, problems);
        let events = written.events.into_iter().filter_map(|(name, event)| event.check(name, &naming, problems));
        let events = events.collect();
        let methods = written.methods.into_iter();
        let methods =
            methods.filter_map(|(name, method)| Some((name.clone(), method.check(&name, &naming, problems)?)));
        let methods = methods.collect();
        match problems.is_empty() {
            true => Ok(DeviceOptions { naming, root, events, methods }),
            false => Err(std::mem::take(problems)),
        }
    }
}

/// The node of an option, if it is there and right.
fn node(text: &Option<String>, key: &str, of: &Naming, problems: &mut Vec<Problem>) -> Option<NodeAddress> {
    text.as_deref().and_then(|text| noted(NodeAddress::parse(text, key, of), problems))
}

impl WrittenEvent {
    fn check(self, name: String, of: &Naming, problems: &mut Vec<Problem>) -> Option<Event> {
        let key = |what: &str| format!("events.{name}.{what}");
        let before = problems.len();
        let server = || NodeAddress::parse("ns=0;i=2253", "node", of).expect("the Server object has this id");
        let event_node = node(&self.node, &key("node"), of, problems);
        let event_type = node(&self.event_type, &key("type"), of, problems);
        let fields = self.fields.unwrap_or_else(|| FIELDS_DEFAULT.map(|(to, from)| (to.into(), from.into())).into());
        if fields.is_empty() || fields.len() > FIELDS_MAX {
            let message = format!("an event has 1 to {FIELDS_MAX} fields, not {}", fields.len());
            problems.push(Problem::key(key("fields"), message));
        }
        let path = |(to, from): (String, String)| {
            let path = noted(FieldPath::parse(&from, &key(&format!("fields.{to}"))), problems)?;
            Some((to, path))
        };
        let fields = fields.into_iter().filter_map(path).collect();
        let node = event_node.unwrap_or_else(server);
        (problems.len() == before).then_some(Event { name, node, event_type, fields })
    }
}

impl WrittenMethod {
    fn check(self, name: &str, of: &Naming, problems: &mut Vec<Problem>) -> Option<Method> {
        let object = node(&self.object, &format!("methods.{name}.object"), of, problems);
        let method = node(&Some(self.method), &format!("methods.{name}.method"), of, problems);
        Some(Method { method: method?, object })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        DeviceOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_empty_table_is_the_whole_server() {
        let device = DeviceOptions::parse(&json!({})).expect("valid");
        assert_eq!((device.naming.namespace, device.root, device.events.len()), (Namespace::Index(0), None, 0));
    }

    #[test]
    fn an_event_has_the_usual_fields_of_the_server_unless_said_otherwise() {
        let device = DeviceOptions::parse(&json!({ "namespace": "http://lab", "events": { "alarm": {} } }));
        let event = device.expect("valid").events.remove(0);
        assert_eq!((event.node.to_string(), event.fields.len()), ("i=2253".into(), 4));
    }

    #[test]
    fn every_mistake_of_a_device_is_told_at_once() {
        let found = problems(json!({
            "namespace": "", "root": "x",
            "events": { "alarm": { "node": "s=", "fields": { "a": "A//B" } }, "none": { "fields": {} } },
            "methods": { "reset": { "method": "i=x" } },
        }));
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(1)).collect();
        assert_eq!(
            keys,
            [
                "namespace",
                "root",
                "events.alarm.node",
                "events.alarm.fields.a",
                "events.none.fields",
                "methods.reset.method"
            ]
        );
        assert_eq!(problems(json!({ "evnets": {} })), ["`evnets`: unknown key `evnets` (did you mean `events`?)"]);
    }
}
