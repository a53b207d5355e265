//! A link whose driver is another process.
//!
//! A driver keeps no state: when a new process sits down, the link is opened there, and all plans are asked for again, in
//! the same order, so that the steps keep their numbers.

use crate::seat::Seat;
use crate::session::{Counters, OpenLink, Session, Unanswered};
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Discovered, Fault, Json, Link, LinkInfo, Plan, PointSpec, Sink, Split,
    StepIx, Timestamp, Value, WriteOp,
};
use edgeway_sdk_wire::proto::to_driver::Body as Question;
use edgeway_sdk_wire::proto::to_gateway::Body as Answer;
use edgeway_sdk_wire::proto::{self, Data, MakePlan};
use edgeway_sdk_wire::{columns, words};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a driver may take to open a link and to plan it: 100,000 points take some seconds in a slow language.
const PLAN_WITHIN: Duration = Duration::from_secs(30);
/// How long a process may take to be there before the link is called down.
const SEATED_WITHIN: Duration = Duration::from_secs(3);

pub(crate) struct RemoteLink {
    seat: Arc<Seat>,
    options: String,
    /// Where it is open.
    open: Mutex<Option<Place>>,
    plans: tokio::sync::Mutex<Plans>,
    steps: Mutex<HashMap<StepIx, Vec<u32>>>,
    counters: Arc<Mutex<Counters>>,
}

/// A session, and the link's number in it.
#[derive(Clone)]
struct Place {
    session: Arc<Session>,
    number: u32,
}

/// Every plan that is in force: the whole, and what was split since.
#[derive(Default)]
struct Plans(Vec<(MakePlan, proto::Plan)>);

impl RemoteLink {
    pub(crate) fn new(seat: Arc<Seat>, options: &Json) -> Self {
        RemoteLink {
            seat,
            options: options.to_string(),
            open: Mutex::default(),
            plans: tokio::sync::Mutex::default(),
            steps: Mutex::default(),
            counters: Arc::default(),
        }
    }

    /// Where the link is open, if its driver is still the same.
    fn place(&self) -> Result<Place, Fault> {
        let sitting = self.seat.session();
        let open = self.open.lock().clone();
        let same = open.zip(sitting).filter(|(open, sitting)| Arc::ptr_eq(&open.session, sitting));
        same.map(|(open, _)| open).ok_or_else(|| match self.seat.session() {
            Some(_) => Fault::Link(format!("driver {} was started anew", self.seat.name)),
            None => self.seat.absent(),
        })
    }

    /// The same, and opens it where it is not open yet.
    async fn open(&self, plans: &Plans, by: Deadline) -> Result<Place, Fault> {
        if let Ok(place) = self.place() {
            return Ok(place);
        }
        let session = self.seat.session_by(by).await?;
        let place = Place { session, number: self.seat.next_link() };
        let by = Instant::now() + PLAN_WITHIN;
        let asked = proto::OpenLink { link: place.number, options: self.options.clone() };
        place.session.ask(Question::OpenLink(asked), by).await?;
        for (asked, planned) in &plans.0 {
            let again = make_plan(&place, asked.clone(), by).await?;
            if again != *planned {
                let reason = format!("driver {} plans differently since it was started anew", self.seat.name);
                return Err(Fault::Config(format!("{reason}: restart the gateway")));
            }
        }
        let whole = plans.0.first().map(|(asked, _)| asked);
        place.session.open_link(
            place.number,
            OpenLink {
                points: whole.map(|asked| asked.points.iter().map(|spec| spec.point).collect()).unwrap_or_default(),
                devices: whole.map(|asked| asked.devices.iter().map(|spec| spec.device).collect()).unwrap_or_default(),
                sink: None,
                counters: self.counters.clone(),
            },
        );
        *self.open.lock() = Some(place.clone());
        Ok(place)
    }

    /// Asks where the link is open. After silence it is not taken as open any more: the next `connect` makes a new one.
    async fn ask(&self, by: Deadline, question: impl FnOnce(u32) -> Question) -> Result<Answer, Fault> {
        let place = self.place()?;
        let answer = place.session.ask(question(place.number), by).await;
        if matches!(answer, Err(Unanswered::Lost(_))) {
            self.abandon();
        }
        Ok(answer?)
    }

    /// Leaves the link where it is open: the driver may forget it.
    fn abandon(&self) {
        if let Some(place) = self.open.lock().take() {
            place.session.abandon_link(place.number);
        }
    }

    /// An answer that belongs to another question.
    fn nonsense<T>(&self) -> Result<T, Fault> {
        Err(Fault::Link(format!("driver {} gives answers that do not fit the question", self.seat.name)))
    }

