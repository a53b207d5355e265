//! BlueZ, the Bluetooth daemon of Linux, over D-Bus (BlueZ's doc/org.bluez.*.rst). One connection for each link.

mod objects;
mod properties;
pub(crate) mod signal;
mod trouble;

pub(crate) use objects::{Adapter, Device, Known, Objects};
pub(crate) use trouble::Trouble;

use crate::address::Address;
use crate::config::{LinkOptions, WriteWith};
use edgeway_sdk::{Deadline, Fault};
use objects::Tree;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use zbus::{Connection, Message, MessageStream, Variant, connection};

const BLUEZ: &str = "org.bluez";
const ADAPTER: &str = "org.bluez.Adapter1";
const DEVICE: &str = "org.bluez.Device1";
const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const DBUS: &str = "org.freedesktop.DBus";

/// What BlueZ says waits in a queue of this length, and beyond it in D-Bus: what a crowd says in a tenth of a second.
const QUEUED_MAX: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");
/// How often BlueZ is asked whether the services of a device are known by now.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A connection to BlueZ, for one adapter.
pub(crate) struct Bluez {
    bus: Connection,
    adapter: Adapter,
}

impl Bluez {
    /// Connects. Nothing is heard yet.
    ///
    /// # Errors
    /// [`Fault::Link`] if something is missing; [`Fault::Config`] if it has to be said which adapter is meant.
    pub(crate) async fn open(options: &LinkOptions, by: Deadline) -> Result<Self, Fault> {
        let bus = connected(options, by).await?;
        let objects = Objects::new(tree(&bus, by).await.map_err(trouble::of_link)?);
        let adapter = objects.choose(options.adapter.as_deref())?;
        let bluez = Bluez { bus, adapter };
        bluez.power_on(by).await?;
        Ok(bluez)
    }

    pub(crate) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    async fn power_on(&self, by: Deadline) -> Result<(), Fault> {
        if self.adapter.is_powered {
            return Ok(());
        }
        let on = self.call(&self.adapter.path, PROPERTIES, "Set", &(ADAPTER, "Powered", Variant::from(true)), by).await;
        on.map(drop).map_err(|trouble| match trouble {
            Trouble::Gone(reason) => Fault::Link(reason),
            other => {
                let name = &self.adapter.name;
                Fault::Link(format!(
                    "{name} is switched off and cannot be switched on: {other} (`rfkill unblock bluetooth`)"
                ))
            }
        })
    }

    /// Asks for every advertisement, also those that say nothing new.
    pub(crate) async fn start_scan(&self, by: Deadline) -> Result<(), Trouble> {
        let filter = HashMap::from([("Transport", Variant::from("le")), ("DuplicateData", Variant::from(true))]);
        self.call(&self.adapter.path, ADAPTER, "SetDiscoveryFilter", &filter, by).await?;
        match self.call(&self.adapter.path, ADAPTER, "StartDiscovery", &(), by).await {
            Err(Trouble::Refused { name, .. }) if name == "InProgress" => Ok(()),
            started => started.map(drop),
        }
    }

    /// Stops the scan and begins a new one.
    pub(crate) async fn restart_scan(&self, by: Deadline) -> Result<(), Trouble> {
        let stopped = self.call(&self.adapter.path, ADAPTER, "StopDiscovery", &(), by).await;
        // A scan that was not running cannot be stopped, and need not be.
        if let Err(trouble @ Trouble::Gone(_)) = stopped {
            return Err(trouble);
        }
        self.start_scan(by).await
    }

    /// Everything that BlueZ says unasked of this adapter and of itself. It must be read on, or no call is answered.
    pub(crate) async fn signals(&self, by: Deadline) -> Result<MessageStream, Trouble> {
        let stream = MessageStream::from(&self.bus);
        let path = &self.adapter.path;
        // The crowd comes with the last of them.
        for rule in [
            format!("type='signal',sender='{DBUS}',interface='{DBUS}',member='NameOwnerChanged',arg0='{BLUEZ}'"),
            format!("type='signal',sender='{BLUEZ}',interface='{MANAGER}'"),
            format!("type='signal',sender='{BLUEZ}',interface='{PROPERTIES}',path_namespace='{path}'"),
        ] {
            let adding = self.bus.call_method(Some(DBUS), "/org/freedesktop/DBus", Some(DBUS), "AddMatch", &rule);
            timeout_at(by, adding).await.map_err(|_| Trouble::Silent)??;
        }
        Ok(stream)
    }

