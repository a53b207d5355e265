//! The life of a connection. The two versions of the protocol are two libraries of one shape: this is the text for both,
//! and each adds what differs.

/// Makes `open`, `live`, `subscribe` and `publish` out of the library's types and `tune`, `patience`, `terms`, `heard`,
/// `filter_reason`, `sending`, `sent` and `fault`.
macro_rules! life {
    () => {
        pub(super) type Client = AsyncClient;
        pub(super) type Events = EventLoop;

        pub(super) async fn open(settings: &Settings) -> Result<(Client, Events, Terms), Fault> {
            let built = AsyncClient::builder(options(settings)).capacity(REQUESTS_MAX).try_build();
            let (client, mut events) = built.map_err(|error| Fault::Config(error.to_string()))?;
            patience(&mut events, settings.timeout);
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(answer))) => return Ok((client, events, terms(&answer))),
                    Ok(_) => {}
                    Err(error) => return Err(fault(error, &settings.endpoint)),
                }
            }
        }

        fn options(settings: &Settings) -> MqttOptions {
            let broker = (settings.endpoint.host.clone(), settings.endpoint.port);
            let mut options = MqttOptions::new(&settings.client_id, broker);
            options.set_keep_alive(settings.keep_alive_seconds());
            if let Some((user, password)) = &settings.credentials {
                options.set_credentials(user.clone(), password.clone());
            }
            if let Some(tls) = &settings.tls {
                options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
            }
            tune(&mut options, settings);
            options
        }

        pub(super) async fn live(
            mut events: Events,
            ear: &mut dyn Ear,
            endpoint: &Endpoint,
            silence_max: Option<Duration>,
        ) -> String {
            let mut silence = silence_max.map(Silence::new);
            loop {
                match next(events.poll(), ear, &mut silence).await {
                    None => {
                        let seconds = silence_max.unwrap_or_default().as_secs_f64();
                        return format!("{endpoint}: nothing was heard for {seconds:.1} s");
                    }
                    Some(Ok(event)) => {
                        if let (Event::Incoming(_), Some(silence)) = (&event, &mut silence) {
                            silence.broken();
                        }
                        hear(&event, ear);
                    }
                    Some(Err(error)) => {
                        // What came just before the end has come; the library for MQTT 5 has thrown it away by now.
                        events.state.events.iter().for_each(|event| hear(event, ear));
                        ear.rest();
                        return fault(error, endpoint).to_string();
                    }
                }
            }
        }

        fn hear(event: &Event, ear: &mut dyn Ear) {
            match event {
                Event::Incoming(Packet::Publish(publish)) => ear.hear(&heard(publish)),
                Event::Incoming(Packet::SubAck(_)) => ear.subscribed(),
                _ => {}
            }
        }

        pub(super) async fn subscribe(client: &Client, filters: &[String], as_sure: Qos) -> Result<Vec<Refused>, Gone> {
            let mut waiting = vec![];
            for some in filters.chunks(FILTERS_MAX) {
                let packet = some.iter().map(|filter| SubscribeFilter::new(filter.clone(), qos(as_sure)));
                waiting.push((some, client.subscribe_many_tracked(packet).await.map_err(|_| Gone)?));
            }
            let mut refused = vec![];
            for (some, notice) in waiting {
                let answer = notice.wait_async().await.map_err(|_| Gone)?;
                for (filter, code) in some.iter().zip(&answer.return_codes) {
                    let filter = || filter.clone();
                    refused.extend(filter_reason(code).map(|reason| Refused { filter: filter(), reason }));
                }
            }
            Ok(refused)
        }

        pub(super) async fn publish(client: &Client, message: Message) -> Result<Sent, Gone> {
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            match client.publish_tracked(topic, payload, sending(message)).await {
                Ok(notice) => sent(notice.wait_async().await),
                Err(_) => Err(Gone),
            }
        }

        fn qos(qos: Qos) -> QoS {
            match qos {
                Qos::AtMostOnce => QoS::AtMostOnce,
                Qos::AtLeastOnce => QoS::AtLeastOnce,
                Qos::ExactlyOnce => QoS::ExactlyOnce,
            }
        }

        /// What an error of TLS or of the socket means.
        fn broken(error: &(dyn std::error::Error + 'static), endpoint: &Endpoint) -> Fault {
            match edgeway_tls::refusal(error) {
                Some(TlsError::Away(reason)) => Fault::Link(format!("{endpoint}: {reason}")),
                Some(refusal) => Fault::Config(format!("{endpoint}: {refusal}")),
                None => Fault::Link(format!("{endpoint}: {}", told(error))),
            }
        }
    };
}

pub(super) use life;

use super::Ear;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How long nothing has been heard.
pub(super) struct Silence {
    most: Duration,
    heard_at: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    pub(super) fn new(most: Duration) -> Self {
        Silence { most, heard_at: Instant::now(), timer: Box::pin(sleep(most)) }
    }

    /// Something was heard. The timer is set only when it is due: this is called for every message.
    pub(super) fn broken(&mut self) {
        self.heard_at = Instant::now();
    }

    fn poll_too_long(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            let due = self.heard_at + self.most;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
        Poll::Pending
    }
}

/// Waits for what comes next, and lets the ear rest meanwhile. `None` if it has been silent for too long.
pub(super) async fn next<T>(
    next: impl Future<Output = T>,
    ear: &mut dyn Ear,
    silence: &mut Option<Silence>,
) -> Option<T> {
    let mut next = pin!(next);
    poll_fn(|context| match next.as_mut().poll(context) {
        Poll::Ready(next) => Poll::Ready(Some(next)),
        Poll::Pending => {
            ear.rest();
            let Some(silence) = silence else { return Poll::Pending };
            silence.poll_too_long(context).map(|()| None)
        }
    })
    .await
}

/// An error in the words of a person, if it is one that has happened to many.
pub(super) fn told(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(found) = next {
        if let Some(io) = found.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::ConnectionRefused => "nobody takes connections there".into(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the connection was reset".into(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted => "the connection was closed".into(),
                io::ErrorKind::TimedOut => "there is no answer".into(),
                _ => io.to_string(),
            };
        }
        next = found.source();
    }
    error.to_string()
}
