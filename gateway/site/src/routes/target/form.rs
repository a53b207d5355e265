//! What a target wants of its routes: topics, formats, sizes. Defaults and limits in one place.

use super::super::format::Word;
use super::mqtt::preset;
use crate::site::{MqttPreset, MqttTarget, TargetKind};
use std::time::Duration;

const TOPIC: &str = "edgeway/{site}/{subject}";
/// Kafka has few topics, and many devices in each.
const TOPIC_KAFKA: &str = "edgeway.{site}.{kind}";
/// One message in a payload.
const SINGLE: (usize, Duration) = (1, Duration::ZERO);
const REQUEST: (usize, Duration) = (100, Duration::from_millis(500));
const ROWS: (usize, Duration) = (1000, Duration::from_secs(1));

/// What a target wants of its routes.
pub(in super::super) struct Form {
    /// What it is, in messages.
    pub(in super::super) noun: &'static str,
    /// The topic of routes that name none; `None`: there are no topics.
    pub(in super::super) topic: Option<String>,
    /// The format of routes that name none.
    pub(in super::super) format: Word,
    /// The template of routes that bring none.
    pub(in super::super) template: Option<&'static str>,
    pub(in super::super) accepts: Accepts,
    /// The most messages in one payload, and how long they are waited for, unless the route says more.
    pub(in super::super) batch: (usize, Duration),
}

/// What a target can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Accepts {
    /// Any bytes.
    Bytes,
    /// Lines of text.
    Lines,
    /// Rows of tables, without any format.
    Tables,
}

impl Default for Form {
    fn default() -> Self {
        Form {
            noun: "this target",
            topic: Some(TOPIC.to_owned()),
            format: Word::Json,
            template: None,
            accepts: Accepts::Bytes,
            batch: SINGLE,
        }
    }
}

impl Form {
    pub(in super::super) fn of(kind: &TargetKind) -> Self {
        match kind {
            TargetKind::Mqtt(mqtt) => Self::mqtt(mqtt),
            TargetKind::Http(_) => Form { noun: "a web service", topic: None, batch: REQUEST, ..Form::default() },
            TargetKind::Nats(_) => Form { noun: "NATS", ..Form::default() },
            TargetKind::Kafka(_) => Form { noun: "Kafka", topic: Some(TOPIC_KAFKA.to_owned()), ..Form::default() },
            TargetKind::Postgres(_) => Self::tables("a database"),
            TargetKind::Parquet(_) => Self::tables("a folder of Parquet files"),
            TargetKind::File(_) => Self::lines("a file"),
            TargetKind::Stdout => Self::lines("standard output"),
        }
    }

    fn mqtt(mqtt: &MqttTarget) -> Self {
        let plain = Form { noun: "an MQTT broker", ..Form::default() };
        match mqtt.preset {
            MqttPreset::Generic => plain,
            MqttPreset::Alink => Form { format: Word::Alink, ..plain },
            MqttPreset::AwsIot => Form { topic: Some(preset::TOPIC_AWS.to_owned()), ..plain },
            MqttPreset::AzureIotHub => Form { topic: Some(preset::topic_azure(&mqtt.client_id)), ..plain },
            MqttPreset::ThingsBoard => Form {
                topic: Some(preset::TOPIC_THINGSBOARD.to_owned()),
                format: Word::Template,
                template: Some(preset::TEMPLATE_THINGSBOARD),
                ..plain
            },
        }
    }

    fn tables(noun: &'static str) -> Self {
        Form { noun, topic: None, accepts: Accepts::Tables, batch: ROWS, ..Form::default() }
    }

    fn lines(noun: &'static str) -> Self {
        Form { noun, topic: None, accepts: Accepts::Lines, ..Form::default() }
    }
}
