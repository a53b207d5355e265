//! What is not values: plans, faults, specifications, and single values, as messages and back.

use crate::proto::{self, fault::Scope};
use edgeway_sdk::{
    Access, DeviceIx, DeviceSpec, Discovered, Fault, Json, LinkInfo, Plan, PointIx, PointSpec, Quality, Step, StepIx,
    Value,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Whole milliseconds, never less than what is meant.
pub fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u32::MAX)
}

impl From<&Fault> for proto::Fault {
    fn from(fault: &Fault) -> Self {
        let scope = match fault {
            Fault::Point { .. } => Scope::Point,
            Fault::Step(_) => Scope::Step,
            Fault::Busy(_) => Scope::Busy,
            Fault::Device(_) => Scope::Device,
            Fault::Link(_) => Scope::Link,
            Fault::Config(_) => Scope::Config,
            Fault::Unsupported(_) => Scope::Unsupported,
            // Whatever is added later does not cost the neighbours their wire.
            _ => Scope::Device,
        };
        let (point, quality) = match fault {
            Fault::Point { point, quality, .. } => (point.0, *quality),
            _ => (0, Quality::Bad),
        };
        proto::Fault { scope: scope.into(), reason: fault.to_string(), point, quality: quality.number().into() }
    }
}

/// The fault that was said.
pub fn fault(said: proto::Fault) -> Fault {
    let reason = if said.reason.is_empty() { "no reason given".to_owned() } else { said.reason };
    match Scope::try_from(said.scope).unwrap_or_default() {
        Scope::Point => {
            let quality = u8::try_from(said.quality).ok().and_then(Quality::from_number);
            let quality = quality.filter(|quality| quality.is_bad()).unwrap_or(Quality::Bad);
            Fault::Point { point: PointIx(said.point), quality, reason }
        }
        Scope::Step => Fault::Step(reason),
        Scope::Busy => Fault::Busy(reason),
        Scope::Device | Scope::Unspecified => Fault::Device(reason),
        Scope::Link => Fault::Link(reason),
        Scope::Config => Fault::Config(reason),
        // The names of what a driver cannot do are the gateway's; what it said is not one of them.
        Scope::Unsupported => Fault::Unsupported("what was asked"),
    }
}

/// A question for a plan.
pub fn make_plan(link: u32, devices: &[DeviceSpec], points: &[PointSpec], split: Option<&Step>) -> proto::MakePlan {
    let mut options = SharedOptions::default();
    let devices = devices.iter().map(|spec| proto::DeviceSpec { device: spec.ix.0, options: spec.options.to_string() });
    let points = points.iter().map(|spec| proto::PointSpec {
        point: spec.ix.0,
        device: spec.device.0,
        options: options.place(&spec.options),
        access: proto::Access::from(spec.access).into(),
        period_ms: millis(spec.period),
    });
    let (devices, points) = (devices.collect(), points.collect());
    proto::MakePlan { link, devices, points, options: options.list, split: split.map(proto::Step::from) }
}

/// Each text once.
#[derive(Default)]
struct SharedOptions {
    list: Vec<String>,
    /// Points that share their options share the memory, which is quicker to compare than the text.
    by_address: HashMap<*const Json, u32>,
    by_text: HashMap<String, u32>,
}

impl SharedOptions {
    fn place(&mut self, options: &Arc<Json>) -> u32 {
        *self.by_address.entry(Arc::as_ptr(options)).or_insert_with(|| {
            *self.by_text.entry(options.to_string()).or_insert_with_key(|text| {
                self.list.push(text.clone());
                self.list.len() as u32 - 1
            })
        })
    }
}

/// What a plan is asked for: devices, points, and the step to split.
pub type PlanWanted = (Vec<DeviceSpec>, Vec<PointSpec>, Option<Step>);