    /// Values are those of the step, or somebody else's would be overwritten.
    fn check(&self, step: StepIx, data: &Data) -> Result<(), Fault> {
        let steps = self.steps.lock();
        let wanted = steps.get(&step).map_or(&[][..], Vec::as_slice);
        let fits =
            data.points == wanted || (data.points.len() == wanted.len() && sorted(&data.points) == sorted(wanted));
        fits.then_some(()).ok_or_else(|| Fault::Device(format!("driver {} answers for other points", self.seat.name)))
    }
}

/// A link that nobody has closed would stay open in the driver's process.
impl Drop for RemoteLink {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn sorted(points: &[u32]) -> Vec<u32> {
    let mut points = points.to_vec();
    points.sort_unstable();
    points
}

async fn make_plan(place: &Place, mut asked: MakePlan, by: Deadline) -> Result<proto::Plan, Fault> {
    asked.link = place.number;
    match place.session.ask(Question::MakePlan(asked), by).await? {
        Answer::Plan(plan) => Ok(plan),
        _ => Err(Fault::Link("the driver answers something else than a plan".into())),
    }
}

#[async_trait]
impl Link for RemoteLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut plans = self.plans.lock().await;
        let step = match split {
            Split::Nothing => None,
            Split::Step(step) => Some(step),
        };
        if step.is_none() {
            plans.0.clear();
            self.steps.lock().clear();
        }
        let asked = words::make_plan(0, devices, points, step);
        let place = self.open(&plans, Instant::now() + SEATED_WITHIN).await?;
        let planned = make_plan(&place, asked.clone(), Instant::now() + PLAN_WITHIN).await?;
        let plan = Plan::from(&planned);
        if step.is_none() {
            place.session.with_link(place.number, |link| {
                link.points = asked.points.iter().map(|spec| spec.point).collect();
                link.devices = asked.devices.iter().map(|spec| spec.device).collect();
            });
        }
        let points = |step: &edgeway_sdk::Step| (step.id, step.points.iter().map(|point| point.0).collect());
        self.steps.lock().extend(plan.steps.iter().map(points));
        // A step that cannot be divided stays as it is.
        if step.is_none() || !plan.steps.is_empty() {
            plans.0.push((asked, planned));
        }
        Ok(plan)
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        let plans = self.plans.lock().await;
        self.open(&plans, by.min(Instant::now() + SEATED_WITHIN)).await?;
        match self.ask(by, |link| Question::Connect(proto::Connect { link, within_ms: left(by) })).await? {
            Answer::LinkInfo(info) => Ok(info.into()),
            _ => self.nonsense(),
        }
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let question = |link| Question::Exec(proto::Exec { link, step: step.0, within_ms: left(by) });
        let Answer::Data(data) = self.ask(by, question).await? else { return self.nonsense() };
        self.check(step, &data)?;
        let decoded = columns::decode(data, Timestamp::now(), out);
        decoded
            .map_err(|malformed| Fault::Device(format!("driver {} sent malformed data: {malformed}", self.seat.name)))
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        let place = self.place()?;
        place.session.with_link(place.number, |link| link.sink = Some(sink));
        self.ask(by, |link| Question::Watch(proto::Watch { link, within_ms: left(by) })).await.map(drop)
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let value = Some((&op.value).into());
        let question = |link| Question::Write(proto::Write { link, point: op.point.0, value, within_ms: left(by) });
        match self.ask(by, question).await? {
            Answer::Written(written) => Ok(written.value.map(Value::from)),
            _ => self.nonsense(),
        }
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        let (service, input) = (service.to_owned(), input.to_string());
        let question =
            |link| Question::Call(proto::Call { link, device: device.0, service, input, within_ms: left(by) });
        let Answer::Called(called) = self.ask(by, question).await? else { return self.nonsense() };
        serde_json::from_str(&called.output)
            .map_err(|error| Fault::Device(format!("driver {} answers no JSON: {error}", self.seat.name)))
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        let at = at.unwrap_or_default().to_owned();
        let question = |link| Question::Browse(proto::Browse { link, device: device.0, at, within_ms: left(by) });
        match self.ask(by, question).await? {
            Answer::Listing(listing) => Ok(listing.found.into_iter().map(Discovered::from).collect()),
            _ => self.nonsense(),
        }
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.counters.lock().clone()
    }

    async fn close(&self, by: Deadline) {
        let closing = |link| Question::CloseLink(proto::CloseLink { link, within_ms: left(by) });
        let _ = self.ask(by, closing).await;
        if let Some(place) = self.open.lock().take() {
            place.session.close_link(place.number);
        }
    }
}

/// How long there is until then.
fn left(by: Deadline) -> u32 {
    words::millis(by.saturating_duration_since(Instant::now()))
}
