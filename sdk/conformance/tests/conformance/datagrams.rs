//! The kit over UDP: an honest driver passes, and two with a flaw do not.
//!
//! ```text
//! 0007 R 12          question 7: what does your register 12 hold?     0007 12 3405
//! 0008 W 12 4000     question 8: put 4000 into your register 12       0008 12 4000
//!                    there is no such register                        0009 99 !
//! ```

use async_trait::async_trait;
use edgeway_conformance::{Options, Report, Subject, run};
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceSpec, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan, PointIx,
    PointSpec, Problem, Quality, Split, Step, StepIx, Timestamp, Value, WriteOp, options,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

const SUBJECT: &str = r#"
version = 1
timeout = "100ms"
[peer]
address = "ADDRESS"
transport = "udp"
[link]
address = "{address}"
[[device]]
id = "press"
[[point]]
id = "force"
device = "press"
options = { register = 12 }
value = 3405
[[point]]
id = "limit"
device = "press"
options = { register = 13 }
access = "read-write"
value = 4812
write = 4813
[[point]]
id = "speed"
device = "press"
options = { register = 14 }
value = 5177
[[refused]]
id = "nothing"
device = "press"
options = { register = 99 }
[chaos]
answer_per_question = true
garbage = true
id = [0, 4]
function = [5, 7]
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Takes whatever comes for the answer.
    TakesAnyDatagram,
    /// Waits anew after each datagram that is not the answer.
    WaitsForEveryDatagram,
}

async fn report(flaw: Flaw) -> Report {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("bound").to_string();
    tokio::spawn(serve(socket));
    let subject = Subject::parse(&SUBJECT.replace("ADDRESS", &address), ".").unwrap_or_else(|error| panic!("{error}"));
    let can = Capabilities { write: true, ..Capabilities::default() };
    let manifest = Manifest::new("acme-udp", "0.1.0", "datagrams").can(can);
    let driver = Acme { flaw, manifest: manifest.options::<LinkOptions, DeviceOptions, PointOptions>() };
    run(Arc::new(driver), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there")
}

#[tokio::test]
async fn an_honest_driver_passes_over_udp() {
    let report = report(Flaw::None).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), "12 of 12", "{report}");
}

#[tokio::test]
async fn a_datagram_that_is_taken_for_another() {
    let report = report(Flaw::TakesAnyDatagram).await;
    for part in ["late answer", "damaged answers"] {
        assert!(report.failed().contains(&part), "{part}: {report}");
    }
    assert!(report.to_string().contains("press.limit: expected 4812, came "), "{report}");
}

#[tokio::test]
async fn a_call_that_does_not_come_back_from_a_flood() {
    let report = report(Flaw::WaitsForEveryDatagram).await;
    assert!(report.failed().contains(&"deadline"), "{report}");
    assert!(report.to_string().contains("exec against an answer without end: expected an end"), "{report}");
}

/// The device.
async fn serve(socket: UdpSocket) {
    let mut registers = HashMap::from([(12, 3405), (13, 4812), (14, 5177)]);
    let mut buffer = [0; 100];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        if let Some(answer) = std::str::from_utf8(&buffer[..length]).ok().and_then(|text| answer(&mut registers, text))
        {
            // Whoever has gone does not want it.
            let _ = socket.send_to(answer.as_bytes(), from).await;
        }
    }
}

fn answer(registers: &mut HashMap<u16, i64>, question: &str) -> Option<String> {
    let words: Vec<&str> = question.split(' ').collect();
    let register = words.get(2)?.parse().ok()?;
    if let (Some(value), Some(held)) = (words.get(3), registers.get_mut(&register)) {
        *held = value.parse().ok()?;
    }
    let value = registers.get(&register).map_or("!".into(), i64::to_string);
    Some(format!("{} {register} {value}", words[0]))
}

/// A link to a device
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkOptions {
    /// Host and port
    address: String,
}

/// A device
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceOptions {}

/// A point
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PointOptions {
    /// The register, 0 to 99
    register: u16,
}

