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
//! the topic for replies: `{"device": "wt-07", "command": "7f3a", "state": "applied", "result": 1500}`, with a `reason`
//! unless it was applied. It goes into the journal like every other.
//!
//! Commands are not kept for a gateway that is away: the broker is told to forget the session, and a retained command is
//! refused. Whoever sends a command and hears nothing knows that it was not taken.

use crate::app::Part;
use crate::backoff::Backoff;
use crate::desk::{Desk, Request, Wanted};
use async_trait::async_trait;
use edgeway_sdk::{DeviceIx, Timestamp, Value, options};
use edgeway_site::MqttTarget;
use edgeway_targets::{Incoming, MqttClient, MqttSettings, TargetError};
use edgeway_thing_models::{CommandState, Origin, Things};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a command may take if it does not say so.
const WITHIN_DEFAULT: Duration = Duration::from_secs(10);
/// The longest that a command may take: what it is about has to be remembered until then.
const WITHIN_MOST: Duration = Duration::from_secs(3600);
/// The most commands of one target that are under way at a time; more are dropped and counted: their sender hears nothing.
const UNDER_WAY_MAX: usize = 256;
/// How long sending a reply may take. The result is in the journal all the same.
const REPLY_WITHIN: Duration = Duration::from_secs(5);
/// The longest id of a command, in bytes.
const ID_BYTES_MAX: usize = 128;

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

#[async_trait]
impl Part for Arc<Downlink> {
    fn name(&self) -> String {
        format!("commands from {}", self.target)
    }

    async fn run(&mut self, stop: CancellationToken) {
        Downlink::run_until(self.clone(), &stop).await;
    }
}

impl Downlink {
    /// The task of a target, if the target takes commands.
    pub(crate) fn new(target: Arc<str>, site: MqttTarget, things: Arc<Things>, desk: Arc<Desk>) -> Option<Arc<Self>> {
        let commands = site.commands.clone()?;
        let replies = site.replies.clone();
        Some(Arc::new(Downlink { target, site, commands, replies, things, desk }))
    }

    /// Takes commands until told to stop.
    async fn run_until(this: Arc<Self>, stop: &CancellationToken) {
        let mut backoff = Backoff::new();
        let mut told = false;
        loop {
            match this.connect().await {
                Ok((client, incoming)) => {
                    (backoff, told) = (Backoff::new(), false);
                    info!(target_name = %this.target, "Commands from the cloud are taken.");
                    let client = Arc::new(client);
                    let stopped = this.clone().serve(client.clone(), incoming, stop).await;
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
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
    }

    async fn connect(&self) -> Result<(MqttClient, mpsc::Receiver<Incoming>), TargetError> {
        let settings = MqttSettings::new("commands", &self.site)?;
        MqttClient::connect(settings, Some(&self.commands.replace("{device}", "+"))).await
    }

    /// True if told to stop, false if the connection ended.
    async fn serve(
        self: Arc<Self>,
        client: Arc<MqttClient>,
        mut incoming: mpsc::Receiver<Incoming>,
        stop: &CancellationToken,
    ) -> bool {
        let permits = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        loop {
            let command = tokio::select! {
                () = stop.cancelled() => return true,
                command = incoming.recv() => command,
            };
            let Some(command) = command else { return false };
            // A command that takes long must not hold up the next one.
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                metrics::counter!("edgeway_commands_dropped_total").increment(1);
                continue;
            };
            let answer = self.clone().answer(client.clone(), command);
            tokio::spawn(async move {
                answer.await;
                drop(permit);
            });
        }
    }

    async fn answer(self: Arc<Self>, client: Arc<MqttClient>, incoming: Incoming) {
        let Some(name) = between(&incoming.topic, &self.commands) else { return };
        let id = serde_json::from_slice::<serde_json::Value>(&incoming.payload)
            .ok()
            .and_then(|json| Some(json.get("id")?.clone()));
        let request = match incoming.retained {
            false => self.request(name, &incoming.payload),
            true => Err("a retained command is not carried out: nobody knows how old it is".to_owned()),
        };
        let state = match request {
            Ok(request) => self.desk.submit(request).result().await,
            Err(reason) => CommandState::Refused { reason: reason.into() },
        };
        let Some(replies) = &self.replies else { return };
        let reply = reply(name, id, &state);
        let topic = replies.replace("{device}", name);
        let sent = async { client.publish(&topic, reply.into()).await?.await };
        let sent = tokio::time::timeout(REPLY_WITHIN, sent)
            .await
            .unwrap_or_else(|_| Err(TargetError::Away("no answer".to_owned())));
        if let Err(error) = sent {
            warn!(target_name = %self.target, %error, "A command's result could not be sent; it is in the journal.");
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
        if wire.id.as_ref().is_some_and(|id| id.is_empty() || id.len() > ID_BYTES_MAX) {
            return Err(format!("a command's id has 1 to {ID_BYTES_MAX} bytes"));
        }
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
