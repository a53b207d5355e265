//! Edge nodes of Sparkplug B that ought to say everything and do not: they are asked again, and told to be gone in the end.

use super::Shared;
use super::ear::rebirth;
use crate::client::Message;
use crate::plan::{Board, EdgeNode};
use crate::sparkplug::Overdue;
use edgeway_sdk::{Sink, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};

/// How often it is looked who is overdue.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks after the edge nodes of a link.
pub(super) struct Watch {
    pub(super) board: Arc<Board>,
    pub(super) shared: Arc<Shared>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) wishes: mpsc::Sender<Message>,
    /// How long a node may take to say everything.
    pub(super) patience: Duration,
}

impl Watch {
    /// Never ends.
    pub(super) async fn run(self) -> String {
        if self.board.edges.is_empty() {
            return std::future::pending().await;
        }
        let mut ticks = interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            for ((group, node), edge) in &self.board.edges {
                self.look(group, node, edge);
            }
        }
    }

    fn look(&self, group: &str, name: &str, edge: &EdgeNode) {
        let key = (group.to_owned(), name.to_owned());
        let overdue = self.shared.nodes().get_mut(&key).map(|node| node.overdue(Instant::now(), self.patience));
        let Overdue { wants_rebirth, is_given_up } = overdue.unwrap_or_default();
        if wants_rebirth {
            // Whoever is too slow to send is asked again later.
            let _ = self.wishes.try_send(rebirth(group, name, Timestamp::now()));
            self.shared.counters.rebirths.add(1);
        }
        if is_given_up {
            let devices = edge.members.values().flat_map(|member| &member.devices);
            devices.for_each(|device| self.sink.online(*device, Some("its edge node does not answer")));
        }
    }
}