struct Acme {
    flaw: Flaw,
    manifest: Manifest,
}

#[async_trait]
impl Driver for Acme {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        options::parse::<LinkOptions>(options).map(|link| link.address).map_err(|problem| vec![problem])
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        options::parse::<DeviceOptions>(options).err().into_iter().collect()
    }

    fn check_point(&self, options: &Json, _: Access) -> Vec<Problem> {
        options::parse::<PointOptions>(options).err().into_iter().collect()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let link: LinkOptions = options::parse(&options).map_err(|problem| Fault::Config(problem.to_string()))?;
        let (open, points) = Default::default();
        Ok(Arc::new(Wire { address: link.address, flaw: self.flaw, open, points }))
    }
}

struct Wire {
    address: String,
    flaw: Flaw,
    /// With the number of the last question.
    open: tokio::sync::Mutex<Option<(UdpSocket, u16)>>,
    /// The register of each point; a step has the number of its point.
    points: Mutex<HashMap<PointIx, u16>>,
}

const PATIENCE: Duration = Duration::from_millis(100);

#[async_trait]
impl Link for Wire {
    async fn plan(&self, _: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut plan = Plan::default();
        for point in points {
            let read: PointOptions =
                options::parse(&point.options).map_err(|problem| Fault::Config(problem.to_string()))?;
            self.points.lock().unwrap().insert(point.ix, read.register);
            // Each point has a step of its own already; another number makes it another step.
            let id = StepIx(point.ix.0 * 2 + u32::from(split != Split::Nothing));
            let (device, points, period) = (point.device, vec![point.ix], point.period);
            plan.steps.push(Step { id, device, points, period, wire_time: Duration::ZERO });
        }
        Ok(plan)
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        let lost = |error: std::io::Error| Fault::Link(error.to_string());
        let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(lost)?;
        socket.connect(&self.address).await.map_err(lost)?;
        *self.open.lock().await = Some((socket, 0));
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let point = PointIx(step.0 / 2);
        let value = self.ask(point, "R", None, by).await?;
        out.good(point, Value::Int(value), Timestamp::now());
        Ok(())
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let value = self.ask(op.point, "W", Some(&op.value), by).await?;
        Ok(Some(Value::Int(value)))
    }

    async fn close(&self, _: Deadline) {
        self.open.lock().await.take();
    }
}

impl Wire {
    async fn ask(&self, point: PointIx, verb: &str, value: Option<&Value>, by: Deadline) -> Result<i64, Fault> {
        let register = self.points.lock().unwrap()[&point];
        let mut open = self.open.lock().await;
        let (socket, number) = open.as_mut().ok_or(Fault::Link("not connected".into()))?;
        *number = (*number + 1) % 10_000;
        let mut question = format!("{number:04} {verb} {register}");
        value.into_iter().for_each(|value| question.push_str(&format!(" {value}")));
        socket.send(question.as_bytes()).await.map_err(|error| Fault::Link(error.to_string()))?;
        let until = by.min(Instant::now() + PATIENCE);
        let mut buffer = [0; 100];
        loop {
            let until = if self.flaw == Flaw::WaitsForEveryDatagram { Instant::now() + PATIENCE } else { until };
            let received = timeout_at(until, socket.recv(&mut buffer)).await;
            let length = received
                .map_err(|_| Fault::Device("no answer in time".into()))?
                .map_err(|error| Fault::Link(error.to_string()))?;
            let words = std::str::from_utf8(&buffer[..length]).unwrap_or_default().splitn(3, ' ').collect::<Vec<_>>();
            let [id, asked, told] = words[..] else { continue };
            let is_answer = id == format!("{number:04}") && asked == register.to_string();
            if !is_answer && self.flaw != Flaw::TakesAnyDatagram {
                continue;
            }
            if told == "!" {
                return Err(Fault::Point { point, quality: Quality::BadConfig, reason: "no such register".into() });
            }
            if let Ok(value) = told.parse() {
                return Ok(value);
            }
        }
    }
}
