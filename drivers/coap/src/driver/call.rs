//! Calling a service.

use super::fault;
use crate::codec::{self, Answer, Told};
use crate::config::{DeviceOptions, Service};
use crate::transfer;
use crate::wire::Wire;
use coap_lite::CoapOption;
use edgeway_payload::{Document, Format, Mapping, Options};
use edgeway_sdk::{Access, Deadline, Fault, Json, Timestamp, Value};

/// Calls a service of a device, and returns what it says.
///
/// # Errors
/// A [`Fault`], as for a write.
pub(super) async fn run(
    wire: &Wire,
    device: &DeviceOptions,
    name: &str,
    input: &Json,
    by: Deadline,
) -> Result<Json, Fault> {
    let service = device.services.get(name);
    let service = service.ok_or_else(|| Fault::Config(format!("the device has no `services.{name}`")))?;
    let payload = payload(service, input).map_err(Fault::Step)?;
    let path = device.path.join(&service.path);
    let mut question = codec::question(service.method.request(), &path, &service.query, None);
    if !payload.is_empty() {
        question.add_option(CoapOption::ContentFormat, codec::number(service.format.coap().into()));
    }
    let connection = wire.connection().map_err(fault::of_wire)?;
    let answer = transfer::submit(&connection, &question, &payload, by).await;
    Ok(output(&answer.map_err(|trouble| fault::of_write(trouble, &path.to_string(), None))?))
}

/// What is sent: the inputs in the place that the payload has for them, or all of them.
fn payload(service: &Service, input: &Json) -> Result<Vec<u8>, String> {
    let inputs = input.as_object();
    let Some(text) = &service.payload else {
        if inputs.is_none_or(serde_json::Map::is_empty) {
            return Ok(vec![]);
        }
        let options = Options { format: service.format, ..Options::default() };
        let mapping = Mapping::new(&options, Access::ReadWrite, &mut vec![]).ok_or("it has no payload")?;
        return mapping.encode(&Value::from_json(input));
    };
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        // A brace that does not hold a name is one of the text.
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        match name {
            Some(name) => {
                let value = inputs.and_then(|inputs| inputs.get(name));
                let value = value.ok_or_else(|| format!("the input `{name}` is missing"))?;
                filled.push_str(&spelt(value, service.format));
                rest = &after[name.len() + 1..];
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled.into_bytes())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Text stands without quotes in text, and with them in JSON.
fn spelt(value: &Json, format: Format) -> String {
    match value {
        Json::String(text) if format == Format::Text => text.clone(),
        value => value.to_string(),
    }
}

/// What the device says, as JSON; nothing if it says nothing that can be read.
fn output(answer: &Answer) -> Json {
    let format = match answer.format {
        Told::Known(Format::Binary) | Told::Other(_) => return Json::Null,
        Told::Known(format) => format,
        Told::Nothing if answer.payload.is_empty() => return Json::Null,
        Told::Nothing => Format::Json,
    };
    let read = |format: Format| {
        let options = Options { format, ..Options::default() };
        let mapping = Mapping::new(&options, Access::Read, &mut vec![])?;
        let document = Document::parse(format, &answer.payload, Timestamp::now()).ok()?;
        mapping.read(&document).map(|reading| reading.value.to_json())
    };
    read(format).or_else(|| read(Format::Text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(service: Json, input: Json) -> Result<String, String> {
        let device = DeviceOptions::parse(&json!({ "services": { "s": service } })).expect("valid");
        payload(&device.services["s"], &input).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn inputs_are_sent_in_their_places_or_all_together() {
        let input = || json!({ "seconds": 5, "who": "me" });
        let text = json!({ "path": "x", "format": "text", "payload": "{seconds} {who} {}" });
        assert_eq!(sent(text.clone(), input()).as_deref(), Ok("5 me {}"));
        let object = json!({ "path": "x", "payload": r#"{ "s": {seconds}, "w": {who} }"# });
        assert_eq!(sent(object, input()).as_deref(), Ok(r#"{ "s": 5, "w": "me" }"#));
        assert_eq!(sent(json!({ "path": "x" }), input()).as_deref(), Ok(r#"{"seconds":5,"who":"me"}"#));
        assert_eq!(sent(json!({ "path": "x" }), json!({})).as_deref(), Ok(""));
        assert_eq!(sent(text, json!({})), Err("the input `seconds` is missing".into()));
    }
}
