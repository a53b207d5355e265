//! HTTP, beside the bare client of `reqwest`.

use super::super::figure::Figure;
use super::super::rate::{Rate, Watch, of_gateway};
use super::peer::Peer;
use super::site::{Site, VALUES};
use super::{Beside, OF_BARE_LEAST};
use futures::future::try_join_all;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// Devices: enough that one is always waiting.
const DEVICES: u64 = 400;

pub(super) async fn measure(time: Duration) -> Result<Vec<Figure>, String> {
    let peer = Peer::start("http").await?;
    let mut figures = vec![];
    for (work, in_flight) in [("HTTP, one request at a time", 1), ("HTTP, 8 requests at a time", 8)] {
        let bare = bare(peer.address, in_flight, time).await?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        site(peer.address, in_flight, folder.path())?;
        let measured = of_gateway(folder.path(), time).await?;
        let beside = Beside {
            work,
            unit: "answers/s",
            bare: "the same with reqwest alone, answers/s",
            values: VALUES,
            least: OF_BARE_LEAST,
            goal: "at least 0.8 of the bare client",
        };
        figures.extend(beside.figures(&measured, &bare));
    }
    Ok(figures)
}

fn site(address: SocketAddr, in_flight: usize, folder: &std::path::Path) -> Result<(), String> {
    let link = format!("[link.wire]\ndriver = \"http\"\nendpoint = \"http://{address}\"\nin_flight = {in_flight}\n");
    let point = |number| format!("{{ at = \"p{number}\" }}");
    let address = |device| format!("/d{device}");
    Site {
        link,
        common: "",
        driver: "http",
        poll: "10ms",
        point: &point,
        key: "path",
        address: &address,
        devices: DEVICES,
    }
    .write(folder)
}

/// Reads answers and leaves them as they are.
async fn bare(address: SocketAddr, in_flight: usize, time: Duration) -> Result<Rate, String> {
    let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let watch = Watch::start();
    let until = Instant::now() + time;
    let ask = |number: usize| {
        let client = client.clone();
        async move {
            let mut answers = 0_u64;
            while Instant::now() < until {
                let answer = client.get(format!("http://{address}/d{number}")).send().await?;
                answer.bytes().await?;
                answers += 1;
            }
            Ok::<_, reqwest::Error>(answers)
        }
    };
    let answers = try_join_all((0..in_flight).map(ask)).await.map_err(|error| error.to_string())?;
    Ok(watch.rate(answers.iter().sum::<u64>() * VALUES))
}
