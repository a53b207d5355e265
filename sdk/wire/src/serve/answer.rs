//! Questions of the gateway to the driver, and the answers back. Each in a task of its own: none waits for another.

use super::outbox::Outbox;
use super::{due, fault};
use crate::proto::to_driver::Body as Question;
use crate::proto::to_gateway::Body as Answer;
use crate::proto::{self, Called, Counters, Done, Listing, Pong, ToGateway, Written};
use crate::{columns, words};
use edgeway_sdk::{Batch, DeviceIx, Driver, Fault, Json, Link, PointIx, Split, StepIx, Value, WriteOp};
use futures::FutureExt;
use parking_lot::Mutex;
use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What is found on a network before it is sent.
const FOUND_MAX: usize = 16;

pub(super) struct Desk {
    driver: Arc<dyn Driver>,
    links: Mutex<HashMap<u32, Arc<dyn Link>>>,
    out: mpsc::Sender<ToGateway>,
    outbox: Arc<Outbox>,
}

impl Desk {
    pub(super) fn new(driver: Arc<dyn Driver>, out: mpsc::Sender<ToGateway>, outbox: Arc<Outbox>) -> Self {
        Desk { driver, links: Mutex::default(), out, outbox }
    }

    /// Has a question answered.
    pub(super) fn take(self: &Arc<Self>, id: u64, question: Question) {
        let desk = self.clone();
        tokio::spawn(async move {
            let answer = AssertUnwindSafe(desk.answer(id, question)).catch_unwind().await;
            let answer = answer.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
            desk.say(id, answer.unwrap_or_else(|error| fault(&error))).await;
        });
    }

    /// Says that a question is not understood.
    pub(super) fn cannot(self: &Arc<Self>, id: u64) {
        let desk = self.clone();
        tokio::spawn(async move { desk.say(id, fault(&Fault::Unsupported("that question"))).await });
    }

    /// Closes all links.
    pub(super) async fn close(&self, within: Duration) {
        let by = Instant::now() + within;
        let links: Vec<_> = self.links.lock().drain().map(|(_, link)| link).collect();
        futures::future::join_all(links.iter().map(|link| link.close(by))).await;
    }

    async fn say(&self, re: u64, body: Answer) {
        // Nobody listens any more when the session has ended.
        let _ = self.out.send(ToGateway { re, body: Some(body) }).await;
    }

    async fn answer(&self, id: u64, question: Question) -> Result<Answer, Fault> {
        Ok(match question {
            Question::Ping(_) => Answer::Pong(Pong {}),
            Question::OpenLink(asked) => {
                let link = self.driver.open(parse(&asked.options)?)?;
                self.links.lock().insert(asked.link, link);
                Answer::Done(Done {})
            }
            Question::CloseLink(asked) => {
                let link = self.links.lock().remove(&asked.link);
                if let Some(link) = link {
                    link.close(due(asked.within_ms)).await;
                }
                Answer::Done(Done {})
            }
            Question::MakePlan(asked) => self.plan(&asked).await?,
            Question::Connect(asked) => {
                let info = self.link(asked.link)?.connect(due(asked.within_ms)).await?;
                Answer::LinkInfo((&info).into())
            }
            Question::Exec(asked) => {
                let mut batch = Batch::default();
                self.link(asked.link)?.exec(StepIx(asked.step), &mut batch, due(asked.within_ms)).await?;
                Answer::Data(columns::encode(asked.link, &batch))
            }
            Question::Watch(asked) => {
                let sink = self.outbox.sink(asked.link);
                self.link(asked.link)?.watch(sink, due(asked.within_ms)).await?;
                Answer::Done(Done {})
            }
            Question::Write(asked) => {
                let value = asked.value.map(Value::from).unwrap_or_default();
                let op = WriteOp { point: PointIx(asked.point), value };
                let back = self.link(asked.link)?.write(&op, due(asked.within_ms)).await?;
                Answer::Written(Written { value: back.as_ref().map(proto::Value::from) })
            }
            Question::Call(asked) => {
                let link = self.link(asked.link)?;
                let input = parse(&asked.input)?;
                let output = link.call(DeviceIx(asked.device), &asked.service, input, due(asked.within_ms)).await?;
                Answer::Called(Called { output: output.to_string() })
            }
            Question::Browse(asked) => {
                let at = Some(asked.at.as_str()).filter(|at| !at.is_empty());
                let found = self.link(asked.link)?.browse(DeviceIx(asked.device), at, due(asked.within_ms)).await?;
                Answer::Listing(Listing { found: found.iter().map(proto::Found::from).collect() })
            }
            Question::Discover(asked) => self.discover(id, &asked).await?,
            Question::Health(asked) => {
                let counters = self.link(asked.link)?.health();
                let counters = counters.into_iter().map(|(name, count)| (name.into_owned(), count)).collect();
                Answer::Counters(Counters { counters })
            }
            // These are no questions and never come here.
            Question::Welcome(_) | Question::Credit(_) | Question::Shutdown(_) => {
                return Err(Fault::Unsupported("saying that twice"));
            }
        })
    }

    fn link(&self, number: u32) -> Result<Arc<dyn Link>, Fault> {
        let link = self.links.lock().get(&number).cloned();
        link.ok_or_else(|| Fault::Link(format!("link {number} is not open")))
    }

    async fn plan(&self, asked: &proto::MakePlan) -> Result<Answer, Fault> {
        let (devices, points, step) = words::plan_wanted(asked)?;
        let split = step.as_ref().map_or(Split::Nothing, Split::Step);
        let plan = self.link(asked.link)?.plan(&devices, &points, split).await?;
        Ok(Answer::Plan((&plan).into()))
    }

    /// Says each device as soon as it is found.
    async fn discover(&self, id: u64, asked: &proto::Discover) -> Result<Answer, Fault> {
        let (sender, mut found) = mpsc::channel(FOUND_MAX);
        let looking = self.driver.discover(parse(&asked.hint)?, sender, due(asked.within_ms));
        let telling = async {
            while let Some(device) = found.recv().await {
                self.say(id, Answer::Found(Listing { found: vec![(&device).into()] })).await;
            }
        };
        let (looked, ()) = tokio::join!(looking, telling);
        looked.map(|()| Answer::Done(Done {}))
    }
}

fn parse(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Config(format!("`{text}` is no JSON: {error}")))
}

/// A bug in a driver costs its device one answer, not the neighbours their wire. The message is on stderr already.
fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Fault::Device(format!("the driver has a bug: it panicked: {text}"))
}
