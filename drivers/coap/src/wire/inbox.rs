//! Notifications that wait to be taken.

use coap_lite::Packet;
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::Notify;

/// More do not wait: the oldest are dropped, for the newest says what is.
const WAITING_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<VecDeque<Packet>>,
    come: Notify,
}

impl Inbox {
    /// False if an older one was dropped for it.
    pub(super) fn put(&self, notification: Packet) -> bool {
        let mut waiting = self.waiting.lock().expect("no thread panics while it holds this lock");
        let has_room = waiting.len() < WAITING_MAX;
        if !has_room {
            waiting.pop_front();
        }
        waiting.push_back(notification);
        self.come.notify_one();
        has_room
    }

    /// The next, when it comes.
    pub(super) async fn next(&self) -> Packet {
        loop {
            let next = self.waiting.lock().expect("no thread panics while it holds this lock").pop_front();
            match next {
                Some(notification) => return notification,
                None => self.come.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(number: u16) -> Packet {
        let mut packet = Packet::new();
        packet.header.message_id = number;
        packet
    }

    #[tokio::test]
    async fn the_oldest_are_dropped() {
        let inbox = Inbox::default();
        let room: Vec<bool> = (0..18).map(|number| inbox.put(notification(number))).collect();
        assert_eq!(room.iter().filter(|room| **room).count(), WAITING_MAX);
        assert_eq!(inbox.next().await.header.message_id, 2);
    }
}
