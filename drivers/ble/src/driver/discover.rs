//! Who is heard.

use crate::advert::{Advert, show_uuid};
use crate::bluez::{Bluez, Device};
use crate::codec::Beacon;
use crate::config::LinkOptions;
use crate::plan::wrong;
use edgeway_sdk::{Deadline, Discovered, Fault, Json};
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// By then most devices have told their names too.
const LOOK_EVERY: Duration = Duration::from_millis(1500);
/// So much before its end a look is not begun any more.
const SPARE: Duration = Duration::from_millis(500);
/// Phones change their addresses: what is kept of those who were told must not grow for ever.
const TOLD_MAX: usize = 10_000;

/// Scans until the end, and tells of each device once. The hint is the options of a link.
pub(super) async fn run(hint: &Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let options = LinkOptions::parse(hint).map_err(|problems| wrong(&problems))?;
    let bluez = Bluez::open(&options, by).await?;
    bluez.start_scan(by).await.map_err(|trouble| Fault::Link(trouble.to_string()))?;
    let looked = look(&bluez, found, by).await;
    bluez.close().await;
    looked
}

async fn look(bluez: &Bluez, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let mut told = HashSet::new();
    while Instant::now() + SPARE < by && !found.is_closed() && told.len() < TOLD_MAX {
        sleep(LOOK_EVERY.min(by.saturating_duration_since(Instant::now() + SPARE))).await;
        let objects = bluez.objects(by).await.map_err(|trouble| Fault::Link(trouble.to_string()))?;
        let mut heard = objects.heard(bluez.adapter());
        heard.retain(|device| told.insert(device.address));
        // The nearest first.
        heard.sort_by_key(|device| std::cmp::Reverse(device.advert.rssi));
        for device in heard {
            // If nobody listens any more, the loop ends above.
            let _ = found.send(discovered(&device)).await;
        }
    }
    Ok(())
}

fn discovered(device: &Device) -> Discovered {
    let advert = &device.advert;
    let mut found = Discovered::new(json!({ "address": device.address.to_string() }));
    if let Some(name) = &advert.name {
        found = found.said("name", name);
    }
    if let Some(rssi) = advert.rssi {
        found = found.said("rssi", format!("{rssi} dBm"));
    }
    for (what, speaks) in
        [("speaks", formats(advert)), ("services", services(advert)), ("companies", companies(advert))]
    {
        if !speaks.is_empty() {
            found = found.said(what, speaks.join(" "));
        }
    }
    found
}

fn formats(advert: &Advert) -> Vec<String> {
    let spoken = Beacon::ALL.into_iter().filter_map(|beacon| beacon.find(advert).map(|data| (beacon, data)));
    let encrypted = |beacon, data: &[u8]| beacon == Beacon::BtHome && data.first().is_some_and(|info| info & 1 == 1);
    spoken
        .map(|(beacon, data)| match encrypted(beacon, data) {
            true => format!("{} (encrypted: set `secret`)", beacon.word()),
            false => beacon.word().to_owned(),
        })
        .collect()
}

fn services(advert: &Advert) -> Vec<String> {
    let with_data = advert.services.iter().map(|(service, _)| *service);
    let mut all: Vec<_> = advert.offered.iter().copied().chain(with_data).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(show_uuid).collect()
}

fn companies(advert: &Advert) -> Vec<String> {
    advert.manufacturer.iter().map(|(company, _)| format!("0x{company:04x}")).collect()
}
