//! Events of objects, with the fields that were asked for.

use super::subscription::Item;
use crate::codec::{Layouts, View, time};
use crate::config::{DeviceOptions, Event, FieldPath, NodeAddress};
use crate::session::{Namespaces, attribute};
use edgeway_sdk::{DeviceIx, Json, Timestamp};
use opcua::types::{
    AttributeId, ContentFilter, ContentFilterElement, EventFilter, ExtensionObject, FilterOperator, LiteralOperand,
    NodeId, ObjectTypeId, QualifiedName, SimpleAttributeOperand, Variant,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Events that the server keeps until it can tell them.
const QUEUE: u32 = 1000;

/// An event of a device.
pub(super) struct Watched {
    pub(super) device: DeviceIx,
    pub(super) event: Event,
}

/// What the server says in the place of an event.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// The output of the event, and its time.
    Event(Json, Timestamp),
    /// It had to leave some out (OPC 10000-5, 6.4.33).
    Overflow,
}

/// All events of all devices, always in the same order.
pub(super) fn watched(devices: &HashMap<DeviceIx, Arc<DeviceOptions>>) -> Vec<Watched> {
    let mut all: Vec<Watched> = devices
        .iter()
        .flat_map(|(device, options)| {
            options.events.iter().map(|event| Watched { device: *device, event: event.clone() })
        })
        .collect();
    all.sort_by(|a, b| (a.device, &a.event.name).cmp(&(b.device, &b.event.name)));
    all
}

impl Watched {
    pub(super) fn item(&self, namespaces: &Namespaces) -> Item {
        let node = namespaces.node(&self.event.node).map(|node| attribute(node, AttributeId::EventNotifier));
        match self.filter(namespaces) {
            Some(filter) => Item::of_events(node, QUEUE, ExtensionObject::from_message(filter)),
            None => Item::of_events(None, QUEUE, ExtensionObject::null()),
        }
    }

    /// `None` if the server does not have a namespace that is named.
    fn filter(&self, namespaces: &Namespaces) -> Option<EventFilter> {
        let node = |address: &NodeAddress| namespaces.node(address);
        let wanted = match &self.event.event_type {
            Some(address) => Some(node(address)?),
            None => None,
        };
        let of_type = wanted.clone().unwrap_or_else(|| ObjectTypeId::BaseEventType.into());
        let of_all = |name| operand(ObjectTypeId::BaseEventType.into(), vec![QualifiedName::new(0, name)]);
        let first = ["EventType", "Time"].map(of_all);
        let fields = self.event.fields.iter().map(|(_, path)| Some(operand(of_type.clone(), names(path, namespaces)?)));
        let select: Option<Vec<SimpleAttributeOperand>> = first.map(Some).into_iter().chain(fields).collect();
        Some(EventFilter { select_clauses: Some(select?), where_clause: only(wanted) })
    }

    /// What is said; `None` if it has not the fields that were asked for.
    pub(super) fn said(&self, fields: &[Variant], layouts: &Layouts, ahead: i64) -> Option<Said> {
        let [of_type, at, fields @ ..] = fields else { return None };
        if *of_type == Variant::from(NodeId::from(ObjectTypeId::EventQueueOverflowEventType)) {
            return Some(Said::Overflow);
        }
        if fields.len() != self.event.fields.len() {
            return None;
        }
        let at = match at {
            Variant::DateTime(at) => time(**at, ahead),
            _ => None,
        };
        let named = self.event.fields.iter().zip(fields);
        let output = named.map(|((name, _), field)| (name.clone(), View::json(field, layouts, ahead)));
        Some(Said::Event(Json::Object(output.collect()), at.unwrap_or_else(Timestamp::now)))
    }
}

fn names(path: &FieldPath, namespaces: &Namespaces) -> Option<Vec<QualifiedName>> {
    let namespace = namespaces.number(&path.namespace)?;
    Some(path.names.iter().map(|name| QualifiedName::new(namespace, name.as_str())).collect())
}

fn operand(of_type: NodeId, path: Vec<QualifiedName>) -> SimpleAttributeOperand {
    SimpleAttributeOperand {
        type_definition_id: of_type,
        browse_path: Some(path),
        attribute_id: AttributeId::Value as u32,
        ..SimpleAttributeOperand::default()
    }
}

/// Only events of this type and its subtypes.
fn only(wanted: Option<NodeId>) -> ContentFilter {
    let element = |wanted: NodeId| ContentFilterElement {
        filter_operator: FilterOperator::OfType,
        filter_operands: Some(vec![ExtensionObject::from_message(LiteralOperand { value: Variant::from(wanted) })]),
    };
    ContentFilter { elements: wanted.map(|wanted| vec![element(wanted)]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::DateTime;
    use serde_json::json;

    #[test]
    fn events_that_were_left_out_are_none_of_the_model() {
        let options = json!({ "events": { "trip": { "fields": { "text": "Message" } } } });
        let event = DeviceOptions::parse(&options).expect("valid").events.remove(0);
        let watched = Watched { device: DeviceIx(0), event };
        let said = |of_type: ObjectTypeId, fields: &[Variant]| {
            let at = DateTime::ymd_hms(2026, 11, 27, 9, 0, 0);
            let first = [Variant::from(NodeId::from(of_type)), Variant::from(at)];
            watched.said(&[first.as_slice(), fields].concat(), &Layouts::default(), 0)
        };
        let text = [Variant::from("wind")];
        let at = Timestamp::parse("2026-11-27T09:00:00Z").expect("a time");
        assert_eq!(said(ObjectTypeId::AlarmConditionType, &text), Some(Said::Event(json!({ "text": "wind" }), at)));
        assert_eq!(said(ObjectTypeId::EventQueueOverflowEventType, &[Variant::Empty]), Some(Said::Overflow));
        assert_eq!(said(ObjectTypeId::BaseEventType, &[]), None);
    }
}
