//! A pymodbus server whose registers the test sets and sees; `tests/peers/modbus_server.py` says what else it holds.

use crate::peers::process::Process;
use crate::peers::serial_line::SerialLine;
use crate::peers::tcp;
use edgeway_conformance::free_port;
use serde_json::Value as Json;

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Tcp,
    RtuThroughTcp,
    AsciiThroughTcp,
    Rtu,
    Ascii,
}

impl Form {
    /// The word that the script has for it.
    fn word(self) -> &'static str {
        match self {
            Form::Tcp => "tcp",
            Form::RtuThroughTcp => "rtutcp",
            Form::AsciiThroughTcp => "asciitcp",
            Form::Rtu => "rtu",
            Form::Ascii => "ascii",
        }
    }

    fn framing(self) -> &'static str {
        match self {
            Form::Tcp => "tcp",
            Form::RtuThroughTcp | Form::Rtu => "rtu",
            Form::AsciiThroughTcp | Form::Ascii => "ascii",
        }
    }
}

enum Place {
    Port(u16),
    Line(Box<SerialLine>),
}

pub(crate) struct Pymodbus {
    form: Form,
    place: Place,
    process: Option<Process>,
}

impl Pymodbus {
    pub(crate) async fn start(form: Form) -> Pymodbus {
        let place = match form {
            Form::Rtu | Form::Ascii => Place::Line(Box::new(SerialLine::new().await)),
            Form::Tcp | Form::RtuThroughTcp | Form::AsciiThroughTcp => Place::Port(free_port()),
        };
        let mut server = Pymodbus { form, place, process: None };
        server.resume().await;
        server
    }

    /// Starts it again where it was, with everything that was written forgotten.
    pub(crate) async fn resume(&mut self) {
        let place = match &self.place {
            Place::Port(port) => port.to_string(),
            Place::Line(line) => line.devices().display().to_string(),
        };
        self.process = Some(Process::script("modbus_server.py", &[self.form.word(), &place]).await);
    }

    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// The options of a link to it.
    pub(crate) fn options(&self) -> Json {
        match &self.place {
            Place::Port(port) => tcp(*port, self.form.framing()),
            Place::Line(line) => line.options(self.form.framing()),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self.place {
            Place::Port(port) => port,
            Place::Line(_) => panic!("it is on a serial line"),
        }
    }

    pub(crate) fn line(&mut self) -> &mut SerialLine {
        match &mut self.place {
            Place::Line(line) => line,
            Place::Port(_) => panic!("it is not on a serial line"),
        }
    }

    /// Sets a holding register of a unit.
    pub(crate) async fn set(&mut self, unit: u8, at: u16, register: u16) {
        assert_eq!(self.ask(&format!("set {unit} {at} {register}")).await, "ok");
    }

    /// A holding register of a unit.
    pub(crate) async fn get(&mut self, unit: u8, at: u16) -> u16 {
        self.ask(&format!("get {unit} {at}")).await.parse().expect("a number")
    }

    /// Puts a value into holding registers of unit 1, the way Python does it.
    pub(crate) async fn put(&mut self, at: u16, kind: &str, order: &str, value: &Json) {
        assert_eq!(self.ask(&format!("put 1 {at} {kind} {order} {value}")).await, "ok");
    }

    /// The value that Python finds there.
    pub(crate) async fn show(&mut self, at: u16, kind: &str, order: &str, registers: u16) -> Json {
        let shown = self.ask(&format!("show 1 {at} {kind} {order} {registers}")).await;
        serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"))
    }

    async fn ask(&mut self, line: &str) -> String {
        self.process.as_mut().expect("it runs").ask(line).await
    }
}
