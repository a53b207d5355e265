//! What becomes of deliveries: into the books, or put aside as dead letters.

use super::{Over, Route};
use crate::deadletters::Letter;
use crate::router::books::{End, holder};
use crate::router::inflight::{Due, Ended, Source};
use crate::router::packer::{Contents, Packed};
use crate::router::reader::Gathered;
use edgeway_formats::Item;
use edgeway_sdk::Timestamp;
use edgeway_targets::Outcome;
use edgeway_thing_models::ClockState;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tracing::{error, warn};

impl Route {
    /// Writes down what became of the oldest deliveries.
    pub(super) async fn settle(&mut self, outcomes: Vec<Outcome>) -> Result<(), Over> {
        let delivered = outcomes.contains(&Outcome::Delivered);
        for outcome in outcomes {
            self.advance().await;
            let Some((source, next, contents)) = self.flight.take_sent() else { break };
            match outcome {
                Outcome::Delivered => self.delivered(source, contents),
                Outcome::Refused(reason) => self.refused(source, &contents, &reason).await,
                Outcome::Split(reason) if contents.messages() <= 1 => self.refused(source, &contents, &reason).await,
                Outcome::Split(reason) => {
                    warn!(route = %self.state.name, reason, "A payload was refused; its messages go one by one.");
                    self.singly_below.insert(source, next);
                    return Err(Over::Anew);
                }
            }
        }
        self.advance().await;
        if delivered {
            self.well_again();
        }
        self.state.commit();
        Ok(())
    }

    /// Closes what is done; puts aside what no format can say.
    async fn advance(&mut self) {
        let classes = self.intake.classes();
        loop {
            let due = self.flight.advance(&mut self.state.books.lock(), &classes);
            match due {
                Due::Nothing => return,
                Due::Unfit(source, message, reason) => self.put_aside(source, *message, &reason).await,
            }
        }
    }

    fn delivered(&mut self, source: Source, contents: Contents) {
        let Source::Letter(number) = source else {
            self.flight.end(Ended { offsets: contents.offsets, holders: contents.holders, end: End::Delivered });
            return;
        };
        let mut books = self.state.books.lock();
        contents.holders.iter().for_each(|(holder, _)| books.revive(*holder));
        drop(books);
        self.letters.remove(number);
        self.state.unsaved.store(true, Relaxed);
    }

    /// The target will never take these messages.
    async fn refused(&mut self, source: Source, contents: &Contents, reason: &str) {
        if let Source::Letter(_) | Source::Greeting = source {
            warn!(route = %self.state.name, reason, "Refused again; the dead letter stays.");
            return;
        }
        for message in self.intake.read_again(source, contents.offsets) {
            let holder = holder(&message.item.message);
            if contents.holders.iter().any(|(known, _)| *known == holder) {
                self.put_aside(source, message, reason).await;
            }
        }
    }

    /// Makes a dead letter. Where the disk takes none the message is dropped, and the ledger says so.
    async fn put_aside(&mut self, source: Source, message: Packed, reason: &str) {
        if let Source::Letter(_) = source {
            return;
        }
        let holder = holder(&message.item.message);
        let letter = Letter {
            route: self.state.name.clone(),
            reason: reason.into(),
            at: Timestamp::now(),
            id: message.item.id,
            offset: message.offset,
            message: message.item.message.clone(),
        };
        let end = match self.letters.keep(letter).await {
            Ok(()) => End::Dead,
            Err(trouble) => {
                error!(route = %self.state.name, reason, trouble, "A refused message could not be kept as a dead letter.");
                let reason = format!("refused by target: {reason}; not kept: {trouble}");
                self.say(&reason, message.offset, message.offset, 1);
                End::Dropped
            }
        };
        let offsets = (message.offset, message.offset);
        self.flight.end(Ended { offsets, holders: vec![(holder, 1)], end });
        self.state.unsaved.store(true, Relaxed);
        metrics::counter!("edgeway_route_refused_messages_total", "route" => self.state.name.to_string()).increment(1);
    }

    /// Sends the dead letters that people want sent again.
    pub(super) async fn redrive(&mut self) -> Result<(), Over> {
        while self.has_room() {
            let Some((number, letter)) = self.state.wishes.lock().letters.pop_front() else { break };
            let item =
                Item { message: letter.message, id: letter.id, clock: ClockState::Set, selected: None, late: true };
            let packed = Packed { offset: letter.offset, item };
            let (source, since) = (Source::Letter(number), Instant::now());
            let next = letter.offset + 1;
            self.dispatch(Gathered { source, messages: vec![packed], expired: vec![], next, since }).await?;
        }
        Ok(())
    }
}
