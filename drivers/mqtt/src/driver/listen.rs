//! Listening: the task of a connection, and what is asked for at its begin.

use super::ear::{self, Listener};
use super::open::Open;
use super::{MqttLink, Shared};
use crate::client::{Broker, Events, Message, Refused};
use crate::config::Qos;
use crate::plan::Board;
use crate::sparkplug::Node;
use crate::topic::covers;
use edgeway_sdk::{Batch, Fault, Quality, Sink, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// More wishes of the ear than this do not wait.
const WISHES_MAX: usize = 256;

impl MqttLink {
    /// Lets the sink hear what comes, for as long as the connection lives.
    ///
    /// # Errors
    /// [`Fault::Link`] if somebody does already.
    pub(super) fn listen(&self, open: &Open, board: Arc<Board>, sink: Arc<dyn Sink>) -> Result<(), Fault> {
        let somebody = || Fault::Link("somebody listens already; connect again".into());
        let events = open.take_events().ok_or_else(somebody)?;
        let (wishes, wished) = mpsc::channel(WISHES_MAX);
        let ear = Listener::new(board.clone(), self.shared.clone(), sink.clone(), wishes);
        let (broker, ended, shared) = (open.broker.clone(), open.ended(), self.shared.clone());
        let patience = self.options.timeout * 2;
        open.run(async move {
            let why = tokio::select! {
                why = serve(events, ear, broker, wished) => why,
                why = tell_unborn(board, &shared, &*sink, patience) => why,
            };
            shared.waiting.clear();
            if ended.is_news(&why) {
                sink.lost(&why);
            }
        });
        Ok(())
    }

    /// Subscribes to everything, presences first, and asks for present values.
    pub(super) async fn begin(&self, open: &Open, board: &Board, sink: &dyn Sink) -> Result<(), ()> {
        let qos = self.options.qos;
        let refused = open.broker.subscribe(&board.presence_filters, qos).await.map_err(drop)?;
        tell_refused(board, &refused, sink);
        let more = open.broker.subscribe(&board.filters, qos).await.map_err(drop)?;
        tell_refused(board, &more, sink);
        self.shared.counters.refused_filters.add((refused.len() + more.len()) as u64);
        let now = Timestamp::now();
        let births = board.edges.keys().map(|(group, node)| ear::rebirth(group, node, now));
        for message in board.gets.iter().map(|get| get.message(Qos::AtMostOnce)).chain(births) {
            open.broker.publish(message).await.map_err(drop)?;
        }
        Ok(())
    }
}
/// Drives a connection until it ends, and says why it has.
async fn serve(events: Events, mut ear: Listener, broker: Broker, mut wished: mpsc::Receiver<Message>) -> String {
    let speaking = async {
        while let Some(message) = wished.recv().await {
            // A wish that the broker does not take is one that cannot be fulfilled.
            let _ = broker.publish(message).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        why = events.run(&mut ear) => why,
        () = speaking => String::new(),
    }
}

/// Tells who is gone of those that were asked to say everything, and have not in time. Never ends.
async fn tell_unborn(board: Arc<Board>, shared: &Shared, sink: &dyn Sink, patience: Duration) -> String {
    tokio::time::sleep(patience).await;
    for (key, edge) in &board.edges {
        if shared.nodes().get(key).is_some_and(Node::is_born) {
            continue;
        }
        for device in edge.members.values().flat_map(|member| &member.devices) {
            sink.online(*device, Some("its edge node does not answer"));
        }
    }
    std::future::pending().await
}

/// Points whose topic cannot be heard are bad, and their devices gone.
fn tell_refused(board: &Board, refused: &[Refused], sink: &dyn Sink) {
    let now = Timestamp::now();
    let mut batch = Batch::default();
    for Refused { filter, reason } in refused {
        let why = format!("the subscription to `{filter}` is refused: {reason}");
        let shared = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        let bare = shared.map_or(filter.as_str(), |(_, bare)| bare);
        let covered = board.topics.iter().filter(|(name, _)| covers(bare, &String::from_utf8_lossy(name)));
        for listener in covered.flat_map(|(_, topic)| topic.points()) {
            batch.bad(listener.point, Quality::BadConfig, now);
            sink.online(board.devices[listener.device].ix, Some(&why));
        }
    }
    if !batch.is_empty() {
        sink.data(batch);
    }
}
