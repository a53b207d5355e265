//! What goes on while a link is watched: one task, which ends with the wire.

mod last;

use super::keeping::{Keeper, Keepers};
use crate::address::Address;
use crate::bluez::Trouble;
use crate::bluez::signal::{self, About, Change};
use crate::counters::Counters;
use crate::hearing::{Hearing, IsConnected, Now};
use crate::plan::Work;
use crate::wire::Wire;
use edgeway_sdk::{Sink, Timestamp};
use futures::StreamExt;
use futures::future::join_all;
use last::Last;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval};
use zbus::{Message, MessageStream};

/// How often it is looked who is silent.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Starting a scan again takes no longer.
const RESTART_WITHIN: Duration = Duration::from_secs(10);

/// At most one task; it ends with the link.
#[derive(Default)]
pub(super) struct Watcher(Mutex<Option<AbortHandle>>);

impl Watcher {
    /// Runs this task instead of the one before.
    pub(super) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.replace(Some(tokio::spawn(task).abort_handle()));
    }

    pub(super) fn stop(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<AbortHandle>) {
        let mut task = self.0.lock().expect("no thread panics while it holds this lock");
        if let Some(before) = std::mem::replace(&mut *task, next) {
            before.abort();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Everything that it needs.
pub(super) struct Watching {
    wire: Arc<Wire>,
    work: Arc<Work>,
    sink: Arc<dyn Sink>,
    watchdog: Duration,
    counters: Arc<Counters>,
    last: Last,
    keepers: Keepers,
    /// The addresses of this link's devices. All others are strangers.
    own: HashSet<Address>,
}

impl Watching {
    pub(super) fn new(
        wire: Arc<Wire>,
        work: Arc<Work>,
        sink: Arc<dyn Sink>,
        watchdog: Duration,
        counters: Arc<Counters>,
    ) -> Self {
        let (last, keepers) = (Last::default(), Keepers::new(&work, counters.clone()));
        let own = work.devices.values().map(|options| options.address).collect();
        Watching { wire, work, sink, watchdog, counters, last, keepers, own }
    }

    /// Until the wire is gone.
    pub(super) async fn run(self, signals: MessageStream) {
        // The three take turns in one task. Signals are taken while the others wait for answers, which come in the same stream.
        let reason = tokio::select! {
            reason = self.listen(signals) => reason,
            reason = self.guard() => reason,
            reason = self.keep() => reason,
        };
        self.sink.lost(&reason);
    }

    /// Takes what BlueZ says.
    async fn listen(&self, mut signals: MessageStream) -> String {
        let mut hearing = Hearing::new(&self.work, self.counters.clone(), Now::read());
        let mut looking = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Some(Ok(signal)) => {
                        if let Some(reason) = self.take(&signal, &mut hearing) {
                            return reason;
                        }
                    }
                    Some(Err(_)) | None => return "the connection to D-Bus is gone".into(),
                },
                _ = looking.tick() => hearing.look_for_silence(Now::read(), &*self.sink),
            }
        }
    }

    /// Whether the wire is gone, and why.
    fn take(&self, message: &Message, hearing: &mut Hearing) -> Option<String> {
        let adapter = self.wire.bluez.adapter();
        match signal::about(message, adapter) {
            About::Device(address) | About::NewDevice(address) if !self.own.contains(&address) => {
                self.last.note();
                self.counters.strangers.add();
            }
            About::Device(address) => {
                if let Some(change) = signal::change(message) {
                    self.tell(address, &change, hearing);
                }
            }
            About::NewDevice(address) => {
                if let Some(change) = signal::first(message) {
                    self.tell(address, &change, hearing);
                }
            }
            About::Part(address) if self.keepers.know(address) => {
                if let Some((path, value)) = signal::notification(message) {
                    self.keepers.tell(&path, &value, Timestamp::now(), &*self.sink);
                }
            }
            About::Adapter if signal::is_switched_off(message) => {
                return Some(format!("{} was switched off", adapter.name));
            }
            About::Removal if signal::is_removal_of(message, adapter) => {
                return Some(format!("{} is gone", adapter.name));
            }
            About::BlueZ => return Some("BlueZ has ended".into()),
            About::Part(_) | About::Adapter | About::Removal | About::Nothing => {}
        }
        None
    }

    fn tell(&self, address: Address, change: &Change, hearing: &mut Hearing) {
        let now = Now::read();
        if let Some(connected) = change.connected {
            let is_connected = if connected { IsConnected::Yes } else { IsConnected::No };
            hearing.set_connected(address, is_connected, now, &*self.sink);
            self.keepers.note_connected(address, is_connected);
            if is_connected == IsConnected::No {
                self.wire.forget(address);
            }
        }
        if change.is_heard() {
            self.last.note();
            self.counters.advertisements.add();
            self.keepers.note_heard(address);
            hearing.hear(address, &change.advert, now, &*self.sink);
        }
    }

    /// Starts the scan again if nobody is heard any more, and gives up if that does not help: with BlueZ 5.66 what it says can
    /// stop after hours.
    async fn guard(&self) -> String {
        let mut restarted: Option<Instant> = None;
        let mut looking = interval(self.watchdog / 4);
        loop {
            looking.tick().await;
            let Some(heard) = self.last.heard() else { continue };
            if restarted.map_or(heard, |at| at.max(heard)).elapsed() < self.watchdog {
                continue;
            }
            if restarted.is_some_and(|at| at > heard) {
                self.counters.bluez_reconnects.add();
                return "nobody is heard any more, also not after the scan was started again (`watchdog`)".into();
            }
            self.counters.scan_restarts.add();
            if let Err(trouble @ Trouble::Gone(_)) = self.wire.bluez.restart_scan(Instant::now() + RESTART_WITHIN).await
            {
                return trouble.to_string();
            }
            restarted = Some(Instant::now());
        }
    }

    /// Keeps connected who notifies.
    async fn keep(&self) -> String {
        let keepers = self.work.kept().into_iter().map(|(device, items)| {
            let (wire, keepers, sink) = (&self.wire, &self.keepers, &*self.sink);
            Keeper { wire, keepers, sink, device, address: self.work.devices[&device].address, items }.run()
        });
        join_all(keepers).await;
        std::future::pending().await
    }
}

impl Change {
    /// Whether it comes of an advertisement.
    fn is_heard(&self) -> bool {
        let advert = &self.advert;
        advert.rssi.is_some()
            || advert.tx_power.is_some()
            || !advert.manufacturer.is_empty()
            || !advert.services.is_empty()
    }
}
