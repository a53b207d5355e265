//! Drivers of other people's payloads from the wire to the twin, each beside the bare client of the library that it uses, in the
//! same run and against the same devices.
//!
//! The devices are processes of their own: what is measured is the gateway's alone.

#[cfg(feature = "ble")]
mod ble;
mod coap;
mod http;
mod mqtt;
#[cfg(feature = "opcua")]
mod opcua;
mod peer;
mod site;

use super::figure::Figure;
use super::rate::Rate;
use crate::cli::{BenchedDriver, DriversBenchOptions};

/// The least part of a bare client's rate.
const OF_BARE_LEAST: f64 = 0.8;

pub(super) async fn run(options: &DriversBenchOptions) -> Result<Vec<Figure>, String> {
    if let Some(driver) = options.serve {
        return peer::serve(driver).await.map(|()| vec![]);
    }
    let wanted = |driver| options.only.is_empty() || options.only.contains(&driver);
    let mut figures = vec![];
    for driver in
        [BenchedDriver::Mqtt, BenchedDriver::Http, BenchedDriver::Coap, BenchedDriver::Opcua, BenchedDriver::Ble]
    {
        if wanted(driver) {
            if !options.json {
                eprintln!("{driver:?}: the bare client, then the gateway ...");
            }
            figures.extend(measure(driver, options).await?);
        }
    }
    Ok(figures.into_iter().map(|figure| figure.of("drivers")).collect())
}

async fn measure(driver: BenchedDriver, options: &DriversBenchOptions) -> Result<Vec<Figure>, String> {
    match driver {
        BenchedDriver::Mqtt => mqtt::measure(options.time).await,
        BenchedDriver::Http => http::measure(options.time).await,
        BenchedDriver::Coap => coap::measure(options.time).await,
        #[cfg(feature = "opcua")]
        BenchedDriver::Opcua => opcua::measure(&options.python, options.time).await,
        #[cfg(not(feature = "opcua"))]
        BenchedDriver::Opcua => {
            eprintln!("OPC UA is left out of this build");
            Ok(vec![])
        }
        #[cfg(feature = "ble")]
        BenchedDriver::Ble => ble::measure(options.time).await,
        #[cfg(not(feature = "ble"))]
        BenchedDriver::Ble => {
            eprintln!("BLE is left out of this build");
            Ok(vec![])
        }
    }
}

/// A gateway's rate beside a bare client's, in answers or messages of so many values.
struct Beside<'a> {
    work: &'a str,
    unit: &'static str,
    bare: &'static str,
    values: u64,
    least: f64,
    goal: &'static str,
}

impl Beside<'_> {
    fn figures(&self, measured: &Rate, bare: &Rate) -> [Figure; 2] {
        let each = self.values as f64;
        let per_second = |rate: &Rate| rate.values_per_second / each;
        let rate = Figure::new(self.work, per_second(measured), self.unit, (self.bare, per_second(bare)));
        let met = rate.ratio >= self.least;
        let reference = ("the bare client, ns", bare.cpu_ns_per_value);
        let cpu =
            Figure::new(format!("{}, processor per value", self.work), measured.cpu_ns_per_value, "ns", reference);
        [rate.goal(self.goal, met), cpu]
    }
}
