//! MQTT at QoS 0, beside the bare client of `rumqttc`.

use super::super::figure::Figure;
use super::super::rate::{Rate, Watch, of_gateway};
use super::Beside;
use super::peer::{Peer, TOPICS};
use super::site::{Site, VALUES};
use rumqttc_v5::mqttbytes::v5::Packet;
use rumqttc_v5::{AsyncClient, Event, MqttOptions, QoS};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const OF_BARE_LEAST: f64 = 0.7;
const MESSAGES_LEAST: f64 = 60_000.0;
/// Until the stream has settled.
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn measure(time: Duration) -> Result<Vec<Figure>, String> {
    let peer = Peer::start("mqtt").await?;
    let bare = bare(peer.address, time).await?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    site(peer.address, folder.path())?;
    let measured = of_gateway(folder.path(), time).await?;
    let beside = Beside {
        work: "MQTT, QoS 0, as fast as it comes",
        unit: "messages/s",
        bare: "the same with rumqttc alone, messages/s",
        values: VALUES,
        least: OF_BARE_LEAST,
        goal: "at least 0.7 of the bare client",
    };
    let messages = measured.values_per_second / VALUES as f64;
    let figure = Figure::new("MQTT, QoS 0, messages", messages, "messages/s", ("the goal, messages/s", MESSAGES_LEAST));
    let mut figures: Vec<Figure> = beside.figures(&measured, &bare).into();
    figures.push(figure.goal("at least 60,000 messages/s", messages >= MESSAGES_LEAST));
    Ok(figures)
}

fn site(address: SocketAddr, folder: &Path) -> Result<(), String> {
    let link = format!(
        "[link.wire]\ndriver = \"mqtt\"\nendpoint = \"mqtt://{address}\"\nqos = 0\nsubscribe = [\"bench/+\"]\n"
    );
    let point = |number| format!("{{ at = \"p{number}\" }}");
    let address = |device| format!("bench/{device}");
    Site {
        link,
        common: "",
        driver: "mqtt",
        poll: "1s",
        point: &point,
        key: "topic",
        address: &address,
        devices: TOPICS,
    }
    .write(folder)
}

/// Counts messages and leaves them as they are.
async fn bare(address: SocketAddr, time: Duration) -> Result<Rate, String> {
    let options = MqttOptions::new("bench-bare", (address.ip().to_string(), address.port()));
    let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
    client.subscribe("bench/+", QoS::AtMostOnce).await.map_err(|error| error.to_string())?;
    let mut count = async |time| {
        let (mut messages, until) = (0_u64, Instant::now() + time);
        while let Ok(event) = timeout_at(until, events.poll()).await {
            let event = event.map_err(|error| error.to_string())?;
            messages += u64::from(matches!(event, Event::Incoming(Packet::Publish(_))));
        }
        Ok::<_, String>(messages)
    };
    count(WARM_UP).await?;
    let watch = Watch::start();
    let messages = count(time).await?;
    let rate = watch.rate(messages * VALUES);
    drop(client);
    Ok(rate)
}
