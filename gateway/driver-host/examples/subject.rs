//! A driver for the tests of this package: honest unless its link is told to be otherwise.
//!
//! Every point answers with the number that is its address; what is written is kept for as long as the process lives.

use async_trait::async_trait;
use edgeway_sdk::*;
use parking_lot::Mutex;
use serde_json::json;
use std::borrow::Cow;
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

fn main() -> ExitCode {
    edgeway_sdk_wire::serve(Subject)
}

struct Subject;

#[async_trait]
impl Driver for Subject {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let can = Capabilities { write: true, watch: true, call: true, browse: true, discover: true };
            let mut manifest = Manifest::new("subject", "0.1.0", "is experimented on").can(can).wire(&["endpoint"]);
            let object =
                |properties: Json| json!({ "type": "object", "additionalProperties": false, "properties": properties });
            manifest.options = Schemas {
                link: object(json!({ "endpoint": { "type": "string" }, "does": { "type": "string" } })),
                device: object(json!({})),
                point: object(json!({ "at": { "type": "number" }, "watched": { "type": "boolean" } })),
            };
            manifest
        });
        &MANIFEST
    }

    fn check_link(&self, _: &Json) -> Result<String, Vec<Problem>> {
        Ok("subject".into())
    }

    fn check_device(&self, _: &Json) -> Vec<Problem> {
        vec![]
    }

    fn check_point(&self, _: &Json, _: Access) -> Vec<Problem> {
        vec![]
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let does = options["does"].as_str().unwrap_or_default().to_owned();
        Ok(Arc::new(Wire { does, planned: Mutex::default() }))
    }

    async fn discover(
        &self,
        hint: Json,
        found: tokio::sync::mpsc::Sender<Discovered>,
        _: Deadline,
    ) -> Result<(), Fault> {
        for number in 0..3 {
            let identity = vec![("hint".to_owned(), hint.to_string())];
            let _ = found.send(Discovered { identity, ..Discovered::new(json!({ "unit": number })) }).await;
        }
        Ok(())
    }
}

struct Wire {
    does: String,
    planned: Mutex<Planned>,
}

#[derive(Default)]
struct Planned {
    steps: HashMap<StepIx, Vec<PointIx>>,
    watched: Vec<PointIx>,
    values: HashMap<PointIx, Value>,
    next: u32,
}

#[async_trait]
impl Link for Wire {
    async fn plan(&self, _: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut planned = self.planned.lock();
        let mut plan = Plan::default();
        if split == Split::Nothing {
            *planned = Planned::default();
            for point in points {
                planned.values.insert(point.ix, Value::from_json(&point.options["at"]));
            }
        }
        let (watched, read): (Vec<&PointSpec>, Vec<&PointSpec>) =
            points.iter().partition(|point| point.options["watched"] == true);
        plan.watched = watched.iter().map(|point| point.ix).collect();
        planned.watched.extend(&plan.watched);
        for half in read.chunks(read.len().div_ceil(2).max(1)) {
            let id = StepIx(planned.next);
            planned.next += 1;
            let points: Vec<PointIx> = half.iter().map(|point| point.ix).collect();
            planned.steps.insert(id, points.clone());
            let (device, period) = (half[0].device, half[0].period);
            plan.steps.push(Step { id, device, points, period, wire_time: Duration::ZERO });
        }
        Ok(plan)
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        eprintln!("connected");
        Ok(LinkInfo { concurrency: 4, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
        match self.does.as_str() {
            "crash" => std::process::abort(),
            "panic" => panic!("as it was told"),
            "hang" => std::future::pending().await,
            "eat" => {
                let eaten: Vec<u8> = (0..256_usize << 20).map(|byte| byte as u8).collect();
                std::thread::sleep(Duration::from_secs(3600));
                drop(eaten);
            }
            "long" => {
                let text: Arc<str> = "x".repeat(17 << 20).into();
                out.push(PointIx(0), Value::Text(text), Quality::Good, Timestamp::now());
                return Ok(());
            }
            "stranger" => {
                out.good(PointIx(4711), Value::Int(1), Timestamp::now());
                return Ok(());
            }
            _ => {}
        }
        let planned = self.planned.lock();
        let points = planned.steps.get(&step).ok_or_else(|| Fault::Step(format!("no step {}", step.0)))?;
        points.iter().for_each(|point| out.good(*point, planned.values[point].clone(), Timestamp::now()));
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _: Deadline) -> Result<(), Fault> {
        let watched = self.planned.lock().watched.clone();
        let flood = self.does == "flood";
        tokio::spawn(async move {
            for count in 0.. {
                let mut batch = Batch::default();
                watched.iter().for_each(|point| batch.good(*point, Value::Int(count), Timestamp::now()));
                sink.data(batch);
                if flood {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        Ok(())
    }

    async fn write(&self, op: &WriteOp, _: Deadline) -> Result<Option<Value>, Fault> {
        if self.does == "crash-on-write" {
            std::process::abort();
        }
        self.planned.lock().values.insert(op.point, op.value.clone());
        Ok(Some(op.value.clone()))
    }

    async fn call(&self, _: DeviceIx, service: &str, input: Json, _: Deadline) -> Result<Json, Fault> {
        Ok(json!({ "service": service, "input": input, "pid": std::process::id() }))
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, _: Deadline) -> Result<Vec<Discovered>, Fault> {
        Ok(vec![Discovered::new(json!({ "device": device.0, "at": at }))])
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("planned_steps".into(), self.planned.lock().steps.len() as u64)]
    }

    async fn close(&self, _: Deadline) {}
}
