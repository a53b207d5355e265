//! The accountant: looks at every durable message once, for all routes, and at every message that is about to be removed.
//!
//! A route that hangs on a dead target does not see what piles up behind it; the accountant does, so what is queued, and
//! what had to be dropped, is known at every moment.

use super::Surroundings;
use super::books::{Holder, NOBODY, key};
use super::desk::{RouteState, pause_key};
use super::outage::Growth;
use super::select::{Choice, Select};
use crate::spine::{self, MessageJournal, Thinning, sampling};
use edgeway_journal::{Class, Entry, Keeper, Level, LostRange, Place, Reader, StateStore};
use edgeway_sdk::DeviceIx;
use edgeway_site::{Finding, OnFull, RouteSite};
use edgeway_thing_models::{Account, Balance, Body, Message, Things};
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Messages looked at at a time.
const FETCH: usize = 1024;
/// How often the accountant does what does not depend on messages.
const TICK: Duration = Duration::from_secs(1);
/// How often accounts by device are saved, in ticks; those that the journal cannot tell again are saved at the next tick.
const SAVE_EVERY: u32 = 5;
/// Accounts of devices in one balance.
const BALANCE_DEVICES_MAX: usize = 500;
/// A class is nearly full at this part of its size: then routes that sample begin to.
const NEARLY_FULL: f64 = 0.75;

/// Whoever counts for all routes.
pub(crate) struct Accountant {
    journal: MessageJournal,
    things: Arc<Things>,
    store: StateStore,
    thinning: Arc<Thinning>,
    clients: Vec<Client>,
    growth: Growth,
    /// Ledger messages of the journal's own thread, which may not append.
    unsaid: Mutex<Vec<Message>>,
}

struct Client {
    state: Arc<RouteState>,
    select: Mutex<Select>,
    classes: Vec<Class>,
    /// Where the route was when its accounts were saved: a gateway with nothing to do writes nothing.
    saved_at: Mutex<Place>,
}

impl Accountant {
    /// # Errors
    /// What is wrong with the SQL of a route, which a check has found before.
    pub(crate) fn new(
        routes: &[RouteSite],
        states: &[Arc<RouteState>],
        around: &Surroundings<'_>,
        thinning: &Arc<Thinning>,
    ) -> Result<Arc<Self>, Vec<Finding>> {
        let client = |(site, state): (&RouteSite, &Arc<RouteState>)| {
            let select = Select::new(site, around.things, around.queries)?;
            let classes = select.classes().collect();
            Ok(Client { state: state.clone(), select: Mutex::new(select), classes, saved_at: Mutex::default() })
        };
        Ok(Arc::new(Accountant {
            journal: around.journal.clone(),
            things: around.things.clone(),
            store: around.store.clone(),
            thinning: thinning.clone(),
            clients: routes.iter().zip(states).map(client).collect::<Result<_, Vec<Finding>>>()?,
            growth: Growth::default(),
            unsaid: Mutex::default(),
        }))
    }

    /// For how long the journal can keep everything for this route, see [`Growth::time_left`].
    pub(crate) fn time_left(&self, route: &RouteState) -> Option<Duration> {
        let client = self.clients.iter().find(|client| client.state.name == route.name)?;
        self.growth.time_left(route, &self.journal, &client.classes)
    }

    /// From where on messages of a class have to be looked at.
    fn start(&self, class: Class) -> u64 {
        let interested = self.clients.iter().filter(|client| client.classes.contains(&class));
        let counted = interested.map(|client| client.state.books.lock().places(class).counted);
        counted.min().unwrap_or_else(|| self.journal.head())
    }

    fn count(&self, class: Class, entries: &[Entry<Message>]) {
        for client in self.clients.iter().filter(|client| client.classes.contains(&class)) {
            let choices = client.select.lock().choose(entries);
            let mut books = client.state.books.lock();
            let taken = books.count(class, entries, &choices);
            drop(books);
            if taken > 0 {
                client.state.news.notify_one();
            }
        }
    }

    /// Reports that were left out before the journal, because a class is nearly full.
    fn count_left_out(&self) {
        for (device, class, count) in self.thinning.take_left_out() {
            let device = DeviceIx(device);
            for client in &self.clients {
                if client.select.lock().takes_reports(class, device) {
                    client.state.books.lock().left_out(device, count);
                    client.state.unsaved.store(true, Relaxed);
                }
            }
        }
    }

