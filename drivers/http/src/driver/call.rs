//! Calling a service: one request, and what is in its answer.

use crate::config::{Service, ServiceMethod, joined};
use crate::plan::Device;
use crate::status::{self, Written};
use crate::wire::{Answer, Question, Wire};
use edgeway_payload::{Document, Format, Mapping, Options};
use edgeway_sdk::{Access, Deadline, Fault, Json, did_you_mean};
use reqwest::Url;

/// Calls a service.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether it was done.
pub(super) async fn run(wire: &Wire, device: &Device, name: &str, input: &Json, by: Deadline) -> Result<Json, Fault> {
    let service = device.options.services.get(name).ok_or_else(|| unknown(device, name))?;
    let (url, payload) = (service.url(device, input)?, service.body(input)?);
    let body = payload.as_ref().map(|text| (text.as_bytes(), Format::Json.media_type()));
    let question = Question::send(service.method, &url, &device.headers, body);
    let answer = wire.ask(&question, by).await.map_err(|failure| failure.of_write())?;
    let said = || format!("{url} answered {}", answer.said());
    match status::of_write(answer.status, &answer.headers) {
        Written::Done | Written::Accepted => service.result(&answer, &url),
        Written::Refused => Err(Fault::Step(said())),
        Written::NotNow => Err(Fault::Busy(said())),
        Written::Unknown => Err(Fault::Device(said())),
    }
}

fn unknown(device: &Device, name: &str) -> Fault {
    let known = device.options.services.keys().map(String::as_str);
    let help = did_you_mean(name, known).map_or(String::new(), |help| format!(" ({help})"));
    Fault::Config(format!("the device has no service `{name}` under `services`{help}"))
}

impl Service {
    fn url(&self, device: &Device, input: &Json) -> Result<Url, Fault> {
        let path = self.path.fill(|name| segment(name, given(input, name)?))?;
        Ok(joined(&device.url, &[&path]))
    }

    fn body(&self, input: &Json) -> Result<Option<String>, Fault> {
        match (&self.payload, self.method) {
            (Some(template), _) => template.fill(|name| given(input, name).map(Json::to_string)).map(Some),
            (None, ServiceMethod::Get | ServiceMethod::Delete) => Ok(None),
            (None, _) => Ok(Some(input.to_string())),
        }
    }

    /// The service was called, so an answer that cannot be read undoes nothing; it is said all the same.
    fn result(&self, answer: &Answer, url: &Url) -> Result<Json, Fault> {
        let unreadable = |reason: String| Fault::Device(format!("{url} did it, and answered something else: {reason}"));
        match (&self.output, Document::parse(Format::Json, &answer.body, answer.received)) {
            (Some(output), Ok(document)) => {
                let reading = output.read(&document).ok_or_else(|| unreadable("there is no `output` in it".into()))?;
                Ok(reading.value.to_json())
            }
            (Some(_), Err(error)) => Err(unreadable(error.to_string())),
            (None, Ok(document)) => Ok(whole().read(&document).map_or(Json::Null, |reading| reading.value.to_json())),
            // What is no JSON is text, or nothing that can be handed on.
            (None, Err(_)) => Ok(text(&answer.body)),
        }
    }
}

/// All of an answer.
fn whole() -> Mapping {
    Mapping::new(&Options::default(), Access::Read, &mut vec![]).expect("nothing is wrong with no options")
}

fn text(body: &[u8]) -> Json {
    match String::from_utf8_lossy(body).trim() {
        "" => Json::Null,
        text => Json::from(text),
    }
}

fn given<'i>(input: &'i Json, name: &str) -> Result<&'i Json, Fault> {
    let missing = || Fault::Config(format!("the service wants `{{{name}}}`, and there is no such input"));
    input.get(name).ok_or_else(missing)
}

/// An input as one part of a path: what would be more is written with percent signs. What would be none, or another resource, is
/// refused.
fn segment(name: &str, input: &Json) -> Result<String, Fault> {
    let text = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
    if matches!(text.as_str(), "" | "." | "..") || text.contains(char::is_control) {
        return Err(Fault::Config(format!(
            "the input `{name}` is {input}, which is no part of a path (a name or a number, on one line)"
        )));
    }
    let mut url = Url::parse("http://x").expect("an address");
    url.path_segments_mut().expect("it has a path").push(&text);
    Ok(url.path().trim_start_matches('/').to_owned())
}