/// The question that was asked.
///
/// # Errors
/// If options are no JSON, or named that are not there.
pub fn plan_wanted(asked: &proto::MakePlan) -> Result<PlanWanted, Fault> {
    let parse = |text: &String| {
        serde_json::from_str::<Json>(text).map_err(|error| Fault::Config(format!("options are no JSON: {error}")))
    };
    let options = asked.options.iter().map(|text| parse(text).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let device =
        |spec: &proto::DeviceSpec| Ok(DeviceSpec { ix: DeviceIx(spec.device), options: parse(&spec.options)? });
    let point = |spec: &proto::PointSpec| {
        let options = options.get(spec.options as usize).cloned();
        Ok(PointSpec {
            ix: PointIx(spec.point),
            device: DeviceIx(spec.device),
            options: options.ok_or_else(|| Fault::Config(format!("there are no options {}", spec.options)))?,
            access: spec.access().into(),
            period: Duration::from_millis(spec.period_ms.into()),
        })
    };
    let devices = asked.devices.iter().map(device).collect::<Result<_, Fault>>()?;
    let points = asked.points.iter().map(point).collect::<Result<_, Fault>>()?;
    Ok((devices, points, asked.split.as_ref().map(Step::from)))
}

impl From<Access> for proto::Access {
    fn from(access: Access) -> Self {
        match access {
            Access::ReadWrite => proto::Access::ReadWrite,
            Access::Read => proto::Access::Read,
            Access::Write => proto::Access::Write,
        }
    }
}

impl From<proto::Access> for Access {
    fn from(access: proto::Access) -> Self {
        match access {
            proto::Access::ReadWrite => Access::ReadWrite,
            proto::Access::Read => Access::Read,
            proto::Access::Write => Access::Write,
        }
    }
}

impl From<&Step> for proto::Step {
    fn from(step: &Step) -> Self {
        proto::Step {
            step: step.id.0,
            device: step.device.0,
            points: step.points.iter().map(|point| point.0).collect(),
            period_ms: millis(step.period),
            wire_time_us: u32::try_from(step.wire_time.as_micros()).unwrap_or(u32::MAX),
        }
    }
}

impl From<&proto::Step> for Step {
    fn from(step: &proto::Step) -> Self {
        Step {
            id: StepIx(step.step),
            device: DeviceIx(step.device),
            points: step.points.iter().copied().map(PointIx).collect(),
            period: Duration::from_millis(step.period_ms.into()),
            wire_time: Duration::from_micros(step.wire_time_us.into()),
        }
    }
}

impl From<&Plan> for proto::Plan {
    fn from(plan: &Plan) -> Self {
        let rejection =
            |(point, reason): &(PointIx, String)| proto::Rejection { point: point.0, reason: reason.clone() };
        proto::Plan {
            steps: plan.steps.iter().map(proto::Step::from).collect(),
            watched: plan.watched.iter().map(|point| point.0).collect(),
            rejected: plan.rejected.iter().map(rejection).collect(),
            concurrency: plan.concurrency.into(),
        }
    }
}

impl From<&proto::Plan> for Plan {
    fn from(plan: &proto::Plan) -> Self {
        let rejection = |one: &proto::Rejection| (PointIx(one.point), one.reason.clone());
        Plan {
            steps: plan.steps.iter().map(Step::from).collect(),
            watched: plan.watched.iter().copied().map(PointIx).collect(),
            rejected: plan.rejected.iter().map(rejection).collect(),
            concurrency: narrow(plan.concurrency),
        }
    }
}

impl From<&LinkInfo> for proto::LinkInfo {
    fn from(info: &LinkInfo) -> Self {
        proto::LinkInfo {
            concurrency: info.concurrency.into(),
            identity: pairs(&info.identity),
            settle_ms: millis(info.settle),
        }
    }
}

impl From<proto::LinkInfo> for LinkInfo {
    fn from(info: proto::LinkInfo) -> Self {
        LinkInfo {
            concurrency: narrow(info.concurrency).max(1),
            identity: info.identity.into_iter().map(|pair| (pair.name, pair.text)).collect(),
            settle: Duration::from_millis(info.settle_ms.into()),
        }
    }
}

fn narrow(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn pairs(pairs: &[(String, String)]) -> Vec<proto::Pair> {
    pairs.iter().map(|(name, text)| proto::Pair { name: name.clone(), text: text.clone() }).collect()
}

impl From<&Discovered> for proto::Found {
    fn from(found: &Discovered) -> Self {
        let offer = found.offer.as_ref().and_then(|offer| serde_json::to_string(offer).ok()).unwrap_or_default();
        proto::Found { options: found.options.to_string(), identity: pairs(&found.identity), offer }
    }
}

/// What was found. What is no JSON becomes text, so that it is seen; an offer that nobody understands is none.
impl From<proto::Found> for Discovered {
    fn from(found: proto::Found) -> Self {
        let options = serde_json::from_str(&found.options).unwrap_or(Json::String(found.options));
        let identity = found.identity.into_iter().map(|pair| (pair.name, pair.text)).collect();
        Discovered { options, identity, offer: serde_json::from_str(&found.offer).ok() }
    }
}

impl From<&Value> for proto::Value {
    fn from(value: &Value) -> Self {
        use proto::value::Value as Said;
        let value = match value {
            Value::Null => None,
            Value::Bool(value) => Some(Said::Bool(*value)),
            Value::Int(value) => Some(Said::Int(*value)),
            Value::Float(value) => Some(Said::Float(*value)),
            Value::Text(text) => Some(Said::Text(text.to_string())),
            Value::Bytes(bytes) => Some(Said::Bytes(bytes.to_vec())),
            nested @ (Value::Array(_) | Value::Struct(_)) => Some(Said::Json(nested.to_json().to_string())),
        };
        proto::Value { value }
    }
}

impl From<proto::Value> for Value {
    fn from(value: proto::Value) -> Self {
        use proto::value::Value as Said;
        match value.value {
            None => Value::Null,
            Some(Said::Bool(value)) => Value::Bool(value),
            Some(Said::Int(value)) => Value::Int(value),
            Some(Said::Float(value)) if !value.is_finite() => Value::Null,
            Some(Said::Float(value)) => Value::Float(value),
            Some(Said::Text(text)) => Value::from(text.as_str()),
            Some(Said::Bytes(bytes)) => Value::Bytes(bytes.into()),
            Some(Said::Json(text)) => serde_json::from_str(&text).map_or(Value::Null, |json| Value::from_json(&json)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_keeps_its_reach() {
        let point = Fault::Point { point: PointIx(7), quality: Quality::BadConfig, reason: "not there".into() };
        let faults = [
            point,
            Fault::Step("a".into()),
            Fault::Busy("b".into()),
            Fault::Device("c".into()),
            Fault::Link("d".into()),
            Fault::Config("e".into()),
        ];
        for said in faults {
            assert_eq!(fault(proto::Fault::from(&said)), said);
        }
        let unsupported = fault(proto::Fault::from(&Fault::Unsupported("browsing")));
        assert!(matches!(unsupported, Fault::Unsupported(_)));
        assert_eq!(fault(proto::Fault::default()), Fault::Device("no reason given".into()));
    }

    #[test]
    fn points_that_are_written_alike_send_their_options_once() {
        let shared = Arc::new(json!({ "at": 1 }));
        let spec = |ix, options: &Arc<Json>| PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(0),
            options: options.clone(),
            access: Access::Read,
            period: Duration::from_millis(250),
        };
        let points =
            [spec(0, &shared), spec(1, &shared), spec(2, &Arc::new(json!({ "at": 1 }))), spec(3, &Arc::new(json!({})))];
        let devices = [DeviceSpec { ix: DeviceIx(0), options: json!({ "unit": 3 }) }];
        let asked = make_plan(5, &devices, &points, None);
        assert_eq!(asked.options, [r#"{"at":1}"#, "{}"]);
        let (devices, back, split) = plan_wanted(&asked).expect("well formed");
        assert_eq!(devices[0].options, json!({ "unit": 3 }));
        assert_eq!(
            back.iter().map(|point| &*point.options).collect::<Vec<_>>(),
            [&*shared, &*shared, &*shared, &json!({})]
        );
        assert_eq!((back[3].access, back[3].period, split), (Access::Read, Duration::from_millis(250), None));
    }

    #[test]
    fn a_plan_comes_back() {
        let step = Step {
            id: StepIx(4),
            device: DeviceIx(2),
            points: vec![PointIx(1)],
            period: Duration::from_secs(1),
            wire_time: Duration::from_micros(314),
        };
        let plan = Plan {
            steps: vec![step],
            watched: vec![PointIx(3)],
            rejected: vec![(PointIx(9), "no such register".into())],
            concurrency: 4,
        };
        assert_eq!(Plan::from(&proto::Plan::from(&plan)), plan);
    }
}