    /// Thins out what comes in while a class is nearly full and a route that samples lags behind.
    fn thin_out(&self) {
        for class in Class::ALL {
            let usage = self.journal.usage(class);
            let nearly_full = usage.bytes as f64 >= NEARLY_FULL * usage.bytes_max as f64;
            let first = self.journal.first_of(class);
            let wanted = self.clients.iter().filter(|client| client.classes.contains(&class)).filter_map(|client| {
                let lags = client.state.settled(class) <= first + (self.journal.head() - first) / 4;
                sampling(client.state.on_full).filter(|_| lags)
            });
            self.thinning.set(class, wanted.max().filter(|_| nearly_full));
        }
    }

    /// Accounts by device, for every route or for those whose accounts the journal cannot tell again.
    fn save(&self, which: Save) {
        for client in &self.clients {
            self.save_accounts(client, which);
            self.save_pause(&client.state);
        }
    }

    fn save_accounts(&self, client: &Client, which: Save) {
        let unsaved = client.state.unsaved.swap(false, Relaxed);
        let (place, accounts) = {
            let books = client.state.books.lock();
            let place = books.place();
            let moved = which == Save::All && *client.saved_at.lock() != place;
            if !unsaved && !moved {
                return;
            }
            (place, books.save(&self.things))
        };
        // First the places, then what stands for them: accounts that are ahead of their places could not be brought
        // forward.
        if let Err(error) = client.state.commit_now() {
            warn!(route = %client.state.name, %error, "A route's place cannot be written now.");
            client.state.unsaved.store(true, Relaxed);
            return;
        }
        self.store.put(&key(&client.state.name), accounts);
        *client.saved_at.lock() = place;
    }

    fn save_pause(&self, state: &RouteState) {
        let pause = pause_key(&state.name);
        match (state.paused.load(Relaxed), self.store.get(&pause).is_some()) {
            (true, false) => self.store.put(&pause, *b"paused"),
            (false, true) => self.store.remove(&pause),
            _ => {}
        }
    }

    /// Says what has become of each route's messages.
    fn balance(&self) {
        let messages: Vec<Message> = self.clients.iter().flat_map(|client| self.balances(&client.state)).collect();
        spine::publish(&self.journal, messages);
    }

    fn balances(&self, state: &RouteState) -> Vec<Message> {
        let (total, changed) = {
            let mut books = state.books.lock();
            (books.total(), books.take_changed())
        };
        let named: Vec<(Arc<str>, Account)> = changed.into_iter().map(|(h, account)| (self.name(h), account)).collect();
        let say = |devices: &[_]| {
            spine::message(Body::Balance(Balance { route: state.name.clone(), total, devices: devices.to_vec() }))
        };
        match named.is_empty() {
            true => vec![say(&[])],
            false => named.chunks(BALANCE_DEVICES_MAX).map(say).collect(),
        }
    }

    fn name(&self, holder: Holder) -> Arc<str> {
        match holder {
            Holder::Device(device) => self.things.device(device).id.clone(),
            Holder::Nobody => NOBODY.into(),
        }
    }

