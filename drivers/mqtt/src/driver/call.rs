//! Calling services: a request on one topic, an answer on another.

use super::open::Open;
use super::waiting::Belongs;
use super::{MqttLink, unlocked};
use crate::client::{Message, Sent};
use crate::config::Version;
use crate::plan::CallTarget;
use bytes::Bytes;
use edgeway_sdk::{Deadline, Fault, Json};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

impl MqttLink {
    pub(super) async fn call_at(&self, target: &CallTarget, input: Json, by: Deadline) -> Result<Json, Fault> {
        let open = self.open_now()?;
        let by = by.min(Instant::now() + target.timeout);
        let id = format!("{:x}{:08x}", self.options.fingerprint, self.calls.fetch_add(1, Relaxed));
        let payload = target.request(input, &id).map_err(Fault::Config)?;
        let mut message =
            Message { topic: target.topic.clone(), payload: payload.into(), qos: self.options.qos, answer: None };
        let Some(response) = &target.response else {
            return self.sent(&open, message, by).await.map(|()| json!({}));
        };
        if let Some(why) = unlocked(&self.shared.unheard).get(response) {
            return Err(Fault::Config(format!("{why}, so nobody would hear the answer and nothing was sent")));
        }
        if self.options.version == Version::V5 {
            message.answer = Some((response.clone(), Bytes::from(id.clone())));
        }
        let belongs = target.belongs(id, self.options.version);
        // A late answer is waited for as long again.
        let answer = self.shared.waiting.answer(response, belongs, by + target.timeout);
        let answer = answer.ok_or_else(|| Fault::Busy("the answer to another call may still come".into()))?;
        self.sent(&open, message, by).await?;
        self.answered(answer, &open, by).await
    }

    async fn sent(&self, open: &Open, message: Message, by: Deadline) -> Result<(), Fault> {
        let topic = message.topic.clone();
        match timeout_at(by, open.broker.publish(message)).await {
            Ok(Ok(Sent::Taken)) => Ok(()),
            Ok(Ok(Sent::Unheard)) => Err(Fault::Busy(format!("nobody listens to `{topic}`, so nothing was done"))),
            Ok(Ok(Sent::Refused(reason))) => Err(Fault::Config(format!("`{topic}`: {reason}"))),
            Ok(Err(_)) => Err(Fault::Link(open.why().await)),
            Err(_) => Err(Fault::Device(format!("the broker has not acknowledged the message to `{topic}`"))),
        }
    }

    async fn answered(&self, answer: oneshot::Receiver<Bytes>, open: &Open, by: Deadline) -> Result<Json, Fault> {
        match timeout_at(by, answer).await {
            Ok(Ok(payload)) => Ok(json_of(&payload)),
            Ok(Err(_)) => Err(Fault::Link(open.why().await)),
            Err(_) => Err(Fault::Device("no answer came in time".into())),
        }
    }
}

impl CallTarget {
    fn belongs(&self, id: String, version: Version) -> Belongs {
        match (&self.correlation, version) {
            (Some(name), _) => Belongs::Field { name: name.clone(), id },
            (None, Version::V5) => Belongs::Correlation(id.into()),
            (None, Version::V3) => Belongs::Next,
        }
    }

    /// The payload of a request.
    fn request(&self, mut input: Json, id: &str) -> Result<String, String> {
        if let (Some(field), Some(object)) = (&self.correlation, input.as_object_mut()) {
            object.insert(field.clone(), Json::from(id));
        }
        match &self.payload {
            Some(template) => filled(template, &input),
            None => Ok(input.to_string()),
        }
    }
}

/// The template with `{name}` for each input: text without its quotes, everything else as in JSON.
fn filled(template: &str, input: &Json) -> Result<String, String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, after)) => {
                let value = input.get(name).ok_or_else(|| format!("the input `{name}` is missing"))?;
                text.push_str(&bare(value));
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Ok(text)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// As it stands between quotes.
fn bare(value: &Json) -> String {
    let text = value.to_string();
    match value {
        Json::String(_) => text[1..text.len() - 1].to_owned(),
        _ => text,
    }
}

/// An answer that is not JSON is a text; what is no object is put into one.
fn json_of(payload: &[u8]) -> Json {
    let json = serde_json::from_slice(payload).unwrap_or_else(|_| Json::from(String::from_utf8_lossy(payload)));
    if json.is_object() { json } else { json!({ "value": json }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_stand_in_the_template_as_in_json() {
        let input = json!({ "mode": "a \"b\"", "level": 7 });
        assert_eq!(
            filled(r#"{"mode": "{mode}", "level": {level}, "x": {}}"#, &input).as_deref(),
            Ok(r#"{"mode": "a \"b\"", "level": 7, "x": {}}"#)
        );
        assert_eq!(filled("{other}", &input), Err("the input `other` is missing".into()));
    }

    #[test]
    fn an_answer_is_an_object() {
        assert_eq!(json_of(br#"{"a": 1}"#), json!({ "a": 1 }));
        assert_eq!(json_of(b"done"), json!({ "value": "done" }));
        assert_eq!(json_of(b"7"), json!({ "value": 7 }));
    }
}
