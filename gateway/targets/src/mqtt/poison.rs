//! Which delivery makes the broker break off.
//!
//! Some brokers do not refuse a message that they will not take, but cut the connection: a packet too large for them
//! (MQTT 3.1.1 knows no other way), a topic against their rules. Sent again and again it would block its route for ever.
//! So what was under way when the peer broke off is sent one by one. A delivery that breaks the connection
//! [`BREAKS_MAX`] times in a row, each time alone and at once, on a connection that held while nothing was sent, is
//! refused.

use edgeway_thing_models::MessageId;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection must hold before a suspect is sent on it.
pub(super) const CALM: Duration = Duration::from_secs(1);
/// After so many breaks a delivery is guilty.
const BREAKS_MAX: u32 = 3;
/// A break later than this after sending has other reasons.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A delivery: its first and its last id.
pub(super) type Name = (MessageId, MessageId);

/// A delivery under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) name: Name,
    pub(super) at: Instant,
}

/// What is known of breaks, kept from connection to connection.
#[derive(Debug, Default)]
pub(super) struct Poison {
    suspect: Option<(Name, u32)>,
    /// How many deliveries go one by one.
    one_by_one: usize,
}

impl Poison {
    /// True if the connection has to be seen to hold before this delivery is sent.
    pub(super) fn wants_calm(&self, name: Name) -> bool {
        self.breaks(name) > 0 && self.verdict(name).is_none()
    }

    /// True if the next delivery has to be sent alone.
    pub(super) fn is_wary(&self) -> bool {
        self.one_by_one > 0
    }

    /// Why a delivery is not sent any more.
    pub(super) fn verdict(&self, name: Name) -> Option<String> {
        (self.breaks(name) >= BREAKS_MAX).then(|| {
            format!("the broker broke off {BREAKS_MAX} times when it was sent; it may be too large or break a rule")
        })
    }

    /// The connection broke while nothing was sent.
    pub(super) fn acquit(&mut self) {
        self.suspect = None;
    }

    /// The oldest deliveries were settled.
    pub(super) fn settled(&mut self, deliveries: usize) {
        self.one_by_one = self.one_by_one.saturating_sub(deliveries);
        if deliveries > 0 {
            self.suspect = None;
        }
    }

    /// The peer broke off and left these unsettled; `None` was not sent.
    pub(super) fn broke(&mut self, unsettled: &VecDeque<Option<Sent>>, now: Instant) {
        let mut sent = unsettled.iter().flatten();
        let Some(oldest) = sent.next() else { return };
        let others = sent.count();
        self.one_by_one = self.one_by_one.max(others + 1);
        let is_alone = others == 0 && now.duration_since(oldest.at) <= AT_ONCE;
        self.suspect = is_alone.then(|| (oldest.name, self.breaks(oldest.name) + 1));
    }

    fn breaks(&self, name: Name) -> u32 {
        self.suspect.filter(|(suspect, _)| *suspect == name).map_or(0, |(_, breaks)| breaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u128) -> Name {
        (MessageId::from_u128(number), MessageId::from_u128(number))
    }

    fn under_way(numbers: &[u128]) -> VecDeque<Option<Sent>> {
        numbers.iter().map(|number| Some(Sent { name: name(*number), at: Instant::now() })).collect()
    }

    fn breaks(poison: &mut Poison, numbers: &[u128]) {
        poison.broke(&under_way(numbers), Instant::now());
    }

    #[tokio::test]
    async fn the_third_break_in_a_row_while_alone_is_a_verdict() {
        let mut poison = Poison::default();
        for _ in 0..2 {
            let and_one_not_sent = under_way(&[7]).into_iter().chain([None]).collect();
            poison.broke(&and_one_not_sent, Instant::now());
            assert!(poison.wants_calm(name(7)));
            assert_eq!(poison.verdict(name(7)), None);
        }
        breaks(&mut poison, &[7]);
        assert!(poison.verdict(name(7)).is_some());
        assert!(!poison.wants_calm(name(7)), "it is not sent again");
        assert_eq!(poison.verdict(name(8)), None);
    }

    #[tokio::test]
    async fn what_was_under_way_together_is_sent_one_by_one_and_nobody_is_blamed() {
        let mut poison = Poison::default();
        for _ in 0..5 {
            breaks(&mut poison, &[1, 2, 3]);
        }
        assert_eq!(poison.verdict(name(1)), None);
        poison.settled(2);
        assert!(poison.is_wary());
        poison.settled(1);
        assert!(!poison.is_wary());
    }

    #[tokio::test]
    async fn a_delivery_that_gets_through_or_a_link_that_breaks_by_itself_clears_the_suspect() {
        for clear in [|poison: &mut Poison| poison.settled(1), Poison::acquit] {
            let mut poison = Poison::default();
            breaks(&mut poison, &[7]);
            breaks(&mut poison, &[7]);
            clear(&mut poison);
            breaks(&mut poison, &[7]);
            assert_eq!(poison.verdict(name(7)), None);
        }
    }

    #[tokio::test]
    async fn a_break_long_after_sending_or_before_it_blames_nobody() {
        let mut poison = Poison::default();
        for _ in 0..5 {
            poison.broke(&under_way(&[7]), Instant::now() + AT_ONCE + Duration::from_secs(1));
            poison.broke(&VecDeque::from([None]), Instant::now());
        }
        assert_eq!(poison.verdict(name(7)), None);
    }
}
