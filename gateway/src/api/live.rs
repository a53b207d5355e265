//! Live messages as server-sent events.
//!
//! A reader goes at its own pace: the journal holds what it has not taken yet, so nothing is kept for it in memory but
//! the few messages that are on their way. Once it is too far behind to be called live, it goes on at the newest message
//! and gets an event `lost`, which says how many messages of the journal it has skipped.

use super::Surface;
use super::input::pairs;
use super::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use edgeway_codec::MessageCodec;
use edgeway_journal::{Entry, Fetched, Level, LostRange, Reader};
use edgeway_thing_models::{Filter, GatewayId, Message, MessageId, Rendered};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// How many readers there can be at a time.
pub(super) const READERS_MAX: usize = 32;
/// How many filters a reader can have.
const FILTERS_MAX: usize = 32;
/// How many messages are fetched at a time; the most that are kept for a reader.
const FETCH: usize = 256;
/// A reader that has more messages before it than this is not live any more.
const BEHIND_MOST: u64 = 16_384;
/// A comment is sent when there was nothing else for this long, so that a broken connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a reader has missed, the data of the event `lost`. Offsets are counted before the filters.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Lost {
    /// The first offset.
    pub(crate) from: u64,
    /// The last offset.
    pub(crate) to: u64,
    /// How many offsets.
    pub(crate) count: u64,
    /// `too slow` if the reader was behind; otherwise why the journal does not have them.
    #[schema(example = "too slow")]
    pub(crate) reason: String,
}

/// Follows messages as they are made: server-sent events, one message each, in its one JSON form.
///
/// An event without a name is a message; an event `lost` says that the reader was too slow. Comments are heartbeats.
#[utoipa::path(
    get,
    path = "/messages/live",
    operation_id = "follow_messages",
    tag = "messages",
    params(
        (
            "filter" = Option<Vec<String>>,
            Query,
            description = "A subject with MQTT wildcards, at most 32 times. All messages without it.",
            example = json!(["property/wind-turbine/+"]),
        ),
    ),
    responses(
        (status = 200, description = "The messages.", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A filter is not one.", body = Problem, content_type = PROBLEM_JSON),
        (status = 503, description = "Too many readers at a time.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn follow(
    Shared(surface): Shared<Surface>,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let (parts, _) = request.into_parts();
    let filters = filters(pairs(&parts)?)?;
    let permit = surface.readers.clone().try_acquire_owned().map_err(|_| too_many())?;
    let live = Live::new(surface.state, filters, permit);
    let events = stream::unfold(live, |mut live| async { live.next().await.map(|event| (Ok(event), live)) });
    let until_stopped = events.take_until(surface.stop.cancelled_owned());
    Ok(Sse::new(until_stopped).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

fn too_many() -> Problem {
    let detail = format!("{READERS_MAX} readers follow messages already");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many readers", detail).help("close one of them")
}

fn filters(pairs: Vec<(String, String)>) -> Result<Vec<Filter>, Problem> {
    if pairs.len() > FILTERS_MAX {
        return Err(Problem::bad_request(format!("{} filters are too many", pairs.len()))
            .help(format!("at most {FILTERS_MAX}")));
    }
    let filter = |(key, text): (String, String)| match key.as_str() {
        "filter" => Filter::new(&text).map_err(|error| {
            Problem::bad_request(format!("`{text}` is not a filter: {error}"))
                .help("such as `property/wind-turbine/+` or `event/#`")
        }),
        other => Err(Problem::bad_request(format!("unknown key `{other}`")).help("did you mean `filter`?")),
    };
    pairs.into_iter().map(filter).collect()
}

/// One reader.
struct Live {
    state: Arc<State>,
    filters: Vec<Filter>,
    reader: Reader<MessageCodec>,
    fetched: VecDeque<Entry<Message>>,
    /// Its place among the readers, given back when it goes.
    _permit: OwnedSemaphorePermit,
}

impl Live {
    fn new(state: Arc<State>, filters: Vec<Filter>, permit: OwnedSemaphorePermit) -> Self {
        let reader = state.journal.reader(state.journal.head(), Level::Appended);
        Live { state, filters, reader, fetched: VecDeque::with_capacity(FETCH), _permit: permit }
    }

    /// The next event; `None` once the journal is closed or cannot be read.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(entry) = self.fetched.pop_front() {
                if self.wants(&entry.item) {
                    return Some(self.message(&entry));
                }
            }
            if let Some(lost) = self.catch_up() {
                return Some(event(&lost));
            }
            let Fetched { entries, lost, .. } = self.reader.next(FETCH).await.ok()?;
            self.fetched.extend(entries);
            if let Some(lost) = lost {
                return Some(event(&Lost::of(&lost)));
            }
        }
    }

    fn wants(&self, message: &Message) -> bool {
        if self.filters.is_empty() {
            return true;
        }
        let subject = message.subject(&self.state.things);
        self.filters.iter().any(|filter| filter.matches(&subject))
    }

    fn message(&self, entry: &Entry<Message>) -> Event {
        let gateway = GatewayId::of(&self.state.gateway);
        let id = MessageId { gateway, epoch: entry.stamp.epoch, offset: entry.offset };
        let (message, clock) = self.state.clocks.correct(entry);
        let rendered = Rendered { clock, ..Rendered::new(&message, &self.state.things, Some(id)) };
        Event::default().json_data(rendered).expect("a message renders to memory")
    }

    /// Goes on at the newest message if the reader is too far behind.
    fn catch_up(&mut self) -> Option<Lost> {
        let lost = Lost::behind(self.reader.position(), self.state.journal.head())?;
        self.reader.seek(lost.to + 1);
        Some(lost)
    }
}

impl Lost {
    fn of(lost: &LostRange) -> Self {
        Lost { from: lost.from, to: lost.to, count: lost.count, reason: lost.reason.as_str().to_owned() }
    }

    fn behind(position: u64, head: u64) -> Option<Self> {
        let count = head.saturating_sub(position);
        let reason = "too slow".to_owned();
        (count > BEHIND_MOST).then_some(Lost { from: position, to: head - 1, count, reason })
    }
}

fn event(lost: &Lost) -> Event {
    Event::default().event("lost").json_data(lost).expect("a loss renders to memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let pairs = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        filters(pairs).map(|all| all.iter().map(Filter::to_string).collect()).map_err(|problem| problem.detail)
    }

    #[test]
    fn several_filters_are_taken_and_a_wrong_one_is_explained() {
        assert_eq!(texts(&[("filter", "event/#"), ("filter", "a/+")]), Ok(vec!["event/#".into(), "a/+".into()]));
        assert_eq!(texts(&[]), Ok(vec![]));
        assert!(texts(&[("filter", "a/#/b")]).expect_err("misplaced").contains("`a/#/b` is not a filter"));
        assert_eq!(texts(&[("filtre", "a")]), Err("unknown key `filtre`".into()));
        assert!(texts(&[("filter", "a"); FILTERS_MAX + 1]).is_err());
    }

    #[test]
    fn a_reader_far_behind_is_told_how_much_it_skips() {
        assert_eq!(Lost::behind(10, 10 + BEHIND_MOST), None);
        let lost = Lost::behind(10, 11 + BEHIND_MOST).expect("too far behind");
        assert_eq!((lost.from, lost.to, lost.count), (10, 10 + BEHIND_MOST, BEHIND_MOST + 1));
        assert_eq!(Lost::behind(10, 5), None);
    }
}
