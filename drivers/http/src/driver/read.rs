//! Reading a resource: one request, the values of all its points.

use crate::codec;
use crate::config::Unchanged;
use crate::plan::{Named, Resource};
use crate::status::{self, Read};
use crate::wire::{Answer, Question, Wire};
use edgeway_payload::Document;
use edgeway_sdk::{Batch, Deadline, Fault};
use reqwest::header::{ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use std::sync::MutexGuard;

/// Asks for a resource and pushes the values of its points.
pub(super) async fn run(wire: &Wire, resource: &Resource, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
    let before = resource.kept().clone();
    let unless = before.as_ref().map(|named| named.unless.clone());
    let question = Question { unless, ..Question::get(&resource.url, &resource.headers) };
    let answer = wire.ask(&question, by).await.map_err(|failure| failure.of_read())?;
    match (status::of_read(answer.status, &answer.headers), before) {
        (Read::Payload, _) => resource.take(wire, &answer, out),
        (Read::Unchanged, Some(named)) => {
            wire.counters().unchanged.add();
            codec::push(&resource.items, named.readings.iter().cloned(), answer.received, out);
            Ok(())
        }
        (Read::Unchanged, None) => Err(resource.failed(&answer, ", which was not asked")),
        // Its points stand or fall together.
        (Read::Refused, _) => Err(Fault::Step(format!("{} answered {}", resource.url, answer.said()))),
        (Read::NotNow, _) => Err(Fault::Busy(format!("{}: {}", resource.url, answer.said()))),
        (Read::Failed(advice), _) => Err(resource.failed(&answer, advice)),
    }
}

impl Resource {
    fn take(&self, wire: &Wire, answer: &Answer, out: &mut Batch) -> Result<(), Fault> {
        let document = Document::parse(self.format, &answer.body, answer.received).map_err(|error| {
            wire.counters().unreadable.add();
            self.forget();
            Fault::Device(format!("{}: {error}", self.url))
        })?;
        let readings = codec::read(&self.items, &document);
        out.reasons.extend(codec::misfits(&self.items, &readings, &document));
        match name(answer).filter(|_| self.unchanged == Unchanged::Ask) {
            None => {
                self.forget();
                codec::push(&self.items, readings.into_iter(), answer.received, out);
            }
            Some(unless) => {
                codec::push(&self.items, readings.iter().cloned(), answer.received, out);
                *self.kept() = Some(Named { unless, readings: readings.into() });
            }
        }
        Ok(())
    }

    fn failed(&self, answer: &Answer, advice: &str) -> Fault {
        Fault::Device(format!("{} answered {}{advice}", self.url, answer.said()))
    }

    pub(super) fn forget(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<Named>> {
        self.kept.lock().expect("no thread panics while it holds this lock")
    }
}

/// The header that asks whether what was answered is still so (RFC 9110, section 13.1).
fn name(answer: &Answer) -> Option<(HeaderName, HeaderValue)> {
    if let Some(tag) = answer.headers.get(ETAG) {
        return Some((IF_NONE_MATCH, tag.clone()));
    }
    let modified = answer.headers.get(LAST_MODIFIED).filter(|_| status::is_exact(&answer.headers))?;
    Some((IF_MODIFIED_SINCE, modified.clone()))
}
