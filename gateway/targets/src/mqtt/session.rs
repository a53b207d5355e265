//! The life of a connection. The two versions of the protocol come as two crates of the same shape; this is the one text
//! for both. Each version adds what differs: its options, and what its codes mean.

/// The largest packet taken in, in bytes: commands are small.
pub(super) const INCOMING_BYTES_MAX: u32 = 256 << 10;

/// Makes `Client`, `connect` and `publish` of `rumqttc`, `tune`, `be_patient`, `last_will`, `publish_options`,
/// `terms`, `outcome` and `end`, which have to be in scope.
macro_rules! session {
    () => {
        use crate::mqtt::client::{End, Link, Notice, Side, Terms};
        use crate::mqtt::pulse::{Line, Pulse};
        use crate::mqtt::settings::Settings;
        use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, TlsConfiguration, Transport};
        use std::sync::Arc;
        use tokio::sync::{mpsc, oneshot, watch};

        pub(super) type Client = AsyncClient;

        pub(super) async fn connect(
            settings: &Settings,
            subscribe: Option<&str>,
            incoming: mpsc::Sender<Incoming>,
        ) -> Result<Link<Client>, TargetError> {
            let pulse = Pulse::new(settings.keep_alive);
            let options = options(settings, &pulse);
            let (client, mut event_loop) =
                AsyncClient::builder(options).capacity(usize::from(settings.inflight)).build();
            be_patient(&mut event_loop);
            let (up, is_up) = oneshot::channel();
            let (end, ended) = watch::channel(None);
            let task = tokio::spawn(live(event_loop, Ears { up: Some(up), incoming, pulse: pulse.clone() }, end));
            let Ok(terms) = is_up.await else {
                return Err(crate::mqtt::client::ended(ended).await.error);
            };
            let link = Link { client, pulse, terms, ended, task };
            match subscribe {
                Some(filter) => subscribed(link, filter).await,
                None => Ok(link),
            }
        }

        async fn subscribed(link: Link<Client>, filter: &str) -> Result<Link<Client>, TargetError> {
            let failed = |error: String| TargetError::Denied(format!("subscribing to {filter}: {error}"));
            let notice = link.client.subscribe_tracked(filter, QoS::AtLeastOnce).await;
            let notice = notice.map_err(|error| failed(error.to_string()))?;
            match notice.wait_completion_async().await {
                Ok(_) => Ok(link),
                Err(rumqttc::SubscribeNoticeError::Recv) => Err(crate::mqtt::client::ended(link.ended).await.error),
                Err(error) => Err(failed(error.to_string())),
            }
        }

        fn options(settings: &Settings, pulse: &Arc<Pulse>) -> MqttOptions {
            let mut options = MqttOptions::new(&settings.login.client_id, (settings.host.clone(), settings.port));
            options.set_keep_alive(settings.keep_alive_seconds());
            if let Some((user, password)) = &settings.login.credentials {
                options.set_credentials(user.clone(), password.clone());
            }
            if let Some(tls) = &settings.tls {
                options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
            }
            if let Some((topic, payload)) = &settings.will {
                options.set_last_will(last_will(topic, payload));
            }
            let pulse = pulse.clone();
            options.set_socket_connector(move |host, _| Line::open(host, pulse.clone()));
            tune(&mut options, settings);
            options
        }

        /// What is told about a connection while it lives.
        struct Ears {
            up: Option<oneshot::Sender<Terms>>,
            incoming: mpsc::Sender<Incoming>,
            pulse: Arc<Pulse>,
        }

        /// Drives the connection until its first error or a silence that is too long.
        async fn live(event_loop: EventLoop, ears: Ears, ended: watch::Sender<Option<End>>) {
            let pulse = ears.pulse.clone();
            let end = tokio::select! {
                end = poll(event_loop, ears) => end,
                silence = pulse.silence() => End::silent(silence, pulse.limit()),
            };
            ended.send_replace(Some(end));
        }

        async fn poll(mut event_loop: EventLoop, mut ears: Ears) -> End {
            loop {
                match event_loop.poll().await {
                    Ok(Event::Incoming(packet)) => ears.hear(packet),
                    Ok(_) => {}
                    Err(error) => return end(error),
                }
            }
        }

        impl Ears {
            fn hear(&mut self, packet: Packet) {
                match packet {
                    Packet::ConnAck(answer) => self.connected(terms(&answer)),
                    Packet::PubAck(_) => self.pulse.acknowledged(),
                    Packet::Publish(publish) => {
                        // This loop also keeps the connection alive, so it never waits for whoever listens.
                        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                        let message = Incoming { topic, payload: publish.payload, retained: publish.retain };
                        if self.incoming.try_send(message).is_err() {
                            metrics::counter!("edgeway_mqtt_incoming_dropped_messages_total").increment(1);
                        }
                    }
                    _ => {}
                }
            }

            fn connected(&mut self, terms: Terms) {
                if let Some(keep_alive) = terms.keep_alive {
                    self.pulse.set_keep_alive(keep_alive);
                }
                self.up.take().map(|up| up.send(terms));
            }
        }

        pub(super) async fn publish(
            client: &Client,
            topic: &str,
            payload: Bytes,
            properties: Properties,
            ended: watch::Receiver<Option<End>>,
        ) -> Result<Notice, TargetError> {
            let sent = client.publish_tracked(topic, payload, publish_options(properties)).await;
            let Ok(notice) = sent else { return Err(crate::mqtt::client::ended(ended).await.error) };
            let topic = topic.to_owned();
            Ok(Box::pin(async move {
                match outcome(notice.wait_async().await, &topic) {
                    Some(outcome) => outcome,
                    None => Err(crate::mqtt::client::ended(ended).await.error),
                }
            }))
        }

        fn peer(error: impl std::fmt::Display) -> End {
            End { error: TargetError::Away(error.to_string()), by: Side::Peer }
        }

        fn us(error: TargetError) -> End {
            End { error, by: Side::Us }
        }

        /// What an error of TLS or of the socket means.
        fn link_end(error: &(dyn std::error::Error + 'static)) -> End {
            match crate::tls::refusal(error) {
                Some(refusal) => us(refusal),
                None => peer(error),
            }
        }
    };
}

pub(super) use session;
