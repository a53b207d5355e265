//! Commands from the cloud: a subscribed topic for each MQTT target that has one.
//!
//! Form of a command, on the topic of its device:
//!
//! ```json
//! {"id": "7f3a", "set": {"power_limit": 1500}, "within": "5s"}
//! {"id": "7f3b", "invoke": "stop", "input": {"mode": "normal"}, "deadline": "2026-11-23T09:00:05Z"}
//! ```
//!
//! `id` makes a repeat harmless; without `within` or `deadline` a command may take [`WITHIN_DEFAULT`]. The result goes to
//! the topic for replies, in the form of a command message, and into the journal like every other.

use crate::desk::{Desk, Request, Wanted};
use crate::targets::{Incoming, MqttClient, MqttSettings};
use edgeway_sdk::{DeviceIx, Timestamp, Value, options};
use edgeway_site::MqttTarget;
use edgeway_thing_models::{CommandState, Origin, Things};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a command may take if it does not say so.
const WITHIN_DEFAULT: Duration = Duration::from_secs(10);
/// The longest that a command may take: what it is about has to be remembered until then.
const WITHIN_MOST: Duration = Duration::from_secs(3600);
/// Backoff between attempts to reach the broker: this, doubled each time ...
const RECONNECT_FIRST: Duration = Duration::from_millis(500);
/// ... up to this.
const RECONNECT_MOST: Duration = Duration::from_secs(15);

/// The task that takes commands from one target.
pub(crate) struct Downlink {
    target: Arc<str>,
    site: MqttTarget,
    /// With `{device}` still in them.
    commands: String,
    replies: Option<String>,
    things: Arc<Things>,
    desk: Arc<Desk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    id: Option<Arc<str>>,
    set: Option<serde_json::Map<String, serde_json::Value>>,
    invoke: Option<Arc<str>>,
    #[serde(default)]
    input: serde_json::Map<String, serde_json::Value>,
    within: Option<String>,
    deadline: Option<String>,
}

impl Downlink {
    /// The task of a target, if the target takes commands.
    pub(crate) fn new(target: Arc<str>, site: MqttTarget, things: Arc<Things>, desk: Arc<Desk>) -> Option<Self> {
        let commands = site.commands.clone()?;
        let replies = site.replies.clone();
        Some(Downlink { target, site, commands, replies, things, desk })
    }

    /// Takes commands until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let this = Arc::new(self);
        let mut pause = RECONNECT_FIRST;
        let mut told = false;
        loop {
            match this.connect().await {
                Ok((client, incoming)) => {
                    (pause, told) = (RECONNECT_FIRST, false);
                    info!(target_name = %this.target, "Commands from the cloud are taken.");
                    let client = Arc::new(client);
                    let stopped = this.clone().serve(client.clone(), incoming, &stop).await;
                    if stopped {
                        if let Some(client) = Arc::into_inner(client) {
                            client.close().await;
                        }
                        return;
                    }
                }
                Err(error) if !told => {
                    told = true;
                    warn!(target_name = %this.target, %error, "No commands can come from the cloud.");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(RECONNECT_MOST),
            }
        }
    }

    async fn connect(&self) -> Result<(MqttClient, mpsc::Receiver<Incoming>), String> {
        let settings = MqttSettings::new("commands", &self.site).map_err(|error| error.to_string())?;
        MqttClient::connect(settings, Some(&self.commands.replace("{device}", "+"))).await
    }

    /// True if told to stop, false if the connection ended.
    async fn serve(
        self: Arc<Self>,
        client: Arc<MqttClient>,
        mut incoming: mpsc::Receiver<Incoming>,
        stop: &CancellationToken,
    ) -> bool {
        loop {
            let command = tokio::select! {
                () = stop.cancelled() => return true,
                command = incoming.recv() => command,
            };
            let Some(command) = command else { return false };
            // A command that takes long must not hold up the next one.
            tokio::spawn(self.clone().answer(client.clone(), command));
        }
    }

    async fn answer(self: Arc<Self>, client: Arc<MqttClient>, incoming: Incoming) {
        let Some(name) = between(&incoming.topic, &self.commands) else { return };
        let id = serde_json::from_slice::<serde_json::Value>(&incoming.payload)
            .ok()
            .and_then(|json| Some(json.get("id")?.clone()));
        let state = match self.request(name, &incoming.payload) {
            Ok(request) => self.desk.submit(request).result().await,
            Err(reason) => CommandState::Refused { reason: reason.into() },
        };
        let Some(replies) = &self.replies else { return };
        let reply = reply(name, id, &state);
        match client.publish(&replies.replace("{device}", name), reply.into()).await {
            Ok(notice) => drop(notice.await),
            Err(error) => {
                warn!(target_name = %self.target, %error, "A command's result could not be sent; it is in the journal.")
            }
        }
    }

