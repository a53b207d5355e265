//! What a route shows of itself, and what people ask of it.

use super::books::{Books, Holder};
use crate::deadletters::Letter;
use edgeway_journal::{Class, Cursor};
use edgeway_site::OnFull;
use edgeway_thing_models::Account;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tokio::sync::Notify;

/// A route, as everyone but its task sees it.
pub(crate) struct RouteState {
    pub(crate) name: Arc<str>,
    pub(crate) on_full: OnFull,
    pub(crate) books: Mutex<Books>,
    pub(crate) cursor: Cursor,
    writing: Mutex<()>,
    /// Messages handed to the target, repeats included.
    pub(crate) sent: AtomicU64,
    pub(crate) connected: AtomicBool,
    pub(crate) trouble: Mutex<Option<Trouble>>,
    pub(crate) paused: AtomicBool,
    /// Its accounts have changed in a way that the journal cannot tell again.
    pub(crate) unsaved: AtomicBool,
    pub(super) wishes: Mutex<Wishes>,
    /// There is something to do.
    pub(super) news: Notify,
    /// For `on_full = "drop_newest"`: what lies below this offset is kept, by class; 0 if nothing has to go yet.
    pub(super) kept_below: [AtomicU64; 3],
}

/// Why a route does not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// `away`, `throttled` or `denied`.
    pub(crate) kind: &'static str,
    pub(crate) reason: String,
}

/// What people want of a route, until its task gets to it.
#[derive(Default)]
pub(super) struct Wishes {
    pub(super) seek: Option<[u64; 3]>,
    pub(super) letters: VecDeque<(u64, Letter)>,
}

impl RouteState {
    pub(super) fn new(name: Arc<str>, on_full: OnFull, books: Books, cursor: Cursor, paused: bool) -> Arc<Self> {
        Arc::new(RouteState {
            name,
            on_full,
            books: Mutex::new(books),
            cursor,
            writing: Mutex::new(()),
            sent: AtomicU64::new(0),
            connected: AtomicBool::new(false),
            trouble: Mutex::new(None),
            paused: AtomicBool::new(paused),
            unsaved: AtomicBool::new(false),
            wishes: Mutex::default(),
            news: Notify::new(),
            kept_below: Default::default(),
        })
    }

    /// In one word, as the API and the command line show it.
    pub(crate) fn word(&self) -> &'static str {
        match (self.paused.load(Relaxed), self.connected.load(Relaxed), &*self.trouble.lock()) {
            (true, ..) => "paused",
            (false, true, _) => "connected",
            (false, false, Some(trouble)) => trouble.kind,
            (false, false, None) => "connecting",
        }
    }

    /// Notes how far the route has come; on disk within 200 ms.
    pub(super) fn commit(&self) {
        // Under the lock, so that an older place never takes the place of a newer one.
        let books = self.books.lock();
        self.cursor.commit(books.place());
    }

    /// The same, and what was noted is on disk when this returns. Waits for the disk.
    pub(super) fn commit_now(&self) -> Result<(), edgeway_journal::Error> {
        // One at a time: what one caller knows to be on disk, another one must not replace by what was before.
        let _turn = self.writing.lock();
        let place = self.books.lock().place();
        let written = self.cursor.commit_now(place);
        self.commit();
        written
    }

    /// What has become of its messages, in all.
    pub(crate) fn total(&self) -> Account {
        self.books.lock().total()
    }

    /// The same by device.
    pub(crate) fn accounts(&self) -> Vec<(Holder, Account)> {
        let mut accounts: Vec<_> = self.books.lock().holders().collect();
        accounts.sort_by_key(|(holder, _)| *holder);
        accounts
    }

    /// Everything below is dealt with, by class.
    pub(crate) fn settled(&self, class: Class) -> u64 {
        self.books.lock().places(class).settled
    }

    /// Stops sending until told to go on; also after a restart.
    pub(crate) fn pause(&self) {
        self.paused.store(true, Relaxed);
        self.news.notify_one();
    }

    /// Sends again.
    pub(crate) fn resume(&self) {
        self.paused.store(false, Relaxed);
        self.news.notify_one();
    }

    /// Goes on at other places of the journal. What waits between is dropped, what lies behind is sent again.
    pub(crate) fn seek(&self, targets: [u64; 3]) {
        self.wishes.lock().seek = Some(targets);
        self.news.notify_one();
    }

    /// Sends dead letters again.
    pub(crate) fn redrive(&self, letters: impl IntoIterator<Item = (u64, Letter)>) {
        let mut wishes = self.wishes.lock();
        for (number, letter) in letters {
            if !wishes.letters.iter().any(|(known, _)| *known == number) {
                wishes.letters.push_back((number, letter));
            }
        }
        drop(wishes);
        self.news.notify_one();
    }
}

/// Where it is kept that a route is paused.
pub(crate) fn pause_key(route: &str) -> Vec<u8> {
    format!("paused/1/{route}").into_bytes()
}
