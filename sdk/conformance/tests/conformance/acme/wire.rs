//! One connection, one question at a time.

use super::Flaw;
use edgeway_sdk::{Batch, Deadline, Fault, PointIx, Sink, Timestamp, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// What a device says to a question.
pub(super) enum Said {
    Values(Vec<i64>),
    Refused,
}

pub(super) struct Wire {
    address: String,
    timeout: Duration,
    flaw: Flaw,
    open: Mutex<Option<BufReader<TcpStream>>>,
    leaked: Mutex<Vec<BufReader<TcpStream>>>,
    watching: std::sync::Mutex<Option<AbortHandle>>,
    is_closed: AtomicBool,
}

impl Wire {
    pub(super) fn new(address: String, timeout: Duration, flaw: Flaw) -> Self {
        let (open, leaked, watching, is_closed) = Default::default();
        Wire { address, timeout, flaw, open, leaked, watching, is_closed }
    }

    pub(super) async fn connect(&self, by: Deadline) -> Result<(), Fault> {
        if self.flaw == Flaw::ClosesForGood && self.is_closed.load(Ordering::Relaxed) {
            return Err(Fault::Link("it was closed".into()));
        }
        let stream = self.dial(by).await?;
        if self.flaw == Flaw::LeaksTasks {
            tokio::spawn(std::future::pending::<()>());
        }
        *self.open.lock().await = Some(stream);
        Ok(())
    }

    async fn dial(&self, by: Deadline) -> Result<BufReader<TcpStream>, Fault> {
        let dialled = timeout_at(by, TcpStream::connect(&self.address)).await;
        let stream = dialled.map_err(|_| lost("no connection in time"))?.map_err(|error| lost(&error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| lost(&error.to_string()))?;
        Ok(BufReader::new(stream))
    }

    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.watching.lock().unwrap().take().inspect(AbortHandle::abort);
        let open = self.open.lock().await.take();
        if self.flaw == Flaw::LeaksConnections {
            self.leaked.lock().await.extend(open);
        }
    }

    /// Asks one question. After anything but its answer the connection is not used again: what comes late finds nobody.
    pub(super) async fn ask(
        &self,
        verb: &str,
        unit: u8,
        registers: &[u16],
        value: Option<String>,
        by: Deadline,
    ) -> Result<Said, Fault> {
        let Ok(mut open) = timeout_at(by, self.open.lock()).await else {
            return Err(Fault::Busy("another question was under way".into()));
        };
        let mut stream = match open.take() {
            Some(stream) => stream,
            None => self.dial(by).await?,
        };
        let place = format!("{unit} {}", list(registers));
        let question = [format!("{verb} {place}")].into_iter().chain(value).collect::<Vec<_>>().join(" ");
        let asked = self.answer(&mut stream, &format!("{question}\n"), by).await;
        let said = asked.and_then(|line| self.read(&line, &place, registers.len()));
        if said.is_ok() || (self.flaw == Flaw::TakesLateAnswers && matches!(said, Err(Fault::Device(_)))) {
            *open = Some(stream);
        } else if self.flaw == Flaw::LeaksConnections {
            self.leaked.lock().await.push(stream);
        }
        said
    }

    async fn answer(&self, stream: &mut BufReader<TcpStream>, question: &str, by: Deadline) -> Result<Vec<u8>, Fault> {
        let mut line = vec![];
        let patience = by.min(Instant::now() + self.timeout);
        let talk = async {
            stream.write_all(question.as_bytes()).await?;
            if self.flaw == Flaw::WaitsForEveryByte {
                while !line.ends_with(b"\n") {
                    line.push(timeout(self.timeout, stream.read_u8()).await??);
                }
                return Ok(());
            }
            stream.read_until(b'\n', &mut line).await.map(drop)
        };
        let talked: std::io::Result<()> = match self.flaw {
            Flaw::WaitsForEveryByte => talk.await,
            _ => timeout_at(patience, talk).await.unwrap_or_else(|late| Err(late.into())),
        };
        match talked {
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Err(Fault::Device("no answer in time".into()))
            }
            Err(error) => Err(lost(&error.to_string())),
            Ok(()) if line.ends_with(b"\n") => Ok(line),
            Ok(()) if self.flaw == Flaw::TakesHalfAnswers && !line.is_empty() => Ok(line),
            Ok(()) => Err(lost("the device closed the connection")),
        }
    }

    /// An answer is one only if all of it is as it must be.
    fn read(&self, line: &[u8], place: &str, count: usize) -> Result<Said, Fault> {
        let strange = || Fault::Device(format!("an answer to something else: {:?}", String::from_utf8_lossy(line)));
        if self.flaw == Flaw::PanicsOnGarbage {
            let line = std::str::from_utf8(line).expect("an answer is text");
            assert!(line.starts_with(place), "an answer is to its question");
        }
        let text = std::str::from_utf8(line).map_err(|_| strange())?.trim_end_matches('\n');
        let mut words = text.split(' ');
        let (unit, registers) = (words.next().ok_or_else(strange)?, words.next().ok_or_else(strange)?);
        let told = words.next().ok_or_else(strange)?;
        let is_right = match self.flaw {
            Flaw::TakesLateAnswers => true,
            Flaw::TakesAnyUnit => place.ends_with(&format!(" {registers}")),
            _ => place == format!("{unit} {registers}") && words.next().is_none(),
        };
        if !is_right {
            return Err(strange());
        }
        if told == "!2" {
            return Ok(Said::Refused);
        }
        let values: Result<Vec<i64>, _> = told.split(',').map(str::parse).collect();
        let values = values.map_err(|_| strange())?;
        let is_long_enough = values.len() == count || self.flaw == Flaw::TakesLateAnswers;
        if is_long_enough { Ok(Said::Values(values)) } else { Err(strange()) }
    }

    /// Asks for each register before the first has been answered.
    pub(super) async fn ask_each(&self, unit: u8, registers: &[u16], by: Deadline) -> Result<Said, Fault> {
        let mut open = self.open.lock().await;
        let mut stream = match open.take() {
            Some(stream) => stream,
            None => self.dial(by).await?,
        };
        let questions: String = registers.iter().map(|register| format!("R {unit} {register}\n")).collect();
        let mut values = vec![];
        for (at, register) in registers.iter().enumerate() {
            let question = if at == 0 { questions.as_str() } else { "" };
            let line = self.answer(&mut stream, question, by).await?;
            match self.read(&line, &format!("{unit} {register}"), 1)? {
                Said::Values(of_one) => values.extend(of_one),
                // The other answers are still to come.
                Said::Refused => return Ok(Said::Refused),
            }
        }
        *open = Some(stream);
        Ok(Said::Values(values))
    }

    /// Listens on a connection of its own, until it ends or is closed.
    pub(super) async fn watch(
        &self,
        watched: Vec<(PointIx, (u8, u16))>,
        sink: Arc<dyn Sink>,
        by: Deadline,
    ) -> Result<(), Fault> {
        let mut stream = self.dial(by).await?;
        for (_, (unit, register)) in &watched {
            let question = format!("S {unit} {register}\n");
            stream.write_all(question.as_bytes()).await.map_err(|error| lost(&error.to_string()))?;
        }
        let tells_all = self.flaw != Flaw::TellsNoPresentValues;
        let listening = tokio::spawn(async move {
            let mut told: Vec<PointIx> = vec![];
            let mut line = String::new();
            while let Ok(1..) = stream.read_line(&mut line).await {
                for (point, (unit, register)) in &watched {
                    let value = line.strip_prefix(&format!("{unit} {register} "));
                    let Some(value) = value.and_then(|value| value.trim_end().parse().ok()) else { continue };
                    if tells_all || told.contains(point) {
                        let mut batch = Batch::default();
                        batch.good(*point, Value::Int(value), Timestamp::now());
                        sink.data(batch);
                    }
                    told.push(*point);
                }
                line.clear();
            }
            sink.lost("the device closed the connection");
        });
        let before = self.watching.lock().unwrap().replace(listening.abort_handle());
        before.inspect(AbortHandle::abort);
        Ok(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.watching.lock().unwrap().take().inspect(AbortHandle::abort);
    }
}

fn list(registers: &[u16]) -> String {
    registers.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}

fn lost(why: &str) -> Fault {
    Fault::Link(why.into())
}
