//! Bluetooth Low Energy: advertisements that BlueZ tells over D-Bus, beside the bare client of `zbus`. The BlueZ is the bench's
//! own, the D-Bus is not: `dbus-daemon` has its share of the rate, and none of the processor's time that is counted.

pub(super) mod bluez;

use super::super::figure::Figure;
use super::super::rate::{Rate, Watch, of_gateway};
use super::peer::Peer;
use super::site::{Site, VALUES};
use super::{Beside, OF_BARE_LEAST};
use bluez::{
    ADAPTER, ADAPTER_PATH, BLUEZ, BTHOME, DBUS, DBUS_PATH, DEVICES, FIELDS, PROPERTIES, SERVICE_DATA, address,
};
use futures::StreamExt;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use zbus::{Message, MessageStream, Variant, connection};

const GOAL: &str = "at least 10,000 advertisements/s, or 0.8 of the bare client";
const ADVERTISEMENTS_LEAST: f64 = 10_000.0;
/// As many as the driver lets wait.
const QUEUED_MAX: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");
/// Until the stream has settled.
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn measure(time: Duration) -> Result<Vec<Figure>, String> {
    if !bluez::has_bus().await {
        eprintln!("BLE is not measured: there is no dbus-daemon (apt-get install dbus)");
        return Ok(vec![]);
    }
    let peer: Peer<String> = Peer::start("ble").await?;
    let bare = bare(&peer.address, time).await.map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    site(&peer.address, folder.path())?;
    let measured = of_gateway(folder.path(), time).await?;
    let beside = Beside {
        work: "BLE, BTHome, as fast as D-Bus takes it",
        unit: "advertisements/s",
        bare: "the same with zbus alone, advertisements/s",
        values: VALUES,
        least: OF_BARE_LEAST,
        goal: GOAL,
    };
    let [rate, cpu] = beside.figures(&measured, &bare);
    let is_met = rate.met == Some(true) || rate.value >= ADVERTISEMENTS_LEAST;
    Ok(vec![rate.goal(GOAL, is_met), cpu])
}

fn site(bus: &str, folder: &Path) -> Result<(), String> {
    let link = format!("[link.wire]\ndriver = \"ble\"\nbus = \"{bus}\"\n");
    let point = |number: u64| match FIELDS.get(number as usize) {
        Some((_, name, _)) => format!("{{ at = \"bthome:{name}\" }}"),
        None => "{ at = \"rssi\" }".to_owned(),
    };
    Site {
        link,
        common: "",
        driver: "ble",
        poll: "1s",
        point: &point,
        key: "address",
        address: &address,
        devices: DEVICES,
    }
    .write(folder)
}

/// Takes the data of BTHome out of each signal and leaves it as it is.
async fn bare(bus: &str, time: Duration) -> zbus::Result<Rate> {
    let connection = connection::Builder::address(bus).max_queued(QUEUED_MAX).build().await?;
    let mut signals = MessageStream::from(&connection);
    let wanted = format!("type='signal',sender='{BLUEZ}',interface='{PROPERTIES}',path_namespace='{ADAPTER_PATH}'");
    connection.call_method(Some(DBUS), DBUS_PATH, Some(DBUS), "AddMatch", &wanted).await?;
    connection.call_method(Some(BLUEZ), ADAPTER_PATH, Some(ADAPTER), "StartDiscovery", &()).await?;
    let mut count = async |time| {
        let (mut advertisements, until) = (0_u64, Instant::now() + time);
        while let Ok(Some(signal)) = timeout_at(until, signals.next()).await {
            advertisements += u64::from(service_data(&signal?).is_some());
        }
        zbus::Result::Ok(advertisements)
    };
    count(WARM_UP).await?;
    let watch = Watch::start();
    let advertisements = count(time).await?;
    let rate = watch.rate(advertisements * VALUES);
    connection.close().await?;
    Ok(rate)
}

fn service_data(signal: &Message) -> Option<Vec<u8>> {
    let body = signal.body();
    let (_, mut changed, _): (&str, HashMap<&str, Variant<'_>>, Vec<&str>) = body.deserialize().ok()?;
    let mut services = HashMap::<String, Variant<'_>>::try_from(changed.remove(SERVICE_DATA)?).ok()?;
    services.remove(BTHOME)?.try_into().ok()
}