    fn request(&self, device: &str, payload: &[u8]) -> Result<Request, String> {
        let device = self.device(device)?;
        let wire: Wire = serde_json::from_slice(payload).map_err(|error| format!("not a command: {error}"))?;
        let wanted = match (wire.set, wire.invoke) {
            (Some(set), None) => one(set)?,
            (None, Some(service)) => {
                let input =
                    wire.input.iter().map(|(name, value)| (name.as_str().into(), Value::from_json(value))).collect();
                Wanted::Invoke { service, input }
            }
            _ => return Err("a command needs either `set` or `invoke`".into()),
        };
        let within = within(wire.within.as_deref(), wire.deadline.as_deref())?;
        let origin = Origin::Cloud { target: self.target.clone() };
        Ok(Request { id: wire.id, device, wanted, origin, within, caused_at: None })
    }

    fn device(&self, name: &str) -> Result<DeviceIx, String> {
        let found = self.things.device_ix(name);
        found.ok_or_else(|| {
            let known = self.things.current_devices().map(|(_, device)| &*device.id);
            let advice = edgeway_sdk::did_you_mean(name, known).unwrap_or_default();
            format!("there is no device `{name}`; {advice}")
        })
    }
}

fn one(set: serde_json::Map<String, serde_json::Value>) -> Result<Wanted, String> {
    let mut set = set.into_iter();
    match (set.next(), set.next()) {
        (Some((property, value)), None) => {
            Ok(Wanted::Set { property: property.into(), value: Value::from_json(&value) })
        }
        _ => Err("`set` takes exactly one property; send one command for each".into()),
    }
}

fn within(within: Option<&str>, deadline: Option<&str>) -> Result<Duration, String> {
    let asked = match (within, deadline) {
        (None, None) => WITHIN_DEFAULT,
        (Some(text), None) => {
            options::duration::parse(text).ok_or_else(|| format!("`{text}` is not a duration; write \"5s\""))?
        }
        (None, Some(text)) => {
            let time = Timestamp::parse(text)
                .ok_or_else(|| format!("`{text}` is not a time; write \"2026-11-23T09:00:05Z\""))?;
            time.since(Timestamp::now())
        }
        (Some(_), Some(_)) => return Err("give either `within` or `deadline`".into()),
    };
    Ok(asked.min(WITHIN_MOST))
}

/// The part of a topic that stands where the template says `{device}`.
fn between<'t>(topic: &'t str, template: &str) -> Option<&'t str> {
    let (before, after) = template.split_once("{device}")?;
    topic.strip_prefix(before)?.strip_suffix(after)
}

fn reply(device: &str, id: Option<serde_json::Value>, state: &CommandState) -> Vec<u8> {
    let mut reply = serde_json::json!({"device": device, "command": id, "state": state.as_str()});
    if let Some(reason) = state.reason() {
        reply["reason"] = reason.into();
    }
    if let CommandState::Applied { result: Some(value) } = state {
        reply["result"] = value.to_json();
    }
    reply.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_read_from_the_topic() {
        assert_eq!(between("edgeway/farm/command/wt-07", "edgeway/farm/command/{device}"), Some("wt-07"));
        assert_eq!(between("a/wt-07/do", "a/{device}/do"), Some("wt-07"));
        assert_eq!(between("elsewhere", "a/{device}"), None);
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_no_time() {
        assert_eq!(within(None, Some("2020-01-01T00:00:00Z")), Ok(Duration::ZERO));
        assert_eq!(within(Some("5s"), None), Ok(Duration::from_secs(5)));
        assert!(within(Some("5"), None).is_err());
        assert!(within(Some("5s"), Some("2020-01-01T00:00:00Z")).is_err());
    }

    #[test]
    fn a_result_is_told_with_its_reason() {
        let state = CommandState::Refused { reason: "no".into() };
        let reply: serde_json::Value = serde_json::from_slice(&reply("wt", Some("a".into()), &state)).expect("JSON");
        assert_eq!(reply, serde_json::json!({"device": "wt", "command": "a", "state": "refused", "reason": "no"}));
    }
}
