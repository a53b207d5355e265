//! For fuzzing: what is read of what a stranger sends. Not an API.

use crate::codec::{Answer, links};
use crate::config::LinkOptions;
use crate::plan::{self, Targets};
use crate::server::Desk;
use coap_lite::Packet;
use edgeway_sdk::{Access, Batch, DeviceIx, DeviceSpec, Json, PointIx, PointSpec, Sink, Timestamp};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Reads a datagram as an answer.
pub fn answer(datagram: &[u8]) {
    if let Ok(packet) = Packet::from_bytes(datagram) {
        let _ = Answer::read(packet);
    }
}

/// Reads a list of links.
pub fn links(text: &str) {
    links::read(text);
}

/// Takes in datagrams as those of somebody who pushes to `room`, of which the points have different formats, and returns what
/// is said to each.
///
/// # Panics
/// If our own options are wrong.
pub fn push<'d>(datagrams: impl IntoIterator<Item = &'d [u8]>) -> Vec<Option<Vec<u8>>> {
    let options = json!({ "endpoint": "listen://127.0.0.1:5683", "max_payload": "1KiB" });
    let options = LinkOptions::parse(&options).expect("right options");
    let formats = [json!({ "at": "t" }), json!({ "format": "cbor" }), json!({ "format": "senml-json", "at": "t" })];
    let points: Vec<PointSpec> = (0..).zip(formats).map(|(ix, options)| spec(ix, options)).collect();
    let device = DeviceSpec { ix: DeviceIx(0), options: json!({ "path": "room" }) };
    let devices = plan::devices(&[device]).expect("right options");
    let targets = Targets::resolve(&options, &devices, &points).expect("right options");
    let resources = plan::resources(targets.watched, &devices).into_iter().map(Arc::new).collect();
    let mut desk = Desk::new(resources, Arc::new(Nobody), &options, Arc::default());
    datagrams.into_iter().map(|datagram| desk.take(datagram, SocketAddr::from(([127, 0, 0, 1], 9)))).collect()
}

fn spec(ix: u32, options: Json) -> PointSpec {
    let (device, period) = (DeviceIx(0), Duration::from_secs(1));
    PointSpec { ix: PointIx(ix), device, options: options.into(), access: Access::Read, period }
}

struct Nobody;

impl Sink for Nobody {
    fn data(&self, _: Batch) {}
    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}
    fn online(&self, _: DeviceIx, _: Option<&str>) {}
    fn lost(&self, _: &str) {}
}
