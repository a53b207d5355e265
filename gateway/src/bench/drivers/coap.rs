//! CoAP, beside the bare client of `coap`.

use super::super::figure::Figure;
use super::super::rate::{Rate, Watch, of_gateway};
use super::peer::Peer;
use super::site::{Site, VALUES};
use super::{Beside, OF_BARE_LEAST};
use coap::UdpCoAPClient;
use coap::request::{Method, RequestBuilder};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Devices: enough that one is always waiting.
const DEVICES: u64 = 400;

pub(super) async fn measure(time: Duration) -> Result<Vec<Figure>, String> {
    let peer = Peer::start("coap").await?;
    let bare = bare(peer.address, time).await?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    site(peer.address, folder.path())?;
    let measured = of_gateway(folder.path(), time).await?;
    let beside = Beside {
        work: "CoAP, one request at a time",
        unit: "answers/s",
        bare: "the same with coap alone, answers/s",
        values: VALUES,
        least: OF_BARE_LEAST,
        goal: "at least 0.8 of the bare client",
    };
    Ok(beside.figures(&measured, &bare).into())
}

fn site(address: SocketAddr, folder: &Path) -> Result<(), String> {
    let link = format!("[link.wire]\ndriver = \"coap\"\nendpoint = \"coap://{address}\"\nin_flight = 1\n");
    let point = |number| format!("{{ at = \"p{number}\" }}");
    let address = |device| format!("/d{device}");
    Site {
        link,
        common: "",
        driver: "coap",
        poll: "10ms",
        point: &point,
        key: "path",
        address: &address,
        devices: DEVICES,
    }
    .write(folder)
}

/// Reads answers and leaves them as they are.
async fn bare(address: SocketAddr, time: Duration) -> Result<Rate, String> {
    let client = UdpCoAPClient::new(address).await.map_err(|error| error.to_string())?;
    let watch = Watch::start();
    let until = Instant::now() + time;
    let mut answers = 0;
    while Instant::now() < until {
        let request = RequestBuilder::new("/d0", Method::Get).domain(address.to_string()).build();
        client.send(request).await.map_err(|error| error.to_string())?;
        answers += 1;
    }
    Ok(watch.rate(answers * VALUES))
}
