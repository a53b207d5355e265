//! Being told of what changes (RFC 7641).

use super::fault;
use crate::codec::Answer;
use crate::plan::Resource;
use crate::reading::{self, Payload};
use crate::transfer::{self, Trouble};
use crate::wire::{Connection, Failure, Observed, Order};
use coap_lite::{Packet, ResponseType};
use edgeway_sdk::{Batch, Quality, Sink, Timestamp};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// After Max-Age an observation is left alone for so long, at random between these (RFC 7641 section 3.3.1).
const LEFT_ALONE: (f64, f64) = (5.0, 15.0);
/// A resource that refuses to be read is asked again after so long.
const REFUSED: Duration = Duration::from_secs(60);
/// Nothing is asked for more often because of what a device says of its age.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Observes resources until the wire is gone, which it tells.
pub(super) async fn run(connection: Arc<Connection>, resources: Vec<Arc<Resource>>, sink: Arc<dyn Sink>) {
    let mut observing = JoinSet::new();
    for resource in resources {
        let follower = Follower::new(connection.clone(), resource, sink.clone());
        observing.spawn(follower.follow());
    }
    let why = connection.ended().await;
    observing.shutdown().await;
    sink.lost(&why);
}

/// Follows one resource.
struct Follower {
    connection: Arc<Connection>,
    resource: Arc<Resource>,
    sink: Arc<dyn Sink>,
    observed: Observed,
    order: Order,
}

/// How a resource is to be followed after what it has said.
enum Next {
    /// It tells by itself; if nothing has come by then, it is asked whether it still does.
    Wait(Instant),
    /// It does not tell, and is asked again then.
    Ask(Instant),
}

impl Follower {
    fn new(connection: Arc<Connection>, resource: Arc<Resource>, sink: Arc<dyn Sink>) -> Self {
        let observed = connection.observe(resource.get.clone());
        Follower { connection, resource, sink, observed, order: Order::default() }
    }

    /// Until the connection ends, which ends this too.
    async fn follow(mut self) {
        loop {
            let mut next = self.register().await;
            while let ControlFlow::Continue(later) = self.listen(next).await {
                next = later;
            }
        }
    }

    /// Waits for what is told, and says what to do after it; breaks when it is time to ask.
    async fn listen(&mut self, next: Next) -> ControlFlow<(), Next> {
        let (Next::Wait(until) | Next::Ask(until)) = next;
        let Ok(notification) = timeout_at(until, self.observed.next()).await else { return ControlFlow::Break(()) };
        match self.notified(notification).await {
            Some(next) => ControlFlow::Continue(next),
            // It says nothing new, and does not prove that the newest is still true.
            None => ControlFlow::Continue(Next::Wait(until)),
        }
    }

    /// Asks for the resource, and to be told when it changes.
    async fn register(&mut self) -> Next {
        let by = Instant::now() + self.connection.options().timeout;
        let answer = self.observed.register(transfer::sized(&self.connection, &self.resource.get), by).await;
        match answer.and_then(transfer::read) {
            Ok(answer) => self.registered(answer).await,
            Err(failure) => self.unanswered(failure),
        }
    }

    async fn registered(&mut self, answer: Answer) -> Next {
        if answer.is_acknowledgement {
            // It answers this very question: a device that has started anew counts anew.
            self.order.restart();
        }
        if self.is_old(&answer) {
            // Either it is old, or the device counts anew: as somebody else, all that comes is new.
            self.observed = self.connection.observe(self.resource.get.clone());
            self.order.restart();
            return Next::Ask(Instant::now());
        }
        self.take(answer).await
    }

    /// `None` if it is old or cannot be read.
    async fn notified(&mut self, notification: Packet) -> Option<Next> {
        let answer = transfer::read(notification).ok()?;
        if self.is_old(&answer) {
            return None;
        }
        Some(self.take(answer).await)
    }

    fn is_old(&mut self, answer: &Answer) -> bool {
        let is_old = answer.observe.is_some_and(|number| !self.order.takes(number, Instant::now()));
        if is_old {
            self.connection.counters().old_notifications.add();
        }
        is_old
    }

    /// Tells what an answer says, and of the blocks that follow it.
    async fn take(&mut self, first: Answer) -> Next {
        let (is_observed, age) = (first.observe.is_some(), first.max_age);
        let by = Instant::now() + self.connection.options().timeout;
        match transfer::fetch(&self.connection, &self.resource.get, Some(first), by).await {
            Ok(answer) if answer.is(ResponseType::Content) => self.tell(&answer),
            Ok(_) => self.tell_bad(Quality::Bad),
            Err(Trouble::Failure(failure)) => return self.unanswered(failure),
            // It will work again, and what it said last is not refuted.
            Err(Trouble::Refused(answer)) if fault::is_busy(&answer) => {
                return Next::Ask(Instant::now() + age.max(PAUSE_MIN));
            }
            Err(Trouble::Refused(answer)) => {
                self.tell_bad(fault::quality(&answer));
                return Next::Ask(Instant::now() + REFUSED.min(age.max(PAUSE_MIN)));
            }
            Err(Trouble::TooLong(_)) => self.tell_bad(Quality::BadOutOfRange),
            Err(Trouble::Changing) => self.tell_bad(Quality::Bad),
        }
        if is_observed { Next::Wait(Instant::now() + self.patience(age)) } else { Next::Ask(self.next_poll()) }
    }

    /// So long nothing need come.
    fn patience(&self, age: Duration) -> Duration {
        let (least, most) = LEFT_ALONE;
        let alone = Duration::from_secs_f64(least + (most - least) * fastrand::f64());
        (age + alone).min(self.connection.options().renew)
    }

    /// A resource that cannot be observed is read as often as others are.
    fn next_poll(&self) -> Instant {
        Instant::now() + self.resource.place.period.max(PAUSE_MIN)
    }

    /// The connection ends if it is not only this resource.
    fn unanswered(&self, failure: Failure) -> Next {
        if !matches!(failure, Failure::Busy(_) | Failure::Gone(_)) {
            self.tell_bad(Quality::BadTimeout);
        }
        Next::Ask(self.next_poll())
    }

    fn tell(&self, answer: &Answer) {
        let mut payload = Payload::new(&answer.payload, answer.format, Timestamp::now());
        let mut batch = Batch::default();
        reading::unpack_whole(&self.resource.items, &mut payload, &mut batch);
        if !payload.is_readable() {
            self.connection.counters().unreadable_payloads.add();
        }
        self.sink.data(batch);
    }

    fn tell_bad(&self, quality: Quality) {
        let mut batch = Batch::default();
        let now = Timestamp::now();
        self.resource.items.iter().for_each(|item| batch.bad(item.point, quality, now));
        self.sink.data(batch);
    }
}
