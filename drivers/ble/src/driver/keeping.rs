//! Devices that are kept connected because they notify.

use crate::address::Address;
use crate::bluez::Known;
use crate::config::Characteristic;
use crate::counters::Counters;
use crate::hearing::{IsConnected, mapped};
use crate::plan::{Stay, Target, Whom, Work};
use crate::wire::{Refusal, Wire};
use edgeway_sdk::{Batch, DeviceIx, Fault, Quality, Sink, Timestamp};
use futures::FutureExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// A device that was lost is left alone for so long, and then connected when it is heard.
const PAUSE: Duration = Duration::from_secs(1);
/// And after so long, although it was not heard.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// Connecting, with waiting for one of the adapter's connections.
const CONNECT_WITHIN: Duration = Duration::from_secs(60);

/// What those who keep a device connected are told by the one that listens.
pub(super) struct Keepers {
    notices: HashMap<Address, Notice>,
    /// By path of a characteristic.
    notified: Mutex<HashMap<String, Notified>>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Notice {
    heard: Notify,
    disconnected: Notify,
}

/// Who wants to know what a characteristic notifies.
struct Notified {
    targets: Vec<Target>,
    /// Whether it has, so that what was read before is no news any more.
    has_told: bool,
}

impl Keepers {
    pub(super) fn new(work: &Work, counters: Arc<Counters>) -> Self {
        let notices = work.kept().keys().map(|device| (work.devices[device].address, Notice::default())).collect();
        Keepers { notices, notified: Mutex::default(), counters }
    }

    pub(super) fn know(&self, address: Address) -> bool {
        self.notices.contains_key(&address)
    }

    pub(super) fn note_heard(&self, address: Address) {
        if let Some(notice) = self.notices.get(&address) {
            notice.heard.notify_one();
        }
    }

    pub(super) fn note_connected(&self, address: Address, is_connected: IsConnected) {
        if let (Some(notice), IsConnected::No) = (self.notices.get(&address), is_connected) {
            notice.disconnected.notify_one();
        }
    }

    /// Tells what a characteristic has notified.
    pub(super) fn tell(&self, path: &str, value: &[u8], now: Timestamp, sink: &dyn Sink) {
        if let Some(notified) = self.notified().get_mut(path) {
            self.counters.notifications.add();
            notified.has_told = true;
            sink.data(notified.batch(value, now));
        }
    }

    /// Tells what was read, unless something newer has been told.
    fn tell_first(&self, path: &str, value: &[u8], now: Timestamp, sink: &dyn Sink) {
        if let Some(notified) = self.notified().get(path).filter(|notified| !notified.has_told) {
            sink.data(notified.batch(value, now));
        }
    }

    /// Nothing of this device is told any more; the points that were.
    fn end(&self, address: Address) -> Vec<Target> {
        let device = format!("/{}/", address.node());
        let ended: Vec<_> = self.notified().extract_if(|path, _| path.contains(&device)).collect();
        ended.into_iter().flat_map(|(_, notified)| notified.targets).collect()
    }

    fn notified(&self) -> MutexGuard<'_, HashMap<String, Notified>> {
        self.notified.lock().expect("no thread panics while it holds this lock")
    }
}

impl Notified {
    fn batch(&self, value: &[u8], now: Timestamp) -> Batch {
        let mut batch = Batch::default();
        for target in &self.targets {
            let (value, quality) = mapped(target.mapping(), value, now);
            batch.push(target.ix, value, quality, now);
        }
        batch
    }
}

/// Keeps one device connected.
pub(super) struct Keeper<'a> {
    pub(super) wire: &'a Arc<Wire>,
    pub(super) keepers: &'a Keepers,
    pub(super) sink: &'a dyn Sink,
    pub(super) device: DeviceIx,
    pub(super) address: Address,
    pub(super) items: Vec<(Characteristic, Target)>,
}

impl Keeper<'_> {
    pub(super) async fn run(self) {
        let notice = &self.keepers.notices[&self.address];
        loop {
            // What was noticed of an earlier connection is of no interest.
            let _ = notice.disconnected.notified().now_or_never();
            let reason = match self.begin().await {
                Ok(()) => {
                    self.sink.online(self.device, None);
                    notice.disconnected.notified().await;
                    format!("{} has disconnected", self.address)
                }
                Err(fault) => fault.to_string(),
            };
            self.end(&reason);
            sleep(PAUSE).await;
            let _ = notice.heard.notified().now_or_never();
            // It is heard again, or not: tried in any case.
            let _ = timeout(RETRY_AFTER, notice.heard.notified()).await;
        }
    }

    /// Connects, and asks for notifications.
    async fn begin(&self) -> Result<(), Fault> {
        let by = Instant::now() + CONNECT_WITHIN;
        let seat = self.wire.sit(self.address, by).await?;
        for items in self.items.chunk_by(|(one, _), (next, _)| one == next) {
            let targets: Vec<Target> = items.iter().map(|(_, target)| target.clone()).collect();
            let known = seat.session().find(items[0].0).filter(|known| known.notifies()).cloned();
            let Some(known) = known else {
                let wanted = items[0].0;
                self.refuse(&targets, Quality::BadConfig, &format!("the device has no `{wanted}` that notifies"));
                continue;
            };
            if let Err(fault) = self.subscribe(&known, targets).await {
                self.wire.leave(seat, Whom { address: self.address, stay: Stay::Connected }, Some(&fault));
                return Err(fault);
            }
        }
        Ok(())
    }

    async fn subscribe(&self, known: &Known, targets: Vec<Target>) -> Result<(), Fault> {
        let by = self.wire.soon(Instant::now() + CONNECT_WITHIN);
        self.keepers.notified().insert(known.path.clone(), Notified { targets: targets.clone(), has_told: false });
        if let Err(trouble) = self.wire.bluez.start_notify(&known.path, by).await {
            // Nothing is told of it, so nothing has to be taken back.
            self.keepers.notified().remove(&known.path);
            match Refusal::of(trouble, self.address) {
                Refusal::Point { quality, reason } => self.refuse(&targets, quality, &reason),
                Refusal::Fault(fault) => return Err(fault),
            }
            return Ok(());
        }
        if known.can("read")
            && let Ok(value) = self.wire.bluez.read(&known.path, by).await
        {
            self.keepers.tell_first(&known.path, &value, Timestamp::now(), self.sink);
        }
        Ok(())
    }

    fn refuse(&self, targets: &[Target], quality: Quality, reason: &str) {
        let mut batch = Batch::default();
        targets.iter().for_each(|target| batch.unfit(target.ix, quality, reason, Timestamp::now()));
        self.sink.data(batch);
    }

    /// Says that nothing is notified any more.
    fn end(&self, reason: &str) {
        // An advertisement may bring the device back before its connection is: nobody knows what it would notify now.
        // Told first, because values are a sign of life.
        let notified = self.keepers.end(self.address);
        if !notified.is_empty() {
            let mut batch = Batch::default();
            notified.iter().for_each(|target| batch.bad(target.ix, Quality::BadNotConnected, Timestamp::now()));
            self.sink.data(batch);
        }
        self.sink.online(self.device, Some(reason));
    }
}