    /// What BlueZ knows.
    pub(crate) async fn objects(&self, by: Deadline) -> Result<Objects, Trouble> {
        tree(&self.bus, by).await.map(Objects::new)
    }

    /// Connects a device and waits until its characteristics are known.
    pub(crate) async fn connect(&self, address: Address, by: Deadline) -> Result<Vec<Known>, Trouble> {
        let device = self.device(address);
        match self.call(&device, DEVICE, "Connect", &(), by).await {
            Err(Trouble::Refused { name, .. }) if name == "AlreadyConnected" => {}
            connected => drop(connected?),
        }
        self.characteristics(address, by).await
    }

    /// Waits until the characteristics of a connected device are known.
    pub(crate) async fn characteristics(&self, address: Address, by: Deadline) -> Result<Vec<Known>, Trouble> {
        let device = self.device(address);
        while !self.is(&device, "ServicesResolved", by).await? {
            if Instant::now() + LOOK_EVERY >= by {
                return Err(Trouble::Silent);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(self.objects(by).await?.characteristics(&device))
    }

    /// Whether anybody has connected a device. Who is not known is not connected.
    pub(crate) async fn is_connected(&self, address: Address, by: Deadline) -> Result<bool, Trouble> {
        match self.is(&self.device(address), "Connected", by).await {
            Err(Trouble::Unknown) => Ok(false),
            answer => answer,
        }
    }

    /// A property of a device that is true or false.
    async fn is(&self, device: &str, property: &str, by: Deadline) -> Result<bool, Trouble> {
        let answer = self.call(device, PROPERTIES, "Get", &(DEVICE, property), by).await?;
        Ok(matches!(answer.body().deserialize()?, Variant::Bool(true)))
    }

    /// Disconnects a device, or gives up connecting it, and waits until it is so.
    pub(crate) async fn disconnect(&self, address: Address, by: Deadline) {
        // Who is not connected any more need not be disconnected.
        let _ = self.call(&self.device(address), DEVICE, "Disconnect", &(), by).await;
    }

    pub(crate) async fn read(&self, characteristic: &str, by: Deadline) -> Result<Vec<u8>, Trouble> {
        let options = HashMap::<&str, Variant<'_>>::new();
        Ok(self.call(characteristic, CHARACTERISTIC, "ReadValue", &options, by).await?.body().deserialize()?)
    }

    pub(crate) async fn write(&self, path: &str, value: &[u8], with: WriteWith, by: Deadline) -> Result<(), Trouble> {
        let kind = match with {
            WriteWith::Response => "request",
            WriteWith::NoResponse => "command",
        };
        let options = HashMap::from([("type", Variant::from(kind))]);
        self.call(path, CHARACTERISTIC, "WriteValue", &(value, options), by).await.map(drop)
    }

    pub(crate) async fn start_notify(&self, characteristic: &str, by: Deadline) -> Result<(), Trouble> {
        self.call(characteristic, CHARACTERISTIC, "StartNotify", &(), by).await.map(drop)
    }

    /// Lets go of D-Bus; with that the scan ends.
    pub(crate) async fn close(&self) {
        let _ = self.bus.clone().close().await;
    }

    fn device(&self, address: Address) -> String {
        format!("{}/{}", self.adapter.path, address.node())
    }

    async fn call<B>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        by: Deadline,
    ) -> Result<Message, Trouble>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        call(&self.bus, path, interface, method, body, by).await
    }
}

async fn connected(options: &LinkOptions, by: Deadline) -> Result<Connection, Fault> {
    let builder = match &options.bus {
        None => connection::Builder::system(),
        Some(bus) => connection::Builder::address(bus.as_str()),
    };
    let reason = match timeout_at(by, builder.max_queued(QUEUED_MAX).build()).await {
        Ok(Ok(bus)) => return Ok(bus),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".into(),
    };
    Err(Fault::Link(format!("D-Bus cannot be reached: {reason} (`apt-get install dbus bluez`, or the right `bus`)")))
}

async fn tree(bus: &Connection, by: Deadline) -> Result<Tree, Trouble> {
    Ok(call(bus, "/", MANAGER, "GetManagedObjects", &(), by).await?.body().deserialize()?)
}

async fn call<B>(
    bus: &Connection,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
    by: Deadline,
) -> Result<Message, Trouble>
where
    B: serde::Serialize + zbus::DynamicType,
{
    let calling = bus.call_method(Some(BLUEZ), path, Some(interface), method, body);
    timeout_at(by, calling).await.map_err(|_| Trouble::Silent)?.map_err(Trouble::from)
}
