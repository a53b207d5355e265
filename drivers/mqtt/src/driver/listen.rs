//! Listening: the task of a connection, and what is asked for at its begin.

use super::ear::{self, Listener};
use super::open::Open;
use super::{MqttLink, unborn, unlocked};
use crate::client::{Broker, Events, Message, Refused};
use crate::config::Qos;
use crate::plan::Board;
use crate::topic::covers;
use edgeway_sdk::{Batch, DeviceIx, Fault, PointIx, Quality, Sink, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

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
        let watch = unborn::Watch {
            board: board.clone(),
            shared: self.shared.clone(),
            sink: sink.clone(),
            wishes: wishes.clone(),
            patience: self.options.timeout * 2,
        };
        let ear = Listener::new(board, self.shared.clone(), sink.clone(), wishes).resuming(open.is_resumed);
        let (broker, ended, shared) = (open.broker.clone(), open.ended(), self.shared.clone());
        open.run(async move {
            let why = tokio::select! {
                why = serve(events, ear, broker, wished) => why,
                why = watch.run() => why,
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
        self.tell_refused(board, &refused, sink);
        let refused = open.broker.subscribe(&board.filters, qos).await.map_err(drop)?;
        self.tell_refused(board, &refused, sink);
        let (now, at) = (Timestamp::now(), Instant::now());
        board.edges.keys().for_each(|key| self.shared.nodes().entry(key.clone()).or_default().begin(at));
        let births = board.edges.keys().map(|(group, node)| ear::rebirth(group, node, now));
        for message in board.gets.iter().map(|get| get.message(Qos::AtMostOnce)).chain(births) {
            open.broker.publish(message).await.map_err(drop)?;
        }
        Ok(())
    }

    /// What cannot be heard is told: its points are bad and its devices gone, and calls that would wait for it fail.
    fn tell_refused(&self, board: &Board, refused: &[Refused], sink: &dyn Sink) {
        self.shared.counters.refused_filters.add(refused.len() as u64);
        for Refused { filter, reason } in refused {
            let why = format!("the subscription to `{filter}` is refused: {reason}");
            let unheard = Unheard::of(board, filter);
            let mut batch = Batch::default();
            unheard.points.iter().for_each(|point| batch.unfit(*point, Quality::BadConfig, &why, Timestamp::now()));
            // Whoever has said a value is there, so that its devices are gone is told after.
            if !batch.is_empty() {
                sink.data(batch);
            }
            unheard.devices.iter().for_each(|device| sink.online(*device, Some(&why)));
            unlocked(&self.shared.unheard).extend(unheard.answers.into_iter().map(|topic| (topic, why.clone())));
        }
    }
}

/// What a filter would have brought.
#[derive(Default)]
struct Unheard {
    points: Vec<PointIx>,
    devices: BTreeSet<DeviceIx>,
    /// Topics of answers to services.
    answers: Vec<String>,
}

impl Unheard {
    fn of(board: &Board, filter: &str) -> Self {
        let shared = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        let bare = shared.map_or(filter, |(_, bare)| bare);
        let mut unheard = Unheard::default();
        let topics = board.topics.iter().map(|(name, topic)| (String::from_utf8_lossy(name), topic));
        for (name, topic) in topics.filter(|(name, _)| covers(bare, name)) {
            let listening = topic.points().map(|listener| listener.device);
            let presences = topic.presences.iter().map(|at| board.presences[*at].device);
            unheard.devices.extend(listening.chain(presences).map(|place| board.devices[place].ix));
            unheard.points.extend(topic.points().map(|listener| listener.point));
            unheard.answers.extend(topic.has_responses.then(|| name.into_owned()));
        }
        let edges =
            board.edges.iter().filter(|((group, node), edge)| edge.filters(group, node).iter().any(|f| f == bare));
        for member in edges.flat_map(|(_, edge)| edge.members.values()) {
            unheard.devices.extend(&member.devices);
            unheard.points.extend(member.metrics.values().flatten());
        }
        unheard
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
