//! Answers that come after their time, hundreds of them between thousands of reads: every value that is read is that of
//! the register that was asked for.

use super::polled::Polled;
use super::proxy::{self, Delay};
use super::pymodbus::{Form, Pymodbus};
use super::serial_line::SerialLine;
use super::tcp;
use crate::bench::{exec, soon};
use edgeway_sdk::{Access, DeviceIx, Fault, PointIx, PointSpec, Step, Value};
use serde_json::{Value as Json, json};
use serial2_tokio::SerialPort;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How many values are looked at by each of four that read at the same time: 10,000 together.
const READS: usize = 2500;
const UNITS: u8 = 100;
const REGISTERS: u16 = 50;
/// Of registers that hold their own address.
const FIRST: u16 = 2000;
const TIMEOUT: &str = "20ms";
const DELAY: Delay = Delay { every: 50, by: Duration::from_millis(60) };
/// Three timeouts would do, if the machine were never busy for longer.
const LATE: &str = "2s";

/// Four questions at a time on one connection.
#[tokio::test]
async fn none_of_10_000_values_is_that_of_another_register() {
    let server = Pymodbus::start(Form::Tcp).await;
    let mut options = tcp(proxy::listening(server.port(), proxy::TCP, DELAY).await, "tcp");
    options["in_flight"] = json!(4);
    let reader = Reader::new(&mut options, UNITS).await;
    let read = async |first: usize| {
        let (mut tally, mut n) = (Tally::default(), first);
        while tally.values() < READS {
            reader.read(n, &mut tally).await;
            n += 4;
        }
        reader.judge(&tally);
    };
    tokio::join!(read(0), read(1), read(2), read(3));
}

/// Four connections with one question at a time.
#[tokio::test]
async fn none_of_10_000_values_is_that_of_another_register_where_answers_have_no_numbers() {
    let server = Pymodbus::start(Form::RtuThroughTcp).await;
    let read = async || {
        let mut options = tcp(proxy::listening(server.port(), proxy::RTU, DELAY).await, "rtu");
        options["late"] = json!(LATE);
        Reader::new(&mut options, UNITS).await.read_as_the_gateway_does().await;
    };
    tokio::join!(read(), read(), read(), read());
}

/// Four lines.
#[tokio::test]
async fn none_of_10_000_values_is_that_of_another_register_on_serial_lines() {
    let server = Pymodbus::start(Form::RtuThroughTcp).await;
    let read = async || {
        let line = delaying_line(&server).await;
        let mut options = line.options("rtu");
        options["late"] = json!(LATE);
        Reader::new(&mut options, UNITS).await.read_as_the_gateway_does().await;
    };
    tokio::join!(read(), read(), read(), read());
}

/// The same line with `late` shorter than answers take: this is how it looks when a late answer is taken for another.
/// If it were not seen here, the tests above would prove nothing.
#[tokio::test]
async fn a_line_that_is_trusted_too_early_gives_values_of_other_registers() {
    let server = Pymodbus::start(Form::RtuThroughTcp).await;
    let line = delaying_line(&server).await;
    let mut options = line.options("rtu");
    options["late"] = json!(TIMEOUT);
    let reader = Reader::new(&mut options, 1).await;
    let (mut tally, mut n, until) = (Tally::default(), 0, Instant::now() + super::WITHIN);
    while tally.wrong == 0 {
        assert!(Instant::now() < until, "{tally:?}");
        reader.read(n, &mut tally).await;
        n += 1;
    }
}

/// A serial line to pymodbus on which some answers are late.
async fn delaying_line(server: &Pymodbus) -> SerialLine {
    let line = SerialLine::new().await;
    let port = SerialPort::open(line.devices(), 115_200).expect("a serial port");
    let (reader, writer) = tokio::io::split(port);
    tokio::spawn(proxy::stand_between(reader, writer, server.port(), proxy::RTU, DELAY, Arc::default()));
    line
}

/// What came of some reads.
#[derive(Debug, Default)]
struct Tally {
    right: usize,
    wrong: usize,
    unanswered: usize,
}

impl Tally {
    fn values(&self) -> usize {
        self.right + self.wrong
    }
}

/// Reads registers of some units one by one.
struct Reader {
    polled: Polled,
    /// Neighbours in this list are of different units.
    steps: Vec<Step>,
    units: u8,
}

impl Reader {
    async fn new(options: &mut Json, units: u8) -> Reader {
        options["timeout"] = json!(TIMEOUT);
        options["max_gap_registers"] = json!(0);
        let point = |(ix, (at, unit)): (u32, (u16, u8))| PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(u32::from(unit)),
            options: Arc::new(json!({ "at": format!("holding:{}", address(at)) })),
            access: Access::Read,
            period: Duration::from_secs(1),
        };
        let places = (0..REGISTERS).flat_map(|at| (0..units).map(move |unit| (at, unit)));
        let devices = (1..=units).map(|unit| json!({ "unit": unit })).collect();
        let polled = Polled::with_devices(options, devices, (0..).zip(places).map(point).collect());
        let mut steps = polled.plan().await.steps;
        steps.sort_by_key(|step| step.points[0]);
        assert_eq!(steps.len(), usize::from(units) * usize::from(REGISTERS), "each register in a request of its own");
        Reader { polled, steps, units }
    }

    /// Reads the nth of all registers, over and over, and compares it with its address. False if nobody answered.
    async fn read(&self, n: usize, tally: &mut Tally) -> bool {
        let step = &self.steps[n % self.steps.len()];
        let wanted = address(step.points[0].0 as u16 / u16::from(self.units));
        match exec(&*self.polled.link, step.id, soon()).await {
            Ok(values) if matches!(&values[..], [(_, Value::Int(value), _)] if *value == i64::from(wanted)) => {
                tally.right += 1;
            }
            Ok(_) => tally.wrong += 1,
            Err(Fault::Device(_) | Fault::Busy(_)) => {
                tally.unanswered += 1;
                return false;
            }
            Err(other) => panic!("{other:?}"),
        }
        true
    }

    /// Reads one register after the other. A unit that has not answered is left alone for a while.
    async fn read_as_the_gateway_does(&self) {
        let settle = self.polled.link.connect(soon()).await.expect("somebody is there").settle;
        let mut tally = Tally::default();
        let mut free_at = vec![Instant::now(); usize::from(self.units)];
        let mut n = 0;
        while tally.values() < READS {
            let unit = n % free_at.len();
            if free_at.iter().all(|free_at| *free_at > Instant::now()) {
                sleep_until(free_at[unit]).await;
            }
            if free_at[unit] <= Instant::now() && !self.read(n, &mut tally).await {
                free_at[unit] = Instant::now() + settle;
            }
            n += 1;
        }
        self.judge(&tally);
    }

    /// None is wrong, and as many answers were late as the proxy held back, or nearly so: several that are thrown away
    /// together count as one.
    fn judge(&self, tally: &Tally) {
        assert_eq!(tally.wrong, 0, "{tally:?}");
        let late = self.polled.counted("late_answers") as usize;
        assert!(late >= READS / DELAY.every / 2, "{late} answers were late; {tally:?}");
    }
}

/// No two are neighbours, which would share a request.
fn address(at: u16) -> u16 {
    FIRST + 2 * at
}
