//! The edge node: its topics, and the numbers that its messages bear.

use super::metric::{number_metric, switch_metric, text_metric, unsigned};
use crate::Surroundings;
use bytes::Bytes;
use edgeway_sdk::Timestamp;
use edgeway_sparkplug::{Metric, MetricValue, Payload};
use prost::Message as _;
use std::sync::Arc;

const REBIRTH: &str = "Node Control/Rebirth";
const NAMESPACE: &str = "spBv1.0";
/// `bdSeq` and `seq` count 0 to 255 and begin anew.
const NUMBERS: i64 = 256;

/// What the node says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Birth,
    Data,
    Death,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Verb::Birth => "DBIRTH",
            Verb::Data => "DDATA",
            Verb::Death => "DDEATH",
        }
    }
}

/// The edge node of one route.
pub(super) struct Node {
    group: String,
    name: String,
    gateway: Arc<str>,
    site: Arc<str>,
    /// Of the session that the last will began.
    bd_seq: u8,
    /// Of the next message.
    seq: u8,
    /// The latest time heard of, in milliseconds.
    now_ms: i64,
}

impl Node {
    pub(super) fn new(group: &str, name: &str, around: &Surroundings, started: Timestamp) -> Self {
        let seconds = started.as_millis().div_euclid(1000);
        Node {
            group: level(group),
            name: level(name),
            gateway: around.gateway.clone(),
            site: around.site.clone(),
            bd_seq: seconds.rem_euclid(NUMBERS) as u8,
            seq: 0,
            now_ms: started.as_millis(),
        }
    }

    /// NDEATH; begins a session.
    pub(super) fn will(&mut self) -> (String, Bytes) {
        self.bd_seq = self.bd_seq.wrapping_add(1);
        let metrics = vec![self.session(self.now_ms)];
        let payload = Payload { timestamp: Some(unsigned(self.now_ms)), metrics, seq: None };
        (self.topic("NDEATH"), payload.encode_to_vec().into())
    }

    /// NBIRTH; numbers the messages from 0 again.
    pub(super) fn birth(&mut self, time_ms: i64) -> (String, Bytes) {
        self.seq = 0;
        self.now_ms = time_ms;
        let metrics = vec![
            self.session(time_ms),
            switch_metric(REBIRTH, time_ms),
            text_metric("Properties/Gateway", &self.gateway, time_ms),
            text_metric("Properties/Site", &self.site, time_ms),
        ];
        (self.topic("NBIRTH"), self.numbered(metrics, time_ms))
    }

    /// A message about a device.
    pub(super) fn of_device(
        &mut self,
        verb: Verb,
        device: &str,
        metrics: Vec<Metric>,
        time_ms: i64,
    ) -> (String, Bytes) {
        let topic = format!("{}/{}", self.topic(verb.as_str()), level(device));
        (topic, self.numbered(metrics, time_ms))
    }

    /// The topic of NCMD.
    pub(super) fn commands(&self) -> String {
        self.topic("NCMD")
    }

    fn session(&self, time_ms: i64) -> Metric {
        number_metric("bdSeq", self.bd_seq.into(), time_ms)
    }

    fn numbered(&mut self, metrics: Vec<Metric>, time_ms: i64) -> Bytes {
        let payload = Payload { timestamp: Some(unsigned(time_ms)), metrics, seq: Some(self.seq.into()) };
        self.seq = self.seq.wrapping_add(1);
        payload.encode_to_vec().into()
    }

    fn topic(&self, verb: &str) -> String {
        format!("{NAMESPACE}/{}/{verb}/{}", self.group, self.name)
    }
}

/// Whether the payload of an NCMD asks for all births again.
pub(super) fn asks_for_rebirth(payload: &[u8]) -> bool {
    let Ok(payload) = Payload::decode(payload) else { return false };
    let asks =
        |metric: &Metric| metric.name.as_deref() == Some(REBIRTH) && metric.value == Some(MetricValue::Boolean(true));
    payload.metrics.iter().any(asks)
}

/// A name as a level of a topic: the characters that MQTT reserves become `_`.
fn level(name: &str) -> String {
    name.replace(['/', '+', '#'], "_")
}
