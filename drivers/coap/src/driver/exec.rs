//! Reading a resource.

use super::fault;
use crate::codec::{Answer, Told};
use crate::plan::Resource;
use crate::reading::{self, Payload};
use crate::transfer::{self, Trouble};
use crate::wire::{Failure, Wire};
use coap_lite::{CoapOption, ResponseType};
use edgeway_sdk::{Batch, Deadline, Fault, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard};

/// A resource that is polled.
pub(super) struct Reading {
    resource: Resource,
    /// What it held last, if it can be asked whether it still does (RFC 7252 section 5.6.2).
    last: Mutex<Option<Arc<Last>>>,
}

struct Last {
    etag: Vec<u8>,
    payload: Vec<u8>,
    told: Told,
    received: Timestamp,
}

impl Reading {
    pub(super) fn new(resource: Resource) -> Self {
        Reading { resource, last: Mutex::default() }
    }

    /// What was known may be of before the device's restart, which counts its versions from the same number on.
    pub(super) fn forget(&self) {
        self.last().take();
    }

    fn last(&self) -> MutexGuard<'_, Option<Arc<Last>>> {
        self.last.lock().expect("no thread panics while it holds this lock")
    }
}

/// Asks for a resource and pushes a value for each of its points.
pub(super) async fn run(wire: &Wire, reading: &Reading, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
    let resource = &reading.resource;
    let failed = |trouble| fault::of_read(trouble, &resource.place.path.to_string(), &resource.points());
    let connection = wire.connection().map_err(fault::of_wire)?;
    let last = reading.last().clone();
    let mut question = resource.get.clone();
    if let Some(last) = &last {
        question.add_option(CoapOption::ETag, last.etag.clone());
    }
    let answer = transfer::fetch(&connection, &question, None, by).await.map_err(failed)?;
    let now = Timestamp::now();
    let mut payload = match (&answer, &last) {
        (answer, _) if answer.is(ResponseType::Content) => Payload::new(&answer.payload, answer.format, now),
        (answer, Some(last)) if is_unchanged(answer, last) => {
            Payload::unchanged(&last.payload, last.told, last.received, now)
        }
        (answer, _) => {
            let why = format!("{} is no answer to GET", answer.code);
            return Err(failed(Trouble::Failure(Failure::Strange(why))));
        }
    };
    reading::unpack(&resource.items, &mut payload, out);
    if !payload.is_readable() {
        connection.counters().unreadable_payloads.add();
    }
    if answer.is(ResponseType::Content) {
        remember(reading, answer, now);
    }
    Ok(())
}

/// 2.03 names what has not changed, and has nothing else to say.
fn is_unchanged(answer: &Answer, last: &Last) -> bool {
    answer.is(ResponseType::Valid) && answer.etag.as_ref() == Some(&last.etag) && answer.payload.is_empty()
}

fn remember(reading: &Reading, answer: Answer, received: Timestamp) {
    let (payload, told) = (answer.payload, answer.format);
    *reading.last() = answer.etag.map(|etag| Arc::new(Last { etag, payload, told, received }));
}
