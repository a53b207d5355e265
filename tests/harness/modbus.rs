//! A pymodbus server whose registers the test sets and sees.

use crate::process::Process;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A Modbus server on a TCP port; every unit answers.
pub struct ModbusServer {
    pub port: u16,
    form: &'static str,
    process: Option<Process>,
}

impl ModbusServer {
    /// Starts a Modbus TCP server on a free port.
    pub fn start() -> ModbusServer {
        ModbusServer::start_form("tcp")
    }

    /// Starts a server with another framing: `rtutcp`, `asciitcp`.
    pub fn start_form(form: &'static str) -> ModbusServer {
        let mut server = ModbusServer { port: crate::free_port(), form, process: None };
        server.restart();
        server
    }

    /// Starts it (again) on its port, with all registers zero.
    pub fn restart(&mut self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(crate::python());
        command.arg(root.join("peers/modbus_server.py")).arg(self.form).arg(self.port.to_string());
        let process = Process::start("pymodbus", &mut command);
        assert_eq!(process.line(ANSWER_WITHIN).as_deref(), Some("ready"), "pymodbus did not start");
        self.process = Some(process);
    }

    /// Kills it: connections break off.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Sets holding registers of a unit.
    pub fn set(&mut self, unit: u8, address: u16, words: &[u16]) {
        let words: Vec<String> = words.iter().map(u16::to_string).collect();
        assert_eq!(self.ask(&format!("set {unit} {address} {}", words.join(" "))), "ok");
    }

    /// A 32-bit float in two registers, high word first.
    pub fn set_f32(&mut self, unit: u8, address: u16, value: f32) {
        let bits = value.to_bits();
        self.set(unit, address, &[(bits >> 16) as u16, bits as u16]);
    }

    /// Reads a holding register of a unit.
    pub fn get(&mut self, unit: u8, address: u16) -> u16 {
        self.ask(&format!("get {unit} {address}")).parse().expect("a number")
    }

    fn ask(&mut self, line: &str) -> String {
        let process = self.process.as_mut().expect("it is running");
        process.say(line);
        process.line(ANSWER_WITHIN).expect("pymodbus answers")
    }
}
