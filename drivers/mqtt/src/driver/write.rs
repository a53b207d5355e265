//! Writing points.

use super::MqttLink;
use super::open::Open;
use crate::client::{Message, Sent};
use crate::config::{Confirm, Edge, Mapped};
use crate::plan::Target;
use crate::sparkplug;
use edgeway_sdk::{Deadline, Fault, PointIx, Quality, Timestamp, Value, WriteOp};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Numbers that differ by less than this part of themselves are the same: a device's float is narrower than ours.
const SAME_WITHIN: f64 = 1e-6;

impl MqttLink {
    pub(super) async fn write_to(&self, target: &Target, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let unfit = |reason: String| Fault::Point { point: op.point, quality: Quality::BadOutOfRange, reason };
        let open = self.open_now()?;
        let (message, confirm) = match target {
            Target::Topic { topic, mapped } => (self.message(topic, mapped, &op.value).map_err(unfit)?, mapped.confirm),
            Target::Metric { edge, name, confirm } => (self.command(edge, name, op)?, *confirm),
        };
        let by = by.min(Instant::now() + self.options.timeout);
        // It listens before it speaks: the answer may be quick.
        let states = (confirm == Confirm::State).then(|| self.shared.waiting.states(op.point));
        self.send(&open, message, op.point, by).await?;
        match states {
            None => Ok(None),
            Some(states) => confirmed(states, &op.value, by, self.options.timeout).await.map(Some),
        }
    }

    fn message(&self, topic: &str, mapped: &Mapped, value: &Value) -> Result<Message, String> {
        let payload = mapped.mapping.encode(value)?.into();
        Ok(Message { topic: topic.to_owned(), payload, qos: self.options.qos, answer: None })
    }

    fn command(&self, edge: &Edge, name: &str, op: &WriteOp) -> Result<Message, Fault> {
        let key = (edge.group.clone(), edge.node.clone());
        let data_type = self.shared.nodes().get(&key).and_then(|node| node.data_type(edge, name));
        let data_type = data_type.ok_or_else(|| Fault::Point {
            point: op.point,
            quality: Quality::BadNotConnected,
            reason: format!("no birth has told of `{name}`, so nothing was sent"),
        })?;
        let payload = sparkplug::command(name, data_type, &op.value, Timestamp::now());
        let unfit = |reason| Fault::Point { point: op.point, quality: Quality::BadOutOfRange, reason };
        let (topic, payload) = (sparkplug::command_topic(edge), payload.map_err(unfit)?.into());
        // The specification has commands with QoS 0 (section 6.4.21).
        Ok(Message { topic, payload, qos: crate::config::Qos::AtMostOnce, answer: None })
    }

    async fn send(&self, open: &Open, message: Message, point: PointIx, by: Deadline) -> Result<(), Fault> {
        let topic = message.topic.clone();
        let refused = |quality, reason: String| Fault::Point { point, quality, reason };
        match timeout_at(by, open.broker.publish(message)).await {
            Ok(Ok(Sent::Taken)) => Ok(()),
            Ok(Ok(Sent::Unheard)) => {
                let reason = format!("nobody listens to `{topic}`, so nothing was written");
                Err(refused(Quality::BadNotConnected, reason))
            }
            Ok(Ok(Sent::Refused(reason))) => Err(refused(Quality::BadConfig, format!("`{topic}`: {reason}"))),
            Ok(Err(_)) => Err(Fault::Link(open.why().await)),
            Err(_) => Err(Fault::Device(format!("the broker has not acknowledged the message to `{topic}`"))),
        }
    }
}

/// What the device tells after the write: as soon as it is what was written, else the last that has come in time.
async fn confirmed(
    mut states: mpsc::Receiver<Value>,
    written: &Value,
    by: Deadline,
    timeout: Duration,
) -> Result<Value, Fault> {
    let mut last = None;
    while let Ok(Some(state)) = timeout_at(by, states.recv()).await {
        if same(written, &state) {
            return Ok(state);
        }
        last = Some(state);
    }
    last.ok_or_else(|| Fault::Device(format!("the device has told no state within {timeout:?} of the write")))
}

fn same(written: &Value, told: &Value) -> bool {
    match (written.as_f64(), told.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= SAME_WITHIN * a.abs().max(1.0),
        _ => written == told,
    }
}
