//! A subscription of a session (OPC 10000-4, 5.14): one Publish is under way except while its answer is passed on, and every
//! message is acknowledged with the next.

use crate::config::{Attribute, LinkOptions, Monitoring, Trigger};
use crate::plan::Target;
use crate::session::{Failure, Limits, Live, Namespaces, is_too_much};
use edgeway_sdk::Deadline;
use opcua::types::{
    CreateMonitoredItemsRequest, CreateSubscriptionRequest, CreateSubscriptionResponse, DataChangeFilter,
    DataChangeNotification, DeadbandType, DeleteMonitoredItemsRequest, EventFieldList, EventNotificationList,
    ExtensionObject, MonitoredItemCreateRequest, MonitoredItemNotification, MonitoringMode, MonitoringParameters,
    NotificationMessage, PublishRequest, PublishResponse, ReadValueId, StatusChangeNotification, StatusCode,
    SubscriptionAcknowledgement, TimestampsToReturn,
};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const PUBLISHING_MIN: Duration = Duration::from_millis(10);
const PUBLISHING_MAX: Duration = Duration::from_secs(60);
/// The server forgets the subscription after so many keep-alives without a Publish.
const LIFETIME_KEEP_ALIVES: u32 = 10;
/// The gateway gives it up after so many without a message.
const PATIENCE_KEEP_ALIVES: u32 = 3;

/// What is to be watched.
pub(super) struct Item {
    /// `None` if the server does not have its namespace.
    request: Option<MonitoredItemCreateRequest>,
    /// The server's number for it, once it watches.
    id: Option<u32>,
}

/// What a message holds.
pub(super) enum Told {
    /// The server is there.
    Nothing,
    Values(Vec<MonitoredItemNotification>),
    Events(Vec<EventFieldList>),
    Several(Vec<Told>),
    /// Something that cannot be read, or is more than a message may hold.
    Unreadable,
    Ended(StatusCode),
}

pub(super) struct Subscription {
    live: Arc<Live>,
    id: u32,
    items: Vec<Item>,
    items_max: usize,
    timeout: Duration,
    patience: Duration,
    /// The number of the next message that holds something; `None` before the first.
    expected: Option<u32>,
    has_gap: bool,
    unacknowledged: Vec<SubscriptionAcknowledgement>,
    publishing: Option<Publishing>,
}

type Publishing = Pin<Box<dyn Future<Output = Result<PublishResponse, Failure>> + Send>>;

impl Item {
    pub(super) fn of_point(target: &Target, namespaces: &Namespaces) -> Item {
        let Monitoring { sampling, queue, .. } = target.point.monitoring;
        let sampling = sampling.unwrap_or(target.period);
        let request = namespaces
            .node(target.address())
            .map(|node| create(super::read::value_id(target, node), sampling, queue, filter(target)));
        Item { request, id: None }
    }

    /// An item of events.
    pub(super) fn of_events(node: Option<ReadValueId>, queue: u32, filter: ExtensionObject) -> Item {
        Item { request: node.map(|node| create(node, Duration::ZERO, queue, filter)), id: None }
    }
}

fn create(node: ReadValueId, sampling: Duration, queue: u32, filter: ExtensionObject) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: node,
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            client_handle: 0,
            sampling_interval: millis(sampling),
            filter,
            queue_size: queue,
            discard_oldest: true,
        },
    }
}

