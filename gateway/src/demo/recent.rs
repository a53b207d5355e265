//! The last things that happened, in words.

use crate::app::State;
use edgeway_journal::Level;
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Action, Body, CommandRecord, CommandState, Message, Origin, Row};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How many lines of each kind are kept.
const KEPT: usize = 16;
const FETCH: usize = 512;

#[derive(Default)]
pub(super) struct Recent {
    scenes: Mutex<VecDeque<Line>>,
    rows: Mutex<VecDeque<Line>>,
}

/// Something that happened.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) time: Timestamp,
    pub(super) text: String,
}

impl Recent {
    /// Follows the journal of a gateway.
    pub(super) fn follow(state: &Arc<State>, stop: &CancellationToken) -> Arc<Recent> {
        let recent = Arc::new(Recent::default());
        let (following, state, stop) = (recent.clone(), state.clone(), stop.clone());
        tokio::spawn(async move {
            let mut reader = state.journal.reader(state.journal.first(), Level::Appended);
            loop {
                let fetched =
                    tokio::select! { () = stop.cancelled() => return, fetched = reader.next(FETCH) => fetched };
                let Ok(fetched) = fetched else { return };
                fetched.entries.iter().for_each(|entry| following.note(&entry.item, &state));
            }
        });
        recent
    }

    pub(super) fn scenes(&self) -> Vec<Line> {
        self.scenes.lock().iter().cloned().collect()
    }

    pub(super) fn rows(&self) -> Vec<Line> {
        self.rows.lock().iter().cloned().collect()
    }

    fn note(&self, message: &Message, state: &State) {
        let (list, text) = match &message.body {
            Body::Firing(firing) => (&self.scenes, format!("{} fired: {}", firing.scene, firing.cause)),
            Body::Notice(notice) => (&self.scenes, format!("notice to {}: {}", notice.channel, notice.text)),
            Body::Command(record) if record.state != CommandState::Accepted => (&self.scenes, command(record, state)),
            Body::Row(made) => (&self.rows, row(made)),
            _ => return,
        };
        let mut list = list.lock();
        list.push_front(Line { time: message.time, text });
        list.truncate(KEPT);
    }
}

fn command(record: &CommandRecord, state: &State) -> String {
    let command = &record.command;
    let device = &state.things.device(command.device).id;
    let what = match &command.action {
        Action::Set { property, value } => {
            let property = state.things.property(command.device, *property);
            format!("{} = {}", property.identifier, super::view::cell(value, &property.data_type))
        }
        Action::Invoke { service, .. } => {
            format!("{}()", state.things.model_of(command.device).services[usize::from(service.0)].identifier)
        }
    };
    let who = match &command.origin {
        Origin::Scene { scene } => scene.to_string(),
        Origin::Api => "the API".to_owned(),
        Origin::Cloud { target } => format!("the cloud ({target})"),
    };
    let why = record.state.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("  {device} {what} by {who}, {}{why}", record.state.as_str())
}

fn row(row: &Row) -> String {
    let value = |value: &edgeway_sdk::Value| match value {
        edgeway_sdk::Value::Float(x) => format!("{x:.2}"),
        other => other.to_string(),
    };
    let columns = row.columns.iter().zip(&row.values).filter(|(name, _)| !name.starts_with("window_"));
    let columns: Vec<String> = columns.map(|(name, v)| format!("{name}={}", value(v))).collect();
    format!("{}: {}", row.query, columns.join(" "))
}
