//! What a device has to offer: in its advertisements, and when it is connected.

mod known;

use crate::advert::{Advert, show_uuid};
use crate::bluez::{Device, Known};
use crate::codec::{Beacon, Field, bthome};
use crate::config::DeviceOptions;
use crate::wire::Wire;
use edgeway_sdk::{Access, Deadline, Discovered, Fault, Holds, Offer};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A name often comes in a second packet.
const SETTLE: Duration = Duration::from_millis(1000);
/// What is left for connecting, of a device that is not heard.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Lists points. `at` is `advertisement` or `gatt` for these alone.
pub(super) async fn run(
    wire: &Arc<Wire>,
    options: &DeviceOptions,
    at: Option<&str>,
    by: Deadline,
) -> Result<Vec<Discovered>, Fault> {
    let mut found = vec![];
    if at != Some("gatt") {
        found.extend(heard(wire, options, by).await?.iter().flat_map(|device| advertised(&device.advert, options)));
    }
    if at != Some("advertisement") {
        match wire.characteristics(options.address, by).await {
            Ok(all) => found.extend(all.iter().map(characteristic)),
            // Many devices advertise and cannot be connected.
            Err(_) if !found.is_empty() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// Waits until it is heard; `None` if it is not.
async fn heard(wire: &Arc<Wire>, options: &DeviceOptions, by: Deadline) -> Result<Option<Device>, Fault> {
    wire.bluez.start_scan(by).await.map_err(|trouble| Fault::Link(trouble.to_string()))?;
    let mut settled = false;
    loop {
        let objects = wire.bluez.objects(by).await.map_err(|trouble| Fault::Link(trouble.to_string()))?;
        let device = objects.heard(wire.bluez.adapter()).into_iter().find(|device| device.address == options.address);
        let is_late =
            Instant::now() + LOOK_EVERY + CONNECT_WITHIN.min(by.saturating_duration_since(Instant::now()) / 2) >= by;
        match device {
            Some(device) if settled || is_late => return Ok(Some(device)),
            Some(_) => {
                settled = true;
                sleep(SETTLE).await;
            }
            None if is_late => return Ok(None),
            None => sleep(LOOK_EVERY).await,
        }
    }
}

fn advertised(advert: &Advert, options: &DeviceOptions) -> Vec<Discovered> {
    let mut found = vec![];
    let power = |name: &str| Offer::new(name, Holds::Int { min: Some(-127), max: Some(20) }).unit("dBm");
    if advert.rssi.is_some() {
        found.push(
            Discovered::new(json!({ "at": "rssi" })).offering(power("rssi").described("How strong it is received")),
        );
    }
    if advert.tx_power.is_some() {
        found.push(
            Discovered::new(json!({ "at": "tx_power" }))
                .offering(power("tx_power").described("How strong it says that it sends")),
        );
    }
    for beacon in Beacon::ALL {
        let Some(data) = beacon.find(advert) else { continue };
        found.extend(fields(beacon, data, options).iter().map(|field| offered(beacon, field)));
    }
    found.extend(bytes(advert));
    found
}

/// Of BTHome with the device's key, and with its buttons.
fn fields(beacon: Beacon, data: &[u8], options: &DeviceOptions) -> Vec<Field> {
    if beacon != Beacon::BtHome {
        return beacon.fields(data).unwrap_or_default();
    }
    let Ok(opened) = bthome::open(data, options.key.as_ref()) else { return vec![] };
    let packet = bthome::parse(&opened.objects);
    let pressed = packet.events.iter().map(bthome::Event::field);
    packet.fields.into_iter().chain(pressed).collect()
}

fn offered(beacon: Beacon, field: &Field) -> Discovered {
    let nth = if field.nth > 1 { format!("#{}", field.nth) } else { String::new() };
    let found = Discovered::new(json!({ "at": format!("{}:{}{nth}", beacon.word(), field.name) }));
    let found = if field.quality.is_good() { found.said("value", field.value.to_string()) } else { found };
    match beacon.meaning(field.name) {
        Ok(meaning) => found.offering(meaning.offer(field.nth)),
        Err(_) => found,
    }
}

/// What is in no format that has names.
fn bytes(advert: &Advert) -> Vec<Discovered> {
    let known: Vec<&[u8]> = Beacon::ALL.into_iter().filter_map(|beacon| beacon.find(advert)).collect();
    let is_unknown = |data: &Vec<u8>| !known.contains(&data.as_slice());
    let raw = |at: String, name: String, data: &[u8]| {
        let found = Discovered::new(json!({ "at": at })).said("bytes", crate::codec::hex(data));
        found.offering(
            Offer::new(name, Holds::Text).described("Bytes whose meaning has to be said: `type`, `byte`, `order`"),
        )
    };
    let companies = advert.manufacturer.iter().filter(|(_, data)| is_unknown(data));
    let companies = companies.map(|(company, data)| {
        raw(format!("manufacturer:0x{company:04x}"), format!("manufacturer_{company:04x}"), data)
    });
    let services = advert.services.iter().filter(|(_, data)| is_unknown(data));
    let services = services.map(|(service, data)| {
        let service = show_uuid(*service);
        raw(format!("service:{service}"), format!("service_{service}"), data)
    });
    companies.chain(services).collect()
}

fn characteristic(found: &Known) -> Discovered {
    let (reads, writes) =
        (found.can("read") || found.notifies(), found.can("write") || found.can("write-without-response"));
    let access = match (reads, writes) {
        (true, true) => Access::ReadWrite,
        (false, true) => Access::Write,
        _ => Access::Read,
    };
    let (mut options, offer) = known::offer(found.id);
    options["at"] = json!(found.id.to_string());
    if found.notifies() {
        options["watch"] = json!("notify");
    }
    Discovered::new(options).said("flags", found.flags.join(" ")).offering(offer.access(access))
}
