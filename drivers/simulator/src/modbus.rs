//! A world as real Modbus TCP devices.
//!
//! Functions 1 to 4 read, 5, 6, 15 and 16 write; the register map is in the README. An address that is not listed gets
//! exception 2, a number out of range 3, any other function 1, a unit that does not exist 11.

mod form;
mod map;

use crate::SharedWorld;
use crate::world::Manner;
use map::{Map, Table};
use std::future::{Future, Ready, ready};
use std::io;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_modbus::server::{Service, tcp::Server};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// Answers Modbus requests until `shutdown` completes; then all connections are closed. Does not let time pass: see
/// [`run`]. A client that does not speak Modbus is disconnected.
///
/// # Errors
/// If the listener breaks.
pub async fn serve(world: SharedWorld, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let server = Server::new(listener);
    let on_connected = |stream: TcpStream, _| {
        // Without this option the answers are only slower.
        let _ = stream.set_nodelay(true);
        ready(Ok(Some((Units(world.clone()), stream))))
    };
    tokio::select! {
        ended = server.serve(&on_connected, |_| {}) => ended,
        () = shutdown => Ok(()),
    }
}

/// Lets a world's time pass with the clock's, once a `tick`, until `shutdown` completes. 200 ms is a good tick.
///
/// # Panics
/// If the tick is zero.
pub async fn run(world: SharedWorld, tick: Duration, shutdown: impl Future<Output = ()>) {
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stepped = Instant::now();
    let stepping = async {
        loop {
            let now = ticks.tick().await;
            world.step(now.saturating_duration_since(stepped));
            stepped = now;
        }
    };
    tokio::select! {
        () = stepping => {}
        () = shutdown => {}
    }
}

/// All units behind one endpoint.
struct Units(SharedWorld);

impl Service for Units {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Option<Response>, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(self.answer(request.slave, request.request))
    }
}

impl Units {
    fn answer(&self, unit: u8, request: Request<'static>) -> Result<Option<Response>, ExceptionCode> {
        let (address, count) = touched(&request);
        match self.0.manner(unit, address, count) {
            Manner::Silent => Ok(None),
            Manner::Refuses => Err(ExceptionCode::IllegalDataAddress),
            Manner::Answers => self.respond(unit, request).map(Some),
        }
    }

    fn respond(&self, unit: u8, request: Request<'static>) -> Result<Response, ExceptionCode> {
        match request {
            Request::ReadCoils(at, count) => self.read(unit, Table::Coil, at, count).map(bits).map(Response::ReadCoils),
            Request::ReadDiscreteInputs(at, count) => {
                self.read(unit, Table::Discrete, at, count).map(bits).map(Response::ReadDiscreteInputs)
            }
            Request::ReadInputRegisters(at, count) => {
                self.read(unit, Table::Input, at, count).map(Response::ReadInputRegisters)
            }
            Request::ReadHoldingRegisters(at, count) => {
                self.read(unit, Table::Holding, at, count).map(Response::ReadHoldingRegisters)
            }
            Request::WriteSingleCoil(at, on) => {
                self.write(unit, Table::Coil, at, &words(&[on])).map(|_| Response::WriteSingleCoil(at, on))
            }
            Request::WriteMultipleCoils(at, on) => {
                self.write(unit, Table::Coil, at, &words(&on)).map(|count| Response::WriteMultipleCoils(at, count))
            }
            Request::WriteSingleRegister(at, word) => {
                self.write(unit, Table::Holding, at, &[word]).map(|_| Response::WriteSingleRegister(at, word))
            }
            Request::WriteMultipleRegisters(at, words) => {
                self.write(unit, Table::Holding, at, &words).map(|count| Response::WriteMultipleRegisters(at, count))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }

    fn read(&self, unit: u8, table: Table, address: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
        self.0.with(|world| {
            let thing = world.thing(unit).ok_or(ExceptionCode::GatewayTargetDevice)?;
            Map::of(thing.kind()).read(thing, table, address, count)
        })
    }

    fn write(&self, unit: u8, table: Table, address: u16, words: &[u16]) -> Result<u16, ExceptionCode> {
        self.0.with(|world| {
            let thing = world.thing_mut(unit).ok_or(ExceptionCode::GatewayTargetDevice)?;
            Map::of(thing.kind()).write(thing, table, address, words)
        })
    }
}

/// The addresses that a request is about.
fn touched(request: &Request<'_>) -> (u16, u16) {
    match request {
        Request::ReadCoils(at, count)
        | Request::ReadDiscreteInputs(at, count)
        | Request::ReadInputRegisters(at, count)
        | Request::ReadHoldingRegisters(at, count) => (*at, *count),
        Request::WriteSingleCoil(at, _) | Request::WriteSingleRegister(at, _) => (*at, 1),
        Request::WriteMultipleCoils(at, on) => (*at, on.len() as u16),
        Request::WriteMultipleRegisters(at, words) => (*at, words.len() as u16),
        _ => (0, 0),
    }
}

fn bits(words: Vec<u16>) -> Vec<bool> {
    words.into_iter().map(|word| word != 0).collect()
}

fn words(bits: &[bool]) -> Vec<u16> {
    bits.iter().map(|on| u16::from(*on)).collect()
}