    fn say_unsaid(&self) {
        let unsaid = std::mem::take(&mut *self.unsaid.lock());
        spine::publish(&self.journal, unsaid);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Save {
    All,
    Unsaved,
}

impl Keeper<Message> for Accountant {
    fn may_remove(&self, class: Class, offsets: Range<u64>) -> bool {
        let mut clients = self.clients.iter().filter(|client| client.classes.contains(&class));
        !clients.any(|client| keeps(&client.state, class, &offsets, self.journal.head()))
    }

    fn removing(
        &self,
        class: Class,
        offsets: Range<u64>,
        entries: &mut dyn Iterator<Item = Result<Entry<Message>, LostRange>>,
    ) {
        let clients: Vec<&Client> = self.clients.iter().filter(|client| client.classes.contains(&class)).collect();
        let behind: Vec<&Client> =
            clients.iter().copied().filter(|client| client.is_behind(class, offsets.end)).collect();
        let mut dropped = vec![0; behind.len()];
        let mut entries = entries.peekable();
        while !behind.is_empty() && entries.peek().is_some() {
            let some: Vec<_> = entries.by_ref().take(FETCH).collect();
            let sound: Vec<Entry<Message>> = some.into_iter().flatten().collect();
            for (client, dropped) in behind.iter().zip(&mut dropped) {
                let choices: Vec<Choice> = client.select.lock().choose(&sound);
                *dropped += client.state.books.lock().remove(class, &sound, &choices, series(&client.state, class));
            }
        }
        clients.iter().for_each(|client| client.write_down());
        for (client, dropped) in behind.into_iter().zip(dropped).filter(|(_, dropped)| *dropped > 0) {
            self.tell(client, &offsets, dropped);
        }
    }
}

impl Client {
    /// It has not seen everything below an offset.
    fn is_behind(&self, class: Class, end: u64) -> bool {
        let places = self.state.books.lock().places(class);
        places.read < end || places.counted < end
    }

    /// Before a file goes: what became of its messages is on disk, because after a crash nothing else could tell.
    fn write_down(&self) {
        if let Err(error) = self.state.commit_now() {
            warn!(route = %self.state.name, %error, "A route's place cannot be written down now.");
        }
    }
}

impl Accountant {
    /// Says that a route has lost something.
    fn tell(&self, client: &Client, offsets: &Range<u64>, dropped: u64) {
        client.state.unsaved.store(true, Relaxed);
        let ledger = spine::ledger(&client.state.name, "the journal was full", offsets.start, offsets.end - 1, dropped);
        self.unsaid.lock().push(ledger);
        warn!(route = %client.state.name, dropped, from = offsets.start, to = offsets.end - 1, "Messages had to go before they were sent: the journal is full.");
    }
}

/// Whether a route wants to keep a segment that has to go.
fn keeps(state: &RouteState, class: Class, offsets: &Range<u64>, head: u64) -> bool {
    let settled = state.settled(class);
    let needs = settled < offsets.end;
    let kept_below = &state.kept_below[class.index()];
    match state.on_full {
        OnFull::Block => needs,
        OnFull::DropNewest => {
            // The older half of what waits stays; what comes after it makes room, first for this route, then for all.
            if !needs || kept_below.load(Relaxed) <= settled {
                kept_below.store(settled + (head - settled) / 2, Relaxed);
            }
            needs && offsets.start < kept_below.load(Relaxed)
        }
        OnFull::DropOldest | OnFull::Sample(_) => false,
    }
}

/// Removals with the same number have nothing between them that the route keeps.
fn series(state: &RouteState, class: Class) -> u64 {
    match state.on_full {
        OnFull::DropNewest => state.kept_below[class.index()].load(Relaxed),
        OnFull::Block | OnFull::DropOldest | OnFull::Sample(_) => 0,
    }
}

/// Counts until told to stop.
pub(crate) async fn run(accountant: Arc<Accountant>, balance_every: Duration, stop: CancellationToken) {
    let journal = &accountant.journal;
    let mut readers = Class::ALL.map(|class| journal.class_reader(class, accountant.start(class), Level::Durable));
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut ticks, mut balance_at) = (0_u32, Instant::now() + balance_every);
    loop {
        let [critical, normal, bulk] = &mut readers;
        tokio::select! {
            () = stop.cancelled() => break,
            () = look(&accountant, Class::Critical, critical) => {}
            () = look(&accountant, Class::Normal, normal) => {}
            () = look(&accountant, Class::Bulk, bulk) => {}
            _ = tick.tick() => {
                ticks = ticks.wrapping_add(1);
                let written = journal.stats().classes.map(|class| class.written_bytes_total);
                accountant.growth.note(std::time::Instant::now(), written);
                accountant.count_left_out();
                accountant.thin_out();
                accountant.say_unsaid();
                let which = if ticks.is_multiple_of(SAVE_EVERY) { Save::All } else { Save::Unsaved };
                save(&accountant, which).await;
                if Instant::now() >= balance_at {
                    balance_at = Instant::now() + balance_every;
                    accountant.balance();
                }
            }
        }
    }
    accountant.count_left_out();
    save(&accountant, Save::All).await;
}

/// Saving waits for the disk.
async fn save(accountant: &Arc<Accountant>, which: Save) {
    let accountant = accountant.clone();
    let saved = tokio::task::spawn_blocking(move || accountant.save(which)).await;
    if let Err(error) = saved {
        warn!(%error, "Accounts could not be saved.");
    }
}

async fn look(accountant: &Accountant, class: Class, reader: &mut Reader<edgeway_codec::MessageCodec>) {
    match reader.next(FETCH).await {
        Ok(fetched) => accountant.count(class, &fetched.entries),
        Err(error) => {
            warn!(%error, class = class.as_str(), "The accountant cannot read the journal.");
            tokio::time::sleep(TICK).await;
        }
    }
}
