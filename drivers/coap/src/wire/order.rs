//! Which of two notifications is newer (RFC 7641 section 3.4). Pure.

use std::time::Duration;
use tokio::time::Instant;

/// Numbers this far apart have begun anew in between.
const HALF: u32 = 1 << 23;
/// After so long any notification is newer.
const AGE: Duration = Duration::from_secs(128);

/// The newest notification so far.
#[derive(Debug, Default)]
pub(crate) struct Order(Option<(u32, Instant)>);

impl Order {
    /// The numbers begin anew.
    pub(crate) fn restart(&mut self) {
        self.0 = None;
    }

    /// Whether one with this number, which has come now, is newer than all before.
    pub(crate) fn takes(&mut self, number: u32, now: Instant) -> bool {
        let is_newer = self.0.is_none_or(|(newest, at)| {
            let is_after = newest < number && number - newest < HALF || newest > number && newest - number > HALF;
            is_after || now > at + AGE
        });
        if is_newer {
            self.0 = Some((number, now));
        }
        is_newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_that_was_overtaken_is_old() {
        let (mut order, now) = (Order::default(), Instant::now());
        let taken = [5, 7, 6, 7, 8, HALF + 7, 8, (1 << 24) - 1, 3, 1].map(|number| order.takes(number, now));
        assert_eq!(taken, [true, true, false, false, true, true, false, true, true, false]);
    }

    #[test]
    fn after_128_s_any_notification_is_new() {
        let (mut order, now) = (Order::default(), Instant::now());
        assert!(order.takes(100, now));
        assert!(!order.takes(2, now + AGE));
        assert!(order.takes(2, now + AGE + Duration::from_millis(1)));
        order.restart();
        assert!(order.takes(1, now));
    }
}