/// Servers need not know filters, so one is sent only where it says something.
fn filter(target: &Target) -> ExtensionObject {
    let Monitoring { trigger, deadband, .. } = target.point.monitoring;
    if target.point.attribute != Attribute::Value || (trigger == Trigger::Value && deadband.is_none()) {
        return ExtensionObject::null();
    }
    ExtensionObject::from_message(DataChangeFilter {
        trigger: trigger.of_opcua(),
        deadband_type: deadband.map_or(DeadbandType::None, |deadband| deadband.kind) as u32,
        deadband_value: deadband.map_or(0.0, |deadband| deadband.value),
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

impl Subscription {
    pub(super) async fn create(
        live: Arc<Live>,
        options: &LinkOptions,
        shortest: Option<Duration>,
        items: Vec<Item>,
        limits: Limits,
        by: Deadline,
    ) -> Result<Subscription, Failure> {
        let publishing = options.publishing.or(shortest).unwrap_or(Duration::from_secs(1));
        let publishing = publishing.clamp(PUBLISHING_MIN, PUBLISHING_MAX);
        let keep_alives = (options.keep_alive.as_millis() / publishing.as_millis().max(1)).max(1);
        let keep_alives = u32::try_from(keep_alives).unwrap_or(u32::MAX / LIFETIME_KEEP_ALIVES);
        let question = CreateSubscriptionRequest {
            requested_publishing_interval: millis(publishing),
            requested_lifetime_count: keep_alives * LIFETIME_KEEP_ALIVES,
            requested_max_keep_alive_count: keep_alives,
            publishing_enabled: true,
            ..CreateSubscriptionRequest::default()
        };
        let created = live.ask(question, by).await?;
        Ok(Subscription {
            id: created.subscription_id,
            items,
            items_max: limits.items_max(options.nodes_max),
            timeout: options.timeout,
            patience: patience(&created, options),
            expected: None,
            has_gap: false,
            unacknowledged: vec![],
            publishing: None,
            live,
        })
    }

    /// Whether the server does not have the namespace of an item.
    pub(super) fn is_nowhere(&self, item: usize) -> bool {
        self.items[item].request.is_none()
    }

    /// Watches something else for an item the next time that it begins.
    pub(super) fn replace(&mut self, item: usize, by: Item) {
        self.items[item].request = by.request;
    }

    /// Begins to watch these items.
    ///
    /// # Errors
    /// If there is no answer. Those that the server refuses are given back, each with its status.
    pub(super) async fn watch(&mut self, wanted: &[usize]) -> Result<Vec<(usize, StatusCode)>, Failure> {
        self.forget(wanted).await?;
        let (here, away): (Vec<usize>, Vec<usize>) =
            wanted.iter().partition(|item| self.items[**item].request.is_some());
        let mut refused: Vec<_> = away.into_iter().map(|item| (item, StatusCode::BadNodeIdUnknown)).collect();
        for some in here.chunks(self.items_max) {
            let request = |item: &usize| {
                let mut request = self.items[*item].request.clone()?;
                request.requested_parameters.client_handle = u32::try_from(*item).ok()?;
                Some(request)
            };
            let question = CreateMonitoredItemsRequest {
                subscription_id: self.id,
                timestamps_to_return: TimestampsToReturn::Both,
                items_to_create: Some(some.iter().filter_map(request).collect()),
                ..CreateMonitoredItemsRequest::default()
            };
            let results = self.live.ask(question, Instant::now() + self.timeout).await?.results.unwrap_or_default();
            if results.len() != some.len() {
                return Err(Failure::Lost("the server has not said which nodes it watches".into()));
            }
            for (item, result) in some.iter().zip(results) {
                match result.status_code.is_bad() {
                    true => refused.push((*item, result.status_code)),
                    false => self.items[*item].id = Some(result.monitored_item_id),
                }
            }
        }
        Ok(refused)
    }

    /// Ends items, as of nodes that are watched anew.
    pub(super) async fn forget(&mut self, wanted: &[usize]) -> Result<(), Failure> {
        let ids: Vec<u32> = wanted.iter().filter_map(|item| self.items[*item].id.take()).collect();
        for some in ids.chunks(self.items_max) {
            let question = DeleteMonitoredItemsRequest {
                subscription_id: self.id,
                monitored_item_ids: Some(some.into()),
                ..DeleteMonitoredItemsRequest::default()
            };
            match self.live.ask(question, Instant::now() + self.timeout).await {
                // It may have forgotten them by itself.
                Ok(_) | Err(Failure::Refused(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Waits for the next message. It may be dropped and called again.
    ///
    /// # Errors
    /// If the subscription is of no use any more.
    pub(super) async fn next(&mut self) -> Result<Told, Failure> {
        let publishing = match &mut self.publishing {
            Some(publishing) => publishing,
            None => {
                let publishing = self.publish();
                self.publishing.insert(publishing)
            }
        };
        let answer = publishing.await;
        self.publishing = None;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Unreadable) => return Ok(self.skip()),
            Err(Failure::Refused(status)) if is_too_much(status) => {
                // Whether it had a number nobody says.
                self.expected = None;
                return Ok(Told::Unreadable);
            }
            Err(Failure::Late(_)) => {
                let silence = edgeway_sdk::options::duration::show(self.patience);
                return Err(Failure::Lost(format!("the server has said nothing of its subscription for {silence}")));
            }
            Err(failure) => return Err(failure),
        };
        if answer.subscription_id != self.id {
            return Ok(Told::Nothing);
        }
        self.take(answer.notification_message)
    }

    /// Whether a message was missing.
    pub(super) fn has_gap(&self) -> bool {
        self.has_gap
    }

    fn publish(&mut self) -> Publishing {
        let acknowledged = std::mem::take(&mut self.unacknowledged);
        let question =
            PublishRequest { subscription_acknowledgements: Some(acknowledged), ..PublishRequest::default() };
        let (live, by) = (self.live.clone(), Instant::now() + self.patience);
        Box::pin(async move { live.ask_within(question, by).await })
    }

    /// Goes on behind a message that cannot be read. It had the number that was to come: a keep-alive can always be read.
    fn skip(&mut self) -> Told {
        if let Some(number) = self.expected {
            self.acknowledge(number);
        }
        Told::Unreadable
    }

    fn acknowledge(&mut self, number: u32) {
        // After the greatest number comes 1.
        self.expected = Some(number.checked_add(1).unwrap_or(1));
        self.unacknowledged.push(SubscriptionAcknowledgement { subscription_id: self.id, sequence_number: number });
    }

    fn take(&mut self, message: NotificationMessage) -> Result<Told, Failure> {
        let number = message.sequence_number;
        let parts = message.notification_data.unwrap_or_default();
        if let Some(expected) = self.expected.filter(|expected| *expected != number) {
            self.has_gap = true;
            return Err(Failure::Lost(format!("message {expected} of the subscription is missing, {number} has come")));
        }
        if parts.is_empty() {
            // A keep-alive has the number of the message to come.
            self.expected = Some(number);
            return Ok(Told::Nothing);
        }
        self.acknowledge(number);
        let mut told: Vec<Told> = parts.into_iter().map(part).collect();
        Ok(if told.len() == 1 { told.remove(0) } else { Told::Several(told) })
    }
}

fn part(object: ExtensionObject) -> Told {
    if object.inner_is::<DataChangeNotification>() {
        let values = object.into_inner_as::<DataChangeNotification>().and_then(|values| values.monitored_items);
        return Told::Values(values.unwrap_or_default());
    }
    if object.inner_is::<EventNotificationList>() {
        let events = object.into_inner_as::<EventNotificationList>().and_then(|events| events.events);
        return Told::Events(events.unwrap_or_default());
    }
    match object.into_inner_as::<StatusChangeNotification>() {
        Some(change) => Told::Ended(change.status),
        None => Told::Nothing,
    }
}

/// How long the server may say nothing.
fn patience(created: &CreateSubscriptionResponse, options: &LinkOptions) -> Duration {
    let every = Duration::try_from_secs_f64(created.revised_publishing_interval / 1000.0).unwrap_or(PUBLISHING_MAX);
    let keep_alive = every.saturating_mul(created.revised_max_keep_alive_count).max(options.keep_alive);
    keep_alive.saturating_mul(PATIENCE_KEEP_ALIVES).min(Duration::from_secs(3600))
}
