//! The other end: a client that takes everything from the broker, as a cloud would.

use edgeway_site::{MqttPreset, MqttTarget, MqttVersion, Transport};
use edgeway_targets::{MqttClient, MqttSettings};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What has arrived.
pub(super) struct Cloud {
    messages: Arc<AtomicU64>,
    pub(super) broker: SocketAddr,
}

impl Cloud {
    pub(super) async fn watch(broker: SocketAddr, stop: &CancellationToken) -> Result<Cloud, String> {
        let settings = MqttSettings::new("watcher", &target(broker)).map_err(|error| error.to_string())?;
        let connected = MqttClient::connect(settings, Some("#")).await;
        let (client, mut incoming) = connected.map_err(|error| error.to_string())?;
        let messages = Arc::new(AtomicU64::new(0));
        let (counter, stop) = (messages.clone(), stop.clone());
        tokio::spawn(async move {
            // The connection lives as long as its client.
            let _client = client;
            while let Some(message) =
                tokio::select! { () = stop.cancelled() => None, message = incoming.recv() => message }
            {
                counter.fetch_add(count(&message.payload), Relaxed);
            }
        });
        Ok(Cloud { messages, broker })
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }
}

fn target(broker: SocketAddr) -> MqttTarget {
    MqttTarget {
        host: broker.ip().to_string(),
        port: broker.port(),
        transport: Transport::Plain,
        version: MqttVersion::V5,
        preset: MqttPreset::Generic,
        client_id: "cloud".to_owned(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(30),
        inflight: 20,
        commands: None,
        replies: None,
    }
}

/// A payload is one message or an array of them.
fn count(payload: &[u8]) -> u64 {
    match serde_json::from_slice::<serde_json::Value>(payload) {
        Ok(serde_json::Value::Array(messages)) => messages.len() as u64,
        Ok(_) => 1,
        Err(_) => 0,
    }
}
