//! One adapter: who is connected, and what is read and written there.

mod refusal;
mod seat;

use crate::address::Address;
use crate::bluez::{Bluez, Known};
use crate::config::{Characteristic, LinkOptions, WriteWith};
use crate::counters::Counters;
use crate::hearing::mapped;
use crate::plan::{Request, Stay, Target, Whom};
use edgeway_sdk::{Batch, Deadline, Fault, Timestamp, Value};
use futures::future::join_all;
pub(crate) use refusal::Refusal;
pub(crate) use seat::{Seat, Session};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio::time::{Instant, timeout_at};

/// BlueZ waits 2 s before it disconnects a device, in case somebody wants it again.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// A connection to BlueZ with the devices that are connected through it.
pub(crate) struct Wire {
    pub(crate) bluez: Bluez,
    options: LinkOptions,
    counters: Arc<Counters>,
    /// One for each device that may be connected.
    permits: Arc<Semaphore>,
    /// Each is held while something is done with the device.
    seats: Mutex<HashMap<Address, Arc<tokio::sync::Mutex<Seat>>>>,
}

impl Wire {
    /// Opens it.
    ///
    /// # Errors
    /// As [`Bluez::open`].
    pub(crate) async fn open(options: &LinkOptions, counters: Arc<Counters>, by: Deadline) -> Result<Self, Fault> {
        let bluez = Bluez::open(options, by).await?;
        let permits = Arc::new(Semaphore::new(options.connections.into()));
        Ok(Wire { bluez, options: options.clone(), counters, permits, seats: Mutex::default() })
    }

    /// Reads what a step wants.
    ///
    /// # Errors
    /// A [`Fault`]; then nothing is in the batch.
    pub(crate) async fn read(
        self: &Arc<Self>,
        request: &Request,
        whom: Whom,
        out: &mut Batch,
        by: Deadline,
    ) -> Result<(), Fault> {
        // Who could not begin has heard nothing of the device, which may be long gone.
        let seat = self.sit(whom.address, by).await.map_err(|fault| match fault {
            Fault::Busy(reason) => Fault::Device(reason),
            other => other,
        })?;
        let read = self.read_all(seat.session(), request, whom.address, by).await;
        self.leave(seat, whom, read.as_ref().err());
        out.append(read?);
        Ok(())
    }

    async fn read_all(
        &self,
        session: &Session,
        request: &Request,
        address: Address,
        by: Deadline,
    ) -> Result<Batch, Fault> {
        let mut out = Batch::default();
        for items in request.items.chunk_by(|(one, _), (next, _)| one == next) {
            let bytes = self.read_one(session, items[0].0, address, by).await;
            let now = Timestamp::now();
            for (_, target) in items {
                match &bytes {
                    Ok(bytes) => push(&mut out, target, bytes, now),
                    Err(Refusal::Point { quality, .. }) => out.bad(target.ix, *quality, now),
                    Err(Refusal::Fault(fault)) => return Err(fault.clone()),
                }
            }
        }
        Ok(out)
    }

    async fn read_one(
        &self,
        session: &Session,
        wanted: Characteristic,
        address: Address,
        by: Deadline,
    ) -> Result<Vec<u8>, Refusal> {
        let known = session.find(wanted).ok_or_else(|| Refusal::missing(wanted))?;
        let read = self.bluez.read(&known.path, self.soon(by)).await;
        read.map_err(|trouble| Refusal::of(trouble, address))
    }

    /// Writes a value and reads it back, if it can be read.
    ///
    /// # Errors
    /// A [`Fault`]. After that of a device or a link nobody knows whether the value was taken.
    pub(crate) async fn write(
        self: &Arc<Self>,
        wanted: &(Characteristic, Target),
        value: &Value,
        whom: Whom,
        by: Deadline,
    ) -> Result<Option<Value>, Fault> {
        let (characteristic, target) = wanted;
        let mapping = target.mapping();
        let refused = |refusal| match refusal {
            Refusal::Fault(fault) => fault,
            Refusal::Point { quality, reason } => Fault::Point { point: target.ix, quality, reason },
        };
        let bytes = mapping.encode(value).map_err(|reason| refused(Refusal::unfit(reason)))?;
        // Nothing was sent yet.
        let seat = self.sit(whom.address, by).await.map_err(|fault| match fault {
            Fault::Device(reason) => Fault::Busy(reason),
            other => other,
        })?;
        let written = match seat.session().find(*characteristic) {
            None => Err(Refusal::missing(*characteristic)),
            Some(known) => self.write_one(known, target, &bytes, whom.address, by).await,
        };
        let written = written.map_err(refused);
        self.leave(seat, whom, written.as_ref().err());
        let read_back = written?.map(|bytes| mapped(mapping, &bytes, Timestamp::now()));
        Ok(read_back.filter(|(_, quality)| !quality.is_bad()).map(|(value, _)| value))
    }

