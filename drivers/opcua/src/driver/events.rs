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
        let time = operand(ObjectTypeId::BaseEventType.into(), vec![QualifiedName::new(0, "Time")]);
        let fields = self.event.fields.iter().map(|(_, path)| Some(operand(of_type.clone(), names(path, namespaces)?)));
        let select: Option<Vec<SimpleAttributeOperand>> = std::iter::once(Some(time)).chain(fields).collect();
        Some(EventFilter { select_clauses: Some(select?), where_clause: only(wanted) })
    }

    /// The output of an event and its time; `None` if it has not the fields that were asked for.
    pub(super) fn output(&self, fields: &[Variant], layouts: &Layouts, ahead: i64) -> Option<(Json, Timestamp)> {
        let (at, fields) = fields.split_first()?;
        if fields.len() != self.event.fields.len() {
            return None;
        }
        let at = match at {
            Variant::DateTime(at) => time(**at, ahead),
            _ => None,
        };
        let named = self.event.fields.iter().zip(fields);
        let output = named.map(|((name, _), field)| (name.clone(), View::json(field, layouts, ahead)));
        Some((Json::Object(output.collect()), at.unwrap_or_else(Timestamp::now)))
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
