//! What births have to offer, for discovery and browsing.

use super::{Kind, LIFE, Topic};
use edgeway_sdk::{Discovered, Holds, Offer};
use edgeway_sparkplug::{Message as _, Metric, Payload, PropertyValueKind, data_type};
use serde_json::json;
use std::collections::BTreeMap;

/// More devices are no list for a person.
const BIRTHS_MAX: usize = 10_000;

/// The births that were heard, by `group/node` or `group/node/device`.
#[derive(Debug, Default)]
pub(crate) struct Births(BTreeMap<String, Payload>);

impl Births {
    /// Takes in a message; true if it was a birth.
    pub(crate) fn take(&mut self, topic: &str, payload: &[u8]) -> bool {
        let Some(Topic { group, kind: Kind::Birth, node, device }) = Topic::parse(topic) else { return false };
        let Ok(payload) = Payload::decode(payload) else { return false };
        if self.0.len() >= BIRTHS_MAX {
            return false;
        }
        let name = [Some(group), Some(node), device].into_iter().flatten().collect::<Vec<_>>().join("/");
        self.0.insert(name, payload);
        true
    }

    /// Each as the options of a device.
    pub(crate) fn devices(&self) -> Vec<Discovered> {
        let device = |(name, payload): (&String, &Payload)| {
            let found = Discovered::new(json!({ "sparkplug": name })).said("speaks", "Sparkplug B");
            found.said("metrics", payload.metrics.len().to_string())
        };
        self.0.iter().map(device).collect()
    }

    /// The metrics of a node or a device.
    pub(crate) fn points(&self, name: &str) -> Option<Vec<Discovered>> {
        self.0.get(name).map(offers)
    }
}

/// Each metric of a birth as the options of a point. What every edge node has for its own affairs is left out.
fn offers(payload: &Payload) -> Vec<Discovered> {
    let own = |name: &str| name == LIFE || name.starts_with("Node Control/");
    let offer = |metric: &Metric| {
        let name = metric.name.as_deref().filter(|name| !name.is_empty() && !own(name))?;
        let found = Discovered::new(json!({ "metric": name }));
        Some(match holds(metric) {
            Some(holds) => found.offering(Offer::new(name, holds).unit(text(metric, "engUnit").unwrap_or_default())),
            None => found.said("type", "not supported"),
        })
    };
    payload.metrics.iter().filter_map(offer).collect()
}

fn holds(metric: &Metric) -> Option<Holds> {
    let [low, high] = ["engLow", "engHigh"].map(|name| number(metric, name));
    Some(match metric.datatype? {
        data_type::INT8..=data_type::UINT64 => {
            let whole =
                |limit: Option<f64>| limit.filter(|limit| limit.abs() < 9.0e15).map(|limit| limit.round() as i64);
            Holds::Int { min: whole(low), max: whole(high) }
        }
        data_type::FLOAT | data_type::DOUBLE => Holds::Float { min: low, max: high },
        data_type::BOOLEAN => Holds::Bool,
        data_type::STRING | data_type::TEXT | data_type::UUID => Holds::Text,
        data_type::DATE_TIME => Holds::Date,
        _ => return None,
    })
}

fn text(metric: &Metric, name: &str) -> Option<String> {
    match metric.properties.as_ref()?.get(name)? {
        PropertyValueKind::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(metric: &Metric, name: &str) -> Option<f64> {
    let number = match metric.properties.as_ref()?.get(name)? {
        PropertyValueKind::Int(number) => f64::from(*number as i32),
        PropertyValueKind::Long(number) => *number as i64 as f64,
        PropertyValueKind::Float(number) => f64::from(*number),
        PropertyValueKind::Double(number) => *number,
        _ => return None,
    };
    number.is_finite().then_some(number)
}
