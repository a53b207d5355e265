//! As much of BlueZ as the bench needs, on a bus of its own: one adapter, and devices that advertise while somebody scans.

use super::super::peer::STARTS_WITHIN;
use futures::StreamExt;
use std::collections::HashMap;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant, connection};

pub(super) const BLUEZ: &str = "org.bluez";
pub(super) const ADAPTER: &str = "org.bluez.Adapter1";
pub(super) const ADAPTER_PATH: &str = "/org/bluez/hci0";
pub(super) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
pub(super) const DBUS: &str = "org.freedesktop.DBus";
pub(super) const DBUS_PATH: &str = "/org/freedesktop/DBus";
pub(super) const SERVICE_DATA: &str = "ServiceData";
pub(super) const BTHOME: &str = "0000fcd2-0000-1000-8000-00805f9b34fb";

/// Devices that advertise.
pub(super) const DEVICES: u64 = 100;
/// Objects of BTHome by number, name and bytes: with the number of the packet they fill an advertisement.
pub(super) const FIELDS: [(u8, &str, &[u8]); 9] = [
    (0x01, "battery", &[93]),
    (0x02, "temperature", &[0xca, 0x09]),
    (0x09, "count", &[7]),
    (0x0c, "voltage", &[0x02, 0x0c]),
    (0x2e, "humidity", &[35]),
    (0x2f, "moisture", &[40]),
    (0x46, "uv_index", &[50]),
    (0x60, "channel", &[1]),
    (0x64, "light_level", &[2]),
];
/// BTHome version 2, not encrypted.
const INFO: u8 = 0x40;
const DEVICE: &str = "org.bluez.Device1";
/// What is sent and not yet received: beyond that the bus takes no more, and drops nothing.
const UNDERWAY_MAX_BYTES: usize = 1 << 20;

type Properties<'a> = HashMap<&'a str, Variant<'a>>;

/// Whether there is a program that is a bus.
pub(super) async fn has_bus() -> bool {
    let version = Command::new("dbus-daemon").arg("--version").stdout(Stdio::null()).status().await;
    version.is_ok_and(|status| status.success())
}

/// The address of a device.
pub(super) fn address(device: u64) -> String {
    let [.., high, low] = device.to_be_bytes();
    format!("C0:DE:00:00:{high:02X}:{low:02X}")
}

/// Opens the bus, says where it is, and is BlueZ on it. The bus ends with what is returned.
pub(in super::super) async fn serve() -> Result<Child, String> {
    let (address, bus) = open_bus().await?;
    let begun = timeout(STARTS_WITHIN, begin(&address)).await.map_err(|_| "dbus-daemon does not answer")?;
    begun.map_err(|error| error.to_string())?;
    println!("{address}");
    Ok(bus)
}

/// Its socket has no file, so that nothing is left of it.
async fn open_bus() -> Result<(String, Child), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let config = folder.path().join("bus.conf");
    let text = format!(
        "<busconfig><listen>unix:abstract=edgeway-bench-{}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
         <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>\
         <limit name=\"max_incoming_bytes\">{UNDERWAY_MAX_BYTES}</limit></busconfig>",
        std::process::id()
    );
    std::fs::write(&config, text).map_err(|error| error.to_string())?;
    let mut command = Command::new("dbus-daemon");
    command.args(["--nofork", "--print-address"]).arg(format!("--config-file={}", config.display()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut bus = command.spawn().map_err(|error| format!("dbus-daemon cannot be started: {error}"))?;
    let said = bus.stdout.take().ok_or("dbus-daemon has no output")?;
    let address = BufReader::new(said).lines().next_line().await.ok().flatten();
    Ok((address.ok_or("dbus-daemon did not start")?, bus))
}

async fn begin(bus: &str) -> zbus::Result<()> {
    let bluez = connection::Builder::address(bus).build().await?;
    let said = MessageStream::from(&bluez);
    let goings = format!("type='signal',sender='{DBUS}',interface='{DBUS}',member='NameOwnerChanged'");
    bluez.call_method(Some(DBUS), DBUS_PATH, Some(DBUS), "AddMatch", &goings).await?;
    bluez.request_name(BLUEZ).await?;
    let (scanner, scans) = watch::channel(None);
    tokio::spawn(advertise(bluez.clone(), adverts()?, scans));
    tokio::spawn(answer(bluez, said, scanner));
    Ok(())
}

/// Takes every call, and notes whose scan runs.
async fn answer(
    bluez: Connection,
    mut said: MessageStream,
    scanner: watch::Sender<Option<String>>,
) -> zbus::Result<()> {
    while let Some(message) = said.next().await {
        let message = message?;
        let header = message.header();
        let member = header.member().map(|member| member.as_str()).unwrap_or_default();
        match message.message_type() {
            Type::MethodCall if member == "GetManagedObjects" => bluez.reply(&header, &objects()?).await?,
            Type::MethodCall => bluez.reply(&header, &()).await?,
            _ => {}
        }
        match member {
            "StartDiscovery" => drop(scanner.send_replace(header.sender().map(ToString::to_string))),
            "NameOwnerChanged" => {
                let (name, ..): (String, String, String) = message.body().deserialize()?;
                scanner.send_if_modified(|scanner| scanner.take_if(|scanner| *scanner == name).is_some());
            }
            _ => {}
        }
    }
    Ok(())
}

/// The adapter alone. That devices are there is known by what they advertise.
fn objects() -> zbus::Result<HashMap<ObjectPath<'static>, HashMap<&'static str, Properties<'static>>>> {
    let adapter = Properties::from([("Address", "C0:DE:FF:FF:FF:FF".into()), ("Powered", true.into())]);
    Ok(HashMap::from([(ObjectPath::try_from(ADAPTER_PATH)?, HashMap::from([(ADAPTER, adapter)]))]))
}

/// Sends as fast as the bus takes it. Each packet of a device has another number than the one before, so that none is a repeat.
async fn advertise(
    bluez: Connection,
    adverts: Vec<Vec<Message>>,
    mut scans: watch::Receiver<Option<String>>,
) -> zbus::Result<()> {
    for round in adverts.iter().cycle() {
        if scans.wait_for(Option::is_some).await.is_err() {
            break;
        }
        bluez.send_all(round).await?;
    }
    Ok(())
}

/// For each number that a packet may have, what all devices say.
fn adverts() -> zbus::Result<Vec<Vec<Message>>> {
    (0..=u8::MAX).map(|number| (0..DEVICES).map(|device| advert(device, number)).collect()).collect()
}

/// What BlueZ tells when it has heard a device that it knows.
fn advert(device: u64, number: u8) -> zbus::Result<Message> {
    let path = format!("{ADAPTER_PATH}/dev_{}", address(device).replace(':', "_"));
    let services = HashMap::from([(BTHOME, Variant::from(packet(number)))]);
    let changed = Properties::from([("RSSI", (-60_i16).into()), (SERVICE_DATA, services.into())]);
    let body = (DEVICE, changed, [""; 0].as_slice());
    Message::signal(path, PROPERTIES, "PropertiesChanged").build(&body)
}

fn packet(number: u8) -> Vec<u8> {
    let mut packet = vec![INFO, 0x00, number];
    for (object, _, bytes) in FIELDS {
        packet.push(object);
        packet.extend(bytes);
    }
    packet
}
