//! Writing one value, and reading what the device made of it.

use super::fault;
use crate::codec;
use crate::config::Method;
use crate::plan::Place;
use crate::reading::{self, Item, Payload};
use crate::transfer;
use crate::wire::{Connection, Wire};
use coap_lite::{CoapOption, RequestType, ResponseType};
use edgeway_sdk::{Access, Deadline, Fault, Quality, Timestamp, Value};

/// A point that is written.
pub(super) struct Writable {
    pub(super) item: Item,
    pub(super) access: Access,
    pub(super) method: Method,
    pub(super) place: Place,
}

/// Writes a value and reads it back.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether the value was taken.
pub(super) async fn run(wire: &Wire, to: &Writable, value: &Value, by: Deadline) -> Result<Option<Value>, Fault> {
    let (point, quality, mapping) = (to.item.point, Quality::BadOutOfRange, to.item.reader.mapping());
    let payload = mapping.encode(value).map_err(|reason| Fault::Point { point, quality, reason })?;
    let connection = wire.connection().map_err(fault::of_wire)?;
    let mut question = codec::question(to.method.request(), &to.place.path, &to.place.query, None);
    question.add_option(CoapOption::ContentFormat, codec::number(mapping.format().coap().into()));
    let failed = |trouble| fault::of_write(trouble, &to.place.path.to_string(), Some(point));
    transfer::submit(&connection, &question, &payload, by).await.map_err(failed)?;
    if !to.access.reads() {
        return Ok(None);
    }
    Ok(read_back(&connection, to, by).await)
}

/// The write was acknowledged: that it cannot be read, or that nothing answers any more, does not undo it.
async fn read_back(connection: &Connection, to: &Writable, by: Deadline) -> Option<Value> {
    let answer = transfer::fetch(connection, &to.place.get(), None, by).await.ok();
    let answer = answer.filter(|answer| answer.is(ResponseType::Content))?;
    let mut payload = Payload::new(&answer.payload, answer.format, Timestamp::now());
    reading::value(&to.item, &mut payload)
}

impl Method {
    /// What it is on the wire.
    pub(super) fn request(self) -> RequestType {
        match self {
            Method::Put => RequestType::Put,
            Method::Post => RequestType::Post,
            Method::Get => RequestType::Get,
        }
    }
}
