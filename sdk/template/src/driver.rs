//! The two traits, and the connection: the only place that waits.

use crate::codec::{Answer, Register, refusal};
use crate::config::{Device, Link as LinkOptions, Point};
use crate::plan::Planned;
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceSpec, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan, PointIx,
    PointSpec, Problem, Quality, Split, StepIx, Timestamp, Value, WriteOp,
};
use std::sync::{Arc, LazyLock, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// A longer line is no answer, in bytes.
const LINE_MAX: u64 = 64;

/// The driver.
#[derive(Debug, Clone, Copy)]
pub struct Acme;

#[async_trait]
impl Driver for Acme {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            Manifest::new("acme", env!("CARGO_PKG_VERSION"), "Acme line protocol over TCP")
                .can(Capabilities { write: true, ..Capabilities::default() })
                .wire(&["endpoint"])
                .options::<LinkOptions, Device, Point>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::read(options).map(|link| format!("acme:{}", link.endpoint))
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        Device::read(options).err().into_iter().collect()
    }

    fn check_point(&self, options: &Json, _: Access) -> Vec<Problem> {
        Point::read(options).err().into_iter().collect()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let listed = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
        let options = LinkOptions::read(&options).map_err(|problems| Fault::Config(listed(problems)))?;
        Ok(Arc::new(Wire { options, planned: Mutex::default(), connection: tokio::sync::Mutex::default() }))
    }
}

type Connection = BufReader<TcpStream>;

/// One connection, with one question under way at a time.
struct Wire {
    options: LinkOptions,
    planned: Mutex<Planned>,
    /// None after a timeout and after anything strange: what still comes is nobody's answer.
    connection: tokio::sync::Mutex<Option<Connection>>,
}

impl Wire {
    fn planned(&self) -> std::sync::MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn dial(&self, by: Deadline) -> Result<Connection, Fault> {
        let address = self.options.address().unwrap_or_default();
        let gone = |reason: &dyn std::fmt::Display| Fault::Link(format!("{}: {reason}", self.options.endpoint));
        let stream = timeout_at(by, TcpStream::connect(address)).await;
        let stream = stream.map_err(|_| gone(&"nobody answers"))?.map_err(|error| gone(&error))?;
        stream.set_nodelay(true).map_err(|error| gone(&error))?;
        Ok(BufReader::new(stream))
    }

    /// Asks about a register. The connection is kept only if the answer was one.
    async fn ask(&self, register: Register, question: String, by: Deadline) -> Result<Answer, Fault> {
        let mut kept = self.connection.lock().await;
        let mut connection = match kept.take() {
            Some(connection) if is_quiet(&connection) => connection,
            _ => self.dial(by).await?,
        };
        let by = by.min(Instant::now() + self.options.timeout);
        let line = timeout_at(by, exchange(&mut connection, &question)).await;
        let line = line.map_err(|_| Fault::Device(format!("unit {} does not answer", register.unit)))?;
        let line = line.map_err(|error| Fault::Link(format!("{}: {error}", self.options.endpoint)))?;
        let answer = register.answer(&line);
        // More than one line is not an answer either.
        if let (Some(answer), true) = (answer, connection.buffer().is_empty()) {
            *kept = Some(connection);
            return Ok(answer);
        }
        Err(Fault::Device(format!("asked {}, the device says {}", question.trim_end(), line.trim_end().escape_debug())))
    }
}

/// True if nothing has come since the last answer: neither the end, nor what nobody asked for.
fn is_quiet(connection: &Connection) -> bool {
    let read = connection.get_ref().try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Sends a question and takes the line that comes.
async fn exchange(connection: &mut Connection, question: &str) -> std::io::Result<String> {
    connection.get_mut().write_all(question.as_bytes()).await?;
    let mut line = vec![];
    connection.take(LINE_MAX).read_until(b'\n', &mut line).await?;
    match line.last() {
        Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
        Some(_) if line.len() as u64 == LINE_MAX => Ok("a line without end".into()),
        _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

#[async_trait]
impl Link for Wire {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        self.planned().plan(devices, points, split)
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        let mut kept = self.connection.lock().await;
        *kept = None;
        *kept = Some(self.dial(by).await?);
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let (point, register) = self.of_step(step)?;
        match self.ask(register, register.read(), by).await? {
            Answer::Holds(value) => {
                out.good(point, Value::Int(value), Timestamp::now());
                Ok(())
            }
            Answer::Refuses(code) => Err(refused(point, register, code)),
        }
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let register = self.planned().points.get(&op.point).copied();
        let register = register.ok_or_else(|| Fault::Config(format!("there is no point {}", op.point.0)))?;
        let Some(value) = whole(&op.value) else {
            let reason = format!("{} is not a whole number", op.value);
            return Err(Fault::Point { point: op.point, quality: Quality::BadOutOfRange, reason });
        };
        match self.ask(register, register.write(value), by).await? {
            Answer::Holds(value) => Ok(Some(Value::Int(value))),
            Answer::Refuses(code) => Err(refused(op.point, register, code)),
        }
    }

    async fn close(&self, _: Deadline) {
        *self.connection.lock().await = None;
    }
}

impl Wire {
    /// The point that a step reads, and its register.
    fn of_step(&self, step: StepIx) -> Result<(PointIx, Register), Fault> {
        let planned = self.planned();
        let found = planned.steps.get(&step).and_then(|point| Some((*point, *planned.points.get(point)?)));
        found.ok_or_else(|| Fault::Config(format!("there is no step {}", step.0)))
    }
}

fn refused(point: PointIx, register: Register, code: u8) -> Fault {
    let reason = format!("unit {}, register {}: {}", register.unit, register.at, refusal(code));
    Fault::Point { point, quality: Quality::BadConfig, reason }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
        _ => None,
    }
}