    async fn write_one(
        &self,
        known: &Known,
        target: &Target,
        bytes: &[u8],
        address: Address,
        by: Deadline,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let with = target.point.write_with.or_else(|| offered(known)).ok_or_else(|| Refusal::not_writable(known))?;
        let written = self.bluez.write(&known.path, bytes, with, self.soon(by)).await;
        written.map_err(|trouble| Refusal::of(trouble, address))?;
        if !known.can("read") {
            return Ok(None);
        }
        // The write was acknowledged; that it cannot be read back does not undo it.
        Ok(self.bluez.read(&known.path, self.soon(by)).await.ok())
    }

    /// Lists what a device has. A connection that is there already may be that of a gateway which is running: it is used, and
    /// stays.
    ///
    /// # Errors
    /// As [`Wire::sit`].
    pub(crate) async fn characteristics(self: &Arc<Self>, address: Address, by: Deadline) -> Result<Vec<Known>, Fault> {
        let refused = |trouble| refusal::of_connect(trouble, address);
        if self.bluez.is_connected(address, self.soon(by)).await.map_err(refused)? {
            let by = by.min(Instant::now() + self.options.connect_timeout);
            return self.bluez.characteristics(address, by).await.map_err(refused);
        }
        let seat = self.sit(address, by).await?;
        let all = seat.session().characteristics().to_vec();
        self.leave(seat, Whom { address, stay: Stay::OnDemand }, None);
        Ok(all)
    }

    /// Waits until nobody else uses a device, and connects it unless it is.
    ///
    /// # Errors
    /// [`Fault::Busy`] if all connections or the device are in use; [`Fault::Device`] if it cannot be connected; [`Fault::Link`].
    pub(crate) async fn sit(self: &Arc<Self>, address: Address, by: Deadline) -> Result<OwnedMutexGuard<Seat>, Fault> {
        let seat =
            self.seats.lock().expect("no thread panics while it holds this lock").entry(address).or_default().clone();
        let waiting = timeout_at(by, seat.lock_owned()).await;
        let mut seat = waiting.map_err(|_| Fault::Busy(format!("{address} is busy with something else")))?;
        if seat.is_taken() {
            return Ok(seat);
        }
        let permit = timeout_at(by, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| {
            let all = self.options.connections;
            Fault::Busy(format!(
                "all connections of the adapter are in use (`connections = {all}`: allow more, or keep fewer devices)"
            ))
        })?;
        let permit = permit.expect("the semaphore is never closed");
        let by = by.min(Instant::now() + self.options.connect_timeout);
        let connected = self.bluez.connect(address, by).await;
        seat.take(Session::new(permit));
        match connected {
            Ok(characteristics) => seat.know(characteristics),
            Err(trouble) => {
                self.disconnect(seat, address);
                return Err(refusal::of_connect(trouble, address));
            }
        }
        self.counters.connections.add();
        Ok(seat)
    }

    /// Lets go of a device that does not stay, or with which something is wrong.
    pub(crate) fn leave(self: &Arc<Self>, seat: OwnedMutexGuard<Seat>, whom: Whom, fault: Option<&Fault>) {
        let is_broken = matches!(fault, Some(Fault::Device(_) | Fault::Link(_)));
        if whom.stay == Stay::OnDemand || is_broken {
            self.disconnect(seat, whom.address);
        }
    }

    /// Nobody waits for it but those who want the same device or a connection of the adapter: until then it has both.
    fn disconnect(self: &Arc<Self>, mut seat: OwnedMutexGuard<Seat>, address: Address) {
        let wire = self.clone();
        tokio::spawn(async move {
            wire.bluez.disconnect(address, Instant::now() + LEAVE_WITHIN).await;
            seat.leave();
        });
    }

    /// A device that has disconnected. Who uses it now notices; who comes later connects it anew.
    pub(crate) fn forget(&self, address: Address) {
        let seat = self.seats.lock().expect("no thread panics while it holds this lock").get(&address).cloned();
        let gone_at = Instant::now();
        if let Some(seat) = seat {
            tokio::spawn(async move { seat.lock().await.leave_if_older(gone_at) });
        }
    }

    /// Disconnects everybody and lets go of BlueZ.
    pub(crate) async fn close(&self, by: Deadline) {
        let seats = std::mem::take(&mut *self.seats.lock().expect("no thread panics while it holds this lock"));
        join_all(seats.into_iter().map(|(address, seat)| self.vacate(address, seat, by))).await;
        self.bluez.close().await;
    }

    async fn vacate(&self, address: Address, seat: Arc<tokio::sync::Mutex<Seat>>, by: Deadline) {
        if let Ok(mut seat) = timeout_at(by, seat.lock_owned()).await
            && seat.is_taken()
        {
            self.bluez.disconnect(address, by.min(Instant::now() + LEAVE_WITHIN)).await;
            seat.leave();
        }
    }

    pub(crate) fn soon(&self, by: Deadline) -> Deadline {
        by.min(Instant::now() + self.options.timeout)
    }
}

fn push(out: &mut Batch, target: &Target, bytes: &[u8], now: Timestamp) {
    let (value, quality) = mapped(target.mapping(), bytes, now);
    out.push(target.ix, value, quality, now);
}

/// How a characteristic is written, if it says nothing better.
fn offered(known: &Known) -> Option<WriteWith> {
    match () {
        () if known.can("write") => Some(WriteWith::Response),
        () if known.can("write-without-response") => Some(WriteWith::NoResponse),
        () => None,
    }
}
