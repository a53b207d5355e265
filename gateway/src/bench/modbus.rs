//! Modbus from the wire to the twin, beside the bare client of `tokio-modbus` that reads the same registers in the same run.
//!
//! The devices, the proxy that delays and the broker are a process of their own: what is measured is the gateway's alone.

mod load;
mod peer;
mod reference;
mod wire;

use super::figure::Figure;
use super::rate::Rate;
use crate::cli::ModbusBenchOptions;
use peer::Peer;

/// The least part of the bare client's rate.
const OF_RAW_LEAST: f64 = 0.8;
/// How much faster a wire with 10 ms of delay has to be with 16 requests in flight.
const PIPELINED_LEAST: f64 = 8.0;

pub(super) async fn run(options: &ModbusBenchOptions) -> Result<Vec<Figure>, String> {
    if options.serve {
        return peer::serve().await.map(|()| vec![]);
    }
    let peer = Peer::start().await?;
    let progress = |text: &str| {
        if !options.json {
            eprintln!("{text} ...");
        }
    };
    // First, so that the memory is that of the load alone.
    let mut figures = load::run(&peer, options.time, &progress).await?;
    figures.extend(wires(&peer, options, &progress).await?);
    Ok(figures.into_iter().map(|figure| figure.of("modbus")).collect())
}

/// How fast wires are read.
async fn wires(peer: &Peer, options: &ModbusBenchOptions, progress: &dyn Fn(&str)) -> Result<Vec<Figure>, String> {
    let time = options.time;
    let mut figures = vec![];
    let away = [peer.away];
    for (name, addresses) in
        [("1 link", &peer.devices[..1]), ("1 link, 10 ms away", &away), ("100 links", &peer.devices)]
    {
        progress(&format!("{name}: the bare client, the driver, the gateway"));
        let raw = wire::raw(addresses, time).await?;
        let driver = wire::driver(addresses, 1, time).await?;
        let gateway = wire::gateway(addresses, 1, time).await?;
        figures.extend(beside_raw(name, "driver alone", &driver, &raw));
        figures.extend(beside_raw(name, "whole gateway", &gateway, &raw));
        if *addresses == away {
            progress("10 ms away with 16 requests in flight");
            let pipelined = wire::gateway(addresses, 16, time).await?;
            let work = "1 link, 10 ms away, 16 in flight, whole gateway";
            let reference = ("the same, one in flight, values/s", gateway.values_per_second);
            let figure = Figure::new(work, pipelined.values_per_second, "values/s", reference);
            let met = figure.ratio >= PIPELINED_LEAST;
            figures.push(figure.goal("at least 8 times one in flight", met));
        }
        if name == "1 link" {
            progress("libmodbus, if it is there");
            figures.extend(reference::libmodbus(addresses[0], time, raw.values_per_second).await);
        }
    }
    Ok(figures)
}

fn beside_raw(name: &str, who: &str, measured: &Rate, raw: &Rate) -> [Figure; 2] {
    let reference = ("tokio-modbus' bare client, values/s", raw.values_per_second);
    let rate = Figure::new(format!("{name}, {who}"), measured.values_per_second, "values/s", reference);
    let met = rate.ratio >= OF_RAW_LEAST;
    let reference = ("tokio-modbus' bare client, ns", raw.cpu_ns_per_value);
    let cpu = Figure::new(format!("{name}, {who}, processor per value"), measured.cpu_ns_per_value, "ns", reference);
    [rate.goal("at least 0.8 of the bare client", met), cpu]
}
